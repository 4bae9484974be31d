/* What the panes show of a side: what was measured, or while W is measured what curves over α say of it, marked with ≈ and
 * left out where it may be wrong by more than is worth showing (tui/text/uncertain.h). */
#include "tui/text/uncertain.h"
#include "views/prompt/prompt_internal.h"
#include "views/shared/average_text.h"

#include <stdio.h>

static const LogitEstimate *find_estimate(const Session *session, Side side) {
    return side == SIDE_FUSED ? session_preview_estimate(session) : NULL;
}

const EvaluationResult *prompt_result(const Session *session, Side side) {
    const LogitEstimate *estimate = find_estimate(session, side);
    return estimate != NULL ? &estimate->result : session_preview(session, side);
}

PromptErrors prompt_errors(const Session *session, Side side, size_t position) {
    const LogitEstimate *estimate = find_estimate(session, side);
    if (estimate == NULL) return (PromptErrors){0};
    return (PromptErrors){.is_estimate = true, .at = estimate->errors[position]};
}

void prompt_write_average(const Session *session, Side side, size_t figure, char text[FORMAT_SIZE]) {
    const LogitEstimate *estimate = find_estimate(session, side);
    const EvaluationResult *result = session_preview(session, side);
    if (estimate != NULL)
        (void)average_text_write_estimate(estimate, figure, text);
    else if (result != NULL)
        (void)average_text_write(&result->averages, figure, text);
    else
        (void)snprintf(text, FORMAT_SIZE, "…");
}

double prompt_probability(const Session *session, Side side, size_t position, int32_t id) {
    const LogitEstimate *estimate = find_estimate(session, side);
    return estimate != NULL ? logit_curves_probability(estimate, position, id)
                            : session_probability(session, side, position, id);
}

/* .412 for a probability: the leading zero says nothing. */
static void format_measured(double p, char text[FORMAT_SIZE]) {
    if (p != p)
        (void)snprintf(text, FORMAT_SIZE, "–");
    else if (p >= 0.9995)
        (void)snprintf(text, FORMAT_SIZE, "%.3f", p);
    else if (p >= 0.0005)
        (void)snprintf(text, FORMAT_SIZE, ".%03d", (int)(p * 1000.0 + 0.5));
    else
        (void)snprintf(text, FORMAT_SIZE, "%.0e", p);
}

static void mark(double value, double error, const char *figure, char text[FORMAT_SIZE]) {
    bool is_shown = uncertain_shows_figure(value, error);
    (void)snprintf(text, FORMAT_SIZE, "%s%.*s", is_shown ? "≈" : "…", is_shown ? (int)FORMAT_SIZE - 4 : 0,
                   figure);
}

char *prompt_format_probability(double p, const PromptErrors *errors, char text[FORMAT_SIZE]) {
    char figure[FORMAT_SIZE];
    format_measured(p, figure);
    if (errors->is_estimate && p == p)
        mark(p, errors->at.probability, figure, text);
    else
        (void)snprintf(text, FORMAT_SIZE, "%s", figure);
    return text;
}

char *prompt_format_figure(double value, double error, int digits, char text[FORMAT_SIZE]) {
    char figure[FORMAT_SIZE];
    if (!(error > 0.0)) return format_number(value, digits, text);
    mark(value, error, format_number(value, digits, figure), text);
    return text;
}
