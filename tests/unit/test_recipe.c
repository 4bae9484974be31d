#include "core/export/recipe.h"
#include "core/export/recipe_seal.h"
#include "core/files/json.h"
#include "tests/scratch.h"

static const char SUM[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static Recipe *make_recipe(void) {
    Recipe *recipe;
    assert_int_equal(recipe_create(&recipe, NULL), STATUS_OK);
    recipe->settings.alpha = 0.1 + 0.2; /* not 0.3: seventeen digits or nothing */
    recipe->dtype = DTYPE_BF16;
    recipe->shard_bytes = 5000000000;
    recipe->donor = DONOR_BASE;
    recipe->base.directory = memory_format("a \"base\"\n");
    recipe->sft.directory = memory_format("sft");
    recipe->tensors = memory_allocate(2, sizeof *recipe->tensors);
    recipe->tensor_count = 2;
    for (size_t i = 0; i < 2; i++) {
        RecipeTensor *tensor = &recipe->tensors[i];
        tensor->name = memory_format("tensor.%zu", i);
        tensor->dtype = i == 0 ? DTYPE_F16 : DTYPE_I64;
        tensor->rank = (unsigned)i * 2; /* a scalar and a matrix */
        tensor->shape[0] = 151936;
        tensor->shape[1] = (uint64_t)1 << 40;
        memcpy(tensor->sha256, SUM, sizeof SUM);
    }
    assert_int_equal(recipe_add_file(&recipe->base.files, "model.safetensors", 7, SUM, NULL), STATUS_OK);
    assert_int_equal(recipe_add_file(&recipe->sft.files, "model.safetensors", 8, SUM, NULL), STATUS_OK);
    assert_int_equal(recipe_add_file(&recipe->files, "chat_templates/a.jinja", 9, SUM, NULL), STATUS_OK);
    return recipe;
}

__attribute__((noinline)) static char *format(const Recipe *recipe) {
    char *text;
    assert_int_equal(recipe_format(recipe, &text, NULL), STATUS_OK);
    return text;
}

static void what_is_read_is_what_was_written(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(read->settings.alpha == 0.1 + 0.2);
    assert_int_equal(read->dtype, DTYPE_BF16);
    assert_int_equal(read->shard_bytes, 5000000000);
    assert_int_equal(read->donor, DONOR_BASE);
    assert_string_equal(read->base.directory, recipe->base.directory);
    assert_int_equal(read->tensor_count, 2);
    assert_int_equal(read->tensors[0].rank, 0);
    assert_int_equal(read->tensors[1].shape[1], (uint64_t)1 << 40);
    char *again = format(read);
    assert_string_equal(again, text);
    free(again);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static RecipeSealState seal_of(const char *bytes, size_t size) {
    RecipeSealState state;
    scratch_write("recipe.json", bytes, size);
    assert_int_equal(recipe_seal_check(scratch_path("recipe.json"), &state, NULL), STATUS_OK);
    return state;
}

static void a_turned_bit_anywhere_breaks_the_seal(void **state) {
    (void)state;
    static const char KEY[] = "\"recipe_sha256\":";
    Recipe *recipe = make_recipe();
    char *text = format(recipe);
    size_t size = strlen(text), key = (size_t)(strstr(text, KEY) - text);
    assert_int_equal(seal_of(text, size), RECIPE_SEALED);
    for (size_t i = 0; i < size; i++) {
        bool is_key = i >= key && i < key + strlen(KEY); /* then there is none, and all else is as it was */
        char bit = (char)(1 << i % 7);
        text[i] ^= bit;
        assert_int_equal(seal_of(text, size), is_key ? RECIPE_UNSEALED : RECIPE_BROKEN);
        text[i] ^= bit;
    }
    assert_int_equal(seal_of(text, size - 1), RECIPE_BROKEN);
    free(text);
    recipe_free(recipe);
}

/* As somebody leaves it who edits it on purpose, and as older versions wrote it. */
static void a_recipe_without_a_seal_has_none(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    char *text = format(recipe), *seal = strstr(text, ",\n\t\"recipe_sha256\"");
    memcpy(seal, "\n}", sizeof "\n}");
    assert_int_equal(seal_of(text, strlen(text)), RECIPE_UNSEALED);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_int_equal(seal_of("{}", 2), RECIPE_UNSEALED);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

/* A bit turned in the name of the seal leaves no seal, but a member that nobody knows; so may whoever edits a recipe. */
static void members_that_are_not_known_are_named(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    char *text = format(recipe), *key = strstr(text, "recipe_sha256"), *note = strstr(text, "\"note\"");
    scratch_write_text("recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_int_equal(read->seal, RECIPE_SEALED);
    assert_null(read->unknown);
    recipe_free(read);
    key[0] ^= 'R' ^ 'r'; /* names are told apart by every bit */
    note[1] = 'm';
    scratch_write_text("recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_int_equal(read->seal, RECIPE_UNSEALED);
    assert_string_equal(read->unknown, "\"mote\", \"Recipe_sha256\"");
    recipe_free(read);
    free(text);
    recipe_free(recipe);
}

/* A checkpoint may have types that this program knows by their names only. */
static void a_dtype_that_is_not_known_keeps_its_name(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    recipe->tensors[1].dtype = DTYPE_OTHER;
    memcpy(recipe->tensors[1].other_dtype, "F8_E5M4", sizeof "F8_E5M4");
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_int_equal(read->tensors[1].dtype, DTYPE_OTHER);
    assert_string_equal(recipe_dtype_name(&read->tensors[1]), "F8_E5M4");
    assert_string_equal(recipe_dtype_name(&read->tensors[0]), "F16");
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

/* ---- the dials ---- */

static const NeuronTable TABLE = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 2, 3}};

/* The recipe above, with every dial turned. */
static Recipe *make_recipe_with_dials(void) {
    Recipe *recipe = make_recipe();
    Settings *settings = &recipe->settings;
    uint32_t ranks[30];
    for (uint32_t i = 0; i < 30; i++) ranks[i] = i == 1 || i == 29 ? 0 : 10 + i;
    RankingOrigin origin = {.selector = SELECTOR_ATTRIBUTION, .targets = 32};
    memcpy(origin.calibration_sha256, SUM, sizeof SUM);
    assert_int_equal(ranking_create(&TABLE, &origin, ranks, &recipe->ranking, NULL), STATUS_OK);
    settings->ranking = recipe->ranking;
    settings->rho = 0.1; /* three of thirty */
    settings->omega = 1.0 / 3.0;
    settings->kinds[SETTINGS_NORM] = (SettingsOwn){true, 1.0};
    assert_int_equal(settings_curve_create_ramp(2, 0.4, 0.6, &recipe->curve, NULL), STATUS_OK);
    settings->curve = recipe->curve;
    return recipe;
}

/* A model of one matrix for q, k and v, stored transposed: no q, no gate. */
static void modules_are_read_as_they_were_written(void **state) {
    (void)state;
    NeuronTable table = {.layers = 2, .is_transposed = true};
    table.counts[NEURON_QKV] = 4;
    table.counts[NEURON_O] = 2;
    Recipe *recipe = make_recipe_with_dials(), *read;
    ranking_free(recipe->ranking);
    assert_int_equal(ranking_create_random(&table, 1, &recipe->ranking, NULL), STATUS_OK);
    recipe->settings.ranking = recipe->ranking;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(neurons_equal(&read->ranking->table, &table));
    recipe_free(read);
    recipe_free(recipe);
    free(text);
}

/* A random half of the table's neurons, written and read: the same are reset. */
static void check_table_comes_back(const NeuronTable *table) {
    Recipe *recipe = make_recipe_with_dials(), *read;
    ranking_free(recipe->ranking);
    assert_int_equal(ranking_create_random(table, 1, &recipe->ranking, NULL), STATUS_OK);
    recipe->settings.ranking = recipe->ranking;
    recipe->settings.rho = 0.5;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(neurons_equal(&read->ranking->table, table));
    assert_false(neurons_equal(&read->ranking->table, &TABLE));
    uint32_t cut = settings_cut(&recipe->settings);
    for (uint64_t i = 0; i < neurons_count(table); i++)
        assert_int_equal(read->ranking->ranks[i] == 0, recipe->ranking->ranks[i] < cut);
    recipe_free(read);
    recipe_free(recipe);
    free(text);
}

/* A hybrid: its second layer has other modules than the first. */
static void kinds_of_layers_are_read_as_they_were_written(void **state) {
    (void)state;
    NeuronTable table = TABLE;
    table.kind_count = 1;
    table.kinds[0].counts[NEURON_UP] = table.kinds[0].counts[NEURON_DOWN] = 5;
    table.kinds[0].layers[0] = 2;
    check_table_comes_back(&table);
}

/* Its tables of neurons, and what somebody made of them: each is refused, and nothing is read of it. */
static void tables_of_neurons_that_are_none_are_refused(void **state) {
    (void)state;
    static const char *const TABLES[] = {
        "\"kinds\": [[0]]", "\"kinds\": [0]",     "\"kinds\": {}",     "\"kinds\": [{}]",
        "\"experts\": [1]", "\"experts\": [[1]]", "\"experts\": \"\"", "\"experts\": {\"layers\": [0]}"};
    Recipe *recipe = make_recipe_with_dials(), *read;
    char *text = format(recipe), *at = strstr(text, "\"modules\"");
    assert_non_null(at);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        char *changed = memory_format("%.*s%s, %s", (int)(at - text), text, TABLES[i], at);
        Error error = {0};
        scratch_write_text("recipe.json", changed);
        if (recipe_read(scratch_path("recipe.json"), &read, &error) == STATUS_OK)
            fail_msg("%s was read", TABLES[i]);
        assert_true(strlen(error.message) > 0);
        free(changed);
    }
    free(text);
    recipe_free(recipe);
}

/* A model whose second layer is a mixture of experts: its table comes back, and a set by expert. */
static void experts_are_read_as_they_were_written(void **state) {
    (void)state;
    NeuronTable table = TABLE;
    table.experts.count = 3;
    table.experts.counts[NEURON_GATE_UP] = 4;
    table.experts.counts[NEURON_DOWN] = table.experts.shared[NEURON_DOWN] = 2;
    table.experts.shared[NEURON_GATE] = 2;
    table.experts.is_transposed = true;
    table.experts.layers[0] = 2;
    check_table_comes_back(&table);
}

static void dials_are_read_as_they_were_written(void **state) {
    (void)state;
    Recipe *recipe = make_recipe_with_dials(), *read;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(read->settings.rho == 0.1);
    assert_true(read->settings.omega == 1.0 / 3.0);
    assert_true(read->settings.kinds[SETTINGS_NORM].is_set);
    assert_false(read->settings.kinds[SETTINGS_Q].is_set);
    assert_ptr_equal(read->settings.curve, read->curve);
    assert_true(settings_curve_equal(read->curve, recipe->curve));
    const Ranking *ranking = read->settings.ranking;
    assert_non_null(ranking);
    assert_ptr_equal(ranking, read->ranking);
    assert_true(neurons_equal(&ranking->table, &TABLE));
    assert_int_equal(ranking->origin.selector, SELECTOR_ATTRIBUTION);
    assert_int_equal(ranking->origin.targets, 32);
    assert_string_equal(ranking->origin.calibration_sha256, SUM);
    assert_int_equal(settings_cut(&read->settings), 3);
    for (int i = 0; i < 30; i++) assert_int_equal(ranking->ranks[i] < 3, i == 1 || i == 29);
    char *again = format(read);
    assert_string_equal(again, text);
    free(again);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void a_curve_has_as_many_layers_as_there_are(void **state) {
    (void)state;
    enum { MANY = 300 };
    double alpha[MANY];
    for (size_t i = 0; i < MANY; i++) alpha[i] = 1.0 / (double)(i + 3);
    Recipe *recipe = make_recipe(), *read;
    assert_int_equal(settings_curve_create(alpha, MANY, &recipe->curve, NULL), STATUS_OK);
    recipe->settings.curve = recipe->curve;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_true(settings_equal(&read->settings, &recipe->settings));
    char *again = format(read);
    assert_string_equal(again, text);
    free(again);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void a_random_reset_tells_its_seed(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    assert_int_equal(ranking_create_random(&TABLE, 77, &recipe->ranking, NULL), STATUS_OK);
    recipe->settings.ranking = recipe->ranking;
    recipe->settings.rho = 1.0;
    char *text = format(recipe);
    scratch_write_text("recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
    assert_int_equal(read->ranking->origin.selector, SELECTOR_RANDOM);
    assert_int_equal(read->ranking->origin.seed, 77);
    assert_int_equal(ranking_count(read->ranking, 1), 30);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void every_type_to_write_has_a_name_and_keep_is_one(void **state) {
    (void)state;
    static const DType DTYPES[] = {DTYPE_UNKNOWN, DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        Recipe *recipe = make_recipe(), *read;
        recipe->dtype = DTYPES[i];
        char *text = format(recipe);
        scratch_write_text("recipe.json", text);
        assert_int_equal(recipe_read(scratch_path("recipe.json"), &read, NULL), STATUS_OK);
        assert_int_equal(read->dtype, DTYPES[i]);
        free(text);
        recipe_free(read);
        recipe_free(recipe);
    }
}

/* A recipe with `from` replaced by `to` is refused with `status`, and the message says `word`. Frees it. */
static void expect_refusal_of(Recipe *recipe, const char *from, const char *to, Status status,
                              const char *word) {
    Recipe *read;
    char *text = format(recipe);
    const char *at = strstr(text, from);
    if (at == NULL) fail_msg("the recipe does not contain %s", from);
    char *changed = memory_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    scratch_write_text("recipe.json", changed);
    Error error = {0};
    Status found = recipe_read(scratch_path("recipe.json"), &read, &error);
    if (found != status || strstr(error.message, word) == NULL)
        fail_msg("%s → %s: %s: %s", from, to, status_name(found), error.message);
    assert_null(read);
    free(changed);
    free(text);
    recipe_free(recipe);
}

static void expect_refusal(const char *from, const char *to, Status status, const char *word) {
    expect_refusal_of(make_recipe(), from, to, status, word);
}

static void expect_dial_refusal(const char *from, const char *to, Status status, const char *word) {
    expect_refusal_of(make_recipe_with_dials(), from, to, status, word);
}

static void a_dial_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    expect_dial_refusal("\"rho\":\t0.1", "\"rho\":\t1.1", STATUS_FORMAT, "rho");
    expect_dial_refusal("\"rho\":\t0.1", "\"rho\":\t0", STATUS_FORMAT, "selects neurons");
    expect_dial_refusal("\"rho\":\t0.1,", "", STATUS_FORMAT, "rho");
    expect_dial_refusal("\"omega\":\t0.3", "\"omega\":\t-0.3", STATUS_FORMAT, "omega");
    expect_dial_refusal("\"attribution\"", "\"astrology\"", STATUS_FORMAT, "selector");
    expect_dial_refusal("\"targets\":\t32", "\"targets\":\t3.2", STATUS_FORMAT, "targets");
    expect_dial_refusal("\"calibration_sha256\":\t\"ba", "\"calibration_sha256\":\t\"xx", STATUS_FORMAT,
                        "calibration_sha256");
    expect_dial_refusal("\"layers\":\t2", "\"layers\":\t1", STATUS_FORMAT, "1.down");
    expect_dial_refusal("\"layers\":\t2", "\"layers\":\t9007199254740991", STATUS_FORMAT, "neurons");
    expect_dial_refusal("\"gate\":\t3", "\"gate\":\t0", STATUS_FORMAT, "neurons");
    expect_dial_refusal("\"gate\":\t3", "\"gates\":\t3", STATUS_FORMAT, "modules");
    expect_dial_refusal("\"0.q\":\t[1]", "\"0.q\":\t[2]", STATUS_FORMAT, "0.q");
    expect_dial_refusal("\"selected\":\t2", "\"selected\":\t3", STATUS_FORMAT, "selected");
    expect_dial_refusal("\"norm\":\t1", "\"norm\":\t\"one\"", STATUS_FORMAT, "norm");
    expect_dial_refusal("\"layer_alpha\":\t[0.4, 0.6]", "\"layer_alpha\":\t[]", STATUS_FORMAT, "layer_alpha");
    expect_dial_refusal("\"layer_alpha\":\t[0.4, 0.6]", "\"layer_alpha\":\t[0.4, null]", STATUS_FORMAT,
                        "layer_alpha");
    expect_dial_refusal("\"layer_alpha\":\t[0.4, 0.6]", "\"layer_alpha\":\t0.4", STATUS_FORMAT,
                        "layer_alpha");
}

static void a_recipe_that_is_not_whole_is_refused(void **state) {
    (void)state;
    expect_refusal("rejuv-recipe", "other", STATUS_FORMAT, "format");
    expect_refusal("{", "", STATUS_FORMAT, "recipe.json");
    expect_refusal("\"alpha\":\t0.30000000000000004", "\"alpha\":\t\"NaN\"", STATUS_FORMAT, "alpha");
    expect_refusal("\"alpha\":\t0.30000000000000004", "\"alpha\":\t1e999", STATUS_FORMAT, "alpha");
    expect_refusal("\"dtype\":\t\"BF16\"", "\"dtype\":\t\"I64\"", STATUS_FORMAT, "dtype");
    expect_refusal("5000000000", "-1", STATUS_FORMAT, "shard_bytes");
    expect_refusal("\"donor\":\t\"base\"", "\"donor\":\t\"x\"", STATUS_FORMAT, "donor");
    expect_refusal("tensor.1", "tensor.0", STATUS_FORMAT, "twice");
    expect_refusal("\"I64\"", "\"I 4\"", STATUS_FORMAT, "dtype");
    expect_refusal("151936", "1.5", STATUS_FORMAT, "shape");
    expect_refusal("151936", "1, 1, 1, 1, 1, 1, 1, 1", STATUS_FORMAT, "shape");
    expect_refusal(SUM, "ba78", STATUS_FORMAT, "sha256");
    expect_refusal("\"bytes\":\t8", "\"bytes\":\t-8", STATUS_FORMAT, "bytes");
    expect_refusal("\"inputs\"", "\"outputs\"", STATUS_FORMAT, "base");
}

static void a_file_name_that_leaves_its_directory_is_refused(void **state) {
    (void)state;
    static const char *const NAMES[] = {"../a", "/etc/passwd", "a/../../b", "a//b", ".", "", "a/"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        expect_refusal("chat_templates/a.jinja", NAMES[i], STATUS_FORMAT, "within the directory");
}

static void what_a_later_version_wrote_is_refused_by_name(void **state) {
    (void)state;
    expect_refusal("\"format_version\":\t1", "\"format_version\":\t2", STATUS_UNSUPPORTED, "version 1");
    expect_refusal("\"settings\":\t{", "\"settings\":\t{\"rho\": 0.01,", STATUS_UNSUPPORTED, "rho");
    expect_dial_refusal("\"omega\"", "\"theta\": 1, \"omega\"", STATUS_UNSUPPORTED, "theta");
    expect_dial_refusal("\"norm\":\t1", "\"warp_core\":\t1", STATUS_UNSUPPORTED, "warp_core");
}

/* Latin-1 for "café". */
static void a_path_that_is_no_utf_8_makes_a_recipe_that_is_and_comes_back(void **state) {
    (void)state;
    Recipe *recipe = make_recipe(), *read;
    free(recipe->base.directory);
    recipe->base.directory = memory_format("/data/caf\xe9 +1%%");
    assert_int_equal(recipe_add_file(&recipe->files, "t\xeate.txt", 1, SUM, NULL), STATUS_OK);
    char *text = format(recipe);
    assert_non_null(strstr(text, "\"directory\":\t\"/data/caf\xEF\xBF\xBD +1%\""));
    assert_non_null(strstr(text, "\"directory_uri\":\t\"file:///data/caf%E9%20%2B1%25\""));
    assert_null(strchr(text, (char)0xe9));
    scratch_write_text("recipe.json", text);
    Error error = {0};
    if (recipe_read(scratch_path("recipe.json"), &read, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(read->base.directory, recipe->base.directory);
    assert_string_equal(read->files.list[read->files.count - 1].name, "t\xeate.txt");
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void expect_directory(const char *written, const char *wanted) {
    Recipe *recipe = make_recipe(), *read;
    free(recipe->sft.directory);
    recipe->sft.directory = memory_format("%s", written);
    char *text = format(recipe);
    scratch_write_text("made/recipe.json", text);
    assert_int_equal(recipe_read(scratch_path("made/recipe.json"), &read, NULL), STATUS_OK);
    assert_string_equal(read->sft.directory, wanted);
    free(text);
    recipe_free(read);
    recipe_free(recipe);
}

static void a_relative_path_counts_from_the_recipe(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch_path("made"), 0777), 0);
    assert_int_equal(mkdir(scratch_path("sft"), 0777), 0);
    expect_directory("../sft", scratch_path("made/../sft"));
    expect_directory("sft", "sft"); /* nothing is there: as it was given */
    expect_directory("/nowhere/sft", "/nowhere/sft");
    expect_refusal("\"directory\":\t\"sft\"", "\"directory\":\t\"sft\", \"directory_uri\": \"http://x/y\"",
                   STATUS_FORMAT, "file:///PATH");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(a_turned_bit_anywhere_breaks_the_seal),
        cmocka_unit_test(a_recipe_without_a_seal_has_none),
        cmocka_unit_test(members_that_are_not_known_are_named),
        cmocka_unit_test(a_dtype_that_is_not_known_keeps_its_name),
        cmocka_unit_test(modules_are_read_as_they_were_written),
        cmocka_unit_test(kinds_of_layers_are_read_as_they_were_written),
        cmocka_unit_test(tables_of_neurons_that_are_none_are_refused),
        cmocka_unit_test(experts_are_read_as_they_were_written),
        cmocka_unit_test(dials_are_read_as_they_were_written),
        cmocka_unit_test(a_curve_has_as_many_layers_as_there_are),
        cmocka_unit_test(a_random_reset_tells_its_seed),
        cmocka_unit_test(a_dial_that_makes_no_sense_is_refused),
        cmocka_unit_test(every_type_to_write_has_a_name_and_keep_is_one),
        cmocka_unit_test(a_recipe_that_is_not_whole_is_refused),
        cmocka_unit_test(a_file_name_that_leaves_its_directory_is_refused),
        cmocka_unit_test(what_a_later_version_wrote_is_refused_by_name),
        cmocka_unit_test(a_path_that_is_no_utf_8_makes_a_recipe_that_is_and_comes_back),
        cmocka_unit_test(a_relative_path_counts_from_the_recipe),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
