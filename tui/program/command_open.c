#include "core/files/user_directory.h"
#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"
#include "tui/app/app.h"
#include "tui/app/config.h"
#include "tui/app/resume.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/program/opening_options.h"
#include "tui/program/rung_options.h"
#include "tui/session/session.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_files.h"
#include "tui/session/task.h"
#include "tui/terminal/terminal.h"
#include "tui/terminal/terminal_description.h"
#include "views/views.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the demo pair may be: what the user says, an installed one beside the program, the source tree's. */
static char *place_of_demo(int place) {
    char program[PATH_MAX];
    const char *variable = getenv("REJUV_DEMO");
    switch (place) {
    case 0:
        return memory_copy_text(variable != NULL ? variable : "", variable != NULL ? strlen(variable) : 0);
    case 1: {
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        if (length <= 0) return memory_copy_text("", 0);
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash != NULL) *slash = '\0';
        return memory_format("%s/../share/rejuv/demo", program);
    }
    default:
        return memory_copy_text(REJUV_DEMO_DIRECTORY, strlen(REJUV_DEMO_DIRECTORY));
    }
}

/* DIRECTORY/NAME if it exists; *path is the caller's to free. */
static Status find_inside(const char *directory, const char *name, char **path, Error *error) {
    struct stat facts;
    *path = memory_format("%s/%s", directory, name);
    if (*path == NULL) return memory_fail(error, "the demo pair");
    if (stat(*path, &facts) == 0) return STATUS_OK;
    free(*path);
    *path = NULL;
    return STATUS_OK;
}

typedef struct Demo {
    char *base, *sft, *calibration;
} Demo;

static void free_demo(Demo *demo) {
    free(demo->base);
    free(demo->sft);
    free(demo->calibration);
}

static Status find_demo(Demo *demo, Error *error) {
    enum { PLACES = 3 };
    Status status = STATUS_OK;
    for (int place = 0; place < PLACES && status == STATUS_OK; place++) {
        char *directory = place_of_demo(place);
        if (directory == NULL) return memory_fail(error, "the demo pair");
        if (directory[0] != '\0') {
            status = find_inside(directory, "base", &demo->base, error);
            if (status == STATUS_OK) status = find_inside(directory, "sft", &demo->sft, error);
            if (status == STATUS_OK)
                status = find_inside(directory, "calibration.jsonl", &demo->calibration, error);
        }
        bool is_set = place == 0 && directory[0] != '\0';
        free(directory);
        if (demo->base != NULL && demo->sft != NULL) return status;
        free_demo(demo);
        *demo = (Demo){0};
        if (is_set && status == STATUS_OK)
            return status_fail(error, STATUS_IO, "REJUV_DEMO=%s: expected directories base and sft there",
                               getenv("REJUV_DEMO"));
    }
    if (status != STATUS_OK) return status;
    return status_fail(error, STATUS_IO,
                       "the demo pair was not found: set REJUV_DEMO to its directory, or name BASE and SFT");
}

/* The command line comes before the user's settings. */
static void choose_settings(const Options *options, const Config *config, AppOptions *app) {
    size_t at = 0;
    const char *theme = options_next(options, OPTION_THEME, &at); /* a choice's text is its name */
    bool mono;
    if (theme == NULL) theme = config->theme[0] != '\0' ? config->theme : "auto";
    if (theme_read_name(theme, getenv("COLORFGBG"), &app->theme, &mono) && mono) app->monochrome = true;
    app->asks_background = strcmp(theme, "auto") == 0 && app->theme == THEME_ANY;
    app->keys = options_text(options, OPTION_KEYS);
    if (app->keys == NULL && config->keys[0] != '\0') app->keys = config->keys;
}

/* The dials of the command line, over those of the last time where there was one. */
static Status turn_dials(const Options *options, const Resume *resume, Session *session, Error *error) {
    SettingsCurve *curve; /* the session copies it */
    Dials dials;
    if (resume != NULL) {
        resume_apply(resume, session);
        return resume_turn(resume, options, session, error);
    }
    Status status = dial_options_read(options, session_pair(session), &dials, &curve, error);
    if (status == STATUS_OK) session_set_dial_state(session, &dials);
    settings_curve_free(curve);
    return status;
}

