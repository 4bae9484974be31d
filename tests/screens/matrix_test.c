/*
 * matrix_test — what every view shows in every terminal of the matrix.
 *
 *     matrix_test FOLDER TERMINAL [NAME=VALUE …]                 plays FOLDER/views.screen in that terminal
 *     matrix_test --check FOLDER                                 looks at the golden files alone
 *     matrix_test --terminals FOLDER                             prints the terminals' names
 *     matrix_test --shoot SHOTS FOLDER TERMINAL [NAME=VALUE …]   keeps the terminal's screens in the folder SHOTS
 *     matrix_test --record SHOTS FOLDER                          writes the golden files anew from all of those
 *
 * FOLDER has `terminals` (matrix_terminals.h), one script for all of them (screen_script.h, with the variables of
 * the terminal) and, for every `expect-golden NAME` in it, NAME.matrix (screen_golden.h). A view that is not as
 * expected is printed, and the script goes on to the next one. In SHOTS, every terminal has a golden file of its
 * own for every view: so terminals can be shot side by side.
 *
 * Exit status: 0; 1 something is not as expected; 2 a file or the call makes no sense, or the system refused.
 */
#include "core/support/memory.h"
#include "tests/screens/matrix_terminals.h"
#include "tests/screens/screen_golden.h"
#include "tests/screens/screen_session.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Matrix {
    MatrixTerminals terminals;
    const char *folder, *shots; /* shots: NULL when comparing */
    ScreenWords views;          /* as the script names them */
    size_t terminal;
    char *name; /* the terminal's */
    size_t differing;
} Matrix;

static char *golden_path(const Matrix *matrix, const char *view) {
    return memory_format("%s/%s.matrix", matrix->folder, view);
}

static char *shot_path(const Matrix *matrix, const char *name, const char *view) {
    return memory_format("%s/%s.%s.matrix", matrix->shots, name, view);
}

/* ---- one view in one terminal ---- */

/* A golden file of this terminal alone. */
static Status write_shot(const Matrix *matrix, const char *view, ScreenShot *shot, Error *error) {
    size_t count = matrix_terminals_count(&matrix->terminals);
    ScreenShot *shots = memory_allocate(count, sizeof *shots);
    char *path = shot_path(matrix, matrix->name, view);
    ScreenGolden golden = {0};
    Status status = shots == NULL || path == NULL ? memory_fail(error, "a screen") : STATUS_OK;
    if (status == STATUS_OK) {
        shots[matrix->terminal] = *shot;
        status = screen_golden_build(shots, &matrix->terminals, true, &golden, error);
    }
    if (status == STATUS_OK)
        status = screen_golden_write(&golden, &matrix->terminals, matrix->name, path, error);
    screen_golden_free(&golden);
    free(shots); /* what the one in it has is the caller's */
    free(path);
    return status;
}

static Status shoot_view(ScreenSession *session, const char *view, void *user, Error *error) {
    const Matrix *matrix = user;
    ScreenShot shot = {0};
    Status status =
        terminal_host_wait_quiet(session->host, 2 * SCREEN_QUIET_SECONDS, session->timeout, error);
    if (status == STATUS_OK) status = screen_shot_take(session->host, &session->masks, &shot, error);
    if (status == STATUS_OK) status = write_shot(matrix, view, &shot, error);
    screen_shot_free(&shot);
    return status;
}

typedef struct Comparison {
    const ScreenMasks *masks;
    ScreenShot expected, found; /* found: the latest */
} Comparison;

static bool screen_is_expected(TerminalHost *host, void *user) {
    Comparison *comparison = user;
    screen_shot_free(&comparison->found);
    return screen_shot_take(host, comparison->masks, &comparison->found, NULL) == STATUS_OK &&
           screen_shot_equal(&comparison->expected, &comparison->found);
}

static Status compare_screen(ScreenSession *session, Matrix *matrix, const char *view, const char *path,
                             const ScreenGolden *golden, Error *error) {
    Comparison comparison = {.masks = &session->masks};
    size_t line = 0;
    Status status =
        screen_golden_shot(golden, &matrix->terminals, matrix->terminal, &comparison.expected, &line, error);
    if (status == STATUS_OK) {
        status = terminal_host_wait(session->host, screen_is_expected, &comparison, session->idle,
                                    session->timeout, error);
        if (status == STATUS_MISMATCH) {
            (void)printf("--- %s in %s, as %s:%zu has it\n+++ the screen\n", view, matrix->name, path, line);
            screen_shot_print_difference(&comparison.expected, &comparison.found, stdout);
        }
    } else if (status == STATUS_MISMATCH) {
        (void)printf("%s: %s\n", path, error->message);
    }
    screen_shot_free(&comparison.expected);
    screen_shot_free(&comparison.found);
    return status;
}

