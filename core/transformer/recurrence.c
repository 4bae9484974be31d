#include "core/transformer/recurrence.h"

#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* Floats of one layer: the last inputs of each channel that is convolved, and what the recurrence keeps. */
static size_t layer_size(const ModelConfig *config, const LayerPlan *plan) {
    const size_t width = architecture_delta_values(config), state = config->recurrent.key_dim,
                 both = architecture_delta_channels(config);
    switch (plan->mixer) {
    case MIXER_CONVOLUTION:
        return recurrence_convolution_size(config, config->hidden_size);
    case MIXER_DELTA:
    case MIXER_STATE_SPACE:
        return recurrence_convolution_size(config, both) + width * state;
    case MIXER_SELECTIVE:
        return recurrence_convolution_size(config, width) + width * state;
    case MIXER_GATED:
        return recurrence_convolution_size(config, width) + width;
    case MIXER_LIGHTNING:
        return width * (config->recurrent.value_dim + 2 * config->recurrent.block);
    case MIXER_ATTENTION:
    case MIXER_NONE:
        break;
    }
    return 0;
}

/* Where a layer's begins; layer = layers: how many floats there are. At most 2³⁰ channels of 63, and 2²⁸ of values by 2¹⁶ of
 * keys, in 1024 layers: it fits. */
static size_t find_layer(const ModelConfig *config, uint64_t layer) {
    size_t at = 0;
    for (uint64_t i = 0; i < layer; i++) at += layer_size(config, architecture_layer(config, i));
    return at;
}

uint64_t recurrence_bytes(const ModelConfig *config) {
    uint64_t bytes;
    return __builtin_mul_overflow(find_layer(config, config->layers), 2 * sizeof(float), &bytes) ? UINT64_MAX
                                                                                                 : bytes;
}

Status recurrence_allocate(const ModelConfig *config, Recurrence *recurrence, Error *error) {
    size_t total = find_layer(config, config->layers);
    *recurrence = (Recurrence){.total = total, .length = SIZE_MAX, .before_length = SIZE_MAX};
    if (total == 0) return STATUS_OK;
    recurrence->now = memory_allocate_aligned(total, sizeof(float));
    recurrence->before = memory_allocate_aligned(total, sizeof(float));
    if (recurrence->now == NULL || recurrence->before == NULL) return memory_fail(error, "states of layers");
    memset(recurrence->now, 0, total * sizeof(float));
    return STATUS_OK;
}

void recurrence_free(Recurrence *recurrence) {
    free(recurrence->now);
    free(recurrence->before);
}

float *recurrence_of_layer(const ForwardState *state, uint64_t layer) {
    return state->recurrence.now + find_layer(state->side->config, layer);
}

/* ---- lightning attention ---- */

static bool looks_ahead(const float *decays, size_t heads, size_t block) {
    for (size_t row = 0; row < heads * block; row++)
        for (size_t j = row % block + 1; j < block; j++)
            if (decays[row * block + j] != 0.0F) return true;
    return false;
}

Status recurrence_check_decays(const ForwardState *state, Error *error) {
    const ModelConfig *config = state->side->config;
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        if (architecture_layer(config, layer)->mixer != MIXER_LIGHTNING) continue;
        const float *decays = forward_part(state, layer, TENSOR_PART_LIGHTNING_BLOCK_DECAY);
        if (looks_ahead(decays, config->recurrent.value_heads, config->recurrent.block))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "layer %" PRIu64
                               ": diagonal_decay is not 0 above its diagonal: tokens that "
                               "see later ones are not known",
                               layer);
    }
    return STATUS_OK;
}

/* ---- a call ---- */

/* Where the text began whose state there is at this length of the cache; SIZE_MAX: there is none. */
static size_t known_start(const ForwardState *state) {
    const Recurrence *own = &state->recurrence;
    if (own->length == state->length) return own->start;
    return own->before_length == state->length ? own->before_start : SIZE_MAX;
}

static size_t start_of(const ForwardInput *input, size_t token) {
    return input->starts == NULL ? 0 : input->starts[token];
}

static Status check_state(const ForwardState *state, const ForwardInput *input, Error *error) {
    size_t going = known_start(state);
    for (size_t i = 0; i < input->count; i++) {
        size_t start = start_of(input, i);
        if (start != state->length + i && start != going)
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "layers of this model keep a state of their text, which goes on from the token "
                "before: there is none at token %zu for a text that starts at %zu",
                state->length + i, start);
        going = start;
    }
    return STATUS_OK;
}

Status recurrence_check_input(ForwardState *const *states, size_t count, const ForwardInput *input,
                              Error *error) {
    bool has_state = states[0]->recurrence.total > 0;
    if (!has_state && states[0]->compressors == NULL) return STATUS_OK;
    if (input->places != NULL)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "texts that share a prompt and grow side by side are not known of models whose "
                           "layers keep a state of their text (%s)",
                           architecture_name(states[0]->side->config->architecture));
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && has_state && status == STATUS_OK; i++)
        status = check_state(states[i], input, error);
    return status;
}

void recurrence_begin(ForwardState *const *states, size_t count) {
    for (size_t i = 0; i < count; i++) {
        Recurrence *own = &states[i]->recurrence;
        size_t length = states[i]->length;
        if (own->total == 0) continue;
        if (own->length == length) {
            memcpy(own->before, own->now, own->total * sizeof *own->now);
            own->before_length = length;
            own->before_start = own->start;
        } else if (own->before_length == length) {
            memcpy(own->now, own->before, own->total * sizeof *own->now);
        } else {
            own->before_length = SIZE_MAX; /* a text begins */
        }
    }
}

void recurrence_end(ForwardState *const *states, size_t count, const ForwardInput *input, bool is_done) {
    for (size_t i = 0; i < count; i++) {
        Recurrence *own = &states[i]->recurrence;
        if (own->total == 0) continue;
        own->length = is_done ? states[i]->length : own->before_length;
        own->start = is_done ? start_of(input, input->count - 1) : own->before_start;
        if (!is_done && own->before_length != SIZE_MAX)
            memcpy(own->now, own->before, own->total * sizeof *own->now);
    }
}

/* ---- the way back ---- */

size_t recurrence_window(size_t tokens) {
    size_t window = 1;
    while (window < tokens / window + (tokens % window != 0)) window++;
    return window;
}

size_t recurrence_parts(const ModelConfig *config) {
    enum { MOST_PARTS = 32 /* of all groups, or one each */ };
    const RecurrentSizes *sizes = &config->recurrent;
    size_t heads = sizes->value_heads / sizes->key_heads,
           wanted = (MOST_PARTS + sizes->key_heads - 1) / sizes->key_heads;
    return wanted < heads ? wanted : heads;
}

size_t recurrence_shared_width(const ModelConfig *config) {
    return recurrence_parts(config) * config->recurrent.key_heads * 2 * config->recurrent.key_dim;
}
