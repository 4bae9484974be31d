/*
 * `rejuv help` and --help: commands and options from their tables, topics from their files.
 */
#include "tui/program/command_help.h"

#include "core/support/buffer.h"
#include "tui/cli/options.h"
#include "tui/program/page.h"
#include "tui/program/topic.h"
#include "tui/text/suggest.h"

#include <string.h>

enum { INDENT = 2, OPTION_COLUMN = 30, NAME_COLUMN = 15 };

/* How far a line of a list, "  key   what it is", goes before what it is; 0 for a line of prose. */
static size_t list_margin(const char *line, size_t length) {
    size_t at = strspn(line, " ");
    if (at == 0) return 0;
    const char *gap = memmem(line + at, length - at, "  ", 2);
    if (gap == NULL) return at;
    return (size_t)(gap - line) + strspn(gap, " ");
}

/* Paragraphs and lists: a newline ends each. */
static void write_paragraphs(Page *page, const char *text) {
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), margin = list_margin(text, length);
        page_write(page, text, margin);
        page_fill(page, text + margin, length - margin, page->column);
        text += length + (text[length] == '\n');
    }
}

void command_help_write_usage(CommandId id, FILE *file) {
    const CommandFacts *command = command_table_facts(id);
    (void)fprintf(file, "usage: rejuv%s%s%s%s [OPTION ...]\n", id == COMMAND_OPEN ? "" : " ", command->name,
                  command->operands[0] != '\0' ? " " : "", command->operands);
}

static void write_option(Page *page, const OptionFacts *option) {
    char name[96], help[512];
    const char *argument = option->argument != NULL ? option->argument : "";
    (void)snprintf(name, sizeof name, option->letter != 0 ? "-%4$c, --%1$s%2$s%3$s" : "    --%1$s%2$s%3$s",
                   option->name, argument[0] != '\0' ? " " : "", argument, option->letter);
    page_pad(page, INDENT);
    page_write(page, name, strlen(name));
    if (page->column >= OPTION_COLUMN) page_end_line(page);
    (void)snprintf(help, sizeof help, option->initial != NULL ? "%s (default: %s)" : "%s", option->help,
                   option->initial);
    page_fill(page, help, strlen(help), OPTION_COLUMN);
}

static void write_options(Page *page, CommandId id) {
    (void)fputs("\nOptions:\n", page->file);
    for (OptionId option = 0; option < OPTION_COUNT; option++)
        if ((option_facts(option)->commands >> id & 1U) != 0) write_option(page, option_facts(option));
}

static void write_name(Page *page, const char *name) {
    page_pad(page, INDENT);
    page_write(page, name, strlen(name));
    page_pad(page, NAME_COLUMN);
}

static void write_commands(Page *page) {
    static const char MORE[] = "rejuv help NAME tells more about one; rejuv COMMAND --help does too.";
    (void)fputs("\nCommands:\n", page->file);
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        if (id == COMMAND_OPEN) continue;
        write_name(page, command_table_facts(id)->name);
        page_fill(page, command_table_facts(id)->summary, strlen(command_table_facts(id)->summary),
                  NAME_COLUMN);
    }
    (void)fputs("\nTopics:\n", page->file);
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        TopicBlock title = topic_title(topic_find(TOPIC_NAMES[i]));
        write_name(page, TOPIC_NAMES[i]);
        page_fill(page, title.text, title.bytes, NAME_COLUMN);
    }
    page_end_line(page);
    write_paragraphs(page, MORE);
}

/* What every help begins with. */
static void write_head(Page *page, const Command *const *commands, CommandId id) {
    command_help_write_usage(id, page->file);
    if (id == COMMAND_OPEN) (void)fputs("       rejuv COMMAND [OPTION | ARGUMENT ...]\n", page->file);
    page_end_line(page);
    write_paragraphs(page, command_table_facts(id)->summary);
    if (commands[id]->details[0] == '\0') return;
    page_end_line(page);
    write_paragraphs(page, commands[id]->details);
}

static void write_exit_status(Page *page) {
    page_end_line(page);
    write_paragraphs(page, COMMAND_EXIT_STATUS);
}

void command_help_write(const Command *const *commands, CommandId id) {
    Page page = page_of_output(); /* standard output is checked at the end */
    write_head(&page, commands, id);
    if (id == COMMAND_OPEN) write_commands(&page);
    write_options(&page, id);
    write_exit_status(&page);
}

/* ---- rejuv help [NAME] ---- */

static Status refuse(const char *name, Error *error) {
    enum { NAMES = 64 };
    const char *names[NAMES];
    size_t count = 0;
    _Static_assert(COMMAND_COUNT < NAMES / 2, "room for topics");
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN) names[count++] = command_table_facts(id)->name;
    for (size_t i = 0; i < TOPIC_COUNT && count < NAMES; i++) names[count++] = TOPIC_NAMES[i];
    const char *nearest = suggest_name(name, names, count);
    if (nearest != NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "there is no command and no topic \"%s\"; did you mean %s?", name, nearest);
    Buffer topics = {0};
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        buffer_add_format(&topics, "%s%s",
                          i == 0                 ? ""
                          : i + 1 == TOPIC_COUNT ? " and "
                                                 : ", ",
                          TOPIC_NAMES[i]);
    Status status =
        status_fail(error, STATUS_ARGUMENT,
                    "there is no command and no topic \"%s\": topics are %s; rejuv help lists all", name,
                    topics.text != NULL && !topics.failed ? topics.text : "not to be listed");
    buffer_free(&topics);
    return status;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    const char *name = options->operand_count > 0 ? options->operands[0] : NULL;
    CommandId id = name != NULL ? command_table_find(name) : COMMAND_OPEN;
    const char *topic = name != NULL ? topic_find(name) : NULL;
    Page page = page_of_output();
    if (name == NULL) {
        write_head(&page, batch->commands, COMMAND_OPEN);
        write_commands(&page);
        write_exit_status(&page);
    } else if (id != COMMAND_COUNT) {
        command_help_write(batch->commands, id);
    } else if (topic != NULL) {
        topic_write_text(topic, &page);
    } else {
        return refuse(name, error);
    }
    return STATUS_OK;
}

const Command command_help = {
    .details = "The manual page has all of it: rejuv manual.",
    .run = run,
};
