/*
 * A safetensors file is believed in nothing: every way its header can lie about it is refused, with the file
 * and the tensor named.
 */
#include "core/checkpoint/safetensors.h"
#include "scratch.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In place of the library's: FUSE with direct_io, and some file systems over a network, map nothing that is shared. */
static bool maps_shared = true;

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    if (!maps_shared && file >= 0 && (flags & MAP_SHARED) != 0) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

static SafetensorsFile *must_open(const char *name) {
    char *path = scratch_path(name);
    Error error = {0};
    SafetensorsFile *file;
    if (safetensors_open(path, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return file;
}

/* The file is refused with this status, and the message names it and contains `words`. */
static void must_refuse(const char *name, Status status, const char *words) {
    char *path = scratch_path(name);
    Error error = {0};
    SafetensorsFile *file;
    assert_int_equal(safetensors_open(path, &file, &error), status);
    assert_null(file);
    if (strstr(error.message, path) == NULL || strstr(error.message, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, error.message);
    free(path);
}

static void refuse_header(const char *header, size_t data_bytes, Status status, const char *words) {
    scratch_write_safetensors("bad.safetensors", header, data_bytes);
    must_refuse("bad.safetensors", status, words);
}

static void tensors_come_in_order_of_their_offsets(void **state) {
    (void)state;
    scratch_write_safetensors("good.safetensors",
                              "{\"__metadata__\":{\"format\":\"pt\"},"
                              "\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"
                              "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}  ",
                              16);
    SafetensorsFile *file = must_open("good.safetensors");
    assert_int_equal(file->count, 2);
    assert_string_equal(file->entries[0].name, "a");
    assert_int_equal(file->entries[0].rank, 0);
    assert_int_equal(file->entries[0].bytes, 4);
    assert_string_equal(file->entries[1].name, "b");
    assert_int_equal(file->entries[1].dtype, DTYPE_BF16);
    assert_int_equal(file->entries[1].shape[1], 3);
    assert_int_equal(file->entries[1].data[0], 4); /* data are 0, 1, 2, … */
    safetensors_close(file);
}

static void an_empty_tensor_takes_no_bytes(void **state) {
    (void)state;
    scratch_write_safetensors("empty.safetensors",
                              "{\"e\":{\"dtype\":\"F32\",\"shape\":[0,8],\"data_offsets\":[0,0]},"
                              "\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                              1);
    SafetensorsFile *file = must_open("empty.safetensors");
    assert_int_equal(file->count, 2);
    safetensors_close(file);
}

static void what_is_no_safetensors_file_is_refused(void **state) {
    (void)state;
    scratch_write("short", "1234567", 7);
    must_refuse("short", STATUS_FORMAT, "only 7 bytes");
    scratch_write("text", "this is not a safetensors file at all", 37);
    must_refuse("text", STATUS_FORMAT, "header");
    must_refuse("missing", STATUS_IO, "No such file");
    char *directory = scratch_path("folder/");
    free(directory);
    must_refuse("folder", STATUS_FORMAT, "regular file");
    refuse_header("[1,2]", 0, STATUS_FORMAT, "object");
    refuse_header("{\"a\":", 0, STATUS_FORMAT, "JSON");
    refuse_header("{} x", 0, STATUS_FORMAT, "end of the JSON");
}

static void a_header_longer_than_the_file_is_refused(void **state) {
    (void)state;
    unsigned char bytes[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, '{', '}'};
    scratch_write("long", bytes, sizeof bytes);
    must_refuse("long", STATUS_FORMAT, "header");
    bytes[1] = bytes[2] = bytes[3] = bytes[4] = bytes[5] = bytes[6] = bytes[7] = 0;
    bytes[0] = 9; /* one more than there is */
    scratch_write("long", bytes, sizeof bytes);
    must_refuse("long", STATUS_FORMAT, "header");
}

static void offsets_that_lie_are_refused(void **state) {
    (void)state;
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, STATUS_FORMAT,
                  "truncated");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, STATUS_FORMAT,
                  "outside");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, STATUS_FORMAT,
                  "expected 8 bytes");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,-4]}}", 4, STATUS_FORMAT,
                  "data_offsets");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4.5]}}", 8, STATUS_FORMAT,
                  "data_offsets");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, STATUS_FORMAT,
                  "data_offsets");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, STATUS_FORMAT, "data_offsets");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e400]}}", 4, STATUS_FORMAT,
                  "");
}

