#include "tui/figures/figure_method.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <string.h>

/* ---- options ---- */

#define OF(metric)  (1U << BLOCK_##metric)
#define OF_DORMANCY (OF(DORMANT_BASE) | OF(DORMANT_SFT) | OF(DORMANT_CHANGE))
#define OF_ROWS     (OF_DORMANCY | OF(GRADIENT_DORMANT) | OF(ATTRIBUTION_MASS))

static const struct {
    OptionId option;
    unsigned metrics; /* that it changes */
} TAKEN[] = {
    {OPTION_CALIBRATION, OF_ROWS | OF(RESET_SHARE)},
    {OPTION_TOKENIZER_FILE, OF_ROWS | OF(RESET_SHARE)},
    {OPTION_TAU, OF_DORMANCY},
    {OPTION_TAU_GRADIENT, OF(GRADIENT_DORMANT)},
    {OPTION_TARGETS, OF(ATTRIBUTION_MASS) | OF(RESET_SHARE)},
    {OPTION_RHO_RANGE, OF(RESET_SHARE)},
    {OPTION_SELECT, OF(RESET_SHARE)},
    {OPTION_SEED_DIRECTIONS, OF(RESET_SHARE)},
};

static bool is_of(BlockMetric metric, unsigned metrics) {
    return metric < BLOCK_METRIC_COUNT && (metrics >> metric & 1U) != 0;
}

Status figure_method_check(const Options *options, BlockMetric metric, Error *error) {
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
        if (options_has(options, TAKEN[i].option) && !is_of(metric, TAKEN[i].metrics))
            return status_fail(error, STATUS_ARGUMENT, "--%s does nothing in a figure of this metric",
                               option_facts(TAKEN[i].option)->name);
    if (is_of(metric, OF_ROWS) && !options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "--metric %s: expected --calibration FILE, the rows to measure neurons on",
                           block_metric_facts(metric)->key);
    if (metric != BLOCK_RESET_SHARE) return STATUS_OK;
    if (!dial_options_want_reset(options) || dial_options_rho(options)->count > 1)
        return status_fail(error, STATUS_ARGUMENT, "--metric %s: expected one --rho above 0, such as 1%%",
                           block_metric_facts(metric)->key);
    return dial_options_check(options, error);
}

/* ---- measuring ---- */

static Status measure_sources(Batch *batch, FigureMethod *method, Error *error) {
    BatchMethod *measured = &method->measured;
    BlockSources *sources = &method->sources;
    Status status = STATUS_OK;
    switch (method->metric) {
    case BLOCK_ATTRIBUTION_MASS:
        sources->attribution = &measured->attribution;
        return batch_method_attribute(batch, measured, error);
    case BLOCK_RESET_SHARE:
        status = batch_method_rank(batch, measured, error);
        sources->ranking = measured->ranking;
        if (status == STATUS_OK) sources->cut = settings_cut(&measured->settings);
        return status;
    case BLOCK_DORMANT_BASE:
    case BLOCK_DORMANT_CHANGE:
        sources->base = &measured->dormancy[SIDE_BASE];
        status = batch_method_measure_dormancy(batch, measured, SIDE_BASE, false, error);
        if (status != STATUS_OK || method->metric == BLOCK_DORMANT_BASE) return status;
        break;
    default:
        break;
    }
    sources->sft = &measured->dormancy[SIDE_SFT];
    return batch_method_measure_dormancy(batch, measured, SIDE_SFT, true, error);
}

Status figure_method_measure(Batch *batch, FigureMethod *method, Error *error) {
    method->sources =
        (BlockSources){.tau = options_value(batch->options, OPTION_TAU)->number,
                       .gradient_tau = options_value(batch->options, OPTION_TAU_GRADIENT)->number};
    Status status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &method->measured, error);
    if (status != STATUS_OK) return status;
    method->table = neurons_list(batch->model->config);
    return measure_sources(batch, method, error);
}

bool figure_method_value(const FigureMethod *method, const PairTensor *tensor, double *value) {
    BlockCell cell; /* of the map: all tensors of a role */
    if (!block_of_tensor(&method->table, tensor, true, &cell) ||
        !block_metric_applies_to(method->metric, &cell))
        return false;
    *value = block_metric_cell(method->metric, &method->sources, &cell);
    return true;
}

/* ---- words ---- */

void figure_method_write_note(const FigureMethod *method, char *text, size_t size) {
    bool is_gradient = method->metric == BLOCK_GRADIENT_DORMANT;
    text[0] = '\0';
    if (block_metric_has_tau(method->metric))
        (void)snprintf(text, size, "%s: at most τ = %.4g of the layer's mean",
                       is_gradient ? "gradient dormant" : "dormant",
                       is_gradient ? method->sources.gradient_tau : method->sources.tau);
    else if (method->metric == BLOCK_RESET_SHARE)
        (void)snprintf(text, size, "reset set: ρ = %.4g %% of all neurons, by %s",
                       method->measured.settings.rho * 100.0,
                       ranking_selector_name(method->measured.selector));
}

Status figure_method_describe(const FigureMethod *method, const char *description, char **text,
                              Error *error) {
    const BatchMethod *measured = &method->measured;
    if (measured->calibration == NULL)
        *text = memory_format("%s", description);
    else
        *text = memory_format("%s\nMeasured on %zu rows: %s, SHA-256 %s.", description,
                              measured->calibration->count, measured->calibration->source,
                              measured->calibration->sha256);
    return *text != NULL ? STATUS_OK : memory_fail(error, "a figure");
}

void figure_method_free(FigureMethod *method) {
    batch_method_free(&method->measured);
    *method = (FigureMethod){0};
}
