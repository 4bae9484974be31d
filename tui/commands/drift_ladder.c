#include "tui/commands/drift_ladder.h"

#include "core/files/json.h"
#include "core/ladder/ladder.h"
#include "core/support/memory.h"
#include "tui/tables/table_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 48 };

/* A line of the text form, when its pair is closed again. */
typedef struct Cell {
    char *name;
    double value; /* NaN: not compared, or undefined */
} Cell;

typedef struct Comparison {
    size_t rung, against;
    char head[HEAD_SIZE]; /* of its column: "2-1" */
    DriftRow all;
    Cell *cells; /* of the text form, by name; of the leading comparison in the order of lines */
    size_t count;
} Comparison;

typedef struct Climb {
    Batch *batch;
    Ladder ladder;
    DriftListing listing;
    const DriftOrder *order; /* NULL: that of the files */
    DriftOrder shown;        /* what the text form shows */
    Comparison *comparisons; /* each rung against base, then each against the one before */
    size_t count;
    cJSON *list;  /* of the JSON form */
    Table *table; /* of the CSV form */
} Climb;

/* ---- what is kept of a comparison ---- */

static char *copy_name(const DriftLine *line) {
    if (line->name != NULL) return memory_copy_text(line->name, strlen(line->name));
    return line->layer < 0 ? memory_copy_text("-", 1) : memory_format("%d", line->layer);
}

static int compare_names(const void *first, const void *second) {
    const Cell *a = first, *b = second;
    return strcmp(a->name, b->name);
}

/* Lines of the text form are those of the last rung against base. */
static bool is_leading(const Climb *climb, const Comparison *comparison) {
    return comparison->against == 0 && comparison->rung == climb->ladder.count;
}

static Status keep_cells(const Climb *climb, Comparison *comparison, Error *error) {
    const DriftListing *listing = &climb->listing;
    comparison->cells = memory_allocate(listing->count > 0 ? listing->count : 1, sizeof *comparison->cells);
    if (comparison->cells == NULL) return memory_fail(error, "the drift table");
    for (size_t i = 0; i < listing->count; i++) {
        Cell *cell = &comparison->cells[i];
        *cell = (Cell){copy_name(&listing->lines[i]), drift_listing_value(&listing->lines[i], &climb->shown)};
        if (cell->name == NULL) return memory_fail(error, "the drift table");
        comparison->count++;
    }
    if (!is_leading(climb, comparison))
        qsort(comparison->cells, comparison->count, sizeof *comparison->cells, compare_names);
    return STATUS_OK;
}

static Status keep_json(const Climb *climb, const Comparison *comparison, Error *error) {
    cJSON *object = cJSON_CreateObject();
    bool complete = object != NULL && json_add_number(object, "rung", (double)comparison->rung) &&
                    json_add_number(object, "against", (double)comparison->against) &&
                    drift_listing_add_json(&climb->listing, climb->batch->pair, &comparison->all, object) &&
                    cJSON_AddItemToArray(climb->list, object);
    if (complete) return STATUS_OK;
    cJSON_Delete(object);
    return memory_fail(error, "JSON");
}

static Status keep(Climb *climb, Comparison *comparison, const DriftMeasured *measured, Error *error) {
    DriftListing *listing = &climb->listing;
    const OptionValue *top = options_value(climb->batch->options, OPTION_TOP_ROWS);
    bool is_text = listing->format == TABLE_AS_TEXT; /* which cuts lines of all at once */
    Status status = drift_listing_collect(climb->batch->pair, measured, listing, error);
    if (status != STATUS_OK) return status;
    (void)drift_sum_all(measured->drift, &comparison->all); /* how many went in is in the row */
    comparison->all.tensor = NULL;                          /* the pair's */
    if (climb->order != NULL) drift_listing_sort(listing, climb->order);
    if (top->given && top->count < listing->count && (!is_text || is_leading(climb, comparison)))
        listing->count = (size_t)top->count;
    listing->rung = comparison->rung;
    listing->against = comparison->against;
    if (is_text) return keep_cells(climb, comparison, error);
    if (listing->format == TABLE_AS_JSON) return keep_json(climb, comparison, error);
    drift_listing_add(listing, climb->table);
    return STATUS_OK;
}

