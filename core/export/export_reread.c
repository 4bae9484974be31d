#include "core/export/export_internal.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

typedef struct Reader {
    const ExportPlan *plan;
    const ExportShard *shard;
    int descriptor;
    Job *job;
    unsigned char *pieces; /* PIECE a worker */
    Error *errors;         /* [threads]: the first of a worker's failures */
    atomic_uint_least64_t done;
    uint64_t total;
} Reader;

/* ---- one tensor ---- */

static Status read_piece(const Reader *reader, unsigned char *piece, size_t size, uint64_t offset,
                         Error *error) {
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(reader->descriptor, piece + at, size - at, (off_t)(offset + at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return status_fail_errno(error, errno, "%s", reader->shard->name);
        if (got == 0) return status_fail(error, STATUS_IO, "%s: ends early", reader->shard->name);
        at += (size_t)got;
    }
    return STATUS_OK;
}

static Status hash_tensor(Reader *reader, const ExportTensor *tensor, Hash *hash, unsigned worker,
                          Error *error) {
    unsigned char *piece = reader->pieces + (size_t)worker * PIECE;
    uint64_t begin = reader->shard->file_bytes - reader->shard->data_bytes + tensor->offset;
    Status status = STATUS_OK;
    for (uint64_t at = 0; at < tensor->bytes && status == STATUS_OK; at += PIECE) {
        size_t size = tensor->bytes - at < PIECE ? (size_t)(tensor->bytes - at) : PIECE;
        status = read_piece(reader, piece, size, begin + at, error);
        if (status == STATUS_OK) status = hash_add(hash, piece, size, error);
        uint64_t done = atomic_fetch_add(&reader->done, size) + size;
        if (worker == 0 && !job_report(reader->job, "reading back", done, reader->total)) break;
        if (job_is_cancelled(reader->job)) break; /* job_run() says so */
    }
    return status;
}

static Status check_tensor(Reader *reader, size_t index, unsigned worker, Error *error) {
    const ExportTensor *tensor = &reader->plan->tensors[index];
    const char *expected = reader->plan->recipe->tensors[index].sha256;
    char found[HASH_HEX_SIZE];
    Hash *hash;
    Status status = hash_create(&hash, error);
    if (status != STATUS_OK) return status;
    status = hash_tensor(reader, tensor, hash, worker, error);
    if (status == STATUS_OK) status = hash_finish(hash, found, error);
    hash_free(hash);
    if (status == STATUS_OK && !job_is_cancelled(reader->job) && strcmp(found, expected) != 0)
        status = status_fail(error, STATUS_IO, "%s: tensor %s: written as %s, read back as %s",
                             reader->shard->name, tensor->source->name, expected, found);
    return status;
}

static void run_task(void *argument, size_t task, unsigned worker) {
    Reader *reader = argument;
    Error error = {0};
    Status status = check_tensor(reader, reader->shard->first + task, worker, &error);
    if (status != STATUS_OK && reader->errors[worker].status == STATUS_OK) reader->errors[worker] = error;
}

/* ---- one file ---- */

static Status check_size(const Reader *reader, Error *error) {
    struct stat facts;
    if (fstat(reader->descriptor, &facts) != 0)
        return status_fail_errno(error, errno, "%s", reader->shard->name);
    if ((uint64_t)facts.st_size == reader->shard->file_bytes) return STATUS_OK;
    return status_fail(error, STATUS_IO, "%s: expected %" PRIu64 " bytes, found %" PRIu64,
                       reader->shard->name, reader->shard->file_bytes, (uint64_t)facts.st_size);
}

static Status check_tensors(Reader *reader, Error *error) {
    Status status = job_run(reader->job, reader->shard->count, run_task, reader, error);
    for (unsigned w = 0; w < job_threads(reader->job) && status == STATUS_OK; w++) {
        status = reader->errors[w].status;
        if (status != STATUS_OK && error != NULL) *error = reader->errors[w];
    }
    return status;
}

static Status check_shard(Reader *reader, int directory, Error *error) {
    reader->descriptor = openat(directory, reader->shard->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (reader->descriptor < 0)
        return status_fail_errno(error, errno, "%s: another rank wrote it", reader->shard->name);
    Status status = check_size(reader, error);
    if (status == STATUS_OK) status = check_tensors(reader, error);
    (void)close(reader->descriptor); /* opened for reading */
    return status;
}

Status export_reread(const ExportPlan *plan, const ExportPartial *partial, const ExportShares *shares,
                     Job *job, Error *error) {
    const Ranks *ranks = plan->options.ranks;
    size_t next = (ranks_own(ranks) + 1) % ranks_count(ranks), workers = job_threads(job);
    Reader reader = {.plan = plan, .job = job};
    reader.pieces = memory_allocate(workers, PIECE);
    reader.errors = memory_allocate(workers, sizeof *reader.errors);
    Status status =
        reader.pieces != NULL && reader.errors != NULL ? STATUS_OK : memory_fail(error, "reading back");
    for (size_t s = shares->shards[next]; s < shares->shards[next + 1]; s++)
        reader.total += plan->shards[s].data_bytes;
    for (size_t s = shares->shards[next]; s < shares->shards[next + 1] && status == STATUS_OK; s++) {
        reader.shard = &plan->shards[s];
        status = check_shard(&reader, partial->directory, error);
    }
    free(reader.pieces);
    free(reader.errors);
    return status;
}
