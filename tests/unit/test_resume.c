/* Where one was: written down, read again, and what no longer fits left out. */
#include "resume_fixture.h"
#include "tui/app/resume_export.h"
#include "tui/session/live_ladder.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_export.h"
#include "tui/session/session_turns.h"

#include <sys/stat.h>
#include <unistd.h>

/* Their curve is the caller's to free. */
static Dials some_dials(const Session *session, SettingsCurve **curve) {
    Dials dials = session_dial_state(session);
    dials.settings.alpha = 0.625;
    dials.settings.rho = 0.0125;
    dials.settings.omega = 0.75;
    dials.settings.kinds[SETTINGS_NORM] = (SettingsOwn){true, 1.0};
    assert_int_equal(settings_curve_create_ramp((size_t)session_model(session)->config->layers, 0.2,
                                                1.0 / 3.0, curve, NULL),
                     STATUS_OK);
    dials.settings.curve = *curve;
    dials.selector = SELECTOR_GRADIENT;
    return dials;
}

static void an_end_of_rows_is_kept(void **state) {
    (void)state;
    const SessionOptions options = {
        .base = TESTS_DIR "/demo/base", .sft = TESTS_DIR "/demo/sft", .end_token = "none", .threads = 2};
    Session *session;
    Resume resume;
    Error error;
    events_open();
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    void **states = no_states();
    char *path = scratch_path("ended/resume.json");
    write_session(session, path, states);
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(resume.session.end_token, "none");
    resume_free(&resume);
    session_free(session);
    free(path);
    free(states);
}

