#include "core/transformer/backward_internal.h"
#include "core/transformer/block_compressed.h"
#include "core/transformer/recurrence.h"

/* Layers without attention, or without an MLP, have their sizes all the same. */
static bool has_site(const LayerPlan *plan, BackwardSite site) {
    bool is_of_mlp = site == BACKWARD_GATE || site == BACKWARD_UP || site == BACKWARD_ACTIVATED ||
                     site == BACKWARD_GATE_UP;
    return is_of_mlp ? plan->mlp != MLP_NONE : architecture_attends(plan);
}

size_t backward_site_width(const LayerPlan *plan, BackwardSite site) {
    size_t query = plan->heads * plan->head_dim, key = plan->kv_heads * plan->head_dim;
    const LatentPlan *latent = &plan->latent;
    if (!has_site(plan, site)) return 0;
    switch (site) {
    case BACKWARD_QUERY:
        return query;
    case BACKWARD_MIXED:
        return plan->heads * plan->value_dim;
    case BACKWARD_KEY:
        return key;
    case BACKWARD_VALUE:
        return plan->kv_heads * plan->value_dim;
    case BACKWARD_QUERY_LATENT:
        return latent->query;
    case BACKWARD_LATENT:
        return latent->latent > 0 ? latent->latent + latent->turned : 0;
    case BACKWARD_GATE:
        return plan->mlp == MLP_GATED || (plan->mlp == MLP_EXPERTS && !plan->experts.is_plain)
                   ? plan->intermediate_size
                   : 0;
    case BACKWARD_UP:
    case BACKWARD_ACTIVATED:
        return plan->intermediate_size;
    case BACKWARD_QKV:
        return architecture_has(plan, TENSOR_QKV) ? query + 2 * key : 0;
    case BACKWARD_GATE_UP:
        return architecture_has(plan, TENSOR_GATE_UP) || architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP)
                   ? 2 * plan->intermediate_size
                   : 0;
    case BACKWARD_SITES:
        break;
    }
    return 0;
}

static bool is_state_space(const LayerPlan *plan) {
    return plan->mixer == MIXER_STATE_SPACE || plan->mixer == MIXER_SELECTIVE;
}

/* Whose buffers are those of state spaces. */
static bool has_state(const LayerPlan *plan) {
    return is_state_space(plan) || plan->mixer == MIXER_GATED;
}

/* Of what is as wide as a buffer; attention has some of them for itself. */
static size_t buffer_width(const ModelConfig *config, const LayerPlan *plan, Buffer buffer) {
    bool has_gates = architecture_attends(plan) && config->has_output_gate,
         is_channels =
             plan->mixer == MIXER_CONVOLUTION || plan->mixer == MIXER_DELTA || plan->mixer == MIXER_LIGHTNING,
         is_state = buffer >= BUFFER_STATE_IN && buffer <= BUFFER_STATE_STEP && has_state(plan),
         is_pair = buffer == BUFFER_QKV && architecture_needs(plan, TENSOR_PART_KEY_VALUE),
         is_there = buffer == BUFFER_SCRATCH ? has_gates || is_channels : is_channels || is_state || is_pair;
    return is_there ? forward_layer_width(config, plan, buffer) : 0;
}

/* Of experts of attention. */
static size_t head_experts_width(const ModelConfig *config, const LayerPlan *plan, Slope slope) {
    if (!architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS)) return 0;
    if (slope == SLOPE_HEAD_ROWS) return plan->heads * plan->head_dim;
    if (slope == SLOPE_HEAD_ROUTED) return plan->experts.chosen * config->hidden_size;
    return slope == SLOPE_HEAD_LOGITS ? plan->experts.count : plan->experts.chosen;
}

