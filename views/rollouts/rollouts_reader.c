/* One sample: what was asked, what was said, what it earned, and how likely each token is under base, SFT and W. */
#include "tui/canvas/colour_scale.h"
#include "tui/session/session_files.h"
#include "tui/text/text.h"
#include "views/rollouts/rollouts_internal.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_TEXT = 64, TOKEN_BYTES = 16, PROMPT_ROWS = 3, HEAD_ROWS = 2, TABLE_LEAST = 6, LONG_TEXT = 4096 };

typedef struct ReaderPlace {
    const SessionRollouts *shown;
    const Session *session;
    const Sample *sample;
    const SessionRolloutsColumn *column;
    size_t first; /* of its token scores */
    bool ascii;
} ReaderPlace;

static void token_text(const ReaderPlace *place, size_t t, char text[TOKEN_TEXT]) {
    char bytes[TOKEN_BYTES];
    size_t count = session_token_bytes(place->session, place->sample->ids[t], bytes, sizeof bytes);
    (void)text_escape(bytes, count, TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES | (place->ascii ? TEXT_ASCII : 0U),
                      text, TOKEN_TEXT);
}

/* ---- the response, its tokens one after another ---- */

/* Draws the tokens from the first of line `from` on, and tells in which line the cursor is, and how many there are. */
static size_t draw_tokens(const ReaderPlace *place, size_t cursor, size_t from, Canvas *canvas, Rect area,
                          size_t *lines) {
    size_t line = 0, found = 0;
    int column = 0;
    for (size_t t = 0; t < place->sample->count; t++) {
        char text[TOKEN_TEXT];
        token_text(place, t, text);
        int width = text_width(text);
        if (column > 0 && column + width > area.columns) {
            line++;
            column = 0;
        }
        if (t == cursor) found = line;
        if (line >= from && line - from < (size_t)area.rows)
            (void)canvas_write(canvas, area, (int)(line - from), column,
                               t == cursor ? ROLE_SELECTED : ROLE_TEXT, text);
        column += width;
    }
    *lines = line + 1;
    return found;
}

/* In so many rows at most; the others stay the area's. */
static void draw_response(const ReaderPlace *place, size_t cursor, int most, Canvas *canvas, Rect *area) {
    size_t lines,
        line = draw_tokens(place, cursor, SIZE_MAX, canvas, *area, &lines); /* out of sight: to count */
    Rect rows = rect_cut_top(area, lines < (size_t)most ? (int)lines : most);
    size_t count = rows.rows > 0 ? (size_t)rows.rows : 1;
    (void)draw_tokens(place, cursor, line < count ? 0 : line - count + 1, canvas, rows, &lines);
}

/* ---- the table of tokens ---- */

static void fill_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const ReaderPlace *place = user;
    char value[FORMAT_SIZE] = "…";
    if (column == 0) {
        *role = ROLE_DIM;
        (void)snprintf(text, LIST_CELL_SIZE, "%zu", row);
        return;
    }
    if (column == 1) {
        token_text(place, row, text);
        return;
    }
    size_t side = (column - 2) % SIDE_COUNT;
    bool is_entropy = column >= 2 + SIDE_COUNT;
    *role = side == SIDE_FUSED && place->shown->is_stale ? ROLE_STALE : is_entropy ? ROLE_DIM : ROLE_VALUE;
    if (place->column->scores != NULL) {
        const SampleTokenScore *score = &place->column->scores->tokens[side][place->first + row];
        (void)format_column(is_entropy ? (double)score->entropy : sample_score_probability(score), 6, value);
    }
    (void)snprintf(text, LIST_CELL_SIZE, "%s", value);
}

static void draw_table(RolloutsState *state, ReaderPlace *place, Canvas *canvas, Rect area) {
    static const ListColumn COLUMNS[] = {
        {"#", 4, true, 2},   {"token", 0, false, 0}, {"p base", 7, true, 0}, {"p SFT", 7, true, 0},
        {"p W", 7, true, 0}, {"H base", 7, true, 1}, {"H SFT", 7, true, 1},  {"H W", 7, true, 1}};
    list_box_draw(canvas, area, &state->tokens, place->sample->count, COLUMNS,
                  sizeof COLUMNS / sizeof *COLUMNS, true, fill_cell, place);
}

