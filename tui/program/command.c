#include "tui/program/command.h"

#include "tui/tables/report_json.h"

#include <stdlib.h>
#include <string.h>

const Command *const COMMANDS[COMMAND_COUNT] = {
    [COMMAND_OPEN] = &command_open,
    [COMMAND_INFO] = &command_info,
    [COMMAND_CHECK] = &command_check,
    [COMMAND_DRIFT] = &command_drift,
    [COMMAND_TOKENIZE] = &command_tokenize,
    [COMMAND_PREVIEW] = &command_preview,
    [COMMAND_NEURONS] = &command_neurons,
    [COMMAND_RESET] = &command_reset,
    [COMMAND_SWEEP] = &command_sweep,
    [COMMAND_SHOT] = &command_shot,
    [COMMAND_FIGURE] = &command_figure,
    [COMMAND_EXPORT] = &command_export,
    [COMMAND_VERIFY] = &command_verify,
    [COMMAND_MANUAL] = &command_manual,
    [COMMAND_COMPLETION] = &command_completion,
};

CommandId command_find(const char *name) {
    for (CommandId id = 0; id < COMMAND_COUNT; id++)
        if (id != COMMAND_OPEN && strcmp(COMMANDS[id]->name, name) == 0) return id;
    return COMMAND_COUNT;
}

/* The words of "[BASE SFT]"; *optional: none will do too. */
static size_t count_words(const char *operands, bool *optional) {
    size_t words = operands[0] != '\0';
    for (const char *c = operands; *c != '\0'; c++) words += *c == ' ';
    *optional = operands[0] == '[' || words == 0;
    return words;
}

Status command_check_operands(CommandId id, size_t count, Error *error) {
    bool optional;
    size_t words = count_words(COMMANDS[id]->operands, &optional);
    if (count == words || (count == 0 && optional)) return STATUS_OK;
    if (words == 0) return status_fail(error, STATUS_ARGUMENT, "expected no argument, found %zu", count);
    int length = (int)strcspn(COMMANDS[id]->operands + optional, "]");
    return status_fail(error, STATUS_ARGUMENT, "expected %.*s%s, found %zu argument%s", length,
                       COMMANDS[id]->operands + optional, optional ? " or nothing" : "", count,
                       count == 1 ? "" : "s");
}

static int exit_status(const Batch *batch, Status status) {
    switch (status) {
    case STATUS_OK:
        return batch->found ? COMMAND_EXIT_FINDING : batch->exit_status;
    case STATUS_MISMATCH:
        return COMMAND_EXIT_FINDING;
    case STATUS_CANCELLED:
        return COMMAND_EXIT_INTERRUPTED;
    default:
        return COMMAND_EXIT_ERROR;
    }
}

/* Runs one command. A reader that closed the pipe had enough: what the command found still counts. */
static int run_command(const Options *options) {
    Batch batch;
    Error error = {0}, output = {0};
    batch_open(&batch, options);
    Status status = COMMANDS[options->command]->run(&batch, &error);
    /* the last write may be the first to fail */
    bool written = report_check_file(stdout, &output) == STATUS_OK;
    bool closed = batch_output_is_closed();
    if (closed && status == STATUS_IO) status = STATUS_OK;
    if (status != STATUS_OK) batch_say_error(&batch, error.message);
    if (!written && !closed && status == STATUS_OK) {
        status = STATUS_IO;
        batch_say_error(&batch, output.message);
    }
    int result = exit_status(&batch, status);
    batch_close(&batch);
    return result;
}

static int write_and_check(void) {
    Error error;
    if (report_check_file(stdout, &error) == STATUS_OK || batch_output_is_closed()) return 0;
    (void)fprintf(stderr, "rejuv: %s\n", error.message);
    return COMMAND_EXIT_ERROR;
}

int command_run(int argc, char **argv) {
    Options options;
    Error error;
    int result;
    batch_watch_output();
    Status status = options_parse(argc, argv, &options, &error);
    if (status != STATUS_OK) {
        Batch batch = {.options = &options};
        batch_say_error(&batch, error.message);
        command_write_usage(options.command, stderr);
        (void)fprintf(stderr, "rejuv %s%s--help tells more.\n", COMMANDS[options.command]->name,
                      options.command == COMMAND_OPEN ? "" : " ");
        result = COMMAND_EXIT_ERROR;
    } else if (options_has(&options, OPTION_HELP)) {
        command_write_help(options.command);
        result = write_and_check();
    } else if (options_has(&options, OPTION_VERSION)) {
        (void)puts("rejuv " REJUV_VERSION); /* checked below */
        result = write_and_check();
    } else {
        result = run_command(&options);
    }
    options_free(&options);
    return result;
}
