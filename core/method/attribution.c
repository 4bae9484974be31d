#include "core/method/attribution.h"

#include "core/fusion/neurons.h"
#include "core/fusion/neurons_tensor.h"
#include "core/method/attribution_experts.h"
#include "core/method/attribution_rank.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t DEFAULT_BUDGET = 256 << 20;

size_t attribution_cut(size_t neurons, double rho) {
    double cut = floor(rho * (double)neurons + 0.5);
    return !(cut > 0.0) ? 0 : cut > (double)neurons ? neurons : (size_t)cut;
}

/* ---- a group of targets on its way down ---- */

typedef struct Group {
    const Model *model;
    NeuronTable table;
    size_t neurons;    /* M */
    Settings settings; /* the SFT model's */
    AttributionTarget *targets;
    BackwardSequence *sequences;
    size_t *row_first; /* [distinct rows]: its first token among the group's */
    size_t *first;     /* [count]: a sequence's first token among those of all sequences */
    size_t count;
    float *directions; /* [count × hidden_size]: on the stream, as far down as it is */
    float *behind;     /* the same, at what a block gives */
    size_t *tokens;    /* [count]: a target's own, among those of all rows */
    float *streams;    /* [count × streams · hidden_size]: directions on all streams; NULL: there is one */
    float *scores;     /* [count × M] */
    MatmulScratch *scratch;
    float *columns; /* [count × widest]: W[:,j]·d of one module */
    Job *job;
} Group;

/* A module whose neurons are output rows, for all targets of a group. */
typedef struct RowScoring {
    const Group *group;
    const BackwardLayer *layer;
    BackwardSite site;
    size_t first_neuron;
} RowScoring;

enum { SCORED_ROWS = 256 /* at once: their sums stay in the L1 cache */ };

static void add_magnitudes(const float *x, const float *g, size_t count, double *sums) {
    for (size_t j = 0; j < count; j++) sums[j] += fabs((double)x[j] * (double)g[j]);
}

/* Σ_s |x_j(s)·g_j(s)| over the target's positions, for every output row j. */
static void score_target_rows(void *argument, size_t target, unsigned worker) {
    (void)worker;
    const RowScoring *scoring = argument;
    const Group *group = scoring->group;
    const BackwardSequence *sequence = &group->sequences[target];
    size_t width = scoring->layer->width[scoring->site];
    const float *x = scoring->layer->activations[scoring->site] + group->row_first[sequence->row] * width;
    const float *g = scoring->layer->gradients[scoring->site] + group->first[target] * width;
    float *scores = group->scores + target * group->neurons + scoring->first_neuron;
    for (size_t at = 0; at < width; at += SCORED_ROWS) {
        double sums[SCORED_ROWS] = {0};
        size_t count = width - at < SCORED_ROWS ? width - at : SCORED_ROWS;
        for (size_t s = 0; s < sequence->tokens; s++)
            add_magnitudes(x + s * width + at, g + s * width + at, count, sums);
        for (size_t j = 0; j < count; j++) scores[at + j] = (float)sums[j];
    }
}

static Status score_rows(const Group *group, const BackwardLayer *layer, BackwardSite site,
                         size_t first_neuron, Error *error) {
    RowScoring scoring = {group, layer, site, first_neuron};
    return job_run(group->job, group->count, score_target_rows, &scoring, error);
}

/* The directions at what a block gives: d, through the scale of the block and the norm behind it, whose own scale is
 * taken as it is: d ⊙ γ / σ, less its mean where the norm takes off one. */
