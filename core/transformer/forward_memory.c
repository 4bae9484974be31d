#include "core/support/machine.h"
#include "core/transformer/forward.h"
#include "core/transformer/forward_state.h"

#include <inttypes.h>
#include <pthread.h>

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

static uint64_t memory_limit;

static void read_limit(void) {
    uint64_t half = machine_allowed_memory("") / 2;
    memory_limit = half < MOST_MEMORY ? half : MOST_MEMORY;
}

uint64_t forward_memory_limit(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, read_limit); /* fails for no initialised `once` */
    return memory_limit;
}

Status forward_check_memory(uint64_t token_bytes, size_t tokens, uint64_t limit, const char *what,
                            Error *error) {
    uint64_t fitting = token_bytes == 0 ? UINT64_MAX : limit / token_bytes;
    if (tokens <= fitting) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%zu tokens need %.1f GiB for %s, and %.1f GiB are allowed (half of the memory that "
                       "rejuv may use here, 16 GiB at most): %" PRIu64 " tokens fit",
                       tokens, (double)token_bytes * (double)tokens / GIB, what, (double)limit / GIB,
                       fitting);
}
