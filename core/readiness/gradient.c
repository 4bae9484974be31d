#include "core/readiness/gradient.h"

#include "core/readiness/gradient_head.h"
#include "core/readiness/gradient_sums.h"
#include "core/readiness/weight_norm.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

enum { GROUP_BUDGET = 512 << 20, SMALLEST_GROUP = 128, LARGEST_GROUP = 2048 };

/* A measurement under way. */
typedef struct Measurement {
    const Model *model;
    const Settings *settings;
    const ModelConfig *config; /* of the side that the settings run as */
    Job *job;
    Gradient *gradient;
    double *squares; /* [pair->count]: of each tensor of the pair */
    /* rows with A ≠ 0 */
    EvaluationRow *rows;
    double *advantages;
    size_t row_count, tokens, positions, group_tokens;
    int32_t *ids; /* [tokens] */
    GradientEnds ends;
    GradientSums *sums;
    GradientHead *head;
    Backward *backward;
    float *slopes; /* [tokens × hidden_size] */
} Measurement;

static void free_measurement(Measurement *measurement) {
    gradient_sums_free(measurement->sums);
    gradient_head_close(measurement->head);
    backward_free(measurement->backward);
    free(measurement->squares);
    free(measurement->rows);
    free(measurement->advantages);
    free(measurement->ids);
    free(measurement->slopes);
}

/* ---- rows ---- */

static Status take_rows(Measurement *measurement, const SampleRows *rows, const double *advantages,
                        Error *error) {
    measurement->rows = memory_allocate(rows->count, sizeof *measurement->rows);
    measurement->advantages = memory_allocate(rows->count, sizeof *measurement->advantages);
    if (measurement->rows == NULL || measurement->advantages == NULL) return memory_fail(error, "samples");
    for (size_t i = 0; i < rows->count; i++) {
        size_t positions = evaluation_row_positions(&rows->rows[i]);
        measurement->gradient->tokens += positions;
        if (advantages[i] == 0.0 || positions == 0) continue;
        measurement->rows[measurement->row_count] = rows->rows[i];
        measurement->advantages[measurement->row_count++] = advantages[i];
        measurement->tokens += rows->rows[i].count;
        measurement->positions += positions;
    }
    measurement->ids = memory_allocate(measurement->tokens, sizeof *measurement->ids);
    if (measurement->ids == NULL) return memory_fail(error, "samples");
    size_t at = 0;
    for (size_t i = 0; i < measurement->row_count; i++) {
        for (size_t t = 0; t < measurement->rows[i].count; t++)
            measurement->ids[at++] = measurement->rows[i].ids[t];
    }
    return STATUS_OK;
}

static size_t longest_row(const Measurement *measurement) {
    size_t longest = 0;
    for (size_t i = 0; i < measurement->row_count; i++)
        if (measurement->rows[i].count > longest) longest = measurement->rows[i].count;
    return longest;
}

static size_t choose_group(const Model *model) {
    uint64_t tokens = GROUP_BUDGET / backward_group_bytes(model, 1);
    if (tokens < SMALLEST_GROUP) return SMALLEST_GROUP;
    return tokens < LARGEST_GROUP ? (size_t)tokens : LARGEST_GROUP;
}

/* What does not grow with the tokens is taken off what is allowed first. */
static Status check_memory(const Measurement *measurement, Error *error) {
    const Model *model = measurement->model;
    size_t group = longest_row(measurement), wanted = measurement->group_tokens;
    if (wanted > group) group = wanted < measurement->tokens ? wanted : measurement->tokens;
    uint64_t fixed = backward_group_bytes(model, group), limit = forward_memory_limit();
    fixed += gradient_head_bytes(model, job_threads(measurement->job));
    if (group < measurement->tokens) fixed += gradient_sums_bytes(model);
    uint64_t token = backward_kept_bytes(model) + model->config->hidden_size * sizeof(float) +
                     gradient_head_token_bytes(model) + gradient_head_position_bytes(model);
    Status status = forward_check_memory(token, measurement->tokens, limit > fixed ? limit - fixed : 0,
                                         "what the gradient keeps of each", error);
    return status == STATUS_OK ? status : status_add_context(error, "samples of mixed groups");
}

