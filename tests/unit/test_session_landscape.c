/*
 * The landscape as a session offers it: asked for, one after another, piece by piece, cancelled, kept, and told from
 * what the dials have made of it since. Figures are the engine's (golden/test_landscape.c) on the same rows.
 */
#include "session_fixture.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_landscape.h"
#include "views/views.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POINTS = 3 };

static SessionLandscapeKind wanted;

static bool wanted_is_there(const Session *session) {
    SessionLandscape shown = session_landscape(session, wanted);
    return shown.total > 0 && shown.ready == shown.total && !shown.is_running;
}

static bool wanted_has_begun(const Session *session) {
    return session_landscape(session, wanted).ready > 0;
}

static bool wanted_is_over(const Session *session) {
    return !session_landscape(session, wanted).is_running;
}

static SessionLandscape measure(Session *session, SessionLandscapeKind kind) {
    wanted = kind;
    settle(session); /* rows are read first */
    session_start_landscape(session, kind);
    assert_true(session_landscape(session, kind).is_running);
    wait_for(session, "landscape", wanted_is_there);
    return session_landscape(session, kind);
}

/* Little to measure. */
static Session *open_small(void) {
    Session *session = open_demo();
    SessionLandscapeChoice choice = session_landscape_choice(session);
    choice.line = (Range){.from = 0.0, .to = 1.0, .points = POINTS};
    choice.plane = (Range){.from = -0.1, .to = 0.1, .points = POINTS};
    choice.sigma = 0.05;
    choice.directions = 2;
    choice.seed = 7;
    assert_true(session_landscape_choose(session, &choice));
    return session;
}

static void nothing_is_measured_unasked(void **state) {
    (void)state;
    Session *session = open_demo();
    settle(session);
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) {
        SessionLandscape shown = session_landscape(session, kind);
        assert_true(shown.total == 0 && shown.ready == 0 && !shown.is_running && shown.error == NULL);
        assert_null(session_landscape_message(session, kind));
        assert_true(session_landscape_seconds(session, kind) > 0.0);
    }
    assert_int_equal(session_landscape_points(session, SESSION_LANDSCAPE_SHARPNESS), 3 * 21);
    session_free(session);
}

static void the_line_is_the_engines_and_of_no_dials(void **state) {
    (void)state;
    Session *session = open_small();
    SessionLandscape shown = measure(session, SESSION_LANDSCAPE_LINE);
    const double alphas[POINTS] = {0.0, 0.5, 1.0};
    double expected[POINTS];
    Error error = {0};
    assert_int_equal(
        landscape_measure_line(session_headline_evaluation(session), alphas, POINTS, expected, NULL, &error),
        STATUS_OK);
    assert_int_equal(shown.total, POINTS);
    for (size_t i = 0; i < POINTS; i++)
        assert_true(fabs(shown.losses[i] - expected[i]) <= 1e-6 * expected[i]);
    SessionLandscapeExtent extent;
    assert_true(session_landscape_find_extent(&shown, &extent));
    assert_int_equal(extent.smallest, 1); /* between the two is less than at either */
    assert_true(extent.low == shown.losses[1] && extent.high > extent.low);
    session_set_alpha(session, 0.2);
    assert_false(session_landscape(session, SESSION_LANDSCAPE_LINE).is_stale);
    session_free(session);
}

static void the_plane_is_around_w_and_says_when_w_has_moved(void **state) {
    (void)state;
    Session *session = open_small();
    SessionLandscape shown = measure(session, SESSION_LANDSCAPE_PLANE);
    assert_int_equal(shown.total, POINTS * POINTS);
    Directions *directions;
    Error error = {0};
    const Settings at = settings_at(0.5);
    const double steps[POINTS] = {-0.1, 0.0, 0.1};
    double expected[POINTS * POINTS];
    assert_int_equal(direction_measure(session_model(session), &at, &directions, NULL, &error), STATUS_OK);
    const LandscapePlace place = {session_headline_evaluation(session), &at, directions, 7};
    assert_int_equal(landscape_measure_plane(&place, steps, POINTS, expected, NULL, &error), STATUS_OK);
    direction_free(directions);
    for (size_t i = 0; i < POINTS * POINTS; i++)
        assert_true(fabs(shown.losses[i] - expected[i]) <= 1e-6 * expected[i]);
    assert_false(shown.is_stale);
    session_set_alpha(session, 0.4);
    assert_true(session_landscape(session, SESSION_LANDSCAPE_PLANE).is_stale);
    session_set_alpha(session, 0.5);
    assert_false(session_landscape(session, SESSION_LANDSCAPE_PLANE).is_stale);
    session_free(session);
}

