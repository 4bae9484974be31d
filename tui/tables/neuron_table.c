#include "tui/tables/neuron_table.h"

#include <math.h>

static double layer_of(const NeuronRow *row) {
    return (double)row->facts.block.layer;
}

static double expert_of(const NeuronRow *row) {
    int64_t expert = row->facts.matrix.expert;
    return expert == NEURONS_WHOLE ? NAN : expert == NEURONS_SHARED ? (double)UINT32_MAX : (double)expert;
}

static double module_of(const NeuronRow *row) {
    return (double)row->facts.block.module;
}

static double index_of(const NeuronRow *row) {
    return (double)row->facts.index;
}

static double dormancy_of_base(const NeuronRow *row) {
    return row->facts.dormancy[SIDE_BASE];
}

static double dormancy_of_sft(const NeuronRow *row) {
    return row->facts.dormancy[SIDE_SFT];
}

static double dormancy_of_fused(const NeuronRow *row) {
    return row->facts.dormancy[SIDE_FUSED];
}

static double gradient_of(const NeuronRow *row) {
    return row->facts.gradient;
}

static double drift_of(const NeuronRow *row) {
    return row->facts.drift;
}

static double attribution_of(const NeuronRow *row) {
    return row->facts.score;
}

/* A place from 0; -1 is none. */
static double place(int64_t value) {
    return value < 0 ? NAN : (double)value;
}

static double attribution_rank_of(const NeuronRow *row) {
    return place(row->facts.attribution_rank);
}

static double target_of(const NeuronRow *row) {
    return place(row->facts.target);
}

static double target_row_of(const NeuronRow *row) {
    return row->target == NULL ? NAN : (double)row->target->row;
}

static double target_position_of(const NeuronRow *row) {
    return row->target == NULL ? NAN : (double)row->target->position;
}

static double target_token_of(const NeuronRow *row) {
    return row->target == NULL ? NAN : (double)row->target->token;
}

static double rank_of(const NeuronRow *row) {
    return place(row->facts.rank);
}

static double is_reset(const NeuronRow *row) {
    return row->facts.rank < 0 ? NAN : row->facts.is_reset ? 1.0 : 0.0;
}

static const struct {
    const char *key, *label;
    TableType type;
    bool largest_first;
    double (*of)(const NeuronRow *);
} COLUMNS[] = {
    {"layer", NULL, TABLE_INTEGER, false, layer_of},
    {"expert", NULL, TABLE_TEXT, false, expert_of},
    {"module", NULL, TABLE_TEXT, false, module_of},
    {"index", NULL, TABLE_INTEGER, false, index_of},
    {"dormancy_base", "dorm base", TABLE_NUMBER, false, dormancy_of_base},
    {"dormancy_sft", "sft", TABLE_NUMBER, false, dormancy_of_sft},
    {"dormancy_fused", "fused", TABLE_NUMBER, false, dormancy_of_fused},
    {"gradient_dormancy", "gradient", TABLE_NUMBER, false, gradient_of},
    {"drift", NULL, TABLE_NUMBER, true, drift_of},
    {"attribution", NULL, TABLE_NUMBER, true, attribution_of},
    {"attribution_rank", "attr rank", TABLE_INTEGER, false, attribution_rank_of},
    {"target", NULL, TABLE_INTEGER, false, target_of},
    {"target_row", "at row", TABLE_INTEGER, false, target_row_of},
    {"target_position", "position", TABLE_INTEGER, false, target_position_of},
    {"target_token", "token", TABLE_INTEGER, false, target_token_of},
    {"rank", NULL, TABLE_INTEGER, false, rank_of},
    {"reset", NULL, TABLE_BOOL, true, is_reset},
};

enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

size_t neuron_table_column_count(void) {
    return COLUMN_COUNT;
}

const char *neuron_table_key(size_t column) {
    return COLUMNS[column].key;
}

bool neuron_table_largest_first(size_t column) {
    return COLUMNS[column].largest_first;
}

double neuron_table_value(size_t column, const NeuronRow *row) {
    return COLUMNS[column].of(row);
}

static bool has_column(const NeuronTable *of, size_t column) {
    return COLUMNS[column].of != expert_of || of->experts.count > 0;
}

Status neuron_table_create(const NeuronTable *of, Table **table, Error *error) {
    TableColumn columns[COLUMN_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (has_column(of, i))
            columns[count++] = (TableColumn){COLUMNS[i].key, COLUMNS[i].label, NULL, COLUMNS[i].type, 3};
    return table_create(columns, count, table, error);
}

static void add_text(Table *table, const NeuronRow *row, size_t column) {
    char expert[NEURONS_EXPERT_SIZE];
    neurons_name_expert(row->facts.matrix.expert, expert);
    bool is_expert = COLUMNS[column].of == expert_of;
    table_add_text(table, is_expert ? expert : neurons_module_name(row->facts.matrix.module));
}

static void add_cell(Table *table, const NeuronRow *row, size_t column) {
    double value = COLUMNS[column].of(row);
    if (isnan(value))
        table_add_empty(table);
    else if (COLUMNS[column].type == TABLE_TEXT)
        add_text(table, row, column);
    else if (COLUMNS[column].type == TABLE_INTEGER)
        table_add_integer(table, (int64_t)value);
    else if (COLUMNS[column].type == TABLE_BOOL)
        table_add_bool(table, value != 0.0);
    else
        table_add_number(table, value);
}

void neuron_table_add(const NeuronTable *of, Table *table, const NeuronRow *row) {
    table_add_row(table);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        if (has_column(of, c)) add_cell(table, row, c);
}
