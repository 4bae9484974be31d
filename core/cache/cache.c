#include "core/cache/cache.h"

#include "core/files/disk.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LAYOUT_VERSION = 1, SUM_SIZE = 32, KEY_AT = 16, LENGTH_AT = 48, SUM_AT = 56, HEADER_SIZE = 88 };
enum { NAME_SIZE = CACHE_KIND_SIZE + HASH_HEX_SIZE };
enum { BLOCK = 4096, ABANDONED_SECONDS = 3600 };

/* Names of entries that are being written begin so. */
static const char NEW_PREFIX[] = ".new-";

static const unsigned char MAGIC[8] = {'r', 'e', 'j', 'u', 'v', 0x1a, '\r', '\n'};

struct Cache {
    char *directory;
    uint64_t limit;
};

Status cache_create(const char *directory, uint64_t limit, Cache **cache, Error *error) {
    *cache = NULL;
    Cache *made = memory_allocate(1, sizeof *made);
    if (made != NULL) made->directory = memory_copy_text(directory, strlen(directory));
    if (made == NULL || made->directory == NULL) {
        cache_free(made);
        return memory_fail(error, "the cache");
    }
    made->limit = limit == 0 ? CACHE_LIMIT : limit;
    *cache = made;
    return STATUS_OK;
}

void cache_free(Cache *cache) {
    if (cache == NULL) return;
    free(cache->directory);
    free(cache);
}

/* ---- keys and names ---- */

Status cache_make_key(const char *kind, unsigned version, const char *origin, CacheKey *key, Error *error) {
    *key = (CacheKey){0};
    int length = snprintf(key->kind, sizeof key->kind, "%s", kind);
    if (length <= 0 || (size_t)length >= sizeof key->kind)
        return status_fail(error, STATUS_ARGUMENT, "\"%s\" is no kind of cache entry", kind);
    char *text = memory_format("rejuv %s\n%s %u\n%s", REJUV_VERSION, kind, version, origin);
    if (text == NULL) return memory_fail(error, "a cache key");
    Status status = hash_bytes(text, strlen(text), key->sha256, error);
    free(text);
    return status;
}

static void write_name(const CacheKey *key, char name[NAME_SIZE]) {
    (void)snprintf(name, NAME_SIZE, "%s-%s", key->kind, key->sha256); /* fits */
}

/* Whether a file of that name is an entry. */
static bool is_entry_name(const char *name) {
    size_t length = strlen(name), kind = strspn(name, "abcdefghijklmnopqrstuvwxyz-");
    return length >= HASH_HEX_SIZE + 1 && length < NAME_SIZE && kind >= length - (HASH_HEX_SIZE - 1) &&
           name[length - HASH_HEX_SIZE] == '-' && hash_is_hex(name + length - (HASH_HEX_SIZE - 1));
}

/* 64 digits, as hash.h makes them, to 32 bytes. */
static void pack_sum(const char *hex, unsigned char sum[SUM_SIZE]) {
    for (int i = 0; i < SUM_SIZE; i++) {
        unsigned byte = 0;
        (void)sscanf(hex + 2 * i, "%2x", &byte); /* they are digits */
        sum[i] = (unsigned char)byte;
    }
}

/* ---- the directory ---- */

/* *descriptor is -1 where there is no directory. */
static Status open_directory(const Cache *cache, int *descriptor, Error *error) {
    *descriptor = open(cache->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*descriptor < 0 && errno == ENOENT) return STATUS_OK;
    if (*descriptor < 0) return status_fail_errno(error, errno, "%s", cache->directory);
    struct stat facts;
    Status status = STATUS_OK;
    if (fstat(*descriptor, &facts) != 0)
        status = status_fail_errno(error, errno, "%s", cache->directory);
    else if (facts.st_uid != geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        status = status_fail(error, STATUS_IO,
                             "%s: expected a directory of this user's that no one else may write to",
                             cache->directory);
    if (status == STATUS_OK) return STATUS_OK;
    (void)close(*descriptor); /* opened for reading */
    *descriptor = -1;
    return status;
}

/* The directory and those above it that are missing, each for this user alone. */
static Status make_directory(const Cache *cache, Error *error) {
    char *path = memory_copy_text(cache->directory, strlen(cache->directory));
    if (path == NULL) return memory_fail(error, "the cache");
    Status status = STATUS_OK;
    for (char *slash = path; *slash != '\0' && status == STATUS_OK;) {
        char *next = strchr(slash + 1, '/');
        if (next != NULL) *next = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) status = status_fail_errno(error, errno, "%s", path);
        slash = next == NULL ? slash + strlen(slash) : next;
        if (next != NULL) *next = '/';
    }
    free(path);
    return status;
}

