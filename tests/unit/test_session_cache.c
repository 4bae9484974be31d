/*
 * Sessions one after another on the demo pair, with a cache between them: the second shows what the first
 * measured, bit for bit, and measures none of it.
 */
#include "core/files/json.h"
#include "events.h"
#include "scratch.h"
#include "tui/session/session.h"
#include "tui/session/session_cache.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_rollouts.h"

#include <dirent.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

enum { DEMO_ROWS = 3 };

static int write_rows(void **state) {
    events_open();
    if (scratch_make(state) != 0) return -1;
    char *text;
    size_t bytes, end = 0;
    if (json_read_text(TESTS_DIR "/demo/calibration.jsonl", 1 << 20, &text, &bytes, NULL) != STATUS_OK)
        return -1;
    for (int i = 0; i < DEMO_ROWS; i++) end += strcspn(text + end, "\n") + 1;
    scratch_write("rows.jsonl", text, end);
    scratch_write("other.jsonl", text, strcspn(text, "\n") + 1);
    free(text);
    return 0;
}

typedef struct Opening {
    const char *cache, *rows; /* in the scratch directory; NULL: none */
    unsigned threads;
    bool measures_drift, measures_method; /* seen among the running jobs */
    size_t notes;
    char note[256];
} Opening;

static Session *open_session(const Opening *opening) {
    Session *session;
    Error error = {0};
    char *cache = opening->cache == NULL ? NULL : scratch_path(opening->cache);
    char *rows = scratch_path(opening->rows);
    const SessionOptions options = {.base = TESTS_DIR "/demo/base",
                                    .sft = TESTS_DIR "/demo/sft",
                                    .calibration = rows,
                                    .cache = cache,
                                    .alpha = 0.5,
                                    .threads = opening->threads == 0 ? 2 : opening->threads};
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(cache);
    free(rows);
    return session;
}

static void watch(Session *session, Opening *opening) {
    SessionJob jobs[12];
    size_t count = session_jobs(session, jobs, 12);
    SessionTone tone;
    char text[256];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(jobs[i].label, "drift") == 0) opening->measures_drift = true;
        if (strcmp(jobs[i].label, "attribution") == 0 || strcmp(jobs[i].label, "drift of neurons") == 0)
            opening->measures_method = true;
    }
    while (session_take_message(session, &tone, text, sizeof text)) {
        if (strstr(text, "kept") == NULL) continue;
        opening->notes++;
        memcpy(opening->note, text, sizeof text);
    }
}

typedef bool (*Condition)(const Session *session);

static bool all_is_recalled(const Session *session) {
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (!session_was_recalled(session, (CacheAnalysis)what)) return false;
    }
    return true;
}

static bool all_is_kept(const Session *session) {
    for (int what = 0; what < CACHE_ANALYSIS_COUNT; what++) {
        if (!session_is_kept(session, (CacheAnalysis)what)) return false;
    }
    return true;
}

static bool five_targets_are_kept(const Session *session) {
    const Attribution *attribution = session_attribution(session);
    return attribution != NULL && attribution->target_count == 5 && all_is_kept(session);
}

static bool all_is_known(const Session *session) {
    return drift_table_ready(session_drift(session)) == drift_table_count(session_drift(session)) &&
           session_attribution(session) != NULL && session_dormancy(session, SIDE_BASE) != NULL &&
           session_dormancy(session, SIDE_SFT) != NULL && session_headline_sft(session) != NULL &&
           session_dormancy(session, SIDE_FUSED) != NULL;
}

static void wait_for(Session *session, Opening *opening, const char *what, Condition condition) {
    (void)fprintf(stderr, "waiting until %s\n", what);
    for (;; events_wait()) {
        watch(session,
              opening); /* a job that is done counts as running until it is collected: none is missed */
        (void)session_refresh(session);
        watch(session, opening);
        if (condition(session)) return;
    }
}

/* Opens, waits, and closes. */
static void visit(Opening *opening, const char *what, Condition condition) {
    Session *session = open_session(opening);
    wait_for(session, opening, what, condition);
    session_free(session);
}

/* A first session that leaves everything in the cache. */
static void fill(const char *cache) {
    Opening first = {.cache = cache, .rows = "rows.jsonl"};
    visit(&first, "kept", all_is_kept);
    assert_true(first.measures_drift && first.measures_method);
    assert_int_equal(first.notes, 0);
}

