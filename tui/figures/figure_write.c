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

typedef Status (*Draw)(const void *user, FILE *file, Error *error);

static Status write_out(Batch *batch, Draw draw, const Drawn *drawn, Error *error) {
    progress_clear(&batch->progress);
    if (drawn->sheet->file != NULL) return draw(drawn, drawn->sheet->file, error);
    return picture_file_write(options_text(batch->options, OPTION_OUT_PICTURE), draw, drawn, error);
}

Status figure_write_bars(Batch *batch, const FigureBars *bars, const FigureSheet *sheet, Error *error) {
    return write_out(batch, draw_bars, &(Drawn){bars, sheet}, error);
}

Status figure_write_heatmap(Batch *batch, const FigureHeatmap *map, const FigureSheet *sheet, Error *error) {
    return write_out(batch, draw_heatmap, &(Drawn){map, sheet}, error);
}

Status figure_write_curves(Batch *batch, const FigureCurves *curves, const FigureSheet *sheet, Error *error) {
    return write_out(batch, draw_curves, &(Drawn){curves, sheet}, error);
}

void figure_write_label(const char *name, const char *unit, char *text, size_t size) {
    (void)snprintf(text, size, unit[0] != '\0' ? "%s (%s)" : "%s", name, unit);
}
