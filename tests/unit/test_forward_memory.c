/*
 * What one long sequence may take: computed from the model's sizes alone, so that it can be refused before
 * anything is allocated.
 */
#include "core/evaluation/evaluation.h"
#include "core/transformer/backward.h"
#include "tiny_model.h"

/* Sizes of Qwen3-8B. */
static const ModelConfig LARGE = {.hidden_size = 4096,
                                  .layers = 36,
                                  .heads = 32,
                                  .kv_heads = 8,
                                  .head_dim = 128,
                                  .intermediate_size = 12288};

static const char TINY[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";

static const uint64_t GIB = UINT64_C(1) << 30;

static void a_token_takes_its_keys_values_and_hidden_state_in_every_state(void **state) {
    (void)state;
    uint64_t cache = UINT64_C(2) * 36 * 8 * 128 * 4, hidden = UINT64_C(4096) * 4, scores = 32 * 4;
    assert_int_equal(forward_token_bytes(&LARGE, 1, 0), cache + hidden);
    assert_int_equal(forward_token_bytes(&LARGE, 3, 0), 3 * (cache + hidden));
    assert_int_equal(forward_token_bytes(&LARGE, 1, 8), cache + hidden + 8 * scores);
}

static void a_hundred_thousand_tokens_of_a_large_model_are_refused_with_what_fits(void **state) {
    (void)state;
    Error error = {0};
    uint64_t token = forward_token_bytes(&LARGE, 2, 1);
    assert_int_equal(forward_check_memory(token, 100000, 16 * GIB, "two models", &error), STATUS_UNSUPPORTED);
    char fitting[32];
    (void)snprintf(fitting, sizeof fitting, "%" PRIu64 " tokens fit", 16 * GIB / token);
    assert_non_null(strstr(error.message, "100000 tokens need"));
    assert_non_null(strstr(error.message, "for two models"));
    assert_non_null(strstr(error.message, "16.0 GiB are allowed"));
    assert_non_null(strstr(error.message, fitting));
}

static void the_number_that_the_message_names_fits_and_one_more_does_not(void **state) {
    (void)state;
    uint64_t token = forward_token_bytes(&LARGE, 2, 1);
    size_t fitting = (size_t)(GIB / token);
    assert_int_equal(forward_check_memory(token, fitting, GIB, "a pass", NULL), STATUS_OK);
    assert_int_equal(forward_check_memory(token, fitting + 1, GIB, "a pass", NULL), STATUS_UNSUPPORTED);
}

static void sizes_that_overflow_need_too_much_not_little(void **state) {
    (void)state;
    ModelConfig absurd = LARGE;
    absurd.layers = UINT64_C(1) << 62;
    assert_true(forward_token_bytes(&absurd, 1, 1) == UINT64_MAX);
    assert_int_equal(forward_check_memory(UINT64_MAX, 1, 16 * GIB, "a pass", NULL), STATUS_UNSUPPORTED);
    assert_true(forward_token_bytes(&LARGE, SIZE_MAX, 1) == UINT64_MAX);
    assert_int_equal(
        forward_check_memory(forward_token_bytes(&LARGE, 1, 1), SIZE_MAX, 16 * GIB, "a pass", NULL),
        STATUS_UNSUPPORTED);
    absurd = LARGE;
    absurd.hidden_size = UINT64_MAX / 2;
    assert_true(forward_token_bytes(&absurd, 1, 1) == UINT64_MAX);
}

static void the_limit_is_positive_and_never_above_sixteen_gibibytes(void **state) {
    (void)state;
    assert_true(forward_memory_limit() > 0 && forward_memory_limit() <= 16 * GIB);
}

/* Nothing of the ids is read: the refusal comes before any work. */
static void rows_too_long_for_memory_are_refused_before_their_ids_are_read(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(TINY);
    int32_t id = 1;
    EvaluationRow rows[] = {{.ids = &id, .count = 1, .first = 0, .end = 1},
                            {.ids = &id, .count = SIZE_MAX / 8, .first = 0, .end = SIZE_MAX / 8}};
    Evaluation *evaluation;
    Error error = {0};
    assert_int_equal(evaluation_create(tiny.model, rows, 2, 5, &evaluation, &error), STATUS_UNSUPPORTED);
    assert_null(evaluation);
    assert_non_null(strstr(error.message, "row 1"));
    assert_non_null(strstr(error.message, "tokens fit"));
    ForwardState *forward;
    const Settings half = {.alpha = 0.5};
    assert_int_equal(forward_create_state(tiny.model, &half, SIZE_MAX / 8, &forward, &error),
                     STATUS_UNSUPPORTED);
    assert_null(forward);
    assert_int_equal(backward_check_tokens(tiny.model, SIZE_MAX / 8, 1, 1, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "a backward pass"));
    assert_true(backward_bytes(tiny.model, SIZE_MAX / 8, 1) == UINT64_MAX);
    tiny_model_free(&tiny);
}

/* Each row fits; what is kept of all their positions does not. */
static void rows_that_fit_alone_are_refused_where_together_they_do_not(void **state) {
    (void)state;
    enum { ROWS = 64 };
    TinyModel tiny = tiny_model_make(TINY);
    int32_t id = 1;
    uint64_t token = 2 * forward_token_bytes(tiny.model->config, 2, 1) + 4096;
    size_t longest = (size_t)(forward_memory_limit() / token);
    EvaluationRow rows[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = (EvaluationRow){.ids = &id, .count = longest, .first = 0, .end = longest};
    Evaluation *evaluation;
    Error error = {0};
    assert_int_equal(evaluation_check_tokens(tiny.model, longest, 0, &error), STATUS_OK);
    assert_int_equal(evaluation_create(tiny.model, rows, ROWS, 0, &evaluation, &error), STATUS_UNSUPPORTED);
    assert_null(evaluation);
    assert_non_null(strstr(error.message, "64 rows: "));
    assert_non_null(strstr(error.message, "each measured position"));
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_takes_its_keys_values_and_hidden_state_in_every_state),
        cmocka_unit_test(a_hundred_thousand_tokens_of_a_large_model_are_refused_with_what_fits),
        cmocka_unit_test(the_number_that_the_message_names_fits_and_one_more_does_not),
        cmocka_unit_test(sizes_that_overflow_need_too_much_not_little),
        cmocka_unit_test(the_limit_is_positive_and_never_above_sixteen_gibibytes),
        cmocka_unit_test(rows_too_long_for_memory_are_refused_before_their_ids_are_read),
        cmocka_unit_test(rows_that_fit_alone_are_refused_where_together_they_do_not),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
