#include "core/export/export_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

Status export_add_sidecar(ExportPlan *plan, const char *name, char *source, char *text, uint64_t bytes,
                          Error *error) {
    Status status = MEMORY_RESERVE(plan->sidecars, &plan->sidecar_capacity, plan->sidecar_count + 1, error);
    char *own_name = memory_copy_text(name, strlen(name));
    if (status == STATUS_OK && own_name == NULL) status = memory_fail(error, name);
    char sum[HASH_HEX_SIZE] = "";
    if (status == STATUS_OK && text != NULL) status = hash_bytes(text, bytes, sum, error);
    if (status == STATUS_OK && strcmp(name, RECIPE_FILE_NAME) != 0)
        status = recipe_add_file(&plan->recipe->files, name, bytes, sum, error);
    if (status != STATUS_OK) {
        free(own_name);
        free(source);
        free(text);
        return status;
    }
    plan->sidecars[plan->sidecar_count++] =
        (ExportSidecar){.name = own_name, .source = source, .text = text, .bytes = bytes};
    plan->total_bytes += bytes;
    return STATUS_OK;
}

Status export_add_text(ExportPlan *plan, const char *name, Buffer *buffer, Error *error) {
    char *text;
    size_t length;
    Status status = buffer_take(buffer, &text, &length, name, error);
    return status == STATUS_OK ? export_add_sidecar(plan, name, NULL, text, length, error) : status;
}
