#include "core/dormancy.h"

#include "core/backward.h"
#include "core/distribution.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_TOKENS = 1024 };

static const double SMALLEST_MEAN = 1e-9;
static const uint64_t GRADIENT_BUDGET = 256 << 20;

/* ---- sums of magnitudes ---- */

static void add_magnitudes(const float *values, size_t tokens, size_t width, double *sums) {
    for (size_t t = 0; t < tokens; t++) {
        for (size_t j = 0; j < width; j++) sums[j] += fabs((double)values[t * width + j]);
    }
}

static void add_activations(void *user, const ForwardMoment *moment) {
    Dormancy *dormancy = user;
    if (moment->site == FORWARD_ACTIVATED)
        add_magnitudes(moment->values, moment->tokens, moment->width,
                       dormancy->mlp_scores + moment->layer * dormancy->mlp);
    if (moment->site == FORWARD_MIXED)
        add_magnitudes(moment->values, moment->tokens, moment->width,
                       dormancy->channel_scores + moment->layer * dormancy->channels);
}

typedef struct GradientSums {
    double *sums; /* [layers × mlp] */
    size_t tokens;
} GradientSums;

static Status add_gradients(void *user, const BackwardLayer *layer, Error *error) {
    (void)error;
    GradientSums *gradient = user;
    size_t width = layer->width[BACKWARD_ACTIVATED];
    add_magnitudes(layer->gradients[BACKWARD_ACTIVATED], gradient->tokens, width,
                   gradient->sums + layer->layer * width);
    return STATUS_OK;
}

/* Σ → E → s, in place. */
static void score_layer(double *sums, size_t count, double tokens) {
    double mean = 0.0;
    for (size_t j = 0; j < count; j++) {
        sums[j] /= tokens;
        mean += sums[j];
    }
    mean /= (double)count;
    for (size_t j = 0; j < count; j++) sums[j] /= mean + SMALLEST_MEAN;
}

/* ---- activations ---- */

static Status run_rows(const Model *model, const Settings *settings, const EvaluationRow *rows, size_t count,
                       ForwardObserver observer, void *user, MatmulScratch *scratch, Job *job, Error *error) {
    size_t tokens = 0, at = 0;
    for (size_t i = 0; i < count; i++) tokens += rows[i].count;
    int32_t *ids = memory_allocate(tokens, sizeof *ids);
    size_t *starts = memory_allocate(tokens, sizeof *starts);
    ForwardState *state = NULL;
    Status status = ids == NULL || starts == NULL ? memory_fail(error, "dormancy") : STATUS_OK;
    if (status == STATUS_OK) status = forward_create_state(model, settings, tokens, &state, error);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            size_t start = at;
            for (size_t t = 0; t < rows[i].count; t++, at++) {
                ids[at] = rows[i].ids[t];
                starts[at] = start;
            }
        }
        ForwardInput input = {.ids = ids,
                              .starts = starts,
                              .count = tokens,
                              .stage = "dormancy",
                              .observer = observer,
                              .user = user};
        status = forward_run(&state, 1, &input, scratch, job, error);
    }
    forward_free_state(state);
    free(starts);
    free(ids);
    return status;
}

static Status sum_activations(const Model *model, const Settings *settings, const EvaluationRow *rows,
                              size_t row_count, Dormancy *dormancy, Job *job, Error *error) {
    MatmulScratch *scratch;
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    for (size_t at = 0; at < row_count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0;
        while (at + count < row_count && (count == 0 || tokens + rows[at + count].count <= GROUP_TOKENS))
            tokens += rows[at + count++].count;
        status = run_rows(model, settings, rows + at, count, add_activations, dormancy, scratch, job, error);
        at += count;
    }
    matmul_free_scratch(scratch);
    return status;
}

/* ---- gradients ---- */

/* ∂L/∂logits of a response position, p − 1[next], without the 1/N that cancels but for the 1e-9: it is
 * applied at the end. */
static void differentiate_loss(float *logits, size_t vocabulary, int32_t next) {
    DistributionReference reference = {.logits = logits, .probabilities = logits};
    distribution_make_reference(&reference, vocabulary, -1);
    logits[next] -= 1.0F;
}

