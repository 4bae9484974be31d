/*
 * prompt — the Prompt view in three files: prompt.c (state and actions), prompt_tokens.c (the text as tokens
 * over their entropy gaps), prompt_panes.c (the distributions at the cursor, pins, averages).
 */
#ifndef REJUV_VIEWS_PROMPT_H
#define REJUV_VIEWS_PROMPT_H

#include "tui/canvas.h"
#include "tui/session_prompt.h"

enum { PROMPT_FILTER = 64 };

typedef struct PromptState {
    size_t position;            /* the token under the cursor */
    size_t line;                /* first line of tokens shown */
    size_t candidate;           /* row of the top tokens that is selected */
    SessionSide side;           /* the pane that is selected */
    char filter[PROMPT_FILTER]; /* of the lists of candidates: a part of the token's text; "" for all */
    bool shows_averages;        /* the whole text in place of the cursor's position */
} PromptState;

/* The tokens, wrapped to the area's width, each line over its gaps:
 *
 *     Question:·Tom·has·12·coins.·Ann·gives·Tom·30·more.⏎
 *     ++▴▲▲▲··----  …
 *
 * Scrolls so that the cursor's line shows; returns the rows used, at most area.rows. */
int prompt_draw_tokens(PromptState *state, const Session *session, Canvas *canvas, Rect area);

/* The position one line of tokens above (-1) or below (1) the cursor, for a width of `columns`. */
size_t prompt_line_step(const PromptState *state, const Session *session, int columns, int direction);

/* What the models say at the cursor: one pane for each side, pins below. */
void prompt_draw_panes(const PromptState *state, Session *session, Canvas *canvas, Rect area);

/* Whether a candidate passes the filter. */
bool prompt_shows(const PromptState *state, const Session *session, int32_t id);

/* Means over all positions of the text, a row a figure. */
void prompt_draw_averages(const Session *session, Canvas *canvas, Rect area);

/* A token in its printable form, spaces and newlines visible. */
void prompt_token_text(const Session *session, int32_t id, bool ascii, char *text, size_t size);

#endif
