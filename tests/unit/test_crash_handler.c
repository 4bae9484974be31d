/*
 * A program whose input shrinks faults in several threads at once: the first puts the terminal back, the others wait.
 */
#include "tui/terminal/crash_handler.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The first thread is held while it writes, until the second one waits. */
static int held_file = -1;
static sem_t first_writes, second_waits;

static void wait_for(sem_t *event) {
    while (sem_wait(event) != 0) {
    }
}

/* In place of the library's. */
ssize_t write(int file, const void *bytes, size_t count);
ssize_t write(int file, const void *bytes, size_t count) {
    if (file == held_file) {
        held_file = -1;
        (void)sem_post(&first_writes);
        wait_for(&second_waits);
    }
    return syscall(SYS_write, file, bytes, count);
}

int pause(void);
int pause(void) {
    (void)sem_post(&second_waits);
    return poll(NULL, 0, -1);
}

static void *fault_first(void *unused) {
    (void)raise(SIGBUS);
    return unused;
}

static void *fault_second(void *unused) {
    wait_for(&first_writes);
    (void)raise(SIGBUS);
    return unused;
}

static const char RESTORE[] = "the screen as it was";

static void run_child(int output, int error) {
    static const struct rlimit NO_CORE = {0, 0};
    pthread_t threads[2];
    (void)setrlimit(RLIMIT_CORE, &NO_CORE);
    (void)signal(SIGBUS, SIG_DFL);
    if (dup2(error, STDERR_FILENO) < 0 || sem_init(&first_writes, 0, 0) != 0 ||
        sem_init(&second_waits, 0, 0) != 0)
        _exit(1);
    crash_handler_arm(-1, output, RESTORE, sizeof RESTORE - 1);
    held_file = output;
    if (pthread_create(&threads[0], NULL, fault_first, NULL) != 0 ||
        pthread_create(&threads[1], NULL, fault_second, NULL) != 0)
        _exit(1);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    _exit(0);
}

static void read_all(int file, char *text, size_t size) {
    size_t used = 0;
    for (ssize_t count; used + 1 < size && (count = read(file, text + used, size - 1 - used)) > 0;)
        used += (size_t)count;
    text[used] = '\0';
}

static void a_second_fault_waits_until_the_terminal_is_back(void **state) {
    (void)state;
    int output[2], error[2], status;
    char text[256];
    assert_int_equal(pipe(output), 0);
    assert_int_equal(pipe(error), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) run_child(output[1], error[1]);
    (void)close(output[1]);
    (void)close(error[1]);
    read_all(output[0], text, sizeof text);
    assert_string_equal(text, RESTORE);
    read_all(error[0], text, sizeof text);
    assert_non_null(strstr(text, "an input file shrank"));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    (void)close(output[0]);
    (void)close(error[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_second_fault_waits_until_the_terminal_is_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
