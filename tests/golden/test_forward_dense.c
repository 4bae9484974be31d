/*
 * The logits of the pairs in golden/dense/, one for each kind of block and position of a dense type, as transformers
 * computes them in float64: of base and of 0.5·SFT + 0.5·base, all positions at once, token by token through the KV cache,
 * in uneven pieces, and as the second of two texts that share a cache.
 *
 * Tolerance: 5e-6 of the logits' range. Observed: printed for each pair.
 */
#include "core/transformer/backward.h"
#include "core/transformer/forward_internal.h"
#include "golden.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

static const double TOLERANCE = 5e-6;

typedef struct Fixture {
    Pair *pair;
    Model *model;
    int32_t *ids;
    size_t tokens, vocabulary;
    float *expected;
    double range;
    Settings settings;
} Fixture;

static void load(Fixture *fixture, const char *name, const char *label) {
    bool is_base = strcmp(label, "base") == 0;
    char *base = golden_path("golden/dense/%s/%s", name, "base"),
         *sft = golden_path("golden/dense/%s/%s", name, "sft");
    char file[32];
    Error error = {0};
    if (pair_open(base, sft, &fixture->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(fixture->pair, &fixture->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    fixture->settings = (Settings){.alpha = is_base ? 0.0 : 0.5};
    cJSON *golden = golden_read_json("golden/dense/%s/%s", name, "golden.json");
    fixture->ids = golden_read_ids(json_find(golden, "ids"), &fixture->tokens);
    fixture->range = json_get_number(golden, is_base ? "base_range" : "fused_range", NAN);
    fixture->vocabulary = (size_t)cJSON_GetArrayItem(json_find(golden, "shape"), 1)->valuedouble;
    cJSON_Delete(golden);
    size_t bytes;
    (void)snprintf(file, sizeof file, "%s.f32", label);
    fixture->expected = golden_read_bytes("golden/dense/%s/%s", name, file, &bytes);
    assert_int_equal(bytes, fixture->tokens * fixture->vocabulary * sizeof(float));
    assert_int_equal(forward_vocabulary(fixture->model), fixture->vocabulary);
}

static void unload(Fixture *fixture) {
    model_close(fixture->model);
    pair_close(fixture->pair);
    free(fixture->ids);
    free(fixture->expected);
}

/* The largest error of the logits of one more piece, which are those of the text's tokens from `first` on. */
static double run_piece(const Fixture *fixture, ForwardState *state, const ForwardInput *input, size_t first,
                        MatmulScratch *scratch, Job *job) {
    Error error = {0};
    size_t row = fixture->vocabulary;
    float *logits = memory_allocate(input->count * row, sizeof *logits);
    assert_non_null(logits);
    if (forward_run(&state, 1, input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    ForwardHead head = {&fixture->settings, forward_hidden(state), logits};
    if (forward_logits(fixture->model, &head, 1, input->count, scratch, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    double worst = 0.0;
    for (size_t i = 0; i < input->count * row; i++)
        worst = fmax(worst, fabs((double)logits[i] - (double)fixture->expected[first * row + i]));
    free(logits);
    return worst;
}

/* The text in pieces; behind `before` tokens of another text, if any. The largest error, relative to the range. */
static double run_in_pieces(const Fixture *fixture, size_t piece, size_t before) {
    Error error = {0};
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    size_t tokens = fixture->tokens, *starts = memory_allocate(tokens, sizeof *starts);
    assert_non_null(starts);
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, &error), STATUS_OK);
    assert_int_equal(
        forward_create_state(fixture->model, &fixture->settings, before + tokens, &state, &error), STATUS_OK);
    ForwardInput other = {.ids = fixture->ids, .count = before};
    if (before > 0) assert_int_equal(forward_run(&state, 1, &other, scratch, job, &error), STATUS_OK);
    for (size_t i = 0; i < tokens; i++) starts[i] = before;
    double worst = 0.0;
    for (size_t at = 0; at < tokens; at += piece) {
        ForwardInput input = {.ids = fixture->ids + at, .starts = starts, .count = piece};
        if (tokens - at < piece) input.count = tokens - at;
        worst = fmax(worst, run_piece(fixture, state, &input, at, scratch, job));
    }
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    free(starts);
    return worst / fixture->range;
}

static void check_pair(const char *name, const char *label) {
    Fixture fixture = {0};
    load(&fixture, name, label);
    const double errors[] = {run_in_pieces(&fixture, fixture.tokens, 0), run_in_pieces(&fixture, 1, 0),
                             run_in_pieces(&fixture, 7, 0), run_in_pieces(&fixture, fixture.tokens, 5)};
    print_message("%-14s %-5s whole %.1e  token by token %.1e  pieces of 7 %.1e  behind another %.1e\n", name,
                  label, errors[0], errors[1], errors[2], errors[3]);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) assert_true(errors[i] < TOLERANCE);
    unload(&fixture);
}

/* The text's first ten tokens as a prefix that its others share; in one block of attention, or each by itself. */
static double run_behind_prefix(const Fixture *fixture, bool in_blocks) {
    enum { PREFIX = 10, MOST = 64 };
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    ForwardPlace places[MOST];
    size_t rest = fixture->tokens - PREFIX;
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    assert_int_equal(forward_create_state(fixture->model, &fixture->settings, MOST, &state, NULL), STATUS_OK);
    ForwardInput input = {.ids = fixture->ids, .count = PREFIX, .in_blocks = in_blocks};
    double worst = run_piece(fixture, state, &input, 0, scratch, job);
    for (size_t i = 0; i < rest; i++) /* away from the prefix */
        places[i] = (ForwardPlace){.cell = 30 + i, .first = 30, .prefix = 0, .prefix_count = PREFIX};
    input.ids += PREFIX;
    input.places = places;
    input.count = rest;
    worst = fmax(worst, run_piece(fixture, state, &input, PREFIX, scratch, job));
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    return worst / fixture->range;
}

static void a_text_behind_a_shared_prefix_is_the_same(void **unused) {
    (void)unused;
    static const char *const NAMES[] = {"doge", "jetmoe", "mimo_v2_flash"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        Fixture fixture = {0};
        load(&fixture, NAMES[i], "fused");
        const double errors[] = {run_behind_prefix(&fixture, false), run_behind_prefix(&fixture, true)};
        print_message("%-14s alone %.1e  in blocks %.1e\n", NAMES[i], errors[0], errors[1]);
        assert_true(errors[0] < TOLERANCE && errors[1] < TOLERANCE);
        unload(&fixture);
    }
}

static void logits_equal_transformers_for_every_kind_of_block(void **unused) {
    (void)unused;
    char *path = golden_path("golden/%s%s", "dense", "");
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), pairs = 0;
    free(path);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            check_pair(entries[i]->d_name, "base");
            check_pair(entries[i]->d_name, "fused");
            pairs++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(pairs >= 20);
}

/* There is no row to add; transformers stops there too. */
static void a_text_longer_than_the_learned_positions_is_refused(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "gpt2", "base");
    Error error = {0};
    MatmulScratch *scratch;
    ForwardState *state;
    int32_t ids[49] = {0};
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &fixture.settings, 49, &state, &error), STATUS_OK);
    ForwardInput input = {.ids = ids, .count = 49};
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "48 positions"));
    input.count = 48;
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_OK);
    input.count = 1;
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_ARGUMENT);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    unload(&fixture);
}

