/*
 * Changing the calibration rows of a session: what is measured anew, what stays, what is refused.
 */
#include "core/files/hash.h"
#include "session_fixture.h"
#include "tests/file_opens.h"
#include "tui/session/session.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/text/text.h"

static bool rows_are_two(const Session *session) {
    const Calibration *rows = session_calibration(session, NULL);
    return rows != NULL && rows->count == 2;
}

static bool rows_are_of_a_file(const Session *session) {
    return session_calibration_file(session) != NULL;
}

static bool rows_are_not_read(const Session *session) {
    SessionJob jobs[12];
    size_t count = session_jobs((Session *)(uintptr_t)session, jobs, 12);
    for (size_t i = 0; i < count; i++)
        if (strcmp(jobs[i].label, "reading rows") == 0) return false;
    return true;
}

/* The first two rows of few.jsonl as a file of their own; the caller frees its path. */
static char *write_two(void) {
    char *text, *few = scratch_path("few.jsonl");
    size_t bytes, end = 0;
    assert_int_equal(json_read_text(few, 1 << 20, &text, &bytes, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++) end += strcspn(text + end, "\n") + 1;
    scratch_write("two.jsonl", text, end);
    free(text);
    free(few);
    return scratch_path("two.jsonl");
}

static void must_load(Session *session, const char *path) {
    Error error = {0};
    if (session_load_rows(session, path, &error) != STATUS_OK) fail_msg("%s", error.message);
}

/* All messages so far, the last of them in `text`. */
static void take_last_message(Session *session, char *text, size_t size) {
    SessionTone tone;
    text[0] = '\0';
    while (session_take_message(session, &tone, text, size)) continue;
}

static void another_file_is_measured_as_if_it_had_been_opened_with(void **state) {
    (void)state;
    char *two = write_two(), sum[HASH_HEX_SIZE];
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    must_load(session, two);
    assert_int_equal(session_calibration(session, NULL)->count,
                     DEMO_ROWS); /* the old, until the new are there */
    wait_for(session, "rows", rows_are_two);
    assert_null(session_attribution(session));
    assert_null(session_dormancy(session, SIDE_SFT));
    assert_false(neurons_are_ranked(session));
    assert_string_equal(session_calibration_file(session), two);
    wait_for(session, "headlines", headline_is_fresh);
    wait_for(session, "neurons", method_is_complete);
    Session *fresh = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", two);
    wait_for(fresh, "headlines", headline_is_fresh);
    wait_for(fresh, "neurons", method_is_complete);
    assert_memory_equal(session_headline_fused(session), session_headline_fused(fresh),
                        sizeof(DistributionAverages));
    const Ranking *ranking = session_settings(session)->ranking, *expected = session_settings(fresh)->ranking;
    assert_memory_equal(ranking->ranks, expected->ranks,
                        (size_t)neurons_count(&ranking->table) * sizeof *ranking->ranks);
    assert_int_equal(hash_file(two, NULL, NULL, sum, NULL), STATUS_OK);
    assert_string_equal(ranking->origin.calibration_sha256, sum);
    session_free(fresh);
    session_free(session);
    free(two);
}

/* Opened twice, for its rows and for their sum, it might be another file the second time. */
static void a_file_is_opened_once_for_its_rows_and_their_sum(void **state) {
    (void)state;
    char *few = scratch_path("few.jsonl"), *two = write_two();
    int first = file_opens_watch(few), second = file_opens_watch(two);
    Session *session = open_demo();
    settle(session);
    assert_int_equal(file_opens_count(first), 1);
    must_load(session, two);
    wait_for(session, "rows", rows_are_two);
    settle(session);
    assert_int_equal(file_opens_count(second), 1);
    session_free(session);
    free(few);
    free(two);
}

static void settings_may_keep_the_ranking_of_the_old_rows(void **state) {
    (void)state;
    char *two = write_two();
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    session_set_rho(session, 0.01);
    Settings kept = *session_settings(session);
    uint64_t before = ranking_count(kept.ranking, settings_cut(&kept));
    must_load(session, two);
    wait_for(session, "rows", rows_are_two);
    assert_null(session_settings(session)->ranking); /* ρ waits for the new one */
    wait_for(session, "ranking", neurons_are_ranked);
    assert_ptr_not_equal(session_settings(session)->ranking, kept.ranking);
    assert_int_equal(ranking_count(kept.ranking, settings_cut(&kept)), before);
    session_free(session);
    free(two);
}

static void a_file_that_is_refused_leaves_everything_as_it_was(void **state) {
    (void)state;
    static char many[2 * (SESSION_ROWS_LIMIT + 1)];
    for (size_t i = 0; i < sizeof many; i++) many[i] = i % 2 == 0 ? 'a' : '\n';
    static const struct {
        const char *name, *text, *words;
        size_t bytes;
    } FILES[] = {{"missing.jsonl", NULL, "No such file", 0},
                 {"empty.jsonl", "", "expected one row at least", 0},
                 {"bad.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": 7}\n", "bad.jsonl, line 2", 30},
                 {"many.txt", many, "expected 10000 calibration rows at most", sizeof many}};
    Session *session = open_demo();
    wait_for(session, "headlines", headline_is_fresh);
    wait_for(session, "neurons", method_is_complete);
    settle(session);
    DistributionAverages before = *session_headline_fused(session);
    const Ranking *ranking = session_settings(session)->ranking;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char message[512], *path = scratch_path(FILES[i].name);
        if (FILES[i].text != NULL) scratch_write(FILES[i].name, FILES[i].text, FILES[i].bytes);
        take_last_message(session, message, sizeof message);
        must_load(session, path);
        wait_for(session, "end of reading", rows_are_not_read);
        take_last_message(session, message, sizeof message);
        if (strstr(message, FILES[i].words) == NULL || strstr(message, "the old rows stay") == NULL)
            fail_msg("expected \"%s\" and that the old rows stay; found \"%s\"", FILES[i].words, message);
        assert_int_equal(session_calibration(session, NULL)->count, DEMO_ROWS);
        assert_memory_equal(session_headline_fused(session), &before, sizeof before);
        assert_ptr_equal(session_settings(session)->ranking, ranking);
        free(path);
    }
    session_free(session);
}

