#include "tui/app/resume.h"

#include "core/files/file_path.h"
#include "core/files/json.h"
#include "core/files/user_directory.h"
#include "core/support/memory.h"
#include "tui/app/resume_export.h"
#include "tui/app/resume_readiness.h"
#include "tui/commands/dial_options.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_ladder.h"
#include "tui/session/session_prompt.h"

#include <stdlib.h>
#include <string.h>

static const char FORMAT_NAME[] = "rejuv-resume";
enum { FORMAT_VERSION = 1, FILE_LIMIT = 16 << 20, MOST_WORDS = 64 };

char *resume_path(void) {
    return user_directory_path(USER_DIRECTORY_STATE, "resume.json");
}

/* ---- reading ---- */

/* What is no UTF-8 stands there as a URI: the tree gets the path itself, and keeps it. */
static Status take_path(cJSON *tree, const char *key, const char **taken, Error *error) {
    char *path;
    Status status = file_path_read(tree, key, &path, error);
    if (status == STATUS_OK && path != NULL &&
        !cJSON_ReplaceItemInObjectCaseSensitive(tree, key, cJSON_CreateString(path)))
        status = memory_fail(error, "the session's file");
    free(path);
    *taken = json_get_text(tree, key, NULL);
    return status;
}

/* Of a ladder; what is none is as one SFT model. */
static Status take_rungs(const char *file, Resume *resume, Error *error) {
    cJSON *list = (cJSON *)json_find(resume->tree, "rungs"), *item;
    uint64_t rung;
    Status status = STATUS_OK;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (count == 0 || !json_read_count(json_find(resume->tree, "rung"), &rung)) return STATUS_OK;
    if (rung < 1 || rung > (uint64_t)count)
        return status_fail(error, STATUS_FORMAT, "%s: expected a rung from 1 to %d", file, count);
    resume->rungs = memory_allocate((size_t)count, sizeof *resume->rungs);
    if (resume->rungs == NULL) return memory_fail(error, "the session's file");
    cJSON_ArrayForEach(item, list) {
        status = take_path(item, "path", &resume->rungs[resume->rung_count], error);
        if (status == STATUS_OK && resume->rungs[resume->rung_count] == NULL)
            status = status_fail(error, STATUS_FORMAT, "%s: expected the path of every rung", file);
        if (status != STATUS_OK) return status;
        resume->rung_count++;
    }
    resume->session.rung = (size_t)rung;
    return STATUS_OK;
}

/* What the tree says, whose texts are borrowed. */
static Status take_tree(const char *path, const ViewList *views, Resume *resume, Error *error) {
    const cJSON *tree = resume->tree;
    Status status = take_path(resume->tree, "base", &resume->session.base, error);
    if (status == STATUS_OK) status = take_path(resume->tree, "sft", &resume->session.sft, error);
    if (status == STATUS_OK)
        status = take_path(resume->tree, "calibration", &resume->session.calibration, error);
    if (status == STATUS_OK) status = take_rungs(path, resume, error);
    cJSON *export = (cJSON *)json_find(resume->tree, "export");
    const char *target; /* resume_export_apply() takes it from there */
    if (status == STATUS_OK && export != NULL) status = take_path(export, "directory", &target, error);
    if (status == STATUS_OK) status = take_path(resume->tree, "third", &resume->session.third, error);
    if (status == STATUS_OK) status = take_path(resume->tree, "samples", &resume->session.samples, error);
    if (status == STATUS_OK) status = take_path(resume->tree, "prompts", &resume->session.prompts, error);
    if (status != STATUS_OK) return status;
    if (resume->session.samples != NULL) resume->session.prompts = NULL; /* one or the other */
    resume->session.end_token = json_get_text(tree, "end_token", NULL);
    resume->session.chat_template = json_get_text(tree, "chat_template", NULL);
    bool by_file = json_get_bool(tree, "tokenizer_file", false);
    resume->session.tokenizer_rule = by_file ? TOKENIZER_BY_FILE : TOKENIZER_BY_CLASS;
    resume->session.prompt = json_get_text(tree, "prompt", NULL);
    resume->session.chat = json_get_text(tree, "chat", NULL);
    resume->session.prompt_template = json_get_text(tree, "template", NULL);
    resume->view = json_get_text(tree, "view", NULL);
    if (resume->view != NULL && view_find(views, resume->view) < 0) resume->view = NULL;
    bool is_known = strcmp(json_get_text(tree, "format", ""), FORMAT_NAME) == 0 &&
                    json_get_number(tree, "format_version", 0) == (double)FORMAT_VERSION;
    if (is_known && resume->session.base != NULL && resume->session.sft != NULL) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected a session of this version of rejuv", path);
}

