/* The pane prompts: a row a prompt, its samples of each state as a strip of right and wrong ones. */
#include "tui/canvas/hit_area.h"
#include "tui/text/text.h"
#include "views/rollouts/rollouts_internal.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER = 5, GAP = 2, FIGURE = 6, TEXT_LEAST = 12, STRIP_LEAST = 4, CELL_BYTES = 4, EXCERPT = 200 };

/* Where things are in a row. */
typedef struct PromptsLayout {
    size_t columns, most; /* columns of samples; the most samples of a prompt */
    int strip, figure;    /* columns of the screen; a figure of 0: none */
} PromptsLayout;

static PromptsLayout lay_out(const SessionRollouts *shown, int columns) {
    PromptsLayout layout = {
        .columns = shown->columns, .most = rollouts_most_samples(shown), .figure = FIGURE};
    int count = (int)shown->columns, room = columns - NUMBER - TEXT_LEAST - GAP;
    int most = layout.most < 1000 ? (int)layout.most : 1000;
    if (count == 0) return layout;
    layout.strip = room / count - 2 * GAP - FIGURE;
    if (layout.strip < STRIP_LEAST) {
        layout.figure = 0;
        layout.strip = (columns - NUMBER) / count - GAP;
    }
    if (layout.strip > most) layout.strip = most;
    if (layout.strip < 1) layout.strip = 1;
    return layout;
}

static int strip_column(const PromptsLayout *layout, size_t c) {
    int width = GAP + layout->strip + (layout->figure > 0 ? GAP + layout->figure : 0);
    return NUMBER + GAP + (int)c * width;
}

/* ---- strips ---- */

/* The first sample of a cell of the strip, and behind its last: a cell stands for several where there are many. */
static size_t cell_begin(const PromptsLayout *layout, int cell) {
    return layout->most * (size_t)cell / (size_t)layout->strip;
}

/* Right, wrong, some of both, none there yet. */
static const char *cell_glyph(const SampleGroup *group, size_t begin, size_t end, Role *role) {
    size_t ready = 0, right = 0;
    for (size_t i = begin; i < end && i < group->sample_count; i++) {
        if (group->samples[i].ids == NULL) continue;
        ready++;
        right += sample_figures_is_right(group->samples[i].reward);
    }
    *role = right > 0 ? ROLE_GOOD : ROLE_DIM;
    if (ready == 0) return " ";
    return right == ready ? "●" : right > 0 ? "+" : "·";
}

static void draw_strip(const SessionRollouts *shown, const PromptsLayout *layout, size_t c, size_t group,
                       Canvas *canvas, Rect row) {
    for (int cell = 0; cell < layout->strip; cell++) {
        Role role;
        const char *glyph = cell_glyph(&shown->column[c].set->groups[group], cell_begin(layout, cell),
                                       cell_begin(layout, cell + 1), &role);
        (void)canvas_write(canvas, row, 0, strip_column(layout, c) + cell, role, glyph);
    }
}

/* The cell of the sample at the cursor, bracketed by its colours. */
static void mark_place(const RolloutsState *state, const SessionRollouts *shown, const PromptsLayout *layout,
                       Canvas *canvas, Rect row) {
    RolloutsPlace place = rollouts_find_place(state, shown);
    int cell = 0;
    while (cell + 1 < layout->strip && cell_begin(layout, cell + 1) <= place.sample) cell++;
    Rect area =
        rect_intersect(row, rect_make(row.row, row.column + strip_column(layout, place.column) + cell, 1, 1));
    canvas_restyle(canvas, area, ROLE_SELECTED);
}

/* A press goes to the sample. */
static void add_areas(RolloutsState *state, const SessionRollouts *shown, const PromptsLayout *layout,
                      size_t group, Canvas *canvas, Rect row) {
    if (layout->strip < (int)layout->most) return;
    for (size_t c = 0; c < shown->columns; c++) {
        Rect area = rect_make(row.row, row.column + strip_column(layout, c), 1, layout->strip);
        hit_area_add(canvas,
                     &(HitArea){.kind = HIT_AREA_GRID,
                                .area = rect_intersect(row, area),
                                .down = {&state->prompts.cursor, group, group + 1, 1},
                                .across = {&state->place, c * layout->most, (c + 1) * layout->most, 1}});
    }
}

/* ---- the table ---- */

typedef struct PromptsCells {
    const RolloutsState *state;
    const SessionRollouts *shown;
    PromptsLayout layout;
    size_t per_column; /* cells of a state: its strip, and a figure where there is room */
} PromptsCells;

