/*
 * session_prompt_internal — the part of a session that has the prompt, shared by session_prompt.c (the text, what the
 * models say of it, pins), session_prompt_continue.c (how it goes on) and session_prompt_measure.c, which both call.
 */
#ifndef REJUV_TUI_SESSION_PROMPT_INTERNAL_H
#define REJUV_TUI_SESSION_PROMPT_INTERNAL_H

#include "core/evaluation/generation.h"
#include "tui/session/live_evaluation.h"
#include "tui/session/session_prompt.h"

/* The job thread's while `continuing` runs. */
typedef struct ContinueErrand {
    const Model *model;
    Settings settings;
    GenerationOptions options;
    int32_t *ids, *out; /* the text so far, and room for options.tokens */
    int32_t end;        /* of a chat, besides the model's own ends of text; -1: none */
    size_t count, generated;
} ContinueErrand;

/* All but the errand is the UI thread's; `live` has a job of its own. */
struct SessionPromptPart {
    char *first_text, *first_chat; /* to be shown once the tokenizer is there; NULL: an example */
    bool has_begun;
    char *text;
    size_t bytes;
    TokenList ids;
    size_t added, response;
    int current_example;
    uint64_t revision; /* how often it was measured afresh */
    LiveEvaluation *live;
    EvaluationPrefix *prefix; /* of the text that was measured last; used by `live` */
    Error error;
    int32_t pins[SESSION_PINS];
    size_t pin_count;
    SessionContinuation continuation;
    Task continuing;
    ContinueErrand errand;
};

/* Measures the prompt's ids afresh, at every position. */
Status session_prompt_measure(Session *session, Error *error) STATUS_MUST_CHECK;

/* What a continuation brought, once it has ended; of a chat it is the assistant's turn. */
void session_prompt_collect(Session *session);

/* Also while one runs, after it has stopped. */
void session_prompt_free_errand(Session *session);

#endif
