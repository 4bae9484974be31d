/*
 * cache_bytes — numbers as the bytes of a cache entry's payload, and back: little-endian, the same bits.
 *
 * Writing goes to a Buffer, which remembers that memory ran out. A CacheReader remembers that bytes ran out: what
 * is taken after that is zero, and cache_bytes_end() says so. The reader never looks beyond its bytes; what a
 * number may be is the caller's to check, before it allocates by it.
 */
#ifndef REJUV_CORE_CACHE_BYTES_H
#define REJUV_CORE_CACHE_BYTES_H

#include "core/support/buffer.h"

#include <stdint.h>

typedef struct CacheReader {
    const unsigned char *next;
    size_t left;
    bool failed;
} CacheReader;

void cache_bytes_put_count(Buffer *buffer, uint64_t value);
void cache_bytes_put_double(Buffer *buffer, double value);
void cache_bytes_put_doubles(Buffer *buffer, const double *values, size_t count);
void cache_bytes_put_floats(Buffer *buffer, const float *values, size_t count);
void cache_bytes_put_integers(Buffer *buffer, const int32_t *values, size_t count);

uint64_t cache_bytes_take_count(CacheReader *reader);
double cache_bytes_take_double(CacheReader *reader);
void cache_bytes_take_doubles(CacheReader *reader, double *values, size_t count);
void cache_bytes_take_floats(CacheReader *reader, float *values, size_t count);
void cache_bytes_take_integers(CacheReader *reader, int32_t *values, size_t count);

/* Whether all bytes were taken, and none was missing. */
bool cache_bytes_end(const CacheReader *reader);

#endif
