/*
 * directory_shards — a model in several files: those that an index names, or those that count themselves.
 */
#ifndef REJUV_CORE_DIRECTORY_SHARDS_H
#define REJUV_CORE_DIRECTORY_SHARDS_H

#include "core/checkpoint/directory.h"
#include "core/checkpoint/directory_listing.h"

/* A name comes from an untrusted file: whether it is a plain one within the directory, with that ending. */
bool directory_shards_is_name(const char *name, const char *ending);

/* Adds a copy of a name to found->files, which has room for it. */
Status directory_shards_add(Directory *found, const char *name, Error *error) STATUS_MUST_CHECK;

/* Reads the index of that name into found->index, and the files that it names, all with that ending; refused where one is not
 * there. */
Status directory_shards_read_index(Directory *found, const char *name, const char *ending,
                                   Error *error) STATUS_MUST_CHECK;

/* All of PREFIX-00001-of-00002.safetensors, …; refused where one is not there; no file is found where there are no such
 * names. */
Status directory_shards_find(Directory *found, const DirectoryListing *listing,
                             Error *error) STATUS_MUST_CHECK;

#endif
