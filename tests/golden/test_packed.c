/*
 * Weights of 4- and 6-bit floats have, bit for bit, the values that their own loaders give them (packed/, by make_packed.py), under
 * the names and in the shapes of plain ones; a pair of them can be compared, and is not exported.
 */
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_values.h"
#include "core/export/export.h"
#include "golden.h"

#include <string.h>

typedef struct Method {
    const char *name, *dtype, *text, *remedy;
} Method;

static const Method METHODS[] = {
    {"gpt-oss", "MXFP4", "2 tensors are read as code × scale: MXFP4, one scale for 32 elements",
     "Mxfp4Config"},
    {"nvfp4", "NVFP4", "1 tensor is read as code × scale: NVFP4, one scale for 16 elements and one for all",
     "CompressedTensorsConfig"},
    {"mxfp4", "MXFP4", "1 tensor is read as code × scale: MXFP4, one scale for 32 elements",
     "CompressedTensorsConfig"},
    {"mxfp6", "MXFP6", "1 tensor is read as code × scale: MXFP6, one scale for 32 elements",
     "CompressedTensorsConfig"},
    {"modelopt", "NVFP4",
     "1 tensor is read as code × scale: NVFP4, one scale for 16 elements and one for all", "GPTQModel"},
};

enum { METHOD_COUNT = sizeof METHODS / sizeof *METHODS };

static char *directory_of(const Method *method) {
    return golden_path("golden/packed/%s%s", method->name, "");
}

static Checkpoint *open_side(const Method *method) {
    char *path = directory_of(method);
    Error error = {0};
    Checkpoint *side;
    if (checkpoint_open(path, &side, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (quantization_check(side, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return side;
}

/* NaNs have no one form. */
static bool same_bits(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static void must_have_values(const Tensor *tensor, const SafetensorsEntry *wanted) {
    assert_string_equal(tensor->dtype_name, wanted->dtype_name);
    assert_int_equal(tensor->rank, wanted->rank);
    assert_memory_equal(tensor->shape, wanted->shape, sizeof tensor->shape);
    assert_int_equal(tensor->bytes, wanted->bytes);
    size_t count = (size_t)wanted->elements, size = dtype_size(wanted->dtype);
    float *values = memory_allocate(count, sizeof *values);
    assert_non_null(values);
    tensor_values_read(tensor, 0, count, values);
    for (size_t i = 0; i < count; i++) {
        float expected = dtype_widen_one(wanted->dtype, wanted->data + i * size);
        if (!same_bits(values[i], expected))
            fail_msg("%s: element %zu: expected %a, got %a", tensor->name, i, (double)expected,
                     (double)values[i]);
        if (!same_bits(tensor_values_at(tensor, i), expected))
            fail_msg("%s: element %zu alone", tensor->name, i);
    }
    free(values);
}

static void values_are_those_of_the_methods_own_loader(void **state) {
    (void)state;
    for (size_t m = 0; m < METHOD_COUNT; m++) {
        char *path = golden_path("golden/packed/%s/%s", METHODS[m].name, "expected.safetensors");
        Checkpoint *side = open_side(&METHODS[m]);
        SafetensorsFile *expected;
        Error error = {0};
        if (safetensors_open(path, &expected, &error) != STATUS_OK) fail_msg("%s", error.message);
        uint64_t elements = 0;
        assert_int_equal(side->tensor_count, expected->count);
        for (size_t i = 0; i < expected->count; i++) {
            const Tensor *tensor = checkpoint_find_tensor(side, expected->entries[i].name);
            if (tensor == NULL) fail_msg("%s: no %s", METHODS[m].name, expected->entries[i].name);
            if (tensor->codes != NULL) assert_string_equal(checkpoint_dtype_text(tensor), METHODS[m].dtype);
            must_have_values(tensor, &expected->entries[i]);
            elements += expected->entries[i].elements;
        }
        assert_int_equal(side->parameters, elements);
        safetensors_close(expected);
        checkpoint_close(side);
        free(path);
    }
}

static void what_is_read_is_said(void **state) {
    (void)state;
    for (size_t m = 0; m < METHOD_COUNT; m++) {
        Checkpoint *side = open_side(&METHODS[m]);
        assert_int_equal(side->quantization.kind, QUANTIZATION_SCALED);
        if (strncmp(side->quantization.text, METHODS[m].text, strlen(METHODS[m].text)) != 0)
            fail_msg("expected \"%s\" in: %s", METHODS[m].text, side->quantization.text);
        checkpoint_close(side);
    }
}

static void a_pair_is_compared_and_not_exported(void **state) {
    (void)state;
    for (size_t m = 0; m < METHOD_COUNT; m++) {
        char *path = directory_of(&METHODS[m]);
        Error error = {0};
        Pair *pair;
        ExportPlan *plan;
        if (pair_open(path, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
        for (size_t i = 0; i < pair->count; i++) assert_true(pair->tensors[i].is_fused);
        ExportOptions options = {.directory = "/tmp/rejuv-never-written", .shard_bytes = 1 << 20};
        assert_int_equal(export_plan(pair, &options, &plan, &error), STATUS_UNSUPPORTED);
        if (strstr(error.message, METHODS[m].dtype) == NULL ||
            strstr(error.message, METHODS[m].remedy) == NULL)
            fail_msg("%s: %s", METHODS[m].name, error.message);
        pair_close(pair);
        free(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_the_methods_own_loader),
        cmocka_unit_test(what_is_read_is_said),
        cmocka_unit_test(a_pair_is_compared_and_not_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
