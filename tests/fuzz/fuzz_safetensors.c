/* The safetensors reader on any bytes: what it accepts lies inside the file, back to back, and can be read.
 *
 * A file is a length, so many bytes of JSON, and data: what a fuzzer does to the JSON makes the length wrong, and nothing
 * behind that is met. So half of the time the JSON alone is changed, and its length and the data's made to fit. */
#include "core/checkpoint/safetensors.h"
#include "tests/fuzz/memory_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#ifdef FUZZING
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t capacity);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t capacity, unsigned seed);

enum { LENGTH = 8 };

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t count, size_t capacity, unsigned seed) {
    uint64_t header = 0;
    if (count >= LENGTH) memcpy(&header, bytes, LENGTH);
    if (seed % 2 == 0 || count < LENGTH || header > count - LENGTH)
        return LLVMFuzzerMutate(bytes, count, capacity);
    size_t data = count - LENGTH - (size_t)header;
    uint8_t *kept = malloc(data + 1);
    if (kept == NULL) return count;
    memcpy(kept, bytes + LENGTH + header, data);
    header = LLVMFuzzerMutate(bytes + LENGTH, (size_t)header, capacity - LENGTH);
    if (data > capacity - LENGTH - (size_t)header) data = capacity - LENGTH - (size_t)header;
    memcpy(bytes, &header, LENGTH);
    memcpy(bytes + LENGTH + header, kept, data);
    free(kept);
    return LENGTH + (size_t)header + data;
}
#endif

static void check(const SafetensorsFile *file) {
    const unsigned char *reached = NULL;
    unsigned sum = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *entry = &file->entries[i];
        if (entry->data < file->map || entry->bytes > (size_t)(file->map + file->size - entry->data)) abort();
        if (reached != NULL && entry->data != reached) abort();
        if (entry->name[0] == '\0' || entry->rank > SAFETENSORS_MAX_RANK) abort();
        for (size_t at = 0; at < entry->bytes; at++) sum += entry->data[at];
        reached = entry->data + entry->bytes;
    }
    if (reached != NULL && reached != file->map + file->size) abort();
    if (sum == 1) (void)getpid(); /* the sum is used, so the bytes are read */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Error error = {0};
    SafetensorsFile *file;
    Status status = safetensors_open(memory_file_put(bytes, count), &file, &error);
    if (status == STATUS_OK ? file == NULL : file != NULL || error.message[0] == '\0') abort();
    if (status == STATUS_OK) check(file);
    safetensors_close(file);
    return 0;
}
