#include "core/files/json.h"
#include "core/method/selectors.h"
#include "core/support/memory.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/commands/neurons_measure.h"
#include "tui/tables/block_metric.h"
#include "tui/tables/neuron_table.h"
#include "tui/tables/routing_table.h"
#include "tui/tables/table_write.h"
#include "tui/text/suggest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Neurons {
    BatchMethod method;
    NeuronTable table;
    NeuronsUnknown unknown;
    int64_t expert; /* the one that is asked for; NEURONS_WHOLE: any */
    size_t *order;  /* the neurons that are shown, in order */
    size_t count;
} Neurons;

/* NULL: it is not known. */
static const Dormancy *dormancy_of(const Neurons *neurons, Side side) {
    const Dormancy *dormancy = &neurons->method.dormancy[side];
    return dormancy->mlp_scores != NULL ? dormancy : NULL;
}

static NeuronRow find_neuron(const Neurons *neurons, size_t number) {
    const BatchMethod *method = &neurons->method;
    const NeuronSources sources = {
        .table = &neurons->table,
        .dormancy = {dormancy_of(neurons, SIDE_BASE), dormancy_of(neurons, SIDE_SFT),
                     dormancy_of(neurons, SIDE_FUSED)},
        .attribution = method->attribution.target_count > 0 ? &method->attribution : NULL,
        .drift = method->drift,
        .settings = &method->settings};
    NeuronRow row = {.facts = neuron_scores_find(&sources, number)};
    if (method->attribution.target_count > 0) row.target = &method->attribution.targets[row.facts.target];
    return row;
}

static Status make_neurons(const Neurons *neurons, Table **table, Error *error) {
    Status status = neuron_table_create(&neurons->table, table, error);
    for (size_t i = 0; i < neurons->count && status == STATUS_OK; i++) {
        NeuronRow row = find_neuron(neurons, neurons->order[i]);
        neuron_table_add(&neurons->table, *table, &row);
    }
    return status;
}

/* ---- which neurons, in which order ---- */

typedef struct Sorted {
    double key; /* smaller first */
    size_t neuron;
} Sorted;

static int compare_sorted(const void *a, const void *b) {
    const Sorted *left = a, *right = b;
    if (left->key != right->key) return left->key < right->key ? -1 : 1;
    return left->neuron < right->neuron ? -1 : left->neuron > right->neuron;
}

static bool is_wanted(const Batch *batch, const Neurons *neurons, const NeuronBlock *matrix) {
    const OptionValue *layer = options_value(batch->options, OPTION_LAYER),
                      *module = options_value(batch->options, OPTION_MODULE);
    return (!layer->given || layer->count == matrix->layer) &&
           (!module->given || module->count == matrix->module) &&
           (neurons->expert == NEURONS_WHOLE || neurons->expert == matrix->expert);
}

static Status find_column(const Options *options, size_t *column, Error *error) {
    enum { KEYS = 32 };
    const char *key = options_text(options, OPTION_SORT_NEURONS), *keys[KEYS];
    size_t count = neuron_table_column_count();
    for (size_t i = 0; i < count && i < KEYS; i++) {
        *column = i;
        keys[i] = neuron_table_key(i);
        if (strcmp(keys[i], key) == 0) return STATUS_OK;
    }
    const char *nearest = suggest_name(key, keys, count < KEYS ? count : KEYS);
    return status_fail(error, STATUS_ARGUMENT, "--sort: there is no column \"%s\"%s%s%s", key,
                       nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "?" : "");
}

