#include "core/support/memory.h"
#include "tui/canvas/hit_area.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_files.h"
#include "tui/text/text.h"
#include "views/prompt/prompt_internal.h"

#include <stdio.h>
#include <string.h>

/* Gaps from the one on are drawn in the strongest step (a nat is much: e times the choices), below the other
 * as none: they are in the ramp's middle step, a white that would be the brightest of a dark screen. */
static const double STRONGEST_GAP = 1.5, FAINTEST_GAP = 1.5 / 11;

void prompt_token_text(const Session *session, int32_t id, bool ascii, char *text, size_t size) {
    char bytes[PROMPT_TOKEN_TEXT / 4];
    size_t count = session_token_bytes(session, id, bytes, sizeof bytes);
    unsigned flags = TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES | (ascii ? TEXT_ASCII : 0U);
    (void)text_escape(bytes, count, flags, text, size); /* what does not fit is cut */
}

/* ---- layout ---- */

static bool ends_line(const Session *session, int32_t id) {
    char bytes[PROMPT_TOKEN_TEXT / 4];
    return memchr(bytes, '\n', session_token_bytes(session, id, bytes, sizeof bytes)) != NULL;
}

/* Fills state->places; false when out of memory. */
static bool lay_out(PromptState *state, const Session *session, int columns, bool ascii) {
    const int32_t *ids;
    Error error;
    state->place_count = 0;
    size_t count = session_prompt_tokens(session, &ids);
    if (MEMORY_RESERVE(state->places, &state->place_capacity, count, &error) != STATUS_OK) return false;
    size_t line = 0;
    int after = 0;
    bool broke = false;
    for (size_t i = 0; i < count; i++) {
        char text[PROMPT_TOKEN_TEXT];
        prompt_token_text(session, ids[i], ascii, text, sizeof text);
        int width = text_width(text);
        if (width > columns) width = columns > 0 ? columns : 1;
        if (i > 0 && (broke || after + width > columns)) {
            line++;
            after = 0;
        }
        state->places[i] = (PromptPlace){line, after, width};
        after += width;
        broke = ends_line(session, ids[i]);
    }
    state->place_count = count;
    return true;
}

size_t prompt_line_step(const PromptState *state, int direction) {
    if (state->position >= state->place_count) return state->position;
    PromptPlace here = state->places[state->position];
    if (direction < 0 && here.line == 0) return state->position;
    size_t wanted = direction < 0 ? here.line - 1 : here.line + 1, found = state->position;
    for (size_t i = 0; i < state->place_count; i++) {
        const PromptPlace *place = &state->places[i];
        if (place->line == wanted && (place->column <= here.column || found == state->position)) found = i;
    }
    return found;
}

/* ---- targets ---- */

static const char *mark_of(const SessionTargets *targets) {
    return targets->is_chosen ? "★" : "☆";
}

/* Where every position is one, marks say nothing. */
static bool is_marked(const SessionTargets *targets, const PromptState *state, size_t position) {
    bool all = !targets->is_chosen && targets->count == state->place_count;
    return !all && session_find_target(targets, position) != NULL;
}

void prompt_draw_target_legend(const SessionTargets *targets, const Session *session, Canvas *canvas,
                               Rect area) {
    char keys[KEY_TEXT_SIZE];
    int column = canvas_write(canvas, area, 0, 0, ROLE_MARK, mark_of(targets)) + 1;
    if (targets->message != NULL) {
        column = canvas_write(canvas, area, 0, column, ROLE_STALE, "targets: ");
        (void)canvas_write(canvas, area, 0, column, ROLE_STALE, targets->message);
    } else if (!targets->is_chosen && targets->count == session_prompt_tokens(session, NULL)) {
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM,
                           "no marks: the rule takes %zu gaps, and the text has but %zu positions",
                           targets->wanted, targets->count);
    } else if (!targets->is_chosen) {
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM,
                           "what attribution's rule would take here: the %zu largest |gaps|", targets->count);
    } else if (targets->hidden > 0) {
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM,
                           "%zu of attribution's %zu targets are in this row, %zu in the response (%s)",
                           targets->count + targets->hidden, targets->wanted, targets->hidden,
                           key_text("prompt", "{response}", keys));
    } else if (targets->count > 0) {
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM,
                           "chosen: %zu of attribution's %zu targets are in this row", targets->count,
                           targets->wanted);
    } else {
        (void)canvas_print(canvas, area, 0, column, ROLE_DIM,
                           "none of attribution's %zu targets is in this row: %s goes to the next",
                           targets->wanted, key_text("prompt", "{target-next}", keys));
    }
}

/* ---- drawing ---- */

static void draw_gap(const Session *session, size_t position, const PromptPlace *place, Canvas *canvas,
                     Rect area, int row) {
    /* the gap belongs to the position that predicts the token after this one */
    double gap = session_entropy_gap(session, position);
    if (gap > -FAINTEST_GAP && gap < FAINTEST_GAP) {
        canvas_fill_row(canvas, area, row, place->column, place->width, ROLE_DIM, "·");
        return;
    }
    ThemeHeat heat = theme_heat(&canvas->theme, RAMP_DIVERGING, gap / STRONGEST_GAP);
    for (int i = 0; i < place->width; i++)
        canvas_write_styled(canvas, area, row, place->column + i, heat.style, heat.glyph);
}

static void draw_token(const PromptState *state, const SessionTargets *targets, const Session *session,
                       size_t position, Canvas *canvas, Rect area, int row) {
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids), added = session_prompt_added(session);
    const PromptPlace *place = &state->places[position];
    char text[PROMPT_TOKEN_TEXT];
    Role role = position >= count - added                                      ? ROLE_FUSED
                : position >= count - added - session_prompt_response(session) ? ROLE_VALUE
                                                                               : ROLE_TEXT;
    if (position == state->position) role = ROLE_SELECTED;
    prompt_token_text(session, ids[position], canvas->theme.ascii, text, sizeof text);
    canvas_write_field(canvas, area, row, place->column, place->width, false, role, text);
    draw_gap(session, position, place, canvas, area, row + 1);
    if (is_marked(targets, state, position))
        (void)canvas_write(canvas, area, row + 1, place->column, ROLE_MARK, mark_of(targets));
}

/* A press selects the token, on its text or on its gap. */
static void add_hit_area(PromptState *state, size_t position, Canvas *canvas, Rect line) {
    const PromptPlace *place = &state->places[position];
    line.column += place->column;
    line.columns = place->width;
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_GRID,
                                    .area = line,
                                    .across = {&state->position, position, position + 1, place->width}});
}

int prompt_draw_tokens(PromptState *state, const SessionTargets *targets, const Session *session,
                       Canvas *canvas, Rect area) {
    size_t shown = area.rows > 1 ? (size_t)area.rows / 2 : 1;
    int used = 0;
    if (!lay_out(state, session, area.columns, canvas->theme.ascii)) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_ERROR, "not enough memory for the text");
        return 1;
    }
    size_t line = state->position < state->place_count ? state->places[state->position].line : 0;
    if (line < state->line) state->line = line;
    if (line >= state->line + shown) state->line = line + 1 - shown;
    for (size_t i = 0; i < state->place_count; i++) {
        size_t own = state->places[i].line;
        if (own < state->line || own >= state->line + shown) continue;
        int row = (int)(own - state->line) * 2;
        draw_token(state, targets, session, i, canvas, area, row);
        add_hit_area(state, i, canvas, rect_make(area.row + row, area.column, 2, area.columns));
        if (row + 2 > used) used = row + 2;
    }
    return used < area.rows ? used : area.rows;
}
