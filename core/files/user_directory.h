/*
 * user_directory — where files of the user's own belong (XDG base directories).
 *
 *     USER_DIRECTORY_CONFIG   $XDG_CONFIG_HOME/rejuv   ~/.config/rejuv        keys, config
 *     USER_DIRECTORY_STATE    $XDG_STATE_HOME/rejuv    ~/.local/state/rejuv   histories, what was open last, the copy
 *     USER_DIRECTORY_CACHE    $XDG_CACHE_HOME/rejuv    ~/.cache/rejuv         kept analyses (core/cache/cache.h)
 *
 * A variable that is no absolute path is not heeded, as the specification asks.
 */
#ifndef REJUV_CORE_USER_DIRECTORY_H
#define REJUV_CORE_USER_DIRECTORY_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum UserDirectory {
    USER_DIRECTORY_CONFIG,
    USER_DIRECTORY_STATE,
    USER_DIRECTORY_CACHE,
    USER_DIRECTORY_COUNT
} UserDirectory;

/* The directory, or with `name` a file in it; the caller frees. NULL where there is no home, or no memory. */
char *user_directory_path(UserDirectory place, const char *name);

/* Whether there is a file to be read, even one that leads nowhere or cannot be reached: then it is read, and why that
 * fails is told. */
bool user_directory_has_file(const char *path);

/* Makes a directory and those above it, for the user alone. */
Status user_directory_make_directory(const char *path, Error *error) STATUS_MUST_CHECK;

/* Writes a file as a whole, for the user alone: those who read see the old one or the new one. Makes its
 * directory. */
Status user_directory_write_file(const char *path, const char *text, size_t bytes,
                                 Error *error) STATUS_MUST_CHECK;

/* A name as a shell takes it: "~" and "~/…" are in the user's home. False where `size` bytes do not hold it. */
bool user_directory_expand_home(const char *name, char *text, size_t size);

#endif
