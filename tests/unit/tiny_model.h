/*
 * tiny_model — a pair of random models of any configuration, written into the scratch directory and opened;
 * and what its forward pass has to give, computed in double precision the plain way.
 */
#ifndef REJUV_TESTS_TINY_MODEL_H
#define REJUV_TESTS_TINY_MODEL_H

#include "core/checkpoint/model.h"
#include "core/numerics/random.h"
#include "core/transformer/forward.h"
#include "scratch.h"

#include <inttypes.h>
#include <math.h>

typedef struct TinyModel {
    Pair *pair;
    Model *model;
} TinyModel;

/* The sizes of all tiny models, for use inside a config.json; `layers` is a digit. */
#define TINY_SIZES(layers)                                                                                   \
    "\"hidden_size\":24,\"num_hidden_layers\":" layers                                                       \
    ",\"num_attention_heads\":4,"                                                                            \
    "\"num_key_value_heads\":2,\"head_dim\":8,\"intermediate_size\":40,\"vocab_size\":61"

typedef struct TinyFile {
    char header[16384];
    size_t length, data_bytes;
    float *data;
    uint64_t seed;
} TinyFile;

static inline void tiny_add_tensor(TinyFile *file, const ModelConfig *config, TensorRole role, int layer) {
    char name[128], shape[64];
    uint64_t rows, columns;
    architecture_shape(config, role, &rows, &columns);
    assert_true(architecture_name_tensor(role, layer, name, sizeof name));
    size_t count = rows * (columns > 0 ? columns : 1), at = file->data_bytes / sizeof(float);
    (void)snprintf(shape, sizeof shape, columns > 0 ? "%" PRIu64 ",%" PRIu64 : "%" PRIu64, rows, columns);
    int written = snprintf(file->header + file->length, sizeof file->header - file->length,
                           "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                           file->length == 0 ? "{" : ",", name, shape, file->data_bytes,
                           file->data_bytes + count * sizeof(float));
    assert_true(written > 0 && (file->length += (size_t)written) < sizeof file->header - 1);
    file->data = realloc(file->data, (at + count) * sizeof(float));
    assert_non_null(file->data);
    double scale = columns > 0 ? 3.0 / sqrt((double)columns) : 1.0;
    for (size_t i = 0; i < count; i++)
        file->data[at + i] =
            (float)((random_uniform(file->seed, at + i) - 0.5) * scale + (columns == 0 ? 1.0 : 0.0));
    file->data_bytes += count * sizeof(float);
}

static inline void tiny_write_side(const char *side, const char *config_text, uint64_t seed) {
    char name[64];
    cJSON *json;
    ModelConfig config;
    Error error = {0};
    assert_int_equal(json_parse(config_text, strlen(config_text), "config", &json, &error), STATUS_OK);
    if (architecture_read_config(json, "config", &config, &error) != STATUS_OK) fail_msg("%s", error.message);
    cJSON_Delete(json);
    TinyFile file = {.seed = seed};
    for (int role = TENSOR_OTHER + 1; role < TENSOR_ROLE_COUNT; role++) {
        int layers = tensor_role_is_layered((TensorRole)role) ? (int)config.layers : 0;
        if (config.roles[role] && layers == 0) tiny_add_tensor(&file, &config, (TensorRole)role, -1);
        for (int layer = 0; layer < layers && config.roles[role]; layer++)
            tiny_add_tensor(&file, &config, (TensorRole)role, layer);
    }
    file.header[file.length++] = '}';
    unsigned char *bytes = memory_allocate(8 + file.length + file.data_bytes, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(file.length >> (8 * i));
    memcpy(bytes + 8, file.header, file.length);
    memcpy(bytes + 8 + file.length, file.data, file.data_bytes);
    (void)snprintf(name, sizeof name, "%s/", side);
    free(scratch_path(name));
    (void)snprintf(name, sizeof name, "%s/model.safetensors", side);
    scratch_write(name, bytes, 8 + file.length + file.data_bytes);
    (void)snprintf(name, sizeof name, "%s/config.json", side);
    scratch_write_text(name, config_text);
    free(bytes);
    free(file.data);
}

/* The same configuration makes the same weights; base and SFT differ. */
static inline TinyModel tiny_model_make(const char *config) {
    tiny_write_side("base", config, 1);
    tiny_write_side("sft", config, 2);
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    TinyModel tiny;
    Error error = {0};
    if (pair_open(base, sft, &tiny.pair, &error) != STATUS_OK ||
        model_open(tiny.pair, &tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(base);
    free(sft);
    return tiny;
}

static inline void tiny_model_free(TinyModel *tiny) {
    model_close(tiny->model);
    pair_close(tiny->pair);
}

static inline void tiny_ids(int32_t *ids, size_t count, uint64_t seed) {
    for (size_t i = 0; i < count; i++) ids[i] = (int32_t)(random_bits(seed, i) % 61);
}

/* ---- the reference: SFT alone, every sum in double, every token looked at anew ---- */

typedef struct Reference {
    const Model *model;
    size_t tokens;
    double *x; /* [tokens × hidden] */
} Reference;

static inline const float *reference_weights(const Reference *reference, TensorRole role, int layer) {
    const PairTensor *tensor =
        layer < 0 ? reference->model->whole.tensors[role] : reference->model->layers[layer].tensors[role];
    return tensor == NULL ? NULL : (const float *)(const void *)tensor->sft->data;
}

/* out[rows] = W · in (+ bias) */
static inline void reference_linear(const Reference *reference, TensorRole role, TensorRole bias, int layer,
                                    const double *in, double *out) {
    uint64_t rows, columns;
    architecture_shape(reference->model->config, role, &rows, &columns);
    const float *w = reference_weights(reference, role, layer);
    const float *b = bias == TENSOR_OTHER ? NULL : reference_weights(reference, bias, layer);
    for (size_t r = 0; r < rows; r++) {
        float weight;
        out[r] = 0.0;
        for (size_t c = 0; c < columns; c++) {
            memcpy(&weight, w + r * columns + c, sizeof weight); /* the mapping may be unaligned */
            out[r] += (double)weight * in[c];
        }
        if (b == NULL) continue;
        memcpy(&weight, b + r, sizeof weight);
        out[r] += (double)weight;
    }
}

static inline void reference_norm(const Reference *reference, TensorRole role, int layer, const double *in,
                                  size_t size, double *out) {
    const float *gamma = reference_weights(reference, role, layer);
    double squares = 0.0;
    for (size_t i = 0; i < size; i++) squares += in[i] * in[i];
    double scale = 1.0 / sqrt(squares / (double)size + reference->model->config->norm_epsilon);
    for (size_t i = 0; i < size; i++) {
        float weight = 1.0F;
        if (gamma != NULL) memcpy(&weight, gamma + i, sizeof weight);
        out[i] = (double)weight * in[i] * scale;
    }
}

static inline void reference_place(const Reference *reference, TensorRole norm, int layer, size_t position,
                                   double *head) {
    const ModelConfig *config = reference->model->config;
    size_t half = config->head_dim / 2;
    if (config->roles[norm]) reference_norm(reference, norm, layer, head, config->head_dim, head);
    for (size_t i = 0; i < half; i++) {
        double angle = (double)position * pow(config->ropes[0].theta, -(double)i / (double)half);
        double a = head[i], b = head[i + half];
        head[i] = a * cos(angle) - b * sin(angle);
        head[i + half] = b * cos(angle) + a * sin(angle);
    }
}

static inline void reference_attend(const ModelConfig *config, int layer, size_t t, const double *q,
                                    const double *keys, const double *values, double *mixed) {
    size_t dim = config->head_dim, group = config->heads / config->kv_heads, width = config->kv_heads * dim;
    bool slides = architecture_slides(config, (uint64_t)layer);
    size_t first = slides && t + 1 > architecture_window(config) ? t + 1 - architecture_window(config) : 0;
    for (size_t h = 0; h < config->heads; h++) {
        double sum = 0.0, largest = -INFINITY, weights[2048];
        for (size_t s = first; s <= t; s++) {
            weights[s] = 0.0;
            for (size_t i = 0; i < dim; i++)
                weights[s] += q[h * dim + i] * keys[s * width + h / group * dim + i];
            weights[s] /= sqrt((double)dim);
            largest = fmax(largest, weights[s]);
        }
        for (size_t s = first; s <= t; s++) sum += weights[s] = exp(weights[s] - largest);
        for (size_t i = 0; i < dim; i++) {
            mixed[h * dim + i] = 0.0;
            for (size_t s = first; s <= t; s++)
                mixed[h * dim + i] += weights[s] / sum * values[s * width + h / group * dim + i];
        }
    }
}

static inline void reference_layer(Reference *reference, int layer) {
    const ModelConfig *config = reference->model->config;
    enum { WIDEST = 256 };
    size_t hidden = config->hidden_size, width = config->kv_heads * config->head_dim, dim = config->head_dim;
    double normed[WIDEST], q[WIDEST], mixed[WIDEST], added[WIDEST], gate[WIDEST], up[WIDEST];
    double *keys = memory_allocate(reference->tokens * width, sizeof *keys);
    double *values = memory_allocate(reference->tokens * width, sizeof *values);
    assert_true(keys != NULL && values != NULL);
    for (size_t t = 0; t < reference->tokens; t++) {
        double *x = reference->x + t * hidden;
        reference_norm(reference, TENSOR_ATTENTION_NORM, layer, x, hidden, normed);
        reference_linear(reference, TENSOR_Q, TENSOR_Q_BIAS, layer, normed, q);
        reference_linear(reference, TENSOR_K, TENSOR_K_BIAS, layer, normed, keys + t * width);
        reference_linear(reference, TENSOR_V, TENSOR_V_BIAS, layer, normed, values + t * width);
        for (size_t h = 0; h < config->heads; h++)
            reference_place(reference, TENSOR_Q_NORM, layer, t, q + h * dim);
        for (size_t h = 0; h < config->kv_heads; h++)
            reference_place(reference, TENSOR_K_NORM, layer, t, keys + t * width + h * dim);
        reference_attend(config, layer, t, q, keys, values, mixed);
        reference_linear(reference, TENSOR_O, TENSOR_O_BIAS, layer, mixed, added);
        for (size_t i = 0; i < hidden; i++) x[i] += added[i];
        reference_norm(reference, TENSOR_MLP_NORM, layer, x, hidden, normed);
        reference_linear(reference, TENSOR_GATE, TENSOR_GATE_BIAS, layer, normed, gate);
        reference_linear(reference, TENSOR_UP, TENSOR_UP_BIAS, layer, normed, up);
        for (size_t i = 0; i < config->intermediate_size; i++)
            gate[i] = gate[i] / (1.0 + exp(-gate[i])) * up[i];
        reference_linear(reference, TENSOR_DOWN, TENSOR_DOWN_BIAS, layer, gate, added);
        for (size_t i = 0; i < hidden; i++) x[i] += added[i];
    }
    free(keys);
    free(values);
}

/* The hidden states after the final norm, [tokens × hidden]; the caller frees. */
static inline double *reference_hidden(const Model *model, const int32_t *ids, size_t tokens) {
    const ModelConfig *config = model->config;
    size_t hidden = config->hidden_size;
    Reference reference = {model, tokens, memory_allocate(tokens * hidden, sizeof(double))};
    assert_non_null(reference.x);
    const float *embedding = reference_weights(&reference, TENSOR_EMBEDDING, -1);
    for (size_t i = 0; i < tokens * hidden; i++) {
        float value;
        memcpy(&value, embedding + (size_t)ids[i / hidden] * hidden + i % hidden, sizeof value);
        reference.x[i] = (double)value;
    }
    for (uint64_t layer = 0; layer < config->layers; layer++) reference_layer(&reference, (int)layer);
    for (size_t t = 0; t < tokens; t++)
        reference_norm(&reference, TENSOR_FINAL_NORM, -1, reference.x + t * hidden, hidden,
                       reference.x + t * hidden);
    return reference.x;
}

#endif