static void rows_come_to_a_session_that_had_none(void **state) {
    (void)state;
    char *two = write_two();
    Error error = {0};
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_int_equal(session_return_to_file(session, &error), STATUS_ARGUMENT);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_ARGUMENT); /* there is no prompt */
    must_load(session, two);
    wait_for(session, "headlines", headline_is_fresh);
    assert_int_equal(session_current_example(session), 0); /* and a first prompt with them */
    session_free(session);
    free(two);
}

static void the_prompt_on_screen_is_measured_at_its_last_position(void **state) {
    (void)state;
    Error error = {0};
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    assert_int_equal(session_set_prompt(session, "Jack finds 3 pens", 17, &error), STATUS_OK);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_OK);
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    const Calibration *rows = session_calibration(session, NULL);
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows->response_tokens, 0);
    assert_int_equal(rows->rows[0].count, count);
    assert_memory_equal(rows->rows[0].ids, ids, count * sizeof *ids);
    EvaluationRow measured = calibration_positions(&rows->rows[0], true);
    assert_true(measured.first == count - 1 && measured.end == count);
    assert_null(session_calibration_file(session));
    assert_int_equal(session_current_example(session), 0);
    wait_for(session, "headlines", headline_is_fresh);
    wait_for(session, "neurons", method_is_complete);
    assert_int_equal(session_attribution(session)->target_count, 1);
    /* of 32 targets that were asked for, there is one: that is what a recipe says */
    assert_int_equal(session_settings(session)->ranking->origin.targets, 1);
    session_free(session);
}

static void without_a_response_there_is_no_order_by_gradient(void **state) {
    (void)state;
    Error error = {0};
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    assert_int_equal(session_set_prompt(session, "Jack finds 3 pens", 17, &error), STATUS_OK);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_OK);
    wait_for(session, "headlines", headline_is_fresh);
    wait_for(session, "neurons", method_is_complete);
    session_set_selector(session, SELECTOR_GRADIENT);
    assert_false(neurons_are_ranked(session));
    assert_non_null(strstr(session_ranking_message(session), "no response"));
    session_set_selector(session, SELECTOR_DORMANCY); /* of activations, which every token has */
    assert_true(neurons_are_ranked(session));
    assert_null(session_ranking_message(session));
    session_set_selector(session, SELECTOR_GRADIENT);
    char *few = scratch_path("few.jsonl");
    must_load(session, few);
    wait_for(session, "rows", rows_are_of_a_file);
    wait_for(session, "ranking", neurons_are_ranked);
    assert_int_equal(session_settings(session)->ranking->origin.selector, SELECTOR_GRADIENT);
    free(few);
    session_free(session);
}

