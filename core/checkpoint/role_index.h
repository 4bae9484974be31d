/*
 * role_index — tensors by role and layer, for whoever asks "the q matrix of layer 3".
 *
 * Several tensors may share a role in a layer (experts, the bias of a norm): in the order of the experts, weights before
 * biases, then as they were added.
 */
#ifndef REJUV_CORE_ROLE_INDEX_H
#define REJUV_CORE_ROLE_INDEX_H

#include "core/checkpoint/tensor_name.h"
#include "core/support/status.h"

typedef struct RoleEntry {
    TensorRole role;
    int layer;
    int expert; /* -1: none, or all */
    bool is_bias;
    size_t tensor; /* its index, of whatever is indexed */
} RoleEntry;

/* Zero-initialise, release with role_index_free(). */
typedef struct RoleIndex {
    RoleEntry *entries;
    size_t count, capacity;
} RoleIndex;

/* Room for so many. */
Status role_index_reserve(RoleIndex *index, size_t count, Error *error) STATUS_MUST_CHECK;

/* Within the room. */
void role_index_add(RoleIndex *index, RoleEntry entry);

/* Once, after the last was added and before anyone asks. */
void role_index_sort(RoleIndex *index);

/* Those of a role and layer (-1: of none): how many, and the first; NULL where there are none. */
const RoleEntry *role_index_find(const RoleIndex *index, TensorRole role, int layer, size_t *count);

/* Of these, those of one expert (-1: of none). */
const RoleEntry *role_index_find_expert(const RoleIndex *index, TensorRole role, int layer, int expert,
                                        size_t *count);

void role_index_free(RoleIndex *index);

#endif
