#include "core/checkpoint/nonfinite.h"
#include "core/files/json.h"
#include "tui/commands/batch_check.h"
#include "tui/commands/command.h"
#include "tui/commands/template_report.h"
#include "tui/tables/table_write.h"

static Status read_values(Batch *batch, Error *error) {
    Pair *pair = batch->pair;
    if (!options_has(batch->options, OPTION_VALUES)) return STATUS_OK;
    Status status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = nonfinite_scan(pair->base, "base", batch->job, &pair->findings, error);
    return status == STATUS_OK ? nonfinite_scan(pair->sft, "sft", batch->job, &pair->findings, error)
                               : status;
}

static size_t count_fused(const Pair *pair) {
    size_t fused = 0;
    for (size_t i = 0; i < pair->count; i++) fused += pair->tensors[i].is_fused;
    return fused;
}

/* What there is to say. */
typedef struct Report {
    Table *findings;
    size_t severities[3];
    ChatDifference *templates;
} Report;

static Status write_json(Batch *batch, const Report *report, Error *error) {
    const size_t *severities = report->severities;
    const Pair *pair = batch->pair;
    cJSON *tree = cJSON_CreateObject();
    bool complete = tree != NULL && json_add_text(tree, "base", pair->base->directory) &&
                    json_add_text(tree, "sft", pair->sft->directory) &&
                    json_add_bool(tree, "can_be_fused", severities[SEVERITY_ERROR] == 0) &&
                    batch_json_add_count(tree, "errors", severities[SEVERITY_ERROR]) &&
                    batch_json_add_count(tree, "warnings", severities[SEVERITY_WARNING]) &&
                    batch_json_add_count(tree, "notes", severities[SEVERITY_NOTE]) &&
                    batch_json_add_count(tree, "tensors", pair->count) &&
                    batch_json_add_count(tree, "tensors_fused", count_fused(pair)) &&
                    batch_json_add_count(tree, "elements_blended", pair->share.blended) &&
                    batch_json_add_count(tree, "elements_copied", pair->share.copied) &&
                    batch_json_add_count(tree, "elements_left_out", pair->share.missing) &&
                    json_add_number(tree, "share_blended", pair_share_blended(&pair->share)) &&
                    batch_json_add_table(tree, "findings", report->findings) &&
                    template_report_add_json(tree, report->templates);
    if (!complete) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    return batch_write_json(batch, tree, error);
}

/* Three significant digits, and never "100 %" of what is less. */
static void print_share(const Pair *pair, const size_t severities[3]) {
    size_t warnings = severities[SEVERITY_WARNING], notes = severities[SEVERITY_NOTE];
    batch_print(
        "They can be fused%s: %zu tensors, %zu of them blended, %.4g %% of the elements; %zu warning%s, %zu note%s.",
        pair_share_is_whole(&pair->share) ? "" : ", but not whole (export --allow-unmatched)", pair->count,
        count_fused(pair), pair_share_percent(&pair->share), warnings, warnings == 1 ? "" : "s", notes,
        notes == 1 ? "" : "s");
}

static Status write_report(Batch *batch, const Report *report, Error *error) {
    bool has_findings =
        batch->pair->findings.count > 0; /* a table that memory did not suffice for has no rows */
    if (batch->format == TABLE_AS_JSON) return write_json(batch, report, error);
    Status status = STATUS_OK;
    if (batch->format == TABLE_AS_CSV || has_findings)
        status = batch_write_table(batch, report->findings, error);
    if (status != STATUS_OK || batch->format == TABLE_AS_CSV) return status;
    template_report_print(report->templates);
    if (has_findings) batch_print("%s", "");
    size_t errors = report->severities[SEVERITY_ERROR];
    if (errors > 0)
        batch_print("They cannot be fused: %zu mismatch%s.", errors, errors == 1 ? "" : "es");
    else
        print_share(batch->pair, report->severities);
    return STATUS_OK;
}

static Status run(Batch *batch, Error *error) {
    Report report = {0};
    Status status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = batch_check_compare(batch, &report.templates, error);
    if (status == STATUS_OK) status = read_values(batch, error);
    if (status == STATUS_OK)
        status = batch_make_findings(&batch->pair->findings, &report.findings, report.severities, error);
    if (status == STATUS_OK) {
        batch->found = report.severities[SEVERITY_ERROR] > 0 || !pair_share_is_whole(&batch->pair->share) ||
                       batch->pair->has_wrapper;
        status = write_report(batch, &report, error);
    }
    table_free(report.findings);
    chat_difference_close(report.templates);
    return status;
}

const Command command_check = {
    .details =
        "Reads headers, configurations, tokenizers and chat templates, and no weights (--values reads them for NaN and infinities). An error is a mismatch that "
        "cannot be "
        "fused (exit status 1, as where a tensor has no counterpart in the other model, or names have a prefix that no loader knows); a warning something that changes what the result means; a note the rest. Chat templates that "
        "differ are shown as a unified diff, from base's to SFT's; a very long line is cut behind its tags.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft      the directories\n"
        "  can_be_fused   true or false\n"
        "  errors, warnings, notes, tensors, tensors_fused  how many\n"
        "  elements_blended, elements_copied  of SFT's, learned and floating; elements_left_out  of base's\n"
        "  share_blended  of SFT's, from 0 to 1\n"
        "  findings       [{severity: error|warning|note, subject, text}]\n"
        "  chat_templates  {base: [{name, file}], sft: the same, differences: [{name, base_file, sft_file (null: that side "
        "has none of the name), removed, added (lines), is_fewest (false: too many to look for the fewest), "
        "hunks: [{base_line, base_lines, sft_line, sft_lines, lines: [blank, - or + and the line]}]}], "
        "variables: [{name, base, sft}]: special tokens that differ and that templates write}\n"
        "CSV: the findings",
    .run = run,
};
