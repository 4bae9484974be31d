#include "core/files/json.h"
#include "core/method/dials.h"
#include "tui/commands/batch_sampling.h"
#include "tui/commands/rollout_tables.h"
#include "tui/report/report_figures.h"
#include "tui/report/report_sections.h"
#include "tui/text/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 256 };

/* ---- the chosen setting ---- */

/* Which pairs of states are compared. */
static const struct {
    Side x, y;
    const char *key, *label, *error_key;
} PAIRS[] = {{SIDE_SFT, SIDE_BASE, "sft_base", "SFT less base", "sft_base_error"},
             {SIDE_FUSED, SIDE_SFT, "fused_sft", "W less SFT", "fused_sft_error"},
             {SIDE_FUSED, SIDE_BASE, "fused_base", "W less base", "fused_base_error"}};
enum { PAIR_COUNT = sizeof PAIRS / sizeof *PAIRS };

static const char *label_of(const char *key) {
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        if (strcmp(DISTRIBUTION_FIGURES[i].key, key) == 0) return DISTRIBUTION_FIGURES[i].label;
    return key;
}

static void add_differences(ReportDocument *document, const ReportData *data) {
    TableColumn columns[1 + 2 * PAIR_COUNT] = {{"figure", NULL, NULL, TABLE_TEXT, 0}};
    for (size_t i = 0; i < PAIR_COUNT; i++) {
        columns[1 + 2 * i] = (TableColumn){PAIRS[i].key, PAIRS[i].label, NULL, TABLE_NUMBER, 4};
        columns[2 + 2 * i] = (TableColumn){PAIRS[i].error_key, "± its error", NULL, TABLE_NUMBER, 2};
    }
    Table *table = report_sections_table(document, columns, 1 + 2 * PAIR_COUNT);
    if (table == NULL) return;
    for (ReportQuantity quantity = 0; quantity < REPORT_QUANTITY_COUNT; quantity++) {
        table_add_row(table);
        table_add_text(table, label_of(report_data_quantity_key(quantity)));
        for (size_t i = 0; i < PAIR_COUNT; i++) {
            ReportDifference difference = report_data_compare(data, PAIRS[i].x, PAIRS[i].y, quantity);
            table_add_figure(table, difference.value, difference.rows == 0);
            table_add_figure(table, difference.error, difference.rows < 2);
        }
    }
    report_document_add_table(document, "differences", table, "Differences, with standard errors over rows");
}

void report_sections_add_setting(ReportDocument *document, const ReportData *data) {
    const Settings *settings = &report_data_dials(data)->settings;
    char reset[TEXT_SIZE];
    batch_method_describe_reset(settings, reset, sizeof reset);
    report_document_add(document, REPORT_PARAGRAPH, "W = α·SFT + (1 − α)·base with α = %.4g%s%s",
                        settings->alpha, reset[0] != '\0' ? ". " : ", no neurons reset.", reset);
    add_differences(document, data);
    report_sections_add_command(document, data, COMMAND_REPORT, NULL, false);
}

/* ---- the output space ---- */

static void add_figure(Table *table, const DistributionAverages *averages, size_t figure) {
    table_add_figure(table, distribution_figure(averages, figure),
                     distribution_figure_is_undefined(averages, figure));
}

static void add_averages(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {{"figure", NULL, NULL, TABLE_TEXT, 0},
                                          {"base", NULL, NULL, TABLE_NUMBER, 4},
                                          {"sft", "SFT", NULL, TABLE_NUMBER, 4},
                                          {"fused", "W", NULL, TABLE_NUMBER, 4},
                                          {"fused_alone", "W without the reset", NULL, TABLE_NUMBER, 4}};
    bool has_reset = report_data_has_reset(data);
    Table *table = report_sections_table(document, COLUMNS, has_reset ? 5 : 4);
    if (table == NULL) return;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        const DistributionFigure *facts = &DISTRIBUTION_FIGURES[i];
        char label[TEXT_SIZE];
        (void)snprintf(label, sizeof label, facts->unit[0] != '\0' ? "%s (%s)" : "%s", facts->label,
                       facts->unit);
        table_add_row(table);
        table_add_text(table, label);
        add_figure(table, &data->sweep.base, i);
        add_figure(table, &data->sweep.sft, i);
        add_figure(table, &data->chosen, i);
        if (has_reset) add_figure(table, &data->plain, i);
    }
    report_document_add_table(document, "output", table, "Means over the measured positions");
}

