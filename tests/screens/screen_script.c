#include "tests/screens/screen_script.h"

#include "core/support/memory.h"
#include "tests/screens/screen_session.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the script's lines ---- */

static Status insert_lines(ScreenSession *session, size_t at, size_t count, Error *error) {
    Status status =
        MEMORY_RESERVE(session->lines, &session->line_capacity, session->line_count + count, error);
    if (status != STATUS_OK) return status;
    memmove(session->lines + at + count, session->lines + at,
            (session->line_count - at) * sizeof *session->lines);
    memset(session->lines + at, 0, count * sizeof *session->lines);
    session->line_count += count;
    return STATUS_OK;
}

static void remove_lines(ScreenSession *session, size_t at, size_t count) {
    for (size_t i = 0; i < count; i++) free(session->lines[at + i]);
    memmove(session->lines + at, session->lines + at + count,
            (session->line_count - at - count) * sizeof *session->lines);
    session->line_count -= count;
}

static Status read_script(ScreenSession *session, Error *error) {
    ScreenWords lines;
    Status status = screen_words_read_lines(session->path, &lines, error);
    session->lines = lines.items;
    session->line_count = lines.count;
    session->line_capacity = lines.capacity;
    return status;
}

/* Beside the script and renamed, so that an interrupted update leaves the old one. */
static Status write_script(const ScreenSession *session, Error *error) {
    char *beside = memory_format("%s.new", session->path);
    if (beside == NULL) return memory_fail(error, "a path");
    FILE *file = fopen(beside, "we");
    bool written = file != NULL;
    for (size_t i = 0; written && i < session->line_count; i++)
        written = fprintf(file, "%s\n", session->lines[i]) >= 0;
    if (file != NULL && fclose(file) != 0) written = false;
    if (!written || rename(beside, session->path) != 0) {
        Status status = status_fail_errno(error, errno, "%s cannot be written", session->path);
        (void)unlink(beside); /* it may not be there */
        free(beside);
        return status;
    }
    free(beside);
    return STATUS_OK;
}

Status screen_session_record(ScreenSession *session, ScreenBlock *block, char **lines, size_t count,
                             Error *error) {
    remove_lines(session, block->first, block->count);
    block->count = 0;
    Status status = insert_lines(session, block->first, count, error);
    if (status != STATUS_OK) return status;
    block->count = count;
    for (size_t i = 0; i < count; i++) {
        session->lines[block->first + i] = memory_format("|%s", lines[i]);
        if (session->lines[block->first + i] == NULL) return memory_fail(error, "the script");
    }
    return STATUS_OK;
}

/* The block under the present line; it need not be there yet when blocks are being recorded. */
static Status find_block(ScreenSession *session, ScreenBlock *block, Error *error) {
    *block = (ScreenBlock){.first = session->line + 1};
    size_t at = block->first;
    while (at < session->line_count && session->lines[at][0] == '|') at++;
    block->count = at - block->first;
    if (at < session->line_count && strcmp(session->lines[at], "end") == 0) return STATUS_OK;
    if (!session->options->update || block->count > 0)
        return status_fail(error, STATUS_FORMAT, "expected lines that begin with | and then a line \"end\"");
    Status status = insert_lines(session, at, 1, error);
    if (status != STATUS_OK) return status;
    session->lines[at] = memory_copy_text("end", 3);
    return session->lines[at] == NULL ? memory_fail(error, "the script") : STATUS_OK;
}

/* ---- the folder and the environment ---- */

/* Scripts write its name on command lines and mask it on screens, where lines break by its length: it is of the same length
 * everywhere, and has no blanks. TMPDIR takes it only where /tmp does not. */
static Status make_folder(ScreenSession *session, Error *error) {
    const char *parents[] = {"/tmp", getenv("TMPDIR")};
    int number = ENOENT;
    for (size_t i = 0; i < 2 && session->folder == NULL; i++) {
        if (parents[i] == NULL || strchr(parents[i], ' ') != NULL) continue;
        char *folder = memory_format("%s/screen-XXXXXX", parents[i]);
        if (folder == NULL) return memory_fail(error, "a path");
        if (mkdtemp(folder) != NULL)
            session->folder = folder;
        else {
            number = errno;
            free(folder);
        }
    }
    if (session->folder == NULL)
        return status_fail_errno(error, number, "no temporary folder in /tmp or TMPDIR");
    const char *demo = screen_variables_get(session->options->variables, "DEMO");
    char *link = memory_format("%s/demo", session->folder);
    if (link == NULL) return memory_fail(error, "a path");
    Status status = demo == NULL || symlink(demo, link) == 0
                        ? STATUS_OK
                        : status_fail_errno(error, errno, "%s cannot be made", link);
    free(link);
    return status;
}

/* The folder's own directories, made and put into the environment. */
static Status set_folders(ScreenSession *session, Error *error) {
    static const char *const names[][2] = {{"HOME", "home"},
                                           {"XDG_CONFIG_HOME", "config"},
                                           {"XDG_STATE_HOME", "state"},
                                           {"XDG_DATA_HOME", "data"},
                                           {"XDG_CACHE_HOME", "cache"}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == STATUS_OK; i++) {
        char *path = memory_format("%s/%s", session->folder, names[i][1]);
        if (path == NULL) return memory_fail(error, "a path");
        status = mkdir(path, 0700) == 0
                     ? screen_variables_set(&session->environment, names[i][0], path, error)
                     : status_fail_errno(error, errno, "%s cannot be made", path);
        free(path);
    }
    return status;
}

