/*
 * Keys: what one costs the thread that draws, in the program as it is but for the terminal, on a pair with the layers and
 * neurons of Qwen3-8B (its hidden size is 16, so that it is small), while everything is measured, and once more when it is. A key is taken, what is
 * due is refreshed, and the screen drawn; what is put together over several drawings counts a frame each. Processor time
 * of that thread alone is counted: what else the machine does, and the workers, do not matter.
 *
 * Then the dial, once curves over α are there: a step counts until what it does to the figures is drawn.
 */
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/generate.h"
#include "tui/app/app_internal.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_prompt.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FULL_KEYS = 1000,
    KEYS = 360,
    FEW_KEYS = 90, /* on a tiny pair, which is only to run */
    KEYS_A_VISIT = 10,
    VIEWS_VISITED = 9,
    ROWS = 50,
    COLUMNS = 200,
    MOST_FRAMES = 64, /* that belong to a key */
    TINY_LAYERS = 2,
    STEPS = 60
};

static const double MOST_MS = 16.0;

/* Of one view, milliseconds of each frame. */
typedef struct Samples {
    double *values;
    size_t count, capacity;
} Samples;

typedef struct Typist {
    App app;
    Session *session;
    Samples views[VIEWS_VISITED], dial[2];
} Typist;

static double read_thread_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static Status add_sample(Samples *samples, double value, Error *error) {
    Status status = MEMORY_RESERVE(samples->values, &samples->capacity, samples->count + 1, error);
    if (status == STATUS_OK) samples->values[samples->count++] = value;
    return status;
}

/* One turn of the main loop: without a key where `name` is NULL. */
static double take_turn(Typist *typist, const char *name) {
    App *app = &typist->app;
    SessionTone tone;
    Key key;
    char text[FRAME_MESSAGE_SIZE];
    double began = read_thread_ms();
    if (name != NULL && key_parse(name, strlen(name), &key)) {
        (void)app_take_key(app, key);
        (void)app_switch_requested(app);
        (void)app_show_requested(app);
    }
    (void)session_refresh(app->session);
    while (session_take_message(app->session, &tone, text, sizeof text)) continue;
    app_draw(app);
    return read_thread_ms() - began;
}

/* With the frames that it asks for. */
static Status press(Typist *typist, const char *name, Samples *samples, Error *error) {
    Status status = add_sample(samples, take_turn(typist, name), error);
    for (int i = 0; i < MOST_FRAMES && view_take_redraw() && status == STATUS_OK; i++)
        status = add_sample(samples, take_turn(typist, NULL), error);
    return status;
}

/* Whatever asks for more than a key is left again. */
static Status press_in_view(Typist *typist, size_t view, size_t number, Error *error) {
    static const char *const NAMES[] = {
        "j",     "k", "l", "h", "PageDown", "PageUp", "G", "g",    "m", "M", "a", "A", "Alt-a",
        "Alt-A", "r", "R", ">", "<",        "u",      "U", "v",    "o", "x", "]", "[", "Right",
        "d",     "n", "+", "-", "Alt-z",    "Alt-z",  "p", "Left", "z", "f", "s"};
    const char *name = NAMES[number % (sizeof NAMES / sizeof *NAMES)];
    Status status = press(typist, name, &typist->views[view], error);
    if (status == STATUS_OK && typist->app.asking != APP_ASKS_NOTHING)
        status = press(typist, "Esc", &typist->views[view], error);
    return status;
}

static Status press_all(Typist *typist, size_t keys, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < keys && status == STATUS_OK; i++) {
        size_t view = i / KEYS_A_VISIT % VIEWS_VISITED;
        char number[2] = {(char)('1' + view), '\0'};
        if (i % KEYS_A_VISIT == 0)
            status = press(typist, number, &typist->views[view], error);
        else
            status = press_in_view(typist, view, i * 7 + i / 37, error);
    }
    return status;
}

/* What views of weights, neurons and distributions show: without landscapes and rollouts, which take long. */
static const unsigned FIGURES = SESSION_PART_FILES | SESSION_PART_DRIFT | SESSION_PART_HEADLINE |
                                SESSION_PART_SWEEP | SESSION_PART_METHOD | SESSION_PART_PROMPT |
                                SESSION_PART_CURVES;

/* Until they are there; a large model waits to be asked. Looked for now and then: each look draws, and takes from those that
 * measure. */
static void settle(Typist *typist) {
    static const struct timespec MOMENT = {.tv_nsec = 30000000};
    SessionJob job;
    session_measure(typist->session, FIGURES);
    for (int quiet = 0; quiet < 3;) {
        (void)take_turn(typist, NULL);
        (void)view_take_redraw();
        quiet = session_is_measuring(typist->session, FIGURES, &job) ? 0 : quiet + 1;
        (void)nanosleep(&MOMENT, NULL);
    }
}

static void sweep(Typist *typist) {
    settle(typist);
    (void)take_turn(typist, "6");
    (void)take_turn(typist, "s");
    settle(typist);
}

/* A step that was drawn with what curves say: others are not counted, as W may be quicker on a pair this small. */
static Status turn_dial(Typist *typist, Error *error) {
    static const char *const VIEW_KEYS[] = {"6", "5"};
    Status status = STATUS_OK;
    for (size_t view = 0; view < 2 && status == STATUS_OK; view++) {
        (void)take_turn(typist, VIEW_KEYS[view]);
        for (size_t i = 0; i < STEPS && status == STATUS_OK; i++) {
            double took = take_turn(typist, i % 20 < 10 ? "a" : "A");
            const LogitEstimate *estimate = view == 0 ? session_headline_estimate(typist->session)
                                                      : session_preview_estimate(typist->session);
            if (estimate != NULL) status = add_sample(&typist->dial[view], took, error);
        }
    }
    return status;
}

