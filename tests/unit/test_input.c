/*
 * Data from files, pipes and standard input, packed or not. The packed bytes are those that gzip 1.12 (-n) and zstd 1.5.4
 * made of TWO, and of its two lines one after another.
 */
#include "core/files/input.h"
#include "tests/scratch.h"

#include <fcntl.h>
#include <pthread.h>

static const char TWO[] = "{\"prompt\": \"a\", \"response\": \"b\"}\n{\"prompt\": \"c\"}\n";

static const char GZIP[] =
    "1f8b0800000000000003ab562a28cacf2d2851b252504a54d251502a4a2d2ec8cf2b4e05092429d5725523294806f201a9e0890a310000"
    "00";
static const char GZIP_TWICE[] =
    "1f8b0800000000000003ab562a28cacf2d2851b252504a54d251502a4a2d2ec8cf2b4e05092429d572010090c94cd0210000001f8b0800"
    "000000000003ab562a28cacf2d2851b252504a56aae50200d0dbf18010000000";
static const char ZSTD[] =
    "28b52ffd24315d010014027b2270726f6d7074223a202261222c2022726573706f6e736562227d0a63227d0a0200443189ac39061ecb44"
    "54";
static const char ZSTD_TWICE[] =
    "28b52ffd04580901007b2270726f6d7074223a202261222c2022726573706f6e7365223a202262227d0a8a4742bc28b52ffd0458810000"
    "7b2270726f6d7074223a202263227d0ad0e598bb";

static size_t write_hex(const char *name, const char *hex, const char *behind, size_t behind_bytes) {
    unsigned char bytes[512];
    size_t count = strlen(hex) / 2;
    for (size_t i = 0; i < count; i++) assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
    if (behind_bytes > 0) memcpy(bytes + count, behind, behind_bytes);
    scratch_write(name, bytes, count + behind_bytes);
    return count;
}

static Status read_name(const char *name, size_t limit, Input *input, Error *error) {
    return input_read(scratch_path(name), limit, NULL, input, error);
}

static void must_read(const char *name, const char *expected, size_t bytes) {
    Input input;
    Error error;
    char sum[HASH_HEX_SIZE];
    if (read_name(name, 1 << 20, &input, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(input.bytes, bytes);
    assert_memory_equal(input.text, expected, bytes + 1); /* and the NUL */
    assert_int_equal(hash_file(scratch_path(name), NULL, NULL, sum, NULL), STATUS_OK);
    assert_string_equal(input.sha256, sum); /* of what came, packed where it is */
    input_free(&input);
}

static void must_refuse(const char *name, size_t limit, Status expected, const char *words) {
    Input input;
    Error error = {0};
    Status status = read_name(name, limit, &input, &error);
    if (status != expected || strstr(error.message, words) == NULL)
        fail_msg("%s: expected %s, \"%s\"; got %s: %s", name, status_name(expected), words,
                 status_name(status), error.message);
    assert_non_null(strstr(error.message, name)); /* every message says which file */
    input_free(&input);
}

static void what_is_not_packed_stays_as_it_is(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"", "a", "\x1f", "\x28\xb5\x2f", TWO};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        scratch_write("plain", TEXTS[i], strlen(TEXTS[i]));
        must_read("plain", TEXTS[i], strlen(TEXTS[i]));
    }
}

static void gzip_and_zstd_are_unpacked_one_or_several_in_a_row(void **state) {
    (void)state;
    static const char *const PACKED[] = {GZIP, GZIP_TWICE, ZSTD, ZSTD_TWICE};
    for (size_t i = 0; i < sizeof PACKED / sizeof *PACKED; i++) {
        (void)write_hex("packed", PACKED[i], "", 0);
        must_read("packed", TWO, strlen(TWO));
    }
    (void)write_hex("padded.gz", GZIP, "\0\0\0", 3); /* as tapes pad: gzip passes over it too */
    must_read("padded.gz", TWO, strlen(TWO));
}

