/*
 * rollout_tables — what `rejuv rollout` measured, as tables: of prompts, samples, states, and of the gradient by tensor,
 * module and layer.
 */
#ifndef REJUV_TUI_ROLLOUT_TABLES_H
#define REJUV_TUI_ROLLOUT_TABLES_H

#include "tui/commands/batch_rollout.h"

/* A figure over all prompts, but for pass@k, which are as many as there are samples. */
typedef struct RolloutFigure {
    const char *key, *label;
    size_t offset; /* of its SampleEstimate within SampleFigures */
} RolloutFigure;

enum { ROLLOUT_FIGURE_COUNT = 6 };
extern const RolloutFigure ROLLOUT_FIGURES[ROLLOUT_FIGURE_COUNT];
const SampleEstimate *rollout_tables_figure(const SampleFigures *figures, size_t index);

/* Each makes a table, which the caller frees, after an error too. */
Status rollout_tables_prompts(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_figures(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_samples(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_states(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;

/* The figures of each state's own samples, of those that sampled. */
Status rollout_tables_drawn(const Batch *batch, const BatchRollout *rollout, Table **table,
                            Error *error) STATUS_MUST_CHECK;

/* These have rows only where there is a gradient. */
Status rollout_tables_tensors(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_modules(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_layers(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;

/* And these only where layers have experts: each of them; and by layer how many there are, how many have a gradient of 0, and what
 * share of ‖∂L/∂W‖² over all of them the one with most holds. */
Status rollout_tables_experts(const BatchRollout *rollout, Table **table, Error *error) STATUS_MUST_CHECK;
Status rollout_tables_expert_layers(const BatchRollout *rollout, Table **table,
                                    Error *error) STATUS_MUST_CHECK;

#endif