static void assert_same_bytes(const void *a, const void *b, size_t size) {
    assert_memory_equal(a, b, size);
}

static void assert_same_results(const Session *a, const Session *b) {
    const Attribution *x = session_attribution(a), *y = session_attribution(b);
    assert_int_equal(x->target_count, y->target_count);
    for (size_t i = 0; i < x->target_count; i++) {
        assert_int_equal(x->targets[i].row, y->targets[i].row);
        assert_int_equal(x->targets[i].position, y->targets[i].position);
        assert_same_bytes(&x->targets[i].logit_linear, &y->targets[i].logit_linear, sizeof(double));
    }
    assert_same_bytes(x->best_rank, y->best_rank, x->neurons * sizeof(int32_t));
    assert_same_bytes(x->best_target, y->best_target, x->neurons * sizeof(int32_t));
    assert_same_bytes(x->best_score, y->best_score, x->neurons * sizeof(float));
    assert_same_bytes(x->masses, y->masses, x->blocks * sizeof(double));
    for (Side side = SIDE_BASE; side <= SIDE_SFT; side++) {
        const Dormancy *m = session_dormancy(a, side), *n = session_dormancy(b, side);
        size_t layers = (size_t)m->layers;
        assert_same_bytes(m->mlp_scores, n->mlp_scores, layers * m->mlp * sizeof(double));
        assert_same_bytes(m->channel_scores, n->channel_scores, layers * m->channels * sizeof(double));
        assert_same_bytes(m->head_scores, n->head_scores, layers * m->heads * sizeof(double));
        if (side == SIDE_SFT)
            assert_same_bytes(m->gradient_scores, n->gradient_scores, layers * m->mlp * sizeof(double));
    }
    for (uint64_t i = 0; i < x->neurons; i++) {
        NeuronScores p, q;
        session_neuron(a, i, &p);
        session_neuron(b, i, &q);
        assert_same_bytes(&p.drift, &q.drift, sizeof p.drift);
        assert_int_equal(p.rank, q.rank);
        assert_int_equal(p.is_reset, q.is_reset);
    }
    for (size_t i = 0; i < drift_table_count(session_drift(a)); i++) {
        DriftRow p, q;
        assert_true(drift_table_row(session_drift(a), i, &p) && drift_table_row(session_drift(b), i, &q));
        for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
            double u = drift_value(&p, metric), v = drift_value(&q, metric);
            assert_same_bytes(&u, &v, sizeof u);
        }
    }
}

static void a_second_session_measures_nothing_and_shows_the_same(void **state) {
    (void)state;
    fill("same");
    Opening plain = {.rows = "rows.jsonl"}, second = {.cache = "same", .rows = "rows.jsonl"};
    Session *measured = open_session(&plain), *recalled = open_session(&second);
    session_set_rho(measured, 0.01);
    session_set_rho(recalled, 0.01);
    wait_for(recalled, &second, "recalled", all_is_recalled);
    const DistributionAverages averages = *session_headline_sft(recalled); /* before they are measured */
    wait_for(measured, &plain, "measured", all_is_known);
    wait_for(recalled, &second, "complete", all_is_known);
    assert_true(plain.measures_drift && plain.measures_method);
    assert_false(second.measures_drift);
    assert_false(second.measures_method);
    assert_false(session_was_recalled(measured, CACHE_ANALYSIS_DRIFT));
    assert_same_results(measured, recalled);
    assert_same_bytes(&averages, session_headline_sft(measured), sizeof averages);
    session_free(measured);
    session_free(recalled);
}

static void other_rows_are_measured_but_drift_is_known(void **state) {
    (void)state;
    fill("rows");
    Opening other = {.cache = "rows", .rows = "other.jsonl"};
    Session *session = open_session(&other);
    wait_for(session, &other, "kept", all_is_kept);
    assert_false(other.measures_drift);
    assert_true(other.measures_method);
    assert_true(session_was_recalled(session, CACHE_ANALYSIS_DRIFT));
    assert_true(session_was_recalled(session, CACHE_ANALYSIS_NEURON_DRIFT)); /* of no rows either */
    assert_false(session_was_recalled(session, CACHE_ANALYSIS_ATTRIBUTION));
    assert_false(session_was_recalled(session, CACHE_ANALYSIS_DORMANCY_SFT));
    session_free(session);
}

