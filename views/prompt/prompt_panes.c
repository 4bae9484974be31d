#include "core/evaluation/distribution.h"
#include "tui/app/view.h"
#include "tui/canvas/chart.h"
#include "tui/text/format.h"
#include "tui/text/text.h"
#include "tui/text/uncertain.h"
#include "views/prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_COLUMNS = 10, FIGURE_COLUMNS = 6, TEXT_SIZE = PROMPT_TOKEN_TEXT };

static const Role SIDE_ROLES[SIDE_COUNT] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};

static bool is_stale(const Session *session, Side side) {
    return side == SIDE_FUSED && session_preview_is_stale(session) &&
           session_preview_estimate(session) == NULL;
}

/* ---- one side ---- */

/* False where the text has no room: a figure that is cut would be another figure. */
static bool write_fitting(Canvas *canvas, Rect area, int row, int column, Role role, const char *text) {
    if (column + text_width(text) > area.columns) return false;
    (void)canvas_write(canvas, area, row, column, role, text);
    return true;
}

/* Both divergences with as many digits as there is room for, or the first alone. */
static void draw_divergences(const DistributionPosition *position, const LogitErrors *errors, Canvas *canvas,
                             Rect area, int row, Role role) {
    static const int DIGITS[][2] = {{3, 3}, {3, 2}, {2, 2}, {2, 1}, {1, 1}};
    char base[FORMAT_SIZE], sft[FORMAT_SIZE], text[TEXT_SIZE];
    for (size_t i = 0; i < sizeof DIGITS / sizeof *DIGITS; i++) {
        (void)snprintf(text, sizeof text, "KL base %s SFT %s",
                       prompt_format_figure(position->kl_base, errors->kl_base, DIGITS[i][0], base),
                       prompt_format_figure(position->kl_sft, errors->kl_sft, DIGITS[i][1], sft));
        if (write_fitting(canvas, area, row, 1, role, text)) return;
    }
    (void)snprintf(text, sizeof text, "KL base %s", base);
    (void)write_fitting(canvas, area, row, 1, role, text);
}

static void draw_next(const DistributionPosition *position, double p, const PromptErrors *errors,
                      Canvas *canvas, Rect area, int row, Role role) {
    char next[FORMAT_SIZE], text[TEXT_SIZE];
    if (position->next < 0) {
        (void)canvas_write(canvas, area, row, 1, ROLE_DIM, "the text ends here");
        return;
    }
    (void)prompt_format_probability(p, errors, next);
    (void)snprintf(text, sizeof text, "p(next) %s Δp %+.3f", next, position->dp_base);
    bool has_change =
        !errors->is_estimate || uncertain_shows_figure(position->dp_base, errors->at.probability);
    if (has_change && write_fitting(canvas, area, row, 1, role, text)) return;
    (void)snprintf(text, sizeof text, "p(next) %s", next);
    (void)write_fitting(canvas, area, row, 1, role, text);
}

/* Entropy and top-1, with the error of the first where there is one; as much as has room. */
static void draw_confidence(const DistributionPosition *position, const PromptErrors *errors, Canvas *canvas,
                            Rect area, int column, Role role) {
    char entropy[FORMAT_SIZE], top[FORMAT_SIZE], wrong[FORMAT_SIZE] = "", text[TEXT_SIZE];
    const char *space = "";
    (void)prompt_format_probability(position->top1, errors, top);
    (void)prompt_format_figure(position->entropy, errors->at.entropy, 3, entropy);
    if (errors->is_estimate && uncertain_shows_figure(position->entropy, errors->at.entropy)) {
        (void)uncertain_write_error(errors->at.entropy, false, wrong);
        space = " ";
    }
    (void)snprintf(text, sizeof text, "H %s%s%s top1 %s", entropy, space, wrong, top);
    if (write_fitting(canvas, area, 0, column, role, text)) return;
    (void)snprintf(text, sizeof text, "H %s%s%s", entropy, space, wrong);
    if (write_fitting(canvas, area, 0, column, role, text)) return;
    (void)snprintf(text, sizeof text, "H %s", entropy);
    (void)write_fitting(canvas, area, 0, column, role, text);
}