static Status sort_neurons(const Batch *batch, Neurons *neurons, size_t column, Error *error) {
    size_t all = (size_t)neurons_count(&neurons->table);
    const OptionValue *top = options_value(batch->options, OPTION_TOP_NEURONS);
    Sorted *sorted = memory_allocate(all, sizeof *sorted);
    neurons->order = memory_allocate(all, sizeof *neurons->order);
    if (sorted == NULL || neurons->order == NULL) {
        free(sorted);
        return memory_fail(error, "neurons");
    }
    for (size_t i = 0; i < all; i++) {
        NeuronRow row = find_neuron(neurons, i);
        if (!is_wanted(batch, neurons, &row.facts.matrix)) continue;
        double key = neuron_table_value(column, &row);
        if (neuron_table_largest_first(column)) key = -key;
        sorted[neurons->count++] = (Sorted){isnan(key) ? INFINITY : key, i};
    }
    qsort(sorted, neurons->count, sizeof *sorted, compare_sorted);
    if (top->given && top->count < neurons->count) neurons->count = (size_t)top->count;
    for (size_t i = 0; i < neurons->count; i++) neurons->order[i] = sorted[i].neuron;
    free(sorted);
    return STATUS_OK;
}

/* None where nothing orders them. */
static uint64_t count_reset(const Neurons *neurons, const NeuronBlock *block) {
    const BatchMethod *method = &neurons->method;
    return method->ranking == NULL
               ? 0
               : ranking_count_block(method->ranking, block, settings_cut(&method->settings));
}

/* ---- layers ---- */

static const struct {
    const char *key, *label;
    Side side;
} SIDES[] = {{"base", "base", SIDE_BASE}, {"sft", "sft", SIDE_SFT}, {"fused", "fused", SIDE_FUSED}};

static void add_shares(Table *table, const Neurons *neurons, uint64_t layer, double tau) {
    for (size_t i = 0; i < SIDE_COUNT; i++) {
        const Dormancy *dormancy = dormancy_of(neurons, SIDES[i].side);
        if (dormancy == NULL) {
            for (int column = 0; column < 3; column++) table_add_empty(table);
            continue;
        }
        table_add_number(table,
                         dormancy_share(dormancy->mlp_scores + layer * dormancy->mlp, dormancy->mlp, tau));
        table_add_number(table, dormancy_share(dormancy->channel_scores + layer * dormancy->channels,
                                               dormancy->channels, tau));
        table_add_number(
            table, dormancy_share(dormancy->head_scores + layer * dormancy->heads, dormancy->heads, tau));
    }
}

static void add_gradient_share(Table *table, const Neurons *neurons, uint64_t layer, double tau) {
    const Dormancy *sft = dormancy_of(neurons, SIDE_SFT);
    if (sft == NULL || neurons->unknown.gradient.status != STATUS_OK)
        table_add_empty(table);
    else
        table_add_figure(table, dormancy_share(sft->gradient_scores + layer * sft->mlp, sft->mlp, tau),
                         sft->response_tokens == 0);
}

static Status make_layers(const Batch *batch, const Neurons *neurons, Table **table, Error *error) {
    static const TableColumn COLUMNS_OF_LAYERS[] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"mlp_base", NULL, NULL, TABLE_NUMBER, 3},
        {"channel_base", NULL, NULL, TABLE_NUMBER, 3},
        {"head_base", NULL, NULL, TABLE_NUMBER, 3},
        {"mlp_sft", NULL, NULL, TABLE_NUMBER, 3},
        {"channel_sft", NULL, NULL, TABLE_NUMBER, 3},
        {"head_sft", NULL, NULL, TABLE_NUMBER, 3},
        {"mlp_fused", NULL, NULL, TABLE_NUMBER, 3},
        {"channel_fused", NULL, NULL, TABLE_NUMBER, 3},
        {"head_fused", NULL, NULL, TABLE_NUMBER, 3},
        {"mlp_gradient", "gradient", NULL, TABLE_NUMBER, 3},
        {"neurons", NULL, NULL, TABLE_INTEGER, 0},
        {"reset", NULL, NULL, TABLE_INTEGER, 0},
    };
    double tau = options_value(batch->options, OPTION_TAU)->number;
    double gradient_tau = options_value(batch->options, OPTION_TAU_GRADIENT)->number;
    Status status =
        table_create(COLUMNS_OF_LAYERS, sizeof COLUMNS_OF_LAYERS / sizeof *COLUMNS_OF_LAYERS, table, error);
    for (uint64_t layer = 0; layer < neurons->table.layers && status == STATUS_OK; layer++) {
        uint64_t count = 0, reset = 0;
        for (int i = 0; i < NEURON_MODULE_COUNT; i++) {
            NeuronBlock block = neurons_find_block(&neurons->table, layer, (NeuronModule)i);
            count += block.count;
            reset += count_reset(neurons, &block);
        }
        table_add_row(*table);
        table_add_integer(*table, (int64_t)layer);
        add_shares(*table, neurons, layer, tau);
        add_gradient_share(*table, neurons, layer, gradient_tau);
        table_add_integer(*table, (int64_t)count);
        table_add_integer(*table, (int64_t)reset);
    }
    return status;
}

