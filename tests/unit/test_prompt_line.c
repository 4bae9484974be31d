/* The line at the bottom: readline, fed key by key, drawn on a canvas. */
#include "tui/terminal/prompt_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/rejuv-history-XXXXXX";

static int start(void **state) {
    Error error;
    (void)state;
    (void)setenv("LC_ALL", "C.UTF-8", 1);    /* readline asks the environment for the encoding */
    (void)setenv("INPUTRC", "/dev/null", 1); /* not the settings of whoever runs the test */
    return prompt_line_start(directory, &error) == STATUS_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    prompt_line_stop();
    return 0;
}

static PromptState type(const char *text) {
    PromptState after = PROMPT_OPEN;
    for (size_t left = strlen(text); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        after = prompt_line_key((Key)character);
        text += bytes;
        left -= bytes;
    }
    return after;
}

static void assert_draws(int columns, const char *expected, int cursor) {
    Canvas *canvas;
    char *text;
    assert_int_equal(canvas_create(1, columns, (Theme){.depth = THEME_MONO}, &canvas, NULL), STATUS_OK);
    prompt_line_draw(canvas, canvas_area(canvas));
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    assert_string_equal(text, expected);
    assert_int_equal(canvas->cursor_column, cursor);
    free(text);
    canvas_free(canvas);
}

static void a_typed_line_is_accepted_with_enter(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "Prompt: ", NULL, NULL);
    assert_true(prompt_line_is_open());
    assert_int_equal(type("héllo 日"), PROMPT_OPEN);
    assert_draws(30, "Prompt: héllo 日\n", 16);
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    assert_string_equal(prompt_line_text(), "héllo 日");
    assert_false(prompt_line_is_open());
}

static void a_label_takes_half_of_the_line_at_most(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "a label that is long: ", "text", NULL);
    assert_draws(20, "a label … text\n", 14);
    assert_draws(60, "a label that is long: text\n", 26);
    (void)prompt_line_key(KEY_ESCAPE);
}

static void editing_keys_work_on_whole_characters(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "", "añb", NULL);
    (void)prompt_line_key(KEY_ARROW_LEFT);
    (void)prompt_line_key(KEY_RUBOUT);
    assert_string_equal(prompt_line_text(), "ab");
    (void)prompt_line_key(KEY_TO_HOME);
    (void)prompt_line_key(KEY_DELETE_NAMED);
    assert_string_equal(prompt_line_text(), "b");
    (void)prompt_line_key(KEY_TO_END);
    (void)type(" c");
    (void)prompt_line_key(KEY_CONTROL | 'w');
    assert_string_equal(prompt_line_text(), "b ");
    (void)prompt_line_key(KEY_CONTROL | 'u');
    assert_string_equal(prompt_line_text(), "");
    (void)prompt_line_key(KEY_ESCAPE);
}

static void escape_ctrl_c_and_ctrl_g_abort(void **state) {
    static const Key KEYS[] = {KEY_ESCAPE, KEY_CONTROL | 'c', KEY_CONTROL | 'g'};
    (void)state;
    for (int i = 0; i < 3; i++) {
        prompt_line_open(PROMPT_VALUE, "v", NULL, NULL);
        (void)type("never kept");
        assert_int_equal(prompt_line_key(KEYS[i]), PROMPT_ABORTED);
        assert_false(prompt_line_is_open());
    }
    prompt_line_open(PROMPT_VALUE, "v", NULL, NULL);
    (void)prompt_line_key(KEY_ARROW_UP);
    assert_string_equal(prompt_line_text(), "");
    (void)prompt_line_key(KEY_ESCAPE);
}

static void a_paste_keeps_its_newlines_and_does_not_accept(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    size_t lost;
    assert_int_equal(prompt_line_paste("one\ntwo\x1b[2J\n", 12, &lost), PROMPT_OPEN);
    assert_int_equal(lost, 0);
    assert_string_equal(prompt_line_text(), "one\ntwo\x1b[2J");
    assert_draws(30, "> one⏎two\\x1b[2J\n", 16);
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
}

static void a_paste_beyond_the_limit_is_cut_between_characters_and_says_by_how_much(void **state) {
    (void)state;
    size_t bytes = PROMPT_LINE_LIMIT + 1001, lost; /* two bytes a character: the limit is within one */
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    text[0] = 'a';
    for (size_t i = 1; i + 1 < bytes; i += 2) memcpy(text + i, "ñ", 2);
    bytes = (bytes - 1) / 2 * 2 + 1;
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    assert_int_equal(prompt_line_paste(text, bytes, &lost), PROMPT_OPEN);
    assert_int_equal(strlen(prompt_line_text()), PROMPT_LINE_LIMIT - 1);
    assert_int_equal(lost, bytes - (PROMPT_LINE_LIMIT - 1));
    assert_memory_equal(prompt_line_text(), text, PROMPT_LINE_LIMIT - 1);
    assert_draws(12, "> <ññññññ\n", 9);
    (void)prompt_line_key(KEY_TO_HOME);
    assert_draws(12, "> aññññññññ…\n", 2);
    assert_int_equal(prompt_line_paste("xyz", 3, &lost), PROMPT_OPEN);
    assert_int_equal(lost, 2); /* one byte was left */
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    free(text);
}