/* What an indexer would choose is not known; where it would choose all there is nothing to know. */
static void check_longest(const char *name, size_t most, const char *named) {
    Fixture fixture = {0};
    load(&fixture, name, "base");
    Error error = {0};
    MatmulScratch *scratch;
    ForwardState *state;
    int32_t ids[32] = {0};
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &fixture.settings, 32, &state, &error), STATUS_OK);
    ForwardInput input = {.ids = ids, .count = most + 1};
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, named));
    input.count = most;
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_OK);
    input.count = 1;
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_UNSUPPORTED);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    unload(&fixture);
}

static void a_text_longer_than_what_an_indexer_chooses_is_refused(void **unused) {
    (void)unused;
    check_longest("deepseek_v32", 24, "24 tokens (\"index_topk\")");
    check_longest("deepseek_v4", 25,
                  "25 tokens (\"index_topk\")"); /* twelve entries of two, and one token more */
}

/* Entries of windows that end behind it are made anew. */
static void a_compressed_text_goes_on_from_where_it_was_rewound(void **unused) {
    (void)unused;
    static const size_t CUTS[] = {1, 9, 10, 15, 23};
    Fixture fixture = {0};
    load(&fixture, "deepseek_v4", "fused");
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &fixture.settings, 24, &state, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof CUTS / sizeof *CUTS; i++) {
        int32_t other[24] = {0};
        ForwardInput wrong = {.ids = other, .count = 24 - CUTS[i]},
                     first = {.ids = fixture.ids, .count = CUTS[i]},
                     rest = {.ids = fixture.ids + CUTS[i], .count = 24 - CUTS[i]};
        forward_rewind(state, 0);
        double worst = run_piece(&fixture, state, &first, 0, scratch, job);
        assert_int_equal(forward_run(&state, 1, &wrong, scratch, job, NULL), STATUS_OK);
        forward_rewind(state, CUTS[i]);
        worst = fmax(worst, run_piece(&fixture, state, &rest, CUTS[i], scratch, job));
        assert_true(worst / fixture.range < TOLERANCE);
    }
    const ForwardPlace place = {0};
    ForwardInput beside = {.ids = fixture.ids, .places = &place, .count = 1};
    Error error = {0};
    assert_int_equal(forward_run(&state, 1, &beside, scratch, job, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "side by side"));
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    unload(&fixture);
}

