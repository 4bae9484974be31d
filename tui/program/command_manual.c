/*
 * `rejuv manual` — the manual page, made from the tables of commands, options, actions and keys, so that it cannot
 * say what the program does not do, and from the topics of `rejuv help`.
 */
#include "tui/commands/command.h"
#include "tui/keys/keymap.h"
#include "tui/program/roff.h"
#include "tui/program/topic.h"
#include "views/views.h"

#include <stdio.h>
#include <string.h>

/* The next entry of a list: what it is about in bold, then its text. */
static void begin_entry(const char *name) {
    (void)fputs(".TP\n\\fB", stdout);
    roff_write_text(stdout, name, strlen(name));
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
        roff_write_text(stdout, line + start, (size_t)(gap - line) - start);
        (void)putchar('\n');
        start = (size_t)(gap - line) + strspn(gap, " ");
    } else if (!is_example) {
        (void)puts(start > DEEPEST_EXAMPLE ? ".br" : ".IP \"\" 4");
    } else {
        start = 0;
    }
    roff_write_text(stdout, line + start, length - start);
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
            roff_write_text(stdout, text, length);
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
        roff_write_text(stdout, option->argument, strlen(option->argument));
        (void)fputs("\\fR", stdout);
    }
    (void)putchar('\n');
    roff_write_text(stdout, option->help, strlen(option->help));
    if (option->initial != NULL) {
        (void)fputs(" (default: ", stdout);
        roff_write_text(stdout, option->initial, strlen(option->initial));
        (void)putchar(')');
    }
    (void)putchar('\n');
}

static void write_options(CommandId id) {
    for (OptionId option = 0; option < OPTION_COUNT; option++)
        if ((option_facts(option)->commands >> id & 1U) != 0) write_option(option_facts(option));
}

static void write_command(const Command *const *commands, CommandId id) {
    const CommandFacts *command = command_table_facts(id);
    (void)fputs(".SS ", stdout);
    roff_write_text(stdout, "rejuv ", 6);
    roff_write_text(stdout, command->name, strlen(command->name));
    (void)putchar(' ');
    roff_write_line(stdout, command->operands);
    write_paragraphs(command->summary);
    write_paragraphs(commands[id]->details);
    write_options(id);
}

/* One binding: its keys, and what the action does; its name is for `:`. */
static void write_binding(const KeymapBinding *binding) {
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    const ActionInfo *info = action_info(binding->action);
    keymap_write_keys(binding, false, keys, sizeof keys);
    begin_entry(keys);
    (void)putchar('\n');
    roff_write_text(stdout, info->help, strlen(info->help));
    (void)fputs(" (", stdout);
    roff_write_text(stdout, info->name, strlen(info->name));
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

/* Every topic; the one about keys goes on with the keys themselves. */
static void write_topics(const Keymap *keymap) {
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        topic_write_roff(TOPIC_NAMES[i], topic_find(TOPIC_NAMES[i]), stdout);
        if (strcmp(TOPIC_NAMES[i], "keys") == 0) write_all_keys(keymap);
    }
}

static Status run(Batch *batch, Error *error) {
    Keymap *keymap;
    KeymapSection sections[VIEW_LIMIT];
    Status status = keymap_create(sections, view_list_sections(&VIEWS, sections), &keymap, error);
    if (status != STATUS_OK) return status;
    (void)puts(".ds AD l"); /* what groff 1.23 adjusts each section by */
    (void)puts(".TH REJUV 1 \"\" \"rejuv " REJUV_VERSION "\" \"User Commands\"");
    (void)puts(".nh\n.ad l"); /* names are not broken, nor words drawn apart */
    roff_write_spellings(stdout);
    roff_write_section(stdout, "NAME");
    (void)puts("rejuv \\- look into a fine\\-tuned language model beside its base, and rejuvenate it");
    roff_write_section(stdout, "SYNOPSIS");
    (void)puts("\\fBrejuv\\fR [\\fIBASE SFT\\fR] [\\fIOPTION\\fR ...]\n.br");
    (void)puts("\\fBrejuv\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR | \\fIARGUMENT\\fR ...]");
    roff_write_section(stdout, "DESCRIPTION");
    write_paragraphs(command_table_facts(COMMAND_OPEN)->summary);
    write_paragraphs(batch->commands[COMMAND_OPEN]->details);
    roff_write_section(stdout, "OPTIONS");
    write_options(COMMAND_OPEN);
    roff_write_section(stdout, "COMMANDS");
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN) write_command(batch->commands, id);
    write_topics(keymap);
    roff_write_section(stdout, "EXIT STATUS");
    write_paragraphs(COMMAND_EXIT_STATUS);
    keymap_free(keymap);
    return STATUS_OK;
}

const Command command_manual = {
    .details = "  rejuv manual | man -l -",
    .run = run,
};
