/* Keys: the built-in bindings, users' own, and what typing means. */
#include "tests/unit/keymap_fixture.h"
#include "tui/app/view.h"
#include "tui/keys/keymap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static Keymap *make(void) {
    Keymap *keymap;
    Error error = {.message = ""};
    Status status = keymap_fixture_create(&keymap, &error);
    if (status != STATUS_OK) fail_msg("%s", error.message);
    return keymap;
}

static Status read_text(Keymap *keymap, const char *text, Error *error) {
    return keymap_read(keymap, text, strlen(text), "test.keys", error);
}

static Action action_of(const Keymap *keymap, const char *view, Key key) {
    const KeymapBinding *binding;
    return keymap_look_up(keymap, view, &key, 1, &binding) == KEYMAP_BOUND ? binding->action : ACTION_NOTHING;
}

static Keymap *make_flavour(const char *name) {
    Keymap *keymap = make();
    Error error = {.message = ""};
    if (keymap_use_flavour(keymap, name, &error) != STATUS_OK) fail_msg("%s", error.message);
    return keymap;
}

/* No unknown action, key or view, no key bound twice, none that cannot be reached. */
static void no_built_in_file_has_a_problem(void **state) {
    (void)state;
    assert_string_equal(KEYMAP_FLAVOURS[0], "default");
    for (size_t i = 0; i < KEYMAP_FLAVOUR_COUNT; i++) {
        size_t bytes;
        const char *text = keymap_flavour_text(KEYMAP_FLAVOURS[i], &bytes);
        assert_int_equal(strlen(text), bytes); /* embedded whole, with a NUL behind it */
        Keymap *keymap = make_flavour(KEYMAP_FLAVOURS[i]);
        if (keymap_problem_count(keymap) > 0) fail_msg("%s", keymap_problem(keymap, 0));
        keymap_free(keymap);
    }
}

/* A flavour moves keys, but what the default has a key for in a view has one in every flavour. */
static void every_flavour_reaches_what_the_default_reaches(void **state) {
    Keymap *original = make();
    (void)state;
    for (size_t i = 1; i < KEYMAP_FLAVOUR_COUNT; i++) {
        Keymap *keymap = make_flavour(KEYMAP_FLAVOURS[i]);
        for (size_t v = 0; v < VIEWS.count; v++) {
            for (size_t a = 1; a < ACTION_COUNT && VIEWS.views[v] != NULL; a++) {
                const char *view = VIEWS.views[v]->name;
                if (!action_is_for((Action)a, view) || keymap_find(original, view, (Action)a) == NULL)
                    continue;
                if (keymap_find(keymap, view, (Action)a) == NULL)
                    fail_msg("%s.keys leaves no key for %s in %s", KEYMAP_FLAVOURS[i],
                             action_info((Action)a)->name, view);
            }
        }
        keymap_free(keymap);
    }
    keymap_free(original);
}

static Action action_of_keys(const Keymap *keymap, const char *view, const char *first, const char *second) {
    Key keys[2];
    const KeymapBinding *binding;
    assert_true(key_parse(first, strlen(first), &keys[0]) && key_parse(second, strlen(second), &keys[1]));
    return keymap_look_up(keymap, view, keys, 2, &binding) == KEYMAP_BOUND ? binding->action : ACTION_NOTHING;
}

static void vim_has_counts_tabs_and_two_letters(void **state) {
    Keymap *keymap = make_flavour("vim");
    (void)state;
    assert_int_equal(action_of_keys(keymap, "layers", "g", "g"), ACTION_FIRST);
    assert_int_equal(action_of_keys(keymap, "layers", "g", "t"), ACTION_NEXT_VIEW);
    assert_int_equal(action_of_keys(keymap, "layers", "g", "3"), ACTION_VIEW_3);
    assert_int_equal(action_of_keys(keymap, "layers", "Z", "Z"), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'd'), ACTION_PAGE_DOWN);
    assert_int_equal(action_of(keymap, "layers", '1'), ACTION_NOTHING);
    for (size_t v = 0; v < VIEWS.count; v++) { /* also where the default measures with it */
        if (VIEWS.views[v] == NULL) continue;
        assert_int_equal(action_of(keymap, VIEWS.views[v]->name, 'u'), ACTION_UNDO);
        assert_int_equal(action_of(keymap, VIEWS.views[v]->name, KEY_CONTROL | 'r'), ACTION_REDO);
    }
    keymap_free(keymap);
}