Status resume_read(const char *path, const ViewList *views, Resume *resume, Error *error) {
    *resume = (Resume){0};
    Status status = json_read_file(path, FILE_LIMIT, &resume->tree, error);
    if (status == STATUS_OK) status = take_tree(path, views, resume, error);
    if (status != STATUS_OK) resume_free(resume);
    return status;
}

void resume_free(Resume *resume) {
    cJSON_Delete(resume->tree);
    free(resume->rungs);
    *resume = (Resume){0};
}

/* A command line of the program's own. */
typedef struct DialWords {
    char *words[MOST_WORDS + 1], *pieces[MOST_WORDS]; /* those of them that are freed with it */
    int count, piece_count;
} DialWords;

/* The kept ones but for `without`, a word such as "--alpha", and its value; NULL: all. */
static Status take_words(const cJSON *list, const char *without, DialWords *words, Error *error) {
    static char program[] = "rejuv";
    const cJSON *item;
    bool are_words = cJSON_IsArray(list), is_left_out = false;
    *words = (DialWords){.words = {program}, .count = 1};
    cJSON_ArrayForEach(item, list) {
        are_words = are_words && cJSON_IsString(item) && words->count < MOST_WORDS;
        if (!are_words) break;
        if (is_left_out || (without != NULL && strcmp(item->valuestring, without) == 0))
            is_left_out = !is_left_out;
        else
            words->words[words->count++] = item->valuestring;
    }
    if (are_words) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "expected a list of options and their values");
}

static Status read_words(DialWords *words, const Pair *pair, Dials *dials, SettingsCurve **curve,
                         Error *error) {
    Options options;
    *curve = NULL;
    Status status = options_parse(words->count, words->words, &options, error);
    if (status == STATUS_OK && (options.command != COMMAND_OPEN || options.operand_count > 0))
        status = status_fail(error, STATUS_FORMAT, "expected options only, found \"%s\"", words->words[1]);
    if (status == STATUS_OK) status = dial_options_read(&options, pair, dials, curve, error);
    options_free(&options);
    return status;
}

static Status read_dials(const cJSON *list, const Pair *pair, Dials *dials, SettingsCurve **curve,
                         Error *error) {
    DialWords words;
    *curve = NULL;
    Status status = take_words(list, NULL, &words, error);
    return status == STATUS_OK ? read_words(&words, pair, dials, curve, error) : status;
}

static void find_tensor(const Resume *resume, Session *session) {
    const Pair *pair = session_pair(session);
    const PairTensor *tensor = pair_find_tensor(pair, json_get_text(resume->tree, "tensor", ""));
    if (tensor != NULL) session_show_tensor(session, (size_t)(tensor - pair->tensors));
}

void resume_apply(const Resume *resume, Session *session) {
    const Pair *pair = session_pair(session);
    const cJSON *bookmark;
    SettingsCurve *curve; /* the session copies it */
    Dials dials;
    Error error;
    if (read_dials(json_find(resume->tree, "dials"), pair, &dials, &curve, &error) == STATUS_OK)
        session_set_dial_state(session, &dials);
    else
        session_say(session, SESSION_WARNING, "the dials are not as they were: %s", error.message);
    settings_curve_free(curve);
    cJSON_ArrayForEach(bookmark, json_find(resume->tree, "bookmarks")) {
        const char *name = json_get_text(bookmark, "name", "");
        if (read_dials(json_find(bookmark, "dials"), pair, &dials, &curve, &error) == STATUS_OK)
            (void)session_add_bookmark(session, name, &dials); /* says so where there are too many */
        else
            session_say(session, SESSION_WARNING, "bookmark %s is left out: %s", name, error.message);
        settings_curve_free(curve);
    }
    find_tensor(resume, session);
    resume_readiness_apply(resume->tree, session);
    resume_export_apply(json_find(resume->tree, "export"), session);
}