/* Of attention to compressed keys. */
static size_t compressed_width(const ModelConfig *config, const LayerPlan *plan, Slope slope) {
    if (!architecture_needs(plan, TENSOR_PART_SHARED_KEY)) return 0;
    const size_t blocks = block_compressed_blocks(plan), dim = plan->head_dim,
                 entry = plan->rate > 0 ? (dim + (size_t)plan->rate - 1) / (size_t)plan->rate : 0;
    switch (slope) {
    case SLOPE_KEY_PARTS:
        return blocks * dim;
    case SLOPE_ENTRY_PARTS:
        return blocks * entry;
    case SLOPE_ENTRY:
        return entry;
    case SLOPE_COMPRESSOR_KEY:
    case SLOPE_COMPRESSOR_GATE:
        return forward_layer_width(config, plan, BUFFER_COMPRESSOR_KEY);
    default: /* of groups */
        return forward_layer_width(config, plan, BUFFER_GROUPED);
    }
}

size_t backward_slope_width(const ModelConfig *config, const LayerPlan *plan, Slope slope) {
    static const BackwardSite SITES[SLOPE_COUNT] = {[SLOPE_ACTIVATED] = BACKWARD_ACTIVATED,
                                                    [SLOPE_GATE] = BACKWARD_GATE,
                                                    [SLOPE_UP] = BACKWARD_UP,
                                                    [SLOPE_MIXED] = BACKWARD_MIXED,
                                                    [SLOPE_QUERY] = BACKWARD_QUERY,
                                                    [SLOPE_KEY] = BACKWARD_KEY,
                                                    [SLOPE_VALUE] = BACKWARD_VALUE,
                                                    [SLOPE_QKV] = BACKWARD_QKV,
                                                    [SLOPE_GATE_UP] = BACKWARD_GATE_UP,
                                                    [SLOPE_QUERY_LATENT] = BACKWARD_QUERY_LATENT,
                                                    [SLOPE_LATENT] = BACKWARD_LATENT};
    static const Buffer BUFFERS[SLOPE_COUNT] = {[SLOPE_PROJECTED] = BUFFER_SCRATCH,
                                                [SLOPE_STORED] = BUFFER_QKV,
                                                [SLOPE_WRITE] = BUFFER_WRITE,
                                                [SLOPE_DECAY] = BUFFER_DECAY,
                                                [SLOPE_STATE_IN] = BUFFER_STATE_IN,
                                                [SLOPE_STATE_OUT] = BUFFER_STATE_OUT,
                                                [SLOPE_STATE_SMALL] = BUFFER_STATE_SMALL,
                                                [SLOPE_STATE_RANK] = BUFFER_STATE_RANK,
                                                [SLOPE_STATE_STEP] = BUFFER_STATE_STEP};
    static const Buffer COMMON[SLOPE_COUNT] = {[SLOPE_COMMON_ACTIVATED] = BUFFER_GATE,
                                               [SLOPE_COMMON_GATE_UP] = BUFFER_GATE_UP,
                                               [SLOPE_COMMON_RANK] = BUFFER_COMMON_RANK,
                                               [SLOPE_COMMON_IN] = BUFFER_COMMON_IN,
                                               [SLOPE_MIXED] = BUFFER_MIXED,
                                               [SLOPE_QUERY] = BUFFER_QUERY,
                                               [SLOPE_KEY] = BUFFER_KEY,
                                               [SLOPE_VALUE] = BUFFER_VALUE,
                                               [SLOPE_BESIDE] = BUFFER_BESIDE};
    bool is_added = backward_norms_behind(config) || config->residual_scale != 1.0 ||
                    config->mlp_scale != 1.0 || config->mlp_scales.block != 1.0 ||
                    plan->scales.block != 1.0 || config->wiring == WIRING_PARALLEL ||
                    config->layer_input_size > 0 || config->connections > 0;
    if (slope == SLOPE_RESIDUAL || slope == SLOPE_NORMED) return config->hidden_size;
    if (slope == SLOPE_ADDED) return is_added ? config->hidden_size : 0;
    if (COMMON[slope] != 0 && architecture_needs(plan, TENSOR_PART_COMMON_NORM))
        return forward_layer_width(config, plan, COMMON[slope]);
    if (slope >= SLOPE_COMMON_ACTIVATED && slope <= SLOPE_COMMON_IN) return 0;
    if (slope == SLOPE_BESIDE || slope == SLOPE_BESIDE_NORMED)
        return plan->attends_beside ? config->hidden_size : 0;
    if (slope == SLOPE_MASK) return forward_layer_width(config, plan, BUFFER_MASK);
    if (slope == SLOPE_HALVES || slope == SLOPE_VALUE_HALVES)
        return !architecture_needs(plan, TENSOR_PART_LAMBDA_Q1) ? 0
               : slope == SLOPE_HALVES                          ? 2 * plan->heads * plan->head_dim
                                                                : 2 * plan->kv_heads * plan->head_dim;
    if (slope == SLOPE_STREAMS)
        return config->has_common ? config->hidden_size : backward_streams_width(config);
    if (slope == SLOPE_CONNECTION) return forward_layer_width(config, plan, BUFFER_CONNECTION);
    if (slope == SLOPE_CONNECTED) return forward_layer_width(config, plan, BUFFER_CONNECTED);
    if (slope == SLOPE_PREDICTED) return forward_layer_width(config, plan, BUFFER_PREDICTED);
    if (slope == SLOPE_STREAM_MODES) return config->streams;
    if (slope == SLOPE_STREAM_SHARES) return config->streams * config->streams;
    if (slope == SLOPE_LAUREL) return forward_layer_width(config, plan, BUFFER_LAUREL);
    if (slope >= SLOPE_GROUPED && slope <= SLOPE_COMPRESSOR_GATE)
        return compressed_width(config, plan, slope);
    if (slope >= SLOPE_HEAD_ROWS && slope <= SLOPE_HEAD_LOGITS)
        return head_experts_width(config, plan, slope);
    if (slope == SLOPE_UNNORMED)
        return architecture_needs(plan, TENSOR_PART_ACTIVATED_NORM) ? plan->intermediate_size : 0;
    if (slope == SLOPE_LAYER_GATE) return forward_layer_width(config, plan, BUFFER_LAYER_GATE);
    if (slope == SLOPE_STATE_SHARED) return is_state_space(plan) ? recurrence_shared_width(config) : 0;
    if (BUFFERS[slope] != 0) return buffer_width(config, plan, BUFFERS[slope]);
    if (slope == SLOPE_MIXED && !architecture_attends(plan)) return buffer_width(config, plan, BUFFER_MIXED);
    if (slope == SLOPE_ATTENTION_GATE) return forward_layer_width(config, plan, BUFFER_ATTENTION_GATE);
    if (slope == SLOPE_LATENT_NORMED) return plan->latent.latent;
    if (slope == SLOPE_EXPANDED) return forward_layer_width(config, plan, BUFFER_EXPANDED);
    return backward_site_width(plan, SITES[slope]);
}

