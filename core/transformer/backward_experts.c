#include "core/transformer/backward_experts.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/backward_experts_internal.h"
#include "core/transformer/descent.h"
#include "core/transformer/expert_choice.h"
#include "core/transformer/glu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* Of the largest layer. */
typedef struct Sizes {
    size_t chosen, experts, widths[BACKWARD_EXPERT_SITES];
    bool has_shares, has_bias, has_cap; /* shares: a switch or a scale of the shared expert */
} Sizes;

static void raise(size_t *most, size_t value) {
    if (value > *most) *most = value;
}

static size_t site_width(const ExpertPlan *plan, BackwardExpertSite site) {
    bool is_one = plan->layout == EXPERTS_TRANSPOSED;
    size_t width = (size_t)plan->width;
    if (site == BACKWARD_EXPERT_ACTIVATED) return width;
    if (site == BACKWARD_EXPERT_GATE_UP) return is_one ? 2 * width : 0;
    if (site == BACKWARD_EXPERT_GATE && plan->is_plain) return 0;
    return is_one ? 0 : width;
}

static bool has_switch(const LayerPlan *plan) {
    return architecture_needs(plan, TENSOR_PART_SHARED_SWITCH);
}

static bool has_shares(const LayerPlan *plan) {
    return has_switch(plan) || plan->experts.shared_scale != 1.0;
}

static Sizes measure(const ModelConfig *config) {
    Sizes sizes = {0};
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        if (plan->mlp != MLP_EXPERTS) continue;
        raise(&sizes.chosen, (size_t)plan->experts.chosen);
        raise(&sizes.experts, (size_t)plan->experts.count);
        for (int site = 0; site < BACKWARD_EXPERT_SITES; site++)
            raise(&sizes.widths[site], site_width(&plan->experts, (BackwardExpertSite)site));
        sizes.has_shares |= has_shares(plan);
        sizes.has_bias |= plan->experts.has_bias;
        sizes.has_cap |= plan->experts.logit_cap > 0.0;
    }
    return sizes;
}

static size_t sum_widths(const Sizes *sizes) {
    size_t sum = 0;
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++) sum += sizes->widths[site];
    return sum;
}

size_t backward_experts_row_width(const ModelConfig *config) {
    const Sizes sizes = measure(config);
    return sizes.chosen * (2 + sum_widths(&sizes)) + sizes.experts * (sizes.has_cap ? 2 : 1) + 1;
}

size_t backward_experts_sequence_width(const ModelConfig *config) {
    const Sizes sizes = measure(config);
    return sizes.chosen * (3 + sum_widths(&sizes) + config->hidden_size) + sizes.experts + 1;
}

/* [tokens × width]; nothing where that is 0. */
static bool allocate(float **into, size_t tokens, size_t width) {
    free(*into);
    *into = width == 0 ? NULL : memory_allocate_aligned(tokens, width * sizeof **into);
    return width == 0 || *into != NULL;
}

Status backward_experts_create(const ModelConfig *config, size_t tokens, ExpertsPast **past, Error *error) {
    const Sizes sizes = measure(config);
    *past = NULL;
    if (!architecture_has_experts(config)) return STATUS_OK;
    ExpertsPast *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "activations of experts");
    bool complete =
        allocate(&made->numbers, tokens, sizes.chosen) && allocate(&made->weights, tokens, sizes.chosen) &&
        allocate(&made->scores, tokens, sizes.experts) && allocate(&made->shares, tokens, sizes.has_shares) &&
        allocate(&made->logits, tokens, sizes.has_cap ? sizes.experts : 0) &&
        allocate(&made->biases, sizes.experts, sizes.has_bias ? config->hidden_size : 0);
    for (int site = 0; site < BACKWARD_EXPERT_SITES && complete; site++)
        complete = allocate(&made->activations[site], tokens, sizes.chosen * sizes.widths[site]);
    if (!complete) {
        backward_experts_free(made);
        return memory_fail(error, "activations of experts");
    }
    *past = made;
    return STATUS_OK;
}

