#include "core/readiness/gradient_head.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_ROWS = 128, TILE_POSITIONS = 256 };

/* A token of the rows, by the id that it has. */
typedef struct Place {
    int32_t id;
    size_t token;
} Place;

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
    /* the final norm's */
    double *norm; /* [hidden_size] */
    double loss_sum;
    /* the embedding's */
    Place *places; /* [tokens], by id and then by token */
    size_t tokens;
    int32_t *used; /* [used_count]: the ids, ascending */
    size_t used_count;
    float *used_rows; /* [used_count × hidden_size]: of a tied head's gradient; NULL: it is not tied */
    /* a multiply with the head */
    float *scratch; /* [threads][scratch_floats()] */
    double *partial;
    size_t done; /* tiles before those at hand */
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
    return row + sizeof(Place) + sizeof(int32_t);
}

uint64_t gradient_head_bytes(const Model *model, unsigned threads) {
    return scratch_floats(model) * sizeof(float) * threads + count_tiles(model) * sizeof(double) +
           LOSS_HEAD_BLOCK * (forward_vocabulary(model) + 2 * model->config->hidden_size) * sizeof(float);
}

/* ---- made and freed ---- */

static int compare_places(const void *a, const void *b) {
    const Place *left = a, *right = b;
    if (left->id != right->id) return left->id < right->id ? -1 : 1;
    return left->token < right->token ? -1 : left->token > right->token;
}

static Status list_ids(GradientHead *head, const int32_t *ids, Error *error) {
    head->places = memory_allocate(head->tokens, sizeof *head->places);
    head->used = memory_allocate(head->tokens, sizeof *head->used);
    if (head->places == NULL || head->used == NULL) return memory_fail(error, "gradients");
    for (size_t i = 0; i < head->tokens; i++) head->places[i] = (Place){ids[i], i};
    qsort(head->places, head->tokens, sizeof *head->places, compare_places);
    for (size_t i = 0; i < head->tokens; i++) {
        if (i == 0 || head->places[i].id != head->places[i - 1].id)
            head->used[head->used_count++] = head->places[i].id;
    }
    if (!is_tied(head->model)) return STATUS_OK;
    head->used_rows =
        memory_allocate_aligned(head->used_count, head->model->config->hidden_size * sizeof(float));
    return head->used_rows == NULL ? memory_fail(error, "gradients") : STATUS_OK;
}

static Status allocate(GradientHead *head, Error *error) {
    size_t width = head->model->config->hidden_size;
    head->hidden = memory_allocate_aligned(head->capacity, width * sizeof(float));
    head->log_normalizers = memory_allocate(head->capacity, sizeof *head->log_normalizers);
    head->weights = memory_allocate(head->capacity, sizeof *head->weights);
    head->next = memory_allocate(head->capacity, sizeof *head->next);
    head->norm = memory_allocate(width, sizeof *head->norm);
    head->scratch =
        memory_allocate_aligned(job_threads(head->job), scratch_floats(head->model) * sizeof(float));
    head->partial = memory_allocate(count_tiles(head->model), sizeof *head->partial);
    bool complete = head->hidden != NULL && head->log_normalizers != NULL && head->weights != NULL &&
                    head->next != NULL && head->norm != NULL && head->scratch != NULL &&
                    head->partial != NULL;
    return complete ? STATUS_OK : memory_fail(error, "gradients");
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
        norm_add_weight_gradient(&norm, position->residual, block->gradients + i * width, head->norm);
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
    made->tokens = tokens;
    Status status = loss_head_open(model, settings, keep_block, made, job, &made->loss, error);
    if (status == STATUS_OK) status = allocate(made, error);
    if (status == STATUS_OK) status = list_ids(made, ids, error);
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
    free(head->places);
    free(head->used);
    free(head->used_rows);
    free(head->scratch);
    free(head->partial);
    free(head);
}

float *gradient_head_place(GradientHead *head) {
    return loss_head_place(head->loss);
}

Status gradient_head_add(GradientHead *head, const LossHeadPosition *position, Error *error) {
    return loss_head_add(head->loss, position, error);
}

/* ---- the head's gradient, tile by tile ---- */

