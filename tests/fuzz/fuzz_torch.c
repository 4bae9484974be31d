/*
 * Any bytes as a file of torch.save(), or, where they do not begin as a zip, as the pickle in one beside two storages: what is
 * accepted lies inside the file, or is a copy of its own, and can be read.
 */
#include "core/checkpoint/torch_file.h"
#include "tests/fuzz/memory_file.h"
#include "tests/torch_zip.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* ---- what is accepted ---- */

static bool is_copy(const SafetensorsFile *file, const SafetensorsEntry *entry) {
    for (size_t i = 0; i < file->copy_count; i++)
        if (file->copies[i] == entry->data) return true;
    return false;
}

static void check(const SafetensorsFile *file) {
    unsigned sum = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        uint64_t offset;
        bool is_inside = safetensors_find_offset(file, entry->data, &offset);
        if (is_inside ? entry->bytes > file->size - offset : !is_copy(file, entry)) abort();
        if (!safetensors_is_name(entry->name) || entry->rank > SAFETENSORS_MAX_RANK) abort();
        if (entry->bytes != entry->elements * dtype_size(entry->dtype)) abort();
        for (size_t at = 0; at < entry->bytes; at++) sum += entry->data[at];
    }
    if (sum == 1) (void)getpid(); /* the sum is used, so the bytes are read */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    bool is_zip = count >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
    uint8_t *wrapped = is_zip ? NULL : torch_zip_make(bytes, count, &count);
    Error error = {0};
    SafetensorsFile *file;
    Status status = torch_file_open(memory_file_put(is_zip ? bytes : wrapped, count), &file, &error);
    if (status == STATUS_OK ? file == NULL : file != NULL || error.message[0] == '\0') abort();
    if (status == STATUS_OK) check(file);
    safetensors_close(file);
    free(wrapped);
    return 0;
}
