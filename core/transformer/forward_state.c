#include "core/transformer/forward_state.h"

#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"
#include "core/support/memory_limit.h"
#include "core/transformer/compressor_cache.h"
#include "core/transformer/forward_internal.h"
#include "core/transformer/recurrence.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

/* ---- memory ---- */

static const uint64_t MOST_MEMORY = UINT64_C(16) << 30;
static const double GIB = 1073741824.0, MIB = 1048576.0;

/* Saturating, so that a configuration with absurd sizes needs "too much" instead of little. */
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t forward_token_bytes(const ModelConfig *config, size_t states, unsigned threads) {
    uint64_t head = plus(config->head_dim, config->value_dim > 0 ? config->value_dim : config->head_dim);
    uint64_t cache = times(times(config->layers, config->kv_heads), plus(head, config->kept_keys > 0));
    uint64_t own = plus(compressor_cache_floats(config), config->hidden_size);
    uint64_t state = times(plus(cache, own), sizeof(float));
    return plus(times(states, state), times(threads, ATTENTION_BLOCK * sizeof(float)));
}

static uint64_t memory_limit;

/* Beside the model, which is mapped by now, and OpenBLAS, limits of the process may leave much less than they allow. */
static void read_limit(void) {
    Status ready = blas_buffers_prepare(1, NULL);
    (void)ready; /* where it is not, whoever multiplies says why */
    uint64_t allowed = memory_limit_allowed(""), left = memory_limit_left();
    uint64_t half = (left < allowed ? left : allowed) / 2;
    memory_limit = half < MOST_MEMORY ? half : MOST_MEMORY;
}

uint64_t forward_memory_limit(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, read_limit); /* fails for no initialised `once` */
    return memory_limit;
}

Status forward_check_memory(uint64_t token_bytes, size_t tokens, uint64_t limit, const char *what,
                            Error *error) {
    uint64_t fitting = token_bytes == 0 ? UINT64_MAX : limit / token_bytes;
    if (tokens <= fitting) return STATUS_OK;
    bool is_small = limit < (uint64_t)GIB;
    double unit = is_small ? MIB : GIB;
    const char *name = is_small ? "MiB" : "GiB";
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%zu tokens need %.1f %s for %s, and %.1f %s are allowed (half of the memory that "
                       "rejuv may use here, 16 GiB at most): %" PRIu64 " tokens fit",
                       tokens, (double)token_bytes * (double)tokens / unit, name, what, (double)limit / unit,
                       name, fitting);
}

/* ---- one run ---- */

/* Of a mixer with a state, what is between it and the stream. */
static size_t mixer_width(const ModelConfig *config, MixerKind mixer, Buffer buffer) {
    bool is_delta = mixer == MIXER_DELTA, is_lightning = mixer == MIXER_LIGHTNING;
    switch (buffer) {
    case BUFFER_MIXED:
        return is_delta || is_lightning ? architecture_delta_values(config) : config->hidden_size;
    case BUFFER_SCRATCH:
        if (is_lightning) return 0;
        return is_delta ? architecture_delta_channels(config) : 3 * config->hidden_size;
    case BUFFER_ATTENTION_GATE:
        return is_delta || is_lightning ? architecture_delta_values(config) : 0;
    case BUFFER_DECAY:
        return is_delta ? architecture_delta_decays(config) : 0;
    default: /* BUFFER_WRITE */
        return is_delta ? config->recurrent.value_heads : 0;
    }
}

static size_t state_width(const ModelConfig *config, MixerKind mixer, Buffer buffer) {
    const RecurrentSizes *sizes = &config->recurrent;
    size_t width = architecture_delta_values(config);
    bool is_selective = mixer == MIXER_SELECTIVE;
    if (mixer == MIXER_GATED) return buffer == BUFFER_STATE_RANK ? 0 : width;
    if (mixer == MIXER_DELTA) return buffer == BUFFER_STATE_RANK ? sizes->rank : 0;
    if (mixer != MIXER_STATE_SPACE && !is_selective) return 0;
    switch (buffer) {
    case BUFFER_STATE_IN:
        return is_selective ? 2 * width : width + architecture_delta_channels(config) + sizes->value_heads;
    case BUFFER_STATE_OUT:
        return width;
    case BUFFER_STATE_SMALL:
        return is_selective ? sizes->rank + 2 * sizes->key_dim : 0;
    case BUFFER_STATE_RANK:
        return sizes->rank;
    default: /* BUFFER_STATE_STEP */
        return is_selective ? width : 0;
    }
}

