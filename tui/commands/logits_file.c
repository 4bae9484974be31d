#include "tui/commands/logits_file.h"

#include "core/files/disk.h"
#include "core/support/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "logits are written as they are in memory");

enum { CHUNK_BYTES = 32 << 20 };

typedef struct Writer {
    const Model *model;
    const EvaluationResult *result;
    MatmulScratch *scratch;
    float *logits; /* [chunk × vocabulary] */
    size_t vocabulary, chunk;
    Job *job;
} Writer;

static Status open_writer(Writer *writer, Error *error) {
    writer->vocabulary = forward_vocabulary(writer->model);
    writer->chunk = CHUNK_BYTES / (writer->vocabulary * sizeof(float));
    if (writer->chunk < 1) writer->chunk = 1;
    if (writer->chunk > writer->result->count) writer->chunk = writer->result->count;
    writer->logits = memory_allocate(writer->chunk, writer->vocabulary * sizeof(float));
    if (writer->logits == NULL) return memory_fail(error, "logits");
    return matmul_create_scratch(job_threads(writer->job), &writer->scratch, error);
}

static Status write_positions(Writer *writer, FILE *file, const char *path, Error *error) {
    const EvaluationResult *result = writer->result;
    size_t width = writer->model->config->hidden_size;
    for (size_t at = 0; at < result->count; at += writer->chunk) {
        size_t count = result->count - at < writer->chunk ? result->count - at : writer->chunk;
        if (!job_report(writer->job, "logits", at, result->count)) return job_cancelled(error);
        ForwardHead head = {
            .settings = &result->settings, .hidden = result->hidden + at * width, .logits = writer->logits};
        Status status = forward_logits(writer->model, &head, 1, count, writer->scratch, writer->job, error);
        if (status != STATUS_OK) return status;
        size_t wanted = count * writer->vocabulary;
        errno = 0;
        if (fwrite(writer->logits, sizeof(float), wanted, file) != wanted)
            return status_fail_errno(error, errno, "%s: the logits could not be written", path);
    }
    return fflush(file) == 0 ? STATUS_OK
                             : status_fail_errno(error, errno, "%s: the logits could not be written", path);
}

/* Beside the target first, so that no reader takes a part for the whole. */
static Status write_file(Writer *writer, const char *path, Error *error) {
    DiskFile file;
    Status status = disk_file_begin_beside(&file, path, error);
    if (status != STATUS_OK) return status;
    status = write_positions(writer, file.stream, path, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_NONE, error);
    disk_file_discard(&file);
    return status;
}

Status logits_file_write(const char *path, const Model *model, const EvaluationResult *result, Job *job,
                         Error *error) {
    Writer writer = {.model = model, .result = result, .job = job};
    Status status = open_writer(&writer, error);
    if (status == STATUS_OK) status = write_file(&writer, path, error);
    matmul_free_scratch(writer.scratch);
    free(writer.logits);
    return status;
}
