/*
 * ranks — the processes that do one command together, on one machine or on many.
 *
 *     mpirun -n 4 rejuv export …     ranks 0 to 3. All run the same command on the same files; rank 0 leads: it alone
 *                                    says anything, and puts the parts together.
 *
 *     ranks_deal()     which stretch of a list is whose, by weight: all come to the same answer
 *                      … each works on its own …
 *     ranks_share()    every stretch of an array to all; ranks_pass(): one rank's bytes to all
 *     ranks_agree()    whether it went well everywhere
 *
 * Meetings (agree, share, pass, require_same) are for all ranks, in the same order. A rank brings its status so far: one
 * that failed comes too, and says so at the next meeting, whatever that was to be; all leave it with that failure. From
 * then on there are no more meetings: each function returns the status that it is given. So every rank may return early
 * as it always does, as long as the command ends with ranks_agree(). A rank that fails alarms the others, whose jobs are
 * cancelled then (ranks_heed).
 *
 * NULL stands for a process that works alone, and is what ranks_join() gives where nothing else was started: then all is
 * the caller's own, and meetings return the status they are given.
 *
 * The room: this; ranks_mpi.c (with -DREJUV_MPI=ON) or ranks_alone.c is what carries bytes. A Ranks is its maker's; the
 * main thread alone calls any of this.
 */
#ifndef REJUV_CORE_RANKS_H
#define REJUV_CORE_RANKS_H

#include "core/support/buffer.h"
#include "core/support/job.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Ranks Ranks;

/* Meets the processes that were started with this one (mpirun, srun); *ranks is NULL where there are none, or where
 * REJUV_ALONE is in the environment: then each works by itself. STATUS_UNSUPPORTED where there are some and this build
 * cannot meet them. The caller leaves. */
Status ranks_join(Ranks **ranks, Error *error) STATUS_MUST_CHECK;

/* Waits for all, unless one is lost: then all are ended. Takes NULL. */
void ranks_leave(Ranks *ranks);

size_t ranks_count(const Ranks *ranks);
size_t ranks_own(const Ranks *ranks);
bool ranks_is_lead(const Ranks *ranks);

/* The job that an alarm cancels, and whose cancelling alarms the others; NULL: none. */
void ranks_watch(Ranks *ranks, Job *job);

/* Looks for an alarm; for the job's observer. Takes NULL. */
void ranks_heed(Ranks *ranks);

/* (*firsts)[r] … (*firsts)[r + 1] is the stretch of rank r, [ranks_count() + 1] in all: of about the same weight each, in
 * the order of the list. The caller frees. */
Status ranks_deal(const Ranks *ranks, const uint64_t *weights, size_t count, size_t **firsts,
                  Error *error) STATUS_MUST_CHECK;

/* STATUS_OK iff it is everywhere. Otherwise the failure of the first rank that did not merely stop; `error` names that
 * rank and its machine, unless it leads. */
Status ranks_agree(Ranks *ranks, Status own, Error *error) STATUS_MUST_CHECK;

/* Each rank's stretch of `items` (as dealt) to all the others, in place. */
Status ranks_share(Ranks *ranks, Status own, void *items, size_t item_bytes, const size_t *firsts,
                   Error *error) STATUS_MUST_CHECK;

/* What `bytes` holds at rank `from` is in everyone's afterwards, in place of what was there. */
Status ranks_pass(Ranks *ranks, Status own, size_t from, Buffer *bytes, Error *error) STATUS_MUST_CHECK;

/* STATUS_ARGUMENT where a rank has another text than rank 0: "expected … as rank 0 has them". */
Status ranks_require_same(Ranks *ranks, Status own, const char *what, const char *text,
                          Error *error) STATUS_MUST_CHECK;

#endif
