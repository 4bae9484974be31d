#include "core/method/dormancy.h"

#include "core/evaluation/loss_head.h"
#include "core/support/memory.h"
#include "core/transformer/backward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_TOKENS = 1024 };

static const double SMALLEST_MEAN = 1e-9;
static const uint64_t GRADIENT_BUDGET = 256 << 20;

/* What activations are summed for. */
typedef struct Measuring {
    const ModelConfig *config;
    NeuronTable table;
    Dormancy *dormancy;
    size_t done; /* tokens of earlier calls */
} Measuring;

/* ---- sums of magnitudes ---- */

static void add_magnitudes(const float *values, size_t tokens, size_t width, double *sums) {
    for (size_t t = 0; t < tokens; t++) {
        for (size_t j = 0; j < width; j++) sums[j] += fabs((double)values[t * width + j]);
    }
}

/* Of rows of experts; a position that is not routed to one counts as 0 there. */
static void add_rows(const ExpertRows *rows, const float *values, size_t width, double *sums) {
    for (size_t r = 0; r < rows->count; r++)
        add_magnitudes(values + r * width, 1, width, sums + rows->expert[r] * width);
}

/* Where the sums of a matrix that every position passes are: of an MLP, or of a shared expert, behind all others. */
static double *common_sums(const NeuronTable *table, uint64_t layer, double *sums) {
    const NeuronExperts *experts = &table->experts;
    return neurons_has_experts(table, layer) ? sums + experts->count * experts->counts[NEURON_DOWN] : sums;
}

static void add_activations(void *user, const ForwardMoment *moment) {
    const Measuring *measuring = user;
    Dormancy *dormancy = measuring->dormancy;
    double *mlp = dormancy->mlp_scores + moment->layer * dormancy->mlp;
    if (moment->site == FORWARD_ACTIVATED)
        add_magnitudes(moment->values, moment->tokens, moment->width,
                       common_sums(&measuring->table, moment->layer, mlp));
    if (moment->site == FORWARD_ROUTED_ACTIVATED)
        add_rows(moment->rows, moment->values, moment->width / moment->rows->chosen, mlp);
    if (moment->site == FORWARD_CHOSEN || moment->site == FORWARD_WEIGHTS)
        routing_add(&dormancy->routing, moment, measuring->done);
    if (moment->site == FORWARD_MIXED && neurons_channels(measuring->config, moment->layer) > 0)
        add_magnitudes(moment->values, moment->tokens, moment->width,
                       dormancy->channel_scores + moment->layer * dormancy->channels);
}

typedef struct GradientSums {
    const NeuronTable *table;
    double *sums; /* [layers × mlp] */
    size_t mlp, tokens;
} GradientSums;

static Status add_gradients(void *user, const BackwardLayer *layer, Error *error) {
    (void)error;
    GradientSums *gradient = user;
    double *sums = gradient->sums + layer->layer * gradient->mlp;
    const BackwardExperts *experts = layer->experts;
    add_magnitudes(layer->gradients[BACKWARD_ACTIVATED], gradient->tokens, layer->width[BACKWARD_ACTIVATED],
                   common_sums(gradient->table, layer->layer, sums));
    if (experts != NULL)
        add_rows(experts->sequences, experts->gradients[BACKWARD_EXPERT_ACTIVATED],
                 experts->width[BACKWARD_EXPERT_ACTIVATED], sums);
    return STATUS_OK;
}

/* Σ → E → s, in place. */
static void score_layer(double *sums, size_t count, double tokens) {
    double mean = 0.0;
    for (size_t j = 0; j < count; j++) {
        sums[j] /= tokens;
        mean += sums[j];
    }
    mean /= (double)count;
    for (size_t j = 0; j < count; j++) sums[j] /= mean + SMALLEST_MEAN;
}

/* ---- activations ---- */

