/*
 * A file of torch.save() is believed in nothing: its zip may lie about where its members are, its pickle about everything. What
 * real ones hold is in tests/golden/test_torch.c.
 */
#include "core/checkpoint/torch_file.h"
#include "scratch.h"
#include "tests/torch_zip.h"

/* ---- pickles ---- */

#define TEXT(length, text) "X" length "\0\0\0" text
#define STORAGE(key, type, count)                                                                            \
    "(" TEXT("\7", "storage") "ctorch\n" type "\n" TEXT("\1", key) TEXT("\3", "cpu") "K" count "tQ"
#define VIEW(storage, offset, shape, strides)                                                                \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage "K" offset shape strides                                  \
    "\x89"                                                                                                   \
    "ccollections\nOrderedDict\n)RtR"
#define DICT(value) "\x80\2}" TEXT("\1", "a") value "s."
#define FLOATS      STORAGE("0", "FloatStorage", "\x0c")

typedef struct Case {
    const char *pickle;
    size_t size;
    Status status;
    const char *words;
} Case;

#define CASE(pickle, status, words)                                                                          \
    { pickle, sizeof pickle - 1, status, words }

static const Case PICKLES[] = {
    /* views */
    CASE(DICT(VIEW(FLOATS, "\0", "K\3K\4\x86", "K\4K\1\x86")), STATUS_OK, ""),
    CASE(DICT(VIEW(FLOATS, "\1", "K\3K\4\x86", "K\4K\1\x86")), STATUS_FORMAT, "it reaches past its storage"),
    CASE(DICT(VIEW(FLOATS, "\0", "K\3K\4\x86", "K\5K\1\x86")), STATUS_FORMAT, "it reaches past its storage"),
    CASE(DICT(VIEW(FLOATS, "\x0c", "K\0\x85", "K\1\x85")), STATUS_OK, ""),
    CASE(DICT(VIEW(FLOATS, "\0", "J\xff\xff\xff\xff\x85", "K\1\x85")), STATUS_FORMAT, "past its storage"),
    CASE(DICT(VIEW(FLOATS, "\0", "K\2\x85", "J\xff\xff\xff\xff\x85")), STATUS_FORMAT, "past its storage"),
    CASE(DICT(VIEW(FLOATS, "\0", "\x8a\x08\0\0\0\0\0\0\0\x40K\4\x86", "K\0K\0\x86")), STATUS_FORMAT,
         "it reaches past its storage"), /* 2^62 × 4 elements */
    CASE(DICT(VIEW(FLOATS, "\0", "K\3K\3\x86", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\1\x86")),
         STATUS_FORMAT, "it reaches past its storage"),
    CASE(DICT(VIEW(FLOATS, "\0", "K\3\x85", "K\4K\1\x86")), STATUS_FORMAT, "expected a storage"),
    CASE(DICT(VIEW(FLOATS, "\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t")),
         STATUS_UNSUPPORTED, "more than 8 dimensions"),
    CASE(DICT(VIEW(FLOATS, "\0", "(K\xffK\xffK\xffK\xfft", "(K\0K\0K\0K\0t")), STATUS_UNSUPPORTED,
         "its strides repeat elements"),
    /* storages */
    CASE(DICT(VIEW(STORAGE("0", "FloatStorage", "\x0d"), "\0", ")", ")")), STATUS_FORMAT, "another size"),
    CASE(DICT(VIEW(STORAGE("7", "FloatStorage", "\x0c"), "\0", ")", ")")), STATUS_FORMAT, "not in the file"),
    CASE(DICT(VIEW("(" TEXT("\7", "storage") "tQ", "\0", ")", ")")), STATUS_FORMAT, "not in the file"),
    CASE(DICT(VIEW("N", "\0", ")", ")")), STATUS_FORMAT, "not in the file"),
    CASE(DICT(VIEW(STORAGE("0", "QInt8Storage", "\x0c"), "\0", ")", ")")), STATUS_UNSUPPORTED,
         "asks for torch.QInt8Storage"),
    /* names */
    CASE("\x80\2}(" TEXT("\1", "a") VIEW(FLOATS, "\0", ")", ")") TEXT("\1", "\33")
             VIEW(FLOATS, "\0", ")", ")") "u.",
         STATUS_FORMAT, "its name is empty or not printable"),
    CASE("\x80\2}K\1Ns.", STATUS_UNSUPPORTED, "expected names of tensors"),
    CASE("\x80\2}X\2\0\0\0a\0Ns.", STATUS_UNSUPPORTED, "expected names of tensors"),
    /* what is no dict of tensors */
    CASE("\x80\2}" TEXT("\1", "a") "}s.", STATUS_UNSUPPORTED,
         "a: expected a tensor, found a dict of its own"),
    CASE("\x80\2}q\0" TEXT("\1", "a") "h\0s.", STATUS_UNSUPPORTED, "found a dict of its own"),
    CASE("\x80\2K\1.", STATUS_UNSUPPORTED, "expected a dict of tensors"),
    CASE(DICT("ctorch._utils\n_rebuild_tensor_v2\n)R"), STATUS_FORMAT, "expected a storage"),
    CASE(DICT("ctorch._utils\n_rebuild_parameter\n)R"), STATUS_UNSUPPORTED, "expected a tensor"),
    CASE("\x80\2cposix\nsystem\n", STATUS_UNSUPPORTED, "asks for posix.system, of which nothing was run"),
    CASE("\x80\2ccollections\nOrderedDict\n(K\1tR.", STATUS_UNSUPPORTED, "expected a dict of tensors"),
    /* what no pickler writes */
    CASE("", STATUS_FORMAT, "at byte 0"),
    CASE("\x80", STATUS_FORMAT, "at byte 1"),
    CASE("\x80\2.", STATUS_FORMAT, "at byte 3"),
    CASE("\x80\2}", STATUS_FORMAT, "at byte 3"),
    CASE("\x80\2}}.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2(}.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2h\0.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2}r\xff\xff\xff\xff.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2}X\xff\xff\xff\xff.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2}(K\1u.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2(K\1\x86.", STATUS_FORMAT, "expected what a pickler writes"), /* below its mark */
    CASE("\x80\2t.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2K\1)R.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2K\1K\1b.", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2cposix", STATUS_FORMAT, "expected what a pickler writes"),
    CASE("\x80\2\x8a\x09", STATUS_UNSUPPORTED, "more than 64 bits"),
    CASE("\x80\2i", STATUS_UNSUPPORTED, "the opcode 0x69"),
};

static Status open_bytes(const uint8_t *bytes, size_t count, SafetensorsFile **file, Error *error) {
    scratch_write("file.bin", bytes, count);
    char *path = scratch_path("file.bin");
    Status status = torch_file_open(path, file, error);
    assert_true(status == STATUS_OK ? *file != NULL : *file == NULL && strstr(error->message, path) != NULL);
    free(path);
    return status;
}

static void must_be(const uint8_t *bytes, size_t count, Status expected, const char *words) {
    Error error = {0};
    SafetensorsFile *file;
    Status status = open_bytes(bytes, count, &file, &error);
    if (status != expected || strstr(error.message, words) == NULL)
        fail_msg("expected %s, \"%s\"; got %s, \"%s\"", status_name(expected), words, status_name(status),
                 error.message);
    safetensors_close(file);
}

static void a_pickle_is_read_as_tensors_or_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof PICKLES / sizeof *PICKLES; i++) {
        size_t count;
        uint8_t *zip = torch_zip_make(PICKLES[i].pickle, PICKLES[i].size, &count);
        print_message("pickle %zu\n", i);
        must_be(zip, count, PICKLES[i].status, PICKLES[i].words);
        free(zip);
    }
}

static void elements_come_in_the_order_of_the_shape(void **state) {
    (void)state;
    static const char TURNED[] =
        DICT(VIEW(STORAGE("0", "ByteStorage", "\x30"), "\2", "K\3K\2\x86", "K\1K\3\x86"));
    static const unsigned char EXPECTED[] = {2, 5, 3, 6, 4, 7};
    size_t count;
    uint8_t *zip = torch_zip_make(TURNED, sizeof TURNED - 1, &count);
    Error error = {0};
    SafetensorsFile *file;
    if (open_bytes(zip, count, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(file->count, 1);
    assert_int_equal(file->entries[0].dtype, DTYPE_U8);
    assert_int_equal(file->entries[0].bytes, sizeof EXPECTED);
    assert_memory_equal(file->entries[0].data, EXPECTED, sizeof EXPECTED);
    safetensors_close(file);
    free(zip);
}

static void names_that_stand_for_one_text_take_no_memory_each(void **state) {
    (void)state;
    enum { LENGTH = 60000, TIMES = 40000 };
    size_t size = 0, count;
    uint8_t *pickle = memory_allocate(LENGTH + 4 * TIMES + 64, 1);
    assert_non_null(pickle);
    memcpy(pickle, "\x80\2}(X\x60\xea\0\0", 9);
    size = 9;
    memset(pickle + size, 'a', LENGTH);
    size += LENGTH;
    memcpy(pickle + size, "q\0N", 3);
    size += 3;
    for (int i = 0; i < TIMES; i++, size += 3) memcpy(pickle + size, "h\0N", 3);
    memcpy(pickle + size, "u.", 2);
    uint8_t *zip = torch_zip_make(pickle, size + 2, &count);
    must_be(zip, count, STATUS_FORMAT, "tensors of one name");
    free(zip);
    free(pickle);
}

static void values_are_as_many_as_the_limit_has(void **state) {
    (void)state;
    size_t size = (size_t)3 << 20, count;
    uint8_t *pickle = memory_allocate(size, 1);
    assert_non_null(pickle);
    memset(pickle, ')', size);
    uint8_t *zip = torch_zip_make(pickle, size, &count);
    must_be(zip, count, STATUS_UNSUPPORTED, "expected fewer values");
    memset(pickle, '(', size);
    free(zip);
    zip = torch_zip_make(pickle, size, &count);
    must_be(zip, count, STATUS_UNSUPPORTED, "nested too deeply");
    free(zip);
    free(pickle);
}

/* ---- zips ---- */

static const char GOOD[] = DICT(VIEW(FLOATS, "\0", "K\3K\4\x86", "K\4K\1\x86"));

static void a_zip_that_is_cut_anywhere_is_refused(void **state) {
    (void)state;
    size_t count;
    uint8_t *zip = torch_zip_make(GOOD, sizeof GOOD - 1, &count);
    must_be(zip, count, STATUS_OK, "");
    for (size_t cut = 1; cut < count; cut++) must_be(zip, count - cut, STATUS_FORMAT, "");
    free(zip);
}

/* A field of the directory's first entry (which is a/data.pkl's) or of the end. */
static void field_is(size_t from_end, size_t at, uint32_t number, int bytes, Status status,
                     const char *words) {
    size_t count;
    uint8_t *zip = torch_zip_make(GOOD, sizeof GOOD - 1, &count);
    torch_zip_put(zip + count - from_end + at, number, bytes);
    must_be(zip, count, status, words);
    free(zip);
}

static void a_zip_that_lies_about_its_members_is_refused(void **state) {
    (void)state;
    enum { ENTRIES = TORCH_ZIP_END + 3 * TORCH_ZIP_ENTRY + 10 + 8 + 8 };
    field_is(ENTRIES, 8, 1, 2, STATUS_UNSUPPORTED, "a/data.pkl compressed or encrypted");
    field_is(ENTRIES, 10, 8, 2, STATUS_UNSUPPORTED, "a/data.pkl compressed or encrypted");
    field_is(ENTRIES, 20, 1, 4, STATUS_FORMAT, "a member that reaches past its place");
    field_is(ENTRIES, 24, 0xffffffff, 4, STATUS_FORMAT, "a broken entry"); /* of zip64, which is not there */
    field_is(ENTRIES, 28, 0xffff, 2, STATUS_FORMAT, "a broken entry");
    field_is(ENTRIES, 42, 1, 4, STATUS_FORMAT, "a member that reaches past its place");
    field_is(ENTRIES, 42, 0x7fffffff, 4, STATUS_FORMAT, "a member that reaches past its place");
    field_is(ENTRIES, TORCH_ZIP_ENTRY + 9, 'x', 1, STATUS_UNSUPPORTED, "a zip without data.pkl");
    field_is(TORCH_ZIP_END, 10, 4, 2, STATUS_FORMAT, "a directory that does not fit");
    field_is(TORCH_ZIP_END, 10, 0xffff, 2, STATUS_FORMAT, "a directory that does not fit");
    field_is(TORCH_ZIP_END, 12, 0xffffff, 4, STATUS_FORMAT, "a directory that does not fit");
    field_is(TORCH_ZIP_END, 16, 0xffffff, 4, STATUS_FORMAT, "a directory that does not fit");
    field_is(TORCH_ZIP_END, 20, 1, 2, STATUS_FORMAT, "no end of its directory");
}

/* The first entry with its sizes and its place in the fields of zip64, as a file of more than 4 GB has them. */
static void sizes_of_more_than_32_bits_stand_behind_the_name(void **state) {
    (void)state;
    enum {
        ENTRIES = TORCH_ZIP_END + 3 * TORCH_ZIP_ENTRY + 10 + 8 + 8,
        BEHIND = TORCH_ZIP_ENTRY + 10,
        EXTRA = 28
    };
    size_t count;
    uint8_t *zip = torch_zip_make(GOOD, sizeof GOOD - 1, &count), *wide = memory_allocate(count + EXTRA, 1);
    assert_non_null(wide);
    size_t entry = count - ENTRIES, at = entry + BEHIND, end = count + EXTRA - TORCH_ZIP_END;
    memcpy(wide, zip, at);
    memcpy(wide + at + EXTRA, zip + at, count - at);
    torch_zip_put(wide + entry + 20, 0xffffffff, 4);
    torch_zip_put(wide + entry + 24, 0xffffffff, 4);
    torch_zip_put(wide + entry + 30, EXTRA, 2);
    torch_zip_put(wide + entry + 42, 0xffffffff, 4);
    torch_zip_put(wide + at, 1, 2);
    torch_zip_put(wide + at + 2, EXTRA - 4, 2);
    torch_zip_put(wide + at + 4, sizeof GOOD - 1, 8);
    torch_zip_put(wide + at + 12, sizeof GOOD - 1, 8);
    torch_zip_put(wide + end + 12, ENTRIES - TORCH_ZIP_END + EXTRA, 4);
    must_be(wide, count + EXTRA, STATUS_OK, "");
    torch_zip_put(wide + at + 4, UINT64_MAX, 8);
    torch_zip_put(wide + at + 12, UINT64_MAX, 8);
    must_be(wide, count + EXTRA, STATUS_FORMAT, "a member that reaches past its place");
    torch_zip_put(wide + at + 2, EXTRA - 12, 2);
    must_be(wide, count + EXTRA, STATUS_FORMAT, "a broken entry");
    torch_zip_put(wide + at + 2, EXTRA, 2);
    must_be(wide, count + EXTRA, STATUS_FORMAT, "a broken entry");
    free(wide);
    free(zip);
}

static void what_lies_there_instead_is_named(void **state) {
    (void)state;
    must_be((const uint8_t *)"version https://git-lfs.github.com/spec/v1\n", 43, STATUS_FORMAT,
            "expected the zip that torch.save() writes, found a git-lfs pointer");
    must_be((const uint8_t *)"<!DOCTYPE html>", 15, STATUS_FORMAT, "found a page of HTML");
    must_be((const uint8_t *)"\x80\2\x8a\nl", 5, STATUS_UNSUPPORTED, "a bare pickle, its form before 1.6");
    must_be((const uint8_t *)"?", 1, STATUS_FORMAT, "expected a zip, found no end of its directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pickle_is_read_as_tensors_or_refused),
        cmocka_unit_test(elements_come_in_the_order_of_the_shape),
        cmocka_unit_test(names_that_stand_for_one_text_take_no_memory_each),
        cmocka_unit_test(values_are_as_many_as_the_limit_has),
        cmocka_unit_test(a_zip_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(a_zip_that_lies_about_its_members_is_refused),
        cmocka_unit_test(sizes_of_more_than_32_bits_stand_behind_the_name),
        cmocka_unit_test(what_lies_there_instead_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
