/* What the Overview says where there are no figures to show. */
#include "session_fixture.h"
#include "tests/unit/keymap_fixture.h"
#include "tui/app/view.h"
#include "tui/keys/key_text.h"
#include "tui/session/session.h"
#include "views/overview/overview_view.h"
#include "views/tune/tune_view.h"

#include <unistd.h>

/* The view as text; the caller frees. */
static char *draw(const View *view, Session *session) {
    Canvas *canvas;
    Error error = {0};
    void *state;
    char *text;
    assert_int_equal(canvas_create(24, 80, (Theme){.depth = THEME_MONO}, &canvas, &error), STATUS_OK);
    assert_int_equal(view->open(session, &state, &error), STATUS_OK);
    view->draw(state, session, canvas, rect_make(0, 0, 24, 80));
    assert_int_equal(canvas_to_text(canvas, &text, &error), STATUS_OK);
    view->close(state);
    canvas_free(canvas);
    return text;
}

static void expect_on(const View *view, Session *session, const char *expected, bool is_there) {
    char *text = draw(view, session);
    if ((strstr(text, expected) != NULL) != is_there)
        fail_msg("%s: \"%s\" was %sexpected:\n%s", view->name, expected, is_there ? "" : "not ", text);
    free(text);
}

static void what_was_cancelled_names_the_key_that_measures(void **state) {
    (void)state;
    Session *session =
        open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", TESTS_DIR "/demo/calibration.jsonl");
    wait_for(session, "tokenizer", tokenizer_is_there);
    while (session_headline_message(session) == NULL) {
        (void)session_cancel(session);
        (void)session_refresh(session);
        events_wait();
    }
    assert_string_equal(session_headline_message(session), "not measured: cancelled");
    expect_on(&overview_view, session, "not measured: cancelled", true);
    static const char VIM[] = "[overview]\nCtrl-r redo\ng r measure\n[tune]\nCtrl-r redo\ng r measure\n";
    Keymap *keymap;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    expect_on(&overview_view, session, ":measure measures now", true);
    key_text_use(keymap);
    expect_on(&overview_view, session, "Ctrl-r measures now", true);
    expect_on(&tune_view, session, "Ctrl-r measures now", true);
    assert_int_equal(keymap_read(keymap, VIM, sizeof VIM - 1, "vim", NULL), STATUS_OK);
    expect_on(&overview_view, session, "g r measures now", true);
    expect_on(&tune_view, session, "g r measures now", true);
    key_text_use(NULL);
    keymap_free(keymap);
    session_free(session);
}

static void a_key_that_could_not_measure_is_not_named(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    settle(session);
    expect_on(&overview_view, session, "no calibration rows", true);
    expect_on(&overview_view, session, "measures now", false);
    expect_on(&tune_view, session, "measures now", false);
    session_free(session);
}

/* The SFT model's tokenizer.json is the demo's, its class another one. */
static void a_class_that_replaces_parts_of_the_file_is_said(void **state) {
    (void)state;
    static const char *const FILES[] = {"model.safetensors", "config.json", "tokenizer.json"};
    char *copy = scratch_path("class/");
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char *from = memory_format("%s/demo/sft/%s", TESTS_DIR, FILES[i]),
             *to = memory_format("%s/%s", copy, FILES[i]);
        assert_true(from != NULL && to != NULL && symlink(from, to) == 0);
        free(from);
        free(to);
    }
    scratch_write_text("class/tokenizer_config.json", "{\"tokenizer_class\": \"GPT2Tokenizer\"}");
    Session *session = open_pair(TESTS_DIR "/demo/base", copy, NULL);
    settle(session);
    expect_on(&overview_view, session, "SFT: class GPT2Tokenizer replaces the norma", true);
    session_free(session);
    const SessionOptions by_file = {
        .base = TESTS_DIR "/demo/base", .sft = copy, .tokenizer_rule = TOKENIZER_BY_FILE, .threads = 2};
    Error error = {0};
    if (session_create(&by_file, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    settle(session);
    expect_on(&overview_view, session, "GPT2Tokenizer", false);
    session_free(session);
    free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_cancelled_names_the_key_that_measures),
                                       cmocka_unit_test(a_key_that_could_not_measure_is_not_named),
                                       cmocka_unit_test(a_class_that_replaces_parts_of_the_file_is_said)};
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
