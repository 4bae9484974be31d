/*
 * session_prompt — the prompt on screen: its tokens, the three models' distributions at each, pins,
 * continuation.
 */
#ifndef REJUV_TUI_SESSION_PROMPT_H
#define REJUV_TUI_SESSION_PROMPT_H

#include "core/evaluation/calibration.h"
#include "core/evaluation/evaluation.h"
#include "core/evaluation/logit_curves.h"
#include "core/fusion/settings.h"
#include "tui/session/session_chat.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

enum { SESSION_TOP = 32, SESSION_PINS = 8 };

/* A name for titles: "base", "SFT", "W". */
const char *session_side_name(Side side);

/* The prompt as text (NULL before there is one) and as ids. Position t predicts token t + 1. */
const char *session_prompt_text(const Session *session, size_t *bytes);
size_t session_prompt_tokens(const Session *session, const int32_t **ids);

/* How many of the tokens, from the end, a continuation added; and how many before those are the response of
 * the calibration row that is on screen. */
size_t session_prompt_added(const Session *session);
size_t session_prompt_response(const Session *session);

/* Encodes and measures. STATUS_ARGUMENT where there is no tokenizer or model, or the text has no tokens. The chat
 * template is off from then on. */
Status session_set_prompt(Session *session, const char *text, size_t bytes, Error *error) STATUS_MUST_CHECK;

/* The same of a conversation: its text is encoded as it is, without the tokenizer's special tokens, and the template is
 * on. Takes the draft, or drops it. `example`: the calibration row that it is of; -1: none. */
Status session_show_chat(Session *session, SessionChatDraft *draft, int example,
                         Error *error) STATUS_MUST_CHECK;

/* The example prompts: those of the calibration rows. With the template on an example is the user's turn of a new
 * conversation; one that is a conversation itself is shown whole, and turns the template on. */
size_t session_example_count(const Session *session);
const char *session_example(const Session *session, size_t index);
Status session_use_example(Session *session, size_t index, Error *error) STATUS_MUST_CHECK;
int session_current_example(const Session *session); /* -1: the prompt was typed */

/* Puts the calibration row's response behind its prompt, as it was measured: both models are led through it.
 * What a continuation added goes. STATUS_ARGUMENT where the prompt is no row's, or the row has no response. */
Status session_show_response(Session *session, Error *error) STATUS_MUST_CHECK;

/* The results of a side over all positions; NULL while there are none. Those of SIDE_FUSED may be stale.
 */
const EvaluationResult *session_preview(const Session *session, Side side);
bool session_preview_is_stale(const Session *session);

/* What W will say at the dials, from curves over α, while session_preview() of it is stale: NULL where it is not, or where
 * there are none: they are measured after a sweep over α on the calibration rows. */
const LogitEstimate *session_preview_estimate(const Session *session);

/* Why there is no preview: no model, no tokenizer, an error; NULL while it is measured or there. */
const char *session_preview_message(const Session *session);

/* H_base − H_SFT at a position; NaN while it is not known. Positive where SFT became surer. */
double session_entropy_gap(const Session *session, size_t position);

/* ---- pins: tokens whose probability is followed ---- */

size_t session_pin_count(const Session *session);
int32_t session_pin(const Session *session, size_t index);
bool session_is_pinned(const Session *session, int32_t id);

/* Pins, or removes. False when SESSION_PINS are pinned already. */
bool session_toggle_pin(Session *session, int32_t id);

/* The probability of any token at a position; NaN while it is not known. */
double session_probability(const Session *session, Side side, size_t position, int32_t id);

/* ---- continuing the text ---- */

typedef struct SessionContinuation {
    Side side;
    size_t tokens;
    double temperature; /* 0: greedy */
    uint64_t seed;
} SessionContinuation;

/* How the next continuation goes; the view changes it. */
SessionContinuation *session_continuation(Session *session);

/* Appends tokens to the prompt in the background; then measures again. With the template on they are the assistant's
 * turn, which the model's end of text ends: then there is nothing more to continue (STATUS_ARGUMENT). */
Status session_continue(Session *session, Error *error) STATUS_MUST_CHECK;
bool session_is_continuing(const Session *session);

/* Takes the added tokens off again; where there are none, the response. */
void session_remove_continuation(Session *session);

/* ---- for the other parts of a session ---- */

struct SessionOptions;
Status session_prompt_open(Session *session, const struct SessionOptions *options,
                           Error *error) STATUS_MUST_CHECK;

/* The rows are there: the first time it shows a first prompt, after that it follows other rows. */
void session_prompt_begin(Session *session);
bool session_prompt_refresh(Session *session);
void session_prompt_list(Session *session, Task **tasks);
bool session_prompt_cancel_preview(Session *session, SessionTask task);
void session_prompt_free(Session *session);

/* The text on screen as rows of their own: its tokens as they are, what a continuation or a row's response added as the
 * response. The caller frees them. */
Status session_prompt_make_rows(const Session *session, Calibration **rows, Error *error) STATUS_MUST_CHECK;

/* Another number, another text: what was worked out for it is of an old one. */
uint64_t session_prompt_revision(const Session *session);

#endif
