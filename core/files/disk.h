/*
 * disk — writing so that it lasts: whole writes, fsync, and messages that say which file and how much.
 *
 * Names are relative to a directory descriptor, so that a directory that is renamed meanwhile stays the same
 * one; `path` is for messages. No function follows a symbolic link in the last place of a name it creates or
 * removes.
 *
 * The room: files that are none of a model's, durable writing, SHA-256 and a hash for this process alone, identity and sums
 * of files, JSON, and where the user's own files lie. It keeps nothing but the sums of files that rest (file_digest), which
 * any thread may ask for, and that hash's key; all else works on what the caller hands over.
 */
#ifndef REJUV_CORE_DISK_H
#define REJUV_CORE_DISK_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes all of `size` bytes at `offset`. A full disk says how much was wanted and how much is free. */
Status disk_write(int descriptor, const void *bytes, size_t size, uint64_t offset, const char *path,
                  Error *error) STATUS_MUST_CHECK;

/* Sets room aside for a file that is to have `size` bytes, which its length does not show: it is written several times
 * faster where the file system need not find room for every piece. A file system that cannot is left to find it. A full
 * disk is said as disk_write() says it. */
Status disk_reserve(int descriptor, uint64_t size, const char *path, Error *error) STATUS_MUST_CHECK;

/* Gives back what was set aside beyond the file's end; a file system that keeps it does no harm. */
void disk_release(int descriptor);

/* fsync; a directory on a file system that has none for directories is left to it. */
Status disk_sync(int descriptor, const char *path, Error *error) STATUS_MUST_CHECK;

/* Whether another file system, or a part of one, is mounted there: such a directory cannot be renamed to. */
bool disk_is_mount_point(const char *path);

/* Opens a file for writing, creating it where it is not there; its contents stay. For files that are gone on with
 * after an interruption; all others are begun and committed, below. */
Status disk_open(int directory, const char *name, const char *path, int *descriptor,
                 Error *error) STATUS_MUST_CHECK;

/* Closes; a late error of the file system is an error. */
Status disk_close(int descriptor, const char *path, Error *error) STATUS_MUST_CHECK;

/* What was written to a stream is with the system: flushes. `what`: "the figure"; an error says that it could not be
 * written, and why. */
Status disk_check_stream(FILE *stream, const char *what, Error *error) STATUS_MUST_CHECK;

/* ---- a file under way: it appears whole, or not at all ---- */

/* How a file is begun. */
enum {
    DISK_FILE_PRIVATE = 1, /* for its owner alone (0600), whatever one of that name was before */
    DISK_FILE_REUSE = 2    /* a file that has the name is written over, not refused: one that a crash left */
};

/* How far a commit goes: closed; contents durable; the name in its directory durable too. */
typedef enum DiskSync { DISK_SYNC_NONE, DISK_SYNC_CONTENTS, DISK_SYNC_NAME } DiskSync;

/* From disk_file_begin() to exactly one disk_file_commit() or disk_file_discard(), which close it. */
typedef struct DiskFile {
    int directory, descriptor;
    FILE *stream; /* of the descriptor; NULL where the file was begun without one */
    const char *name, *path;
    char *partial;   /* its name until it is committed; NULL: `name` */
    bool is_special; /* a pipe or a device: nothing is named or removed */
} DiskFile;

/* Creates a file that is to be called `name`, and until then `partial`; NULL: `name` from the start, whatever had it.
 * `how`: DISK_FILE_…, or 0. `name` and `path` are borrowed until the end. After a failure there is nothing to end. */
Status disk_file_begin(DiskFile *file, int directory, const char *name, const char *partial, unsigned how,
                       const char *path, Error *error) STATUS_MUST_CHECK;

/* The two ways of files that a user named, with a stream: never over a file that is there; or beside it, as
 * PATH.PID.partial, in place of it only once it is whole. A pipe or device of the latter's name is written to as it is,
 * and stays. */
Status disk_file_begin_new(DiskFile *file, const char *path, Error *error) STATUS_MUST_CHECK;
Status disk_file_begin_beside(DiskFile *file, const char *path, Error *error) STATUS_MUST_CHECK;

/* Writes out what the stream holds, closes, and gives the file its name. After a failure nothing is left of it, unless
 * it is the last step that failed, making the name durable. DISK_SYNC_NAME needs a directory's descriptor. */
Status disk_file_commit(DiskFile *file, DiskSync sync, Error *error) STATUS_MUST_CHECK;

/* Closes and removes it. Says nothing: what failed before is what is told. */
void disk_file_discard(DiskFile *file);

/* A whole file that a user named, never over one that is there. */
Status disk_write_new(const char *path, const void *bytes, size_t size, Error *error) STATUS_MUST_CHECK;

/* Writes a whole file and makes its contents durable (its name needs disk_sync() of the directory). An
 * existing file is truncated; after a failure there is none. */
Status disk_write_file(int directory, const char *name, const void *bytes, size_t size, const char *path,
                       Error *error) STATUS_MUST_CHECK;

/* The same, but a reader sees the old contents or the new, whatever happens. Durable on return. Until it is whole it is called
 * `partial`, and what had that name is gone: where several processes may write, each needs one of its own. A private file can
 * be read by its owner alone (0600), whatever one of that name was before. */
Status disk_replace_file(int directory, const char *name, const char *partial, bool is_private,
                         const void *bytes, size_t size, const char *path, Error *error) STATUS_MUST_CHECK;

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
