/*
 * random — reproducible random numbers: a number is a function of a seed and a counter (SplitMix64), so
 * results do not depend on the order in which they are asked for.
 */
#ifndef REJUV_CORE_RANDOM_H
#define REJUV_CORE_RANDOM_H

#include <stdint.h>

/* mix(seed + (counter + 1) · 0x9E3779B97F4A7C15), modulo 2^64 */
uint64_t random_bits(uint64_t seed, uint64_t counter);

/* SplitMix64's finaliser alone: one number, well mixed; no two give the same. */
uint64_t random_mix(uint64_t number);

/* Uniform in [0, 1), with 53 bits. */
double random_uniform(uint64_t seed, uint64_t counter);

#endif
