/*
 * The mouse: a press on a zone (hit_area.h) moves a cursor, turns a dial or does an action; the wheel moves the cursor.
 */
#include "tui/app/app_internal.h"
#include "tui/app/help.h"
#include "tui/canvas/hit_area.h"

#include <stdio.h>

static const double DOUBLE_PRESS_SECONDS = 0.4;
enum { WHEEL_STEPS = 3, NAMED_NUMBER_SIZE = 64 };

static Reaction turn_wheel(App *app, bool up) {
    Action action = up ? ACTION_MOVE_UP : ACTION_MOVE_DOWN;
    ActionArgument argument = {.count = WHEEL_STEPS, .has_count = true, .text = ""};
    if (app->helping)
        return list_box_act(&app->help, help_count(app_view(app), &app->views), action, &argument);
    return app_act(app, action, &argument);
}

/* The zone is of the last drawing, and so are the cursors that it points to. */
static Reaction slide(App *app, const HitArea *zone, int column) {
    char text[NAMED_NUMBER_SIZE] = "";
    ActionArgument argument = {.count = 1, .number = hit_area_value(zone, column), .text = text};
    if (zone->name != NULL) (void)snprintf(text, sizeof text, "%s=%.3f", zone->name, argument.number);
    return app_act(app, zone->action, &argument);
}

static Reaction point(App *app, const HitArea *zone, const TerminalMouse *mouse) {
    bool moved, again = app_now() - app->pressed_at < DOUBLE_PRESS_SECONDS;
    app->pressed_at = app_now();
    if (!hit_area_point(zone, mouse->row, mouse->column, &moved)) return REACTION_NONE;
    if (moved || !again) return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    app->pressed_at = 0; /* a third press is a first one */
    return app_act(app, ACTION_ENTER, &(ActionArgument){.count = 1, .text = ""});
}

static Reaction press(App *app, const TerminalMouse *mouse) {
    const HitArea *zone = hit_area_find(app->canvas, mouse->row, mouse->column);
    app->is_sliding = zone != NULL && zone->kind == HIT_AREA_SLIDER;
    if (zone == NULL || zone->kind == HIT_AREA_COVER) return REACTION_NONE;
    if (zone->kind == HIT_AREA_SLIDER) {
        bool moved;
        app->slider = *zone;
        (void)hit_area_point(zone, mouse->row, mouse->column, &moved); /* drawn anew in any case */
        return slide(app, zone, mouse->column);
    }
    if (zone->kind == HIT_AREA_GRID) return app->helping ? REACTION_NONE : point(app, zone, mouse);
    const KeymapBinding binding = {.action = zone->action};
    if (!app->helping) return app_run_binding(app, &binding, 1, false);
    return app_act_in_help(app, &binding, &(ActionArgument){.count = 1, .text = ""}) | REACTION_REDRAW;
}

Reaction app_take_mouse(App *app, const TerminalMouse *mouse) {
    if (app->asking != APP_ASKS_NOTHING) return REACTION_NONE; /* the question comes first */
    switch (mouse->kind) {
    case TERMINAL_MOUSE_WHEEL_UP:
    case TERMINAL_MOUSE_WHEEL_DOWN:
        return turn_wheel(app, mouse->kind == TERMINAL_MOUSE_WHEEL_UP);
    case TERMINAL_MOUSE_PRESS:
        return press(app, mouse);
    case TERMINAL_MOUSE_DRAG: /* a dial follows the pointer wherever it goes */
        return app->is_sliding ? slide(app, &app->slider, mouse->column) : REACTION_NONE;
    case TERMINAL_MOUSE_RELEASE:
        app->is_sliding = false;
        break;
    }
    return REACTION_NONE;
}
