#include "core/transformer/attention.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"

#include <math.h>

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

/* The first key that a query sees. */
static size_t first_key(const Chunk *chunk, const ModelConfig *config, size_t token) {
    size_t start = chunk_start(chunk, token), index = chunk->first + token;
    if (!architecture_slides(config, chunk->layer) || index + 1 - start <= config->window) return start;
    return index + 1 - config->window;
}

void attention_weigh(float *scores, size_t from, size_t to, size_t count, float scale) {
    float largest = -INFINITY;
    for (size_t i = from; i < to; i++) largest = fmaxf(largest, scores[i] * scale);
    double sum = 0.0;
    for (size_t i = from; i < to; i++) {
        scores[i] = expf(scores[i] * scale - largest);
        sum += (double)scores[i];
    }
    float share = (float)(1.0 / sum);
    for (size_t i = 0; i < from; i++) scores[i] = 0.0F;
    for (size_t i = from; i < to; i++) scores[i] *= share;
    for (size_t i = to; i < count; i++) scores[i] = 0.0F;
}

static void attend_head(const Chunk *chunk, const ForwardState *state, Span span, uint64_t head,
                        float *scores) {
    const ModelConfig *config = state->side->config;
    size_t dim = config->head_dim, width = config->heads * dim, keys = span.to - span.from;
    uint64_t kv_head = head / (config->heads / config->kv_heads);
    size_t cache = ((chunk->layer * config->kv_heads + kv_head) * state->capacity + span.from) * dim;
    const float *query = state->buffers[BUFFER_QUERY] + span.token * width + head * dim;
    float *mixed = state->buffers[BUFFER_MIXED] + span.token * width + head * dim;
    blas_multiply_transposed(span.count, keys, dim, query, width, state->keys + cache, dim, 0.0F, scores,
                             keys);
    float scale = (float)(1.0 / sqrt((double)dim));
    for (size_t i = 0; i < span.count; i++) {
        size_t token = span.token + i;
        attention_weigh(scores + i * keys, first_key(chunk, config, token) - span.from,
                        chunk->first + token + 1 - span.from, keys, scale);
    }
    blas_multiply(span.count, dim, keys, scores, keys, state->values + cache, dim, 0.0F, mixed, width);
}

static Span make_span(const Chunk *chunk, const ModelConfig *config, size_t block) {
    Span span = {.token = block * ATTENTION_BLOCK};
    span.count = chunk->tokens - span.token;
    if (span.count > ATTENTION_BLOCK) span.count = ATTENTION_BLOCK;
    span.to = chunk->first + span.token + span.count;
    span.from = span.to;
    for (size_t i = 0; i < span.count; i++) {
        size_t first = first_key(chunk, config, span.token + i);
        if (first < span.from) span.from = first;
    }
    return span;
}

static void attend(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    uint64_t kv_heads = chunk->states[0]->model->config->kv_heads;
    size_t blocks = (chunk->tokens + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    const ForwardState *state = chunk->states[task / blocks / kv_heads];
    const ModelConfig *config = state->side->config;
    uint64_t group = config->heads / config->kv_heads, kv_head = task / blocks % config->kv_heads;
    Span span = make_span(chunk, config, task % blocks);
    float *scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride;
    for (uint64_t head = kv_head * group; head < (kv_head + 1) * group && !job_is_cancelled(chunk->job);
         head++)
        attend_head(chunk, state, span, head, scores);
}

/* ---- tokens of sequences that grow side by side ---- */

/*
 * A task is one key/value head of one state and one token: its group's query heads share the multiplies, over the
 * shared cells and over its own.
 */
typedef struct Cells {
    size_t first, count;
} Cells;

/* What the token sees of the shared cells (0) and of its own (1). */
static void find_cells(const Chunk *chunk, const ModelConfig *config, size_t token, Cells cells[2]) {
    const ForwardPlace *place = &chunk->places[token];
    size_t keys = chunk_position(chunk, token) + 1, hidden = 0;
    if (architecture_slides(config, chunk->layer) && keys > config->window) hidden = keys - config->window;
    size_t of_prefix = hidden < place->prefix_count ? hidden : place->prefix_count;
    cells[0] = (Cells){place->prefix + of_prefix, place->prefix_count - of_prefix};
    cells[1].first = place->first + hidden - of_prefix;
    cells[1].count = place->cell + 1 - cells[1].first;
}

static void attend_group(const Chunk *chunk, const ForwardState *state, size_t token, uint64_t kv_head,
                         uint64_t head, size_t heads, float *scores) {
    const ModelConfig *config = state->side->config;
    size_t dim = config->head_dim, row = token * config->heads * dim + head * dim;
    const float *query = state->buffers[BUFFER_QUERY] + row;
    float *mixed = state->buffers[BUFFER_MIXED] + row;
    size_t cache = (chunk->layer * config->kv_heads + kv_head) * state->capacity;
    Cells cells[2];
    find_cells(chunk, config, token, cells);
    size_t keys = cells[0].count + cells[1].count;
    for (size_t part = 0, at = 0; part < 2; at += cells[part++].count) {
        if (cells[part].count > 0)
            blas_multiply_transposed(heads, cells[part].count, dim, query, dim,
                                     state->keys + (cache + cells[part].first) * dim, dim, 0.0F, scores + at,
                                     keys);
    }
    float scale = (float)(1.0 / sqrt((double)dim));
    for (size_t i = 0; i < heads; i++) attention_weigh(scores + i * keys, 0, keys, keys, scale);
    float beta = 0.0F;
    for (size_t part = 0, at = 0; part < 2; at += cells[part++].count) {
        if (cells[part].count == 0) continue;
        blas_multiply(heads, dim, cells[part].count, scores + at, keys,
                      state->values + (cache + cells[part].first) * dim, dim, beta, mixed, dim);
        beta = 1.0F;
    }
}

static void attend_place(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    uint64_t kv_heads = chunk->states[0]->model->config->kv_heads;
    const ForwardState *state = chunk->states[task / chunk->tokens / kv_heads];
    uint64_t group = state->side->config->heads / kv_heads, kv_head = task / chunk->tokens % kv_heads;
    float *scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride;
    for (uint64_t done = 0; done < group && !job_is_cancelled(chunk->job); done += ATTENTION_BLOCK) {
        size_t heads = group - done < ATTENTION_BLOCK ? group - done : ATTENTION_BLOCK;
        attend_group(chunk, state, task % chunk->tokens, kv_head, kv_head * group + done, heads, scores);
    }
}

static Status run_places(const Chunk *chunk, Error *error) {
    size_t tasks;
    if (!memory_multiply(chunk->tokens, chunk->state_count * chunk->states[0]->model->config->kv_heads,
                         &tasks))
        return memory_fail(error, "attention");
    Chunk shared = *chunk;
    return job_run(chunk->job, tasks, attend_place, &shared, error);
}

Status attention_run(const Chunk *chunk, Error *error) {
    if (chunk->places != NULL) return run_places(chunk, error);
    const ModelConfig *config = chunk->states[0]->model->config;
    size_t blocks = (chunk->tokens + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK, tasks;
    if (!memory_multiply(blocks, chunk->state_count * config->kv_heads, &tasks))
        return memory_fail(error, "attention");
    Chunk shared = *chunk;
    return job_run(chunk->job, tasks, attend, &shared, error);
}
