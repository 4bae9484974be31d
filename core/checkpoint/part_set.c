#include "core/checkpoint/part_set.h"

#include <string.h>

bool part_set_equal(const PartSet *a, const PartSet *b) {
    return memcmp(a->words, b->words, sizeof a->words) == 0;
}

bool part_set_is_empty(const PartSet *set) {
    static const PartSet EMPTY;
    return part_set_equal(set, &EMPTY);
}
