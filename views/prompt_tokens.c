#include "tui/session_pair.h"
#include "tui/text.h"
#include "views/prompt.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_TEXT = 160 };

/* Gaps from the one on are drawn in the strongest step (a nat is much: e times the choices), below the other
 * as none. */
static const double STRONGEST_GAP = 1.5, FAINTEST_GAP = 0.05;

void prompt_token_text(const Session *session, int32_t id, bool ascii, char *text, size_t size) {
    char bytes[TOKEN_TEXT / 4];
    size_t count = session_token_bytes(session, id, bytes, sizeof bytes);
    unsigned flags = TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES | (ascii ? TEXT_ASCII : 0U);
    (void)text_escape(bytes, count, flags, text, size); /* what does not fit is cut */
}

/* Walks over the tokens as they are laid out. */
typedef struct Layout {
    const Session *session;
    const int32_t *ids;
    size_t count, next; /* the token that comes next */
    int columns;
    bool ascii;
    /* the token just laid out */
    size_t position, line;
    int column, width;
    char text[TOKEN_TEXT];
    bool breaks; /* a newline in it ends the line */
} Layout;

static Layout layout_begin(const Session *session, int columns, bool ascii) {
    Layout layout = {.session = session, .columns = columns, .ascii = ascii};
    layout.count = session_prompt_tokens(session, &layout.ids);
    return layout;
}

static bool layout_step(Layout *layout) {
    if (layout->next == layout->count) return false;
    int after = layout->next == 0 ? 0 : layout->column + layout->width;
    bool broke = layout->breaks;
    layout->position = layout->next++;
    prompt_token_text(layout->session, layout->ids[layout->position], layout->ascii, layout->text,
                      sizeof layout->text);
    layout->width = text_width(layout->text);
    if (layout->width > layout->columns) layout->width = layout->columns > 0 ? layout->columns : 1;
    char bytes[TOKEN_TEXT / 4];
    size_t count = session_token_bytes(layout->session, layout->ids[layout->position], bytes, sizeof bytes);
    layout->breaks = memchr(bytes, '\n', count) != NULL;
    bool wraps = layout->position > 0 && (broke || after + layout->width > layout->columns);
    layout->line += wraps ? 1 : 0;
    layout->column = wraps ? 0 : after;
    return true;
}

static size_t line_of(const Session *session, int columns, bool ascii, size_t position) {
    Layout layout = layout_begin(session, columns, ascii);
    while (layout_step(&layout)) {
        if (layout.position == position) return layout.line;
    }
    return 0;
}

size_t prompt_line_step(const PromptState *state, const Session *session, int columns, int direction) {
    Layout layout = layout_begin(session, columns, false);
    size_t here = line_of(session, columns, false, state->position), found = state->position;
    int column = 0;
    while (layout_step(&layout)) {
        if (layout.position == state->position) column = layout.column;
    }
    if (direction < 0 && here == 0) return state->position;
    size_t wanted = direction < 0 ? here - 1 : here + 1;
    layout = layout_begin(session, columns, false);
    while (layout_step(&layout)) {
        if (layout.line == wanted && (layout.column <= column || found == state->position))
            found = layout.position;
    }
    return found;
}

static void draw_token(const PromptState *state, const Layout *layout, Canvas *canvas, Rect area, int row) {
    size_t added = session_prompt_added(layout->session);
    Role role = layout->position >= layout->count - added ? ROLE_FUSED : ROLE_TEXT;
    if (layout->position == state->position) role = ROLE_SELECTED;
    canvas_write_field(canvas, area, row, layout->column, layout->width, false, role, layout->text);
    /* the gap belongs to the position that predicts the token after this one */
    double gap = session_entropy_gap(layout->session, layout->position);
    if (gap > -FAINTEST_GAP && gap < FAINTEST_GAP) {
        canvas_fill_row(canvas, area, row + 1, layout->column, layout->width, ROLE_DIM, "·");
        return;
    }
    ThemeHeat heat = theme_heat(&canvas->theme, RAMP_DIVERGING, gap / STRONGEST_GAP);
    for (int i = 0; i < layout->width; i++)
        canvas_write_styled(canvas, area, row + 1, layout->column + i, heat.style, heat.glyph);
}

int prompt_draw_tokens(PromptState *state, const Session *session, Canvas *canvas, Rect area) {
    size_t shown = area.rows > 1 ? (size_t)area.rows / 2 : 1;
    size_t line = line_of(session, area.columns, canvas->theme.ascii, state->position);
    if (line < state->line) state->line = line;
    if (line >= state->line + shown) state->line = line + 1 - shown;
    int used = 0;
    Layout layout = layout_begin(session, area.columns, canvas->theme.ascii);
    while (layout_step(&layout)) {
        if (layout.line < state->line || layout.line >= state->line + shown) continue;
        int row = (int)(layout.line - state->line) * 2;
        draw_token(state, &layout, canvas, area, row);
        if (row + 2 > used) used = row + 2;
    }
    return used < area.rows ? used : area.rows;
}
