#include "core/drift/drift.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/command.h"
#include "tui/commands/drift_spectrum.h"
#include "tui/tables/table_json.h"
#include "tui/tables/table_write.h"
#include "tui/text/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Grouping { BY_TENSOR, BY_LAYER, BY_ROLE } Grouping; /* in the order of --by's choices */

/* A tensor, or several taken as one. */
typedef struct Row {
    size_t place;     /* in the order it was collected in */
    const char *name; /* of the tensor or role; NULL for a layer */
    int layer;        /* -1: none */
    const PairTensor *tensor;
    DriftRow drift;
    Spectrum spectrum; /* with --spectrum; its values are the table's */
} Row;

typedef struct Rows {
    Row *list;
    size_t count;
} Rows;

/* What the rows are made of. */
typedef struct Measured {
    DriftTable *drift;
    SpectrumTable *spectrum; /* NULL without --spectrum */
} Measured;

typedef struct Order {
    DriftMetric drift; /* DRIFT_METRIC_COUNT: by `spectrum` */
    SpectrumMetric spectrum;
} Order;

/* ---- collecting and ordering ---- */

static void collect_tensors(const Pair *pair, const Measured *measured, Rows *rows) {
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        Row row = {.place = i, .name = tensor->name, .layer = tensor->layer, .tensor = tensor};
        /* after a finished scan every row is there */
        (void)drift_table_row(measured->drift, i, &row.drift);
        if (measured->spectrum != NULL) (void)spectrum_table_row(measured->spectrum, i, &row.spectrum);
        rows->list[rows->count++] = row;
    }
}

static void collect_layers(const Pair *pair, const DriftTable *table, Rows *rows) {
    int last = -1;
    for (size_t i = 0; i < pair->count; i++)
        if (pair->tensors[i].layer > last) last = pair->tensors[i].layer;
    for (int layer = 0; layer <= last + 1; layer++) { /* what belongs to no layer comes last */
        Row row = {.place = rows->count, .layer = layer <= last ? layer : -1};
        if (drift_sum_layer(table, row.layer, &row.drift) > 0) rows->list[rows->count++] = row;
    }
}

static void collect_roles(const DriftTable *table, Rows *rows) {
    for (int place = 1; place <= TENSOR_ROLE_COUNT; place++) { /* tensors without a role, 0, come last */
        TensorRole role = (TensorRole)(place % TENSOR_ROLE_COUNT);
        Row row = {.place = rows->count, .name = tensor_role_name(role), .layer = -1};
        if (drift_sum_role(table, role, &row.drift) > 0) rows->list[rows->count++] = row;
    }
}

static Status collect(const Pair *pair, const Measured *measured, Grouping grouping, Rows *rows,
                      Error *error) {
    /* there are no more layers than tensors, but for the group of those that belong to none */
    rows->list = memory_allocate(pair->count + TENSOR_ROLE_COUNT, sizeof *rows->list);
    if (rows->list == NULL) return memory_fail(error, "the drift table");
    if (grouping == BY_TENSOR) collect_tensors(pair, measured, rows);
    if (grouping == BY_LAYER) collect_layers(pair, measured->drift, rows);
    if (grouping == BY_ROLE) collect_roles(measured->drift, rows);
    return STATUS_OK;
}

/* How much of the metric a row has; what is undefined comes last. */
static double rank_of(const Row *row, const Order *order) {
    if (order->drift < DRIFT_METRIC_COUNT) return drift_rank_value(&row->drift, order->drift);
    double value = spectrum_value(&row->spectrum, order->spectrum);
    return value == value ? value : -1.0;
}