static void another_number_of_targets_is_another_attribution(void **state) {
    (void)state;
    fill("targets");
    for (int time = 0; time < 2; time++) {
        Opening opening = {.cache = "targets", .rows = "rows.jsonl"};
        Session *session = open_session(&opening);
        wait_for(session, &opening, "recalled", all_is_recalled);
        assert_false(opening.measures_method);
        session_set_targets(session, 5);
        wait_for(session, &opening, "kept", five_targets_are_kept);
        assert_int_equal(session_was_recalled(session, CACHE_ANALYSIS_ATTRIBUTION), time == 1);
        session_free(session);
    }
}

static void another_number_of_threads_measures_what_may_differ_by_it(void **state) {
    (void)state;
    fill("threads");
    Opening single = {.cache = "threads", .rows = "rows.jsonl", .threads = 1};
    Session *session = open_session(&single);
    wait_for(session, &single, "complete", all_is_known);
    assert_false(single.measures_drift);
    assert_true(session_was_recalled(session, CACHE_ANALYSIS_NEURON_DRIFT));
    assert_false(session_was_recalled(session, CACHE_ANALYSIS_ATTRIBUTION));
    session_free(session);
}

/* Calls `act` with the path of every file in the cache; how many. */
static size_t for_each_entry(const char *cache, void (*act)(const char *path)) {
    char *directory = memory_format("%s/%s", scratch_root, cache);
    DIR *stream = opendir(directory);
    size_t count = 0;
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "file-", 5) == 0) continue;
        char *path = memory_format("%s/%s", directory, entry->d_name);
        act(path);
        free(path);
        count++;
    }
    assert_int_equal(closedir(stream), 0);
    free(directory);
    return count;
}

static void damage(const char *path) {
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)facts.st_size / 2, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, (long)facts.st_size / 2, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0x10, file), byte ^ 0x10);
    assert_int_equal(fclose(file), 0);
}

static void empty(const char *path) {
    assert_int_equal(truncate(path, 0), 0);
}

static void damaged_entries_are_measured_again_and_rebuilt(void **state) {
    (void)state;
    static void (*const HARMS[])(const char *) = {damage, empty};
    fill("damaged");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(for_each_entry("damaged", HARMS[i]), CACHE_ANALYSIS_COUNT);
        Opening after = {.cache = "damaged", .rows = "rows.jsonl"};
        visit(&after, "kept", all_is_kept);
        assert_true(after.measures_drift && after.measures_method);
        assert_int_equal(after.notes, 0);
        Opening again = {.cache = "damaged", .rows = "rows.jsonl"};
        visit(&again, "recalled", all_is_recalled);
        assert_false(again.measures_drift || again.measures_method);
    }
}

static void a_cache_that_cannot_be_written_costs_one_note(void **state) {
    (void)state;
    scratch_write_text("wall", "");
    Opening opening = {.cache = "wall/cache", .rows = "rows.jsonl"};
    Session *session = open_session(&opening);
    wait_for(session, &opening, "complete", all_is_known);
    for (int i = 0; i < 100; i++) {
        (void)session_refresh(session);
        watch(session, &opening);
    }
    assert_int_equal(opening.notes, 1);
    assert_non_null(strstr(opening.note, "analyses are not kept for the next time: "));
    assert_non_null(strstr(opening.note, "/wall"));
    session_free(session);
}

static bool looks_for_what_is_kept(Session *session) {
    SessionJob jobs[12];
    size_t count = session_jobs(session, jobs, 12);
    for (size_t i = 0; i < count; i++)
        if (strcmp(jobs[i].label, "kept analyses") == 0) return true;
    return false;
}

/* Without rows nothing else runs that would have anybody look again. */
static void the_scan_begins_with_the_look_that_finds_nothing_kept(void **state) {
    (void)state;
    Session *session;
    Error error = {0};
    char *cache = scratch_path("none");
    const SessionOptions options = {
        .base = TESTS_DIR "/demo/base", .sft = TESTS_DIR "/demo/sft", .cache = cache, .threads = 2};
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(looks_for_what_is_kept(session));
    while ((void)session_refresh(session), looks_for_what_is_kept(session)) events_wait();
    assert_true(session_drift_is_running(session) ||
                drift_table_ready(session_drift(session)) == drift_table_count(session_drift(session)));
    session_free(session);
    free(cache);
}

enum { DRAWN = 8 };

