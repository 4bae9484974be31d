#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"
#include "tui/app/app.h"
#include "tui/canvas/picture.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/figures/picture_file.h"
#include "tui/program/opening_options.h"
#include "tui/program/rung_options.h"
#include "tui/session/session.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_files.h"
#include "views/views.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CELLS_ACROSS = 1000 };

typedef struct Shot {
    Batch *batch;
    char waited_for[48]; /* the label that was told last */
    int rows, columns;
    PictureFormat format;
} Shot;

/* ---- options ---- */

static Status read_size(const char *text, Shot *shot, Error *error) {
    char *end;
    long columns = strtol(text, &end, 10), rows = 0;
    bool is_pair = end != text && (*end == 'x' || *end == 'X');
    if (is_pair) {
        const char *second = end + 1;
        rows = strtol(second, &end, 10);
        is_pair = end != second && *end == '\0';
    }
    if (!is_pair || columns < 1 || rows < 1 || columns > MOST_CELLS_ACROSS || rows > MOST_CELLS_ACROSS)
        return status_fail(error, STATUS_ARGUMENT,
                           "--size: expected columns and rows from 1 to %d, such as 100x30, found \"%s\"",
                           MOST_CELLS_ACROSS, text);
    shot->columns = (int)columns;
    shot->rows = (int)rows;
    return STATUS_OK;
}

static Status read_format(const Options *options, Shot *shot, Error *error) {
    static const PictureFormat FORMATS[] = {PICTURE_SVG, PICTURE_ANSI, PICTURE_TEXT}; /* --format's choices */
    const char *path = options_text(options, OPTION_OUT_PICTURE);
    shot->format = PICTURE_TEXT;
    if (options_has(options, OPTION_FORMAT))
        shot->format = FORMATS[options_value(options, OPTION_FORMAT)->count];
    else if (path != NULL && !picture_find_format(path, &shot->format))
        return status_fail(
            error, STATUS_ARGUMENT,
            "--out: expected a name that ends in .svg, .ansi or .txt, or --format, found \"%s\"", path);
    return STATUS_OK;
}

static Status check_view(const char *name, Error *error) {
    char names[160] = "";
    if (view_find(&VIEWS, name) >= 0) return STATUS_OK;
    for (size_t i = 0; i < VIEWS.count; i++) {
        size_t used = strlen(names);
        if (VIEWS.views[i] != NULL)
            (void)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                           VIEWS.views[i]->name);
    }
    return status_fail(error, STATUS_ARGUMENT, "there is no view \"%s\"; there are %s", name, names);
}

static Status check(const Options *options, Shot *shot, Error *error) {
    Status status = check_view(options->operands[0], error);
    if (status == STATUS_OK) status = read_size(options_text(options, OPTION_SIZE), shot, error);
    if (status == STATUS_OK) status = read_format(options, shot, error);
    return status == STATUS_OK ? dial_options_check(options, error) : status;
}

/* ---- while figures are measured ---- */

static bool wait_for(void *user, const SessionJob *job) {
    Shot *shot = user;
    Batch *batch = shot->batch;
    const JobProgress progress = {
        .stage = job->label, .done = job->done, .total = job->total, .seconds = job->seconds};
    /* on a terminal a bar shows it; elsewhere a line says it, of work that takes a while */
    progress_observe(&batch->progress, progress);
    bool is_new = strcmp(shot->waited_for, job->label) != 0;
    if (!batch->progress.enabled && is_new && job->seconds >= 1.0) {
        batch_say(batch, "waiting for %s", job->label);
        (void)snprintf(shot->waited_for, sizeof shot->waited_for, "%s", job->label);
    }
    return !job_is_cancelled(batch->job);
}

static void say(void *user, SessionTone tone, const char *message) {
    const Shot *shot = user;
    if (tone == SESSION_ERROR)
        batch_say_error(shot->batch, message);
    else
        batch_say(shot->batch, "%s", message);
}

/* ---- the picture ---- */

/* --press and --run in the order in which they were given; the caller frees *steps. */
static Status list_steps(const Options *options, AppStep **steps, size_t *count, Error *error) {
    *count = 0;
    *steps = memory_allocate(options->given_count + 1, sizeof **steps);
    if (*steps == NULL) return memory_fail(error, "the steps");
    for (size_t i = 0; i < options->given_count; i++) {
        const OptionGiven *given = &options->given[i];
        if (given->id == OPTION_PRESS || given->id == OPTION_RUN)
            (*steps)[(*count)++] = (AppStep){given->id == OPTION_RUN, given->text};
    }
    return STATUS_OK;
}

