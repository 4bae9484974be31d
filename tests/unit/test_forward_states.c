/*
 * The forward pass as states go through it: windows, capacities, rewinding, chunks, several settings and
 * several sequences at once. Hidden states are compared, either bit for bit or with a reference in double
 * precision; then the tolerance is 5e-6 of the range, and the largest error seen is printed (2e-7 or so).
 */
#include "tests/canceller.h"
#include "tiny_model.h"

static const double TOLERANCE = 5e-6;
static const Settings SFT = {.alpha = 1.0}, HALF = {.alpha = 0.5};

static const char MISTRAL[] = "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":null}";
static const char QWEN3[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("2") "}";

enum { WIDTH = 24, MOST = 700 };

static ForwardState *make_state(const Model *model, Settings settings, size_t capacity) {
    ForwardState *state;
    Error error = {0};
    if (forward_create_state(model, &settings, capacity, &state, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return state;
}

static Status run_with(ForwardState *const *states, size_t count, const ForwardInput *input, unsigned threads,
                       Error *error) {
    Job *job;
    MatmulScratch *scratch;
    assert_int_equal(job_create(threads, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(threads, &scratch, NULL), STATUS_OK);
    Status status = forward_run(states, count, input, scratch, job, error);
    matmul_free_scratch(scratch);
    job_free(job);
    return status;
}

static void append(ForwardState *state, const int32_t *ids, size_t count) {
    ForwardInput input = {.ids = ids, .count = count};
    Error error = {0};
    if (run_with(&state, 1, &input, 2, &error) != STATUS_OK) fail_msg("%s", error.message);
}

/* A fresh run of these ids in parts of `part` tokens; the hidden states of all, to be freed. */
static float *run_in_parts(const Model *model, Settings settings, const int32_t *ids, size_t count,
                           size_t part) {
    float *hidden = memory_allocate(count * WIDTH, sizeof *hidden);
    assert_non_null(hidden);
    ForwardState *state = make_state(model, settings, count);
    for (size_t at = 0, n; at < count; at += n) {
        n = count - at < part ? count - at : part;
        append(state, ids + at, n);
        memcpy(hidden + at * WIDTH, forward_hidden(state), n * WIDTH * sizeof *hidden);
    }
    assert_int_equal(forward_length(state), count);
    forward_free_state(state);
    return hidden;
}

static double share_of_range(const float *found, const double *expected, size_t count) {
    double low = INFINITY, high = -INFINITY, worst = 0.0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, expected[i]);
        high = fmax(high, expected[i]);
        double error = fabs((double)found[i] - expected[i]);
        assert_true(error == error);
        worst = fmax(worst, error);
    }
    return worst / (high - low);
}

static void must_be_near(const char *what, const float *found, const float *expected, size_t count) {
    double *wide = memory_allocate(count, sizeof *wide);
    assert_non_null(wide);
    for (size_t i = 0; i < count; i++) wide[i] = (double)expected[i];
    double share = share_of_range(found, wide, count);
    print_message("%s: %.1e of the range\n", what, share);
    assert_true(share < TOLERANCE);
    free(wide);
}

/* ---- against the reference, with and without windows ---- */

static void check_reference(const char *config, size_t tokens) {
    TinyModel tiny = tiny_model_make(config);
    int32_t ids[MOST];
    tiny_ids(ids, tokens, 5);
    double *expected = reference_hidden(tiny.model, ids, tokens);
    static const size_t PARTS[] = {MOST, 33, 1};
    for (size_t p = 0; p < 3; p++) {
        float *hidden = run_in_parts(tiny.model, SFT, ids, tokens, PARTS[p]);
        double share = share_of_range(hidden, expected, tokens * WIDTH);
        print_message("%.40s… %zu tokens by %zu: %.1e of the range\n", config, tokens, PARTS[p], share);
        assert_true(share < TOLERANCE);
        free(hidden);
    }
    free(expected);
    tiny_model_free(&tiny);
}

static void a_plain_double_precision_network_gives_the_same(void **state) {
    (void)state;
    check_reference(MISTRAL, 50);
    check_reference(QWEN3, 50);                                            /* with q and k norms */
    check_reference("{\"model_type\":\"qwen2\"," TINY_SIZES("2") "}", 50); /* with biases */
    check_reference(
        "{\"model_type\":\"llama\"," TINY_SIZES("1") ",\"attention_bias\":true,\"mlp_bias\":true}", 50);
}

static void a_small_window_sees_only_the_keys_within_it(void **state) {
    (void)state;
    static const int WINDOWS[] = {1, 2, 5, 31, 32, 33};
    for (size_t i = 0; i < sizeof WINDOWS / sizeof *WINDOWS; i++) {
        char config[512];
        (void)snprintf(config, sizeof config,
                       "{\"model_type\":\"mistral\",\"sliding_window\":%d," TINY_SIZES("1") "}", WINDOWS[i]);
        check_reference(config, 70);
    }
    /* the upper of two layers alone slides */
    check_reference("{\"model_type\":\"qwen2\"," TINY_SIZES("2") ",\"use_sliding_window\":true,"
                    "\"sliding_window\":4,\"max_window_layers\":1}", 40);
}

static void a_window_as_long_as_the_text_is_no_window(void **state) {
    (void)state;
    static const char *const CONFIGS[][2] = {
        {MISTRAL, "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":40}"},
        {QWEN3, "{\"model_type\":\"qwen3\"," TINY_SIZES(
                    "2") ",\"use_sliding_window\":true,\"sliding_window\":41,\"max_window_layers\":0}"}};
    int32_t ids[40];
    tiny_ids(ids, 40, 6);
    for (size_t i = 0; i < 2; i++) {
        float *hidden[2];
        for (size_t k = 0; k < 2; k++) {
            TinyModel tiny = tiny_model_make(CONFIGS[i][k]);
            assert_int_equal(architecture_slides(tiny.model->config, 1), k == 1);
            hidden[k] = run_in_parts(tiny.model, HALF, ids, 40, 7);
            tiny_model_free(&tiny);
        }
        assert_memory_equal(hidden[0], hidden[1], 40 * WIDTH * sizeof(float));
        free(hidden[0]);
        free(hidden[1]);
    }
}

/* ---- caches ---- */

static void refuse(ForwardState *forward, const int32_t *ids, size_t count, const char *words) {
    ForwardInput input = {.ids = ids, .count = count};
    size_t before = forward_length(forward);
    Error error = {0};
    assert_int_equal(run_with(&forward, 1, &input, 1, &error), STATUS_ARGUMENT);
    if (strstr(error.message, words) == NULL) fail_msg("%s", error.message);
    assert_int_equal(forward_length(forward), before);
}

static void a_cache_takes_what_it_has_room_for_and_not_one_more(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(MISTRAL);
    int32_t ids[12];
    tiny_ids(ids, 12, 7);
    ForwardState *forward = make_state(tiny.model, SFT, 10);
    refuse(forward, ids, 11, "at most 10");
    append(forward, ids, 7);
    refuse(forward, ids, 4, "holds 7");
    append(forward, ids, 3);
    refuse(forward, ids, 1, "holds 10");
    append(forward, ids, 0); /* nothing fits always */
    assert_int_equal(forward_length(forward), 10);
    forward_free_state(forward);
    forward_free_state(NULL);
    tiny_model_free(&tiny);
}

static void an_id_outside_the_vocabulary_is_refused_by_its_number(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(MISTRAL);
    ForwardState *forward = make_state(tiny.model, SFT, 10);
    static const struct {
        int32_t ids[2];
        const char *words;
    } CASES[] = {
        {{0, 61}, "id 61 is outside the vocabulary of 61"}, {{-1, 0}, "-1"}, {{60, INT32_MAX}, "2147483647"}};
    for (size_t i = 0; i < 3; i++) refuse(forward, CASES[i].ids, 2, CASES[i].words);
    const int32_t good[] = {0, 60};
    append(forward, good, 2);
    forward_free_state(forward);
    tiny_model_free(&tiny);
}

static void what_was_rewound_and_appended_anew_is_as_if_never_there(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    int32_t ids[30], others[20];
    tiny_ids(ids, 30, 8);
    tiny_ids(others, 20, 9);
    ForwardState *fresh = make_state(tiny.model, HALF, 30), *used = make_state(tiny.model, HALF, 30);
    append(fresh, ids, 10);
    append(fresh, ids + 10, 20);
    append(used, ids, 10);
    append(used, others, 20);
    forward_rewind(used, 10);
    assert_int_equal(forward_length(used), 10);
    append(used, ids + 10, 20);
    assert_memory_equal(forward_hidden(used), forward_hidden(fresh), 20 * WIDTH * sizeof(float));
    forward_rewind(used, 99); /* beyond the end: nothing to forget */
    assert_int_equal(forward_length(used), 30);
    forward_free_state(fresh);
    forward_free_state(used);
    tiny_model_free(&tiny);
}

static void a_long_text_goes_in_chunks_with_the_same_result(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    int32_t ids[MOST];
    tiny_ids(ids, MOST, 10);
    float *whole = run_in_parts(tiny.model, HALF, ids, MOST, MOST);
    float *halves = run_in_parts(tiny.model, HALF, ids, MOST, 512),
          *small = run_in_parts(tiny.model, HALF, ids, MOST, 100);
    assert_memory_equal(whole, halves, MOST * WIDTH * sizeof(float)); /* chunks are of 512 tokens */
    must_be_near("700 tokens at once and by hundreds", small, whole, MOST * WIDTH);
    free(whole);
    free(halves);
    free(small);
    tiny_model_free(&tiny);
}

/* ---- side by side ---- */

static void several_states_at_once_equal_each_alone_bit_for_bit(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    static const double ALPHAS[] = {0.0, 1.0, 0.5, 0.123};
    int32_t ids[45];
    tiny_ids(ids, 45, 11);
    ForwardState *states[4];
    for (size_t i = 0; i < 4; i++) states[i] = make_state(tiny.model, (Settings){.alpha = ALPHAS[i]}, 45);
    static const size_t PARTS[] = {40, 1, 4};
    for (size_t p = 0, at = 0; p < 3; at += PARTS[p++]) {
        ForwardInput input = {.ids = ids + at, .count = PARTS[p]};
        assert_int_equal(run_with(states, 4, &input, 3, NULL), STATUS_OK);
    }
    for (size_t i = 0; i < 4; i++) {
        ForwardState *alone = make_state(tiny.model, (Settings){.alpha = ALPHAS[i]}, 100);
        for (size_t p = 0, at = 0; p < 3; at += PARTS[p++]) append(alone, ids + at, PARTS[p]);
        assert_memory_equal(forward_hidden(states[i]), forward_hidden(alone), 4 * WIDTH * sizeof(float));
        forward_free_state(alone);
    }
    for (size_t i = 0; i < 4; i++) forward_free_state(states[i]);
    tiny_model_free(&tiny);
}

static void states_that_do_not_match_cannot_run_together(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(MISTRAL);
    ForwardState *states[] = {make_state(tiny.model, SFT, 10), make_state(tiny.model, HALF, 10)};
    const int32_t ids[] = {1, 2};
    append(states[0], ids, 1);
    ForwardInput input = {.ids = ids, .count = 2};
    assert_int_equal(run_with(states, 2, &input, 1, NULL), STATUS_ARGUMENT);
    assert_int_equal(run_with(states, 0, &input, 1, NULL), STATUS_OK); /* none at all is nothing to do */
    assert_int_equal(forward_length(states[1]), 0);
    forward_free_state(states[0]);
    forward_free_state(states[1]);
    tiny_model_free(&tiny);
}

static void the_number_of_threads_changes_no_bit(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    int32_t ids[90];
    tiny_ids(ids, 90, 12);
    ForwardInput input = {.ids = ids, .count = 90};
    ForwardState *one = make_state(tiny.model, HALF, 90);
    assert_int_equal(run_with(&one, 1, &input, 1, NULL), STATUS_OK);
    for (unsigned threads = 2; threads <= 8; threads += 2) {
        ForwardState *many = make_state(tiny.model, HALF, 90);
        assert_int_equal(run_with(&many, 1, &input, threads, NULL), STATUS_OK);
        assert_memory_equal(forward_hidden(many), forward_hidden(one), 90 * WIDTH * sizeof(float));
        forward_free_state(many);
    }
    forward_free_state(one);
    tiny_model_free(&tiny);
}

static void sequences_that_share_a_cache_do_not_see_each_other(void **state) {
    (void)state;
    static const char *const CONFIGS[] = {
        QWEN3, "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":3}"};
    static const size_t LENGTHS[] = {5, 1, 40, 9, 2};
    for (size_t c = 0; c < 2; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        int32_t ids[57];
        size_t starts[57], count = 0;
        tiny_ids(ids, 57, 13);
        for (size_t i = 0; i < 5; i++) {
            for (size_t start = count, t = 0; t < LENGTHS[i]; t++) starts[count++] = start;
        }
        ForwardState *shared = make_state(tiny.model, HALF, 57);
        ForwardInput input = {.ids = ids, .starts = starts, .count = count};
        assert_int_equal(run_with(&shared, 1, &input, 2, NULL), STATUS_OK);
        for (size_t i = 0, at = 0; i < 5; at += LENGTHS[i++]) {
            float *alone = run_in_parts(tiny.model, HALF, ids + at, LENGTHS[i], MOST);
            must_be_near("a sequence among others and alone", forward_hidden(shared) + at * WIDTH, alone,
                         LENGTHS[i] * WIDTH);
            free(alone);
        }
        starts[3] = 4;
        forward_rewind(shared, 0);
        Error error;
        assert_int_equal(run_with(&shared, 1, &input, 1, &error), STATUS_ARGUMENT);
        assert_non_null(strstr(error.message, "starts after itself"));
        forward_free_state(shared);
        tiny_model_free(&tiny);
    }
}

/* ---- cancelling ---- */

static void a_cancelled_run_leaves_the_cache_as_it_was(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    int32_t ids[600];
    tiny_ids(ids, 600, 14);
    float *expected = run_in_parts(tiny.model, HALF, ids, 20, 10);
    MatmulScratch *scratch;
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    for (unsigned at = 1; at <= 4; at++) { /* two layers, two chunks */
        Canceller canceller;
        canceller_begin(&canceller, 2, at);
        ForwardState *forward = make_state(tiny.model, HALF, 610);
        append(forward, ids, 10);
        ForwardInput input = {.ids = ids, .count = 600};
        assert_int_equal(forward_run(&forward, 1, &input, scratch, canceller.job, NULL), STATUS_CANCELLED);
        assert_int_equal(canceller.reports, at); /* nothing was done after it */
        assert_int_equal(forward_length(forward), 10);
        append(forward, ids + 10, 10);
        assert_memory_equal(forward_hidden(forward), expected + 10 * WIDTH, 10 * WIDTH * sizeof(float));
        forward_free_state(forward);
        job_free(canceller.job);
    }
    matmul_free_scratch(scratch);
    free(expected);
    tiny_model_free(&tiny);
}

static void one_logit_is_the_same_as_among_all(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(QWEN3);
    int32_t ids[5];
    tiny_ids(ids, 5, 15);
    float *hidden = run_in_parts(tiny.model, HALF, ids, 5, 5), logits[61];
    MatmulScratch *scratch;
    assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
    assert_int_equal(forward_vocabulary(tiny.model), 61);
    for (size_t t = 0; t < 5; t++) {
        ForwardHead head = {&HALF, hidden + t * WIDTH, logits};
        assert_int_equal(forward_logits(tiny.model, &head, 1, 1, scratch, NULL, NULL), STATUS_OK);
        for (int32_t id = 0; id < 61; id++)
            assert_true(forward_logit(tiny.model, &HALF, hidden + t * WIDTH, id) == logits[id]);
    }
    matmul_free_scratch(scratch);
    free(hidden);
    tiny_model_free(&tiny);
}

/* ---- sequences that grow side by side ---- */

enum { SAMPLES = 5, PROMPT = 37, GROWN = 9, SHARED = PROMPT + SAMPLES * GROWN + 3 };

/* A token of the prompt (sample SAMPLES), or of a sample; cells of the prompt are not the first. */
static ForwardPlace place_token(size_t sample, size_t t) {
    if (sample == SAMPLES) return (ForwardPlace){.cell = 3 + t, .first = 3};
    size_t first = 3 + PROMPT + sample * GROWN;
    return (ForwardPlace){.cell = first + t, .first = first, .prefix = 3, .prefix_count = PROMPT};
}

/* The prompt once, then a token of each sample a step; hidden[sample][t] for the samples' tokens. */
static void run_side_by_side(const Model *model, const int32_t *prompt, int32_t grown[SAMPLES][GROWN],
                             float *hidden) {
    ForwardState *state = make_state(model, HALF, SHARED);
    ForwardPlace places[PROMPT];
    Error error = {0};
    for (size_t t = 0; t < PROMPT; t++) places[t] = place_token(SAMPLES, t);
    ForwardInput input = {.ids = prompt, .places = places, .count = PROMPT};
    if (run_with(&state, 1, &input, 2, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t t = 0; t < GROWN; t++) {
        int32_t ids[SAMPLES];
        for (size_t s = 0; s < SAMPLES; s++) {
            ids[s] = grown[s][t];
            places[s] = place_token(s, t);
        }
        input = (ForwardInput){.ids = ids, .places = places, .count = SAMPLES};
        if (run_with(&state, 1, &input, 2, &error) != STATUS_OK) fail_msg("%s", error.message);
        for (size_t s = 0; s < SAMPLES; s++)
            memcpy(hidden + (s * GROWN + t) * WIDTH, forward_hidden(state) + s * WIDTH,
                   WIDTH * sizeof *hidden);
    }
    assert_int_equal(forward_length(state), 0);
    forward_free_state(state);
}

static void samples_of_a_prompt_run_side_by_side_as_each_alone(void **unused) {
    (void)unused;
    static const char *const CONFIGS[] = {
        MISTRAL, QWEN3, "{\"model_type\":\"mistral\",\"sliding_window\":40," TINY_SIZES("2") "}",
        "{\"model_type\":\"mistral\",\"sliding_window\":4," TINY_SIZES("1") "}"};
    for (size_t c = 0; c < sizeof CONFIGS / sizeof *CONFIGS; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        int32_t prompt[PROMPT + GROWN], grown[SAMPLES][GROWN];
        float *hidden = memory_allocate(SAMPLES * GROWN * WIDTH, sizeof *hidden);
        assert_non_null(hidden);
        tiny_ids(prompt, PROMPT, 21);
        for (size_t s = 0; s < SAMPLES; s++) tiny_ids(grown[s], GROWN, 30 + s);
        run_side_by_side(tiny.model, prompt, grown, hidden);
        for (size_t s = 0; s < SAMPLES; s++) {
            memcpy(prompt + PROMPT, grown[s], sizeof grown[s]);
            float *alone = run_in_parts(tiny.model, HALF, prompt, PROMPT + GROWN, PROMPT + GROWN);
            must_be_near("side by side", hidden + s * GROWN * WIDTH, alone + PROMPT * WIDTH, GROWN * WIDTH);
            free(alone);
        }
        free(hidden);
        tiny_model_free(&tiny);
    }
}

static void places_outside_the_cache_are_refused(void **unused) {
    (void)unused;
    static const ForwardPlace WRONG[] = {{8, 0, 0, 0}, {2, 3, 0, 0}, {2, 2, 0, 9}, {2, 2, 9, 0}};
    TinyModel tiny = tiny_model_make(QWEN3);
    ForwardState *state = make_state(tiny.model, HALF, 8);
    const int32_t id = 1;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        ForwardInput input = {.ids = &id, .places = &WRONG[i], .count = 1};
        assert_int_equal(run_with(&state, 1, &input, 1, NULL), STATUS_ARGUMENT);
    }
    forward_free_state(state);
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_double_precision_network_gives_the_same),
        cmocka_unit_test(a_small_window_sees_only_the_keys_within_it),
        cmocka_unit_test(a_window_as_long_as_the_text_is_no_window),
        cmocka_unit_test(a_cache_takes_what_it_has_room_for_and_not_one_more),
        cmocka_unit_test(an_id_outside_the_vocabulary_is_refused_by_its_number),
        cmocka_unit_test(what_was_rewound_and_appended_anew_is_as_if_never_there),
        cmocka_unit_test(a_long_text_goes_in_chunks_with_the_same_result),
        cmocka_unit_test(several_states_at_once_equal_each_alone_bit_for_bit),
        cmocka_unit_test(states_that_do_not_match_cannot_run_together),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(sequences_that_share_a_cache_do_not_see_each_other),
        cmocka_unit_test(samples_of_a_prompt_run_side_by_side_as_each_alone),
        cmocka_unit_test(places_outside_the_cache_are_refused),
        cmocka_unit_test(a_cancelled_run_leaves_the_cache_as_it_was),
        cmocka_unit_test(one_logit_is_the_same_as_among_all),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