/* Those of the command line that are dials. */
static Status add_words(const Options *options, DialWords *words, Error *error) {
    for (size_t i = 0; i < options->given_count; i++) {
        const OptionGiven *given = &options->given[i];
        if (!dial_options_include(given->id)) continue;
        if (words->count == MOST_WORDS) return status_fail(error, STATUS_ARGUMENT, "expected fewer options");
        char *word = memory_format("--%s=%s", option_facts(given->id)->name, given->text);
        if (word == NULL) return memory_fail(error, "the dials");
        words->words[words->count++] = words->pieces[words->piece_count++] = word;
    }
    return STATUS_OK;
}

Status resume_turn(const Resume *resume, const Options *options, Session *session, Error *error) {
    bool is_plain = options_has(options, OPTION_ALPHA) && !options_has(options, OPTION_ALPHA_LAYERS);
    SettingsCurve *curve = NULL; /* the session copies it */
    DialWords words;
    Dials dials;
    Status status =
        take_words(json_find(resume->tree, "dials"), is_plain ? "--alpha-layers" : NULL, &words, error);
    if (status != STATUS_OK) return STATUS_OK; /* resume_apply() says so */
    status = add_words(options, &words, error);
    if (status == STATUS_OK && words.piece_count > 0) {
        status = read_words(&words, session_pair(session), &dials, &curve, error);
        if (status == STATUS_OK) session_set_dial_state(session, &dials);
    }
    settings_curve_free(curve);
    for (int i = 0; i < words.piece_count; i++) free(words.pieces[i]);
    return status;
}

void resume_place(const Resume *resume, const View *view, void *state) {
    ViewPlace places[VIEW_PLACES];
    const cJSON *object = json_find(json_find(resume->tree, "places"), view->name);
    size_t count = view->places != NULL ? view->places(state, places) : 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        if (json_read_count(json_find(object, places[i].key), &value)) *places[i].value = (size_t)value;
    }
}

/* ---- writing ---- */

static bool add_dials(cJSON *object, const Dials *dials) {
    CommandLine line = {0};
    dial_options_add(dials, COMMAND_OPEN, &line);
    cJSON *list = cJSON_AddArrayToObject(object, "dials");
    bool complete = list != NULL && !line.failed;
    for (size_t i = 0; i < line.count && complete; i++) {
        cJSON *word = cJSON_CreateString(line.words[i]);
        complete = word != NULL && cJSON_AddItemToArray(list, word);
    }
    command_line_free(&line);
    return complete;
}

static bool add_bookmarks(cJSON *tree, const Session *session) {
    cJSON *list = cJSON_AddArrayToObject(tree, "bookmarks");
    bool complete = list != NULL;
    for (size_t i = 0; i < session_bookmark_count(session) && complete; i++) {
        const SessionBookmark *bookmark = session_bookmark(session, i);
        cJSON *object = cJSON_CreateObject();
        complete = object != NULL && cJSON_AddItemToArray(list, object) &&
                   json_add_text(object, "name", bookmark->name) && add_dials(object, &bookmark->dials);
    }
    return complete;
}

/* The file may be read from another directory; one that is gone meanwhile is named from the directory that
 * the program runs in. */
static bool add_path(cJSON *tree, const char *key, const char *path) {
    char *absolute;
    bool added = file_path_absolute(path, &absolute, NULL) == STATUS_OK && file_path_add(tree, key, absolute);
    free(absolute);
    return added;
}

static bool add_places(cJSON *tree, const ViewList *views, void *const *states) {
    cJSON *all = cJSON_AddObjectToObject(tree, "places");
    bool complete = all != NULL;
    for (size_t i = 0; i < views->count && complete; i++) {
        ViewPlace places[VIEW_PLACES];
        const View *view = views->views[i];
        if (states[i] == NULL || view->places == NULL) continue;
        size_t count = view->places(states[i], places);
        cJSON *object = cJSON_AddObjectToObject(all, view->name);
        complete = object != NULL;
        for (size_t p = 0; p < count && complete; p++)
            complete = json_add_number(object, places[p].key, (double)*places[p].value);
    }
    return complete;
}