static const float *directions_at(const Group *group, const BackwardLayer *layer, TensorRole role) {
    int block = role == TENSOR_DOWN;
    const float *outputs = layer->outputs[block];
    float scale = layer->scales[block];
    size_t width = group->model->config->hidden_size;
    if (outputs == NULL && scale == 1.0F) return group->directions;
    for (size_t i = 0; i < group->count; i++) {
        const BackwardSequence *sequence = &group->sequences[i];
        const float *from = group->directions + i * width;
        float *to = group->behind + i * width;
        size_t token = group->row_first[sequence->row] + sequence->tokens - 1;
        if (outputs != NULL)
            norm_direct(&layer->norms[block], outputs + token * width, from, to);
        else
            memcpy(to, from, width * sizeof *to);
        for (size_t c = 0; c < width; c++) to[c] *= scale;
    }
    return group->behind;
}

/* |x_j(t) · (W[:,j]·d)| for every input column j of a module: W[:,j]·d for all targets is one multiply, D·W. What the
 * module gives is multiplied by shares[t], where there are some. */
static Status score_columns(const Group *group, const BackwardLayer *layer, BackwardSite site,
                            const PairTensor *tensor, const float *directions, const float *shares,
                            size_t first_neuron, Error *error) {
    MatmulOperand operand = {
        .blend = settings_blend(&group->settings, tensor), .x = directions, .y = group->columns};
    Status status =
        group->model->config->is_transposed
            ? matmul_run(&operand, 1, group->count, group->scratch, group->job, error)
            : matmul_run_back(&operand, 1, group->count, false, group->scratch, group->job, error);
    size_t width = layer->width[site];
    for (size_t i = 0; i < group->count && status == STATUS_OK; i++) {
        size_t token = group->row_first[group->sequences[i].row] + group->sequences[i].tokens - 1;
        const float *x = layer->activations[site] + token * width;
        float *scores = group->scores + i * group->neurons + first_neuron;
        float share = shares == NULL ? 1.0F : shares[token];
        for (size_t j = 0; j < width; j++) scores[j] = fabsf(share * x[j] * group->columns[i * width + j]);
    }
    return status;
}

/* The module's matrix in a layer: of all of it, or the shared expert's. */
static Status score_module(const Group *group, const BackwardLayer *layer, NeuronModule module,
                           Error *error) {
    static const BackwardSite SITES[NEURON_MODULE_COUNT] = {
        [NEURON_Q] = BACKWARD_QUERY,        [NEURON_K] = BACKWARD_KEY,   [NEURON_V] = BACKWARD_VALUE,
        [NEURON_GATE] = BACKWARD_GATE,      [NEURON_UP] = BACKWARD_UP,   [NEURON_O] = BACKWARD_MIXED,
        [NEURON_DOWN] = BACKWARD_ACTIVATED, [NEURON_QKV] = BACKWARD_QKV, [NEURON_GATE_UP] = BACKWARD_GATE_UP};
    NeuronBlock block = neurons_find_block(&group->table, layer->layer, module);
    bool is_shared = neurons_has_matrices(&group->table, &block);
    NeuronBlock matrix = is_shared ? neurons_of_expert(&group->table, &block, NEURONS_SHARED) : block;
    const NeuronFacts *facts = neurons_facts(module);
    if (matrix.count == 0) return STATUS_OK;
    if (!facts->are_inputs) return score_rows(group, layer, SITES[module], matrix.first, error);
    return score_columns(group, layer, SITES[module], neurons_tensor_weight(group->model, &matrix),
                         directions_at(group, layer, facts->weight),
                         is_shared ? layer->experts->shares : NULL, matrix.first, error);
}

/* Those that positions are routed to; a position's shared expert is a matrix like others. */
static Status score_experts(const Group *group, const BackwardLayer *layer, Error *error) {
    const AttributionExperts experts = {.model = group->model,
                                        .table = &group->table,
                                        .settings = &group->settings,
                                        .layer = layer,
                                        .sequences = group->sequences,
                                        .row_first = group->row_first,
                                        .first = group->first,
                                        .count = group->count,
                                        .directions = directions_at(group, layer, TENSOR_DOWN),
                                        .scores = group->scores,
                                        .neurons = group->neurons,
                                        .scratch = group->scratch,
                                        .job = group->job};
    return attribution_experts_score(&experts, error);
}

