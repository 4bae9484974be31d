#include "tui/cli/command_line.h"

#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "tui/text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static void add_word(CommandLine *line, char *word) {
    Error error;
    if (word == NULL || line->failed ||
        MEMORY_RESERVE(line->words, &line->capacity, line->count + 1, &error) != STATUS_OK) {
        line->failed = true;
        free(word);
        return;
    }
    line->words[line->count++] = word;
}

static void add_printed(CommandLine *line, const char *format, va_list arguments) {
    char *word = NULL;
    if (vasprintf(&word, format, arguments) < 0) word = NULL;
    add_word(line, word);
}

void command_line_add(CommandLine *line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_printed(line, format, arguments);
    va_end(arguments);
}

void command_line_append(CommandLine *line, CommandLine *tail) {
    for (size_t i = 0; i < tail->count; i++) {
        add_word(line, tail->words[i]);
        tail->words[i] = NULL; /* it is line's now, or freed */
    }
    line->failed = line->failed || tail->failed;
    command_line_free(tail);
}

static bool has_word(const CommandLine *line, const char *word) {
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->words[i], word) == 0) return true;
    }
    return false;
}

bool command_line_has_option(const CommandLine *line, OptionId option) {
    char name[64];
    (void)snprintf(name, sizeof name, "--%s", option_facts(option)->name);
    return has_word(line, name);
}

/* False where the option has no place on the line; otherwise its name is on it. */
static bool begin_option(CommandLine *line, CommandId command, OptionId option) {
    char name[64];
    const OptionFacts *facts = option_facts(option);
    (void)snprintf(name, sizeof name, "--%s", facts->name);
    if ((facts->commands & (1U << command)) == 0 || has_word(line, name)) return false;
    command_line_add(line, "%s", name);
    return true;
}

void command_line_add_option(CommandLine *line, CommandId command, OptionId option, const char *format, ...) {
    if (!begin_option(line, command, option)) return;
    va_list arguments;
    va_start(arguments, format);
    add_printed(line, format, arguments);
    va_end(arguments);
}

void command_line_add_number(CommandLine *line, CommandId command, OptionId option, double value) {
    char text[JSON_NUMBER_SIZE];
    (void)json_format_number(value, 1, text);
    command_line_add_option(line, command, option, "%s", text);
}

void command_line_add_flag(CommandLine *line, CommandId command, OptionId option) {
    (void)begin_option(line, command, option);
}

/* ---- as a shell reads it ---- */

static bool is_plain(const char *word) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,=%@";
    return *word != '\0' && strspn(word, PLAIN) == strlen(word);
}

/* Whether the word's first character, of `*bytes` bytes, is one that a terminal might act on or a reader not see. Newlines
 * and tabs are themselves within quotes, in every shell. */
static bool is_hidden(const char *word, size_t *bytes) {
    int32_t character;
    *bytes = text_decode(word, strlen(word), &character);
    return character != '\n' && character != '\t' && text_character_width(character) < 0;
}

static bool has_hidden(const char *word) {
    bool found = false;
    for (size_t bytes = 0; *word != '\0' && !found; word += bytes) found = is_hidden(word, &bytes);
    return found;
}

static void quote_word(Buffer *buffer, const char *word) {
    bool is_escaped = has_hidden(word);
    size_t bytes;
    buffer_add_text(buffer, is_escaped ? "$'" : "'");
    for (const char *c = word; *c != '\0'; c += bytes) {
        if (is_hidden(c, &bytes))
            for (size_t i = 0; i < bytes; i++)
                buffer_add_format(buffer, "\\%03o", (unsigned)(unsigned char)c[i]);
        else if (is_escaped && (*c == '\'' || *c == '\\'))
            buffer_add_format(buffer, "\\%c", *c);
        else if (*c == '\'')
            buffer_add_text(buffer, "'\\''");
        else
            buffer_add(buffer, c, bytes);
    }
    buffer_add_text(buffer, "'");
}

Status command_line_take(CommandLine *line, char **text, Error *error) {
    Buffer buffer = {0};
    size_t length;
    buffer_add_text(&buffer, "rejuv");
    for (size_t i = 0; i < line->count; i++) {
        buffer_add_text(&buffer, " ");
        if (is_plain(line->words[i]))
            buffer_add_text(&buffer, line->words[i]);
        else
            quote_word(&buffer, line->words[i]);
    }
    bool failed = line->failed;
    command_line_free(line);
    if (!failed) return buffer_take(&buffer, text, &length, "a command line", error);
    buffer_free(&buffer);
    return memory_fail(error, "a command line");
}

void command_line_free(CommandLine *line) {
    for (size_t i = 0; i < line->count; i++) free(line->words[i]);
    free(line->words);
    *line = (CommandLine){0};
}
