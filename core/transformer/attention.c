#include "core/transformer/attention.h"

#include "core/numerics/blas.h"
#include "core/numerics/dtype.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <math.h>
#include <string.h>

/*
 * A task is one key/value head of one state and a block of queries. For each query head of its group:
 *
 *     scores[b × n] = Q[b × d] · K[n × d]ᵀ / √d      n: from the earliest key that a query of the block sees,
 *     P = softmax over what each query sees                to the last query itself
 *     mixed[b × d] = P[b × n] · V[n × d]
 */
typedef struct Span {
    size_t token, count; /* queries of the block within the chunk */
    size_t from, to;     /* keys [from, to) that any of them sees */
} Span;

typedef struct Cells {
    size_t first, count;
} Cells;

/* Weighed values of one head: keys lie in two stretches of the cache, and a query's weights in a row of `keys`. */
typedef struct Mix {
    const float *weights, *value; /* of key 0 of the cache */
    const Cells *cells;
    size_t keys, value_dim, width;
    float *mixed;
} Mix;

size_t attention_first(const LayerPlan *plan, size_t position) {
    if (plan->window == 0) return 0;
    if (plan->is_chunked) return position - position % plan->window;
    return position + 1 <= plan->window ? 0 : position + 1 - plan->window;
}

/* The first key that a query sees. */
static size_t first_key(const Chunk *chunk, const LayerPlan *plan, size_t token) {
    size_t start = chunk_start(chunk, token);
    return start + attention_first(plan, chunk->first + token - start);
}

ScoreRule attention_rule(const ForwardState *state, uint64_t layer, uint64_t head) {
    const ModelConfig *config = state->side->config;
    const float *sinks = state->vectors[layer].parts[TENSOR_PART_SINKS];
    double scale = config->attention_scale / (config->scale_falls ? (double)(layer + 1) : 1.0);
    return (ScoreRule){.scale = (float)scale,
                       .cap = (float)config->attention_cap,
                       .slope = (float)architecture_alibi_slope(config, head),
                       .is_rounded = config->alibi == ALIBI_FALCON,
                       .sink = sinks == NULL ? NULL : sinks + head};
}

/* To the nearest number of 8 significant bits, ties to even. */
static float round_to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += 0x7FFFU + (bits >> 16 & 1U);
    bits &= 0xFFFF0000U;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* Of a key at that position. */
static float rounded_bias(const ScoreRule *rule, size_t position) {
    return round_to_bf16(round_to_bf16(rule->slope) * (float)position);
}

static float score_of(const ScoreRule *rule, float product, size_t distance) {
    float score = product * rule->scale;
    if (rule->cap > 0.0F) score = tanhf(score / rule->cap) * rule->cap;
    if (rule->slope == 0.0F) return score;
    if (rule->is_rounded)
        return score + rule->scale * (rounded_bias(rule, rule->position - distance) -
                                      rounded_bias(rule, rule->position));
    return score - rule->slope * (float)distance;
}

/* ---- dynamic masks ---- */

static float mask_of(const ScoreRule *rule, size_t key) {
    return key < rule->split ? rule->masks[0][key] : rule->masks[1][key - rule->split];
}

/* Masks are from 0 on, so that their bits are in their order. */
static uint32_t mask_bits(const ScoreRule *rule, size_t key) {
    float mask = mask_of(rule, key);
    uint32_t bits;
    memcpy(&bits, &mask, sizeof bits);
    return bits;
}

static size_t count_from(const ScoreRule *rule, size_t from, size_t to, uint32_t least) {
    size_t count = 0;
    for (size_t i = from; i < to; i++) count += mask_bits(rule, i) >= least;
    return count;
}

/* The scores of keys with the least added become −∞. */
static void drop_keys(const ScoreRule *rule, float *scores, size_t from, size_t to) {
    uint32_t low = 0, high = UINT32_MAX; /* the least that counts is from low to high */
    if (to - from <= rule->kept) return;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2 + 1;
        if (count_from(rule, from, to, middle) >= rule->kept)
            low = middle;
        else
            high = middle - 1;
    }
    size_t equals = rule->kept - (low < UINT32_MAX ? count_from(rule, from, to, low + 1) : 0);
    for (size_t i = from; i < to; i++) {
        uint32_t bits = mask_bits(rule, i);
        bool is_equal = bits == low && equals > 0;
        if (is_equal) equals--;
        if (bits <= low && !is_equal) scores[i] = -INFINITY;
    }
}