void report_sections_add_output(ReportDocument *document, const ReportData *data) {
    char alpha[JSON_NUMBER_SIZE];
    (void)json_format_number(report_data_dials(data)->settings.alpha, 1, alpha);
    const char *const words[] = {"--alpha", alpha, NULL};
    report_document_add(
        document, REPORT_PARAGRAPH,
        "Next-token distributions at %zu positions of %zu rows, each after the text as it stands in the "
        "rows; nothing was sampled.",
        data->chosen.positions, report_data_dials(data)->calibration->count);
    add_averages(document, data);
    report_sections_add_command(document, data, COMMAND_SWEEP, words, false);
}

/* ---- the sweep ---- */

static const char *const SWEPT[] = {"entropy", "confident", "kl_base", "kl_sft", "loss"};
enum { SWEPT_COUNT = sizeof SWEPT / sizeof *SWEPT };

static size_t find_figure(const char *key) {
    size_t index = 0;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        if (strcmp(DISTRIBUTION_FIGURES[i].key, key) == 0) index = i;
    return index;
}

void report_sections_add_sweep(ReportDocument *document, const ReportData *data) {
    const Range alphas = option_range(options_value(data->batch->options, OPTION_SWEEP));
    TableColumn columns[SWEPT_COUNT + 1] = {{"alpha", "α", NULL, TABLE_NUMBER, 3}};
    char range[TEXT_SIZE];
    for (size_t i = 0; i < SWEPT_COUNT; i++)
        columns[i + 1] = (TableColumn){SWEPT[i], label_of(SWEPT[i]), NULL, TABLE_NUMBER, 4};
    report_figures_add(document, data, REPORT_FIGURE_SWEEP);
    Table *table = report_sections_table(document, columns, SWEPT_COUNT + 1);
    if (table == NULL) return;
    for (size_t point = 0; point < data->sweep.points; point++) {
        table_add_row(table);
        table_add_number(table, data->sweep.settings[point].alpha);
        for (size_t i = 0; i < SWEPT_COUNT; i++)
            add_figure(table, &data->sweep.fused[point], find_figure(SWEPT[i]));
    }
    report_document_add_table(document, "sweep", table,
                              report_data_has_reset(data) ? "The same as numbers, at the chosen ρ"
                                                          : "The same as numbers");
    range_write(&alphas, false, range, sizeof range);
    report_sections_add_command(document, data, COMMAND_SWEEP, (const char *const[]){"--alpha", range, NULL},
                                false);
}

/* ---- the landscape ---- */

static void add_sharpness(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {{"model", NULL, NULL, TABLE_TEXT, 0},
                                          {"loss", NULL, "nat", TABLE_NUMBER, 5},
                                          {"mean_rise", "mean rise", "nat", TABLE_NUMBER, 4},
                                          {"worst_rise", "worst rise", "nat", TABLE_NUMBER, 4},
                                          {"mean_curvature", "curvature", "nat", TABLE_NUMBER, 4},
                                          {"curvature_error", "± its error", "nat", TABLE_NUMBER, 2},
                                          {"curvature_rounding", "± rounding", "nat", TABLE_NUMBER, 1}};
    static const char *const NAMES[SIDE_COUNT] = {"base", "SFT", "W"};
    Table *table = report_sections_table(document, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    if (table == NULL) return;
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        const LandscapeSharpness *sharpness = &data->landscape.sharpness[side];
        table_add_row(table);
        table_add_text(table, NAMES[side]);
        table_add_number(table, sharpness->loss);
        table_add_number(table, sharpness->mean_rise);
        table_add_number(table, sharpness->worst_rise);
        table_add_number(table, sharpness->mean_curvature);
        table_add_figure(table, sharpness->curvature_error, sharpness->directions < 2);
        table_add_number(table, sharpness->rounding);
    }
    report_document_add_table(document, "sharpness", table, "How sharply the loss rises");
}