Status backward_experts_reserve(ExpertsPast *past, const ModelConfig *config, size_t tokens, Error *error) {
    if (past == NULL || tokens <= past->sequence_tokens) return STATUS_OK;
    const Sizes sizes = measure(config);
    past->sequence_tokens = 0;
    bool complete = allocate(&past->own_numbers, tokens, sizes.chosen) &&
                    allocate(&past->own_weights, tokens, sizes.chosen) &&
                    allocate(&past->weight_slopes, tokens, sizes.chosen) &&
                    allocate(&past->logit_slopes, tokens, sizes.experts) &&
                    allocate(&past->switch_slopes, tokens, sizes.has_shares) &&
                    allocate(&past->routed, tokens, sizes.chosen * config->hidden_size);
    for (int site = 0; site < BACKWARD_EXPERT_SITES && complete; site++)
        complete = allocate(&past->gradients[site], tokens, sizes.chosen * sizes.widths[site]);
    if (!complete) return memory_fail(error, "gradients of experts");
    past->sequence_tokens = tokens;
    return STATUS_OK;
}

void backward_experts_free(ExpertsPast *past) {
    if (past == NULL) return;
    float *const all[] = {past->numbers,       past->weights,     past->scores,        past->shares,
                          past->own_numbers,   past->own_weights, past->weight_slopes, past->logit_slopes,
                          past->switch_slopes, past->routed,      past->biases,        past->logits};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++) {
        free(past->activations[site]);
        free(past->gradients[site]);
    }
    expert_rows_free(&past->rows);
    expert_rows_free(&past->sequences);
    free(past);
}

/* ---- what was ---- */

void backward_experts_keep(ExpertsPast *past, const ForwardMoment *moment) {
    if (past == NULL) return;
    float *to = NULL;
    switch (moment->site) {
    case FORWARD_CHOSEN:
        to = past->numbers;
        break;
    case FORWARD_WEIGHTS:
        to = past->weights;
        break;
    case FORWARD_ROUTER:
        to = past->logits;
        break;
    case FORWARD_SCORES:
        to = past->scores;
        break;
    case FORWARD_SWITCH:
        to = past->shares;
        break;
    case FORWARD_ROUTED_GATE:
        to = past->activations[BACKWARD_EXPERT_GATE];
        break;
    case FORWARD_ROUTED_UP:
        to = past->activations[BACKWARD_EXPERT_UP];
        break;
    case FORWARD_ROUTED_GATE_UP:
        to = past->activations[BACKWARD_EXPERT_GATE_UP];
        break;
    case FORWARD_ROUTED_ACTIVATED:
        to = past->activations[BACKWARD_EXPERT_ACTIVATED];
        break;
    default:
        return;
    }
    if (to != NULL) memcpy(to, moment->values, moment->tokens * moment->width * sizeof *to);
}

const BackwardExperts *backward_experts_seen(const ExpertsPast *past) {
    return &past->seen;
}

static ExpertsPast *past_of(const Descent *descent) {
    return descent->backward->experts;
}

static const ExpertPlan *plan_of(const Descent *descent) {
    return &descent_plan(descent)->experts;
}

static const ModelLayer *layer_of(const Descent *descent) {
    return &descent->backward->model->layers[descent->layer];
}

/* A token among those of all sequences, and among those of the group. */
static size_t token_of(const Descent *descent, size_t sequence, size_t token) {
    return descent->spans[sequence].first + token;
}

static size_t row_token_of(const Descent *descent, size_t sequence, size_t token) {
    return descent->spans[sequence].row + token;
}

static void copy_choice(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    ExpertsPast *past = past_of(descent);
    size_t chosen = (size_t)plan_of(descent)->chosen, to = token_of(descent, sequence, token) * chosen,
           from = row_token_of(descent, sequence, token) * chosen;
    memcpy(past->own_numbers + to, past->numbers + from, chosen * sizeof(float));
    memcpy(past->own_weights + to, past->weights + from, chosen * sizeof(float));
}

