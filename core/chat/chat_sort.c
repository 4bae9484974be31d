#include "core/chat/chat_sort.h"

#include "core/chat/chat_compare.h"

#include <string.h>

/* One pass of a merge sort: runs of `width` of from[] become runs of twice that in to[]. */
static Status merge(ChatRun *run, const ChatValue *keys, const size_t *from, size_t *to, size_t count,
                    size_t width, bool reverse) {
    for (size_t begin = 0; begin < count; begin += 2 * width) {
        size_t left = begin, middle = begin + width < count ? begin + width : count;
        size_t right = middle, end = middle + width < count ? middle + width : count;
        for (size_t at = begin; at < end; at++) {
            bool takes_right = left >= middle;
            if (left < middle && right < end) {
                int order;
                Status status = chat_compare_order(run, keys[from[right]], keys[from[left]], &order);
                if (status != STATUS_OK) return status;
                takes_right = order != CHAT_COMPARE_UNORDERED && (reverse ? order > 0 : order < 0);
            }
            to[at] = takes_right ? from[right++] : from[left++];
        }
    }
    return STATUS_OK;
}

Status chat_sort(ChatRun *run, const ChatValue *keys, size_t count, bool reverse, size_t *order) {
    void *block;
    Status status = chat_run_take(run, count, sizeof *order, &block);
    if (status != STATUS_OK) return status;
    size_t *other = block;
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t width = 1; width < count && status == STATUS_OK; width *= 2) {
        status = merge(run, keys, order, other, count, width, reverse);
        if (status == STATUS_OK) memcpy(order, other, count * sizeof *order);
    }
    return status;
}
