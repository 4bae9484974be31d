/*
 * figure_method — the method's metrics of layers and modules (block_metric.h), measured as `rejuv neurons` measures
 * them and no more of it than the metric needs.
 *
 *     dormant_…, gradient_dormant    --calibration, --tau, --gradient-tau
 *     attribution_mass               --calibration, --targets
 *     reset_share                    --rho and what chooses neurons: --select and what that needs
 */
#ifndef REJUV_TUI_FIGURE_METHOD_H
#define REJUV_TUI_FIGURE_METHOD_H

#include "tui/commands/batch_method.h"
#include "tui/tables/block_metric.h"

/* Set `metric`, the rest to zero; figure_method_free() releases. */
typedef struct FigureMethod {
    BlockMetric metric;
    BatchMethod measured;
    NeuronTable table;
    BlockSources sources;
} FigureMethod;

/* STATUS_ARGUMENT where an option is missing, or given and none of this metric's; BLOCK_METRIC_COUNT stands for a
 * metric that is not of the method and has none of them. Nothing is opened yet. */
Status figure_method_check(const Options *options, BlockMetric metric, Error *error) STATUS_MUST_CHECK;

/* Opens the model too. */
Status figure_method_measure(Batch *batch, FigureMethod *method, Error *error) STATUS_MUST_CHECK;

/* False for a tensor that the metric has no figure for. */
bool figure_method_value(const FigureMethod *method, const PairTensor *tensor, double *value);

/* At which dial it was taken: "dormant: at most τ = 0.025 of the layer's mean"; "" where there is none. */
void figure_method_write_note(const FigureMethod *method, char *text, size_t size);

/* A description with what was measured on below it, where anything was. The caller frees. */
Status figure_method_describe(const FigureMethod *method, const char *description, char **text,
                              Error *error) STATUS_MUST_CHECK;

void figure_method_free(FigureMethod *method);

#endif