typedef struct Drawing {
    const Canvas *canvas;
    PictureFormat format;
    char title[320];
} Drawing;

static Status draw(const void *user, FILE *file, Error *error) {
    const Drawing *drawing = user;
    return picture_write(drawing->canvas, drawing->format, drawing->title, file, error);
}

static Status write_drawing(const Shot *shot, const Session *session, const Canvas *canvas, Error *error) {
    const Options *options = shot->batch->options;
    char open[256];
    Drawing drawing = {.canvas = canvas, .format = shot->format};
    session_title(session, open, sizeof open);
    (void)snprintf(drawing.title, sizeof drawing.title, "rejuv %s: %s",
                   VIEWS.views[view_find(&VIEWS, options->operands[0])]->title, open);
    progress_clear(&shot->batch->progress);
    return picture_file_write(options_text(options, OPTION_OUT_PICTURE), draw, &drawing, error);
}

static Status shoot(Shot *shot, Session **session, const SessionOptions *opened, Canvas *canvas,
                    Error *error) {
    const Options *options = shot->batch->options;
    AppOptions app = {.views = VIEWS,
                      .keys = options_text(options, OPTION_KEYS),
                      .view = options->operands[0],
                      .opened = opened};
    AppStep *steps;
    AppShot request = {.wait = wait_for, .say = say, .user = shot};
    Status status = list_steps(options, &steps, &request.step_count, error);
    request.steps = steps;
    if (status == STATUS_OK) status = app_shoot(session, &app, &request, canvas, error);
    free(steps);
    return status == STATUS_OK ? write_drawing(shot, *session, canvas, error) : status;
}

static Theme choose_theme(const Options *options, PictureFormat format) {
    Theme theme = {.depth = picture_depth(format), .ascii = options_has(options, OPTION_ASCII)};
    size_t at = 0;
    const char *name = options_next(options, OPTION_THEME, &at); /* a choice's text is its name */
    bool mono = false;
    (void)theme_read_name(name != NULL ? name : "dark", getenv("COLORFGBG"), &theme.kind, &mono);
    if (mono || options_has(options, OPTION_MONO)) theme.depth = THEME_MONO;
    return theme;
}

/* The session with its dials turned. */
static Status open_session(const Options *options, SessionOptions *opened, LiveLadder **ladder,
                           Session **session, Error *error) {
    SettingsCurve *curve = NULL; /* the session copies it */
    Dials dials;
    SessionOptions open = opening_options_read(options);
    Status ready = blas_buffers_prepare(1, NULL); /* before there are threads */
    (void)ready;                                  /* where it is not, whoever multiplies says why */
    Status status = rung_options_take(options->operands + 1, options->operand_count - 1,
                                      rung_options_chosen(options), &open, ladder, error);
    *opened = open;
    if (status == STATUS_OK) status = session_create(&open, session, error);
    if (status == STATUS_OK)
        status = dial_options_read(options, session_pair(*session), &dials, &curve, error);
    if (status == STATUS_OK) session_set_dial_state(*session, &dials);
    settings_curve_free(curve);
    return status;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    Shot shot = {.batch = batch};
    SessionOptions opened;
    LiveLadder *ladder = NULL;
    Session *session = NULL;
    Canvas *canvas = NULL;
    Status status = check(options, &shot, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error); /* what Ctrl-C cancels */
    if (status == STATUS_OK) status = open_session(options, &opened, &ladder, &session, error);
    if (status == STATUS_OK)
        status = canvas_create(shot.rows, shot.columns, choose_theme(options, shot.format), &canvas, error);
    if (status == STATUS_OK) status = shoot(&shot, &session, &opened, canvas, error);
    canvas_free(canvas);
    session_free(session);
    live_ladder_free(ladder);
    return status;
}

const Command command_shot = {
    .details =
        "VIEW is a name or number: overview, layers, tensor, neurons, prompt, tune, landscape, rollouts, export. Everything that the "
        "view shows is measured first, also what the program itself would wait to be asked for; what is waited "
        "for is told on standard error.\n"
        "\n"
        "  rejuv shot layers BASE SFT --out layers.svg\n"
        "  rejuv shot tensor BASE SFT --run \"tensor layers.3.mlp.down\" \\\n"
        "      --press \"+ +\" --out tensor.svg\n"
        "  rejuv shot tune BASE SFT --calibration rows.jsonl --alpha 0.45 \\\n"
        "      --rho 1% --format ansi | less -R\n"
        "\n"
        "An SVG becomes a PNG with rsvg-convert or a browser.",
    .run = run,
};
