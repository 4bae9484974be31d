/*
 * app_internal — what the files of the main loop share, bottom to top: each calls only what stands before it.
 */
#ifndef REJUV_TUI_APP_INTERNAL_H
#define REJUV_TUI_APP_INTERNAL_H

#include "tui/app/app.h"
#include "tui/app/frame.h"
#include "tui/app/view.h"
#include "tui/canvas/hit_area.h"
#include "tui/canvas/list_box.h"
#include "tui/keys/keymap.h"
#include "tui/terminal/prompt_line.h"
#include "tui/terminal/terminal.h"

enum { APP_BACK_LIMIT = 16, APP_SEARCH_SIZE = 256 };

/* What the prompt line or the question in the last line is for. */
typedef enum AppAsking {
    APP_ASKS_NOTHING,
    APP_ASKS_COMMAND,
    APP_ASKS_SEARCH,
    APP_ASKS_ARGUMENT, /* of `asked_action` */
    APP_ASKS_CONFIRMATION
} AppAsking;

typedef struct App {
    Session *session;
    Keymap *keymap;
    Canvas *canvas;
    ViewList views;
    void **states;            /* [views.count] */
    bool *is_open;            /* [views.count] */
    int view;                 /* index into the views; -1 before the first */
    int back[APP_BACK_LIMIT]; /* where one came from, newest last */
    int back_count;

    KeymapInput input;
    AppAsking asking;
    Action asked_action;
    ActionArgument asked_argument; /* its count */
    char search[APP_SEARCH_SIZE];
    Action last_step; /* of a dial, for ACTION_REPEAT; ACTION_NOTHING before the first */

    const Resume *resume;         /* that of the options, or `kept` */
    Resume kept;                  /* of the rung that was switched from */
    const SessionOptions *opened; /* as in AppOptions */
    char *popup, *popup_opening;  /* command lines shown over the view; NULL: none */
    HitArea slider;               /* the dial that the mouse holds */
    bool is_sliding;
    double pressed_at; /* when the mouse last pointed at something */

    bool touring;
    size_t tour_step;
    bool helping;
    ListState help;

    FrameMessage message;
    double message_until;

    char *kept_edit; /* of what is exported, refused; NULL: none (app_editor.c) */

    bool is_still; /* a picture: what is running is not shown */

    bool quit;
    bool warned; /* that leaving interrupts an export */
    int exit_status;
} App;

/* ---- app_navigation.c: which view is in front ---- */

const View *app_view(const App *app);

/* Shows view `index`; `remember`: ACTION_BACK comes back from it. */
void app_show_view(App *app, int index, bool remember);

/* Closes all that were opened; the one in front is not there any more until one is shown. */
void app_close_views(App *app);

/* Shows the view that was asked for (view_request()), if any; false where none was. */
bool app_show_requested(App *app);

/* Looks for app->search; direction 1 or -1, `stay` while typing. */
Reaction app_find(App *app, int direction, bool stay);

/* ---- app_popup.c: the command lines of what is on screen, over the view ---- */

Reaction app_open_twin(App *app);
void app_close_popup(App *app);
void app_draw_popup(App *app, Rect area);

/* Copies what the popup shows, or what is under the cursor. */
Reaction app_copy(App *app);

/* ---- app_screen.c ---- */

void app_draw(App *app);
double app_now(void); /* seconds, monotonic */

/* Takes the terminal's present size and draws everything again. */
Reaction app_resize(App *app);

/* ---- app_ask.c: opens the prompt line, or a question ---- */

void app_ask_argument(App *app, Action action, const ActionArgument *argument);
void app_ask_command(App *app);
void app_ask_search(App *app);

/* ---- app_rung.c: another rung of the ladder in place of the one that is tuned ---- */

/* By its number, or so many rungs on. */
Reaction app_switch_rung(App *app, double number);
Reaction app_step_rung(App *app, int steps);

/* That which was asked for (view_request_rung()), if any. */
Reaction app_switch_requested(App *app);

/* ---- app_editor.c ---- */

/* What is to be exported, as text in the user's editor; what comes back holds if all of it can. Otherwise it is kept, and
 * opened the next time. */
Reaction app_edit_export(App *app);

/* ---- app_action.c ---- */

/* Runs an action whose argument is complete: frame, then view, then dials. */
Reaction app_act(App *app, Action action, const ActionArgument *argument);

/* Runs a binding: asks for the argument where it takes one and has none. */
Reaction app_run_binding(App *app, const KeymapBinding *binding, int count, bool has_count);

/* While help is shown: moves in it, closes it, or does what the program does everywhere. */
Reaction app_act_in_help(App *app, const KeymapBinding *binding, const ActionArgument *argument);

/* Says that the keys just typed mean nothing here, and what is near. */
void app_say_unbound(App *app);

/* Stops running work; with none, leaves with status 130. */
Reaction app_interrupt(App *app);

/* Begins the tour, or ends it; goes on by so many steps (back, where negative) and shows their view. */
Reaction app_toggle_tour(App *app);
Reaction app_step_tour(App *app, int steps);

/* ---- app_answer.c: a key or a paste while the prompt line or a question is open ---- */

Reaction app_answer_key(App *app, Key key);
Reaction app_answer_paste(App *app, const char *text, size_t bytes);

/* Runs a line as the command line does: a name (or its beginning) and an argument. */
Reaction app_run_command(App *app, const char *line);

/* ---- app_mouse.c ---- */

Reaction app_take_mouse(App *app, const TerminalMouse *mouse);

/* ---- app.c ---- */

/* Opens the first view; the canvas is the caller's business. Nothing is left open on failure. */
Status app_open(App *app, Session *session, const AppOptions *options, Error *error) STATUS_MUST_CHECK;
void app_close(App *app);

/* A key, wherever the program is. */
Reaction app_take_key(App *app, Key key);

#endif
