#include "core/transformer/compressor.h"

#include "core/transformer/compressor_cache.h"
#include "core/transformer/rotary.h"

#include <math.h>
#include <string.h>

/* ---- where what is ---- */

/* Where a text's first entry is; those of the next text, however soon it begins, lie behind its last. */
static size_t first_slot(const Chunk *chunk, const LayerPlan *plan, size_t token) {
    return (chunk_start(chunk, token) + (size_t)plan->rate - 1) / (size_t)plan->rate;
}

static float *entry_at(const ForwardState *state, uint64_t layer, size_t slot) {
    return state->compressors[layer].entries + slot * forward_plan(state, layer)->head_dim;
}

const float *compressor_entries(const Chunk *chunk, const ForwardState *state, size_t token, size_t *count) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    *count = (chunk_position(chunk, token) + 1) / (size_t)plan->rate;
    return entry_at(state, chunk->layer, first_slot(chunk, plan, token));
}

/* ---- entries ---- */

static void keep_inputs(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t width = compressor_cache_width(forward_plan(state, chunk->layer));
    float *to = state->compressors[chunk->layer].inputs + chunk_cell(chunk, token) * 2 * width;
    memcpy(to, pass_row(chunk, state, BUFFER_COMPRESSOR_KEY, token), width * sizeof *to);
    memcpy(to + width, pass_row(chunk, state, BUFFER_COMPRESSOR_GATE, token), width * sizeof *to);
}

/* Some tokens side by side: what one channel is made of. */
typedef struct Stretch {
    const float *keys, *gates, *biases; /* of the first; the next is `step` behind, of biases `width` */
    size_t count, step, width;
} Stretch;

static void mix_channel(const Stretch *stretches, size_t count, size_t channel, float *out) {
    float largest = -INFINITY;
    double sum = 0.0, mixed = 0.0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t s = 0; s < count; s++) {
            const Stretch *own = &stretches[s];
            for (size_t i = 0; i < own->count; i++) {
                float gate = own->gates[i * own->step + channel] + own->biases[i * own->width + channel];
                float share = pass == 0 ? 0.0F : expf(gate - largest);
                if (pass == 0) largest = fmaxf(largest, gate);
                sum += (double)share;
                mixed += (double)share * (double)own->keys[i * own->step + channel];
            }
        }
    }
    *out = (float)(mixed / sum);
}

/* The tokens of window `index`, of their second half where windows overlap; `is_first`: of their first. */
static Stretch find_stretch(const Chunk *chunk, const ForwardState *state, size_t token, size_t index,
                            bool is_first) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t width = compressor_cache_width(plan), rate = (size_t)plan->rate,
           half = plan->overlaps && !is_first ? (size_t)plan->head_dim : 0;
    const float *inputs = state->compressors[chunk->layer].inputs +
                          (chunk_start(chunk, token) + index * rate) * 2 * width + half;
    return (Stretch){
        .keys = inputs,
        .gates = inputs + width,
        .biases = forward_part(state, chunk->layer, TENSOR_PART_COMPRESSOR_BIAS) + half,
        .count = rate,
        .step = 2 * width,
        .width = width,
    };
}

static void turn_entry(const ForwardState *state, const LayerPlan *plan, size_t position, float *entry) {
    const Rope *rope = &state->side->config->ropes[plan->rope];
    float frequencies[ROPE_MOST_FACTORS], cosines[ROPE_MOST_FACTORS], sines[ROPE_MOST_FACTORS];
    model_rope_frequencies(rope, 0, frequencies);
    rotary_compute(rope, frequencies, position, cosines, sines);
    rotary_turn(rope, entry + plan->head_dim - rope->dims, cosines, sines, false);
}

/* The token that ends a window makes its entry. */
static void close_window(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t position = chunk_position(chunk, token), rate = (size_t)plan->rate, index = position / rate;
    if ((position + 1) % rate != 0) return;
    bool has_before = plan->overlaps && index > 0;
    Stretch stretches[2] = {find_stretch(chunk, state, token, index, false)};
    if (has_before) stretches[1] = find_stretch(chunk, state, token, index - 1, true);
    float *entry = entry_at(state, chunk->layer, first_slot(chunk, plan, token) + index);
    for (size_t c = 0; c < plan->head_dim; c++) mix_channel(stretches, has_before ? 2 : 1, c, &entry[c]);
    const Norm norm = {.kind = NORM_RMS,
                       .weight = forward_part(state, chunk->layer, TENSOR_PART_COMPRESSOR_NORM),
                       .size = plan->head_dim,
                       .epsilon = config->norm_epsilon};
    norm_forward(&norm, entry, entry);
    turn_entry(state, plan, index * rate, entry);
}

Status compressor_run(const Pass *pass, Error *error) {
    Status status =
        pass_project_part(pass, TENSOR_PART_COMPRESSOR_KEY, BUFFER_NORMED, BUFFER_COMPRESSOR_KEY, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_COMPRESSOR_GATE, BUFFER_NORMED, BUFFER_COMPRESSOR_GATE,
                                   error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, keep_inputs, error);
    return status == STATUS_OK ? pass_for_tokens(pass, close_window, error) : status;
}
