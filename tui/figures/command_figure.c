#include "core/support/memory.h"
#include "tui/cli/command_line.h"
#include "tui/commands/command.h"
#include "tui/figures/figure.h"

#include <stdlib.h>
#include <string.h>

static const FigureKind *const KINDS[] = {&figure_layers, &figure_spectrum,  &figure_sweep,
                                          &figure_plane,  &figure_landscape, &figure_sharpness,
                                          &figure_ladder, &figure_rungs};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

static const double POINTS_PER_MILLIMETRE = 72.0 / 25.4;

const char *figure_kind_name(size_t index) {
    return index < KIND_COUNT ? KINDS[index]->name : NULL;
}

static Status find_kind(const char *name, const FigureKind **kind, Error *error) {
    const char *names[KIND_COUNT];
    char all[128] = "";
    for (size_t i = 0; i < KIND_COUNT; i++) {
        size_t used = strlen(all);
        names[i] = KINDS[i]->name;
        (void)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", names[i]);
        if (strcmp(names[i], name) != 0) continue;
        *kind = KINDS[i];
        return STATUS_OK;
    }
    return status_fail(error, STATUS_ARGUMENT, "there is no figure \"%s\"; there are %s", name, all);
}

static Status check_operands(const FigureKind *kind, size_t count, Error *error) {
    enum { ONE_PAIR = 3 };
    if (kind->takes_rungs || count == ONE_PAIR) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "expected %s BASE SFT, found %zu arguments", kind->name,
                       count);
}

/* An option that another kind is drawn by is a mistake here. */
static Status check_options(const FigureKind *kind, const Options *options, Error *error) {
    static const OptionId ALWAYS[] = {OPTION_OUT_PICTURE, OPTION_TITLE,   OPTION_WIDTH,
                                      OPTION_HEIGHT,      OPTION_THREADS, OPTION_QUIET};
    for (size_t i = 0; i < options->given_count; i++) {
        OptionId id = options->given[i].id;
        bool fits = false;
        for (size_t k = 0; k < sizeof ALWAYS / sizeof *ALWAYS; k++) fits = fits || ALWAYS[k] == id;
        for (size_t k = 0; k < kind->option_count; k++) fits = fits || kind->options[k] == id;
        if (!fits)
            return status_fail(error, STATUS_ARGUMENT, "--%s does nothing in a figure of %s",
                               option_facts(id)->name, kind->name);
    }
    return STATUS_OK;
}

/* The command line, but for where its output went and how it was made: the same figure has the same bytes. */
static Status describe(const FigureKind *kind, const Options *options, char **text, Error *error) {
    static const OptionId SILENT[] = {OPTION_OUT_PICTURE, OPTION_THREADS, OPTION_QUIET};
    CommandLine line = {0};
    char *command;
    command_line_add(&line, "figure");
    for (size_t i = 0; i < options->operand_count; i++) command_line_add(&line, "%s", options->operands[i]);
    for (size_t i = 0; i < options->given_count; i++) {
        const OptionGiven *given = &options->given[i];
        bool is_silent = false;
        for (size_t k = 0; k < sizeof SILENT / sizeof *SILENT; k++)
            is_silent = is_silent || SILENT[k] == given->id;
        if (is_silent) continue;
        command_line_add(&line, "--%s", option_facts(given->id)->name);
        if (given->text != NULL) command_line_add(&line, "%s", given->text);
    }
    Status status = command_line_take(&line, &command, error);
    if (status != STATUS_OK) return status;
    *text = memory_format("%s\nMade by rejuv " REJUV_VERSION ". %s", command, kind->summary);
    free(command);
    return *text != NULL ? STATUS_OK : memory_fail(error, "a figure");
}