/* ---- modules of layers ---- */

static Status make_blocks(const Batch *batch, const Neurons *neurons, Table **table, Error *error) {
    enum { FIXED = 4 };
    const BatchMethod *method = &neurons->method;
    TableColumn columns[FIXED + BLOCK_METRIC_COUNT] = {{"layer", NULL, NULL, TABLE_INTEGER, 0},
                                                       {"module", NULL, NULL, TABLE_TEXT, 0},
                                                       {"neurons", NULL, NULL, TABLE_INTEGER, 0},
                                                       {"reset", NULL, NULL, TABLE_INTEGER, 0}};
    const BlockSources sources = {.base = dormancy_of(neurons, SIDE_BASE),
                                  .sft = dormancy_of(neurons, SIDE_SFT),
                                  .attribution =
                                      method->attribution.target_count > 0 ? &method->attribution : NULL,
                                  .ranking = method->ranking,
                                  .cut = settings_cut(&method->settings),
                                  .tau = options_value(batch->options, OPTION_TAU)->number,
                                  .gradient_tau = options_value(batch->options, OPTION_TAU_GRADIENT)->number};
    block_metric_columns(columns + FIXED);
    Status status = table_create(columns, sizeof columns / sizeof *columns, table, error);
    for (size_t i = 0; i < neurons_block_count(&neurons->table) && status == STATUS_OK; i++) {
        NeuronBlock block = neurons_block(&neurons->table, i);
        table_add_row(*table);
        table_add_integer(*table, (int64_t)block.layer);
        table_add_text(*table, neurons_module_name(block.module));
        table_add_integer(*table, (int64_t)block.count);
        table_add_integer(*table, (int64_t)count_reset(neurons, &block));
        block_metric_add_cells(*table, &sources, &(BlockCell){.parts = {block}, .count = 1});
    }
    return status;
}

/* ---- experts ---- */

static RoutingSources routing_sources(const Batch *batch, const Neurons *neurons) {
    const BatchMethod *method = &neurons->method;
    return (RoutingSources){.table = &neurons->table,
                            .base = dormancy_of(neurons, SIDE_BASE),
                            .sft = dormancy_of(neurons, SIDE_SFT),
                            .fused = dormancy_of(neurons, SIDE_FUSED),
                            .ranking = method->ranking,
                            .cut = settings_cut(&method->settings),
                            .tau = options_value(batch->options, OPTION_TAU)->number,
                            .gradient_tau = options_value(batch->options, OPTION_TAU_GRADIENT)->number};
}

/* Of a model without experts there are none. */
static Status make_routing(const Batch *batch, const Neurons *neurons, Table **layers, Table **experts,
                           Error *error) {
    const RoutingSources sources = routing_sources(batch, neurons);
    const OptionValue *layer = options_value(batch->options, OPTION_LAYER);
    if (neurons->table.experts.count == 0) return STATUS_OK;
    Status status = routing_table_layers(&sources, layers, error);
    if (status != STATUS_OK) return status;
    return routing_table_experts(&sources, layer->given ? layer->count : UINT64_MAX, experts, error);
}

/* ---- targets ---- */

