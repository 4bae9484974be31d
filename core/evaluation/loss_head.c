#include "core/evaluation/loss_head.h"

#include "core/evaluation/distribution.h"
#include "core/support/memory.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>

enum { LOGITS_BUDGET = 160 << 20 /* bytes of a block's */ };

struct LossHead {
    const Model *model;
    Settings settings;
    LossHeadObserver observer;
    void *user;
    float *logits;          /* [block × vocabulary] */
    float *hidden, *normed; /* [block × hidden_size] */
    LossHeadPosition positions[LOSS_HEAD_BLOCK];
    double log_normalizers[LOSS_HEAD_BLOCK], next_log_probabilities[LOSS_HEAD_BLOCK];
    size_t block, count;
    float *weight; /* the final norm's */
    MatmulScratch *scratch;
    Job *job;
};

void loss_head_close(LossHead *head) {
    if (head == NULL) return;
    matmul_free_scratch(head->scratch);
    free(head->logits);
    free(head->hidden);
    free(head->normed);
    free(head->weight);
    free(head);
}

static Status fill(LossHead *head, Error *error) {
    size_t width = head->model->config->hidden_size, row = forward_vocabulary(head->model) * sizeof(float);
    head->block = LOGITS_BUDGET / row;
    if (head->block < 1) head->block = 1;
    if (head->block > LOSS_HEAD_BLOCK) head->block = LOSS_HEAD_BLOCK;
    Status status = matmul_create_scratch(job_threads(head->job), &head->scratch, error);
    if (status != STATUS_OK) return status;
    head->logits = memory_allocate_aligned(head->block, row);
    head->hidden = memory_allocate_aligned(head->block, width * sizeof(float));
    head->normed = memory_allocate_aligned(head->block, width * sizeof(float));
    head->weight = memory_allocate(width, sizeof *head->weight);
    if (head->logits == NULL || head->hidden == NULL || head->normed == NULL || head->weight == NULL)
        return memory_fail(error, "gradients");
    forward_blend_final_norm(head->model, &head->settings, head->weight);
    return STATUS_OK;
}

Status loss_head_open(const Model *model, const Settings *settings, LossHeadObserver observer, void *user,
                      Job *job, LossHead **head, Error *error) {
    *head = NULL;
    Status status = forward_check_logits(model, error);
    if (status != STATUS_OK) return status;
    LossHead *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "gradients");
    made->model = model;
    made->settings = *settings;
    made->observer = observer;
    made->user = user;
    made->job = job;
    status = fill(made, error);
    if (status == STATUS_OK)
        *head = made;
    else
        loss_head_close(made);
    return status;
}

/* Probabilities become gradients at h · w: less one at the next token, through the logits' scale and cap. A capped logit
 * is what its probability says. */
static void slope_logits(const LossHead *head, size_t i, double next) {
    const ModelConfig *config = forward_side(head->model, &head->settings)->config;
    size_t vocabulary = forward_vocabulary(head->model), own = (size_t)head->positions[i].next;
    float *slopes = head->logits + i * vocabulary;
    double normalizer = head->log_normalizers[i];
    bool is_capped = config->logit_cap > 0.0,
         is_plain = !is_capped && config->logit_scale == 1.0 && !config->has_silent_token;
    float last = (slopes[own] - 1.0F) * forward_logit_slope(head->model, config, own, next);
    for (size_t v = 0; v < vocabulary && !is_plain; v++) {
        double logit = is_capped && slopes[v] > 0.0F ? log((double)slopes[v]) + normalizer : 0.0;
        slopes[v] *= forward_logit_slope(head->model, config, v, logit);
    }
    slopes[own] = last;
}

/* The logits become their gradient, in place. */
static void differentiate_position(void *argument, size_t i, unsigned worker) {
    (void)worker;
    LossHead *head = argument;
    const LossHeadPosition *position = &head->positions[i];
    size_t vocabulary = forward_vocabulary(head->model);
    float *logits = head->logits + i * vocabulary;
    double next = (double)logits[position->next];
    DistributionReference reference = {.logits = logits, .probabilities = logits};
    distribution_make_reference(&reference, vocabulary, -1);
    head->log_normalizers[i] = reference.log_normalizer;
    head->next_log_probabilities[i] = next - reference.log_normalizer;
    slope_logits(head, i, next);
    if (position->weight == 1.0F) return;
    for (size_t v = 0; v < vocabulary; v++) logits[v] *= position->weight;
}

Status loss_head_finish(LossHead *head, Error *error) {
    const ModelConfig *config = forward_side(head->model, &head->settings)->config;
    size_t width = config->hidden_size, count = head->count;
    if (count == 0) return STATUS_OK;
    ForwardHead forward = {.settings = &head->settings, .hidden = head->hidden, .logits = head->logits};
    Status status = forward_logits(head->model, &forward, 1, count, head->scratch, head->job, error);
    if (status == STATUS_OK) status = job_run(head->job, count, differentiate_position, head, error);
    MatmulOperand operand = {.blend =
                                 settings_blend(&head->settings, head->model->whole.tensors[TENSOR_HEAD]),
                             .x = head->logits,
                             .y = head->normed};
    if (status == STATUS_OK)
        status = matmul_run_back(&operand, 1, count, false, head->scratch, head->job, error);
    head->count = 0;
    if (status != STATUS_OK) return status;
    const Norm norm = {
        .kind = config->norm, .weight = head->weight, .size = width, .epsilon = config->norm_epsilon};
    for (size_t i = 0; i < count; i++)
        norm_backward(&norm, head->positions[i].residual, head->normed + i * width,
                      head->positions[i].gradient);
    const LossHeadBlock block = {head->positions,       count,
                                 head->hidden,          head->normed,
                                 head->log_normalizers, head->next_log_probabilities};
    if (head->observer != NULL) head->observer(head->user, &block);
    return STATUS_OK;
}

float *loss_head_place(LossHead *head) {
    return head->hidden + head->count * head->model->config->hidden_size;
}

Status loss_head_add(LossHead *head, const LossHeadPosition *position, Error *error) {
    head->positions[head->count++] = *position;
    return head->count == head->block ? loss_head_finish(head, error) : STATUS_OK;
}
