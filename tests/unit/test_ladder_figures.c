/*
 * What is measured of a ladder's rungs: the very figures that the analyses give of the two checkpoints alone, kept in the
 * cache under the names under which a session keeps and looks for them.
 */
#include "core/cache/cache_analysis.h"
#include "core/cache/cache_fingerprint.h"
#include "core/fusion/settings.h"
#include "core/ladder/ladder_figures.h"
#include "tests/unit/tiny_model.h"

#include <time.h>

enum { RUNGS = 3, TOKENS = 12, LAYERS = 2 };

static const char CONFIG[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
static const LadderTaus TAUS = {0.5, 0.5};

static char *directories[RUNGS + 1];
static Ladder ladder;
static int32_t ids[TOKENS];
static EvaluationRow row = {.ids = ids, .count = TOKENS, .first = 3, .end = TOKENS};
static LadderFigures figures;
static Job *job;

/* The clock by which files have rested before what is known of them counts (CMakeLists.txt). */
static time_t ahead;
time_t __real_time(time_t *now);
time_t __wrap_time(time_t *now);

time_t __wrap_time(time_t *now) {
    time_t value = __real_time(NULL) + ahead;
    if (now != NULL) *now = value;
    return value;
}

static int open_ladder(void **state) {
    static const char *const NAMES[] = {"base", "e1", "e2", "e3"};
    if (scratch_make(state) != 0) return -1;
    for (size_t i = 0; i <= RUNGS; i++) {
        tiny_write_side(NAMES[i], CONFIG, i + 1);
        directories[i] = scratch_path(NAMES[i]);
    }
    ladder = (Ladder){directories[0], (const char *const *)directories + 1, RUNGS};
    tiny_ids(ids, TOKENS, 5);
    if (job_create(2, NULL, NULL, &job, NULL) != STATUS_OK) return -1;
    return ladder_figures_create(RUNGS, &figures, NULL) == STATUS_OK ? 0 : -1;
}

static int close_ladder(void **state) {
    for (size_t i = 0; i <= RUNGS; i++) free(directories[i]);
    ladder_figures_free(&figures);
    job_free(job);
    return scratch_remove(state);
}

/* Whether it was kept. */
static bool measure_with(const LadderKeep *keep, size_t number, LadderPart part) {
    LadderRung measured = {.has = {false}};
    Error error = {0};
    assert_true(ladder_figures_applies(&figures, number, part));
    if (ladder_measure(&ladder, number, part, &row, 1, keep, &measured, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    ladder_figures_take(&figures, number, part, &measured);
    assert_true(figures.rungs[number].has[part] && !measured.has[part]);
    return measured.was_kept;
}

static void measure(size_t number, LadderPart part) {
    assert_false(measure_with(&(LadderKeep){.cache = NULL}, number, part));
}

/* ---- drift ---- */

static void expect_drift(size_t from, size_t to, LadderFigure figure, size_t number) {
    Pair *pair;
    DriftTable *table;
    DriftRow sum = {0};
    assert_int_equal(pair_open(directories[from], directories[to], &pair, NULL), STATUS_OK);
    assert_int_equal(drift_table_create(pair, &table, NULL), STATUS_OK);
    assert_int_equal(drift_scan(pair, table, job, NULL), STATUS_OK);
    (void)drift_sum_all(table, &sum);
    double whole = drift_value(&sum, DRIFT_RELATIVE_NORM);
    assert_true(whole > 0 && ladder_figure(&figures, figure, number, TAUS) == whole);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        sum = (DriftRow){0};
        (void)drift_sum_layer(table, (int)layer, &sum);
        assert_true(ladder_layer_figure(&figures, figure, number, layer, TAUS) ==
                    drift_value(&sum, DRIFT_RELATIVE_NORM));
    }
    drift_table_free(table);
    pair_close(pair);
}

static void drift_is_that_of_the_two_checkpoints(void **state) {
    (void)state;
    for (size_t number = 1; number <= RUNGS; number++) {
        measure(number, LADDER_FROM_BASE);
        measure(number, LADDER_STEP);
        expect_drift(0, number, LADDER_DRIFT, number);
        expect_drift(number - 1, number, LADDER_STEP_DRIFT, number);
        if (number == RUNGS) continue;
        measure(number, LADDER_TO_LAST);
        expect_drift(number, RUNGS, LADDER_LAST_DRIFT, number);
    }
    assert_true(ladder_figures_layers(&figures) == LAYERS);
}

static void what_has_no_meaning_does_not_apply(void **state) {
    (void)state;
    assert_false(ladder_figures_applies(&figures, 0, LADDER_FROM_BASE));
    assert_false(ladder_figures_applies(&figures, 0, LADDER_STEP));
    assert_false(ladder_figures_applies(&figures, 0, LADDER_TO_LAST));
    assert_false(ladder_figures_applies(&figures, RUNGS, LADDER_TO_LAST));
    assert_true(ladder_figures_applies(&figures, 0, LADDER_DORMANCY));
    assert_true(ladder_figure(&figures, LADDER_DRIFT, 0, TAUS) == 0.0);
    assert_true(isnan(ladder_figure(&figures, LADDER_STEP_DRIFT, 0, TAUS)));
    assert_false(ladder_figure_is_there(&figures, LADDER_STEP_DRIFT, 0));
    assert_false(ladder_figure_is_there(&figures, LADDER_GRADIENT_DORMANT, 0));
    assert_true(isnan(ladder_layer_figure(&figures, LADDER_DRIFT, 1, LAYERS, TAUS)));
}

static void figures_are_found_by_their_keys(void **state) {
    (void)state;
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        assert_int_equal(ladder_figure_find(ladder_figure_facts(figure)->key), figure);
    assert_int_equal(ladder_figure_find("drift"), LADDER_FIGURE_COUNT);
}

/* ---- on rows ---- */

static void distributions_are_those_of_the_pair(void **state) {
    (void)state;
    Pair *pair;
    Model *model;
    Evaluation *evaluation;
    EvaluationResult base, sft;
    for (size_t number = 1; number <= RUNGS; number++) {
        measure(number, LADDER_ROWS);
        measure(number, LADDER_PROMPT);
        assert_int_equal(pair_open(directories[0], directories[number], &pair, NULL), STATUS_OK);
        assert_int_equal(model_open(pair, &model, NULL), STATUS_OK);
        assert_int_equal(evaluation_create(model, &row, 1, 0, &evaluation, NULL), STATUS_OK);
        assert_int_equal(evaluation_prepare(evaluation, &base, &sft, job, NULL), STATUS_OK);
        assert_true(ladder_figure(&figures, LADDER_LOSS, number, TAUS) == sft.averages.loss);
        assert_true(ladder_figure(&figures, LADDER_ENTROPY, number, TAUS) == sft.averages.entropy);
        assert_true(ladder_figure(&figures, LADDER_PROMPT_ENTROPY, number, TAUS) == sft.averages.entropy);
        assert_true(ladder_figure(&figures, LADDER_LOSS, 0, TAUS) == base.averages.loss);
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free(evaluation);
        model_close(model);
        pair_close(pair);
    }
}

static void dormancy_is_that_of_the_rung_and_of_base(void **state) {
    (void)state;
    Pair *pair;
    Model *model;
    Dormancy dormancy;
    for (size_t number = 0; number <= 1; number++) {
        const Settings settings = settings_at((double)number);
        measure(number, LADDER_DORMANCY);
        assert_int_equal(pair_open(directories[0], directories[1], &pair, NULL), STATUS_OK);
        assert_int_equal(model_open(pair, &model, NULL), STATUS_OK);
        assert_int_equal(dormancy_run(model, &settings, &row, 1, number > 0, &dormancy, job, NULL),
                         STATUS_OK);
        double share = dormancy_share(dormancy.mlp_scores, LAYERS * dormancy.mlp, TAUS.tau);
        assert_true(share > 0 && share < 1);
        assert_true(ladder_figure(&figures, LADDER_DORMANT, number, TAUS) == share);
        double second = dormancy_share(dormancy.mlp_scores + dormancy.mlp, dormancy.mlp, TAUS.tau);
        assert_true(ladder_layer_figure(&figures, LADDER_DORMANT, number, 1, TAUS) == second);
        double learns = ladder_figure(&figures, LADDER_GRADIENT_DORMANT, number, TAUS);
        if (number > 0)
            assert_true(learns ==
                        dormancy_share(dormancy.gradient_scores, LAYERS * dormancy.mlp, TAUS.gradient_tau));
        else
            assert_true(isnan(learns));
        dormancy_free(&dormancy);
        model_close(model);
        pair_close(pair);
    }
}

/* ---- kept ---- */

/* A session of rung 2 would find it: it is there under the pair's contents, and is taken from there the next time, for
 * which the weights are no longer read. */
static void what_was_kept_is_what_a_session_keeps(void **state) {
    (void)state;
    enum { NUMBER = 2, LATER = 3600 };
    Cache *cache;
    Pair *pair;
    DriftTable *table;
    CacheOrigin origin = {.threads = job_threads(job)};
    char *directory = scratch_path("cache"), hex[HASH_HEX_SIZE];
    ahead = LATER;
    assert_int_equal(cache_create(directory, 0, &cache, NULL), STATUS_OK);
    assert_int_equal(cache_method_hash_rows(&row, 1, hex, NULL), STATUS_OK);
    const LadderKeep reading = {.cache = cache, .rows_hex = hex};
    const LadderKeep writing = {.cache = cache, .may_write = true, .rows_hex = hex};
    assert_false(measure_with(&reading, NUMBER, LADDER_FROM_BASE));
    assert_int_equal(pair_open(directories[0], directories[NUMBER], &pair, NULL), STATUS_OK);
    assert_false(cache_fingerprint_find(cache, pair->sft, origin.sft)); /* nothing was written */
    assert_false(measure_with(&writing, NUMBER, LADDER_FROM_BASE));
    assert_false(measure_with(&writing, NUMBER, LADDER_DORMANCY));
    assert_false(measure_with(&writing, NUMBER, LADDER_ROWS));
    assert_true(cache_fingerprint_find(cache, pair->base, origin.base));
    assert_true(cache_fingerprint_find(cache, pair->sft, origin.sft));
    assert_int_equal(drift_table_create(pair, &table, NULL), STATUS_OK);
    const CacheRecall recall = {.pair = pair, .drift = table};
    assert_true(cache_analysis_recall(cache, &origin, CACHE_ANALYSIS_DRIFT, &recall));
    DriftRow sum = {0};
    (void)drift_sum_all(table, &sum);
    assert_true(drift_value(&sum, DRIFT_RELATIVE_NORM) ==
                ladder_figure(&figures, LADDER_DRIFT, NUMBER, TAUS));
    double dormant = ladder_figure(&figures, LADDER_DORMANT, NUMBER, TAUS);
    double loss = ladder_figure(&figures, LADDER_LOSS, NUMBER, TAUS);
    ladder_figures_forget(&figures, LADDER_DORMANCY);
    ladder_figures_forget(&figures, LADDER_ROWS);
    assert_true(isnan(ladder_figure(&figures, LADDER_DORMANT, NUMBER, TAUS)));
    assert_true(measure_with(&reading, NUMBER, LADDER_DORMANCY));
    assert_true(measure_with(&reading, NUMBER, LADDER_ROWS));
    assert_true(ladder_figure(&figures, LADDER_DORMANT, NUMBER, TAUS) == dormant);
    assert_true(ladder_figure(&figures, LADDER_LOSS, NUMBER, TAUS) == loss);
    drift_table_free(table);
    pair_close(pair);
    cache_free(cache);
    free(directory);
    ahead = 0;
}

/* ---- what cannot be measured ---- */

static void a_part_that_cannot_be_measured_is_named_by_its_rung(void **state) {
    (void)state;
    const int32_t outside[] = {1, 61};
    const EvaluationRow wrong = {.ids = outside, .count = 2, .end = 2};
    const LadderKeep keep = {.cache = NULL};
    LadderRung rung = {.has = {false}};
    Error error = {0};
    assert_int_not_equal(ladder_measure(&ladder, 2, LADDER_ROWS, &wrong, 1, &keep, &rung, job, &error),
                         STATUS_OK);
    assert_false(rung.has[LADDER_ROWS]);
    assert_memory_equal(error.message, "rung 2: ", 8);
    job_cancel(job);
    assert_int_equal(ladder_measure(&ladder, 1, LADDER_STEP, NULL, 0, &keep, &rung, job, &error),
                     STATUS_CANCELLED);
    assert_false(rung.has[LADDER_STEP]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drift_is_that_of_the_two_checkpoints),
        cmocka_unit_test(what_has_no_meaning_does_not_apply),
        cmocka_unit_test(figures_are_found_by_their_keys),
        cmocka_unit_test(distributions_are_those_of_the_pair),
        cmocka_unit_test(dormancy_is_that_of_the_rung_and_of_base),
        cmocka_unit_test(what_was_kept_is_what_a_session_keeps),
        cmocka_unit_test(a_part_that_cannot_be_measured_is_named_by_its_rung),
    };
    return cmocka_run_group_tests(tests, open_ladder, close_ladder);
}