/* What attention keeps for itself; behind it, what each layer has of a token. */
static size_t scratch_width(const ModelConfig *config, const LayerPlan *plan) {
    uint64_t query = plan->heads * plan->head_dim, own = config->layers * config->layer_input_size;
    if (architecture_needs(plan, TENSOR_PART_COMMON_NORM)) /* what an adapter adds */
        return query > 2 * plan->intermediate_size ? query : 2 * plan->intermediate_size;
    if (architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS)) return query; /* a row for each expert */
    bool is_twice = config->has_output_gate || architecture_needs(plan, TENSOR_PART_LAMBDA_Q1);
    return is_twice && own < 2 * query ? 2 * query : own;
}

size_t forward_layer_width(const ModelConfig *config, const LayerPlan *plan, Buffer buffer) {
    uint64_t query = plan->heads * plan->head_dim, key = plan->kv_heads * plan->head_dim;
    const ExpertPlan *experts = &plan->experts;
    const LatentPlan *latent = &plan->latent;
    bool has_common = architecture_needs(plan, TENSOR_PART_COMMON_NORM);
    bool has_state =
        plan->mixer == MIXER_CONVOLUTION || plan->mixer == MIXER_DELTA || plan->mixer == MIXER_LIGHTNING;
    switch (buffer) {
    case BUFFER_RESIDUAL:
    case BUFFER_NORMED:
    case BUFFER_ADDED:
        return config->hidden_size;
    case BUFFER_QUERY:
        return query;
    case BUFFER_MIXED:
        return has_state ? mixer_width(config, plan->mixer, buffer) : plan->heads * plan->value_dim;
    case BUFFER_KEY:
        return key;
    case BUFFER_VALUE:
        return plan->kv_heads * plan->value_dim;
    case BUFFER_GATE:
    case BUFFER_UP:
        return plan->intermediate_size;
    case BUFFER_QKV:
        if (architecture_needs(plan, TENSOR_PART_DELTA_FUSED))
            return architecture_delta_channels(config) + architecture_delta_values(config);
        if (architecture_needs(plan, TENSOR_PART_DELTA_QUERY)) return architecture_delta_channels(config);
        if (plan->mixer == MIXER_LIGHTNING) return 3 * architecture_delta_values(config);
        if (architecture_needs(plan, TENSOR_PART_KEY_VALUE)) return 2 * key;
        return architecture_has(plan, TENSOR_QKV) ? query + 2 * key : 0;
    case BUFFER_GATE_UP:
        return architecture_has(plan, TENSOR_GATE_UP) ||
                       architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP) || has_common
                   ? 2 * plan->intermediate_size
                   : 0;
    case BUFFER_LAYER_INPUTS:
        return config->layers * config->layer_input_size;
    case BUFFER_LAYER_GATE:
        return config->layer_input_size;
    case BUFFER_STREAMS:
        return config->streams > 1 ? (config->streams - 1) * config->hidden_size : 0;
    case BUFFER_PREDICTED:
        return config->streams > 1 ? config->hidden_size : 0;
    case BUFFER_STREAM_MODES:
        return config->streams;
    case BUFFER_LAUREL:
        return config->laurel_rank;
    case BUFFER_EMBEDDED:
        return config->has_common ? config->hidden_size : 0;
    case BUFFER_COMMON_IN:
        return has_common ? 2 * config->hidden_size : 0;
    case BUFFER_COMMON_RANK:
        return has_common ? config->common_rank : 0;
    case BUFFER_BESIDE:
        return plan->attends_beside || has_common ? config->hidden_size : 0;
    case BUFFER_STATE_IN:
    case BUFFER_STATE_OUT:
    case BUFFER_STATE_SMALL:
    case BUFFER_STATE_RANK:
    case BUFFER_STATE_STEP:
        return state_width(config, plan->mixer, buffer);
    case BUFFER_WRITE:
    case BUFFER_DECAY:
        return has_state ? mixer_width(config, plan->mixer, buffer) : 0;
    case BUFFER_SCRATCH:
        return has_state ? mixer_width(config, plan->mixer, buffer) : scratch_width(config, plan);
    case BUFFER_ATTENTION_GATE:
        if (has_state) return mixer_width(config, plan->mixer, buffer);
        if (architecture_needs(plan, TENSOR_PART_ATTENTION_GATE) && config->gates_heads) return plan->heads;
        return config->has_output_gate || architecture_needs(plan, TENSOR_PART_ATTENTION_GATE)
                   ? plan->heads * plan->value_dim
                   : 0;
    case BUFFER_ROUTER:
        return experts->count;
    case BUFFER_RIVALS:
        return experts->count + experts->groups;
    case BUFFER_CHOSEN:
    case BUFFER_WEIGHTS:
        return experts->chosen;
    case BUFFER_SWITCH:
        return architecture_needs(plan, TENSOR_PART_SHARED_SWITCH) ? 1 : 0;
    case BUFFER_ROUTED_GATE:
        return experts->chosen * experts->width * (experts->layout == EXPERTS_TRANSPOSED ? 2 : 1);
    case BUFFER_ROUTED_UP:
        return experts->chosen * experts->width;
    case BUFFER_ROUTED:
        return experts->chosen * config->hidden_size;
    case BUFFER_LATENT:
        return latent->latent > 0 ? latent->latent + latent->turned : 0;
    case BUFFER_QUERY_LATENT:
        return latent->query;
    case BUFFER_EXPANDED:
        return latent->latent > 0 ? plan->heads * (plan->head_dim - latent->turned + plan->value_dim) : 0;
    case BUFFER_MASK:
        return architecture_needs(plan, TENSOR_PART_MASK_RATE) ? plan->kv_heads : 0;
    case BUFFER_COMPRESSOR_KEY:
    case BUFFER_COMPRESSOR_GATE:
        return plan->rate > 0 ? plan->head_dim * (plan->overlaps ? 2 : 1) : 0;
    case BUFFER_GROUP_ROWS:
    case BUFFER_GROUPED:
        return config->output_groups * config->output_rank;
    case BUFFER_CONNECTED:
        return config->connections * config->hidden_size;
    case BUFFER_CONNECTION:
    case BUFFER_CONNECTION_WEIGHTS:
        return (2 + config->connections) * config->connections;
    case BUFFER_COUNT:
        break;
    }
    return 0;
}