static void write_excerpt(const SampleGroup *group, char text[LIST_CELL_SIZE]) {
    const char *prompt = group->prompt != NULL ? group->prompt : "";
    size_t length = strlen(prompt), from = length > EXCERPT ? length - EXCERPT : 0;
    while (from < length && ((unsigned char)prompt[from] & 0xC0U) == 0x80U)
        from++; /* not within a character */
    (void)text_escape(prompt + from, length - from, TEXT_PLAIN, text, LIST_CELL_SIZE);
}

static void fill_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const PromptsCells *cells = user;
    const SessionRollouts *shown = cells->shown;
    size_t last = 1 + shown->columns * cells->per_column;
    if (column == 0) {
        bool is_here = row == cells->state->prompts.cursor;
        *role = is_here ? ROLE_SELECTED : ROLE_DIM;
        (void)snprintf(text, LIST_CELL_SIZE, "%zu", row);
    } else if (column == last) {
        *role = ROLE_DIM;
        write_excerpt(&shown->column[0].set->groups[row], text);
    } else if (cells->layout.figure > 0 && (column - 1) % cells->per_column == 1) {
        char figure[FORMAT_SIZE];
        size_t c = (column - 1) / cells->per_column;
        rollouts_format(session_rollouts_figure(&shown->column[c], cells->state->figure, row), FIGURE,
                        figure);
        *role = shown->column[c].side == SIDE_FUSED && shown->is_stale ? ROLE_STALE : ROLE_VALUE;
        (void)snprintf(text, LIST_CELL_SIZE, "%s", figure);
    }
}

static size_t list_columns(const PromptsCells *cells, const char *figure, ListColumn *columns) {
    size_t count = 0;
    columns[count++] = (ListColumn){"#", NUMBER, true, 0};
    for (size_t c = 0; c < cells->shown->columns; c++) {
        columns[count++] = (ListColumn){rollouts_column_name(cells->shown, c), cells->layout.strip, false, 0};
        if (cells->layout.figure > 0) columns[count++] = (ListColumn){figure, FIGURE, true, 0};
    }
    columns[count++] = (ListColumn){"prompt", 0, false, 1};
    return count;
}

/* The figure over all prompts, below its column. */
static void draw_sums(const PromptsCells *cells, Canvas *canvas, Rect row) {
    const SessionRollouts *shown = cells->shown;
    bool is_part = false; /* of the prompts: those that have all their samples */
    for (size_t c = 0; c < shown->columns; c++)
        is_part = is_part || shown->column[c].figures == NULL ||
                  shown->column[c].figures->prompt_count < shown->groups;
    (void)canvas_write_right(canvas, row, 0, NUMBER, ROLE_TITLE, is_part ? "part" : "all");
    for (size_t c = 0; c < shown->columns; c++) {
        char text[ROLLOUTS_ESTIMATE];
        SampleEstimate all = SESSION_ROLLOUTS_FIGURE[cells->state->figure].of_all(&shown->column[c]);
        int width = cells->layout.strip + GAP + FIGURE;
        rollouts_format_estimate(all, text);
        if (text_width(text) > width) rollouts_format(all.value, FIGURE, text);
        (void)canvas_write_right(canvas, row, 0, strip_column(&cells->layout, c) + width,
                                 rollouts_column_role(shown, c), text);
    }
}

static void draw_prompts(RolloutsState *state, Session *session, const SessionRollouts *shown, Canvas *canvas,
                         Rect area) {
    enum { COLUMNS = 2 + 2 * SIDE_COUNT };
    ListColumn columns[COLUMNS];
    char figure[FORMAT_SIZE];
    PromptsCells cells = {.state = state, .shown = shown, .layout = lay_out(shown, area.columns)};
    (void)session;
    cells.per_column = cells.layout.figure > 0 ? 2 : 1;
    rollouts_name_figure(shown, state->figure, figure);
    size_t count = list_columns(&cells, figure, columns);
    bool has_sums = area.rows > 3 && cells.layout.figure > 0;
    Rect below = area; /* the sums stand behind the last prompt, or in the last row */
    int rows = shown->groups < (size_t)area.rows ? (int)shown->groups + 1 : area.rows;
    area.rows = has_sums && rows == area.rows ? rows - 1 : rows;
    (void)rect_cut_top(&below, area.rows);
    Rect sums = rect_cut_top(&below, has_sums ? 1 : 0);
    if (state->prompts.cursor >= shown->groups) state->prompts.cursor = shown->groups - 1;
    list_box_draw(canvas, area, &state->prompts, shown->groups, columns, count, false, fill_cell, &cells);
    for (int i = 1; i < area.rows && state->prompts.top + (size_t)i - 1 < shown->groups; i++) {
        size_t group = state->prompts.top + (size_t)i - 1;
        Rect row = rect_make(area.row + i, area.column, 1, area.columns);
        for (size_t c = 0; c < shown->columns; c++) draw_strip(shown, &cells.layout, c, group, canvas, row);
        if (group == state->prompts.cursor) mark_place(state, shown, &cells.layout, canvas, row);
        add_areas(state, shown, &cells.layout, group, canvas, row);
    }
    if (sums.rows > 0) draw_sums(&cells, canvas, sums);
}