static void show(const Descent *descent) {
    ExpertsPast *past = past_of(descent);
    const ExpertPlan *plan = plan_of(descent);
    past->seen = (BackwardExperts){.rows = &past->rows,
                                   .sequences = &past->sequences,
                                   .scales_input = plan->scales_input,
                                   .shares = has_shares(descent_plan(descent)) ? past->shares : NULL};
    for (int site = 0; site < BACKWARD_EXPERT_SITES; site++) {
        past->seen.width[site] = site_width(plan, (BackwardExpertSite)site);
        past->seen.activations[site] = past->activations[site];
        past->seen.gradients[site] = past->gradients[site];
    }
}

/* The rows of the layer, as they were, and those of the sequences. */
static Status sort_all(const Descent *descent, Error *error) {
    ExpertsPast *past = past_of(descent);
    size_t experts = (size_t)plan_of(descent)->count, chosen = (size_t)plan_of(descent)->chosen;
    expert_rows_free(&past->rows);
    expert_rows_free(&past->sequences);
    Status status = experts > 0 ? descent_for_tokens(descent, copy_choice, error) : STATUS_OK;
    if (status == STATUS_OK && experts > 0)
        status = expert_rows_sort(&past->rows, experts, chosen, descent->group->tokens, past->numbers,
                                  past->weights, error);
    if (status == STATUS_OK && experts > 0)
        status = expert_rows_sort(&past->sequences, experts, chosen, descent->tokens, past->own_numbers,
                                  past->own_weights, error);
    const LayerPlan *plan = descent_plan(descent);
    float scale = (float)plan->experts.shared_scale;
    for (size_t t = 0; has_shares(plan) && t < descent->group->tokens; t++)
        past->shares[t] =
            has_switch(plan) ? activation_value(ACTIVATION_SIGMOID, past->shares[t]) * scale : scale;
    show(descent);
    return status;
}

/* ---- products ---- */

/* y = x·W of a matrix of the layer, from the gradient at its output to that at its input. */
static Status project_back(const Descent *descent, const PairTensor *tensor, const float *x, float *y,
                           bool accumulate, Error *error) {
    const Backward *backward = descent->backward;
    MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor), .x = x, .y = y};
    return matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch, descent->job, error);
}

/* The same of each expert for its rows; `tokens`: x has a row a token. */
static Status project_rows_back(const Descent *descent, ExpertMatrix matrix, const float *x, size_t in_width,
                                bool are_tokens, float *y, size_t out_width, Error *error) {
    const Backward *backward = descent->backward;
    const ExpertRows *rows = &past_of(descent)->sequences;
    const ModelExperts *experts = &layer_of(descent)->experts;
    bool is_transposed = matrix == EXPERT_DOWN ? experts->is_down_transposed : experts->is_gate_up_transposed;
    MatmulProduct *products = memory_allocate(rows->experts, sizeof *products);
    size_t count = 0;
    if (products == NULL) return memory_fail(error, "the experts");
    for (size_t e = 0; e < rows->experts; e++) {
        size_t first = rows->firsts[e], own = rows->firsts[e + 1] - first;
        if (own == 0) continue;
        products[count++] = (MatmulProduct){
            .operand = {.blend = settings_blend(&backward->settings, experts->list[e].matrices[matrix]),
                        .x = are_tokens ? x : x + first * in_width,
                        .picked = are_tokens ? rows->tokens + first : NULL,
                        .y = y + first * out_width},
            .tokens = own,
            .is_back = !is_transposed};
    }
    Status status = matmul_run_each(products, count, false, backward->scratch, descent->job, error);
    free(products);
    return status;
}

/* ---- the expert that every token passes ---- */