static Status run_rows(const Model *model, const Settings *settings, const EvaluationRow *rows, size_t count,
                       ForwardObserver observer, void *user, MatmulScratch *scratch, Job *job, Error *error) {
    size_t tokens = 0, at = 0;
    for (size_t i = 0; i < count; i++) tokens += rows[i].count;
    int32_t *ids = memory_allocate(tokens, sizeof *ids);
    size_t *starts = memory_allocate(tokens, sizeof *starts);
    ForwardState *state = NULL;
    Status status = ids == NULL || starts == NULL ? memory_fail(error, "dormancy") : STATUS_OK;
    if (status == STATUS_OK) status = forward_create_state(model, settings, tokens, &state, error);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            size_t start = at;
            for (size_t t = 0; t < rows[i].count; t++, at++) {
                ids[at] = rows[i].ids[t];
                starts[at] = start;
            }
        }
        ForwardInput input = {.ids = ids,
                              .starts = starts,
                              .count = tokens,
                              .stage = "dormancy",
                              .observer = observer,
                              .user = user};
        status = forward_run(&state, 1, &input, scratch, job, error);
    }
    forward_free_state(state);
    free(starts);
    free(ids);
    return status;
}

static Status sum_activations(const Model *model, const Settings *settings, const EvaluationRow *rows,
                              size_t row_count, Dormancy *dormancy, Job *job, Error *error) {
    MatmulScratch *scratch;
    Measuring measuring = {model->config, neurons_list(model->config), dormancy, 0};
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    for (size_t at = 0; at < row_count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0;
        while (at + count < row_count && (count == 0 || tokens + rows[at + count].count <= GROUP_TOKENS))
            tokens += rows[at + count++].count;
        status =
            run_rows(model, settings, rows + at, count, add_activations, &measuring, scratch, job, error);
        measuring.done += tokens;
        at += count;
    }
    matmul_free_scratch(scratch);
    return status;
}

/* ---- gradients ---- */

/* `gradient` begins at the row's first token. The 1/N of the mean cancels but for the 1e-9: it is applied at the end. */
static Status start_span(LossHead *head, const Backward *backward, const EvaluationRow *row, size_t index,
                         EvaluationSpan span, size_t width, float *gradient, Error *error) {
    Status status = STATUS_OK;
    for (size_t t = span.first; t < span.end && t + 1 < row->count && status == STATUS_OK; t++) {
        const LossHeadPosition position = {.residual = backward_residual(backward, index, t),
                                           .gradient = gradient + t * width,
                                           .next = row->ids[t + 1],
                                           .weight = 1.0F};
        backward_hidden(backward, index, t, loss_head_place(head));
        status = loss_head_add(head, &position, error);
    }
    return status;
}

static Status start_gradients(LossHead *head, const Backward *backward, const EvaluationRow *rows,
                              size_t count, size_t width, float *gradient, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        for (size_t s = 0; s < evaluation_row_spans(&rows[i]) && status == STATUS_OK; s++)
            status = start_span(head, backward, &rows[i], i, evaluation_row_span(&rows[i], s), width,
                                gradient, error);
        gradient += rows[i].count * width;
    }
    return status == STATUS_OK ? loss_head_finish(head, error) : status;
}

/* Rows of a model that gradients go down through together. */
typedef struct GradientPass {
    const Model *model;
    const Settings *settings;
    LossHead *head;
    NeuronTable table;
    size_t mlp; /* columns of the sums */
    Job *job;
} GradientPass;

