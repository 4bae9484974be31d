#include "core/transformer/backward_compressed.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/attention.h"
#include "core/transformer/block_compressed.h"
#include "core/transformer/compressor.h"
#include "core/transformer/rotary.h"

#include <stdlib.h>
#include <string.h>

/* ---- what comes out ---- */

/* Of all groups: each a product of its own, of rows side by side in its memory. */
typedef struct Groups {
    MatmulProduct *products; /* [count] */
    uint32_t *tokens;        /* [count × tokens]: rows of all groups, token by token */
    size_t *firsts;          /* [count + 1] */
    size_t count;
} Groups;

static size_t group_width(const Descent *descent) {
    const LayerPlan *plan = descent_plan(descent);
    return (size_t)(plan->heads * plan->head_dim / descent_config(descent)->output_groups);
}

static void free_groups(Groups *groups) {
    free(groups->products);
    free(groups->tokens);
    free(groups->firsts);
}

static Status make_groups(const Descent *descent, Groups *groups, Error *error) {
    size_t rows;
    *groups = (Groups){.count = (size_t)descent_config(descent)->output_groups};
    if (!memory_multiply(groups->count, descent->tokens, &rows)) return memory_fail(error, "groups of heads");
    groups->products = memory_allocate(groups->count, sizeof *groups->products);
    groups->tokens = memory_allocate(rows, sizeof *groups->tokens);
    groups->firsts = memory_allocate(groups->count + 1, sizeof *groups->firsts);
    if (groups->products == NULL || groups->tokens == NULL || groups->firsts == NULL)
        return memory_fail(error, "groups of heads");
    for (size_t g = 0; g < groups->count; g++) {
        groups->firsts[g + 1] = (g + 1) * descent->tokens;
        for (size_t t = 0; t < descent->tokens; t++)
            groups->tokens[g * descent->tokens + t] = (uint32_t)(t * groups->count + g);
    }
    return STATUS_OK;
}

/* SLOPE_GROUPED as rows of each group, which is how its gradient is summed. */
static void part_groups(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const size_t rank = (size_t)config->output_rank, at = descent->spans[sequence].first + token;
    const float *from = descent_slope(descent, SLOPE_GROUPED, sequence, token);
    for (size_t g = 0; g < config->output_groups; g++)
        memcpy(descent->backward->slopes[SLOPE_GROUP_ROWS] + (g * descent->tokens + at) * rank,
               from + g * rank, rank * sizeof *from);
}