/* ---- what is said of it ---- */

static Status report(Bench *bench, const char *what, Samples *samples, Error *error) {
    if (samples->count == 0) return STATUS_OK;
    ReportRow row = {.value = spread_of(samples->values, samples->count),
                     .unit = "ms",
                     .aim = MOST_MS,
                     .is_bound = true,
                     .is_worst = true};
    (void)snprintf(row.what, sizeof row.what, "%s, worst of %zu", what, samples->count);
    return report_add(&bench->report, &row, error);
}

static Status report_all(Bench *bench, Typist *typist, Error *error) {
    Status status = STATUS_OK;
    for (size_t view = 0; view < VIEWS_VISITED && status == STATUS_OK; view++) {
        char what[48];
        (void)snprintf(what, sizeof what, "a key in %s", VIEWS.views[view]->title);
        status = report(bench, what, &typist->views[view], error);
    }
    if (status == STATUS_OK) status = report(bench, "a step of the dial, Tune", &typist->dial[0], error);
    if (status == STATUS_OK) status = report(bench, "a step of the dial, Prompt", &typist->dial[1], error);
    return status;
}

/* ---- the pair ---- */

/* Rows of ids: the pair has the vocabulary of the demo's tokenizer and more. */
static Status write_rows(const char *path, Error *error) {
    FILE *file = fopen(path, "w");
    if (file == NULL) return status_fail(error, STATUS_IO, "%s: cannot be written", path);
    for (int row = 0; row < 4; row++) {
        (void)fputs("{\"prompt_ids\": [1", file);
        for (int i = 0; i < 12; i++) (void)fprintf(file, ", %d", (row * 31 + i * 17) % 400 + 5);
        (void)fputs("], \"response_ids\": [2", file);
        for (int i = 0; i < 16; i++) (void)fprintf(file, ", %d", (row * 37 + i * 13) % 400 + 5);
        (void)fputs("]}\n", file);
    }
    return fclose(file) == 0 ? STATUS_OK : status_fail(error, STATUS_IO, "%s: cannot be written", path);
}

static Status make_pair(const Bench *bench, const char *shape, const char *directory, const char *rows,
                        Error *error) {
    GenerateOptions options = generate_defaults(shape_find(shape));
    Job *job = NULL;
    options.tokenizer = TESTS_DIR "/demo/sft/tokenizer.json";
    Status status = job_create(bench->threads, NULL, NULL, &job, error);
    if (status == STATUS_OK) status = generate_pair(&options, directory, NULL, job, error);
    job_free(job);
    return status == STATUS_OK ? write_rows(rows, error) : status;
}

static Status run(Bench *bench, Typist *typist, const SessionOptions *options, size_t keys, Error *error) {
    static const AppOptions APP = {.keys = "default"};
    AppOptions app = APP;
    app.views = VIEWS;
    Status status = session_create(options, &typist->session, error);
    if (status != STATUS_OK) return status;
    status = app_open(&typist->app, typist->session, &app, error);
    if (status == STATUS_OK) {
        status = canvas_create(ROWS, COLUMNS, (Theme){.depth = THEME_DIRECT}, &typist->app.canvas, error);
        session_measure(typist->session, FIGURES);
        if (status == STATUS_OK) status = press_all(typist, keys, error);
        if (status == STATUS_OK) sweep(typist);
        if (status == STATUS_OK) status = press_all(typist, keys, error); /* with all figures there */
        if (status == STATUS_OK) sweep(typist); /* at the dials as they stand then */
        if (status == STATUS_OK) status = turn_dial(typist, error);
        app_close(&typist->app);
    }
    session_free(typist->session);
    return status == STATUS_OK ? report_all(bench, typist, error) : status;
}

Status bench_keys(Bench *bench, Error *error) {
    bool is_tiny = bench->model->config->layers <= TINY_LAYERS;
    const char *shape = is_tiny ? "tiny" : "qwen3-8b-thin";
    char *directory = memory_format("%s/keys", bench->temporary);
    char *paths[3] = {NULL};
    static const char *const PARTS[] = {"base", "sft", "rows.jsonl"};
    Typist *typist = memory_allocate(1, sizeof *typist);
    size_t keys = is_tiny ? FEW_KEYS : bench->is_full ? FULL_KEYS : KEYS;
    Status status = directory == NULL || typist == NULL ? memory_fail(error, "keys") : STATUS_OK;
    for (size_t i = 0; i < 3 && status == STATUS_OK; i++) {
        paths[i] = memory_format("%s/%s", directory, PARTS[i]);
        if (paths[i] == NULL) status = memory_fail(error, "paths");
    }
    if (status == STATUS_OK) status = make_pair(bench, shape, directory, paths[2], error);
    const SessionOptions options = {.base = paths[0],
                                    .sft = paths[1],
                                    .calibration = paths[2],
                                    .prompt = "Question: 2 + 2 =",
                                    .alpha = 0.5,
                                    .threads = bench->threads};
    if (status == STATUS_OK) status = run(bench, typist, &options, keys, error);
    for (size_t i = 0; i < VIEWS_VISITED && typist != NULL; i++) free(typist->views[i].values);
    for (size_t i = 0; i < 2 && typist != NULL; i++) free(typist->dial[i].values);
    for (size_t i = 0; i < 3; i++) free(paths[i]);
    free(typist);
    free(directory);
    return status;
}