static double length_of(const Options *options, OptionId id, double initial) {
    double millimetres = options_has(options, id) ? options_value(options, id)->number : initial;
    return millimetres * POINTS_PER_MILLIMETRE;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    const FigureKind *kind = NULL;
    char *description = NULL;
    Status status = find_kind(options->operands[0], &kind, error);
    if (status == STATUS_OK) status = check_operands(kind, options->operand_count, error);
    if (status == STATUS_OK) status = check_options(kind, options, error);
    if (status == STATUS_OK) status = describe(kind, options, &description, error);
    if (status != STATUS_OK) return status;
    FigureSheet sheet = {.width = length_of(options, OPTION_WIDTH, kind->width),
                         .height = length_of(options, OPTION_HEIGHT, kind->height),
                         .title = options_text(options, OPTION_TITLE),
                         .description = description};
    status = kind->make(batch, &sheet, error);
    free(description);
    return status;
}

const Command command_figure = {
    .details =
        "KIND is one of\n"
        "  layers     layer by module, in the colours of --metric: any of drift's, spectrum's with their keys; or of the "
        "method's: dormant_base, dormant_sft, dormant_change, gradient_dormant, attribution_mass (these on "
        "--calibration), reset_share (at one --rho)\n"
        "  spectrum   singular values of the change of each --tensor, on a logarithmic axis\n"
        "  sweep      --metric, each in a panel of its own, over a range of --alpha or of --rho; over both, a curve "
        "for each rho\n"
        "  plane      one --metric over the plane of a range of --alpha and one of --rho, its smallest marked; or, with "
        "--plane, the loss around W over two random directions (or through a --third checkpoint), with lines of equal loss\n"
        "  landscape  the loss along the --line through base and SFT\n"
        "  sharpness  how the loss of base, SFT and W rises after steps of --sharpness along random --directions\n"
        "  ladder     --metric, each in a panel of its own, along several SFT, the rungs of one training: keys of the JSON of "
        "ladder\n"
        "  rungs      layer by rung, in the colours of one --metric of ladder that layers have\n"
        "\n"
        "Numbers are those of rejuv drift, drift --spectrum, neurons, sweep, landscape and ladder. Black on white; colours tell themselves apart "
        "for colour-blind eyes and in grey; lines differ in dash and marker too. The file holds the command line that "
        "made it, and says each value to who points at it. The same figure has the same bytes.\n"
        "\n"
        "  rejuv figure layers BASE SFT --metric relative_norm --out layers.svg\n"
        "  rejuv figure layers BASE SFT --calibration rows.jsonl \\\n"
        "      --metric dormant_change --out dormant.svg\n"
        "  rejuv figure spectrum BASE SFT --tensor layers.3.mlp.down \\\n"
        "      --tensor layers.3.mlp.up --out spectrum.svg\n"
        "  rejuv figure sweep BASE SFT --calibration rows.jsonl --alpha 0:1:21 \\\n"
        "      --mark 0.5 --out sweep.svg\n"
        "  rejuv figure plane BASE SFT --calibration rows.jsonl --alpha 0:1:11 \\\n"
        "      --rho 0:4%:9 --metric loss --out plane.svg\n"
        "  rejuv figure plane BASE SFT --calibration rows.jsonl --alpha 0.5 \\\n"
        "      --plane -0.3:0.3:25 --log --out around.svg\n"
        "  rejuv figure landscape BASE SFT --calibration rows.jsonl \\\n"
        "      --line -0.25:1.25:31 --out line.svg\n"
        "  rejuv figure sharpness BASE SFT --calibration rows.jsonl \\\n"
        "      --sharpness 0.1 --out sharpness.svg\n"
        "  rejuv figure ladder BASE E1 E2 E3 --calibration rows.jsonl \\\n"
        "      --out ladder.svg\n"
        "  rejuv figure rungs BASE E1 E2 E3 --metric relative_norm \\\n"
        "      --out rungs.svg\n"
        "\n"
        "rsvg-convert -f pdf makes a PDF of it for LaTeX.",
    .run = run,
};
