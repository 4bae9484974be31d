/*
 * The view of rollouts with samples in it, in any window: the other views' monkey (test_views.c) has none.
 */
#include "rollouts_fixture.h"
#include "views/views.h"

static void draw_view(const View *view, void *opened, Session *session, size_t i) {
    static const int ROWS[] = {0, 1, 2, 3, 5, 8, 13, 24, 50}, COLUMNS[] = {0, 1, 4, 11, 30, 80, 150, 220};
    static const Theme THEMES[] = {{.depth = THEME_256}, {.depth = THEME_MONO, .ascii = true}};
    Canvas *canvas;
    Error error = {0};
    bool is_ascii = i >= 72;
    assert_int_equal(canvas_create(ROWS[i % 9], COLUMNS[i / 9 % 8], THEMES[is_ascii], &canvas, &error),
                     STATUS_OK);
    view->draw(opened, session, canvas, canvas_area(canvas));
    char *text;
    assert_int_equal(canvas_to_text(canvas, &text, &error), STATUS_OK);
    for (size_t c = 0; text[c] != '\0' && is_ascii; c++) assert_true((unsigned char)text[c] < 128);
    free(text);
    canvas_free(canvas);
}

static void check_any_window(Session *session) {
    enum { STRIDE = 5 }; /* other windows at each step */
    static const Action STEPS[] = {ACTION_PANE_NEXT,  ACTION_PANE_NEXT, ACTION_PANE_NEXT,  ACTION_ENTER,
                                   ACTION_MOVE_RIGHT, ACTION_PANE_NEXT, ACTION_LAST,       ACTION_MOVE_LEFT,
                                   ACTION_BACK,       ACTION_LAST,      ACTION_METRIC_NEXT};
    const View *view = VIEWS.views[view_find(&VIEWS, "rollouts")];
    const ActionArgument once = {.count = 1, .text = ""}, often = {.count = 100, .text = ""};
    void *opened;
    Error error = {0};
    assert_int_equal(view->open(session, &opened, &error), STATUS_OK);
    for (size_t step = 0; step < sizeof STEPS / sizeof *STEPS; step++) {
        for (size_t i = step % STRIDE; i < 144; i += STRIDE) draw_view(view, opened, session, i);
        (void)view->act(opened, session, STEPS[step], step % 2 == 0 ? &once : &often);
        Table *table = NULL;
        char value[256];
        if (view->numbers(opened, session, &table, &error) == STATUS_OK) table_free(table);
        (void)view->value(opened, session, value, sizeof value);
    }
    assert_true(view->find(opened, session, "many", 1, false) || session_rollouts(session).groups == 0);
    view->close(opened);
}

static void the_view_fits_any_window(void **state) {
    (void)state;
    Session *session = open_few();
    check_any_window(session);
    (void)draw(session);
    session_start_rollouts_gradient(session);
    wait_for(session, "the gradient", gradient_is_there);
    check_any_window(session);
    choose_few(session, 40, 1); /* cells of a narrow strip stand for several */
    (void)draw(session);
    check_any_window(session);
    (void)read_file(session, GOLDEN "/samples.jsonl");
    check_any_window(session);
    session_free(session);
}

int main(void) {
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, write_few_rows, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(the_view_fits_any_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
