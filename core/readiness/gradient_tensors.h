/*
 * gradient_tensors — what a state learns: which tensors, which experts, and how large they are.
 */
#ifndef REJUV_CORE_GRADIENT_TENSORS_H
#define REJUV_CORE_GRADIENT_TENSORS_H

#include "core/readiness/gradient.h"

/* Fills in gradient->tensors and ->experts, without norms and weights: what a side of that configuration runs with, in order, a
 * tied head as its embedding. What training does not move is left out: corrections of a router's choice, and what else is a buffer (architecture_part_learns()). */
Status gradient_tensors_list(const Model *model, const ModelConfig *config, Gradient *gradient,
                             Error *error) STATUS_MUST_CHECK;

/* Fills in ‖W‖_F of both. Reports "gradient, weights". STATUS_FORMAT names the first tensor whose weights are not all numbers. */
Status gradient_tensors_weigh(const Model *model, const Settings *settings, Gradient *gradient, Job *job,
                              Error *error) STATUS_MUST_CHECK;

#endif
