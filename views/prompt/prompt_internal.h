/*
 * prompt_internal — the Prompt view in seven files: prompt_view.c (state and actions), prompt_tokens.c (the text as
 * tokens over their entropy gaps), prompt_turns.c (the conversation that the text is of, and what changes it),
 * prompt_panes.c (the distributions at the cursor, pins, averages), prompt_estimate.c (which figures of them are shown),
 * prompt_continue.c (where the text comes from and how it goes on), prompt_numbers.c (every position as a
 * table).
 */
#ifndef REJUV_VIEWS_PROMPT_INTERNAL_H
#define REJUV_VIEWS_PROMPT_INTERNAL_H

#include "tui/canvas/canvas.h"
#include "tui/cli/command_line.h"
#include "tui/keys/action.h"
#include "tui/session/session_prompt.h"
#include "tui/session/session_targets.h"
#include "tui/tables/table.h"
#include "tui/text/format.h"

enum { PROMPT_TOKEN_TEXT = 160 };

/* Where a token stands in the wrapped text. */
typedef struct PromptPlace {
    size_t line;
    int column, width;
} PromptPlace;

enum { PROMPT_FILTER = 64 };

typedef struct PromptState {
    size_t position;            /* the token under the cursor */
    size_t line;                /* first line of tokens shown */
    size_t candidate;           /* row of the top tokens that is selected */
    Side side;                  /* the pane that is selected */
    char filter[PROMPT_FILTER]; /* of the lists of candidates: a part of the token's text; "" for all */
    bool shows_averages;        /* the whole text in place of the cursor's position */
    bool shows_turns;           /* the conversation in their place */
    bool has_template, is_chat; /* at the last drawing: which keys are told */

    PromptPlace *places; /* [place_count]: of every token, at the last drawing */
    size_t place_count, place_capacity;
} PromptState;

/* The tokens, wrapped to the area's width, each line over its gaps, targets marked there:
 *
 *     Question:·Tom·has·12·coins.·Ann·gives·Tom·30·more.⏎
 *     ++▴▲▲▲··----  …    ★▲
 *
 * Scrolls so that the cursor's line shows; returns the rows used, at most area.rows. */
int prompt_draw_tokens(PromptState *state, const SessionTargets *targets, const Session *session,
                       Canvas *canvas, Rect area);

/* What the marks are, in one row. */
void prompt_draw_target_legend(const SessionTargets *targets, const Session *session, Canvas *canvas,
                               Rect area);

/* The position one line of tokens above (-1) or below (1) the cursor, as they were drawn last. */
size_t prompt_line_step(const PromptState *state, int direction);

/* What the models say at the cursor: one pane for each side, pins below. */
void prompt_draw_panes(const PromptState *state, const SessionTargets *targets, Session *session,
                       Canvas *canvas, Rect area);

/* What is shown of a side: as it was measured, or what W will be (session_preview_estimate()); NULL while there is
 * nothing. */
const EvaluationResult *prompt_result(const Session *session, Side side);

/* How wrong the figures of prompt_result() at a position may be: all 0 where they were measured. */
typedef struct PromptErrors {
    bool is_estimate;
    LogitErrors at;
} PromptErrors;

PromptErrors prompt_errors(const Session *session, Side side, size_t position);

/* A figure of DISTRIBUTION_FIGURES over all positions of a side; … while there is none. */
void prompt_write_average(const Session *session, Side side, size_t figure, char text[FORMAT_SIZE]);

/* p of a token; NaN where it is not known: an estimate knows the most likely tokens and the true next one. */
double prompt_probability(const Session *session, Side side, size_t position, int32_t id);

/* .412, ≈.412, or … where it may be too wrong to be shown; – for NaN. */
char *prompt_format_probability(double p, const PromptErrors *errors, char text[FORMAT_SIZE]);
char *prompt_format_figure(double value, double error, int digits, char text[FORMAT_SIZE]);

/* Whether a candidate passes the filter. */
bool prompt_shows(const PromptState *state, const Session *session, int32_t id);

/* Means over all positions of the text, a row a figure. */
void prompt_draw_averages(const Session *session, Canvas *canvas, Rect area);

/* The turns by role, the last ones where not all have room, and a turn a row where they have no more. Returns the rows
 * used. */
int prompt_draw_turns(const Session *session, Canvas *canvas, Rect area);

/* Where there is a conversation, draws a strip of its last turns and cuts it off both areas; where it is wide, cuts a side
 * off the text's, which is returned (else it has no rows), for prompt_draw_side(). */
Rect prompt_cut_turns(const PromptState *state, const Session *session, Canvas *canvas, Rect *text,
                      Rect *area);

/* Why the template refused what was typed last, cut off the area: the line of messages seldom has room for it. */
void prompt_draw_refusal(const Session *session, Canvas *canvas, Rect *area);

/* The turns there, beside `rows` rows of tokens; returns the rows of both. */
int prompt_draw_side(const Session *session, Canvas *canvas, Rect side, int rows);

/* The actions of the conversation; REACTION_IGNORED for all others. *changed: the prompt is another text. */
Reaction prompt_act_on_turns(Session *session, Action action, const ActionArgument *argument, bool *changed);

/* What the prompt line begins with where one of them asks. */
const char *prompt_initial_turn(const Session *session, Action action);

/* Which text it is, and how it would be continued, in one row. */
void prompt_draw_source(Session *session, Canvas *canvas, Rect area);

/* What a continuation is made with (tokens, temperature, seed); and the continuation. */
Reaction prompt_set_continuation(Session *session, Action action, const ActionArgument *argument);
Reaction prompt_continue(Session *session, const ActionArgument *argument);

/* `rejuv preview` of the text on screen, at every position: by its ids where they are not those of the prompt
 * alone. COMMAND_COUNT without a text. */
CommandId prompt_twin(const Session *session, CommandLine *line);

/* Says why something failed, where it did. */
Reaction prompt_say_failure(Session *session, Status status, const Error *error);

/* Every position: what was said, how sure each model is of what comes next, and whether it is a target. */
Status prompt_make_table(Session *session, Table **table, Error *error) STATUS_MUST_CHECK;

/* A token in its printable form, spaces and newlines visible. */
void prompt_token_text(const Session *session, int32_t id, bool ascii, char *text, size_t size);

#endif