static Status compare(Climb *climb, size_t rung, size_t against, Error *error) {
    Batch *batch = climb->batch;
    DriftMeasured measured = {0};
    Comparison *comparison = &climb->comparisons[climb->count];
    *comparison = (Comparison){.rung = rung, .against = against};
    (void)snprintf(comparison->head, sizeof comparison->head, "%zu-%zu", rung, against);
    Status status = ladder_open_pair(&climb->ladder, against, rung, &batch->pair, error);
    if (status != STATUS_OK) return status;
    climb->count++;
    drift_listing_say_share(batch, "%s: ", comparison->head);
    status = drift_listing_measure(batch, climb->listing.with_spectrum, &measured, error);
    if (status == STATUS_OK) status = keep(climb, comparison, &measured, error);
    drift_listing_free(&climb->listing);
    drift_listing_free_measured(&measured);
    pair_close(batch->pair);
    batch->pair = NULL;
    return status;
}

/* ---- output ---- */

static Status write_json(Climb *climb, Error *error) {
    cJSON *tree = cJSON_CreateObject(), *rungs = cJSON_CreateArray();
    bool complete = tree != NULL && rungs != NULL && json_add_text(tree, "base", climb->ladder.base);
    for (size_t i = 0; i < climb->ladder.count && complete; i++) {
        cJSON *name = batch_json_new_bytes(climb->ladder.rungs[i], strlen(climb->ladder.rungs[i]));
        complete = name != NULL && cJSON_AddItemToArray(rungs, name);
    }
    if (complete) {
        complete = json_add(tree, "rungs", rungs) && json_add(tree, "comparisons", climb->list);
        rungs = climb->list = NULL; /* whatever came of it, they are the tree's, or gone */
    }
    if (complete) return batch_write_json(climb->batch, tree, error);
    cJSON_Delete(rungs);
    cJSON_Delete(tree);
    return batch_write_json(climb->batch, NULL, error);
}

/* Of a comparison, the value of a line. */
static double find_value(const Comparison *comparison, const char *name) {
    const Cell key = {.name = (char *)name};
    const Cell *found =
        bsearch(&key, comparison->cells, comparison->count, sizeof *comparison->cells, compare_names);
    return found != NULL ? found->value : (double)NAN;
}

static Status make_matrix(const Climb *climb, Table **table, Error *error) {
    static const char *const HEADS[] = {
        [DRIFT_BY_TENSOR] = "tensor", [DRIFT_BY_LAYER] = "layer", [DRIFT_BY_ROLE] = "role"};
    enum { COSINE_DIGITS = 6 };
    const Comparison *leading = &climb->comparisons[climb->ladder.count - 1];
    TableColumn *columns = memory_allocate(climb->count + 1, sizeof *columns);
    if (columns == NULL) return memory_fail(error, "the drift table");
    columns[0] = (TableColumn){.key = HEADS[climb->listing.grouping], .type = TABLE_TEXT};
    for (size_t i = 0; i < climb->count; i++)
        columns[i + 1] = (TableColumn){.key = climb->comparisons[i].head,
                                       .type = TABLE_NUMBER,
                                       .digits = climb->shown.drift == DRIFT_COSINE ? COSINE_DIGITS : 0};
    Status status = table_create(columns, climb->count + 1, table, error);
    free(columns);
    for (size_t line = 0; line < leading->count && status == STATUS_OK; line++) {
        const Cell *cell = &leading->cells[line];
        table_add_row(*table);
        table_add_text(*table, cell->name);
        for (size_t i = 0; i < climb->count; i++)
            table_add_number(*table, &climb->comparisons[i] == leading
                                         ? cell->value
                                         : find_value(&climb->comparisons[i], cell->name));
    }
    return status;
}