static Status make_targets(const Batch *batch, const Neurons *neurons, Table **table, Error *error) {
    static const TableColumn COLUMNS_OF_TARGETS[] = {
        {"target", NULL, NULL, TABLE_INTEGER, 0},
        {"row", NULL, NULL, TABLE_INTEGER, 0},
        {"position", NULL, NULL, TABLE_INTEGER, 0},
        {"token", NULL, NULL, TABLE_INTEGER, 0},
        {"text", NULL, NULL, TABLE_TEXT, 0},
        {"gap", NULL, "nat", TABLE_NUMBER, 0},
        {"entropy_base", "H base", NULL, TABLE_NUMBER, 0},
        {"entropy_sft", "H sft", NULL, TABLE_NUMBER, 0},
        {"logit", NULL, NULL, TABLE_NUMBER, 6},
        {"logit_linear", NULL, NULL, TABLE_NUMBER, 6},
    };
    const Attribution *attribution = &neurons->method.attribution;
    Status status = table_create(COLUMNS_OF_TARGETS, sizeof COLUMNS_OF_TARGETS / sizeof *COLUMNS_OF_TARGETS,
                                 table, error);
    for (size_t i = 0; i < attribution->target_count && status == STATUS_OK; i++) {
        const AttributionTarget *target = &attribution->targets[i];
        char *text;
        size_t bytes;
        status = batch_read_token(batch, target->token, &text, &bytes, error);
        if (status != STATUS_OK) break;
        table_add_row(*table);
        table_add_integer(*table, (int64_t)i);
        table_add_integer(*table, (int64_t)target->row);
        table_add_integer(*table, (int64_t)target->position);
        table_add_integer(*table, target->token);
        table_add_bytes(*table, text, bytes);
        table_add_number(*table, fabs(target->entropy_sft - target->entropy_base));
        table_add_number(*table, target->entropy_base);
        table_add_number(*table, target->entropy_sft);
        table_add_number(*table, target->logit);
        table_add_number(*table, target->logit_linear);
        free(text);
    }
    return status;
}

/* ---- output ---- */

typedef struct Tables {
    Table *neurons, *layers, *blocks, *targets;
    Table *routing, *experts; /* NULL: the model has no experts */
} Tables;

/* Tokens of the rows, all and of responses, known or not what they were measured for. */
static size_t count_tokens(const BatchMethod *method) {
    size_t tokens = 0;
    for (size_t i = 0; i < method->calibration->count; i++) tokens += method->rows[i].count;
    return tokens;
}

static size_t count_responses(const BatchMethod *method) {
    return dormancy_count_responses(method->rows, method->calibration->count);
}

