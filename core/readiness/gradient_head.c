#include "core/readiness/gradient_head.h"

#include "core/numerics/blas.h"
#include "core/readiness/gradient_rows.h"
#include "core/support/memory.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_ROWS = 128, TILE_POSITIONS = 256 };

struct GradientHead {
    const Model *model;
    Settings settings;
    LossHead *loss;
    Job *job;
    size_t capacity, count;
    /* of each position that was added */
    float *hidden; /* [capacity × hidden_size] */
    double *log_normalizers;
    float *weights;
    int32_t *next;
    double *norm, *norm_bias; /* the final norm's, [hidden_size] */
    double loss_sum;
    float *bias;       /* the head's, [vocabulary]; NULL: it has none */
    GradientRows rows; /* the embedding's */
    float *used_rows;  /* [rows.used_count × hidden_size]: of a tied head's gradient; NULL: it is not tied */
    /* a multiply with the head */
    float *scratch;                 /* [threads][scratch_floats()] */
    double *partial, *partial_bias; /* [tiles] */
    size_t done;                    /* tiles before those at hand */
};

static bool is_tied(const Model *model) {
    return model->whole.tensors[TENSOR_HEAD] == model->whole.tensors[TENSOR_EMBEDDING];
}

static size_t scratch_floats(const Model *model) {
    return (size_t)2 * TILE_ROWS * model->config->hidden_size + (size_t)TILE_POSITIONS * TILE_ROWS;
}

static size_t count_tiles(const Model *model) {
    return (forward_vocabulary(model) + TILE_ROWS - 1) / TILE_ROWS;
}

uint64_t gradient_head_position_bytes(const Model *model) {
    return model->config->hidden_size * sizeof(float) + sizeof(double) + sizeof(float) + sizeof(int32_t);
}

/* At worst every token has an id of its own. */
uint64_t gradient_head_token_bytes(const Model *model) {
    uint64_t row = is_tied(model) ? model->config->hidden_size * sizeof(float) : 0;
    return row + sizeof(struct GradientLookUp) + 2 * sizeof(size_t);
}

uint64_t gradient_head_bytes(const Model *model, unsigned threads) {
    return scratch_floats(model) * sizeof(float) * threads + 2 * count_tiles(model) * sizeof(double) +
           LOSS_HEAD_BLOCK * (forward_vocabulary(model) + 2 * model->config->hidden_size) * sizeof(float);
}

/* ---- made and freed ---- */

static Status list_ids(GradientHead *head, const int32_t *ids, size_t tokens, Error *error) {
    size_t *rows = memory_allocate(tokens, sizeof *rows);
    if (rows == NULL) return memory_fail(error, "gradients");
    for (size_t i = 0; i < tokens; i++) rows[i] = (size_t)ids[i];
    Status status = gradient_rows_make(rows, tokens, &head->rows, error);
    free(rows);
    if (status != STATUS_OK || !is_tied(head->model)) return status;
    head->used_rows =
        memory_allocate_aligned(head->rows.used_count, head->model->config->hidden_size * sizeof(float));
    return head->used_rows == NULL ? memory_fail(error, "gradients") : STATUS_OK;
}

static Status blend_bias(GradientHead *head, Error *error) {
    const PairTensor *tensor = head->model->whole.tensors[TENSOR_HEAD_BIAS];
    if (tensor == NULL) return STATUS_OK;
    head->bias = memory_allocate(forward_vocabulary(head->model), sizeof *head->bias);
    if (head->bias == NULL) return memory_fail(error, "gradients");
    Blend blend = settings_blend(&head->settings, tensor);
    blend_rows(&blend, 0, forward_vocabulary(head->model), head->bias);
    return STATUS_OK;
}

