/*
 * Layers that keep a state of their text (golden/dense): it goes on from call to call, begins anew with a text, is
 * put back where a call fails or is rewound, and refuses what it cannot do. Hidden states are compared bit for bit, or
 * within 5e-6 of their range where sums are of other lengths; that the values are right is test_forward_dense.c's.
 */
#include "core/transformer/recurrence.h"
#include "golden.h"

#include <math.h>
#include <string.h>

static const char *const NAMES[] = {
    "lfm2",   "qwen3_5_text", "qwen3_next",  "mamba",           "jamba",
    "mamba2", "falcon_h1",    "nemotron_h",  "recurrent_gemma", "zamba2",
    "lfm3",   "minimax",      "olmo_hybrid", "kimi_linear",     "bailing_hybrid"};
static const Settings HALF = {.alpha = 0.5};
static const double TOLERANCE = 5e-6;

enum { MOST = 700 };

typedef struct Fixture {
    Pair *pair;
    Model *model;
    size_t width;
    int32_t ids[MOST];
} Fixture;

static Fixture load(const char *name) {
    Fixture fixture = {0};
    Error error = {0};
    char *base = golden_path("golden/dense/%s/%s", name, "base"),
         *sft = golden_path("golden/dense/%s/%s", name, "sft");
    if (pair_open(base, sft, &fixture.pair, &error) != STATUS_OK ||
        model_open(fixture.pair, &fixture.model, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    for (int32_t i = 0; i < MOST; i++) fixture.ids[i] = (37 * i * i + 11 * i + 5) % 20;
    fixture.width = fixture.model->config->hidden_size;
    free(base);
    free(sft);
    return fixture;
}

static void unload(Fixture *fixture) {
    model_close(fixture->model);
    pair_close(fixture->pair);
}

static ForwardState *make_state(const Fixture *fixture, size_t capacity) {
    ForwardState *state;
    Error error = {0};
    if (forward_create_state(fixture->model, &HALF, capacity, &state, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return state;
}

static Status run_with(ForwardState *state, const ForwardInput *input, unsigned threads, Error *error) {
    Job *job;
    MatmulScratch *scratch;
    assert_int_equal(job_create(threads, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(threads, &scratch, NULL), STATUS_OK);
    Status status = forward_run(&state, 1, input, scratch, job, error);
    matmul_free_scratch(scratch);
    job_free(job);
    return status;
}

static void append(ForwardState *state, const int32_t *ids, size_t count) {
    ForwardInput input = {.ids = ids, .count = count};
    Error error = {0};
    if (run_with(state, &input, 2, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static void must_be_same(const ForwardState *a, const ForwardState *b, size_t count) {
    assert_memory_equal(forward_hidden(a), forward_hidden(b),
                        count * a->side->config->hidden_size * sizeof(float));
}

static void must_be_near(const Fixture *fixture, const float *found, const float *expected, size_t count) {
    double low = INFINITY, high = -INFINITY, worst = 0.0;
    for (size_t i = 0; i < count * fixture->width; i++) {
        low = fmin(low, (double)expected[i]);
        high = fmax(high, (double)expected[i]);
        worst = fmax(worst, fabs((double)found[i] - (double)expected[i]));
    }
    print_message("%.1e of the range\n", worst / (high - low));
    assert_true(worst / (high - low) < TOLERANCE);
}

static void for_all(void (*check)(Fixture *fixture)) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        Fixture fixture = load(NAMES[i]);
        check(&fixture);
        unload(&fixture);
    }
}

/* ---- rewinding ---- */

static void check_last_call(Fixture *fixture) {
    ForwardState *fresh = make_state(fixture, 30), *used = make_state(fixture, 30);
    append(fresh, fixture->ids, 10);
    append(fresh, fixture->ids + 10, 20);
    append(used, fixture->ids, 10);
    for (int i = 0; i < 2; i++) { /* once more from the same place */
        append(used, fixture->ids + 50, 7);
        forward_rewind(used, 10);
    }
    append(used, fixture->ids + 10, 20);
    must_be_same(used, fresh, 20);
    forward_rewind(used, 0);
    append(used, fixture->ids, 10);
    append(used, fixture->ids + 10, 20);
    must_be_same(used, fresh, 20);
    forward_free_state(fresh);
    forward_free_state(used);
}

static void the_last_call_can_be_taken_back_and_everything(void **state) {
    (void)state;
    for_all(check_last_call);
}

static void check_no_state(Fixture *fixture) {
    ForwardState *state = make_state(fixture, 40), *alone = make_state(fixture, 40);
    Error error = {0};
    append(state, fixture->ids, 10);
    append(state, fixture->ids + 10, 10);
    forward_rewind(state, 5);
    ForwardInput input = {.ids = fixture->ids + 5, .count = 4};
    assert_int_equal(run_with(state, &input, 2, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "there is none at token 5"));
    assert_int_equal(forward_length(state), 5);
    const size_t starts[] = {5, 5, 5, 5}; /* a text that begins there can */
    input.starts = starts;
    assert_int_equal(run_with(state, &input, 2, &error), STATUS_OK);
    append(alone, fixture->ids + 5, 4);
    must_be_near(fixture, forward_hidden(state), forward_hidden(alone), 4);
    forward_free_state(alone);
    forward_free_state(state);
}

static void from_where_no_state_is_left_a_text_is_refused_and_a_new_one_begins(void **state) {
    (void)state;
    for_all(check_no_state);
}

static void cancel(void *user, JobProgress progress) {
    Job *const *job = user;
    if (progress.done > 0) job_cancel(*job);
}

static void check_cancelled(Fixture *fixture) {
    ForwardState *state = make_state(fixture, 650), *fresh = make_state(fixture, 650);
    Job *job;
    MatmulScratch *scratch;
    append(state, fixture->ids, 10);
    append(fresh, fixture->ids, 10);
    assert_int_equal(job_create(2, cancel, &job, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    ForwardInput input = {.ids = fixture->ids + 60, .count = 600};
    assert_int_equal(forward_run(&state, 1, &input, scratch, job, NULL), STATUS_CANCELLED);
    append(state, fixture->ids + 10, 20);
    append(fresh, fixture->ids + 10, 20);
    must_be_same(state, fresh, 20);
    matmul_free_scratch(scratch);
    job_free(job);
    forward_free_state(fresh);
    forward_free_state(state);
}

static void a_cancelled_run_leaves_the_state_as_it_was(void **state) {
    (void)state;
    for_all(check_cancelled);
}

/* ---- several texts ---- */

static void check_texts(Fixture *fixture) {
    static const size_t LENGTHS[] = {5, 1, 40, 2, 9};
    size_t starts[57], count = 0;
    for (size_t i = 0; i < 5; i++)
        for (size_t start = count, t = 0; t < LENGTHS[i]; t++) starts[count++] = start;
    ForwardState *shared = make_state(fixture, 57);
    ForwardInput input = {.ids = fixture->ids, .starts = starts, .count = count};
    assert_int_equal(run_with(shared, &input, 2, NULL), STATUS_OK);
    for (size_t i = 0, at = 0; i < 5; at += LENGTHS[i++]) {
        ForwardState *alone = make_state(fixture, 57);
        append(alone, fixture->ids + at, LENGTHS[i]);
        must_be_near(fixture, forward_hidden(shared) + at * fixture->width, forward_hidden(alone),
                     LENGTHS[i]);
        forward_free_state(alone);
    }
    forward_rewind(shared, 0);
    starts[9] = 8; /* within the third text, which attention alone could do */
    Error error = {0};
    assert_int_equal(run_with(shared, &input, 1, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "starts at 8"));
    forward_free_state(shared);
}

static void texts_that_share_a_cache_have_states_of_their_own(void **state) {
    (void)state;
    for_all(check_texts);
}

static void check_places(Fixture *fixture) {
    ForwardState *state = make_state(fixture, 10);
    const ForwardPlace place = {0};
    ForwardInput input = {.ids = fixture->ids, .places = &place, .count = 1};
    Error error = {0};
    assert_int_equal(run_with(state, &input, 1, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "side by side"));
    forward_free_state(state);
}

static void texts_that_grow_side_by_side_are_refused(void **state) {
    (void)state;
    for_all(check_places);
}

/* ---- chunks and threads ---- */

static void check_chunks(Fixture *fixture) {
    ForwardState *whole = make_state(fixture, MOST), *parts = make_state(fixture, MOST),
                 *one = make_state(fixture, MOST);
    append(whole, fixture->ids, MOST); /* chunks are of 512 tokens */
    for (size_t at = 0; at < MOST; at += 100) append(parts, fixture->ids + at, 100);
    must_be_near(fixture, forward_hidden(parts), forward_hidden(whole) + (MOST - 100) * fixture->width, 100);
    ForwardInput input = {.ids = fixture->ids, .count = MOST};
    assert_int_equal(run_with(one, &input, 1, NULL), STATUS_OK);
    must_be_same(one, whole, MOST);
    forward_free_state(one);
    forward_free_state(parts);
    forward_free_state(whole);
}

static void a_long_text_is_the_same_in_chunks_and_with_any_threads(void **state) {
    (void)state;
    for_all(check_chunks);
}

/* As they are and as they were: of LFM2 two convolutions of 16 channels that keep three inputs each; of Qwen3.5 one of 56,
 * and four heads of 8 by 6; of Mamba two layers of 24 channels of 4; of Mamba-2 two of 48 channels and four heads of 4 by 8;
 * of RecurrentGemma one of 16 channels; of OLMo Hybrid one of 44, and four heads of 5 by 6; of Kimi Linear one of 45, and three
 * heads of 5 by 5; of MiniMax four heads of 4 by 4, with blocks of 7. */
/* Base and SFT side by side: what each says of activations and scales is its own. */
static void check_sides(Fixture *fixture) {
    enum { COUNT = 9 };
    static const Settings SIDES[] = {{.alpha = 0.0}, {.alpha = 1.0}};
    ModelConfig *changed = memory_allocate(1, sizeof *changed);
    assert_non_null(changed);
    *changed = *fixture->model->sft.config;
    changed->activation = changed->state.activation = ACTIVATION_TANH;
    changed->mlp_scale = 0.5;
    for (size_t i = 0; i < changed->plan_count; i++) changed->plans[i].experts.shared_scale = 0.25;
    fixture->model->sft.config = changed;
    ForwardState *alone[2], *both[2];
    Job *job;
    MatmulScratch *scratch;
    Error error = {0};
    const ForwardInput input = {.ids = fixture->ids, .count = COUNT};
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(forward_create_state(fixture->model, &SIDES[i], COUNT, &alone[i], NULL), STATUS_OK);
        assert_int_equal(forward_create_state(fixture->model, &SIDES[i], COUNT, &both[i], NULL), STATUS_OK);
        if (forward_run(&alone[i], 1, &input, scratch, job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    if (forward_run(both, 2, &input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (int i = 0; i < 2; i++) {
        must_be_same(both[i], alone[i], COUNT);
        forward_free_state(alone[i]);
        forward_free_state(both[i]);
    }
    matmul_free_scratch(scratch);
    job_free(job);
    fixture->model->sft.config = fixture->model->config;
    free(changed);
}

static void sides_that_run_together_have_switches_of_their_own(void **state) {
    (void)state;
    for_all(check_sides);
    Fixture fixture = load("cohere2_moe");
    check_sides(&fixture);
    unload(&fixture);
}

static void what_a_state_takes_is_counted(void **state) {
    (void)state;
    Fixture fixture = load("lfm2");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * 2 * 16 * 3 * sizeof(float));
    unload(&fixture);
    fixture = load("qwen3_5_text");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * (56 * 3 + 4 * 8 * 6) * sizeof(float));
    unload(&fixture);
    fixture = load("mamba");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * 2 * (24 * 2 + 24 * 4) * sizeof(float));
    unload(&fixture);
    fixture = load("mamba2");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * 2 * (48 * 3 + 4 * 4 * 8) * sizeof(float));
    unload(&fixture);
    fixture = load("recurrent_gemma");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * (16 * 2 + 16) * sizeof(float));
    unload(&fixture);
    fixture = load("olmo_hybrid");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * (44 * 2 + 4 * 5 * 6) * sizeof(float));
    unload(&fixture);
    fixture = load("kimi_linear");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * (45 * 2 + 3 * 5 * 5) * sizeof(float));
    unload(&fixture);
    fixture = load("minimax");
    assert_int_equal(recurrence_bytes(fixture.model->config), 2 * 4 * (4 * 4 + 2 * 7 * 4) * sizeof(float));
    unload(&fixture);
}

/* MiniMax stores what each token of a block is to each other one; what comes later must be nothing to it. */
static void decays_that_let_a_token_see_later_ones_are_refused(void **unused) {
    (void)unused;
    Fixture fixture = load("minimax");
    ForwardState *state = make_state(&fixture, 10);
    Error error = {0};
    assert_int_equal(recurrence_check_decays(state, &error), STATUS_OK);
    const float *stored = forward_part(state, 0, TENSOR_PART_LIGHTNING_BLOCK_DECAY);
    state->small[stored - state->small + 3 * 7 + 5] = 0.1F; /* of the fourth token, to the sixth */
    assert_int_equal(recurrence_check_decays(state, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "layer 0: diagonal_decay"));
    forward_free_state(state);
    unload(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_call_can_be_taken_back_and_everything),
        cmocka_unit_test(from_where_no_state_is_left_a_text_is_refused_and_a_new_one_begins),
        cmocka_unit_test(a_cancelled_run_leaves_the_state_as_it_was),
        cmocka_unit_test(texts_that_share_a_cache_have_states_of_their_own),
        cmocka_unit_test(texts_that_grow_side_by_side_are_refused),
        cmocka_unit_test(a_long_text_is_the_same_in_chunks_and_with_any_threads),
        cmocka_unit_test(sides_that_run_together_have_switches_of_their_own),
        cmocka_unit_test(decays_that_let_a_token_see_later_ones_are_refused),
        cmocka_unit_test(what_a_state_takes_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
