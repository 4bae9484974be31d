#include "core/transformer/backward_internal.h"

size_t backward_site_width(const LayerPlan *plan, BackwardSite site) {
    size_t query = plan->heads * plan->head_dim, key = plan->kv_heads * plan->head_dim;
    const LatentPlan *latent = &plan->latent;
    switch (site) {
    case BACKWARD_QUERY:
        return query;
    case BACKWARD_MIXED:
        return plan->heads * plan->value_dim;
    case BACKWARD_KEY:
        return key;
    case BACKWARD_VALUE:
        return plan->kv_heads * plan->value_dim;
    case BACKWARD_ATTENDED:
        return architecture_needs(plan, TENSOR_PART_ATTENTION_GATE) ? plan->heads * plan->value_dim : 0;
    case BACKWARD_QUERY_LATENT:
        return latent->query;
    case BACKWARD_LATENT:
        return latent->latent > 0 ? latent->latent + latent->turned : 0;
    case BACKWARD_GATE:
        return plan->mlp == MLP_GATED || plan->mlp == MLP_EXPERTS ? plan->intermediate_size : 0;
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
    bool is_added =
        backward_norms_behind(config) || config->residual_scale != 1.0 || config->wiring == WIRING_PARALLEL;
    if (slope == SLOPE_RESIDUAL || slope == SLOPE_NORMED) return config->hidden_size;
    if (slope == SLOPE_ADDED) return is_added ? config->hidden_size : 0;
    if (slope == SLOPE_ATTENTION_GATE)
        return architecture_needs(plan, TENSOR_PART_ATTENTION_GATE)
                   ? forward_layer_width(config, plan, BUFFER_ATTENTION_GATE)
                   : 0;
    if (slope == SLOPE_LATENT_NORMED) return plan->latent.latent;
    if (slope == SLOPE_EXPANDED) return forward_layer_width(config, plan, BUFFER_EXPANDED);
    return backward_site_width(plan, SITES[slope]);
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