static void add_masks(const ScoreRule *rule, float *scores, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) scores[i] += mask_of(rule, i);
    drop_keys(rule, scores, from, to);
}

/* ---- weights ---- */

void attention_weigh(const ScoreRule *rule, float *scores, size_t from, size_t to, size_t count) {
    float largest = rule->sink != NULL ? *rule->sink : -INFINITY;
    for (size_t i = from; i < to; i++) scores[i] = score_of(rule, scores[i], to - 1 - i);
    if (rule->kept > 0) add_masks(rule, scores, from, to);
    for (size_t i = from; i < to; i++) largest = fmaxf(largest, scores[i]);
    double sum = rule->sink != NULL ? (double)expf(*rule->sink - largest) : 0.0;
    sum += kernels_get()->exponentials(scores + from, to - from, largest, 1.0F, scores + from);
    float share = (float)(1.0 / sum);
    for (size_t i = 0; i < from; i++) scores[i] = 0.0F;
    for (size_t i = from; i < to; i++) scores[i] *= share;
    for (size_t i = to; i < count; i++) scores[i] = 0.0F;
}

/* ---- values ---- */

/* Of `count` queries over keys [from, to). */
static void mix_values(const Mix *mix, size_t query, size_t count, size_t from, size_t to) {
    float *mixed = mix->mixed + query * mix->width, beta = 0.0F;
    for (size_t part = 0, at = 0; part < 2; at += mix->cells[part++].count) {
        size_t first = from > at ? from : at, end = at + mix->cells[part].count;
        if (end > to) end = to;
        if (first >= end) continue;
        blas_multiply(count, mix->value_dim, end - first, mix->weights + query * mix->keys + first, mix->keys,
                      mix->value + (mix->cells[part].first + first - at) * mix->value_dim, mix->value_dim,
                      beta, mixed, mix->width);
        beta = 1.0F;
    }
}

static bool is_finite(const Mix *mix, size_t count) {
    uint64_t others = 0;
    for (size_t query = 0; query < count; query++)
        others += dtype_count_nonfinite(DTYPE_F32, mix->mixed + query * mix->width, mix->value_dim);
    return others == 0;
}

/* The key head whose values a key head's weights mix: its own, or one of a half of them. */
static uint64_t value_head(const Chunk *chunk, const LayerPlan *plan, uint64_t kv_head) {
    uint64_t half = plan->kv_heads / 2;
    return chunk->value_half == 0 ? kv_head : kv_head % half + (chunk->value_half == 2 ? half : 0);
}

/* Of keys that are in one stretch of the cache and then in another. */
static void take_masks(const ForwardState *state, uint64_t layer, uint64_t kv_head, const Cells cells[2],
                       ScoreRule *rule) {
    const float *masks = forward_masks(state, layer, kv_head);
    if (masks == NULL) return;
    for (int i = 0; i < 2; i++) rule->masks[i] = masks + cells[i].first;
    rule->split = cells[0].count;
    rule->kept = state->side->config->kept_keys;
}

static void attend_head(const Chunk *chunk, const ForwardState *state, Span span, uint64_t head,
                        float *scores) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, value_dim = plan->value_dim, keys = span.to - span.from;
    size_t width = plan->heads * dim, value_width = plan->heads * value_dim;
    uint64_t kv_head = head / (plan->heads / plan->kv_heads);
    const float *query = state->buffers[BUFFER_QUERY] + span.token * width + head * dim,
                *key = state->keys + forward_cache(state, chunk->layer, kv_head) + span.from * dim;
    blas_multiply_transposed(span.count, keys, dim, query, width, key, dim, 0.0F, scores, keys);
    ScoreRule rule = attention_rule(state, chunk->layer, head);
    const Cells cells[2] = {{span.from, keys}, {0, 0}};
    const Mix mix = {.weights = scores,
                     .value = state->values +
                              forward_values(state, chunk->layer, value_head(chunk, plan, kv_head)),
                     .cells = cells,
                     .keys = keys,
                     .value_dim = value_dim,
                     .width = value_width,
                     .mixed = state->buffers[BUFFER_MIXED] + span.token * value_width + head * value_dim};
    take_masks(state, chunk->layer, kv_head, cells, &rule);
    for (size_t i = 0; i < span.count; i++) {
        size_t token = span.token + i;
        rule.position = chunk_position(chunk, token);
        attention_weigh(&rule, scores + i * keys, first_key(chunk, plan, token) - span.from,
                        chunk->first + token + 1 - span.from, keys);
    }
    mix_values(&mix, 0, span.count, 0, keys);
    /* Zero times what is not finite is not zero: a query would hear of keys that it does not see. */
    for (size_t i = 0, one_by_one = !is_finite(&mix, span.count); one_by_one && i < span.count; i++)
        mix_values(&mix, i, 1, first_key(chunk, plan, span.token + i) - span.from,
                   chunk->first + span.token + i + 1 - span.from);
}

