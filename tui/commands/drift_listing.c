#include "tui/commands/drift_listing.h"

#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/drift_ranks.h"
#include "tui/commands/drift_spectrum.h"
#include "tui/tables/table_json.h"
#include "tui/text/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- measuring ---- */

Status drift_listing_measure(Batch *batch, bool with_spectrum, DriftMeasured *measured, Error *error) {
    Status status = drift_table_create(batch->pair, &measured->drift, error);
    if (status == STATUS_OK) status = drift_ranks_scan(batch, measured->drift, error);
    if (status != STATUS_OK || !with_spectrum) return status;
    status = spectrum_table_create(batch->pair, spectrum_default_settings(), &measured->spectrum, error);
    return status == STATUS_OK ? drift_ranks_scan_spectra(batch, measured->spectrum, error) : status;
}

void drift_listing_free_measured(DriftMeasured *measured) {
    drift_table_free(measured->drift);
    spectrum_table_free(measured->spectrum);
    *measured = (DriftMeasured){0};
}

/* ---- collecting and ordering ---- */

static void collect_tensors(const Pair *pair, const DriftMeasured *measured, DriftListing *listing) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        DriftLine row = {.place = i, .name = tensor->name, .layer = tensor->layer, .tensor = tensor};
        /* after a finished scan every row is there */
        (void)drift_table_row(measured->drift, i, &row.drift);
        if (measured->spectrum != NULL) (void)spectrum_table_row(measured->spectrum, i, &row.spectrum);
        listing->lines[listing->count++] = row;
    }
}

static void collect_layers(const Pair *pair, const DriftTable *table, DriftListing *listing) {
    int last = -1;
    for (size_t i = 0; i < pair->count; i++)
        if (pair->tensors[i].layer > last) last = pair->tensors[i].layer;
    for (int layer = 0; layer <= last + 1; layer++) { /* what belongs to no layer comes last */
        DriftLine row = {.place = listing->count, .layer = layer <= last ? layer : -1};
        if (drift_sum_layer(table, row.layer, &row.drift) > 0) listing->lines[listing->count++] = row;
    }
}

static void collect_roles(const DriftTable *table, DriftListing *listing) {
    for (int place = 1; place <= TENSOR_ROLE_COUNT; place++) { /* tensors without a role, 0, come last */
        TensorRole role = (TensorRole)(place % TENSOR_ROLE_COUNT);
        DriftLine row = {.place = listing->count, .name = tensor_role_name(role), .layer = -1};
        if (drift_sum_role(table, role, &row.drift) > 0) listing->lines[listing->count++] = row;
    }
}

Status drift_listing_collect(const Pair *pair, const DriftMeasured *measured, DriftListing *listing,
                             Error *error) {
    /* there are no more layers than tensors, but for the group of those that belong to none */
    listing->count = 0;
    listing->lines = memory_allocate(pair->count + TENSOR_ROLE_COUNT, sizeof *listing->lines);
    if (listing->lines == NULL) return memory_fail(error, "the drift table");
    if (listing->grouping == DRIFT_BY_TENSOR) collect_tensors(pair, measured, listing);
    if (listing->grouping == DRIFT_BY_LAYER) collect_layers(pair, measured->drift, listing);
    if (listing->grouping == DRIFT_BY_ROLE) collect_roles(measured->drift, listing);
    return STATUS_OK;
}

void drift_listing_free(DriftListing *listing) {
    free(listing->lines);
    listing->lines = NULL;
    listing->count = 0;
}

/* How much of the metric a row has; what is undefined comes last. */
static double rank_of(const DriftLine *row, const DriftOrder *order) {
    if (order->drift < DRIFT_METRIC_COUNT) return drift_rank_value(&row->drift, order->drift);
    double value = spectrum_value(&row->spectrum, order->spectrum);
    return value == value ? value : -1.0;
}

