/*
 * pair_files — makes a pair of checkpoints out of arrays: one safetensors file for each side in a directory
 * of its own under the system's place for temporary files.
 */
#ifndef REJUV_TESTS_PAIR_FILES_H
#define REJUV_TESTS_PAIR_FILES_H

#include "core/checkpoint/pair.h"

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

typedef struct FileTensor {
    const char *name;
    DType dtype;
    size_t rows, columns; /* columns 0: a vector */
    const void *data;
} FileTensor;

typedef struct PairFiles {
    char directory[64];
    Pair *pair;
} PairFiles;

static inline size_t file_tensor_bytes(const FileTensor *tensor) {
    return tensor->rows * (tensor->columns > 0 ? tensor->columns : 1) * dtype_size(tensor->dtype);
}

static inline void pair_files_path(const PairFiles *files, const char *side, bool with_file, char *path,
                                   size_t size) {
    (void)snprintf(path, size, "%s/%s%s", files->directory, side, with_file ? "/model.safetensors" : "");
}

static inline void pair_files_write(const PairFiles *files, const char *side, const FileTensor *tensors,
                                    size_t count) {
    char path[160], header[65536];
    pair_files_path(files, side, false, path, sizeof path);
    assert_int_equal(access(path, F_OK) == 0 ? 0 : mkdir(path, 0700), 0);
    pair_files_path(files, side, true, path, sizeof path);
    size_t at = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        char columns[32] = "";
        if (tensors[i].columns > 0) (void)snprintf(columns, sizeof columns, ",%zu", tensors[i].columns);
        int written = snprintf(header + length, sizeof header - length,
                               "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%zu%s],\"data_offsets\":[%zu,%zu]}",
                               i == 0 ? "{" : ",", tensors[i].name, dtype_name(tensors[i].dtype),
                               tensors[i].rows, columns, at, at + file_tensor_bytes(&tensors[i]));
        assert_true(written > 0 && (length += (size_t)written) < sizeof header - 1);
        at += file_tensor_bytes(&tensors[i]);
    }
    header[length++] = '}';
    uint64_t prefix = length;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&prefix, sizeof prefix, 1, file), 1);
    assert_int_equal(fwrite(header, 1, length, file), length);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fwrite(tensors[i].data, 1, file_tensor_bytes(&tensors[i]), file),
                         file_tensor_bytes(&tensors[i]));
    assert_int_equal(fclose(file), 0);
}

static inline void pair_files_open(PairFiles *files, const char *base, const char *sft) {
    char base_path[160], sft_path[160];
    Error error = {0};
    pair_files_path(files, base, false, base_path, sizeof base_path);
    pair_files_path(files, sft, false, sft_path, sizeof sft_path);
    if (pair_open(base_path, sft_path, &files->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
}

/* Writes both sides and opens them. */
static inline void pair_files_make(PairFiles *files, const FileTensor *base, size_t base_count,
                                   const FileTensor *sft, size_t sft_count) {
    *files = (PairFiles){0};
    const char *place = getenv("TMPDIR");
    (void)snprintf(files->directory, sizeof files->directory, "%s/rejuv-pair-XXXXXX",
                   place != NULL && strlen(place) < 40 ? place : "/tmp");
    assert_non_null(mkdtemp(files->directory));
    pair_files_write(files, "base", base, base_count);
    pair_files_write(files, "sft", sft, sft_count);
    pair_files_open(files, "base", "sft");
}

static inline void pair_files_remove(PairFiles *files) {
    char path[160];
    const char *const sides[] = {"base", "sft"};
    pair_close(files->pair);
    for (int i = 0; i < 2; i++) {
        pair_files_path(files, sides[i], true, path, sizeof path);
        assert_int_equal(unlink(path), 0);
        pair_files_path(files, sides[i], false, path, sizeof path);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(files->directory), 0);
}

/* Both sides with a tensor of one element in each of `count` layers, from layer `first` on; no configuration. */
static inline void pair_files_make_layers(PairFiles *files, size_t first, size_t count) {
    static const float ELEMENT = 1.0F;
    FileTensor *tensors = calloc(count, sizeof *tensors);
    char(*names)[64] = calloc(count, sizeof *names);
    assert_true(tensors != NULL && names != NULL);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof *names, "model.layers.%zu.mlp.up_proj.weight", first + i);
        tensors[i] = (FileTensor){names[i], DTYPE_F32, 1, 1, &ELEMENT};
    }
    pair_files_make(files, tensors, count, tensors, count);
    free(names);
    free(tensors);
}

/* One tensor on each side. */
static inline void pair_files_make_one(PairFiles *files, FileTensor base, FileTensor sft) {
    pair_files_make(files, &base, 1, &sft, 1);
}

#endif
