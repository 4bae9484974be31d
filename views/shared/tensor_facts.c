#include "views/shared/tensor_facts.h"

#include "tui/canvas/list_box.h"
#include "tui/text/format.h"

#include <stdio.h>
#include <string.h>

enum { FACTS_LIMIT = 20, NAME_SIZE = 512 };

/* Facts whose values this block owns. */
typedef struct Facts {
    Fact facts[FACTS_LIMIT];
    char texts[FACTS_LIMIT][LIST_CELL_SIZE];
    size_t count;
} Facts;

/* The place for the text of a further fact. */
static char *add(Facts *facts, const char *label, Role role) {
    size_t place = facts->count < FACTS_LIMIT ? facts->count++ : FACTS_LIMIT - 1;
    facts->facts[place] = (Fact){label, facts->texts[place], role};
    return facts->texts[place];
}

void tensor_facts_place(const PairTensor *tensor, char *text, size_t size) {
    const char *role = tensor->role != TENSOR_OTHER ? tensor_role_name(tensor->role) : "";
    if (tensor->layer >= 0)
        (void)snprintf(text, size, "layer %d  %s", tensor->layer, role);
    else
        (void)snprintf(text, size, "%s", role);
}

void tensor_facts_kind(const PairTensor *tensor, bool ascii, char *text, size_t size) {
    char shape[128];
    const char *sft = checkpoint_dtype_text(tensor->sft);
    checkpoint_format_shape(tensor->sft, ascii, shape, sizeof shape);
    const char *base = tensor->base != NULL ? checkpoint_dtype_text(tensor->base) : sft;
    if (strcmp(base, sft) != 0)
        (void)snprintf(text, size, "%s %s → %s", shape, base, sft);
    else
        (void)snprintf(text, size, "%s %s", shape, sft);
}

/* A name has no blanks to break at, but points: as many rows as it takes, three at most. */
static int draw_name(Canvas *canvas, Rect area, int row, const char *name) {
    char text[NAME_SIZE];
    const char *rest = text;
    (void)text_escape(name, strlen(name), TEXT_PLAIN, text, sizeof text);
    for (int rows = 0; rows < 3 && rest[0] != '\0' && area.columns > 1; rows++) {
        char line[NAME_SIZE];
        size_t bytes = text_prefix(rest, area.columns), whole = bytes;
        while (rest[bytes] != '\0' && whole > 0 && rest[whole - 1] != '.') whole--;
        if (rest[bytes] != '\0' && whole > 0) bytes = whole;
        (void)snprintf(line, sizeof line, "%.*s", (int)bytes, rest);
        rest += bytes;
        (void)canvas_write(canvas, area, row++, 0, ROLE_DIM, line);
    }
    return row;
}

static void add_metrics(Facts *facts, const DriftRow *row) {
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        char *text = add(facts, drift_metric_facts(metric)->label, ROLE_VALUE);
        drift_format_row(row, metric, text, LIST_CELL_SIZE);
        if (metric == DRIFT_MAX_ABS && row->max_abs > 0)
            (void)snprintf(add(facts, "  at row,col", ROLE_TEXT), LIST_CELL_SIZE, "%llu,%llu",
                           (unsigned long long)row->max_row, (unsigned long long)row->max_column);
    }
}

/* What makes a tensor unlike the others: only where it is so. */
static void add_oddities(Facts *facts, const DriftRow *row) {
    char count[FORMAT_SIZE], other[FORMAT_SIZE];
    if (row->is_equal) (void)snprintf(add(facts, "equal", ROLE_GOOD), LIST_CELL_SIZE, "the same values");
    if (row->base_nonfinite + row->sft_nonfinite > 0)
        (void)snprintf(add(facts, "NaN or Inf", ROLE_ERROR), LIST_CELL_SIZE, "base %s  SFT %s",
                       format_count(row->base_nonfinite, count), format_count(row->sft_nonfinite, other));
    if (row->sft_only_rows > 0)
        (void)snprintf(add(facts, "only in SFT", ROLE_WARNING), LIST_CELL_SIZE, "%s rows",
                       format_count(row->sft_only_rows, count));
    if (row->base_only_rows > 0)
        (void)snprintf(add(facts, "only in base", ROLE_WARNING), LIST_CELL_SIZE, "%s rows",
                       format_count(row->base_only_rows, count));
}

static const char *why_not_compared(const PairTensor *tensor) {
    if (tensor->base == NULL) return "only SFT has it: no drift, copied as it is";
    if (!dtype_is_float(tensor->sft->dtype) || !dtype_is_float(tensor->base->dtype))
        return "not a floating type: no drift, copied as it is";
    return "the shapes do not fit: no drift";
}

int tensor_facts_draw_drift(Canvas *canvas, Rect area, const Session *session, size_t index) {
    Facts facts = {.count = 0};
    DriftRow drift;
    if (!drift_table_row(session_drift(session), index, &drift)) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_STALE,
                           session_drift_is_running(session) ? "scanning…" : "drift is not scanned");
        return 1;
    }
    if (!drift.is_compared)
        return canvas_write_wrapped(canvas, area, 0, ROLE_WARNING,
                                    why_not_compared(&session_pair(session)->tensors[index]));
    add_oddities(&facts, &drift);
    add_metrics(&facts, &drift);
    return list_box_draw_facts(canvas, area, facts.facts, facts.count);
}

int tensor_facts_draw_head(Canvas *canvas, Rect area, const Session *session, size_t index) {
    const PairTensor *tensor = &session_pair(session)->tensors[index];
    char text[NAME_SIZE];
    int row = 0;
    tensor_facts_place(tensor, text, sizeof text);
    if (text[0] != '\0') (void)canvas_write(canvas, area, row++, 0, ROLE_TITLE, text);
    row = draw_name(canvas, area, row, tensor->name);
    tensor_facts_kind(tensor, canvas->theme.ascii, text, sizeof text);
    (void)canvas_write(canvas, area, row++, 0, ROLE_TEXT, text);
    return row;
}

int tensor_facts_draw(Canvas *canvas, Rect area, const Session *session, size_t index) {
    int row = tensor_facts_draw_head(canvas, area, session, index);
    (void)rect_cut_top(&area, row);
    return row + tensor_facts_draw_drift(canvas, area, session, index);
}

int tensor_facts_draw_sum(Canvas *canvas, Rect area, const char *title, const DriftRow *sum, size_t tensors) {
    static const DriftMetric SHOWN[] = {DRIFT_RELATIVE_NORM, DRIFT_CHANGED};
    Facts facts = {.count = 0};
    int column = canvas_write(canvas, area, 0, 0, ROLE_TITLE, title) + 2;
    if (tensors == 0) {
        (void)canvas_write(canvas, area, 0, column, ROLE_DIM, "no tensor yet");
        return 1;
    }
    char count[FORMAT_SIZE + 8];
    (void)snprintf(count, sizeof count, "%zu tensors", tensors);
    if (column + text_width(count) > area.columns) (void)snprintf(count, sizeof count, "× %zu", tensors);
    (void)canvas_write(canvas, area, 0, column, ROLE_DIM, count);
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++)
        drift_format_row(sum, SHOWN[i], add(&facts, drift_metric_facts(SHOWN[i])->label, ROLE_VALUE),
                         LIST_CELL_SIZE);
    (void)rect_cut_top(&area, 1);
    return 1 + list_box_draw_facts(canvas, area, facts.facts, facts.count);
}
