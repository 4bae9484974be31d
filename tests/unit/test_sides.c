/* Base and SFT whose config.json differ: each is computed with its own, W with SFT's, and what differs is said. And
 * gradients through every kind of setting, against differences of what they are gradients of. */
#include "core/transformer/backward.h"
#include "tiny_model.h"

enum { WIDTH = 24, COUNT = 9 };

static const char PLAIN[] = "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":null}";
static const char OTHER[] =
    "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":3,\"rms_norm_eps\":0.05,\"hidden_act\":\"gelu\","
                                                   "\"rope_theta\":30.0}";

static TinyModel open_sides(const char *base, const char *sft) {
    char *paths[2] = {scratch_path("base"), scratch_path("sft")};
    TinyModel tiny;
    Error error = {0};
    tiny_write_side("base", base, 1);
    tiny_write_side("sft", sft, 2);
    if (pair_open(paths[0], paths[1], &tiny.pair, &error) != STATUS_OK ||
        model_open(tiny.pair, &tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(paths[0]);
    free(paths[1]);
    return tiny;
}

/* Hidden states at these α, run side by side. */
static void run(const Model *model, const double *alphas, size_t count, float hidden[][COUNT * WIDTH]) {
    int32_t ids[COUNT];
    ForwardState *states[3];
    Job *job;
    MatmulScratch *scratch;
    Error error = {0};
    tiny_ids(ids, COUNT, 5);
    ForwardInput input = {.ids = ids, .count = COUNT};
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        Settings settings = settings_at(alphas[i]);
        assert_int_equal(forward_create_state(model, &settings, COUNT, &states[i], NULL), STATUS_OK);
    }
    if (forward_run(states, count, &input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < count; i++) {
        memcpy(hidden[i], forward_hidden(states[i]), sizeof hidden[i]);
        forward_free_state(states[i]);
    }
    matmul_free_scratch(scratch);
    job_free(job);
}

static void each_model_is_computed_with_its_own_settings(void **state) {
    (void)state;
    static const double ALPHAS[] = {0.0, 1.0, 0.5};
    float mixed[3][COUNT * WIDTH], plain[3][COUNT * WIDTH], other[3][COUNT * WIDTH];
    TinyModel tiny = open_sides(PLAIN, OTHER);
    run(tiny.model, ALPHAS, 3, mixed);
    assert_string_equal(tiny.pair->differing, "rope_theta, sliding_window, hidden_act, rms_norm_eps");
    tiny_model_free(&tiny);
    tiny = open_sides(PLAIN, PLAIN);
    assert_null(tiny.pair->differing);
    run(tiny.model, ALPHAS, 3, plain);
    tiny_model_free(&tiny);
    tiny = open_sides(OTHER, OTHER);
    run(tiny.model, ALPHAS, 3, other);
    tiny_model_free(&tiny);
    assert_memory_equal(mixed[0], plain[0], sizeof plain[0]);
    assert_memory_equal(mixed[1], other[1], sizeof other[1]);
    assert_memory_equal(mixed[2], other[2], sizeof other[2]);
    assert_memory_not_equal(plain[0], other[0], sizeof other[0]);
}

/* Biases that only one config.json asks for, whichever: both files have them. */
static void what_one_model_asks_for_is_its_own(void **state) {
    (void)state;
    static const char WITH[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") ",\"attention_bias\":true}",
                      WITHOUT[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") ",\"attention_bias\":false}";
    static const double ALPHAS[] = {0.0, 1.0};
    static const char *const SIDES[] = {"base/config.json", "sft/config.json"};
    float whole[2][COUNT * WIDTH], mixed[2][COUNT * WIDTH];
    char *paths[2] = {scratch_path("base"), scratch_path("sft")};
    for (int lacking = 0; lacking < 2; lacking++) {
        TinyModel tiny = open_sides(WITH, WITH);
        run(tiny.model, ALPHAS, 2, whole);
        tiny_model_free(&tiny);
        scratch_write_text(SIDES[lacking], WITHOUT);
        assert_int_equal(pair_open(paths[0], paths[1], &tiny.pair, NULL), STATUS_OK);
        assert_int_equal(model_open(tiny.pair, &tiny.model, NULL), STATUS_OK);
        run(tiny.model, ALPHAS, 2, mixed);
        tiny_model_free(&tiny);
        assert_memory_equal(mixed[!lacking], whole[!lacking], sizeof whole[0]);
        assert_memory_not_equal(mixed[lacking], whole[lacking], sizeof whole[0]);
    }
    free(paths[0]);
    free(paths[1]);
}

/* Both are computed step by step together. */
static void layers_of_other_matrices_or_keys_cannot_be_run_together(void **state) {
    (void)state;
    TinyModel tiny = open_sides(PLAIN, PLAIN);
    LayerPlan *plan = &((ModelConfig *)(uintptr_t)tiny.model->base.config)->plans[0], was = *plan;
    Model *model;
    Error error = {0};
    plan->roles &= ~(UINT64_C(1) << TENSOR_V);
    assert_int_equal(model_open(tiny.pair, &model, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "the same matrices"));
    *plan = was;
    plan->kv_layer = 0;
    assert_int_equal(model_open(tiny.pair, &model, &error), STATUS_MISMATCH);
    tiny_model_free(&tiny);
}

static const Finding *find_about(const Pair *pair, const char *subject, const char *words) {
    for (size_t i = 0; i < pair->findings.count; i++) {
        const Finding *finding = &pair->findings.items[i];
        if (strcmp(finding->subject, subject) == 0 && strstr(finding->text, words) != NULL) return finding;
    }
    return NULL;
}

static void what_differs_is_one_finding_with_both_values(void **state) {
    (void)state;
    TinyModel tiny = open_sides(PLAIN, OTHER);
    assert_non_null(find_about(tiny.pair, "config.json", "rope_theta: base 10000, SFT 30; "));
    assert_non_null(find_about(tiny.pair, "config.json", "sliding_window: base none, SFT 3; "));
    assert_non_null(find_about(tiny.pair, "config.json", "W by SFT's"));
    assert_int_equal(tiny.pair->findings.count, 1);
    assert_int_equal(pair_check(tiny.pair, NULL), STATUS_OK);
    tiny_model_free(&tiny);
}

/* Scales and caps of a type's own, whether stated or left to the class; what trains only is not compared. */
static void every_field_of_the_class_is_compared(void **state) {
    (void)state;
    static const char ONE[] = "{\"model_type\":\"granite\"," TINY_SIZES("2") ",\"attention_dropout\":0.5}",
                      TWO[] = "{\"model_type\":\"granite\"," TINY_SIZES("2") ",\"residual_multiplier\":0.5}";
    TinyModel tiny = open_sides(ONE, TWO);
    assert_non_null(
        find_about(tiny.pair, "config.json", "residual_multiplier: base 1, SFT 0.5. Base and SFT"));
    assert_string_equal(tiny.pair->differing, "residual_multiplier");
    tiny_model_free(&tiny);
}

/* Where torch leaves open which of equals count, that is said, with the fewest tokens from which it may be so. */
static void keys_that_may_tie_are_told_of(void **state) {
    (void)state;
    static const char FEW[] = "{\"model_type\":\"doge\"," TINY_SIZES("1") ",\"keep_window_size\":12}",
                      MANY[] = "{\"model_type\":\"doge\"," TINY_SIZES("1") ",\"keep_window_size\":40}";
    static const struct {
        const char *base, *sft, *words;
    } CASES[] = {{FEW, FEW, "over 12 tokens"},
                 {FEW, MANY, "over 12 tokens"},
                 {MANY, FEW, "over 12 tokens"},
                 {MANY, MANY, "over 40 tokens"},
                 {PLAIN, PLAIN, NULL}}; /* where all keys count */
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Pair *pair;
        Error error = {0};
        tiny_write_side("base", CASES[i].base, 1);
        tiny_write_side("sft", CASES[i].sft, 2);
        if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
        const Finding *told =
            find_about(pair, "keep_window_size", CASES[i].words == NULL ? "" : CASES[i].words);
        assert_int_equal(told != NULL, CASES[i].words != NULL);
        if (told != NULL) assert_int_equal(told->severity, SEVERITY_NOTE);
        assert_int_equal(pair_check(pair, NULL), STATUS_OK);
        pair_close(pair);
    }
    free(base);
    free(sft);
}

/* transformers 5.24 warns of tensors that it does not use, and runs. */
static void tensors_that_config_json_does_not_ask_for_are_not_run(void **state) {
    (void)state;
    static const char LONG[] = "{\"model_type\":\"llama\"," TINY_SIZES("3") ",\"attention_bias\":true}",
                      SHORT[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
    char *path = scratch_path("sft");
    int32_t ids[COUNT];
    Error error = {0};
    TinyModel tiny;
    tiny_write_side("sft", LONG, 2);
    scratch_write_text("sft/config.json", SHORT);
    if (pair_open(path, path, &tiny.pair, &error) != STATUS_OK ||
        model_open(tiny.pair, &tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(path);
    assert_non_null(
        find_about(tiny.pair, "num_hidden_layers", "SFT: 2, but there are layers up to 2: the 13 tensors"));
    assert_non_null(find_about(tiny.pair, "config.json",
                               "SFT does not ask for 8 of its tensors (q_bias, k_bias, v_bias, "
                               "o_bias)"));
    static const double ALPHAS[] = {1.0};
    float hidden[1][COUNT * WIDTH];
    tiny_ids(ids, COUNT, 5);
    run(tiny.model, ALPHAS, 1, hidden);
    double *expected = reference_hidden(tiny.model, ids, COUNT);
    for (size_t i = 0; i < COUNT * WIDTH; i++) assert_true(fabs((double)hidden[0][i] - expected[i]) < 1e-5);
    free(expected);
    tiny_model_free(&tiny);
}

/* The last `count` of the ids, behind `before` tokens of another text; hidden states of those that count. */
static void run_text(const TinyModel *tiny, const int32_t *ids, size_t before, size_t count, float *hidden) {
    ForwardState *forward;
    Settings settings = settings_at(0.5);
    Job *job;
    MatmulScratch *scratch;
    size_t starts[COUNT], width = tiny->model->config->hidden_size;
    for (size_t i = 0; i < before + count; i++) starts[i] = i < before ? 0 : before;
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
    assert_int_equal(forward_create_state(tiny->model, &settings, COUNT, &forward, NULL), STATUS_OK);
    ForwardInput input = {.ids = ids, .count = before + count, .starts = starts};
    assert_int_equal(forward_run(&forward, 1, &input, scratch, job, NULL), STATUS_OK);
    memcpy(hidden, forward_hidden(forward) + before * width, count * width * sizeof *hidden);
    forward_free_state(forward);
    matmul_free_scratch(scratch);
    job_free(job);
}

/* Frequencies that follow a text's length are those of its own, whatever shares the cache. */
static void a_dynamic_rotary_embedding_turns_by_the_length_of_each_text(void **state) {
    (void)state;
    static const char DYNAMIC[] = "{\"model_type\":\"llama\"," TINY_SIZES(
        "1") ",\"max_position_embeddings\":4,\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2.0}}";
    TinyModel tiny = open_sides(DYNAMIC, DYNAMIC);
    enum { BEFORE = 4, OWN = COUNT - BEFORE, WIDEST = 256 };
    int32_t ids[COUNT];
    float packed[OWN * WIDEST], alone[OWN * WIDEST], cut[OWN * WIDEST];
    size_t width = tiny.model->config->hidden_size;
    assert_true(width <= WIDEST);
    tiny_ids(ids, COUNT, 5);
    run_text(&tiny, ids, BEFORE, OWN, packed);
    run_text(&tiny, ids + BEFORE, 0, OWN, alone);
    run_text(&tiny, ids + BEFORE, 0, OWN - 1, cut);
    assert_memory_equal(packed, alone, OWN * width * sizeof *packed);
    assert_memory_not_equal(alone + width, cut + width,
                            width * sizeof *cut); /* five tokens turn otherwise than four */
    tiny_model_free(&tiny);
}

/* ---- kinds that cannot be run, heads ---- */

static Pair *open_texts(const char *base, const char *sft, const char *header, size_t bytes) {
    char *paths[2] = {scratch_path("one/"), scratch_path("two/")};
    Pair *pair;
    Error error = {0};
    scratch_write_text("one/config.json", base);
    scratch_write_text("two/config.json", sft);
    scratch_write_safetensors("one/model.safetensors", header, bytes);
    scratch_write_safetensors("two/model.safetensors", header, bytes);
    if (pair_open(paths[0], paths[1], &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(paths[0]);
    free(paths[1]);
    return pair;
}

static const char ONE_TENSOR[] = "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";

static void every_setting_of_another_kind_is_compared(void **state) {
    (void)state;
    Pair *pair = open_texts(
        "{\"model_type\":\"phi3\",\"sliding_window\":8,\"rope\":{\"theta\":1e4,\"same\":[1,2]},"
        "\"use_cache\":true,\"attention_dropout\":0.1,\"limit\":Infinity,\"old\":1,\"none\":null}",
        "{\"model_type\":\"phi3\",\"sliding_window\":4,\"rope\":{\"theta\":5e5,\"same\":[1,2]},"
        "\"use_cache\":false,\"attention_dropout\":0.0,\"limit\":Infinity,\"new\":{\"a\":1}}",
        ONE_TENSOR, 4);
    assert_non_null(
        find_about(pair, "config.json",
                   "the settings differ: sliding_window: base 8, SFT 4; rope.theta: base 10000, SFT 500000"));
    assert_null(find_about(pair, "config.json", "limit"));
    assert_null(find_about(pair, "config.json", "dropout"));
    assert_non_null(find_about(pair, "config.json", "only base's states: old"));
    assert_non_null(find_about(pair, "config.json", "only SFT's states: new"));
    assert_int_equal(pair_check(pair, NULL), STATUS_OK);
    pair_close(pair);
}

#define HEADED                                                                                               \
    "{\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[64,24],\"data_offsets\":[0,6144]},"                   \
    "\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[64,24],\"data_offsets\":[6144,12288]}}"

/* transformers 5.24.0: "both are present in the checkpoints with different values, so we will NOT tie them" */
static void a_head_that_is_tied_and_stored_is_tied_where_both_are_equal(void **state) {
    (void)state;
    static const char TIED[] = "{\"model_type\":\"llama\"," TINY_SIZES("1") ",\"tie_word_embeddings\":true}";
    Pair *pair = open_texts(TIED, TIED, HEADED, 12288); /* the bytes repeat */
    assert_true(pair->base->model.tied_head && pair->sft->model.tied_head);
    assert_null(find_about(pair, "tie_word_embeddings", ""));
    pair_close(pair);
    char *path = scratch_path("two/model.safetensors");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    assert_int_equal(fputc(1, file), 1); /* the last byte of the embedding */
    assert_int_equal(fclose(file), 0);
    free(path);
    char *paths[2] = {scratch_path("one"), scratch_path("two")};
    assert_int_equal(pair_open(paths[0], paths[1], &pair, NULL), STATUS_OK);
    assert_true(pair->base->model.tied_head);
    assert_false(pair->sft->model.tied_head);
    assert_true(pair->sft->model.roles[TENSOR_HEAD]);
    assert_non_null(find_about(pair, "tie_word_embeddings", "SFT: true in config.json, but lm_head.weight"));
    pair_close(pair);
    free(paths[0]);
    free(paths[1]);
}

/* ---- gradients ---- */

static Status visit_nothing(void *user, const BackwardLayer *layer, Error *error) {
    (void)user;
    (void)layer;
    (void)error;
    return STATUS_OK;
}

/* What the last token's residual stream, along the ones, changes by where the embedding of all tokens moves along
 * `direction`: base and SFT are the same but for that, so that W at ±α moves by ±α. */
static double measure(const Model *model, double alpha, const int32_t *ids) {
    Settings settings = settings_at(alpha);
    BackwardRow row = {.ids = ids, .count = COUNT};
    Backward *backward;
    Job *job;
    double sum = 0.0;
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(backward_create(model, &settings, &row, 1, "test", job, &backward, NULL), STATUS_OK);
    const float *residual = backward_residual(backward, 0, COUNT - 1);
    for (size_t i = 0; i < WIDTH; i++) sum += (double)residual[i] * (i % 2 == 0 ? 1.0 : -1.0);
    backward_free(backward);
    job_free(job);
    return sum;
}

static void descend(const Model *model, const int32_t *ids, float gradient[COUNT * WIDTH]) {
    Settings settings = settings_at(0.0);
    BackwardRow row = {.ids = ids, .count = COUNT};
    BackwardSequence sequence = {0, COUNT};
    Backward *backward;
    Job *job;
    Error error = {0};
    for (size_t i = 0; i < COUNT * WIDTH; i++)
        gradient[i] = i < (COUNT - 1) * WIDTH ? 0.0F : i % 2 == 0 ? 1.0F : -1.0F;
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(backward_create(model, &settings, &row, 1, "test", job, &backward, NULL), STATUS_OK);
    if (backward_run(backward, &sequence, 1, gradient, visit_nothing, NULL, "test", job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    backward_free(backward);
    job_free(job);
}

static void gradients_are_what_differences_say_under_every_setting(void **state) {
    (void)state;
    static const char *const SETTINGS[] = {
        "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":8.0,\"original_max_position_embeddings\":16,\"rope_theta\":100}",
        "\"hidden_act\":\"mish\",\"rope_theta\":50.0",
        ("\"hidden_act\":\"quick_gelu\",\"rms_norm_eps\":0.1,\"use_sliding_window\":true,\"sliding_window\":2,"
         "\"layer_types\":[\"sliding_attention\",\"full_attention\"]"),
    };
    static const double STEP = 0.001;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        char config[640];
        (void)snprintf(config, sizeof config, "{\"model_type\":\"qwen3\"," TINY_SIZES("2") ",%s}",
                       SETTINGS[i]);
        tiny_write_side("base", config, 1);
        tiny_write_side("sft", config, 1);
        TinyFile direction = {.seed = 9}; /* SFT's embedding, [61 × 24], is the first of its data */
        float moved[61 * WIDTH], gradient[COUNT * WIDTH];
        char *paths[2] = {scratch_path("base"), scratch_path("sft")},
             *path = scratch_path("sft/model.safetensors");
        TinyModel tiny;
        assert_int_equal(pair_open(paths[0], paths[0], &tiny.pair, NULL), STATUS_OK);
        const Tensor *embedding = checkpoint_find_role(tiny.pair->base, TENSOR_EMBEDDING, -1);
        memcpy(moved, embedding->data, sizeof moved);
        for (size_t k = 0; k < 61 * (size_t)WIDTH; k++)
            moved[k] += (float)(random_uniform(direction.seed, k) - 0.5);
        unsigned char size[8];
        FILE *file = fopen(path, "r+b");
        assert_true(file != NULL && fread(size, 1, 8, file) == 8);
        assert_int_equal(fseek(file, 8 + size[0] + 256L * size[1] + 65536L * size[2], SEEK_SET), 0);
        assert_true(fwrite(moved, 1, sizeof moved, file) == sizeof moved && fclose(file) == 0);
        pair_close(tiny.pair);
        assert_int_equal(pair_open(paths[0], paths[1], &tiny.pair, NULL), STATUS_OK);
        assert_int_equal(model_open(tiny.pair, &tiny.model, NULL), STATUS_OK);
        int32_t ids[COUNT];
        tiny_ids(ids, COUNT, 5);
        descend(tiny.model, ids, gradient);
        double slope = 0.0, rise = measure(tiny.model, STEP, ids) - measure(tiny.model, -STEP, ids);
        for (size_t t = 0; t < COUNT; t++) {
            for (size_t k = 0; k < WIDTH; k++)
                slope += (double)gradient[t * WIDTH + k] *
                         (random_uniform(direction.seed, (size_t)ids[t] * WIDTH + k) - 0.5);
        }
        print_message("%.60s: %.6f, by differences %.6f\n", SETTINGS[i], slope, rise / (2.0 * STEP));
        assert_true(fabs(slope) > 0.1 && fabs(rise / (2.0 * STEP) - slope) < 5e-4 * fabs(slope));
        tiny_model_free(&tiny);
        free(paths[0]);
        free(paths[1]);
        free(path);
    }
}

/* What a way back needs room for follows from switches, of the side whose gradients they are. */
static void gradients_of_base_have_room_whatever_sft_says(void **state) {
    (void)state;
    static const char ONE[] = "{\"model_type\":\"granite\"," TINY_SIZES("2") ",\"residual_multiplier\":0.5}",
                      TWO[] = "{\"model_type\":\"granite\"," TINY_SIZES("2") "}";
    float mixed[COUNT * WIDTH], plain[COUNT * WIDTH];
    int32_t ids[COUNT];
    tiny_ids(ids, COUNT, 5);
    TinyModel tiny = open_sides(ONE, TWO);
    descend(tiny.model, ids, mixed);
    tiny_model_free(&tiny);
    tiny = open_sides(ONE, ONE);
    descend(tiny.model, ids, plain);
    tiny_model_free(&tiny);
    assert_memory_equal(mixed, plain, sizeof plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_model_is_computed_with_its_own_settings),
        cmocka_unit_test(what_one_model_asks_for_is_its_own),
        cmocka_unit_test(layers_of_other_matrices_or_keys_cannot_be_run_together),
        cmocka_unit_test(what_differs_is_one_finding_with_both_values),
        cmocka_unit_test(every_field_of_the_class_is_compared),
        cmocka_unit_test(keys_that_may_tie_are_told_of),
        cmocka_unit_test(tensors_that_config_json_does_not_ask_for_are_not_run),
        cmocka_unit_test(a_dynamic_rotary_embedding_turns_by_the_length_of_each_text),
        cmocka_unit_test(every_setting_of_another_kind_is_compared),
        cmocka_unit_test(a_head_that_is_tied_and_stored_is_tied_where_both_are_equal),
        cmocka_unit_test(gradients_are_what_differences_say_under_every_setting),
        cmocka_unit_test(gradients_of_base_have_room_whatever_sft_says),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
