#include "core/support/memory.h"
#include "tests/screens/screen_session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Status screen_session_number(const char *word, long least, long most, int *number, Error *error) {
    char *end = NULL;
    errno = 0;
    long value = strtol(word, &end, 10);
    if (errno != 0 || end == word || *end != '\0' || value < least || value > most)
        return status_fail(error, STATUS_FORMAT, "expected a number from %ld to %ld, found \"%s\"", least,
                           most, word);
    *number = (int)value;
    return STATUS_OK;
}

/* ---- before the program ---- */

static Status set_size(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    Status status = screen_session_number(words->items[1], 1, 1000, &session->columns, error);
    return status != STATUS_OK ? status
                               : screen_session_number(words->items[2], 1, 1000, &session->rows, error);
}

static Status set_variables(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                            Error *error) {
    (void)block;
    Status status = STATUS_OK;
    for (size_t i = 1; i < words->count && status == STATUS_OK; i++) {
        char *equals = strchr(words->items[i], '=');
        if (equals == NULL)
            return status_fail(error, STATUS_FORMAT, "expected NAME=VALUE, found \"%s\"", words->items[i]);
        *equals = '\0';
        status = screen_variables_set(&session->environment, words->items[i], equals + 1, error);
    }
    return status;
}

static Status unset_variable(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                             Error *error) {
    (void)block;
    (void)error;
    screen_variables_unset(&session->environment, words->items[1]);
    return STATUS_OK;
}

static Status set_seconds(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                          Error *error) {
    (void)block;
    int seconds = 0;
    Status status = screen_session_number(words->items[1], 1, 3600, &seconds, error);
    if (status != STATUS_OK) return status;
    *(strcmp(words->items[0], "idle") == 0 ? &session->idle : &session->timeout) = seconds;
    return STATUS_OK;
}

static Status write_file(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    char *path = memory_format("%s/%s", session->folder, words->items[1]);
    if (path == NULL) return memory_fail(error, "a path");
    FILE *file = fopen(path, "we");
    bool written = file != NULL;
    for (size_t i = 0; written && i < block->count; i++)
        written = fprintf(file, "%s\n", session->lines[block->first + i] + 1) >= 0;
    if (file != NULL && fclose(file) != 0) written = false;
    Status status =
        written ? STATUS_OK : status_fail_errno(error, errno, "%s cannot be written", words->items[1]);
    free(path);
    return status;
}

static Status run_shell(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    pid_t child = fork();
    if (child < 0) return status_fail_errno(error, errno, "no process");
    if (child == 0) {
        char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, words->items[1], NULL};
        if (chdir(session->folder) != 0) _exit(126);
        (void)execvpe("sh", arguments, session->environment.items);
        _exit(127);
    }
    int state = 0;
    if (waitpid(child, &state, 0) != child) return status_fail_errno(error, errno, "sh cannot be waited for");
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return status_fail(error, STATUS_MISMATCH, "shell: \"%s\" failed", words->items[1]);
    return STATUS_OK;
}

static Status run_program(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                          Error *error) {
    (void)block;
    if (session->host != NULL)
        return status_fail(error, STATUS_FORMAT, "run: a script runs one program, and one runs already");
    TerminalHostOptions options = {.rows = session->rows,
                                   .columns = session->columns,
                                   .arguments = words->items + 1,
                                   .environment = session->environment.items,
                                   .directory = session->folder};
    return terminal_host_start(&options, &session->host, error);
}

/* ---- what a user does ---- */

/* Between two keys nothing is waited for, as when typing fast; but Esc and a key after it must not arrive as
 * one sequence, so Esc is let in first. */
static Status press_keys(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    Status status = STATUS_OK;
    for (size_t i = 1; i < words->count && status == STATUS_OK; i++) {
        status = terminal_host_send_key(session->host, words->items[i], error);
        if (status == STATUS_OK && strcmp(words->items[i], "Esc") == 0)
            status = terminal_host_wait_quiet(session->host, SCREEN_QUIET_SECONDS, session->timeout, error);
    }
    return status;
}

