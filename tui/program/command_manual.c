/*
 * `rejuv manual` — the manual page, made from the tables of commands, options, actions and keys, so that it cannot
 * say what the program does not do.
 */
#include "tui/keys/keymap.h"
#include "tui/program/command_list.h"
#include "views/views.h"

#include <stdio.h>
#include <string.h>

/* ---- roff ---- */

/* Text that roff takes as it is: a backslash, a hyphen (which it would make a typographic one), and what
 * begins a request at the beginning of a line. */
static void write_text(const char *text, size_t length) {
    bool at_start = true;
    for (size_t i = 0; i < length; i++) {
        if (at_start && (text[i] == '.' || text[i] == '\'')) (void)fputs("\\&", stdout);
        if (text[i] == '\\')
            (void)fputs("\\e", stdout);
        else if (text[i] == '-')
            (void)fputs("\\-", stdout);
        else
            (void)putchar(text[i]); /* standard output is checked at the end */
        at_start = text[i] == '\n';
    }
}

static void write_line(const char *text) {
    write_text(text, strlen(text));
    (void)putchar('\n');
}

static void write_section(const char *title) {
    (void)printf(".SH %s\n", title);
}

/* The next entry of a list: what it is about in bold, then its text. */
static void begin_entry(const char *name) {
    (void)fputs(".TP\n\\fB", stdout);
    write_text(name, strlen(name));
    (void)fputs("\\fR", stdout);
}

/* A line that begins with a space: "  key  what it is" is an entry of a list, what is deeper goes on with one, what is
 * short an example, which stays as it is. Returns whether lines are left as they are from here on. */
static bool write_indented(const char *line, size_t length, bool verbatim) {
    enum { ENTRY_MARGIN = 2, DEEPEST_EXAMPLE = 6, LONGEST_EXAMPLE = 74 };
    size_t start = strspn(line, " ");
    const char *gap = memmem(line + start, length - start, "  ", 2);
    bool is_example = gap == NULL && start <= DEEPEST_EXAMPLE && length <= LONGEST_EXAMPLE;
    if (is_example != verbatim) (void)puts(is_example ? ".nf" : ".fi");
    if (gap != NULL && start == ENTRY_MARGIN) {
        (void)puts(".TP 4");
        write_text(line + start, (size_t)(gap - line) - start);
        (void)putchar('\n');
        start = (size_t)(gap - line) + strspn(gap, " ");
    } else if (!is_example) {
        (void)puts(start > DEEPEST_EXAMPLE ? ".br" : ".IP \"\" 4");
    } else {
        start = 0;
    }
    write_text(line + start, length - start);
    (void)putchar('\n');
    return is_example;
}

/* Prose as paragraphs; lines that begin with a space are lists or examples. */
static void write_paragraphs(const char *text) {
    bool verbatim = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (text[0] == ' ') {
            verbatim = write_indented(text, length, verbatim);
        } else {
            if (verbatim) (void)puts(".fi");
            verbatim = false;
            (void)puts(".PP");
            write_text(text, length);
            (void)putchar('\n');
        }
        text += length + (text[length] == '\n');
    }
    if (verbatim) (void)puts(".fi");
}

/* ---- the tables ---- */

static void write_option(const OptionFacts *option) {
    char name[96];
    (void)snprintf(name, sizeof name, option->letter != 0 ? "-%2$c, --%1$s" : "--%1$s", option->name,
                   option->letter);
    begin_entry(name);
    if (option->argument != NULL) {
        (void)fputs(" \\fI", stdout);
        write_text(option->argument, strlen(option->argument));
        (void)fputs("\\fR", stdout);
    }
    (void)putchar('\n');
    write_text(option->help, strlen(option->help));
    if (option->initial != NULL) {
        (void)fputs(" (default: ", stdout);
        write_text(option->initial, strlen(option->initial));
        (void)putchar(')');
    }
    (void)putchar('\n');
}

static void write_options(CommandId id) {
    for (OptionId option = 0; option < OPTION_COUNT; option++)
        if ((option_facts(option)->commands >> id & 1U) != 0) write_option(option_facts(option));
}

static void write_command(CommandId id) {
    const CommandFacts *command = command_table_facts(id);
    (void)fputs(".SS ", stdout);
    write_text("rejuv ", 6);
    write_text(command->name, strlen(command->name));
    (void)putchar(' ');
    write_line(command->operands);
    write_paragraphs(command->summary);
    write_paragraphs(COMMANDS[id]->details);
    write_options(id);
}

