#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend_internal.h"
#include "core/numerics/kernels.h"

/* Elements at once, so that they fit the stack. */
enum { STRETCH = 8192 };

static void go_towards_third(const BlendSteps *steps, const Tensor *from, uint64_t first, size_t count,
                             float *out) {
    float share = (float)steps->third_share, way[STRETCH], third[STRETCH], base[STRETCH];
    KernelRow row = {.weight_sft = share, .weight_base = -share};
    for (size_t at = 0, n; at < count; at += n) {
        n = count - at < STRETCH ? count - at : STRETCH;
        row.sft = tensor_values_lend(steps->third, steps->first + first + at, n, third, &row.sft_dtype);
        row.base = tensor_values_lend(from, first + at, n, base, &row.base_dtype);
        kernels_get()->blend(&row, n, way);
        for (size_t i = 0; i < n; i++) out[at + i] += way[i];
    }
}

static void go_along_directions(const BlendSteps *steps, size_t line, uint64_t first, size_t count,
                                float *out) {
    _Static_assert(BLEND_STEPS_MOST == (int)KERNELS_STEPS_MOST, "the kernels take as many");
    KernelStep taken[BLEND_STEPS_MOST];
    double size = (double)steps->sizes[steps->has_one_size ? 0 : line];
    for (size_t i = 0; i < steps->count; i++)
        taken[i] = (KernelStep){steps->keys[i], (float)(steps->coefficients[i] * size)};
    kernels_get()->step(taken, steps->count, steps->first + first, count, out);
}

void blend_steps_take(const BlendSteps *steps, const Tensor *from, size_t line, uint64_t first, size_t count,
                      float *out) {
    if (steps->third != NULL) go_towards_third(steps, from, first, count, out);
    if (steps->sizes != NULL) go_along_directions(steps, line, first, count, out);
}