static Status type_text(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    return terminal_host_send_text(session->host, words->items[1], error);
}

/* A text as a terminal pastes it, over and over until it has so many bytes. */
static Status paste_text(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    int bytes = 0;
    Status status = screen_session_number(words->items[1], 1, 1 << 24, &bytes, error);
    size_t length = strlen(words->items[2]);
    char *text = memory_allocate((size_t)bytes + 1, 1);
    if (status == STATUS_OK && length == 0) status = status_fail(error, STATUS_FORMAT, "paste: no text");
    if (status == STATUS_OK && text == NULL) status = memory_fail(error, "a paste");
    for (size_t i = 0; i < (size_t)bytes && status == STATUS_OK; i++) text[i] = words->items[2][i % length];
    if (status == STATUS_OK) status = terminal_host_send_text(session->host, "\033[200~", error);
    if (status == STATUS_OK) status = terminal_host_send_text(session->host, text, error);
    if (status == STATUS_OK) status = terminal_host_send_text(session->host, "\033[201~", error);
    free(text);
    return status;
}

static Status resize_terminal(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                              Error *error) {
    Status status = set_size(session, words, block, error);
    return status != STATUS_OK ? status
                               : terminal_host_resize(session->host, session->rows, session->columns, error);
}

static Status send_signal(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                          Error *error) {
    (void)block;
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"HUP", SIGHUP},     {"INT", SIGINT},   {"TERM", SIGTERM},
                   {"TSTP", SIGTSTP},   {"CONT", SIGCONT}, {"QUIT", SIGQUIT},
                   {"WINCH", SIGWINCH}, {"USR1", SIGUSR1}, {"XCPU", SIGXCPU}};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(words->items[1], signals[i].name) == 0)
            return terminal_host_signal(session->host, signals[i].number, error);
    return status_fail(error, STATUS_FORMAT,
                       "signal: %s is not one of HUP INT TERM TSTP CONT QUIT WINCH USR1 XCPU",
                       words->items[1]);
}

static Status hang_up(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)words;
    (void)block;
    (void)error;
    terminal_host_hang_up(session->host);
    return STATUS_OK;
}

/* ---- waiting and masking ---- */

static Status wait_text(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    return terminal_host_wait_text(session->host, words->items[1], session->timeout, error);
}

static Status wait_quiet(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)words;
    (void)block;
    return terminal_host_wait_quiet(session->host, SCREEN_QUIET_SECONDS, session->timeout, error);
}

static Status add_mask(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    bool to_end = strcmp(words->items[0], "mask-rest") == 0;
    return screen_masks_add(&session->masks, words->items[1], to_end, error);
}

/* ---- the table ---- */

static const ScreenCommand commands[] = {
    {"size", 2, 2, false, false, set_size},        {"env", 1, 50, false, false, set_variables},
    {"unset", 1, 1, false, false, unset_variable}, {"timeout", 1, 1, false, false, set_seconds},
    {"idle", 1, 1, false, false, set_seconds},     {"file", 1, 1, true, false, write_file},
    {"shell", 1, 1, false, false, run_shell},      {"run", 1, 50, false, false, run_program},
    {"keys", 1, 200, false, true, press_keys},     {"type", 1, 1, false, true, type_text},
    {"paste", 2, 2, false, true, paste_text},      {"resize", 2, 2, false, true, resize_terminal},
    {"signal", 1, 1, false, true, send_signal},    {"hang-up", 0, 0, false, true, hang_up},
    {"wait", 1, 1, false, true, wait_text},        {"wait-quiet", 0, 0, false, true, wait_quiet},
    {"mask", 1, 1, false, false, add_mask},        {"mask-rest", 1, 1, false, false, add_mask},
};

const ScreenCommand *screen_command_find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(name, commands[i].name) == 0) return &commands[i];
    return screen_expectation_find(name);
}