static Span make_span(const Chunk *chunk, const LayerPlan *plan, size_t block) {
    Span span = {.token = block * ATTENTION_BLOCK};
    span.count = chunk->tokens - span.token;
    if (span.count > ATTENTION_BLOCK) span.count = ATTENTION_BLOCK;
    span.to = chunk->first + span.token + span.count;
    span.from = span.to;
    for (size_t i = 0; i < span.count; i++) {
        size_t first = first_key(chunk, plan, span.token + i);
        if (first < span.from) span.from = first;
    }
    return span;
}

static void attend(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    uint64_t kv_heads = forward_plan(chunk->states[0], chunk->layer)->kv_heads;
    size_t blocks = (chunk->tokens + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const ForwardState *state = chunk->states[task / blocks / kv_heads];
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    uint64_t group = plan->heads / plan->kv_heads, kv_head = task / blocks % plan->kv_heads;
    Span span = make_span(chunk, plan, task % blocks);
    float *scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride;
    for (uint64_t head = kv_head * group; head < (kv_head + 1) * group && !job_is_cancelled(chunk->job);
         head++)
        attend_head(chunk, state, span, head, scores);
}

/* ---- tokens of sequences that grow side by side ---- */

/*
 * A task is one key/value head of one state and one token: its group's query heads share the multiplies, over the
 * shared cells and over its own. In blocks, the first of tokens that follow one another has the task of all of them, as
 * above.
 */
/* What the token sees of the shared cells (0) and of its own (1). */
static void find_cells(const Chunk *chunk, const LayerPlan *plan, size_t token, Cells cells[2]) {
    const ForwardPlace *place = &chunk->places[token];
    size_t hidden = attention_first(plan, chunk_position(chunk, token));
    size_t of_prefix = hidden < place->prefix_count ? hidden : place->prefix_count;
    cells[0] = (Cells){place->prefix + of_prefix, place->prefix_count - of_prefix};
    cells[1].first = place->first + hidden - of_prefix;
    cells[1].count = place->cell + 1 - cells[1].first;
}

static void attend_group(const Chunk *chunk, const ForwardState *state, size_t token, uint64_t kv_head,
                         uint64_t head, size_t heads, float *scores) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, value_dim = plan->value_dim, row = token * plan->heads + head;
    const float *query = state->buffers[BUFFER_QUERY] + row * dim,
                *key = state->keys + forward_cache(state, chunk->layer, kv_head);
    Cells cells[2];
    find_cells(chunk, plan, token, cells);
    size_t keys = cells[0].count + cells[1].count;
    const Mix mix = {.weights = scores,
                     .value = state->values +
                              forward_values(state, chunk->layer, value_head(chunk, plan, kv_head)),
                     .cells = cells,
                     .keys = keys,
                     .value_dim = value_dim,
                     .width = value_dim,
                     .mixed = state->buffers[BUFFER_MIXED] + row * value_dim};
    for (size_t part = 0, at = 0; part < 2; at += cells[part++].count) {
        if (cells[part].count > 0)
            blas_multiply_transposed(heads, cells[part].count, dim, query, dim, key + cells[part].first * dim,
                                     dim, 0.0F, scores + at, keys);
    }
    for (size_t i = 0; i < heads; i++) {
        ScoreRule rule = attention_rule(state, chunk->layer, head + i);
        take_masks(state, chunk->layer, kv_head, cells, &rule);
        rule.position = chunk_position(chunk, token);
        attention_weigh(&rule, scores + i * keys, 0, keys, keys);
    }
    mix_values(&mix, 0, heads, 0, keys);
}

