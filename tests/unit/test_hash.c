#include "core/files/hash.h"
#include "tests/scratch.h"

#include <openssl/evp.h>

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

/* libcrypto's word on `size` bytes. */
static void sum_by_libcrypto(const void *bytes, size_t size, char hex[HASH_HEX_SIZE]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    assert_int_equal(EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL), 1);
    for (int i = 0; i < 32; i++) (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

enum { MOST = 300 };

static const unsigned char *some_bytes(void) {
    static unsigned char bytes[2 * MOST];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * i * 7 + i * 13 + 5);
    return bytes;
}

static void any_length_in_any_two_pieces_has_its_sum(void **state) {
    (void)state;
    const unsigned char *bytes = some_bytes();
    char expected[HASH_HEX_SIZE], sum[HASH_HEX_SIZE];
    Hash *hash;
    assert_int_equal(hash_create(&hash, NULL), STATUS_OK);
    for (size_t size = 0; size <= MOST; size++) {
        sum_by_libcrypto(bytes, size, expected);
        for (size_t first = 0; first <= size; first++) {
            assert_int_equal(hash_add(hash, bytes, first, NULL), STATUS_OK);
            assert_int_equal(hash_add(hash, bytes + first, size - first, NULL), STATUS_OK);
            assert_int_equal(hash_finish(hash, sum, NULL), STATUS_OK);
            assert_string_equal(sum, expected);
        }
    }
    hash_free(hash);
}

/* Each is begun with some bytes of its own, so that blocks of the two do not begin alike. */
static void check_two(Hash *const hashes[2], const size_t begun[2], const size_t sizes[2]) {
    const unsigned char *bytes = some_bytes();
    HashPart parts[2];
    char expected[HASH_HEX_SIZE], sum[HASH_HEX_SIZE];
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *own = bytes + 31 * i;
        assert_int_equal(hash_add(hashes[i], own, begun[i], NULL), STATUS_OK);
        parts[i] = (HashPart){hashes[i], own + begun[i], sizes[i] - begun[i]};
    }
    assert_int_equal(hash_add_two(parts[0], parts[1], NULL), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        sum_by_libcrypto(bytes + 31 * i, sizes[i], expected);
        assert_int_equal(hash_finish(hashes[i], sum, NULL), STATUS_OK);
        assert_string_equal(sum, expected);
    }
}

static void two_sums_at_once_are_those_of_each_alone(void **state) {
    (void)state;
    static const size_t BEGUN[] = {0, 1, 63, 64, 65}, SIZES[] = {65, 127, 128, 129, 191, 192, 256, 300};
    enum { BEGINNINGS = sizeof BEGUN / sizeof *BEGUN, LENGTHS = sizeof SIZES / sizeof *SIZES };
    Hash *hashes[2];
    for (int i = 0; i < 2; i++) assert_int_equal(hash_create(&hashes[i], NULL), STATUS_OK);
    for (size_t i = 0; i < BEGINNINGS * BEGINNINGS * LENGTHS * LENGTHS; i++) {
        size_t sizes = i / (BEGINNINGS * BEGINNINGS);
        check_two(hashes, (size_t[]){BEGUN[i % BEGINNINGS], BEGUN[i / BEGINNINGS % BEGINNINGS]},
                  (size_t[]){SIZES[sizes % LENGTHS], SIZES[sizes / LENGTHS]});
    }
    for (int i = 0; i < 2; i++) hash_free(hashes[i]);
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
        cmocka_unit_test(any_length_in_any_two_pieces_has_its_sum),
        cmocka_unit_test(two_sums_at_once_are_those_of_each_alone),
        cmocka_unit_test(a_file_has_the_sum_of_its_bytes),
        cmocka_unit_test(what_is_no_file_is_refused_at_once),
        cmocka_unit_test(a_cancelled_job_stops_the_hashing_of_a_file),
        cmocka_unit_test(only_64_lower_case_digits_are_a_sum),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
