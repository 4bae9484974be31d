#include "tui/program/command_dispatch.h"

#include "tui/commands/command.h"
#include "tui/program/command_help.h"
#include "tui/tables/table_json.h"

/* What runs each command: the only place that names them all. */
static const Command *const COMMANDS[COMMAND_COUNT] = {
    [COMMAND_OPEN] = &command_open,
    [COMMAND_INFO] = &command_info,
    [COMMAND_CHECK] = &command_check,
    [COMMAND_DRIFT] = &command_drift,
    [COMMAND_LADDER] = &command_ladder,
    [COMMAND_TOKENIZE] = &command_tokenize,
    [COMMAND_CHAT] = &command_chat,
    [COMMAND_PREVIEW] = &command_preview,
    [COMMAND_NEURONS] = &command_neurons,
    [COMMAND_RESET] = &command_reset,
    [COMMAND_SWEEP] = &command_sweep,
    [COMMAND_LANDSCAPE] = &command_landscape,
    [COMMAND_ROLLOUT] = &command_rollout,
    [COMMAND_SHOT] = &command_shot,
    [COMMAND_FIGURE] = &command_figure,
    [COMMAND_REPORT] = &command_report,
    [COMMAND_EXPORT] = &command_export,
    [COMMAND_VERIFY] = &command_verify,
    [COMMAND_HELP] = &command_help,
    [COMMAND_MANUAL] = &command_manual,
    [COMMAND_COMPLETION] = &command_completion,
};

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
static int run_command(const Options *options, int argc, char *const *argv) {
    Batch batch;
    Error error = {0}, output = {0};
    batch_open(&batch, options);
    batch.commands = COMMANDS;
    Status status = batch_open_log(&batch, argc, argv, &error);
    if (status == STATUS_OK) status = COMMANDS[options->command]->run(&batch, &error);
    /* the last write may be the first to fail */
    batch_begin_output();
    bool written = batch_end_output(STATUS_OK, &output) == STATUS_OK;
    bool closed = batch_output_is_closed();
    if (closed && status == STATUS_IO) status = STATUS_OK;
    if (status == STATUS_IO &&
        job_is_cancelled(batch.job)) /* it waited for a pipe, and the signal ended the wait */
        status = job_cancelled(&error);
    if (status != STATUS_OK) batch_say_error(&batch, error.message);
    if (!written && !closed && status == STATUS_OK) {
        status = STATUS_IO;
        batch_say_error(&batch, output.message);
    }
    int result = exit_status(&batch, status);
    batch_close_log(&batch, result);
    batch_close(&batch);
    return result;
}

static int write_and_check(void) {
    Error error;
    if (table_json_check_file(stdout, &error) == STATUS_OK || batch_output_is_closed()) return 0;
    (void)fprintf(stderr, "rejuv: %s\n", error.message);
    return COMMAND_EXIT_ERROR;
}

static const char VERSION_TEXT[] =
    "rejuv " REJUV_VERSION
    "\n"
    "The sources are under the MIT licence. This program is linked with GNU Readline: as a whole it is distributed\n"
    "under the GNU General Public License, version 3 or later. There is no warranty.";

int command_dispatch_run(int argc, char **argv) {
    Options options;
    Error error;
    int result;
    batch_watch_output();
    Status status = options_parse(argc, argv, &options, &error);
    if (status != STATUS_OK) {
        Batch batch = {.options = &options};
        batch_say_error(&batch, error.message);
        command_help_write_usage(options.command, stderr);
        (void)fprintf(stderr, "rejuv %s%s--help tells more.\n", command_table_facts(options.command)->name,
                      options.command == COMMAND_OPEN ? "" : " ");
        result = COMMAND_EXIT_ERROR;
    } else if (options_has(&options, OPTION_HELP)) {
        command_help_write(COMMANDS, options.command);
        result = write_and_check();
    } else if (options_has(&options, OPTION_VERSION)) {
        (void)puts(VERSION_TEXT); /* checked below */
        result = write_and_check();
    } else {
        result = run_command(&options, argc, argv);
    }
    options_free(&options);
    return result;
}
