#include "tui/report/report_call.h"

#include "tui/cli/command_line.h"
#include "tui/commands/dial_options.h"

#include <string.h>

/* How rows are read. */
static const OptionId OF_ROWS[] = {OPTION_CALIBRATION, OPTION_END_TOKEN, OPTION_TEMPLATE,
                                   OPTION_TOKENIZER_FILE};

/* Where output goes, and how it is made: none of a figure's business. */
static const OptionId SILENT[] = {OPTION_OUT_PICTURE, OPTION_THREADS, OPTION_QUIET,        OPTION_JSON,
                                  OPTION_MARKDOWN,    OPTION_SKIP,    OPTION_NO_CACHE_READ};

static bool is_among(const OptionId *ids, size_t count, OptionId id) {
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

static bool takes(const ReportCall *call, OptionId id) {
    if (call->kind != NULL) return is_among(call->kind->options, call->kind->option_count, id);
    return (option_facts(id)->commands >> call->command & 1U) != 0;
}

/* The same option, or where the command understands a dial in another way, that of the same name; OPTION_COUNT where it
 * takes neither. */
static OptionId find_option(const ReportCall *call, OptionId given) {
    static const OptionId DIALS[] = {OPTION_ALPHA_RANGE, OPTION_RHO_RANGE,       OPTION_RHO_SET,
                                     OPTION_SEED_RANDOM, OPTION_SEED_DIRECTIONS, OPTION_SEED_ROLLOUT};
    if (takes(call, given)) return given;
    for (size_t i = 0; i < sizeof DIALS / sizeof *DIALS; i++)
        if (strcmp(option_facts(DIALS[i])->name, option_facts(given)->name) == 0 && takes(call, DIALS[i]))
            return DIALS[i];
    return OPTION_COUNT;
}

/* What a command refuses because it would do nothing there. */
static bool does_nothing(const Options *options, const ReportCall *call, OptionId id) {
    bool is_random = strcmp(options_text(options, OPTION_SELECT), "random") == 0;
    bool reads_for_reset = call->command == COMMAND_EXPORT || call->command == COMMAND_ROLLOUT;
    if (id == OPTION_CALIBRATION) return reads_for_reset && !dial_options_want_reset(options);
    return (id == OPTION_SEED_RANDOM || (call->kind == &figure_sweep && id == OPTION_SEED_DIRECTIONS)) &&
           !is_random;
}

static bool is_own(const ReportCall *call, OptionId id) {
    for (const char *const *word = call->words; word != NULL && *word != NULL; word++)
        if (strncmp(*word, "--", 2) == 0 && strcmp(*word + 2, option_facts(id)->name) == 0) return true;
    return false;
}

static void add_given(const Options *options, const ReportCall *call, CommandLine *line) {
    for (size_t i = 0; i < options->given_count && !call->is_of_pair; i++) {
        const OptionGiven *given = &options->given[i];
        OptionId id = find_option(call, given->id);
        if (id == OPTION_COUNT || is_among(SILENT, sizeof SILENT / sizeof *SILENT, id) ||
            (call->is_of_rows && !is_among(OF_ROWS, sizeof OF_ROWS / sizeof *OF_ROWS, id)) ||
            does_nothing(options, call, id) || is_own(call, id))
            continue;
        command_line_add(line, "--%s", option_facts(id)->name); /* some may be repeated */
        if (given->text != NULL) command_line_add(line, "%s", given->text);
    }
}

char *report_call_write(const Batch *batch, const ReportCall *call) {
    CommandLine line = {0};
    char *text = NULL;
    command_line_add(&line, "%s", command_table_facts(call->command)->name);
    if (call->kind != NULL) command_line_add(&line, "%s", call->kind->name);
    for (size_t i = 0; i < batch->options->operand_count; i++)
        command_line_add(&line, "%s", batch->options->operands[i]);
    for (const char *const *word = call->words; word != NULL && *word != NULL; word++)
        command_line_add(&line, "%s", *word);
    add_given(batch->options, call, &line);
    return command_line_take(&line, &text, NULL) == STATUS_OK ? text : NULL;
}