/* A sanitizer's report is longer than a screen: it goes to a file, which report_sanitizer() prints. */
static Status set_sanitizers(ScreenSession *session, Error *error) {
    static const char *const names[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == STATUS_OK; i++) {
        const char *given = getenv(names[i]);
        char *options =
            memory_format("%s:log_path=%s/sanitizer", given == NULL ? "" : given, session->folder);
        if (options == NULL) return memory_fail(error, "a variable");
        status = screen_variables_set(&session->environment, names[i], options, error);
        free(options);
    }
    return status;
}

static Status set_environment(ScreenSession *session, Error *error) {
    static const char *const passed[] = {"PATH", "LSAN_OPTIONS", "TERMINFO", "LD_LIBRARY_PATH", "TMPDIR"};
    static const char *const fixed[][2] = {
        {"TERM", "xterm-256color"},
        {"LANG", "C.UTF-8"},
        {"TZ", "UTC"},
        {"SHELL", "/bin/sh"},
        /* kernels that sum in another order may change a last digit on the screen: those of any x86-64 since
           2013 everywhere (elsewhere the names mean nothing) */
        {"OPENBLAS_CORETYPE", "Haswell"},
        {"REJUV_KERNELS", "avx2"}};
    Status status = set_folders(session, error);
    if (status == STATUS_OK) status = set_sanitizers(session, error);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0] && status == STATUS_OK; i++)
        if (getenv(passed[i]) != NULL)
            status = screen_variables_set(&session->environment, passed[i], getenv(passed[i]), error);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && status == STATUS_OK; i++)
        status = screen_variables_set(&session->environment, fixed[i][0], fixed[i][1], error);
    return status;
}

static void report_sanitizer(const ScreenSession *session) {
    char *pattern = memory_format("%s/sanitizer.*", session->folder);
    glob_t found = {0};
    if (pattern != NULL && glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            FILE *file = fopen(found.gl_pathv[i], "re");
            for (int c; file != NULL && (c = fgetc(file)) != EOF;) (void)fputc(c, session->options->report);
            if (file != NULL) (void)fclose(file); /* only read from */
        }
    }
    globfree(&found);
    free(pattern);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about;
    (void)kind;
    (void)place;
    (void)remove(path); /* what cannot be removed stays in the temporary folder */
    return 0;
}

void screen_result_free(ScreenResult *result) {
    terminal_host_free(result->host);
    if (result->folder != NULL) (void)nftw(result->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(result->folder);
    *result = (ScreenResult){0};
}

/* ---- running ---- */

/* Variables are the environment, then the caller's; both in one list for the splitting. */
static Status split_line(const ScreenSession *session, const char *line, ScreenWords *words, Error *error) {
    *words = (ScreenWords){0};
    ScreenVariables all = {0};
    Status status = STATUS_OK;
    const ScreenVariables *const sources[] = {&session->environment, session->options->variables};
    for (size_t s = 0; s < 2; s++) {
        for (size_t i = 0; i < sources[s]->count && status == STATUS_OK; i++) {
            const char *item = sources[s]->items[i], *equals = strchr(item, '=');
            char *name = memory_copy_text(item, (size_t)(equals - item));
            status = name == NULL ? memory_fail(error, "a variable")
                                  : screen_variables_set(&all, name, equals + 1, error);
            free(name);
        }
    }
    if (status == STATUS_OK) status = screen_words_split(line, &all, words, error);
    screen_variables_free(&all);
    return status;
}

static Status run_command(ScreenSession *session, const ScreenWords *words, Error *error) {
    const ScreenCommand *command = screen_command_find(words->items[0]);
    if (command == NULL) return status_fail(error, STATUS_FORMAT, "there is no command %s", words->items[0]);
    size_t arguments = words->count - 1;
    if (arguments < command->least || arguments > command->most)
        return status_fail(error, STATUS_FORMAT, "%s: expected %zu to %zu words, found %zu", command->name,
                           command->least, command->most, arguments);
    if (command->running && session->host == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: nothing has been run yet", command->name);
    ScreenBlock block = {0};
    if (command->block) {
        Status status = find_block(session, &block, error);
        if (status != STATUS_OK) return status;
    }
    Status status = command->run(session, words, &block, error);
    session->line += command->block ? block.count + 2 : 1;
    return status;
}

static Status run_lines(ScreenSession *session, Error *error) {
    Status status = STATUS_OK;
    while (status == STATUS_OK && session->line < session->line_count) {
        size_t line = session->line;
        ScreenWords words = {0};
        status = split_line(session, session->lines[line], &words, error);
        if (status == STATUS_OK && words.count == 0) {
            session->line++;
        } else if (status == STATUS_OK) {
            status = run_command(session, &words, error);
        }
        screen_words_free(&words);
        if (status != STATUS_OK) (void)status_add_context(error, "%s:%zu", session->path, line + 1);
    }
    return status;
}

Status screen_script_run(const char *path, const ScreenScriptOptions *options, ScreenResult *result,
                         Error *error) {
    ScreenSession session = {.options = options,
                             .path = path,
                             .rows = 24,
                             .columns = 80,
                             .timeout = SCREEN_TIMEOUT_SECONDS,
                             .idle = SCREEN_IDLE_SECONDS};
    Status status = read_script(&session, error);
    if (status == STATUS_OK) status = make_folder(&session, error);
    if (status == STATUS_OK) status = set_environment(&session, error);
    if (status == STATUS_OK) status = run_lines(&session, error);
    if (status == STATUS_OK && options->update) status = write_script(&session, error);
    if (status != STATUS_OK && session.host != NULL) {
        terminal_host_print(session.host, options->report);
        report_sanitizer(&session);
    }
    screen_masks_free(&session.masks);
    screen_variables_free(&session.environment);
    remove_lines(&session, 0, session.line_count);
    free(session.lines);
    *result = (ScreenResult){.host = session.host, .folder = session.folder};
    return status;
}