/* ---- down ---- */

static Status start_row(Measurement *measurement, size_t index, float *slopes, Error *error) {
    const EvaluationRow *row = &measurement->rows[index];
    size_t width = measurement->model->config->hidden_size;
    double weight = measurement->advantages[index] / (double)measurement->gradient->tokens;
    Status status = STATUS_OK;
    for (size_t t = row->first; t < row->end && status == STATUS_OK; t++) {
        const LossHeadPosition position = {.residual = backward_residual(measurement->backward, index, t),
                                           .gradient = slopes + t * width,
                                           .next = row->ids[t + 1],
                                           .weight = (float)weight};
        backward_hidden(measurement->backward, index, t, gradient_head_place(measurement->head));
        status = gradient_head_add(measurement->head, &position, error);
    }
    return status;
}

static Status start(Measurement *measurement, Error *error) {
    float *slopes = measurement->slopes;
    size_t done = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < measurement->row_count && status == STATUS_OK; i++) {
        if (!job_report(measurement->job, "gradient, loss", done, measurement->tokens))
            return job_cancelled(error);
        status = start_row(measurement, i, slopes, error);
        slopes += measurement->rows[i].count * measurement->model->config->hidden_size;
        done += measurement->rows[i].count;
    }
    return status == STATUS_OK ? gradient_head_finish(measurement->head, &measurement->ends, error) : status;
}

/* A tied head's gradient meets the embedding's. */
static Status take_flow(void *user, const BackwardFlow *flow, Error *error) {
    Measurement *measurement = user;
    if (flow->role == TENSOR_EMBEDDING)
        return gradient_head_embed(measurement->head, flow->gradients, &measurement->ends, error);
    return gradient_sums_add(measurement->sums, flow, measurement->squares, error);
}

static Status open_passes(Measurement *measurement, Error *error) {
    const Model *model = measurement->model;
    BackwardRow *rows = memory_allocate(measurement->row_count, sizeof *rows);
    measurement->slopes =
        memory_allocate(measurement->tokens, model->config->hidden_size * sizeof *measurement->slopes);
    Status status = rows == NULL || measurement->slopes == NULL ? memory_fail(error, "gradients") : STATUS_OK;
    for (size_t i = 0; i < measurement->row_count && rows != NULL; i++)
        rows[i] = (BackwardRow){measurement->rows[i].ids, measurement->rows[i].count};
    if (status == STATUS_OK)
        status = gradient_sums_create(model->pair, measurement->job, &measurement->sums, error);
    if (status == STATUS_OK)
        status = gradient_head_open(model, measurement->settings, measurement->ids, measurement->tokens,
                                    measurement->positions, measurement->job, &measurement->head, error);
    if (status == STATUS_OK)
        status = backward_create_groups(model, measurement->settings, rows, measurement->row_count,
                                        measurement->group_tokens, "gradient, forward", measurement->job,
                                        &measurement->backward, error);
    free(rows);
    return status;
}

static void put_square(const Measurement *measurement, const PairTensor *tensor, double square) {
    if (tensor != NULL) measurement->squares[tensor - measurement->model->pair->tensors] = square;
}

static Status run(Measurement *measurement, Error *error) {
    const ModelLayer *whole = &measurement->model->whole;
    const GradientEnds *ends = &measurement->ends;
    Status status = check_memory(measurement, error);
    for (size_t i = 0; i < measurement->model->pair->count; i++)
        measurement->squares[i] = NAN; /* what nothing is given for shall not pass for 0 */
    if (status == STATUS_OK) status = open_passes(measurement, error);
    if (status == STATUS_OK) status = start(measurement, error);
    if (status == STATUS_OK)
        status = backward_run_weights(measurement->backward, measurement->slopes, take_flow, measurement,
                                      "gradient, backward", measurement->job, error);
    if (status != STATUS_OK) return status;
    measurement->gradient->loss = ends->loss;
    put_square(measurement, whole->tensors[TENSOR_FINAL_NORM], ends->final_norm);
    put_square(measurement, whole->biases[TENSOR_FINAL_NORM], ends->final_bias);
    put_square(measurement, whole->tensors[TENSOR_HEAD_BIAS], ends->head_bias);
    put_square(measurement, whole->tensors[TENSOR_HEAD], ends->head);
    put_square(measurement, whole->tensors[TENSOR_EMBEDDING], ends->embedding); /* a tied head is it */
    return STATUS_OK;
}

