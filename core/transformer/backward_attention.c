#include "core/transformer/backward_attention.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/attention.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>
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

/* One head of one sequence. */
typedef struct Head {
    const BackwardAttention *attention;
    const ModelConfig *config;
    const BackwardSpan *span;
    uint64_t head, kv_head;
} Head;

/* Where the row's keys, and its values, begin in the cache. */
static size_t cache_of(const Head *head) {
    const BackwardAttention *attention = head->attention;
    return forward_cache(attention->state, attention->layer, head->kv_head) +
           head->span->row * head->config->head_dim;
}

/* The query at `at`, after rotary embedding, of all that the row has. */
static const float *query_of(const Head *head, size_t at) {
    size_t dim = head->config->head_dim, width = head->config->heads * dim;
    return head->attention->state->buffers[BUFFER_QUERY] + (head->span->row + at) * width + head->head * dim;
}

/* Gradients of the sequence's first token at the head's own keys or values. */
static float *kv_slope(const Head *head, float *slopes) {
    return slopes + (head->span->first * head->config->kv_heads + head->kv_head) * head->config->head_dim;
}

/* Softmax weights of queries [at, at + count) over keys [0, at + count); a key outside a query's sight has
 * weight 0. */
static void weigh(const Head *head, size_t at, size_t count, float *weights) {
    const ModelConfig *config = head->config;
    size_t dim = config->head_dim, width = config->heads * dim, keys = at + count;
    blas_multiply_transposed(count, keys, dim, query_of(head, at), width,
                             head->attention->state->keys + cache_of(head), dim, 0.0F, weights, keys);
    const LayerPlan *plan = architecture_layer(config, head->attention->layer);
    const ScoreRule rule = attention_rule(head->attention->state, head->attention->layer, head->head);
    for (size_t i = 0; i < count; i++)
        attention_weigh(&rule, weights + i * keys, attention_first(plan, at + i), at + i + 1, keys);
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
    const BackwardAttention *attention = head->attention;
    const ModelConfig *config = head->config;
    size_t dim = config->head_dim, width = config->heads * dim, kv_width = config->kv_heads * dim;
    size_t left = head->span->tokens - at, count = left < ATTENTION_BLOCK ? left : ATTENTION_BLOCK,
           keys = at + count, cache = cache_of(head);
    float *weights = scratch, *slopes = scratch + ATTENTION_BLOCK * head->span->tokens;
    size_t place = (head->span->first + at) * width + head->head * dim;
    const float *mixed = attention->mixed + place;
    weigh(head, at, count, weights);
    blas_multiply_left_transposed(keys, dim, count, weights, keys, mixed, width, 1.0F,
                                  kv_slope(head, attention->to_value), kv_width);
    blas_multiply_transposed(count, keys, dim, mixed, width, attention->state->values + cache, dim, 0.0F,
                             slopes, keys);
    differentiate_softmax(weights, slopes, count, keys, (float)config->attention_scale);
    blas_multiply(count, dim, keys, slopes, keys, attention->state->keys + cache, dim, 0.0F,
                  attention->to_query + place, width);
    blas_multiply_left_transposed(keys, dim, count, slopes, keys, query_of(head, at), width, 1.0F,
                                  kv_slope(head, attention->to_key), kv_width);
}

/* Back through the rotation (its transpose turns the other way) and the norm of a head; `sums`, or NULL: of the norm's
 * weight. */