void report_sections_add_landscape(ReportDocument *document, const ReportData *data) {
    const BatchLandscape *landscape = &data->landscape;
    char line[TEXT_SIZE], plane[TEXT_SIZE], sigma[JSON_NUMBER_SIZE];
    range_write(&landscape->line, false, line, sizeof line);
    range_write(&landscape->plane, false, plane, sizeof plane);
    (void)json_format_number(landscape->sigma, 1, sigma);
    report_document_add(
        document, REPORT_PARAGRAPH,
        "The loss is the mean cross-entropy of %zu response tokens of %zu rows. A direction moves each row "
        "of every matrix by random signs as long as the row itself: a step of 0.1 is a tenth of it.",
        landscape->tokens, landscape->rows);
    report_figures_add(document, data, REPORT_FIGURE_LINE);
    report_figures_add(document, data, REPORT_FIGURE_PLANE);
    report_figures_add(document, data, REPORT_FIGURE_SHARPNESS);
    add_sharpness(document, data);
    report_sections_add_command(
        document, data, COMMAND_LANDSCAPE,
        (const char *const[]){"--line", line, "--plane", plane, "--sharpness", sigma, NULL}, false);
}

/* ---- samples ---- */

typedef Status (*MakeTable)(const BatchRollout *rollout, Table **table, Error *error);

static void add_made(ReportDocument *document, const ReportData *data, const char *key, MakeTable make,
                     const char *caption) {
    Table *table = NULL;
    Error error;
    report_document_note(document, make(&data->rollout, &table, &error), &error);
    report_document_add_table(document, key, table, caption);
}

static const char *const STATES[SIDE_COUNT] = {"base", "SFT", "W"};

/* Where the samples come from. */
static void add_origin(ReportDocument *document, const ReportData *data) {
    const SampleFigures *figures = &data->rollout.figures;
    const Batch *batch = data->batch;
    const Calibration *rows = data->rollout.file.facts;
    if (!data->rollout.is_sampled) {
        report_document_add(document, REPORT_PARAGRAPH, "%zu samples of %zu prompts, made elsewhere: %s.",
                            figures->samples, figures->prompt_count, rows->source);
        return;
    }
    RolloutOptions how = batch_sampling_options(batch->options, rows);
    report_document_add(document, REPORT_PARAGRAPH,
                        "%zu samples of %zu prompts (%s), drawn here from %s with seed %" PRIu64
                        ": temperature %.4g, top-p %.4g, top-k %zu, at most %zu tokens.",
                        figures->samples, figures->prompt_count, rows->source,
                        STATES[batch_sampling_side(batch->options)], how.seed, how.sampling.temperature,
                        how.sampling.top_p, how.sampling.top_k, how.most_tokens);
}

static void add_drawn(ReportDocument *document, const ReportData *data) {
    Table *table = NULL;
    Error error;
    report_document_note(document, rollout_tables_drawn(data->batch, &data->rollout, &table, &error), &error);
    report_document_add_table(document, "drawn", table, "What each state's own samples are worth");
}

