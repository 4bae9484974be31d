#include "core/transformer/backward_experts.h"
#include "core/transformer/backward_experts_internal.h"

#include <string.h>

/* One matrix, whose input every token has. */
typedef struct Meeting {
    TensorPart part, bias; /* TENSOR_PART_COUNT: it has none */
    const float *inputs, *gradients;
    size_t columns, rows;
} Meeting;

static Status give_part(const Descent *descent, const Meeting *meeting, Error *error) {
    const PairTensor *const *parts = descent->backward->model->layers[descent->layer].parts;
    bool has_bias =
        meeting->bias < TENSOR_PART_COUNT && architecture_needs(descent_plan(descent), meeting->bias);
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = parts[meeting->part],
                         .bias = has_bias ? parts[meeting->bias] : NULL,
                         .role = parts[meeting->part]->role,
                         .tokens = descent->tokens,
                         .columns = meeting->columns,
                         .rows = meeting->rows,
                         .inputs = meeting->inputs,
                         .gradients = meeting->gradients};
    return descent_give(descent, &flow, error);
}

static Status give_router(const Descent *descent, const ExpertsPast *past, Error *error) {
    const Meeting meeting = {.part = TENSOR_PART_ROUTER,
                             .bias = TENSOR_PART_ROUTER_BIAS,
                             .inputs = descent->normed,
                             .gradients = past->logit_slopes,
                             .columns = descent_config(descent)->hidden_size,
                             .rows = (size_t)descent_plan(descent)->experts.count};
    return give_part(descent, &meeting, error);
}

/* ---- the expert that every token passes ---- */

/* What its down took, times its switch: then the gradient at what down gave is the block's. */
static void weigh_activated(const Descent *descent, const ExpertsPast *past) {
    size_t width = (size_t)descent_plan(descent)->experts.shared_width;
    float *activated = descent->backward->activations[BACKWARD_ACTIVATED];
    for (size_t t = 0; past->seen.shares != NULL && t < descent->tokens; t++)
        for (size_t i = 0; i < width; i++) activated[t * width + i] *= past->seen.shares[t];
}

static Status give_shared(const Descent *descent, const ExpertsPast *past, Error *error) {
    const Backward *backward = descent->backward;
    const LayerPlan *plan = descent_plan(descent);
    size_t hidden = descent_config(descent)->hidden_size, width = (size_t)plan->experts.shared_width;
    float *const *slopes = backward->slopes;
    const TensorPart none = TENSOR_PART_COUNT;
    const Meeting meetings[] = {
        {TENSOR_PART_SHARED_DOWN, none, backward->activations[BACKWARD_ACTIVATED], slopes[descent->given],
         width, hidden},
        {TENSOR_PART_SHARED_GATE_UP, none, descent->normed, slopes[SLOPE_GATE_UP], hidden, 2 * width},
        {TENSOR_PART_SHARED_GATE, none, descent->normed, slopes[SLOPE_GATE], hidden, width},
        {TENSOR_PART_SHARED_UP, none, descent->normed, slopes[SLOPE_UP], hidden, width},
        {TENSOR_PART_SHARED_SWITCH, none, descent->normed, past->switch_slopes, hidden, 1},
    };
    Status status = STATUS_OK;
    weigh_activated(descent, past);
    for (size_t i = 0; i < sizeof meetings / sizeof *meetings && status == STATUS_OK; i++)
        if (architecture_needs(plan, meetings[i].part)) status = give_part(descent, &meetings[i], error);
    return status;
}

/* ---- routed experts ---- */

static Status give_routed(const Descent *descent, const ExpertsPast *past, Error *error) {
    size_t hidden = descent_config(descent)->hidden_size;
    BackwardFlow flow = {.kind = FLOW_EXPERTS,
                         .tokens = descent->tokens,
                         .columns = hidden,
                         .rows = hidden,
                         .inputs = descent->normed,
                         .gradients = descent->backward->slopes[descent->given],
                         .experts = &past->seen,
                         .of = &descent->backward->model->layers[descent->layer].experts,
                         .layer = descent->layer};
    return descent_give(descent, &flow, error);
}

/* One bias of all experts together, which nothing weighs. */
static Status give_bias(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *bias = backward->model->layers[descent->layer].tensors[TENSOR_DOWN_BIAS];
    const size_t hidden = descent_config(descent)->hidden_size;
    const float *slopes = backward->slopes[descent->given];
    if (forward_vector(backward->state, descent->layer, TENSOR_DOWN_BIAS) == NULL) return STATUS_OK;
    memset(descent->head_sums, 0, hidden * sizeof *descent->head_sums);
    for (size_t t = 0; t < descent->tokens; t++)
        for (size_t i = 0; i < hidden; i++) descent->head_sums[i] += (double)slopes[t * hidden + i];
    for (size_t i = 0; i < hidden; i++) descent->norm_gradients[i] = (float)descent->head_sums[i];
    return descent_give_vector(descent, TENSOR_DOWN_BIAS, bias, descent->norm_gradients, hidden, error);
}

Status backward_experts_give(const Descent *descent, const ExpertsPast *past, Error *error) {
    if (descent->taker == NULL) return STATUS_OK;
    const ExpertPlan *plan = &descent_plan(descent)->experts;
    Status status = plan->count > 0 ? give_router(descent, past, error) : STATUS_OK;
    if (status == STATUS_OK && plan->shared_width > 0) status = give_shared(descent, past, error);
    if (status == STATUS_OK && plan->count > 0) status = give_routed(descent, past, error);
    return status == STATUS_OK && plan->shared_width == 0 ? give_bias(descent, error) : status;
}
