/*
 * scratch — a directory for a test to write in, and small checkpoints to fill it with.
 */
#ifndef REJUV_TESTS_SCRATCH_H
#define REJUV_TESTS_SCRATCH_H

#include "core/numerics/dtype.h"
#include "core/support/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The directory of this test program; made by scratch_make(), emptied and removed by scratch_remove(). */
static char scratch[512];

static inline int scratch_make(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(scratch, sizeof scratch, "%s/rejuv-test-XXXXXX", parent != NULL ? parent : "/tmp");
    return mkdtemp(scratch) == NULL ? -1 : 0;
}

/* rm -rf of a name within the directory; "" is the directory itself. */
static inline void scratch_clear(const char *name) {
    char command[1200];
    assert_true(strncmp(strrchr(scratch, '/'), "/rejuv-test-", 12) == 0);
    (void)snprintf(command, sizeof command, "rm -rf -- '%s/%s'", scratch, name);
    assert_int_equal(system(command), 0);
}

static inline int scratch_remove(void **state) {
    (void)state;
    scratch_clear("");
    return 0;
}

/* Four names at a time. */
static inline const char *scratch_path(const char *name) {
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline void scratch_write(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(scratch_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void scratch_write_text(const char *name, const char *text) {
    scratch_write(name, text, strlen(text));
}

/* A whole file with a NUL behind it; NULL where there is none. The caller frees. */
static inline char *scratch_read(const char *name, size_t *size) {
    FILE *file = fopen(scratch_path(name), "rb");
    if (file == NULL) return NULL;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    assert_true(length >= 0);
    rewind(file);
    char *text = memory_allocate((size_t)length + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), (size_t)length);
    (void)fclose(file);
    if (size != NULL) *size = (size_t)length;
    return text;
}

static inline bool scratch_has(const char *name) {
    struct stat facts;
    return lstat(scratch_path(name), &facts) == 0;
}

/* A tensor of a checkpoint to be made; `fill` seeds its values. */
typedef struct ScratchTensor {
    const char *name;
    DType dtype;
    unsigned rank;
    uint64_t shape[3];
    uint32_t fill;
} ScratchTensor;

static inline uint64_t scratch_tensor_bytes(const ScratchTensor *tensor) {
    uint64_t bytes = dtype_size(tensor->dtype);
    for (unsigned i = 0; i < tensor->rank; i++) bytes *= tensor->shape[i];
    return bytes;
}

/* A float of about one, from a counter: every bit of it varies, none is NaN or infinite. */
static inline float scratch_value(uint32_t *seed) {
    *seed = *seed * 1664525U + 1013904223U;
    return (float)((double)(int32_t)*seed / 1073741824.0);
}

static inline void scratch_write_element(FILE *file, DType dtype, uint32_t *seed) {
    float value = scratch_value(seed);
    double wide = (double)value;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t half = (uint16_t)(dtype == DTYPE_BF16 ? bits >> 16 : 0x3800U | (bits & 0x87ffU));
    uint8_t byte = (uint8_t)(bits >> 24 & 0xbfU);
    const void *from = dtype == DTYPE_F64       ? (const void *)&wide
                       : dtype == DTYPE_F32     ? (const void *)&value
                       : dtype_size(dtype) == 2 ? (const void *)&half
                       : dtype_size(dtype) == 1 ? (const void *)&byte
                                                : (const void *)&wide;
    assert_int_equal(fwrite(from, dtype_size(dtype), 1, file), 1);
}

/* Writes one safetensors file; `name` within the scratch directory. */
static inline void scratch_write_tensors(const char *name, const ScratchTensor *tensors, size_t count) {
    FILE *file = fopen(scratch_path(name), "wb");
    assert_non_null(file);
    char *header = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&header, &length);
    assert_non_null(text);
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(text, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i == 0 ? "{" : ",", tensors[i].name,
                      dtype_name(tensors[i].dtype));
        for (unsigned d = 0; d < tensors[i].rank; d++)
            (void)fprintf(text, "%s%llu", d > 0 ? "," : "", (unsigned long long)tensors[i].shape[d]);
        uint64_t end = offset + scratch_tensor_bytes(&tensors[i]);
        (void)fprintf(text, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)offset,
                      (unsigned long long)end);
        offset = end;
    }
    (void)fprintf(text, "}");
    assert_int_equal(fclose(text), 0);
    for (unsigned i = 0; i < 8; i++) assert_int_not_equal(fputc((int)(length >> (8 * i) & 255), file), EOF);
    assert_int_equal(fwrite(header, 1, length, file), length);
    free(header);
    for (size_t i = 0; i < count; i++) {
        uint32_t seed = tensors[i].fill;
        uint64_t elements = scratch_tensor_bytes(&tensors[i]) / dtype_size(tensors[i].dtype);
        for (uint64_t e = 0; e < elements; e++) scratch_write_element(file, tensors[i].dtype, &seed);
    }
    assert_int_equal(fclose(file), 0);
}

/* A directory with one file of weights and, where it is not NULL, a config.json. */
static inline void scratch_write_checkpoint(const char *directory, const ScratchTensor *tensors, size_t count,
                                            const char *config) {
    char name[256];
    scratch_clear(directory);
    assert_int_equal(mkdir(scratch_path(directory), 0777), 0);
    (void)snprintf(name, sizeof name, "%s/model.safetensors", directory);
    scratch_write_tensors(name, tensors, count);
    (void)snprintf(name, sizeof name, "%s/config.json", directory);
    if (config != NULL) scratch_write_text(name, config);
}

#endif