/* ---- the whole ---- */

static void describe_end(const SessionRollouts *shown, const Sample *sample, char *text, size_t size) {
    if (sample->is_ended)
        (void)snprintf(text, size, "%zu tokens, ended", sample->count);
    else if (shown->is_file)
        (void)snprintf(text, size, "%zu tokens", sample->count);
    else
        (void)snprintf(text, size, "cut off after %zu tokens", sample->count);
}

static void draw_head(const RolloutsPlace *at, const ReaderPlace *place, Canvas *canvas, Rect area) {
    char end[64], answer[ROLLOUTS_TEXT] = "", reward[FORMAT_SIZE];
    const SampleGroup *group = &place->column->set->groups[at->group];
    bool is_right = sample_figures_is_right(place->sample->reward);
    describe_end(place->shown, place->sample, end, sizeof end);
    (void)format_number(place->sample->reward, 4, reward);
    int column = canvas_write(canvas, area, 0, 0, rollouts_column_role(place->shown, at->column),
                              rollouts_column_name(place->shown, at->column));
    column = canvas_print(canvas, area, 0, column, ROLE_TEXT, "  prompt %zu  sample %zu of %zu  ", at->group,
                          at->sample, group->sample_count);
    column = canvas_print(canvas, area, 0, column, is_right ? ROLE_GOOD : ROLE_WARNING, "%s, reward %s",
                          is_right ? "right" : "wrong", reward);
    (void)canvas_print(canvas, area, 0, column, ROLE_DIM, "  %s", end);
    if (group->answer != NULL)
        (void)text_escape(group->answer, strlen(group->answer), TEXT_PLAIN, answer, sizeof answer);
    if (group->answer != NULL) (void)canvas_print(canvas, area, 1, 0, ROLE_DIM, "answer: %s", answer);
}

static void draw_prompt(const SampleGroup *group, Canvas *canvas, Rect *area) {
    char text[LONG_TEXT];
    const char *prompt = group->prompt != NULL ? group->prompt : "";
    size_t length = strlen(prompt), most = sizeof text / 4, from = length > most ? length - most : 0;
    (void)text_escape(prompt + from, length - from, TEXT_SHOW_NEWLINES, text, sizeof text);
    Rect rows = *area;
    if (rows.rows > PROMPT_ROWS) rows.rows = PROMPT_ROWS;
    int used = canvas_write_wrapped(canvas, rows, 0, ROLE_DIM, text);
    (void)rect_cut_top(area, used < rows.rows ? used : rows.rows);
}

static void draw_reader(RolloutsState *state, Session *session, const SessionRollouts *shown, Canvas *canvas,
                        Rect area) {
    RolloutsPlace at = rollouts_find_place(state, shown);
    const Sample *sample = rollouts_sample(shown, &at);
    if (sample == NULL) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "this sample has not ended yet");
        return;
    }
    ReaderPlace place = {.shown = shown,
                         .session = session,
                         .sample = sample,
                         .column = &shown->column[at.column],
                         .ascii = canvas->theme.ascii};
    if (place.column->scores != NULL)
        place.first = session_rollouts_first_token(place.column, at.group, at.sample);
    if (state->tokens.cursor >= sample->count)
        state->tokens.cursor = sample->count > 0 ? sample->count - 1 : 0;
    draw_head(&at, &place, canvas, rect_cut_top(&area, HEAD_ROWS));
    if (area.rows > 2 * TABLE_LEAST) draw_prompt(&place.column->set->groups[at.group], canvas, &area);
    draw_response(&place, state->tokens.cursor,
                  area.rows > TABLE_LEAST ? (area.rows - TABLE_LEAST) / 2 + 1 : 0, canvas, &area);
    draw_table(state, &place, canvas, area);
}