static Status allocate(GradientHead *head, Error *error) {
    size_t width = head->model->config->hidden_size;
    head->hidden = memory_allocate_aligned(head->capacity, width * sizeof(float));
    head->log_normalizers = memory_allocate(head->capacity, sizeof *head->log_normalizers);
    head->weights = memory_allocate(head->capacity, sizeof *head->weights);
    head->next = memory_allocate(head->capacity, sizeof *head->next);
    head->norm = memory_allocate(width, sizeof *head->norm);
    head->norm_bias = memory_allocate(width, sizeof *head->norm_bias);
    head->scratch =
        memory_allocate_aligned(job_threads(head->job), scratch_floats(head->model) * sizeof(float));
    head->partial = memory_allocate(count_tiles(head->model), sizeof *head->partial);
    head->partial_bias = memory_allocate(count_tiles(head->model), sizeof *head->partial_bias);
    bool complete = head->hidden != NULL && head->log_normalizers != NULL && head->weights != NULL &&
                    head->next != NULL && head->norm != NULL && head->norm_bias != NULL &&
                    head->scratch != NULL && head->partial != NULL && head->partial_bias != NULL;
    return complete ? blend_bias(head, error) : memory_fail(error, "gradients");
}

/* Keeps what the head's own gradient is made of. */
static void keep_block(void *user, const LossHeadBlock *block) {
    GradientHead *head = user;
    const ModelConfig *config = forward_side(head->model, &head->settings)->config;
    size_t width = config->hidden_size;
    memcpy(head->hidden + head->count * width, block->hidden, block->count * width * sizeof *head->hidden);
    for (size_t i = 0; i < block->count; i++, head->count++) {
        const LossHeadPosition *position = &block->positions[i];
        head->log_normalizers[head->count] = block->log_normalizers[i];
        head->weights[head->count] = position->weight;
        head->next[head->count] = position->next;
        head->loss_sum -= (double)position->weight * block->next_log_probabilities[i];
        const Norm norm = {.kind = config->norm, .size = width, .epsilon = config->norm_epsilon};
        const float *slopes = block->gradients + i * width;
        norm_add_weight_gradient(&norm, position->residual, slopes, head->norm);
        for (size_t c = 0; c < width; c++) head->norm_bias[c] += (double)slopes[c];
    }
}

Status gradient_head_open(const Model *model, const Settings *settings, const int32_t *ids, size_t tokens,
                          size_t positions, Job *job, GradientHead **head, Error *error) {
    *head = NULL;
    GradientHead *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "gradients");
    made->model = model;
    made->settings = *settings;
    made->job = job;
    made->capacity = positions;
    Status status = loss_head_open(model, settings, keep_block, made, job, &made->loss, error);
    if (status == STATUS_OK) status = allocate(made, error);
    if (status == STATUS_OK) status = list_ids(made, ids, tokens, error);
    if (status == STATUS_OK)
        *head = made;
    else
        gradient_head_close(made);
    return status;
}

void gradient_head_close(GradientHead *head) {
    if (head == NULL) return;
    loss_head_close(head->loss);
    free(head->hidden);
    free(head->log_normalizers);
    free(head->weights);
    free(head->next);
    free(head->norm);
    free(head->norm_bias);
    free(head->bias);
    gradient_rows_free(&head->rows);
    free(head->used_rows);
    free(head->scratch);
    free(head->partial);
    free(head->partial_bias);
    free(head);
}

float *gradient_head_place(GradientHead *head) {
    return loss_head_place(head->loss);
}

Status gradient_head_add(GradientHead *head, const LossHeadPosition *position, Error *error) {
    return loss_head_add(head->loss, position, error);
}

/* ---- the head's gradient, tile by tile ---- */

/* ∂L/∂(h · w) of some positions at the tile's rows, [count × rows], out of those products. */
static void differentiate(const GradientHead *head, size_t first, size_t count, size_t row, size_t rows,
                          float *logits) {
    const ModelConfig *config = forward_side(head->model, &head->settings)->config;
    bool is_plain = config->logit_scale == 1.0 && config->logit_cap == 0.0 && !config->has_silent_token;
    for (size_t i = 0; i < count; i++) {
        float *own = logits + i * rows, weight = head->weights[first + i];
        double normalizer = head->log_normalizers[first + i];
        size_t next = (size_t)head->next[first + i] - row;
        for (size_t r = 0; r < rows; r++) {
            float product = own[r] + (head->bias != NULL ? head->bias[row + r] : 0.0F);
            float logit = is_plain ? product : forward_finish_logit(head->model, config, row + r, product);
            float slope = weight * (expf((float)((double)logit - normalizer)) - (r == next ? 1.0F : 0.0F));
            own[r] = is_plain ? slope : slope * forward_logit_slope(head->model, config, row + r, logit);
        }
    }
}

