#include "core/files/json.h"
#include "tui/commands/command.h"
#include "tui/commands/verify_report.h"
#include "tui/tables/table_write.h"

static Status write_json(Batch *batch, const VerifyResult *result, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    bool complete =
        tree != NULL && json_add_text(tree, "directory", batch->options->operands[0]) &&
        (result->recipe == NULL || json_add_number(tree, "alpha", result->recipe->settings.alpha)) &&
        verify_report_add_json(tree, result);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status write_findings(Batch *batch, const VerifyResult *result, Error *error) {
    Table *table = NULL;
    size_t severities[3];
    Status status = batch_make_findings(&result->findings, &table, severities, error);
    if (status == STATUS_OK) status = batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static Status write_result(Batch *batch, const VerifyResult *result, Error *error) {
    if (batch->format == TABLE_AS_JSON) return write_json(batch, result, error);
    if (batch->format == TABLE_AS_CSV) return write_findings(batch, result, error);
    return verify_report_print(batch, result, error);
}

static Status run(Batch *batch, Error *error) {
    VerifyOptions options = {.base_directory = options_text(batch->options, OPTION_BASE),
                             .sft_directory = options_text(batch->options, OPTION_SFT),
                             .without_inputs = options_has(batch->options, OPTION_NO_INPUTS)};
    VerifyResult *result = NULL;
    Status status = batch_open_job(batch, error);
    if (status == STATUS_OK)
        status = verify_export(batch->options->operands[0], &options, batch->job, &result, error);
    if (result != NULL) {
        Error output;
        Status written = write_result(batch, result, &output);
        if (written != STATUS_OK && (status == STATUS_OK || status == STATUS_MISMATCH)) {
            status = written;
            *error = output;
        }
    }
    verify_result_free(result);
    return status;
}

const Command command_verify = {
    .details =
        "Reads every byte: sums (SHA-256) of all tensors and files are compared with "
        "rejuvenation.json, and the "
        "inputs are blended again where they are still what the recipe names. A difference ends with exit "
        "status 1 and is told with its tensor, row and column; so does a recipe that is no longer what was written.\n"
        "\n"
        "JSON: an object with\n"
        "  directory, alpha, verified, has_inputs, tensors, tensors_equal, tensors_blended, tensors_made, "
        "files, files_equal, input_files, input_files_equal, bytes, nonfinite, nonfinite_new\n"
        "  (tensors_made: how many of tensors_blended are not blended again, since they read back as what was "
        "just blended; after export alone)\n"
        "  findings  [{severity: error|warning|note, subject, text}]\n"
        "CSV: the findings",
    .run = run,
};
