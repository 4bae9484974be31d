#include "core/transformer/backward_mixer.h"

#include "core/transformer/backward_compressed.h"
#include "core/transformer/backward_connections.h"
#include "core/transformer/backward_delta.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/block_convolution.h"
#include "core/transformer/block_gated_recurrence.h"
#include "core/transformer/block_head_experts.h"
#include "core/transformer/block_latent.h"
#include "core/transformer/block_lightning.h"
#include "core/transformer/block_selective.h"
#include "core/transformer/block_state_space.h"
#include "core/transformer/channel_convolution.h"

static Status descend_attention(const Descent *descent, Error *error) {
    if (architecture_needs(descent_plan(descent), TENSOR_PART_QUERY_EXPERTS))
        return block_head_experts_descend(descent, error);
    if (architecture_needs(descent_plan(descent), TENSOR_PART_SHARED_KEY))
        return backward_compressed_descend(descent, error);
    bool is_latent = descent_plan(descent)->latent.latent > 0;
    return is_latent ? block_latent_descend(descent, error) : block_attention_descend(descent, error);
}

/* What has no row here architecture_forward_only() names. */
static const struct {
    Status (*descend)(const Descent *descent, Error *error);
    size_t (*scratch)(const ModelConfig *config, size_t tokens); /* beside the convolution's; NULL: none */
} WAYS[MIXER_NONE + 1] = {[MIXER_ATTENTION] = {descend_attention, NULL},
                          [MIXER_CONVOLUTION] = {block_convolution_descend, NULL},
                          [MIXER_DELTA] = {backward_delta_descend, backward_delta_scratch},
                          [MIXER_STATE_SPACE] = {block_state_space_descend, block_state_space_scratch},
                          [MIXER_SELECTIVE] = {block_selective_descend, block_selective_scratch},
                          [MIXER_GATED] = {block_gated_recurrence_descend, block_gated_recurrence_scratch},
                          [MIXER_LIGHTNING] = {block_lightning_descend, block_lightning_scratch}};

/* ---- memory ---- */

size_t backward_mixer_scratch(const ModelConfig *config, size_t tokens) {
    size_t most = channel_convolution_scratch(config), connections = backward_connections_scratch(config);
    if (connections > most) most = connections;
    for (size_t i = 0; i < config->plan_count; i++) {
        MixerKind mixer = config->plans[i].mixer;
        size_t own = WAYS[mixer].scratch != NULL ? WAYS[mixer].scratch(config, tokens) : 0;
        if (own > most) most = own;
    }
    return most;
}

size_t backward_mixer_vector(const ModelConfig *config) {
    size_t most = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        size_t own = 0;
        for (int p = 0; p < TENSOR_PART_COUNT; p++) {
            TensorPart part = (TensorPart)p;
            uint64_t rows, columns;
            if (!architecture_needs(&config->plans[i], part) || architecture_part_is_matrix(part)) continue;
            architecture_part_shape(config, &config->plans[i], part, &rows, &columns);
            own += (size_t)rows;
        }
        if (own > most) most = own;
    }
    return most;
}

/* ---- beside attention ---- */

static void scale_row(const float *from, float *to, size_t width, double scale) {
    for (size_t i = 0; i < width; i++) to[i] = from[i] * (float)scale;
}

static void scale_to_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    size_t at = descent->spans[sequence].row + token, width = config->hidden_size;
    (void)worker;
    scale_row(descent_slope(descent, descent->given, sequence, token),
              descent_slope(descent, SLOPE_BESIDE, sequence, token), width, config->attention_out_scale);
    if (descent->taker != NULL)
        scale_row(descent->normed + at * width, descent_slope(descent, SLOPE_BESIDE_NORMED, sequence, token),
                  width, config->attention_in_scale);
}

static void scale_from_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    float *normed = descent_slope(descent, SLOPE_NORMED, sequence, token);
    (void)worker;
    scale_row(normed, normed, config->hidden_size, config->attention_in_scale);
    scale_row(descent_slope(descent, descent->given, sequence, token),
              descent_slope(descent, SLOPE_BESIDE, sequence, token), config->hidden_size,
              config->state.out_scale);
}

/* Attention first: what it gives is scaled before the mixer's is added to it. */
static Status descend_both(const Descent *descent, Error *error) {
    Descent attention = *descent, mixer = *descent;
    attention.given = mixer.given = SLOPE_BESIDE;
    attention.normed = descent->taker != NULL ? descent->backward->slopes[SLOPE_BESIDE_NORMED] : NULL;
    mixer.accumulates = true;
    Status status = descent_for_tokens(descent, scale_to_attention, error);
    if (status == STATUS_OK) status = descend_attention(&attention, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, scale_from_attention, error);
    return status == STATUS_OK ? WAYS[descent_plan(descent)->mixer].descend(&mixer, error) : status;
}

Status backward_mixer_descend(const Descent *descent, Error *error) {
    const LayerPlan *plan = descent_plan(descent);
    return plan->attends_beside ? descend_both(descent, error) : WAYS[plan->mixer].descend(descent, error);
}
