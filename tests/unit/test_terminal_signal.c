/*
 * Which signals make the program leave in good order, each sent to a process of its own.
 */
#include "tui/terminal/terminal_signal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* 0: the signal is there to be asked for, and after the release it ends the process again. */
static int receive(int number, void (*before)(int)) {
    TerminalSignals taken;
    (void)signal(number, before);
    if (terminal_signal_open(NULL) != STATUS_OK) return 1;
    terminal_signal_catch();
    (void)raise(number);
    bool is_taken = terminal_signal_take(&taken);
    if (before == SIG_IGN) return is_taken ? 2 : 0;
    if (!is_taken || taken.end != number) return 3;
    terminal_signal_release();
    (void)raise(number);
    return 4; /* not reached */
}

static int run(int number, void (*before)(int)) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(receive(number, before));
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Those of signal(7) whose action is Term, but SIGINT, a key of its own, SIGPIPE, an error of writing, and SIGKILL. */
static void every_signal_that_would_end_the_program_asks_it_to_leave(void **state) {
    (void)state;
    const int numbers[] = {SIGHUP,  SIGTERM, SIGUSR1, SIGUSR2,  SIGALRM,      SIGVTALRM,
                           SIGPROF, SIGIO,   SIGPWR,  SIGRTMIN, SIGRTMIN + 7, SIGRTMAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int status = run(numbers[i], SIG_DFL);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
    }
}

static void a_signal_that_was_ignored_from_the_start_stays_so(void **state) {
    (void)state;
    assert_int_equal(run(SIGHUP, SIG_IGN), 0);
    assert_int_equal(run(SIGUSR1, SIG_IGN), 0);
}

static void faults_and_what_the_kernel_only_tells_do_not(void **state) {
    (void)state;
    const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGQUIT, SIGXCPU, SIGCHLD, SIGURG, SIGWINCH, SIGINT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_false(terminal_signal_is_end(numbers[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_that_would_end_the_program_asks_it_to_leave),
        cmocka_unit_test(a_signal_that_was_ignored_from_the_start_stays_so),
        cmocka_unit_test(faults_and_what_the_kernel_only_tells_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
