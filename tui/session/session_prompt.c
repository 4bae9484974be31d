#include "tui/session/session_prompt.h"

#include "core/support/memory.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_prompt_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *session_side_name(Side side) {
    static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
    return NAMES[side];
}

/* ---- the prompt ---- */

const char *session_prompt_text(const Session *session, size_t *bytes) {
    if (bytes != NULL) *bytes = session->prompt->bytes;
    return session->prompt->text;
}

size_t session_prompt_tokens(const Session *session, const int32_t **ids) {
    if (ids != NULL) *ids = session->prompt->ids.ids;
    return session->prompt->ids.count;
}

size_t session_prompt_added(const Session *session) {
    return session->prompt->added;
}

size_t session_prompt_response(const Session *session) {
    return session->prompt->response;
}

static Status check_ids(const Session *session, const TokenList *list, Error *error) {
    if (list->count == 0) return status_fail(error, STATUS_ARGUMENT, "the prompt has no tokens");
    uint64_t longest = session->model->config->max_positions;
    if (longest > 0 && list->count > longest)
        return status_fail(error, STATUS_ARGUMENT, "the prompt has %zu tokens, the model's context %zu",
                           list->count, (size_t)longest);
    return evaluation_check_tokens(session->model, list->count, SESSION_TOP, error);
}

