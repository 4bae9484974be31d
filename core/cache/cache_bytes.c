#include "core/cache/cache_bytes.h"

#include <string.h>

_Static_assert(sizeof(double) == 8 && sizeof(float) == 4, "IEEE 754 binary64 and binary32");

enum { CHUNK = 512 }; /* values put into order at a time */

static void put_wide(unsigned char *bytes, uint64_t value) {
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static void put_narrow(unsigned char *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_wide(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static uint32_t get_narrow(const unsigned char *bytes) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

/* ---- writing ---- */

void cache_bytes_put_count(Buffer *buffer, uint64_t value) {
    unsigned char bytes[8];
    put_wide(bytes, value);
    buffer_add(buffer, (const char *)bytes, sizeof bytes);
}

void cache_bytes_put_double(Buffer *buffer, double value) {
    cache_bytes_put_doubles(buffer, &value, 1);
}

void cache_bytes_put_doubles(Buffer *buffer, const double *values, size_t count) {
    unsigned char bytes[8 * CHUNK];
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        for (size_t i = 0; i < n; i++) {
            uint64_t bits;
            memcpy(&bits, &values[at + i], sizeof bits);
            put_wide(bytes + 8 * i, bits);
        }
        buffer_add(buffer, (const char *)bytes, 8 * n);
    }
}

/* `values` are `count` elements of 4 bytes. */
static void put_narrows(Buffer *buffer, const void *values, size_t count) {
    unsigned char bytes[4 * CHUNK];
    const unsigned char *from = values;
    for (size_t at = 0; at < count; at += CHUNK) {
        size_t n = count - at < CHUNK ? count - at : CHUNK;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, from + 4 * (at + i), sizeof bits);
            put_narrow(bytes + 4 * i, bits);
        }
        buffer_add(buffer, (const char *)bytes, 4 * n);
    }
}

void cache_bytes_put_floats(Buffer *buffer, const float *values, size_t count) {
    put_narrows(buffer, values, count);
}

void cache_bytes_put_integers(Buffer *buffer, const int32_t *values, size_t count) {
    put_narrows(buffer, values, count);
}

/* ---- reading ---- */

/* The next count × size bytes, or NULL. */
static const unsigned char *take(CacheReader *reader, size_t count, size_t size) {
    if (reader->failed || count > reader->left / size) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *bytes = reader->next;
    reader->next += count * size;
    reader->left -= count * size;
    return bytes;
}

uint64_t cache_bytes_take_count(CacheReader *reader) {
    const unsigned char *bytes = take(reader, 1, 8);
    return bytes == NULL ? 0 : get_wide(bytes);
}

double cache_bytes_take_double(CacheReader *reader) {
    double value;
    cache_bytes_take_doubles(reader, &value, 1);
    return value;
}

void cache_bytes_take_doubles(CacheReader *reader, double *values, size_t count) {
    const unsigned char *bytes = take(reader, count, 8);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = bytes == NULL ? 0 : get_wide(bytes + 8 * i);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

static void take_narrows(CacheReader *reader, void *values, size_t count) {
    const unsigned char *bytes = take(reader, count, 4);
    unsigned char *to = values;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bytes == NULL ? 0 : get_narrow(bytes + 4 * i);
        memcpy(to + 4 * i, &bits, sizeof bits);
    }
}

void cache_bytes_take_floats(CacheReader *reader, float *values, size_t count) {
    take_narrows(reader, values, count);
}

void cache_bytes_take_integers(CacheReader *reader, int32_t *values, size_t count) {
    take_narrows(reader, values, count);
}

bool cache_bytes_end(const CacheReader *reader) {
    return !reader->failed && reader->left == 0;
}
