#include "core/files/json.h"
#include "tui/commands/command.h"
#include "tui/figures/picture_file.h"
#include "tui/report/report.h"
#include "tui/report/report_write.h"

#include <string.h>

typedef enum Form { FORM_HTML, FORM_MARKDOWN, FORM_JSON } Form;

/* As told, else as the name of the file ends. */
static Status choose_form(const Options *options, Form *form, Error *error) {
    bool is_json = options_has(options, OPTION_JSON), is_markdown = options_has(options, OPTION_MARKDOWN);
    const char *path = options_text(options, OPTION_OUT_PICTURE);
    const char *end = path != NULL ? strrchr(path, '.') : NULL;
    *form = FORM_HTML;
    if (is_json && is_markdown)
        return status_fail(error, STATUS_ARGUMENT, "expected --json or --markdown, not both");
    if (is_json || (!is_markdown && end != NULL && strcmp(end, ".json") == 0)) *form = FORM_JSON;
    if (is_markdown || (!is_json && end != NULL && strcmp(end, ".md") == 0)) *form = FORM_MARKDOWN;
    return STATUS_OK;
}

typedef struct Output {
    const ReportDocument *document;
    const ReportData *data;
    Form form;
} Output;

static Status write_json(const Output *output, FILE *file, Error *error) {
    const Pair *pair = output->data->batch->pair;
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", pair->base->directory) &&
                    json_add_text(tree, "sft", pair->sft->directory) &&
                    batch_method_add_json(tree, &report_data_dials(output->data)->settings, false);
    Status status = complete ? report_write_json(output->document, tree, file, error)
                             : status_fail(error, STATUS_NO_MEMORY, "out of memory for a report");
    cJSON_Delete(tree);
    return status;
}

static Status write_out(const void *user, FILE *file, Error *error) {
    const Output *output = user;
    switch (output->form) {
    case FORM_JSON:
        return write_json(output, file, error);
    case FORM_MARKDOWN:
        return report_write_markdown(output->document, file, error);
    default:
        return report_write_html(output->document, file, error);
    }
}

static Status run(Batch *batch, Error *error) {
    ReportData data = {0};
    ReportDocument document = {0};
    ReportParts parts;
    Form form;
    Status status = choose_form(batch->options, &form, error);
    if (status == STATUS_OK) status = report_choose_parts(batch->options, &parts, error);
    if (status != STATUS_OK) return status;
    status = report_data_measure(batch, &parts, &data, error);
    if (status == STATUS_OK) {
        report_make(&data, &document);
        status = report_document_check(&document, error);
    }
    if (status == STATUS_OK) {
        const Output output = {&document, &data, form};
        progress_clear(&batch->progress);
        status =
            picture_file_write(options_text(batch->options, OPTION_OUT_PICTURE), write_out, &output, error);
    }
    report_document_free(&document);
    report_data_free(&data);
    return status;
}

const Command command_report = {
    .details =
        "One self-contained page: no script, nothing from elsewhere, light and dark, made to be printed. Everything is "
        "measured once, by what check, drift, neurons, sweep and landscape measure with, and every figure stands with the "
        "command that gives it alone. Sections: verdict, setting, pair, preflight, drift, spectra (of the four matrices "
        "that moved most), output, dormancy, sweep, landscape, readiness (of --samples, or of answers drawn to --prompts, as rollout does both), recipe, "
        "limits; --skip leaves one out, and what only it is measured for. Most of the time goes into the landscape: --rows "
        "takes its losses on fewer rows. Without responses in --calibration there is none. What a kind of model does not have (neurons of mixtures of experts, say; "
        "all that needs a run, where its type is not known) is left out, with a sentence that says why.\n"
        "\n"
        "The verdict is rules: a difference between two states, how far it must be from 0 to count (twice its standard "
        "error over rows; 0 where it is counted), and a sentence for each outcome. Its table names every figure that a "
        "sentence rests on.\n"
        "\n"
        "The form is HTML, or what --json, --markdown or else the end of --out (.json, .md) says. The same report has "
        "the same bytes.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  dials      {alpha, rho, ...}: where W is; see preview --help\n"
        "  title      of the page\n"
        "  sections   {SECTION: {title, lead (null: none), text: [...], tables: {NAME: {caption, rows: [{...}]}}, figures: {NAME: "
        "{caption}}, commands: [...]}}: without those that were left out. Of verdict, the rows of tables.verdict are {rule, "
        "figure, value, error, threshold, outcome: lower|none|higher|unknown, source}",
    .run = run,
};