static void a_long_line_scrolls_with_its_cursor(void **state) {
    (void)state;
    prompt_line_open(PROMPT_VALUE, ": ", NULL, NULL);
    (void)type("abcdefghijklmnopqrstuvwxyz");
    assert_draws(12, ": <uvwxyz\n", 9);
    (void)prompt_line_key(KEY_TO_HOME);
    assert_draws(12, ": abcdefghi…\n", 2);
    assert_draws(1, "…\n", 0);
    (void)prompt_line_key(KEY_ESCAPE);
}

static bool complete(const char *line, int word, const char *prefix, PromptAdd add, void *user) {
    static const char *const WORDS[] = {"alpha-up", "alpha-down", "quit"};
    (void)line;
    for (int i = 0; i < 3 && word == 0; i++)
        if (strncmp(WORDS[i], prefix, strlen(prefix)) == 0) add(user, WORDS[i]);
    return word == 0;
}

static void tab_completes_and_lists_candidates(void **state) {
    (void)state;
    prompt_line_open(PROMPT_COMMAND, ":", NULL, complete);
    (void)type("al");
    (void)prompt_line_key(KEY_TAB_NAMED);
    assert_string_equal(prompt_line_text(), "alpha-");
    assert_string_equal(prompt_line_candidates(), "alpha-down  alpha-up");
    (void)type("u");
    assert_string_equal(prompt_line_candidates(), "");
    (void)prompt_line_key(KEY_TAB_NAMED);
    assert_string_equal(prompt_line_text(), "alpha-up ");
    (void)prompt_line_key(KEY_ESCAPE);
}

static void each_kind_has_a_history_of_its_own(void **state) {
    (void)state;
    prompt_line_open(PROMPT_SEARCH, "/", NULL, NULL);
    (void)type("k_proj");
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    prompt_line_open(PROMPT_COMMAND, ":", NULL, NULL);
    (void)prompt_line_key(KEY_ARROW_UP);
    assert_string_equal(prompt_line_text(), "");
    (void)prompt_line_key(KEY_ESCAPE);
    prompt_line_open(PROMPT_SEARCH, "/", NULL, NULL);
    (void)prompt_line_key(KEY_ARROW_UP);
    assert_string_equal(prompt_line_text(), "k_proj");
    (void)prompt_line_key(KEY_ESCAPE);
}

static void history_survives_a_restart_with_its_newlines(void **state) {
    prompt_line_stop();
    assert_int_equal(start(state), 0);
    prompt_line_open(PROMPT_TEXT, "", NULL, NULL);
    (void)prompt_line_key(KEY_ARROW_UP);
    assert_string_equal(prompt_line_text(), "one\ntwo\x1b[2J");
    (void)prompt_line_key(KEY_ARROW_UP);
    assert_string_equal(prompt_line_text(), "héllo 日");
    (void)prompt_line_key(KEY_ESCAPE);
}

static size_t count_lines(const char *path) {
    FILE *file = fopen(path, "r");
    size_t lines = 0;
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file)) lines += c == '\n';
    (void)fclose(file);
    return lines;
}

static void a_history_is_for_the_user_alone_and_bounded(void **state) {
    enum { KEPT = 1000 };
    char path[64];
    struct stat facts;
    (void)snprintf(path, sizeof path, "%s/history-value", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3 * KEPT; i++) assert_true(fprintf(file, "#1\n%d\n", i) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0); /* as older versions made it */
    prompt_line_stop();
    assert_int_equal(start(state), 0);
    size_t lines = count_lines(path); /* each with the time before it */
    assert_true(lines <= 2 * KEPT && lines >= 2 * KEPT - 2);
    prompt_line_open(PROMPT_VALUE, "", NULL, NULL);
    (void)type("0.5");
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(count_lines(path), lines + 2);
    prompt_line_open(PROMPT_COMMAND, "", NULL, NULL);
    (void)type("quit");
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    (void)snprintf(path, sizeof path, "%s/history-command", directory);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static void a_search_in_the_history_can_be_left(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    (void)prompt_line_key(KEY_CONTROL | 'r');
    (void)type("hél");
    assert_string_equal(prompt_line_text(), "héllo 日");
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_OPEN); /* leaves the search, not the line */
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_ABORTED);
}