/* The prompt, or the conversation that it is the text of: that as a text, for a tree would not keep every number. */
static bool add_prompt(cJSON *tree, const Session *session) {
    size_t bytes;
    char *json;
    const char *prompt = session_prompt_text(session, &bytes), *choice = session_chat_choice(session);
    if (session_chat_write_text(session, &json, NULL) != STATUS_OK) return false;
    if (json == NULL)
        return prompt == NULL || strlen(prompt) != bytes || json_add_text(tree, "prompt", prompt);
    bool added =
        json_add_text(tree, "chat", json) && (choice == NULL || json_add_text(tree, "template", choice));
    free(json);
    return added;
}

static bool add_rungs(cJSON *tree, const Session *session) {
    const Ladder *ladder = session_ladder(session);
    if (ladder == NULL) return true;
    cJSON *list = cJSON_AddArrayToObject(tree, "rungs");
    bool complete = list != NULL && json_add_number(tree, "rung", (double)session_ladder_rung(session));
    for (size_t i = 0; i < ladder->count && complete; i++) {
        cJSON *item = cJSON_CreateObject();
        complete =
            item != NULL && cJSON_AddItemToArray(list, item) && add_path(item, "path", ladder->rungs[i]);
    }
    return complete;
}

static bool add_readiness(cJSON *tree, const Session *session) {
    static const char *const PATHS[] = {"third", "samples", "prompts"};
    bool complete = resume_readiness_add(tree, session);
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS && complete; i++) {
        const char *path = resume_readiness_path(session, PATHS[i]);
        complete = path == NULL || add_path(tree, PATHS[i], path);
    }
    return complete;
}

static bool add_session(cJSON *tree, const Session *session) {
    const Pair *pair = session_pair(session);
    const char *rows = session_last_rows_file(session); /* a prompt that was measured on is kept as one */
    Dials dials = session_dial_state(session);
    size_t tensor = session_tensor(session);
    return add_path(tree, "base", pair->base->directory) && add_path(tree, "sft", pair->sft->directory) &&
           add_rungs(tree, session) && (rows == NULL || add_path(tree, "calibration", rows)) &&
           (session_tokenizer_rule(session) == TOKENIZER_BY_CLASS ||
            json_add_bool(tree, "tokenizer_file", true)) &&
           (session_end_token(session) == NULL ||
            json_add_text(tree, "end_token", session_end_token(session))) &&
           (session_chat_template(session) == NULL ||
            json_add_text(tree, "chat_template", session_chat_template(session))) &&
           add_dials(tree, &dials) && add_bookmarks(tree, session) && add_prompt(tree, session) &&
           add_readiness(tree, session) && resume_export_add(tree, session) &&
           (tensor >= pair->count || json_add_text(tree, "tensor", pair->tensors[tensor].name));
}

/* NULL when out of memory. */
static cJSON *make_tree(const Session *session, const ViewList *views, int current, void *const *states) {
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "format", FORMAT_NAME) &&
                    json_add_number(tree, "format_version", FORMAT_VERSION) && add_session(tree, session) &&
                    json_add_text(tree, "view", views->views[current]->name) &&
                    add_places(tree, views, states);
    if (complete) return tree;
    cJSON_Delete(tree);
    return NULL;
}

Status resume_remember(const Session *session, const ViewList *views, int current, void *const *states,
                       Resume *resume, Error *error) {
    *resume = (Resume){.tree = make_tree(session, views, current, states)};
    if (resume->tree == NULL) return memory_fail(error, "the session");
    Status status = take_tree("the session", views, resume, error);
    if (status != STATUS_OK) resume_free(resume);
    return status;
}

Status resume_write(const char *path, const Session *session, const ViewList *views, int current,
                    void *const *states, Error *error) {
    cJSON *tree = make_tree(session, views, current, states);
    char *text = tree != NULL ? cJSON_Print(tree) : NULL;
    cJSON_Delete(tree);
    if (text == NULL) return memory_fail(error, "the session's file");
    Status status = user_directory_write_file(path, text, strlen(text), error);
    cJSON_free(text);
    return status;
}