/* ∂L/∂logits of some positions at the tile's rows, [count × rows], out of the logits. */
static void differentiate(const GradientHead *head, size_t first, size_t count, size_t row, size_t rows,
                          float *logits) {
    for (size_t i = 0; i < count; i++) {
        float *own = logits + i * rows, weight = head->weights[first + i];
        double normalizer = head->log_normalizers[first + i];
        for (size_t r = 0; r < rows; r++) own[r] = weight * expf((float)((double)own[r] - normalizer));
        size_t next = (size_t)head->next[first + i];
        if (next >= row && next < row + rows) own[next - row] -= weight;
    }
}

/* The first of the used ids that is not below `id`. */
static size_t find_used(const GradientHead *head, size_t id) {
    size_t low = 0, high = head->used_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((size_t)head->used[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds up the tile's squares; rows that the embedding adds to are put aside instead. */
static double take_tile(const GradientHead *head, const float *tile, size_t row, size_t rows) {
    size_t width = head->model->config->hidden_size, used = find_used(head, row);
    double sum = 0.0;
    for (size_t r = 0; r < rows; r++, tile += width) {
        if (head->used_rows != NULL && used < head->used_count && (size_t)head->used[used] == row + r) {
            memcpy(head->used_rows + used++ * width, tile, width * sizeof *tile);
            continue;
        }
        for (size_t c = 0; c < width; c++) sum += (double)tile[c] * (double)tile[c];
    }
    return sum;
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
    for (size_t first = 0; first < head->count && !job_is_cancelled(head->job); first += TILE_POSITIONS) {
        size_t count = head->count - first < TILE_POSITIONS ? head->count - first : TILE_POSITIONS;
        const float *hidden = head->hidden + first * width;
        blas_multiply_transposed(count, rows, width, hidden, width, weights, width, 0.0F, logits, rows);
        differentiate(head, first, count, row, rows, logits);
        blas_multiply_left_transposed(rows, width, count, logits, rows, hidden, width, 1.0F, tile, width);
    }
    head->partial[head->done + task] = take_tile(head, tile, row, rows);
}

static Status run_tiles(GradientHead *head, double *squares, Error *error) {
    enum { REPORTED = 64 }; /* tiles between two reports */
    size_t tiles = count_tiles(head->model);
    Status status = STATUS_OK;
    for (head->done = 0; head->done < tiles && status == STATUS_OK; head->done += REPORTED) {
        size_t count = tiles - head->done < REPORTED ? tiles - head->done : REPORTED;
        if (!job_report(head->job, "gradient, head", head->done * TILE_ROWS, tiles * TILE_ROWS))
            return job_cancelled(error);
        status = job_run(head->job, count, run_tile, head, error);
    }
    *squares = 0.0;
    for (size_t i = 0; i < tiles; i++) *squares += head->partial[i];
    return status;
}

Status gradient_head_finish(GradientHead *head, GradientEnds *ends, Error *error) {
    Status status = loss_head_finish(head->loss, error);
    *ends = (GradientEnds){.loss = head->loss_sum};
    for (size_t i = 0; i < head->model->config->hidden_size; i++)
        ends->final_norm += head->norm[i] * head->norm[i];
    return status == STATUS_OK ? run_tiles(head, &ends->head, error) : status;
}

/* ---- the embedding ---- */

Status gradient_head_embed(GradientHead *head, const float *gradient, GradientEnds *ends, Error *error) {
    size_t width = head->model->config->hidden_size, used = 0;
    double *row = memory_allocate(width, sizeof *row);
    if (row == NULL) return memory_fail(error, "gradients");
    ends->embedding = head->used_rows != NULL ? ends->head : 0.0;
    for (size_t i = 0; i < head->tokens; used++) {
        const float *of_head = head->used_rows == NULL ? NULL : head->used_rows + used * width;
        for (size_t c = 0; c < width; c++) row[c] = of_head == NULL ? 0.0 : (double)of_head[c];
        int32_t id = head->places[i].id;
        for (; i < head->tokens && head->places[i].id == id; i++) {
            const float *own = gradient + head->places[i].token * width;
            for (size_t c = 0; c < width; c++) row[c] += (double)own[c];
        }
        for (size_t c = 0; c < width; c++) ends->embedding += row[c] * row[c];
    }
    free(row);
    return STATUS_OK;
}