/* One binding: its keys, and what the action does; its name is for `:`. */
static void write_binding(const KeymapBinding *binding) {
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    const ActionInfo *info = action_info(binding->action);
    keymap_write_keys(binding, false, keys, sizeof keys);
    begin_entry(keys);
    (void)putchar('\n');
    write_text(info->help, strlen(info->help));
    (void)fputs(" (", stdout);
    write_text(info->name, strlen(info->name));
    (void)puts(")");
}

/* The bindings of one section of the key file, as they work in `view`. */
static void write_keys(const Keymap *keymap, const char *view, const char *section) {
    enum { BINDINGS = 1024 };
    const KeymapBinding *bindings[BINDINGS];
    size_t count = keymap_list(keymap, view, bindings, BINDINGS);
    for (size_t i = 0; i < count && i < BINDINGS; i++)
        if (strcmp(bindings[i]->section, section) == 0) write_binding(bindings[i]);
}

static void write_all_keys(const Keymap *keymap) {
    write_section("KEYS");
    (void)puts(".SS Everywhere");
    write_keys(keymap, "", "generic");
    for (size_t i = 0; i < VIEWS.count; i++) {
        const View *view = VIEWS.views[i];
        if (view == NULL) continue;
        (void)printf(".SS %s\n", view->title);
        if (view->help != NULL) write_paragraphs(view->help);
        write_keys(keymap, view->name, view->name);
    }
}

static void write_entries(const char *title, const char *const (*entries)[2], size_t count) {
    write_section(title);
    for (size_t i = 0; i < count; i++) {
        begin_entry(entries[i][0]);
        (void)putchar('\n');
        write_line(entries[i][1]);
    }
}

static void write_surroundings(void) {
    static const char *const FILES[][2] = {
        {"~/.config/rejuv/keys", "the user's own keys; only what differs from the built-in ones"},
        {"~/.config/rejuv/config",
         "lines such as theme = light and keys = vim; the command line comes before them"},
        {"~/.local/state/rejuv/",
         "histories of the prompt line, the last copied text, what --resume takes up"},
        {"~/.cache/rejuv/",
         "analyses of pairs that were opened, at most 1 GiB; may be removed at any time; --no-cache does "
         "without"},
        {"rejuvenation.json", "beside an export: everything that is needed to make the same bytes again"}};
    static const char *const VARIABLES[][2] = {
        {"TERM, COLORTERM, COLORFGBG, NO_COLOR",
         "what the terminal can show and how its background is; NO_COLOR, set to anything, means no colours"},
        {"LC_ALL, LC_CTYPE, LANG", "without UTF-8 in them the screen is drawn in ASCII"},
        {"XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME",
         "in place of ~/.config, ~/.local/state, ~/.cache"},
        {"REJUV_DEMO", "the directory of the demo pair"},
        {"OPENBLAS_NUM_THREADS, OPENBLAS_CORETYPE", "heeded as OpenBLAS heeds them"}};
    write_entries("FILES", FILES, sizeof FILES / sizeof *FILES);
    write_entries("ENVIRONMENT", VARIABLES, sizeof VARIABLES / sizeof *VARIABLES);
}

static Status run(Batch *batch, Error *error) {
    Keymap *keymap;
    (void)batch;
    KeymapSection sections[VIEW_LIMIT];
    Status status = keymap_create(sections, view_list_sections(&VIEWS, sections), &keymap, error);
    if (status != STATUS_OK) return status;
    (void)puts(".TH REJUV 1 \"\" \"rejuv " REJUV_VERSION "\" \"User Commands\"");
    (void)puts(".nh\n.ad l"); /* names are not broken, nor words drawn apart */
    write_section("NAME");
    (void)puts("rejuv \\- look into a fine\\-tuned language model beside its base, and rejuvenate it");
    write_section("SYNOPSIS");
    (void)puts("\\fBrejuv\\fR [\\fIBASE SFT\\fR] [\\fIOPTION\\fR ...]\n.br");
    (void)puts("\\fBrejuv\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR | \\fIARGUMENT\\fR ...]");
    write_section("DESCRIPTION");
    write_paragraphs(command_table_facts(COMMAND_OPEN)->summary);
    write_paragraphs(COMMANDS[COMMAND_OPEN]->details);
    write_section("OPTIONS");
    write_options(COMMAND_OPEN);
    write_section("COMMANDS");
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN) write_command(id);
    write_all_keys(keymap);
    write_surroundings();
    write_section("EXIT STATUS");
    write_paragraphs(COMMAND_EXIT_STATUS);
    keymap_free(keymap);
    return STATUS_OK;
}

const Command command_manual = {
    .details = "  rejuv manual | man -l -",
    .run = run,
};
