#include "core/checkpoint/pair_experts.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct Experts {
    const Checkpoint *base, *sft;
    PairNames *names;
    PairExperts *made;
} Experts;

static bool is_left_sft(const Experts *experts, const Tensor *sft) {
    return experts->names->base_of[sft - experts->sft->tensors] == NULL;
}

static bool is_left_base(const Experts *experts, const Tensor *base) {
    return !experts->names->is_met[base - experts->base->tensors];
}

/* All experts of a layer in one tensor, plainly stored. */
static bool is_fused(const Tensor *tensor) {
    return tensor->role == TENSOR_EXPERT && tensor->expert < 0 && tensor->rank == 3 &&
           tensor->scale == NULL && tensor->codes == NULL && dtype_is_float(tensor->dtype);
}

static bool is_single(const Tensor *tensor) {
    return tensor->role == TENSOR_EXPERT && tensor->expert >= 0 && tensor->rank == 2 &&
           tensor->scale == NULL && tensor->codes == NULL && dtype_is_float(tensor->dtype);
}

static void meet(Experts *experts, const Tensor *base, const Tensor *sft) {
    experts->names->base_of[sft - experts->sft->tensors] = base;
    experts->made->met++;
}

/* ---- base fused, SFT single ---- */

/* Which of the fused tensor's matrices an expert's part is, and how many there are of an expert: gate and up lie one
 * after the other. */
static bool place_part(TensorRole fused, TensorRole part, uint64_t *at, uint64_t *parts) {
    bool both = fused == TENSOR_GATE_UP;
    *parts = both ? 2 : 1;
    *at = both && part == TENSOR_UP ? 1 : 0;
    return both ? part == TENSOR_GATE || part == TENSOR_UP : part == fused;
}

static bool slice_fits(const Tensor *fused, const Tensor *single, uint64_t parts) {
    return (uint64_t)single->expert < fused->shape[0] && fused->shape[1] == parts * single->shape[0] &&
           fused->shape[2] == single->shape[1];
}

static Tensor cut_slice(const Tensor *fused, const Tensor *single, uint64_t at, uint64_t parts) {
    Tensor slice = *fused;
    uint64_t elements = single->rows * single->columns;
    slice.rank = 2;
    memcpy(slice.shape, single->shape, sizeof slice.shape);
    slice.rows = single->rows;
    slice.columns = single->columns;
    slice.bytes = elements * dtype_size(fused->dtype);
    slice.data = fused->data + ((uint64_t)single->expert * parts + at) * slice.bytes;
    slice.expert = single->expert;
    slice.part = single->part;
    return slice;
}

/* The fused tensor of a layer that holds an expert's part; NULL where there is none. */
static const Tensor *find_fused(const Experts *experts, const Tensor *single, uint64_t *at, uint64_t *parts) {
    size_t count;
    const RoleEntry *entries =
        role_index_find_expert(&experts->base->roles, TENSOR_EXPERT, single->layer, -1, &count);
    for (size_t i = 0; i < count; i++) {
        const Tensor *fused = &experts->base->tensors[entries[i].tensor];
        if (is_fused(fused) && is_left_base(experts, fused) &&
            place_part(fused->part, single->part, at, parts) && slice_fits(fused, single, *parts))
            return fused;
    }
    return NULL;
}

static void slice_base(Experts *experts, size_t *used) {
    for (size_t i = 0; i < experts->sft->tensor_count; i++) {
        const Tensor *single = &experts->sft->tensors[i];
        uint64_t at, parts;
        if (!is_single(single) || !is_left_sft(experts, single)) continue;
        const Tensor *fused = find_fused(experts, single, &at, &parts);
        if (fused == NULL) continue;
        Tensor *slice = &experts->made->slices[experts->made->slice_count++];
        *slice = cut_slice(fused, single, at, parts);
        used[fused - experts->base->tensors]++;
        meet(experts, slice, single);
    }
}

/* ---- base single, SFT fused ---- */

/* Base's matrices of one layer's experts, in the order in which they lie in SFT's tensor; false where one is missing, or is
 * not what the others are. */
