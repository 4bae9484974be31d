/*
 * A token whose vector is not finite: it reaches what sees it, and nothing else. Hidden states of all others are those of the
 * same model without it, within 5e-6 of the range; the largest error seen is 2e-7 or so.
 */
#include "tiny_model.h"

static const Settings SFT = {.alpha = 1.0};

enum { WIDTH = 24, TOKENS = 40, BAD = 60, AT = 10 };

/* Where SFT's vector of token BAD is, from the end of its file. */
static long find_vector(const Checkpoint *sft) {
    const Tensor *embedding = NULL, *last = &sft->tensors[0];
    for (size_t i = 0; i < sft->tensor_count; i++) {
        const Tensor *tensor = &sft->tensors[i];
        if (tensor->data > last->data) last = tensor;
        if (tensor->role == TENSOR_EMBEDDING) embedding = tensor;
    }
    assert_non_null(embedding);
    return (long)(last->data + last->bytes - embedding->data) - (long)(BAD * WIDTH * sizeof(float));
}

/* It becomes `value`. */
static TinyModel make_spoiled(const char *config, float value) {
    TinyModel tiny = tiny_model_make(config);
    char *base = scratch_path("base"), *sft = scratch_path("sft"),
         *path = scratch_path("sft/model.safetensors");
    long from_end = find_vector(tiny.pair->sft);
    tiny_model_free(&tiny);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -from_end, SEEK_END), 0);
    for (int i = 0; i < WIDTH; i++) assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    Error error = {0};
    if (pair_open(base, sft, &tiny.pair, &error) != STATUS_OK ||
        model_open(tiny.pair, &tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(path);
    free(base);
    free(sft);
    return tiny;
}

/* Hidden states of the tokens, in sequences of `length`; of all in one where that is TOKENS. */
static void run(const Model *model, const int32_t *ids, size_t length, float *hidden) {
    size_t starts[TOKENS];
    ForwardState *state;
    Job *job;
    MatmulScratch *scratch;
    Error error = {0};
    for (size_t i = 0; i < TOKENS; i++) starts[i] = i - i % length;
    const ForwardInput input = {.ids = ids, .starts = length < TOKENS ? starts : NULL, .count = TOKENS};
    if (forward_create_state(model, &SFT, TOKENS, &state, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    if (forward_run(&state, 1, &input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    memcpy(hidden, forward_hidden(state), TOKENS * WIDTH * sizeof *hidden);
    matmul_free_scratch(scratch);
    job_free(job);
    forward_free_state(state);
}

static double range_of(const float *x) {
    float low = x[0], high = x[0];
    for (size_t i = 0; i < TOKENS * WIDTH; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    return (double)(high - low);
}

/* Of tokens [AT, end), which see the spoiled one, nothing is a number; all others are as if it were not there. */
static void expect_reach(const char *config, size_t length, size_t end, float value) {
    int32_t ids[TOKENS];
    float good[TOKENS * WIDTH], bad[TOKENS * WIDTH];
    double worst = 0.0;
    tiny_ids(ids, TOKENS, 21);
    for (size_t i = 0; i < TOKENS; i++)
        if (ids[i] == BAD) ids[i] = 0;
    ids[AT] = BAD;
    TinyModel tiny = tiny_model_make(config);
    run(tiny.model, ids, length, good);
    tiny_model_free(&tiny);
    tiny = make_spoiled(config, value);
    run(tiny.model, ids, length, bad);
    tiny_model_free(&tiny);
    for (size_t i = 0; i < TOKENS * WIDTH; i++) {
        bool sees = i / WIDTH >= AT && i / WIDTH < end;
        if (isfinite(bad[i]) == sees) fail_msg("token %zu of %zu: %g", i / WIDTH, end, (double)bad[i]);
        if (!sees) worst = fmax(worst, fabs((double)bad[i] - (double)good[i]));
    }
    print_message("tokens up to %zu: %.1e of the range\n", end, worst / range_of(good));
    assert_true(worst / range_of(good) < 5e-6);
}

static void it_reaches_no_token_before_it(void **state) {
    (void)state;
    static const float VALUES[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++)
        expect_reach("{\"model_type\":\"llama\"," TINY_SIZES("2") "}", TOKENS, TOKENS, VALUES[i]);
}

/* Each of two layers carries it two tokens further. */
static void it_reaches_no_token_behind_the_windows(void **state) {
    (void)state;
    expect_reach("{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":3}", TOKENS, AT + 5,
                 NAN);
}

static void it_reaches_no_other_sequence(void **state) {
    (void)state;
    expect_reach("{\"model_type\":\"llama\"," TINY_SIZES("2") "}", 8, 16, NAN);
    expect_reach("{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":2}", 20, AT + 3, NAN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reaches_no_token_before_it),
        cmocka_unit_test(it_reaches_no_token_behind_the_windows),
        cmocka_unit_test(it_reaches_no_other_sequence),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