/* A vocabulary that SFT enlarged: base's table of experts ends before it. Here the tables say the same. */
static void base_goes_by_sft_s_table_for_tokens_it_lacks(void **unused) {
    (void)unused;
    static const int64_t OTHER[1024]; /* read beyond its rows, it is of other experts */
    Fixture fixture = {0};
    load(&fixture, "deepseek_v4", "base");
    Tensor shorter[3];
    for (size_t layer = 0; layer < 3; layer++) {
        PairTensor *table =
            (PairTensor *)(uintptr_t)fixture.model->layers[layer].parts[TENSOR_PART_EXPERT_TABLE];
        if (table == NULL) continue;
        shorter[layer] = *table->base;
        shorter[layer].rows = 0;
        shorter[layer].data = (const unsigned char *)OTHER;
        table->base = &shorter[layer];
    }
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &fixture.settings, 24, &state, NULL), STATUS_OK);
    const ForwardInput input = {.ids = fixture.ids, .count = fixture.tokens};
    assert_true(run_piece(&fixture, state, &input, 0, scratch, job) / fixture.range < TOLERANCE);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    unload(&fixture);
}

/* What has no way back yet is refused by name, not passed over. */
static void gradients_are_refused_where_there_is_no_way_back(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *named; /* NULL: there is one */
    } CASES[] = {
        {"apertus", NULL},
        {"bailing_hybrid", NULL},
        {"bitnet", NULL},
        {"bloom", NULL},
        {"codegen", NULL},
        {"deepseek_v32", NULL},
        {"diffllama", NULL},
        {"doge", NULL},
        {"falcon-alibi", NULL},
        {"falcon-new", NULL},
        {"gemma3n_text", NULL},
        {"gemma4_text-same", NULL},
        {"gpt2", NULL},
        {"gpt_neox", NULL},
        {"kimi_linear", NULL},
        {"lfm2", NULL},
        {"lfm3", NULL},
        {"mamba", NULL},
        {"mamba2", NULL},
        {"falcon_h1", NULL},
        {"falcon_mamba", NULL},
        {"bamba", NULL},
        {"jamba", NULL},
        {"granitemoehybrid", NULL},
        {"nemotron_h", NULL},
        {"zamba2", NULL},
        {"mllama", NULL},
        {"recurrent_gemma", NULL},
        {"dbrx", NULL},
        {"deepseek_v4", NULL},
        {"jetmoe", NULL},
        {"laguna", NULL},
        {"mimo_v2_flash", NULL},
        {"minimax", NULL},
        {"minimax_m3_vl_text", NULL},
        {"ministral3", NULL},
        {"olmo_hybrid", NULL},
        {"opt", "norms on the stream"},
        {"phi", NULL},
        {"qwen3_5_text", NULL},
        {"qwen3_next", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Fixture fixture = {0};
        Error error = {0};
        load(&fixture, CASES[i].name, "base");
        Status status = backward_check_model(fixture.model, &error);
        bool is_right = CASES[i].named == NULL
                            ? status == STATUS_OK
                            : status == STATUS_UNSUPPORTED && strstr(error.message, CASES[i].named) != NULL;
        if (!is_right) fail_msg("%s: status %d, \"%s\"", CASES[i].name, (int)status, error.message);
        unload(&fixture);
    }
}

