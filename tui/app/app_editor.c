/*
 * What is to be exported, as text in the user's own editor: the options of `rejuv export`, one a line.
 *
 *     dials, form ──► a private file ──$VISUAL, $EDITOR──► options ──► dials, form
 *                         ▲          ──$PAGER──► only looked at   │
 *                         └───────────── app->kept_edit ◄─────────┘ what cannot be
 *
 * A line that is no option, or has a value that cannot be, changes nothing at all; what was typed is kept and comes back
 * with what is wrong above it, until it is taken or emptied.
 */
#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "tui/app/app_internal.h"
#include "tui/commands/dial_options.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_export.h"
#include "tui/session/session_files.h"
#include "tui/terminal/terminal_program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_LIMIT = 1 << 20, MOST_WORDS = 256 };
static const char BLANKS[] = " \t\r\n";

/* In the order of --dtype's and --donor's choices. */
static const struct {
    DType dtype;
    const char *name;
} DTYPES[] = {{DTYPE_UNKNOWN, "keep"}, {DTYPE_F32, "F32"}, {DTYPE_F16, "F16"}, {DTYPE_BF16, "BF16"}};
static const struct {
    Donor donor;
    const char *name;
} DONORS[] = {{DONOR_SFT, "sft"}, {DONOR_BASE, "base"}};

/* ---- out ---- */

/* An option and its value share a line; the value is all that follows, without quotes. */
static void add_lines(const CommandLine *line, Buffer *text) {
    for (size_t i = 0; i < line->count; i++) {
        bool has_value = i + 1 < line->count && strncmp(line->words[i + 1], "--", 2) != 0;
        buffer_add_text(text, line->words[i]);
        if (has_value) buffer_add_format(text, " %s", line->words[++i]);
        buffer_add_text(text, "\n");
    }
}

static Status write_options(Session *session, Buffer *text, Error *error) {
    const SessionExportForm *form = session_export_form(session);
    const Dials dials = session_dial_state(session);
    const CommandId command = COMMAND_EXPORT;
    CommandLine line = {0};
    dial_options_add(&dials, command, &line);
    command_line_add_number(&line, command, OPTION_RHO, dials.settings.rho);
    command_line_add_option(&line, command, OPTION_SELECT, "%s", ranking_selector_name(dials.selector));
    command_line_add_option(&line, command, OPTION_TARGETS, "%zu", dials.targets);
    command_line_add_number(&line, command, OPTION_OMEGA, dials.settings.omega);
    command_line_add_option(&line, command, OPTION_OUT, "%s", form->directory);
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++)
        if (DTYPES[i].dtype == form->dtype)
            command_line_add_option(&line, command, OPTION_DTYPE, "%s", DTYPES[i].name);
    for (size_t i = 0; i < sizeof DONORS / sizeof *DONORS; i++)
        if (DONORS[i].donor == form->donor)
            command_line_add_option(&line, command, OPTION_DONOR, "%s", DONORS[i].name);
    command_line_add_option(&line, command, OPTION_SHARD_SIZE, "%" PRIu64, form->shard_bytes);
    if (form->allow_unmatched) command_line_add_flag(&line, command, OPTION_ALLOW_UNMATCHED);
    add_lines(&line, text);
    bool failed = line.failed;
    command_line_free(&line);
    return failed ? memory_fail(error, "what is exported") : STATUS_OK;
}

/* `kept`: an edit that was refused, in place of what holds; NULL: none. */
static Status write_text(Session *session, const char *kept, Buffer *text, Error *error) {
    const Pair *pair = session_pair(session);
    Status status = STATUS_OK;
    buffer_add_format(text,
                      "# What is exported of %s\n"
                      "# and %s:\n"
                      "# an option of `rejuv export` a line. Saved and left, all of it holds; where\n"
                      "# something is wrong, that is told, nothing has changed, and the text is kept.\n",
                      pair->base->directory, pair->sft->directory);
    if (kept != NULL)
        buffer_add_format(text, "# Emptied and saved, it begins anew.\n%s", kept);
    else
        status = write_options(session, text, error);
    return status == STATUS_OK && text->failed ? memory_fail(error, "what is exported") : status;
}

/* ---- and in ---- */

static bool is_blank(const char *text) {
    return text[strspn(text, BLANKS)] == '\0';
}

