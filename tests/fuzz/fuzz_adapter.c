/*
 * Any settings, and any names and shapes, as an adapter of a small base: it is refused with a message, or every value of
 * what it changes can be read.
 *
 *     its length         which base: even, of float32; odd, of bfloat16
 *     the first line     adapter_config.json
 *     each other line    NAME SIZE … of a tensor of ones
 */
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_values.h"
#include "core/support/buffer.h"
#include "tests/fuzz/memory_directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { MOST_TENSORS = 32, MOST_SIZES = 4, MOST_SIZE = 256, MOST_ELEMENTS = 1 << 14 };

/* Of one's type a whole tensor takes base's place, of the other's it is a change. */
static const char *const BASES[] = {TESTS_DIR "/golden/adapters/bases/qwen3-moe",
                                    TESTS_DIR "/golden/adapters/bases/qwen3-moe-bf16"};

/* Adds a line's tensor to the header; false where the line is none. */
static bool add_tensor(Buffer *header, const char *line, size_t *floats) {
    char name[128];
    uint64_t elements = 1;
    size_t length = strcspn(line, " ");
    if (length == 0 || length >= sizeof name) return false;
    memcpy(name, line, length);
    name[length] = '\0';
    Buffer shape = {0};
    buffer_add_text(&shape, "");
    const char *at = line + length;
    for (int d = 0; d < MOST_SIZES && *at == ' '; d++) {
        unsigned long size = strtoul(at, (char **)(uintptr_t)&at, 10) % MOST_SIZE;
        elements *= size;
        buffer_add_format(&shape, "%s%lu", d > 0 ? "," : "", size);
    }
    if (elements > MOST_ELEMENTS) elements = 0;
    bool fits = elements > 0 || strstr(shape.text, "0") != NULL;
    if (fits) {
        buffer_add_text(header, *floats > 0 || header->length > 1 ? "," : "");
        buffer_add_quoted(header, name);
        buffer_add_format(header, ":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                          shape.text, *floats * 4, (*floats + (size_t)elements) * 4);
        *floats += (size_t)elements;
    }
    buffer_free(&shape);
    return fits;
}

static void write_weights(char *lines) {
    Buffer header = {0};
    size_t floats = 0;
    char *rest = NULL;
    int tensors = 0;
    buffer_add_text(&header, "{");
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL && tensors < MOST_TENSORS;
         line = strtok_r(NULL, "\n", &rest))
        tensors += add_tensor(&header, line, &floats);
    buffer_add_text(&header, "}");
    if (header.failed) abort();
    size_t bytes = sizeof(uint64_t) + header.length + floats * sizeof(float);
    char *file = malloc(bytes);
    if (file == NULL) abort();
    uint64_t length = header.length;
    const float one = 1.0F;
    memcpy(file, &length, sizeof length);
    memcpy(file + sizeof length, header.text, header.length);
    for (size_t i = 0; i < floats; i++)
        memcpy(file + sizeof length + header.length + i * sizeof one, &one, sizeof one);
    memory_directory_put("adapter_model.safetensors", file, bytes);
    free(file);
    buffer_free(&header);
}

/* Of tensors that the adapter changes, or brings. */
static void read_values(const Checkpoint *sft) {
    for (size_t i = 0; i < sft->tensor_count; i++) {
        const Tensor *tensor = &sft->tensors[i];
        uint64_t elements = tensor->rows * tensor->columns;
        if (!dtype_is_float(tensor->dtype) || (tensor->change == NULL && tensor->file < sft->home_files))
            continue;
        float *values = calloc((size_t)elements + 1, sizeof *values);
        if (values == NULL) abort();
        tensor_values_read(tensor, 0, (size_t)elements, values);
        free(values);
    }
}

/* Whether base and the adapter are opened as a pair, too, which takes as long again: of a corpus all are; a fuzzer does it for a
 * quarter of its inputs, and tries twice as many for it. */
static bool is_paired(const uint8_t *bytes, size_t count) {
#ifdef FUZZING
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) sum += bytes[i];
    return sum % 4 == 0;
#else
    (void)bytes, (void)count;
    return true;
#endif
}

static void open_pair(const char *base) {
    Error error = {0};
    Pair *pair;
    Status status = pair_open(base, memory_directory(), &pair, &error);
    if (status == STATUS_OK ? pair == NULL : pair != NULL || error.message[0] == '\0') abort();
    if (status == STATUS_OK) read_values(pair->sft);
    pair_close(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const char *base = BASES[count % 2];
    char *text = strndup((const char *)bytes, count);
    if (text == NULL) abort();
    size_t first = strcspn(text, "\n");
    memory_directory_put("adapter_config.json", text, first);
    write_weights(text[first] != '\0' ? text + first + 1 : text + first);
    free(text);
    Error error = {0};
    Checkpoint *sft;
    Status status = adapter_open(base, memory_directory(), &sft, &error);
    if (status == STATUS_OK ? sft == NULL : sft != NULL || error.message[0] == '\0') abort();
    if (status != STATUS_OK) return 0; /* a pair opens base first, and then does the same */
    read_values(sft);
    checkpoint_close(sft);
    if (is_paired(bytes, count)) open_pair(base);
    return 0;
}
