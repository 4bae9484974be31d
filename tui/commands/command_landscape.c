#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/batch_landscape.h"
#include "tui/commands/command.h"
#include "tui/tables/table_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const NAMES[SIDE_COUNT] = {
    [SIDE_BASE] = "base", [SIDE_SFT] = "sft", [SIDE_FUSED] = "fused"};

/* ---- JSON ---- */

static bool add_line(cJSON *tree, const BatchLandscape *landscape) {
    cJSON *line = cJSON_AddArrayToObject(tree, "line");
    bool complete = line != NULL;
    for (size_t i = 0; i < landscape->line.points && complete; i++) {
        const double point[] = {batch_landscape_alpha(landscape, i), landscape->line_losses[i]};
        complete = cJSON_AddItemToArray(line, json_new_numbers(point, 2));
    }
    return complete;
}

static bool add_plane(cJSON *tree, const BatchLandscape *landscape) {
    size_t count = landscape->plane.points;
    cJSON *plane = cJSON_AddObjectToObject(tree, "plane");
    bool complete = plane != NULL && json_add(plane, "span", json_new_numbers(landscape->steps, count));
    cJSON *loss = complete ? cJSON_AddArrayToObject(plane, "loss") : NULL;
    complete = loss != NULL;
    for (size_t y = 0; y < count && complete; y++)
        complete = cJSON_AddItemToArray(loss, json_new_numbers(landscape->plane_losses + y * count, count));
    const Triangle *triangle = landscape->triangle;
    if (triangle == NULL || !complete) return complete;
    cJSON *third = cJSON_AddObjectToObject(plane, "third");
    return third != NULL && json_add_text(third, "directory", triangle->pair->sft->directory) &&
           json_add_number(third, "x", triangle->x) && json_add_number(third, "y", triangle->y);
}

static bool add_sharpness(cJSON *tree, const BatchLandscape *landscape) {
    cJSON *all = cJSON_AddObjectToObject(tree, "sharpness");
    bool complete = all != NULL;
    for (Side side = SIDE_BASE; side < SIDE_COUNT && complete; side++) {
        const LandscapeSharpness *sharpness = &landscape->sharpness[side];
        size_t count = sharpness->directions;
        cJSON *one = cJSON_AddObjectToObject(all, NAMES[side]);
        complete = one != NULL && json_add_number(one, "sigma", sharpness->sigma) &&
                   batch_json_add_count(one, "directions", count) &&
                   json_add_number(one, "loss", sharpness->loss) &&
                   json_add(one, "plus", json_new_numbers(sharpness->plus, count)) &&
                   json_add(one, "minus", json_new_numbers(sharpness->minus, count)) &&
                   json_add_number(one, "mean_rise", sharpness->mean_rise) &&
                   json_add_number(one, "worst_rise", sharpness->worst_rise) &&
                   json_add(one, "curvature", json_new_numbers(sharpness->curvature, count)) &&
                   json_add_number(one, "mean_curvature", sharpness->mean_curvature) &&
                   json_add_number(one, "curvature_error", sharpness->curvature_error);
    }
    return complete;
}