static Status run_gradient_group(const GradientPass *pass, const EvaluationRow *rows, size_t count,
                                 size_t tokens, double *sums, Error *error) {
    size_t width = pass->model->config->hidden_size;
    BackwardRow *back_rows = memory_allocate(count, sizeof *back_rows);
    BackwardSequence *sequences = memory_allocate(count, sizeof *sequences);
    float *gradient = memory_allocate(tokens, width * sizeof *gradient);
    Backward *backward = NULL;
    Status status = STATUS_OK;
    if (back_rows == NULL || sequences == NULL || gradient == NULL) status = memory_fail(error, "gradients");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        back_rows[i] = (BackwardRow){.ids = rows[i].ids, .count = rows[i].count};
        sequences[i] = (BackwardSequence){i, rows[i].count};
    }
    GradientSums user = {&pass->table, sums, pass->mlp, tokens};
    uint64_t taken = backward_bytes(pass->model, tokens, tokens),
             kept = taken < GRADIENT_BUDGET ? GRADIENT_BUDGET - taken : 0;
    if (status == STATUS_OK)
        status = backward_create_groups(pass->model, pass->settings, back_rows, count, SIZE_MAX, kept,
                                        "gradient dormancy", pass->job, &backward, error);
    if (status == STATUS_OK)
        status = start_gradients(pass->head, backward, rows, count, width, gradient, error);
    if (status == STATUS_OK)
        status = backward_run(backward, sequences, count, gradient, add_gradients, &user, "gradient dormancy",
                              pass->job, error);
    backward_free(backward);
    free(gradient);
    free(sequences);
    free(back_rows);
    return status;
}

Status dormancy_check_gradient(const Model *model, Error *error) {
    Status status = forward_check_logits(model, error);
    return status == STATUS_OK ? backward_check_model(model, error) : status;
}

static Status sum_all_gradients(const Model *model, const Settings *settings, const EvaluationRow *rows,
                                size_t row_count, const Dormancy *dormancy, Job *job, Error *error) {
    GradientPass pass = {model, settings, NULL, neurons_list(model->config), dormancy->mlp, job};
    double *sums = dormancy->gradient_scores;
    Status status = loss_head_open(model, settings, NULL, NULL, job, &pass.head, error);
    for (size_t at = 0; at < row_count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0, longest = 0;
        while (at + count < row_count) {
            size_t own = rows[at + count].count, more = tokens + own;
            if (count > 0 && backward_bytes(model, more, more) > GRADIENT_BUDGET) break;
            tokens = more;
            if (own > longest) longest = own;
            count++;
        }
        status = backward_check_tokens(model, tokens, longest, job_threads(job), error);
        if (status == STATUS_OK) status = run_gradient_group(&pass, rows + at, count, tokens, sums, error);
        at += count;
    }
    loss_head_close(pass.head);
    return status;
}

/* What the model, or texts so long, have no way back for is not known: all else is. */
static Status sum_gradients(const Model *model, const Settings *settings, const EvaluationRow *rows,
                            size_t row_count, Dormancy *dormancy, Job *job, Error *error) {
    Error *why = &dormancy->no_gradient;
    *why = (Error){0};
    Status status = dormancy_check_gradient(model, why);
    if (status == STATUS_OK) status = sum_all_gradients(model, settings, rows, row_count, dormancy, job, why);
    if (status != STATUS_UNSUPPORTED) {
        if (status != STATUS_OK && error != NULL) *error = *why;
        *why = (Error){0};
        return status;
    }
    for (size_t i = 0; i < (size_t)dormancy->layers * dormancy->mlp; i++) dormancy->gradient_scores[i] = NAN;
    return STATUS_OK;
}

/* ---- results ---- */

size_t dormancy_count_responses(const EvaluationRow *rows, size_t row_count) {
    size_t tokens = 0;
    for (size_t i = 0; i < row_count; i++) tokens += evaluation_row_predictions(&rows[i]);
    return tokens;
}

static Status make_result(const Model *model, const Settings *settings, const EvaluationRow *rows,
                          size_t row_count, bool with_gradient, Dormancy *dormancy, Error *error) {
    const ModelConfig *config = model->config;
    *dormancy = (Dormancy){.layers = config->layers,
                           .mlp = neurons_widest_mlp(config),
                           .channels = neurons_widest_channels(config),
                           .heads = neurons_most_heads(config)};
    for (size_t i = 0; i < row_count; i++) dormancy->tokens += rows[i].count;
    dormancy->response_tokens = dormancy_count_responses(rows, row_count);
    dormancy->mlp_scores = memory_allocate(config->layers, dormancy->mlp * sizeof(double));
    dormancy->channel_scores = memory_allocate(config->layers, dormancy->channels * sizeof(double));
    dormancy->head_scores = memory_allocate(config->layers, dormancy->heads * sizeof(double));
    if (with_gradient)
        dormancy->gradient_scores = memory_allocate(config->layers, dormancy->mlp * sizeof(double));
    bool complete = dormancy->mlp_scores != NULL && dormancy->channel_scores != NULL &&
                    dormancy->head_scores != NULL && (!with_gradient || dormancy->gradient_scores != NULL);
    if (!complete) return memory_fail(error, "dormancy");
    NeuronTable table = neurons_list(config);
    /* one side may choose more experts than the other */
    return routing_open(forward_side(model, settings)->config, &table, dormancy->tokens, &dormancy->routing,
                        error);
}

