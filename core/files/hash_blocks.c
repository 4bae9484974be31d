#include "core/files/hash_blocks.h"

HashState hash_blocks_begin(void) {
    return (HashState){
        {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1")))
/* with the number of runs known, every loop over them is unrolled */
#define INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 2, STEPS = 16 /* of four rounds each */, QUARTERS = HASH_BLOCK / 16 };

static const uint32_t ROUND[4 * STEPS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

bool hash_blocks_are_at_hand(void) {
    enum { LEAF_FEATURES = 7, SHA = 1 << 29 };
    unsigned a, b, c, d;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(LEAF_FEATURES, 0, &a, &b, &c, &d) != 0 &&
           (b & SHA) != 0;
}

/* The instructions want a to h as f e b a and h g d c, the first in the lowest place. */
typedef struct Lane {
    __m128i feba, hgdc;
} Lane;

INLINE Lane load(const HashState *state) {
    const uint32_t *w = state->words;
    return (Lane){_mm_set_epi32((int)w[0], (int)w[1], (int)w[4], (int)w[5]),
                  _mm_set_epi32((int)w[2], (int)w[3], (int)w[6], (int)w[7])};
}

INLINE void store(HashState *state, Lane lane) {
    uint32_t feba[4], hgdc[4];
    _mm_storeu_si128((__m128i *)feba, lane.feba);
    _mm_storeu_si128((__m128i *)hgdc, lane.hgdc);
    *state = (HashState){{feba[3], feba[2], hgdc[3], hgdc[2], feba[1], feba[0], hgdc[1], hgdc[0]}};
}

/* Bytes come with the most significant one of each word first. */
INLINE void load_message(const unsigned char *block, __m128i message[QUARTERS]) {
    const __m128i turn = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    for (int q = 0; q < QUARTERS; q++)
        message[q] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * q)), turn);
}

/* The next four words of the schedule, in place of the oldest; `step` made the newest. */
INLINE void extend(__m128i message[QUARTERS], int step) {
    __m128i newest = message[step % QUARTERS], *oldest = &message[(step + 1) % QUARTERS];
    __m128i middle = _mm_alignr_epi8(newest, message[(step + 3) % QUARTERS], 4);
    __m128i half = _mm_sha256msg1_epu32(*oldest, message[(step + 2) % QUARTERS]);
    *oldest = _mm_sha256msg2_epu32(_mm_add_epi32(half, middle), newest);
}

INLINE void add_block(Lane *lanes, const unsigned char *const *blocks, size_t at, int count) {
    Lane before[LANES];
    __m128i message[LANES][QUARTERS];
    for (int l = 0; l < count; l++) {
        before[l] = lanes[l];
        load_message(blocks[l] + at, message[l]);
    }
#pragma GCC unroll 16
    for (int step = 0; step < STEPS; step++) {
        __m128i constants = _mm_loadu_si128((const __m128i *)&ROUND[4 * step]);
#pragma GCC unroll 2
        for (int l = 0; l < count; l++) {
            __m128i words = _mm_add_epi32(message[l][step % QUARTERS], constants);
            lanes[l].hgdc = _mm_sha256rnds2_epu32(lanes[l].hgdc, lanes[l].feba, words);
            if (step >= QUARTERS - 1 && step < STEPS - 1) extend(message[l], step);
            lanes[l].feba =
                _mm_sha256rnds2_epu32(lanes[l].feba, lanes[l].hgdc, _mm_shuffle_epi32(words, 0x0e));
        }
    }
    for (int l = 0; l < count; l++) {
        lanes[l].feba = _mm_add_epi32(lanes[l].feba, before[l].feba);
        lanes[l].hgdc = _mm_add_epi32(lanes[l].hgdc, before[l].hgdc);
    }
}

INLINE void add_blocks(HashState *const *states, const unsigned char *const *blocks, size_t count,
                       int lane_count) {
    Lane lanes[LANES];
    for (int l = 0; l < lane_count; l++) lanes[l] = load(states[l]);
    for (size_t b = 0; b < count; b++) add_block(lanes, blocks, HASH_BLOCK * b, lane_count);
    for (int l = 0; l < lane_count; l++) store(states[l], lanes[l]);
}

TARGET void hash_blocks_add(HashState *state, const unsigned char *blocks, size_t count) {
    add_blocks(&state, &blocks, count, 1);
}

TARGET void hash_blocks_add_two(HashState *const states[2], const unsigned char *const blocks[2],
                                size_t count) {
    add_blocks(states, blocks, count, LANES);
}

#else

bool hash_blocks_are_at_hand(void) {
    return false;
}

void hash_blocks_add(HashState *state, const unsigned char *blocks, size_t count) {
    (void)state, (void)blocks, (void)count;
}

void hash_blocks_add_two(HashState *const states[2], const unsigned char *const blocks[2], size_t count) {
    (void)states, (void)blocks, (void)count;
}

#endif
