#include "tui/cli/command_table.h"

#include <stdbool.h>
#include <string.h>

static const CommandFacts FACTS[COMMAND_COUNT] = {
#define COMMAND_ROW(identifier, name, operands, summary) {name, operands, summary},
    COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
};

const char COMMAND_EXIT_STATUS[] =
    "Exit status: 0; 1 a finding (check: they cannot be fused; verify, export: what is there is not what it should "
    "be); 2 an error; 130 interrupted.";

const CommandFacts *command_table_facts(CommandId id) {
    return &FACTS[id];
}

CommandId command_table_find(const char *name) {
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN && strcmp(FACTS[id].name, name) == 0) return id;
    return COMMAND_COUNT;
}

/* The words of "DIR [FILE]", and how many of them are there in any case; "SFT..." is one. */
static size_t count_words(const char *operands, size_t *needed) {
    size_t words = 0;
    bool inside = false;
    *needed = 0;
    for (const char *c = operands; *c != '\0'; c++) {
        if (c != operands && c[-1] != ' ') continue;
        inside = inside || *c == '[';
        words++;
        *needed += !inside;
    }
    return words;
}

Status command_table_check_operands(CommandId id, size_t count, Error *error) {
    size_t needed;
    const char *operands = FACTS[id].operands;
    size_t words = count_words(operands, &needed);
    bool repeats = strstr(operands, "...") != NULL;
    if (count == words || count == needed || (repeats && count > words)) return STATUS_OK;
    if (words == 0) return status_fail(error, STATUS_ARGUMENT, "expected no argument, found %zu", count);
    bool or_nothing = needed == 0; /* else the brackets say it */
    int length = (int)strcspn(operands, or_nothing ? "]" : "");
    return status_fail(error, STATUS_ARGUMENT, "expected %.*s%s, found %zu argument%s", length - or_nothing,
                       operands + or_nothing, or_nothing ? " or nothing" : "", count, count == 1 ? "" : "s");
}
