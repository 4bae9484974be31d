#include "core/checkpoint/model.h"

#include "core/support/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static Status check_shape(const Model *model, const PairTensor *tensor, Error *error) {
    uint64_t rows, columns;
    architecture_shape(model->config, tensor->role, &rows, &columns);
    const Tensor *found = tensor->sft;
    const Tensor *uncounted = !dtype_is_float(found->dtype)                                  ? found
                              : tensor->base != NULL && !dtype_is_float(tensor->base->dtype) ? tensor->base
                                                                                             : NULL;
    if (uncounted != NULL)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: tensor %s: expected numbers to compute with, found %s",
                           (uncounted == found ? model->pair->sft : model->pair->base)->directory,
                           uncounted->name, uncounted->dtype_name);
    bool fits = found->rows == rows && found->columns == (columns > 0 ? columns : 1);
    /* an embedding may be padded beyond vocab_size */
    if (tensor->role == TENSOR_EMBEDDING || tensor->role == TENSOR_HEAD)
        fits = found->rows >= rows && found->columns == columns;
    if (fits) return STATUS_OK;
    char shape[96];
    checkpoint_format_shape(found, false, shape, sizeof shape);
    if (columns > 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: expected [%" PRIu64 " × %" PRIu64 "] from config.json, found %s",
                           model->pair->sft->directory, tensor->name, rows, columns, shape);
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected [%" PRIu64 "] from config.json, found %s",
                       model->pair->sft->directory, tensor->name, rows, shape);
}

static Status resolve(const Model *model, TensorRole role, int layer, const PairTensor **tensor,
                      Error *error) {
    *tensor = pair_find_role(model->pair, role, layer);
    if (*tensor != NULL) return check_shape(model, *tensor, error);
    char name[128] = "";
    (void)architecture_name_tensor(role, layer, name, sizeof name); /* a shorter name is a shorter message */
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: config.json asks for it, but it is missing",
                       model->pair->sft->directory, name);
}

/* A tensor that the configuration does not ask for, with a role that would change the result, is a sign that
 * the two disagree: a bias that would silently be left out. */
static Status refuse_surplus(const Model *model, Error *error) {
    for (size_t i = 0; i < model->pair->count; i++) {
        const PairTensor *tensor = &model->pair->tensors[i];
        char name[128]; /* only roles that these models have can change their result */
        bool known = tensor->role != TENSOR_HEAD &&
                     architecture_name_tensor(tensor->role, tensor->layer, name, sizeof name);
        if (known && tensor->layer >= (int)model->config->layers)
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s: config.json has only %" PRIu64 " layers",
                               model->pair->sft->directory, tensor->name, model->config->layers);
        if (known && !model->config->roles[tensor->role])
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s: config.json does not ask for it",
                               model->pair->sft->directory, tensor->name);
    }
    return STATUS_OK;
}

/* Token ids index both: where the head had fewer rows, the probability of an id beyond them would be read
 * from somewhere else. */
static Status check_head(const Model *model, Error *error) {
    uint64_t embedding = model->tensors[TENSOR_EMBEDDING]->sft->rows;
    const PairTensor *head = model->tensors[TENSOR_HEAD];
    if (head->sft->rows == embedding) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected as many rows as the embedding has, %" PRIu64
                       ", found %" PRIu64,
                       model->pair->sft->directory, head->name, embedding, head->sft->rows);
}

static Status resolve_all(Model *model, Error *error) {
    const ModelConfig *config = model->config;
    Status status = STATUS_OK;
    for (int role = TENSOR_OTHER + 1; role < TENSOR_ROLE_COUNT && status == STATUS_OK; role++) {
        bool wanted = config->roles[role] || (role == TENSOR_HEAD && model->pair->unties_head);
        if (!wanted) continue;
        if (!tensor_role_is_layered((TensorRole)role)) {
            status = resolve(model, (TensorRole)role, -1, &model->tensors[role], error);
            continue;
        }
        for (uint64_t l = 0; l < config->layers && status == STATUS_OK; l++)
            status = resolve(model, (TensorRole)role, (int)l, &model->layers[l].tensors[role], error);
    }
    if (status == STATUS_OK && model->tensors[TENSOR_HEAD] == NULL)
        model->tensors[TENSOR_HEAD] = model->tensors[TENSOR_EMBEDDING];
    if (status == STATUS_OK) status = check_head(model, error);
    return status == STATUS_OK ? refuse_surplus(model, error) : status;
}

void model_rope_frequencies(const Rope *rope, uint64_t head_dim, float *out) {
    const double pi = 3.14159265358979323846;
    for (uint64_t i = 0; i < head_dim / 2; i++) {
        float frequency = (float)(1.0 / pow(rope->theta, (double)(2 * i) / (double)head_dim));
        if (rope->kind == ROPE_LINEAR) frequency = (float)(frequency / rope->factor);
        if (rope->kind == ROPE_LLAMA3) {
            /* long wavelengths are stretched by `factor`, short ones kept, those between interpolated */
            double wavelength = 2.0 * pi / frequency;
            double smooth = (rope->original_length / wavelength - rope->low_frequency) /
                            (rope->high_frequency - rope->low_frequency);
            smooth = smooth < 0.0 ? 0.0 : smooth > 1.0 ? 1.0 : smooth;
            frequency = (float)((1.0 - smooth) * frequency / rope->factor + smooth * frequency);
        }
        out[i] = frequency;
    }
}

Status model_open(const Pair *pair, Model **model, Error *error) {
    *model = NULL;
    const Checkpoint *sides[] = {pair->base, pair->sft};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->model_status != STATUS_OK) {
            if (error != NULL) *error = sides[i]->model_error;
            return sides[i]->model_status;
        }
    }
    Status status = pair_check(pair, error);
    if (status != STATUS_OK) return status;
    Model *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, "the model");
    opened->pair = pair;
    opened->config = &pair->sft->model;
    /* the number of layers is only claimed by config.json: check it before allocating for it */
    if (opened->config->layers > pair->count)
        status = status_fail(error, STATUS_FORMAT,
                             "%s: config.json has %" PRIu64 " layers, but there are only %zu tensors",
                             pair->sft->directory, opened->config->layers, pair->count);
    if (status == STATUS_OK) {
        opened->layers = memory_allocate(opened->config->layers, sizeof *opened->layers);
        opened->inverse_frequencies = memory_allocate(opened->config->head_dim / 2, sizeof(float));
        if (opened->layers == NULL || opened->inverse_frequencies == NULL)
            status = memory_fail(error, "the model");
    }
    if (status == STATUS_OK) status = resolve_all(opened, error);
    if (status != STATUS_OK) {
        model_close(opened);
        return status;
    }
    model_rope_frequencies(&opened->config->rope, opened->config->head_dim, opened->inverse_frequencies);
    *model = opened;
    return STATUS_OK;
}

void model_close(Model *model) {
    if (model == NULL) return;
    free(model->inverse_frequencies);
    free(model->layers);
    free(model);
}