/* Encodes, checks and measures; what is refused leaves the prompt as it was. */
static Status take_text(Session *session, const char *text, size_t bytes, bool add_special, Error *error) {
    if (session->model == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s", session->model_error.message);
    const char *message;
    const Tokenizer *tokenizer = session_tokenizer(session, &message);
    if (tokenizer == NULL) return status_fail(error, STATUS_UNSUPPORTED, "%s", message);
    TokenList list = {0};
    char *copy = memory_copy_text(text, bytes);
    Status status = copy == NULL ? memory_fail(error, "the prompt")
                                 : tokenizer_encode(tokenizer, text, bytes, add_special, &list, error);
    if (status == STATUS_OK) status = check_ids(session, &list, error);
    if (status != STATUS_OK) {
        free(copy);
        token_list_free(&list);
        return status;
    }
    task_stop(&session->prompt->continuing); /* it belongs to the old prompt */
    free(session->prompt->text);
    token_list_free(&session->prompt->ids);
    session->prompt->text = copy;
    session->prompt->bytes = bytes;
    session->prompt->ids = list;
    session->prompt->added = session->prompt->response = 0;
    session->prompt->current_example = -1;
    return session_prompt_measure(session, error);
}

Status session_set_prompt(Session *session, const char *text, size_t bytes, Error *error) {
    Status status = take_text(session, text, bytes, true, error);
    if (status != STATUS_OK) return status;
    session_chat_turn_off(session);
    const TokenList *list = &session->prompt->ids;
    if (tokenizer_doubles_first(session_tokenizer(session, NULL), list->ids, list->count))
        session_say(session, SESSION_WARNING,
                    "the prompt begins with the token that the tokenizer puts first: it is there twice");
    return STATUS_OK;
}

Status session_show_chat(Session *session, SessionChatDraft *draft, int example, Error *error) {
    Status status = take_text(session, draft->text, draft->bytes, false, error);
    if (status == STATUS_OK) {
        session_chat_take(session, draft);
        session->prompt->current_example = example;
    }
    session_chat_drop(draft);
    return status;
}

size_t session_example_count(const Session *session) {
    const Calibration *calibration = session_calibration(session, NULL);
    return calibration == NULL ? 0 : calibration->count;
}

const char *session_example(const Session *session, size_t index) {
    const Calibration *calibration = session_calibration(session, NULL);
    return calibration == NULL || index >= calibration->count ? NULL : calibration->rows[index].prompt;
}

/* A row that is a conversation is shown whole, with the template on; of another its prompt is what the user says. */
static Status show_example_chat(Session *session, size_t index, Error *error) {
    SessionChatDraft draft;
    const CalibrationRow *row = &session_calibration(session, NULL)->rows[index];
    const char *text = row->conversation != NULL ? row->conversation : row->prompt;
    Status status = row->conversation != NULL
                        ? session_chat_open_text(session, text, strlen(text), NULL, &draft, error)
                        : session_chat_begin_user(session, text, strlen(text), &draft, error);
    return status == STATUS_OK ? session_show_chat(session, &draft, (int)index, error) : status;
}

static bool is_conversation(const Session *session, size_t index) {
    return session_calibration(session, NULL)->rows[index].conversation != NULL;
}

Status session_use_example(Session *session, size_t index, Error *error) {
    const char *text = session_example(session, index);
    if (text == NULL) return status_fail(error, STATUS_ARGUMENT, "there is no example prompt of that number");
    if (session_chat_is_on(session) || is_conversation(session, index))
        return show_example_chat(session, index, error);
    Status status = session_set_prompt(session, text, strlen(text), error);
    if (status == STATUS_OK) session->prompt->current_example = (int)index;
    return status;
}

/* With the template on it is the assistant's turn, in the place of one that is there. */
static Status show_response_chat(Session *session, const char *response, Error *error) {
    SessionChatDraft draft;
    if (response == NULL)
        return status_fail(error, STATUS_ARGUMENT, "the row's response is ids, and no text");
    Status status = session_chat_begin(session, &draft, error);
    if (status != STATUS_OK) return status;
    size_t count = chat_turns_count(draft.turns), bytes = strlen(response);
    status = chat_turns_has_role(draft.turns, count - 1, "assistant")
                 ? chat_turns_replace(draft.turns, count - 1, "assistant", response, bytes, error)
                 : chat_turns_insert(draft.turns, count, "assistant", response, bytes, error);
    if (status != STATUS_OK) {
        session_chat_drop(&draft);
        return status;
    }
    status = session_chat_render(session, &draft, error);
    return status == STATUS_OK ? session_show_chat(session, &draft, session->prompt->current_example, error)
                               : status;
}

Status session_show_response(Session *session, Error *error) {
    TokenList *list = &session->prompt->ids;
    const Calibration *calibration = session_calibration(session, NULL);
    if (calibration == NULL || session->prompt->current_example < 0 ||
        (size_t)session->prompt->current_example >= calibration->count)
        return status_fail(error, STATUS_ARGUMENT, "the prompt is not that of a calibration row");
    const CalibrationRow *row = &calibration->rows[session->prompt->current_example];
    if (row->prompt_count >= row->count)
        return status_fail(error, STATUS_ARGUMENT, "the row has no response");
    if (row->conversation != NULL)
        return show_example_chat(session, (size_t)session->prompt->current_example, error);
    if (session_chat_is_on(session)) return show_response_chat(session, row->response, error);
    TokenList whole = {0}; /* the row's own: its response may change the prompt's last tokens */
    Status status = STATUS_OK;
    for (size_t i = 0; i < row->count && status == STATUS_OK; i++)
        status = token_list_append(&whole, row->ids[i], error);
    if (status != STATUS_OK) {
        token_list_free(&whole);
        return status;
    }
    task_stop(&session->prompt->continuing); /* it belongs to another text */
    token_list_free(list);
    *list = whole;
    session->prompt->added = 0;
    session->prompt->response = row->count - row->prompt_count;
    return session_prompt_measure(session, error);
}

int session_current_example(const Session *session) {
    return session->prompt->current_example;
}

static void show_first(Session *session) {
    struct SessionPromptPart *prompt = session->prompt;
    prompt->continuation =
        (SessionContinuation){.side = SIDE_FUSED, .tokens = 32, .temperature = 0.0, .seed = 1};
    if (session->model == NULL || session_tokenizer(session, NULL) == NULL) return;
    Status status = STATUS_OK;
    if (prompt->first_chat != NULL) {
        SessionChatDraft draft;
        Error error;
        status = session_chat_open_text(session, prompt->first_chat, strlen(prompt->first_chat), NULL, &draft,
                                        &error);
        if (status == STATUS_OK) status = session_show_chat(session, &draft, -1, &error);
        if (status == STATUS_OK) return;
        session_say(session, SESSION_WARNING, "the conversation is left out: %s", error.message);
        session_chat_turn_off(session);
    }
    status = STATUS_OK;
    if (prompt->first_text != NULL)
        status = session_set_prompt(session, prompt->first_text, strlen(prompt->first_text), &prompt->error);
    else if (session_example(session, 0) != NULL)
        status = session_use_example(session, 0, &prompt->error);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", prompt->error.message);
}

/* The prompt on screen is an example where a row has its text; else the first row's takes its place, unless it was
 * typed or goes on. */
static void follow_examples(Session *session) {
    const Calibration *rows = session_calibration(session, NULL);
    bool may_change = session->prompt->text == NULL ||
                      (session->prompt->current_example >= 0 && session->prompt->added == 0);
    size_t first = 0;
    session->prompt->current_example = -1;
    if (session_chat_is_on(session)) return; /* a conversation stays */
    for (size_t i = 0; i < rows->count && session->prompt->text != NULL; i++) {
        if (rows->rows[i].prompt == NULL || strcmp(rows->rows[i].prompt, session->prompt->text) != 0)
            continue;
        session->prompt->current_example = (int)i;
        if (session->prompt->response == 0 || session_calibration_are_of_prompt(session)) return;
        may_change = true; /* the response on screen is that of the old row */
        first = i;
        break;
    }
    Error error;
    if (may_change && rows->rows[first].prompt != NULL &&
        session_use_example(session, first, &error) != STATUS_OK)
        session_say(session, SESSION_WARNING, "%s", error.message);
}

void session_prompt_begin(Session *session) {
    if (session->prompt->has_begun)
        follow_examples(session);
    else
        show_first(session);
    session->prompt->has_begun = true;
}

/* ---- the preview ---- */

const EvaluationResult *session_preview(const Session *session, Side side) {
    if (session->prompt->live == NULL) return NULL;
    switch (side) {
    case SIDE_BASE:
        return live_evaluation_base(session->prompt->live);
    case SIDE_SFT:
        return live_evaluation_sft(session->prompt->live);
    case SIDE_FUSED:
        return live_evaluation_fused(session->prompt->live);
    case SIDE_COUNT:
        break;
    }
    return NULL;
}

bool session_preview_is_stale(const Session *session) {
    return session->prompt->live == NULL ||
           live_evaluation_is_stale(session->prompt->live, &session->settings);
}

const LogitEstimate *session_preview_estimate(const Session *session) {
    return session->prompt->live == NULL ? NULL : live_evaluation_estimate(session->prompt->live);
}

const char *session_preview_message(const Session *session) {
    if (session->model == NULL) return session->model_error.message;
    const char *message;
    if (session->prompt->live == NULL && session_tokenizer(session, &message) == NULL) return message;
    if (session->prompt->live != NULL) return live_evaluation_error(session->prompt->live);
    return session->prompt->error.status != STATUS_OK ? session->prompt->error.message : "no prompt yet";
}

double session_entropy_gap(const Session *session, size_t position) {
    const EvaluationResult *base = session_preview(session, SIDE_BASE);
    const EvaluationResult *sft = session_preview(session, SIDE_SFT);
    if (base == NULL || sft == NULL || position >= base->count) return NAN;
    return base->positions[position].entropy - sft->positions[position].entropy;
}

/* ---- pins ---- */

size_t session_pin_count(const Session *session) {
    return session->prompt->pin_count;
}

int32_t session_pin(const Session *session, size_t index) {
    return session->prompt->pins[index];
}

bool session_is_pinned(const Session *session, int32_t id) {
    for (size_t i = 0; i < session->prompt->pin_count; i++) {
        if (session->prompt->pins[i] == id) return true;
    }
    return false;
}

bool session_toggle_pin(Session *session, int32_t id) {
    for (size_t i = 0; i < session->prompt->pin_count; i++) {
        if (session->prompt->pins[i] != id) continue;
        session->prompt->pin_count--;
        memmove(session->prompt->pins + i, session->prompt->pins + i + 1,
                (session->prompt->pin_count - i) * sizeof *session->prompt->pins);
        return true;
    }
    if (session->prompt->pin_count == SESSION_PINS) return false;
    session->prompt->pins[session->prompt->pin_count++] = id;
    return true;
}

double session_probability(const Session *session, Side side, size_t position, int32_t id) {
    const EvaluationResult *result = session_preview(session, side);
    if (result == NULL) return NAN;
    return exp(evaluation_follow_token(session->model, result, position, id));
}

/* ---- as a calibration row ---- */

static Status fill_rows(const Session *session, Calibration *rows, Error *error) {
    const TokenList *list = &session->prompt->ids;
    size_t response = session->prompt->response + session->prompt->added, prompt = list->count - response;
    Status status = calibration_add_ids(rows, list->ids, prompt, list->ids + prompt, response,
                                        session->model->config, error);
    if (status != STATUS_OK) return status;
    rows->rows[0].prompt = memory_copy_text(session->prompt->text, session->prompt->bytes);
    return rows->rows[0].prompt != NULL ? STATUS_OK : memory_fail(error, "calibration rows");
}

/* The sum that a file of them has. */
static Status hash_rows(Calibration *rows, Error *error) {
    char *text;
    size_t bytes;
    Status status = calibration_format_ids(rows, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    status = hash_bytes(text, bytes, rows->sha256, error);
    free(text);
    return status;
}

Status session_prompt_make_rows(const Session *session, Calibration **rows, Error *error) {
    if (session->prompt->text == NULL || session->prompt->ids.count == 0)
        return status_fail(error, STATUS_ARGUMENT, "there is no prompt to measure on");
    if (session_is_continuing(session))
        return status_fail(error, STATUS_ARGUMENT, "the prompt is still being continued");
    Status status = calibration_create("the prompt on screen", rows, error);
    if (status == STATUS_OK) status = fill_rows(session, *rows, error);
    if (status == STATUS_OK) status = hash_rows(*rows, error);
    if (status == STATUS_OK) return STATUS_OK;
    calibration_free(*rows);
    *rows = NULL;
    return status;
}

/* ---- for session.c ---- */

bool session_prompt_refresh(Session *session) {
    bool changed = false;
    if (task_poll(&session->prompt->continuing)) {
        session_prompt_collect(session);
        changed = true;
    }
    if (session->prompt->live == NULL) return changed;
    live_evaluation_want_curves(session->prompt->live, session_headline_has_curves(session));
    return live_evaluation_refresh(session->prompt->live, &session->settings) || changed;
}

Status session_prompt_open(Session *session, const struct SessionOptions *options, Error *error) {
    session->prompt = memory_allocate(1, sizeof *session->prompt);
    if (session->prompt == NULL) return memory_fail(error, "the session");
    session->prompt->current_example = -1;
    session->prompt->continuing.label = "continuing";
    const char *const given[] = {options->prompt, options->chat};
    char **const kept[] = {&session->prompt->first_text, &session->prompt->first_chat};
    for (size_t i = 0; i < 2; i++) {
        *kept[i] = given[i] == NULL ? NULL : memory_copy_text(given[i], strlen(given[i]));
        if (given[i] != NULL && *kept[i] == NULL) return memory_fail(error, "the session");
    }
    return STATUS_OK;
}

void session_prompt_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_CONTINUATION] = &session->prompt->continuing;
    if (session->prompt->live == NULL) return;
    tasks[SESSION_TASK_PREVIEW] = live_evaluation_work(session->prompt->live);
    tasks[SESSION_TASK_PREVIEW_CURVES] = live_evaluation_curves_work(session->prompt->live);
}

bool session_prompt_cancel_preview(Session *session, SessionTask task) {
    (void)task;
    return live_evaluation_cancel(session->prompt->live);
}

void session_prompt_free(Session *session) {
    struct SessionPromptPart *prompt = session->prompt;
    if (prompt == NULL) return;
    task_stop(&prompt->continuing);
    session_prompt_free_errand(session);
    live_evaluation_free(prompt->live);
    evaluation_prefix_free(prompt->prefix);
    free(prompt->text);
    free(prompt->first_text);
    free(prompt->first_chat);
    token_list_free(&prompt->ids);
    free(prompt);
}

uint64_t session_prompt_revision(const Session *session) {
    return session->prompt->revision;
}
