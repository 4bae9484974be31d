#include "tui/session/session_prompt.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *session_side_name(Side side) {
    static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
    return NAMES[side];
}

/* ---- the prompt ---- */

const char *session_prompt_text(const Session *session, size_t *bytes) {
    if (bytes != NULL) *bytes = session->prompt_bytes;
    return session->prompt_text;
}

size_t session_prompt_tokens(const Session *session, const int32_t **ids) {
    if (ids != NULL) *ids = session->prompt_ids.ids;
    return session->prompt_ids.count;
}

size_t session_prompt_added(const Session *session) {
    return session->prompt_added;
}

size_t session_prompt_response(const Session *session) {
    return session->prompt_response;
}

/* Measures the prompt's ids afresh, at every position. */
static Status measure_prompt(Session *session, Error *error) {
    const TokenList *list = &session->prompt_ids;
    EvaluationRow row = {.ids = list->ids, .count = list->count, .first = 0, .end = list->count};
    Comparison *fresh = NULL;
    Status status =
        comparison_create(session->model, &row, 1, SESSION_TOP, "preview", session->threads, &fresh, error);
    if (status != STATUS_OK) return status;
    comparison_free(session->prompt);
    session->prompt = fresh;
    session->prompt_error = (Error){0};
    session->target_list.is_alike = false;
    return STATUS_OK;
}

static Status check_ids(const Session *session, const TokenList *list, Error *error) {
    if (list->count == 0) return status_fail(error, STATUS_ARGUMENT, "the prompt has no tokens");
    uint64_t longest = session->model->config->max_positions;
    if (longest > 0 && list->count > longest)
        return status_fail(error, STATUS_ARGUMENT, "the prompt has %zu tokens, the model's context %zu",
                           list->count, (size_t)longest);
    return evaluation_check_tokens(session->model, list->count, SESSION_TOP, error);
}

