#include "core/method/dormancy.h"

#include "core/evaluation/distribution.h"
#include "core/support/memory.h"
#include "core/transformer/backward.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_TOKENS = 1024,
    BLOCK = 64,               /* positions whose logits are there at once */
    LOGITS_BUDGET = 64 << 20, /* bytes of them */
};

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

/* Positions go through the head in blocks: one pass over its rows serves the whole block. */
typedef struct LossHead {
    const Model *model;
    const Settings *settings;
    float *logits;                 /* [block × vocabulary] */
    float *hidden, *normed;        /* [block × hidden_size] */
    const float *residuals[BLOCK]; /* before the final norm */
    float *gradients[BLOCK];       /* where ∂L/∂h goes */
    int32_t next[BLOCK];
    size_t block, count;
    float *weight; /* the final norm's */
    MatmulScratch *scratch;
    Job *job;
} LossHead;

static void free_head(LossHead *head) {
    matmul_free_scratch(head->scratch);
    free(head->logits);
    free(head->hidden);
    free(head->normed);
    free(head->weight);
}

static Status open_head(const Model *model, const Settings *settings, Job *job, LossHead *head,
                        Error *error) {
    size_t width = model->config->hidden_size, row = forward_vocabulary(model) * sizeof(float);
    *head = (LossHead){.model = model, .settings = settings, .job = job, .block = LOGITS_BUDGET / row};
    if (head->block < 1) head->block = 1;
    if (head->block > BLOCK) head->block = BLOCK;
    Status status = matmul_create_scratch(job_threads(job), &head->scratch, error);
    if (status != STATUS_OK) return status;
    head->logits = memory_allocate_aligned(head->block, row);
    head->hidden = memory_allocate_aligned(head->block, width * sizeof(float));
    head->normed = memory_allocate_aligned(head->block, width * sizeof(float));
    head->weight = memory_allocate(width, sizeof *head->weight);
    if (head->logits == NULL || head->hidden == NULL || head->normed == NULL || head->weight == NULL)
        return memory_fail(error, "gradients");
    Blend norm = settings_blend(settings, model->tensors[TENSOR_FINAL_NORM]);
    blend_rows(&norm, 0, width, head->weight);
    return STATUS_OK;
}

static void differentiate_position(void *argument, size_t i, unsigned worker) {
    (void)worker;
    const LossHead *head = argument;
    size_t vocabulary = forward_vocabulary(head->model);
    differentiate_loss(head->logits + i * vocabulary, vocabulary, head->next[i]);
}

/* ∂L/∂h of the block's positions into their gradients (zero before): through the head and the final norm. */
static Status descend_block(LossHead *head, Error *error) {
    const ModelConfig *config = forward_side(head->model, head->settings)->config;
    size_t width = config->hidden_size;
    ForwardHead forward = {.settings = head->settings, .hidden = head->hidden, .logits = head->logits};
    Status status = forward_logits(head->model, &forward, 1, head->count, head->scratch, head->job, error);
    if (status == STATUS_OK) status = job_run(head->job, head->count, differentiate_position, head, error);
    MatmulOperand operand = {.blend = settings_blend(head->settings, head->model->tensors[TENSOR_HEAD]),
                             .x = head->logits,
                             .y = head->normed};
    if (status == STATUS_OK)
        status = matmul_run_back(&operand, 1, head->count, false, head->scratch, head->job, error);
    for (size_t i = 0; i < head->count && status == STATUS_OK; i++)
        norm_backward(head->residuals[i], head->weight, head->normed + i * width, width, config->norm_epsilon,
                      head->gradients[i]);
    head->count = 0;
    return status;
}

/* `gradient` begins at the row's first token. */
static Status start_span(LossHead *head, const Backward *backward, const EvaluationRow *row, size_t index,
                         EvaluationSpan span, float *gradient, Error *error) {
    size_t width = head->model->config->hidden_size;
    Status status = STATUS_OK;
    for (size_t t = span.first; t < span.end && t + 1 < row->count && status == STATUS_OK; t++) {
        memcpy(head->hidden + head->count * width, backward_hidden(backward, index, t),
               width * sizeof *head->hidden);
        head->residuals[head->count] = backward_residual(backward, index, t);
        head->gradients[head->count] = gradient + t * width;
        head->next[head->count++] = row->ids[t + 1];
        if (head->count == head->block) status = descend_block(head, error);
    }
    return status;
}

static Status start_gradients(LossHead *head, const Backward *backward, const EvaluationRow *rows,
                              size_t count, float *gradient, Error *error) {
    size_t width = head->model->config->hidden_size;
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        for (size_t s = 0; s < evaluation_row_spans(&rows[i]) && status == STATUS_OK; s++)
            status =
                start_span(head, backward, &rows[i], i, evaluation_row_span(&rows[i], s), gradient, error);
        gradient += rows[i].count * width;
    }
    return status == STATUS_OK && head->count > 0 ? descend_block(head, error) : status;
}

static Status run_gradient_group(LossHead *head, const EvaluationRow *rows, size_t count, size_t tokens,
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
    LossHead head;
    if (!forward_has_logits(model)) { /* no loss, no gradient */
        for (size_t i = 0; i < (size_t)model->config->layers * model->config->intermediate_size; i++)
            sums[i] = NAN;
        return STATUS_OK;
    }
    Status status = open_head(model, settings, job, &head, error);
    for (size_t at = 0; at < row_count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0;
        while (at + count < row_count) {
            size_t more = tokens + rows[at + count].count;
            if (count > 0 && backward_bytes(model, more, more) > GRADIENT_BUDGET) break;
            tokens = more;
            count++;
        }
        status = backward_check_tokens(model, tokens, error);
        if (status == STATUS_OK) status = run_gradient_group(&head, rows + at, count, tokens, sums, error);
        at += count;
    }
    free_head(&head);
    return status;
}

/* ---- results ---- */

size_t dormancy_count_responses(const EvaluationRow *rows, size_t row_count) {
    size_t tokens = 0;
    for (size_t i = 0; i < row_count; i++) tokens += evaluation_row_predictions(&rows[i]);
    return tokens;
}

static Status make_result(const Model *model, const EvaluationRow *rows, size_t row_count, bool with_gradient,
                          Dormancy *dormancy, Error *error) {
    const ModelConfig *config = model->config;
    *dormancy = (Dormancy){.layers = config->layers,
                           .mlp = config->intermediate_size,
                           .channels = config->heads * config->head_dim,
                           .heads = config->heads};
    for (size_t i = 0; i < row_count; i++) dormancy->tokens += rows[i].count;
    dormancy->response_tokens = dormancy_count_responses(rows, row_count);
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
    size_t dormant = 0, known = 0;
    for (size_t i = 0; i < count; i++) {
        dormant += scores[i] <= tau;
        known += isnan(scores[i]) ? 0 : 1;
    }
    return known > 0 ? (double)dormant / (double)known : NAN;
}
