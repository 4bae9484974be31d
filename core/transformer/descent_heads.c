#include "core/transformer/descent_heads.h"

#include "core/transformer/rotary.h"

#include <math.h>
#include <string.h>

/* Queries or keys of a layer: where they are on the way back. */
typedef struct HeadKind {
    BackwardSite site;
    Slope slope;
    TensorRole norm;
    Buffer buffer;
} HeadKind;

static const HeadKind QUERIES = {BACKWARD_QUERY, SLOPE_QUERY, TENSOR_Q_NORM, BUFFER_QUERY};
static const HeadKind KEYS = {BACKWARD_KEY, SLOPE_KEY, TENSOR_K_NORM, BUFFER_KEY};

static uint64_t heads_of(const LayerPlan *plan, const HeadKind *kind) {
    return kind->site == BACKWARD_QUERY ? plan->heads : plan->kv_heads;
}

/* Not where they are another layer's. */
static bool has_keys(const Descent *descent) {
    return descent_plan(descent)->kv_layer < 0;
}

static void turn_heads(const Descent *descent, size_t position, float *x, uint64_t heads, bool back) {
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    if (plan->rope < 0) return;
    const Rope *rope = &config->ropes[plan->rope];
    const Angles *angles = &descent->angles[plan->rope];
    for (uint64_t h = 0; h < heads; h++)
        rotary_turn(rope, x + h * plan->head_dim, angles->cosines + position * rope->dims / 2,
                    angles->sines + position * rope->dims / 2, back);
}

/* What went into the q or k norm of a token: as projected, or turned; in `room`, where it is not there already. */
static const float *norm_input(const Descent *descent, const HeadKind *kind, size_t sequence, size_t token,
                               float *room) {
    const LayerPlan *plan = architecture_layer(descent_config(descent), descent->layer);
    uint64_t heads = heads_of(plan, kind);
    const float *raw = descent_activation(descent, kind->site, sequence, token);
    if (!descent_config(descent)->qk_norm_follows_rope) return raw;
    memcpy(room, raw, heads * plan->head_dim * sizeof *room);
    turn_heads(descent, descent_position(descent, sequence, token), room, heads, false);
    return room;
}

/* The norm of head `head` of queries or keys; where it is over all of them at once there is one. */
static Norm head_norm(const Descent *descent, const HeadKind *kind, uint64_t head) {
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    Norm norm = forward_norm(descent->backward->state, descent->layer, kind->norm);
    norm.size = config->qk_norm == QK_NORM_WHOLE ? heads_of(plan, kind) * plan->head_dim : plan->head_dim;
    if (config->qk_norm == QK_NORM_EACH && norm.weight != NULL) norm.weight += head * plan->head_dim;
    if (config->qk_norm == QK_NORM_EACH && norm.bias != NULL) norm.bias += head * plan->head_dim;
    return norm;
}

static void descend_norm(const Descent *descent, const HeadKind *kind, size_t sequence, size_t token,
                         unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    uint64_t heads = config->qk_norm == QK_NORM_WHOLE ? 1 : heads_of(plan, kind);
    float *room = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *through = room + descent->row_stride;
    const float *x = norm_input(descent, kind, sequence, token, room);
    float *slope = descent_slope(descent, kind->slope, sequence, token);
    for (uint64_t h = 0; h < heads; h++) {
        const Norm norm = head_norm(descent, kind, h);
        memset(through, 0, norm.size * sizeof *through);
        norm_backward(&norm, x + h * norm.size, slope + h * norm.size, through);
        memcpy(slope + h * norm.size, through, norm.size * sizeof *slope);
    }
}

static void descend_norms(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    descend_norm(descent, &QUERIES, sequence, token, worker);
    if (has_keys(descent)) descend_norm(descent, &KEYS, sequence, token, worker);
}

static void descend_rotation(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = architecture_layer(descent_config(descent), descent->layer);
    size_t position = descent_position(descent, sequence, token);
    turn_heads(descent, position, descent_slope(descent, SLOPE_QUERY, sequence, token), plan->heads, true);
    if (has_keys(descent))
        turn_heads(descent, position, descent_slope(descent, SLOPE_KEY, sequence, token), plan->kv_heads,
                   true);
}