/* What differs is printed and counted, and the script goes on: the next view may differ too. */
static Status compare_view(ScreenSession *session, const char *view, void *user, Error *error) {
    Matrix *matrix = user;
    char *path = golden_path(matrix, view);
    ScreenGolden golden = {0};
    Status status = path == NULL ? memory_fail(error, "a path")
                                 : screen_golden_read(path, &matrix->terminals, &golden, error);
    if (status == STATUS_OK) status = compare_screen(session, matrix, view, path, &golden, error);
    screen_golden_free(&golden);
    free(path);
    if (status != STATUS_MISMATCH || !terminal_host_is_running(session->host)) return status;
    matrix->differing++;
    return STATUS_OK;
}

static Status play(Matrix *matrix, ScreenVariables *variables, Error *error) {
    char *script = memory_format("%s/views.screen", matrix->folder);
    ScreenScriptOptions options = {.variables = variables,
                                   .report = stdout,
                                   .golden = matrix->shots == NULL ? compare_view : shoot_view,
                                   .golden_user = matrix};
    ScreenResult result = {0};
    Status status = script == NULL ? memory_fail(error, "a path")
                                   : matrix_terminals_set_variables(&matrix->terminals, matrix->terminal,
                                                                    variables, error);
    if (status == STATUS_OK) status = screen_script_run(script, &options, &result, error);
    screen_result_free(&result);
    free(script);
    if (status == STATUS_OK && matrix->differing > 0)
        status = status_fail(error, STATUS_MISMATCH, "%s: views that are not as expected: %zu", matrix->name,
                             matrix->differing);
    return status;
}

/* ---- all golden files ---- */

static Status read_views(Matrix *matrix, Error *error) {
    static const char command[] = "expect-golden ";
    char *script = memory_format("%s/views.screen", matrix->folder);
    if (script == NULL) return memory_fail(error, "a path");
    ScreenWords lines = {0};
    Status status = screen_words_read_lines(script, &lines, error);
    for (size_t i = 0; i < lines.count && status == STATUS_OK; i++) {
        if (strncmp(lines.items[i], command, strlen(command)) != 0) continue;
        const char *name = lines.items[i] + strlen(command);
        status = screen_words_add(&matrix->views, name, strlen(name), error);
    }
    screen_words_free(&lines);
    free(script);
    return status;
}

/* What the terminals showed, put together. */
static Status record_view(const Matrix *matrix, const char *view, ScreenShot *shots, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < matrix_terminals_count(&matrix->terminals) && status == STATUS_OK; i++) {
        char *name = matrix_terminals_name(&matrix->terminals, i);
        char *path = name == NULL ? NULL : shot_path(matrix, name, view);
        ScreenGolden golden = {0};
        size_t line;
        status = path == NULL ? memory_fail(error, "a path")
                              : screen_golden_read(path, &matrix->terminals, &golden, error);
        if (status == STATUS_OK)
            status = screen_golden_shot(&golden, &matrix->terminals, i, &shots[i], &line, error);
        screen_golden_free(&golden);
        free(path);
        free(name);
    }
    ScreenGolden golden = {0};
    if (status == STATUS_OK) status = screen_golden_build(shots, &matrix->terminals, false, &golden, error);
    char *path = golden_path(matrix, view);
    char *note = memory_format(
        "What the view %s shows in every terminal: recorded by "
        "tests/screens/record.sh; the form is in screen_golden.h.",
        view);
    if (status == STATUS_OK)
        status = path == NULL || note == NULL
                     ? memory_fail(error, "a path")
                     : screen_golden_write(&golden, &matrix->terminals, note, path, error);
    screen_golden_free(&golden);
    free(path);
    free(note);
    return status;
}

static Status record_views(Matrix *matrix, Error *error) {
    size_t count = matrix_terminals_count(&matrix->terminals);
    Status status = STATUS_OK;
    for (size_t v = 0; v < matrix->views.count && status == STATUS_OK; v++) {
        ScreenShot *shots = memory_allocate(count, sizeof *shots);
        status = shots == NULL ? memory_fail(error, "the screens")
                               : record_view(matrix, matrix->views.items[v], shots, error);
        for (size_t i = 0; shots != NULL && i < count; i++) screen_shot_free(&shots[i]);
        free(shots);
    }
    return status;
}

