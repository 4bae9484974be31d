/*
 * export_internal — what the files behind core/export/export.h share; nothing outside them includes this. In their order,
 * each needing only what stands above it:
 *
 *     export_layout.c    tensors, their types, shards, headers
 *     export_inputs.c    the files that are read, and whether they are still the same
 *     export_config.c    config.json as the written tensors need it
 *     export_files.c     a file that is not weights goes into the plan
 *     export_donor.c     the donor's files that a loader reads, and what is said of the others
 *     export_template.c  which chat templates go along, and where the other model's are others
 *     export_mergekit.c  the same fusion for mergekit
 *     export_sidecar.c   files that are not weights: their text, writing them
 *     export_partial.c   the partial directory: lock, state, resuming, publishing, discarding
 *     export_plan.c      decisions: target, recipe, space
 *     export_sums.c      the sums of what is read and written (export_sums.h)
 *     export_stream.c    the weights: blend, hash, write, at once
 *     export_ranks.c     what is whose, where several ranks share it; what each did, to all
 *     export_reread.c    the weights that another rank wrote, read back
 *     export_run.c       the order of it all
 */
#ifndef REJUV_CORE_EXPORT_INTERNAL_H
#define REJUV_CORE_EXPORT_INTERNAL_H

#include "core/export/export.h"
#include "core/support/buffer.h"

#define EXPORT_STATE_NAME "rejuv-partial.json"

/* The checkpoint whose config.json, tokenizer and template are taken. */
static inline const Checkpoint *export_donor(const ExportPlan *plan) {
    return plan->options.donor == DONOR_BASE ? plan->pair->base : plan->pair->sft;
}

/* ---- export_layout.c ---- */