static void overlaps_holes_and_surplus_are_refused(void **state) {
    (void)state;
    refuse_header(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
        6, STATUS_FORMAT, "overlap");
    refuse_header(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]}}",
        4, STATUS_FORMAT, "hole");
    refuse_header("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 9, STATUS_FORMAT,
                  "after the header");
}

static void shapes_that_overflow_are_refused(void **state) {
    (void)state;
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
                  STATUS_FORMAT, "dimension 1");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, STATUS_FORMAT,
                  "dimension 0");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
                  STATUS_UNSUPPORTED, "more than 8 dimensions");
    refuse_header("{\"t\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,4]}}", 4, STATUS_FORMAT,
                  "shape");
}

static void names_are_unique_and_printable(void **state) {
    (void)state;
    refuse_header(
        "{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
        2, STATUS_FORMAT, "twice");
    refuse_header("{\"\\u001b[31m\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
                  STATUS_FORMAT, "not printable");
    refuse_header("{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, STATUS_FORMAT,
                  "empty");
}

static void messages_never_carry_control_characters(void **state) {
    (void)state;
    scratch_write_safetensors(
        "bad.safetensors", "{\"\\u001b[31m\\u0007\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        1);
    char *path = scratch_path("bad.safetensors");
    Error error = {0};
    SafetensorsFile *file;
    assert_int_equal(safetensors_open(path, &file, &error), STATUS_FORMAT);
    for (const char *c = error.message; *c != '\0'; c++) assert_true((unsigned char)*c >= 0x20);
    free(path);
}

static void a_dtype_without_a_known_name_has_the_bytes_of_its_offsets(void **state) {
    (void)state;
    scratch_write_safetensors("other.safetensors",
                              "{\"t\":{\"dtype\":\"F8_E5M4\",\"shape\":[3,5],\"data_offsets\":[0,7]},"
                              "\"u\":{\"dtype\":\"I2\",\"shape\":[4],\"data_offsets\":[7,8]}}",
                              8);
    SafetensorsFile *file = must_open("other.safetensors");
    assert_int_equal(file->entries[0].dtype, DTYPE_OTHER);
    assert_string_equal(file->entries[0].dtype_name, "F8_E5M4");
    assert_int_equal(file->entries[0].elements, 15);
    assert_int_equal(file->entries[0].bytes, 7);
    assert_string_equal(file->entries[1].dtype_name, "I2");
    safetensors_close(file);
    static const char *const NAMES[] = {"", "F 4", "F4\\\"", "é", "a_name_of_thirty_two_characters_"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char header[160];
        (void)snprintf(header, sizeof header,
                       "{\"t\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,1]}}", NAMES[i]);
        refuse_header(header, 1, STATUS_FORMAT, "is no word");
    }
    refuse_header("{\"t\":{\"dtype\":\"I2\",\"shape\":[4],\"data_offsets\":[0,2]}}", 1, STATUS_FORMAT,
                  "outside");
    refuse_header("{\"t\":{\"dtype\":\"I2\",\"shape\":[4],\"data_offsets\":[0,1]}}", 2, STATUS_FORMAT,
                  "found 2");
    refuse_header("{\"t\":{\"dtype\":\"I2\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,1]}}", 1,
                  STATUS_FORMAT, "dimension 1");
}

/* Sizes of safetensors 0.8.0, which refuses tensors that do not end with a byte. */
static void types_of_less_than_a_byte_are_counted_in_bits(void **state) {
    (void)state;
    scratch_write_safetensors("bits.safetensors",
                              "{\"a\":{\"dtype\":\"F4\",\"shape\":[3,6],\"data_offsets\":[0,9]},"
                              "\"b\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[9,12]},"
                              "\"c\":{\"dtype\":\"F6_E3M2\",\"shape\":[2,4],\"data_offsets\":[12,18]},"
                              "\"d\":{\"dtype\":\"F8_E8M0\",\"shape\":[2],\"data_offsets\":[18,20]},"
                              "\"e\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[20,28]}}",
                              28);
    SafetensorsFile *file = must_open("bits.safetensors");
    assert_int_equal(file->entries[0].dtype, DTYPE_F4);
    assert_int_equal(file->entries[0].elements, 18);
    assert_int_equal(file->entries[2].bytes, 6);
    assert_string_equal(file->entries[4].dtype_name, "C64");
    safetensors_close(file);
    refuse_header("{\"t\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, STATUS_FORMAT,
                  "expected whole bytes, found 3 elements of 4 bits");
    refuse_header("{\"t\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, STATUS_FORMAT,
                  "expected 2 bytes");
    refuse_header("{\"t\":{\"dtype\":\"F8_E8M0\",\"shape\":[4],\"data_offsets\":[0,3]}}", 3, STATUS_FORMAT,
                  "expected 4 bytes");
}

static void a_tensor_has_a_dtype(void **state) {
    (void)state;
    refuse_header("{\"t\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, STATUS_FORMAT, "dtype");
}

static void nested_beyond_reason_is_refused_not_followed(void **state) {
    (void)state;
    enum { DEPTH = 200000 };
    char *header = memory_allocate(DEPTH + 1, 1);
    assert_non_null(header);
    memset(header, '[', DEPTH);
    refuse_header(header, 0, STATUS_FORMAT, "JSON");
    free(header);
}

static void a_name_that_would_be_cut_or_is_no_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *words;
    } CASES[] = {{"a\\u0000b", "U+0000"},      {"\\u0000", "U+0000"},
                 {"a\xff", "not printable"},   {"\xc2\x9b", "not printable"},
                 {"\\u009b", "not printable"}, {"\xed\xa0\x80", "not printable"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char header[128];
        (void)snprintf(header, sizeof header,
                       "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", CASES[i].name);
        refuse_header(header, 1, STATUS_FORMAT, CASES[i].words);
    }
    scratch_write_safetensors("good.safetensors",
                              "{\"é.中\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    safetensors_close(must_open("good.safetensors"));
}

static void a_pipe_is_refused_and_not_waited_for(void **state) {
    (void)state;
    char *path = scratch_path("pipe.safetensors");
    assert_int_equal(mkfifo(path, 0600), 0);
    must_refuse("pipe.safetensors", STATUS_FORMAT, "regular file");
    free(path);
}

static void a_file_system_that_shares_no_mappings_will_do(void **state) {
    (void)state;
    scratch_write_safetensors("private.safetensors",
                              "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2);
    maps_shared = false;
    SafetensorsFile *file = must_open("private.safetensors");
    maps_shared = true;
    assert_int_equal(file->entries[0].data[1], 1);
    safetensors_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_come_in_order_of_their_offsets),
        cmocka_unit_test(an_empty_tensor_takes_no_bytes),
        cmocka_unit_test(what_is_no_safetensors_file_is_refused),
        cmocka_unit_test(a_header_longer_than_the_file_is_refused),
        cmocka_unit_test(offsets_that_lie_are_refused),
        cmocka_unit_test(overlaps_holes_and_surplus_are_refused),
        cmocka_unit_test(shapes_that_overflow_are_refused),
        cmocka_unit_test(names_are_unique_and_printable),
        cmocka_unit_test(messages_never_carry_control_characters),
        cmocka_unit_test(a_dtype_without_a_known_name_has_the_bytes_of_its_offsets),
        cmocka_unit_test(types_of_less_than_a_byte_are_counted_in_bits),
        cmocka_unit_test(a_tensor_has_a_dtype),
        cmocka_unit_test(nested_beyond_reason_is_refused_not_followed),
        cmocka_unit_test(a_name_that_would_be_cut_or_is_no_text_is_refused),
        cmocka_unit_test(a_pipe_is_refused_and_not_waited_for),
        cmocka_unit_test(a_file_system_that_shares_no_mappings_will_do),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