size_t forward_buffer_width(const ModelConfig *config, Buffer buffer) {
    size_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        size_t width = forward_layer_width(config, &config->plans[i], buffer);
        if (width > widest) widest = width;
    }
    return widest;
}

/* ---- small tensors ---- */

/* Norms and biases. */
static bool is_small(int role) {
    static const bool IS_SMALL[TENSOR_ROLE_COUNT] = {
        [TENSOR_ATTENTION_NORM] = true,
        [TENSOR_MLP_NORM] = true,
        [TENSOR_FINAL_NORM] = true,
        [TENSOR_POST_MLP_NORM] = true,
        [TENSOR_Q_NORM] = true,
        [TENSOR_K_NORM] = true,
        [TENSOR_Q_BIAS] = true,
        [TENSOR_K_BIAS] = true,
        [TENSOR_V_BIAS] = true,
        [TENSOR_O_BIAS] = true,
        [TENSOR_GATE_BIAS] = true,
        [TENSOR_UP_BIAS] = true,
        [TENSOR_DOWN_BIAS] = true,
        [TENSOR_QKV_BIAS] = true,
        [TENSOR_GATE_UP_BIAS] = true,
        [TENSOR_HEAD_BIAS] = true,
        [TENSOR_POST_ATTENTION_NORM] = true,
    };
    return IS_SMALL[role];
}

static bool is_norm(int role) {
    return role == TENSOR_ATTENTION_NORM || role == TENSOR_MLP_NORM || role == TENSOR_FINAL_NORM ||
           role == TENSOR_POST_ATTENTION_NORM || role == TENSOR_POST_MLP_NORM || role == TENSOR_Q_NORM ||
           role == TENSOR_K_NORM;
}

