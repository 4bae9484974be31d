#include "core/method/attribution_experts.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The scores of a target that begin with expert 0's of a module. */
static float *scores_of(const AttributionExperts *of, size_t target, NeuronModule module) {
    return of->scores + target * of->neurons + neurons_find_block(of->table, of->layer->layer, module).first;
}

/* ---- rows: gate and up ---- */

typedef struct RowScoring {
    const AttributionExperts *of;
    BackwardExpertSite site;
    NeuronModule module;
    double *sums; /* [workers × experts · width] */
} RowScoring;

static void score_target(void *argument, size_t target, unsigned worker) {
    const RowScoring *scoring = argument;
    const AttributionExperts *of = scoring->of;
    const BackwardExperts *experts = of->layer->experts;
    const BackwardSequence *sequence = &of->sequences[target];
    size_t width = experts->width[scoring->site], chosen = experts->rows->chosen,
           all = experts->rows->experts * width;
    double *sums = scoring->sums + worker * all;
    float *scores = scores_of(of, target, scoring->module);
    memset(sums, 0, all * sizeof *sums);
    for (size_t i = 0; i < sequence->tokens * chosen; i++) {
        size_t there = experts->rows->row_of[of->row_first[sequence->row] * chosen + i],
               own = experts->sequences->row_of[of->first[target] * chosen + i];
        const float *x = experts->activations[scoring->site] + there * width,
                    *g = experts->gradients[scoring->site] + own * width;
        double *sum = sums + experts->sequences->expert[own] * width;
        for (size_t j = 0; j < width; j++) sum[j] += fabs((double)x[j] * (double)g[j]);
    }
    for (size_t j = 0; j < all; j++) scores[j] = (float)sums[j];
}

static Status score_rows(const AttributionExperts *of, BackwardExpertSite site, NeuronModule module,
                         Error *error) {
    size_t width = of->layer->experts->width[site], all;
    if (width == 0) return STATUS_OK;
    if (!memory_multiply(of->layer->experts->rows->experts, width * sizeof(double), &all))
        return memory_fail(error, "attribution");
    RowScoring scoring = {of, site, module, memory_allocate(job_threads(of->job), all)};
    if (scoring.sums == NULL) return memory_fail(error, "attribution");
    Status status = job_run(of->job, of->count, score_target, &scoring, error);
    free(scoring.sums);
    return status;
}

/* ---- columns: down ---- */

/* The experts of the targets' own positions: rows of them, and the rows of all positions that they were. */
static Status sort_targets(const AttributionExperts *of, ExpertRows *rows, Error *error) {
    const ExpertRows *all = of->layer->experts->rows;
    size_t chosen = all->chosen;
    float *numbers = memory_allocate(of->count, chosen * sizeof *numbers),
          *weights = memory_allocate(of->count, chosen * sizeof *weights);
    Status status = numbers == NULL || weights == NULL ? memory_fail(error, "attribution") : STATUS_OK;
    for (size_t i = 0; i < of->count * chosen && status == STATUS_OK; i++) {
        const BackwardSequence *sequence = &of->sequences[i / chosen];
        size_t token = of->row_first[sequence->row] + sequence->tokens - 1;
        size_t row = all->row_of[token * chosen + i % chosen];
        numbers[i] = (float)all->expert[row];
        weights[i] = all->weights[row];
    }
    if (status == STATUS_OK)
        status = expert_rows_sort(rows, all->experts, chosen, of->count, numbers, weights, error);
    free(numbers);
    free(weights);
    return status;
}

/* W[:,j]·d of each row's expert and target, in out[rows × width]. */
static Status multiply(const AttributionExperts *of, const ExpertRows *rows, float *out, Error *error) {
    const ModelExperts *experts = &of->model->layers[of->layer->layer].experts;
    size_t width = of->layer->experts->width[BACKWARD_EXPERT_ACTIVATED], count = 0;
    MatmulProduct *products = memory_allocate(rows->experts, sizeof *products);
    if (products == NULL) return memory_fail(error, "attribution");
    for (size_t e = 0; e < rows->experts; e++) {
        size_t first = rows->firsts[e], own = rows->firsts[e + 1] - first;
        if (own == 0) continue;
        products[count++] = (MatmulProduct){
            .operand = {.blend = settings_blend(of->settings, experts->list[e].matrices[EXPERT_DOWN]),
                        .x = of->directions,
                        .picked = rows->tokens + first,
                        .y = out + first * width},
            .tokens = own,
            .is_back = !experts->is_down_transposed};
    }
    Status status = matmul_run_each(products, count, false, of->scratch, of->job, error);
    free(products);
    return status;
}

static void score_columns(const AttributionExperts *of, const ExpertRows *rows, const float *columns) {
    const BackwardExperts *experts = of->layer->experts;
    size_t width = experts->width[BACKWARD_EXPERT_ACTIVATED], chosen = rows->chosen;
    for (size_t i = 0; i < of->count; i++) {
        const BackwardSequence *sequence = &of->sequences[i];
        size_t token = of->row_first[sequence->row] + sequence->tokens - 1;
        float *scores = scores_of(of, i, NEURON_DOWN);
        memset(scores, 0, rows->experts * width * sizeof *scores);
        for (size_t k = 0; k < chosen; k++) {
            size_t row = rows->row_of[i * chosen + k];
            float weight = experts->scales_input ? 1.0F : rows->weights[row];
            const float *x = experts->activations[BACKWARD_EXPERT_ACTIVATED] +
                             experts->rows->row_of[token * chosen + k] * width;
            float *own = scores + rows->expert[row] * width;
            for (size_t j = 0; j < width; j++) own[j] += fabsf(weight * x[j] * columns[row * width + j]);
        }
    }
}

static Status score_down(const AttributionExperts *of, Error *error) {
    size_t width = of->layer->experts->width[BACKWARD_EXPERT_ACTIVATED];
    ExpertRows rows = {0};
    Status status = sort_targets(of, &rows, error);
    float *columns = memory_allocate_aligned(rows.count, width * sizeof *columns);
    if (status == STATUS_OK && columns == NULL) status = memory_fail(error, "attribution");
    if (status == STATUS_OK) status = multiply(of, &rows, columns, error);
    if (status == STATUS_OK) score_columns(of, &rows, columns);
    free(columns);
    expert_rows_free(&rows);
    return status;
}

Status attribution_experts_score(const AttributionExperts *of, Error *error) {
    Status status = score_rows(of, BACKWARD_EXPERT_GATE, NEURON_GATE, error);
    if (status == STATUS_OK) status = score_rows(of, BACKWARD_EXPERT_UP, NEURON_UP, error);
    if (status == STATUS_OK) status = score_rows(of, BACKWARD_EXPERT_GATE_UP, NEURON_GATE_UP, error);
    return status == STATUS_OK ? score_down(of, error) : status;
}
