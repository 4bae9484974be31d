#include "tui/app/equivalent_command.h"

#include "core/method/neuron_ranking.h"
#include "tui/cli/command_table.h"
#include "tui/commands/dial_options.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_ladder.h"
#include "tui/session/session_landscape.h"
#include "tui/session/session_rollouts.h"

#include <string.h>

/* Rows are named where the command measures on them: for its figures, or to choose neurons. */
static bool needs_rows(const Dials *dials, CommandId command) {
    bool by_itself = command == COMMAND_SWEEP || command == COMMAND_NEURONS || command == COMMAND_RESET ||
                     command == COMMAND_LANDSCAPE || command == COMMAND_OPEN || command == COMMAND_LADDER;
    return by_itself || (dials->settings.rho > 0.0 && neuron_ranking_needs_rows(dials->selector));
}

/* The pair; or all rungs and which of them. */
static void add_rungs(CommandLine *line, const Ladder *ladder, size_t rung, CommandId command) {
    for (size_t number = 0; number <= ladder->count; number++)
        command_line_add(line, "%s", ladder_directory(ladder, number));
    if (command == COMMAND_OPEN && rung < ladder->count)
        command_line_add_option(line, command, OPTION_RUNG, "%zu", rung);
}

static void add_operands(CommandLine *line, const Session *session, CommandId command) {
    const Pair *pair = session_pair(session);
    if (session_ladder(session) != NULL && (command == COMMAND_OPEN || command == COMMAND_LADDER)) {
        add_rungs(line, session_ladder(session), session_ladder_rung(session), command);
        return;
    }
    command_line_add(line, "%s", pair->base->directory);
    command_line_add(line, "%s", pair->sft->directory);
}

/* Rows of the prompt on screen are in no file that a command could read. */
static Status check_rows(const Session *session, CommandId command, Error *error) {
    Dials dials = session_dial_state(session);
    bool any = session_calibration(session, NULL) != NULL;
    if (!any || session_calibration_file(session) != NULL || !needs_rows(&dials, command)) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "the rows are the prompt on screen: write them to a file first (:rows-save FILE)");
}

/* How the lines of files become ids: rows, and whatever samples are read or drawn of. */
static void add_reading(CommandLine *line, const Session *session, CommandId command) {
    if (session_end_token(session) != NULL)
        command_line_add_option(line, command, OPTION_END_TOKEN, "%s", session_end_token(session));
    if (session_chat_template(session) != NULL)
        command_line_add_option(line, command, OPTION_TEMPLATE, "%s", session_chat_template(session));
}

static void add_dials(CommandLine *line, const Session *session, CommandId command) {
    Dials dials = session_dial_state(session);
    const char *rows = session_calibration_file(session);
    bool has_rows = rows != NULL && needs_rows(&dials, command);
    dial_options_add(&dials, command, line);
    if (has_rows) command_line_add_option(line, command, OPTION_CALIBRATION, "%s", rows);
    if (has_rows || command == COMMAND_ROLLOUT || command == COMMAND_OPEN)
        add_reading(line, session, command);
    if (session_tokenizer_rule(session) == TOKENIZER_BY_FILE)
        command_line_add_flag(line, command, OPTION_TOKENIZER_FILE);
}

Status equivalent_command_write(const View *view, void *state, Session *session, char **text, Error *error) {
    CommandLine own = {0}, line = {0};
    CommandId command = view->twin != NULL ? view->twin(state, session, &own) : COMMAND_COUNT;
    if (command == COMMAND_COUNT) {
        command_line_free(&own);
        return status_fail(error, STATUS_UNSUPPORTED, "no command has the figures of %s", view->title);
    }
    Status status = check_rows(session, command, error);
    if (status != STATUS_OK) {
        command_line_free(&own);
        return status;
    }
    command_line_add(&line, "%s", command_table_facts(command)->name);
    add_operands(&line, session, command);
    command_line_append(&line, &own);
    add_dials(&line, session, command);
    return command_line_take(&line, text, error);
}

/* What Rollouts reads or samples from. */
static void add_samples(CommandLine *line, const Session *session) {
    SessionRolloutsNext next = session_rollouts_next(session);
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    if (next.path != NULL)
        command_line_add_option(line, COMMAND_OPEN, next.is_file ? OPTION_SAMPLES : OPTION_PROMPTS, "%s",
                                next.path);
    const char *command = session_rollouts_command(choice.reward);
    if (command != NULL)
        command_line_add_option(line, COMMAND_OPEN, OPTION_REWARD_COMMAND, "%s", command);
    else if (choice.reward[0] != '\0')
        command_line_add_option(line, COMMAND_OPEN, OPTION_REWARD, "%s", choice.reward);
}

/* What Landscape's plane goes through. */
static void add_third(CommandLine *line, const Session *session) {
    const char *third = session_landscape_choice(session).third;
    if (third != NULL) command_line_add_option(line, COMMAND_OPEN, OPTION_THIRD, "%s", third);
}

Status equivalent_command_write_opening(const View *view, Session *session, char **text, Error *error) {
    CommandLine line = {0};
    Status status = check_rows(session, COMMAND_OPEN, error);
    if (status != STATUS_OK) return status;
    add_operands(&line, session, COMMAND_OPEN);
    command_line_add_option(&line, COMMAND_OPEN, OPTION_VIEW, "%s", view->name);
    add_samples(&line, session);
    add_third(&line, session);
    add_dials(&line, session, COMMAND_OPEN);
    return command_line_take(&line, text, error);
}