/* All tensors of each comparison as one. */
static Status write_whole(Climb *climb, Error *error) {
    static const DriftMetric METRICS[] = {DRIFT_RELATIVE_NORM, DRIFT_COSINE, DRIFT_CHANGED, DRIFT_SIGN_FLIPS};
    enum { METRIC_COUNT = sizeof METRICS / sizeof *METRICS };
    TableColumn columns[METRIC_COUNT + 3] = {{.key = "all", .type = TABLE_TEXT}};
    size_t count = 1;
    Table *table;
    for (size_t i = 0; i < METRIC_COUNT; i++)
        columns[count++] = (TableColumn){.key = drift_metric_facts(METRICS[i])->key,
                                         .type = TABLE_NUMBER,
                                         .digits = METRICS[i] == DRIFT_COSINE ? 6 : 0};
    columns[count++] = (TableColumn){.key = "equal_tensors", .type = TABLE_INTEGER};
    columns[count++] = (TableColumn){.key = "tensors", .type = TABLE_INTEGER};
    Status status = table_create(columns, count, &table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < climb->count; i++) {
        const Comparison *comparison = &climb->comparisons[i];
        table_add_row(table);
        table_add_text(table, comparison->head);
        for (size_t m = 0; m < METRIC_COUNT; m++)
            table_add_figure(table, drift_value(&comparison->all, METRICS[m]),
                             drift_is_undefined(&comparison->all, METRICS[m]));
        table_add_integer(table, (int64_t)comparison->all.equal_tensors);
        table_add_integer(table, (int64_t)comparison->all.tensors);
    }
    status = batch_write_table(climb->batch, table, error);
    table_free(table);
    return status;
}

static Status write_text(Climb *climb, Error *error) {
    Table *table = NULL;
    const char *key = climb->shown.drift < DRIFT_METRIC_COUNT
                          ? drift_metric_facts(climb->shown.drift)->key
                          : spectrum_metric_facts(climb->shown.spectrum)->key;
    for (size_t rung = 0; rung <= climb->ladder.count; rung++)
        batch_print("%zu  %s", rung, ladder_directory(&climb->ladder, rung));
    batch_print("%s", "");
    batch_print("%s; 2-1 is rung 2 against rung 1, and 0 is base:", key);
    Status status = make_matrix(climb, &table, error);
    if (status == STATUS_OK) status = batch_write_table(climb->batch, table, error);
    table_free(table);
    if (status != STATUS_OK) return status;
    batch_print("%s", "");
    return write_whole(climb, error);
}

static void free_climb(Climb *climb) {
    for (size_t i = 0; i < climb->count; i++) {
        for (size_t c = 0; c < climb->comparisons[i].count; c++) free(climb->comparisons[i].cells[c].name);
        free(climb->comparisons[i].cells);
    }
    free(climb->comparisons);
    cJSON_Delete(climb->list);
    table_free(climb->table);
}

/* The form that is asked for, empty. */
static Status begin(Climb *climb, Error *error) {
    climb->comparisons = memory_allocate(2 * climb->ladder.count, sizeof *climb->comparisons);
    if (climb->comparisons == NULL) return memory_fail(error, "the drift table");
    climb->list = cJSON_CreateArray();
    if (climb->list == NULL) return memory_fail(error, "JSON");
    return climb->listing.format == TABLE_AS_CSV
               ? drift_listing_create_table(&climb->listing, &climb->table, error)
               : STATUS_OK;
}

Status drift_ladder_run(Batch *batch, const DriftListing *listing, const DriftOrder *order, Error *error) {
    const Options *options = batch->options;
    Climb climb = {.batch = batch,
                   .ladder = {options->operands[0], options->operands + 1, options->operand_count - 1},
                   .listing = *listing,
                   .order = order,
                   .shown = order != NULL ? *order : (DriftOrder){.drift = DRIFT_RELATIVE_NORM}};
    climb.listing.in_ladder = listing->format == TABLE_AS_CSV;
    Status status = ladder_check(&climb.ladder, error);
    if (status == STATUS_OK) status = begin(&climb, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    for (size_t rung = 1; rung <= climb.ladder.count && status == STATUS_OK; rung++)
        status = compare(&climb, rung, 0, error);
    for (size_t rung = 2; rung <= climb.ladder.count && status == STATUS_OK; rung++)
        status = compare(&climb, rung, rung - 1, error);
    if (status == STATUS_OK && listing->format == TABLE_AS_JSON)
        status = write_json(&climb, error);
    else if (status == STATUS_OK && listing->format == TABLE_AS_TEXT)
        status = write_text(&climb, error);
    else if (status == STATUS_OK)
        status = batch_write_table(batch, climb.table, error);
    free_climb(&climb);
    return status;
}
