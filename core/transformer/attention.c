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

Status attention_run(const Chunk *chunk, Error *error) {
    const ModelConfig *config = chunk->states[0]->model->config;
    size_t blocks = (chunk->tokens + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK, tasks;
    if (!memory_multiply(blocks, chunk->state_count * config->kv_heads, &tasks))
        return memory_fail(error, "attention");
    Chunk shared = *chunk;
    return job_run(chunk->job, tasks, attend, &shared, error);
}
