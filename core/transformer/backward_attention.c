#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/backward_state.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <string.h>

/*
 * A task is one key/value head of one sequence. For each query head of its group, a block of queries at a
 * time:
 *
 *     P = softmax(Q·Kᵀ / √d)          again, as in the forward pass
 *     dP = dM·Vᵀ                      dV += Pᵀ·dM
 *     dS = P ⊙ (dP − rowsum(dP ⊙ P))  dQ = dS·K / √d      dK += dSᵀ·Q / √d
 *
 * Q and K after rotary embedding (they are in BUFFER_QUERY and in the KV cache of the run that just passed
 * the layer). Then dQ and dK are turned back by the rotation, and through the q/k norms.
 */
size_t backward_attention_scratch(size_t tokens) {
    return (size_t)2 * ATTENTION_BLOCK * tokens;
}

typedef struct Head {
    const Descent *descent;
    const Backward *backward;
    size_t sequence, tokens; /* of the sequence */
    size_t row_token;        /* the row's first token among all rows */
    size_t first;            /* the sequence's first token among all sequences */
    uint64_t head, kv_head;
} Head;

static float *slope_of(const Head *head, Slope slope, uint64_t index) {
    const ModelConfig *config = head->backward->model->config;
    uint64_t heads = slope == SLOPE_KEY || slope == SLOPE_VALUE ? config->kv_heads : config->heads;
    return head->backward->slopes[slope] + (head->first * heads + index) * config->head_dim;
}

/* Softmax weights of queries [at, at + count) over keys [0, at + count); a key outside a query's sight has
 * weight 0. */
static void weigh(const Head *head, size_t at, size_t count, float *weights) {
    const ModelConfig *config = head->backward->model->config;
    const ForwardState *state = head->backward->state;
    size_t dim = config->head_dim, width = config->heads * dim, keys = at + count;
    size_t cache =
        ((head->descent->layer * config->kv_heads + head->kv_head) * state->capacity + head->row_token) * dim;
    const float *query = state->buffers[BUFFER_QUERY] + (head->row_token + at) * width + head->head * dim;
    blas_multiply_transposed(count, keys, dim, query, width, state->keys + cache, dim, 0.0F, weights, keys);
    bool slides = architecture_slides(config, head->descent->layer);
    for (size_t i = 0; i < count; i++) {
        size_t to = at + i + 1, from = slides && to > config->window ? to - config->window : 0;
        attention_weigh(weights + i * keys, from, to, keys, (float)(1.0 / sqrt((double)dim)));
    }
}

/* dS in place of dP, scaled by 1 / √d. */
static void differentiate_softmax(const float *weights, float *slopes, size_t count, size_t keys,
                                  float scale) {
    for (size_t i = 0; i < count; i++) {
        const float *p = weights + i * keys;
        float *dp = slopes + i * keys;
        double sum = 0.0;
        for (size_t k = 0; k < keys; k++) sum += (double)p[k] * (double)dp[k];
        for (size_t k = 0; k < keys; k++) dp[k] = p[k] * (float)((double)dp[k] - sum) * scale;
    }
}

static void descend_block(const Head *head, size_t at, float *scratch) {
    const ModelConfig *config = head->backward->model->config;
    const ForwardState *state = head->backward->state;
    size_t dim = config->head_dim, width = config->heads * dim, kv_width = config->kv_heads * dim;
    size_t count = head->tokens - at < ATTENTION_BLOCK ? head->tokens - at : ATTENTION_BLOCK,
           keys = at + count;
    size_t cache =
        ((head->descent->layer * config->kv_heads + head->kv_head) * state->capacity + head->row_token) * dim;
    float *weights = scratch, *slopes = scratch + ATTENTION_BLOCK * head->tokens;
    const float *mixed = slope_of(head, SLOPE_MIXED, head->head) + at * width;
    const float *query = state->buffers[BUFFER_QUERY] + (head->row_token + at) * width + head->head * dim;
    weigh(head, at, count, weights);
    blas_multiply_left_transposed(keys, dim, count, weights, keys, mixed, width, 1.0F,
                                  slope_of(head, SLOPE_VALUE, head->kv_head), kv_width);
    blas_multiply_transposed(count, keys, dim, mixed, width, state->values + cache, dim, 0.0F, slopes, keys);
    differentiate_softmax(weights, slopes, count, keys, (float)(1.0 / sqrt((double)dim)));
    blas_multiply(count, dim, keys, slopes, keys, state->keys + cache, dim, 0.0F,
                  slope_of(head, SLOPE_QUERY, head->head) + at * width, width);
    blas_multiply_left_transposed(keys, dim, count, slopes, keys, query, width, 1.0F,
                                  slope_of(head, SLOPE_KEY, head->kv_head), kv_width);
}

