/*
 * cache_fingerprint — which contents two checkpoints have, as the keys of cache entries name them.
 *
 * A checkpoint's content is the SHA-256 over its configuration, as parsed, and over the SHA-256 of every file
 * of weights, whole, in the order of their names. Directories and file names do not enter: a copy is the same.
 * (Tokenizers do not either; what depends on them depends on token ids.)
 *
 * Reading gigabytes at every opening would take longer than some of what is kept. So the SHA-256 of a file is
 * kept too, under its device, inode, size, and times of last change: a file that has all of these as they were
 * is taken to hold what it held. That is not proof. Whoever sets the clock back, writes to the disk beneath
 * the file system, or has a file system that lies about times can change a file unseen; then what is shown was
 * measured on the older contents, and a session without the cache tells. A file that had been changed less than
 * FILE_STAMP_REST seconds before it was opened is not trusted so: nothing is kept until it is opened again.
 *
 * Stamps are those of the moment at which the files were mapped. What was measured through a mapping and is
 * written under a content is only right while the files stayed as they were: cache_fingerprint_is_unchanged().
 */
#ifndef REJUV_CORE_CACHE_FINGERPRINT_H
#define REJUV_CORE_CACHE_FINGERPRINT_H

#include "core/cache/cache.h"
#include "core/checkpoint/checkpoint.h"
#include "core/support/job.h"

/* Without reading a weight: true where the sum of every file is kept. The same `hex` for the same content. */
bool cache_fingerprint_find(const Cache *cache, const Checkpoint *checkpoint, char hex[HASH_HEX_SIZE]);

/* Whether the files had rested when they were opened, so that cache_fingerprint_measure() is of use. */
bool cache_fingerprint_is_settled(const Checkpoint *checkpoint);

/* The same as cache_fingerprint_find(), reading the files whose sum is not kept, and keeping it. Reports "reading
 * contents" in bytes: of this checkpoint's files from `done` on, of `total`. STATUS_MISMATCH where a file
 * is not the one that was opened. A sum that cannot be written is no failure. */
Status cache_fingerprint_measure(const Cache *cache, const Checkpoint *checkpoint, uint64_t done,
                                 uint64_t total, Job *job, char hex[HASH_HEX_SIZE],
                                 Error *error) STATUS_MUST_CHECK;

/* Bytes that cache_fingerprint_measure() would read. */
uint64_t cache_fingerprint_unread(const Cache *cache, const Checkpoint *checkpoint);

/* Whether every file is still the one that was opened. */
bool cache_fingerprint_is_unchanged(const Checkpoint *checkpoint);

#endif