static void descend_shared_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    ExpertsPast *past = past_of(descent);
    size_t width = (size_t)plan_of(descent)->shared_width;
    const Glu glu = glu_of_mlp(descent_config(descent), descent_plan(descent));
    const float *up = descent_activation(descent, BACKWARD_UP, sequence, token);
    const float *activated = descent_activation(descent, BACKWARD_ACTIVATED, sequence, token);
    float *from = descent_slope(descent, SLOPE_ACTIVATED, sequence, token);
    float *to_up = descent_slope(descent, SLOPE_UP, sequence, token);
    const float *gate = glu.is_plain ? up : descent_activation(descent, BACKWARD_GATE, sequence, token);
    float *to_gate = glu.is_plain ? NULL : descent_slope(descent, SLOPE_GATE, sequence, token);
    if (past->seen.shares != NULL) {
        float share = past->shares[row_token_of(descent, sequence, token)];
        double sum = 0.0;
        for (size_t i = 0; i < width; i++) sum += (double)from[i] * (double)activated[i];
        float scale = (float)plan_of(descent)->shared_scale;
        past->switch_slopes[token_of(descent, sequence, token)] = (float)sum * share * (1.0F - share / scale);
        for (size_t i = 0; i < width; i++) from[i] *= share;
    }
    glu_descend(&glu, gate, up, from, width, to_gate, to_up);
}

static void join_shared(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    size_t width = (size_t)plan_of(descent)->shared_width;
    float *to = descent_slope(descent, SLOPE_GATE_UP, sequence, token);
    memcpy(to, descent_slope(descent, SLOPE_GATE, sequence, token), width * sizeof *to);
    memcpy(to + width, descent_slope(descent, SLOPE_UP, sequence, token), width * sizeof *to);
}

static void clear_normed(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    memset(descent_slope(descent, SLOPE_NORMED, sequence, token), 0,
           descent_config(descent)->hidden_size * sizeof(float));
}

static Status descend_shared(const Descent *descent, Error *error) {
    const PairTensor *const *parts = layer_of(descent)->parts;
    float *const *slopes = descent->backward->slopes;
    float *normed = slopes[SLOPE_NORMED];
    if (plan_of(descent)->shared_width == 0) return descent_for_tokens(descent, clear_normed, error);
    Status status = project_back(descent, parts[TENSOR_PART_SHARED_DOWN], slopes[descent->given],
                                 slopes[SLOPE_ACTIVATED], false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_shared_token, error);
    if (status != STATUS_OK) return status;
    if (parts[TENSOR_PART_SHARED_GATE_UP] != NULL) {
        status = descent_for_tokens(descent, join_shared, error);
        if (status == STATUS_OK)
            status = project_back(descent, parts[TENSOR_PART_SHARED_GATE_UP], slopes[SLOPE_GATE_UP], normed,
                                  false, error);
    } else {
        bool is_plain = plan_of(descent)->is_plain;
        if (!is_plain)
            status = project_back(descent, parts[TENSOR_PART_SHARED_GATE], slopes[SLOPE_GATE], normed, false,
                                  error);
        if (status == STATUS_OK)
            status = project_back(descent, parts[TENSOR_PART_SHARED_UP], slopes[SLOPE_UP], normed, !is_plain,
                                  error);
    }
    if (status != STATUS_OK || !has_switch(descent_plan(descent))) return status;
    return project_back(descent, parts[TENSOR_PART_SHARED_SWITCH], past_of(descent)->switch_slopes, normed,
                        true, error);
}

/* ---- routed experts ---- */

/* Where gate and up of a row lie, in activations and gradients alike; without a gate both are up. */
typedef struct RowLayout {
    BackwardExpertSite gate, up;
    size_t width, up_first, step;
} RowLayout;

