#include "core/files/input.h"
#include "core/support/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum {
    MOST_PIECE = 1 << 20,
    LEAST_PIECE = 1 << 12,
    TIMES_PACKED = 8,
    GZIP_WINDOW = 15 + 16 /* with a header of gzip's */
};

static const char GZIP_MAGIC[] = "\x1f\x8b", ZSTD_MAGIC[] = "\x28\xb5\x2f\xfd";

/* What is unpacked so far, and of what. */
typedef struct Unpacking {
    const char *name, *packed;
    size_t packed_bytes, at; /* how much of it is used up */
    char *text;
    size_t bytes, capacity, limit;
    size_t piece; /* bytes that are unpacked at once */
    Job *job;
} Unpacking;

/* A small file takes little memory, unless it unpacks to much. */
static size_t choose_piece(size_t packed_bytes) {
    if (packed_bytes > MOST_PIECE / TIMES_PACKED) return MOST_PIECE;
    size_t likely = packed_bytes * TIMES_PACKED;
    return likely > LEAST_PIECE ? likely : LEAST_PIECE;
}

static bool begins_with(const char *text, size_t bytes, const char *magic, size_t length) {
    return bytes >= length && memcmp(text, magic, length) == 0;
}

/* Room for one more piece, and a NUL. */
static Status make_room(Unpacking *unpacking, Error *error) {
    if (job_is_cancelled(unpacking->job)) return job_cancelled(error);
    if (unpacking->bytes > unpacking->limit)
        return status_fail(error, STATUS_FORMAT, "%s: expected at most %zu bytes unpacked, found more",
                           unpacking->name, unpacking->limit);
    return MEMORY_RESERVE(unpacking->text, &unpacking->capacity, unpacking->bytes + unpacking->piece + 1,
                          error);
}

static Status fail_unpacking(const Unpacking *unpacking, const char *program, const char *why, Error *error) {
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected what %s packs, found an error near byte %zu of %zu: %s", unpacking->name,
                       program, unpacking->at, unpacking->packed_bytes, why);
}

/* ---- gzip ---- */

static Status inflate_piece(Unpacking *unpacking, z_stream *stream, bool *at_end, Error *error) {
    Status status = make_room(unpacking, error);
    if (status != STATUS_OK) return status;
    size_t left = unpacking->packed_bytes - unpacking->at;
    stream->next_in = (const Bytef *)unpacking->packed + unpacking->at;
    stream->avail_in = left < INT_MAX ? (uInt)left : INT_MAX;
    stream->next_out = (Bytef *)unpacking->text + unpacking->bytes;
    stream->avail_out = (uInt)unpacking->piece;
    int result = inflate(stream, Z_NO_FLUSH);
    unpacking->at = (size_t)((const char *)stream->next_in - unpacking->packed);
    unpacking->bytes += unpacking->piece - stream->avail_out;
    if (result == Z_MEM_ERROR) return memory_fail(error, unpacking->name);
    if (result == Z_BUF_ERROR ||
        (result == Z_OK && stream->avail_out > 0 && unpacking->at == unpacking->packed_bytes))
        return fail_unpacking(unpacking, "gzip", "it ends early", error);
    if (result != Z_OK && result != Z_STREAM_END)
        return fail_unpacking(unpacking, "gzip", stream->msg != NULL ? stream->msg : "it is damaged", error);
    *at_end = result == Z_STREAM_END;
    return STATUS_OK;
}

/* Several one after another, as cat and pigz make them, are one; gzip passes over zeros at the end. */
static Status unpack_gzip(Unpacking *unpacking, Error *error) {
    z_stream stream = {0};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) return memory_fail(error, unpacking->name);
    Status status = STATUS_OK;
    while (status == STATUS_OK && unpacking->at < unpacking->packed_bytes) {
        bool at_end = false;
        status = inflate_piece(unpacking, &stream, &at_end, error);
        if (!at_end || status != STATUS_OK) continue;
        size_t zeros = unpacking->at;
        while (zeros < unpacking->packed_bytes && unpacking->packed[zeros] == '\0') zeros++;
        if (zeros == unpacking->packed_bytes) break;
        (void)inflateReset(&stream); /* fails only where the stream was never made */
    }
    (void)inflateEnd(&stream);
    return status;
}

/* ---- zstd ---- */

static Status unpack_zstd(Unpacking *unpacking, Error *error) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL) return memory_fail(error, unpacking->name);
    ZSTD_inBuffer in = {.src = unpacking->packed, .size = unpacking->packed_bytes};
    Status status = STATUS_OK;
    size_t wanted = 1; /* 0 at a frame's end */
    bool is_full = false;
    while (status == STATUS_OK && (in.pos < in.size || (is_full && wanted != 0))) {
        status = make_room(unpacking, error);
        if (status != STATUS_OK) break;
        ZSTD_outBuffer out = {.dst = unpacking->text + unpacking->bytes, .size = unpacking->piece};
        wanted = ZSTD_decompressStream(stream, &out, &in);
        unpacking->at = in.pos;
        unpacking->bytes += out.pos;
        is_full = out.pos == out.size;
        if (ZSTD_isError(wanted))
            status = fail_unpacking(unpacking, "zstd", ZSTD_getErrorName(wanted), error);
    }
    (void)ZSTD_freeDStream(stream);
    if (status == STATUS_OK && wanted != 0)
        status = fail_unpacking(unpacking, "zstd", "it ends early", error);
    return status;
}

bool input_is_packed(const char *text, size_t bytes) {
    return begins_with(text, bytes, GZIP_MAGIC, sizeof GZIP_MAGIC - 1) ||
           begins_with(text, bytes, ZSTD_MAGIC, sizeof ZSTD_MAGIC - 1);
}

Status input_unpack(const char *name, size_t limit, Job *job, char **text, size_t *bytes, Error *error) {
    Unpacking unpacking = {.name = name,
                           .packed = *text,
                           .packed_bytes = *bytes,
                           .limit = limit,
                           .piece = choose_piece(*bytes),
                           .job = job};
    bool is_gzip = begins_with(*text, *bytes, GZIP_MAGIC, sizeof GZIP_MAGIC - 1);
    if (!input_is_packed(*text, *bytes)) return STATUS_OK;
    Status status = is_gzip ? unpack_gzip(&unpacking, error) : unpack_zstd(&unpacking, error);
    if (status == STATUS_OK && unpacking.bytes > limit) status = make_room(&unpacking, error);
    if (status != STATUS_OK) {
        free(unpacking.text);
        return status;
    }
    unpacking.text[unpacking.bytes] = '\0';
    free(*text);
    *text = unpacking.text;
    *bytes = unpacking.bytes;
    return STATUS_OK;
}
