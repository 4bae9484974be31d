#include "tui/cli/options.h"

#include "core/method/dials.h"
#include "core/support/memory.h"
#include "tui/cli/command_table.h"
#include "tui/text/format.h"
#include "tui/text/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const OptionFacts FACTS[OPTION_COUNT] = {
#define OPTION_ROW(identifier, name, letter, argument, kind, least, most, initial, commands, help)           \
    [OPTION_##                                                                                               \
        identifier] = {name, letter, argument, OPTION_KIND_##kind, least, most, initial, commands, help},
    OPTION_TABLE(OPTION_ROW)
#undef OPTION_ROW
};

/* Options that contradict each other: everywhere, or for some commands. */
static const struct {
    OptionId a, b;
    unsigned commands; /* 0: all */
} EXCLUSIVE[] = {
    {OPTION_JSON, OPTION_CSV, 0},
    {OPTION_PROMPT, OPTION_PROMPT_FILE, 0},
    {OPTION_PROMPT, OPTION_IDS, 0},
    {OPTION_PROMPT_FILE, OPTION_IDS, 0},
    {OPTION_CHAT, OPTION_PROMPT, 0},
    {OPTION_CHAT, OPTION_PROMPT_FILE, 0},
    {OPTION_CHAT, OPTION_IDS, 0},
    {OPTION_CALIBRATION, OPTION_PROMPT, ON(SWEEP)},
    {OPTION_CALIBRATION, OPTION_PROMPT_FILE, ON(SWEEP)},
    {OPTION_CALIBRATION, OPTION_IDS, ON(SWEEP)},
    {OPTION_CALIBRATION, OPTION_CHAT, ON(SWEEP)},
    {OPTION_RECIPE, OPTION_ALPHA, 0},
    {OPTION_RECIPE, OPTION_ALPHA_LAYERS, 0},
    {OPTION_RECIPE, OPTION_ALPHA_KIND, 0},
    {OPTION_RECIPE, OPTION_PROTECT, 0},
    {OPTION_RECIPE, OPTION_RHO, 0},
    {OPTION_RECIPE, OPTION_OMEGA, 0},
    {OPTION_RECIPE, OPTION_SELECT, 0},
    {OPTION_RECIPE, OPTION_TARGETS, 0},
    {OPTION_RECIPE, OPTION_SEED_RANDOM, 0},
    {OPTION_RECIPE, OPTION_CALIBRATION, 0},
    {OPTION_RECIPE, OPTION_END_TOKEN, 0},
    {OPTION_RECIPE, OPTION_TEMPLATE, 0},
    {OPTION_RECIPE, OPTION_TOKENIZER_FILE, 0},
    {OPTION_RECIPE, OPTION_DTYPE, 0},
    {OPTION_RECIPE, OPTION_SHARD_SIZE, 0},
    {OPTION_RECIPE, OPTION_DONOR, 0},
    {OPTION_REWARD, OPTION_REWARD_COMMAND, 0},
    {OPTION_DISCARD, OPTION_DRY_RUN, 0},
    {OPTION_DISCARD, OPTION_RECIPE, 0},
    {OPTION_NO_INPUTS, OPTION_BASE, 0},
    {OPTION_NO_INPUTS, OPTION_SFT, 0},
};

const OptionFacts *option_facts(OptionId id) {
    return &FACTS[id];
}

bool options_has(const Options *options, OptionId id) {
    return options->values[id].given;
}

const OptionValue *options_value(const Options *options, OptionId id) {
    return &options->values[id];
}

const char *options_text(const Options *options, OptionId id) {
    return options->values[id].text;
}

const char *options_next(const Options *options, OptionId id, size_t *at) {
    while (*at < options->given_count) {
        const OptionGiven *given = &options->given[(*at)++];
        if (given->id == id) return given->text;
    }
    return NULL;
}

Range option_range(const OptionValue *value) {
    return (Range){.from = value->number,
                   .to = value->to,
                   .points = (size_t)value->count,
                   .is_chebyshev = value->is_chebyshev};
}

