#include "core/files/file_digest.h"

#include <pthread.h>
#include <string.h>

typedef struct Known {
    FileStamp stamp;
    char hex[HASH_HEX_SIZE];
} Known;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Known known[FILE_DIGEST_CAPACITY];
static size_t known_count, next; /* next: the place of the next one */

static Known *find(const FileStamp *stamp) {
    for (size_t i = 0; i < known_count; i++) {
        if (file_stamp_equal(&known[i].stamp, stamp)) return &known[i];
    }
    return NULL;
}

/* A default mutex that is locked once a thread cannot fail: hence the casts. */

bool file_digest_find(const FileStamp *stamp, char hex[HASH_HEX_SIZE]) {
    (void)pthread_mutex_lock(&lock);
    const Known *found = find(stamp);
    if (found != NULL) memcpy(hex, found->hex, HASH_HEX_SIZE);
    (void)pthread_mutex_unlock(&lock);
    return found != NULL;
}

void file_digest_keep(const FileStamp *stamp, const char hex[HASH_HEX_SIZE]) {
    if (!file_stamp_is_settled(stamp)) return;
    (void)pthread_mutex_lock(&lock);
    Known *place = find(stamp);
    if (place == NULL) {
        place = &known[next];
        next = (next + 1) % FILE_DIGEST_CAPACITY;
        if (known_count < FILE_DIGEST_CAPACITY) known_count++;
    }
    place->stamp = *stamp;
    memcpy(place->hex, hex, HASH_HEX_SIZE);
    (void)pthread_mutex_unlock(&lock);
}

Status file_digest_read(const char *path, Job *job, char hex[HASH_HEX_SIZE], Error *error) {
    FileStamp before, after;
    bool has_stamp = file_stamp_read(path, &before); /* where not, hash_file() says why */
    if (has_stamp && file_digest_find(&before, hex)) return STATUS_OK;
    Status status = hash_file(path, job, NULL, hex, error);
    if (status == STATUS_OK && has_stamp && file_stamp_read(path, &after) &&
        file_stamp_equal(&before, &after))
        file_digest_keep(&before, hex);
    return status;
}

void file_digest_forget(void) {
    (void)pthread_mutex_lock(&lock);
    known_count = next = 0;
    (void)pthread_mutex_unlock(&lock);
}
