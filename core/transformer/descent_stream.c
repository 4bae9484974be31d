#include "core/transformer/descent_stream.h"

#include "core/transformer/backward_connections.h"
#include "core/transformer/block_streams.h"

#include <string.h>

static const TensorRole NORM_BEHIND[] = {TENSOR_POST_ATTENTION_NORM, TENSOR_POST_MLP_NORM};

/* An MLP alone in its layer has the norm that attention would have. */
static TensorRole norm_before(const Descent *descent, Block block) {
    bool is_alone = descent_plan(descent)->mixer == MIXER_NONE;
    return block == BLOCK_ATTENTION || is_alone ? TENSOR_ATTENTION_NORM : TENSOR_MLP_NORM;
}

/* What a block's output is multiplied by on its way to the stream, and the stream beside it. */
static float block_scale(const Descent *descent, Block block) {
    const ModelConfig *config = descent_config(descent);
    return (float)(config->residual_scale * (block == BLOCK_MLP ? config->mlp_scale * config->mlp_scales.block
                                                                : descent_plan(descent)->scales.block));
}

static float stream_scale(const Descent *descent, Block block) {
    return (float)(block == BLOCK_MLP ? descent_config(descent)->mlp_scales.stream
                                      : descent_plan(descent)->scales.stream);
}

static const TensorPart STREAM_VECTORS[] = {TENSOR_PART_ATTENTION_RESIDUAL, TENSOR_PART_MLP_RESIDUAL};

/* Whether what the layer's mixer took is not the stream alone. */
static bool takes_common(const Descent *descent) {
    return architecture_needs(descent_plan(descent), TENSOR_PART_COMMON_NORM);
}

/* What a block took, before its norm, of all tokens of the group. */
static const float *stream_of(const Descent *descent, Block block) {
    const Backward *backward = descent->backward;
    if (block == BLOCK_ATTENTION && descent_config(descent)->streams > 1)
        return backward->state->buffers[BUFFER_PREDICTED];
    if (block == BLOCK_ATTENTION && takes_common(descent)) return backward->state->buffers[BUFFER_BESIDE];
    bool is_input = block == BLOCK_ATTENTION || descent_config(descent)->wiring == WIRING_PARALLEL ||
                    descent_plan(descent)->mixer == MIXER_NONE;
    return is_input ? backward_inputs(backward, descent->group, descent->layer) : backward->middle;
}

static bool norms_before(const Descent *descent) {
    return architecture_norms(descent_config(descent), descent_plan(descent)) != NORMS_BEHIND;
}

static bool norms_behind(const Descent *descent) {
    NormPlaces norms = architecture_norms(descent_config(descent), descent_plan(descent));
    return norms == NORMS_AROUND || norms == NORMS_BEHIND;
}

/* The gradient at what the block gives to the stream: times its scale. */
static void scale_for_block(const Descent *descent, Block block, size_t sequence, size_t token) {
    const float *from = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    float *to = descent_slope(descent, SLOPE_ADDED, sequence, token), scale = block_scale(descent, block);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) to[i] = from[i] * scale;
}

/* Through the norm behind it, in place. */
static void descend_behind(const Descent *descent, Block block, size_t sequence, size_t token,
                           unsigned worker) {
    const Norm norm = forward_norm(descent->backward->state, descent->layer, NORM_BEHIND[block]);
    size_t at = descent->spans[sequence].row + token;
    float *slope = descent_slope(descent, SLOPE_ADDED, sequence, token),
          *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(&norm, descent->backward->outputs[block] + at * norm.size, slope, through);
    memcpy(slope, through, norm.size * sizeof *slope);
}

static void scale_for_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    scale_for_block(descent, BLOCK_ATTENTION, sequence, token);
}

static void scale_for_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    scale_for_block(descent, BLOCK_MLP, sequence, token);
}

static void descend_behind_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    descend_behind(descent, BLOCK_ATTENTION, sequence, token, worker);
}

static void descend_behind_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    descend_behind(descent, BLOCK_MLP, sequence, token, worker);
}

/* What goes past the block: times its scale, or vector; where the block is added to its normed input, onto the gradient at
 * that, and nothing else is left on the stream. */
static void pass_block(const Descent *descent, Block block, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    const float *own = forward_part(backward->state, descent->layer, STREAM_VECTORS[block]);
    float scale = stream_scale(descent, block),
          *stream = descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
          *normed = descent_slope(descent, SLOPE_NORMED, sequence, token);
    for (size_t i = 0; i < config->hidden_size; i++) {
        stream[i] *= own != NULL ? own[i] : scale;
        if (!config->residual_is_normed) continue;
        normed[i] += stream[i];
        stream[i] = 0.0F;
    }
}

static void pass_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    pass_block(descent, BLOCK_ATTENTION, sequence, token);
}

static void pass_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    pass_block(descent, BLOCK_MLP, sequence, token);
}

/* The gradient at what the block took, onto the stream's. */
static void descend_from_block(const Descent *descent, Block block, size_t sequence, size_t token) {
    const ModelConfig *config = descent_config(descent);
    size_t width = config->hidden_size, at = descent->spans[sequence].row + token;
    const float *from = descent_slope(descent, SLOPE_NORMED, sequence, token);
    bool is_apart = block == BLOCK_ATTENTION && takes_common(descent);
    float *to = descent_slope(descent, is_apart ? SLOPE_BESIDE : SLOPE_RESIDUAL, sequence, token);
    const Norm norm = forward_norm(descent->backward->state, descent->layer, norm_before(descent, block));
    if (is_apart) memset(to, 0, width * sizeof *to);
    if (norms_before(descent))
        norm_backward(&norm, stream_of(descent, block) + at * width, from, to);
    else
        for (size_t i = 0; i < width; i++) to[i] += from[i];
}

