/* Pasted text, read past curses from a file: a pipe here. */
#include "tui/terminal/bracketed_paste.h"

#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define END "\033[201~"

/* Reads what was written as a paste; `left` receives what lies behind its end. */
static BracketedPaste read_paste(const char *bytes, size_t count, char left[64]) {
    int ends[2];
    BracketedPaste paste = {0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, count), (ssize_t)count);
    assert_int_equal(close(ends[1]), 0);
    bracketed_paste_read(&paste, ends[0]);
    ssize_t more = read(ends[0], left, 63);
    assert_true(more >= 0);
    left[more] = '\0';
    assert_int_equal(close(ends[0]), 0);
    return paste;
}

static void assert_pastes(const char *bytes, const char *text, const char *left) {
    char behind[64];
    BracketedPaste paste = read_paste(bytes, strlen(bytes), behind);
    assert_string_equal(paste.text == NULL ? "" : paste.text, text);
    assert_int_equal(paste.bytes, strlen(text));
    assert_string_equal(behind, left);
    bracketed_paste_free(&paste);
}

static void the_text_ends_at_the_mark_and_what_follows_is_left_alone(void **state) {
    (void)state;
    assert_pastes("pens" END "\033[Aq", "pens", "\033[Aq");
    assert_pastes(END "q", "", "q");
    assert_pastes("a" END "\033[200~b" END, "a", "\033[200~b" END);
}

static void returns_become_newlines(void **state) {
    (void)state;
    assert_pastes("one\rtwo\nthree" END, "one\ntwo\nthree", "");
}

static void the_beginning_of_an_end_mark_is_text_without_its_escape(void **state) {
    (void)state;
    assert_pastes("a\033[20xb" END, "a[20xb", "");
    assert_pastes("a\033[201\033[201~z", "a[201", "z");
    assert_pastes("a\033\033\033[2J" END, "a[2J", "");
}

static void a_file_that_ends_within_the_paste_ends_it(void **state) {
    (void)state;
    assert_pastes("half of a pas", "half of a pas", "");
}

static void what_is_no_text_is_left_out(void **state) {
    (void)state;
    static const char BYTES[] = "a\0\xC3\xA9\xFFz\xE6\x97" END;
    char behind[64];
    BracketedPaste paste = read_paste(BYTES, sizeof BYTES - 1, behind);
    assert_string_equal(paste.text, "aéz");
    assert_int_equal(paste.bytes, 4);
    bracketed_paste_free(&paste);
}

static int rest_goes_to;

static void send_the_rest(int number) {
    static const char REST[] = "2q" END;
    (void)number;
    if (write(rest_goes_to, REST, sizeof REST - 1) < 0) _exit(1);
}

/* The window's size changes, say, while the rest of the text is on its way: it would be taken for keys. */
static void a_signal_does_not_end_a_paste(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = send_the_rest};
    struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    int ends[2];
    BracketedPaste paste = {0};
    assert_int_equal(pipe(ends), 0);
    rest_goes_to = ends[1];
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(write(ends[1], "1", 1), 1);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    bracketed_paste_read(&paste, ends[0]);
    assert_string_equal(paste.text, "12q");
    bracketed_paste_free(&paste);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

int main(void) {
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_ends_at_the_mark_and_what_follows_is_left_alone),
        cmocka_unit_test(returns_become_newlines),
        cmocka_unit_test(the_beginning_of_an_end_mark_is_text_without_its_escape),
        cmocka_unit_test(a_file_that_ends_within_the_paste_ends_it),
        cmocka_unit_test(what_is_no_text_is_left_out),
        cmocka_unit_test(a_signal_does_not_end_a_paste),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
