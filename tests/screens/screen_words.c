#include "tests/screens/screen_words.h"

#include "core/support/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- variables ---- */

static char **find_variable(const ScreenVariables *variables, const char *name, size_t bytes) {
    for (size_t i = 0; i < variables->count; i++)
        if (strncmp(variables->items[i], name, bytes) == 0 && variables->items[i][bytes] == '=')
            return &variables->items[i];
    return NULL;
}

Status screen_variables_set(ScreenVariables *variables, const char *name, const char *value, Error *error) {
    char *item = memory_format("%s=%s", name, value);
    if (item == NULL) return memory_fail(error, "a variable");
    char **old = find_variable(variables, name, strlen(name));
    if (old != NULL) {
        free(*old);
        *old = item;
        return STATUS_OK;
    }
    Status status = MEMORY_RESERVE(variables->items, &variables->capacity, variables->count + 2, error);
    if (status != STATUS_OK) {
        free(item);
        return status;
    }
    variables->items[variables->count++] = item;
    variables->items[variables->count] = NULL;
    return STATUS_OK;
}

void screen_variables_unset(ScreenVariables *variables, const char *name) {
    char **old = find_variable(variables, name, strlen(name));
    if (old == NULL) return;
    free(*old);
    *old = variables->items[--variables->count];
    variables->items[variables->count] = NULL;
}

static const char *value_of(const ScreenVariables *variables, const char *name, size_t bytes) {
    char **item = find_variable(variables, name, bytes);
    return item == NULL ? NULL : *item + bytes + 1;
}

const char *screen_variables_get(const ScreenVariables *variables, const char *name) {
    return value_of(variables, name, strlen(name));
}

void screen_variables_free(ScreenVariables *variables) {
    for (size_t i = 0; i < variables->count; i++) free(variables->items[i]);
    free(variables->items);
    *variables = (ScreenVariables){0};
}

/* ---- words ---- */

typedef struct Word {
    char *text;
    size_t bytes, capacity;
} Word;

static Status append(Word *word, const char *text, size_t bytes, Error *error) {
    Status status = MEMORY_RESERVE(word->text, &word->capacity, word->bytes + bytes + 1, error);
    if (status != STATUS_OK) return status;
    memcpy(word->text + word->bytes, text, bytes);
    word->bytes += bytes;
    word->text[word->bytes] = '\0';
    return STATUS_OK;
}

/* *at is just behind a $. */
static Status append_variable(Word *word, const char **at, const ScreenVariables *variables, Error *error) {
    bool braced = **at == '{';
    const char *name = *at + (braced ? 1 : 0), *end = name;
    while (isalnum((unsigned char)*end) || *end == '_') end++;
    if (end == name || (braced && *end != '}'))
        return status_fail(error, STATUS_FORMAT, "expected a name after $, found \"%s\"", *at);
    const char *value = value_of(variables, name, (size_t)(end - name));
    if (value == NULL)
        return status_fail(error, STATUS_FORMAT, "there is no variable %.*s", (int)(end - name), name);
    *at = end + (braced ? 1 : 0);
    return append(word, value, strlen(value), error);
}

static Status append_escape(Word *word, const char **at, Error *error) {
    static const char letters[] = "nte\"\\$", meanings[] = "\n\t\033\"\\$";
    const char *found = **at == '\0' ? NULL : strchr(letters, **at);
    if (found == NULL) return status_fail(error, STATUS_FORMAT, "\\%c is no escape", **at);
    ++*at;
    return append(word, meanings + (found - letters), 1, error);
}

static Status append_quoted(Word *word, const char **at, const ScreenVariables *variables, Error *error) {
    char quote = *(*at)++;
    Status status = append(word, "", 0, error); /* so that "" is a word */
    while (status == STATUS_OK && **at != quote) {
        char c = *(*at)++;
        if (c == '\0') return status_fail(error, STATUS_FORMAT, "a %c is never closed", quote);
        if (quote == '"' && c == '$') {
            status = append_variable(word, at, variables, error);
        } else if (quote == '"' && c == '\\') {
            status = append_escape(word, at, error);
        } else {
            status = append(word, &c, 1, error);
        }
    }
    ++*at;
    return status;
}

static Status read_word(Word *word, const char **at, const ScreenVariables *variables, Error *error) {
    Status status = STATUS_OK;
    while (status == STATUS_OK && **at != '\0' && !isspace((unsigned char)**at)) {
        if (**at == '"' || **at == '\'') {
            status = append_quoted(word, at, variables, error);
        } else if (**at == '$') {
            ++*at;
            status = append_variable(word, at, variables, error);
        } else {
            status = append(word, (*at)++, 1, error);
        }
    }
    return status;
}

Status screen_words_split(const char *line, const ScreenVariables *variables, ScreenWords *words,
                          Error *error) {
    *words = (ScreenWords){0};
    for (;;) {
        Status status = MEMORY_RESERVE(words->items, &words->capacity, words->count + 2, error);
        if (status != STATUS_OK) return status;
        words->items[words->count] = NULL;
        while (isspace((unsigned char)*line)) line++;
        if (*line == '\0' || *line == '#') return STATUS_OK;
        Word word = {0};
        status = read_word(&word, &line, variables, error);
        if (status != STATUS_OK) {
            free(word.text);
            return status;
        }
        words->items[words->count++] = word.text;
    }
}

void screen_words_free(ScreenWords *words) {
    for (size_t i = 0; i < words->count; i++) free(words->items[i]);
    free(words->items);
    *words = (ScreenWords){0};
}

Status screen_words_add(ScreenWords *words, const char *text, size_t bytes, Error *error) {
    Status status = MEMORY_RESERVE(words->items, &words->capacity, words->count + 2, error);
    if (status != STATUS_OK) return status;
    words->items[words->count] = memory_copy_text(text, bytes);
    if (words->items[words->count] == NULL) return memory_fail(error, "a text");
    words->items[++words->count] = NULL;
    return STATUS_OK;
}

Status screen_words_read_lines(const char *path, ScreenWords *lines, Error *error) {
    *lines = (ScreenWords){0};
    FILE *file = fopen(path, "re");
    if (file == NULL) return status_fail_errno(error, errno, "%s cannot be opened", path);
    Status status = STATUS_OK;
    char *line = NULL;
    size_t capacity = 0;
    while (status == STATUS_OK && getline(&line, &capacity, file) >= 0)
        status = screen_words_add(lines, line, strcspn(line, "\n"), error);
    if (status == STATUS_OK && ferror(file))
        status = status_fail(error, STATUS_IO, "%s cannot be read", path);
    free(line);
    (void)fclose(file); /* only read from */
    return status;
}
