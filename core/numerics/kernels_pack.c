/*
 * One variant of Kernels.fill_pack and take_sums: tokens that lie one behind the other to where they lie side by side, and
 * back. Both turn a matrix round, in squares that registers hold.
 */
#include "core/numerics/kernels_internal.h"

#include <stdbool.h>

enum { SIDE = 8 };

#if defined(__AVX2__)
/* Columns of the square that eight lines make. */
INLINE void turn_square(const __m256 from[SIDE], __m256 to[SIDE]) {
    __m256 pairs[SIDE], fours[SIDE];
    for (size_t i = 0; i < SIDE; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(from[i], from[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(from[i], from[i + 1]);
    }
    for (size_t i = 0; i < SIDE; i += 4) {
        fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
        fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
    }
    for (size_t i = 0; i < SIDE / 2; i++) {
        to[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        to[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

INLINE void fill_square(const float *const *tokens, size_t k, float *pack, size_t lanes) {
    __m256 from[SIDE], to[SIDE];
    for (size_t t = 0; t < SIDE; t++) from[t] = _mm256_loadu_ps(tokens[t] + k);
    turn_square(from, to);
    for (size_t i = 0; i < SIDE; i++) _mm256_storeu_ps(pack + i * lanes, to[i]);
}

INLINE void take_square(const float *sums, size_t lanes, bool adds, float *y, size_t stride) {
    __m256 from[SIDE], to[SIDE];
    for (size_t r = 0; r < SIDE; r++) from[r] = _mm256_loadu_ps(sums + r * lanes);
    turn_square(from, to);
    for (size_t t = 0; t < SIDE; t++) {
        float *line = y + t * stride;
        _mm256_storeu_ps(line, _mm256_add_ps(adds ? _mm256_loadu_ps(line) : _mm256_setzero_ps(), to[t]));
    }
}
#else
INLINE void fill_square(const float *const *tokens, size_t k, float *pack, size_t lanes) {
    for (size_t t = 0; t < SIDE; t++) {
        for (size_t i = 0; i < SIDE; i++) pack[i * lanes + t] = tokens[t][k + i];
    }
}

INLINE void take_square(const float *sums, size_t lanes, bool adds, float *y, size_t stride) {
    for (size_t t = 0; t < SIDE; t++) {
        float *line = y + t * stride;
        for (size_t r = 0; r < SIDE; r++) line[r] = (adds ? line[r] : 0.0F) + sums[r * lanes + t];
    }
}
#endif

void kernels_variant_fill_pack(const float *const *tokens, size_t token_count, size_t depth, size_t lanes,
                               float *pack) {
    size_t k = 0;
    for (; k + SIDE <= depth; k += SIDE) {
        float *lines = pack + k * lanes;
        size_t t = 0;
        for (; t + SIDE <= token_count; t += SIDE) fill_square(tokens + t, k, lines + t, lanes);
        for (; t < lanes; t++) {
            for (size_t i = 0; i < SIDE; i++)
                lines[i * lanes + t] = t < token_count ? tokens[t][k + i] : 0.0F;
        }
    }
    for (; k < depth; k++) {
        for (size_t t = 0; t < lanes; t++) pack[k * lanes + t] = t < token_count ? tokens[t][k] : 0.0F;
    }
}

void kernels_variant_take_sums(const float *sums, size_t rows, size_t tokens, size_t lanes, bool adds,
                               float *y, size_t stride) {
    size_t r = 0;
    for (; r + SIDE <= rows; r += SIDE) {
        const float *lines = sums + r * lanes;
        size_t t = 0;
        for (; t + SIDE <= tokens; t += SIDE) take_square(lines + t, lanes, adds, y + t * stride + r, stride);
        for (; t < tokens; t++) {
            float *line = y + t * stride + r;
            for (size_t i = 0; i < SIDE; i++) line[i] = (adds ? line[i] : 0.0F) + lines[i * lanes + t];
        }
    }
    for (; r < rows; r++) {
        for (size_t t = 0; t < tokens; t++) {
            float *to = y + t * stride + r;
            *to = (adds ? *to : 0.0F) + sums[r * lanes + t];
        }
    }
}