typedef struct LossHead {
    const Model *model;
    const Settings *settings;
    float *logits, *normed; /* [vocabulary], [hidden_size]: one position at a time */
    const float *weight;    /* the final norm's */
    MatmulScratch *scratch;
    Job *job;
} LossHead;

/* ∂L/∂h of one position into gradient [hidden_size] (zero before): through the head and the final norm. */
static Status descend_head(const LossHead *head, const float *hidden, const float *residual, int32_t next,
                           float *gradient, Error *error) {
    const ModelConfig *config = head->model->config;
    size_t vocabulary = forward_vocabulary(head->model);
    ForwardHead forward = {.settings = head->settings, .hidden = hidden, .logits = head->logits};
    Status status = forward_logits(head->model, &forward, 1, 1, head->scratch, head->job, error);
    if (status != STATUS_OK) return status;
    differentiate_loss(head->logits, vocabulary, next);
    MatmulOperand operand = {.blend = settings_blend(head->settings, head->model->tensors[TENSOR_HEAD]),
                             .x = head->logits,
                             .y = head->normed};
    status = matmul_run_back(&operand, 1, 1, false, head->scratch, head->job, error);
    if (status == STATUS_OK)
        backward_norm(residual, head->weight, head->normed, config->hidden_size, config->norm_epsilon,
                      gradient);
    return status;
}

static Status start_gradients(const LossHead *head, const Backward *backward, const EvaluationRow *rows,
                              size_t count, float *gradient, Error *error) {
    size_t width = head->model->config->hidden_size, token = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < rows[i].count && status == STATUS_OK; t++, token++) {
            if (t < rows[i].first || t >= rows[i].end || t + 1 >= rows[i].count) continue;
            status = descend_head(head, backward_hidden(backward, i, t), backward_residual(backward, i, t),
                                  rows[i].ids[t + 1], gradient + token * width, error);
        }
    }
    return status;
}

static Status run_gradient_group(const LossHead *head, const EvaluationRow *rows, size_t count, size_t tokens,
                                 double *sums, Error *error) {
    BackwardRow *back_rows = memory_allocate(count, sizeof *back_rows);
    BackwardSequence *sequences = memory_allocate(count, sizeof *sequences);
    float *gradient = memory_allocate(tokens, head->model->config->hidden_size * sizeof *gradient);
    Backward *backward = NULL;
    Status status = STATUS_OK;
    if (back_rows == NULL || sequences == NULL || gradient == NULL) status = memory_fail(error, "gradients");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        back_rows[i] = (BackwardRow){rows[i].ids, rows[i].count};
        sequences[i] = (BackwardSequence){i, rows[i].count};
    }
    GradientSums user = {sums, tokens};
    if (status == STATUS_OK)
        status = backward_create(head->model, head->settings, back_rows, count, "gradient dormancy",
                                 head->job, &backward, error);
    if (status == STATUS_OK) status = start_gradients(head, backward, rows, count, gradient, error);
    if (status == STATUS_OK)
        status = backward_run(backward, sequences, count, gradient, add_gradients, &user, "gradient dormancy",
                              head->job, error);
    backward_free(backward);
    free(gradient);
    free(sequences);
    free(back_rows);
    return status;
}

static Status sum_gradients(const Model *model, const Settings *settings, const EvaluationRow *rows,
                            size_t row_count, double *sums, Job *job, Error *error) {
    size_t width = model->config->hidden_size;
    float *weight = memory_allocate(width, sizeof *weight), *normed = memory_allocate(width, sizeof *normed);
    float *logits = memory_allocate(forward_vocabulary(model), sizeof *logits);
    LossHead head = {.model = model,
                     .settings = settings,
                     .logits = logits,
                     .normed = normed,
                     .weight = weight,
                     .job = job};
    Status status = matmul_create_scratch(job_threads(job), &head.scratch, error);
    if (status == STATUS_OK && (weight == NULL || normed == NULL || logits == NULL))
        status = memory_fail(error, "gradients");
    if (status == STATUS_OK) {
        Blend norm = settings_blend(settings, model->tensors[TENSOR_FINAL_NORM]);
        blend_rows(&norm, 0, width, weight);
    }
    for (size_t at = 0; at < row_count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0;
        while (at + count < row_count) {
            size_t more = tokens + rows[at + count].count;
            if (count > 0 && backward_bytes(model, more, more) > GRADIENT_BUDGET) break;
            tokens = more;
            count++;
        }
        status = run_gradient_group(&head, rows + at, count, tokens, sums, error);
        at += count;
    }
    matmul_free_scratch(head.scratch);
    free(logits);
    free(normed);
    free(weight);
    return status;
}