/* A clipped value passes nothing on. */
static void descend_clip(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    static const struct {
        BackwardSite site;
        Slope slope;
    } CLIPPED[] = {{BACKWARD_QUERY, SLOPE_QUERY}, {BACKWARD_KEY, SLOPE_KEY}, {BACKWARD_VALUE, SLOPE_VALUE}};
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    for (size_t i = 0; i < sizeof CLIPPED / sizeof *CLIPPED; i++) {
        const float *x = descent_activation(descent, CLIPPED[i].site, sequence, token);
        float *slope = descent_slope(descent, CLIPPED[i].slope, sequence, token);
        for (size_t j = 0; j < backward_site_width(descent_plan(descent), CLIPPED[i].site); j++)
            if (fabsf(x[j]) > (float)config->clip) slope[j] = 0.0F;
    }
}

/* ---- gradients of the norms themselves ---- */

typedef struct NormSums {
    const Descent *descent;
    const HeadKind *kind;
    bool of_bias;
} NormSums;

/* One head's, or the one norm's over all: SLOPE_QUERY and SLOPE_KEY are at the norms' outputs. */
static void sum_head(void *argument, size_t head, unsigned worker) {
    const NormSums *sums = argument;
    const Descent *descent = sums->descent;
    const Norm norm = head_norm(descent, sums->kind, head);
    float *room = descent->rows + (size_t)worker * 2 * descent->row_stride;
    double *own = descent->head_sums + head * norm.size;
    memset(own, 0, norm.size * sizeof *own);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slope = descent_slope(descent, sums->kind->slope, s, t) + head * norm.size;
            if (!sums->of_bias)
                norm_add_weight_gradient(
                    &norm, norm_input(descent, sums->kind, s, t, room) + head * norm.size, slope, own);
            for (size_t i = 0; sums->of_bias && i < norm.size; i++) own[i] += (double)slope[i];
        }
    }
}

/* Into norm_gradients: heads one behind another, or their sum where they share a weight. */
static Status sum_heads(const Descent *descent, const HeadKind *kind, bool of_bias, size_t rows,
                        Error *error) {
    const ModelConfig *config = descent_config(descent);
    uint64_t heads =
        config->qk_norm == QK_NORM_WHOLE ? 1 : heads_of(architecture_layer(config, descent->layer), kind);
    size_t size = head_norm(descent, kind, 0).size;
    NormSums sums = {descent, kind, of_bias};
    Status status = job_run(descent->job, heads, sum_head, &sums, error);
    for (size_t i = 0; i < rows && status == STATUS_OK; i++) {
        double sum = 0.0;
        for (size_t at = i; at < heads * size; at += rows) sum += descent->head_sums[at];
        descent->norm_gradients[i] = (float)sum;
    }
    return status;
}

static Status give_norm(const Descent *descent, const HeadKind *kind, bool of_bias, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    const ModelLayer *layer = &descent->backward->model->layers[descent->layer];
    const Norm norm = head_norm(descent, kind, 0);
    if (descent->taker == NULL || (of_bias ? norm.bias : norm.weight) == NULL) return STATUS_OK;
    size_t rows = config->qk_norm == QK_NORM_EACH ? heads_of(plan, kind) * norm.size : norm.size;
    const PairTensor *const *apart = kind->site == BACKWARD_QUERY ? layer->q_norms : layer->k_norms;
    Status status = sum_heads(descent, kind, of_bias, rows, error);
    if (status != STATUS_OK || apart == NULL)
        return status != STATUS_OK
                   ? status
                   : descent_give_vector(descent, kind->norm,
                                         (of_bias ? layer->biases : layer->tensors)[kind->norm],
                                         descent->norm_gradients, rows, error);
    for (size_t at = 0; at < rows && status == STATUS_OK; at += norm.size)
        status = descent_give_vector(descent, kind->norm, apart[at / norm.size], descent->norm_gradients + at,
                                     norm.size, error);
    return status;
}

static Status give_norms(const Descent *descent, Error *error) {
    Status status = STATUS_OK;
    for (int i = 0; i < (has_keys(descent) ? 4 : 2) && status == STATUS_OK; i++)
        status = give_norm(descent, i < 2 ? &QUERIES : &KEYS, i % 2 == 1, error);
    return status;
}

/* ---- all of it ---- */

Status descent_heads_run(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    bool has_norm = config->qk_norm != QK_NORM_NONE && !plan->skips_qk_norm,
         follows = config->qk_norm_follows_rope;
    Status status = STATUS_OK;
    for (int step = 0; step < 2 && status == STATUS_OK; step++) {
        bool is_norm = (step == 0) == follows;
        if (!is_norm) status = descent_for_tokens(descent, descend_rotation, error);
        if (!is_norm || !has_norm) continue;
        status = give_norms(descent, error);
        if (status == STATUS_OK) status = descent_for_tokens(descent, descend_norms, error);
    }
    if (status == STATUS_OK && config->clip > 0.0) status = descent_for_tokens(descent, descend_clip, error);
    return status;
}