/* What meets at the groups' matrices is as at experts' that are up, of a row a token and group. */
static Status give_groups(const Descent *descent, const Groups *groups, Error *error) {
    const Backward *backward = descent->backward;
    const ExpertRows rows = {.count = groups->count * descent->tokens,
                             .experts = groups->count,
                             .chosen = 1,
                             .firsts = groups->firsts,
                             .tokens = groups->tokens};
    const BackwardExperts experts = {
        .sequences = &rows,
        .width = {[BACKWARD_EXPERT_UP] = (size_t)descent_config(descent)->output_rank},
        .gradients = {[BACKWARD_EXPERT_UP] = backward->slopes[SLOPE_GROUP_ROWS]}};
    BackwardFlow flow = {.kind = FLOW_EXPERTS,
                         .tokens = rows.count,
                         .columns = group_width(descent),
                         .inputs = backward->activations[BACKWARD_MIXED],
                         .experts = &experts,
                         .of = &backward->model->layers[descent->layer].group_experts,
                         .are_heads = true,
                         .layer = descent->layer};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

/* From groups' rows, which stand where queries' gradients will be, to each token's heads; what was mixed was turned back. */
static void join_groups(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t width = group_width(descent), at = descent->spans[sequence].first + token;
    float *to = descent_slope(descent, SLOPE_MIXED, sequence, token);
    for (size_t g = 0; g < descent_config(descent)->output_groups; g++)
        memcpy(to + g * width, descent->backward->slopes[SLOPE_QUERY] + (g * descent->tokens + at) * width,
               width * sizeof *to);
}

static Status multiply_groups_back(const Descent *descent, const Groups *groups, Error *error) {
    const Backward *backward = descent->backward;
    const size_t rank = (size_t)descent_config(descent)->output_rank, width = group_width(descent);
    const ModelExpert *list = backward->model->layers[descent->layer].group_experts.list;
    for (size_t g = 0; g < groups->count; g++)
        groups->products[g] = (MatmulProduct){
            .operand = {.blend = settings_blend(&backward->settings, list[g].matrices[EXPERT_UP]),
                        .x = backward->slopes[SLOPE_GROUP_ROWS] + g * descent->tokens * rank,
                        .y = backward->slopes[SLOPE_QUERY] + g * descent->tokens * width},
            .tokens = descent->tokens,
            .is_back = true};
    return matmul_run_each(groups->products, groups->count, false, backward->scratch, descent->job, error);
}

static Status descend_out(const Descent *descent, Error *error) {
    Groups groups;
    Status status = make_groups(descent, &groups, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_GROUPED_OUT, TENSOR_PART_COUNT,
                                  descent->backward->state->buffers[BUFFER_GROUPED], descent->given,
                                  SLOPE_GROUPED, false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, part_groups, error);
    if (status == STATUS_OK) status = give_groups(descent, &groups, error);
    if (status == STATUS_OK) status = multiply_groups_back(descent, &groups, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, join_groups, error);
    free_groups(&groups);
    return status;
}

/* ---- attention ---- */

/* Heads of a layer at a position, as turn(). */
static void turn_slopes(const Descent *descent, size_t position, float *x, uint64_t heads, bool back) {
    const LayerPlan *plan = descent_plan(descent);
    const Rope *rope = &descent_config(descent)->ropes[plan->rope];
    const Angles *angles = &descent->angles[plan->rope];
    const size_t at = position * rope->dims / 2;
    for (uint64_t h = 0; h < heads; h++)
        rotary_turn(rope, x + (h + 1) * plan->head_dim - rope->dims, angles->cosines + at, angles->sines + at,
                    back);
}

/* A block of heads of one sequence, and where what it gives to keys goes: rows of all blocks, `stride` apart. */
typedef struct HeadBlock {
    const Descent *descent;
    size_t sequence, block, heads, dim, stride;
    float *to_entries, *to_keys; /* of the sequence's first */
    double *sinks;               /* [heads] */
} HeadBlock;

/* Both of what was mixed and of what was scored. */
static void add_to_keys(const HeadBlock *own, const SharedKeys *keys, size_t first, const float *weights,
                        const float *x) {
    const size_t all = keys->counts[0] + keys->counts[1];
    float *const to[] = {own->to_entries, own->to_keys + first * own->stride};
    for (size_t part = 0, at = 0; part < 2; at += keys->counts[part++])
        if (keys->counts[part] > 0)
            blas_multiply_left_transposed(keys->counts[part], own->dim, own->heads, weights + at, all, x,
                                          own->dim, 1.0F, to[part], own->stride);
}

static void descend_token(const HeadBlock *own, size_t token, float *scratch) {
    const Descent *descent = own->descent;
    const ForwardState *state = descent->backward->state;
    const LayerPlan *plan = descent_plan(descent);
    const size_t start = descent->spans[own->sequence].row, head = own->block * BLOCK_COMPRESSED_HEADS,
                 place = head * own->dim;
    const SharedKeys keys = block_compressed_find_keys(state, descent->layer, start, token);
    const size_t all = keys.counts[0] + keys.counts[1];
    const float *mixed = descent_slope(descent, SLOPE_MIXED, own->sequence, token) + place,
                *query = state->buffers[BUFFER_QUERY] + (start + token) * plan->heads * own->dim + place;
    float *weights = scratch, *slopes = scratch + own->heads * all,
          *to = descent_slope(descent, SLOPE_QUERY, own->sequence, token) + place, beta = 0.0F;
    block_compressed_weigh(state, descent->layer, &keys, start + token, head, own->heads, weights);
    block_compressed_multiply_keys(&keys, own->heads, own->dim, mixed, slopes);
    add_to_keys(own, &keys, attention_first(plan, token), weights, mixed);
    for (size_t h = 0; h < own->heads; h++) {
        const ScoreRule rule = attention_rule(state, descent->layer, head + h);
        own->sinks[h] +=
            backward_attention_differentiate(weights + h * all, slopes + h * all, 1, all, rule.scale);
    }
    for (size_t part = 0, at = 0; part < 2; at += keys.counts[part++]) {
        if (keys.counts[part] == 0) continue;
        blas_multiply(own->heads, own->dim, keys.counts[part], slopes + at, all, keys.rows[part], own->dim,
                      beta, to, own->dim);
        beta = 1.0F;
    }
    add_to_keys(own, &keys, attention_first(plan, token), slopes, query);
}

/* A run of all tasks. */
typedef struct HeadBlocks {
    const Descent *descent;
    double *sinks; /* [sequences × heads] */
} HeadBlocks;

static size_t count_entries(const LayerPlan *plan, size_t tokens) {
    return plan->rate > 0 ? tokens / (size_t)plan->rate : 0;
}

static void descend_heads(void *argument, size_t task, unsigned worker) {
    const HeadBlocks *blocks = argument;
    const Descent *descent = blocks->descent;
    const LayerPlan *plan = descent_plan(descent);
    const size_t count = block_compressed_blocks(plan), sequence = task / count, block = task % count,
                 left = (size_t)plan->heads - block * BLOCK_COMPRESSED_HEADS, dim = plan->head_dim,
                 tokens = descent->spans[sequence].tokens, entries = count_entries(plan, tokens);
    HeadBlock own = {.descent = descent,
                     .sequence = sequence,
                     .block = block,
                     .heads = left < BLOCK_COMPRESSED_HEADS ? left : BLOCK_COMPRESSED_HEADS,
                     .dim = dim,
                     .stride = count * dim,
                     .to_keys = descent_slope(descent, SLOPE_KEY_PARTS, sequence, 0) + block * dim,
                     .sinks = blocks->sinks + sequence * plan->heads + block * BLOCK_COMPRESSED_HEADS};
    if (entries > 0) own.to_entries = descent_slope(descent, SLOPE_ENTRY_PARTS, sequence, 0) + block * dim;
    for (size_t t = 0; t < tokens; t++) memset(own.to_keys + t * own.stride, 0, dim * sizeof(float));
    for (size_t e = 0; e < entries; e++) memset(own.to_entries + e * own.stride, 0, dim * sizeof(float));
    for (size_t t = 0; t < tokens && !job_is_cancelled(descent->job); t++)
        descend_token(&own, t, descent->scratch + (size_t)worker * descent->scratch_stride);
}

/* Of all blocks. */
static void sum_parts(const float *parts, size_t blocks, size_t dim, float *to) {
    memcpy(to, parts, dim * sizeof *to);
    for (size_t b = 1; b < blocks; b++)
        for (size_t i = 0; i < dim; i++) to[i] += parts[b * dim + i];
}

/* A token's key, and the entry that it ended. */
static void join_parts(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    const size_t blocks = block_compressed_blocks(plan), dim = plan->head_dim,
                 entries = count_entries(plan, token + 1), entry = entries - 1;
    sum_parts(descent_slope(descent, SLOPE_KEY_PARTS, sequence, token), blocks, dim,
              descent_slope(descent, SLOPE_KEY, sequence, token));
    if (entries == 0 || entries == count_entries(plan, token)) return;
    sum_parts(descent_slope(descent, SLOPE_ENTRY_PARTS, sequence, 0) + entry * blocks * dim, blocks, dim,
              descent_slope(descent, SLOPE_ENTRY, sequence, 0) + entry * dim);
}

static Status give_sinks(const Descent *descent, const double *sinks, Error *error) {
    const size_t heads = (size_t)descent_plan(descent)->heads;
    const PairTensor *tensor = descent->backward->model->layers[descent->layer].parts[TENSOR_PART_SINKS];
    if (descent->taker == NULL || !architecture_needs(descent_plan(descent), TENSOR_PART_SINKS))
        return STATUS_OK;
    for (size_t h = 0; h < heads; h++) {
        double sum = 0.0;
        for (size_t s = 0; s < descent->count; s++) sum += sinks[s * heads + h];
        descent->norm_gradients[h] = (float)sum;
    }
    return descent_give_vector(descent, tensor->role, tensor, descent->norm_gradients, heads, error);
}

static void turn_mixed(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    turn_slopes(descent, token, descent_slope(descent, SLOPE_MIXED, sequence, token),
                descent_plan(descent)->heads, false);
}

/* From SLOPE_MIXED to queries and keys as they were turned, and entries. */
static Status descend_attention(const Descent *descent, Error *error) {
    const LayerPlan *plan = descent_plan(descent);
    size_t tasks;
    HeadBlocks blocks = {descent, memory_allocate(descent->count, (size_t)plan->heads * sizeof(double))};
    if (blocks.sinks == NULL || !memory_multiply(descent->count, block_compressed_blocks(plan), &tasks)) {
        free(blocks.sinks);
        return memory_fail(error, "attention");
    }
    Status status = descent_for_tokens(descent, turn_mixed, error);
    if (status == STATUS_OK) status = job_run(descent->job, tasks, descend_heads, &blocks, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, join_parts, error);
    if (status == STATUS_OK) status = give_sinks(descent, blocks.sinks, error);
    free(blocks.sinks);
    return status;
}

/* ---- queries and keys ---- */

static Norm part_norm(const Descent *descent, TensorPart part, BackwardSite site) {
    return (Norm){.kind = NORM_RMS,
                  .weight = forward_part(descent->backward->state, descent->layer, part),
                  .size = backward_site_width(descent_plan(descent), site),
                  .epsilon = descent_config(descent)->norm_epsilon};
}

/* Through a norm, in place. */
static void descend_norm(const Descent *descent, const Norm *norm, const float *x, float *slope,
                         unsigned worker) {
    float *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    memset(through, 0, norm->size * sizeof *through);
    norm_backward(norm, x, slope, through);
    memcpy(slope, through, norm->size * sizeof *slope);
}

static void descend_query(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const LayerPlan *plan = descent_plan(descent);
    const Norm bare = block_compressed_query_norm(descent_config(descent), plan);
    const float *raw = descent_activation(descent, BACKWARD_QUERY, sequence, token);
    float *slope = descent_slope(descent, SLOPE_QUERY, sequence, token);
    turn_slopes(descent, token, slope, plan->heads, true);
    turn_slopes(descent, token, descent_slope(descent, SLOPE_KEY, sequence, token), 1, true);
    for (uint64_t h = 0; h < plan->heads; h++)
        descend_norm(descent, &bare, raw + h * bare.size, slope + h * bare.size, worker);
}

static void descend_latent(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = part_norm(descent, TENSOR_PART_QUERY_NORM, BACKWARD_QUERY_LATENT);
    descend_norm(descent, &norm, descent_activation(descent, BACKWARD_QUERY_LATENT, sequence, token),
                 descent_slope(descent, SLOPE_QUERY_LATENT, sequence, token), worker);
}

static void descend_key(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = part_norm(descent, TENSOR_PART_SHARED_KEY_NORM, BACKWARD_KEY);
    descend_norm(descent, &norm, descent_activation(descent, BACKWARD_KEY, sequence, token),
                 descent_slope(descent, SLOPE_KEY, sequence, token), worker);
}

static Status give_query(const Descent *descent, TensorRole role, const float *inputs, size_t columns,
                         Slope slope, Error *error) {
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = descent->backward->model->layers[descent->layer].tensors[role],
                         .role = role,
                         .tokens = descent->tokens,
                         .columns = columns,
                         .rows = descent_slope_width(descent, slope),
                         .inputs = inputs,
                         .gradients = descent->backward->slopes[slope]};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

static Status descend_queries(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const Norm norm = part_norm(descent, TENSOR_PART_QUERY_NORM, BACKWARD_QUERY_LATENT);
    Status status = descent_for_tokens(descent, descend_query, error);
    if (status == STATUS_OK)
        status = give_query(descent, TENSOR_Q_B, backward->state->buffers[BUFFER_QUERY_LATENT], norm.size,
                            SLOPE_QUERY, error);
    if (status == STATUS_OK)
        status = descent_project(descent, TENSOR_Q_B, SLOPE_QUERY, SLOPE_QUERY_LATENT, false, error);
    if (status == STATUS_OK)
        status =
            descent_give_part_norm(descent, TENSOR_PART_QUERY_NORM, norm,
                                   backward->activations[BACKWARD_QUERY_LATENT], SLOPE_QUERY_LATENT, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_latent, error);
    if (status == STATUS_OK)
        status = give_query(descent, TENSOR_Q_A, descent->normed, descent_config(descent)->hidden_size,
                            SLOPE_QUERY_LATENT, error);
    return status == STATUS_OK ? descent_project(descent, TENSOR_Q_A, SLOPE_QUERY_LATENT, SLOPE_NORMED,
                                                 descent->accumulates, error)
                               : status;
}

Status backward_compressed_descend(const Descent *descent, Error *error) {
    Status status = descend_out(descent, error);
    if (status == STATUS_OK) status = descend_attention(descent, error);
    if (status == STATUS_OK) status = descend_queries(descent, error);
    if (status == STATUS_OK)
        status = descent_give_part_norm(descent, TENSOR_PART_SHARED_KEY_NORM,
                                        part_norm(descent, TENSOR_PART_SHARED_KEY_NORM, BACKWARD_KEY),
                                        descent->backward->activations[BACKWARD_KEY], SLOPE_KEY, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_key, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_SHARED_KEY, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_KEY, SLOPE_NORMED, true, error);
    return status == STATUS_OK && descent_plan(descent)->rate > 0 ? compressor_descend(descent, error)
                                                                  : status;
}
