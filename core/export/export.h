/*
 * export — a pair and its settings become a directory that other programs load.
 *
 *     pair, ExportOptions ──export_plan()──► ExportPlan ──export_run()──► DIR/
 *                                            what will be written:          config.json, tokenizer, … (donor)
 *                                            a dry run is this alone        model*.safetensors, index
 *                                                                           rejuvenation.json, mergekit.yaml
 *
 * Everything is written into `.NAME.rejuv-partial` beside the target NAME, made durable, and renamed at the
 * end: NAME either does not exist or is whole. The target must not exist, or be an empty directory; nothing
 * is ever overwritten. Until all is done, the directory holds a mark, `rejuv-partial.json`: a sum over the
 * plan and the inputs' sizes and times, and the tensors that are safely on disk. The next run of the same
 * plan over the same inputs goes on from there; any other plan for the same target clears it and starts over.
 * A run that fails or is cancelled keeps what it has; export_discard() removes it.
 *
 * Several ranks (core/ranks/ranks.h) share one export. All plan it alike; each writes a stretch of the files of weights,
 * hashes a stretch of the inputs, and reads back a stretch that another wrote; then rank 0 writes all that is not weights
 * and gives the directory its name. The bytes are the same for any number of ranks. What an interrupted run of theirs left is
 * gone on with as far as it is in one piece from the beginning.
 *
 * Weights pass through two windows of some megabytes: while one is blended, the other is written and hashed,
 * and the inputs' files are hashed at the same pace, all as tasks of one Job. Memory does not grow with the
 * model, and mapped pages that have been used are given back.
 *
 * The room: what is written, plan, layout, stream, recipe, verification. A plan and a result are their maker's;
 * one Job runs an export, whose tasks share two windows of memory.
 */
#ifndef REJUV_CORE_EXPORT_H
#define REJUV_CORE_EXPORT_H

#include "core/checkpoint/pair.h"
#include "core/export/recipe.h"
#include "core/files/universal_hash.h"
#include "core/fusion/settings.h"
#include "core/ranks/ranks.h"
#include "core/support/job.h"
#include "core/support/status.h"

#include <stdatomic.h>

static const uint64_t EXPORT_DEFAULT_SHARD_BYTES = 5000000000;

typedef struct ExportOptions {
    Settings settings;     /* their ranking and curve outlive the plan */
    const char *directory; /* the target; borrowed until export_plan() returns */
    DType dtype; /* F32, F16 or BF16; DTYPE_UNKNOWN: each tensor keeps SFT's (F64 as F32, F8 as BF16) */
    uint64_t shard_bytes; /* the most a file of weights holds, if a tensor fits; 0: the default */
    Donor donor;          /* whose config.json, tokenizer and template */
    bool allow_unmatched; /* tensors without a counterpart are copied from SFT, or left out (pair_share.h) */
    /* The recipe to reproduce: then inputs and output must have its sums, or nothing appears; the output any, where
     * the recipe lists no tensors. That it was changed since it was written is a warning. NULL: none.
     * Borrowed until export_run() returns. */
    const Recipe *expected;
    Ranks *ranks; /* that share it, all of which call export_run(); NULL: this process alone. Borrowed */
    size_t window_bytes; /* 0: the default. Bytes of the result do not depend on these two. */
    size_t sync_bytes;   /* 0: the default. How much is written between two points from which to resume */
} ExportOptions;

typedef struct ExportTensor {
    const PairTensor *source; /* borrowed from the pair */
    DType dtype;              /* as written */
    uint64_t elements, bytes;
    uint64_t offset; /* within its shard's data */
    size_t shard;
    atomic_uint_least64_t nonfinite;        /* values that this run wrote and that are NaN or infinite */
    unsigned char tag[UNIVERSAL_HASH_SIZE]; /* of the bytes that this run blended: for reading them back */
} ExportTensor;

typedef struct ExportShard {
    char *name;          /* "model.safetensors" or "model-00001-of-00003.safetensors" */
    size_t first, count; /* its tensors, in the order of their offsets */
    uint64_t data_bytes, file_bytes;
} ExportShard;