/* ---- tensors ---- */

/* What a state of this side learns, in order. A tied head is its embedding. */
static void list_tensor(const Measurement *measurement, const PairTensor *tensor, TensorRole role,
                        int layer) {
    const ModelLayer *whole = &measurement->model->whole;
    if (tensor == NULL || (role == TENSOR_HEAD && tensor == whole->tensors[TENSOR_EMBEDDING])) return;
    Gradient *gradient = measurement->gradient;
    gradient->tensors[gradient->count++] = (GradientTensor){.tensor = tensor, .role = role, .layer = layer};
}

/* Of each head, where their norms are apart. */
static void list_apart(const Measurement *measurement, uint64_t layer) {
    const ModelConfig *config = measurement->config;
    const ModelLayer *own = &measurement->model->layers[layer];
    if (own->q_norms == NULL || config->qk_norm == QK_NORM_NONE) return;
    for (uint64_t h = 0; h < config->heads; h++)
        list_tensor(measurement, own->q_norms[h], TENSOR_Q_NORM, (int)layer);
    for (uint64_t h = 0; h < config->kv_heads; h++)
        list_tensor(measurement, own->k_norms[h], TENSOR_K_NORM, (int)layer);
}

static void list_layer(const Measurement *measurement, uint64_t layer) {
    const ModelLayer *own = &measurement->model->layers[layer];
    const LayerPlan *plan = architecture_layer(measurement->config, layer);
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        if (!architecture_has(plan, (TensorRole)role)) continue;
        list_tensor(measurement, own->tensors[role], (TensorRole)role, (int)layer);
        list_tensor(measurement, own->biases[role], (TensorRole)role, (int)layer);
    }
    list_apart(measurement, layer);
}

static Status list_tensors(const Measurement *measurement, Error *error) {
    const ModelLayer *whole = &measurement->model->whole;
    size_t capacity = 0;
    Status status =
        MEMORY_RESERVE(measurement->gradient->tensors, &capacity, measurement->model->pair->count, error);
    if (status != STATUS_OK) return status;
    list_tensor(measurement, whole->tensors[TENSOR_EMBEDDING], TENSOR_EMBEDDING, -1);
    if (measurement->config->positions == POSITIONS_LEARNED)
        list_tensor(measurement, whole->tensors[TENSOR_POSITION], TENSOR_POSITION, -1);
    for (int part = 0; part < TENSOR_PART_COUNT; part++)
        if ((measurement->config->parts >> part & 1) != 0)
            list_tensor(measurement, whole->parts[part], TENSOR_NORM, -1); /* check_model() knows no other */
    for (uint64_t layer = 0; layer < measurement->model->config->layers; layer++)
        list_layer(measurement, layer);
    list_tensor(measurement, whole->tensors[TENSOR_FINAL_NORM], TENSOR_FINAL_NORM, -1);
    list_tensor(measurement, whole->biases[TENSOR_FINAL_NORM], TENSOR_FINAL_NORM, -1);
    list_tensor(measurement, whole->tensors[TENSOR_HEAD], TENSOR_HEAD, -1);
    list_tensor(measurement, whole->tensors[TENSOR_HEAD_BIAS], TENSOR_HEAD_BIAS, -1);
    return STATUS_OK;
}

static Status fill_norms(const Measurement *measurement, Error *error) {
    const PairTensor *tensors = measurement->model->pair->tensors;
    for (size_t i = 0; i < measurement->gradient->count; i++) {
        GradientTensor *own = &measurement->gradient->tensors[i];
        own->norm = sqrt(measurement->squares[own->tensor - tensors]);
        if (!isfinite(own->norm))
            return status_fail(error, STATUS_FORMAT, "%s: expected a gradient of numbers, found a norm of %g",
                               own->tensor->name, own->norm);
    }
    return STATUS_OK;
}