static int more_first(const void *first, const void *second, void *argument) {
    const Row *a = first, *b = second;
    if (a->drift.is_compared != b->drift.is_compared) return a->drift.is_compared ? -1 : 1;
    double left = rank_of(a, argument), right = rank_of(b, argument);
    if (left != right) return left > right ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static Status find_metric(const char *key, bool with_spectrum, Order *order, Error *error) {
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

/* ---- the table ---- */

enum { IN_TEXT = 1, IN_FILES = 2, OF_TENSORS = 4, OF_GROUPS = 8, OF_LAYERS = 16 };

typedef struct Column {
    const char *key;
    TableType type;
    unsigned flags; /* where it is shown, and for rows of what */
    void (*add)(Table *table, const Row *row);
} Column;

static void add_name(Table *table, const Row *row) {
    table_add_text(table, row->name);
}

static void add_layer(Table *table, const Row *row) {
    if (row->layer < 0)
        table_add_empty(table);
    else
        table_add_integer(table, row->layer);
}

static void add_role(Table *table, const Row *row) {
    table_add_text(table, tensor_role_name(row->tensor->role));
}

static void add_tensors(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.tensors);
}

static void add_equal_tensors(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.equal_tensors);
}

static void add_elements(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.count);
}

static void add_compared(Table *table, const Row *row) {
    table_add_bool(table, row->drift.is_compared);
}

static void add_equal(Table *table, const Row *row) {
    table_add_bool(table, row->drift.is_equal);
}

static void add_max_row(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.max_row);
}

static void add_max_column(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.max_column);
}

static void add_sft_only_rows(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.sft_only_rows);
}

static void add_base_only_rows(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.base_only_rows);
}

static void add_base_nonfinite(Table *table, const Row *row) {
    table_add_integer(table, (int64_t)row->drift.base_nonfinite);
}

static void add_sft_nonfinite(Table *table, const Row *row) {
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

static bool is_shown(const Column *column, Grouping grouping, TableFormat format) {
    static const unsigned OF[] = {[BY_TENSOR] = OF_TENSORS, [BY_LAYER] = OF_LAYERS, [BY_ROLE] = OF_GROUPS};
    return (column->flags & OF[grouping]) != 0 &&
           (column->flags & (format == TABLE_AS_TEXT ? IN_TEXT : IN_FILES)) != 0;
}

/* The two norms are for the reader's own arithmetic. */
static bool shows_metric(DriftMetric metric, TableFormat format) {
    return format != TABLE_AS_TEXT || drift_metric_facts(metric)->measures_drift;
}

static Status create_table(Grouping grouping, TableFormat format, bool with_spectrum, Table **table,
                           Error *error) {
    enum { COSINE_DIGITS = 6 };
    TableColumn columns[BEFORE_COUNT + DRIFT_METRIC_COUNT + DRIFT_SPECTRUM_COLUMNS + AFTER_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < BEFORE_COUNT; i++)
        if (is_shown(&BEFORE[i], grouping, format))
            columns[count++] = (TableColumn){.key = BEFORE[i].key, .type = BEFORE[i].type};
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++)
        if (shows_metric(metric, format))
            columns[count++] = (TableColumn){.key = drift_metric_facts(metric)->key,
                                             .type = TABLE_NUMBER,
                                             .digits = metric == DRIFT_COSINE ? COSINE_DIGITS : 0};
    if (with_spectrum) count += drift_spectrum_columns(format, columns + count);
    for (size_t i = 0; i < AFTER_COUNT; i++)
        if (is_shown(&AFTER[i], grouping, format))
            columns[count++] = (TableColumn){.key = AFTER[i].key, .type = AFTER[i].type};
    return table_create(columns, count, table, error);
}

static void add_row(Table *table, const Row *row, Grouping grouping, TableFormat format, bool with_spectrum) {
    table_add_row(table);
    for (size_t i = 0; i < BEFORE_COUNT; i++)
        if (is_shown(&BEFORE[i], grouping, format)) BEFORE[i].add(table, row);
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        if (!shows_metric(metric, format)) continue;
        if (row->drift.is_compared)
            table_add_number(table, drift_value(&row->drift, metric));
        else
            table_add_empty(table);
    }
    if (with_spectrum) drift_spectrum_add_cells(table, format, &row->spectrum);
    for (size_t i = 0; i < AFTER_COUNT; i++)
        if (is_shown(&AFTER[i], grouping, format)) AFTER[i].add(table, row);
}

/* ---- output ---- */

