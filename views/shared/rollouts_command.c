#include "views/shared/rollouts_command.h"

#include "tui/session/session_calibration.h"

static void add_drawing(const SessionRollouts *shown, const char *path, CommandLine *line) {
    const SessionRolloutsChoice *choice = &shown->choice;
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_PROMPTS, "%s", path);
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_FIRST_PROMPTS, "%zu", choice->prompts);
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_SAMPLES_EACH, "%zu", choice->samples);
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_MOST_TOKENS, "%zu", choice->most_tokens);
    command_line_add_number(line, COMMAND_ROLLOUT, OPTION_SAMPLE_TEMPERATURE, choice->sampling.temperature);
    if (choice->sampling.top_p < 1.0)
        command_line_add_number(line, COMMAND_ROLLOUT, OPTION_TOP_P, choice->sampling.top_p);
    if (choice->sampling.top_k > 0)
        command_line_add_option(line, COMMAND_ROLLOUT, OPTION_TOP_K, "%zu", choice->sampling.top_k);
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_SAMPLE_FROM, "all");
}

CommandId rollouts_command_add(const Session *session, bool has_gradient, CommandLine *line) {
    SessionRollouts shown = session_rollouts(session);
    const Calibration *rows = session_calibration(session, NULL);
    bool is_of_rows = shown.columns > 0 ? shown.path == NULL : session_rollouts_next(session).path == NULL;
    const char *path = is_of_rows ? session_calibration_file(session) : shown.path;
    if (path == NULL) return COMMAND_COUNT;
    if (is_of_rows && (rows == NULL || session_rollouts_next(session).answers < rows->count))
        return COMMAND_COUNT;
    if (shown.is_file)
        command_line_add_option(line, COMMAND_ROLLOUT, OPTION_SAMPLES, "%s", path);
    else
        add_drawing(&shown, path, line);
    const char *command = session_rollouts_command(shown.choice.reward);
    if (command != NULL)
        command_line_add_option(line, COMMAND_ROLLOUT, OPTION_REWARD_COMMAND, "%s", command);
    else if (!shown.is_file || shown.choice.reward[0] != '\0')
        command_line_add_option(line, COMMAND_ROLLOUT, OPTION_REWARD, "%s",
                                session_rollouts_rule(session, &shown.choice));
    command_line_add_option(line, COMMAND_ROLLOUT, OPTION_SEED_ROLLOUT, "%llu",
                            (unsigned long long)shown.choice.seed);
    if (has_gradient) command_line_add_flag(line, COMMAND_ROLLOUT, OPTION_GRADIENT);
    return COMMAND_ROLLOUT;
}
