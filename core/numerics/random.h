/*
 * random — reproducible random numbers: a number is a function of a seed and a counter (SplitMix64), so
 * results do not depend on the order in which they are asked for.
 */
#ifndef REJUV_CORE_RANDOM_H
#define REJUV_CORE_RANDOM_H

#include <stdint.h>

uint64_t random_bits(uint64_t seed, uint64_t counter);

/* Uniform in [0, 1), with 53 bits. */
double random_uniform(uint64_t seed, uint64_t counter);

#endif
