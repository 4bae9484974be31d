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

/*
 * Rows of one such product: queries of one key head over keys that lie in two stretches of the cache; they are those of
 * `count` heads for one token, or of `count` tokens for one head.
 */
typedef struct Rows {
    const Chunk *chunk;
    const ForwardState *state;
    size_t token;
    uint64_t kv_head, head; /* of row 0, as the token is */
    size_t count;
    bool is_group; /* heads for one token */
    Cells cells[2];
    size_t keys, from; /* in both stretches; the place of key 0, counted as seen_keys() counts */
    float *scores;     /* [count × keys] */
} Rows;

size_t attention_first(const LayerPlan *plan, size_t position) {
    if (plan->window == 0) return 0;
    if (plan->is_chunked) return position - position % plan->window;
    return position + 1 <= plan->window ? 0 : position + 1 - plan->window;
}

/* The first key that a query sees. */
static size_t first_key(const Chunk *chunk, const LayerPlan *plan, size_t token) {
    return chunk_start(chunk, token) + attention_first(plan, chunk_position(chunk, token));
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

/* ---- rows ---- */

/* The key head whose values a key head's weights mix: its own, or one of a half of them. */
static uint64_t value_head(const Chunk *chunk, const LayerPlan *plan, uint64_t kv_head) {
    uint64_t half = plan->kv_heads / 2;
    return chunk->value_half == 0 ? kv_head : kv_head % half + (chunk->value_half == 2 ? half : 0);
}

/* Of the keys of row `row`: which its query sees. */
static Cells seen_keys(const Rows *rows, const LayerPlan *plan, size_t row) {
    size_t token = rows->is_group ? rows->token : rows->token + row;
    size_t first = first_key(rows->chunk, plan, token);
    size_t to = chunk_start(rows->chunk, token) + chunk_position(rows->chunk, token) + 1;
    return (Cells){first - rows->from, to - first};
}

/* Row 0 of a buffer of all heads' vectors of `dim` values, and how far it is from one row to the next. */
static float *find_rows(const Rows *rows, const LayerPlan *plan, Buffer buffer, size_t dim, size_t *stride) {
    *stride = rows->is_group ? dim : (size_t)plan->heads * dim;
    return rows->state->buffers[buffer] + (rows->token * plan->heads + rows->head) * dim;
}

static void multiply_keys(const Rows *rows, const LayerPlan *plan) {
    size_t dim = plan->head_dim, stride;
    const float *query = find_rows(rows, plan, BUFFER_QUERY, dim, &stride),
                *key = rows->state->keys + forward_cache(rows->state, rows->chunk->layer, rows->kv_head);
    for (size_t part = 0, at = 0; part < 2; at += rows->cells[part++].count) {
        const Cells *cells = &rows->cells[part];
        if (cells->count > 0)
            blas_multiply_transposed(rows->count, cells->count, dim, query, stride, key + cells->first * dim,
                                     dim, 0.0F, rows->scores + at, rows->keys);
    }
}

static void weigh_rows(const Rows *rows, const LayerPlan *plan) {
    const Chunk *chunk = rows->chunk;
    const float *masks = forward_masks(rows->state, chunk->layer, rows->kv_head);
    for (size_t i = 0; i < rows->count; i++) {
        ScoreRule rule = attention_rule(rows->state, chunk->layer, rows->head + (rows->is_group ? i : 0));
        Cells seen = seen_keys(rows, plan, i);
        rule.position = chunk_position(chunk, rows->is_group ? rows->token : rows->token + i);
        if (masks != NULL) {
            for (int part = 0; part < 2; part++) rule.masks[part] = masks + rows->cells[part].first;
            rule.split = rows->cells[0].count;
            rule.kept = rows->state->side->config->kept_keys;
        }
        attention_weigh(&rule, rows->scores + i * rows->keys, seen.first, seen.first + seen.count,
                        rows->keys);
    }
}

/* `count` rows from `row` on, over the keys `of`. */
static void mix_values(const Rows *rows, const LayerPlan *plan, size_t row, size_t count, Cells of) {
    size_t dim = plan->value_dim, stride, to = of.first + of.count;
    float *mixed = find_rows(rows, plan, BUFFER_MIXED, dim, &stride) + row * stride, beta = 0.0F;
    const float *value = rows->state->values + forward_values(rows->state, rows->chunk->layer,
                                                              value_head(rows->chunk, plan, rows->kv_head));
    for (size_t part = 0, at = 0; part < 2; at += rows->cells[part++].count) {
        const Cells *cells = &rows->cells[part];
        size_t first = of.first > at ? of.first : at, end = at + cells->count < to ? at + cells->count : to;
        if (first >= end) continue;
        blas_multiply(count, dim, end - first, rows->scores + row * rows->keys + first, rows->keys,
                      value + (cells->first + first - at) * dim, dim, beta, mixed, stride);
        beta = 1.0F;
    }
}

static bool is_finite(const Rows *rows, const LayerPlan *plan) {
    size_t dim = plan->value_dim, stride;
    const float *mixed = find_rows(rows, plan, BUFFER_MIXED, dim, &stride);
    uint64_t others = 0;
    for (size_t i = 0; i < rows->count; i++)
        others += dtype_count_nonfinite(DTYPE_F32, mixed + i * stride, dim);
    return others == 0;
}

static void attend_rows(const Rows *rows) {
    const LayerPlan *plan = forward_plan(rows->state, rows->chunk->layer);
    multiply_keys(rows, plan);
    weigh_rows(rows, plan);
    mix_values(rows, plan, 0, rows->count, (Cells){0, rows->keys});
    /* Zero times what is not finite is not zero: a query would hear of keys that it does not see. */
    for (size_t i = 0, one_by_one = !rows->is_group && !is_finite(rows, plan); one_by_one && i < rows->count;
         i++)
        mix_values(rows, plan, i, 1, seen_keys(rows, plan, i));
}

/* ---- tokens that follow one another in the cache ---- */

static void attend_head(const Chunk *chunk, const ForwardState *state, Span span, uint64_t head,
                        float *scores) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    attend_rows(&(Rows){.chunk = chunk,
                        .state = state,
                        .token = span.token,
                        .kv_head = head / (plan->heads / plan->kv_heads),
                        .head = head,
                        .count = span.count,
                        .cells = {{span.from, span.to - span.from}},
                        .keys = span.to - span.from,
                        .from = span.from,
                        .scores = scores});
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

/* What the rows see of the shared cells (0) and of their sequence's own (1); `last` is the last row's token. */
static void find_cells(Rows *rows, size_t last) {
    const LayerPlan *plan = forward_plan(rows->state, rows->chunk->layer);
    const ForwardPlace *place = &rows->chunk->places[rows->token];
    rows->from = first_key(rows->chunk, plan, rows->token);
    size_t of_prefix = rows->from < place->prefix_count ? rows->from : place->prefix_count;
    rows->cells[0] = (Cells){place->prefix + of_prefix, place->prefix_count - of_prefix};
    rows->cells[1].first = place->first + rows->from - of_prefix;
    rows->cells[1].count = rows->chunk->places[last].cell + 1 - rows->cells[1].first;
    rows->keys = rows->cells[0].count + rows->cells[1].count;
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

static void attend_place(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    uint64_t kv_heads = forward_plan(chunk->states[0], chunk->layer)->kv_heads;
    const ForwardState *state = chunk->states[task / chunk->tokens / kv_heads];
    uint64_t group = forward_plan(state, chunk->layer)->heads / kv_heads;
    size_t token = task % chunk->tokens, count = block_length(chunk, token);
    Rows rows = {.chunk = chunk,
                 .state = state,
                 .token = token,
                 .kv_head = task / chunk->tokens % kv_heads,
                 .count = count,
                 .is_group = count == 1,
                 .scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride};
    if (count == 0) return;
    find_cells(&rows, token + count - 1);
    for (uint64_t done = 0; done < group && !job_is_cancelled(chunk->job);
         done += rows.is_group ? rows.count : 1) {
        rows.head = rows.kv_head * group + done;
        if (rows.is_group) rows.count = group - done < ATTENTION_BLOCK ? group - done : ATTENTION_BLOCK;
        attend_rows(&rows);
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