static RowLayout lay_out(const ExpertPlan *plan) {
    size_t width = (size_t)plan->width;
    if (plan->is_plain) return (RowLayout){BACKWARD_EXPERT_UP, BACKWARD_EXPERT_UP, width, 0, 1};
    if (plan->layout != EXPERTS_TRANSPOSED)
        return (RowLayout){BACKWARD_EXPERT_GATE, BACKWARD_EXPERT_UP, width, 0, 1};
    return (RowLayout){BACKWARD_EXPERT_GATE_UP, BACKWARD_EXPERT_GATE_UP, 2 * width,
                       plan->is_interleaved ? 1 : width, plan->is_interleaved ? 2 : 1};
}

/* From the gradient at a row's inputs of down to that at its gate and up; returns the gradient at the row's weight where
 * that is its input's: both outputs go as the weight does. */
static double descend_activation(const Descent *descent, size_t own, size_t past_row) {
    const ExpertsPast *past = past_of(descent);
    const ExpertPlan *plan = plan_of(descent);
    const RowLayout at = lay_out(plan);
    const float *from = past->gradients[BACKWARD_EXPERT_ACTIVATED] + own * plan->width;
    const float *gate = past->activations[at.gate] + past_row * at.width,
                *up = past->activations[at.up] + past_row * at.width + at.up_first;
    float *to_gate = past->gradients[at.gate] + own * at.width,
          *to_up = past->gradients[at.up] + own * at.width + at.up_first;
    const Glu glu = glu_of_experts(descent_config(descent), descent_plan(descent));
    double sum = 0.0;
    for (size_t i = 0; i < plan->width; i++) {
        size_t j = i * at.step;
        float by_gate = 0.0F, by_up = 0.0F;
        glu_differentiate(&glu, gate[j], up[j], &by_gate, &by_up);
        if (!glu.is_plain) to_gate[j] = from[i] * by_gate;
        to_up[j] = from[i] * by_up;
        sum += (glu.is_plain ? 0.0 : (double)to_gate[j] * (double)gate[j]) + (double)to_up[j] * (double)up[j];
    }
    float weight = past->sequences.weights[own];
    return weight == 0.0F ? 0.0 : sum / (double)weight;
}

/* ⟨expert(x), g⟩, and the row's gradient times its weight. */
static double weigh_row(const Descent *descent, size_t own, size_t past_row, const float *given) {
    const ExpertsPast *past = past_of(descent);
    const ExpertPlan *plan = plan_of(descent);
    size_t hidden = descent_config(descent)->hidden_size;
    float *from = past->gradients[BACKWARD_EXPERT_ACTIVATED] + own * plan->width;
    const float *activated = past->activations[BACKWARD_EXPERT_ACTIVATED] + past_row * plan->width;
    float weight = past->sequences.weights[own];
    double sum = 0.0;
    for (size_t i = 0; i < plan->width; i++) {
        sum += (double)from[i] * (double)activated[i];
        from[i] *= weight;
    }
    if (!plan->has_bias) return sum;
    const float *bias = past->biases + past->sequences.expert[own] * hidden;
    for (size_t i = 0; i < hidden; i++) sum += (double)bias[i] * (double)given[i];
    return sum;
}

/* From capped logits to what a router gave with its bias: of cap·tanh(x / cap). */
static void descend_cap(const Descent *descent, const float *logits, float *slopes) {
    const ExpertPlan *plan = plan_of(descent);
    const float *bias = forward_part(descent->backward->state, descent->layer, TENSOR_PART_ROUTER_BIAS);
    float cap = (float)plan->logit_cap;
    for (size_t e = 0; e < plan->count; e++) {
        float bent = tanhf((logits[e] + (bias != NULL ? bias[e] : 0.0F)) / cap);
        slopes[e] *= 1.0F - bent * bent;
    }
}