/* ---- values ---- */

static bool read_size(const char *text, uint64_t *size) {
    static const struct {
        const char *name;
        double bytes;
    } UNITS[] = {
        {"", 1},      {"B", 1},      {"KB", 1e3},        {"MB", 1e6},           {"GB", 1e9},
        {"TB", 1e12}, {"KIB", 1024}, {"MIB", 1048576.0}, {"GIB", 1073741824.0}, {"TIB", 1099511627776.0}};
    char *end;
    if (!isdigit((unsigned char)text[0])) return false;
    double number = strtod(text, &end);
    end += strspn(end, " ");
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (strcasecmp(end, UNITS[i].name) != 0) continue;
        double bytes = number * UNITS[i].bytes;
        if (!(bytes < 9e18)) return false; /* fits an int64_t, as sizes of files do */
        *size = (uint64_t)bytes;
        return true;
    }
    return false;
}

/* Other names of choices: what other programs call the same. */
static const struct {
    OptionId option;
    const char *name, *choice;
} ALIASES[] = {
    {OPTION_DTYPE, "bfloat16", "BF16"}, {OPTION_DTYPE, "float16", "F16"}, {OPTION_DTYPE, "fp16", "F16"},
    {OPTION_DTYPE, "half", "F16"},      {OPTION_DTYPE, "float32", "F32"}, {OPTION_DTYPE, "fp32", "F32"},
    {OPTION_DTYPE, "float", "F32"},
};

static const char *resolve_alias(const OptionFacts *facts, const char *text) {
    static const char TORCH[] = "torch.";
    const char *name = strncmp(text, TORCH, sizeof TORCH - 1) == 0 ? text + sizeof TORCH - 1 : text;
    for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES; i++) {
        if (&FACTS[ALIASES[i].option] == facts && strcasecmp(ALIASES[i].name, name) == 0)
            return ALIASES[i].choice;
    }
    return text;
}

/* Which of "a|b|c" it is, ignoring case. */
static bool read_choice(const char *choices, const char *text, uint64_t *which) {
    size_t length = strlen(text);
    *which = 0;
    for (const char *choice = choices;; choice += strcspn(choice, "|") + 1, (*which)++) {
        size_t bytes = strcspn(choice, "|");
        if (bytes == length && strncasecmp(choice, text, bytes) == 0) return true;
        if (choice[bytes] == '\0') return false;
    }
}

static bool read_range(const OptionFacts *facts, const char *text, OptionValue *value) {
    const RangeLimits limits = {.least = facts->least,
                                .most = facts->most,
                                .least_points = 1,
                                .most_points = OPTION_RANGE_POINTS,
                                .are_shares = facts->kind == OPTION_KIND_SHARES,
                                .may_be_chebyshev = facts->kind == OPTION_KIND_POINTS};
    Range range;
    if (!range_read(text, &limits, &range)) return false;
    value->number = range.from;
    value->to = range.to;
    value->count = range.points;
    value->is_chebyshev = range.is_chebyshev;
    return true;
}

static bool is_within(const OptionFacts *facts, double value) {
    return value >= facts->least && value <= facts->most;
}

static bool read_value(const OptionFacts *facts, const char *text, OptionValue *value) {
    value->text = text;
    switch (facts->kind) {
    case OPTION_KIND_FLAG:
    case OPTION_KIND_TEXT:
        return true;
    case OPTION_KIND_NUMBER:
        return range_read_number(text, &value->number) && is_within(facts, value->number);
    case OPTION_KIND_SHARE:
        return range_read_share(text, &value->number) && is_within(facts, value->number);
    case OPTION_KIND_COUNT:
        return range_read_count(text, &value->count) && is_within(facts, (double)value->count);
    case OPTION_KIND_SIZE:
        return read_size(text, &value->count) && is_within(facts, (double)value->count);
    case OPTION_KIND_CHOICE:
        return read_choice(facts->argument, resolve_alias(facts, text), &value->count);
    case OPTION_KIND_RANGE:
    case OPTION_KIND_POINTS:
    case OPTION_KIND_SHARES:
        return read_range(facts, text, value);
    }
    return false;
}