static bool list_parts(const Experts *experts, const Tensor *fused, const Tensor **list, uint64_t parts) {
    size_t count, found = 0;
    const RoleEntry *entries = role_index_find(&experts->base->roles, TENSOR_EXPERT, fused->layer, &count);
    for (size_t i = 0; i < count; i++) {
        const Tensor *single = &experts->base->tensors[entries[i].tensor];
        uint64_t at, of;
        if (!is_single(single) || !is_left_base(experts, single) ||
            !place_part(fused->part, single->part, &at, &of) || !slice_fits(fused, single, parts))
            continue;
        const Tensor **place = &list[(uint64_t)single->expert * parts + at];
        if (*place != NULL) return false;
        *place = single;
        found++;
    }
    if (found != fused->shape[0] * parts) return false;
    for (size_t i = 1; i < found; i++)
        if (list[i]->dtype != list[0]->dtype) return false;
    return true;
}

static Status join_base(Experts *experts, const Tensor *fused, size_t *used, Error *error) {
    uint64_t at, parts = 1;
    size_t count;
    (void)place_part(fused->part, fused->part == TENSOR_GATE_UP ? TENSOR_UP : fused->part, &at, &parts);
    if (fused->shape[0] > experts->base->tensor_count ||
        !memory_multiply((size_t)fused->shape[0], (size_t)parts, &count) || count == 0)
        return STATUS_OK; /* a shape may claim anything: base has not so many experts */
    const Tensor **list = memory_allocate(count, sizeof *list);
    if (list == NULL) return memory_fail(error, "the experts");
    if (!list_parts(experts, fused, list, parts)) {
        free(list);
        return STATUS_OK;
    }
    TensorParts *made = &experts->made->parts[experts->made->part_count++];
    *made = (TensorParts){list, count, list[0]->rows * list[0]->columns};
    Tensor *joined = &experts->made->slices[experts->made->slice_count++];
    *joined = *fused;
    joined->name = list[0]->name;
    joined->dtype = list[0]->dtype;
    joined->dtype_name = list[0]->dtype_name;
    joined->file = list[0]->file;
    joined->bytes = fused->rows * fused->columns * dtype_size(joined->dtype);
    joined->data = NULL;
    joined->parts = made;
    for (size_t i = 0; i < count; i++) used[list[i] - experts->base->tensors]++;
    meet(experts, joined, fused);
    return STATUS_OK;
}

/* How often a tensor of base is met where nothing of it is left out: each of its slices once. */
static uint64_t count_uses(const Tensor *base) {
    if (!is_fused(base)) return 1;
    return base->shape[0] * (base->part == TENSOR_GATE_UP ? 2 : 1);
}

/* Types whose fused experts are stored transposed: a square one would not show it. */
static bool is_transposed(const Checkpoint *checkpoint) {
    static const char *const TYPES[] = {"gpt_oss", "llama4", "llama4_text"};
    const char *type = json_get_text(checkpoint->config, "model_type", "");
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strcmp(type, TYPES[i]) == 0) return true;
    return false;
}

Status pair_experts_match(const Checkpoint *base, const Checkpoint *sft, PairNames *names, PairExperts *made,
                          Error *error) {
    Experts experts = {.base = base, .sft = sft, .names = names, .made = made};
    size_t fused = 0, single = 0;
    if (is_transposed(base) || is_transposed(sft)) return STATUS_OK;
    for (size_t i = 0; i < sft->tensor_count; i++) {
        if (!is_left_sft(&experts, &sft->tensors[i])) continue;
        fused += is_fused(&sft->tensors[i]);
        single += is_single(&sft->tensors[i]);
    }
    if (fused + single == 0) return STATUS_OK;
    size_t *used = memory_allocate(base->tensor_count, sizeof *used);
    made->slices = memory_allocate(fused + single, sizeof *made->slices);
    made->parts = memory_allocate(fused, sizeof *made->parts);
    Status status = STATUS_OK;
    if (used == NULL || made->slices == NULL || made->parts == NULL)
        status = memory_fail(error, "the experts");
    if (status == STATUS_OK) slice_base(&experts, used);
    for (size_t i = 0; i < sft->tensor_count && status == STATUS_OK; i++) {
        if (is_fused(&sft->tensors[i]) && is_left_sft(&experts, &sft->tensors[i]))
            status = join_base(&experts, &sft->tensors[i], used, error);
    }
    for (size_t i = 0; i < base->tensor_count && status == STATUS_OK; i++)
        names->is_met[i] |= used[i] > 0 && used[i] >= count_uses(&base->tensors[i]);
    free(used);
    return status;
}

void pair_experts_free(PairExperts *experts) {
    for (size_t i = 0; i < experts->part_count; i++) free(experts->parts[i].list);
    free(experts->parts);
    free(experts->slices);
    *experts = (PairExperts){0};
}
