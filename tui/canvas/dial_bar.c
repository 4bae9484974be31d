#include "tui/canvas/dial_bar.h"

#include "tui/canvas/chart.h"
#include "tui/canvas/hit_area.h"
#include "tui/text/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BAR_LEAST = 4, CENTS = 100 };

void dial_bar_draw_progress(Canvas *canvas, Rect area, int row, const ProgressLine *progress) {
    char figures[128] = "", left[FORMAT_SIZE], label[64];
    bool known = progress->total > 0;
    double share = known ? fmin(1, (double)progress->done / (double)progress->total) : NAN;
    size_t used = 0;
    if (known) used = (size_t)snprintf(figures, sizeof figures, "%3.0f %%", floor(share * (double)CENTS));
    if (progress->rate != NULL && progress->rate[0] != '\0')
        used += (size_t)snprintf(figures + used, sizeof figures - used, "  %.31s", progress->rate);
    if (known && progress->done > 0 && progress->seconds >= 1) {
        double seconds =
            progress->seconds / (double)progress->done * (double)(progress->total - progress->done);
        if (progress->done > progress->total) seconds = 0;
        (void)snprintf(figures + used, sizeof figures - used, "  %s left", format_duration(seconds, left));
    } else if (!known && progress->seconds >= 1) {
        (void)snprintf(figures + used, sizeof figures - used, "  %s",
                       format_duration(progress->seconds, left));
    }
    const char *note = progress->note != NULL ? progress->note : "";
    int end = area.columns, note_columns = text_width(note);
    if (note_columns > 0 && note_columns + 40 <= area.columns)
        end = canvas_write_right(canvas, area, row, area.columns, ROLE_DIM, note) - 3;
    (void)snprintf(label, sizeof label, "%s", progress->label);
    text_shorten(label, sizeof label, area.columns / 3, canvas->theme.ascii);
    int begin = canvas_write(canvas, area, row, 0, ROLE_TEXT, label) + 1;
    int bar = end - begin - text_width(figures) - 2;
    if (bar > 40) bar = 40;
    if (bar >= BAR_LEAST && known) {
        canvas_fill_row(canvas, area, row, begin, bar, ROLE_BAR_REST, canvas->theme.ascii ? "." : "░");
        chart_draw_bar(canvas, area, row, begin, (int)floor(bar * share), 1, ROLE_BAR);
        begin += bar + 1;
    }
    Rect rest = rect_make(area.row, area.column, area.rows, end < 0 ? 0 : end);
    (void)canvas_write(canvas, rest, row, begin, ROLE_TEXT, figures);
}

static int columns_of(const char *text, int wanted) {
    int width = text != NULL ? text_width(text) : 0;
    return wanted > 0 ? wanted : width;
}

static const char *or_empty(const char *text) {
    return text != NULL ? text : "";
}

void dial_bar_draw(Canvas *canvas, Rect area, int row, const Dial *dial) {
    int label = columns_of(dial->label, dial->label_columns);
    int low = columns_of(dial->low_label, dial->end_columns),
        high = columns_of(dial->high_label, dial->end_columns);
    int value = columns_of(dial->value_text, dial->value_columns);
    int track = area.columns - label - low - high - value - 6; /* blanks between the parts */
    bool whole = track >= 6;
    Role role = dial->stale ? ROLE_STALE : ROLE_VALUE;
    canvas_write_field(canvas, area, row, 0, label, false, dial->selected ? ROLE_KEY : ROLE_TEXT,
                       or_empty(dial->label));
    if (!whole) { /* no room for the track: name and value */
        canvas_write_field(canvas, area, row, label + 1, area.columns - label - 1, false, role,
                           or_empty(dial->value_text));
        return;
    }
    int at = label + 2;
    canvas_write_field(canvas, area, row, at, low, true, ROLE_DIM, or_empty(dial->low_label));
    at += low + 1;
    canvas_fill_row(canvas, area, row, at, track, ROLE_BAR_REST, "─");
    for (int i = 1; i < dial->ticks; i++)
        (void)canvas_write(canvas, area, row, at + (int)lround((double)(track - 1) * i / dial->ticks),
                           ROLE_BAR_REST, "┼");
    (void)canvas_write(canvas, area, row, at, ROLE_BAR_REST, "├");
    (void)canvas_write(canvas, area, row, at + track - 1, ROLE_BAR_REST, "┤");
    double unit = dial->per_unit != 0 ? dial->per_unit : 1;
    if (dial->action != ACTION_NOTHING)
        hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_SLIDER,
                                        .area = rect_make(area.row + row, area.column + at, 1, track),
                                        .action = dial->action,
                                        .name = dial->action_name,
                                        .down = {dial->cursor, dial->item, dial->item + 1, 1},
                                        .low = dial->low * unit,
                                        .high = dial->high * unit});
    double share = dial->high > dial->low ? (dial->value - dial->low) / (dial->high - dial->low) : 0;
    share = share > 0 ? (share < 1 ? share : 1) : 0;
    (void)canvas_write(canvas, area, row, at + (int)lround(share * (track - 1)), ROLE_MARK, "●");
    at += track + 1;
    canvas_write_field(canvas, area, row, at, high, false, ROLE_DIM, or_empty(dial->high_label));
    canvas_write_field(canvas, area, row, area.columns - value, value, true, role,
                       or_empty(dial->value_text));
    if (dial->selected)
        canvas_restyle(canvas, rect_make(area.row + row, area.column, 1, label), ROLE_SELECTED);
}
