#include "core/export/export_internal.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void export_ranks_free(ExportShares *shares) {
    free(shares->shards);
    free(shares->inputs);
    *shares = (ExportShares){0};
}

/* ---- one plan ---- */

/* The recipe and the files: all that decides about bytes. Times and places of inputs differ from machine to machine. */
static Status describe(const ExportPlan *plan, Buffer *text, Error *error) {
    char *recipe;
    Status status = recipe_format(plan->recipe, &recipe, error);
    if (status != STATUS_OK) return status;
    buffer_add_text(text, recipe);
    free(recipe);
    for (size_t i = 0; i < plan->shard_count; i++)
        buffer_add_format(text, "\n%s %zu %zu", plan->shards[i].name, plan->shards[i].first,
                          plan->shards[i].count);
    return text->failed ? memory_fail(error, "the plan") : STATUS_OK;
}

Status export_ranks_compare(const ExportPlan *plan, Status own, Error *error) {
    Buffer text = {0};
    if (plan->options.ranks == NULL) return own;
    if (own == STATUS_OK) own = describe(plan, &text, error);
    Status status =
        ranks_require_same(plan->options.ranks, own, "the export's plan: neurons, tensors and files,",
                           text.text != NULL ? text.text : "", error);
    buffer_free(&text);
    return status;
}

/* ---- dealing out ---- */

static uint64_t left_of_shard(const ExportPlan *plan, size_t shard, size_t tensors_done) {
    const ExportShard *one = &plan->shards[shard];
    uint64_t bytes = 0;
    for (size_t i = one->first; i < one->first + one->count; i++)
        if (i >= tensors_done) bytes += plan->tensors[i].bytes;
    return bytes;
}

static Status deal(const ExportPlan *plan, size_t tensors_done, ExportShares *shares, Error *error) {
    size_t most = plan->shard_count > plan->input_count ? plan->shard_count : plan->input_count;
    uint64_t *weights = memory_allocate(most > 0 ? most : 1, sizeof *weights);
    if (weights == NULL) return memory_fail(error, "what is dealt out");
    for (size_t i = 0; i < plan->shard_count; i++) weights[i] = left_of_shard(plan, i, tensors_done);
    Status status = ranks_deal(plan->options.ranks, weights, plan->shard_count, &shares->shards, error);
    for (size_t i = 0; i < plan->input_count; i++) {
        bool is_known = export_input_file(plan, &plan->inputs[i])->sha256[0] != '\0';
        weights[i] = plan->inputs[i].same != i || is_known ? 0 : plan->inputs[i].size;
    }
    if (status == STATUS_OK)
        status = ranks_deal(plan->options.ranks, weights, plan->input_count, &shares->inputs, error);
    free(weights);
    return status;
}

/* What an interrupted run left is rank 0's to find; each rank says of an input whether that sum is out of a state. */
static void pack_state(const ExportPlan *plan, size_t tensors_done, Buffer *bytes) {
    buffer_add(bytes, (const char *)&tensors_done, sizeof tensors_done);
    for (size_t i = 0; i < tensors_done; i++)
        buffer_add(bytes, plan->recipe->tensors[i].sha256, HASH_HEX_SIZE);
    for (size_t i = 0; i < plan->input_count; i++) {
        const ExportInput *input = &plan->inputs[i];
        buffer_add(bytes, export_input_file(plan, input)->sha256, HASH_HEX_SIZE);
        buffer_add(bytes, input->is_resumed ? "1" : "0", 1);
    }
}

static const char *take_sum(const char *at, char sum[HASH_HEX_SIZE]) {
    memcpy(sum, at, HASH_HEX_SIZE);
    return at + HASH_HEX_SIZE;
}

static void unpack_state(const ExportPlan *plan, const Buffer *bytes, size_t *tensors_done) {
    const char *at = bytes->text;
    memcpy(tensors_done, at, sizeof *tensors_done);
    at += sizeof *tensors_done;
    for (size_t i = 0; i < *tensors_done; i++) at = take_sum(at, plan->recipe->tensors[i].sha256);
    for (size_t i = 0; i < plan->input_count; i++) {
        at = take_sum(at, export_input_file(plan, &plan->inputs[i])->sha256);
        plan->inputs[i].is_resumed = *at++ == '1';
    }
}

Status export_ranks_deal(ExportPlan *plan, ExportPartial *partial, Status own, ExportShares *shares,
                         Error *error) {
    Ranks *ranks = plan->options.ranks;
    Buffer state = {0};
    if (ranks != NULL && ranks_is_lead(ranks)) pack_state(plan, partial->tensors_done, &state);
    Status status = ranks_pass(ranks, own, 0, &state, error);
    if (status == STATUS_OK && !ranks_is_lead(ranks)) unpack_state(plan, &state, &partial->tensors_done);
    buffer_free(&state);
    return status == STATUS_OK ? deal(plan, partial->tensors_done, shares, error) : status;
}

/* ---- collecting ---- */

/* The tensors of a rank's shards: [*first, *end). */
static void find_tensors(const ExportPlan *plan, const ExportShares *shares, size_t rank, size_t *first,
                         size_t *end) {
    size_t shard = shares->shards[rank], behind = shares->shards[rank + 1];
    *first = *end = 0;
    if (shard == behind) return;
    *first = plan->shards[shard].first;
    *end = plan->shards[behind - 1].first + plan->shards[behind - 1].count;
}

static void pack_work(const ExportPlan *plan, const ExportShares *shares, size_t rank, Buffer *bytes) {
    size_t first, end;
    find_tensors(plan, shares, rank, &first, &end);
    for (size_t i = first; i < end; i++) {
        uint64_t nonfinite = atomic_load(&plan->tensors[i].nonfinite);
        buffer_add(bytes, plan->recipe->tensors[i].sha256, HASH_HEX_SIZE);
        buffer_add(bytes, (const char *)&nonfinite, sizeof nonfinite);
    }
    for (size_t i = shares->inputs[rank]; i < shares->inputs[rank + 1]; i++)
        buffer_add(bytes, export_input_file(plan, &plan->inputs[i])->sha256, HASH_HEX_SIZE);
}

static void unpack_work(ExportPlan *plan, const ExportShares *shares, size_t rank, const Buffer *bytes) {
    const char *at = bytes->text;
    size_t first, end;
    find_tensors(plan, shares, rank, &first, &end);
    for (size_t i = first; i < end; i++) {
        uint64_t nonfinite;
        at = take_sum(at, plan->recipe->tensors[i].sha256);
        memcpy(&nonfinite, at, sizeof nonfinite);
        at += sizeof nonfinite;
        atomic_store(&plan->tensors[i].nonfinite, nonfinite);
    }
    for (size_t i = shares->inputs[rank]; i < shares->inputs[rank + 1]; i++)
        at = take_sum(at, export_input_file(plan, &plan->inputs[i])->sha256);
}

Status export_ranks_collect(ExportPlan *plan, Status own, const ExportShares *shares, Error *error) {
    Ranks *ranks = plan->options.ranks;
    Status status = own;
    for (size_t r = 0; r < ranks_count(ranks) && ranks != NULL; r++) {
        Buffer bytes = {0};
        bool is_own = r == ranks_own(ranks);
        if (is_own && status == STATUS_OK) pack_work(plan, shares, r, &bytes);
        status = ranks_pass(ranks, status, r, &bytes, error);
        if (!is_own && status == STATUS_OK) unpack_work(plan, shares, r, &bytes);
        buffer_free(&bytes);
    }
    return status;
}
