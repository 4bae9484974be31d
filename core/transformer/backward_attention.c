#include "core/transformer/backward_attention.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/attention.h"

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
 * Q and K after q/k norms and rotary embedding (they are in BUFFER_QUERY and in the KV cache of the run that just
 * passed the layer). Where scores are capped, dS is times 1 − tanh² of what goes into the cap; a sink takes weight and
 * gives nothing, so that its dP is 0.
 */
size_t backward_attention_scratch(size_t tokens) {
    return (size_t)3 * ATTENTION_BLOCK * tokens;
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
 * weight 0. `products`: of queries and keys, where scores are capped. */
static void weigh(const Head *head, size_t at, size_t count, float *weights, float *products) {
    const LayerPlan *plan = architecture_layer(head->config, head->attention->layer);
    size_t dim = plan->head_dim, width = plan->heads * dim, keys = at + count;
    blas_multiply_transposed(count, keys, dim, query_of(head, at), width,
                             head->attention->state->keys + cache_of(head), dim, 0.0F, weights, keys);
    const ScoreRule rule = attention_rule(head->attention->state, head->attention->layer, head->head);
    if (rule.cap > 0.0F) memcpy(products, weights, count * keys * sizeof *products);
    for (size_t i = 0; i < count; i++)
        attention_weigh(&rule, weights + i * keys, attention_first(plan, at + i), at + i + 1, keys);
}

/* dS in place of dP, times the scale of the scores. */
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

static void differentiate_cap(const ModelConfig *config, const float *products, size_t count, float *slopes) {
    float within = (float)(config->attention_scale / config->attention_cap);
    for (size_t i = 0; i < count; i++) {
        float bent = tanhf(products[i] * within);
        slopes[i] *= 1.0F - bent * bent;
    }
}

static void descend_block(const Head *head, size_t at, float *scratch) {
    const BackwardAttention *attention = head->attention;
    const ModelConfig *config = head->config;
    size_t dim = config->head_dim, width = config->heads * dim, kv_width = config->kv_heads * dim;
    size_t left = head->span->tokens - at, count = left < ATTENTION_BLOCK ? left : ATTENTION_BLOCK,
           keys = at + count, cache = cache_of(head);
    float *weights = scratch, *slopes = scratch + ATTENTION_BLOCK * head->span->tokens,
          *products = slopes + ATTENTION_BLOCK * head->span->tokens;
    size_t place = (head->span->first + at) * width + head->head * dim;
    const float *mixed = attention->mixed + place;
    weigh(head, at, count, weights, products);
    blas_multiply_left_transposed(keys, dim, count, weights, keys, mixed, width, 1.0F,
                                  kv_slope(head, attention->to_value), kv_width);
    blas_multiply_transposed(count, keys, dim, mixed, width, attention->state->values + cache, dim, 0.0F,
                             slopes, keys);
    differentiate_softmax(weights, slopes, count, keys, (float)config->attention_scale);
    if (config->attention_cap > 0.0) differentiate_cap(config, products, count * keys, slopes);
    blas_multiply(count, dim, keys, slopes, keys, attention->state->keys + cache, dim, 0.0F,
                  attention->to_query + place, width);
    blas_multiply_left_transposed(keys, dim, count, slopes, keys, query_of(head, at), width, 1.0F,
                                  kv_slope(head, attention->to_key), kv_width);
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
}

Status backward_attention_run(const BackwardAttention *attention, Error *error) {
    size_t tasks;
    if (!memory_multiply(attention->count, attention->state->side->config->kv_heads, &tasks))
        return memory_fail(error, "attention");
    BackwardAttention shared = *attention;
    return job_run(attention->job, tasks, descend_head, &shared, error);
}
