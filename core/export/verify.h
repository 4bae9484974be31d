/*
 * verify — an export against its recipe and, where they are at hand, its inputs.
 *
 * Three questions, each answered tensor by tensor: does the directory open, with config.json, index and every
 * other file as the recipe has them; has every tensor the bytes the recipe names (SHA-256); and does blending
 * the inputs again give those bytes? The last question also finds values that became infinite or NaN although neither
 * input is (a float16 that overflowed): a warning, for that is what was asked for. Those that come from an input are one
 * too, all tensors in one line.
 *
 * Who has just made the export need neither take the sum of what it wrote itself nor blend it again: bytes read back that
 * have the tag of what was blended are what was blended (core/files/universal_hash.h says how surely), and so have the
 * SHA-256 that was taken of it then, which is the recipe's. A verification in another process knows no tags and gives the
 * whole proof.
 */
#ifndef REJUV_CORE_VERIFY_H
#define REJUV_CORE_VERIFY_H

#include "core/export/export.h"
#include "core/ranks/ranks.h"

typedef struct VerifyOptions {
    const char *base_directory, *sft_directory; /* NULL: where the recipe says */
    bool without_inputs;                        /* only the first two questions */
    /* What this process has just run, alone, to make the directory: of tensors that it wrote and that read back with its
     * tags, the last two questions are answered. Tensors of an interrupted run, those with values that are not finite, and all
     * where the recipe is no longer the one that it wrote, are blended again; NULL: all are. */
    const ExportPlan *made;
    /* The recipe that this process has just given the directory, which then has to have it byte for byte: `made`'s own, or
     * that of rank 0, which writes it for all. NULL: `made` is too, and a recipe that can be read is taken at its word. */
    const Recipe *written;
    Ranks *ranks; /* that share the work on tensors, all of which verify; NULL: this process alone */
} VerifyOptions;

typedef struct VerifyResult {
    Recipe *recipe;            /* as read; NULL where it could not be */
    size_t tensors;            /* in the recipe */
    size_t tensors_equal;      /* with the recipe's bytes */
    size_t tensors_blended;    /* blended, now or when they were made, and found equal */
    size_t tensors_made;       /* of these, not blended again: they have the tag of what `made` blended */
    size_t files, files_equal; /* those that are not weights */
    size_t input_files, input_files_equal;
    bool has_inputs;        /* the inputs were at hand and are the recipe's */
    uint64_t bytes;         /* of weights that were read */
    uint64_t nonfinite;     /* values that are NaN or infinite */
    uint64_t nonfinite_new; /* of these, where neither input is; needs inputs */
    size_t recipe_changes;  /* of the errors below: those on the recipe's own text, not on what it says */
    FindingList findings;   /* errors: differences. Warnings, notes: the rest */
} VerifyResult;

/* STATUS_OK: all is as it should be. STATUS_MISMATCH: it is not; *result says where (the first differing
 * element of each tensor that differs: row, column, expected, found) and `error` has the first difference.
 * Any other status: the verification itself could not be done. *result is set whenever the status is one of
 * the first two; the caller frees it. Progress: stages "inputs" and "verify", in bytes. */
Status verify_export(const char *directory, const VerifyOptions *options, Job *job, VerifyResult **result,
                     Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void verify_result_free(VerifyResult *result);

#endif
