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
 *
 * Keys are those of the sequence's prefix and its own. What a prefix is given by several sequences is put down by each in a
 * place of its own, and added up when all are done.
 */
size_t backward_attention_scratch(size_t tokens) {
    return (size_t)3 * ATTENTION_BLOCK * tokens;
}

/* One head of one sequence. */
typedef struct Head {
    const BackwardAttention *attention;
    const LayerPlan *plan;
    const BackwardSpan *span;
    uint64_t head, kv_head;
} Head;

/* Keys and values that a block of queries sees, and where their gradients go, which are kv_heads times as far apart. */
typedef struct Keys {
    size_t count;
    const float *keys, *values[2]; /* of both halves, where there are two */
    float *to_key, *to_value;
} Keys;

enum { KEYS_SHARED, KEYS_OWN, KEYS_KINDS };

static size_t count_halves(const BackwardAttention *attention) {
    return attention->has_halves ? 2 : 1;
}

/* Values of a key head, or of the one of a half that its weights mix. */
static const float *find_values(const Head *head, size_t half) {
    const ForwardState *state = head->attention->state;
    const uint64_t in_half = head->plan->kv_heads / 2, own = head->attention->has_halves
                                                                 ? head->kv_head % in_half + half * in_half
                                                                 : head->kv_head;
    return state->values + forward_values(state, head->attention->layer, own);
}

static Keys find_keys(const Head *head, size_t cell, size_t count, size_t slope, float *to_key,
                      float *to_value) {
    const BackwardAttention *attention = head->attention;
    const LayerPlan *plan = head->plan;
    size_t dim = plan->head_dim, value_dim = plan->value_dim, place = slope * plan->kv_heads + head->kv_head,
           value_place = slope * count_halves(attention) * plan->kv_heads + head->kv_head;
    if (count == 0) return (Keys){0};
    return (Keys){
        .count = count,
        .keys = attention->state->keys + forward_cache(attention->state, attention->layer, head->kv_head) +
                cell * dim,
        .values = {find_values(head, 0) + cell * value_dim, find_values(head, 1) + cell * value_dim},
        .to_key = to_key + place * dim,
        .to_value = to_value + value_place * value_dim};
}

/* Of queries before `end` of the sequence. */
static void find_all_keys(const Head *head, size_t end, Keys keys[KEYS_KINDS]) {
    const BackwardAttention *attention = head->attention;
    const BackwardSpan *span = head->span;
    keys[KEYS_SHARED] = find_keys(head, span->prefix, span->prefix_tokens, span->shared,
                                  attention->to_shared_key, attention->to_shared_value);
    keys[KEYS_OWN] = find_keys(head, span->row, end, span->first, attention->to_key, attention->to_value);
}

/* The query at `at`, after rotary embedding, of all that the row has. */
static const float *query_of(const Head *head, size_t at) {
    size_t dim = head->plan->head_dim, width = head->plan->heads * dim;
    return head->attention->state->buffers[BUFFER_QUERY] + (head->span->row + at) * width + head->head * dim;
}

/* What is added to keys of the prefix, and to those behind it. */
static void find_masks(const Head *head, ScoreRule *rule) {
    const ForwardState *state = head->attention->state;
    const float *masks = forward_masks(state, head->attention->layer, head->kv_head);
    if (masks == NULL) return;
    rule->masks[0] = masks + head->span->prefix;
    rule->masks[1] = masks + head->span->row;
    rule->split = head->span->prefix_tokens;
    rule->kept = (size_t)state->side->config->kept_keys;
}

/* Softmax weights of queries [at, at + count) over all keys before the last of them, [count × stride]; a key outside a query's
 * sight has weight 0. `products`: of queries and keys, where scores are capped. */
static void weigh(const Head *head, size_t at, size_t count, const Keys keys[KEYS_KINDS], float *weights,
                  float *products) {
    const LayerPlan *plan = head->plan;
    size_t dim = plan->head_dim, width = plan->heads * dim, shared = keys[KEYS_SHARED].count;
    size_t stride = shared + keys[KEYS_OWN].count;
    for (int kind = 0; kind < KEYS_KINDS; kind++) {
        if (keys[kind].count > 0)
            blas_multiply_transposed(count, keys[kind].count, dim, query_of(head, at), width, keys[kind].keys,
                                     dim, 0.0F, weights + (kind == KEYS_OWN ? shared : 0), stride);
    }
    ScoreRule rule = attention_rule(head->attention->state, head->attention->layer, head->head);
    find_masks(head, &rule);
    if (rule.cap > 0.0F) memcpy(products, weights, count * stride * sizeof *products);
    for (size_t i = 0; i < count; i++) {
        rule.position = shared + at + i;
        attention_weigh(&rule, weights + i * stride, attention_first(plan, rule.position), rule.position + 1,
                        stride);
    }
}