/* ---- results ---- */

static Status make_result(const Model *model, const EvaluationRow *rows, size_t row_count, bool with_gradient,
                          Dormancy *dormancy, Error *error) {
    const ModelConfig *config = model->config;
    *dormancy = (Dormancy){.layers = config->layers,
                           .mlp = config->intermediate_size,
                           .channels = config->heads * config->head_dim,
                           .heads = config->heads};
    for (size_t i = 0; i < row_count; i++) {
        dormancy->tokens += rows[i].count;
        dormancy->response_tokens += rows[i].end - rows[i].first;
    }
    dormancy->mlp_scores = memory_allocate(config->layers, dormancy->mlp * sizeof(double));
    dormancy->channel_scores = memory_allocate(config->layers, dormancy->channels * sizeof(double));
    dormancy->head_scores = memory_allocate(config->layers, dormancy->heads * sizeof(double));
    if (with_gradient)
        dormancy->gradient_scores = memory_allocate(config->layers, dormancy->mlp * sizeof(double));
    bool complete = dormancy->mlp_scores != NULL && dormancy->channel_scores != NULL &&
                    dormancy->head_scores != NULL && (!with_gradient || dormancy->gradient_scores != NULL);
    return complete ? STATUS_OK : memory_fail(error, "dormancy");
}

/* Channels' and gradients' sums become scores; a head's is the mean of its channels'. */
static void score_all(Dormancy *dormancy) {
    size_t per_head = dormancy->channels / dormancy->heads;
    for (uint64_t layer = 0; layer < dormancy->layers; layer++) {
        double *channels = dormancy->channel_scores + layer * dormancy->channels;
        score_layer(dormancy->mlp_scores + layer * dormancy->mlp, dormancy->mlp, (double)dormancy->tokens);
        score_layer(channels, dormancy->channels, (double)dormancy->tokens);
        for (size_t h = 0; h < dormancy->heads; h++) {
            double sum = 0.0;
            for (size_t c = 0; c < per_head; c++) sum += channels[h * per_head + c];
            dormancy->head_scores[layer * dormancy->heads + h] = sum / (double)per_head;
        }
        if (dormancy->gradient_scores != NULL)
            score_layer(dormancy->gradient_scores + layer * dormancy->mlp, dormancy->mlp,
                        (double)dormancy->tokens * (double)dormancy->response_tokens);
    }
}

Status dormancy_run(const Model *model, const Settings *settings, const EvaluationRow *rows, size_t row_count,
                    bool with_gradient, Dormancy *dormancy, Job *job, Error *error) {
    Status status = make_result(model, rows, row_count, with_gradient, dormancy, error);
    if (status == STATUS_OK) status = sum_activations(model, settings, rows, row_count, dormancy, job, error);
    if (status == STATUS_OK && with_gradient)
        status = sum_gradients(model, settings, rows, row_count, dormancy->gradient_scores, job, error);
    if (status == STATUS_OK)
        score_all(dormancy);
    else
        dormancy_free(dormancy);
    return status;
}

void dormancy_free(Dormancy *dormancy) {
    free(dormancy->mlp_scores);
    free(dormancy->channel_scores);
    free(dormancy->head_scores);
    free(dormancy->gradient_scores);
    *dormancy = (Dormancy){0};
}

double dormancy_share(const double *scores, size_t count, double tau) {
    size_t dormant = 0;
    for (size_t i = 0; i < count; i++) dormant += scores[i] <= tau;
    return (double)dormant / (double)count;
}