static Status write_json(Batch *batch, const Neurons *neurons, const Tables *tables, Error *error) {
    const BatchMethod *method = &neurons->method;
    cJSON *tree = cJSON_CreateObject();
    bool complete =
        tree != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
        json_add_text(tree, "sft", batch->pair->sft->directory) &&
        json_add_text(tree, "source", method->calibration->source) &&
        batch_json_add_count(tree, "rows", method->calibration->count) &&
        batch_json_add_count(tree, "tokens", count_tokens(method)) &&
        batch_json_add_count(tree, "response_tokens", count_responses(method)) &&
        batch_json_add_end(tree, batch, method->calibration) &&
        batch_method_add_json(tree, &method->settings, false) &&
        json_add_number(tree, "tau", options_value(batch->options, OPTION_TAU)->number) &&
        json_add_number(tree, "gradient_tau", options_value(batch->options, OPTION_TAU_GRADIENT)->number) &&
        neurons_measure_add_unknown(tree, &neurons->unknown) &&
        batch_json_add_table(tree, "dormant", tables->layers) &&
        batch_json_add_table(tree, "blocks", tables->blocks) &&
        (tables->routing == NULL || (batch_json_add_table(tree, "routing", tables->routing) &&
                                     batch_json_add_table(tree, "experts", tables->experts))) &&
        batch_json_add_table(tree, "targets", tables->targets);
    if (complete) return batch_write_json_rows(batch, tree, "neurons", tables->neurons, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

/* Experts are many: those of a layer that is asked for. */
static Status write_routing(Batch *batch, const Tables *tables, Error *error) {
    if (tables->routing == NULL) return STATUS_OK;
    batch_print("%s", "");
    batch_print(
        "Routing of each layer: experts that no token goes to, entropies in nats, overlap of choices:");
    Status status = batch_write_table(batch, tables->routing, error);
    if (status != STATUS_OK || !options_has(batch->options, OPTION_LAYER)) return status;
    batch_print("%s", "");
    batch_print(
        "Experts of the layer: the share of tokens that go to each, the share of its inputs of down that "
        "are dormant:");
    return batch_write_table(batch, tables->experts, error);
}

static Status write_text(Batch *batch, const Neurons *neurons, const Tables *tables, Error *error) {
    const BatchMethod *method = &neurons->method;
    char reset[256];
    Status status = batch_write_table(batch, tables->neurons, error);
    if (status != STATUS_OK) return status;
    batch_print("%s", "");
    batch_print("Dormant shares of each layer, tau %g (gradient: %g):",
                options_value(batch->options, OPTION_TAU)->number,
                options_value(batch->options, OPTION_TAU_GRADIENT)->number);
    status = batch_write_table(batch, tables->layers, error);
    if (status != STATUS_OK) return status;
    status = write_routing(batch, tables, error);
    if (status != STATUS_OK) return status;
    batch_print("%s", "");
    if (method->attribution.target_count > 0) batch_print("Targets:");
    if (method->attribution.target_count > 0) status = batch_write_table(batch, tables->targets, error);
    if (status != STATUS_OK) return status;
    batch_method_describe_reset(&method->settings, reset, sizeof reset);
    if (method->attribution.target_count > 0) batch_print("%s", "");
    if (reset[0] != '\0') batch_print("%s", reset);
    neurons_measure_print_unknown(&neurons->unknown);
    batch_print("Measured on %zu tokens, %zu of responses, in %zu rows of %s.", count_tokens(method),
                count_responses(method), method->calibration->count, method->calibration->source);
    return STATUS_OK;
}

static Status write_report(Batch *batch, const Neurons *neurons, Error *error) {
    Tables tables = {0};
    Status status = make_neurons(neurons, &tables.neurons, error);
    if (status == STATUS_OK) status = make_layers(batch, neurons, &tables.layers, error);
    if (status == STATUS_OK) status = make_blocks(batch, neurons, &tables.blocks, error);
    if (status == STATUS_OK) status = make_routing(batch, neurons, &tables.routing, &tables.experts, error);
    if (status == STATUS_OK) status = make_targets(batch, neurons, &tables.targets, error);
    if (status == STATUS_OK && batch->format == TABLE_AS_JSON)
        status = write_json(batch, neurons, &tables, error);
    else if (status == STATUS_OK && batch->format == TABLE_AS_TEXT)
        status = write_text(batch, neurons, &tables, error);
    else if (status == STATUS_OK)
        status = batch_write_table(batch, tables.neurons, error);
    table_free(tables.neurons);
    table_free(tables.layers);
    table_free(tables.blocks);
    table_free(tables.targets);
    table_free(tables.routing);
    table_free(tables.experts);
    return status;
}

/* ---- options ---- */

static Status read_expert(const Batch *batch, Neurons *neurons, Error *error) {
    const NeuronExperts *experts = &neurons->table.experts;
    neurons->expert = NEURONS_WHOLE;
    if (!options_has(batch->options, OPTION_EXPERT)) return STATUS_OK;
    const char *text = options_text(batch->options, OPTION_EXPERT);
    if (experts->count == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "--expert: no layer of this model is a mixture of experts");
    bool is_shared = neurons_read_expert(text, &neurons->expert) && neurons->expert == NEURONS_SHARED;
    bool is_there = is_shared ? neurons_has_shared(&neurons->table)
                              : neurons->expert >= 0 && (uint64_t)neurons->expert < experts->count;
    if (is_there) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "--expert: expected a number below %zu%s, found \"%s\"",
                       (size_t)experts->count, neurons_has_shared(&neurons->table) ? ", or shared" : "",
                       text);
}

static Status check_layer(const Batch *batch, const Neurons *neurons, Error *error) {
    const OptionValue *layer = options_value(batch->options, OPTION_LAYER);
    if (!layer->given || layer->count < neurons->table.layers) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "--layer: expected a layer below %zu, found %zu",
                       (size_t)neurons->table.layers, (size_t)layer->count);
}