double backward_attention_differentiate(const float *weights, float *slopes, size_t count, size_t keys,
                                        float scale) {
    double sink = 0.0;
    for (size_t i = 0; i < count; i++) {
        const float *p = weights + i * keys;
        float *dp = slopes + i * keys;
        double sum = 0.0, weight = 0.0;
        for (size_t k = 0; k < keys; k++) {
            sum += (double)p[k] * (double)dp[k];
            weight += (double)p[k];
        }
        for (size_t k = 0; k < keys; k++) dp[k] = p[k] * (float)((double)dp[k] - sum) * scale;
        sink -= (1.0 - weight) * sum;
    }
    return sink;
}

static void differentiate_cap(const ScoreRule *rule, const float *products, size_t count, float *slopes) {
    float within = rule->scale / rule->cap;
    for (size_t i = 0; i < count; i++) {
        float bent = tanhf(products[i] * within);
        slopes[i] *= 1.0F - bent * bent;
    }
}

/* dV, and dP, of a block of queries: both halves' add up. */
static void descend_values(const Head *head, size_t at, size_t count, const Keys *keys, const float *weights,
                           float *slopes, size_t stride) {
    const BackwardAttention *attention = head->attention;
    const LayerPlan *plan = head->plan;
    size_t halves = count_halves(attention), dim = plan->value_dim, width = plan->heads * dim,
           value_width = plan->kv_heads * dim;
    for (size_t half = 0; half < halves; half++) {
        const float *mixed =
            attention->mixed + (head->span->first + at) * halves * width + half * width + head->head * dim;
        blas_multiply_left_transposed(keys->count, dim, count, weights, stride, mixed, halves * width, 1.0F,
                                      keys->to_value + half * value_width, halves * value_width);
        blas_multiply_transposed(count, keys->count, dim, mixed, halves * width, keys->values[half], dim,
                                 half == 0 ? 0.0F : 1.0F, slopes, stride);
    }
}

/* Of a block's scores, times their scale, to what is added to them: of keys of the sequence alone. */
static void descend_masks(const Head *head, size_t keys, size_t count, const float *slopes, size_t stride,
                          float scale) {
    const BackwardAttention *attention = head->attention;
    if (attention->to_masks == NULL) return;
    for (size_t k = 0; k < keys; k++) {
        double sum = 0.0;
        for (size_t i = 0; i < count; i++) sum += (double)slopes[i * stride + k];
        attention->to_masks[(head->span->first + k) * head->plan->kv_heads + head->kv_head] +=
            (float)(sum / (double)scale);
    }
}

/* Gives the gradient at a sink. */
static double descend_block(const Head *head, size_t at, float *scratch) {
    const BackwardAttention *attention = head->attention;
    const LayerPlan *plan = head->plan;
    size_t dim = plan->head_dim, width = plan->heads * dim, kv_width = plan->kv_heads * dim;
    size_t left = head->span->tokens - at, count = left < ATTENTION_BLOCK ? left : ATTENTION_BLOCK,
           longest = head->span->prefix_tokens + head->span->tokens;
    float *weights = scratch, *slopes = scratch + ATTENTION_BLOCK * longest,
          *products = slopes + ATTENTION_BLOCK * longest;
    size_t place = (head->span->first + at) * width + head->head * dim;
    Keys keys[KEYS_KINDS];
    find_all_keys(head, at + count, keys);
    size_t column[KEYS_KINDS] = {0, keys[KEYS_SHARED].count}, stride = column[1] + keys[KEYS_OWN].count;
    weigh(head, at, count, keys, weights, products);
    for (int kind = 0; kind < KEYS_KINDS; kind++) {
        if (keys[kind].count == 0) continue;
        descend_values(head, at, count, &keys[kind], weights + column[kind], slopes + column[kind], stride);
    }
    const ScoreRule rule = attention_rule(attention->state, attention->layer, head->head);
    double sink = backward_attention_differentiate(weights, slopes, count, stride, rule.scale);
    descend_masks(head, keys[KEYS_OWN].count, count, slopes + column[KEYS_OWN], stride, rule.scale);
    if (rule.cap > 0.0F) differentiate_cap(&rule, products, count * stride, slopes);
    float beta = 0.0F;
    for (int kind = 0; kind < KEYS_KINDS; kind++) {
        if (keys[kind].count == 0) continue;
        blas_multiply(count, dim, keys[kind].count, slopes + column[kind], stride, keys[kind].keys, dim, beta,
                      attention->to_query + place, width);
        blas_multiply_left_transposed(keys[kind].count, dim, count, slopes + column[kind], stride,
                                      query_of(head, at), width, 1.0F, keys[kind].to_key, kv_width);
        beta = 1.0F;
    }
    return sink;
}

