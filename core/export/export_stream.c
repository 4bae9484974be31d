/*
 * The weights, in rounds. Each round is one job_run() over
 *
 *     forget     the pages that the round before has read
 *     sums       hash window A, tensor by tensor, and the next piece of the inputs' files (export_sums.h)
 *     write      window A to its shard, and tag it, tensor by tensor (universal_hash.h)
 *     tiles      blend window B, in tiles of at most TILE elements
 *     sums       again, for who has nothing else to do
 *
 * and then A and B change places. The long tasks come first, so that the tiles fill up the other threads.
 */
#include "core/checkpoint/tensor_pages.h"
#include "core/export/export_sums.h"
#include "core/files/disk.h"
#include "core/fusion/blend.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TILE = 65536, LENGTH_BYTES = 8 };
enum { TASK_FORGET, TASK_SUMS, TASK_WRITE = TASK_SUMS + EXPORT_SUMS_ROWS, TASK_TILES };
/* The page cache takes a larger piece in larger pages. A virtual machine that reports its free ones (of 2 MiB and more) to
 * its host has to fetch those back, for several times what copying costs: 0.7 to 1.3 GB/s in pieces of 4 MiB, 2.4 to 6 so. */
enum { WRITE_PIECE = 128 << 10 };

typedef struct Window {
    unsigned char *bytes;
    size_t size;
    uint64_t offset; /* in the shard's file */
    size_t shard;
    size_t tensors_end; /* tensors before this one are whole once the window is written */
    bool is_filled, ends_shard;
    ExportTile *tiles;
    size_t count, capacity;
} Window;

typedef struct Stream {
    ExportPlan *plan;
    ExportPartial *partial;
    Job *job;
    Window windows[2], *blending, *writing;
    const ExportShares *shares;
    size_t shard, tensor, element; /* what the next window begins with */
    size_t shard_end, tensors_end; /* behind this rank's last */
    int descriptor;                /* of writing->shard; -1: none */
    char *path;
    ExportSums *sums;
    UniversalHash *tag; /* of the tensor that is written */
    float *scratch;     /* TILE a worker */
    Error errors[TASK_TILES];
    Status statuses[TASK_TILES];
    uint64_t done, total, unsynced; /* the first two: of this rank's weights */
    bool sync_failed;               /* then nothing more can be said about what is on disk */
} Stream;

/* ---- the tasks ---- */

/* A task of a cancelled job may end where it is: job_run() says that it was cancelled, and the round is not
 * finished. */

static Status tag_tile(Stream *stream, const ExportTile *tile, Error *error) {
    ExportTensor *tensor = &stream->plan->tensors[tile->tensor];
    Status status = universal_hash_add(stream->tag, stream->writing->bytes + tile->at,
                                       tile->count * dtype_size(tensor->dtype), error);
    if (status != STATUS_OK || tile->first + tile->count < tensor->elements) return status;
    return universal_hash_finish(stream->tag, tensor->tag, error);
}

static Status tag_window(Stream *stream, Error *error) {
    const Window *window = stream->writing;
    Status status = STATUS_OK;
    for (size_t i = 0; i < window->count && status == STATUS_OK && !job_is_cancelled(stream->job); i++)
        status = tag_tile(stream, &window->tiles[i], error);
    return status;
}

static Status write_window(Stream *stream, Error *error) {
    const Window *window = stream->writing;
    for (size_t at = 0; at < window->size && !job_is_cancelled(stream->job); at += WRITE_PIECE) {
        size_t size = window->size - at < WRITE_PIECE ? window->size - at : WRITE_PIECE;
        Status status = disk_write(stream->descriptor, window->bytes + at, size, window->offset + at,
                                   stream->path, error);
        if (status != STATUS_OK) return status;
    }
    /* advice: the disk may begin, so that making it durable takes less later */
    (void)sync_file_range(stream->descriptor, (off64_t)window->offset, (off64_t)window->size,
                          SYNC_FILE_RANGE_WRITE);
    return tag_window(stream, error);
}

