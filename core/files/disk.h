/*
 * disk — writing so that it lasts: whole writes, fsync, and messages that say which file and how much.
 *
 * Names are relative to a directory descriptor, so that a directory that is renamed meanwhile stays the same
 * one; `path` is for messages. No function follows a symbolic link in the last place of a name it creates or
 * removes.
 */
#ifndef REJUV_CORE_DISK_H
#define REJUV_CORE_DISK_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes all of `size` bytes at `offset`. A full disk says how much was wanted and how much is free. */
Status disk_write(int descriptor, const void *bytes, size_t size, uint64_t offset, const char *path,
                  Error *error) STATUS_MUST_CHECK;

/* fsync. */
Status disk_sync(int descriptor, const char *path, Error *error) STATUS_MUST_CHECK;

/* Opens a file for writing, creating it where it is not there; its contents stay. */
Status disk_open(int directory, const char *name, const char *path, int *descriptor,
                 Error *error) STATUS_MUST_CHECK;

/* Closes; a late error of the file system is an error. */
Status disk_close(int descriptor, const char *path, Error *error) STATUS_MUST_CHECK;

/* Writes a whole file and makes its contents durable (its name needs disk_sync() of the directory). An
 * existing file is truncated. */
Status disk_write_file(int directory, const char *name, const void *bytes, size_t size, const char *path,
                       Error *error) STATUS_MUST_CHECK;

/* The same, but a reader sees the old contents or the new, whatever happens. Durable on return. A private file
 * can be read by its owner alone (0600), whatever one of that name was before. */
Status disk_replace_file(int directory, const char *name, bool is_private, const void *bytes, size_t size,
                         const char *path, Error *error) STATUS_MUST_CHECK;

/* Opens a directory that is no symbolic link; *descriptor is -1 and the status STATUS_OK where there is
 * none. */
Status disk_open_directory(int directory, const char *name, const char *path, int *descriptor,
                           Error *error) STATUS_MUST_CHECK;

/* Asked for each entry of the emptied directory itself; true: it stays. */
typedef _Bool (*DiskKeep)(void *user, const char *name);

/* Removes what is in a directory, its subdirectories too; `keep` may be NULL. *bytes (may be NULL) grows by
 * the sizes of the removed files. */
Status disk_empty_directory(int directory, DiskKeep keep, void *user, const char *path, uint64_t *bytes,
                            Error *error) STATUS_MUST_CHECK;

/* Bytes that the files of a directory take on their disk, those of its subdirectories left out; 0 where there is no
 * such directory, or it is a symbolic link. What cannot be looked at is not counted. */
uint64_t disk_used_bytes(const char *path);

/* Bytes that this user can write to the file system that holds `path`; UINT64_MAX where it does not say. */
Status disk_free_bytes(const char *path, uint64_t *bytes, Error *error) STATUS_MUST_CHECK;

#endif