/* A file that is not weights. */
typedef struct ExportSidecar {
    char *name;   /* in the export: "tokenizer.json", "chat_templates/tool.jinja" */
    char *source; /* path of the donor's file that is copied; NULL: made by the export */
    char *text;   /* what is made; NULL: copied, or the recipe, which is made last */
    uint64_t bytes;
} ExportSidecar;

/* A file of weights that is read, as it was when the plan was made. */
typedef struct ExportInput {
    const SafetensorsFile *file; /* borrowed from the pair */
    bool is_base;
    size_t index; /* in the recipe's list of that side */
    size_t same;  /* the first input that is this very file: its own index, mostly */
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds; /* of its last change */
    bool is_resumed;              /* its sum is out of the state of an export that was interrupted */
} ExportInput;

typedef struct ExportPlan {
    const Pair *pair;
    ExportOptions options;           /* with defaults filled in; `directory` is the field below */
    char *directory, *parent, *name; /* PARENT/NAME */
    char *partial_name, *partial;    /* PARENT/.NAME.rejuv-partial */
    DType main_dtype;                /* of most of the written bytes */
    ExportTensor *tensors;           /* in the order written */
    size_t tensor_count;
    ExportShard *shards;
    size_t shard_count;
    ExportSidecar *sidecars; /* the recipe is the last; recipe->files lists the others, in this order */
    size_t sidecar_count, sidecar_capacity;
    ExportInput *inputs;
    size_t input_count;
    size_t first_written; /* of the tensors: those before it are an interrupted run's; export_run() says it */
    uint64_t weight_bytes;   /* the tensors */
    uint64_t total_bytes;    /* all files */
    uint64_t kept_bytes;     /* of an interrupted run of this very plan: they need not be written again */
    uint64_t left_bytes;     /* of an interrupted run that this one cannot go on from: removed first */
    uint64_t reserved_bytes; /* set aside by that run for what is yet to come, so not among the free ones */
    uint64_t free_bytes;     /* for this user on the target's file system; UINT64_MAX where it does not say */
    char hash[HASH_HEX_SIZE]; /* over the plan and the state of its inputs */
    Recipe *recipe;           /* what is known before writing; export_run() completes it */
    FindingList findings;     /* what a person should know; an error among them means that it cannot be run */
} ExportPlan;

/* Decides everything and writes nothing. Fails where the pair cannot be fused (pair_check(); pair_check_whole() unless
 * unmatched tensors are allowed), a model is
 * quantised, a file of weights is no longer the one that was opened, or the options make no sense; what is
 * wrong with the target (it exists, it does not fit) is a finding of severity error, so that a screen can show
 * the rest. The pair must outlive the plan; the caller frees it. */
Status export_plan(const Pair *pair, const ExportOptions *options, ExportPlan **plan,
                   Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void export_plan_free(ExportPlan *plan);

/* STATUS_OK, or STATUS_ARGUMENT or STATUS_IO with the first error among the findings. */
Status export_check(const ExportPlan *plan, Error *error) STATUS_MUST_CHECK;

/* Whether the target's file system has room, as far as it says, once what has to go is gone. */
bool export_has_room(const ExportPlan *plan);

/* Writes the plan: once. Progress is stage "export" in bytes of weights. Afterwards plan->recipe is the
 * recipe in the directory, and a finding about "weights" names tensors with values that are NaN or infinite, of those that
 * this run wrote. On failure and on cancellation the message says what is kept and how to go on. */
Status export_run(ExportPlan *plan, Job *job, Error *error) STATUS_MUST_CHECK;

/* Removes what an interrupted export to `directory` left behind; *bytes (may be NULL) is how much that was, 0
 * where there was nothing. The target itself is never touched. */
Status export_discard(const char *directory, uint64_t *bytes, Error *error) STATUS_MUST_CHECK;

/* The options that a recipe stands for; directory and window are the caller's to fill in. The recipe is
 * borrowed as `expected`, and so is its ranking. */
ExportOptions export_options_from_recipe(const Recipe *recipe);

#endif
