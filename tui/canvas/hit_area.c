#include "tui/canvas/hit_area.h"

#include "core/support/memory.h"

void hit_area_add(Canvas *canvas, const HitArea *zone) {
    Error error;
    Rect area = rect_intersect(zone->area, canvas_area(canvas));
    if (rect_is_empty(area) ||
        MEMORY_RESERVE(canvas->zones, &canvas->zone_capacity, canvas->zone_count + 1, &error) != STATUS_OK)
        return;
    canvas->zones[canvas->zone_count++] = *zone;
}

static bool contains(Rect area, int row, int column) {
    return row >= area.row && row < area.row + area.rows && column >= area.column &&
           column < area.column + area.columns;
}

const HitArea *hit_area_find(const Canvas *canvas, int row, int column) {
    for (size_t i = canvas->zone_count; i-- > 0;)
        if (contains(canvas->zones[i].area, row, column)) return &canvas->zones[i];
    return NULL;
}

static bool find_item(const HitAreaAxis *axis, int offset, size_t *item) {
    *item = axis->first + (size_t)(offset / (axis->cells > 0 ? axis->cells : 1));
    return axis->cursor == NULL || *item < axis->count;
}

bool hit_area_point(const HitArea *zone, int row, int column, bool *moved) {
    size_t down, across;
    if (!find_item(&zone->down, row - zone->area.row, &down) ||
        !find_item(&zone->across, column - zone->area.column, &across))
        return false;
    *moved = (zone->down.cursor != NULL && *zone->down.cursor != down) ||
             (zone->across.cursor != NULL && *zone->across.cursor != across);
    if (zone->down.cursor != NULL) *zone->down.cursor = down;
    if (zone->across.cursor != NULL) *zone->across.cursor = across;
    return true;
}

double hit_area_value(const HitArea *zone, int column) {
    int steps = zone->area.columns - 1, step = column - zone->area.column;
    if (step <= 0 || steps <= 0) return zone->low;
    return step >= steps ? zone->high : zone->low + (zone->high - zone->low) * step / steps;
}
