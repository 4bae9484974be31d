#include "tui/tables/ladder_table.h"

/* A part that is not there leaves its cells empty; a figure that is not defined is NaN. */
static void add_cell(Table *table, const LadderFigures *figures, LadderFigure figure, size_t number,
                     double value) {
    if (ladder_figure_is_there(figures, figure, number))
        table_add_figure(table, value, ladder_figure_is_undefined(figures, figure, number));
    else
        table_add_empty(table);
}

static void add_whole(Table *table, const Ladder *ladder, const LadderFigures *figures, LadderTaus taus,
                      size_t number, bool with_layers) {
    table_add_row(table);
    table_add_integer(table, (int64_t)number);
    table_add_text(table, ladder_directory(ladder, number));
    if (with_layers) table_add_empty(table);
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        add_cell(table, figures, figure, number, ladder_figure(figures, figure, number, taus));
}

static void add_layer(Table *table, const Ladder *ladder, const LadderFigures *figures, LadderTaus taus,
                      size_t number, size_t layer) {
    table_add_row(table);
    table_add_integer(table, (int64_t)number);
    table_add_text(table, ladder_directory(ladder, number));
    table_add_integer(table, (int64_t)layer);
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++) {
        if (ladder_figure_facts(figure)->has_layers)
            add_cell(table, figures, figure, number,
                     ladder_layer_figure(figures, figure, number, layer, taus));
        else
            table_add_empty(table);
    }
}

Status ladder_table_create(const Ladder *ladder, const LadderFigures *figures, LadderTaus taus,
                           bool with_layers, Table **table, Error *error) {
    enum { BEFORE = 3 };
    TableColumn columns[BEFORE + LADDER_FIGURE_COUNT] = {{.key = "rung", .type = TABLE_INTEGER},
                                                         {.key = "directory", .type = TABLE_TEXT}};
    size_t count = 2, layers = with_layers ? ladder_figures_layers(figures) : 0;
    if (with_layers) columns[count++] = (TableColumn){.key = "layer", .type = TABLE_INTEGER};
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        columns[count++] = (TableColumn){.key = ladder_figure_facts(figure)->key, .type = TABLE_NUMBER};
    Status status = table_create(columns, count, table, error);
    for (size_t number = 0; number <= figures->count && status == STATUS_OK; number++) {
        add_whole(*table, ladder, figures, taus, number, with_layers);
        for (size_t layer = 0; layer < layers; layer++)
            add_layer(*table, ladder, figures, taus, number, layer);
    }
    return status;
}
