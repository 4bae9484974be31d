#include "core/checkpoint/nonfinite.h"
#include "core/export/export_internal.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <string.h>

/* ---- reproducing a recipe ---- */

/* Why sums may disagree, behind what does. */
static const char *reason(const Recipe *expected) {
    return expected->seal == RECIPE_BROKEN ? "; the recipe was changed since it was written" : "";
}

/* What to do about it, where the recipe was meant to be another: one that is as it was written makes what it made. */
static const char *way_out(const Recipe *expected) {
    return expected->seal == RECIPE_SEALED
               ? ""
               : " (to make something new by it, leave its list \"tensors\" empty)";
}

static Status compare_files(const Recipe *recipe, const RecipeFiles *expected, const RecipeFiles *found,
                            const char *directory, Error *error) {
    if (expected->count != found->count)
        return status_fail(error, STATUS_MISMATCH,
                           "%s: expected the recipe's %zu files of weights, found %zu%s", directory,
                           expected->count, found->count, reason(recipe));
    for (size_t i = 0; i < found->count; i++) {
        const RecipeFile *wanted = &expected->list[i], *file = &found->list[i];
        bool known = file->sha256[0] != '\0';
        if (wanted->bytes != file->bytes || (known && strcmp(wanted->sha256, file->sha256) != 0))
            return status_fail(error, STATUS_MISMATCH,
                               "%s/%s: expected the recipe's input (%" PRIu64 " bytes, %s), found %" PRIu64
                               " bytes, %s%s",
                               directory, file->name, wanted->bytes, wanted->sha256, file->bytes,
                               known ? file->sha256 : "not hashed", reason(recipe));
    }
    return STATUS_OK;
}

/* Sizes before the work, sums (of what has one by now) after it. */
static Status compare_inputs(const ExportPlan *plan, Error *error) {
    const Recipe *expected = plan->options.expected;
    if (expected == NULL) return STATUS_OK;
    Status status = compare_files(expected, &expected->sft.files, &plan->recipe->sft.files,
                                  plan->pair->sft->directory, error);
    return status == STATUS_OK ? compare_files(expected, &expected->base.files, &plan->recipe->base.files,
                                               plan->pair->base->directory, error)
                               : status;
}

static Status compare_tensors(const ExportPlan *plan, Error *error) {
    const Recipe *expected = plan->options.expected, *made = plan->recipe;
    if (expected == NULL || expected->tensor_count == 0) return STATUS_OK;
    if (expected->tensor_count != made->tensor_count)
        return status_fail(error, STATUS_MISMATCH, "expected the recipe's %zu tensors, made %zu%s%s",
                           expected->tensor_count, made->tensor_count, reason(expected), way_out(expected));
    for (size_t i = 0; i < made->tensor_count; i++) {
        const RecipeTensor *wanted = &expected->tensors[i], *tensor = &made->tensors[i];
        if (strcmp(wanted->name, tensor->name) != 0 || strcmp(wanted->sha256, tensor->sha256) != 0)
            return status_fail(error, STATUS_MISMATCH,
                               "tensor %s: expected the recipe's %s with %s, made bytes with %s%s%s",
                               tensor->name, wanted->name, wanted->sha256, tensor->sha256, reason(expected),
                               way_out(expected));
    }
    return STATUS_OK;
}

/* ---- running ---- */

/* Inputs that are one file were hashed once. */
static void copy_input_sums(const ExportPlan *plan) {
    for (size_t i = 0; i < plan->input_count; i++) {
        const ExportInput *input = &plan->inputs[i], *first = &plan->inputs[input->same];
        if (input != first)
            memcpy(export_input_file(plan, input)->sha256, export_input_file(plan, first)->sha256,
                   HASH_HEX_SIZE);
    }
}

static Status check_outcome(ExportPlan *plan, Error *error) {
    copy_input_sums(plan);
    Status status = export_check_inputs(plan, error);
    if (status == STATUS_OK) export_remember_inputs(plan);
    if (status == STATUS_OK) status = compare_inputs(plan, error);
    return status == STATUS_OK ? compare_tensors(plan, error) : status;
}

/* Several ranks: what each wrote is read by another before anything looks finished, and the state says that all is there. */
static Status settle_ranks(const ExportPlan *plan, ExportPartial *partial, const ExportShares *shares,
                           Job *job, Error *error) {
    Ranks *ranks = plan->options.ranks;
    if (ranks == NULL) return STATUS_OK;
    Status status = ranks_agree(ranks, export_reread(plan, partial, shares, job, error), error);
    partial->tensors_done = plan->tensor_count;
    return status == STATUS_OK && ranks_is_lead(ranks) ? export_partial_save(plan, partial, error) : status;
}

