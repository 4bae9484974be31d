/*
 * random — reproducible random numbers: a number is a function of a seed and a counter (SplitMix64), so
 * results do not depend on the order in which they are asked for.
 */
#ifndef REJUV_CORE_RANDOM_H
#define REJUV_CORE_RANDOM_H

#include <stdint.h>

/* SplitMix64's finaliser: a number, well mixed; no two give the same. */
static inline uint64_t random_mix(uint64_t number) {
    uint64_t z = (number ^ number >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* Modulo 2^64. */
static inline uint64_t random_bits(uint64_t seed, uint64_t counter) {
    return random_mix(seed + (counter + 1) * 0x9e3779b97f4a7c15U);
}

/* Uniform in [0, 1), with 53 bits. */
double random_uniform(uint64_t seed, uint64_t counter);

#endif