/* ---- reading ---- */

static uint64_t read_number(const unsigned char *bytes, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

static bool has_sum(const unsigned char *payload, size_t size, const unsigned char expected[SUM_SIZE]) {
    char hex[HASH_HEX_SIZE];
    unsigned char sum[SUM_SIZE];
    if (hash_bytes(payload, size, hex, NULL) != STATUS_OK) return false;
    pack_sum(hex, sum);
    return memcmp(sum, expected, SUM_SIZE) == 0;
}

bool cache_check_entry(const CacheKey *key, const unsigned char *bytes, size_t size,
                       const unsigned char **payload, size_t *payload_size) {
    unsigned char sum[SUM_SIZE];
    if (size < HEADER_SIZE || memcmp(bytes, MAGIC, sizeof MAGIC) != 0) return false;
    if (read_number(bytes + 8, 4) != LAYOUT_VERSION || read_number(bytes + 12, 4) != 0) return false;
    pack_sum(key->sha256, sum);
    if (memcmp(bytes + KEY_AT, sum, SUM_SIZE) != 0) return false;
    if (read_number(bytes + LENGTH_AT, 8) != size - HEADER_SIZE) return false;
    if (!has_sum(bytes + HEADER_SIZE, size - HEADER_SIZE, bytes + SUM_AT)) return false;
    *payload = bytes + HEADER_SIZE;
    *payload_size = size - HEADER_SIZE;
    return true;
}

static bool read_whole(int descriptor, unsigned char *bytes, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t count = pread(descriptor, bytes + at, size - at, (off_t)at);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false; /* it shrinks while it is read: no entry does */
        at += (size_t)count;
    }
    return true;
}

/* The file's bytes, or NULL for what cannot be an entry. */
static unsigned char *read_entry(const Cache *cache, int descriptor, size_t *size) {
    struct stat facts;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid()) return NULL;
    if (facts.st_size < HEADER_SIZE || (uint64_t)facts.st_size > cache->limit / CACHE_ENTRY_PART) return NULL;
    *size = (size_t)facts.st_size;
    unsigned char *bytes = memory_allocate_aligned(*size, 1);
    if (bytes == NULL || read_whole(descriptor, bytes, *size)) return bytes;
    free(bytes);
    return NULL;
}

bool cache_find(const Cache *cache, const CacheKey *key, CacheEntry *entry) {
    char name[NAME_SIZE];
    int directory, descriptor;
    size_t size = 0;
    *entry = (CacheEntry){0};
    if (open_directory(cache, &directory, NULL) != STATUS_OK || directory < 0) return false;
    write_name(key, name);
    /* a FIFO must not make this wait before it is refused */
    descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    (void)close(directory);
    if (descriptor < 0) return false;
    entry->file = read_entry(cache, descriptor, &size);
    bool sound =
        entry->file != NULL && cache_check_entry(key, entry->file, size, &entry->payload, &entry->size);
    if (sound) (void)futimens(descriptor, NULL); /* where times cannot be set, older entries go first */
    (void)close(descriptor);                     /* opened for reading */
    if (!sound) cache_free_entry(entry);
    return sound;
}

void cache_free_entry(CacheEntry *entry) {
    free(entry->file);
    *entry = (CacheEntry){0};
}

/* ---- writing ---- */

