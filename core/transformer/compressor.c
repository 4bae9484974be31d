#include "core/transformer/compressor.h"

#include "core/transformer/compressor_cache.h"
#include "core/transformer/rotary.h"

#include <math.h>
#include <string.h>

/* ---- where what is ---- */

/* Of the text that begins at cell `start`; those of the next text, however soon it begins, lie behind its last. */
static float *first_entry(const ForwardState *state, uint64_t layer, size_t start) {
    const LayerPlan *plan = forward_plan(state, layer);
    size_t slot = (start + (size_t)plan->rate - 1) / (size_t)plan->rate;
    return state->compressors[layer].entries + slot * plan->head_dim;
}

const float *compressor_entries(const ForwardState *state, uint64_t layer, size_t start, size_t position,
                                size_t *count) {
    *count = (position + 1) / (size_t)forward_plan(state, layer)->rate;
    return first_entry(state, layer, start);
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

/* One channel of an entry: keys by the softmax of their gates, whose largest and whose sum beside it the way back needs. */
typedef struct Mixture {
    float value, largest;
    double sum;
} Mixture;

static Mixture mix_channel(const Stretch *stretches, size_t count, size_t channel) {
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
    return (Mixture){.value = (float)(mixed / sum), .largest = largest, .sum = sum};
}

/* All channels of an entry, before its norm. */
static void mix_entry(const Stretch *stretches, size_t count, size_t channels, float *out) {
    for (size_t c = 0; c < channels; c++) out[c] = mix_channel(stretches, count, c).value;
}

/* The tokens of window `index` of the text that begins at cell `start`, of their second half where windows overlap; `is_first`: of
 * their first. */
static Stretch find_stretch(const ForwardState *state, uint64_t layer, size_t start, size_t index,
                            bool is_first) {
    const LayerPlan *plan = forward_plan(state, layer);
    size_t width = compressor_cache_width(plan), rate = (size_t)plan->rate,
           half = plan->overlaps && !is_first ? (size_t)plan->head_dim : 0;
    const float *inputs = state->compressors[layer].inputs + (start + index * rate) * 2 * width + half;
    return (Stretch){
        .keys = inputs,
        .gates = inputs + width,
        .biases = forward_part(state, layer, TENSOR_PART_COMPRESSOR_BIAS) + half,
        .count = rate,
        .step = 2 * width,
        .width = width,
    };
}

static void turn_entry(const ForwardState *state, const LayerPlan *plan, size_t position, float *entry,
                       bool back) {
    const Rope *rope = &state->side->config->ropes[plan->rope];
    float frequencies[ROPE_MOST_FACTORS], cosines[ROPE_MOST_FACTORS], sines[ROPE_MOST_FACTORS];
    model_rope_frequencies(rope, 0, frequencies);
    rotary_compute(rope, frequencies, position, cosines, sines);
    rotary_turn(rope, entry + plan->head_dim - rope->dims, cosines, sines, back);
}

/* What window `index` is made of: its own tokens, and where windows overlap those before; returns how many stretches. */
static size_t find_window(const ForwardState *state, uint64_t layer, size_t start, size_t index,
                          Stretch stretches[2]) {
    bool has_before = forward_plan(state, layer)->overlaps && index > 0;
    stretches[0] = find_stretch(state, layer, start, index, false);
    if (has_before) stretches[1] = find_stretch(state, layer, start, index - 1, true);
    return has_before ? 2 : 1;
}

static Norm entry_norm(const ForwardState *state, uint64_t layer) {
    return (Norm){.kind = NORM_RMS,
                  .weight = forward_part(state, layer, TENSOR_PART_COMPRESSOR_NORM),
                  .size = forward_plan(state, layer)->head_dim,
                  .epsilon = state->side->config->norm_epsilon};
}

/* The token that ends a window makes its entry. */
static void close_window(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t position = chunk_position(chunk, token), start = chunk_start(chunk, token),
           rate = (size_t)plan->rate, index = position / rate;
    if ((position + 1) % rate != 0) return;
    Stretch stretches[2];
    size_t count = find_window(state, chunk->layer, start, index, stretches);
    float *entry = first_entry(state, chunk->layer, start) + index * plan->head_dim;
    mix_entry(stretches, count, plan->head_dim, entry);
    const Norm norm = entry_norm(state, chunk->layer);
    norm_forward(&norm, entry, entry);
    turn_entry(state, plan, index * rate, entry, false);
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

/* ---- the way back ---- */

/* An entry of a sequence: the gradient at it. */
static float *entry_slope(const Descent *descent, size_t sequence, size_t index) {
    return descent_slope(descent, SLOPE_ENTRY, sequence, 0) + index * descent_plan(descent)->head_dim;
}

static void clear_inputs(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t bytes = descent_slope_width(descent, SLOPE_COMPRESSOR_KEY) * sizeof(float);
    memset(descent_slope(descent, SLOPE_COMPRESSOR_KEY, sequence, token), 0, bytes);
    memset(descent_slope(descent, SLOPE_COMPRESSOR_GATE, sequence, token), 0, bytes);
}

/* One channel of one entry: from the gradient at it to keys and gates that it is of. */
static void descend_channel(const Stretch *stretch, const Mixture *mixture, float slope, size_t channel,
                            float *keys, float *gates) {
    for (size_t i = 0; i < stretch->count; i++) {
        const float gate = stretch->gates[i * stretch->step + channel] +
                           stretch->biases[i * stretch->width + channel],
                    share = (float)((double)expf(gate - mixture->largest) / mixture->sum);
        keys[i * stretch->width + channel] = share * slope;
        gates[i * stretch->width + channel] =
            share * (stretch->keys[i * stretch->step + channel] - mixture->value) * slope;
    }
}

/* The token that ends a window: of the entry that it made. Each window has its own half of its tokens, and of those before. */
static void descend_window(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ForwardState *state = descent->backward->state;
    const LayerPlan *plan = descent_plan(descent);
    const size_t rate = (size_t)plan->rate, index = token / rate, start = descent->spans[sequence].row;
    if ((token + 1) % rate != 0) return;
    Stretch stretches[2];
    const size_t count = find_window(state, descent->layer, start, index, stretches);
    const Norm norm = entry_norm(state, descent->layer);
    float *mixed = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *through = mixed + descent->row_stride, *slope = entry_slope(descent, sequence, index);
    turn_entry(state, plan, index * rate, slope, true);
    memset(through, 0, norm.size * sizeof *through);
    mix_entry(stretches, count, norm.size, mixed);
    norm_backward(&norm, mixed, slope, through);
    float *keys[2], *gates[2];
    for (size_t s = 0; s < count; s++) {
        const size_t first = (index - s) * rate, half = plan->overlaps && s == 0 ? norm.size : 0;
        keys[s] = descent_slope(descent, SLOPE_COMPRESSOR_KEY, sequence, first) + half;
        gates[s] = descent_slope(descent, SLOPE_COMPRESSOR_GATE, sequence, first) + half;
    }
    for (size_t c = 0; c < norm.size; c++) {
        const Mixture mixture = mix_channel(stretches, count, c);
        for (size_t s = 0; s < count; s++)
            descend_channel(&stretches[s], &mixture, through[c], c, keys[s], gates[s]);
    }
}

/* Of the norm, whose output's gradients are where entries' were. */
static Status give_entry_norm(const Descent *descent, Error *error) {
    const ForwardState *state = descent->backward->state;
    const size_t rate = (size_t)descent_plan(descent)->rate;
    const Norm norm = entry_norm(state, descent->layer);
    float *mixed = descent->rows;
    if (descent->taker == NULL) return STATUS_OK;
    memset(descent->vector_sums, 0, norm.size * sizeof *descent->vector_sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t e = 0; e < descent->spans[s].tokens / rate; e++) {
            Stretch stretches[2];
            const size_t count = find_window(state, descent->layer, descent->spans[s].row, e, stretches);
            mix_entry(stretches, count, norm.size, mixed);
            norm_add_weight_gradient(&norm, mixed, entry_slope(descent, s, e), descent->vector_sums);
        }
    }
    return descent_give_sums(descent, TENSOR_PART_COMPRESSOR_NORM, norm.size, error);
}

/* Of what is added to gates, for each place of a window. */
static Status give_bias(const Descent *descent, Error *error) {
    const size_t rate = (size_t)descent_plan(descent)->rate,
                 width = descent_slope_width(descent, SLOPE_COMPRESSOR_GATE);
    if (descent->taker == NULL) return STATUS_OK;
    memset(descent->vector_sums, 0, rate * width * sizeof *descent->vector_sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slope = descent_slope(descent, SLOPE_COMPRESSOR_GATE, s, t);
            for (size_t c = 0; c < width; c++) descent->vector_sums[t % rate * width + c] += (double)slope[c];
        }
    }
    return descent_give_sums(descent, TENSOR_PART_COMPRESSOR_BIAS, rate * width, error);
}

Status compressor_descend(const Descent *descent, Error *error) {
    Status status = descent_for_tokens(descent, clear_inputs, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_window, error);
    if (status == STATUS_OK) status = give_entry_norm(descent, error);
    if (status == STATUS_OK) status = give_bias(descent, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_COMPRESSOR_KEY, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_COMPRESSOR_KEY, SLOPE_NORMED, true, error);
    return status == STATUS_OK
               ? descent_run_part(descent, TENSOR_PART_COMPRESSOR_GATE, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_COMPRESSOR_GATE, SLOPE_NORMED, true, error)
               : status;
}