/* Back through the rotation (its transpose turns the other way) and the norm of a head. */
static void unposition(const Head *head, size_t token, float *slope, const float *raw, TensorRole norm) {
    const Backward *backward = head->backward;
    const ModelConfig *config = backward->model->config;
    size_t dim = config->head_dim, half = dim / 2;
    for (size_t i = 0; i < half; i++) {
        float angle = (float)token * backward->model->inverse_frequencies[i];
        float cosine = (float)cos((double)angle), sine = (float)sin((double)angle);
        float a = slope[i], b = slope[i + half];
        slope[i] = a * cosine + b * sine;
        slope[i + half] = b * cosine - a * sine;
    }
    const float *weight = forward_vector(backward->state, head->descent->layer, norm);
    if (weight == NULL) return;
    float through[512];
    size_t most = sizeof through / sizeof *through;
    if (dim > most) return; /* refused by backward_create() */
    memset(through, 0, dim * sizeof *through);
    norm_backward(raw, weight, slope, dim, config->norm_epsilon, through);
    memcpy(slope, through, dim * sizeof *through);
}

static void unposition_all(const Head *head, uint64_t group) {
    const Backward *backward = head->backward;
    const ModelConfig *config = backward->model->config;
    size_t dim = config->head_dim, width = config->heads * dim, kv_width = config->kv_heads * dim;
    for (size_t t = 0; t < head->tokens; t++) {
        size_t token = head->row_token + t;
        const float *key = backward->activations[BACKWARD_KEY] + token * kv_width + head->kv_head * dim;
        unposition(head, t, slope_of(head, SLOPE_KEY, head->kv_head) + t * kv_width, key, TENSOR_K_NORM);
        for (uint64_t h = head->kv_head * group; h < (head->kv_head + 1) * group; h++) {
            const float *query = backward->activations[BACKWARD_QUERY] + token * width + h * dim;
            unposition(head, t, slope_of(head, SLOPE_QUERY, h) + t * width, query, TENSOR_Q_NORM);
        }
    }
}

static void descend_head(void *argument, size_t task, unsigned worker) {
    const Descent *descent = argument;
    const Backward *backward = descent->backward;
    const ModelConfig *config = backward->model->config;
    uint64_t group = config->heads / config->kv_heads;
    Head head = {.descent = descent, .backward = backward, .sequence = task / config->kv_heads};
    head.kv_head = task % config->kv_heads;
    head.tokens = descent->sequences[head.sequence].tokens;
    head.row_token = backward->row_first[descent->sequences[head.sequence].row];
    head.first = descent->first[head.sequence];
    size_t dim = config->head_dim, kv_width = config->kv_heads * dim;
    for (size_t t = 0; t < head.tokens; t++) {
        memset(slope_of(&head, SLOPE_KEY, head.kv_head) + t * kv_width, 0, dim * sizeof(float));
        memset(slope_of(&head, SLOPE_VALUE, head.kv_head) + t * kv_width, 0, dim * sizeof(float));
    }
    float *scratch = descent->scratch + (size_t)worker * descent->scratch_stride;
    for (head.head = head.kv_head * group; head.head < (head.kv_head + 1) * group; head.head++) {
        for (size_t at = 0; at < head.tokens; at += ATTENTION_BLOCK) {
            if (job_is_cancelled(descent->job)) return;
            descend_block(&head, at, scratch);
        }
    }
    unposition_all(&head, group);
}

Status backward_attention(const Descent *descent, Error *error) {
    size_t tasks;
    if (!memory_multiply(descent->count, descent->backward->model->config->kv_heads, &tasks))
        return memory_fail(error, "attention");
    Descent shared = *descent;
    return job_run(descent->job, tasks, descend_head, &shared, error);
}
