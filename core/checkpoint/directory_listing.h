/*
 * directory_listing — the names in a directory, in the order a person counts them (checkpoint-500 before
 * checkpoint-1000).
 *
 * What systems and editors leave behind (.DS_Store, ._model.safetensors) is passed over; of the hidden names only
 * .metadata is kept, the file that a distributed checkpoint of PyTorch is known by.
 */
#ifndef REJUV_CORE_DIRECTORY_LISTING_H
#define REJUV_CORE_DIRECTORY_LISTING_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct DirectoryEntry {
    char *name;
    bool is_directory; /* links are followed; one that leads nowhere is none */
} DirectoryEntry;

/* Zero-initialise, release with directory_listing_free(). */
typedef struct DirectoryListing {
    DirectoryEntry *entries;
    size_t count, capacity;
} DirectoryListing;

Status directory_listing_read(const char *path, DirectoryListing *listing, Error *error) STATUS_MUST_CHECK;
void directory_listing_free(DirectoryListing *listing);

/* Puts another's names that `is_other` says yes to in the place of the listing's own; the other is empty then. */
Status directory_listing_exchange(DirectoryListing *listing, DirectoryListing *other,
                                  bool (*is_other)(const char *name), Error *error) STATUS_MUST_CHECK;

/* The first entry, or the last (of checkpoints the newest), that matches a pattern of fnmatch(3); NULL where none
 * does. */
const DirectoryEntry *directory_listing_first(const DirectoryListing *listing, const char *pattern);
const DirectoryEntry *directory_listing_last(const DirectoryListing *listing, const char *pattern);

#endif
