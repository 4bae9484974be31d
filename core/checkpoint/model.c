#include "core/checkpoint/model.h"

#include "core/checkpoint/head.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static Status check_shape(const Checkpoint *checkpoint, const Tensor *found, TensorRole role, Error *error) {
    uint64_t rows, columns;
    architecture_shape(&checkpoint->model, role, &rows, &columns);
    if (!dtype_is_float(found->dtype))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: tensor %s: expected numbers to compute with, found %s", checkpoint->directory,
                           found->name, found->dtype_name);
    if (found->rows == rows && found->columns == (columns > 0 ? columns : 1)) return STATUS_OK;
    char shape[96];
    checkpoint_format_shape(found, false, shape, sizeof shape);
    if (columns > 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: expected [%" PRIu64 " × %" PRIu64 "] from config.json, found %s",
                           checkpoint->directory, found->name, rows, columns, shape);
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected [%" PRIu64 "] from config.json, found %s",
                       checkpoint->directory, found->name, rows, shape);
}

/* Each side's against its own config.json. */
static Status check_shapes(const Pair *pair, const PairTensor *tensor, Error *error) {
    Status status = check_shape(pair->sft, tensor->sft, tensor->role, error);
    if (status != STATUS_OK || tensor->base == NULL) return status;
    return check_shape(pair->base, tensor->base, tensor->role, error);
}

/* A column of a model that lacks the tensor would be computed with the other's. */
static Status check_sides(const Pair *pair, const PairTensor *tensor, Error *error) {
    if (tensor->base != NULL) return check_shapes(pair, tensor, error);
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected what SFT's of that name is, found none",
                       pair->base->directory, tensor->name);
}

/* Only one tensor may be what is asked for: names are read by their ends. */
static Status check_only(const Pair *pair, TensorRole role, int layer, Error *error) {
    size_t count;
    const RoleEntry *found = role_index_find(&pair->roles, role, layer, &count);
    if (count < 2 || pair->tensors[found[1].tensor].sft->is_bias) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "%s: expected one tensor %s, found %s and %s",
                       pair->sft->directory, tensor_role_name(role), pair->tensors[found[0].tensor].name,
                       pair->tensors[found[1].tensor].name);
}

static Status resolve(const Model *model, TensorRole role, int layer, const PairTensor **tensor,
                      Error *error) {
    *tensor = pair_find_role(model->pair, role, layer);
    bool is_tied = role == TENSOR_EMBEDDING && model->config->tied_head; /* it may have the other's name */
    if (*tensor == NULL && is_tied) *tensor = pair_find_role(model->pair, TENSOR_HEAD, layer);
    if (*tensor != NULL) {
        Status status = check_only(model->pair, (*tensor)->role, layer, error);
        return status == STATUS_OK ? check_sides(model->pair, *tensor, error) : status;
    }
    char name[128] = "";
    (void)architecture_name_tensor(role, layer, name, sizeof name); /* a shorter name is a shorter message */
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: config.json asks for it, but it is missing",
                       model->pair->sft->directory, name);
}

/* Token ids index both: where the head had fewer rows, the probability of an id beyond them would be read
 * from somewhere else. */
static Status check_head(const Model *model, Error *error) {
    uint64_t embedding = model->tensors[TENSOR_EMBEDDING]->sft->rows;
    const PairTensor *head = model->tensors[TENSOR_HEAD];
    if (head == NULL || head->sft->rows == embedding) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected as many rows as the embedding has, %" PRIu64
                       ", found %" PRIu64,
                       model->pair->sft->directory, head->name, embedding, head->sft->rows);
}

/* One of its own, which both have. */
static bool wants_head(const Model *model) {
    const PairTensor *head = pair_find_role(model->pair, TENSOR_HEAD, -1);
    bool is_own = model->pair->unties_head || !model->config->tied_head;
    return is_own && head != NULL && head->base != NULL;
}

void model_mark_used(const Model *model, bool *is_used) {
    const uint64_t layers = model->config->layers;
    for (uint64_t layer = 0; layer <= layers; layer++) {
        const PairTensor *const *tensors = layer < layers ? model->layers[layer].tensors : model->tensors;
        for (int role = 0; role < TENSOR_ROLE_COUNT; role++)
            if (tensors[role] != NULL) is_used[tensors[role] - model->pair->tensors] = true;
    }
}

bool model_has_logits(const Model *model) {
    return model->tensors[TENSOR_HEAD] != NULL;
}

Status model_check_logits(const Model *model, Error *error) {
    if (model_has_logits(model)) return STATUS_OK;
    const Pair *pair = model->pair;
    bool is_sft = head_find(pair->sft).kind == HEAD_NONE;
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s: no lm_head, and config.json does not tie it to the embedding: a reward model, classifier or "
        "embedding model has no logits (drift, dormancy and fusion do without)",
        is_sft ? pair->sft->directory : pair->base->directory);
}

