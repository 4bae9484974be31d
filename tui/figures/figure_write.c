#include "tui/figures/figure_write.h"

#include "tui/figures/picture_file.h"

#include <stdio.h>

typedef struct Drawn {
    const void *what;
    const FigureSheet *sheet;
} Drawn;

static Status draw_heatmap(const void *user, FILE *file, Error *error) {
    const Drawn *drawn = user;
    return figure_heatmap_draw(drawn->what, drawn->sheet, file, error);
}

static Status draw_curves(const void *user, FILE *file, Error *error) {
    const Drawn *drawn = user;
    return figure_curves_draw(drawn->what, drawn->sheet, file, error);
}

static Status draw_bars(const void *user, FILE *file, Error *error) {
    const Drawn *drawn = user;
    return figure_bars_draw(drawn->what, drawn->sheet, file, error);
}

Status figure_write_bars(Batch *batch, const FigureBars *bars, const FigureSheet *sheet, Error *error) {
    const Drawn drawn = {bars, sheet};
    progress_clear(&batch->progress);
    return picture_file_write(options_text(batch->options, OPTION_OUT_PICTURE), draw_bars, &drawn, error);
}

Status figure_write_heatmap(Batch *batch, const FigureHeatmap *map, const FigureSheet *sheet, Error *error) {
    const Drawn drawn = {map, sheet};
    progress_clear(&batch->progress);
    return picture_file_write(options_text(batch->options, OPTION_OUT_PICTURE), draw_heatmap, &drawn, error);
}

Status figure_write_curves(Batch *batch, const FigureCurves *curves, const FigureSheet *sheet, Error *error) {
    const Drawn drawn = {curves, sheet};
    progress_clear(&batch->progress);
    return picture_file_write(options_text(batch->options, OPTION_OUT_PICTURE), draw_curves, &drawn, error);
}

void figure_write_label(const char *name, const char *unit, char *text, size_t size) {
    (void)snprintf(text, size, unit[0] != '\0' ? "%s (%s)" : "%s", name, unit);
}
