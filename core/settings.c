#include "core/settings.h"

bool settings_equal(const Settings *a, const Settings *b) {
    return a->alpha == b->alpha;
}

Blend settings_blend(const Settings *settings, const PairTensor *tensor) {
    return (Blend){.sft = tensor->sft,
                   .base = tensor->is_fused ? tensor->base : NULL,
                   .a = tensor->is_fused ? settings->alpha : 1.0};
}