static void emacs_has_its_prefixes(void **state) {
    Keymap *keymap = make_flavour("emacs");
    (void)state;
    assert_int_equal(action_of_keys(keymap, "layers", "Ctrl-x", "Ctrl-c"), ACTION_QUIT);
    assert_int_equal(action_of_keys(keymap, "layers", "Ctrl-x", "o"), ACTION_NEXT_VIEW);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'n'), ACTION_MOVE_DOWN);
    assert_int_equal(action_of(keymap, "layers", KEY_ALT | 'x'), ACTION_COMMAND);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 's'), ACTION_SEARCH);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'c'), ACTION_INTERRUPT);
    keymap_free(keymap);
}

/* What acts on all of the program has keys of the flavour's own kind in every view. */
static void flavours_have_their_keys_for_what_all_views_have(void **state) {
    static const struct {
        const char *flavour, *keys[3];
        Action action;
    } EXPECTED[] = {
        {"vim", {"g", "p"}, ACTION_PICTURE},
        {"vim", {"g", ":"}, ACTION_TWIN},
        {"vim", {"Y"}, ACTION_COPY},
        {"vim", {"g", "m"}, ACTION_KEEP},
        {"vim", {"'"}, ACTION_RETURN},
        {"vim", {"g", "?"}, ACTION_TOUR},
        {"emacs", {"Ctrl-x", "Ctrl-p"}, ACTION_PICTURE},
        {"emacs", {"Ctrl-x", "Ctrl-t"}, ACTION_TWIN},
        {"emacs", {"Alt-w"}, ACTION_COPY},
        {"emacs", {"Ctrl-x", "r", "m"}, ACTION_KEEP},
        {"emacs", {"Ctrl-x", "r", "b"}, ACTION_RETURN},
        {"emacs", {"Ctrl-_"}, ACTION_UNDO},
        {"emacs", {"Ctrl-x", "u"}, ACTION_UNDO},
        {"emacs", {"Alt-_"}, ACTION_REDO},
        {"emacs", {"Ctrl-x", "t"}, ACTION_TOUR},
    };
    (void)state;
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        Keymap *keymap = make_flavour(EXPECTED[i].flavour);
        Key keys[3];
        int count = 0;
        for (; count < 3 && EXPECTED[i].keys[count] != NULL; count++)
            assert_true(key_parse(EXPECTED[i].keys[count], strlen(EXPECTED[i].keys[count]), &keys[count]));
        for (size_t v = 0; v < VIEWS.count; v++) {
            const KeymapBinding *binding;
            if (VIEWS.views[v] == NULL) continue;
            if (keymap_look_up(keymap, VIEWS.views[v]->name, keys, count, &binding) != KEYMAP_BOUND ||
                binding->action != EXPECTED[i].action)
                fail_msg("%s: %s is not on its keys in %s", EXPECTED[i].flavour,
                         action_info(EXPECTED[i].action)->name, VIEWS.views[v]->name);
        }
        keymap_free(keymap);
    }
}

static void keys_that_everybody_expects_are_bound(void **state) {
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(action_of(keymap, "layers", 'q'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "layers", '?'), ACTION_HELP);
    assert_int_equal(action_of(keymap, "layers", ':'), ACTION_COMMAND);
    assert_int_equal(action_of(keymap, "layers", '/'), ACTION_SEARCH);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'c'), ACTION_INTERRUPT);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'z'), ACTION_SUSPEND);
    assert_int_equal(action_of(keymap, "layers", KEY_ARROW_UP), ACTION_MOVE_UP);
    assert_int_equal(action_of(keymap, "layers", 'k'), ACTION_MOVE_UP);
    keymap_free(keymap);
}

static void a_users_file_changes_adds_and_takes_away(void **state) {
    Keymap *keymap = make();
    Error error;
    (void)state;
    assert_int_equal(
        read_text(keymap,
                  "q help # a comment\r\n\n[generic]\ny  alpha-set 0.25\nG nothing\nZ Z quit\nHash quit",
                  &error),
        STATUS_OK);
    assert_int_equal(action_of(keymap, "layers", 'q'), ACTION_HELP);
    assert_int_equal(action_of(keymap, "layers", 'G'), ACTION_NOTHING);
    assert_int_equal(action_of(keymap, "layers", '#'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "layers", 'j'), ACTION_MOVE_DOWN);
    Key keys[] = {'y'};
    const KeymapBinding *binding;
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    assert_string_equal(binding->argument, "0.25");
    keymap_free(keymap);
}