/* Base, but for the sign of every sixteenth element of two bytes. */
static char *write_third(const char *name) {
    size_t bytes;
    uint64_t header;
    Error error = {0};
    char *weights, *directory = scratch_path(name), *config = memory_format("%s/config.json", directory),
                   *file = memory_format("%s/model.safetensors", directory);
    if (json_read_text(TESTS_DIR "/demo/base/model.safetensors", 1 << 24, &weights, &bytes, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    memcpy(&header, weights, sizeof header);
    for (size_t at = sizeof header + header + 1; at < bytes; at += 32)
        weights[at] = (char)(weights[at] ^ '\x80');
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(symlink(TESTS_DIR "/demo/base/config.json", config), 0);
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_true(fwrite(weights, 1, bytes, out) == bytes && fclose(out) == 0);
    free(weights);
    free(config);
    free(file);
    return directory;
}

static void choose_third(Session *session, const char *directory) {
    SessionLandscapeChoice choice = session_landscape_choice(session);
    choice.third = directory;
    choice.triangle = (Range){.from = 0.0, .to = 1.0, .points = POINTS};
    assert_true(session_landscape_choose(session, &choice));
}

static void the_plane_goes_through_a_third_checkpoint_and_is_of_no_dials(void **state) {
    (void)state;
    Session *session = open_small();
    char *third = write_third("third");
    (void)measure(session, SESSION_LANDSCAPE_PLANE);
    SessionLandscape shown = session_landscape(session, SESSION_LANDSCAPE_PLANE);
    choose_third(session, third);
    SessionLandscapeChoice choice = session_landscape_choice(session);
    assert_true(session_landscape_differs(&shown, SESSION_LANDSCAPE_PLANE, &choice));
    shown = measure(session, SESSION_LANDSCAPE_PLANE);
    Triangle *triangle;
    Error error = {0};
    const double steps[POINTS] = {0.0, 0.5, 1.0};
    double expected[POINTS * POINTS];
    assert_int_equal(triangle_open(session_model(session), third, &triangle, NULL, &error), STATUS_OK);
    assert_int_equal(landscape_measure_triangle(session_headline_evaluation(session), triangle, steps, POINTS,
                                                expected, NULL, &error),
                     STATUS_OK);
    for (size_t i = 0; i < POINTS * POINTS; i++)
        assert_true(fabs(shown.losses[i] - expected[i]) <= 1e-6 * expected[i]);
    assert_true(shown.triangle->x == triangle->x && shown.triangle->y == triangle->y && triangle->y > 0.0);
    const Triangle *opened = shown.triangle;
    triangle_free(triangle);
    session_set_alpha(session, 0.1);
    assert_false(session_landscape(session, SESSION_LANDSCAPE_PLANE).is_stale);
    choice.seed++; /* random directions alone go by it */
    assert_false(session_landscape_differs(&shown, SESSION_LANDSCAPE_PLANE, &choice));
    choice.triangle.points++;
    assert_true(session_landscape_choose(session, &choice));
    assert_ptr_equal(measure(session, SESSION_LANDSCAPE_PLANE).triangle,
                     opened); /* another grid opens nothing */
    choose_third(session, NULL);
    shown = measure(session, SESSION_LANDSCAPE_PLANE);
    assert_true(shown.triangle == NULL && shown.choice.third == NULL);
    free(third);
    session_free(session);
}

static void a_third_checkpoint_that_cannot_be_opened_is_told(void **state) {
    (void)state;
    Session *session = open_small();
    choose_third(session, "/nowhere/at/all");
    settle(session);
    session_start_landscape(session, SESSION_LANDSCAPE_PLANE);
    settle(session);
    SessionLandscape shown = session_landscape(session, SESSION_LANDSCAPE_PLANE);
    assert_true(shown.total == 0 && !shown.is_running);
    assert_non_null(strstr(shown.error, "/nowhere/at/all"));
    choose_third(session, TESTS_DIR "/demo/base"); /* on the line */
    session_start_landscape(session, SESSION_LANDSCAPE_PLANE);
    settle(session);
    assert_non_null(session_landscape(session, SESSION_LANDSCAPE_PLANE).error);
    session_free(session);
}

static void sharpness_is_kept_of_base_and_sft_where_only_w_has_moved(void **state) {
    (void)state;
    Session *session = open_small();
    SessionLandscape shown = measure(session, SESSION_LANDSCAPE_SHARPNESS);
    const double *kept[] = {shown.sharpness[SIDE_BASE].plus, shown.sharpness[SIDE_SFT].plus};
    double rise = shown.sharpness[SIDE_FUSED].mean_rise;
    assert_int_equal(shown.total, SIDE_COUNT);
    assert_int_equal(shown.sharpness[SIDE_FUSED].directions, 2);
    assert_true(isfinite(rise) && shown.sharpness[SIDE_BASE].sigma == 0.05);
    session_set_alpha(session, 0.1);
    shown = measure(session, SESSION_LANDSCAPE_SHARPNESS);
    assert_ptr_equal(shown.sharpness[SIDE_BASE].plus, kept[0]);
    assert_ptr_equal(shown.sharpness[SIDE_SFT].plus, kept[1]);
    assert_true(shown.sharpness[SIDE_FUSED].mean_rise != rise);
    double before = shown.sharpness[SIDE_BASE].mean_rise;
    SessionLandscapeChoice choice = session_landscape_choice(session);
    choice.seed = 8; /* other directions */
    assert_true(session_landscape_choose(session, &choice));
    assert_true(session_landscape_differs(&shown, SESSION_LANDSCAPE_SHARPNESS, &choice));
    shown = measure(session, SESSION_LANDSCAPE_SHARPNESS);
    assert_true(shown.sharpness[SIDE_BASE].mean_rise != before);
    session_free(session);
}

static void what_was_asked_for_comes_one_after_another(void **state) {
    (void)state;
    Session *session = open_small();
    settle(session);
    session_start_landscape(session, SESSION_LANDSCAPE_SHARPNESS);
    session_start_landscape(session, SESSION_LANDSCAPE_LINE);
    (void)session_refresh(session);
    assert_true(session_landscape(session, SESSION_LANDSCAPE_SHARPNESS).is_waiting); /* the line is shorter */
    assert_false(session_landscape(session, SESSION_LANDSCAPE_LINE).is_waiting);
    wanted = SESSION_LANDSCAPE_SHARPNESS;
    wait_for(session, "both", wanted_is_there);
    wanted = SESSION_LANDSCAPE_LINE;
    assert_true(wanted_is_there(session));
    session_free(session);
}

static void a_cancelled_line_keeps_its_points_and_takes_what_waits_along(void **state) {
    (void)state;
    Session *session = open_small();
    settle(session);
    SessionLandscapeChoice choice = session_landscape_choice(session);
    choice.line = (Range){.from = -1.0, .to = 2.0, .points = SESSION_LANDSCAPE_LINE_MOST};
    assert_true(session_landscape_choose(session, &choice));
    session_start_landscape(session, SESSION_LANDSCAPE_LINE);
    session_start_landscape(session, SESSION_LANDSCAPE_PLANE);
    wanted = SESSION_LANDSCAPE_LINE;
    wait_for(session, "the first points", wanted_has_begun);
    SessionJob job;
    assert_int_equal(session_jobs(session, &job, 1), 1);
    assert_string_equal(job.label, "line");
    assert_true(job.total > 0 && job.done > 0 && job.done < job.total);
    assert_true(session_cancel(session));
    wait_for(session, "the end", wanted_is_over);
    settle(session);
    SessionLandscape shown = session_landscape(session, SESSION_LANDSCAPE_LINE);
    assert_true(shown.ready >= 16 && shown.ready < shown.total && shown.error == NULL);
    assert_true(isfinite(shown.losses[0]));
    assert_int_equal(session_landscape(session, SESSION_LANDSCAPE_PLANE).total, 0);
    session_start_landscape(session, SESSION_LANDSCAPE_LINE);
    session_free(session); /* and a session may be left while it runs */
}

static void other_rows_take_what_was_measured_along(void **state) {
    (void)state;
    Session *session = open_small();
    (void)measure(session, SESSION_LANDSCAPE_LINE);
    char *path = scratch_path("few.jsonl");
    Error error = {0};
    assert_int_equal(session_load_rows(session, path, &error), STATUS_OK);
    settle(session);
    free(path);
    assert_int_equal(session_landscape(session, SESSION_LANDSCAPE_LINE).total, 0);
    assert_int_equal(session_landscape_choice(session).line.points, POINTS);
    session_free(session);
}

static void rows_without_a_response_have_no_loss_and_that_is_said(void **state) {
    (void)state;
    scratch_write("plain.txt", "one\ntwo\n", 8);
    char *path = scratch_path("plain.txt");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    free(path);
    settle(session);
    session_start_landscape(session, SESSION_LANDSCAPE_LINE);
    settle(session);
    assert_false(session_landscape(session, SESSION_LANDSCAPE_LINE).is_running);
    assert_int_equal(session_landscape(session, SESSION_LANDSCAPE_LINE).total, 0);
    assert_non_null(
        strstr(session_landscape_message(session, SESSION_LANDSCAPE_LINE), "no row has a response"));
    session_free(session);
}

static void without_rows_nothing_waits(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    settle(session);
    session_start_landscape(session, SESSION_LANDSCAPE_PLANE);
    assert_false(session_landscape(session, SESSION_LANDSCAPE_PLANE).is_running);
    assert_non_null(session_landscape_message(session, SESSION_LANDSCAPE_PLANE));
    session_free(session);
}

static void a_choice_that_cannot_be_changes_nothing(void **state) {
    (void)state;
    Session *session = open_small();
    const SessionLandscapeChoice good = session_landscape_choice(session);
    SessionLandscapeChoice bad[7];
    for (size_t i = 0; i < 7; i++) bad[i] = good;
    bad[0].line.points = 1;
    bad[1].line.points = SESSION_LANDSCAPE_LINE_MOST + 1;
    bad[2].plane = (Range){.from = 0.1, .to = -0.1, .points = 3};
    bad[3].plane.points = SESSION_LANDSCAPE_PLANE_MOST + 1;
    bad[4].sigma = 0.0;
    bad[5].sigma = NAN;
    bad[6].directions = 0;
    for (size_t i = 0; i < 7; i++) assert_false(session_landscape_choose(session, &bad[i]));
    const SessionLandscapeChoice now = session_landscape_choice(session);
    assert_true(now.line.points == POINTS && now.plane.from == -0.1 && now.sigma == 0.05 && now.seed == 7);
    session_free(session);
}

/* With figures: the other views' monkey (test_views.c) has no rows to measure on. */
static void the_view_fits_any_window(void **state) {
    static const int ROWS[] = {0, 1, 2, 3, 5, 8, 13, 24, 50}, COLUMNS[] = {0, 1, 4, 11, 30, 80, 150, 220};
    static const Theme THEMES[] = {{.depth = THEME_256}, {.depth = THEME_MONO, .ascii = true}};
    const View *view = VIEWS.views[view_find(&VIEWS, "landscape")];
    const ActionArgument once = {.count = 1};
    Session *session = open_small();
    void *opened;
    Error error = {0};
    (void)state;
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) (void)measure(session, kind);
    assert_int_equal(view->open(session, &opened, &error), STATUS_OK);
    for (size_t i = 0; i < 2 * 3 * 9 * 8; i++) {
        int rows = ROWS[i % 9], columns = COLUMNS[i / 9 % 8];
        Canvas *canvas;
        assert_int_equal(canvas_create(rows, columns, THEMES[i / 216], &canvas, &error), STATUS_OK);
        view->draw(opened, session, canvas, canvas_area(canvas));
        char *text;
        assert_int_equal(canvas_to_text(canvas, &text, &error), STATUS_OK);
        if (rows >= 24 && columns >= 80) assert_non_null(strstr(text, "loss"));
        for (size_t c = 0; text[c] != '\0' && i >= 216; c++) assert_true((unsigned char)text[c] < 128);
        free(text);
        canvas_free(canvas);
        if (i % 72 == 71) (void)view->act(opened, session, ACTION_PANE_NEXT, &once);
    }
    view->close(opened);
    session_free(session);
}

int main(void) {
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, write_few_rows, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(nothing_is_measured_unasked),
        WITH_ROWS(the_line_is_the_engines_and_of_no_dials),
        WITH_ROWS(the_plane_is_around_w_and_says_when_w_has_moved),
        WITH_ROWS(the_plane_goes_through_a_third_checkpoint_and_is_of_no_dials),
        WITH_ROWS(a_third_checkpoint_that_cannot_be_opened_is_told),
        WITH_ROWS(sharpness_is_kept_of_base_and_sft_where_only_w_has_moved),
        WITH_ROWS(what_was_asked_for_comes_one_after_another),
        WITH_ROWS(a_cancelled_line_keeps_its_points_and_takes_what_waits_along),
        WITH_ROWS(other_rows_take_what_was_measured_along),
        WITH_ROWS(rows_without_a_response_have_no_loss_and_that_is_said),
        WITH_ROWS(a_choice_that_cannot_be_changes_nothing),
        WITH_ROWS(the_view_fits_any_window),
        cmocka_unit_test(without_rows_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
