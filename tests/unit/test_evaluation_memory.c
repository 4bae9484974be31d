/*
 * How many settings run side by side: as many as a row's memory allows, whatever that is. The limit is the test's
 * own: the linker puts it in the place of the machine's.
 */
#include "core/evaluation/evaluation.h"
#include "tiny_model.h"

uint64_t __wrap_forward_memory_limit(void);

static uint64_t limit = UINT64_MAX;

uint64_t __wrap_forward_memory_limit(void) {
    return limit;
}

static const char CONFIG[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("2") "}";

enum { SHORT = 4, LONG = 40, POINTS = 5, TOP = 5 };

/* The first report of a pass is of nothing done. */
static void count_passes(void *user, JobProgress progress) {
    size_t *passes = user;
    *passes += progress.done == 0 && strcmp(progress.stage, "preview") == 0;
}

/* The least that base and SFT side by side need over the longest row. */
static uint64_t find_least(const Model *model) {
    uint64_t refused = 0, fitting = UINT64_C(1) << 40;
    while (fitting - refused > 1) {
        limit = refused + (fitting - refused) / 2;
        if (evaluation_check_tokens(model, LONG, TOP, NULL) == STATUS_OK)
            fitting = limit;
        else
            refused = limit;
    }
    return fitting;
}

/* The passes that POINTS settings take. */
static size_t measure(const Model *model, uint64_t allowed) {
    int32_t ids[2][LONG];
    tiny_ids(ids[0], SHORT, 1);
    tiny_ids(ids[1], LONG, 2);
    const EvaluationRow rows[] = {{.ids = ids[0], .count = SHORT, .first = SHORT - 1, .end = SHORT},
                                  {.ids = ids[1], .count = LONG, .first = LONG - 3, .end = LONG}};
    Settings settings[POINTS];
    EvaluationResult base, sft, results[POINTS];
    Evaluation *evaluation;
    Job *job;
    Error error = {0};
    size_t passes = 0;
    for (size_t i = 0; i < POINTS; i++) settings[i] = (Settings){.alpha = (double)i / (POINTS - 1)};
    limit = allowed;
    assert_int_equal(job_create(2, count_passes, &passes, &job, NULL), STATUS_OK);
    if (evaluation_create(model, rows, 2, TOP, &evaluation, &error) != STATUS_OK ||
        evaluation_prepare(evaluation, &base, &sft, job, &error) != STATUS_OK ||
        evaluation_measure(evaluation, settings, POINTS, results, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < POINTS; i++) {
        assert_true(results[i].settings.alpha == settings[i].alpha);
        assert_int_equal(results[i].count, 4);
        evaluation_free_result(&results[i]);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    job_free(job);
    return passes;
}

static void settings_run_side_by_side_as_far_as_memory_goes(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    uint64_t least = find_least(tiny.model);
    assert_true(least > LONG * forward_token_bytes(tiny.model->config, 2, 1));
    assert_int_equal(measure(tiny.model, least), 3); /* two, two and one */
    assert_int_equal(measure(tiny.model, UINT64_MAX), 1);
    size_t passes = POINTS;
    for (uint64_t allowed = least; passes > 1; allowed += least / 8) {
        passes = measure(tiny.model, allowed);
        size_t together = (POINTS + passes - 1) / passes;
        assert_true(LONG * forward_token_bytes(tiny.model->config, together, 1) <= allowed);
        assert_true(allowed < 4 * least); /* which all five fit into */
    }
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_run_side_by_side_as_far_as_memory_goes),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