static BackwardDirections all_directions(const Group *group) {
    return (BackwardDirections){group->tokens, group->count, group->directions, group->streams};
}

/* Of all targets past a block, on the stream. */
static void pass_block(const Group *group, const BackwardPast *past) {
    size_t width = group->model->config->hidden_size;
    for (size_t i = 0; i < group->count; i++) {
        const BackwardSequence *sequence = &group->sequences[i];
        backward_direct(past, group->row_first[sequence->row] + sequence->tokens - 1, width,
                        group->directions + i * width);
    }
}

/* The MLP's with the directions as they leave the layer, and attention's as they are before the MLP; side by side both with
 * the same, of which nothing is scaled then. */
static Status score_layer(void *user, const BackwardLayer *layer, Error *error) {
    const Group *group = user;
    const BackwardDirections directions = all_directions(group);
    Status status = backward_direct_enter(layer, &directions, error);
    for (size_t i = 0; i < group->count * group->model->config->hidden_size; i++)
        group->directions[i] *= layer->end_scale;
    bool has_experts = layer->experts != NULL && layer->experts->rows->experts > 0;
    if (status == STATUS_OK && has_experts) status = score_experts(group, layer, error);
    for (int module = 0; module < NEURON_MODULE_COUNT && status == STATUS_OK; module++)
        if (module != NEURON_O) status = score_module(group, layer, (NeuronModule)module, error);
    if (status != STATUS_OK) return status;
    pass_block(group, &layer->past[1]);
    status = score_module(group, layer, NEURON_O, error);
    pass_block(group, &layer->past[0]);
    return status == STATUS_OK ? backward_direct_leave(layer, &directions, error) : status;
}

/* d of each target, the gradient of its logit at the residual stream where the final norm's scale is taken as it is:
 * w_y through the logits' own scale and cap, ⊙ γ / σ (norm_direct()); at its own position, and the two logits. */
static void make_directions(const Group *group, const Backward *backward, float *gradient) {
    const Model *model = group->model;
    size_t width = model->config->hidden_size, token = 0;
    const Norm norm = backward_final_norm(backward);
    Blend head = settings_blend(&group->settings, model->whole.tensors[TENSOR_HEAD]);
    for (size_t i = 0; i < group->count; i++) {
        AttributionTarget *target = &group->targets[i];
        const BackwardSequence *sequence = &group->sequences[i];
        const float *h = backward_residual(backward, sequence->row, target->position);
        float *direction = group->directions + i * width;
        token += sequence->tokens;
        float *own = gradient + (token - 1) * width; /* of the hidden state until it is the direction's */
        backward_hidden(backward, sequence->row, target->position, own);
        target->logit = (double)forward_logit(model, &group->settings, own, target->token);
        blend_rows(&head, (size_t)target->token, 1, own);
        norm_direct(&norm, h, own, direction);
        float slope = forward_logit_slope(model, forward_side(model, &group->settings)->config,
                                          (size_t)target->token, target->logit);
        double linear = 0.0;
        for (size_t c = 0; c < width; c++) {
            direction[c] *= slope;
            linear += (double)direction[c] * (double)h[c];
        }
        target->logit_linear = linear;
        memcpy(own, direction, width * sizeof *direction);
    }
}

/* ---- groups ---- */

/* The rows that targets [0, count) touch, in order of first use; sequences[i].row indexes into them. */
static size_t list_rows(const EvaluationRow *rows, const AttributionTarget *targets, size_t count,
                        BackwardSequence *sequences, BackwardRow *used, size_t *used_index) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < found && used_index[at] != targets[i].row) at++;
        if (at == found) {
            used_index[found] = targets[i].row;
            used[found++] = (BackwardRow){.ids = rows[targets[i].row].ids};
        }
        /* nothing after the last target of a row matters */
        if (used[at].count < targets[i].position + 1) used[at].count = targets[i].position + 1;
        sequences[i] = (BackwardSequence){.row = at, .tokens = targets[i].position + 1};
    }
    return found;
}

