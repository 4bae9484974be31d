#include "core/files/hash.h"
#include "tests/scratch.h"

/* Sums from FIPS 180-4's examples. */
static const char OF_NOTHING[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char OF_ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void known_blocks_have_their_known_sums(void **state) {
    (void)state;
    char sum[HASH_HEX_SIZE];
    assert_int_equal(hash_bytes("", 0, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_NOTHING);
    assert_int_equal(hash_bytes("abc", 3, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_ABC);
}

static void pieces_add_up_and_a_finished_sum_starts_again(void **state) {
    (void)state;
    Hash *hash;
    char sum[HASH_HEX_SIZE];
    assert_int_equal(hash_create(&hash, NULL), STATUS_OK);
    assert_int_equal(hash_add(hash, "a", 1, NULL), STATUS_OK);
    assert_int_equal(hash_add(hash, "bc", 2, NULL), STATUS_OK);
    assert_int_equal(hash_finish(hash, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_ABC);
    assert_int_equal(hash_finish(hash, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_NOTHING);
    hash_free(hash);
}

static void a_file_has_the_sum_of_its_bytes(void **state) {
    (void)state;
    char sum[HASH_HEX_SIZE];
    uint64_t size = 0;
    scratch_write_text("abc", "abc");
    assert_int_equal(hash_file(scratch_path("abc"), NULL, &size, sum, NULL), STATUS_OK);
    assert_int_equal(size, 3);
    assert_string_equal(sum, OF_ABC);
}

static void what_is_no_file_is_refused_at_once(void **state) {
    (void)state;
    Error error;
    char sum[HASH_HEX_SIZE];
    assert_int_equal(hash_file(scratch_path("none"), NULL, NULL, sum, &error), STATUS_IO);
    assert_int_equal(hash_file(scratch_path(""), NULL, NULL, sum, &error), STATUS_FORMAT);
    assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
    assert_int_equal(hash_file(scratch_path("fifo"), NULL, NULL, sum, &error), STATUS_FORMAT);
}

static void a_cancelled_job_stops_the_hashing_of_a_file(void **state) {
    (void)state;
    Job *job;
    char sum[HASH_HEX_SIZE];
    scratch_write_text("abc", "abc");
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    assert_int_equal(hash_file(scratch_path("abc"), job, NULL, sum, NULL), STATUS_CANCELLED);
    job_free(job);
}

static void only_64_lower_case_digits_are_a_sum(void **state) {
    (void)state;
    assert_true(hash_is_hex(OF_ABC));
    assert_false(hash_is_hex(OF_ABC + 1));
    assert_false(hash_is_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
    assert_false(hash_is_hex(""));
    assert_false(hash_is_hex(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_blocks_have_their_known_sums),
        cmocka_unit_test(pieces_add_up_and_a_finished_sum_starts_again),
        cmocka_unit_test(a_file_has_the_sum_of_its_bytes),
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(a_cancelled_job_stops_the_hashing_of_a_file),
        cmocka_unit_test(only_64_lower_case_digits_are_a_sum),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