/* Three times and ten times as much as is unpacked at once of so few bytes. */
static void a_few_bytes_may_unpack_to_many(void **state) {
    (void)state;
    static const struct {
        const char *packed;
        size_t bytes;
    } CASES[] = {
        {"1f8b0800000000000003edc13101000000c2a0aceb5fc21a1e40010000000000000000000000ef06c9f0979300300000",
         12288},
        {"28b52ffd64002f4d00001061610100fb8f0758e3d45260", 12288},
        {"1f8b0800000000000003edc13101000000c2a0aceb5fc2cb16400100000000000000000000000000000000000000000000000000000000000000"
         "0000000000000037f7b8ddf3409c0000",
         40000},
        {"28b52ffd64409b55000010616101003b1c1d6001b15bc18a", 40000},
    };
    static char many[40000 + 1];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        memset(many, 'a', sizeof many);
        many[CASES[i].bytes] = '\0';
        (void)write_hex("many", CASES[i].packed, "", 0);
        must_read("many", many, CASES[i].bytes);
    }
}

static void what_ends_early_or_is_damaged_is_refused_at_every_length(void **state) {
    (void)state;
    static const char *const PACKED[] = {GZIP, ZSTD};
    static const char *const NAMES[] = {"gzip", "zstd"};
    char hex[512];
    for (size_t i = 0; i < 2; i++) {
        for (size_t bytes = 5; 2 * bytes < strlen(PACKED[i]); bytes++) {
            (void)snprintf(hex, sizeof hex, "%.*s", (int)(2 * bytes), PACKED[i]);
            (void)write_hex("cut", hex, "", 0);
            must_refuse("cut", 1 << 20, STATUS_FORMAT, NAMES[i]);
        }
    }
    (void)write_hex("behind.gz", GZIP, "more", 4);
    must_refuse("behind.gz", 1 << 20, STATUS_FORMAT, "gzip");
    (void)snprintf(hex, sizeof hex, "%s", GZIP);
    hex[strlen(hex) - 10] ^= 1; /* of the sum */
    (void)write_hex("sum.gz", hex, "", 0);
    must_refuse("sum.gz", 1 << 20, STATUS_FORMAT, "incorrect data check");
}

static void more_than_is_allowed_is_refused_packed_or_not(void **state) {
    (void)state;
    size_t whole = strlen(TWO);
    Input input;
    scratch_write("plain", TWO, whole);
    must_refuse("plain", whole - 1, STATUS_FORMAT, "at most 48 bytes");
    assert_int_equal(read_name("plain", whole, &input, NULL), STATUS_OK);
    input_free(&input);
    static const char *const PACKED[] = {GZIP_TWICE, ZSTD_TWICE};
    for (size_t i = 0; i < 2; i++) {
        (void)write_hex("packed", PACKED[i], "", 0);
        /* the packed bytes are more than those of TWO: only what they hold counts here */
        Error error = {0};
        FILE *file = fopen(scratch_path("packed"), "rb");
        char *text = malloc(512), *before = text;
        assert_true(file != NULL && text != NULL);
        size_t bytes = fread(text, 1, 512, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(input_unpack("packed", whole - 1, NULL, &text, &bytes, &error), STATUS_FORMAT);
        assert_non_null(strstr(error.message, "unpacked"));
        assert_ptr_equal(text, before);
        assert_int_equal(input_unpack("packed", whole, NULL, &text, &bytes, &error), STATUS_OK);
        assert_int_equal(bytes, whole);
        free(text);
    }
}

static void formats_known_by_name_are_refused_with_a_command(void **state) {
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t count;
        const char *what, *command;
    } FORMATS[] = {
        {"a.parquet", "PAR1\x15\x04", 6, "Parquet", "pandas.read_parquet(sys.argv[1]).to_json("},
        {"a.arrow", "ARROW1\0\0....", 12, "an Arrow file", "pyarrow.ipc.open_file("},
        {"s.arrow", "\xff\xff\xff\xff\x58\x01\0\0", 8, "an Arrow stream", "pyarrow.ipc.open_stream("},
        {"a.zip", "PK\x03\x04", 4, "zip", "unzip -p '"},
        {"a.xz",
         "\xfd"
         "7zXZ\0",
         6, "xz", "xz -dc '"},
        {"a.bz2", "BZh91AY", 7, "bzip2", "bzip2 -dc '"},
        {"a.u16", "\xff\xfe{\0", 4, "UTF-16", "iconv -f UTF-16"},
        {"a.lfs", "version https://git-lfs.github.com/spec/v1\n", 43, "git-lfs", "git lfs pull"},
    };
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        char quoted[1100];
        (void)snprintf(quoted, sizeof quoted, "'%s'", scratch_path(FORMATS[i].name));
        scratch_write(FORMATS[i].name, FORMATS[i].bytes, FORMATS[i].count);
        must_refuse(FORMATS[i].name, 1 << 20, STATUS_UNSUPPORTED, FORMATS[i].what);
        must_refuse(FORMATS[i].name, 1 << 20, STATUS_UNSUPPORTED, FORMATS[i].command);
        must_refuse(FORMATS[i].name, 1 << 20, STATUS_UNSUPPORTED, quoted); /* as a shell takes it */
    }
    char tar[512] = "rows.jsonl";
    memcpy(tar + 257, "ustar", 5);
    scratch_write("a.tar", tar, sizeof tar);
    must_refuse("a.tar", 1 << 20, STATUS_UNSUPPORTED, "tar -xOf");
    scratch_write("it's.zip", "PK\x03\x04", 4);
    must_refuse("it's.zip", 1 << 20, STATUS_UNSUPPORTED, "unzip -p FILE");
}

