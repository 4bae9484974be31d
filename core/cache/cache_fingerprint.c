#include "core/cache/cache_fingerprint.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_KIND "file"
enum { FILE_VERSION = 1, CHUNK = 1 << 20 };

/* ---- one file ---- */

static Status make_file_key(const FileStamp *stamp, CacheKey *key, Error *error) {
    char *origin = memory_format("device %" PRIu64 "\ninode %" PRIu64 "\nsize %" PRIu64 "\nmodified %" PRId64
                                 ".%09" PRIu64 "\nchanged %" PRId64 ".%09" PRIu64 "\n",
                                 stamp->device, stamp->inode, stamp->size, stamp->modified,
                                 stamp->modified_nanoseconds, stamp->changed, stamp->changed_nanoseconds);
    if (origin == NULL) return memory_fail(error, "a cache key");
    Status status = cache_make_key(FILE_KIND, FILE_VERSION, origin, key, error);
    free(origin);
    return status;
}

static bool find_file(const Cache *cache, const SafetensorsFile *file, char hex[HASH_HEX_SIZE]) {
    CacheKey key;
    CacheEntry entry;
    if (!file_stamp_is_settled(&file->stamp) || make_file_key(&file->stamp, &key, NULL) != STATUS_OK ||
        !cache_find(cache, &key, &entry))
        return false;
    bool sound = entry.size == HASH_HEX_SIZE - 1;
    if (sound) memcpy(hex, entry.payload, entry.size);
    hex[HASH_HEX_SIZE - 1] = '\0';
    cache_free_entry(&entry);
    return sound && hash_is_hex(hex);
}

/* The sum of what is mapped: the very bytes that analyses read. */
static Status measure_file(const Cache *cache, const SafetensorsFile *file, uint64_t done, uint64_t total,
                           Job *job, char hex[HASH_HEX_SIZE], Error *error) {
    CacheKey key;
    Hash *hash;
    Status status = hash_create(&hash, error);
    if (status != STATUS_OK) return status;
    for (size_t at = 0; at < file->size && status == STATUS_OK; at += CHUNK) {
        if (!job_report(job, "reading contents", done + at, total)) status = job_cancelled(error);
        size_t count = file->size - at < CHUNK ? file->size - at : CHUNK;
        if (status == STATUS_OK) status = hash_add(hash, file->map + at, count, error);
    }
    if (status == STATUS_OK) status = hash_finish(hash, hex, error);
    hash_free(hash);
    if (status != STATUS_OK) return status;
    if (!safetensors_is_unchanged(file))
        return status_fail(error, STATUS_MISMATCH, "%s has changed since it was opened", file->path);
    if (file_stamp_is_settled(&file->stamp) && make_file_key(&file->stamp, &key, NULL) == STATUS_OK) {
        Status stored = cache_store(cache, &key, hex, HASH_HEX_SIZE - 1, NULL);
        (void)stored; /* where it cannot be written, the file is read again next time */
    }
    return STATUS_OK;
}

/* ---- a checkpoint ---- */

static Status add_config(const Checkpoint *checkpoint, Buffer *text, Error *error) {
    char hex[HASH_HEX_SIZE] = "none";
    char *config = checkpoint->config == NULL ? NULL : cJSON_PrintUnformatted(checkpoint->config);
    if (checkpoint->config != NULL && config == NULL) return memory_fail(error, "config.json");
    Status status = config == NULL ? STATUS_OK : hash_bytes(config, strlen(config), hex, error);
    cJSON_free(config);
    buffer_add_format(text, "config %s\n", hex);
    return status;
}

static Status finish(const Buffer *text, char hex[HASH_HEX_SIZE], Error *error) {
    return text->failed ? memory_fail(error, "a checkpoint's content")
                        : hash_bytes(text->text, text->length, hex, error);
}

bool cache_fingerprint_find(const Cache *cache, const Checkpoint *checkpoint, char hex[HASH_HEX_SIZE]) {
    Buffer text = {0};
    char sum[HASH_HEX_SIZE];
    bool found = add_config(checkpoint, &text, NULL) == STATUS_OK;
    for (size_t i = 0; i < checkpoint->file_count && found; i++) {
        found = find_file(cache, checkpoint->files[i], sum);
        if (found) buffer_add_format(&text, "weights %s\n", sum);
    }
    found = found && finish(&text, hex, NULL) == STATUS_OK;
    buffer_free(&text);
    return found;
}

bool cache_fingerprint_is_settled(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        if (!file_stamp_is_settled(&checkpoint->files[i]->stamp)) return false;
    }
    return true;
}

Status cache_fingerprint_measure(const Cache *cache, const Checkpoint *checkpoint, uint64_t done,
                                 uint64_t total, Job *job, char hex[HASH_HEX_SIZE], Error *error) {
    Buffer text = {0};
    Status status = add_config(checkpoint, &text, error);
    for (size_t i = 0; i < checkpoint->file_count && status == STATUS_OK; i++) {
        const SafetensorsFile *file = checkpoint->files[i];
        char sum[HASH_HEX_SIZE];
        if (!find_file(cache, file, sum)) {
            status = measure_file(cache, file, done, total, job, sum, error);
            done += file->size;
        }
        if (status == STATUS_OK) buffer_add_format(&text, "weights %s\n", sum);
    }
    if (status == STATUS_OK) status = finish(&text, hex, error);
    buffer_free(&text);
    return status;
}

uint64_t cache_fingerprint_unread(const Cache *cache, const Checkpoint *checkpoint) {
    uint64_t bytes = 0;
    char sum[HASH_HEX_SIZE];
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        if (!find_file(cache, checkpoint->files[i], sum)) bytes += checkpoint->files[i]->size;
    }
    return bytes;
}

bool cache_fingerprint_is_unchanged(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        if (!safetensors_is_unchanged(checkpoint->files[i])) return false;
    }
    return true;
}
