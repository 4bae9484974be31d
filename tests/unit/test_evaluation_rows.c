/*
 * Evaluations: rows that share a pass, settings that share one, what is refused, and what a cancellation
 * leaves. Figures of the same row measured in another company differ by rounding: 1e-5 nats is allowed, and
 * the largest difference seen is printed.
 */
#include "core/evaluation/evaluation.h"
#include "tests/canceller.h"
#include "tiny_model.h"

static const char CONFIG[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("2") "}";

enum { ROWS = 300, LONGEST = 12, TOP = 5 };
static const double TOLERANCE = 1e-5;

typedef struct Rows {
    int32_t ids[ROWS][LONGEST];
    EvaluationRow rows[ROWS];
    size_t positions;
} Rows;

static void make_rows(Rows *rows) {
    *rows = (Rows){0};
    for (size_t i = 0; i < ROWS; i++) {
        size_t count = 1 + random_bits(31, i) % LONGEST, first = random_bits(32, i) % count;
        tiny_ids(rows->ids[i], count, 100 + i);
        rows->rows[i] = (EvaluationRow){.ids = rows->ids[i], .count = count, .first = first, .end = count};
        if (i % 7 == 0) rows->rows[i].end = first; /* nothing of it is measured */
        rows->positions += rows->rows[i].end - first;
    }
}

typedef struct Measured {
    EvaluationResult base, sft, fused[2];
} Measured;

static const Settings WANTED[2] = {{.alpha = 0.5}, {.alpha = 0.25}};

static Measured measure(const Model *model, const EvaluationRow *rows, size_t count, size_t top) {
    Measured measured = {0};
    Evaluation *evaluation;
    Job *job;
    Error error = {0};
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    if (evaluation_create(model, rows, count, top, &evaluation, &error) != STATUS_OK ||
        evaluation_prepare(evaluation, &measured.base, &measured.sft, job, &error) != STATUS_OK ||
        evaluation_measure(evaluation, WANTED, 2, measured.fused, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    evaluation_free(evaluation);
    job_free(job);
    return measured;
}

static void free_measured(Measured *measured) {
    evaluation_free_result(&measured->base);
    evaluation_free_result(&measured->sft);
    for (int i = 0; i < 2; i++) evaluation_free_result(&measured->fused[i]);
}

static double difference(const DistributionPosition *a, const DistributionPosition *b) {
    assert_int_equal(a->top, b->top);
    assert_int_equal(a->next, b->next);
    assert_int_equal(isnan(a->dp_base) != 0, isnan(b->dp_base) != 0);
    double worst = fmax(fabs(a->entropy - b->entropy), fabs(a->top1 - b->top1));
    worst = fmax(worst, fmax(fabs(a->kl_base - b->kl_base), fabs(a->kl_sft - b->kl_sft)));
    if (a->next >= 0)
        worst = fmax(worst, fmax(fabs(a->next_log_probability - b->next_log_probability),
                                 fabs(a->dp_base - b->dp_base)));
    return worst;
}

static double compare(const EvaluationResult *all, size_t at, const EvaluationResult *one) {
    double worst = 0.0;
    for (size_t i = 0; i < one->count; i++) {
        worst = fmax(worst, difference(&all->positions[at + i], &one->positions[i]));
        for (size_t k = 0; k < TOP; k++)
            worst = fmax(worst, fabs((double)all->top[(at + i) * TOP + k].log_probability -
                                     (double)one->top[i * TOP + k].log_probability));
    }
    return worst;
}

static void many_short_rows_measure_as_each_alone(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static Rows rows;
    make_rows(&rows);
    Measured all = measure(tiny.model, rows.rows, ROWS, TOP);
    assert_int_equal(all.fused[0].count, rows.positions);
    double worst = 0.0;
    for (size_t i = 0, at = 0; i < ROWS; i++) {
        Measured one = measure(tiny.model, &rows.rows[i], 1, TOP);
        assert_int_equal(one.base.count, rows.rows[i].end - rows.rows[i].first);
        worst = fmax(worst, compare(&all.base, at, &one.base));
        worst = fmax(worst, compare(&all.sft, at, &one.sft));
        for (int k = 0; k < 2; k++) worst = fmax(worst, compare(&all.fused[k], at, &one.fused[k]));
        at += one.base.count;
        free_measured(&one);
    }
    print_message("%zu positions of %d rows: largest difference %.1e\n", rows.positions, ROWS, worst);
    assert_true(worst < TOLERANCE);
    free_measured(&all);
    tiny_model_free(&tiny);
}

/* Turns of a conversation: what lies between them is run and not measured. */
static void spans_measure_what_they_hold_of_the_row(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t ids[LONGEST];
    tiny_ids(ids, LONGEST, 7);
    static const EvaluationSpan SPANS[] = {{1, 3}, {5, 5}, {6, 7}, {9, LONGEST}};
    const EvaluationRow whole = {.ids = ids, .count = LONGEST, .end = LONGEST};
    const EvaluationRow rows[] = {whole,
                                  {.ids = ids,
                                   .count = LONGEST,
                                   .first = 1,
                                   .end = LONGEST,
                                   .spans = SPANS,
                                   .span_count = sizeof SPANS / sizeof *SPANS},
                                  whole};
    Measured all = measure(tiny.model, rows, 3, TOP);
    size_t at = LONGEST, measured = evaluation_row_positions(&rows[1]);
    assert_int_equal(measured, 2 + 1 + 3);
    assert_int_equal(evaluation_row_predictions(&rows[1]), measured - 1); /* its last has no next token */
    assert_int_equal(all.sft.count, 2 * LONGEST + measured);
    double worst = 0.0;
    for (size_t t = 0; t < LONGEST; t++) {
        if (!evaluation_row_measures(&rows[1], t)) continue;
        worst = fmax(worst, difference(&all.sft.positions[t], &all.sft.positions[at]));
        worst = fmax(worst, difference(&all.fused[1].positions[t], &all.fused[1].positions[at++]));
    }
    assert_int_equal(at, LONGEST + measured);
    assert_true(worst < TOLERANCE);
    free_measured(&all);
    tiny_model_free(&tiny);
}

static void the_next_token_of_a_position_is_the_one_behind_it_in_its_row(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static Rows rows;
    make_rows(&rows);
    Measured all = measure(tiny.model, rows.rows, ROWS, 0);
    for (size_t i = 0, at = 0; i < ROWS; i++) {
        for (size_t t = rows.rows[i].first; t < rows.rows[i].end; t++, at++)
            assert_int_equal(all.sft.positions[at].next,
                             t + 1 < rows.rows[i].count ? rows.ids[i][t + 1] : -1);
    }
    assert_null(all.sft.top); /* none were asked for */
    assert_null(all.sft.hidden);
    free_measured(&all);
    tiny_model_free(&tiny);
}

static void the_ends_of_the_dial_are_base_and_sft(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static Rows rows;
    make_rows(&rows);
    const Settings ends[2] = {{.alpha = 0.0}, {.alpha = 1.0}};
    EvaluationResult base, sft, results[2];
    Evaluation *evaluation;
    assert_int_equal(evaluation_create(tiny.model, rows.rows, 40, 0, &evaluation, NULL), STATUS_OK);
    assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, NULL), STATUS_OK);
    assert_int_equal(evaluation_measure(evaluation, ends, 2, results, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < base.count; i++) {
        assert_true(base.positions[i].kl_base == 0.0 && sft.positions[i].kl_sft == 0.0);
        assert_true(base.positions[i].kl_sft > 1e-6 && sft.positions[i].kl_base > 1e-6);
        assert_true(results[0].positions[i].kl_base < 1e-6 && results[1].positions[i].kl_sft < 1e-6);
        assert_true(results[0].positions[i].same_top_base && results[1].positions[i].same_top_sft);
        assert_true(fabs(results[0].positions[i].entropy - base.positions[i].entropy) < TOLERANCE);
        assert_true(fabs(results[1].positions[i].entropy - sft.positions[i].entropy) < TOLERANCE);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    for (int i = 0; i < 2; i++) evaluation_free_result(&results[i]);
    evaluation_free(evaluation);
    tiny_model_free(&tiny);
}

static void settings_measured_together_equal_those_measured_one_by_one(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static Rows rows;
    make_rows(&rows);
    enum { POINTS = 5 };
    Settings settings[POINTS];
    EvaluationResult base, sft, together[POINTS], alone;
    Evaluation *evaluation;
    for (size_t i = 0; i < POINTS; i++) settings[i] = (Settings){.alpha = (double)i / 4.0};
    assert_int_equal(evaluation_create(tiny.model, rows.rows, 60, TOP, &evaluation, NULL), STATUS_OK);
    assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, NULL), STATUS_OK);
    assert_int_equal(evaluation_measure(evaluation, settings, POINTS, together, NULL, NULL), STATUS_OK);
    for (size_t i = 0; i < POINTS; i++) {
        assert_int_equal(evaluation_measure(evaluation, &settings[i], 1, &alone, NULL, NULL), STATUS_OK);
        assert_true(together[i].settings.alpha == settings[i].alpha);
        for (size_t k = 0; k < alone.count; k++)
            assert_true(difference(&together[i].positions[k], &alone.positions[k]) == 0.0);
        DistributionAverages averages = distribution_average(together[i].positions, together[i].count);
        assert_memory_equal(&together[i].averages, &averages, sizeof averages);
        evaluation_free_result(&alone);
        evaluation_free_result(&together[i]);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    tiny_model_free(&tiny);
}

static void settings_before_base_and_sft_are_refused(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    const int32_t ids[] = {1, 2, 3};
    const EvaluationRow row = {.ids = ids, .count = 3, .end = 3};
    Evaluation *evaluation;
    EvaluationResult result;
    memset(&result, 0x55, sizeof result);
    Error error;
    assert_int_equal(evaluation_create(tiny.model, &row, 1, TOP, &evaluation, NULL), STATUS_OK);
    assert_int_equal(evaluation_measure(evaluation, WANTED, 1, &result, NULL, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "base and SFT"));
    assert_null(result.positions);
    assert_int_equal(result.count, 0);
    evaluation_free_result(&result); /* harmless */
    evaluation_free(evaluation);
    evaluation_free(NULL);
    tiny_model_free(&tiny);
}

static void a_cancelled_evaluation_leaves_empty_results_and_can_go_again(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static Rows rows;
    make_rows(&rows);
    Measured whole = measure(tiny.model, rows.rows, ROWS, TOP);
    for (unsigned at = 1; at <= 5; at += 2) {
        Evaluation *evaluation;
        EvaluationResult base, sft, fused;
        assert_int_equal(evaluation_create(tiny.model, rows.rows, ROWS, TOP, &evaluation, NULL), STATUS_OK);
        Canceller canceller;
        canceller_begin(&canceller, 2, at);
        assert_int_equal(evaluation_prepare(evaluation, &base, &sft, canceller.job, NULL), STATUS_CANCELLED);
        job_free(canceller.job);
        assert_true(base.positions == NULL && base.count == 0 && sft.hidden == NULL && sft.count == 0);
        assert_int_equal(evaluation_measure(evaluation, WANTED, 1, &fused, NULL, NULL), STATUS_ARGUMENT);
        assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, NULL), STATUS_OK);
        canceller_begin(&canceller, 2, at);
        assert_int_equal(evaluation_measure(evaluation, WANTED, 1, &fused, canceller.job, NULL),
                         STATUS_CANCELLED);
        job_free(canceller.job);
        assert_true(fused.positions == NULL && fused.top == NULL && fused.count == 0);
        assert_int_equal(evaluation_measure(evaluation, WANTED, 1, &fused, NULL, NULL), STATUS_OK);
        for (size_t i = 0; i < fused.count; i++)
            assert_true(difference(&fused.positions[i], &whole.fused[0].positions[i]) < TOLERANCE);
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free_result(&fused);
        evaluation_free(evaluation);
    }
    free_measured(&whole);
    tiny_model_free(&tiny);
}