/* Of a backward pass for so many tokens of rows and of sequences, and so many scores. */
static uint64_t count_bytes(const Model *model, size_t row_tokens, size_t sequence_tokens, size_t scores) {
    uint64_t bytes;
    if (__builtin_add_overflow(backward_bytes(model, row_tokens, sequence_tokens),
                               (uint64_t)scores * sizeof(float), &bytes))
        return UINT64_MAX;
    return bytes;
}

static Status run_group(Group *group, const EvaluationRow *rows, BackwardRow *used, size_t *used_index,
                        uint64_t budget, Error *error) {
    size_t row_count = list_rows(rows, group->targets, group->count, group->sequences, used, used_index);
    size_t tokens = 0, row_tokens = 0, width = group->model->config->hidden_size;
    for (size_t i = 0; i < group->count; i++) {
        group->first[i] = tokens;
        tokens += group->sequences[i].tokens;
    }
    for (size_t i = 0; i < row_count; i++) {
        group->row_first[i] = row_tokens;
        row_tokens += used[i].count;
    }
    for (size_t i = 0; i < group->count; i++)
        group->tokens[i] = group->row_first[group->sequences[i].row] + group->sequences[i].tokens - 1;
    Backward *backward = NULL;
    uint64_t taken = count_bytes(group->model, row_tokens, tokens, group->count * group->neurons),
             kept = taken < budget ? budget - taken : 0;
    Status status = backward_create_groups(group->model, &group->settings, used, row_count, SIZE_MAX, kept,
                                           "attribution, forward", group->job, &backward, error);
    float *gradient = memory_allocate(tokens, width * sizeof *gradient);
    if (status == STATUS_OK && gradient == NULL) status = memory_fail(error, "gradients");
    if (status == STATUS_OK) {
        make_directions(group, backward, gradient);
        const BackwardDirections directions = all_directions(group);
        status = backward_direct_end(backward, &directions, group->job, error);
    }
    if (status == STATUS_OK)
        status = backward_run(backward, group->sequences, group->count, gradient, score_layer, group,
                              "attribution, backward", group->job, error);
    free(gradient);
    backward_free(backward);
    return status;
}

/* An order of scores that are not all numbers says nothing. */
static Status check_scores(const Group *group, Error *error) {
    for (size_t i = 0; i < group->count * group->neurons; i++) {
        if (isfinite(group->scores[i])) continue;
        const AttributionTarget *target = &group->targets[i / group->neurons];
        NeuronBlock block = neurons_locate_matrix(&group->table, i % group->neurons);
        char name[NEURONS_NAME_SIZE];
        neurons_name_block(&block, name);
        return status_fail(
            error, STATUS_FORMAT,
            "row %zu, position %zu: the attribution of neurons of %s is not a finite number: the SFT "
            "model's weights, or what they make of the row, are not all finite",
            target->row, target->position, name);
    }
    return STATUS_OK;
}

/* How many more tokens of its row target `index` needs than the targets before it. */
static size_t count_new(const AttributionTarget *targets, size_t index) {
    size_t tokens = targets[index].position + 1, known = 0;
    for (size_t i = 0; i < index; i++)
        if (targets[i].row == targets[index].row && targets[i].position + 1 > known)
            known = targets[i].position + 1;
    return tokens > known ? tokens - known : 0;
}

/* How many targets from `first` on fit the budget, their scores of all neurons too; one at least. */
static size_t fit_group(const Model *model, const AttributionTarget *targets, size_t count, size_t neurons,
                        uint64_t budget) {
    size_t rows = 0, tokens = 0, fitting = 0;
    for (; fitting < count; fitting++) {
        rows += count_new(targets, fitting);
        tokens += targets[fitting].position + 1;
        if (fitting > 0 && count_bytes(model, rows, tokens, (fitting + 1) * neurons) > budget) break;
    }
    return fitting;
}