static void draw_head(const Session *session, const PromptState *state, Side side,
                      const DistributionPosition *position, Canvas *canvas, Rect area) {
    char name[48];
    PromptErrors errors = prompt_errors(session, side, state->position);
    Role figures = is_stale(session, side) ? ROLE_STALE : ROLE_VALUE;
    (void)snprintf(name, sizeof name, "%s%s%s", state->side == side ? "▸" : " ", session_side_name(side),
                   is_stale(session, side) ? " (older α)" : "");
    int column = canvas_write(canvas, area, 0, 0, SIDE_ROLES[side], name) + 1;
    draw_confidence(position, &errors, canvas, area, column, figures);
    draw_divergences(position, &errors.at, canvas, area, 1, figures);
    draw_next(position, prompt_probability(session, side, state->position, position->next), &errors, canvas,
              area, 2, figures);
}

bool prompt_shows(const PromptState *state, const Session *session, int32_t id) {
    char token[TEXT_SIZE];
    if (state->filter[0] == '\0') return true;
    prompt_token_text(session, id, false, token, sizeof token);
    return text_find(token, state->filter);
}

static void draw_filter(const Session *session, const PromptState *state, const DistributionToken *top,
                        size_t count, Canvas *canvas, Rect row) {
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) shown += prompt_shows(state, session, top[i].id);
    (void)canvas_print(canvas, row, 0, 1, ROLE_WARNING, "only %s: %zu of %zu", state->filter, shown, count);
}

static void draw_candidates(const Session *session, const PromptState *state, Side side,
                            const EvaluationResult *result, Canvas *canvas, Rect area) {
    const DistributionToken *top = result->top + state->position * result->top_count;
    int bar = area.columns - TOKEN_COLUMNS - FIGURE_COLUMNS - 3;
    PromptErrors errors = prompt_errors(session, side, state->position);
    bool has_bar = bar > 0 && uncertain_shows_bar(errors.at.probability, bar);
    if (state->filter[0] != '\0')
        draw_filter(session, state, top, result->top_count, canvas, rect_cut_top(&area, 1));
    int row = 0;
    for (size_t i = 0; row < area.rows && i < result->top_count; i++) {
        if (!prompt_shows(state, session, top[i].id)) continue;
        char token[TEXT_SIZE], figure[FORMAT_SIZE];
        double p = prompt_probability(session, side, state->position, top[i].id);
        prompt_token_text(session, top[i].id, canvas->theme.ascii, token, sizeof token);
        bool selected = state->side == side && i == state->candidate;
        Role role = selected ? ROLE_SELECTED : is_stale(session, side) ? ROLE_STALE : ROLE_TEXT;
        canvas_write(canvas, area, row, 0, ROLE_MARK, session_is_pinned(session, top[i].id) ? "*" : " ");
        canvas_write_field(canvas, area, row, 1, TOKEN_COLUMNS, false, role, token);
        if (has_bar) chart_draw_bar(canvas, area, row, TOKEN_COLUMNS + 2, bar, p, SIDE_ROLES[side]);
        (void)canvas_write_right(canvas, area, row, area.columns - 1, role,
                                 prompt_format_probability(p, &errors, figure));
        row++;
    }
}

static void draw_side(const Session *session, const PromptState *state, Side side, Canvas *canvas,
                      Rect area) {
    const EvaluationResult *result = prompt_result(session, side);
    if (result == NULL || state->position >= result->count) {
        (void)canvas_write(canvas, area, 0, 1, SIDE_ROLES[side], session_side_name(side));
        (void)canvas_write(canvas, area, 1, 1, ROLE_DIM, "computing…");
        return;
    }
    draw_head(session, state, side, &result->positions[state->position], canvas, rect_cut_top(&area, 3));
    if (distribution_has_order(&result->positions[state->position]))
        draw_candidates(session, state, side, result, canvas, area);
    else
        (void)canvas_write(canvas, area, 0, 1, ROLE_WARNING, "logits that are no numbers");
}

/* ---- pins ---- */

/* The pinned token's probability: base → SFT → W. */
static void draw_pins(const Session *session, const PromptState *state, Canvas *canvas, Rect area) {
    for (int row = 0; row < area.rows && (size_t)row < session_pin_count(session); row++) {
        int32_t id = session_pin(session, (size_t)row);
        char token[TEXT_SIZE], figures[SIDE_COUNT][FORMAT_SIZE];
        prompt_token_text(session, id, canvas->theme.ascii, token, sizeof token);
        for (int side = 0; side < SIDE_COUNT; side++) {
            PromptErrors errors = prompt_errors(session, (Side)side, state->position);
            double p = prompt_probability(session, (Side)side, state->position, id);
            (void)prompt_format_probability(p, &errors, figures[side]);
        }
        (void)canvas_write(canvas, area, row, 0, ROLE_MARK, "*");
        canvas_write_field(canvas, area, row, 1, TOKEN_COLUMNS, false, ROLE_TEXT, token);
        int column =
            canvas_print(canvas, area, row, TOKEN_COLUMNS + 2, ROLE_BASE, "base %s", figures[SIDE_BASE]);
        column = canvas_print(canvas, area, row, column, ROLE_SFT, " → SFT %s", figures[SIDE_SFT]);
        (void)canvas_print(canvas, area, row, column, is_stale(session, SIDE_FUSED) ? ROLE_STALE : ROLE_FUSED,
                           " → W %s", figures[SIDE_FUSED]);
    }
}

