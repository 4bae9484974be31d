#include "core/export/export_internal.h"
#include "core/files/disk.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_CHUNK = 1 << 20, FOLDER_SIZE = 256 /* of a name in a directory, and its end */ };

/* ---- their text ---- */

static int compare_tensor_names(const void *a, const void *b) {
    const ExportTensor *const *left = a, *const *right = b;
    return strcmp((*left)->source->name, (*right)->source->name);
}

/* As transformers prints it: indented by two, keys sorted. */
static Status add_index(ExportPlan *plan, Error *error) {
    if (plan->shard_count == 1) return STATUS_OK;
    const ExportTensor **sorted = memory_allocate(plan->tensor_count, sizeof *sorted);
    if (sorted == NULL) return memory_fail(error, "the index");
    for (size_t i = 0; i < plan->tensor_count; i++) sorted[i] = &plan->tensors[i];
    qsort(sorted, plan->tensor_count, sizeof *sorted, compare_tensor_names);
    Buffer index = {0};
    buffer_add_format(&index, "{\n  \"metadata\": {\n    \"total_size\": %" PRIu64 "\n  },\n",
                      plan->weight_bytes);
    buffer_add_text(&index, "  \"weight_map\": {");
    for (size_t i = 0; i < plan->tensor_count; i++) {
        buffer_add_text(&index, i > 0 ? ",\n    " : "\n    ");
        buffer_add_quoted(&index, sorted[i]->source->name);
        buffer_add_text(&index, ": ");
        buffer_add_quoted(&index, plan->shards[sorted[i]->shard].name);
    }
    buffer_add_text(&index, "\n  }\n}\n");
    free(sorted);
    return export_add_text(plan, "model.safetensors.index.json", &index, error);
}

/* The recipe is written last, when all sums are known; each takes the same room, so its size is known now. */
static Status add_recipe(ExportPlan *plan, Error *error) {
    char *text;
    Status status = recipe_format(plan->recipe, &text, error);
    if (status != STATUS_OK) return status;
    const RecipeFiles *lists[] = {&plan->recipe->files, &plan->recipe->base.files, &plan->recipe->sft.files};
    size_t unknown = plan->tensor_count;
    for (int l = 0; l < 3; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) unknown += lists[l]->list[i].sha256[0] == '\0';
    }
    uint64_t bytes = strlen(text) + unknown * (HASH_HEX_SIZE - 1);
    free(text);
    return export_add_sidecar(plan, RECIPE_FILE_NAME, NULL, NULL, bytes, error);
}

Status export_plan_sidecars(ExportPlan *plan, Error *error) {
    char *config;
    Status status = export_make_config(plan, &config, error);
    if (status == STATUS_OK && config != NULL)
        status = export_add_sidecar(plan, "config.json", NULL, config, strlen(config), error);
    if (status == STATUS_OK) status = add_index(plan, error);
    if (status == STATUS_OK) status = export_plan_donor(plan, error);
    if (status == STATUS_OK) status = export_plan_templates(plan, error);
    if (status == STATUS_OK) status = export_add_mergekit(plan, error);
    return status == STATUS_OK ? add_recipe(plan, error) : status;
}

/* ---- writing ---- */

static Status copy_contents(int from, int to, const ExportSidecar *sidecar, char sum[HASH_HEX_SIZE],
                            Error *error) {
    unsigned char *block = memory_allocate(COPY_CHUNK, 1);
    Hash *hash = NULL;
    Status status = block != NULL ? hash_create(&hash, error) : memory_fail(error, sidecar->name);
    uint64_t copied = 0;
    while (status == STATUS_OK) {
        ssize_t count = read(from, block, COPY_CHUNK);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            status = status_fail_errno(error, errno, "%s", sidecar->source);
        } else {
            status = hash_add(hash, block, (size_t)count, error);
            if (status == STATUS_OK)
                status = disk_write(to, block, (size_t)count, copied, sidecar->name, error);
            copied += (uint64_t)count;
        }
    }
    if (status == STATUS_OK && copied != sidecar->bytes)
        status = status_fail(error, STATUS_IO, "%s: expected %" PRIu64 " bytes as planned, found %" PRIu64,
                             sidecar->source, sidecar->bytes, copied);
    if (status == STATUS_OK) status = hash_finish(hash, sum, error);
    hash_free(hash);
    free(block);
    return status;
}

