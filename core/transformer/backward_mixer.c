#include "core/transformer/backward_mixer.h"

#include "core/transformer/backward_delta.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/block_convolution.h"
#include "core/transformer/block_latent.h"

static Status descend_attention(const Descent *descent, Error *error) {
    bool is_latent = descent_plan(descent)->latent.latent > 0;
    return is_latent ? block_latent_descend(descent, error) : block_attention_descend(descent, error);
}

/* What has no row here architecture_forward_only() names. */
static const struct {
    Status (*descend)(const Descent *descent, Error *error);
    size_t (*scratch)(const ModelConfig *config, size_t tokens); /* NULL: none */
} WAYS[MIXER_NONE + 1] = {[MIXER_ATTENTION] = {descend_attention, NULL},
                          [MIXER_CONVOLUTION] = {block_convolution_descend, block_convolution_scratch},
                          [MIXER_DELTA] = {backward_delta_descend, backward_delta_scratch}};

Status backward_mixer_descend(const Descent *descent, Error *error) {
    return WAYS[descent_plan(descent)->mixer].descend(descent, error);
}

size_t backward_mixer_scratch(const ModelConfig *config, size_t tokens) {
    size_t most = 0;
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
