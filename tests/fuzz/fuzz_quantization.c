/*
 * Any bytes as the weights of a quantised checkpoint: what is read as codes with scales has as many values as its shape says, and
 * all of them can be read, together and one by one, without a step outside the file.
 */
#include "core/checkpoint/tensor_values.h"
#include "tests/fuzz/memory_directory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

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
    memory_directory_put("model.safetensors", bytes, count);
    Error error = {0};
    Checkpoint *checkpoint;
    Status status = checkpoint_open(memory_directory(), &checkpoint, &error);
    if (status == STATUS_OK ? checkpoint == NULL : checkpoint != NULL || error.message[0] == '\0') abort();
    if (status != STATUS_OK) return 0;
    for (size_t i = 0; i < checkpoint->tensor_count && quantization_check(checkpoint, NULL) == STATUS_OK; i++)
        read_values(&checkpoint->tensors[i]);
    checkpoint_close(checkpoint);
    return 0;
}