static void a_continuation_is_the_response_and_a_saved_file_has_the_same_sum(void **state) {
    (void)state;
    Error error = {0};
    char sum[HASH_HEX_SIZE], *path = scratch_path("saved.jsonl");
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    session_continuation(session)->tokens = 4;
    session_continuation(session)->side = SIDE_SFT;
    assert_int_equal(session_continue(session, &error), STATUS_OK);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_ARGUMENT); /* it is on its way */
    while (session_is_continuing(session)) {
        events_wait();
        (void)session_refresh(session);
    }
    size_t added = session_prompt_added(session);
    assert_true(added > 0);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_OK);
    assert_int_equal(session_calibration(session, NULL)->response_tokens, added);
    assert_int_equal(session_prompt_added(session), added); /* the screen stays as it is */
    wait_for(session, "ranking", neurons_are_ranked);
    char before[HASH_HEX_SIZE];
    memcpy(before, session_settings(session)->ranking->origin.calibration_sha256, sizeof before);
    assert_int_equal(session_save_rows(session, path, &error), STATUS_OK);
    assert_int_equal(hash_file(path, NULL, NULL, sum, NULL), STATUS_OK);
    assert_string_equal(sum, before);
    assert_string_equal(session_calibration_file(session), path);
    assert_true(neurons_are_ranked(session));                              /* nothing is measured again */
    assert_int_equal(session_save_rows(session, path, &error), STATUS_IO); /* never over a file */
    Calibration *again;
    const CalibrationReading reading = {.config = session_model(session)->config};
    assert_int_equal(calibration_read(path, &reading, NULL, &again, &error), STATUS_OK);
    const CalibrationRow *row = &session_calibration(session, NULL)->rows[0];
    assert_int_equal(again->rows[0].count, row->count);
    assert_int_equal(again->rows[0].prompt_count, row->prompt_count);
    assert_memory_equal(again->rows[0].ids, row->ids, row->count * sizeof *row->ids);
    calibration_free(again);
    session_free(session);
    free(path);
}

static void one_goes_back_to_the_file(void **state) {
    (void)state;
    Error error = {0};
    char *few = scratch_path("few.jsonl");
    Session *session = open_demo();
    wait_for(session, "headlines", headline_is_fresh);
    DistributionAverages before = *session_headline_sft(session);
    assert_int_equal(session_return_to_file(session, &error), STATUS_ARGUMENT); /* one is there */
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_OK);
    assert_string_equal(session_last_rows_file(session), few);
    assert_int_equal(session_return_to_file(session, &error), STATUS_OK);
    wait_for(session, "file", rows_are_of_a_file);
    wait_for(session, "headlines", headline_is_fresh);
    assert_memory_equal(session_headline_sft(session), &before, sizeof before);
    session_free(session);
    free(few);
}

static void a_bad_first_file_is_forgotten_with_its_finding(void **state) {
    (void)state;
    char *two = write_two();
    scratch_write("bad.jsonl", "{\n", 2);
    char *bad = scratch_path("bad.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", bad);
    wait_for(session, "tokenizer", tokenizer_is_there);
    size_t findings = session_finding_count(session);
    assert_string_equal(session_finding(session, 0)->subject, "calibration");
    must_load(session, two);
    wait_for(session, "rows", rows_are_two);
    assert_int_equal(session_finding_count(session), findings - 1);
    session_free(session);
    free(bad);
    free(two);
}

static void rows_may_change_while_everything_is_being_measured(void **state) {
    (void)state;
    Error error;
    char *two = write_two();
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    for (int i = 0; i < 6; i++) {
        for (int n = 0; n < 5 * i; n++) {
            (void)session_refresh(session);
            events_wait();
        }
        Status status =
            i % 2 == 0 ? session_use_prompt_rows(session, &error) : session_load_rows(session, two, &error);
        assert_true(status == STATUS_OK || status == STATUS_ARGUMENT); /* one may still be read */
    }
    wait_for(session, "end of reading", rows_are_not_read);
    wait_for(session, "neurons", method_is_complete);
    session_free(session);
    free(two);
}

