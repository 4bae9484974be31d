#include "core/forward.h"
#include "core/forward_state.h"

#include <inttypes.h>
#include <unistd.h>

static const uint64_t MOST_MEMORY = UINT64_C(16) << 30;
static const double GIB = 1073741824.0;

/* Saturating, so that a configuration with absurd sizes needs "too much" instead of little. */
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t plus(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t forward_token_bytes(const ModelConfig *config, size_t states, unsigned threads) {
    uint64_t cache = times(2, times(times(config->layers, config->kv_heads), config->head_dim));
    uint64_t state = times(plus(cache, config->hidden_size), sizeof(float));
    return plus(times(states, state), times(threads, ATTENTION_BLOCK * sizeof(float)));
}

uint64_t forward_memory_limit(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return MOST_MEMORY;
    uint64_t half = times((uint64_t)pages, (uint64_t)page) / 2;
    return half < MOST_MEMORY ? half : MOST_MEMORY;
}

Status forward_check_memory(uint64_t token_bytes, size_t tokens, uint64_t limit, const char *what,
                            Error *error) {
    uint64_t fitting = token_bytes == 0 ? UINT64_MAX : limit / token_bytes;
    if (tokens <= fitting) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%zu tokens need %.1f GiB for %s, and %.1f GiB are allowed (half of this machine's "
                       "memory, 16 GiB at most): %" PRIu64 " tokens fit",
                       tokens, (double)token_bytes * (double)tokens / GIB, what, (double)limit / GIB,
                       fitting);
}