static void the_rows_are_the_evaluations_own(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t ids[] = {1, 2, 3, 4};
    EvaluationRow row = {.ids = ids, .count = 4, .first = 1, .end = 3};
    Measured expected = measure(tiny.model, &row, 1, TOP);
    Evaluation *evaluation;
    EvaluationResult base, sft;
    assert_int_equal(evaluation_create(tiny.model, &row, 1, TOP, &evaluation, NULL), STATUS_OK);
    memset(ids, 0xff, sizeof ids);
    row.count = 0;
    assert_int_equal(evaluation_position_count(evaluation), 2);
    assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, NULL), STATUS_OK);
    assert_true(difference(&sft.positions[1], &expected.sft.positions[1]) == 0.0);
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    free_measured(&expected);
    tiny_model_free(&tiny);
}

static void any_token_can_be_followed_and_no_other(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    const int32_t ids[] = {9, 8, 7};
    const EvaluationRow row = {.ids = ids, .count = 3, .end = 3};
    Measured measured = measure(tiny.model, &row, 1, 1000); /* more than there are: all 61 */
    const EvaluationResult *fused = &measured.fused[0];
    assert_int_equal(fused->top_count, 61);
    for (size_t position = 0; position < 3; position++) {
        double sum = 0.0;
        for (size_t k = 0; k < 61; k++) {
            const DistributionToken *token = &fused->top[position * 61 + k];
            double followed = evaluation_follow_token(tiny.model, fused, position, token->id);
            assert_true(fabs(followed - (double)token->log_probability) < TOLERANCE);
            sum += exp(followed);
        }
        assert_true(fabs(sum - 1.0) < TOLERANCE);
    }
    assert_true(isnan(evaluation_follow_token(tiny.model, fused, 3, 0)));
    assert_true(isnan(evaluation_follow_token(tiny.model, fused, 0, 61)));
    assert_true(isnan(evaluation_follow_token(tiny.model, fused, 0, -1)));
    free_measured(&measured);
    tiny_model_free(&tiny);
}

