#include "core/numerics/random.h"

uint64_t random_mix(uint64_t number) {
    uint64_t z = (number ^ number >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

uint64_t random_bits(uint64_t seed, uint64_t counter) {
    return random_mix(seed + (counter + 1) * 0x9e3779b97f4a7c15U);
}

double random_uniform(uint64_t seed, uint64_t counter) {
    return (double)(random_bits(seed, counter) >> 11) * 0x1p-53;
}
