/*
 * file_digest — the SHA-256 of files that this process has hashed before.
 *
 * A sum is remembered under its file's stamp (core/files/file_stamp.h) and serves while the stamp stays what it was:
 * a second export of a pair, or the verification that follows the first, need not read the inputs only to hash
 * them once more. Only a file that had rested when the stamp was taken is remembered. Nothing is kept beyond
 * the process, and another process hashes for itself.
 *
 * All functions may be called from any thread.
 */
#ifndef REJUV_CORE_FILE_DIGEST_H
#define REJUV_CORE_FILE_DIGEST_H

#include "core/files/file_stamp.h"
#include "core/files/hash.h"

/* The files remembered at most; beyond them the oldest gives way. */
enum { FILE_DIGEST_CAPACITY = 1024 };

/* False, and `hex` as it was, where no sum is remembered for a file with this stamp. */
bool file_digest_find(const FileStamp *stamp, char hex[HASH_HEX_SIZE]);

/* Remembers the sum of the file that had this stamp before it was hashed and has it still; does nothing where
 * the stamp is not settled. */
void file_digest_keep(const FileStamp *stamp, const char hex[HASH_HEX_SIZE]);

/* As hash_file(), unless the sum is remembered; remembers it. */
Status file_digest_read(const char *path, Job *job, char hex[HASH_HEX_SIZE], Error *error) STATUS_MUST_CHECK;

/* Forgets all: for tests, and for benchmarks of the first time. */
void file_digest_forget(void);

#endif