static void a_strange_id_is_an_error_and_nothing_to_measure_is_none(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    const int32_t strange[] = {1, 61};
    const EvaluationRow rows[] = {{.ids = strange, .count = 2, .end = 2},
                                  {.ids = strange, .count = 1, .first = 1, .end = 1}};
    Evaluation *evaluation;
    EvaluationResult base, sft;
    Error error;
    assert_int_equal(evaluation_create(tiny.model, rows, 1, 0, &evaluation, NULL), STATUS_OK);
    assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, &error), STATUS_ARGUMENT);
    assert_null(base.positions);
    evaluation_free(evaluation);
    for (size_t count = 0; count < 2; count++) { /* no row; one row, and no position of it */
        assert_int_equal(evaluation_create(tiny.model, rows + 1, count, 3, &evaluation, NULL), STATUS_OK);
        assert_int_equal(evaluation_prepare(evaluation, &base, &sft, NULL, &error), STATUS_OK);
        assert_int_equal(base.count, 0);
        assert_true(isnan(base.averages.entropy));
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free(evaluation);
    }
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_short_rows_measure_as_each_alone),
        cmocka_unit_test(spans_measure_what_they_hold_of_the_row),
        cmocka_unit_test(the_next_token_of_a_position_is_the_one_behind_it_in_its_row),
        cmocka_unit_test(the_ends_of_the_dial_are_base_and_sft),
        cmocka_unit_test(settings_measured_together_equal_those_measured_one_by_one),
        cmocka_unit_test(settings_before_base_and_sft_are_refused),
        cmocka_unit_test(a_cancelled_evaluation_leaves_empty_results_and_can_go_again),
        cmocka_unit_test(the_rows_are_the_evaluations_own),
        cmocka_unit_test(any_token_can_be_followed_and_no_other),
        cmocka_unit_test(a_strange_id_is_an_error_and_nothing_to_measure_is_none),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
