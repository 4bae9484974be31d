/*
 * The views on pairs that are as odd as pairs can be: every action in every view, at any size, in any theme.
 */
#include "tests/unit/events.h"
#include "tests/unit/pair_files.h"
#include "tui/app/app.h"
#include "tui/app/dial_actions.h"
#include "tui/app/view.h"
#include "tui/session/session.h"
#include "tui/session/session_files.h"
#include "tui/session/session_ladder.h"
#include "views/views.h"

#ifndef NIGHTLY
#define NIGHTLY 0
#endif

enum { STEPS = NIGHTLY ? 400 : 150, LARGEST_ROWS = 60, LARGEST_COLUMNS = 220 };

/* The same numbers on every machine. */
static uint64_t seed;

static size_t choose(size_t count) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(seed >> 33) % count;
}

/* Until nothing runs any more. */
static void settle(Session *session) {
    SessionJob job;
    while ((void)session_refresh(session), session_jobs(session, &job, 1) > 0) events_wait();
}

static Canvas *make_canvas(void) {
    static const Theme THEMES[] = {{.depth = THEME_256},
                                   {.depth = THEME_256, .ascii = true},
                                   {.depth = THEME_16},
                                   {.depth = THEME_8, .ascii = true},
                                   {.depth = THEME_MONO, .ascii = true},
                                   {.depth = THEME_MONO},
                                   {.depth = THEME_DIRECT, .kind = THEME_HIGH_CONTRAST}};
    Canvas *canvas;
    Error error = {0};
    int rows = (int)choose(LARGEST_ROWS), columns = (int)choose(LARGEST_COLUMNS);
    assert_int_equal(
        canvas_create(rows, columns, THEMES[choose(sizeof THEMES / sizeof *THEMES)], &canvas, &error),
        STATUS_OK);
    return canvas;
}

/* Anything but what writes files or waits for minutes. */
static Action choose_action(const View *view) {
    static const Action AVOIDED[] = {ACTION_EXPORT, ACTION_EXPORT_DISCARD, ACTION_SWEEP, ACTION_SWEEP_RANGE,
                                     ACTION_CONTINUE};
    for (;;) {
        Action action = (Action)(1 + choose(ACTION_COUNT - 1));
        /* nor what writes files by a name */
        bool avoided =
            !action_is_for(action, view->name) || action_info(action)->argument == ACTION_ARGUMENT_FILE;
        for (size_t i = 0; i < sizeof AVOIDED / sizeof *AVOIDED; i++)
            avoided = avoided || action == AVOIDED[i];
        if (!avoided) return action;
    }
}

static void act(const View *view, void *state, Session *session) {
    static const char *const TEXTS[] = {"", "layers", "3,1", "99999999999999999999", "weight", "evil", "0 0"};
    static const int COUNTS[] = {1, 1, 2, 7, 100000};
    ActionArgument argument = {.count = COUNTS[choose(5)],
                               .has_count = choose(2) == 0,
                               .number = (double)choose(20) - 5,
                               .text = TEXTS[choose(7)]};
    Action action = choose_action(view);
    Reaction reaction = view->act(state, session, action, &argument);
    if ((reaction & REACTION_IGNORED) != 0) (void)dial_actions_act(session, action, &argument);
    (void)view_take_request();
    (void)view_take_rung();
    if (view->find != NULL && choose(8) == 0)
        (void)view->find(state, session, TEXTS[choose(7)], choose(2) == 0 ? 1 : -1, choose(2) == 0);
    Table *table = NULL;
    Error error;
    if (view->numbers != NULL && choose(16) == 0 &&
        view->numbers(state, session, &table, &error) == STATUS_OK)
        table_free(table);
}

static void walk(Session *session, const View *view) {
    void *state = NULL;
    Error error = {0};
    assert_int_equal(view->open(session, &state, &error), STATUS_OK);
    for (int step = 0; step < STEPS; step++) {
        Canvas *canvas = make_canvas();
        const ActionArgument none = {.count = 1, .text = ""};
        if (session_ladder(session) != NULL && step % 8 == 0) /* the page of its rungs, and back */
            (void)view->act(state, session, ACTION_LADDER, &none);
        if (view->show != NULL) view->show(state, session);
        view->draw(state, session, canvas, canvas_area(canvas));
        act(view, state, session);
        if (choose(3) == 0) settle(session);
        (void)session_refresh(session);
        view->draw(state, session, canvas, canvas_area(canvas));
        canvas_free(canvas);
    }
    view->close(state);
}

static void walk_all(const char *base, const char *sft) {
    SessionOptions options = {.base = base, .sft = sft, .alpha = 0.5, .threads = 2};
    Session *session;
    Error error = {0};
    seed = 20260606;
    events_open();
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < 2 * VIEWS.count; i++) { /* first while the drift is still scanned */
        if (VIEWS.views[i % VIEWS.count] != NULL) walk(session, VIEWS.views[i % VIEWS.count]);
        if (i + 1 == VIEWS.count) settle(session);
    }
    session_free(session);
}

