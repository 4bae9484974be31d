#include "core/checkpoint/directory_listing.h"

#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_passed_over(const char *name) {
    return name[0] == '.' && strcmp(name, ".metadata") != 0;
}

static int compare_entries(const void *a, const void *b) {
    return strverscmp(((const DirectoryEntry *)a)->name, ((const DirectoryEntry *)b)->name);
}

static Status add_entry(DirectoryListing *listing, int directory, const char *name, Error *error) {
    Status status = MEMORY_RESERVE(listing->entries, &listing->capacity, listing->count + 1, error);
    if (status != STATUS_OK) return status;
    struct stat facts;
    DirectoryEntry entry = {.name = memory_copy_text(name, strlen(name)),
                            .is_directory =
                                fstatat(directory, name, &facts, 0) == 0 && S_ISDIR(facts.st_mode)};
    if (entry.name == NULL) return memory_fail(error, "a file name");
    listing->entries[listing->count++] = entry;
    return STATUS_OK;
}

Status directory_listing_read(const char *path, DirectoryListing *listing, Error *error) {
    DIR *stream = opendir(path);
    if (stream == NULL) return status_fail_errno(error, errno, "%s", path);
    Status status = STATUS_OK;
    const struct dirent *entry;
    for (errno = 0; status == STATUS_OK && (entry = readdir(stream)) != NULL; errno = 0) {
        if (!is_passed_over(entry->d_name)) status = add_entry(listing, dirfd(stream), entry->d_name, error);
    }
    if (status == STATUS_OK && errno != 0) status = status_fail_errno(error, errno, "%s", path);
    (void)closedir(stream); /* only read from */
    if (listing->count > 0)
        qsort(listing->entries, listing->count, sizeof *listing->entries, compare_entries);
    return status;
}

Status directory_listing_exchange(DirectoryListing *listing, DirectoryListing *other,
                                  bool (*is_other)(const char *name), Error *error) {
    size_t kept = 0;
    for (size_t i = 0; i < listing->count; i++) {
        if (is_other(listing->entries[i].name))
            free(listing->entries[i].name);
        else
            listing->entries[kept++] = listing->entries[i];
    }
    listing->count = kept;
    Status status = MEMORY_RESERVE(listing->entries, &listing->capacity, kept + other->count, error);
    for (size_t i = 0; i < other->count && status == STATUS_OK; i++) {
        if (!is_other(other->entries[i].name)) continue;
        listing->entries[listing->count++] = other->entries[i];
        other->entries[i].name = NULL; /* taken over */
    }
    directory_listing_free(other);
    if (listing->count > 0)
        qsort(listing->entries, listing->count, sizeof *listing->entries, compare_entries);
    return status;
}

void directory_listing_free(DirectoryListing *listing) {
    for (size_t i = 0; i < listing->count; i++) free(listing->entries[i].name);
    free(listing->entries);
    *listing = (DirectoryListing){0};
}

const DirectoryEntry *directory_listing_first(const DirectoryListing *listing, const char *pattern) {
    for (size_t i = 0; i < listing->count; i++) {
        if (fnmatch(pattern, listing->entries[i].name, 0) == 0) return &listing->entries[i];
    }
    return NULL;
}

const DirectoryEntry *directory_listing_last(const DirectoryListing *listing, const char *pattern) {
    for (size_t i = listing->count; i > 0; i--) {
        if (fnmatch(pattern, listing->entries[i - 1].name, 0) == 0) return &listing->entries[i - 1];
    }
    return NULL;
}