static Status run(Batch *batch, Error *error) {
    Neurons neurons = {0};
    if (!options_has(batch->options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration FILE, the rows to measure neurons on");
    size_t column = 0;
    Status status = find_column(batch->options, &column, error);
    if (status == STATUS_OK) status = dial_options_check(batch->options, error);
    if (status == STATUS_OK) status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &neurons.method, error);
    if (status == STATUS_OK) {
        neurons.table = neurons_list(batch->model->config);
        status = check_layer(batch, &neurons, error);
        if (status == STATUS_OK) status = read_expert(batch, &neurons, error);
    }
    if (status == STATUS_OK) status = neurons_measure(batch, &neurons.method, &neurons.unknown, error);
    if (status == STATUS_OK) status = sort_neurons(batch, &neurons, column, error);
    if (status == STATUS_OK) status = write_report(batch, &neurons, error);
    free(neurons.order);
    batch_method_free(&neurons.method);
    return status;
}

const Command command_neurons = {
    .details =
        "A neuron is an output of q, k, v, gate or up, or an input of o or down; in a mixture of experts each expert "
        "has its own, and a position that is not routed to an expert counts as 0 there. Dormancy is its mean magnitude "
        "over that of its layer's average neuron, over all positions of --calibration: of inputs of down, and of "
        "o's, which are attention's channels; gradient_dormancy the same of the loss's gradient at the inputs of "
        "down, on the SFT model. drift is |SFT - BASE| / |BASE| of its row or column. attribution is its score "
        "at the target that ranks it best; rank, from 0, its place by --select. The fusion W is at all dials.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft        the directories\n"
        "  source, rows, tokens, response_tokens  what was measured on\n"
        "  end_token        {id, text, from}: what was put behind responses, and which key names it; or null\n"
        "  dials            see preview --help\n"
        "  tau, gradient_tau\n"
        "  not_known        {attribution, dormancy, gradient_dormancy}: why a figure is not known of this model or of texts so long, as one "
        "without a way back, and null where it is known; of a model without neurons, as Mamba is, why there are none\n"
        "  dormant          [{layer, mlp_base, channel_base, head_base, ..._sft, ..._fused, mlp_gradient, "
        "neurons, reset}]: shares of the layer's MLP neurons, attention channels and heads that are dormant, of "
        "base, SFT and W; of the SFT model by gradient; how many neurons it has, and are reset\n"
        "  blocks           [{layer, module, neurons, reset, dormant_base, dormant_sft, dormant_change, "
        "gradient_dormant, attribution_mass, reset_share}]: of each module of each layer; dormant shares of the "
        "inputs of down and o, their change SFT - BASE; the share of all attribution, each target's scores taken "
        "as shares of their sum; the share reset\n"
        "  routing          only of a mixture of experts: [{layer, experts, unused_base, ..._sft, ..._fused (experts that "
        "no token goes to), load_entropy_... (of tokens over experts, nats), weight_entropy_... (of a token's weights, mean), "
        "largest_share_..., overlap_base_sft, overlap_base_fused, overlap_sft_fused (the share of a token's experts that "
        "both choose)}]\n"
        "  experts          only of a mixture of experts: [{layer, expert (its number, or shared), share_base, ..._sft, "
        "..._fused (of tokens that go there), dormant_base, ..._sft, ..._fused, gradient_dormant, neurons, reset}]\n"
        "  targets          [{target, row, position, token, text, gap, entropy_base, entropy_sft, logit, "
        "logit_linear (the frozen linear map's)}]: the widest gap first\n"
        "  neurons          [{layer, expert (only of a mixture of experts), module, index (in its matrix), dormancy_base, dormancy_sft, dormancy_fused, "
        "gradient_dormancy, drift, attribution, attribution_rank, target, target_row, target_position, "
        "target_token, rank, reset}]; null where a figure is not defined\n"
        "CSV: the neurons",
    .run = run,
};