static Status refuse_value(const OptionFacts *facts, const char *text, Error *error) {
    char least[FORMAT_SIZE], most[FORMAT_SIZE], expected[160] = "";
    (void)snprintf(least, sizeof least, "%.15g", facts->least);
    (void)snprintf(most, sizeof most, "%.15g", facts->most);
    switch (facts->kind) {
    case OPTION_KIND_NUMBER:
        (void)snprintf(expected, sizeof expected, "a number from %s to %s", least, most);
        break;
    case OPTION_KIND_SHARE:
        (void)snprintf(expected, sizeof expected, "a share from %s to %s, such as 0.01 or 1%%", least, most);
        break;
    case OPTION_KIND_COUNT:
        (void)snprintf(expected, sizeof expected, "a whole number from %s to %s", least, most);
        break;
    case OPTION_KIND_SIZE:
        (void)snprintf(expected, sizeof expected, "a size such as 5GB, 500MB, 2GiB or a number of bytes");
        break;
    case OPTION_KIND_CHOICE:
        (void)snprintf(expected, sizeof expected, "one of %s", facts->argument);
        break;
    case OPTION_KIND_RANGE:
    case OPTION_KIND_POINTS:
    case OPTION_KIND_SHARES:
        (void)snprintf(expected, sizeof expected, "%s, such as 0:1:11, within %s to %s and of 2 to %d points",
                       facts->argument, least, most, OPTION_RANGE_POINTS);
        break;
    case OPTION_KIND_FLAG:
    case OPTION_KIND_TEXT:
        break;
    }
    return status_fail(error, STATUS_ARGUMENT, "--%s: expected %s, found \"%s\"", facts->name, expected,
                       text);
}

/* ---- finding an option ---- */

static bool takes(CommandId command, OptionId id) {
    return (FACTS[id].commands >> command & 1U) != 0;
}

/* The row of a name (or, with `name` NULL, of a letter): the command's own where there are several.
 * OPTION_COUNT: none. */
static OptionId find_option(CommandId command, const char *name, size_t bytes, char letter) {
    OptionId found = OPTION_COUNT;
    for (OptionId id = 0; id < OPTION_COUNT; id++) {
        bool same = name != NULL
                        ? strlen(FACTS[id].name) == bytes && strncmp(FACTS[id].name, name, bytes) == 0
                        : FACTS[id].letter != 0 && FACTS[id].letter == letter;
        if (!same) continue;
        if (takes(command, id)) return id;
        if (found == OPTION_COUNT) found = id;
    }
    return found;
}

static Status refuse_unknown(CommandId command, const char *name, size_t bytes, Error *error) {
    char copy[64];
    const char *names[OPTION_COUNT];
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(bytes < sizeof copy ? bytes : sizeof copy - 1), name);
    for (OptionId id = 0; id < OPTION_COUNT; id++) names[id] = takes(command, id) ? FACTS[id].name : NULL;
    const char *nearest = suggest_name(copy, names, OPTION_COUNT);
    return status_fail(error, STATUS_ARGUMENT, "there is no option --%s%s%s%s", copy,
                       nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "?" : "");
}

/* An option that exists, but not for this command. */
static Status refuse_elsewhere(CommandId command, OptionId id, Error *error) {
    char others[160] = "";
    for (CommandId other = 0; other < COMMAND_COUNT; other++) {
        bool has = false;
        for (OptionId twin = 0; twin < OPTION_COUNT; twin++)
            has = has || (strcmp(FACTS[twin].name, FACTS[id].name) == 0 && takes(other, twin));
        if (!has) continue;
        size_t used = strlen(others);
        (void)snprintf(others + used, sizeof others - used, "%s%s", used > 0 ? ", " : "",
                       other == COMMAND_OPEN ? "the terminal program" : command_table_facts(other)->name);
    }
    const char *name = command_table_facts(command)->name;
    return status_fail(error, STATUS_ARGUMENT, "%s%s takes no --%s; it belongs to %s",
                       command == COMMAND_OPEN ? "the terminal program" : "rejuv ", name, FACTS[id].name,
                       others);
}

