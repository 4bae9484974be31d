#include "tui/program/command_dispatch.h"

#include "core/support/buffer.h"
#include "tui/commands/command.h"
#include "tui/program/command_help.h"
#include "tui/tables/table_json.h"

#include <string.h>

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

/* ---- several ranks ---- */

/* It reaches one rank only. */
static bool reads_standard_input(const Options *options) {
    for (size_t i = 0; i < options->given_count; i++)
        if (options->given[i].text != NULL && strcmp(options->given[i].text, "-") == 0) return true;
    for (size_t i = 0; i < options->operand_count; i++)
        if (strcmp(options->operands[i], "-") == 0) return true;
    return false;
}

static Status check_ranks(const Batch *batch, Error *error) {
    const Options *options = batch->options;
    size_t count = ranks_count(batch->ranks);
    const CommandFacts *facts = command_table_facts(options->command);
    if (count > 1 && !COMMANDS[options->command]->is_dealt)
        return status_fail(
            error, STATUS_ARGUMENT,
            "rejuv%s%s is not dealt out to several processes, and %zu were started: one is enough",
            facts->name[0] != '\0' ? " " : "", facts->name, count);
    if (count > 1 && reads_standard_input(options))
        return status_fail(error, STATUS_ARGUMENT,
                           "standard input reaches one of the %zu processes only: expected a file", count);
    return STATUS_OK;
}

/* Ranks that were started with other arguments would wait for each other with other things in mind. */
static Status compare_arguments(Batch *batch, int argc, char *const *argv, Error *error) {
    Buffer line = {0};
    for (int i = 1; i < argc; i++) {
        buffer_add_text(&line, argv[i]);
        buffer_add(&line, "\n", 1);
    }
    Status status = ranks_require_same(batch->ranks, STATUS_OK, "the arguments",
                                       line.text != NULL ? line.text : "", error);
    buffer_free(&line);
    return status == STATUS_OK ? check_ranks(batch, error) : status;
}

/* ---- one command ---- */

/* A reader that closed the pipe had enough: what the command found still counts. */
static int run_command(const Options *options, Ranks *ranks, int argc, char *const *argv) {
    Batch batch;
    Error error = {0}, output = {0};
    batch_open(&batch, options, ranks);
    batch.commands = COMMANDS;
    Status status = batch_open_log(&batch, argc, argv, &error);
    if (status == STATUS_OK && ranks != NULL) status = compare_arguments(&batch, argc, argv, &error);
    if (status == STATUS_OK) status = COMMANDS[options->command]->run(&batch, &error);
    /* the last write may be the first to fail */
    batch_begin_output();
    bool written = batch_end_output(STATUS_OK, &output) == STATUS_OK;
    bool closed = batch_output_is_closed();
    if (closed && status == STATUS_IO) status = STATUS_OK;
    /* it waited for a pipe, and the signal ended the wait; jobs of ranks are cancelled by others' failures too */
    if (status == STATUS_IO && ranks == NULL && job_is_cancelled(batch.job)) status = job_cancelled(&error);
    status = ranks_agree(ranks, status, &error);
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

extern const unsigned char LINKED_FILE[]; /* of cmake/linked */

static const char VERSION_TEXT[] =
    "rejuv " REJUV_VERSION
    "\n"
    "The sources are under the MIT licence. This program is linked with GNU Readline: as a whole it is distributed\n"
    "under the GNU General Public License, version 3 or later. There is no warranty.\n";

static void explain(const Options *options, const char *message) {
    Batch batch = {.options = options};
    batch_say_error(&batch, message);
    command_help_write_usage(options->command, stderr);
    (void)fprintf(stderr, "rejuv %s%s--help tells more.\n", command_table_facts(options->command)->name,
                  options->command == COMMAND_OPEN ? "" : " ");
}

/* `apart`: why the processes that were started together do not work together; NULL: they do, or it is one. */
static int run_line(Ranks *ranks, const char *apart, int argc, char **argv) {
    Options options;
    Error error;
    int result;
    bool leads = ranks_is_lead(ranks);
    Status status = options_parse(argc, argv, &options, &error);
    if (status != STATUS_OK) {
        if (leads) explain(&options, error.message);
        result = COMMAND_EXIT_ERROR;
    } else if (!leads && (options_has(&options, OPTION_HELP) || options_has(&options, OPTION_VERSION))) {
        result = 0; /* the leader's to print */
    } else if (options_has(&options, OPTION_HELP)) {
        command_help_write(COMMANDS, options.command);
        result = write_and_check();
    } else if (options_has(&options, OPTION_VERSION)) {
        (void)printf("%s%s\n", VERSION_TEXT, (const char *)LINKED_FILE); /* checked below */
        result = write_and_check();
    } else if (apart != NULL) {
        (void)fprintf(stderr, "rejuv: %s\n", apart);
        result = COMMAND_EXIT_ERROR;
    } else {
        result = run_command(&options, ranks, argc, argv);
    }
    options_free(&options);
    return result;
}

int command_dispatch_run(int argc, char **argv) {
    Error error;
    Ranks *ranks;
    batch_watch_output();
    bool is_apart = ranks_join(&ranks, &error) != STATUS_OK;
    int result = run_line(ranks, is_apart ? error.message : NULL, argc, argv);
    ranks_leave(ranks);
    return result;
}