/* Lists tensors and shards. */
Status export_plan_layout(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* The header of a shard, padded, without the eight bytes of its length. */
Status export_format_header(const ExportPlan *plan, const ExportShard *shard, char **text, size_t *length,
                            Error *error) STATUS_MUST_CHECK;

/* ---- export_inputs.c ---- */

/* Lists the inputs, SFT's first, and their recipe entries. */
Status export_plan_inputs(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

RecipeFile *export_input_file(const ExportPlan *plan, const ExportInput *input);

/* STATUS_OK iff every input is the file that was opened: neither gone, nor of another size or time. */
Status export_check_inputs(const ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* Puts the sums that this process knows already into the recipe. */
void export_recall_inputs(ExportPlan *plan);

/* Once all sums are in the recipe and export_check_inputs() has found nothing: later exports may know them, and
 * verifications, which must not take a state's word: sums out of one are left out. */
void export_remember_inputs(const ExportPlan *plan);

/* ---- export_config.c ---- */

/* The donor's config.json, changed where the written tensors differ from what it says; *text is NULL where
 * the donor has none. */
Status export_make_config(ExportPlan *plan, char **text, Error *error) STATUS_MUST_CHECK;

/* ---- export_files.c ---- */

/* Lists a file and its recipe entry. Takes `source` and `text` over, also on failure. */
Status export_add_sidecar(ExportPlan *plan, const char *name, char *source, char *text, uint64_t bytes,
                          Error *error) STATUS_MUST_CHECK;

/* Lists a file that the export makes, with the buffer's text; the buffer is empty afterwards. */
Status export_add_text(ExportPlan *plan, const char *name, Buffer *buffer, Error *error) STATUS_MUST_CHECK;

/* ---- export_donor.c ---- */

/* Lists the donor's files that a loader reads: tokenizer, templates, processors, code. One of them that only stands for
 * a file (stand_in.h) is an error; those that are not copied are named in a finding, and what is missing. */
Status export_plan_donor(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* ---- export_template.c ---- */

/* Puts the donor's chat templates into the recipe, and warns where the other model has others. */
Status export_plan_templates(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* ---- export_mergekit.c ---- */

/* Lists mergekit.yaml. */
Status export_add_mergekit(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* ---- export_sidecar.c ---- */

/* Lists the sidecars and their recipe entries; the plan has its tensors and shards. */
Status export_plan_sidecars(ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* Writes all sidecars, the recipe last, and makes them durable. */
Status export_write_sidecars(ExportPlan *plan, int directory, Error *error) STATUS_MUST_CHECK;

/* ---- export_partial.c ---- */

typedef struct ExportPartial {
    int parent, directory; /* descriptors; -1: not open */
    size_t tensors_done;   /* on disk, with their sums in the recipe */
    uint64_t saved_bytes;  /* that the state on disk speaks of */
} ExportPartial;

/* What is whose: stretches of the plan's shards and inputs, rank after rank. Alone: all of it. */
typedef struct ExportShares {
    size_t *shards, *inputs; /* firsts, as ranks_deal() makes them */
} ExportShares;

/* What of this plan an earlier run left, in bytes of weights; the recipe is not changed. */
Status export_partial_peek(const ExportPlan *plan, uint64_t *bytes, Error *error) STATUS_MUST_CHECK;

/* Whether the target is what an earlier run of this plan left when it ended in its very last step. */
Status export_partial_peek_target(const ExportPlan *plan, bool *is_marked, Error *error) STATUS_MUST_CHECK;

/* Creates or reopens and locks the directory. What an earlier run of this plan finished is in the recipe
 * afterwards; anything else has been removed. */
Status export_partial_open(ExportPlan *plan, ExportPartial *partial, Error *error) STATUS_MUST_CHECK;

/* Records that tensors [0, tensors_done) and the hashed inputs are safe. They must be durable already. */
Status export_partial_save(const ExportPlan *plan, ExportPartial *partial, Error *error) STATUS_MUST_CHECK;

/* The partial directory becomes the target. After a failure it is what it was. */
Status export_partial_publish(const ExportPlan *plan, ExportPartial *partial, Error *error) STATUS_MUST_CHECK;

/* In another rank than 0: opens what that one has opened, to write shards there; and waits until the target is there that
 * that one has published. A network file system may take a while until it shows them. */
Status export_partial_join(const ExportPlan *plan, ExportPartial *partial, Job *job,
                           Error *error) STATUS_MUST_CHECK;
Status export_partial_await(const ExportPlan *plan, const ExportPartial *partial, Job *job,
                            Error *error) STATUS_MUST_CHECK;

/* Unlocks; with `remove`, as far as it can be done, the directory goes too. */
void export_partial_close(const ExportPlan *plan, ExportPartial *partial, bool remove);

/* ---- export_stream.c ---- */

/* Writes the tensors of this rank that are not done yet and hashes its inputs that are not hashed yet. */
Status export_write_weights(ExportPlan *plan, ExportPartial *partial, const ExportShares *shares, Job *job,
                            Error *error) STATUS_MUST_CHECK;

/* ---- export_ranks.c: meetings (ranks.h), which do nothing where there is one rank ---- */

/* Whether all ranks have the same plan. */
Status export_ranks_compare(const ExportPlan *plan, Status own, Error *error) STATUS_MUST_CHECK;

/* What rank 0 found of an interrupted run is in everyone's recipe and `partial`, and what is left is dealt out. The caller
 * frees the shares. */
Status export_ranks_deal(ExportPlan *plan, ExportPartial *partial, Status own, ExportShares *shares,
                         Error *error) STATUS_MUST_CHECK;

/* Every rank's sums, and its values that are not finite, are in everyone's plan. */
Status export_ranks_collect(ExportPlan *plan, Status own, const ExportShares *shares,
                            Error *error) STATUS_MUST_CHECK;

void export_ranks_free(ExportShares *shares);

/* ---- export_reread.c ---- */

/* The shards of the next rank, read back: STATUS_IO where a file is not there, not as long or has not the bytes that its
 * sums say. */
Status export_reread(const ExportPlan *plan, const ExportPartial *partial, const ExportShares *shares,
                     Job *job, Error *error) STATUS_MUST_CHECK;

#endif