void report_sections_add_readiness(ReportDocument *document, const ReportData *data) {
    add_origin(document, data);
    report_document_add(
        document, REPORT_PARAGRAPH,
        "A sample is right from a reward of 1 on. A step of RL that compares the samples of a prompt "
        "learns from groups with mixed rewards alone.");
    if (data->rollout.is_sampled) add_drawn(document, data);
    add_made(document, data, "samples", rollout_tables_figures,
             "Over all prompts, with standard errors of a bootstrap over prompts");
    add_made(document, data, "states", rollout_tables_states,
             "The same samples as base, SFT and W score them");
    if (data->absences[REPORT_PART_GRADIENT] != NULL)
        report_document_add(document, REPORT_PARAGRAPH, "There is no gradient: %s.",
                            data->absences[REPORT_PART_GRADIENT]);
    if (data->rollout.has_gradient)
        add_made(document, data, "gradient", rollout_tables_modules,
                 "The gradient at hand-over by module: its norm, and relative to the weights");
    if (data->rollout.states[SIDE_FUSED].gradient.expert_count > 0)
        add_made(
            document, data, "gradient_experts", rollout_tables_expert_layers,
            "Experts by layer: how many learn nothing from these samples, and the largest one's share of all that they "
            "learn");
    report_sections_add_command(document, data, COMMAND_ROLLOUT, NULL, false);
}

/* ---- the recipe ---- */

static void add_dials(Table *table, const ReportData *data) {
    const BatchMethod *dials = report_data_dials(data);
    char text[TEXT_SIZE];
    const Dials state = {.settings = dials->settings,
                         .selector = dials->selector,
                         .targets = (size_t)options_value(data->batch->options, OPTION_TARGETS)->count};
    dials_describe(&state, text, sizeof text);
    table_add_row(table);
    table_add_text(table, "dials");
    table_add_text(table, text);
    batch_method_describe_reset(&dials->settings, text, sizeof text);
    table_add_row(table);
    table_add_text(table, "reset");
    table_add_text(table, text[0] != '\0' ? text : "none");
}

void report_sections_add_recipe(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {{"what", NULL, NULL, TABLE_TEXT, 0},
                                          {"value", NULL, NULL, TABLE_TEXT, 0}};
    static const char *const WORDS[] = {"--out", "rejuvenated", NULL};
    Table *table = report_sections_table(document, COLUMNS, 2);
    if (table == NULL) return;
    add_dials(table, data);
    report_document_add_table(document, "recipe", table, "The setting");
    report_document_add(
        document, REPORT_PARAGRAPH,
        "This writes W as a directory that other programs load, with a recipe that makes the same bytes "
        "again:");
    report_sections_add_command(document, data, COMMAND_EXPORT, WORDS, false);
}

/* ---- limits ---- */

static const char *say_of_samples(const ReportData *data) {
    if (!report_data_has(data, REPORT_PART_READINESS))
        return "Whether answers are right: no samples were drawn or scored. Loss and entropy are of the texts in the "
               "rows, not of what the models would say.";
    if (data->rollout.is_sampled)
        return "What other prompts or another temperature would give; and of a state that drew no samples, what it would "
               "answer: it scores those of another.";
    return "What base, SFT or W would answer: the samples were made elsewhere, and are scored here.";
}

void report_sections_add_limits(ReportDocument *document, const ReportData *data) {
    static const char *const LIMITS[] = {
        "Whether reinforcement learning will improve W more than SFT: nothing here trained anything.",
        "Other texts: every figure of the output space is of these rows alone. Standard errors say how much rows like "
        "these vary, and nothing of other kinds.",
        "That this setting is the best one: it is the one that was chosen, measured.",
        "How W does on rows that had no part in it: these rows may be ones that SFT was trained on, and a reset by attribution "
        "or dormancy was chosen on them too.",
        "The whole landscape: a plane is two random directions of very many, and curvature a mean over a few.",
        "Cause: a figure that differs between base and SFT need not be why a later step fails.",
    };
    const Calibration *rows = report_data_dials(data)->calibration;
    if (data->absences[REPORT_PART_OUTPUT] != NULL) {
        report_document_add(
            document, REPORT_ITEM,
            "What the models say or how they learn: none was run. Weights alone were compared.");
        return;
    }
    report_document_add(document, REPORT_ITEM, "%s", say_of_samples(data));
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        report_document_add(document, REPORT_ITEM, "%s", LIMITS[i]);
    report_document_add(document, REPORT_PARAGRAPH, "Measured here: %zu rows, %zu positions.", rows->count,
                        data->chosen.positions);
}