static void write_number(unsigned char *bytes, uint64_t value, int size) {
    for (int i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static Status make_header(const CacheKey *key, const void *payload, size_t size,
                          unsigned char header[HEADER_SIZE], Error *error) {
    char hex[HASH_HEX_SIZE];
    memset(header, 0, HEADER_SIZE);
    memcpy(header, MAGIC, sizeof MAGIC);
    write_number(header + 8, LAYOUT_VERSION, 4);
    pack_sum(key->sha256, header + KEY_AT);
    write_number(header + LENGTH_AT, size, 8);
    Status status = hash_bytes(payload, size, hex, error);
    if (status == STATUS_OK) pack_sum(hex, header + SUM_AT);
    return status;
}

/* A name that no other writer has, on this machine or another that shares the directory. */
static void make_new_name(char name[NAME_SIZE]) {
    uint64_t random;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
        struct timespec now = {0}; /* a machine that has only just started */
        (void)clock_gettime(CLOCK_REALTIME, &now);
        random = (uint64_t)getpid() << 32 ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
    }
    (void)snprintf(name, NAME_SIZE, "%s%016" PRIx64, NEW_PREFIX, random);
}

static Status write_entry(const Cache *cache, int directory, const CacheKey *key, const void *payload,
                          size_t size, Error *error) {
    unsigned char header[HEADER_SIZE];
    char new_name[NAME_SIZE], name[NAME_SIZE];
    DiskFile file;
    Status status = make_header(key, payload, size, header, error);
    if (status != STATUS_OK) return status;
    make_new_name(new_name);
    write_name(key, name);
    status = disk_file_begin(&file, directory, name, new_name, DISK_FILE_PRIVATE, cache->directory, error);
    if (status != STATUS_OK) return status;
    status = disk_write(file.descriptor, header, sizeof header, 0, cache->directory, error);
    if (status == STATUS_OK)
        status = disk_write(file.descriptor, payload, size, sizeof header, cache->directory, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_CONTENTS, error);
    disk_file_discard(&file);
    return status;
}

/* ---- staying within the limit ---- */

typedef struct Listed {
    char name[NAME_SIZE];
    struct timespec used;
    uint64_t bytes; /* in whole blocks: many small entries are not nothing */
} Listed;

typedef struct Listing {
    Listed *entries;
    size_t count, capacity;
    uint64_t bytes;
} Listing;

static int oldest_first(const void *a, const void *b) {
    const Listed *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec) return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void add_entry(Listing *listing, const char *name, const struct stat *facts) {
    if (MEMORY_RESERVE(listing->entries, &listing->capacity, listing->count + 1, NULL) != STATUS_OK)
        return; /* it is not removed this time */
    Listed *entry = &listing->entries[listing->count++];
    *entry =
        (Listed){.used = facts->st_mtim, .bytes = ((uint64_t)facts->st_size + BLOCK - 1) / BLOCK * BLOCK};
    memcpy(entry->name, name, strlen(name) + 1); /* an entry's name fits */
    listing->bytes += entry->bytes;
}

/* Counts the entries, and removes what writers left behind that can no longer be at work. */
static void list(int directory, DIR *stream, Listing *listing) {
    time_t now = time(NULL);
    for (struct dirent *found; (found = readdir(stream)) != NULL;) {
        struct stat facts;
        bool is_new = strncmp(found->d_name, NEW_PREFIX, sizeof NEW_PREFIX - 1) == 0;
        if (!is_new && !is_entry_name(found->d_name)) continue;
        if (fstatat(directory, found->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode))
            continue;
        if (!is_new)
            add_entry(listing, found->d_name, &facts);
        else if (facts.st_mtim.tv_sec < now - ABANDONED_SECONDS)
            (void)unlinkat(directory, found->d_name, 0); /* another process may have been first */
    }
}

/* Removes entries, those not used for longest first, until all together take at most the limit; `spared` is kept
 * whatever it takes. What cannot be listed or removed stays. */
static void trim(int directory, uint64_t limit, const char *spared) {
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (stream == NULL) {
        if (own >= 0) (void)close(own); /* opened for reading */
        return;
    }
    Listing listing = {0};
    list(directory, stream, &listing);
    if (listing.bytes > limit && listing.count > 0)
        qsort(listing.entries, listing.count, sizeof *listing.entries, oldest_first);
    for (size_t i = 0; i < listing.count && listing.bytes > limit; i++) {
        const Listed *entry = &listing.entries[i];
        if (strcmp(entry->name, spared) == 0) continue;
        (void)unlinkat(directory, entry->name, 0); /* another process may have been first */
        listing.bytes -= entry->bytes;
    }
    free(listing.entries);
    (void)closedir(stream); /* opened for reading */
}

/* ---- storing ---- */

Status cache_store(const Cache *cache, const CacheKey *key, const void *payload, size_t size, Error *error) {
    uint64_t most = cache->limit / CACHE_ENTRY_PART; /* with its header */
    if (most < HEADER_SIZE || size > most - HEADER_SIZE)
        return status_fail(error, STATUS_UNSUPPORTED, "%zu bytes of %s are too many to be kept", size,
                           key->kind);
    int directory;
    Status status = open_directory(cache, &directory, error);
    if (status == STATUS_OK && directory < 0) {
        status = make_directory(cache, error);
        if (status == STATUS_OK) status = open_directory(cache, &directory, error);
        if (status == STATUS_OK && directory < 0)
            status = status_fail_errno(error, ENOENT, "%s", cache->directory);
    }
    if (status != STATUS_OK) return status;
    status = write_entry(cache, directory, key, payload, size, error);
    if (status == STATUS_OK) {
        char name[NAME_SIZE];
        write_name(key, name);
        trim(directory, cache->limit, name);
    }
    (void)close(directory); /* opened for reading */
    return status;
}
