/*
 * hash_blocks — SHA-256 (FIPS 180-4) of whole blocks by the processor's own instructions, one run of them or two at once.
 *
 * A round waits for the one before it and leaves the unit for it idle half of the time: two runs whose rounds take turns
 * need hardly longer than one. libcrypto has no such call. The instructions are those of x86-64 (SHA-NI); elsewhere
 * hash_blocks_are_at_hand() says no, and nothing else here may be called.
 */
#ifndef REJUV_CORE_HASH_BLOCKS_H
#define REJUV_CORE_HASH_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_BLOCK = 64, HASH_WORDS = 8 };

/* The sum of the blocks so far: FIPS 180-4's H(i), a to h. */
typedef struct HashState {
    uint32_t words[HASH_WORDS];
} HashState;

bool hash_blocks_are_at_hand(void);

/* The sum of no block: H(0). */
HashState hash_blocks_begin(void);

/* Adds `count` blocks. */
void hash_blocks_add(HashState *state, const unsigned char *blocks, size_t count);

/* Adds `count` blocks to each of two sums. */
void hash_blocks_add_two(HashState *const states[2], const unsigned char *const blocks[2], size_t count);

#endif