static void blend_tile(Stream *stream, const ExportTile *tile, unsigned worker) {
    ExportTensor *tensor = &stream->plan->tensors[tile->tensor];
    unsigned char *made = stream->blending->bytes + tile->at;
    Blend blend = settings_blend(&stream->plan->options.settings, tensor->source);
    blend_elements_as(&blend, tile->first, tile->count, tensor->dtype, made,
                      stream->scratch + (size_t)worker * TILE);
    uint64_t nonfinite = dtype_count_nonfinite(tensor->dtype, made, tile->count);
    if (nonfinite > 0) atomic_fetch_add(&tensor->nonfinite, nonfinite);
}

/* Mapped pages that were read make this process look as large as the models. */
static void forget_pages(const Stream *stream) {
    const ExportPlan *plan = stream->plan;
    const Window *window = stream->writing; /* the round before blended it */
    export_sums_forget_pages(stream->sums);
    for (size_t i = 0, next; i < window->count; i = next) {
        const ExportTile *tile = &window->tiles[i];
        for (next = i + 1; next < window->count && window->tiles[next].tensor == tile->tensor;) next++;
        const ExportTile *last = &window->tiles[next - 1];
        tensor_pages_forget_both(plan->pair, plan->tensors[tile->tensor].source, tile->first,
                                 last->first + last->count - tile->first);
    }
}

/* Of the tasks for sums those that come first: half of the threads, or as many as have rows. */
static size_t first_sums(const Stream *stream) {
    size_t half = job_threads(stream->job) / 2, most = EXPORT_SUMS_ROWS / hash_lanes();
    return half > most ? most : half + (half == 0);
}

/* Which task the round's `place` is: some of those for sums come last. */
static size_t find_task(const Stream *stream, size_t place) {
    size_t first = TASK_SUMS + first_sums(stream),
           end = first + TASK_TILES - TASK_WRITE + stream->blending->count;
    if (place < first) return place;
    return place < end ? TASK_WRITE + place - first : first + place - end;
}

static Status run_long_task(Stream *stream, size_t task, Error *error) {
    if (task == TASK_FORGET) forget_pages(stream);
    if (task >= TASK_SUMS && task < TASK_WRITE) return export_sums_run(stream->sums, error);
    return task == TASK_WRITE && stream->writing->is_filled ? write_window(stream, error) : STATUS_OK;
}

static void run_task(void *argument, size_t place, unsigned worker) {
    Stream *stream = argument;
    size_t task = find_task(stream, place);
    if (task < TASK_TILES)
        stream->statuses[task] = run_long_task(stream, task, &stream->errors[task]);
    else
        blend_tile(stream, &stream->blending->tiles[task - TASK_TILES], worker);
}

/* ---- windows ---- */

static Status add_tile(Window *window, ExportTile tile, Error *error) {
    Status status = MEMORY_RESERVE(window->tiles, &window->capacity, window->count + 1, error);
    if (status == STATUS_OK) window->tiles[window->count++] = tile;
    return status;
}

/* Cuts the next window: at most window_bytes of one shard. */
static Status fill_window(Stream *stream, Error *error) {
    const ExportPlan *plan = stream->plan;
    Window *window = stream->blending;
    window->size = window->count = 0;
    window->is_filled = stream->shard < stream->shard_end;
    if (!window->is_filled) return STATUS_OK;
    const ExportShard *shard = &plan->shards[stream->shard];
    size_t end = shard->first + shard->count;
    const ExportTensor *first = &plan->tensors[stream->tensor];
    window->shard = stream->shard;
    window->offset =
        shard->file_bytes - shard->data_bytes + first->offset + stream->element * dtype_size(first->dtype);
    while (stream->tensor < end) {
        const ExportTensor *tensor = &plan->tensors[stream->tensor];
        size_t size = dtype_size(tensor->dtype), rest = tensor->elements - stream->element;
        size_t room = (plan->options.window_bytes - window->size) / size, n = rest < TILE ? rest : TILE;
        if (n > room) n = room;
        if (n == 0 && rest > 0) break;
        Status status =
            add_tile(window, (ExportTile){stream->tensor, stream->element, n, window->size}, error);
        if (status != STATUS_OK) return status;
        window->size += n * size;
        stream->element += n;
        if (stream->element < tensor->elements) continue;
        stream->element = 0;
        stream->tensor++;
    }
    window->tensors_end = stream->tensor;
    window->ends_shard = stream->tensor == end;
    if (window->ends_shard) stream->shard++;
    return STATUS_OK;
}

/* ---- pages ---- */