/* Where blended elements go next; NULL: they are only counted. */
typedef struct SmallRoom {
    float *next;
    size_t total;
} SmallRoom;

static float *blend_into(const ForwardState *state, const PairTensor *tensor, bool adds_one,
                         SmallRoom *room) {
    if (tensor == NULL) return NULL;
    size_t elements = tensor->sft->rows * tensor->sft->columns;
    float *at = room->next;
    room->total += elements;
    if (at == NULL) return NULL;
    Blend blend = settings_blend(&state->settings, tensor);
    blend_rows(&blend, 0, tensor->sft->rows, at);
    for (size_t i = 0; adds_one && i < elements; i++) at[i] += 1.0F;
    room->next += elements;
    return at;
}

/* Of each head, one behind the other. */
static float *blend_apart(const ForwardState *state, const PairTensor *const *tensors, uint64_t heads,
                          SmallRoom *room) {
    float *at = room->next;
    for (uint64_t head = 0; head < heads; head++) (void)blend_into(state, tensors[head], false, room);
    return at;
}

/* What a side's config.json does not ask for it runs without, though the other asks for it. `plan`: NULL of no layer. */
static void blend_layer(const ForwardState *state, const ModelLayer *layer, const LayerPlan *plan,
                        ForwardVectors *vectors, SmallRoom *room) {
    const ModelConfig *config = state->side->config;
    bool adds_one = config->norm_adds_one;
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        bool is_own = plan != NULL ? architecture_has(plan, (TensorRole)role) : config->roles[role];
        if (!is_small(role) || !is_own) continue;
        vectors->roles[role] = blend_into(state, layer->tensors[role], adds_one && is_norm(role), room);
        vectors->biases[role] = blend_into(state, layer->biases[role], false, room);
    }
    const PartSet *parts = plan != NULL ? &plan->parts : &config->parts;
    for (int part = 0; part < TENSOR_PART_COUNT; part++)
        if (!architecture_part_is_matrix((TensorPart)part) && part_set_has(parts, (TensorPart)part))
            vectors->parts[part] = blend_into(state, layer->parts[part], false, room);
    if (layer->q_norms == NULL || config->qk_norm == QK_NORM_NONE) return;
    vectors->roles[TENSOR_Q_NORM] = blend_apart(state, layer->q_norms, config->heads, room);
    vectors->roles[TENSOR_K_NORM] = blend_apart(state, layer->k_norms, config->kv_heads, room);
}

static void blend_layers(ForwardState *state, SmallRoom *room) {
    const Model *model = state->model;
    uint64_t layers = model->config->layers;
    for (uint64_t layer = 0; layer < layers; layer++)
        blend_layer(state, &model->layers[layer], architecture_layer(state->side->config, layer),
                    &state->vectors[layer], room);
    blend_layer(state, &model->whole, NULL, &state->vectors[layers], room);
}

/* Blends them once: they are read for every token and weigh next to nothing. */
static Status blend_small(ForwardState *state, Error *error) {
    SmallRoom room = {0};
    state->vectors = memory_allocate(state->model->config->layers + 1, sizeof *state->vectors);
    if (state->vectors == NULL) return memory_fail(error, "norms and biases");
    blend_layers(state, &room);
    state->small = memory_allocate_aligned(room.total + 1, sizeof(float));
    if (state->small == NULL) return memory_fail(error, "norms and biases");
    room.next = state->small;
    blend_layers(state, &room);
    return STATUS_OK;
}

const ModelSide *forward_side(const Model *model, const Settings *settings) {
    return settings_is_base(settings) ? &model->base : &model->sft;
}

/* Beside what does not grow with a text. */
static Status check_capacity(const ModelConfig *config, size_t capacity, Error *error) {
    uint64_t limit = forward_memory_limit(), fixed = recurrence_bytes(config);
    return forward_check_memory(forward_token_bytes(config, 1, 1), capacity,
                                fixed < limit ? limit - fixed : 0, "a forward pass", error);
}

