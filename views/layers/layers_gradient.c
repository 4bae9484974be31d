/* The gradient at hand-over as metrics of Layers: measured on the samples of Rollouts (tui/session/session_rollouts.h). */
#include "tui/canvas/list_box.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_rollouts.h"
#include "views/layers/layers_internal.h"

#include <stdio.h>

static const LayersGradient GRADIENTS[LAYERS_GRADIENTS] = {
    {"gradient_base", "gradient, base", SIDE_BASE, false},
    {"gradient_sft", "gradient, SFT", SIDE_SFT, false},
    {"gradient_fused", "gradient, W", SIDE_FUSED, false},
    {"relative_base", "gradient / weights, base", SIDE_BASE, true},
    {"relative_sft", "gradient / weights, SFT", SIDE_SFT, true},
    {"relative_fused", "gradient / weights, W", SIDE_FUSED, true},
};

static const char *const HELP[2] = {
    "‖∂L/∂W‖ of L = −(1/N) Σ A·ln p over the response tokens of the samples, A their advantage within their prompt: what a "
    "group-relative step of reinforcement learning would do to each tensor. A tied head is one with its embedding.",
    "‖∂L/∂W‖ / ‖W‖: how far a step of fixed rate would go, beside how large the tensor is; L as the gradient of "
    "reinforcement learning has it at the hand-over."};

const LayersGradient *layers_gradient(const Layers *layers) {
    return &GRADIENTS[layers->gradient < LAYERS_GRADIENTS ? layers->gradient : 0];
}

/* Of a tensor, or of a cell of several, all of them. */
static double value_of(const Layers *layers, const Session *session, const LayersGradient *metric,
                       const PairTensor *tensor) {
    bool pools = !layers->listing && layers_grid_pools(session_pair(session), tensor);
    if (!pools) return session_rollouts_tensor_gradient(session, metric->side, tensor, metric->is_relative);
    return session_rollouts_gradient(session, metric->side, tensor->layer, tensor->role, metric->is_relative);
}

double layers_gradient_value(const Layers *layers, const Session *session, size_t tensor, LayersSign *sign) {
    double value =
        value_of(layers, session, layers_gradient(layers), &session_pair(session)->tensors[tensor]);
    if (!session_rollouts(session).has_gradient)
        *sign = LAYERS_WAITING;
    else if (!colour_scale_is_known(value))
        *sign = LAYERS_NONE;
    return value;
}

/* How it stands, and which key measures it; nothing where it is there and of the dials. */
static int draw_state(const Session *session, Canvas *canvas, Rect area) {
    SessionRollouts shown = session_rollouts(session);
    char text[KEY_TEXT_SIZE];
    const char *what = "~ W is that of other dials: sample anew in Rollouts ({view-8})";
    if (shown.has_gradient && !shown.is_stale) return 0;
    if (!shown.has_gradient && (shown.wants_gradient || (shown.is_running && shown.is_gradient)))
        what = "the gradient is being measured";
    else if (!shown.has_gradient && shown.columns > 0)
        what = "{gradient} measures it, on the samples that Rollouts has";
    else if (!shown.has_gradient)
        what =
            "it is measured on samples: {view-8} shows Rollouts, where they are drawn or read; {gradient} then measures it";
    return canvas_write_wrapped(canvas, area, 0, ROLE_STALE, key_text("layers", what, text));
}

void layers_gradient_draw(const Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    (void)rect_cut_top(&area, draw_state(session, canvas, area));
    (void)canvas_write_wrapped(canvas, area, 0, ROLE_DIM, HELP[layers_gradient(layers)->is_relative]);
}

void layers_gradient_format(double value, char text[FORMAT_SIZE]) {
    (void)format_number(value, 3, text);
}

int layers_gradient_draw_side(const Layers *layers, const Session *session, Canvas *canvas, Rect area,
                              const PairTensor *tensor) {
    Fact facts[LAYERS_GRADIENTS];
    char texts[LAYERS_GRADIENTS][FORMAT_SIZE];
    static const char *const LABELS[LAYERS_GRADIENTS] = {"gradient base",  "gradient SFT",  "gradient W",
                                                         "/ weights base", "/ weights SFT", "/ weights W"};
    for (size_t i = 0; i < LAYERS_GRADIENTS; i++) {
        double value = value_of(layers, session, &GRADIENTS[i], tensor);
        if (colour_scale_is_known(value))
            layers_gradient_format(value, texts[i]);
        else
            (void)snprintf(texts[i], FORMAT_SIZE, "·");
        facts[i] = (Fact){LABELS[i], texts[i], i == layers->gradient ? ROLE_TITLE : ROLE_VALUE};
    }
    return list_box_draw_facts(canvas, area, facts, LAYERS_GRADIENTS);
}