/* What a table does not hold: arrays. */
static bool add_arrays(cJSON *list, const Rows *rows, bool with_spectrum) {
    size_t i = 0;
    cJSON *item;
    cJSON_ArrayForEach(item, list) {
        const Row *row = &rows->list[i++];
        const Tensor *tensor = row->tensor->sft;
        cJSON *shape = cJSON_CreateArray();
        for (unsigned axis = 0; axis < tensor->rank && shape != NULL; axis++)
            if (!cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->shape[axis]))) return false;
        if (!json_add(item, "shape", shape)) return false;
        if (with_spectrum && !drift_spectrum_add_values(item, &row->spectrum)) return false;
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

static Status write_json(Batch *batch, const Table *table, const Rows *rows, Grouping grouping,
                         const DriftRow *all, bool with_spectrum, Error *error) {
    static const char *const KEYS[] = {[BY_TENSOR] = "tensors", [BY_LAYER] = "layers", [BY_ROLE] = "roles"};
    cJSON *tree = cJSON_CreateObject(), *list = NULL;
    bool complete = tree != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
                    json_add_text(tree, "sft", batch->pair->sft->directory) && add_all(tree, all) &&
                    table_json_array(table, &list, NULL) == STATUS_OK;
    complete = complete && (!with_spectrum || drift_spectrum_add_settings(tree, spectrum_default_settings()));
    complete = complete && (grouping != BY_TENSOR || add_arrays(list, rows, with_spectrum));
    if (complete) {
        complete = json_add(tree, KEYS[grouping], list);
        list = NULL;
    }
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(list);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status write_text(Batch *batch, const Table *table, const DriftRow *all, Error *error) {
    char relative[32], cosine[32], changed[32], flips[32];
    Status status = batch_write_table(batch, table, error);
    if (status != STATUS_OK) return status;
    drift_format_row(all, DRIFT_RELATIVE_NORM, relative, sizeof relative);
    drift_format_row(all, DRIFT_COSINE, cosine, sizeof cosine);
    drift_format_row(all, DRIFT_CHANGED, changed, sizeof changed);
    drift_format_row(all, DRIFT_SIGN_FLIPS, flips, sizeof flips);
    batch_print("%s", "");
    batch_print(
        "All %zu tensors as one: relative_norm %s, cosine %s, changed %s, sign_flips %s; %zu tensors are "
        "equal.",
        all->tensors, relative, cosine, changed, flips, all->equal_tensors);
    return STATUS_OK;
}

static Status report(Batch *batch, const Measured *measured, Rows *rows, const Order *order, Error *error) {
    Grouping grouping = (Grouping)options_value(batch->options, OPTION_BY)->count;
    const OptionValue *top = options_value(batch->options, OPTION_TOP_ROWS);
    bool with_spectrum = measured->spectrum != NULL;
    Status status = collect(batch->pair, measured, grouping, rows, error);
    if (status != STATUS_OK) return status;
    if (order != NULL) qsort_r(rows->list, rows->count, sizeof *rows->list, more_first, (void *)order);
    if (top->given && top->count < rows->count) rows->count = (size_t)top->count;
    Table *table = NULL;
    DriftRow all;
    (void)drift_sum_all(measured->drift, &all); /* how many went in is in the row */
    status = create_table(grouping, batch->format, with_spectrum, &table, error);
    for (size_t i = 0; i < rows->count && status == STATUS_OK; i++)
        add_row(table, &rows->list[i], grouping, batch->format, with_spectrum);
    if (status == STATUS_OK && batch->format == TABLE_AS_JSON)
        status = write_json(batch, table, rows, grouping, &all, with_spectrum, error);
    else if (status == STATUS_OK && batch->format == TABLE_AS_TEXT)
        status = write_text(batch, table, &all, error);
    else if (status == STATUS_OK)
        status = batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static Status measure(Batch *batch, bool with_spectrum, Measured *measured, Error *error) {
    Status status = drift_table_create(batch->pair, &measured->drift, error);
    if (status == STATUS_OK) status = drift_scan(batch->pair, measured->drift, batch->job, error);
    if (status != STATUS_OK || !with_spectrum) return status;
    status = spectrum_table_create(batch->pair, spectrum_default_settings(), &measured->spectrum, error);
    if (status == STATUS_OK) status = spectrum_scan(measured->spectrum, batch->job, error);
    return status;
}

static Status check_options(const Batch *batch, Order *order, Error *error) {
    const char *key = options_text(batch->options, OPTION_SORT);
    bool with_spectrum = options_has(batch->options, OPTION_SPECTRUM);
    if (with_spectrum && options_value(batch->options, OPTION_BY)->count != BY_TENSOR)
        return status_fail(error, STATUS_ARGUMENT,
                           "--spectrum: singular values are of one tensor, not of several taken as one; "
                           "expected --by tensor, found --by %s",
                           options_text(batch->options, OPTION_BY));
    return key != NULL ? find_metric(key, with_spectrum, order, error) : STATUS_OK;
}

/* Figures of a part must not look like those of the whole. */
static void tell_share(Batch *batch) {
    const PairShare *share = &batch->pair->share;
    if (!pair_share_is_whole(share))
        batch_say(
            batch,
            "compares %.4g %% of SFT's elements; tensors that have none to compare with: %zu of SFT's, %zu of base's",
            pair_share_percent(share), share->copied_tensors, share->missing_tensors);
}

static Status run(Batch *batch, Error *error) {
    bool is_ordered = options_has(batch->options, OPTION_SORT);
    bool with_spectrum = options_has(batch->options, OPTION_SPECTRUM);
    Order order = {0};
    Rows rows = {0};
    Measured measured = {0};
    Status status = check_options(batch, &order, error);
    if (status == STATUS_OK) status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = pair_check_common(batch->pair, error);
    if (status == STATUS_OK) tell_share(batch);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = measure(batch, with_spectrum, &measured, error);
    if (status == STATUS_OK) status = report(batch, &measured, &rows, is_ordered ? &order : NULL, error);
    free(rows.list);
    drift_table_free(measured.drift);
    spectrum_table_free(measured.spectrum);
    return status;
}

const Command command_drift = {
    .details =
        "With D = SFT - BASE, element by element: mean_square of D; norm |D|, Frobenius; relative_norm "
        "|D|/|BASE|; "
        "max_abs; cosine of BASE and SFT; changed and sign_flips, shares of the elements; kurtosis of D; "
        "top1_share, the share of |D|^2 that the largest 1 % of the elements hold.\n"
        "Tensors that cannot be compared are listed without figures.\n"
        "With --spectrum also, of every matrix: spectral_norm, the largest singular value of D; stable_rank "
        "|D|^2/spectral_norm^2; effective_rank, e to the entropy of all singular values' shares. By LAPACK "
        "where the shorter side is at most exact_limit, otherwise by a randomised method with a fixed seed; "
        "the _error of each says how far it may be off.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  all        {tensors, equal_tensors, elements, METRICS}: all tensors as one\n"
        "  tensors    [{tensor, layer, role, elements, METRICS, compared, equal, max_row, max_column, "
        "sft_only_rows, base_only_rows, base_nonfinite, sft_nonfinite, shape [...]}]\n"
        "  layers     in its place with --by layer: [{layer, tensors, equal_tensors, elements, "
        "METRICS, base_nonfinite, sft_nonfinite}]\n"
        "             with --spectrum each also {spectral_norm, spectral_norm_error, stable_rank, "
        "stable_rank_error, effective_rank, effective_rank_error, spectrum_method: exact, lanczos, none or "
        "not_finite, singular_values [the 16 largest]}\n"
        "  spectrum   {seed, exact_limit} with --spectrum\n"
        "  roles      with --by role: [{role, the same}]\n"
        "  METRICS    relative_norm, mean_square, norm, max_abs, cosine, changed, sign_flips, "
        "kurtosis, top1_share, base_norm, sft_norm; \"NaN\" where undefined\n"
        "CSV: the rows",
    .run = run,
};
