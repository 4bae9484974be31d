/*
 * options — the command line, read: which command, its options, what is left as operands.
 *
 *     rejuv [COMMAND] [OPTION | OPERAND] … [-- OPERAND …]
 *
 * Options stand anywhere: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, flags together (-qj4). The first
 * operand is the command if it is the name of one; without a command it is the terminal program
 * (COMMAND_OPEN). What is accepted is the table in option_table.h. An option given twice counts as given the
 * second time, but for those that options_next() walks through.
 *
 * The room: the command line, tables of commands and options, reading it, writing one. Options borrow argv; all of
 * it is for the main thread.
 */
#ifndef REJUV_TUI_OPTIONS_H
#define REJUV_TUI_OPTIONS_H

#include "core/support/status.h"
#include "tui/cli/command_table.h"
#include "tui/cli/option_table.h"
#include "tui/text/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum OptionId {
#define OPTION_ENUMERATOR(identifier, name, letter, argument, kind, least, most, initial, commands, help)    \
    OPTION_##identifier,
    OPTION_TABLE(OPTION_ENUMERATOR)
#undef OPTION_ENUMERATOR
        OPTION_COUNT
} OptionId;

typedef enum OptionKind {
    OPTION_KIND_FLAG,
    OPTION_KIND_NUMBER,
    OPTION_KIND_SHARE,
    OPTION_KIND_COUNT,
    OPTION_KIND_SIZE,
    OPTION_KIND_CHOICE,
    OPTION_KIND_RANGE,
    OPTION_KIND_POINTS, /* a RANGE that may be of Chebyshev's points */
    OPTION_KIND_SHARES,
    OPTION_KIND_TEXT
} OptionKind;

enum { OPTION_RANGE_POINTS = 10000 }; /* of a RANGE or of SHARES at most */

typedef struct OptionFacts {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: takes none */
    OptionKind kind;
    double least, most;
    const char *initial; /* NULL: none */
    unsigned commands;   /* 1 << CommandId */
    const char *help;
} OptionFacts;

typedef struct OptionValue {
    bool given;
    const char *text; /* as written, or the default; NULL where there is neither */
    double number;    /* NUMBER, SHARE; the FROM of a RANGE or of SHARES */
    double to;        /* of those two */
    uint64_t count; /* COUNT; SIZE, in bytes; CHOICE, which, from 0; the POINTS of a RANGE: 1 for a number */
    bool is_chebyshev; /* POINTS */
} OptionValue;

typedef struct OptionGiven {
    OptionId id;
    const char *text;
} OptionGiven;

typedef struct Options {
    CommandId command;
    OptionValue values[OPTION_COUNT];
    OptionGiven *given; /* all of them, in order */
    size_t given_count;
    const char **operands;
    size_t operand_count;
} Options;

/* Reads a command line; texts are borrowed from argv. STATUS_ARGUMENT says which option or operand is wrong,
 * what was expected, and what was probably meant. --help and --version end the checks: what else is on the
 * line need not make sense. options_free() releases, whatever the status. */
Status options_parse(int argc, char **argv, Options *options, Error *error) STATUS_MUST_CHECK;
void options_free(Options *options);

const OptionFacts *option_facts(OptionId id);

/* Whether it was given. */
bool options_has(const Options *options, OptionId id);

/* The value: given, or the default. */
const OptionValue *options_value(const Options *options, OptionId id);
const char *options_text(const Options *options, OptionId id);

/* The texts of an option that may be repeated, one after another; *at is 0 before the first. NULL at the
 * end. */
const char *options_next(const Options *options, OptionId id, size_t *at);

/* The value of a RANGE, of POINTS or of SHARES. */
Range option_range(const OptionValue *value);

#endif
