#include "tui/commands/preview.h"

#include <math.h>

const char *preview_model_name(PreviewModel model) {
    static const char *const NAMES[] = {"base", "sft", "fused"}; /* the choices of --from, in order */
    return NAMES[model];
}

double preview_pin_probability(const Batch *batch, const Preview *preview, PreviewModel model,
                               size_t position, int32_t token) {
    return exp(evaluation_follow_token(batch->model, &preview->results[model], position, token));
}