static Status write_json(Batch *batch, const BatchLandscape *landscape, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
                    json_add_text(tree, "sft", batch->pair->sft->directory) &&
                    json_add_text(tree, "source", landscape->dials.calibration->source) &&
                    batch_json_add_count(tree, "rows", landscape->rows) &&
                    batch_json_add_count(tree, "response_tokens", landscape->tokens) &&
                    batch_json_add_end(tree, batch, landscape->dials.calibration) &&
                    batch_method_add_json(tree, &landscape->dials.settings, false) &&
                    batch_json_add_count(tree, "seed", landscape->seed) &&
                    (!landscape->has_line || add_line(tree, landscape)) &&
                    (!landscape->has_plane || add_plane(tree, landscape)) &&
                    (!landscape->has_sharpness || add_sharpness(tree, landscape));
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

/* ---- CSV: every loss in a row of its own ---- */

/* What a loss is of; a coordinate that it has not is empty. */
typedef struct Place {
    const char *part, *model;
    const double *alpha, *x, *y, *step;
    const size_t *direction;
} Place;

static void add_coordinate(Table *table, const double *coordinate) {
    if (coordinate != NULL)
        table_add_number(table, *coordinate);
    else
        table_add_empty(table);
}

static void add_loss(Table *table, const Place *place, double loss) {
    table_add_row(table);
    table_add_text(table, place->part);
    table_add_text(table, place->model);
    add_coordinate(table, place->alpha);
    add_coordinate(table, place->x);
    add_coordinate(table, place->y);
    if (place->direction != NULL)
        table_add_integer(table, (int64_t)*place->direction);
    else
        table_add_empty(table);
    add_coordinate(table, place->step);
    table_add_number(table, loss);
}

static void add_losses_around(Table *table, const LandscapeSharpness *sharpness, const char *model) {
    const double back = -sharpness->sigma, none = 0.0;
    add_loss(table, &(Place){"sharpness", model, .step = &none}, sharpness->loss);
    for (size_t k = 0; k < sharpness->directions; k++) {
        add_loss(table, &(Place){"sharpness", model, .direction = &k, .step = &sharpness->sigma},
                 sharpness->plus[k]);
        add_loss(table, &(Place){"sharpness", model, .direction = &k, .step = &back}, sharpness->minus[k]);
    }
}

static Status write_csv(Batch *batch, const BatchLandscape *landscape, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"part", NULL, NULL, TABLE_TEXT, 0},    {"model", NULL, NULL, TABLE_TEXT, 0},
        {"alpha", NULL, NULL, TABLE_NUMBER, 0}, {"x", NULL, NULL, TABLE_NUMBER, 0},
        {"y", NULL, NULL, TABLE_NUMBER, 0},     {"direction", NULL, NULL, TABLE_INTEGER, 0},
        {"step", NULL, NULL, TABLE_NUMBER, 0},  {"loss", NULL, NULL, TABLE_NUMBER, 0}};
    Table *table = NULL;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, &table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < landscape->line.points && landscape->has_line; i++) {
        double alpha = batch_landscape_alpha(landscape, i);
        add_loss(table, &(Place){"line", "fused", .alpha = &alpha}, landscape->line_losses[i]);
    }
    size_t count = landscape->has_plane ? landscape->plane.points : 0;
    for (size_t i = 0; i < count * count; i++)
        add_loss(
            table,
            &(Place){"plane", "fused", .x = &landscape->steps[i % count], .y = &landscape->steps[i / count]},
            landscape->plane_losses[i]);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && landscape->has_sharpness; side++)
        add_losses_around(table, &landscape->sharpness[side], NAMES[side]);
    status = batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

/* ---- text: a table for each part ---- */

static Status write_line(Batch *batch, const BatchLandscape *landscape, Error *error) {
    static const TableColumn COLUMNS[] = {{"alpha", NULL, NULL, TABLE_NUMBER, 4},
                                          {"loss", NULL, NULL, TABLE_NUMBER, 6}};
    Table *table = NULL;
    Status status = table_create(COLUMNS, 2, &table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < landscape->line.points; i++) {
        table_add_row(table);
        table_add_number(table, batch_landscape_alpha(landscape, i));
        table_add_number(table, landscape->line_losses[i]);
    }
    batch_print("The line through base (0) and SFT (1)");
    status = batch_write_table(batch, table, error);
    table_free(table);
    batch_print("%s", "");
    return status;
}

/* A row for each step along direction 1, the largest above, as on a map; a column for each along direction 0. */
static Status write_plane(Batch *batch, const BatchLandscape *landscape, Error *error) {
    enum { HEAD = 24 };
    size_t count = landscape->plane.points;
    TableColumn *columns = memory_allocate(count + 1, sizeof *columns);
    char(*heads)[HEAD] = memory_allocate(count, sizeof *heads);
    Table *table = NULL;
    Status status = STATUS_OK;
    if (columns == NULL || heads == NULL) status = memory_fail(error, "a plane");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        (void)snprintf(heads[i], HEAD, "%.4g", landscape->steps[i]);
        columns[i + 1] = (TableColumn){heads[i], NULL, NULL, TABLE_NUMBER, 4};
    }
    if (status == STATUS_OK) {
        columns[0] = (TableColumn){"y \\ x", NULL, NULL, TABLE_NUMBER, 4};
        status = table_create(columns, count + 1, &table, error);
    }
    for (size_t y = count; y-- > 0 && status == STATUS_OK;) {
        table_add_row(table);
        table_add_number(table, landscape->steps[y]);
        for (size_t x = 0; x < count; x++) table_add_number(table, landscape->plane_losses[y * count + x]);
    }
    if (status == STATUS_OK) {
        if (landscape->triangle != NULL)
            batch_print("The plane through base (0, 0), SFT (1, 0) and the third (%.4g, %.4g)",
                        landscape->triangle->x, landscape->triangle->y);
        else
            batch_print("The plane around W: x along direction 0, y along direction 1 of seed %" PRIu64,
                        landscape->seed);
        status = batch_write_table(batch, table, error);
        batch_print("%s", "");
    }
    table_free(table);
    free(heads);
    free(columns);
    return status;
}