static char *trim(char *value) {
    value += strspn(value, BLANKS);
    for (size_t end = strlen(value); end > 0 && strchr(BLANKS, value[end - 1]) != NULL;) value[--end] = '\0';
    return value;
}

/* Whose name may begin and end with blanks. */
static bool is_directory(const char *word) {
    return strncmp(word, "--", 2) == 0 && strcmp(word + 2, option_facts(OPTION_OUT)->name) == 0;
}

/* Cuts the text into words, in place; returns how many, or MOST_WORDS + 1 where there are more. */
static int split_words(char *text, char **words) {
    int count = 0;
    for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        size_t end = strlen(line);
        if (end > 0 && line[end - 1] == '\r') line[end - 1] = '\0'; /* as some editors end lines */
        line += strspn(line, BLANKS);
        if (*line == '\0' || *line == '#') continue;
        if (count + 2 > MOST_WORDS) return MOST_WORDS + 1;
        words[count++] = line;
        char *value = line + strcspn(line, BLANKS);
        if (is_blank(value)) {
            *value = '\0';
            continue;
        }
        *value++ = '\0';
        words[count++] = is_directory(line) ? value : trim(value);
    }
    return count;
}

/* What the dials and the form have no place for would be dropped in silence: --no-verify, --calibration. */
static Status check_places(const Options *options, Error *error) {
    static const OptionId FORM[] = {OPTION_OUT, OPTION_DTYPE, OPTION_DONOR, OPTION_SHARD_SIZE,
                                    OPTION_ALLOW_UNMATCHED};
    for (size_t i = 0; i < options->given_count; i++) {
        OptionId id = options->given[i].id;
        bool has_place = dial_options_include(id);
        for (size_t k = 0; k < sizeof FORM / sizeof *FORM; k++) has_place = has_place || FORM[k] == id;
        if (!has_place)
            return status_fail(error, STATUS_ARGUMENT, "--%s: this view does not set it",
                               option_facts(id)->name);
    }
    return STATUS_OK;
}

static Status apply_options(Session *session, const Options *options, Error *error) {
    SessionExportForm form = *session_export_form(session);
    Dials dials;
    SettingsCurve *curve;
    const char *directory = options_text(options, OPTION_OUT);
    if (options->operand_count > 0)
        return status_fail(error, STATUS_ARGUMENT, "expected options only, found \"%s\"",
                           options->operands[0]);
    if (directory == NULL || !session_export_form_name(&form, directory))
        return status_fail(error, STATUS_ARGUMENT, "expected --out DIR, the directory to make");
    form.dtype = DTYPES[options_value(options, OPTION_DTYPE)->count].dtype;
    form.donor = DONORS[options_value(options, OPTION_DONOR)->count].donor;
    form.shard_bytes = options_value(options, OPTION_SHARD_SIZE)->count;
    form.allow_unmatched = options_has(options, OPTION_ALLOW_UNMATCHED);
    Status status = dial_options_read(options, session_pair(session), &dials, &curve, error);
    if (status != STATUS_OK) return status;
    if (session_set_export_form(session, &form))
        session_set_dial_state(session, &dials);
    else
        status = status_fail(error, STATUS_ARGUMENT, "an export is running: cancel it first");
    settings_curve_free(curve);
    return status;
}

static Status apply_text(Session *session, char *text, Error *error) {
    static char program[] = "rejuv", command[] = "export";
    char *words[MOST_WORDS + 3] = {program, command};
    Options options;
    int count = split_words(text, words + 2);
    if (count > MOST_WORDS) return status_fail(error, STATUS_ARGUMENT, "expected fewer lines");
    Status status = options_parse(count + 2, words, &options, error);
    if (status == STATUS_OK && options.command != COMMAND_EXPORT)
        status = status_fail(error, STATUS_ARGUMENT, "expected options only");
    if (status == STATUS_OK) status = check_places(&options, error);
    if (status == STATUS_OK) status = apply_options(session, &options, error);
    options_free(&options);
    return status;
}

/* ---- the file between ---- */

