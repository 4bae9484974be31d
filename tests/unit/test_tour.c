/* The tour says only what the program has: views, actions, keys. */
#include "tests/golden/golden.h"
#include "tests/unit/keymap_fixture.h"
#include "tui/app/tour.h"
#include "tui/app/view.h"
#include "tui/keys/key_text.h"

#include <string.h>

static Keymap *open_keymap(void) {
    Keymap *keymap;
    Error error = {0};
    if (keymap_fixture_create(&keymap, &error) != STATUS_OK) fail_msg("%s", error.message);
    return keymap;
}

static void every_step_shows_a_view_that_there_is(void **unused) {
    (void)unused;
    for (size_t i = 0; i < TOUR_COUNT; i++) {
        int view = view_find(&VIEWS, TOUR_STEPS[i].view);
        if (view < 0) fail_msg("step %zu: there is no view %s", i + 1, TOUR_STEPS[i].view);
        assert_string_equal(VIEWS.views[view]->name, TOUR_STEPS[i].view);
    }
}

static void check_actions(const TourStep *step, const char *text) {
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t bytes = strcspn(at + 1, "}");
        Action action;
        if (!action_find(at + 1, bytes, &action) || strlen(action_info(action)->name) != bytes)
            fail_msg("there is no action %.*s", (int)bytes, at + 1);
        if (!action_is_for(action, step->view))
            fail_msg("%s is not for %s", action_info(action)->name, step->view);
    }
}

static void every_action_it_names_works_in_its_view_and_has_a_key(void **unused) {
    (void)unused;
    Keymap *keymap = open_keymap();
    for (size_t i = 0; i < TOUR_COUNT; i++) {
        char text[1024];
        check_actions(&TOUR_STEPS[i], TOUR_STEPS[i].text);
        check_actions(&TOUR_STEPS[i], TOUR_STEPS[i].task);
        key_text_expand(TOUR_STEPS[i].task, keymap, TOUR_STEPS[i].view, text, sizeof text);
        assert_null(strchr(text, '{'));
        assert_null(strstr(text, " :")); /* an action without a key */
    }
    keymap_free(keymap);
}

static void keys_are_those_that_the_user_bound(void **unused) {
    (void)unused;
    static const char MINE[] = "[tune]\nF9 paper\n";
    Keymap *keymap = open_keymap();
    Error error = {0};
    char text[64];
    key_text_expand("{paper} and {help}, {nowhere}.", keymap, "tune", text, sizeof text);
    assert_string_equal(text, "p and ?, :nowhere.");
    assert_int_equal(keymap_read(keymap, "[tune]\np nothing\n", 17, "test", &error), STATUS_OK);
    assert_int_equal(keymap_read(keymap, MINE, sizeof MINE - 1, "test", &error), STATUS_OK);
    key_text_expand("{paper}", keymap, "tune", text, sizeof text);
    assert_string_equal(text, "F9");
    key_text_expand("{paper", keymap, "tune", text, 2); /* cut, and not closed */
    assert_string_equal(text, "F");
    keymap_free(keymap);
}

static void the_words_fit_beside_a_view_at_80x24(void **unused) {
    (void)unused;
    Keymap *keymap = open_keymap();
    Canvas *canvas;
    Error error = {0};
    assert_int_equal(canvas_create(24, 80, (Theme){0}, &canvas, &error), STATUS_OK);
    Rect area = rect_make(1, 0, 21, 80);
    int rows = tour_rows(canvas, area, keymap);
    assert_in_range(rows, 4, 9);
    for (size_t i = 0; i < TOUR_COUNT; i++) {
        canvas_clear(canvas);
        tour_draw(canvas, rect_make(10, 0, rows, 80), keymap, i);
        assert_string_equal(canvas_cell(canvas, 10 + rows, 0)->text, " "); /* nothing beyond */
    }
    assert_int_equal(tour_rows(canvas, rect_make(0, 0, 6, 80), keymap), 0); /* the view comes first */
    canvas_free(canvas);
    keymap_free(keymap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_shows_a_view_that_there_is),
        cmocka_unit_test(every_action_it_names_works_in_its_view_and_has_a_key),
        cmocka_unit_test(keys_are_those_that_the_user_bound),
        cmocka_unit_test(the_words_fit_beside_a_view_at_80x24),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