/* ---- the command line ---- */

typedef struct Reader {
    char **argv;
    int argc, at;
    Options *options;
} Reader;

/* What stands after an option: its value, attached to it or the next word. */
static Status take_value(Reader *reader, OptionId id, const char *attached, Error *error) {
    const OptionFacts *facts = &FACTS[id];
    const char *text = attached;
    if (facts->kind == OPTION_KIND_FLAG && attached != NULL)
        return status_fail(error, STATUS_ARGUMENT, "--%s takes no argument, found \"%s\"", facts->name,
                           attached);
    if (facts->kind != OPTION_KIND_FLAG && text == NULL) {
        if (reader->at >= reader->argc)
            return status_fail(error, STATUS_ARGUMENT, "--%s needs an argument: %s", facts->name,
                               facts->argument);
        text = reader->argv[reader->at++];
    }
    Options *options = reader->options;
    options->given[options->given_count++] = (OptionGiven){id, text};
    return STATUS_OK;
}

static Status take_long(Reader *reader, const char *name, Error *error) {
    size_t bytes = strcspn(name, "=");
    CommandId command = reader->options->command;
    OptionId id = find_option(command, name, bytes, 0);
    if (id == OPTION_COUNT) return refuse_unknown(command, name, bytes, error);
    return take_value(reader, id, name[bytes] == '=' ? name + bytes + 1 : NULL, error);
}

