#include "core/cache/cache_parts.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, ABANDONED_SECONDS = 3600 };

typedef struct Kept {
    char name[CACHE_NAME_SIZE];
    struct timespec used;
    uint64_t bytes; /* in whole blocks: many small entries are not nothing */
} Kept;

typedef struct Listing {
    Kept *entries;
    size_t count, capacity;
    uint64_t bytes;
} Listing;

static int oldest_first(const void *a, const void *b) {
    const Kept *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec) return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void add_entry(Listing *listing, const char *name, const struct stat *facts) {
    void *block = listing->entries;
    if (memory_reserve(&block, &listing->capacity, listing->count + 1, sizeof *listing->entries, NULL) !=
        STATUS_OK)
        return; /* it is not removed this time */
    listing->entries = block;
    Kept *entry = &listing->entries[listing->count++];
    *entry = (Kept){.used = facts->st_mtim, .bytes = ((uint64_t)facts->st_size + BLOCK - 1) / BLOCK * BLOCK};
    memcpy(entry->name, name, strlen(name) + 1); /* an entry's name fits */
    listing->bytes += entry->bytes;
}

/* Counts the entries, and removes what writers left behind that can no longer be at work. */
static void list(int directory, DIR *stream, Listing *listing) {
    time_t now = time(NULL);
    for (struct dirent *found; (found = readdir(stream)) != NULL;) {
        struct stat facts;
        bool is_new = strncmp(found->d_name, CACHE_NEW_PREFIX, strlen(CACHE_NEW_PREFIX)) == 0;
        if (!is_new && !cache_is_entry_name(found->d_name)) continue;
        if (fstatat(directory, found->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode))
            continue;
        if (!is_new)
            add_entry(listing, found->d_name, &facts);
        else if (facts.st_mtim.tv_sec < now - ABANDONED_SECONDS)
            (void)unlinkat(directory, found->d_name, 0); /* another process may have been first */
    }
}

void cache_trim(int directory, uint64_t limit, const char *spared) {
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
        const Kept *entry = &listing.entries[i];
        if (strcmp(entry->name, spared) == 0) continue;
        (void)unlinkat(directory, entry->name, 0); /* another process may have been first */
        listing.bytes -= entry->bytes;
    }
    free(listing.entries);
    (void)closedir(stream); /* opened for reading */
}
