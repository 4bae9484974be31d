/*
 * block_connections — hyper-connections (DeepSeek-V4): in place of one stream there are n, which each block takes together
 * and is added to by weights that depend on them. For forward.c.
 *
 *     x        = all streams side by side, [n · hidden_size]
 *     p, o, c  = W x / rms(x), [n], [n], [n × n]
 *     block in = Σ (sigmoid(a₀ p + b) + ε)ᵢ · streamᵢ
 *     stream k = 2 sigmoid(a₁ o + b)ₖ · block out + Σⱼ C[j, k] · streamⱼ
 *     C        = softmax of each row of a₂ c + b, + ε, whose columns and rows are brought to a sum of 1 by turns
 *     end      = Σ (sigmoid(a W x / rms(x) + b) + ε)ᵢ · streamᵢ
 *
 * BUFFER_CONNECTED is the streams, BUFFER_RESIDUAL what a block takes of them, BUFFER_CONNECTION W x / rms(x). The way back:
 * backward_connections.h.
 */
#ifndef REJUV_CORE_BLOCK_CONNECTIONS_H
#define REJUV_CORE_BLOCK_CONNECTIONS_H

#include "core/transformer/pass.h"

/* What a connection's weights are made with: b, and the three numbers a; of the last the one. */
typedef struct ConnectionParts {
    const float *base, *scale;
} ConnectionParts;

enum { CONNECTION_WEIGHTS = (2 + MODEL_MAX_CONNECTIONS) * MODEL_MAX_CONNECTIONS };

/* The share of a stream in what a block takes, and in the end: sigmoid(x) + ε. */
float block_connections_share(const ModelConfig *config, float x);

/* Which of its three numbers a weight is scaled by: that of p, of o, or of c. */
static inline size_t block_connections_scale_index(size_t n, size_t weight) {
    return weight < 2 * n ? weight / n : 2;
}

/* From W x / rms(x), [(2 + n) · n], to a ⊙ that + b; and to the weights themselves, in the order of p, o and C. */
void block_connections_scale(const ModelConfig *config, ConnectionParts parts, const float *projected,
                             float *bent);
void block_connections_weigh(const ModelConfig *config, ConnectionParts parts, const float *projected,
                             float *weights);

/* Each does nothing where the model has one stream. `first`: the connection's matrix, before its base and scale. */
Status block_connections_begin(const Pass *pass, Error *error) STATUS_MUST_CHECK;
Status block_connections_take(const Pass *pass, TensorPart first, Error *error) STATUS_MUST_CHECK;
Status block_connections_end(const Pass *pass, Error *error) STATUS_MUST_CHECK;

static inline bool block_connections_are_there(const Pass *pass) {
    return pass->chunk.states[0]->side->config->connections > 0;
}

/* In place of adding a block to the stream. */
Status block_connections_add(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