static Status begin_file(const Buffer *text, char **path, Error *error) {
    const char *folder = getenv("TMPDIR");
    *path = memory_format("%s/rejuv-export-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    if (*path == NULL) return memory_fail(error, "the name of a file");
    int descriptor = mkostemp(*path, O_CLOEXEC);
    if (descriptor < 0) {
        Status status = status_fail_errno(error, errno, "%s", *path);
        free(*path);
        *path = NULL;
        return status;
    }
    Status status = disk_write(descriptor, text->text, text->length, 0, *path, error);
    Status closed = disk_close(descriptor, *path, status == STATUS_OK ? error : NULL);
    return status != STATUS_OK ? status : closed;
}

/* ---- one after the other ---- */

/* What follows the comments at the top, which are this program's. */
static const char *skip_comments(const char *text) {
    while (*text == '#') {
        const char *end = strchr(text, '\n');
        text = end == NULL ? text + strlen(text) : end + 1;
    }
    return text;
}

/* Takes what came back, or keeps it; `ended`: how the editor did. */
static Status take_edit(App *app, char *after, Status ended, Error *error) {
    const char *body = skip_comments(after);
    char *typed = strdup(body);
    Status status = typed == NULL ? memory_fail(error, "what was edited") : ended;
    bool is_emptied = is_blank(body);
    if (status == STATUS_OK && !is_emptied) status = apply_text(app->session, after, error);
    free(app->kept_edit);
    app->kept_edit = NULL;
    if (status != STATUS_OK && typed != NULL && !is_emptied)
        app->kept_edit =
            memory_format("# Not taken: %s\n%s", error->message, typed); /* NULL: as it was before */
    free(typed);
    if (status == STATUS_OK)
        session_say(app->session, SESSION_GOOD, is_emptied ? "emptied: nothing was changed" : "as edited");
    return status;
}

/* `name`: the variable that names `program`. */
static Status run_program(const char *name, const char *program, const char *path, Error *error) {
    Status status = terminal_program_run(program, path, error);
    if (status != STATUS_OK) (void)status_add_context(error, "%s", name);
    return status;
}

static Status edit(App *app, const char *name, const char *editor, Error *error) {
    Buffer before = {0};
    char *path = NULL, *after = NULL;
    size_t bytes;
    Status status = write_text(app->session, app->kept_edit, &before, error);
    if (status == STATUS_OK) status = begin_file(&before, &path, error);
    if (status == STATUS_OK) {
        status = run_program(name, editor, path, error);
        Status read = json_read_text(path, TEXT_LIMIT, &after, &bytes, status == STATUS_OK ? error : NULL);
        if (status == STATUS_OK) status = read;
    }
    if (after != NULL && (strcmp(after, before.text) != 0 || (status == STATUS_OK && app->kept_edit != NULL)))
        status = take_edit(app, after, status, error);
    else if (status == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "nothing was changed");
    if (path != NULL) (void)unlink(path); /* a file of this program's own, in a folder for such */
    buffer_free(&before);
    free(after);
    free(path);
    return status;
}

static Status look(App *app, const char *name, const char *pager, Error *error) {
    Buffer text = {0};
    char *path = NULL;
    Status status = write_text(app->session, NULL, &text, error);
    if (status == STATUS_OK) status = begin_file(&text, &path, error);
    if (status == STATUS_OK) status = run_program(name, pager, path, error);
    if (path != NULL) (void)unlink(path);
    buffer_free(&text);
    free(path);
    return status;
}

/* The variable that names a program, and that in *value; NULL: none does. */
static const char *find_program(const char *const *names, size_t count, const char **value) {
    for (size_t i = 0; i < count; i++) {
        *value = getenv(names[i]);
        if (*value != NULL && (*value)[0] != '\0') return names[i];
    }
    return NULL;
}

Reaction app_edit_export(App *app) {
    static const char *const EDITORS[] = {"VISUAL", "EDITOR"}, *const PAGERS[] = {"PAGER"};
    Error error;
    const char *program;
    const char *name = find_program(EDITORS, 2, &program);
    Status status = STATUS_OK;
    if (name != NULL) {
        status = edit(app, name, program, &error);
    } else if ((name = find_program(PAGERS, 1, &program)) != NULL) {
        status = look(app, name, program, &error);
    } else {
        session_say(app->session, SESSION_WARNING,
                    "set VISUAL or EDITOR to an editor, or PAGER to look only");
    }
    if (status != STATUS_OK)
        session_say(app->session, SESSION_ERROR, "nothing was changed%s: %s",
                    app->kept_edit != NULL ? ", the edit is kept" : "", error.message);
    return (Reaction)(app_resize(app) | REACTION_REDRAW | REACTION_REFRESH);
}