/* `resume` is NULL for a session that begins anew. */
static Status open_terminal(Batch *batch, const SessionOptions *session_options, const Resume *resume,
                            Error *error) {
    const Options *options = batch->options;
    Config config;
    AppOptions app = {.views = VIEWS,
                      .ascii = options_has(options, OPTION_ASCII),
                      .monochrome = options_has(options, OPTION_MONO),
                      .mouse = options_has(options, OPTION_MOUSE),
                      .config = &config,
                      .view = options_text(options, OPTION_VIEW),
                      .resume = resume,
                      .tour = options_has(options, OPTION_TOUR),
                      .frames = (unsigned long)options_value(options, OPTION_FRAMES)->count};
    SessionOptions cached = *session_options;
    char *cache =
        options_has(options, OPTION_NO_CACHE) ? NULL : user_directory_path(USER_DIRECTORY_CACHE, NULL);
    cached.cache = cache;
    Session *session;
    app.keeps = app.frames == 0;
    if (app.view == NULL && resume != NULL) app.view = resume->view;
    terminal_description_choose(app.monochrome);
    Status ready = blas_buffers_prepare(1, NULL); /* both before there are threads */
    (void)ready;                                  /* where it is not, whoever multiplies says why */
    task_set_wake(terminal_wake);
    app.opened = &cached;
    Status status = session_create(&cached, &session, error);
    if (status == STATUS_OK) {
        config_read_user(&config);
        choose_settings(options, &config, &app);
        status = turn_dials(options, resume, session, error);
        if (status == STATUS_OK) status = app_run(&session, &app, &batch->exit_status, error);
        config_free(&config);
        session_free(session);
    }
    free(cache);
    return status;
}

/* Which SFT model is tuned: the one of the last time, or the one that --rung says. */
static Status take_rungs(const Options *options, const Resume *resume, SessionOptions *session,
                         LiveLadder **ladder, Error *error) {
    size_t count = resume->rung_count > 0 ? resume->rung_count : 1;
    size_t chosen = rung_options_chosen(options);
    const char **operands;
    *ladder = NULL;
    operands = memory_allocate(count + 1, sizeof *operands);
    if (operands == NULL) return memory_fail(error, "the session");
    operands[0] = session->base;
    for (size_t i = 0; i < count; i++)
        operands[i + 1] = resume->rung_count > 0 ? resume->rungs[i] : session->sft;
    Status status =
        rung_options_take(operands, count + 1, chosen > 0 ? chosen : session->rung, session, ladder, error);
    free(operands);
    return status;
}

static Status open_resumed(Batch *batch, Error *error) {
    const Options *options = batch->options;
    Resume resume;
    char *path = resume_path();
    if (path == NULL)
        return status_fail(error, STATUS_IO, "--resume: there is no home directory where a session is kept");
    Status status = resume_read(path, &VIEWS, &resume, error);
    free(path);
    if (status != STATUS_OK) return status_add_context(error, "--resume");
    SessionOptions session = resume.session;
    opening_options_replace(options, &session);
    LiveLadder *ladder;
    status = take_rungs(options, &resume, &session, &ladder, error);
    if (status == STATUS_OK)
        status = open_terminal(batch, &session, &resume, error);
    else
        (void)status_add_context(error, "--resume");
    live_ladder_free(ladder);
    resume_free(&resume);
    return status;
}

static Status open_demo(Batch *batch, SessionOptions *session, Error *error) {
    Demo demo = {0};
    Status status = find_demo(&demo, error);
    if (status != STATUS_OK) return status;
    session->base = demo.base;
    session->sft = demo.sft;
    if (session->calibration == NULL) session->calibration = demo.calibration;
    status = open_terminal(batch, session, NULL, error);
    free_demo(&demo);
    return status;
}

/* A script that forgot the command is told which there are. */
static Status refuse_pipe(Error *error) {
    char names[160] = "";
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        size_t used = strlen(names);
        if (id != COMMAND_OPEN)
            (void)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                           command_table_facts(id)->name);
    }
    return status_fail(error, STATUS_ARGUMENT,
                       "standard %s is not a terminal; commands for scripts: rejuv %s (see rejuv --help)",
                       isatty(STDIN_FILENO) != 1 ? "input" : "output", names);
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) return refuse_pipe(error);
    SessionOptions session = opening_options_read(options);
    if (options_has(options, OPTION_RESUME)) {
        if (options->operand_count == 0) return open_resumed(batch, error);
        return status_fail(error, STATUS_ARGUMENT, "--resume knows which pair it was: name none");
    }
    if (options->operand_count == 0) return open_demo(batch, &session, error);
    LiveLadder *ladder;
    Status status = rung_options_take(options->operands, options->operand_count, rung_options_chosen(options),
                                      &session, &ladder, error);
    if (status == STATUS_OK) status = open_terminal(batch, &session, NULL, error);
    live_ladder_free(ladder);
    return status;
}

const Command command_open = {
    .details =
        "BASE and SFT are Hugging Face directories of one language model before and after supervised "
        "fine-tuning. Without them the demo pair is opened. Press ? for the keys, q to leave.\n"
        "Several SFT are the rungs of one training in its order, epochs of SFT and perhaps what RL made of the last. One of "
        "them is tuned, the last or that of --rung; ) and ( go to another, with dials and bookmarks as they are, and v in "
        "Layers shows drift, dormancy, loss and entropy along all of them.",
    .run = run,
};