/* Adds up the tile's squares; rows that the embedding adds to are put aside instead. */
static double take_tile(const GradientHead *head, const float *tile, size_t row, size_t rows) {
    size_t width = head->model->config->hidden_size, used = gradient_rows_find(&head->rows, row);
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++, tile += width) {
        if (head->used_rows != NULL && used < head->rows.used_count && head->rows.used[used] == row + r) {
            memcpy(head->used_rows + used++ * width, tile, width * sizeof *tile);
            continue;
        }
        for (size_t c = 0; c < width; c++) sum += (double)tile[c] * (double)tile[c];
    }
    return sum;
}

/* The bias's gradient is what goes through its rows. */
static void add_biases(const float *slopes, size_t count, size_t rows, double *sums) {
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < rows; r++) sums[r] += (double)slopes[i * rows + r];
}

static void run_tile(void *argument, size_t task, unsigned worker) {
    const GradientHead *head = argument;
    size_t width = head->model->config->hidden_size, vocabulary = forward_vocabulary(head->model);
    size_t row = (head->done + task) * TILE_ROWS,
           rows = vocabulary - row < TILE_ROWS ? vocabulary - row : TILE_ROWS;
    float *weights = head->scratch + (size_t)worker * scratch_floats(head->model);
    float *tile = weights + TILE_ROWS * width, *logits = tile + TILE_ROWS * width;
    Blend blend = settings_blend(&head->settings, head->model->whole.tensors[TENSOR_HEAD]);
    blend_rows(&blend, row, rows, weights);
    memset(tile, 0, rows * width * sizeof *tile);
    double biases[TILE_ROWS] = {0.0};
    for (size_t first = 0; first < head->count && !job_is_cancelled(head->job); first += TILE_POSITIONS) {
        size_t count = head->count - first < TILE_POSITIONS ? head->count - first : TILE_POSITIONS;
        const float *hidden = head->hidden + first * width;
        blas_multiply_transposed(count, rows, width, hidden, width, weights, width, 0.0F, logits, rows);
        differentiate(head, first, count, row, rows, logits);
        if (head->bias != NULL) add_biases(logits, count, rows, biases);
        blas_multiply_left_transposed(rows, width, count, logits, rows, hidden, width, 1.0F, tile, width);
    }
    head->partial[head->done + task] = take_tile(head, tile, row, rows);
    for (size_t r = 0; r < rows; r++) head->partial_bias[head->done + task] += biases[r] * biases[r];
}

static Status run_tiles(GradientHead *head, GradientEnds *ends, Error *error) {
    enum { REPORTED = 64 }; /* tiles between two reports */
    size_t tiles = count_tiles(head->model);
    Status status = STATUS_OK;
    for (head->done = 0; head->done < tiles && status == STATUS_OK; head->done += REPORTED) {
        size_t count = tiles - head->done < REPORTED ? tiles - head->done : REPORTED;
        if (!job_report(head->job, "gradient, head", head->done * TILE_ROWS, tiles * TILE_ROWS))
            return job_cancelled(error);
        status = job_run(head->job, count, run_tile, head, error);
    }
    for (size_t i = 0; i < tiles; i++) {
        ends->head += head->partial[i];
        ends->head_bias += head->partial_bias[i];
    }
    return status;
}

Status gradient_head_finish(GradientHead *head, GradientEnds *ends, Error *error) {
    Status status = loss_head_finish(head->loss, error);
    *ends = (GradientEnds){.loss = head->loss_sum};
    for (size_t i = 0; i < head->model->config->hidden_size; i++) {
        ends->final_norm += head->norm[i] * head->norm[i];
        ends->final_bias += head->norm_bias[i] * head->norm_bias[i];
    }
    return status == STATUS_OK ? run_tiles(head, ends, error) : status;
}

/* ---- the embedding ---- */

Status gradient_head_embed(GradientHead *head, const float *gradient, GradientEnds *ends, Error *error) {
    double square;
    Status status = gradient_rows_square(&head->rows, gradient, head->model->config->hidden_size,
                                         head->used_rows, &square, error);
    ends->embedding = (head->used_rows != NULL ? ends->head : 0.0) + square;
    return status;
}
