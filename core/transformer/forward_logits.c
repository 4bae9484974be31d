#include "core/support/memory.h"
#include "core/transformer/forward.h"

#include <math.h>
#include <stdlib.h>

bool forward_has_logits(const Model *model) {
    return model_has_logits(model);
}

Status forward_check_logits(const Model *model, Error *error) {
    return model_check_logits(model, error);
}

size_t forward_vocabulary(const Model *model) {
    /* and of the head's: the model checks that */
    return model->whole.tensors[TENSOR_EMBEDDING]->sft->rows - model->config->silent_rows;
}

/* Whether a token's row of the head is 0, for it is the embedding's. */
static bool is_silent(const Model *model, const ModelConfig *config, size_t token) {
    bool is_tied = model->whole.tensors[TENSOR_HEAD] == model->whole.tensors[TENSOR_EMBEDDING];
    return config->has_silent_token && is_tied && token == config->silent_token;
}

float forward_finish_logit(const Model *model, const ModelConfig *config, size_t token, float product) {
    if (is_silent(model, config, token)) return 0.0F;
    float logit = config->logit_scale == 1.0 ? product : product * (float)config->logit_scale;
    float cap = (float)config->logit_cap;
    return cap > 0.0F ? tanhf(logit / cap) * cap : logit;
}

typedef struct LogitStep {
    const Model *model;
    const ForwardHead *heads;
    size_t tokens;
} LogitStep;

static void finish_row(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const LogitStep *step = argument;
    const ForwardHead *head = &step->heads[task / step->tokens];
    const ModelConfig *config = forward_side(step->model, head->settings)->config;
    float *row = head->logits + task % step->tokens * forward_vocabulary(step->model);
    for (size_t v = 0; v < forward_vocabulary(step->model); v++)
        row[v] = forward_finish_logit(step->model, config, v, row[v]);
}

static Status finish_logits(LogitStep *step, size_t count, Job *job, Error *error) {
    const ModelConfig *sides[] = {step->model->base.config, step->model->sft.config};
    bool is_plain = true;
    for (int i = 0; i < 2; i++)
        is_plain = is_plain && sides[i]->logit_scale == 1.0 && sides[i]->logit_cap == 0.0 &&
                   !sides[i]->has_silent_token;
    return is_plain ? STATUS_OK : job_run(job, count * step->tokens, finish_row, step, error);
}

/* The head's bias under these settings, which the caller frees; NULL where the model has none. */
static Status blend_head_bias(const Model *model, const Settings *settings, float **bias, Error *error) {
    const PairTensor *tensor = model->whole.tensors[TENSOR_HEAD_BIAS];
    *bias = NULL;
    if (tensor == NULL) return STATUS_OK;
    *bias = memory_allocate_aligned(tensor->sft->rows, sizeof **bias);
    if (*bias == NULL) return memory_fail(error, "logits");
    Blend blend = settings_blend(settings, tensor);
    blend_rows(&blend, 0, tensor->sft->rows, *bias);
    return STATUS_OK;
}

Status forward_logits(const Model *model, const ForwardHead *heads, size_t count, size_t tokens,
                      MatmulScratch *scratch, Job *job, Error *error) {
    Status status = model_check_logits(model, error);
    if (status != STATUS_OK || count == 0) return status;
    MatmulOperand *operands = memory_allocate(count, sizeof *operands);
    float **biases = memory_allocate(count, sizeof *biases);
    if (operands == NULL || biases == NULL) status = memory_fail(error, "logits");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = blend_head_bias(model, heads[i].settings, &biases[i], error);
        operands[i] =
            (MatmulOperand){.blend = settings_blend(heads[i].settings, model->whole.tensors[TENSOR_HEAD]),
                            .bias = biases[i],
                            .x = heads[i].hidden,
                            .y = heads[i].logits};
    }
    LogitStep step = {model, heads, tokens};
    if (status == STATUS_OK) status = matmul_run(operands, count, tokens, scratch, job, error);
    if (status == STATUS_OK) status = finish_logits(&step, count, job, error);
    for (size_t i = 0; biases != NULL && i < count; i++) free(biases[i]);
    free(biases);
    free(operands);
    return status;
}

float forward_logit_slope(const Model *model, const ModelConfig *config, size_t token, double logit) {
    if (is_silent(model, config, token)) return 0.0F;
    double bent = config->logit_cap > 0.0 ? logit / config->logit_cap : 0.0;
    return (float)(config->logit_scale * (1.0 - bent * bent));
}

void forward_blend_final_norm(const Model *model, const Settings *settings, float *weight) {
    const PairTensor *tensor = model->whole.tensors[TENSOR_FINAL_NORM];
    const ModelConfig *config = forward_side(model, settings)->config;
    for (size_t i = 0; i < config->hidden_size; i++) weight[i] = 1.0F;
    if (tensor == NULL) return;
    Blend blend = settings_blend(settings, tensor);
    blend_rows(&blend, 0, config->hidden_size, weight);
    for (size_t i = 0; i < config->hidden_size && config->norm_adds_one; i++) weight[i] += 1.0F;
}

float forward_logit(const Model *model, const Settings *settings, const float *hidden, int32_t token) {
    Blend blend = settings_blend(settings, model->whole.tensors[TENSOR_HEAD]);
    const PairTensor *bias = model->whole.tensors[TENSOR_HEAD_BIAS];
    float logit, added = 0.0F;
    blend_multiply_vector(&blend, (size_t)token, 1, hidden, &logit);
    if (bias != NULL) {
        Blend blended = settings_blend(settings, bias);
        blend_rows(&blended, (size_t)token, 1, &added);
    }
    const ModelConfig *config = forward_side(model, settings)->config;
    return forward_finish_logit(model, config, (size_t)token, logit + added);
}