/* What the next window blends is read while this one works. */
static void expect_pages(const Stream *stream) {
    const ExportPlan *plan = stream->plan;
    uint64_t ahead = 0, first = stream->element;
    for (size_t t = stream->tensor; t < stream->tensors_end && ahead < plan->options.window_bytes; t++) {
        uint64_t size = dtype_size(plan->tensors[t].dtype), count = plan->tensors[t].elements - first;
        uint64_t room = (plan->options.window_bytes - ahead) / size + 1;
        if (count > room) count = room;
        tensor_pages_expect_both(plan->pair, plan->tensors[t].source, first, count);
        ahead += count * size + 1;
        first = 0;
    }
}

/* ---- shards ---- */

static Status write_header(Stream *stream, const ExportShard *shard, Error *error) {
    char *header;
    size_t length;
    unsigned char prefix[LENGTH_BYTES];
    Status status = export_format_header(stream->plan, shard, &header, &length, error);
    if (status != STATUS_OK) return status;
    for (int i = 0; i < LENGTH_BYTES; i++) prefix[i] = (unsigned char)(length >> (8 * i));
    status = disk_write(stream->descriptor, prefix, sizeof prefix, 0, stream->path, error);
    if (status == STATUS_OK)
        status = disk_write(stream->descriptor, header, length, sizeof prefix, stream->path, error);
    free(header);
    return status;
}

/* Opens the shard of the window that is to be written; what an earlier run wrote beyond its last durable
 * point is cut off. */
static Status open_shard(Stream *stream, Error *error) {
    const Window *window = stream->writing;
    if (!window->is_filled || stream->descriptor >= 0) return STATUS_OK;
    const ExportShard *shard = &stream->plan->shards[window->shard];
    free(stream->path);
    stream->path = memory_format("%s/%s", stream->plan->partial, shard->name);
    if (stream->path == NULL) return memory_fail(error, shard->name);
    Status status =
        disk_open(stream->partial->directory, shard->name, stream->path, &stream->descriptor, error);
    if (status == STATUS_OK && ftruncate(stream->descriptor, (off_t)window->offset) != 0)
        status = status_fail_errno(error, errno, "%s", stream->path);
    if (status == STATUS_OK)
        status = disk_reserve(stream->descriptor, shard->file_bytes, stream->path, error);
    return status == STATUS_OK ? write_header(stream, shard, error) : status;
}

/* Everything up to here becomes a point to resume from: of rank 0, whose weights are the first. */
static Status settle(Stream *stream, Error *error) {
    Status status = STATUS_OK;
    if (stream->descriptor >= 0) status = disk_sync(stream->descriptor, stream->path, error);
    stream->sync_failed = status != STATUS_OK;
    if (status == STATUS_OK && ranks_is_lead(stream->plan->options.ranks))
        status = export_partial_save(stream->plan, stream->partial, error);
    stream->unsynced = 0;
    return status;
}

static Status end_shard(Stream *stream, Error *error) {
    Status status = settle(stream, error);
    Status closed = disk_close(stream->descriptor, stream->path, status == STATUS_OK ? error : NULL);
    stream->descriptor = -1;
    return status != STATUS_OK ? status : closed;
}

/* ---- rounds ---- */

static void begin_sums(const Stream *stream) {
    const Window *writing = stream->writing, *blending = stream->blending;
    uint64_t left = stream->total - stream->done - (writing->is_filled ? writing->size : 0);
    double share = blending->is_filled ? (double)blending->size / (double)left : 1.0;
    export_sums_begin(stream->sums, writing->bytes, writing->tiles, writing->is_filled ? writing->count : 0,
                      share, stream->plan->options.window_bytes);
}

static Status finish_round(Stream *stream, Error *error) {
    for (int i = 0; i < TASK_TILES; i++) {
        if (stream->statuses[i] == STATUS_OK) continue;
        if (error != NULL) *error = stream->errors[i];
        return stream->statuses[i];
    }
    Window *window = stream->writing;
    Status status = STATUS_OK;
    if (window->is_filled) {
        stream->done += window->size;
        stream->unsynced += window->size;
        stream->partial->tensors_done = window->tensors_end;
        if (window->ends_shard)
            status = end_shard(stream, error);
        else if (stream->unsynced >= stream->plan->options.sync_bytes)
            status = settle(stream, error);
    }
    stream->writing = stream->blending;
    stream->blending = window;
    return status;
}