static int more_first(const void *first, const void *second, void *argument) {
    const DriftLine *a = first, *b = second;
    if (a->drift.is_compared != b->drift.is_compared) return a->drift.is_compared ? -1 : 1;
    double left = rank_of(a, argument), right = rank_of(b, argument);
    if (left != right) return left > right ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

Status drift_listing_find_metric(const char *key, bool with_spectrum, DriftOrder *order, Error *error) {
    enum { KEYS = (int)DRIFT_METRIC_COUNT + (int)SPECTRUM_METRIC_COUNT };
    const char *keys[KEYS];
    char all[256] = "";
    size_t count = with_spectrum ? KEYS : DRIFT_METRIC_COUNT;
    order->drift = drift_find_metric(key);
    order->spectrum = spectrum_find_metric(key);
    if (order->drift < DRIFT_METRIC_COUNT) return STATUS_OK;
    if (order->spectrum < SPECTRUM_METRIC_COUNT)
        return with_spectrum ? STATUS_OK
                             : status_fail(error, STATUS_ARGUMENT, "--sort %s needs --spectrum", key);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(all);
        keys[i] = i < DRIFT_METRIC_COUNT
                      ? drift_metric_facts((DriftMetric)i)->key
                      : spectrum_metric_facts((SpectrumMetric)(i - DRIFT_METRIC_COUNT))->key;
        (void)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", keys[i]);
    }
    const char *nearest = suggest_name(key, keys, count);
    if (nearest != NULL)
        return status_fail(error, STATUS_ARGUMENT, "--sort: there is no metric \"%s\"; did you mean %s?", key,
                           nearest);
    return status_fail(error, STATUS_ARGUMENT, "--sort: there is no metric \"%s\"; there are %s", key, all);
}

void drift_listing_sort(DriftListing *listing, const DriftOrder *order) {
    qsort_r(listing->lines, listing->count, sizeof *listing->lines, more_first, (void *)order);
}

double drift_listing_value(const DriftLine *line, const DriftOrder *order) {
    if (order->drift < DRIFT_METRIC_COUNT) return drift_value(&line->drift, order->drift);
    return spectrum_value(&line->spectrum, order->spectrum);
}

/* ---- the table ---- */

enum { IN_TEXT = 1, IN_FILES = 2, OF_TENSORS = 4, OF_GROUPS = 8, OF_LAYERS = 16 };

typedef struct Column {
    const char *key;
    TableType type;
    unsigned flags; /* where it is shown, and for rows of what */
    void (*add)(Table *table, const DriftLine *row);
} Column;

static void add_name(Table *table, const DriftLine *row) {
    table_add_text(table, row->name);
}

static void add_layer(Table *table, const DriftLine *row) {
    if (row->layer < 0)
        table_add_empty(table);
    else
        table_add_integer(table, row->layer);
}

static void add_role(Table *table, const DriftLine *row) {
    table_add_text(table, tensor_role_name(row->tensor->role));
}

static void add_tensors(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.tensors);
}

static void add_equal_tensors(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.equal_tensors);
}

static void add_elements(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.count);
}

static void add_compared(Table *table, const DriftLine *row) {
    table_add_bool(table, row->drift.is_compared);
}

static void add_equal(Table *table, const DriftLine *row) {
    table_add_bool(table, row->drift.is_equal);
}

static void add_max_row(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.max_row);
}

static void add_max_column(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.max_column);
}

static void add_sft_only_rows(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.sft_only_rows);
}

static void add_base_only_rows(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.base_only_rows);
}

static void add_base_nonfinite(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.base_nonfinite);
}

static void add_sft_nonfinite(Table *table, const DriftLine *row) {
    table_add_integer(table, (int64_t)row->drift.sft_nonfinite);
}

static const Column BEFORE[] = {
    {"tensor", TABLE_TEXT, IN_TEXT | IN_FILES | OF_TENSORS, add_name},
    {"layer", TABLE_INTEGER, IN_FILES | OF_TENSORS, add_layer},
    {"role", TABLE_TEXT, IN_FILES | OF_TENSORS, add_role},
    {"layer", TABLE_INTEGER, IN_TEXT | IN_FILES | OF_LAYERS, add_layer},
    {"role", TABLE_TEXT, IN_TEXT | IN_FILES | OF_GROUPS, add_name},
    {"tensors", TABLE_INTEGER, IN_TEXT | IN_FILES | OF_GROUPS | OF_LAYERS, add_tensors},
    {"equal_tensors", TABLE_INTEGER, IN_FILES | OF_GROUPS | OF_LAYERS, add_equal_tensors},
    {"elements", TABLE_INTEGER, IN_FILES | OF_TENSORS | OF_GROUPS | OF_LAYERS, add_elements},
};