static Status write_sharpness(Batch *batch, const BatchLandscape *landscape, Error *error) {
    static const TableColumn COLUMNS[] = {{"model", NULL, NULL, TABLE_TEXT, 0},
                                          {"loss", NULL, NULL, TABLE_NUMBER, 6},
                                          {"mean_rise", "mean rise", NULL, TABLE_NUMBER, 4},
                                          {"worst_rise", "worst rise", NULL, TABLE_NUMBER, 4},
                                          {"mean_curvature", "curvature", NULL, TABLE_NUMBER, 4},
                                          {"curvature_error", "± its error", NULL, TABLE_NUMBER, 2},
                                          {"rounding", "± rounding", NULL, TABLE_NUMBER, 1}};
    Table *table = NULL;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, &table, error);
    if (status != STATUS_OK) return status;
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        const LandscapeSharpness *sharpness = &landscape->sharpness[side];
        table_add_row(table);
        table_add_text(table, NAMES[side]);
        table_add_number(table, sharpness->loss);
        table_add_number(table, sharpness->mean_rise);
        table_add_number(table, sharpness->worst_rise);
        table_add_number(table, sharpness->mean_curvature);
        table_add_figure(table, sharpness->curvature_error, sharpness->directions < 2);
        table_add_number(table, sharpness->rounding);
    }
    batch_print("Sharpness: ±%.4g along %zu direction%s of seed %" PRIu64, landscape->sharpness[0].sigma,
                landscape->sharpness[0].directions, landscape->sharpness[0].directions == 1 ? "" : "s",
                landscape->seed);
    status = batch_write_table(batch, table, error);
    table_free(table);
    batch_print("%s", "");
    return status;
}

static Status write_text(Batch *batch, const BatchLandscape *landscape, Error *error) {
    Status status = STATUS_OK;
    if (landscape->has_line) status = write_line(batch, landscape, error);
    if (status == STATUS_OK && landscape->has_plane) status = write_plane(batch, landscape, error);
    if (status == STATUS_OK && landscape->has_sharpness) status = write_sharpness(batch, landscape, error);
    if (status != STATUS_OK) return status;
    char reset[256];
    batch_method_describe_reset(&landscape->dials.settings, reset, sizeof reset);
    if (reset[0] != '\0') batch_print("%s", reset);
    batch_print("Losses are means over the %zu response tokens of %zu row%s; W at alpha %.4g.",
                landscape->tokens, landscape->rows, landscape->rows == 1 ? "" : "s",
                landscape->dials.settings.alpha);
    return STATUS_OK;
}

static Status run(Batch *batch, Error *error) {
    BatchLandscape landscape = {0};
    Status status = batch_landscape_measure(batch, &landscape, error);
    if (status == STATUS_OK) {
        switch (batch->format) {
        case TABLE_AS_JSON:
            status = write_json(batch, &landscape, error);
            break;
        case TABLE_AS_CSV:
            status = write_csv(batch, &landscape, error);
            break;
        case TABLE_AS_TEXT:
            status = write_text(batch, &landscape, error);
            break;
        }
    }
    batch_landscape_free(&landscape);
    return status;
}

const Command command_landscape = {
    .details =
        "The loss is the mean cross-entropy of the response tokens of --calibration; without --line, --plane and "
        "--sharpness it is measured along the line. All of the line stands at one fusion weight for every tensor, without "
        "a reset; the plane is around W, where the dials put it; sharpness is that of base, of SFT and of W.\n"
        "\n"
        "A direction moves every weight matrix: each row by a vector of random signs that is as long as the row itself, "
        "so that a step of 0.1 is a tenth of every row (Li et al. 2018). Vectors do not move; a tied head moves with "
        "its embedding. The same seed gives the same directions. Curvature is the second difference of the loss, its "
        "mean an estimate of the trace of the Hessian in these units, with the standard error over the directions; ± rounding is what "
        "float32 leaves of it, measured by steps of 1e-6, over which the loss is straight. A "
        "loss that is not a number, or infinite, is shown as such.\n"
        "\n"
        "With --third the plane goes through three checkpoints: base at (0, 0), SFT at (1, 0); y at a right angle to "
        "that line and in its length, towards the third. Norms and biases go along.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  source     what was measured on\n"
        "  rows, response_tokens  how many\n"
        "  end_token  {id, text, from}: what was put behind responses, and which key names it; null where nothing was\n"
        "  dials      {alpha, rho, ...}: where W is; see preview --help\n"
        "  seed       of the directions\n"
        "  line       [[alpha, loss]]\n"
        "  plane      {span: [...], loss: [[...]]}: a row of loss for each y along direction 1, in it a number for each x "
        "along direction 0, both as in span; with --third also third: {directory, x, y}, where that is\n"
        "  sharpness  {base, sft, fused}: each {sigma, directions, loss (where it stands), plus, minus (after a step "
        "along each direction, and back), mean_rise, worst_rise, curvature: [of each direction], mean_curvature, "
        "curvature_error (its standard error)}\n"
        "Of line, plane and sharpness those that were asked for.\n"
        "CSV: every loss measured, one a row",
    .run = run,
};
