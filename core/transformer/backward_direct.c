#include "core/support/memory.h"
#include "core/transformer/backward_connections.h"
#include "core/transformer/block_streams.h"
#include "core/transformer/descent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Directions of attribution on their way down (backward.h): past blocks, and through what mixes streams. */

void backward_direct(const BackwardPast *past, size_t token, size_t hidden_size, float *direction) {
    for (size_t i = 0; i < hidden_size; i++)
        direction[i] *= past->vector != NULL ? past->vector[i] : past->scale;
    if (past->inputs != NULL)
        norm_direct(&past->norm, past->inputs + token * hidden_size, direction, direction);
}

size_t backward_direct_streams(const ModelConfig *config) {
    if (config->connections > 0) return (size_t)config->connections;
    return config->streams > 1 ? (size_t)config->streams : 0;
}

/* One multiply for all targets: room for what goes in and comes out. */
typedef struct Rows {
    float *x, *y; /* [count × width] */
} Rows;

static Status open_rows(Rows *rows, size_t count, size_t width, Error *error) {
    *rows =
        (Rows){memory_allocate(count, width * sizeof(float)), memory_allocate(count, width * sizeof(float))};
    return rows->x != NULL && rows->y != NULL ? STATUS_OK : memory_fail(error, "directions");
}

static void close_rows(Rows *rows) {
    free(rows->x);
    free(rows->y);
}

/* ---- behind all layers ---- */

/* How much longer a stream was made; d at that to what its matrix gave. */
static void direct_length(const float *first, const float *made, size_t size, float share, const float *from,
                          float *to) {
    double square = fmax(block_streams_mean_square(made, size), BLOCK_STREAMS_SMALLEST_SQUARE);
    float ratio = (float)sqrt(block_streams_mean_square(first, size) / square) * share;
    for (size_t i = 0; i < size; i++) to[i] = from[i] * ratio;
}

static Status direct_end_of(const Backward *backward, const BackwardDirections *directions, size_t stream,
                            Rows *rows, Job *job, Error *error) {
    const ModelConfig *config = backward_config(backward);
    const size_t hidden = config->hidden_size, streams = config->streams;
    const float *kept = backward_streams(backward, backward->groups, config->layers);
    const PairTensor *tensor =
        backward->model->whole.parts[block_streams_part(TENSOR_PART_STREAM_OUT_1, stream)];
    MatmulOperand operand = {
        .blend = settings_blend(&backward->settings, tensor), .x = rows->x, .y = rows->y};
    for (size_t i = 0; i < directions->count; i++)
        memcpy(rows->x + i * hidden, kept + (directions->tokens[i] * (streams - 1) + stream - 1) * hidden,
               hidden * sizeof *kept);
    Status status = matmul_run(&operand, 1, directions->count, backward->scratch, job, error);
    for (size_t i = 0; i < directions->count; i++)
        direct_length(backward->ending + directions->tokens[i] * hidden, rows->y + i * hidden, hidden,
                      1.0F / (float)streams, directions->stream + i * hidden, rows->x + i * hidden);
    if (status == STATUS_OK)
        status = matmul_run_back(&operand, 1, directions->count, false, backward->scratch, job, error);
    for (size_t i = 0; i < directions->count; i++)
        memcpy(directions->all + (i * streams + stream) * hidden, rows->y + i * hidden,
               hidden * sizeof(float));
    return status;
}

Status backward_direct_end(const Backward *backward, const BackwardDirections *directions, Job *job,
                           Error *error) {
    const size_t hidden = backward_config(backward)->hidden_size,
                 streams = backward_config(backward)->streams;
    Rows rows;
    if (backward_config(backward)->connections > 0)
        return backward_connections_direct_end(backward, directions, job, error);
    if (streams <= 1) return STATUS_OK;
    Status status = open_rows(&rows, directions->count, hidden, error);
    for (size_t i = 0; i < directions->count; i++)
        for (size_t c = 0; c < hidden; c++)
            directions->all[i * streams * hidden + c] = directions->stream[i * hidden + c] / (float)streams;
    for (size_t i = 1; i < streams && status == STATUS_OK; i++)
        status = direct_end_of(backward, directions, i, &rows, job, error);
    close_rows(&rows);
    return status;
}

/* ---- in a layer ---- */

/* To what the layer made of what was predicted; the rest stays at that. */
static void direct_correction(const Descent *descent, size_t token, float *stream, float *all) {
    const ForwardState *state = descent->backward->state;
    const size_t count = (size_t)descent_config(descent)->streams,
                 hidden = descent_config(descent)->hidden_size;
    const float *weights = forward_part(state, descent->layer, TENSOR_PART_STREAM_CORRECTION),
                *modes = state->buffers[BUFFER_STREAM_MODES] + token * count;
    memset(stream, 0, hidden * sizeof *stream);
    for (size_t j = 0; j < count; j++) {
        float share = block_streams_share(weights, j, modes, count) + 1.0F;
        for (size_t c = 0; c < hidden; c++) stream[c] += share * all[j * hidden + c];
    }
    for (size_t c = 0; c < hidden; c++) all[c] -= stream[c];
}