static Status copy_sidecar(const ExportSidecar *sidecar, int directory, char sum[HASH_HEX_SIZE],
                           Error *error) {
    int from = open(sidecar->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) return status_fail_errno(error, errno, "%s", sidecar->source);
    DiskFile to;
    Status status =
        disk_file_begin(&to, directory, sidecar->name, NULL, DISK_FILE_REUSE, sidecar->name, error);
    if (status == STATUS_OK) {
        status = copy_contents(from, to.descriptor, sidecar, sum, error);
        if (status == STATUS_OK)
            status = disk_file_commit(&to, DISK_SYNC_CONTENTS, error);
        else
            disk_file_discard(&to);
    }
    (void)close(from); /* opened for reading: nothing can be lost */
    return status;
}

/* The folder that a sidecar lies in, "" where in none; whether it is another than the one before. */
static bool enters_folder(const ExportPlan *plan, size_t index, char folder[FOLDER_SIZE]) {
    const char *name = plan->sidecars[index].name, *slash = strchr(name, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - name);
    (void)snprintf(folder, FOLDER_SIZE, "%.*s", (int)length, name);
    return length > 0 && (index == 0 || strncmp(plan->sidecars[index - 1].name, name, length + 1) != 0);
}

static Status make_folders(const ExportPlan *plan, int directory, Error *error) {
    char folder[FOLDER_SIZE];
    for (size_t i = 0; i < plan->sidecar_count; i++) {
        if (enters_folder(plan, i, folder) && mkdirat(directory, folder, 0777) != 0 && errno != EEXIST)
            return status_fail_errno(error, errno, "%s/%s", plan->partial, folder);
    }
    return STATUS_OK;
}

static Status sync_folders(const ExportPlan *plan, int directory, Error *error) {
    char folder[FOLDER_SIZE];
    Status status = STATUS_OK;
    for (size_t i = 0; i < plan->sidecar_count && status == STATUS_OK; i++) {
        int inner = -1;
        if (!enters_folder(plan, i, folder)) continue;
        status = disk_open_directory(directory, folder, plan->partial, &inner, error);
        if (status == STATUS_OK && inner >= 0) status = disk_sync(inner, plan->partial, error);
        if (inner >= 0) (void)close(inner); /* opened for reading */
    }
    return status;
}

static Status write_recipe(const ExportPlan *plan, int directory, Error *error) {
    char *text;
    Status status = recipe_format(plan->recipe, &text, error);
    if (status != STATUS_OK) return status;
    status = disk_write_file(directory, RECIPE_FILE_NAME, text, strlen(text), RECIPE_FILE_NAME, error);
    free(text);
    return status;
}

Status export_write_sidecars(ExportPlan *plan, int directory, Error *error) {
    Status status = make_folders(plan, directory, error);
    for (size_t i = 0; i + 1 < plan->sidecar_count && status == STATUS_OK; i++) {
        const ExportSidecar *sidecar = &plan->sidecars[i];
        status = sidecar->text != NULL
                     ? disk_write_file(directory, sidecar->name, sidecar->text, sidecar->bytes, sidecar->name,
                                       error)
                     : copy_sidecar(sidecar, directory, plan->recipe->files.list[i].sha256, error);
    }
    if (status == STATUS_OK) status = sync_folders(plan, directory, error);
    if (status == STATUS_OK) status = write_recipe(plan, directory, error);
    return status == STATUS_OK ? disk_sync(directory, plan->partial, error) : status;
}