static Status finish(ExportPlan *plan, ExportPartial *partial, Job *job, Error *error) {
    if (!ranks_is_lead(plan->options.ranks)) return STATUS_OK;
    Status status = export_write_sidecars(plan, partial->directory, error);
    if (status == STATUS_OK && job_is_cancelled(job)) status = job_cancelled(error);
    return status == STATUS_OK ? export_partial_publish(plan, partial, error) : status;
}

static Status write_shares(ExportPlan *plan, ExportPartial *partial, const ExportShares *shares, Job *job,
                           Error *error) {
    export_recall_inputs(plan);
    Status status = export_write_weights(plan, partial, shares, job, error);
    status = export_ranks_collect(plan, status, shares, error);
    if (status != STATUS_OK) return status;
    status = ranks_agree(plan->options.ranks, check_outcome(plan, error), error);
    if (status == STATUS_OK) status = settle_ranks(plan, partial, shares, job, error);
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        partial->saved_bytes = 0; /* nothing of this can be built on */
    if (status == STATUS_OK) status = finish(plan, partial, job, error);
    status = ranks_agree(plan->options.ranks, status, error);
    if (status == STATUS_OK && !ranks_is_lead(plan->options.ranks))
        status = export_partial_await(plan, partial, job, error);
    return status;
}

static Status write_all(ExportPlan *plan, ExportPartial *partial, Job *job, Error *error) {
    ExportShares shares = {0};
    Status status = export_ranks_deal(plan, partial, STATUS_OK, &shares, error);
    if (status == STATUS_OK) status = write_shares(plan, partial, &shares, job, error);
    export_ranks_free(&shares);
    return status;
}

/* What the next run can build on is kept; anything else goes. Both are rank 0's to do and to say. */
static void conclude(const ExportPlan *plan, ExportPartial *partial, Status status, Error *error) {
    if (!ranks_is_lead(plan->options.ranks)) {
        export_partial_close(plan, partial, false);
        return;
    }
    bool keep = partial->saved_bytes > 0;
    Error reason = *error;
    if (status != STATUS_OK && !keep)
        (void)status_fail(error, reason.status, "%s; nothing that was written is kept", reason.message);
    if (status != STATUS_OK && keep)
        (void)status_fail(error, reason.status,
                          "%s; %" PRIu64 " of %" PRIu64
                          " bytes of weights are kept in %s: the same export "
                          "goes on from there, discarding it removes them",
                          reason.message, partial->saved_bytes, plan->weight_bytes, plan->partial);
    export_partial_close(plan, partial, status != STATUS_OK && !keep);
}

/* The directory is there already: where memory is short, this is not said, and nothing has failed. */
static void tell_nonfinite(ExportPlan *plan) {
    NonfiniteTensors list = {0};
    for (size_t i = 0; i < plan->tensor_count; i++)
        nonfinite_add(&list, plan->tensors[i].source->name, atomic_load(&plan->tensors[i].nonfinite));
    Status told = nonfinite_tell(&list, &plan->findings, "weights", "", NULL);
    (void)told;
}

/* Rank 0 makes the directory, the others open it. */
static Status open_partial(ExportPlan *plan, ExportPartial *partial, Job *job, Error *error) {
    Ranks *ranks = plan->options.ranks;
    bool leads = ranks_is_lead(ranks);
    Status status = leads ? export_partial_open(plan, partial, error) : STATUS_OK;
    bool is_open = leads && status == STATUS_OK;
    status = ranks_agree(ranks, status, error);
    if (status == STATUS_OK && !leads) {
        status = export_partial_join(plan, partial, job, error);
        is_open = status == STATUS_OK;
    }
    status = ranks_agree(ranks, status, error);
    if (status != STATUS_OK && is_open)
        export_partial_close(plan, partial, leads && partial->tensors_done == 0);
    return status;
}

Status export_run(ExportPlan *plan, Job *job, Error *error) {
    Status status = export_check(plan, error);
    if (status == STATUS_OK) status = export_check_inputs(plan, error);
    if (status == STATUS_OK) status = compare_inputs(plan, error);
    status = export_ranks_compare(plan, status, error);
    if (status != STATUS_OK) return status;
    ExportPartial partial;
    Error own = {0};
    status = open_partial(plan, &partial, job, &own);
    if (status == STATUS_OK) {
        status = write_all(plan, &partial, job, &own);
        conclude(plan, &partial, status, &own);
    }
    if (status == STATUS_OK) tell_nonfinite(plan);
    if (status != STATUS_OK && error != NULL) *error = own;
    return status;
}