static Status measure_weights(const Measurement *measurement, Error *error) {
    Gradient *gradient = measurement->gradient;
    Status status = STATUS_OK;
    for (size_t i = 0; i < gradient->count && status == STATUS_OK; i++) {
        GradientTensor *own = &gradient->tensors[i];
        Blend blend = settings_blend(measurement->settings, own->tensor);
        if (!job_report(measurement->job, "gradient, weights", i, gradient->count))
            return job_cancelled(error);
        status = weight_norm_measure(&blend, &own->weight, measurement->job, error);
        if (status == STATUS_OK && !isfinite(own->weight))
            return status_fail(error, STATUS_FORMAT,
                               "%s: expected weights that are numbers, found a norm of %g", own->tensor->name,
                               own->weight);
    }
    return status;
}

/* Parts of layers have a way back only where backward.h gives out what meets at them. */
static Status check_model(const Model *model, Error *error) {
    static const uint64_t KNOWN =
        UINT64_C(1) << TENSOR_PART_EMBEDDING_NORM | UINT64_C(1) << TENSOR_PART_EMBEDDING_NORM_BIAS;
    const ModelConfig *sides[] = {model->base.config, model->sft.config};
    Status status = backward_check_model(model, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        uint64_t parts = sides[i]->parts & ~KNOWN;
        for (size_t plan = 0; plan < sides[i]->plan_count; plan++) parts |= sides[i]->plans[plan].parts;
        for (int part = 0; part < TENSOR_PART_COUNT; part++) {
            if ((parts >> part & 1) != 0)
                return status_fail(
                    error, STATUS_UNSUPPORTED,
                    "gradients of \"%s\" (%s) are not known: samples, rewards and the landscape do without",
                    architecture_part_names((TensorPart)part)[0], architecture_name(sides[i]->architecture));
        }
    }
    return status;
}

Status gradient_measure(const Model *model, const Settings *settings, const SampleRows *rows,
                        const double *advantages, size_t group_tokens, Gradient *gradient, Job *job,
                        Error *error) {
    *gradient = (Gradient){0};
    Measurement measurement = {.model = model,
                               .settings = settings,
                               .config = forward_side(model, settings)->config,
                               .job = job,
                               .gradient = gradient,
                               .group_tokens = group_tokens > 0 ? group_tokens : choose_group(model)};
    Status status = forward_check_logits(model, error);
    measurement.squares = memory_allocate(model->pair->count, sizeof *measurement.squares);
    if (status == STATUS_OK && measurement.squares == NULL) status = memory_fail(error, "gradients");
    if (status == STATUS_OK) status = check_model(model, error);
    if (status == STATUS_OK) status = list_tensors(&measurement, error);
    if (status == STATUS_OK) status = measure_weights(&measurement, error);
    if (status == STATUS_OK) status = take_rows(&measurement, rows, advantages, error);
    if (status == STATUS_OK && measurement.row_count > 0) status = run(&measurement, error);
    if (status == STATUS_OK) status = fill_norms(&measurement, error);
    free_measurement(&measurement);
    if (status != STATUS_OK) gradient_free(gradient);
    return status;
}

void gradient_free(Gradient *gradient) {
    free(gradient->tensors);
    *gradient = (Gradient){0};
}

GradientNorms gradient_add_up(const Gradient *gradient, int layer, TensorRole role) {
    GradientNorms norms = {0};
    for (size_t i = 0; i < gradient->count; i++) {
        const GradientTensor *own = &gradient->tensors[i];
        if ((layer != GRADIENT_ALL && own->layer != layer) ||
            (role != TENSOR_ROLE_COUNT && own->role != role))
            continue;
        norms.tensors++;
        norms.gradient += own->norm * own->norm;
        norms.weight += own->weight * own->weight;
    }
    norms.gradient = sqrt(norms.gradient);
    norms.weight = sqrt(norms.weight);
    return norms;
}