/* The state's samples side by side: the same number in the next column. */
static void turn_column(RolloutsState *state, const SessionRollouts *shown, int step) {
    RolloutsPlace at = rollouts_find_place(state, shown);
    int count = (int)shown->columns, column = ((int)at.column + step % count + count) % count;
    state->place = (size_t)column * rollouts_most_samples(shown) + at.sample;
}

static Reaction act_on_reader(RolloutsState *state, Session *session, const SessionRollouts *shown,
                              Action action, const ActionArgument *argument) {
    RolloutsPlace at = rollouts_find_place(state, shown);
    const Sample *sample = rollouts_sample(shown, &at);
    (void)session;
    switch (action) {
    case ACTION_BACK:
    case ACTION_ENTER:
        state->is_reading = false;
        return REACTION_REDRAW;
    case ACTION_MOVE_LEFT:
    case ACTION_MOVE_RIGHT:
        rollouts_move_place(state, shown,
                            action == ACTION_MOVE_LEFT ? -(long)argument->count : argument->count);
        return REACTION_REDRAW;
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        turn_column(state, shown, action == ACTION_PANE_NEXT ? argument->count : -argument->count);
        return REACTION_REDRAW;
    default:
        return list_box_act(&state->tokens, sample != NULL ? sample->count : 0, action, argument);
    }
}

static void add_token(const ReaderPlace *place, size_t t, Table *table) {
    char bytes[TOKEN_BYTES];
    size_t count = session_token_bytes(place->session, place->sample->ids[t], bytes, sizeof bytes);
    table_add_row(table);
    table_add_integer(table, (int64_t)t);
    table_add_integer(table, place->sample->ids[t]);
    table_add_bytes(table, bytes, count);
    for (size_t i = 0; i < 2 * SIDE_COUNT; i++) {
        if (place->column->scores == NULL) {
            table_add_empty(table);
            continue;
        }
        const SampleTokenScore *score = &place->column->scores->tokens[i % SIDE_COUNT][place->first + t];
        table_add_number(table, (double)(i < SIDE_COUNT ? score->log_probability : score->entropy));
    }
}

static Status list_tokens(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                          Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"place", NULL, NULL, TABLE_INTEGER, 0},
        {"id", NULL, NULL, TABLE_INTEGER, 0},
        {"token", NULL, NULL, TABLE_TEXT, 0},
        {"log_probability_base", NULL, NULL, TABLE_NUMBER, 0},
        {"log_probability_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"log_probability_fused", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_base", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_fused", NULL, NULL, TABLE_NUMBER, 0},
    };
    RolloutsPlace at = rollouts_find_place(state, shown);
    ReaderPlace place = {.shown = shown, .session = session, .sample = rollouts_sample(shown, &at)};
    if (place.sample == NULL) return status_fail(error, STATUS_UNSUPPORTED, "this sample has not ended yet");
    place.column = &shown->column[at.column];
    if (place.column->scores != NULL)
        place.first = session_rollouts_first_token(place.column, at.group, at.sample);
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t t = 0; t < place.sample->count && status == STATUS_OK; t++) add_token(&place, t, *table);
    return status;
}

static bool copy_response(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                          char *text, size_t size) {
    RolloutsPlace at = rollouts_find_place(state, shown);
    const Sample *sample = rollouts_sample(shown, &at);
    (void)session;
    if (sample == NULL || sample->text == NULL) return false;
    (void)snprintf(text, size, "%s", sample->text);
    return true;
}

static const Action HINTS[] = {ACTION_BACK,      ACTION_MOVE_LEFT, ACTION_MOVE_RIGHT,
                               ACTION_PANE_NEXT, ACTION_MOVE_UP,   ACTION_MOVE_DOWN};

const RolloutsPane rollouts_reader = {
    .name = "reader",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_reader,
    .act = act_on_reader,
    .numbers = list_tokens,
    .value = copy_response,
};
