/*
 * forward_state — a ForwardState is one setting's run through a model: its KV cache, its norms and biases
 * (small, blended once), its activations. And what a sequence takes in memory, and may take.
 */
#ifndef REJUV_CORE_FORWARD_STATE_H
#define REJUV_CORE_FORWARD_STATE_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"

typedef struct ForwardState ForwardState;

/* Where in the cache a token goes, and what it attends to. Its position is prefix_count + cell - first. */
typedef struct ForwardPlace {
    size_t cell, first; /* its own; its sequence has cells [first, cell] */
    size_t prefix,
        prefix_count; /* and begins with cells [prefix, prefix + prefix_count), which others may share */
} ForwardPlace;

/* ---- memory ---- */

/* What one more token of a sequence takes while `states` settings run over it side by side: keys and values
 * of every layer, the hidden state after the final norm, and a column of attention scores for each thread.
 * (Activations are bounded for themselves, see forward_run().) UINT64_MAX where that overflows. */
uint64_t forward_token_bytes(const ModelConfig *config, size_t states, unsigned threads);

/* What one sequence may take: half of the memory that this process may use (memory_limit.h: a batch system's limit
 * counts), 16 GiB at most. It is found out once. */
uint64_t forward_memory_limit(void);

/* STATUS_UNSUPPORTED where `tokens` of `token_bytes` each are more than `limit`; the message says how many
 * fit. `what` they are needed for: "a forward pass". */
Status forward_check_memory(uint64_t token_bytes, size_t tokens, uint64_t limit, const char *what,
                            Error *error) STATUS_MUST_CHECK;

/* ---- one run ---- */

/* Whose config.json counts: base's where the weights are base's alone (every α is 0), else SFT's. So that each of the
 * two models is computed as it is, and W as the export will be. */
const ModelSide *forward_side(const Model *model, const Settings *settings);

/* `capacity`: the most tokens the cache will hold. One that does not fit
 * forward_memory_limit() is refused. The model must outlive the state; the settings are checked and copied. */
Status forward_create_state(const Model *model, const Settings *settings, size_t capacity,
                            ForwardState **state, Error *error) STATUS_MUST_CHECK;
void forward_free_state(ForwardState *state); /* takes NULL */

size_t forward_length(const ForwardState *state);

/* Forgets the cached tokens from `length` on. Layers that keep a state of their text (LFM2's) have it for the length before
 * the last call, and for 0: from any other a text cannot go on, which forward_run() says; a new one can begin there. */
void forward_rewind(ForwardState *state, size_t length);

/* Whether what is cached before `length` is what any text that begins so would have there, so that it can go on from there
 * after forward_rewind(): not where a state of the text is no longer kept for that length, nor where tokens are turned
 * by how long the whole text is (dynamic and longrope embeddings). */
bool forward_keeps_prefix(const ForwardState *state, size_t length);

/* [tokens of the last forward_run × hidden_size], after the final norm. */
const float *forward_hidden(const ForwardState *state);

#endif