static void a_search_ends_before_keys_that_more_keys_follow(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    (void)prompt_line_key(KEY_CONTROL | 'r');
    (void)type("hél");
    assert_int_equal(prompt_line_key(KEY_CONTROL | 'x'), PROMPT_OPEN);
    assert_int_equal(prompt_line_key(KEY_CONTROL | 'l'), PROMPT_OPEN); /* bound to nothing */
    (void)type("!");
    assert_string_equal(prompt_line_text(), "!héllo 日"); /* where the text was found */
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_ABORTED);
}

static void enter_behind_a_count_accepts_and_leaves_no_search_in_lines_that_are_gone(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    (void)prompt_line_key(KEY_ARROW_UP);
    (void)type("+");
    assert_int_equal(prompt_line_key(KEY_ALT | '3'), PROMPT_OPEN);
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    assert_string_equal(prompt_line_text(), "one\ntwo\x1b[2J+");
    prompt_line_open(PROMPT_TEXT, "> ", NULL, NULL);
    (void)prompt_line_key(KEY_CONTROL | 'r');
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_OPEN);
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_ABORTED);
    assert_string_equal(prompt_line_text(), ""); /* what is left is not what was accepted */
}

/* which readline's search in one go, Alt-n, would keep for itself */
static void enter_accepts_behind_alt_n_and_what_was_undone_is_freed_once(void **state) {
    (void)state;
    prompt_line_open(PROMPT_VALUE, "> ", "initial", NULL);
    (void)prompt_line_key(KEY_RUBOUT);
    assert_int_equal(prompt_line_key(KEY_ALT | 'n'), PROMPT_OPEN);
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    assert_string_equal(prompt_line_text(), "initia");
    prompt_line_open(PROMPT_VALUE, "> ", NULL, NULL);
    (void)prompt_line_key(KEY_CONTROL | 'p');
    assert_int_equal(prompt_line_key(KEY_ESCAPE), PROMPT_ABORTED);
}

static void a_count_is_limited_so_that_no_slip_takes_forever(void **state) {
    (void)state;
    prompt_line_open(PROMPT_TEXT, "", NULL, NULL);
    (void)prompt_line_key(KEY_ALT | '9');
    (void)type("99999999x");
    assert_int_equal(strlen(prompt_line_text()), 9999);
    (void)prompt_line_key(KEY_CONTROL | 'c');
}

static void a_directory_that_cannot_be_made_is_reported_and_harmless(void **state) {
    Error error = {.message = ""};
    prompt_line_stop();
    assert_int_equal(prompt_line_start("/dev/null/rejuv", &error), STATUS_IO);
    assert_true(strstr(error.message, "/dev/null") != NULL);
    prompt_line_open(PROMPT_TEXT, "", NULL, NULL);
    (void)type("x");
    assert_int_equal(prompt_line_key(KEY_ENTER_NAMED), PROMPT_ACCEPTED);
    prompt_line_stop();
    assert_int_equal(start(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_line_is_accepted_with_enter),
        cmocka_unit_test(a_label_takes_half_of_the_line_at_most),
        cmocka_unit_test(editing_keys_work_on_whole_characters),
        cmocka_unit_test(escape_ctrl_c_and_ctrl_g_abort),
        cmocka_unit_test(a_paste_keeps_its_newlines_and_does_not_accept),
        cmocka_unit_test(a_paste_beyond_the_limit_is_cut_between_characters_and_says_by_how_much),
        cmocka_unit_test(a_long_line_scrolls_with_its_cursor),
        cmocka_unit_test(tab_completes_and_lists_candidates),
        cmocka_unit_test(each_kind_has_a_history_of_its_own),
        cmocka_unit_test(history_survives_a_restart_with_its_newlines),
        cmocka_unit_test(a_history_is_for_the_user_alone_and_bounded),
        cmocka_unit_test(a_search_in_the_history_can_be_left),
        cmocka_unit_test(a_search_ends_before_keys_that_more_keys_follow),
        cmocka_unit_test(enter_behind_a_count_accepts_and_leaves_no_search_in_lines_that_are_gone),
        cmocka_unit_test(enter_accepts_behind_alt_n_and_what_was_undone_is_freed_once),
        cmocka_unit_test(a_count_is_limited_so_that_no_slip_takes_forever),
        cmocka_unit_test(a_directory_that_cannot_be_made_is_reported_and_harmless),
    };
    if (mkdtemp(directory) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, start, stop);
    static const char *const FILES[] = {"history-command", "history-search", "history-prompt",
                                        "history-value"};
    for (int i = 0; i < 4; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/%s", directory, FILES[i]);
        (void)unlink(path); /* some were never written */
    }
    return rmdir(directory) == 0 ? failed : 1;
}