/* ---- acting ---- */

static Reaction act_on_prompts(RolloutsState *state, Session *session, const SessionRollouts *shown,
                               Action action, const ActionArgument *argument) {
    RolloutsPlace place = rollouts_find_place(state, shown);
    switch (action) {
    case ACTION_MOVE_LEFT:
        rollouts_move_place(state, shown, -(long)argument->count);
        return REACTION_REDRAW;
    case ACTION_MOVE_RIGHT:
        rollouts_move_place(state, shown, argument->count);
        return REACTION_REDRAW;
    case ACTION_ENTER:
        if (rollouts_sample(shown, &place) != NULL)
            state->is_reading = true;
        else
            session_say(session, SESSION_NOTE, "this sample has not ended yet");
        state->tokens = (ListState){0};
        return REACTION_REDRAW;
    default:
        return list_box_act(&state->prompts, shown->groups, action, argument);
    }
}

static void add_prompt(const SessionRollouts *shown, size_t c, size_t g, Table *table) {
    const SessionRolloutsColumn *column = &shown->column[c];
    table_add_row(table);
    table_add_integer(table, (int64_t)g);
    table_add_text(table, rollouts_column_key(shown, c));
    table_add_integer(table, (int64_t)column->ended[g]);
    table_add_integer(table, (int64_t)column->right[g]);
    for (size_t i = 0; i < SESSION_ROLLOUTS_FIGURES; i++) {
        if (session_rollouts_is_complete(column, g))
            table_add_number(table, session_rollouts_figure(column, i, g));
        else
            table_add_empty(table);
    }
}

static Status list_prompts(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                           Table **table, Error *error) {
    enum { BEFORE = 4 };
    TableColumn columns[BEFORE + SESSION_ROLLOUTS_FIGURES] = {{"prompt", NULL, NULL, TABLE_INTEGER, 0},
                                                              {"state", NULL, NULL, TABLE_TEXT, 0},
                                                              {"samples", NULL, NULL, TABLE_INTEGER, 0},
                                                              {"right", NULL, NULL, TABLE_INTEGER, 0}};
    (void)state;
    (void)session;
    for (size_t i = 0; i < SESSION_ROLLOUTS_FIGURES; i++)
        columns[BEFORE + i] = (TableColumn){SESSION_ROLLOUTS_FIGURE[i].key, NULL, NULL, TABLE_NUMBER, 4};
    Status status = table_create(columns, sizeof columns / sizeof *columns, table, error);
    for (size_t g = 0; g < shown->groups && status == STATUS_OK; g++)
        for (size_t c = 0; c < shown->columns; c++) add_prompt(shown, c, g, *table);
    return status;
}

/* The prompt as it is. */
static bool copy_prompt(const RolloutsState *state, Session *session, const SessionRollouts *shown,
                        char *text, size_t size) {
    RolloutsPlace place = rollouts_find_place(state, shown);
    (void)session;
    if (shown->groups == 0 || shown->column[0].set->groups[place.group].prompt == NULL) return false;
    (void)snprintf(text, size, "%s", shown->column[0].set->groups[place.group].prompt);
    return true;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,  ACTION_MEASURE,     ACTION_ENTER,    ACTION_MOVE_LEFT,
                               ACTION_MOVE_RIGHT, ACTION_METRIC_NEXT, ACTION_GRADIENT, ACTION_SAMPLES_EACH};

const RolloutsPane rollouts_prompts_pane = {
    .name = "prompts",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_prompts,
    .act = act_on_prompts,
    .numbers = list_prompts,
    .value = copy_prompt,
};