/* The most inputs that an o or a down has, in any layer; a shared expert may be wider than the MLPs. */
static uint64_t widest_module(const ModelConfig *config) {
    uint64_t widest = config->hidden_size;
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        uint64_t mixed = plan->heads * plan->value_dim;
        if (mixed > widest) widest = mixed;
        if (plan->intermediate_size > widest) widest = plan->intermediate_size;
    }
    return widest;
}

/* Everything of an attribution_run() that is freed at its end. */
typedef struct Workspace {
    BackwardSequence *sequences;
    BackwardRow *used;
    size_t *used_index, *row_first, *first, *tokens;
    float *directions, *behind, *streams, *columns, *scores;
    MatmulScratch *scratch;
} Workspace;

static Status open_workspace(Workspace *workspace, const Model *model, size_t count, size_t neurons,
                             const Job *job, Error *error) {
    Status status = matmul_create_scratch(job_threads(job), &workspace->scratch, error);
    if (status != STATUS_OK) return status;
    workspace->sequences = memory_allocate(count, sizeof *workspace->sequences);
    workspace->used = memory_allocate(count, sizeof *workspace->used);
    workspace->used_index = memory_allocate(count, sizeof *workspace->used_index);
    workspace->row_first = memory_allocate(count, sizeof *workspace->row_first);
    workspace->first = memory_allocate(count, sizeof *workspace->first);
    workspace->directions = memory_allocate_aligned(count, model->config->hidden_size * sizeof(float));
    workspace->behind = memory_allocate_aligned(count, model->config->hidden_size * sizeof(float));
    workspace->tokens = memory_allocate(count, sizeof *workspace->tokens);
    size_t streams = backward_direct_streams(model->sft.config), all;
    if (streams > 0 && memory_multiply(streams, model->config->hidden_size * sizeof(float), &all))
        workspace->streams = memory_allocate_aligned(count, all);
    workspace->columns = memory_allocate_aligned(count, widest_module(model->config) * sizeof(float));
    workspace->scores = memory_allocate(count, neurons * sizeof(float));
    bool complete = workspace->sequences != NULL && workspace->used != NULL &&
                    workspace->used_index != NULL && workspace->row_first != NULL &&
                    workspace->first != NULL && workspace->directions != NULL && workspace->behind != NULL &&
                    workspace->tokens != NULL && (streams == 0 || workspace->streams != NULL) &&
                    workspace->columns != NULL && workspace->scores != NULL;
    return complete ? STATUS_OK : memory_fail(error, "attribution");
}

static void close_workspace(Workspace *workspace) {
    free(workspace->sequences);
    free(workspace->used);
    free(workspace->used_index);
    free(workspace->row_first);
    free(workspace->first);
    free(workspace->directions);
    free(workspace->behind);
    free(workspace->tokens);
    free(workspace->streams);
    free(workspace->columns);
    free(workspace->scores);
    matmul_free_scratch(workspace->scratch);
}

static Status make_result(Attribution *attribution, const NeuronTable *table,
                          const AttributionTarget *targets, size_t count, bool keep_scores, Error *error) {
    size_t neurons = neurons_count(table);
    *attribution =
        (Attribution){.target_count = count, .neurons = neurons, .blocks = neurons_block_count(table)};
    attribution->targets = memory_allocate(count, sizeof *targets);
    attribution->best_rank = memory_allocate(neurons, sizeof *attribution->best_rank);
    attribution->best_target = memory_allocate(neurons, sizeof *attribution->best_target);
    attribution->best_score = memory_allocate(neurons, sizeof *attribution->best_score);
    attribution->masses = memory_allocate(attribution->blocks, sizeof *attribution->masses);
    bool has_shared = neurons_has_shared(table);
    if (has_shared)
        attribution->shared_masses = memory_allocate(attribution->blocks, sizeof *attribution->shared_masses);
    if (keep_scores) attribution->scores = memory_allocate(count, neurons * sizeof *attribution->scores);
    if (attribution->targets == NULL || attribution->best_rank == NULL || attribution->best_target == NULL ||
        attribution->best_score == NULL || attribution->masses == NULL ||
        (has_shared && attribution->shared_masses == NULL) || (keep_scores && attribution->scores == NULL))
        return memory_fail(error, "attribution");
    if (count > 0) memcpy(attribution->targets, targets, count * sizeof *targets);
    for (size_t i = 0; i < neurons; i++) attribution->best_rank[i] = INT32_MAX;
    return STATUS_OK;
}

