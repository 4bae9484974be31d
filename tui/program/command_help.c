#include "tui/program/command_help.h"

#include "tui/cli/options.h"
#include "tui/program/command_list.h"

#include <string.h>

enum { COLUMNS = 79, INDENT = 2, OPTION_COLUMN = 30, COMMAND_COLUMN = 14 };

static void pad_to(int *column, int target) {
    for (; *column < target; (*column)++) (void)putchar(' '); /* standard output is checked at the end */
}

/* Writes words from `column` on, and breaks lines at COLUMNS, going on at `margin`. */
static void write_words(const char *text, size_t length, int column, int margin) {
    for (const char *end = text + length; text < end;) {
        int word = (int)strcspn(text, " \n");
        if (column > margin && column + 1 + word > COLUMNS) {
            (void)putchar('\n');
            column = 0;
        }
        if (column > margin) {
            (void)putchar(' ');
            column++;
        }
        pad_to(&column, margin);
        (void)printf("%.*s", word, text);
        column += word;
        text += word + (int)strspn(text + word, " ");
    }
    (void)putchar('\n');
}

/* How far a line of a list, "  key   what it is", goes before what it is; 0 for a line of prose. */
static size_t list_margin(const char *line, size_t length) {
    size_t at = strspn(line, " ");
    if (at == 0) return 0;
    const char *gap = memmem(line + at, length - at, "  ", 2);
    if (gap == NULL) return at;
    return (size_t)(gap - line) + strspn(gap, " ");
}

/* Paragraphs and lists: a newline ends each. */
static void write_paragraphs(const char *text) {
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), margin = list_margin(text, length);
        int column = printf("%.*s", (int)margin, text);
        write_words(text + margin, length - margin, column, (int)margin);
        text += length + (text[length] == '\n');
    }
}

void command_help_write_usage(CommandId id, FILE *file) {
    const CommandFacts *command = command_table_facts(id);
    (void)fprintf(file, "usage: rejuv%s%s%s%s [OPTION ...]\n", id == COMMAND_OPEN ? "" : " ", command->name,
                  command->operands[0] != '\0' ? " " : "", command->operands);
}

static void write_option(const OptionFacts *option) {
    char help[512];
    int column = printf("%*s", INDENT, "");
    column += option->letter != 0 ? printf("-%c, ", option->letter) : printf("    ");
    column += printf("--%s", option->name);
    if (option->argument != NULL) column += printf(" %s", option->argument);
    if (column >= OPTION_COLUMN) {
        (void)putchar('\n');
        column = 0;
    }
    pad_to(&column, OPTION_COLUMN);
    (void)snprintf(help, sizeof help, option->initial != NULL ? "%s (default: %s)" : "%s", option->help,
                   option->initial);
    write_words(help, strlen(help), column, OPTION_COLUMN);
}

static void write_options(CommandId id) {
    (void)printf("\nOptions:\n");
    for (OptionId option = 0; option < OPTION_COUNT; option++)
        if ((option_facts(option)->commands >> id & 1U) != 0) write_option(option_facts(option));
}

static void write_commands(void) {
    (void)printf("\nCommands:\n");
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        if (id == COMMAND_OPEN) continue;
        const CommandFacts *command = command_table_facts(id);
        int column = printf("%*s%s", INDENT, "", command->name);
        pad_to(&column, COMMAND_COLUMN);
        write_words(command->summary, strlen(command->summary), column, COMMAND_COLUMN);
    }
    (void)printf("\nrejuv COMMAND --help tells more about one.\n");
}

void command_help_write(CommandId id) {
    command_help_write_usage(id, stdout);
    if (id == COMMAND_OPEN) (void)printf("       rejuv COMMAND [OPTION | ARGUMENT ...]\n");
    (void)putchar('\n');
    write_paragraphs(command_table_facts(id)->summary);
    if (COMMANDS[id]->details[0] != '\0') {
        (void)putchar('\n');
        write_paragraphs(COMMANDS[id]->details);
    }
    if (id == COMMAND_OPEN) write_commands();
    write_options(id);
    (void)putchar('\n');
    write_paragraphs(COMMAND_EXIT_STATUS);
}