static void what_is_no_file_is_said(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
    must_refuse("folder", 1, STATUS_FORMAT, "a directory");
    must_refuse("absent", 1, STATUS_IO, "No such file");
}

/* ---- pipes ---- */

static void *feed(void *path) {
    FILE *file = fopen(path, "wb"); /* waits for the reader */
    if (file == NULL) return NULL;
    (void)fwrite(TWO, 1, 20, file);
    (void)fflush(file);
    (void)fwrite(TWO + 20, 1, strlen(TWO) - 20, file);
    (void)fclose(file);
    return NULL;
}

static void a_pipe_is_waited_for_and_read_to_its_end(void **state) {
    (void)state;
    Input input;
    Error error;
    pthread_t feeder;
    assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_path("pipe"));
    assert_int_equal(pthread_create(&feeder, NULL, feed, path), 0);
    if (input_read(path, 1 << 20, NULL, &input, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(pthread_join(feeder, NULL), 0);
    assert_string_equal(input.text, TWO);
    input_free(&input);
}

static void standard_input_is_called_a_minus(void **state) {
    (void)state;
    Input input;
    scratch_write("rows", TWO, strlen(TWO));
    int kept = dup(STDIN_FILENO), file = open(scratch_path("rows"), O_RDONLY);
    assert_true(kept >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    Status status = input_read("-", 1 << 20, NULL, &input, NULL);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(kept) + close(file), 0);
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(input.text, TWO);
    assert_string_equal(input_name("-"), "standard input");
    input_free(&input);
}

/* The one has no end, and is refused by its first MiB; the other is empty. */
static void a_device_is_read_while_it_is_small(void **state) {
    (void)state;
    Input input;
    Error error = {0};
    assert_int_equal(input_read("/dev/zero", (size_t)1 << 30, NULL, &input, &error), STATUS_FORMAT);
    assert_string_equal(error.message, "/dev/zero: expected at most 1048576 bytes, found more");
    assert_true(input.bytes <= 2 * INPUT_DEVICE_LIMIT);
    input_free(&input);
    assert_int_equal(input_read("/dev/null", 1, NULL, &input, NULL), STATUS_OK);
    assert_int_equal(input.bytes, 0);
    input_free(&input);
}

/* Nobody ever writes into it: without the job this would wait for ever. */
static void a_cancelled_job_ends_the_waiting(void **state) {
    (void)state;
    Job *job;
    Input input;
    assert_int_equal(mkfifo(scratch_path("silent"), 0600), 0);
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    assert_int_equal(input_read(scratch_path("silent"), 1, job, &input, NULL), STATUS_CANCELLED);
    input_free(&input);
    job_free(job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_packed_stays_as_it_is),
        cmocka_unit_test(gzip_and_zstd_are_unpacked_one_or_several_in_a_row),
        cmocka_unit_test(a_few_bytes_may_unpack_to_many),
        cmocka_unit_test(what_ends_early_or_is_damaged_is_refused_at_every_length),
        cmocka_unit_test(more_than_is_allowed_is_refused_packed_or_not),
        cmocka_unit_test(formats_known_by_name_are_refused_with_a_command),
        cmocka_unit_test(what_is_no_file_is_said),
        cmocka_unit_test(a_pipe_is_waited_for_and_read_to_its_end),
        cmocka_unit_test(standard_input_is_called_a_minus),
        cmocka_unit_test(a_device_is_read_while_it_is_small),
        cmocka_unit_test(a_cancelled_job_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
