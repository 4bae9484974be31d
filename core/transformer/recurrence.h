/*
 * recurrence — the state that layers keep of a text in place of keys and values: allocated with a ForwardState, taken on
 * token by token by their blocks, put back where a call fails or is rewound. For the files of this room.
 *
 *     begin ─► blocks change `now` ─► end        `before`: as it was at begin
 *
 * A text begins at the token whose start is its own index in the cache: there its state is zero.
 */
#ifndef REJUV_CORE_RECURRENCE_H
#define REJUV_CORE_RECURRENCE_H

#include "core/transformer/forward_internal.h"

/* What a state takes in memory whatever its capacity; UINT64_MAX where that overflows. */
uint64_t recurrence_bytes(const ModelConfig *config);

/* Nothing is allocated for a model that has no such layers. */
Status recurrence_allocate(const ModelConfig *config, Recurrence *recurrence, Error *error) STATUS_MUST_CHECK;
void recurrence_free(Recurrence *recurrence);

/* STATUS_UNSUPPORTED where the input does not go on from the token before each, or begin a text: it has places, or starts
 * within a text, or the cache was rewound to where no state is left. */
Status recurrence_check_input(ForwardState *const *states, size_t count, const ForwardInput *input,
                              Error *error) STATUS_MUST_CHECK;

/* Around a call whose input is checked; its states' lengths are those before and after it. */
void recurrence_begin(ForwardState *const *states, size_t count);
void recurrence_end(ForwardState *const *states, size_t count, const ForwardInput *input, bool is_done);

/* Lightning attention: STATUS_UNSUPPORTED names the first layer where a token of a block would see later ones; the state's
 * vectors are blended. */
Status recurrence_check_decays(const ForwardState *state, Error *error) STATUS_MUST_CHECK;

/* Of a layer that has one, as its block lays it out. */
float *recurrence_of_layer(const ForwardState *state, uint64_t layer);

/* Whether a text begins with that token of the chunk. */
static inline bool recurrence_begins(const Chunk *chunk, size_t token) {
    return chunk_start(chunk, token) == chunk->first + token;
}

/* What a convolution of so many channels keeps, which is the first part of a layer's state: floats. */
static inline size_t recurrence_convolution_size(const ModelConfig *config, size_t channels) {
    return channels * (config->recurrent.taps - 1);
}

/* One step of a causal convolution of one channel: Σ weight[k] · x[t − taps + 1 + k], where `last` holds the taps − 1
 * inputs before x, oldest first, and takes x on. */
static inline float recurrence_convolve(const float *weight, size_t taps, float *last, float x) {
    float sum = 0.0F;
    for (size_t k = 0; k + 1 < taps; k++) {
        sum += weight[k] * last[k];
        last[k] = k + 2 < taps ? last[k + 1] : x;
    }
    return sum + weight[taps - 1] * x;
}

/* ---- the way back ---- */

/* ⌈√tokens⌉: what a way back computes again at once, and how many such windows there are at most. */
size_t recurrence_window(size_t tokens);

/* Heads of a state space that share what is written and read, of one group, go back in so many parts side by side, each of
 * which adds up by itself; and what all of them need for that, of a token: of each part 2 · key_dim. */
size_t recurrence_parts(const ModelConfig *config);
size_t recurrence_shared_width(const ModelConfig *config);

/* Σ a[i] · b[i], in 8 lanes. */
static inline float recurrence_dot(const float *a, const float *b, size_t size) {
    float lanes[8] = {0.0F};
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        for (size_t k = 0; k < 8; k++) lanes[k] += a[i + k] * b[i + k];
    for (; i < size; i++) lanes[i % 8] += a[i] * b[i];
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

#endif