/* Of all neurons of a layer; what a narrower one has beyond its own is none. */
static void score_all_of(double *sums, size_t width, size_t most, double tokens) {
    score_layer(sums, width, tokens);
    for (size_t j = width; j < most; j++) sums[j] = NAN;
}

/* A head's score is the mean of its channels'. */
static void score_heads(const double *channels, size_t width, size_t count, size_t most, double *heads) {
    for (size_t h = 0; h < most; h++) {
        size_t own = h < count ? width / count : 0;
        double sum = 0.0;
        for (size_t c = 0; c < own; c++) sum += channels[h * own + c];
        heads[h] = own > 0 ? sum / (double)own : NAN;
    }
}

/* Sums become scores. */
static void score_sums(const ModelConfig *config, Dormancy *dormancy) {
    for (uint64_t layer = 0; layer < dormancy->layers; layer++) {
        double *channels = dormancy->channel_scores + layer * dormancy->channels;
        size_t mlp = (size_t)neurons_mlp_width(config, layer),
               mixed = (size_t)neurons_channels(config, layer);
        score_all_of(dormancy->mlp_scores + layer * dormancy->mlp, mlp, dormancy->mlp,
                     (double)dormancy->tokens);
        score_all_of(channels, mixed, dormancy->channels, (double)dormancy->tokens);
        score_heads(channels, mixed, (size_t)neurons_heads(config, layer), dormancy->heads,
                    dormancy->head_scores + layer * dormancy->heads);
        if (dormancy->gradient_scores != NULL)
            score_all_of(dormancy->gradient_scores + layer * dormancy->mlp, mlp, dormancy->mlp,
                         (double)dormancy->tokens * (double)dormancy->response_tokens);
    }
}

Status dormancy_run(const Model *model, const Settings *settings, const EvaluationRow *rows, size_t row_count,
                    bool with_gradient, Dormancy *dormancy, Job *job, Error *error) {
    *dormancy = (Dormancy){0};
    Status status = neurons_check_model(model, error);
    if (status == STATUS_OK)
        status = make_result(model, settings, rows, row_count, with_gradient, dormancy, error);
    if (status == STATUS_OK) status = sum_activations(model, settings, rows, row_count, dormancy, job, error);
    if (status == STATUS_OK && with_gradient)
        status = sum_gradients(model, settings, rows, row_count, dormancy, job, error);
    if (status == STATUS_OK)
        score_sums(model->config, dormancy);
    else
        dormancy_free(dormancy);
    return status;
}

void dormancy_free(Dormancy *dormancy) {
    free(dormancy->mlp_scores);
    free(dormancy->channel_scores);
    free(dormancy->head_scores);
    free(dormancy->gradient_scores);
    routing_free(&dormancy->routing);
    *dormancy = (Dormancy){0};
}

bool dormancy_has_gradient(const Dormancy *dormancy) {
    size_t i = 0, count = dormancy->gradient_scores == NULL ? 0 : (size_t)dormancy->layers * dormancy->mlp;
    while (i < count && isnan(dormancy->gradient_scores[i])) i++;
    return i < count;
}

double dormancy_share(const double *scores, size_t count, double tau) {
    size_t dormant = 0, known = 0;
    for (size_t i = 0; i < count; i++) {
        dormant += scores[i] <= tau;
        known += isnan(scores[i]) ? 0 : 1;
    }
    return known > 0 ? (double)dormant / (double)known : NAN;
}
