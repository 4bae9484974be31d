/*
 * directory_refusal — what is said of a path that is no model: each function fails, with the name of what is there and
 * the command that helps.
 */
#ifndef REJUV_CORE_DIRECTORY_REFUSAL_H
#define REJUV_CORE_DIRECTORY_REFUSAL_H

#include "core/checkpoint/directory_listing.h"

/* A path where stat() failed with `errno_value`: it may be the name of a model on the Hub. */
Status directory_refusal_of_nothing(const char *path, int errno_value, Error *error);

/* A file in place of a directory. */
Status directory_refusal_of_file(const char *path, Error *error);

/* A link, or an index's file, that is not there; `file` lies in `path`. */
Status directory_refusal_of_link(const char *path, const char *file, Error *error);

/* A directory by what is in it, or in its folders; `loose` as directory_form_find() has it. STATUS_OK where nothing is
 * known. */
Status directory_refusal_of_form(const char *path, const DirectoryListing *listing, bool loose, Error *error);
Status directory_refusal_of_folders(const char *path, const DirectoryListing *listing, Error *error);

/* A directory in which nothing is known. */
Status directory_refusal_of_rest(const char *path, const DirectoryListing *listing, Error *error);

/* An adapter beside the weights that it belongs to. */
Status directory_refusal_of_adapter(const char *path, bool is_mlx, Error *error);

/* "hf download NAME --local-dir PATH", NAME as it stands where it is not known; the caller frees, NULL when out of
 * memory. */
char *directory_refusal_download(const char *path);

#endif
