/*
 * program — running the real `rejuv` in a test, as a script would: arguments in, exit status and both outputs
 * back. REJUV_PROGRAM is its path, given by CMake.
 */
#ifndef REJUV_TESTS_PROGRAM_H
#define REJUV_TESTS_PROGRAM_H

#include "core/files/json.h"
#include "core/support/memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROGRAM_ARGUMENTS = 32, PROGRAM_KILLED = 1000 /* + the signal */ };

typedef struct ProgramResult {
    int status; /* the exit status, or PROGRAM_KILLED + signal */
    char *output, *errors;
    size_t output_bytes, errors_bytes;
} ProgramResult;

static inline char *program_read(FILE *file, size_t *bytes) {
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    assert_true(size >= 0);
    char *text = memory_allocate((size_t)size + 1, 1);
    assert_non_null(text);
    rewind(file);
    *bytes = fread(text, 1, (size_t)size, file);
    (void)fclose(file);
    return text;
}

/* No test looks at what sessions of whoever runs it kept. */
static inline void program_forget_places(void) {
    assert_int_equal(setenv("XDG_CACHE_HOME", "/dev/null", 1), 0);
}

/* Starts it; descriptors below 0: /dev/null. Only async-signal-safe calls between fork and exec. */
static inline pid_t program_start(const char *const *arguments, int in, int out, int err) {
    const char *words[PROGRAM_ARGUMENTS + 2] = {REJUV_PROGRAM};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i < PROGRAM_ARGUMENTS);
        words[i + 1] = arguments[i];
    }
    program_forget_places();
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(nothing >= 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (dup2(in < 0 ? nothing : in, 0) < 0 || dup2(out < 0 ? nothing : out, 1) < 0 ||
            dup2(err < 0 ? nothing : err, 2) < 0)
            _exit(99);
        (void)execv(REJUV_PROGRAM, (char *const *)(uintptr_t)words);
        _exit(98);
    }
    (void)close(nothing);
    return child;
}

static inline int program_wait(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_KILLED + WTERMSIG(status);
}

/* Whether a process catches this signal, as /proc says. */
static inline bool program_catches(pid_t process, int signal_number) {
    static const char HEAD[] = "SigCgt:";
    char path[64], line[256];
    unsigned long long caught = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)process);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, HEAD, strlen(HEAD)) == 0) caught = strtoull(line + strlen(HEAD), NULL, 16);
    (void)fclose(file);
    return (caught >> (signal_number - 1) & 1U) != 0;
}

/* Waits until a program is at work: until it catches this signal, which on a busy machine takes its time. */
static inline void program_await_catching(pid_t child, int signal_number) {
    siginfo_t ended = {0};
    while (!program_catches(child, signal_number)) {
        const struct timespec pause = {.tv_nsec = 10000000};
        (void)nanosleep(&pause, NULL); /* a shorter pause only looks sooner */
        assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
        if (ended.si_pid == child) fail_msg("the program ended before it could be interrupted");
    }
}

static inline void program_interrupt(pid_t child, int signal_number) {
    program_await_catching(child, signal_number);
    assert_int_equal(kill(child, signal_number), 0);
}

/* How far the work was, every ten seconds: on a busy machine there are such lines, and no test is about them here. */
static inline bool program_is_progress(const char *line, size_t length) {
    static const char HEAD[] = "rejuv: ";
    if (length < strlen(HEAD) || strncmp(line, HEAD, strlen(HEAD)) != 0) return false;
    size_t at = strlen(HEAD);
    while (at < length && (line[at] < '0' || line[at] > '9') && line[at] != ':') at++;
    size_t digits = at;
    while (at < length && line[at] >= '0' && line[at] <= '9') at++;
    return at > digits && length - at >= 2 && strncmp(line + at, " %", 2) == 0;
}

static inline void program_drop_progress(char *text, size_t *bytes) {
    size_t kept = 0;
    for (size_t at = 0; at < *bytes;) {
        const char *end = memchr(text + at, '\n', *bytes - at);
        size_t length = end != NULL ? (size_t)(end - text) + 1 - at : *bytes - at;
        if (!program_is_progress(text + at, length)) {
            memmove(text + kept, text + at, length);
            kept += length;
        }
        at += length;
    }
    text[kept] = '\0';
    *bytes = kept;
}

/* Runs it to the end with `bytes` bytes of `input` (NULL: none) on standard input. */
static inline ProgramResult program_run_with(const char *const *arguments, const char *input, size_t bytes) {
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    assert_true(in != NULL && out != NULL && err != NULL);
    assert_int_equal(fwrite(input != NULL ? input : "", 1, bytes, in), bytes);
    rewind(in);
    ProgramResult result = {0};
    result.status = program_wait(program_start(arguments, fileno(in), fileno(out), fileno(err)));
    (void)fclose(in);
    result.output = program_read(out, &result.output_bytes);
    result.errors = program_read(err, &result.errors_bytes);
    program_drop_progress(result.errors, &result.errors_bytes);
    return result;
}

/* PROGRAM_RUN("drift", base, sft) */
#define PROGRAM_RUN(...) program_run_with((const char *const[]){__VA_ARGS__, NULL}, NULL, 0)

static inline void program_free(ProgramResult *result) {
    free(result->output);
    free(result->errors);
    *result = (ProgramResult){0};
}

/* Its output as JSON; fails the test with the program's own words where it is none. */
static inline cJSON *program_json(const ProgramResult *result) {
    cJSON *tree;
    Error error = {0};
    if (json_parse(result->output, result->output_bytes, "standard output", &tree, &error) != STATUS_OK)
        fail_msg("%s\n%s", error.message, result->errors);
    return tree;
}

/* Runs, expects an exit status and a part of what stands on standard error ("": nothing does). */
static inline void program_expect(const char *const *arguments, int status, const char *errors) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != status || strstr(result.errors, errors) == NULL ||
        (errors[0] == '\0' && result.errors_bytes > 0))
        fail_msg("expected status %d and \"%s\", found %d and \"%s\"", status, errors, result.status,
                 result.errors);
    program_free(&result);
}

#define PROGRAM_EXPECT(status, errors, ...)                                                                  \
    program_expect((const char *const[]){__VA_ARGS__, NULL}, status, errors)

#endif
