/*
 * export_sums — the SHA-256 of what an export reads and writes, in the rounds of export_stream.c.
 *
 * Four rows of bytes are each hashed in their order: the files of either side, and the first and the second half of the
 * window that is written, cut between two tensors. Whoever has time takes the row that is furthest behind and hashes the next
 * piece of it; or two rows at once, where the processor does (hash_lanes()).
 *
 * The inputs go at a pace that ends with the weights. Files that are laid out alike are then hashed where they are blended, and their
 * pages come into memory once for both.
 *
 * One ExportSums belongs to one export. Between export_sums_begin() and the end of the round export_sums_run() may run on as
 * many threads as there are rows, and export_sums_forget_pages() beside it.
 */
#ifndef REJUV_CORE_EXPORT_SUMS_H
#define REJUV_CORE_EXPORT_SUMS_H

#include "core/export/export_internal.h"

enum { EXPORT_SUMS_ROWS = 4 };

/* Some elements of a tensor, which are blended in one go. */
typedef struct ExportTile {
    size_t tensor, first, count; /* elements [first, first + count) */
    size_t at;                   /* byte in the window */
} ExportTile;

typedef struct ExportSums ExportSums;

/* Of this rank's inputs those that are not known yet, and of tensors from the first of a window on. The caller frees it; plan,
 * shares and job must outlive it. */
Status export_sums_create(ExportPlan *plan, const ExportShares *shares, Job *job, ExportSums **sums,
                          Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void export_sums_free(ExportSums *sums);

/* A round begins, in which `count` tiles of `bytes` are hashed (0: none), and `share` of what is left of the inputs, but no
 * more than some times `window` bytes a side. */
void export_sums_begin(ExportSums *sums, const unsigned char *bytes, const ExportTile *tiles, size_t count,
                       double share, uint64_t window);

/* Hashes what no other thread is at, until nothing is left of the round; a cancelled job's ends where it is. The sums are in
 * the plan's recipe once a tensor or a file is whole. */
Status export_sums_run(ExportSums *sums, Error *error) STATUS_MUST_CHECK;

/* Gives back the pages of inputs that earlier rounds have hashed: beside the other tasks. */
void export_sums_forget_pages(ExportSums *sums);

/* Whether all inputs are hashed. */
bool export_sums_are_done(const ExportSums *sums);

#endif