static Status resolve_all(Model *model, Error *error) {
    const ModelConfig *config = model->config;
    Status status = STATUS_OK;
    for (int role = TENSOR_OTHER + 1; role < TENSOR_ROLE_COUNT && status == STATUS_OK; role++) {
        if (role == TENSOR_HEAD ? !wants_head(model) : !config->roles[role]) continue;
        if (!tensor_role_is_layered((TensorRole)role)) {
            status = resolve(model, (TensorRole)role, -1, &model->tensors[role], error);
            continue;
        }
        for (uint64_t l = 0; l < config->layers && status == STATUS_OK; l++)
            status = resolve(model, (TensorRole)role, (int)l, &model->layers[l].tensors[role], error);
    }
    if (status == STATUS_OK && config->tied_head && !model->pair->unties_head)
        model->tensors[TENSOR_HEAD] = model->tensors[TENSOR_EMBEDDING];
    if (status == STATUS_OK) status = check_head(model, error);
    return status;
}

static const double PI = 3.14159265358979323846;

/* The pair of a head that turns so many times within a context, counted from its first. */
static double yarn_bound(const Rope *rope, double head_dim, double turns) {
    double bound = head_dim * log(rope->original_length / (turns * 2.0 * PI)) / (2.0 * log(rope->theta));
    return bound;
}

/* How much of a pair's frequency is that of the stretched context: 0 up to one bound, 1 from the other on. */
static double yarn_ramp(const Rope *rope, uint64_t head_dim, uint64_t pair) {
    double low = yarn_bound(rope, (double)head_dim, rope->fast),
           high = yarn_bound(rope, (double)head_dim, rope->slow);
    if (rope->truncates) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0.0);
    high = fmin(high, (double)head_dim - 1.0);
    if (low == high) high += 0.001;
    return fmin(fmax(((double)pair - low) / (high - low), 0.0), 1.0);
}

/* Long wavelengths are stretched by `factor`, short ones kept, those between interpolated. */
static double llama3_frequency(const Rope *rope, double frequency) {
    double wavelength = 2.0 * PI / frequency;
    double smooth = (rope->original_length / wavelength - rope->low_frequency) /
                    (rope->high_frequency - rope->low_frequency);
    smooth = smooth < 0.0 ? 0.0 : smooth > 1.0 ? 1.0 : smooth;
    return (1.0 - smooth) * frequency / rope->factor + smooth * frequency;
}

void model_rope_frequencies(const Rope *rope, uint64_t head_dim, float *out) {
    uint64_t turning = (uint64_t)(rope->proportion * (double)head_dim / 2.0); /* pairs, where not all */
    for (uint64_t i = 0; i < head_dim / 2; i++) {
        float frequency = (float)(1.0 / pow(rope->theta, (double)(2 * i) / (double)head_dim));
        switch (rope->kind) {
        case ROPE_LINEAR:
            frequency = (float)(frequency / rope->factor);
            break;
        case ROPE_PROPORTIONAL:
            frequency = i < turning ? (float)(frequency / rope->factor) : 0.0F;
            break;
        case ROPE_LLAMA3:
            frequency = (float)llama3_frequency(rope, (double)frequency);
            break;
        case ROPE_YARN: {
            double stretched = yarn_ramp(rope, head_dim, i);
            frequency = (float)(frequency / rope->factor * stretched + frequency * (1.0 - stretched));
            break;
        }
        case ROPE_DEFAULT:
        case ROPE_DYNAMIC:
        case ROPE_KIND_COUNT:
            break;
        }
        out[i] = frequency;
    }
}

static Status open_side(const Checkpoint *checkpoint, ModelSide *side, Error *error) {
    side->config = &checkpoint->model;
    side->inverse_frequencies = memory_allocate(side->config->head_dim / 2, sizeof(float));
    if (side->inverse_frequencies == NULL) return memory_fail(error, "the model");
    model_rope_frequencies(&side->config->rope, side->config->head_dim, side->inverse_frequencies);
    return STATUS_OK;
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
        if (opened->layers == NULL) status = memory_fail(error, "the model");
    }
    if (status == STATUS_OK) status = open_side(pair->base, &opened->base, error);
    if (status == STATUS_OK) status = open_side(pair->sft, &opened->sft, error);
    if (status == STATUS_OK) status = resolve_all(opened, error);
    if (status != STATUS_OK) {
        model_close(opened);
        return status;
    }
    *model = opened;
    return STATUS_OK;
}

void model_close(Model *model) {
    if (model == NULL) return;
    free(model->base.inverse_frequencies);
    free(model->sft.inverse_frequencies);
    free(model->layers);
    free(model);
}