static Status take_letters(Reader *reader, const char *letters, Error *error) {
    while (*letters != '\0') {
        OptionId id = find_option(reader->options->command, NULL, 0, *letters);
        if (id == OPTION_COUNT)
            return status_fail(error, STATUS_ARGUMENT, "there is no option -%c", *letters);
        letters++;
        if (FACTS[id].kind != OPTION_KIND_FLAG)
            return take_value(reader, id, *letters != '\0' ? letters : NULL, error);
        Status status = take_value(reader, id, NULL, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* Sorts the words into options and operands. */
static Status take_words(Reader *reader, Error *error) {
    Options *options = reader->options;
    bool only_operands = false;
    while (reader->at < reader->argc) {
        const char *word = reader->argv[reader->at++];
        Status status = STATUS_OK;
        if (only_operands || word[0] != '-' || word[1] == '\0')
            options->operands[options->operand_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = true;
        else
            status =
                word[1] == '-' ? take_long(reader, word + 2, error) : take_letters(reader, word + 1, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* The first word that is the name of a command and no option's value. Which options have values does not
 * depend on the command, so this can be known before it. */
static CommandId find_command(int argc, char **argv, int *at) {
    for (*at = 1; *at < argc; (*at)++) {
        const char *word = argv[*at];
        if (strcmp(word, "--") == 0) break;
        if (word[0] != '-' || word[1] == '\0') {
            CommandId command = command_table_find(word);
            return command < COMMAND_COUNT ? command : COMMAND_OPEN;
        }
        OptionId id = word[1] == '-' ? find_option(COMMAND_OPEN, word + 2, strlen(word + 2), 0)
                                     : find_option(COMMAND_OPEN, NULL, 0, word[strlen(word) - 1]);
        if (id < OPTION_COUNT && FACTS[id].kind != OPTION_KIND_FLAG) (*at)++;
    }
    *at = 0;
    return COMMAND_OPEN;
}

static Status read_values(Options *options, Error *error) {
    for (OptionId id = 0; id < OPTION_COUNT; id++) {
        /* defaults are written as a user would write them, and are known to be well-formed: tests read all */
        if (FACTS[id].initial != NULL) (void)read_value(&FACTS[id], FACTS[id].initial, &options->values[id]);
    }
    for (size_t i = 0; i < options->given_count; i++) {
        OptionId id = options->given[i].id;
        if (!takes(options->command, id)) return refuse_elsewhere(options->command, id, error);
        OptionValue *value = &options->values[id];
        if (!read_value(&FACTS[id], options->given[i].text, value))
            return refuse_value(&FACTS[id], options->given[i].text, error);
        value->given = true;
    }
    return STATUS_OK;
}

static Status check_exclusive(const Options *options, Error *error) {
    for (size_t i = 0; i < sizeof EXCLUSIVE / sizeof *EXCLUSIVE; i++) {
        OptionId a = EXCLUSIVE[i].a, b = EXCLUSIVE[i].b;
        unsigned commands = EXCLUSIVE[i].commands;
        if (commands != 0 && (commands >> options->command & 1U) == 0) continue;
        if (options_has(options, a) && options_has(options, b))
            return status_fail(error, STATUS_ARGUMENT, "--%s and --%s exclude each other", FACTS[a].name,
                               FACTS[b].name);
    }
    return STATUS_OK;
}

/* A mistyped command ends up as an operand of the terminal program: say what it looks like. */
static Status explain_operands(const Options *options, Error *error) {
    Status status = command_table_check_operands(options->command, options->operand_count, error);
    for (size_t i = 0; status == STATUS_OK && i < options->operand_count; i++)
        if (options->operands[i][0] == '\0') /* a shell's variable that is not set; verify would look in / */
            return status_fail(error, STATUS_ARGUMENT, "argument %zu is empty", i + 1);
    if (options->command != COMMAND_OPEN || options->operand_count == 0) return status;
    const char *names[COMMAND_COUNT], *first = options->operands[0];
    if (status == STATUS_OK && options->operand_count == 2) return status;
    bool is_there = access(first, F_OK) == 0;
    if (status == STATUS_OK && is_there) return status; /* base, and rungs */
    if (is_there)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected BASE SFT..., found one: rejuv info %s tells of one alone", first);
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        names[id] = id == COMMAND_OPEN ? NULL : command_table_facts(id)->name;
    const char *nearest = suggest_name(first, names, COMMAND_COUNT);
    if (nearest != NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no command \"%s\"; did you mean %s?", first,
                           nearest);
    if (status == STATUS_OK)
        return status_fail(error, STATUS_ARGUMENT, "\"%s\" is no command, and no directory is there", first);
    return status_add_context(error, "\"%s\" is no command", first);
}

Status options_parse(int argc, char **argv, Options *options, Error *error) {
    *options = (Options){0};
    size_t words = argc > 0 ? (size_t)argc : 1, letters = 0;
    for (int i = 1; i < argc; i++) letters += strlen(argv[i]); /* -abc is as many options as letters */
    options->given = memory_allocate(words + letters, sizeof *options->given);
    options->operands = memory_allocate(words, sizeof *options->operands);
    if (options->given == NULL || options->operands == NULL) return memory_fail(error, "the command line");
    int command_at;
    options->command = find_command(argc, argv, &command_at);
    Reader reader = {.argv = argv, .argc = argc, .at = 1, .options = options};
    Status status = take_words(&reader, error);
    if (status == STATUS_OK && options->command != COMMAND_OPEN) { /* its name was the first operand */
        options->operand_count--;
        memmove(options->operands, options->operands + 1, options->operand_count * sizeof *options->operands);
    }
    if (status == STATUS_OK) status = read_values(options, error);
    if (status != STATUS_OK || options_has(options, OPTION_HELP) || options_has(options, OPTION_VERSION))
        return status;
    status = check_exclusive(options, error);
    return status == STATUS_OK ? explain_operands(options, error) : status;
}

void options_free(Options *options) {
    free(options->given);
    free(options->operands);
    *options = (Options){0};
}