static void descend_from_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_from_block(descent, BLOCK_ATTENTION, sequence, token);
}

static void descend_from_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_from_block(descent, BLOCK_MLP, sequence, token);
}

/* ---- gradients of weights ---- */

static void norm_token(const Descent *descent, Block block, size_t token) {
    const Norm norm = forward_norm(descent->backward->state, descent->layer, norm_before(descent, block));
    const float *x = stream_of(descent, block) + token * norm.size;
    float *out = descent->normed + token * norm.size;
    if (norms_before(descent))
        norm_forward(&norm, x, out);
    else
        memcpy(out, x, norm.size * sizeof *out);
}

static void norm_for_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    norm_token(descent, BLOCK_MLP, descent->spans[sequence].row + token);
}

static void norm_for_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    norm_token(descent, BLOCK_ATTENTION, descent->spans[sequence].row + token);
}

Status descent_stream_norm(const Descent *descent, Block block, Error *error) {
    return descent_for_tokens(descent, block == BLOCK_MLP ? norm_for_mlp : norm_for_attention, error);
}

/* ---- into a block, and out of it ---- */

Status descent_stream_enter(Descent *descent, Block block, Error *error) {
    const ModelConfig *config = descent_config(descent);
    bool is_parallel = config->wiring == WIRING_PARALLEL, has_norm = norms_behind(descent),
         is_mlp = block == BLOCK_MLP;
    if (config->connections > 0) {
        descent->given = SLOPE_ADDED;
        return backward_connections_enter(descent, is_mlp, error);
    }
    descent->given =
        has_norm || is_parallel || block_scale(descent, block) != 1.0F ? SLOPE_ADDED : SLOPE_RESIDUAL;
    if (descent->given == SLOPE_RESIDUAL || (is_parallel && !is_mlp)) return STATUS_OK;
    Status status = descent_for_tokens(descent, is_mlp ? scale_for_mlp : scale_for_attention, error);
    if (status != STATUS_OK || !has_norm) return status;
    status =
        descent_give_norm(descent, NORM_BEHIND[block], descent->backward->outputs[block], SLOPE_ADDED, error);
    return status == STATUS_OK
               ? descent_for_tokens(descent, is_mlp ? descend_behind_mlp : descend_behind_attention, error)
               : status;
}

/* Of the vector that scales the stream beside a block. */
static Status give_stream_vector(const Descent *descent, Block block, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[STREAM_VECTORS[block]];
    size_t width = descent_config(descent)->hidden_size;
    if (descent->taker == NULL || !architecture_needs(descent_plan(descent), STREAM_VECTORS[block]))
        return STATUS_OK;
    memset(descent->head_sums, 0, width * sizeof *descent->head_sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slope = descent_slope(descent, SLOPE_RESIDUAL, s, t),
                        *x = stream_of(descent, block) + (descent->spans[s].row + t) * width;
            for (size_t i = 0; i < width; i++) descent->head_sums[i] += (double)slope[i] * (double)x[i];
        }
    }
    for (size_t i = 0; i < width; i++) descent->norm_gradients[i] = (float)descent->head_sums[i];
    return descent_give_vector(descent, tensor->role, tensor, descent->norm_gradients, width, error);
}

Status descent_stream_leave(const Descent *descent, Block block, Error *error) {
    bool is_mlp = block == BLOCK_MLP;
    bool is_scaled = stream_scale(descent, block) != 1.0F || descent_config(descent)->residual_is_normed ||
                     architecture_needs(descent_plan(descent), STREAM_VECTORS[block]);
    Status status = give_stream_vector(descent, block, error);
    if (status == STATUS_OK && is_scaled)
        status = descent_for_tokens(descent, is_mlp ? pass_mlp : pass_attention, error);
    if (status == STATUS_OK && norms_before(descent))
        status = descent_give_norm(descent, norm_before(descent, block), stream_of(descent, block),
                                   SLOPE_NORMED, error);
    if (status == STATUS_OK)
        status = descent_for_tokens(descent, is_mlp ? descend_from_mlp : descend_from_attention, error);
    return status == STATUS_OK ? backward_connections_leave(descent, is_mlp, error) : status;
}

/* ---- directions ---- */

void descent_stream_show(const Descent *descent, BackwardLayer *layer) {
    const Backward *backward = descent->backward;
    const LayerPlan *plan = descent_plan(descent);
    const bool is_there[] = {plan->mixer != MIXER_NONE, plan->mlp != MLP_NONE};
    const float *end = forward_part(backward->state, descent->layer, TENSOR_PART_LAYER_SCALE);
    layer->end_scale = end != NULL ? *end : 1.0F;
    for (int i = 0; i < 2; i++) {
        Block block = (Block)i;
        if (norms_behind(descent)) layer->outputs[i] = backward->outputs[i];
        layer->norms[i] = forward_norm(backward->state, descent->layer, NORM_BEHIND[block]);
        layer->scales[i] = block_scale(descent, block);
        layer->past[i] = (BackwardPast){.scale = 1.0F};
        if (!is_there[i]) continue;
        layer->past[i] = (BackwardPast){
            .scale = stream_scale(descent, block),
            .vector = forward_part(backward->state, descent->layer, STREAM_VECTORS[block]),
            .norm = forward_norm(backward->state, descent->layer, norm_before(descent, block))};
        if (descent_config(descent)->residual_is_normed) layer->past[i].inputs = stream_of(descent, block);
    }
    if (descent_config(descent)->streams > 1) layer->scales[BLOCK_ATTENTION] *= BLOCK_STREAMS_HALF;
    if (descent_plan(descent)->attends_beside)
        layer->scales[BLOCK_ATTENTION] *= (float)descent_config(descent)->attention_out_scale;
}