static void unposition(const Head *head, size_t token, float *slope, const float *raw, TensorRole norm,
                       double *sums) {
    const ForwardState *state = head->attention->state;
    const Rope *rope = &head->config->ropes[0];
    size_t dim = head->config->head_dim, half = dim / 2;
    double scale = rope->attention_factor;
    const float *frequencies = head->attention->frequencies;
    for (size_t i = 0; i < half; i++) {
        float angle = (float)token * frequencies[i];
        float cosine = (float)(cos((double)angle) * scale), sine = (float)(sin((double)angle) * scale);
        float a = slope[i], b = slope[i + half];
        slope[i] = a * cosine + b * sine;
        slope[i + half] = b * cosine - a * sine;
    }
    Norm through_norm = forward_norm(state, head->attention->layer, norm);
    through_norm.size = dim;
    if (through_norm.weight == NULL) return;
    if (sums != NULL) norm_add_weight_gradient(&through_norm, raw, slope, sums);
    float through[BACKWARD_LARGEST_NORMED_HEAD];
    if (dim > BACKWARD_LARGEST_NORMED_HEAD) return; /* refused by backward_create() */
    memset(through, 0, dim * sizeof *through);
    norm_backward(&through_norm, raw, slope, through);
    memcpy(slope, through, dim * sizeof *through);
}

/* Where the sums of this sequence and key/value head are, begun with zeros; NULL where they are not wanted. */
static double *begin_sums(const Head *head, double *sums) {
    size_t dim = head->config->head_dim;
    if (sums == NULL) return NULL;
    size_t sequence = (size_t)(head->span - head->attention->spans);
    double *own = sums + (sequence * head->config->kv_heads + head->kv_head) * dim;
    memset(own, 0, dim * sizeof *own);
    return own;
}

static void unposition_all(const Head *head, uint64_t group) {
    const BackwardAttention *attention = head->attention;
    double *query_sums = begin_sums(head, attention->to_query_norm),
           *key_sums = begin_sums(head, attention->to_key_norm);
    size_t dim = head->config->head_dim, width = head->config->heads * dim;
    size_t kv_width = head->config->kv_heads * dim;
    for (size_t t = 0; t < head->span->tokens; t++) {
        size_t token = head->span->row + t, own = head->span->first + t;
        const float *key = attention->key + token * kv_width + head->kv_head * dim;
        unposition(head, t, kv_slope(head, attention->to_key) + t * kv_width, key, TENSOR_K_NORM, key_sums);
        for (uint64_t h = head->kv_head * group; h < (head->kv_head + 1) * group; h++)
            unposition(head, t, attention->to_query + own * width + h * dim,
                       attention->query + token * width + h * dim, TENSOR_Q_NORM, query_sums);
    }
}

static void descend_head(void *argument, size_t task, unsigned worker) {
    const BackwardAttention *attention = argument;
    const ModelConfig *config = attention->state->side->config;
    uint64_t group = config->heads / config->kv_heads;
    Head head = {.attention = attention,
                 .config = config,
                 .span = &attention->spans[task / config->kv_heads],
                 .kv_head = task % config->kv_heads};
    size_t dim = config->head_dim, kv_width = config->kv_heads * dim;
    for (size_t t = 0; t < head.span->tokens; t++) {
        memset(kv_slope(&head, attention->to_key) + t * kv_width, 0, dim * sizeof(float));
        memset(kv_slope(&head, attention->to_value) + t * kv_width, 0, dim * sizeof(float));
    }
    float *scratch = attention->scratch + (size_t)worker * attention->scratch_stride;
    for (head.head = head.kv_head * group; head.head < (head.kv_head + 1) * group; head.head++) {
        for (size_t at = 0; at < head.span->tokens; at += ATTENTION_BLOCK) {
            if (job_is_cancelled(attention->job)) return;
            descend_block(&head, at, scratch);
        }
    }
    unposition_all(&head, group);
}

Status backward_attention_run(const BackwardAttention *attention, Error *error) {
    size_t tasks;
    if (!memory_multiply(attention->count, attention->state->side->config->kv_heads, &tasks))
        return memory_fail(error, "attention");
    BackwardAttention shared = *attention;
    const Rope *rope = &attention->state->side->config->ropes[0];
    float *frequencies = memory_allocate(rope->dims / 2 + 1, sizeof *frequencies);
    if (frequencies == NULL) return memory_fail(error, "attention");
    model_rope_frequencies(rope, 0, frequencies);
    shared.frequencies = frequencies;
    Status status = job_run(attention->job, tasks, descend_head, &shared, error);
    free(frequencies);
    return status;
}
