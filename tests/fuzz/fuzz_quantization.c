/*
 * Any bytes as the weights of a quantised checkpoint: what is read as codes with scales has as many values as its shape says, and
 * all of them can be read, together and one by one, without a step outside the file.
 */
#include "core/checkpoint/tensor_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static char directory[] = "/tmp/rejuv-fuzz-XXXXXX", path[64];

static void remove_directory(void) {
    (void)unlink(path); /* what is left behind is a few bytes in /tmp */
    (void)rmdir(directory);
}

static void write_file(const uint8_t *bytes, size_t count) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

static void read_values(const Tensor *tensor) {
    enum { STRETCH = 100 };
    float values[STRETCH];
    uint64_t elements = tensor->rows * tensor->columns;
    if (!dtype_is_float(tensor->dtype)) return;
    if (elements != tensor->bytes / dtype_size(tensor->dtype)) abort();
    for (uint64_t first = 0; first < elements; first += STRETCH) {
        size_t count = elements - first < STRETCH ? (size_t)(elements - first) : STRETCH;
        tensor_values_read(tensor, first, count, values);
        float last = tensor_values_at(tensor, first + count - 1);
        if (last != values[count - 1] && (last == last || values[count - 1] == values[count - 1])) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static int is_made;
    if (!is_made++) {
        if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0) abort();
        (void)snprintf(path, sizeof path, "%s/model.safetensors", directory); /* fits */
    }
    write_file(bytes, count);
    Error error = {0};
    Checkpoint *checkpoint;
    Status status = checkpoint_open(directory, &checkpoint, &error);
    if (status == STATUS_OK ? checkpoint == NULL : checkpoint != NULL || error.message[0] == '\0') abort();
    if (status != STATUS_OK) return 0;
    for (size_t i = 0; i < checkpoint->tensor_count && quantization_check(checkpoint, NULL) == STATUS_OK; i++)
        read_values(&checkpoint->tensors[i]);
    checkpoint_close(checkpoint);
    return 0;
}
