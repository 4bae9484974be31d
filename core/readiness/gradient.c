#include "core/readiness/gradient.h"

#include "core/readiness/gradient_head.h"
#include "core/readiness/gradient_sums.h"
#include "core/readiness/gradient_tensors.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_BUDGET = 512 << 20, SMALLEST_GROUP = 128, LARGEST_GROUP = 2048 };

/* A measurement under way. */
typedef struct Measurement {
    const Model *model;
    const Settings *settings;
    const ModelConfig *config; /* of the side that the settings run as */
    Job *job;
    Gradient *gradient;
    GradientSquares squares;
    double *expert_squares; /* [expert_count]: what squares.experts points into */
    /* rows with A ≠ 0 */
    EvaluationRow *rows;
    BackwardRow *texts;
    double *advantages;
    size_t row_count, positions, group_tokens;
    size_t tokens, largest; /* of all groups, a prompt once a group; of the largest */
    uint64_t spare;         /* bytes that nothing else needs */
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
    free(measurement->squares.tensors);
    free(measurement->squares.experts);
    free(measurement->expert_squares);
    free(measurement->rows);
    free(measurement->advantages);
    free(measurement->texts);
    free(measurement->slopes);
}

/* ---- rows ---- */

/* Samples of one prompt come one after another. */
static size_t shared_tokens(const EvaluationRow *row, const EvaluationRow *before) {
    size_t prompt = row->first + 1;
    bool is_shared = before->first == row->first && row->end > prompt && before->end > prompt &&
                     memcmp(row->ids, before->ids, prompt * sizeof *row->ids) == 0;
    return is_shared ? prompt : 0;
}

/* Nothing hangs on the tokens behind the last position: they do not go through. */
static void take_row(Measurement *measurement, const EvaluationRow *row, double advantage) {
    size_t at = measurement->row_count++;
    measurement->rows[at] = *row;
    measurement->advantages[at] = advantage;
    measurement->texts[at] = (BackwardRow){.ids = row->ids, .count = row->end};
    if (at > 0) measurement->texts[at].shared = shared_tokens(row, &measurement->rows[at - 1]);
    measurement->positions += evaluation_row_positions(row);
}

static Status take_rows(Measurement *measurement, const SampleRows *rows, const double *advantages,
                        Error *error) {
    measurement->rows = memory_allocate(rows->count, sizeof *measurement->rows);
    measurement->texts = memory_allocate(rows->count, sizeof *measurement->texts);
    measurement->advantages = memory_allocate(rows->count, sizeof *measurement->advantages);
    if (measurement->rows == NULL || measurement->texts == NULL || measurement->advantages == NULL)
        return memory_fail(error, "samples");
    for (size_t i = 0; i < rows->count; i++) {
        size_t positions = evaluation_row_positions(&rows->rows[i]);
        measurement->gradient->tokens += positions;
        if (advantages[i] != 0.0 && positions > 0) take_row(measurement, &rows->rows[i], advantages[i]);
    }
    return backward_count_tokens(measurement->model, measurement->texts, measurement->row_count,
                                 measurement->group_tokens, &measurement->tokens, &measurement->largest,
                                 error);
}

static size_t choose_group(const Model *model) {
    uint64_t tokens = GROUP_BUDGET / backward_group_bytes(model, 1);
    if (tokens < SMALLEST_GROUP) return SMALLEST_GROUP;
    return tokens < LARGEST_GROUP ? (size_t)tokens : LARGEST_GROUP;
}

static size_t longest_text(const Measurement *measurement) {
    size_t longest = 0;
    for (size_t i = 0; i < measurement->row_count; i++)
        if (measurement->texts[i].count > longest) longest = measurement->texts[i].count;
    return longest;
}

/* What does not grow with the tokens is taken off what is allowed first. Half of what is left then may go into keeping what
 * would be computed twice. */
static Status check_memory(Measurement *measurement, Error *error) {
    const Model *model = measurement->model;
    uint64_t fixed = backward_group_bytes(model, measurement->largest), limit = forward_memory_limit();
    fixed += gradient_head_bytes(model, job_threads(measurement->job)) +
             measurement->positions * gradient_head_position_bytes(model);
    uint64_t token = backward_kept_bytes(model) + model->config->hidden_size * sizeof(float) +
                     gradient_head_token_bytes(model);
    bool is_one = measurement->largest >= measurement->tokens;
    fixed += is_one ? gradient_sums_shared_bytes(model) : gradient_sums_bytes(model);
    if (!is_one) token += gradient_experts_token_bytes(model);
    uint64_t scratch =
        backward_scratch_bytes(model, longest_text(measurement), job_threads(measurement->job));
    if (__builtin_add_overflow(fixed, scratch, &fixed)) fixed = UINT64_MAX;
    limit = limit > fixed ? limit - fixed : 0;
    Status status =
        forward_check_memory(token, measurement->tokens, limit, "what the gradient keeps of each", error);
    if (status != STATUS_OK) return status_add_context(error, "samples of mixed groups");
    measurement->spare = (limit - token * measurement->tokens) / 2;
    return STATUS_OK;
}

/* ---- down ---- */

