/*
 * torch_zip — a file as torch.save() writes it: a zip of a/data.pkl, which is given, and of the storages a/data/0 and
 * a/data/1, of 48 bytes 0, 1, 2, … each.
 */
#ifndef REJUV_TESTS_TORCH_ZIP_H
#define REJUV_TESTS_TORCH_ZIP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    TORCH_ZIP_LOCAL = 30,
    TORCH_ZIP_ENTRY = 46,
    TORCH_ZIP_END = 22,
    TORCH_ZIP_MEMBERS = 3,
    TORCH_ZIP_STORAGE = 48,
    TORCH_ZIP_NAME = 10
};

static inline void torch_zip_put(uint8_t *at, size_t number, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(number >> (8 * i));
}

/* *count is its size; the caller frees. */
static inline uint8_t *torch_zip_make(const void *pickle, size_t size, size_t *count) {
    static const char *const NAMES[TORCH_ZIP_MEMBERS] = {"a/data.pkl", "a/data/0", "a/data/1"};
    uint8_t *zip = calloc(1, size +
                                 TORCH_ZIP_MEMBERS * (TORCH_ZIP_LOCAL + TORCH_ZIP_ENTRY + 2 * TORCH_ZIP_NAME +
                                                      TORCH_ZIP_STORAGE) +
                                 TORCH_ZIP_END);
    if (zip == NULL) abort();
    size_t at = 0, starts[TORCH_ZIP_MEMBERS],
           lengths[TORCH_ZIP_MEMBERS] = {size, TORCH_ZIP_STORAGE, TORCH_ZIP_STORAGE};
    for (int i = 0; i < TORCH_ZIP_MEMBERS; i++) {
        size_t name = strlen(NAMES[i]);
        starts[i] = at;
        torch_zip_put(zip + at, 0x04034b50, 4);
        torch_zip_put(zip + at + 26, name, 2);
        memcpy(zip + at + TORCH_ZIP_LOCAL, NAMES[i], name);
        if (i == 0 && size > 0) memcpy(zip + at + TORCH_ZIP_LOCAL + name, pickle, size);
        for (size_t k = 0; i > 0 && k < lengths[i]; k++) zip[at + TORCH_ZIP_LOCAL + name + k] = (uint8_t)k;
        at += TORCH_ZIP_LOCAL + name + lengths[i];
    }
    size_t directory = at;
    for (int i = 0; i < TORCH_ZIP_MEMBERS; i++) {
        size_t name = strlen(NAMES[i]);
        torch_zip_put(zip + at, 0x02014b50, 4);
        torch_zip_put(zip + at + 20, lengths[i], 4);
        torch_zip_put(zip + at + 24, lengths[i], 4);
        torch_zip_put(zip + at + 28, name, 2);
        torch_zip_put(zip + at + 42, starts[i], 4);
        memcpy(zip + at + TORCH_ZIP_ENTRY, NAMES[i], name);
        at += TORCH_ZIP_ENTRY + name;
    }
    torch_zip_put(zip + at, 0x06054b50, 4);
    torch_zip_put(zip + at + 10, TORCH_ZIP_MEMBERS, 2);
    torch_zip_put(zip + at + 12, at - directory, 4);
    torch_zip_put(zip + at + 16, directory, 4);
    *count = at + TORCH_ZIP_END;
    return zip;
}

#endif
