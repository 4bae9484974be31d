#include "core/checkpoint/role_index.h"

#include "core/support/memory.h"

#include <stdlib.h>

Status role_index_reserve(RoleIndex *index, size_t count, Error *error) {
    index->entries = memory_allocate(count, sizeof *index->entries);
    if (index->entries == NULL) return memory_fail(error, "the roles of the tensors");
    index->capacity = count;
    return STATUS_OK;
}

void role_index_add(RoleIndex *index, RoleEntry entry) {
    if (index->count < index->capacity) index->entries[index->count++] = entry;
}

static int compare_places(const RoleEntry *a, TensorRole role, int layer) {
    if (a->role != role) return a->role < role ? -1 : 1;
    return (a->layer > layer) - (a->layer < layer);
}

static int compare_entries(const void *first, const void *second) {
    const RoleEntry *a = first, *b = second;
    int order = compare_places(a, b->role, b->layer);
    if (order == 0) order = (int)a->is_bias - (int)b->is_bias;
    return order != 0 ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

void role_index_sort(RoleIndex *index) {
    qsort(index->entries, index->count, sizeof *index->entries, compare_entries);
}

const RoleEntry *role_index_find(const RoleIndex *index, TensorRole role, int layer, size_t *count) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_places(&index->entries[middle], role, layer) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < index->count && compare_places(&index->entries[end], role, layer) == 0) end++;
    if (count != NULL) *count = end - low;
    return end > low ? &index->entries[low] : NULL;
}

void role_index_free(RoleIndex *index) {
    free(index->entries);
    *index = (RoleIndex){0};
}
