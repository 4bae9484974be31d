#include "core/checkpoint/pair.h"

#include "core/checkpoint/adapter.h"
#include "core/checkpoint/pair_internal.h"
#include "core/checkpoint/pair_match.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static Status index_roles(Pair *pair, Error *error) {
    Status status = role_index_reserve(&pair->roles, pair->count, error);
    for (size_t i = 0; i < pair->count && status == STATUS_OK; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        role_index_add(&pair->roles, (RoleEntry){tensor->role, tensor->layer, tensor->sft->expert,
                                                 tensor->sft->is_bias, i});
    }
    if (status == STATUS_OK) role_index_sort(&pair->roles);
    return status;
}

/* ---- the pair ---- */

/* A model of its own, or an adapter of `root`. */
static Status open_side(const char *root, const char *directory, Checkpoint **side, Error *error) {
    bool is_adapter;
    Status status = adapter_is_directory(directory, &is_adapter, error);
    if (status != STATUS_OK) return status;
    return is_adapter ? adapter_open(root, directory, side, error) : checkpoint_open(directory, side, error);
}

/* `root` is NULL where base is to be a model of its own. */
static Status open_pair(const char *root, const char *base_directory, const char *sft_directory, Pair **pair,
                        Error *error) {
    *pair = NULL;
    Pair *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, "the pair");
    Status status = root == NULL ? checkpoint_open(base_directory, &opened->base, error)
                                 : open_side(root, base_directory, &opened->base, error);
    if (status == STATUS_OK)
        status = open_side(root != NULL ? root : base_directory, sft_directory, &opened->sft, error);
    if (status == STATUS_OK && opened->sft->adapter != NULL) adapter_share_base(opened->sft, opened->base);
    if (status == STATUS_OK) status = finding_add_all(&opened->findings, &opened->base->remarks, error);
    if (status == STATUS_OK) status = finding_add_all(&opened->findings, &opened->sft->remarks, error);
    if (status == STATUS_OK) status = quantization_check(opened->base, error);
    if (status == STATUS_OK) status = quantization_check(opened->sft, error);
    if (status == STATUS_OK)
        status = quantization_add_findings(opened->base, "base", &opened->findings, error);
    if (status == STATUS_OK) status = quantization_add_findings(opened->sft, "SFT", &opened->findings, error);
    if (status == STATUS_OK) status = pair_match(opened, error);
    if (status == STATUS_OK) status = index_roles(opened, error);
    if (status == STATUS_OK) status = pair_compare_settings(opened, error);
    if (status != STATUS_OK) {
        pair_close(opened);
        return status;
    }
    *pair = opened;
    return STATUS_OK;
}

Status pair_open(const char *base_directory, const char *sft_directory, Pair **pair, Error *error) {
    return open_pair(NULL, base_directory, sft_directory, pair, error);
}

Status pair_open_step(const char *root_directory, const char *from_directory, const char *to_directory,
                      Pair **pair, Error *error) {
    bool from_root = strcmp(root_directory, from_directory) == 0;
    return open_pair(from_root ? NULL : root_directory, from_directory, to_directory, pair, error);
}

void pair_close(Pair *pair) {
    if (pair == NULL) return;
    finding_free(&pair->findings);
    free(pair->differing);
    pair_names_free(&pair->names);
    pair_experts_free(&pair->experts);
    pair_pieces_free(&pair->pieces);
    free(pair->is_left_out);
    free(pair->tensors);
    role_index_free(&pair->roles);
    checkpoint_close(pair->base);
    checkpoint_close(pair->sft);
    free(pair);
}

Status pair_check(const Pair *pair, Error *error) {
    const Finding *first = finding_first_error(&pair->findings);
    if (first == NULL) return STATUS_OK;
    size_t errors = finding_count(&pair->findings, SEVERITY_ERROR);
    return status_fail(error, STATUS_MISMATCH, "%s: %s (%zu mismatch%s between %s and %s)", first->subject,
                       first->text, errors, errors == 1 ? "" : "es", pair->base->directory,
                       pair->sft->directory);
}

Status pair_check_common(const Pair *pair, Error *error) {
    const PairShare *share = &pair->share;
    return share->blended > 0 && !pair->has_adapter ? STATUS_OK : pair_check(pair, error);
}

static Status refuse_share(const Pair *pair, Error *error) {
    const PairShare *share = &pair->share;
    return status_fail(
        error, STATUS_MISMATCH,
        "expected every tensor to have a counterpart, found %zu of %s and %zu of %s without one (rejuv check lists "
        "them): --allow-unmatched copies the former and leaves out the latter",
        share->copied_tensors, pair->sft->directory, share->missing_tensors, pair->base->directory);
}

Status pair_check_whole(const Pair *pair, Error *error) {
    Status status = pair_check(pair, error);
    return status != STATUS_OK || pair_share_is_whole(&pair->share) ? status : refuse_share(pair, error);
}

bool pair_is_left_out(const Pair *pair, size_t index) {
    return pair->is_left_out[index];
}

const PairTensor *pair_find_tensor(const Pair *pair, const char *name) {
    const Tensor *sft = checkpoint_find_tensor(pair->sft, name);
    /* the SFT tensors come first and in order; what follows is a head that SFT does not store */
    if (sft != NULL) return &pair->tensors[sft - pair->sft->tensors];
    for (size_t i = pair->sft->tensor_count; i < pair->count; i++) {
        if (strcmp(pair->tensors[i].name, name) == 0) return &pair->tensors[i];
    }
    return NULL;
}

const PairTensor *pair_find_role(const Pair *pair, TensorRole role, int layer) {
    const RoleEntry *found = role == TENSOR_OTHER ? NULL : role_index_find(&pair->roles, role, layer, NULL);
    return found == NULL ? NULL : &pair->tensors[found->tensor];
}