/* As Gemma 4 embeds a picture's id where no picture comes with it: here by the row of a token of the text, as that token. */
static void an_id_that_stands_for_a_picture_is_embedded_as_padding(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "gemma4_text", "fused");
    int32_t padding = fixture.ids[3], picture = padding == 0 ? 1 : 0;
    ModelSide *sides[] = {&fixture.model->base, &fixture.model->sft};
    ModelConfig *changed = memory_allocate(2, sizeof *changed);
    assert_non_null(changed);
    for (size_t i = 0; i < fixture.tokens; i++) assert_int_not_equal(fixture.ids[i], picture);
    for (size_t i = 0; i < 2; i++) {
        changed[i] = *sides[i]->config;
        changed[i].placeholders[changed[i].placeholder_count++] = picture;
        changed[i].placeholder_row = (uint64_t)padding;
        changed[i].has_placeholder_row = true;
    }
    for (size_t i = 0; i < fixture.tokens; i++)
        if (fixture.ids[i] == padding) fixture.ids[i] = picture;
    assert_false(run_in_pieces(&fixture, fixture.tokens, 0) < TOLERANCE); /* as an ordinary token */
    for (size_t i = 0; i < 2; i++) sides[i]->config = &changed[i];
    assert_true(run_in_pieces(&fixture, fixture.tokens, 0) < TOLERANCE);
    assert_true(run_in_pieces(&fixture, 1, 0) < TOLERANCE);
    unload(&fixture);
    free(changed);
}

/* Both files have the scales of Gemma 3n's streams: a side that does not ask for them runs without. */
static void a_side_has_only_the_vectors_that_it_asks_for(void **unused) {
    (void)unused;
    static const Settings SIDES[] = {{.alpha = 0.0}, {.alpha = 1.0}};
    Fixture fixture = {0};
    ForwardState *states[2];
    load(&fixture, "gemma3n_text", "base");
    ModelConfig *changed = memory_allocate(1, sizeof *changed);
    assert_non_null(changed);
    *changed = *fixture.model->sft.config;
    for (size_t i = 0; i < changed->plan_count; i++)
        part_set_drop(&changed->plans[i].parts, TENSOR_PART_STREAM_SCALE);
    fixture.model->sft.config = changed;
    for (int i = 0; i < 2; i++)
        assert_int_equal(forward_create_state(fixture.model, &SIDES[i], 1, &states[i], NULL), STATUS_OK);
    assert_non_null(states[0]->vectors[0].parts[TENSOR_PART_STREAM_SCALE]);
    assert_null(states[1]->vectors[0].parts[TENSOR_PART_STREAM_SCALE]);
    forward_free_state(states[0]);
    forward_free_state(states[1]);
    unload(&fixture);
    free(changed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_transformers_for_every_kind_of_block),
        cmocka_unit_test(a_text_behind_a_shared_prefix_is_the_same),
        cmocka_unit_test(an_id_that_stands_for_a_picture_is_embedded_as_padding),
        cmocka_unit_test(a_text_longer_than_the_learned_positions_is_refused),
        cmocka_unit_test(a_text_longer_than_what_an_indexer_chooses_is_refused),
        cmocka_unit_test(a_compressed_text_goes_on_from_where_it_was_rewound),
        cmocka_unit_test(base_goes_by_sft_s_table_for_tokens_it_lacks),
        cmocka_unit_test(gradients_are_refused_where_there_is_no_way_back),
        cmocka_unit_test(a_side_has_only_the_vectors_that_it_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
