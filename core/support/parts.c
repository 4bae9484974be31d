#include "core/support/parts.h"

size_t parts_find(const size_t *first, size_t stride, size_t count, size_t task) {
    size_t low = 0, high = count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        const void *at = (const char *)first + middle * stride;
        if (*(const size_t *)at <= task)
            low = middle;
        else
            high = middle;
    }
    return low;
}
