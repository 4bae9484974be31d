/*
 * routing_table — where routers send tokens, in base, SFT and W beside each other: a table of layers, and one of experts
 * with how dormant each is. One list of columns for `rejuv neurons` and `:numbers`.
 */
#ifndef REJUV_TUI_ROUTING_TABLE_H
#define REJUV_TUI_ROUTING_TABLE_H

#include "core/fusion/ranking.h"
#include "core/method/dormancy.h"
#include "tui/tables/table.h"

/* What was measured, borrowed; NULL while it is not known. */
typedef struct RoutingSources {
    const NeuronTable *table; /* of a model with experts */
    const Dormancy *base, *sft, *fused;
    const Ranking *ranking;
    uint32_t cut;
    double tau, gradient_tau;
} RoutingSources;

Status routing_table_layers(const RoutingSources *sources, Table **table, Error *error) STATUS_MUST_CHECK;

/* Of every expert of every layer, or of layer `only`; UINT64_MAX: all. */
Status routing_table_experts(const RoutingSources *sources, uint64_t only, Table **table,
                             Error *error) STATUS_MUST_CHECK;

#endif