static void direct_prediction(const Descent *descent, size_t token, const float *stream, float *all) {
    const size_t count = (size_t)descent_config(descent)->streams,
                 hidden = descent_config(descent)->hidden_size;
    const float *weights =
                    forward_part(descent->backward->state, descent->layer, TENSOR_PART_STREAM_PREDICTION),
                *modes = descent->backward->copies[COPY_STREAM_MODES] + token * count;
    float shares[MODEL_MAX_STREAMS * MODEL_MAX_STREAMS];
    for (size_t i = 0; i < count * count; i++) shares[i] = block_streams_share(weights, i, modes, count);
    for (size_t c = 0; c < hidden; c++) {
        float behind[MODEL_MAX_STREAMS];
        all[c] += stream[c];
        for (size_t j = 0; j < count; j++) behind[j] = all[j * hidden + c];
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count; j++) all[i * hidden + c] += shares[j * count + i] * behind[j];
    }
}

Status backward_direct_enter(const BackwardLayer *layer, const BackwardDirections *directions, Error *error) {
    const Descent *descent = layer->descent;
    const size_t count = (size_t)descent_config(descent)->streams,
                 hidden = descent_config(descent)->hidden_size;
    (void)error;
    if (descent_config(descent)->connections > 0) backward_connections_direct(descent, true, directions);
    for (size_t i = 0; count > 1 && i < directions->count; i++)
        direct_correction(descent, directions->tokens[i], directions->stream + i * hidden,
                          directions->all + i * count * hidden);
    return STATUS_OK;
}

static Status run_back(const Descent *descent, TensorPart part, const float *from, size_t count, float *to,
                       Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[part];
    const MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor), .x = from, .y = to};
    return matmul_run_back(&operand, 1, count, false, backward->scratch, descent->job, error);
}

/* The learned residual, of which both products are, and its input's norm. */
static Status direct_laurel(const Descent *descent, const BackwardDirections *directions, const Rows *rows,
                            float *ranks, Error *error) {
    const Backward *backward = descent->backward;
    const Norm laurel = block_streams_norm(backward->state, descent->layer, TENSOR_PART_LAUREL_NORM),
               norm = forward_norm(backward->state, descent->layer, TENSOR_ATTENTION_NORM);
    const size_t hidden = laurel.size;
    for (size_t i = 0; i < directions->count; i++)
        norm_direct(&laurel, backward->copies[COPY_LAUREL] + directions->tokens[i] * hidden,
                    directions->stream + i * hidden, rows->x + i * hidden);
    Status status = run_back(descent, TENSOR_PART_LAUREL_RIGHT, rows->x, directions->count, ranks, error);
    if (status == STATUS_OK)
        status = run_back(descent, TENSOR_PART_LAUREL_LEFT, ranks, directions->count, rows->y, error);
    for (size_t i = 0; i < directions->count && status == STATUS_OK; i++) {
        float *stream = directions->stream + i * hidden, *y = rows->y + i * hidden, *x = rows->x + i * hidden;
        for (size_t c = 0; c < hidden; c++) y[c] += stream[c];
        norm_direct(&norm, backward->state->buffers[BUFFER_PREDICTED] + directions->tokens[i] * hidden, y, x);
        for (size_t c = 0; c < hidden; c++) stream[c] = (stream[c] + x[c]) * BLOCK_STREAMS_HALF;
    }
    return status;
}

Status backward_direct_leave(const BackwardLayer *layer, const BackwardDirections *directions, Error *error) {
    const Descent *descent = layer->descent;
    const ModelConfig *config = descent_config(descent);
    const size_t count = (size_t)config->streams, hidden = config->hidden_size;
    Rows rows;
    if (config->connections > 0) backward_connections_direct(descent, false, directions);
    if (count <= 1) return STATUS_OK;
    Status status = open_rows(&rows, directions->count, hidden, error);
    float *ranks = memory_allocate(directions->count, config->laurel_rank * sizeof *ranks);
    if (status == STATUS_OK && ranks == NULL) status = memory_fail(error, "directions");
    if (status == STATUS_OK) status = direct_laurel(descent, directions, &rows, ranks, error);
    for (size_t i = 0; i < directions->count && status == STATUS_OK; i++)
        direct_prediction(descent, directions->tokens[i], directions->stream + i * hidden,
                          directions->all + i * count * hidden);
    free(ranks);
    close_rows(&rows);
    return status;
}
