/*
 * What torch.save() wrote, as torch.load() reads it: the same names, types, shapes and bytes. And what it wrote that is
 * more than tensors: refused by name. Data: torch/, by make_torch.py.
 */
#include "core/checkpoint/torch_file.h"
#include "golden.h"

#include <string.h>

static const SafetensorsEntry *find(const SafetensorsFile *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].name, name) == 0) return &file->entries[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void must_equal(const char *pickled, const char *plain) {
    char *path = golden_path("golden/torch/%s.%s", pickled, "bin");
    char *expected_path = golden_path("golden/torch/%s.%s", plain, "safetensors");
    SafetensorsFile *file, *expected;
    Error error = {0};
    if (torch_file_open(path, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (safetensors_open(expected_path, &expected, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(file->count, expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        const SafetensorsEntry *wanted = &expected->entries[i], *entry = find(file, wanted->name);
        assert_string_equal(entry->dtype_name, wanted->dtype_name);
        assert_int_equal(entry->rank, wanted->rank);
        assert_memory_equal(entry->shape, wanted->shape, sizeof entry->shape);
        assert_int_equal(entry->elements, wanted->elements);
        assert_int_equal(entry->bytes, wanted->bytes);
        if (wanted->bytes > 0) assert_memory_equal(entry->data, wanted->data, wanted->bytes);
    }
    safetensors_close(expected);
    safetensors_close(file);
    free(expected_path);
    free(path);
}

static void views_of_storages_are_the_elements_that_they_view(void **state) {
    (void)state;
    must_equal("views", "views");
}

static void every_type_that_has_a_storage_of_its_own_is_read(void **state) {
    (void)state;
    must_equal("types", "types");
}

static void a_modules_state_dict_is_read_without_its_notes(void **state) {
    (void)state;
    must_equal("state_dict", "state_dict");
}

static void the_zip_may_be_another_writers(void **state) {
    (void)state;
    must_equal("rewritten", "views");
}

static void tied_tensors_are_one_piece_of_the_file_and_come_in_the_dicts_order(void **state) {
    (void)state;
    char *path = golden_path("golden/torch/%s.%s", "views", "bin");
    SafetensorsFile *file;
    Error error = {0};
    if (torch_file_open(path, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(file->entries[0].name, "whole");
    assert_string_equal(file->entries[3].name, "tied");
    assert_ptr_equal(file->entries[0].data, file->entries[3].data);
    assert_ptr_equal(find(file, "rows")->data, file->entries[0].data + 2 * 5 * 2);
    uint64_t offset;
    assert_true(safetensors_find_offset(file, find(file, "rows")->data, &offset));
    assert_false(safetensors_find_offset(file, find(file, "turned")->data, &offset));
    safetensors_close(file);
    free(path);
}

static const struct Refused {
    const char *name, *words;
} REFUSED[] = {
    {"legacy", "found a bare pickle, its form before 1.6"},
    {"compressed", "expected members as they are, found archive/data.pkl compressed or encrypted"},
    {"big_endian", "expected numbers in little-endian order"},
    {"protocol_4", "found the opcode 0x95"},
    {"called", "found a pickle that asks for posix.getcwd, of which nothing was run"},
    {"nested", "state_dict: expected a tensor, found a dict of its own"},
    {"number", "step: expected a tensor, found another value"},
    {"list", "found the opcode 0x5d"},
    {"tensor", "expected a dict of tensors, found another value"},
    {"typed", "asks for torch._utils._rebuild_tensor_v3"},
    {"sparse", "asks for torch._utils._rebuild_sparse_tensor"},
    {"quantized", "asks for torch._utils._rebuild_qtensor"},
    {"conjugated", "tensor a: it is stored with notes of PyTorch's own"},
    {"meta", "asks for torch._utils._rebuild_meta_tensor_no_storage"},
    {"bombs", "tensor a: its strides repeat elements: in order they are larger than the file"},
};

static void what_is_more_than_tensors_is_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        char *path = golden_path("golden/torch/refused-%s.%s", REFUSED[i].name, "bin");
        SafetensorsFile *file;
        Error error = {0};
        Status status = torch_file_open(path, &file, &error);
        if (status != STATUS_UNSUPPORTED || file != NULL || strstr(error.message, REFUSED[i].words) == NULL ||
            strstr(error.message, path) != error.message)
            fail_msg("%s: expected \"%s\", got %s: %s", REFUSED[i].name, REFUSED[i].words,
                     status_name(status), error.message);
        free(path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_storages_are_the_elements_that_they_view),
        cmocka_unit_test(every_type_that_has_a_storage_of_its_own_is_read),
        cmocka_unit_test(a_modules_state_dict_is_read_without_its_notes),
        cmocka_unit_test(the_zip_may_be_another_writers),
        cmocka_unit_test(tied_tensors_are_one_piece_of_the_file_and_come_in_the_dicts_order),
        cmocka_unit_test(what_is_more_than_tensors_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