/* What is added to, one head of many tokens. */
static void clear(const Head *head, const Keys *keys) {
    size_t heads = head->plan->kv_heads, dim = head->plan->head_dim, value_dim = head->plan->value_dim,
           halves = count_halves(head->attention);
    for (size_t t = 0; t < keys->count; t++) {
        memset(keys->to_key + t * heads * dim, 0, dim * sizeof *keys->to_key);
        for (size_t half = 0; half < halves; half++)
            memset(keys->to_value + (t * halves + half) * heads * value_dim, 0,
                   value_dim * sizeof *keys->to_value);
    }
}

/* A run of all tasks. */
typedef struct Heads {
    const BackwardAttention *attention;
    double *sinks; /* [sequences × heads] */
} Heads;

static void descend_head(void *argument, size_t task, unsigned worker) {
    const Heads *heads = argument;
    const BackwardAttention *attention = heads->attention;
    const LayerPlan *plan = forward_plan(attention->state, attention->layer);
    uint64_t group = plan->heads / plan->kv_heads;
    size_t sequence = task / plan->kv_heads;
    Head head = {.attention = attention,
                 .plan = plan,
                 .span = &attention->spans[sequence],
                 .kv_head = task % plan->kv_heads};
    Keys keys[KEYS_KINDS];
    find_all_keys(&head, head.span->tokens, keys);
    for (int kind = 0; kind < KEYS_KINDS; kind++) clear(&head, &keys[kind]);
    for (size_t t = 0; attention->to_masks != NULL && t < head.span->tokens; t++)
        attention->to_masks[(head.span->first + t) * plan->kv_heads + head.kv_head] = 0.0F;
    float *scratch = attention->scratch + (size_t)worker * attention->scratch_stride;
    for (head.head = head.kv_head * group; head.head < (head.kv_head + 1) * group; head.head++) {
        for (size_t at = 0; at < head.span->tokens; at += ATTENTION_BLOCK) {
            if (job_is_cancelled(attention->job)) return;
            heads->sinks[sequence * plan->heads + head.head] += descend_block(&head, at, scratch);
        }
    }
}

/* ---- what sequences share ---- */

static void add_row(float *to, const float *from, size_t to_row, size_t from_row, size_t width) {
    for (size_t i = 0; i < width; i++) to[to_row * width + i] += from[from_row * width + i];
}

/* Of one head. */
static void add_shared(void *argument, size_t kv_head, unsigned worker) {
    const BackwardAttention *attention = argument;
    const LayerPlan *plan = forward_plan(attention->state, attention->layer);
    (void)worker;
    for (size_t s = 0; s < attention->count; s++) {
        const BackwardSpan *span = &attention->spans[s];
        for (size_t t = 0; t < span->prefix_tokens; t++) {
            size_t from = (span->shared + t) * plan->kv_heads + kv_head,
                   to = (span->prefix + t) * plan->kv_heads + kv_head;
            add_row(attention->to_key, attention->to_shared_key, to, from, plan->head_dim);
            add_row(attention->to_value, attention->to_shared_value, to, from, plan->value_dim);
        }
    }
}

Status backward_attention_run(const BackwardAttention *attention, Error *error) {
    const LayerPlan *plan = forward_plan(attention->state, attention->layer);
    size_t tasks;
    BackwardAttention shared = *attention;
    Heads heads = {.attention = &shared};
    if (memory_multiply(attention->count, plan->kv_heads, &tasks))
        heads.sinks = memory_allocate(attention->count, plan->heads * sizeof *heads.sinks);
    if (heads.sinks == NULL) return memory_fail(error, "attention");
    Status status = job_run(attention->job, tasks, descend_head, &heads, error);
    if (status == STATUS_OK && attention->to_shared_key != NULL)
        status = job_run(attention->job, plan->kv_heads, add_shared, &shared, error);
    for (size_t h = 0; h < plan->heads && attention->to_sinks != NULL; h++) {
        attention->to_sinks[h] = 0.0;
        for (size_t s = 0; s < attention->count; s++)
            attention->to_sinks[h] += heads.sinks[s * plan->heads + h];
    }
    free(heads.sinks);
    return status;
}