static bool samples_are_over(const Session *session) {
    return !session_rollouts(session).is_running;
}

static size_t counted_samples, counted_scores, counted_gradients;

static void count_kind(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    counted_samples += strncmp(name, "samples-", 8) == 0;
    counted_scores += strncmp(name, "sample-scores-", 14) == 0;
    counted_gradients += strncmp(name, "gradient-", 9) == 0;
}

/* Samples at an α, with their gradient; what there is of each kind in the cache afterwards. */
static Session *draw(const char *cache, double alpha) {
    Opening opening = {.cache = cache, .rows = "rows.jsonl"};
    Session *session = open_session(&opening);
    Error error = {0};
    wait_for(session, &opening, "kept", all_is_kept);
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    choice.samples = DRAWN; /* few might be the same of two states, and be kept as one */
    choice.most_tokens = 32;
    assert_int_equal(session_rollouts_choose(session, &choice, &error), STATUS_OK);
    session_set_alpha(session, alpha);
    session_start_rollouts(session);
    session_start_rollouts_gradient(session);
    wait_for(session, &opening, "sampled", samples_are_over);
    if (session_rollouts(session).error != NULL) fail_msg("%s", session_rollouts(session).error);
    assert_true(session_rollouts(session).has_gradient);
    counted_samples = counted_scores = counted_gradients = 0;
    (void)for_each_entry(cache, count_kind);
    return session;
}

static void samples_come_back_and_only_w_is_drawn_anew(void **state) {
    (void)state;
    Session *first = draw("samples", 0.5);
    assert_int_equal(counted_samples, SIDE_COUNT);
    assert_int_equal(counted_scores, SIDE_COUNT);
    assert_int_equal(counted_gradients, SIDE_COUNT);
    Session *second = draw("samples", 0.5);
    assert_int_equal(counted_samples, SIDE_COUNT); /* nothing was measured under another key */
    assert_int_equal(counted_gradients, SIDE_COUNT);
    SessionRollouts before = session_rollouts(first), after = session_rollouts(second);
    for (size_t c = 0; c < SIDE_COUNT; c++) {
        assert_true(before.column[c].figures->average.value == after.column[c].figures->average.value);
        assert_memory_equal(before.column[c].scores->entropy, after.column[c].scores->entropy,
                            sizeof before.column[c].scores->entropy);
        assert_true(session_rollouts_gradient(first, (Side)c, GRADIENT_ALL, TENSOR_ROLE_COUNT, false) ==
                    session_rollouts_gradient(second, (Side)c, GRADIENT_ALL, TENSOR_ROLE_COUNT, false));
        for (size_t g = 0; g < before.groups; g++)
            for (size_t i = 0; i < DRAWN; i++)
                assert_string_equal(before.column[c].set->groups[g].samples[i].text,
                                    after.column[c].set->groups[g].samples[i].text);
    }
    session_free(first);
    session_free(second);
    session_free(draw("samples", 0.25));
    assert_int_equal(counted_samples, SIDE_COUNT + 1);
    assert_int_equal(counted_scores, 2 * SIDE_COUNT); /* under another W */
}

static void a_session_with_a_cache_can_be_left_at_any_moment(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) {
        Opening opening = {.cache = i % 2 == 0 ? "left" : "same", .rows = "rows.jsonl"};
        Session *session = open_session(&opening);
        for (int turn = 0; turn < i * i; turn++) {
            (void)session_refresh(session);
            const struct timespec pause = {0, 100000};
            (void)nanosleep(&pause, NULL);
        }
        session_free(session);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_session_measures_nothing_and_shows_the_same),
        cmocka_unit_test(other_rows_are_measured_but_drift_is_known),
        cmocka_unit_test(another_number_of_targets_is_another_attribution),
        cmocka_unit_test(another_number_of_threads_measures_what_may_differ_by_it),
        cmocka_unit_test(damaged_entries_are_measured_again_and_rebuilt),
        cmocka_unit_test(a_cache_that_cannot_be_written_costs_one_note),
        cmocka_unit_test(the_scan_begins_with_the_look_that_finds_nothing_kept),
        cmocka_unit_test(a_session_with_a_cache_can_be_left_at_any_moment),
        cmocka_unit_test(samples_come_back_and_only_w_is_drawn_anew),
    };
    return cmocka_run_group_tests(tests, write_rows, scratch_remove);
}