static void a_session_is_taken_up_where_it_was_left(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_null(session_end_token(session));
    SettingsCurve *curve;
    Dials dials = some_dials(session, &curve);
    session_set_dial_state(session, &dials);
    assert_true(session_keep_bookmark(session, "with all dials"));
    session_set_alpha(session, 0.1);
    Error error = {0};
    assert_int_equal(session_set_prompt(session, "Tom has\n12", 10, &error), STATUS_OK);
    session_show_tensor(session, 5);
    void **states = no_states();
    char *path = scratch_path("state/resume.json"); /* its directory is made */
    write_session(session, path, states);
    Dials left = session_dial_state(session);
    assert_ptr_not_equal(left.settings.curve, curve);
    assert_true(settings_curve_equal(left.settings.curve, curve));
    left.settings.curve = curve; /* the session's goes with it */
    session_free(session);

    Resume resume;
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(resume.session.tokenizer_rule, TOKENIZER_BY_CLASS);
    assert_string_equal(resume.view, VIEWS.views[2]->name);
    assert_true(resume.session.base[0] == '/' && resume.session.calibration[0] == '/');
    resume.session.threads = 2;
    if (session_create(&resume.session, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    resume_apply(&resume, session);
    Dials now = session_dial_state(session);
    assert_true(dials_equal(&now, &left));
    assert_int_equal(session_bookmark_count(session), 1);
    assert_string_equal(session_bookmark(session, 0)->name, "with all dials");
    assert_true(dials_equal(&session_bookmark(session, 0)->dials, &dials));
    assert_int_equal(session_tensor(session), 5);
    wait_for(session, "tokenizer", tokenizer_is_there);
    size_t bytes;
    assert_memory_equal(session_prompt_text(session, &bytes), "Tom has\n12", 10);
    assert_int_equal(bytes, 10);
    resume_free(&resume);
    session_free(session);
    settings_curve_free(curve);
    free(states);
    free(path);
}

static void a_conversation_is_kept_with_its_template(void **state) {
    (void)state;
    Session *session = open_demo();
    Resume resume;
    Error error = {0};
    wait_for(session, "tokenizer", tokenizer_is_there);
    void **states = no_states();
    char *path = scratch_path("chat/resume.json");
    assert_int_equal(session_type_turn(session, "user", "Tom has\n12", 10, &error), STATUS_OK);
    assert_int_equal(session_type_turn(session, "assistant", "No.", 3, &error), STATUS_OK);
    assert_int_equal(session_use_template(session, "default", &error), STATUS_OK); /* chosen by its name */
    char *text = memory_format("%s", session_prompt_text(session, NULL));
    write_session(session, path, states);
    session_free(session);
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_null(resume.session.prompt);
    assert_string_equal(resume.session.prompt_template, "default");
    resume.session.threads = 2;
    if (session_create(&resume.session, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_true(session_chat_is_on(session));
    assert_int_equal(chat_turns_count(session_chat_turns(session)), 2);
    assert_string_equal(session_prompt_text(session, NULL), text);
    session_free(session);
    resume.session.prompt_template = "gone"; /* said, and the first row in its place */
    if (session_create(&resume.session, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_false(session_chat_is_on(session));
    assert_int_equal(session_current_example(session), 0);
    session_free(session);
    resume_free(&resume);
    free(text);
    free(states);
    free(path);
}

/* As somebody named it: for another rung and from another directory too. */
static void where_and_how_it_was_to_be_exported_is_kept(void **state) {
    (void)state;
    Session *session = open_demo();
    SessionExportForm form = *session_export_form(session);
    assert_true(form.is_suggested);
    assert_false(session_export_form_name(&form, ""));
    assert_true(session_export_form_name(&form, form.directory) && form.is_suggested);
    assert_true(session_export_form_name(&form, "/somewhere/else") && !form.is_suggested);
    form.donor = DONOR_BASE;
    form.dtype = DTYPE_F16;
    form.shard_bytes = 12345678;
    assert_true(session_set_export_form(session, &form));
    void **states = no_states();
    char *path = scratch_path("export.json");
    write_session(session, path, states);
    session_free(session);
    Resume resume;
    session = take_up(path, NULL, &resume);
    const SessionExportForm *kept = session_export_form(session);
    assert_string_equal(kept->directory, "/somewhere/else");
    assert_true(!kept->is_suggested && kept->donor == DONOR_BASE && kept->dtype == DTYPE_F16 &&
                kept->shard_bytes == 12345678);
    session_free(session);
    resume_free(&resume);
    free(states);
    free(path);
}

/* What an interrupted export left is where that name was made; another rung has a name of its own. */
static void a_suggested_target_is_kept_for_the_rung_it_was_made_of(void **state) {
    (void)state;
    static const struct {
        const char *export; /* a member of the file */
        bool is_taken;
    } CASES[] = {{"{\"directory\":\"/there\",\"rung\":0}", true},
                 {"{\"directory\":\"/there\",\"rung\":2}", false},
                 {"{\"directory\":\"/there\",\"rung\":\"odd\"}", false},
                 {"{\"directory\":\"/there\",\"dtype\":\"I64\",\"donor\":7,\"shard_bytes\":0}", true},
                 {"{\"directory\":7}", false},
                 {"[5]", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Session *session = open_demo();
        const SessionExportForm before = *session_export_form(session);
        cJSON *export = cJSON_Parse(CASES[i].export);
        resume_export_apply(export, session);
        const SessionExportForm *form = session_export_form(session);
        assert_string_equal(form->directory, CASES[i].is_taken ? "/there" : before.directory);
        assert_true(form->dtype == before.dtype && form->donor == before.donor &&
                    form->shard_bytes == before.shard_bytes);
        cJSON_Delete(export);
        session_free(session);
    }
}

static void paths_are_kept_for_every_directory(void **state) {
    (void)state;
    char *path = scratch_path("relative.json"), *here = getcwd(NULL, 0);
    Resume resume;
    Error error = {0};
    assert_true(here != NULL && chdir(TESTS_DIR) == 0);
    const SessionOptions by_file = {.base = "demo/base",
                                    .sft = "demo/sft",
                                    .calibration = "demo/calibration.jsonl",
                                    .tokenizer_rule = TOKENIZER_BY_FILE,
                                    .threads = 2};
    Session *session;
    events_open();
    if (session_create(&by_file, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    void **states = no_states();
    write_session(session, path, states);
    session_free(session);
    assert_int_equal(chdir(here), 0);
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(resume.session.tokenizer_rule, TOKENIZER_BY_FILE);
    const char *const found[] = {resume.session.base, resume.session.sft, resume.session.calibration};
    for (size_t i = 0; i < 3; i++) assert_true(found[i][0] == '/' && access(found[i], F_OK) == 0);
    resume_free(&resume);
    free(states);
    free(here);
    free(path);
}

/* Which rung was tuned, and all others. */
static void the_rungs_of_a_ladder_are_taken_up_again(void **state) {
    (void)state;
    const char *const rungs[] = {TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft"};
    LiveLadder *ladder;
    Session *session;
    Resume resume;
    Error error = {0};
    events_open();
    assert_int_equal(live_ladder_create(TESTS_DIR "/demo/base", rungs, 2, TOKENIZER_BY_CLASS, &ladder, NULL),
                     STATUS_OK);
    const SessionOptions options = {
        .base = TESTS_DIR "/demo/base", .sft = rungs[0], .ladder = ladder, .rung = 1, .threads = 2};
    assert_int_equal(session_create(&options, &session, NULL), STATUS_OK);
    void **states = no_states();
    char *path = scratch_path("ladder/resume.json");
    write_session(session, path, states);
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(resume.rung_count, 2);
    assert_int_equal(resume.session.rung, 1);
    for (size_t i = 0; i < 2; i++) assert_string_equal(strrchr(resume.rungs[i], '/'), strrchr(rungs[i], '/'));
    assert_string_equal(resume.session.sft, resume.rungs[0]);
    resume_free(&resume);
    session_free(session);
    live_ladder_free(ladder);
    free(states);
    free(path);
}

static void expect_refusal(const char *text, Status expected) {
    Resume resume;
    Error error = {0};
    char *path = scratch_path("odd.json");
    scratch_write("odd.json", text, strlen(text));
    assert_int_equal(resume_read(path, &VIEWS, &resume, &error), expected);
    assert_non_null(strstr(error.message, "odd.json"));
    free(path);
}

static void what_is_no_session_is_refused(void **state) {
    (void)state;
    expect_refusal("", STATUS_FORMAT);
    expect_refusal("{}", STATUS_FORMAT);
    expect_refusal("{\"format\":\"rejuv-resume\",\"format_version\":2,\"base\":\"a\",\"sft\":\"b\"}",
                   STATUS_FORMAT);
    expect_refusal("{\"format\":\"rejuv-resume\",\"format_version\":1,\"base\":\"a\"}", STATUS_FORMAT);
    static const char *const LADDERS[] = {"[{\"path\":\"s\"}],\"rung\":2", "[{\"path\":\"s\"}],\"rung\":0",
                                          "[{\"path\":\"s\"},{}],\"rung\":1",
                                          "[{\"path\":\"s\"},7],\"rung\":1"};
    for (size_t i = 0; i < sizeof LADDERS / sizeof *LADDERS; i++) {
        char *text = memory_format(
            "{\"format\":\"rejuv-resume\",\"format_version\":1,\"base\":\"a\","
            "\"sft\":\"s\",\"rungs\":%s}",
            LADDERS[i]);
        assert_non_null(text);
        expect_refusal(text, STATUS_FORMAT);
        free(text);
    }
    Resume resume;
    Error error = {0};
    assert_int_equal(resume_read("/nowhere/resume.json", &VIEWS, &resume, &error), STATUS_IO);
}

/* Every part of the file that may not fit the pair any more. */
static void what_no_longer_fits_is_left_out_and_said(void **state) {
    (void)state;
    static const char TEXT[] =
        "{\"format\":\"rejuv-resume\",\"format_version\":1,\"base\":\"x\",\"sft\":\"y\",\"view\":\"nowhere\","
        "\"dials\":[\"--alpha\",\"0.4\",\"--alpha-layers\",\"0.1,0.2\"],\"tensor\":\"gone\","
        "\"bookmarks\":[{\"name\":\"short\",\"dials\":[\"--alpha\"]},{\"name\":\"odd\",\"dials\":[7]},5,"
        "{\"name\":\"good\",\"dials\":[\"--alpha\",\"0.4\"]},{\"name\":\"command\",\"dials\":[\"drift\",\"a\"]}]}";
    Resume resume;
    Error error = {0};
    char *path = scratch_path("odd.json");
    scratch_write("odd.json", TEXT, strlen(TEXT));
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_null(resume.view);
    Session *session = open_demo();
    resume_apply(&resume, session);
    assert_true(session_settings(session)->alpha == 0.5); /* all of the dials or none */
    size_t index;
    assert_true(session_find_bookmark(session, "good", &index));
    assert_false(session_find_bookmark(session, "short", &index));
    assert_false(session_find_bookmark(session, "odd", &index));
    assert_int_equal(session_bookmark_count(session), 1);
    SessionTone tone;
    char text[512];
    assert_true(session_take_message(session, &tone, text, sizeof text));
    assert_non_null(strstr(text, "the dials are not as they were"));
    resume_free(&resume);
    session_free(session);
    free(path);
}

/* A file may be damaged or of another model: any number is a place that a view survives. */
static void any_place_is_survived_at_any_size(void **state) {
    (void)state;
    static const int SIZES[][2] = {{24, 80}, {50, 200}, {5, 24}, {1, 1}};
    static const size_t PLACES[] = {0, 7, 100000, SIZE_MAX};
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    wait_for(session, "preview", preview_is_fresh);
    for (size_t v = 0; v < VIEWS.count; v++) {
        const View *view = VIEWS.views[v];
        void *made = NULL;
        Error error = {0};
        if (view == NULL || view->places == NULL) continue;
        if (view->open != NULL) assert_int_equal(view->open(session, &made, &error), STATUS_OK);
        for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES * 4; i++) {
            ViewPlace places[VIEW_PLACES];
            Canvas *canvas;
            size_t count = view->places(made, places);
            assert_in_range(count, 1, VIEW_PLACES);
            for (size_t p = 0; p < count; p++) *places[p].value = PLACES[i / 4];
            assert_int_equal(canvas_create(SIZES[i % 4][0], SIZES[i % 4][1], (Theme){.depth = THEME_MONO},
                                           &canvas, &error),
                             STATUS_OK);
            view->draw(made, session, canvas, canvas_area(canvas));
            char value[256];
            ActionArgument argument = {.count = 1, .text = ""};
            if (view->value != NULL) (void)view->value(made, session, value, sizeof value);
            (void)view->act(made, session, ACTION_MOVE_DOWN, &argument);
            (void)view->act(made, session, ACTION_MOVE_RIGHT, &argument);
            canvas_free(canvas);
        }
        if (view->close != NULL) view->close(made);
    }
    session_free(session);
}

/* Latin-1 for "é". */
static void a_pair_whose_path_is_no_utf_8_is_found_again(void **state) {
    (void)state;
    char *path = scratch_path("latin.json"), *link = scratch_path("demo\xe9"), *text;
    char *base = scratch_path("demo\xe9/base"), *sft = scratch_path("demo\xe9/sft");
    size_t bytes;
    static const char *const FILES[] = {"config.json", "model.safetensors", "tokenizer.json"};
    assert_int_equal(mkdir(link, 0700), 0);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(mkdir(side == 0 ? base : sft, 0700), 0);
        for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
            char *from = memory_format("%s/demo/%s/%s", TESTS_DIR, side == 0 ? "base" : "sft", FILES[i]);
            char *to = memory_format("%s/%s", side == 0 ? base : sft, FILES[i]);
            assert_int_equal(symlink(from, to), 0);
            free(from);
            free(to);
        }
    }
    Session *session = open_pair(base, sft, NULL);
    void **states = no_states();
    write_session(session, path, states);
    session_free(session);
    assert_int_equal(json_read_text(path, 1 << 20, &text, &bytes, NULL), STATUS_OK);
    assert_null(strchr(text, (char)0xe9)); /* the file is UTF-8 */
    Resume resume;
    Error error = {0};
    if (resume_read(path, &VIEWS, &resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    char *wanted = realpath(base, NULL);
    assert_string_equal(resume.session.base, wanted);
    resume_free(&resume);
    free(wanted);
    free(text);
    free(states);
    free(base);
    free(sft);
    free(link);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_of_rows_is_kept),
        cmocka_unit_test(a_session_is_taken_up_where_it_was_left),
        cmocka_unit_test(a_conversation_is_kept_with_its_template),
        cmocka_unit_test(where_and_how_it_was_to_be_exported_is_kept),
        cmocka_unit_test(a_suggested_target_is_kept_for_the_rung_it_was_made_of),
        cmocka_unit_test(paths_are_kept_for_every_directory),
        cmocka_unit_test(the_rungs_of_a_ladder_are_taken_up_again),
        cmocka_unit_test(what_is_no_session_is_refused),
        cmocka_unit_test(what_no_longer_fits_is_left_out_and_said),
        cmocka_unit_test(any_place_is_survived_at_any_size),
        cmocka_unit_test(a_pair_whose_path_is_no_utf_8_is_found_again),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