/* How many tokens from this one on are a block's; 0: it is another one's task. Blocks begin at a sequence's own cells. */
static size_t block_length(const Chunk *chunk, size_t token) {
    const ForwardPlace *place = &chunk->places[token];
    if (!chunk->in_blocks) return 1;
    bool follows = token > 0 && chunk->places[token - 1].first == place->first &&
                   chunk->places[token - 1].cell + 1 == place->cell;
    size_t into = (place->cell - place->first) % ATTENTION_BLOCK, count = 1;
    if (follows && into != 0) return 0;
    while (into + count < ATTENTION_BLOCK && token + count < chunk->tokens &&
           place[count].first == place->first && place[count].cell == place->cell + count)
        count++;
    return count;
}

/* A block of queries of one head. */
static void attend_block(const Chunk *chunk, const ForwardState *state, size_t token, size_t count,
                         uint64_t head, float *scores) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, value_dim = plan->value_dim, position = chunk_position(chunk, token),
           hidden = attention_first(plan, position);
    uint64_t kv_head = head / (plan->heads / plan->kv_heads);
    const float *query = state->buffers[BUFFER_QUERY] + (token * plan->heads + head) * dim,
                *key = state->keys + forward_cache(state, chunk->layer, kv_head);
    Cells cells[2];
    find_cells(chunk, plan, token, cells);
    cells[1].count += count - 1;
    size_t keys = cells[0].count + cells[1].count;
    const Mix mix = {.weights = scores,
                     .value = state->values +
                              forward_values(state, chunk->layer, value_head(chunk, plan, kv_head)),
                     .cells = cells,
                     .keys = keys,
                     .value_dim = value_dim,
                     .width = plan->heads * value_dim,
                     .mixed = state->buffers[BUFFER_MIXED] + (token * plan->heads + head) * value_dim};
    for (size_t part = 0, at = 0; part < 2; at += cells[part++].count) {
        if (cells[part].count > 0)
            blas_multiply_transposed(count, cells[part].count, dim, query, plan->heads * dim,
                                     key + cells[part].first * dim, dim, 0.0F, scores + at, keys);
    }
    ScoreRule rule = attention_rule(state, chunk->layer, head);
    take_masks(state, chunk->layer, kv_head, cells, &rule);
    for (size_t i = 0; i < count; i++) {
        rule.position = position + i;
        attention_weigh(&rule, scores + i * keys, attention_first(plan, position + i) - hidden,
                        position + i + 1 - hidden, keys);
    }
    mix_values(&mix, 0, count, 0, keys);
    for (size_t i = 0, one_by_one = !is_finite(&mix, count); one_by_one && i < count; i++)
        mix_values(&mix, i, 1, attention_first(plan, position + i) - hidden, position + i + 1 - hidden);
}

static void attend_place(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    uint64_t kv_heads = forward_plan(chunk->states[0], chunk->layer)->kv_heads;
    const ForwardState *state = chunk->states[task / chunk->tokens / kv_heads];
    uint64_t group = forward_plan(state, chunk->layer)->heads / kv_heads;
    uint64_t kv_head = task / chunk->tokens % kv_heads;
    float *scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride;
    size_t token = task % chunk->tokens, count = block_length(chunk, token);
    for (uint64_t h = 0; h < group && count > 1 && !job_is_cancelled(chunk->job); h++)
        attend_block(chunk, state, token, count, kv_head * group + h, scores);
    for (uint64_t done = 0; done < group && count == 1 && !job_is_cancelled(chunk->job);
         done += ATTENTION_BLOCK) {
        size_t heads = group - done < ATTENTION_BLOCK ? group - done : ATTENTION_BLOCK;
        attend_group(chunk, state, token, kv_head, kv_head * group + done, heads, scores);
    }
}

static Status run_places(const Chunk *chunk, Error *error) {
    size_t tasks;
    if (!memory_multiply(chunk->tokens,
                         chunk->state_count * forward_plan(chunk->states[0], chunk->layer)->kv_heads, &tasks))
        return memory_fail(error, "attention");
    Chunk shared = *chunk;
    return job_run(chunk->job, tasks, attend_place, &shared, error);
}

Status attention_run(const Chunk *chunk, Error *error) {
    if (chunk->places != NULL) return run_places(chunk, error);
    const LayerPlan *plan = forward_plan(chunk->states[0], chunk->layer);
    size_t blocks = (chunk->tokens + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK, tasks;
    if (!memory_multiply(blocks, chunk->state_count * plan->kv_heads, &tasks))
        return memory_fail(error, "attention");
    Chunk shared = *chunk;
    return job_run(chunk->job, tasks, attend, &shared, error);
}