static void a_views_section_comes_before_the_generic_one(void **state) {
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(read_text(keymap, "[layers]\nm quit\nG nothing", NULL), STATUS_OK);
    assert_int_equal(action_of(keymap, "layers", 'm'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "tensor", 'm'), ACTION_METRIC_NEXT);
    assert_int_equal(action_of(keymap, "layers", 'G'), ACTION_NOTHING);
    assert_int_equal(action_of(keymap, "tensor", 'G'), ACTION_LAST);
    assert_string_equal(keymap_find(keymap, "layers", ACTION_QUIT)->section, "layers");
    keymap_free(keymap);
}

static void a_bad_line_is_named_with_what_is_near_and_the_others_hold(void **state) {
    static const struct {
        const char *text, *problem;
    } CASES[] = {
        {"y move-down\nq qiut\nY quit", "test.keys:2: there is no action \"qiut\"; \"quit\" is near"},
        {"y move-down\nUpp move-up\nY quit", "test.keys:2: expected a key such as"},
        {"y move-down\nj\nY quit", "test.keys:2: expected the name of an action"},
        {"y move-down\nj qui\nY quit",
         "\"quit\" is near"}, /* no beginnings: they may stop being unambiguous */
        {"y move-down\nY quit\n[layers", "test.keys:3: expected a section"},
        {"y move-down\nY quit\n[layrs]", "test.keys:3: there is no view of the name in [layrs]"},
        {"y move-down\nY quit\n[layers]\nj sweep",
         "test.keys:4: sweep does nothing in [layers]: it is for tune"},
        {"y move-down\nj alpha-set much\nY quit", "takes a number"},
        {"y move-down\nj quit now\nY quit", "takes nothing"},
        {"y move-down\nj \x1b[2Jx\nY quit", "\\x1b[2Jx"},
        {"y move-down\na b c d e quit\nY quit", "no action"},
        {"y move-down\ninclude emcas\nY quit",
         "test.keys:2: include takes default, vim, emacs or a path with a "
         "slash, found \"emcas\"; \"emacs\" is near"},
        {"y move-down\ninclude ./nowhere\nY quit", "test.keys:2: "},
        {"y move-down\ninclude\nY quit", "test.keys:2: include takes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Keymap *keymap = make();
        Error error = {.message = ""};
        assert_int_equal(read_text(keymap, CASES[i].text, &error), STATUS_OK);
        assert_int_equal(keymap_problem_count(keymap), 1);
        const char *problem = keymap_problem(keymap, 0);
        if (strstr(problem, CASES[i].problem) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", CASES[i].problem, problem);
        assert_int_equal(action_of(keymap, "layers", 'j'), ACTION_MOVE_DOWN);
        assert_int_equal(action_of(keymap, "layers", 'y'), ACTION_MOVE_DOWN);
        assert_int_equal(action_of(keymap, "layers", 'Y'), ACTION_QUIT);
        keymap_free(keymap);
    }
}

/* They would hold in the section before. */
static void keys_below_a_section_that_is_none_are_left_out(void **state) {
    static const char *const SECTIONS[] = {"[laye rs]", "[layers", "[layrs]",
                                           "[a-section-of-a-name-that-is-far-too-long]"};
    (void)state;
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++) {
        char text[128];
        Keymap *keymap = make();
        (void)snprintf(text, sizeof text, "%s\nj quit\n[tensor]\ny quit", SECTIONS[i]);
        assert_int_equal(read_text(keymap, text, NULL), STATUS_OK);
        assert_int_equal(keymap_problem_count(keymap), 1);
        assert_int_equal(action_of(keymap, "layers", 'j'), ACTION_MOVE_DOWN);
        assert_int_equal(action_of(keymap, "tensor", 'y'), ACTION_QUIT);
        keymap_free(keymap);
    }
}

static void conflicts_are_problems(void **state) {
    static const struct {
        const char *text, *problem;
    } CASES[] = {
        {"y quit\n\ny help", "test.keys:3: y in [generic] takes the place of line 1 (quit)"},
        {"[tensor]\ny quit\ny y help", "test.keys:3: y y in [tensor] takes the place of line 2 (quit)"},
        /* x is scale-next in three views: there it does not wait for a second key */
        {"[generic]\nx x quit", "test.keys:2: x x (quit) cannot be reached in layers, where x is scale-next"},
        {"y help\n[layers]\ny y quit",
         "test.keys:1: y (help) cannot be reached in layers, where y y is quit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Keymap *keymap = make();
        assert_int_equal(read_text(keymap, CASES[i].text, NULL), STATUS_OK);
        assert_non_null(keymap_problem(keymap, 0));
        assert_string_equal(keymap_problem(keymap, 0), CASES[i].problem);
        keymap_free(keymap);
    }
    Keymap *keymap =
        make(); /* to change the default is no conflict, and a view's own key none with the generic */
    assert_int_equal(read_text(keymap, "q help\n[layers]\nq quit\n[tensor]\nq quit", NULL), STATUS_OK);
    assert_int_equal(keymap_problem_count(keymap), 0);
    keymap_free(keymap);
}

static void more_problems_than_are_kept_are_counted(void **state) {
    Keymap *keymap = make();
    char text[64 * 4 + 1] = "";
    (void)state;
    for (int i = 0; i < 64; i++) (void)snprintf(text + 4 * i, sizeof text - 4 * (size_t)i, "xx\n\n");
    assert_int_equal(read_text(keymap, text, NULL), STATUS_OK);
    assert_int_equal(keymap_problem_count(keymap), 64);
    assert_non_null(keymap_problem(keymap, 0));
    assert_null(keymap_problem(keymap, 63));
    keymap_free(keymap);
}

static void include_begins_again_from_a_flavour(void **state) {
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(read_text(keymap, "y quit\ninclude vim\n[generic]\nZ Z help", NULL), STATUS_OK);
    assert_int_equal(keymap_problem_count(keymap), 0);
    assert_int_equal(action_of(keymap, "layers", 'y'), ACTION_NOTHING); /* what came before is forgotten */
    assert_int_equal(action_of_keys(keymap, "layers", "Z", "Z"), ACTION_HELP);
    assert_int_equal(action_of_keys(keymap, "layers", "Z", "Q"), ACTION_QUIT);
    keymap_free(keymap);
}

/* ---- files ---- */

static char folder[] = "/tmp/rejuv-keys-XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) != EOF && fclose(file) == 0);
}

static int make_folder(void **state) {
    char path[128];
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/rejuv", folder);
    return mkdir(path, 0700) == 0 && setenv("XDG_CONFIG_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    static const char *const NAMES[] = {"/rejuv/keys", "/rejuv/more", "/other", "/loop", "/rejuv", ""};
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", folder, NAMES[i]);
        (void)remove(path);
    }
    return 0;
}

static void the_users_file_is_laid_over_the_flavour(void **state) {
    Keymap *keymap = make();
    Error error = {.message = ""};
    char other[128], problem[192];
    (void)state;
    write_file("rejuv/keys", "Z Z help\ninclude ./more\ny qiut\n");
    write_file("rejuv/more", "! quit\n");
    if (keymap_read_user(keymap, "vim", &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(action_of_keys(keymap, "layers", "Z", "Z"), ACTION_HELP);
    assert_int_equal(action_of_keys(keymap, "layers", "g", "g"), ACTION_FIRST);
    assert_int_equal(action_of(keymap, "layers", '!'), ACTION_QUIT);
    (void)snprintf(problem, sizeof problem, "%s/rejuv/keys:3: there is no action", folder);
    assert_int_equal(keymap_problem_count(keymap), 1);
    assert_memory_equal(keymap_problem(keymap, 0), problem, strlen(problem));
    keymap_free(keymap);
    keymap = make(); /* a file in its place */
    write_file("other", "include emacs\n");
    (void)snprintf(other, sizeof other, "%s/other", folder);
    if (keymap_read_user(keymap, other, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(action_of_keys(keymap, "layers", "Ctrl-x", "o"), ACTION_NEXT_VIEW);
    assert_int_equal(action_of(keymap, "layers", '!'), ACTION_NOTHING);
    keymap_free(keymap);
}

static void files_that_include_each_other_come_to_an_end(void **state) {
    Keymap *keymap = make();
    Error error;
    char loop[128];
    (void)state;
    write_file("loop", "include ./loop\ny quit\n");
    (void)snprintf(loop, sizeof loop, "%s/loop", folder);
    assert_int_equal(keymap_read_user(keymap, loop, &error), STATUS_OK);
    assert_int_equal(keymap_problem_count(keymap), 1);
    assert_non_null(strstr(keymap_problem(keymap, 0), "loop:1: files include each other more than 4 deep"));
    assert_int_equal(action_of(keymap, "layers", 'y'), ACTION_QUIT);
    keymap_free(keymap);
}

/* Each of its lines reads all of it again, four deep: a hundred million files. */
static void files_that_multiply_come_to_an_end(void **state) {
    enum { LINES = 100 };
    static const char LINE[] = "include ./loop\n";
    Keymap *keymap = make();
    Error error;
    char text[LINES * (sizeof LINE - 1) + 16] = "", loop[128];
    (void)state;
    for (int i = 0; i < LINES; i++) memcpy(text + (size_t)i * (sizeof LINE - 1), LINE, sizeof LINE);
    strcat(text, "y quit\n");
    write_file("loop", text);
    (void)snprintf(loop, sizeof loop, "%s/loop", folder);
    assert_int_equal(keymap_read_user(keymap, loop, &error), STATUS_OK);
    assert_true(keymap_problem_count(keymap) > 0);
    assert_int_equal(action_of(keymap, "layers", 'y'), ACTION_QUIT);
    keymap_free(keymap);
}

static void a_choice_that_is_neither_flavour_nor_file_is_an_error(void **state) {
    Keymap *keymap = make();
    Error error;
    (void)state;
    assert_int_equal(keymap_read_user(keymap, TESTS_DIR "/no-such-file", &error), STATUS_IO);
    assert_int_equal(keymap_read_user(keymap, "vmi", &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "\"vim\" is near"));
    keymap_free(keymap);
}

/* ---- what is near ---- */

static void an_unbound_key_tells_what_is_near(void **state) {
    static const struct {
        const char *view, *keys[2], *near;
    } CASES[] = {
        {"layers", {"Q", NULL}, "q quit"},
        {"layers", {"y", NULL}, "Y copy, in Prompt assistant, in Tune selector-next"},
        {"layers", {"W", NULL}, "Ctrl-w numbers, in Prompt write-chat, in Rollouts samples-save"},
        {"layers", {"\\", NULL}, ""},
        {"layers", {"Z", "x"}, "Z help, Q quit"},
    };
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(read_text(keymap, "Z Z help\nZ Q quit", NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Key keys[2];
        char near[256];
        int count = 0;
        for (; count < 2 && CASES[i].keys[count] != NULL; count++)
            assert_true(key_parse(CASES[i].keys[count], strlen(CASES[i].keys[count]), &keys[count]));
        keymap_near(keymap, CASES[i].view, keys, count, near, sizeof near);
        assert_string_equal(near, CASES[i].near);
    }
    keymap_free(keymap);
}

static void the_followers_of_a_prefix_are_those_that_work_in_the_view(void **state) {
    const KeymapBinding *bindings[8];
    const Key keys[] = {'z'};
    Keymap *keymap = make_flavour("vim");
    (void)state;
    assert_int_equal(keymap_followers(keymap, "tensor", keys, 1, bindings, 8), 3);
    assert_int_equal(bindings[0]->action, ACTION_ZOOM_IN);
    assert_int_equal(keymap_followers(keymap, "layers", keys, 1, bindings, 8), 0);
    keymap_free(keymap);
}

static void a_sequence_and_its_beginning_exclude_each_other(void **state) {
    Keymap *keymap = make();
    const KeymapBinding *binding;
    Key keys[] = {'g', 'g'};
    (void)state;
    assert_int_equal(read_text(keymap, "g g last", NULL), STATUS_OK);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_PREFIX);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 2, &binding), KEYMAP_BOUND);
    assert_int_equal(read_text(keymap, "g quit", NULL), STATUS_OK);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 2, &binding), KEYMAP_UNBOUND);
    assert_int_equal(read_text(keymap, "[tensor]\ng g quit", NULL),
                     STATUS_OK); /* the view's sequence hides it */
    assert_int_equal(keymap_look_up(keymap, "tensor", keys, 1, &binding), KEYMAP_PREFIX);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    keymap_free(keymap);
}

static KeymapMatch feed(const Keymap *keymap, KeymapInput *input, Key key, Action *action, int *count) {
    const KeymapBinding *binding = NULL;
    KeymapMatch match = keymap_feed(keymap, "layers", input, key, &binding, count);
    *action = match == KEYMAP_BOUND ? binding->action : ACTION_NOTHING;
    return match;
}

static void alt_digits_begin_a_count(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(feed(keymap, &input, KEY_ALT | '1', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'j', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_MOVE_DOWN);
    assert_int_equal(count, 10);
    assert_int_equal(feed(keymap, &input, '2', &action, &count), KEYMAP_BOUND); /* bound to a view again */
    assert_int_equal(action, ACTION_VIEW_2);
    assert_int_equal(count, 1);
    keymap_free(keymap);
}

static void unbound_digits_begin_a_count(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(read_text(keymap, "1 nothing\n0 quit", NULL), STATUS_OK);
    assert_int_equal(feed(keymap, &input, '1', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_PREFIX);
    for (int i = 0; i < 20; i++) assert_int_equal(feed(keymap, &input, '9', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'k', &action, &count), KEYMAP_BOUND);
    assert_int_equal(count, KEYMAP_COUNT_LIMIT);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_BOUND); /* first: an ordinary key */
    assert_int_equal(action, ACTION_QUIT);
    keymap_free(keymap);
}

static void sequences_wait_and_escape_takes_them_back(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(read_text(keymap, "g nothing\ng g first\ng x y z quit", NULL), STATUS_OK);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_FIRST);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, KEY_ESCAPE, &action, &count), KEYMAP_PREFIX);
    assert_int_equal(input.key_count, 0);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, KEY_CONTROL | 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(input.key_count, 0);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'q', &action, &count), KEYMAP_UNBOUND);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    (void)feed(keymap, &input, 'x', &action, &count);
    (void)feed(keymap, &input, 'y', &action, &count);
    assert_int_equal(feed(keymap, &input, 'z', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_QUIT);
    assert_int_equal(feed(keymap, &input, KEY_ESCAPE, &action, &count),
                     KEYMAP_BOUND); /* nothing typed: itself */
    assert_int_equal(action, ACTION_BACK);
    keymap_free(keymap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_built_in_file_has_a_problem),
        cmocka_unit_test(every_flavour_reaches_what_the_default_reaches),
        cmocka_unit_test(vim_has_counts_tabs_and_two_letters),
        cmocka_unit_test(emacs_has_its_prefixes),
        cmocka_unit_test(flavours_have_their_keys_for_what_all_views_have),
        cmocka_unit_test(keys_that_everybody_expects_are_bound),
        cmocka_unit_test(a_users_file_changes_adds_and_takes_away),
        cmocka_unit_test(a_views_section_comes_before_the_generic_one),
        cmocka_unit_test(a_bad_line_is_named_with_what_is_near_and_the_others_hold),
        cmocka_unit_test(keys_below_a_section_that_is_none_are_left_out),
        cmocka_unit_test(conflicts_are_problems),
        cmocka_unit_test(more_problems_than_are_kept_are_counted),
        cmocka_unit_test(include_begins_again_from_a_flavour),
        cmocka_unit_test(the_users_file_is_laid_over_the_flavour),
        cmocka_unit_test(files_that_include_each_other_come_to_an_end),
        cmocka_unit_test(files_that_multiply_come_to_an_end),
        cmocka_unit_test(a_choice_that_is_neither_flavour_nor_file_is_an_error),
        cmocka_unit_test(an_unbound_key_tells_what_is_near),
        cmocka_unit_test(the_followers_of_a_prefix_are_those_that_work_in_the_view),
        cmocka_unit_test(a_sequence_and_its_beginning_exclude_each_other),
        cmocka_unit_test(alt_digits_begin_a_count),
        cmocka_unit_test(unbound_digits_begin_a_count),
        cmocka_unit_test(sequences_wait_and_escape_takes_them_back),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