/* Every view has a file that is whole, and every file is a view's. */
static Status check_views(Matrix *matrix, Error *error) {
    char *pattern = golden_path(matrix, "*");
    glob_t found = {0};
    if (pattern == NULL) return memory_fail(error, "a path");
    bool globbed = glob(pattern, 0, NULL, &found) == 0;
    free(pattern);
    Status status = STATUS_OK;
    for (size_t i = 0; i < matrix->views.count && status == STATUS_OK; i++) {
        char *path = golden_path(matrix, matrix->views.items[i]);
        ScreenGolden golden = {0};
        status = path == NULL ? memory_fail(error, "a path")
                              : screen_golden_read(path, &matrix->terminals, &golden, error);
        if (status == STATUS_OK) {
            status = screen_golden_check(&golden, &matrix->terminals, error);
            if (status != STATUS_OK) (void)status_add_context(error, "%s", path);
        }
        screen_golden_free(&golden);
        free(path);
    }
    if (status == STATUS_OK && globbed && found.gl_pathc != matrix->views.count)
        status = status_fail(error, STATUS_MISMATCH, "the script has %zu views, and %s has %zu golden files",
                             matrix->views.count, matrix->folder, found.gl_pathc);
    globfree(&found);
    return status;
}

static Status print_terminals(Matrix *matrix, Error *error) {
    for (size_t i = 0; i < matrix_terminals_count(&matrix->terminals); i++) {
        char *name = matrix_terminals_name(&matrix->terminals, i);
        if (name == NULL) return memory_fail(error, "a name");
        (void)printf("%s\n", name);
        free(name);
    }
    return STATUS_OK;
}

/* ---- the call ---- */

static Status play_terminal(Matrix *matrix, int count, char **words, Error *error) {
    ScreenVariables variables = {0};
    Status status = count < 1 ? status_fail(error, STATUS_ARGUMENT, "expected the name of a terminal")
                              : matrix_terminals_find(&matrix->terminals, words[0], &matrix->terminal, error);
    if (status == STATUS_OK) matrix->name = words[0];
    for (int i = 1; i < count && status == STATUS_OK; i++) {
        char *equals = strchr(words[i], '=');
        if (equals == NULL) {
            status = status_fail(error, STATUS_ARGUMENT, "expected NAME=VALUE, found %s", words[i]);
            continue;
        }
        *equals = '\0';
        status = screen_variables_set(&variables, words[i], equals + 1, error);
    }
    if (status == STATUS_OK) status = play(matrix, &variables, error);
    screen_variables_free(&variables);
    return status;
}

static const struct {
    const char *name;
    bool shots; /* is followed by that folder */
    Status (*run)(Matrix *matrix, Error *error);
} modes[] = {{"--check", false, check_views},
             {"--terminals", false, print_terminals},
             {"--record", true, record_views},
             {"--shoot", true, NULL}};

int main(int count, char **words) {
    Matrix matrix = {0};
    Error error = {0};
    size_t mode = 0, mode_count = sizeof modes / sizeof modes[0];
    count--;
    words++;
    while (mode < mode_count && count > 0 && strcmp(words[0], modes[mode].name) != 0) mode++;
    int taken = mode == mode_count || count == 0 ? 0 : modes[mode].shots ? 2 : 1;
    if (count <= taken) {
        (void)fprintf(stderr,
                      "usage: matrix_test [--check | --terminals | --record SHOTS | --shoot SHOTS] FOLDER "
                      "[TERMINAL [NAME=VALUE ...]]\n");
        return 2;
    }
    if (taken == 2) matrix.shots = words[1];
    matrix.folder = words[taken];
    char *path = memory_format("%s/terminals", matrix.folder);
    Status status =
        path == NULL ? memory_fail(&error, "a path") : matrix_terminals_read(path, &matrix.terminals, &error);
    if (status == STATUS_OK) status = read_views(&matrix, &error);
    if (status == STATUS_OK)
        status = mode < mode_count && modes[mode].run != NULL
                     ? modes[mode].run(&matrix, &error)
                     : play_terminal(&matrix, count - taken - 1, words + taken + 1, &error);
    if (status != STATUS_OK) (void)printf("FAILED %s\n", error.message);
    screen_words_free(&matrix.views);
    matrix_terminals_free(&matrix.terminals);
    free(path);
    return status == STATUS_OK ? 0 : status == STATUS_MISMATCH ? 1 : 2;
}