size_t backward_copy_width(const ModelConfig *config, const LayerPlan *plan, BackwardCopy copy) {
    static const Buffer BUFFERS[COPY_COUNT] = {[COPY_PROJECTED] = BUFFER_SCRATCH,
                                               [COPY_CONVOLVED] = BUFFER_SCRATCH,
                                               [COPY_DECAY] = BUFFER_DECAY,
                                               [COPY_GATE_RANK] = BUFFER_STATE_RANK,
                                               [COPY_DECAY_RANK] = BUFFER_STATE_RANK,
                                               [COPY_ATTENDED] = BUFFER_MIXED,
                                               [COPY_STATE_IN] = BUFFER_STATE_IN,
                                               [COPY_STATE_SMALL] = BUFFER_STATE_SMALL,
                                               [COPY_STATE_READ] = BUFFER_STATE_OUT,
                                               [COPY_BEHIND] = BUFFER_RESIDUAL,
                                               [COPY_LAYER_GATE] = BUFFER_LAYER_GATE,
                                               [COPY_LAYER_OUTPUT] = BUFFER_ADDED,
                                               [COPY_COMMON_ATTENDED] = BUFFER_ADDED,
                                               [COPY_COMMON_OUTPUT] = BUFFER_ADDED,
                                               [COPY_LAUREL] = BUFFER_ADDED,
                                               [COPY_STREAM_MODES] = BUFFER_STREAM_MODES,
                                               [COPY_MIDDLE_STREAMS] = BUFFER_CONNECTED,
                                               [COPY_ATTENTION_CONNECTION] = BUFFER_CONNECTION,
                                               [COPY_MLP_CONNECTION] = BUFFER_CONNECTION,
                                               [COPY_HEAD_SCORES] = BUFFER_ROUTER,
                                               [COPY_HEAD_CHOSEN] = BUFFER_CHOSEN,
                                               [COPY_HEAD_WEIGHTS] = BUFFER_WEIGHTS};
    if (copy == COPY_PROJECTED && plan->mixer == MIXER_LIGHTNING)
        return forward_layer_width(config, plan, BUFFER_QKV);
    bool is_delta = plan->mixer == MIXER_DELTA,
         is_gated = forward_layer_width(config, plan, BUFFER_ATTENTION_GATE) > 0;
    if (copy >= COPY_STATE_IN) return has_state(plan) ? forward_layer_width(config, plan, BUFFERS[copy]) : 0;
    if (copy == COPY_COMMON_ATTENDED || copy == COPY_COMMON_OUTPUT)
        return architecture_needs(plan, TENSOR_PART_COMMON_NORM) ? config->hidden_size : 0;
    if (copy == COPY_LAUREL || copy == COPY_STREAM_MODES)
        return config->streams > 1 ? forward_layer_width(config, plan, BUFFERS[copy]) : 0;
    if (copy >= COPY_MIDDLE_STREAMS && copy <= COPY_MLP_CONNECTION)
        return forward_layer_width(config, plan, BUFFERS[copy]);
    if (copy >= COPY_HEAD_SCORES && copy <= COPY_HEAD_WEIGHTS)
        return architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS)
                   ? forward_layer_width(config, plan, BUFFERS[copy])
                   : 0;
    if (copy >= COPY_BEHIND)
        return config->layer_input_size > 0 ? forward_layer_width(config, plan, BUFFERS[copy]) : 0;
    bool is_there = copy == COPY_ATTENDED    ? is_gated || architecture_needs(plan, TENSOR_PART_MIXED_NORM)
                    : copy == COPY_PROJECTED ? is_delta || (is_gated && config->has_output_gate)
                                             : is_delta;
    return is_there ? forward_layer_width(config, plan, BUFFERS[copy]) : 0;
}

size_t backward_widest_copy(const ModelConfig *config, BackwardCopy copy) {
    size_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        size_t width = backward_copy_width(config, &config->plans[i], copy);
        if (width > widest) widest = width;
    }
    return widest;
}

bool backward_shares_keys(const ModelConfig *config, uint64_t layer) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].kv_layer >= 0 && (uint64_t)config->plans[i].kv_layer == layer) return true;
    return false;
}

size_t backward_shared_width(const ModelConfig *config) {
    size_t width = 0;
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        if (backward_shares_keys(config, layer)) width += plan->kv_heads * (plan->head_dim + plan->value_dim);
    }
    return width;
}

size_t backward_widest_site(const ModelConfig *config, BackwardSite site) {
    size_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        size_t width = backward_site_width(&config->plans[i], site);
        if (width > widest) widest = width;
    }
    return widest;
}

size_t backward_widest_slope(const ModelConfig *config, Slope slope) {
    size_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        size_t width = backward_slope_width(config, &config->plans[i], slope);
        if (width > widest) widest = width;
    }
    return widest;
}
