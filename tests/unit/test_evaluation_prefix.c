/*
 * Texts that begin alike: computed from where they differ, with the figures of the whole, which rounding alone may change:
 * 1e-5 nats and the largest difference is printed.
 */
#include "core/evaluation/evaluation_prefix.h"
#include "tiny_model.h"

static const char FULL[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
static const char WINDOW[] =
    "{\"model_type\":\"mistral\"," TINY_SIZES("2") ",\"sliding_window\":5,\"max_position_embeddings\":512}";
static const char DYNAMIC[] = "{\"model_type\":\"llama\"," TINY_SIZES(
    "2") ",\"max_position_embeddings\":16,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":4.0}}";

enum { MOST = 60, TOP = 5 };
static const double TOLERANCE = 1e-5;

typedef struct Measured {
    EvaluationResult sides[SIDE_COUNT];
} Measured;

static Measured measure(const Model *model, const int32_t *ids, size_t count, double alpha,
                        EvaluationPrefix *prefix) {
    Measured measured = {0};
    Evaluation *evaluation;
    Job *job;
    Error error = {0};
    const EvaluationRow row = {.ids = ids, .count = count, .end = count};
    const Settings settings = settings_at(alpha);
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(evaluation_create(model, &row, 1, TOP, &evaluation, &error), STATUS_OK);
    if (prefix != NULL) evaluation_prefix_attach(prefix, evaluation);
    if (evaluation_prepare(evaluation, &measured.sides[SIDE_BASE], &measured.sides[SIDE_SFT], job, &error) !=
            STATUS_OK ||
        evaluation_measure(evaluation, &settings, 1, &measured.sides[SIDE_FUSED], job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    evaluation_free(evaluation);
    job_free(job);
    return measured;
}

static void free_measured(Measured *measured) {
    for (int i = 0; i < SIDE_COUNT; i++) evaluation_free_result(&measured->sides[i]);
}

static double difference(double a, double b) {
    return isnan(a) && isnan(b) ? 0.0 : fabs(a - b);
}

static double compare(const EvaluationResult *a, const EvaluationResult *b, size_t width) {
    double worst = 0.0;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const DistributionPosition *x = &a->positions[i], *y = &b->positions[i];
        assert_int_equal(x->top, y->top);
        assert_int_equal(x->next, y->next);
        worst = fmax(worst, difference(x->entropy, y->entropy));
        worst = fmax(worst, difference(x->kl_base, y->kl_base));
        worst = fmax(worst, difference(x->kl_sft, y->kl_sft));
        worst = fmax(worst, difference(x->next_log_probability, y->next_log_probability));
        for (size_t k = 0; k < TOP; k++)
            worst = fmax(worst, difference((double)a->top[i * TOP + k].log_probability,
                                           (double)b->top[i * TOP + k].log_probability));
    }
    for (size_t i = 0; i < a->count * width; i++)
        worst = fmax(worst, difference((double)a->hidden[i], (double)b->hidden[i]));
    return fmax(worst, difference(a->averages.loss, b->averages.loss));
}

/* Measures with what is kept and without: the figures are the same, and so many tokens of each side were kept. */
static double step(const Model *model, EvaluationPrefix *prefix, const int32_t *ids, size_t count,
                   double alpha, size_t both, size_t fused) {
    Measured kept = measure(model, ids, count, alpha, prefix),
             fresh = measure(model, ids, count, alpha, NULL);
    double worst = 0.0;
    for (int side = 0; side < SIDE_COUNT; side++) {
        worst = fmax(worst, compare(&kept.sides[side], &fresh.sides[side], model->config->hidden_size));
        assert_int_equal(evaluation_prefix_reused(prefix, (Side)side), side == SIDE_FUSED ? fused : both);
    }
    free_measured(&kept);
    free_measured(&fresh);
    assert_true(worst < TOLERANCE);
    return worst;
}

static void walk(const char *config, bool keeps) {
    TinyModel tiny = tiny_model_make(config);
    EvaluationPrefix *prefix;
    int32_t ids[MOST];
    double worst = 0.0;
    tiny_ids(ids, MOST, 9);
    assert_int_equal(evaluation_prefix_create(&prefix, NULL), STATUS_OK);
    worst = fmax(worst, step(tiny.model, prefix, ids, 20, 0.4, 0, 0));
    worst = fmax(worst, step(tiny.model, prefix, ids, 33, 0.4, keeps ? 20 : 0, keeps ? 20 : 0)); /* goes on */
    worst = fmax(worst, step(tiny.model, prefix, ids, 33, 0.6, keeps ? 33 : 0, 0)); /* W at another α */
    ids[25] = (ids[25] + 1) % 61;
    worst = fmax(worst, step(tiny.model, prefix, ids, 40, 0.6, keeps ? 25 : 0, keeps ? 25 : 0)); /* edited */
    worst = fmax(worst, step(tiny.model, prefix, ids, 12, 0.6, keeps ? 12 : 0, keeps ? 12 : 0)); /* cut */
    ids[0] = (ids[0] + 1) % 61;
    worst = fmax(worst, step(tiny.model, prefix, ids, 40, 0.6, 0, 0)); /* another text */
    worst = fmax(worst, step(tiny.model, prefix, ids, 1, 0.6, keeps ? 1 : 0, keeps ? 1 : 0));
    print_message("largest difference %.1e\n", worst);
    evaluation_prefix_free(prefix);
    tiny_model_free(&tiny);
}

static void a_text_is_computed_from_where_it_differs(void **state) {
    (void)state;
    walk(FULL, true);
    walk(WINDOW, true);
}

static void tokens_that_turn_by_the_length_of_the_text_are_computed_again(void **state) {
    (void)state;
    walk(DYNAMIC, false);
}

static void what_was_cancelled_leaves_what_was_kept_before(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(FULL);
    EvaluationPrefix *prefix;
    Evaluation *evaluation;
    EvaluationResult base, sft;
    Job *job;
    int32_t ids[MOST];
    tiny_ids(ids, MOST, 9);
    const EvaluationRow row = {.ids = ids, .count = MOST, .end = MOST};
    assert_int_equal(evaluation_prefix_create(&prefix, NULL), STATUS_OK);
    (void)step(tiny.model, prefix, ids, 20, 0.4, 0, 0);
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    assert_int_equal(evaluation_create(tiny.model, &row, 1, TOP, &evaluation, NULL), STATUS_OK);
    evaluation_prefix_attach(prefix, evaluation);
    assert_int_equal(evaluation_prepare(evaluation, &base, &sft, job, NULL), STATUS_CANCELLED);
    evaluation_free(evaluation);
    job_free(job);
    (void)step(tiny.model, prefix, ids, 30, 0.4, 20, 20);
    evaluation_prefix_free(prefix);
    tiny_model_free(&tiny);
}

static void rows_that_are_not_measured_whole_do_without(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(FULL);
    EvaluationPrefix *prefix;
    Evaluation *evaluation;
    EvaluationResult base, sft;
    int32_t ids[MOST];
    tiny_ids(ids, MOST, 9);
    const EvaluationRow rows[] = {{.ids = ids, .count = 9, .first = 3, .end = 9},
                                  {.ids = ids, .count = 9, .end = 9},
                                  {.ids = ids, .count = 9, .end = 9}};
    assert_int_equal(evaluation_prefix_create(&prefix, NULL), STATUS_OK);
    (void)step(tiny.model, prefix, ids, 9, 0.4, 0, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(evaluation_create(tiny.model, rows + i, 1 + i, TOP, &evaluation, NULL), STATUS_OK);
        evaluation_prefix_attach(prefix, evaluation);
        assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, NULL), STATUS_OK);
        assert_int_equal(base.count, i == 0 ? 6 : 18);
        assert_int_equal(evaluation_prefix_reused(prefix, SIDE_BASE), 0);
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free(evaluation);
    }
    (void)step(tiny.model, prefix, ids, 12, 0.4, 9, 9); /* what was kept is untouched */
    evaluation_prefix_free(prefix);
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_computed_from_where_it_differs),
        cmocka_unit_test(tokens_that_turn_by_the_length_of_the_text_are_computed_again),
        cmocka_unit_test(what_was_cancelled_leaves_what_was_kept_before),
        cmocka_unit_test(rows_that_are_not_measured_whole_do_without),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
