#include "tui/session/session_rollouts_figures.h"

#include <math.h>

static const SampleEstimate UNKNOWN = {NAN, NAN};

/* ---- one figure ---- */

static double average_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->prompts[group].average;
}

size_t session_rollouts_fewest(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->fewest : 0;
}

static double pass_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    const PromptFigures *prompt = &column->prompts[group];
    size_t k = session_rollouts_fewest(column);
    return k == 0 || k > prompt->samples ? NAN : sample_figures_pass(prompt->samples, prompt->right, k);
}

static double gap_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return pass_of_prompt(column, group) - average_of_prompt(column, group);
}

static double mixed_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->prompts[group].is_mixed ? 1.0 : 0.0;
}

static double reward_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->prompts[group].mean_reward;
}

static double tokens_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->prompts[group].tokens;
}

/* Of a state's own samples under that state; of a file's under W. */
static Side scored_side(const SessionRolloutsColumn *column) {
    return column->side < SIDE_COUNT ? column->side : SIDE_FUSED;
}

static double entropy_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->scores != NULL ? column->scores->prompts[scored_side(column)][group] : NAN;
}

static double repeated_of_prompt(const SessionRolloutsColumn *column, size_t group) {
    return column->prompts[group].repeated;
}

static SampleEstimate average_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->average : UNKNOWN;
}

static SampleEstimate pass_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->pass[column->figures->fewest - 1] : UNKNOWN;
}

static SampleEstimate gap_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->gap : UNKNOWN;
}

static SampleEstimate mixed_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->mixed : UNKNOWN;
}

static SampleEstimate reward_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->mean_reward : UNKNOWN;
}

static SampleEstimate tokens_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->tokens : UNKNOWN;
}

static SampleEstimate entropy_of_all(const SessionRolloutsColumn *column) {
    return session_rollouts_entropy(column, scored_side(column));
}

static SampleEstimate repeated_of_all(const SessionRolloutsColumn *column) {
    return column->figures != NULL ? column->figures->repeated : UNKNOWN;
}

const SessionRolloutsFigure SESSION_ROLLOUTS_FIGURE[SESSION_ROLLOUTS_FIGURES] = {
    {"avg_at_k", "avg@", "right samples", average_of_prompt, average_of_all},
    {"pass_at_k", "pass@", "any of K right", pass_of_prompt, pass_of_all},
    {"gap", "gap", "pass - avg", gap_of_prompt, gap_of_all},
    {"mixed_share", "mixed", "right and wrong", mixed_of_prompt, mixed_of_all},
    {"mean_reward", "reward", "mean", reward_of_prompt, reward_of_all},
    {"response_length", "length", "tokens", tokens_of_prompt, tokens_of_all},
    {"entropy", "entropy", "nat", entropy_of_prompt, entropy_of_all},
    {"repeated_share", "repeated", "answers", repeated_of_prompt, repeated_of_all},
};

double session_rollouts_figure(const SessionRolloutsColumn *column, size_t figure, size_t group) {
    return session_rollouts_is_complete(column, group)
               ? SESSION_ROLLOUTS_FIGURE[figure].of_prompt(column, group)
               : NAN;
}

void session_rollouts_list_pass(const SessionRolloutsColumn *column, double *pass, size_t count) {
    for (size_t k = 0; k < count; k++)
        pass[k] = k < session_rollouts_fewest(column) ? column->figures->pass[k].value : NAN;
}

SampleEstimate session_rollouts_entropy(const SessionRolloutsColumn *column, Side side) {
    return column->scores != NULL ? column->scores->entropy[side] : UNKNOWN;
}

SampleEstimate session_rollouts_log_probability(const SessionRolloutsColumn *column, Side side) {
    return (SampleEstimate){column->scores != NULL ? column->scores->log_probability[side] : NAN, NAN};
}