Status session_set_prompt(Session *session, const char *text, size_t bytes, Error *error) {
    if (session->model == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s", session->model_error.message);
    const char *message;
    const Tokenizer *tokenizer = session_tokenizer(session, &message);
    if (tokenizer == NULL) return status_fail(error, STATUS_UNSUPPORTED, "%s", message);
    TokenList list = {0};
    char *copy = memory_copy_text(text, bytes);
    Status status = copy == NULL ? memory_fail(error, "the prompt")
                                 : tokenizer_encode(tokenizer, text, bytes, true, &list, error);
    if (status == STATUS_OK) status = check_ids(session, &list, error);
    if (status != STATUS_OK) {
        free(copy);
        token_list_free(&list);
        return status;
    }
    work_stop(&session->continuing); /* it belongs to the old prompt */
    free(session->prompt_text);
    token_list_free(&session->prompt_ids);
    session->prompt_text = copy;
    session->prompt_bytes = bytes;
    session->prompt_ids = list;
    session->prompt_added = session->prompt_response = 0;
    session->current_example = -1;
    return measure_prompt(session, error);
}

size_t session_example_count(const Session *session) {
    const Calibration *calibration = session_calibration(session, NULL);
    return calibration == NULL ? 0 : calibration->count;
}

const char *session_example(const Session *session, size_t index) {
    const Calibration *calibration = session_calibration(session, NULL);
    return calibration == NULL || index >= calibration->count ? NULL : calibration->rows[index].prompt;
}

Status session_use_example(Session *session, size_t index, Error *error) {
    const char *text = session_example(session, index);
    if (text == NULL) return status_fail(error, STATUS_ARGUMENT, "there is no example prompt of that number");
    Status status = session_set_prompt(session, text, strlen(text), error);
    if (status == STATUS_OK) session->current_example = (int)index;
    return status;
}

Status session_show_response(Session *session, Error *error) {
    TokenList *list = &session->prompt_ids;
    const Calibration *calibration = session_calibration(session, NULL);
    if (calibration == NULL || session->current_example < 0 ||
        (size_t)session->current_example >= calibration->count)
        return status_fail(error, STATUS_ARGUMENT, "the prompt is not that of a calibration row");
    const CalibrationRow *row = &calibration->rows[session->current_example];
    size_t shared = list->count - session->prompt_added - session->prompt_response;
    if (row->prompt_count >= row->count || row->prompt_count != shared)
        return status_fail(error, STATUS_ARGUMENT, "the row has no response");
    work_stop(&session->continuing); /* it belongs to the shorter text */
    list->count = shared;
    session->prompt_added = session->prompt_response = 0;
    Status status = STATUS_OK;
    for (size_t i = shared; i < row->count && status == STATUS_OK; i++) {
        status = token_list_append(list, row->ids[i], error);
        if (status == STATUS_OK) session->prompt_response++;
    }
    Status measured = measure_prompt(session, status == STATUS_OK ? error : NULL);
    return status != STATUS_OK ? status : measured;
}

int session_current_example(const Session *session) {
    return session->current_example;
}

void session_prompt_begin(Session *session) {
    session->continuation =
        (SessionContinuation){.side = SIDE_FUSED, .tokens = 32, .temperature = 0.0, .seed = 1};
    if (session->model == NULL || session->load.sft == NULL) return;
    Status status = STATUS_OK;
    if (session->first_prompt != NULL)
        status = session_set_prompt(session, session->first_prompt, strlen(session->first_prompt),
                                    &session->prompt_error);
    else if (session_example(session, 0) != NULL)
        status = session_use_example(session, 0, &session->prompt_error);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", session->prompt_error.message);
}

/* ---- the preview ---- */

const EvaluationResult *session_preview(const Session *session, Side side) {
    if (session->prompt == NULL) return NULL;
    switch (side) {
    case SIDE_BASE:
        return comparison_base(session->prompt);
    case SIDE_SFT:
        return comparison_sft(session->prompt);
    case SIDE_FUSED:
        return comparison_fused(session->prompt);
    case SIDE_COUNT:
        break;
    }
    return NULL;
}

bool session_preview_is_stale(const Session *session) {
    return session->prompt == NULL || comparison_is_stale(session->prompt, &session->settings);
}

const char *session_preview_message(const Session *session) {
    if (session->model == NULL) return session->model_error.message;
    const char *message;
    if (session->prompt == NULL && session_tokenizer(session, &message) == NULL) return message;
    if (session->prompt != NULL) return comparison_error(session->prompt);
    return session->prompt_error.status != STATUS_OK ? session->prompt_error.message : "no prompt yet";
}

double session_entropy_gap(const Session *session, size_t position) {
    const EvaluationResult *base = session_preview(session, SIDE_BASE);
    const EvaluationResult *sft = session_preview(session, SIDE_SFT);
    if (base == NULL || sft == NULL || position >= base->count) return NAN;
    return base->positions[position].entropy - sft->positions[position].entropy;
}

/* ---- pins ---- */

size_t session_pin_count(const Session *session) {
    return session->pin_count;
}

int32_t session_pin(const Session *session, size_t index) {
    return session->pins[index];
}

bool session_is_pinned(const Session *session, int32_t id) {
    for (size_t i = 0; i < session->pin_count; i++) {
        if (session->pins[i] == id) return true;
    }
    return false;
}

bool session_toggle_pin(Session *session, int32_t id) {
    for (size_t i = 0; i < session->pin_count; i++) {
        if (session->pins[i] != id) continue;
        session->pin_count--;
        memmove(session->pins + i, session->pins + i + 1, (session->pin_count - i) * sizeof *session->pins);
        return true;
    }
    if (session->pin_count == SESSION_PINS) return false;
    session->pins[session->pin_count++] = id;
    return true;
}

double session_probability(const Session *session, Side side, size_t position, int32_t id) {
    const EvaluationResult *result = session_preview(session, side);
    if (result == NULL) return NAN;
    return exp(evaluation_follow_token(session->model, result, position, id));
}

/* ---- continuing ---- */

SessionContinuation *session_continuation(Session *session) {
    return &session->continuation;
}

static Settings side_settings(const Session *session, Side side) {
    Settings settings = session->settings;
    if (side == SIDE_BASE) settings = (Settings){.alpha = 0.0};
    if (side == SIDE_SFT) settings = (Settings){.alpha = 1.0};
    return settings;
}

static void free_errand(SessionContinueErrand *errand) {
    free(errand->ids);
    free(errand->out);
    *errand = (SessionContinueErrand){0};
}

static Status generate(Job *job, void *argument, Error *error) {
    SessionContinueErrand *errand = argument;
    return generation_run(errand->model, &errand->settings, errand->ids, errand->count, &errand->options,
                          NULL, NULL, errand->out, &errand->generated, job, error);
}

Status session_continue(Session *session, Error *error) {
    const TokenList *list = &session->prompt_ids;
    const SessionContinuation *wanted = &session->continuation;
    if (session->prompt == NULL) return status_fail(error, STATUS_ARGUMENT, "there is no prompt to continue");
    if (work_is_running(&session->continuing))
        return status_fail(error, STATUS_ARGUMENT, "a continuation is running already");
    size_t tokens = wanted->tokens;
    uint64_t longest = session->model->config->max_positions;
    if (longest > 0 && list->count >= longest)
        return status_fail(error, STATUS_ARGUMENT, "the text fills the model's context of %zu tokens",
                           (size_t)longest);
    if (longest > 0 && tokens > longest - list->count) tokens = (size_t)longest - list->count;
    free_errand(&session->continue_errand);
    SessionContinueErrand *errand = &session->continue_errand;
    *errand = (SessionContinueErrand){
        .model = session->model,
        .settings = side_settings(session, wanted->side),
        .options = {.tokens = tokens, .temperature = wanted->temperature, .seed = wanted->seed},
        .ids = memory_allocate(list->count, sizeof *errand->ids),
        .out = memory_allocate(tokens, sizeof *errand->out),
        .count = list->count};
    if (errand->ids == NULL || errand->out == NULL) return memory_fail(error, "a continuation");
    memcpy(errand->ids, list->ids, list->count * sizeof *list->ids);
    return work_start(&session->continuing, session->threads, generate, errand, error);
}

bool session_is_continuing(const Session *session) {
    return work_is_running(&session->continuing);
}

/* What came before a cancellation stays: it was on its way to the screen. */
static void collect_continuation(Session *session) {
    const SessionContinueErrand *errand = &session->continue_errand;
    Error error = {0};
    Status status = STATUS_OK;
    if (session->continuing.status != STATUS_OK && session->continuing.status != STATUS_CANCELLED)
        session_say(session, SESSION_ERROR, "%s", session->continuing.error.message);
    for (size_t i = 0; i < errand->generated && status == STATUS_OK; i++) {
        status = token_list_append(&session->prompt_ids, errand->out[i], &error);
        if (status == STATUS_OK) session->prompt_added++;
    }
    if (status == STATUS_OK && errand->generated > 0) status = measure_prompt(session, &error);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error.message);
    free_errand(&session->continue_errand);
}

void session_remove_continuation(Session *session) {
    size_t *last = session->prompt_added > 0 ? &session->prompt_added : &session->prompt_response;
    if (*last == 0) return;
    work_stop(&session->continuing);
    session->prompt_ids.count -= *last;
    *last = 0;
    Error error;
    if (measure_prompt(session, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
}

bool session_prompt_refresh(Session *session) {
    bool changed = false;
    if (work_poll(&session->continuing)) {
        collect_continuation(session);
        changed = true;
    }
    if (session->prompt != NULL) changed |= comparison_refresh(session->prompt, &session->settings);
    return changed;
}

void session_prompt_close(Session *session) {
    work_stop(&session->continuing);
    free_errand(&session->continue_errand);
    comparison_free(session->prompt);
    free(session->prompt_text);
    token_list_free(&session->prompt_ids);
    free(session->target_list.targets);
}
