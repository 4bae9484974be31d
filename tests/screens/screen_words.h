/*
 * screen_words — one line of a screen script as words.
 *
 *     run $REJUV demo/base demo/sft       bare words; $NAME and ${NAME} are replaced
 *     type "two words\n"                  "…": blanks kept, $NAME replaced, \n \t \e \" \\ \$ known
 *     mask 'KL +[0-9.]+'                  '…': everything as it stands
 *     # a comment, from a # at the start of a word
 */
#ifndef REJUV_TESTS_SCREEN_WORDS_H
#define REJUV_TESTS_SCREEN_WORDS_H

#include "core/support/status.h"

#include <stddef.h>

/* "NAME=VALUE" strings, the last one of a name counts; ends with NULL once it holds anything. */
typedef struct ScreenVariables {
    char **items;
    size_t count, capacity;
} ScreenVariables;

Status screen_variables_set(ScreenVariables *variables, const char *name, const char *value,
                            Error *error) STATUS_MUST_CHECK;
void screen_variables_unset(ScreenVariables *variables, const char *name);
const char *screen_variables_get(const ScreenVariables *variables, const char *name); /* or NULL */
void screen_variables_free(ScreenVariables *variables);

typedef struct ScreenWords {
    char **items; /* ends with NULL */
    size_t count, capacity;
} ScreenWords;

/* Splits `line`. STATUS_FORMAT for an open quote or an unknown variable. Free with screen_words_free(), also
 * after a failure. */
Status screen_words_split(const char *line, const ScreenVariables *variables, ScreenWords *words,
                          Error *error) STATUS_MUST_CHECK;
void screen_words_free(ScreenWords *words);

/* Puts a copy of a text at the end of the list. */
Status screen_words_add(ScreenWords *words, const char *text, size_t bytes, Error *error) STATUS_MUST_CHECK;

/* A file's lines, without their ends, as such a list. Free it, also after a failure. */
Status screen_words_read_lines(const char *path, ScreenWords *lines, Error *error) STATUS_MUST_CHECK;

#endif
