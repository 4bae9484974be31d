/*
 * block_compressed — attention of DeepSeek-V4: one key head whose keys are its values, a window of them, and compressed
 * entries of what came before (compressor.h). For forward.c.
 *
 *     q        = each head of q_b(norm(q_a(x))), brought to length 1, its last channels turned
 *     k        = norm(kv(x)), the same
 *     mixed    = softmax of q against the window's keys, the entries and a sink, times keys and entries, turned back
 *     y        = out( each group of heads by a matrix of its own )
 */
#ifndef REJUV_CORE_BLOCK_COMPRESSED_H
#define REJUV_CORE_BLOCK_COMPRESSED_H

#include "core/transformer/norm.h"
#include "core/transformer/pass.h"

Status block_compressed_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* ---- for it and backward_compressed.c ---- */

/* Heads at once: so many that entries, of which there are no more than tokens, and a window have room in the rows of a block. */
enum { BLOCK_COMPRESSED_HEADS = ATTENTION_BLOCK / 2 };

/* Blocks of so many: on the way back each adds up what it gives to keys by itself. */
static inline size_t block_compressed_blocks(const LayerPlan *plan) {
    return ((size_t)plan->heads + BLOCK_COMPRESSED_HEADS - 1) / BLOCK_COMPRESSED_HEADS;
}

/* Rows of keys that are values too: entries, then the window. */
typedef struct SharedKeys {
    const float *rows[2];
    size_t counts[2];
} SharedKeys;

/* What a token sees at a position of the text that begins at cell `start`. */
SharedKeys block_compressed_find_keys(const ForwardState *state, uint64_t layer, size_t start,
                                      size_t position);

/* x · kᵀ of some heads, to [heads × all keys]. */
void block_compressed_multiply_keys(const SharedKeys *keys, size_t heads, size_t dim, const float *x,
                                    float *scores);

/* Softmax weights of some heads of the token whose query is in that row of the buffer. */
void block_compressed_weigh(const ForwardState *state, uint64_t layer, const SharedKeys *keys, size_t token,
                            uint64_t head, size_t heads, float *scores);

/* Of each head of queries. */
Norm block_compressed_query_norm(const ModelConfig *config, const LayerPlan *plan);

#endif
