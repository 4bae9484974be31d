#include "tui/tables/routing_table.h"

#include <math.h>

enum { SIDES = 3 };

static const Dormancy *side_of(const RoutingSources *sources, int side) {
    const Dormancy *const sides[SIDES] = {sources->base, sources->sft, sources->fused};
    return sides[side];
}

static void add_known(Table *table, double value) {
    if (isnan(value))
        table_add_empty(table);
    else
        table_add_number(table, value);
}

/* ---- layers ---- */

typedef double (*LayerFigure)(const Routing *routing, uint64_t layer);

static double count_unused(const Routing *routing, uint64_t layer) {
    return (double)routing_count_unused(routing, layer);
}

static void add_sides(Table *table, const RoutingSources *sources, uint64_t layer, LayerFigure figure,
                      bool is_count) {
    for (int side = 0; side < SIDES; side++) {
        const Dormancy *dormancy = side_of(sources, side);
        if (dormancy == NULL || dormancy->routing.layers == 0)
            table_add_empty(table);
        else if (is_count)
            table_add_integer(table, (int64_t)figure(&dormancy->routing, layer));
        else
            table_add_number(table, figure(&dormancy->routing, layer));
    }
}

static void add_overlaps(Table *table, const RoutingSources *sources, uint64_t layer) {
    static const int PAIRS[][2] = {{0, 1}, {0, 2}, {1, 2}};
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        const Dormancy *a = side_of(sources, PAIRS[i][0]), *b = side_of(sources, PAIRS[i][1]);
        add_known(table, a == NULL || b == NULL ? NAN : routing_overlap(&a->routing, &b->routing, layer));
    }
}

Status routing_table_layers(const RoutingSources *sources, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"experts", NULL, NULL, TABLE_INTEGER, 0},
        {"unused_base", "unused base", NULL, TABLE_INTEGER, 0},
        {"unused_sft", "sft", NULL, TABLE_INTEGER, 0},
        {"unused_fused", "fused", NULL, TABLE_INTEGER, 0},
        {"load_entropy_base", "load H base", NULL, TABLE_NUMBER, 3},
        {"load_entropy_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"load_entropy_fused", "fused", NULL, TABLE_NUMBER, 3},
        {"weight_entropy_base", "weight H base", NULL, TABLE_NUMBER, 3},
        {"weight_entropy_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"weight_entropy_fused", "fused", NULL, TABLE_NUMBER, 3},
        {"largest_share_base", "largest base", NULL, TABLE_NUMBER, 3},
        {"largest_share_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"largest_share_fused", "fused", NULL, TABLE_NUMBER, 3},
        {"overlap_base_sft", "base=sft", NULL, TABLE_NUMBER, 3},
        {"overlap_base_fused", "base=fused", NULL, TABLE_NUMBER, 3},
        {"overlap_sft_fused", "sft=fused", NULL, TABLE_NUMBER, 3},
    };
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (uint64_t layer = 0; layer < sources->table->layers && status == STATUS_OK; layer++) {
        if (!neurons_has_experts(sources->table, layer)) continue;
        table_add_row(*table);
        table_add_integer(*table, (int64_t)layer);
        table_add_integer(*table, (int64_t)sources->table->experts.count);
        add_sides(*table, sources, layer, count_unused, true);
        add_sides(*table, sources, layer, routing_load_entropy, false);
        add_sides(*table, sources, layer, routing_weight_entropy, false);
        add_sides(*table, sources, layer, routing_largest_share, false);
        add_overlaps(*table, sources, layer);
    }
    return status;
}

/* ---- experts ---- */

/* Of an expert's inputs of down, of one table of scores. */
static double share_of(const double *scores, size_t columns, const NeuronBlock *block,
                       const NeuronBlock *matrix, double tau) {
    if (scores == NULL || matrix->count == 0) return NAN;
    return dormancy_share(scores + block->layer * columns + (matrix->first - block->first),
                          (size_t)matrix->count, tau);
}

static void add_shares(Table *table, const RoutingSources *sources, const NeuronBlock *matrix) {
    for (int side = 0; side < SIDES; side++) {
        const Dormancy *dormancy = side_of(sources, side);
        if (dormancy == NULL || dormancy->routing.layers == 0)
            table_add_empty(table);
        else if (matrix->expert == NEURONS_SHARED)
            table_add_number(table, 1.0);
        else
            table_add_number(table, routing_share(&dormancy->routing, matrix->layer, (size_t)matrix->expert));
    }
}

static void count_neurons(const RoutingSources *sources, uint64_t layer, int64_t expert, uint64_t *count,
                          uint64_t *reset) {
    *count = *reset = 0;
    for (int module = NEURON_GATE; module < NEURON_MODULE_COUNT; module++) {
        NeuronBlock block = neurons_find_block(sources->table, layer, (NeuronModule)module);
        if (!neurons_has_matrices(sources->table, &block)) continue;
        NeuronBlock matrix = neurons_of_expert(sources->table, &block, expert);
        *count += matrix.count;
        if (sources->ranking != NULL) *reset += ranking_count_block(sources->ranking, &matrix, sources->cut);
    }
}

static void add_expert(Table *table, const RoutingSources *sources, const NeuronBlock *block,
                       const NeuronBlock *matrix) {
    char name[NEURONS_EXPERT_SIZE];
    uint64_t count, reset;
    neurons_name_expert(matrix->expert, name);
    count_neurons(sources, block->layer, matrix->expert, &count, &reset);
    table_add_row(table);
    table_add_integer(table, (int64_t)block->layer);
    table_add_text(table, name);
    add_shares(table, sources, matrix);
    for (int side = 0; side < SIDES; side++) {
        const Dormancy *dormancy = side_of(sources, side);
        add_known(table, dormancy == NULL
                             ? NAN
                             : share_of(dormancy->mlp_scores, dormancy->mlp, block, matrix, sources->tau));
    }
    const Dormancy *sft = sources->sft;
    add_known(table, sft == NULL
                         ? NAN
                         : share_of(sft->gradient_scores, sft->mlp, block, matrix, sources->gradient_tau));
    table_add_integer(table, (int64_t)count);
    table_add_integer(table, (int64_t)reset);
}

Status routing_table_experts(const RoutingSources *sources, uint64_t only, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"expert", NULL, NULL, TABLE_TEXT, 0},
        {"share_base", "tokens base", NULL, TABLE_NUMBER, 3},
        {"share_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"share_fused", "fused", NULL, TABLE_NUMBER, 3},
        {"dormant_base", "dormant base", NULL, TABLE_NUMBER, 3},
        {"dormant_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"dormant_fused", "fused", NULL, TABLE_NUMBER, 3},
        {"gradient_dormant", "gradient", NULL, TABLE_NUMBER, 3},
        {"neurons", NULL, NULL, TABLE_INTEGER, 0},
        {"reset", NULL, NULL, TABLE_INTEGER, 0},
    };
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (uint64_t layer = 0; layer < sources->table->layers && status == STATUS_OK; layer++) {
        NeuronBlock block = neurons_find_block(sources->table, layer, NEURON_DOWN);
        bool is_wanted = only == UINT64_MAX || only == layer;
        if (!is_wanted || !neurons_has_experts(sources->table, layer)) continue;
        for (size_t i = 0; i < neurons_matrix_count(sources->table, &block); i++) {
            NeuronBlock matrix = neurons_matrix(sources->table, &block, i);
            add_expert(*table, sources, &block, &matrix);
        }
    }
    return status;
}
