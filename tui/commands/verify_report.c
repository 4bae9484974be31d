#include "tui/commands/verify_report.h"

#include "core/files/json.h"
#include "tui/text/format.h"

#include <stdio.h>

static bool is_verified(const VerifyResult *result) {
    return finding_first_error(&result->findings) == NULL;
}

/* Nothing differs from what the recipe says, but that is no longer what was written. */
static bool is_changed_alone(const VerifyResult *result) {
    return !is_verified(result) && finding_count(&result->findings, SEVERITY_ERROR) == result->recipe_changes;
}

/* Sums may all be there where blending gives other bytes: both are told. */
static void print_differences(const VerifyResult *result) {
    char blended[96] = "";
    if (result->has_inputs)
        (void)snprintf(blended, sizeof blended, ", and blending the inputs gives the bytes of %zu tensors",
                       result->tensors_blended);
    batch_print("It is not what its recipe says: %zu of %zu tensors and %zu of %zu files have its sums%s.",
                result->tensors_equal, result->tensors, result->files_equal, result->files, blended);
}

bool verify_report_add_json(cJSON *object, const VerifyResult *result) {
    const struct {
        const char *key;
        uint64_t count;
    } COUNTS[] = {
        {"tensors", result->tensors},
        {"tensors_equal", result->tensors_equal},
        {"tensors_blended", result->tensors_blended},
        {"tensors_made", result->tensors_made},
        {"files", result->files},
        {"files_equal", result->files_equal},
        {"input_files", result->input_files},
        {"input_files_equal", result->input_files_equal},
        {"bytes", result->bytes},
        {"nonfinite", result->nonfinite},
        {"nonfinite_new", result->nonfinite_new},
    };
    Table *table = NULL;
    size_t severities[3];
    bool complete = json_add_bool(object, "verified", is_verified(result)) &&
                    json_add_bool(object, "has_inputs", result->has_inputs);
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS && complete; i++)
        complete = batch_json_add_count(object, COUNTS[i].key, COUNTS[i].count);
    complete = complete && batch_make_findings(&result->findings, &table, severities, NULL) == STATUS_OK &&
               batch_json_add_table(object, "findings", table);
    table_free(table);
    return complete;
}

Status verify_report_print(Batch *batch, const VerifyResult *result, Error *error) {
    Table *table = NULL;
    size_t severities[3];
    char bytes[FORMAT_SIZE];
    Status status = batch_make_findings(&result->findings, &table, severities, error);
    if (status == STATUS_OK && result->findings.count > 0) {
        status = batch_write_table(batch, table, error);
        batch_print("%s", "");
    }
    table_free(table);
    if (status != STATUS_OK) return status;
    if (is_changed_alone(result))
        batch_print(
            "All %zu tensors (%s) and %zu files are what the recipe says%s; but the recipe itself was changed.",
            result->tensors, format_bytes((double)result->bytes, bytes), result->files,
            result->has_inputs ? ", and have the bytes that blending the inputs gives"
                               : " (the inputs were not compared)");
    else if (!is_verified(result))
        print_differences(result);
    else if (result->has_inputs)
        batch_print(
            "Verified: %zu tensors (%s) and %zu files are what the recipe says, and have the bytes that "
            "blending the inputs gives.",
            result->tensors, format_bytes((double)result->bytes, bytes), result->files);
    else
        batch_print(
            "Verified: %zu tensors (%s) and %zu files are what the recipe says; the inputs were not "
            "compared.",
            result->tensors, format_bytes((double)result->bytes, bytes), result->files);
    return STATUS_OK;
}
