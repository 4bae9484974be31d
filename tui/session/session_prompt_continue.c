#include "core/support/memory.h"
#include "tui/session/session_files.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_prompt_internal.h"

#include <stdlib.h>
#include <string.h>

SessionContinuation *session_continuation(Session *session) {
    return &session->prompt->continuation;
}

static Settings side_settings(const Session *session, Side side) {
    Settings settings = session->settings;
    if (side == SIDE_BASE) settings = (Settings){.alpha = 0.0};
    if (side == SIDE_SFT) settings = (Settings){.alpha = 1.0};
    return settings;
}

void session_prompt_free_errand(Session *session) {
    ContinueErrand *errand = &session->prompt->errand;
    free(errand->ids);
    free(errand->out);
    *errand = (ContinueErrand){0};
}

static Status generate(Job *job, void *argument, Error *error) {
    ContinueErrand *errand = argument;
    return generation_run(errand->model, &errand->settings, errand->ids, errand->count, &errand->options,
                          NULL, NULL, errand->out, &errand->generated, job, error);
}

/* What the tokenizer has as its end is what a chat was trained to stop with, whatever the configuration says. */
static int32_t chat_end(const Session *session) {
    const char *from;
    return session_chat_is_on(session) ? tokenizer_end(session_tokenizer(session, NULL), &from) : -1;
}

Status session_continue(Session *session, Error *error) {
    const TokenList *list = &session->prompt->ids;
    const SessionContinuation *wanted = &session->prompt->continuation;
    if (session->prompt->live == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no prompt to continue");
    if (task_is_running(&session->prompt->continuing))
        return status_fail(error, STATUS_ARGUMENT, "a continuation is running already");
    if (session_chat_is_answered(session))
        return status_fail(error, STATUS_ARGUMENT,
                           "the assistant's turn has ended: the next is the user's, or take it off to have "
                           "another");
    size_t tokens = wanted->tokens;
    uint64_t longest = session->model->config->max_positions;
    if (longest > 0 && list->count >= longest)
        return status_fail(error, STATUS_ARGUMENT, "the text fills the model's context of %zu tokens",
                           (size_t)longest);
    if (longest > 0 && tokens > longest - list->count) tokens = (size_t)longest - list->count;
    session_prompt_free_errand(session);
    ContinueErrand *errand = &session->prompt->errand;
    *errand = (ContinueErrand){
        .model = session->model,
        .settings = side_settings(session, wanted->side),
        .options = {.tokens = tokens, .sampling = {.temperature = wanted->temperature}, .seed = wanted->seed},
        .ids = memory_allocate(list->count, sizeof *errand->ids),
        .out = memory_allocate(tokens, sizeof *errand->out),
        .count = list->count,
        .end = chat_end(session)};
    errand->options.ends = &errand->end;
    errand->options.end_count = errand->end >= 0;
    if (errand->ids == NULL || errand->out == NULL) return memory_fail(error, "a continuation");
    memcpy(errand->ids, list->ids, list->count * sizeof *list->ids);
    return task_start(&session->prompt->continuing, session->threads, generate, errand, error);
}

bool session_is_continuing(const Session *session) {
    return task_is_running(&session->prompt->continuing);
}

/* As generation_run() stops at them. */
static bool ends_text(const ContinueErrand *errand, int32_t token) {
    return token == errand->end || generation_ends_text(errand->model, &errand->settings, token);
}

/* What was added is the assistant's turn, without the token that ends it; other special tokens are what it said. */
static Status hear_answer(Session *session, const ContinueErrand *errand, Error *error) {
    const struct SessionPromptPart *prompt = session->prompt;
    const int32_t *first = prompt->ids.ids + prompt->ids.count - prompt->added;
    bool has_ended = ends_text(errand, first[prompt->added - 1]);
    char *text;
    size_t bytes;
    Status status = tokenizer_decode(session_tokenizer(session, NULL), first, prompt->added - has_ended,
                                     false, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    status = session_chat_hear(session, text, bytes, has_ended, error);
    free(text);
    return status;
}

/* What came before a cancellation stays: it was on its way to the screen. */
void session_prompt_collect(Session *session) {
    const ContinueErrand *errand = &session->prompt->errand;
    Error error = {0};
    Status status = STATUS_OK;
    if (session->prompt->continuing.status != STATUS_OK &&
        session->prompt->continuing.status != STATUS_CANCELLED)
        session_say(session, SESSION_ERROR, "%s", session->prompt->continuing.error.message);
    for (size_t i = 0; i < errand->generated && status == STATUS_OK; i++) {
        status = token_list_append(&session->prompt->ids, errand->out[i], &error);
        if (status == STATUS_OK) session->prompt->added++;
    }
    if (status == STATUS_OK && errand->generated > 0 && session_chat_is_on(session))
        status = hear_answer(session, errand, &error);
    if (status == STATUS_OK && errand->generated > 0) status = session_prompt_measure(session, &error);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error.message);
    session_prompt_free_errand(session);
}

void session_remove_continuation(Session *session) {
    size_t *last = session->prompt->added > 0 ? &session->prompt->added : &session->prompt->response;
    if (*last == 0) return;
    task_stop(&session->prompt->continuing);
    session->prompt->ids.count -= *last;
    *last = 0;
    Error error;
    if (session_prompt_measure(session, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
}