static void what_the_rows_are_fits_its_place(void **state) {
    (void)state;
    char text[SESSION_ROWS_TEXT];
    Session *session = open_demo();
    wait_for(session, "headlines", headline_is_fresh);
    session_describe_rows(session, 100, text);
    assert_non_null(strstr(text, "5 rows, "));
    assert_non_null(strstr(text, " of responses) of few.jsonl"));
    for (int columns = 100; columns >= 0; columns--) {
        session_describe_rows(session, columns, text);
        assert_true(text_width(text) <= columns);
        if (columns >= 16) assert_non_null(strstr(text, "5 rows, "));
    }
    session_free(session);
}

static bool rows_are_there(const Session *session) {
    return session_calibration(session, NULL) != NULL;
}

/* The first file's, and one's that is read later. */
static void rows_end_as_the_session_was_told(void **state) {
    (void)state;
    Error error = {0};
    char *few = scratch_path("few.jsonl"), *two = write_two();
    const SessionOptions options = {.base = TESTS_DIR "/demo/base",
                                    .sft = TESTS_DIR "/demo/sft",
                                    .calibration = few,
                                    .end_token = "7",
                                    .threads = 2};
    Session *session;
    char text[SESSION_ROWS_TEXT];
    events_open();
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "rows", rows_are_there);
    assert_int_equal(session_calibration(session, NULL)->end.id, 7);
    assert_int_equal(session_calibration(session, NULL)->ended, DEMO_ROWS);
    session_describe_rows_and_end(session, 200, text);
    assert_non_null(strstr(text, "few.jsonl, ended by ( (--end-token)")); /* piece 7 */
    must_load(session, two);
    wait_for(session, "rows", rows_are_two);
    assert_int_equal(session_calibration(session, NULL)->end.id, 7);
    session_free(session);
    free(few);
    free(two);
}

static size_t count_row_findings(const Session *session) {
    size_t count = 0;
    for (size_t i = 0; i < session_finding_count(session); i++)
        count += strcmp(session_finding(session, i)->subject, SESSION_ROWS_SUBJECT) == 0;
    return count;
}

static void rows_that_are_too_long_are_a_finding_until_others_come(void **state) {
    (void)state;
    Error error = {0};
    char row[4096] = "{\"prompt_ids\": [1";
    for (int i = 0; i < 400; i++) strcat(row, ", 1"); /* the demo has 256 positions */
    strcat(row, "]}\n");
    scratch_write("long.jsonl", row, strlen(row));
    char *path = scratch_path("long.jsonl"), *two = write_two();
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    wait_for(session, "rows", rows_are_there);
    assert_int_equal(count_row_findings(session), 1);
    must_load(session, two);
    wait_for(session, "rows", rows_are_two);
    assert_int_equal(count_row_findings(session), 0);
    must_load(session, path);
    wait_for(session, "rows", rows_are_of_a_file);
    while (session_calibration(session, NULL) == NULL || session_calibration(session, NULL)->count != 1) {
        events_wait();
        (void)session_refresh(session);
    }
    assert_int_equal(count_row_findings(session), 1);
    assert_int_equal(session_load_rows(session, "-", &error), STATUS_OK); /* refused where it is read: */
    wait_for(session, "end of reading", rows_are_not_read);
    assert_int_equal(session_calibration(session, NULL)->count, 1); /* the old rows stay */
    session_free(session);
    free(path);
    free(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_file_is_measured_as_if_it_had_been_opened_with),
        cmocka_unit_test(a_file_is_opened_once_for_its_rows_and_their_sum),
        cmocka_unit_test(settings_may_keep_the_ranking_of_the_old_rows),
        cmocka_unit_test(a_file_that_is_refused_leaves_everything_as_it_was),
        cmocka_unit_test(rows_come_to_a_session_that_had_none),
        cmocka_unit_test(the_prompt_on_screen_is_measured_at_its_last_position),
        cmocka_unit_test(without_a_response_there_is_no_order_by_gradient),
        cmocka_unit_test(a_continuation_is_the_response_and_a_saved_file_has_the_same_sum),
        cmocka_unit_test(one_goes_back_to_the_file),
        cmocka_unit_test(a_bad_first_file_is_forgotten_with_its_finding),
        cmocka_unit_test(rows_may_change_while_everything_is_being_measured),
        cmocka_unit_test(what_the_rows_are_fits_its_place),
        cmocka_unit_test(rows_end_as_the_session_was_told),
        cmocka_unit_test(rows_that_are_too_long_are_a_finding_until_others_come),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