static bool is_finished(const Stream *stream) {
    return !stream->writing->is_filled && !stream->blending->is_filled && export_sums_are_done(stream->sums);
}

static Status run_rounds(Stream *stream, Error *error) {
    for (;;) {
        if (!job_report(stream->job, "export", stream->done, stream->total)) return job_cancelled(error);
        Status status = fill_window(stream, error);
        if (status == STATUS_OK && is_finished(stream)) return STATUS_OK;
        if (status == STATUS_OK) status = open_shard(stream, error);
        begin_sums(stream);
        expect_pages(stream);
        if (status == STATUS_OK)
            status = job_run(stream->job, TASK_TILES + stream->blending->count, run_task, stream, error);
        if (status == STATUS_OK) status = finish_round(stream, error);
        if (status != STATUS_OK) return status;
    }
}

/* ---- beginning and end ---- */

/* The first tensor of this rank that is not done yet. */
static void find_place(Stream *stream) {
    const ExportPlan *plan = stream->plan;
    size_t own = ranks_own(plan->options.ranks), done = stream->partial->tensors_done;
    stream->shard = stream->shares->shards[own];
    stream->shard_end = stream->shares->shards[own + 1];
    while (stream->shard < stream->shard_end &&
           plan->shards[stream->shard].first + plan->shards[stream->shard].count <= done)
        stream->total += plan->shards[stream->shard++].data_bytes;
    stream->done = stream->total;
    for (size_t s = stream->shard; s < stream->shard_end; s++) stream->total += plan->shards[s].data_bytes;
    if (stream->shard == stream->shard_end) return;
    const ExportShard *last = &plan->shards[stream->shard_end - 1];
    stream->tensors_end = last->first + last->count;
    stream->tensor = plan->shards[stream->shard].first;
    for (; stream->tensor < done; stream->tensor++) stream->done += plan->tensors[stream->tensor].bytes;
}

static Status start(Stream *stream, Error *error) {
    const ExportPlan *plan = stream->plan;
    stream->blending = &stream->windows[0];
    stream->writing = &stream->windows[1];
    stream->descriptor = -1;
    stream->plan->first_written = stream->partial->tensors_done;
    find_place(stream);
    size_t scratch;
    if (!memory_multiply(job_threads(stream->job), TILE, &scratch)) return memory_fail(error, "scratch");
    stream->scratch = memory_allocate_aligned(scratch, sizeof *stream->scratch);
    for (int i = 0; i < 2; i++)
        stream->windows[i].bytes = memory_allocate_aligned(plan->options.window_bytes, 1);
    if (stream->scratch == NULL || stream->windows[0].bytes == NULL || stream->windows[1].bytes == NULL)
        return memory_fail(error, "the windows of an export");
    Status status = export_sums_create(stream->plan, stream->shares, stream->job, &stream->sums, error);
    return status == STATUS_OK ? universal_hash_create(&stream->tag, error) : status;
}

static void release(Stream *stream) {
    for (int i = 0; i < 2; i++) {
        free(stream->windows[i].bytes);
        free(stream->windows[i].tiles);
    }
    export_sums_free(stream->sums);
    universal_hash_free(stream->tag);
    free(stream->scratch);
    free(stream->path);
}

/* After a failure: what was written and can be made durable is kept. */
static void save_what_there_is(Stream *stream) {
    Status ignored = STATUS_OK; /* where this fails, the last point to resume from stands */
    if (stream->unsynced > 0 && !stream->sync_failed) ignored = settle(stream, NULL);
    if (stream->descriptor >= 0) disk_release(stream->descriptor);
    if (stream->descriptor >= 0) ignored = disk_close(stream->descriptor, stream->path, NULL);
    (void)ignored;
    stream->descriptor = -1;
}

Status export_write_weights(ExportPlan *plan, ExportPartial *partial, const ExportShares *shares, Job *job,
                            Error *error) {
    Stream stream = {.plan = plan, .partial = partial, .shares = shares, .job = job};
    Status status = start(&stream, error);
    if (status == STATUS_OK) status = run_rounds(&stream, error);
    if (status != STATUS_OK) save_what_there_is(&stream);
    release(&stream);
    return status;
}
