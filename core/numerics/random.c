#include "core/numerics/random.h"

double random_uniform(uint64_t seed, uint64_t counter) {
    return (double)(random_bits(seed, counter) >> 11) * 0x1p-53;
}