static const Column AFTER[] = {
    {"compared", TABLE_BOOL, IN_FILES | OF_TENSORS, add_compared},
    {"equal", TABLE_BOOL, IN_FILES | OF_TENSORS, add_equal},
    {"max_row", TABLE_INTEGER, IN_FILES | OF_TENSORS, add_max_row},
    {"max_column", TABLE_INTEGER, IN_FILES | OF_TENSORS, add_max_column},
    {"sft_only_rows", TABLE_INTEGER, IN_FILES | OF_TENSORS, add_sft_only_rows},
    {"base_only_rows", TABLE_INTEGER, IN_FILES | OF_TENSORS, add_base_only_rows},
    {"base_nonfinite", TABLE_INTEGER, IN_FILES | OF_TENSORS | OF_GROUPS | OF_LAYERS, add_base_nonfinite},
    {"sft_nonfinite", TABLE_INTEGER, IN_FILES | OF_TENSORS | OF_GROUPS | OF_LAYERS, add_sft_nonfinite},
};

enum { BEFORE_COUNT = sizeof BEFORE / sizeof *BEFORE, AFTER_COUNT = sizeof AFTER / sizeof *AFTER };

static bool is_shown(const Column *column, const DriftListing *listing) {
    static const unsigned OF[] = {
        [DRIFT_BY_TENSOR] = OF_TENSORS, [DRIFT_BY_LAYER] = OF_LAYERS, [DRIFT_BY_ROLE] = OF_GROUPS};
    return (column->flags & OF[listing->grouping]) != 0 &&
           (column->flags & (listing->format == TABLE_AS_TEXT ? IN_TEXT : IN_FILES)) != 0;
}

/* The two norms are for the reader's own arithmetic. */
static bool shows_metric(DriftMetric metric, TableFormat format) {
    return format != TABLE_AS_TEXT || drift_metric_facts(metric)->measures_drift;
}

Status drift_listing_create_table(const DriftListing *listing, Table **table, Error *error) {
    enum { COSINE_DIGITS = 6, RUNG_COLUMNS = 2 };
    TableColumn
        columns[RUNG_COLUMNS + BEFORE_COUNT + DRIFT_METRIC_COUNT + DRIFT_SPECTRUM_COLUMNS + AFTER_COUNT];
    size_t count = 0;
    if (listing->in_ladder) {
        columns[count++] = (TableColumn){.key = "rung", .type = TABLE_INTEGER};
        columns[count++] = (TableColumn){.key = "against", .type = TABLE_INTEGER};
    }
    for (size_t i = 0; i < BEFORE_COUNT; i++)
        if (is_shown(&BEFORE[i], listing))
            columns[count++] = (TableColumn){.key = BEFORE[i].key, .type = BEFORE[i].type};
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++)
        if (shows_metric(metric, listing->format))
            columns[count++] = (TableColumn){.key = drift_metric_facts(metric)->key,
                                             .type = TABLE_NUMBER,
                                             .digits = metric == DRIFT_COSINE ? COSINE_DIGITS : 0};
    if (listing->with_spectrum) count += drift_spectrum_columns(listing->format, columns + count);
    for (size_t i = 0; i < AFTER_COUNT; i++)
        if (is_shown(&AFTER[i], listing))
            columns[count++] = (TableColumn){.key = AFTER[i].key, .type = AFTER[i].type};
    return table_create(columns, count, table, error);
}