static void the_demo_pair_survives_any_sequence_of_actions_at_any_size(void **state) {
    (void)state;
    walk_all(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft");
}

static void a_model_beside_itself_does(void **state) {
    (void)state;
    walk_all(TESTS_DIR "/demo/base", TESTS_DIR "/demo/base");
}

static void tensors_of_no_known_role_do(void **state) {
    static float zeros[4096], ones[4096];
    static const float ODD[6] = {0.5F, (float)(0.0 / 0.0), 1.0F, -2.0F, (float)(1.0 / 0.0), 0.0F};
    static const int64_t INTEGERS[3] = {1, 2, 3};
    (void)state;
    for (size_t i = 0; i < 4096; i++) ones[i] = 1.0F;
    const FileTensor base[] = {{"h.0.attn.weight", DTYPE_F32, 16, 48, zeros},
                               {"odd", DTYPE_F32, 2, 3, ones},
                               {"grown", DTYPE_F32, 3, 4, zeros},
                               {"vector", DTYPE_F32, 4096, 0, zeros},
                               {"ids", DTYPE_I64, 3, 0, INTEGERS},
                               {"empty", DTYPE_F32, 0, 4, zeros},
                               {"evil\u202ename", DTYPE_F32, 1, 1, zeros}};
    const FileTensor sft[] = {{"h.0.attn.weight", DTYPE_F32, 16, 48, ones},
                              {"odd", DTYPE_F32, 2, 3, ODD},
                              {"grown", DTYPE_F32, 5, 4, ones},
                              {"vector", DTYPE_F32, 4096, 0, ones},
                              {"ids", DTYPE_I64, 3, 0, INTEGERS},
                              {"empty", DTYPE_F32, 0, 4, zeros},
                              {"evil\u202ename", DTYPE_F32, 1, 1, ones},
                              {"model.layers.4000000.self_attn.q_proj.weight", DTYPE_F32, 4, 4, ones}};
    PairFiles files;
    char base_path[160], sft_path[160];
    pair_files_make(&files, base, sizeof base / sizeof *base, sft, sizeof sft / sizeof *sft);
    pair_files_path(&files, "base", false, base_path, sizeof base_path);
    pair_files_path(&files, "sft", false, sft_path, sizeof sft_path);
    walk_all(base_path, sft_path);
    pair_files_remove(&files);
}

static void layers_that_lack_modules_do(void **state) {
    static float zeros[64], ones[64];
    (void)state;
    for (size_t i = 0; i < 64; i++) ones[i] = 1.0F;
    const FileTensor base[] = {{"model.layers.0.self_attn.q_proj.weight", DTYPE_F32, 4, 4, zeros},
                               {"model.layers.2.mlp.up_proj.weight", DTYPE_F32, 8, 4, zeros}};
    const FileTensor sft[] = {{"model.layers.0.self_attn.q_proj.weight", DTYPE_F32, 4, 4, ones},
                              {"model.layers.2.mlp.up_proj.weight", DTYPE_F32, 8, 4, zeros}};
    PairFiles files;
    char base_path[160], sft_path[160];
    pair_files_make(&files, base, 2, sft, 2);
    pair_files_path(&files, "base", false, base_path, sizeof base_path);
    pair_files_path(&files, "sft", false, sft_path, sizeof sft_path);
    walk_all(base_path, sft_path);
    pair_files_remove(&files);
}

/* Some with nothing between them, and more than a screen has columns for. */
static void the_rungs_of_a_ladder_do(void **state) {
    (void)state;
    enum { RUNGS = 40 };
    const char *rungs[RUNGS];
    LiveLadder *ladder;
    Session *session;
    Error error = {0};
    for (size_t i = 0; i < RUNGS; i++) rungs[i] = i % 3 == 0 ? TESTS_DIR "/demo/sft" : TESTS_DIR "/demo/base";
    seed = 20260607;
    events_open();
    for (size_t count = 2; count <= RUNGS; count += RUNGS - 2) {
        if (live_ladder_create(TESTS_DIR "/demo/base", rungs, count, TOKENIZER_BY_CLASS, &ladder, &error) !=
            STATUS_OK)
            fail_msg("%s", error.message);
        const SessionOptions options = {.base = TESTS_DIR "/demo/base",
                                        .sft = rungs[count - 1],
                                        .ladder = ladder,
                                        .rung = count,
                                        .alpha = 0.5,
                                        .threads = 2};
        if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
        walk(session, VIEWS.views[view_find(&VIEWS, "layers")]);
        session_free(session);
        live_ladder_free(ladder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_pair_survives_any_sequence_of_actions_at_any_size),
        cmocka_unit_test(a_model_beside_itself_does),
        cmocka_unit_test(tensors_of_no_known_role_do),
        cmocka_unit_test(layers_that_lack_modules_do),
        cmocka_unit_test(the_rungs_of_a_ladder_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
