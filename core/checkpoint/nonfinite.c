#include "core/checkpoint/nonfinite.h"

#include "core/checkpoint/tensor_values.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { COMPUTED = 4096, NAMED = 4, TILE = 1 << 20, FORGET_BYTES = 128 << 20 };

/* ---- telling ---- */

void nonfinite_add(NonfiniteTensors *list, const char *name, uint64_t values) {
    if (values == 0) return;
    if (list->tensors < NAMED)
        buffer_add_format(&list->names, "%s%s (%" PRIu64 ")", list->tensors > 0 ? ", " : "", name, values);
    list->tensors++;
    list->values += values;
}

Status nonfinite_tell(NonfiniteTensors *list, FindingList *findings, const char *subject, const char *how,
                      Error *error) {
    char *names;
    size_t more = list->tensors > NAMED ? list->tensors - NAMED : 0;
    if (list->tensors == 0) return STATUS_OK;
    if (more > 0) buffer_add_format(&list->names, " and %zu more", more);
    Status status = buffer_take(&list->names, &names, NULL, "names of tensors", error);
    if (status == STATUS_OK) {
        status = finding_add(findings, SEVERITY_WARNING, subject, error,
                             "%zu tensor%s %" PRIu64 " value%s NaN or infinite%s: %s", list->tensors,
                             list->tensors == 1 ? " holds" : "s hold", list->values,
                             list->values == 1 ? " that is" : "s that are", how, names);
        free(names);
    }
    *list = (NonfiniteTensors){0};
    return status;
}

/* ---- reading ---- */

typedef struct Scan {
    const Tensor *tensors;
    uint64_t *found;
    Job *job;
    atomic_uint_least64_t done;
    uint64_t total;
} Scan;

/* Values that are computed, a stretch at a time. */
static uint64_t count_computed(const Tensor *tensor, uint64_t first, size_t count) {
    float values[COMPUTED];
    uint64_t found = 0;
    for (size_t at = 0; at < count; at += COMPUTED) {
        size_t part = count - at < COMPUTED ? count - at : COMPUTED;
        tensor_values_read(tensor, first + at, part, values);
        found += dtype_count_nonfinite(DTYPE_F32, values, part);
    }
    return found;
}

static void scan_tensor(void *argument, size_t index, unsigned worker) {
    Scan *scan = argument;
    const Tensor *tensor = &scan->tensors[index];
    size_t size = dtype_size(tensor->dtype);
    for (uint64_t at = 0; at < tensor->bytes && !job_is_cancelled(scan->job); at += TILE) {
        size_t bytes = tensor->bytes - at < TILE ? (size_t)(tensor->bytes - at) : TILE;
        scan->found[index] += tensor->change != NULL || tensor->codes != NULL
                                  ? count_computed(tensor, at / size, bytes / size)
                                  : dtype_count_nonfinite(tensor->dtype, tensor->data + at, bytes / size);
        uint64_t done = atomic_fetch_add(&scan->done, bytes) + bytes;
        if (worker == 0 && !job_report(scan->job, "reading", done, scan->total)) return;
    }
}

static void forget_pages(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->file_count; i++) safetensors_forget_pages(checkpoint->files[i]);
}

/* Tensors in groups of some bytes, so that the pages of a group can be given back after it. */
static Status scan_list(const Checkpoint *checkpoint, const Tensor *tensors, size_t count, Scan *scan,
                        NonfiniteTensors *list, Error *error) {
    uint64_t *found = memory_allocate(count, sizeof *found);
    if (found == NULL) return memory_fail(error, "a scan");
    Status status = STATUS_OK;
    for (size_t first = 0, group; first < count && status == STATUS_OK; first += group) {
        uint64_t bytes = 0;
        for (group = 0; first + group < count && bytes < FORGET_BYTES; group++)
            bytes += tensors[first + group].bytes;
        scan->tensors = tensors + first;
        scan->found = found + first;
        status = job_run(scan->job, group, scan_tensor, scan, error);
        forget_pages(checkpoint);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) nonfinite_add(list, tensors[i].name, found[i]);
    free(found);
    return status;
}

Status nonfinite_scan(const Checkpoint *checkpoint, const char *subject, Job *job, FindingList *findings,
                      Error *error) {
    NonfiniteTensors list = {0};
    Scan scan = {.job = job};
    for (size_t i = 0; i < checkpoint->tensor_count; i++) scan.total += checkpoint->tensors[i].bytes;
    for (size_t i = 0; i < checkpoint->part_count; i++) scan.total += checkpoint->parts[i].bytes;
    Status status = scan_list(checkpoint, checkpoint->tensors, checkpoint->tensor_count, &scan, &list, error);
    if (status == STATUS_OK)
        status = scan_list(checkpoint, checkpoint->parts, checkpoint->part_count, &scan, &list, error);
    if (status == STATUS_OK) return nonfinite_tell(&list, findings, subject, "", error);
    buffer_free(&list.names);
    return status;
}