static void add_line(const DriftListing *listing, const DriftLine *line, Table *table) {
    table_add_row(table);
    if (listing->in_ladder) {
        table_add_integer(table, (int64_t)listing->rung);
        table_add_integer(table, (int64_t)listing->against);
    }
    for (size_t i = 0; i < BEFORE_COUNT; i++)
        if (is_shown(&BEFORE[i], listing)) BEFORE[i].add(table, line);
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        if (!shows_metric(metric, listing->format)) continue;
        if (!line->drift.is_compared)
            table_add_empty(table);
        else
            table_add_figure(table, drift_value(&line->drift, metric),
                             drift_is_undefined(&line->drift, metric));
    }
    if (listing->with_spectrum) drift_spectrum_add_cells(table, listing->format, &line->spectrum);
    for (size_t i = 0; i < AFTER_COUNT; i++)
        if (is_shown(&AFTER[i], listing)) AFTER[i].add(table, line);
}

void drift_listing_add(const DriftListing *listing, Table *table) {
    for (size_t i = 0; i < listing->count; i++) add_line(listing, &listing->lines[i], table);
}

/* ---- JSON ---- */

/* What a table does not hold: arrays. */
static bool add_arrays(const DriftListing *listing, cJSON *list) {
    size_t i = 0;
    cJSON *item;
    if (listing->grouping != DRIFT_BY_TENSOR) return true;
    cJSON_ArrayForEach(item, list) {
        const DriftLine *line = &listing->lines[i++];
        const Tensor *tensor = line->tensor->sft;
        cJSON *shape = cJSON_CreateArray();
        for (unsigned axis = 0; axis < tensor->rank && shape != NULL; axis++)
            if (!cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->shape[axis]))) return false;
        if (!json_add(item, "shape", shape)) return false;
        if (listing->with_spectrum && !drift_spectrum_add_values(item, &line->spectrum)) return false;
    }
    return true;
}

static bool add_all(cJSON *tree, const DriftRow *all) {
    cJSON *object = cJSON_CreateObject();
    if (!json_add(tree, "all", object)) return false;
    bool complete = batch_json_add_count(object, "tensors", all->tensors) &&
                    batch_json_add_count(object, "equal_tensors", all->equal_tensors) &&
                    batch_json_add_count(object, "elements", all->count);
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT && complete; metric++)
        complete = json_add_number(object, drift_metric_facts(metric)->key, drift_value(all, metric));
    return complete;
}

/* The lines as an array, whose owner is the caller. */
static Status make_list(const DriftListing *listing, cJSON **list) {
    Table *table;
    Status status = drift_listing_create_table(listing, &table, NULL);
    if (status != STATUS_OK) return status;
    drift_listing_add(listing, table);
    status = table_json_array(table, list, NULL);
    table_free(table);
    if (status == STATUS_OK && !add_arrays(listing, *list)) {
        cJSON_Delete(*list);
        status = STATUS_NO_MEMORY;
    }
    return status;
}

bool drift_listing_add_json(const DriftListing *listing, const Pair *pair, const DriftRow *all,
                            cJSON *object) {
    static const char *const KEYS[] = {
        [DRIFT_BY_TENSOR] = "tensors", [DRIFT_BY_LAYER] = "layers", [DRIFT_BY_ROLE] = "roles"};
    cJSON *list;
    bool complete =
        json_add_text(object, "base", pair->base->directory) &&
        json_add_text(object, "sft", pair->sft->directory) && add_all(object, all) &&
        (!listing->with_spectrum || drift_spectrum_add_settings(object, spectrum_default_settings()));
    return complete && make_list(listing, &list) == STATUS_OK &&
           json_add(object, KEYS[listing->grouping], list);
}

void drift_listing_say_share(Batch *batch, const char *format, ...) {
    const PairShare *share = &batch->pair->share;
    char before[64];
    va_list arguments;
    if (pair_share_is_whole(share)) return;
    va_start(arguments, format);
    (void)vsnprintf(before, sizeof before, format, arguments);
    va_end(arguments);
    batch_say(
        batch,
        "%scompares %.4g %% of SFT's elements; tensors that have none to compare with: %zu of SFT's, %zu of base's",
        before, pair_share_percent(share), share->copied_tensors, share->missing_tensors);
}