void attribution_free(Attribution *attribution) {
    free(attribution->targets);
    free(attribution->best_rank);
    free(attribution->best_target);
    free(attribution->best_score);
    free(attribution->scores);
    free(attribution->masses);
    free(attribution->shared_masses);
    *attribution = (Attribution){0};
}

Status attribution_run(const Model *model, const EvaluationRow *rows, const AttributionTarget *targets,
                       size_t target_count, bool keep_scores, uint64_t budget, Attribution *attribution,
                       Job *job, Error *error) {
    *attribution = (Attribution){0};
    if (forward_check_logits(model, error) != STATUS_OK) return STATUS_UNSUPPORTED;
    if (neurons_check_model(model, error) != STATUS_OK) return STATUS_UNSUPPORTED;
    if (budget == 0) budget = DEFAULT_BUDGET;
    if (backward_check_model(model, error) != STATUS_OK) return STATUS_UNSUPPORTED;
    for (size_t i = 0; i < target_count; i++) {
        size_t tokens = targets[i].position + 1;
        if (backward_check_tokens(model, tokens, tokens, job_threads(job), error) != STATUS_OK)
            return status_add_context(error, "row %zu, a target at position %zu", targets[i].row,
                                      targets[i].position);
    }
    NeuronTable table = neurons_list(model->config);
    size_t neurons = neurons_count(&table), largest = 0;
    for (size_t at = 0, n; at < target_count; at += n) {
        n = fit_group(model, targets + at, target_count - at, neurons, budget);
        if (n > largest) largest = n;
    }
    Workspace workspace = {0};
    Status status = open_workspace(&workspace, model, largest, neurons, job, error);
    if (status == STATUS_OK)
        status = make_result(attribution, &table, targets, target_count, keep_scores, error);
    AttributionRanks ranks = {neurons, attribution->best_rank, attribution->best_target,
                              attribution->best_score};
    AttributionMass mass = {.shares = attribution->masses, .shared = attribution->shared_masses};
    for (size_t at = 0, n = 0; at < target_count && status == STATUS_OK; at += n) {
        n = fit_group(model, targets + at, target_count - at, neurons, budget);
        Group group = {.model = model,
                       .table = table,
                       .neurons = neurons,
                       .settings = {.alpha = 1.0},
                       .targets = attribution->targets + at,
                       .sequences = workspace.sequences,
                       .row_first = workspace.row_first,
                       .first = workspace.first,
                       .count = n,
                       .directions = workspace.directions,
                       .behind = workspace.behind,
                       .tokens = workspace.tokens,
                       .streams = workspace.streams,
                       .scores = workspace.scores,
                       .scratch = workspace.scratch,
                       .columns = workspace.columns,
                       .job = job};
        status = run_group(&group, rows, workspace.used, workspace.used_index, budget, error);
        if (status == STATUS_OK) status = check_scores(&group, error);
        if (status != STATUS_OK) break;
        if (keep_scores)
            memcpy(attribution->scores + at * attribution->neurons, workspace.scores,
                   n * attribution->neurons * sizeof(float));
        for (size_t i = 0; i < n; i++) attribution_mass_add(&mass, &table, workspace.scores + i * neurons);
        status = attribution_rank(&ranks, workspace.scores, at, n, job, error);
    }
    if (status == STATUS_OK) attribution_mass_finish(&mass, &table);
    close_workspace(&workspace);
    if (status != STATUS_OK) attribution_free(attribution);
    return status;
}