/* The gap at the cursor; of a target its rank too. */
static void write_gap(const SessionTargets *targets, const PromptState *state, double gap, char *text,
                      size_t size) {
    const SessionTarget *target = session_find_target(targets, state->position);
    char figure[FORMAT_SIZE];
    (void)format_number(gap, 3, figure);
    const char *sign = gap >= 0.0 ? "+" : "";
    if (target == NULL)
        (void)snprintf(text, size, "  entropy gap %s%s nat", sign, figure);
    else if (targets->is_chosen)
        (void)snprintf(text, size, "  ★ target %zu of %zu, gap %s%s nat", target->rank + 1, targets->wanted,
                       sign, figure);
    else
        (void)snprintf(text, size, "  ☆ gap %s%s nat, %zu of %zu", sign, figure, target->rank + 1,
                       targets->count);
}

static void draw_position_line(const Session *session, const PromptState *state,
                               const SessionTargets *targets, Canvas *canvas, Rect area) {
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    if (state->position >= count) return;
    double value = session_entropy_gap(session, state->position);
    if (value == value) {
        char text[96];
        write_gap(targets, state, value, text, sizeof text);
        Rect gap = rect_cut_right(&area, text_width(text));
        (void)canvas_write(canvas, gap, 0, 0, ROLE_VALUE, text);
    }
    char token[TEXT_SIZE], next[TEXT_SIZE];
    prompt_token_text(session, ids[state->position], canvas->theme.ascii, token, sizeof token);
    int column = canvas_print(canvas, area, 0, 0, ROLE_TITLE, "position %zu of %zu  after \"%s\" (%d) ",
                              state->position, count, token, ids[state->position]);
    if (state->position + 1 < count) {
        prompt_token_text(session, ids[state->position + 1], canvas->theme.ascii, next, sizeof next);
        (void)canvas_print(canvas, area, 0, column, ROLE_TITLE, "comes \"%s\"", next);
    }
}

void prompt_draw_panes(const PromptState *state, const SessionTargets *targets, Session *session,
                       Canvas *canvas, Rect area) {
    draw_position_line(session, state, targets, canvas, rect_cut_top(&area, 1));
    Rect pins = rect_cut_bottom(&area, (int)session_pin_count(session));
    draw_pins(session, state, canvas, pins);
    if (view_is_zoomed()) {
        draw_side(session, state, state->side, canvas, area);
        return;
    }
    for (int side = 0; side < SIDE_COUNT; side++)
        draw_side(session, state, (Side)side, canvas, rect_pane(area, side, SIDE_COUNT, 2));
}

/* ---- averages ---- */

void prompt_draw_averages(const Session *session, Canvas *canvas, Rect area) {
    enum { LABEL = 28, WIDTH = 12 };
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "means over the whole text");
    for (int side = 0; side < SIDE_COUNT; side++)
        (void)canvas_write_right(canvas, area, 0, LABEL + (side + 1) * WIDTH, SIDE_ROLES[side],
                                 session_side_name((Side)side));
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        const DistributionFigure *figure = &DISTRIBUTION_FIGURES[i];
        (void)canvas_print(canvas, area, (int)i + 1, 0, ROLE_TEXT, "%s%s%s%s", figure->label,
                           *figure->unit ? " (" : "", figure->unit, *figure->unit ? ")" : "");
        for (int side = 0; side < SIDE_COUNT; side++) {
            char text[FORMAT_SIZE] = "…";
            prompt_write_average(session, (Side)side, i, text);
            (void)canvas_write_right(canvas, area, (int)i + 1, LABEL + (side + 1) * WIDTH,
                                     is_stale(session, (Side)side) ? ROLE_STALE : ROLE_VALUE, text);
        }
    }
}