static Status start_row(Measurement *measurement, size_t index, Error *error) {
    const EvaluationRow *row = &measurement->rows[index];
    const Backward *backward = measurement->backward;
    size_t width = measurement->model->config->hidden_size;
    double weight = measurement->advantages[index] / (double)measurement->gradient->tokens;
    Status status = STATUS_OK;
    for (size_t t = row->first; t < row->end && status == STATUS_OK; t++) {
        float *slope = measurement->slopes + backward_place(backward, index, t) * width;
        const LossHeadPosition position = {.residual = backward_residual(backward, index, t),
                                           .gradient = slope,
                                           .next = row->ids[t + 1],
                                           .weight = (float)weight};
        backward_hidden(backward, index, t, gradient_head_place(measurement->head));
        status = gradient_head_add(measurement->head, &position, error);
    }
    return status;
}

static Status start(Measurement *measurement, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < measurement->row_count && status == STATUS_OK; i++) {
        if (!job_report(measurement->job, "gradient, loss", i, measurement->row_count))
            return job_cancelled(error);
        status = start_row(measurement, i, error);
    }
    return status == STATUS_OK ? gradient_head_finish(measurement->head, &measurement->ends, error) : status;
}

/* A tied head's gradient meets the embedding's. */
static Status take_flow(void *user, const BackwardFlow *flow, Error *error) {
    Measurement *measurement = user;
    if (flow->tensor == measurement->model->whole.tensors[TENSOR_EMBEDDING])
        return gradient_head_embed(measurement->head, flow->gradients, &measurement->ends, error);
    return gradient_sums_add(measurement->sums, flow, &measurement->squares, error);
}

static Status open_passes(Measurement *measurement, Error *error) {
    const Model *model = measurement->model;
    size_t row_bytes = model->config->hidden_size * sizeof *measurement->slopes;
    Status status = gradient_sums_create(model->pair, measurement->job, &measurement->sums, error);
    if (status == STATUS_OK)
        status = backward_create_groups(model, measurement->settings, measurement->texts,
                                        measurement->row_count, measurement->group_tokens, measurement->spare,
                                        "gradient, forward", measurement->job, &measurement->backward, error);
    if (status != STATUS_OK) return status;
    measurement->slopes = memory_allocate(backward_tokens(measurement->backward), row_bytes);
    if (measurement->slopes == NULL) return memory_fail(error, "gradients");
    return gradient_head_open(model, measurement->settings, backward_ids(measurement->backward),
                              backward_tokens(measurement->backward), measurement->positions,
                              measurement->job, &measurement->head, error);
}

static void put_square(const Measurement *measurement, const PairTensor *tensor, double square) {
    if (tensor != NULL) measurement->squares.tensors[tensor - measurement->model->pair->tensors] = square;
}

static Status run(Measurement *measurement, Error *error) {
    const ModelLayer *whole = &measurement->model->whole;
    const GradientEnds *ends = &measurement->ends;
    Status status = check_memory(measurement, error);
    /* what nothing is given for shall not pass for 0 */
    for (size_t i = 0; i < measurement->model->pair->count; i++) measurement->squares.tensors[i] = NAN;
    for (size_t i = 0; i < measurement->gradient->expert_count; i++) measurement->expert_squares[i] = NAN;
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

/* ---- norms ---- */

static Status fill_norms(const Measurement *measurement, Error *error) {
    const PairTensor *tensors = measurement->model->pair->tensors;
    for (size_t i = 0; i < measurement->gradient->count; i++) {
        GradientTensor *own = &measurement->gradient->tensors[i];
        own->norm = sqrt(measurement->squares.tensors[own->tensor - tensors]);
        if (!isfinite(own->norm))
            return status_fail(error, STATUS_FORMAT, "%s: expected a gradient of numbers, found a norm of %g",
                               own->tensor->name, own->norm);
    }
    for (size_t i = 0; i < measurement->gradient->expert_count; i++)
        measurement->gradient->experts[i].norm = sqrt(measurement->expert_squares[i]);
    return STATUS_OK;
}

static Status make_squares(Measurement *measurement, Error *error) {
    const Gradient *gradient = measurement->gradient;
    const Model *model = measurement->model;
    GradientSquares *squares = &measurement->squares;
    squares->tensors = memory_allocate(model->pair->count, sizeof *squares->tensors);
    squares->experts = memory_allocate(model->config->layers, sizeof *squares->experts);
    measurement->expert_squares =
        memory_allocate(gradient->expert_count, sizeof *measurement->expert_squares);
    if (squares->tensors == NULL || squares->experts == NULL || measurement->expert_squares == NULL)
        return memory_fail(error, "gradients");
    for (size_t i = 0; i < gradient->expert_count; i++)
        if (gradient->experts[i].expert == 0)
            squares->experts[gradient->experts[i].layer] = &measurement->expert_squares[i];
    return STATUS_OK;
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
    if (status == STATUS_OK) status = backward_check_model(model, error);
    if (status == STATUS_OK) status = gradient_tensors_list(model, measurement.config, gradient, error);
    if (status == STATUS_OK) status = make_squares(&measurement, error);
    if (status == STATUS_OK) status = gradient_tensors_weigh(model, settings, gradient, job, error);
    if (status == STATUS_OK) status = take_rows(&measurement, rows, advantages, error);
    if (status == STATUS_OK && measurement.row_count > 0) status = run(&measurement, error);
    if (status == STATUS_OK) status = fill_norms(&measurement, error);
    free_measurement(&measurement);
    if (status != STATUS_OK) gradient_free(gradient);
    return status;
}

void gradient_free(Gradient *gradient) {
    free(gradient->tensors);
    free(gradient->experts);
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
