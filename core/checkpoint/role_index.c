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

/* A place is a role, a layer and an expert; of `depth` of these. */
enum { OF_LAYER = 2, OF_EXPERT = 3 };

static int compare_places(const RoleEntry *a, const RoleEntry *b, int depth) {
    if (a->role != b->role) return a->role < b->role ? -1 : 1;
    if (a->layer != b->layer) return a->layer < b->layer ? -1 : 1;
    return depth == OF_LAYER ? 0 : (a->expert > b->expert) - (a->expert < b->expert);
}

static int compare_entries(const void *first, const void *second) {
    const RoleEntry *a = first, *b = second;
    int order = compare_places(a, b, OF_EXPERT);
    if (order == 0) order = (int)a->is_bias - (int)b->is_bias;
    return order != 0 ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

void role_index_sort(RoleIndex *index) {
    qsort(index->entries, index->count, sizeof *index->entries, compare_entries);
}

/* The first entry that is not before the place; or, where `behind`, that is behind it. */
static size_t find_bound(const RoleIndex *index, const RoleEntry *place, int depth, bool behind) {
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_places(&index->entries[middle], place, depth);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const RoleEntry *find(const RoleIndex *index, const RoleEntry *place, int depth, size_t *count) {
    size_t first = find_bound(index, place, depth, false), end = find_bound(index, place, depth, true);
    if (count != NULL) *count = end - first;
    return end > first ? &index->entries[first] : NULL;
}

const RoleEntry *role_index_find(const RoleIndex *index, TensorRole role, int layer, size_t *count) {
    return find(index, &(RoleEntry){.role = role, .layer = layer}, OF_LAYER, count);
}

const RoleEntry *role_index_find_expert(const RoleIndex *index, TensorRole role, int layer, int expert,
                                        size_t *count) {
    return find(index, &(RoleEntry){.role = role, .layer = layer, .expert = expert}, OF_EXPERT, count);
}

void role_index_free(RoleIndex *index) {
    free(index->entries);
    *index = (RoleIndex){0};
}
