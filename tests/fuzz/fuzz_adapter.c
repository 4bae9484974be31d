/*
 * Any settings, and any names and shapes, as an adapter of a small base: it is refused with a message, or every value of
 * what it changes can be read.
 *
 *     the first line     adapter_config.json
 *     each other line    NAME SIZE … of a tensor of ones
 */
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_values.h"
#include "core/support/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { MOST_TENSORS = 32, MOST_SIZES = 4, MOST_SIZE = 256, MOST_ELEMENTS = 1 << 14 };

static const char BASE[] = TESTS_DIR "/golden/adapters/bases/qwen3-moe";
static char directory[] = "/tmp/rejuv-fuzz-XXXXXX", settings[64], weights[64];

static void remove_directory(void) {
    (void)unlink(settings); /* what is left behind is a few bytes in /tmp */
    (void)unlink(weights);
    (void)rmdir(directory);
}

static void make_directory(void) {
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0) abort();
    (void)snprintf(settings, sizeof settings, "%s/adapter_config.json", directory); /* both fit */
    (void)snprintf(weights, sizeof weights, "%s/adapter_model.safetensors", directory);
}

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
    FILE *file = fopen(weights, "wb");
    if (file == NULL || header.failed) abort();
    uint64_t length = header.length;
    const float one = 1.0F;
    (void)fwrite(&length, sizeof length, 1, file); /* all of it is checked below */
    (void)fwrite(header.text, 1, header.length, file);
    for (size_t i = 0; i < floats; i++) (void)fwrite(&one, sizeof one, 1, file);
    if (ferror(file) != 0 || fclose(file) != 0) abort();
    buffer_free(&header);
}

static void write_settings(const char *text, size_t count) {
    FILE *file = fopen(settings, "wb");
    if (file == NULL || fwrite(text, 1, count, file) != count || fclose(file) != 0) abort();
}

static void read_all(const Pair *pair) {
    for (size_t i = 0; i < pair->sft->tensor_count; i++) {
        const Tensor *tensor = &pair->sft->tensors[i];
        uint64_t elements = tensor->rows * tensor->columns;
        float *values = calloc((size_t)elements + 1, sizeof *values);
        if (values == NULL) abort();
        if (dtype_is_float(tensor->dtype)) tensor_values_read(tensor, 0, (size_t)elements, values);
        free(values);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static int is_made;
    if (!is_made++) make_directory();
    char *text = strndup((const char *)bytes, count);
    if (text == NULL) abort();
    size_t first = strcspn(text, "\n");
    write_settings(text, first);
    write_weights(text[first] != '\0' ? text + first + 1 : text + first);
    free(text);
    Error error = {0};
    Pair *pair;
    Status status = pair_open(BASE, directory, &pair, &error);
    if (status == STATUS_OK ? pair == NULL : pair != NULL || error.message[0] == '\0') abort();
    if (status == STATUS_OK) read_all(pair);
    pair_close(pair);
    return 0;
}