Status forward_create_state(const Model *model, const Settings *settings, size_t capacity,
                            ForwardState **state, Error *error) {
    *state = NULL;
    Status status = settings_check(settings, model->pair, error);
    if (status == STATUS_OK) status = check_capacity(model->config, capacity, error);
    if (status != STATUS_OK) return status;
    ForwardState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a forward state");
    made->model = model;
    made->side = forward_side(model, settings);
    made->settings = *settings;
    made->capacity = capacity;
    const ModelConfig *config = made->side->config;
    size_t keys, values;
    if (!memory_multiply(config->layers * config->kv_heads, config->head_dim, &keys) ||
        !memory_multiply(config->layers * config->kv_heads, config->value_dim, &values) ||
        !memory_multiply(keys, capacity, &keys) || !memory_multiply(values, capacity, &values))
        status = memory_fail(error, "the KV cache");
    if (status == STATUS_OK) {
        made->keys = memory_allocate_aligned(keys, sizeof(float));
        made->values = memory_allocate_aligned(values, sizeof(float));
        if (made->keys == NULL || made->values == NULL) status = memory_fail(error, "the KV cache");
    }
    if (status == STATUS_OK && config->kept_keys > 0) {
        size_t masks = config->layers * config->kv_heads; /* no more than keys, which fit */
        made->key_masks = memory_allocate_aligned(masks * capacity, sizeof(float));
        if (made->key_masks == NULL) status = memory_fail(error, "the KV cache");
    }
    if (status == STATUS_OK) status = compressor_cache_allocate(config, capacity, &made->compressors, error);
    if (status == STATUS_OK) status = recurrence_allocate(config, &made->recurrence, error);
    if (status == STATUS_OK) status = blend_small(made, error);
    if (status == STATUS_OK) status = recurrence_check_decays(made, error);
    if (status != STATUS_OK) {
        forward_free_state(made);
        return status;
    }
    *state = made;
    return STATUS_OK;
}

void forward_free_state(ForwardState *state) {
    if (state == NULL) return;
    for (int i = 0; i < BUFFER_COUNT; i++) free(state->buffers[i]);
    free(state->hidden);
    free(state->vectors);
    free(state->small);
    recurrence_free(&state->recurrence);
    compressor_cache_free(state->side->config, state->compressors);
    free(state->key_masks);
    free(state->values);
    free(state->keys);
    free(state);
}

Status forward_reserve_buffers(ForwardState *state, size_t tokens, Error *error) {
    if (tokens <= state->buffer_tokens) return STATUS_OK;
    state->buffer_tokens = 0;
    for (int i = 0; i < BUFFER_COUNT; i++) {
        free(state->buffers[i]);
        state->buffers[i] = NULL;
        if (forward_buffer_width(state->side->config, (Buffer)i) == 0) continue;
        size_t width;
        state->buffers[i] =
            memory_multiply(forward_buffer_width(state->side->config, (Buffer)i), sizeof(float), &width)
                ? memory_allocate_aligned(tokens, width)
                : NULL;
        if (state->buffers[i] == NULL) return memory_fail(error, "activations");
    }
    state->buffer_tokens = tokens;
    return STATUS_OK;
}

Status forward_reserve_hidden(ForwardState *state, size_t tokens, Error *error) {
    if (tokens <= state->hidden_tokens) return STATUS_OK;
    free(state->hidden);
    state->hidden_tokens = 0;
    state->hidden = memory_allocate_aligned(tokens, state->model->config->hidden_size * sizeof(float));
    if (state->hidden == NULL) return memory_fail(error, "hidden states");
    state->hidden_tokens = tokens;
    return STATUS_OK;
}

size_t forward_length(const ForwardState *state) {
    return state->length;
}

void forward_rewind(ForwardState *state, size_t length) {
    if (length < state->length) state->length = length;
}

bool forward_keeps_prefix(const ForwardState *state, size_t length) {
    const ModelConfig *config = state->side->config;
    const Recurrence *own = &state->recurrence;
    if (length == 0) return true;
    for (size_t i = 0; i < config->rope_count; i++)
        if (config->ropes[i].longest > 0) return false;
    bool has_state = own->total == 0 || own->length == length || own->before_length == length;
    return has_state && length <= state->length;
}

const float *forward_hidden(const ForwardState *state) {
    return state->hidden;
}