static void descend_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    ExpertsPast *past = past_of(descent);
    const ExpertPlan *plan = plan_of(descent);
    size_t chosen = (size_t)plan->chosen, at = token_of(descent, sequence, token),
           there = row_token_of(descent, sequence, token);
    const float *given = descent_slope(descent, descent->given, sequence, token);
    for (size_t k = 0; k < chosen; k++) {
        size_t own = past->sequences.row_of[at * chosen + k], row = past->rows.row_of[there * chosen + k];
        double slope = plan->scales_input ? 0.0 : weigh_row(descent, own, row, given),
               of_input = descend_activation(descent, own, row);
        past->weight_slopes[at * chosen + k] = (float)(plan->scales_input ? of_input : slope);
    }
    expert_choice_descend(plan, past->scores + there * plan->count, past->numbers + there * chosen,
                          past->weight_slopes + at * chosen, past->logit_slopes + at * plan->count);
    if (plan->logit_cap > 0.0)
        descend_cap(descent, past->logits + there * plan->count, past->logit_slopes + at * plan->count);
}

/* A token's rows, onto what is there. */
static void add_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ExpertsPast *past = past_of(descent);
    const ExpertPlan *plan = plan_of(descent);
    size_t chosen = (size_t)plan->chosen, hidden = descent_config(descent)->hidden_size,
           at = token_of(descent, sequence, token);
    float *to = descent_slope(descent, SLOPE_NORMED, sequence, token);
    for (size_t k = 0; k < chosen; k++) {
        size_t row = past->sequences.row_of[at * chosen + k];
        const float *from = past->routed + row * hidden;
        float weight = plan->scales_input ? past->sequences.weights[row] : 1.0F;
        for (size_t i = 0; i < hidden; i++) to[i] += weight * from[i];
    }
}

static Status descend_matrix(const Descent *descent, ExpertMatrix matrix, BackwardExpertSite site,
                             Error *error) {
    const ExpertsPast *past = past_of(descent);
    Status status =
        project_rows_back(descent, matrix, past->gradients[site], site_width(plan_of(descent), site), false,
                          past->routed, descent_config(descent)->hidden_size, error);
    return status == STATUS_OK ? descent_for_tokens(descent, add_token, error) : status;
}

static void blend_biases(const Descent *descent) {
    size_t hidden = descent_config(descent)->hidden_size;
    if (!plan_of(descent)->has_bias) return;
    Blend blend = settings_blend(&descent->backward->settings, layer_of(descent)->experts.down_bias);
    for (size_t e = 0; e < plan_of(descent)->count; e++)
        blend_rows(&blend, e, 1, past_of(descent)->biases + e * hidden);
}

static Status descend_routed(const Descent *descent, Error *error) {
    const ExpertsPast *past = past_of(descent);
    bool is_one = plan_of(descent)->layout == EXPERTS_TRANSPOSED;
    blend_biases(descent);
    Status status =
        project_rows_back(descent, EXPERT_DOWN, descent->backward->slopes[descent->given], 0, true,
                          past->gradients[BACKWARD_EXPERT_ACTIVATED], (size_t)plan_of(descent)->width, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_token, error);
    if (status != STATUS_OK) return status;
    if (is_one) return descend_matrix(descent, EXPERT_GATE_UP, BACKWARD_EXPERT_GATE_UP, error);
    if (!plan_of(descent)->is_plain)
        status = descend_matrix(descent, EXPERT_GATE, BACKWARD_EXPERT_GATE, error);
    return status == STATUS_OK ? descend_matrix(descent, EXPERT_UP, BACKWARD_EXPERT_UP, error) : status;
}

Status backward_experts_descend(const Descent *descent, Error *error) {
    bool has_routed = plan_of(descent)->count > 0;
    Status status = sort_all(descent, error);
    if (status == STATUS_OK) status = descend_shared(descent, error);
    if (status == STATUS_OK && has_routed) status = descend_routed(descent, error);
    if (status == STATUS_OK && has_routed)
        status = project_back(descent, layer_of(descent)->parts[TENSOR_PART_ROUTER],
                              past_of(descent)->logit_slopes, descent->backward->slopes[SLOPE_NORMED], true,
                              error);
    return status == STATUS_OK ? backward_experts_give(descent, past_of(descent), error) : status;
}
