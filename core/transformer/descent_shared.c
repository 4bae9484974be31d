#include "core/transformer/descent_shared.h"

#include "core/support/memory.h"

#include <stdlib.h>

Status descent_shared_open(Descent *descent, size_t tokens, Error *error) {
    const ModelConfig *config = descent_config(descent);
    descent->shared_slopes = memory_allocate(config->layers, 2 * sizeof *descent->shared_slopes);
    if (descent->shared_slopes == NULL) return memory_fail(error, "gradients");
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        const size_t widths[] = {plan->kv_heads * plan->head_dim, plan->kv_heads * plan->value_dim};
        for (size_t i = 0; i < 2 && backward_shares_keys(config, layer); i++) {
            descent->shared_slopes[2 * layer + i] = memory_allocate(tokens, widths[i] * sizeof(float));
            if (descent->shared_slopes[2 * layer + i] == NULL) return memory_fail(error, "gradients");
        }
    }
    return STATUS_OK;
}

void descent_shared_close(Descent *descent) {
    for (uint64_t i = 0; descent->shared_slopes != NULL && i < 2 * descent_config(descent)->layers; i++)
        free(descent->shared_slopes[i]);
    free(descent->shared_slopes);
}

enum { SHARED_KEY, SHARED_VALUE };

static void add_to(const Descent *descent, int which, size_t sequence, size_t token, bool is_source) {
    static const Slope SLOPES[] = {[SHARED_KEY] = SLOPE_KEY, [SHARED_VALUE] = SLOPE_VALUE};
    uint64_t source = is_source ? descent->layer : (uint64_t)descent_plan(descent)->kv_layer;
    size_t width = descent_slope_width(descent, SLOPES[which]);
    float *own = descent_slope(descent, SLOPES[which], sequence, token),
          *shared = descent->shared_slopes[2 * source + (size_t)which] +
                    (descent->shared_first + descent->spans[sequence].first + token) * width,
          *to = is_source ? own : shared;
    const float *from = is_source ? shared : own;
    for (size_t i = 0; i < width; i++) to[i] += from[i];
}

/* From a layer that has them of another to where they are gathered; and from there, in that one. */
static void gather_keys(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    for (int which = SHARED_KEY; which <= SHARED_VALUE; which++)
        add_to(descent, which, sequence, token, false);
}

static void take_keys(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    for (int which = SHARED_KEY; which <= SHARED_VALUE; which++)
        add_to(descent, which, sequence, token, true);
}

Status descent_shared_run(const Descent *descent, Error *error) {
    if (descent_plan(descent)->kv_layer >= 0) return descent_for_tokens(descent, gather_keys, error);
    bool is_source = backward_shares_keys(descent_config(descent), descent->layer);
    return is_source ? descent_for_tokens(descent, take_keys, error) : STATUS_OK;
}
