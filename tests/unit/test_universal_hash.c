#include "core/files/universal_hash.h"
#include "tests/scratch.h"

enum { SIZE = 100000 };

typedef unsigned char Tag[UNIVERSAL_HASH_SIZE];

static unsigned char bytes[SIZE];

static int fill(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZE; i++) bytes[i] = (unsigned char)(i * 7 + i / 256);
    return 0;
}

static UniversalHash *create(void) {
    UniversalHash *hash;
    Error error;
    if (universal_hash_create(&hash, &error) != STATUS_OK) fail_msg("%s", error.message);
    return hash;
}

/* In pieces of at most `piece` bytes, with a UniversalHash of its own. */
static void tag_pieces(size_t size, size_t piece, Tag tag) {
    UniversalHash *hash = create();
    for (size_t at = 0, n; at < size; at += n) {
        n = size - at < piece ? size - at : piece;
        assert_int_equal(universal_hash_add(hash, bytes + at, n, NULL), STATUS_OK);
    }
    assert_int_equal(universal_hash_finish(hash, tag, NULL), STATUS_OK);
    universal_hash_free(hash);
}

static void the_same_bytes_have_the_same_tag_however_they_are_added(void **state) {
    (void)state;
    static const size_t PIECES[] = {1, 15, 16, 17, 4096, SIZE};
    Tag whole, tag;
    tag_pieces(SIZE, SIZE, whole);
    for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++) {
        tag_pieces(SIZE, PIECES[i], tag);
        assert_memory_equal(tag, whole, sizeof tag);
    }
}

static void a_bit_anywhere_is_another_tag(void **state) {
    (void)state;
    static const size_t PLACES[] = {0, 15, 16, SIZE / 2, SIZE - 1};
    Tag whole, tag;
    tag_pieces(SIZE, SIZE, whole);
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        bytes[PLACES[i]] ^= 1;
        tag_pieces(SIZE, SIZE, tag);
        assert_memory_not_equal(tag, whole, sizeof tag);
        bytes[PLACES[i]] ^= 1;
    }
}

static void so_are_two_that_changed_places_and_zeros_at_the_end(void **state) {
    (void)state;
    Tag whole, tag;
    tag_pieces(SIZE, SIZE, whole);
    unsigned char first = bytes[0];
    bytes[0] = bytes[SIZE / 2 + 16], bytes[SIZE / 2 + 16] = first;
    assert_int_not_equal(bytes[0], first);
    tag_pieces(SIZE, SIZE, tag);
    assert_memory_not_equal(tag, whole, sizeof tag);
    memset(bytes + 32, 0, 16);
    tag_pieces(32, SIZE, whole);
    tag_pieces(48, SIZE, tag);
    assert_memory_not_equal(tag, whole, sizeof tag);
}

static void a_finished_tag_starts_again_over_no_bytes(void **state) {
    (void)state;
    Tag nothing, whole, tag;
    UniversalHash *hash = create();
    assert_int_equal(universal_hash_finish(hash, nothing, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(universal_hash_add(hash, bytes, SIZE, NULL), STATUS_OK);
        assert_int_equal(universal_hash_finish(hash, i == 0 ? whole : tag, NULL), STATUS_OK);
    }
    assert_memory_equal(tag, whole, sizeof tag);
    assert_memory_not_equal(tag, nothing, sizeof tag);
    assert_int_equal(universal_hash_add(hash, NULL, 0, NULL), STATUS_OK);
    assert_int_equal(universal_hash_finish(hash, tag, NULL), STATUS_OK);
    assert_memory_equal(tag, nothing, sizeof tag);
    universal_hash_free(hash);
    universal_hash_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_bytes_have_the_same_tag_however_they_are_added, fill),
        cmocka_unit_test_setup(a_bit_anywhere_is_another_tag, fill),
        cmocka_unit_test_setup(so_are_two_that_changed_places_and_zeros_at_the_end, fill),
        cmocka_unit_test_setup(a_finished_tag_starts_again_over_no_bytes, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
