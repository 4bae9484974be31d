/*
 * The container: what is stored is found, by its key only, whole, within the limit; anything else counts as
 * missing.
 */
#include "core/cache/cache.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 88, BLOCK = 4096 };

static Cache *open_cache(const char *name, uint64_t limit) {
    Cache *cache;
    Error error = {0};
    char *path = scratch_path(name);
    if (cache_create(path, limit, &cache, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return cache;
}

static CacheKey make_key(const char *kind, unsigned version, const char *origin) {
    CacheKey key;
    assert_int_equal(cache_make_key(kind, version, origin, &key, NULL), STATUS_OK);
    return key;
}

static void store(const Cache *cache, const CacheKey *key, const void *payload, size_t size) {
    Error error = {0};
    if (cache_store(cache, key, payload, size, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static bool is_there(const Cache *cache, const CacheKey *key) {
    CacheEntry entry;
    bool found = cache_find(cache, key, &entry);
    if (!found) assert_null(entry.file);
    cache_free_entry(&entry);
    return found;
}

/* The path of an entry in the scratch directory's `name`; the caller frees. */
static char *entry_path(const char *name, const CacheKey *key) {
    char *path = memory_format("%s/%s/%s-%s", scratch_root, name, key->kind, key->sha256);
    assert_non_null(path);
    return path;
}

static size_t read_file(const char *path, unsigned char *bytes, size_t capacity) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, capacity, file);
    assert_int_equal(fclose(file), 0);
    return size;
}

static void write_file(const char *path, const unsigned char *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t count_files(const char *name) {
    char *path = memory_format("%s/%s", scratch_root, name);
    DIR *directory = opendir(path);
    size_t count = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) count += entry->d_name[0] != '.';
    assert_int_equal(closedir(directory), 0);
    free(path);
    return count;
}

/* ---- finding ---- */

static void what_was_stored_is_found_by_its_key(void **state) {
    (void)state;
    static const unsigned char PAYLOAD[] = {0, 1, 2, 255, 0};
    Cache *cache = open_cache("found", 0);
    CacheKey key = make_key("drift", 1, "base x\n");
    CacheEntry entry;
    assert_false(is_there(cache, &key)); /* before there is a directory */
    store(cache, &key, PAYLOAD, sizeof PAYLOAD);
    assert_true(cache_find(cache, &key, &entry));
    assert_int_equal(entry.size, sizeof PAYLOAD);
    assert_memory_equal(entry.payload, PAYLOAD, sizeof PAYLOAD);
    cache_free_entry(&entry);
    store(cache, &key, "other", 5);
    assert_true(cache_find(cache, &key, &entry));
    assert_int_equal(entry.size, 5);
    assert_memory_equal(entry.payload, "other", 5);
    cache_free_entry(&entry);
    store(cache, &key, NULL, 0);
    assert_true(is_there(cache, &key));
    assert_int_equal(count_files("found"), 1);
    cache_free(cache);
}

static void another_kind_version_or_origin_is_another_entry(void **state) {
    (void)state;
    Cache *cache = open_cache("keys", 0);
    CacheKey key = make_key("drift", 1, "base x\nsft y\n");
    const CacheKey others[] = {
        make_key("drift", 2, "base x\nsft y\n"), make_key("drifts", 1, "base x\nsft y\n"),
        make_key("drift", 1, "base x\nsft z\n"), make_key("drift", 1, "base x\n"), make_key("drift", 1, "")};
    store(cache, &key, "1", 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_string_not_equal(others[i].sha256, key.sha256);
        assert_false(is_there(cache, &others[i]));
    }
    assert_int_equal(cache_make_key("a-kind-whose-name-is-much-too-long", 1, "", &key, NULL),
                     STATUS_ARGUMENT);
    assert_int_equal(cache_make_key("", 1, "", &key, NULL), STATUS_ARGUMENT);
    cache_free(cache);
}

/* ---- damage ---- */

static void an_entry_with_any_bit_flipped_is_missing_and_is_rebuilt(void **state) {
    (void)state;
    unsigned char bytes[HEADER + 8];
    Cache *cache = open_cache("flipped", 0);
    CacheKey key = make_key("drift", 1, "");
    char *path = entry_path("flipped", &key);
    store(cache, &key, "payload", 7);
    size_t size = read_file(path, bytes, sizeof bytes);
    assert_int_equal(size, HEADER + 7);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        write_file(path, bytes, size);
        if (is_there(cache, &key)) fail_msg("bit %zu was flipped, and the entry was taken", bit);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    store(cache, &key, "payload", 7);
    assert_true(is_there(cache, &key));
    free(path);
    cache_free(cache);
}

static void an_entry_that_is_cut_or_goes_on_is_missing(void **state) {
    (void)state;
    unsigned char bytes[HEADER + 9] = {0};
    Cache *cache = open_cache("cut", 0);
    CacheKey key = make_key("drift", 1, "");
    char *path = entry_path("cut", &key);
    store(cache, &key, "payload", 7);
    size_t size = read_file(path, bytes, sizeof bytes);
    for (size_t length = 0; length <= size + 1; length++) {
        write_file(path, bytes, length);
        assert_int_equal(is_there(cache, &key), length == size);
    }
    free(path);
    cache_free(cache);
}

static void an_entry_under_the_name_of_another_is_missing(void **state) {
    (void)state;
    Cache *cache = open_cache("renamed", 0);
    CacheKey key = make_key("drift", 1, "a"), other = make_key("drift", 1, "b");
    char *path = entry_path("renamed", &key), *other_path = entry_path("renamed", &other);
    store(cache, &key, "payload", 7);
    assert_int_equal(rename(path, other_path), 0);
    assert_false(is_there(cache, &other));
    free(path);
    free(other_path);
    cache_free(cache);
}

static void what_is_no_file_of_its_own_is_missing(void **state) {
    (void)state;
    Cache *cache = open_cache("kinds", 0);
    CacheKey key = make_key("drift", 1, "a");
    char *path = entry_path("kinds", &key), *elsewhere = scratch_path("elsewhere");
    store(cache, &key, "payload", 7);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_false(is_there(cache, &key)); /* a link to a sound entry */
    store(cache, &key, "payload", 7);    /* takes the place of the link, not of what it points to */
    assert_true(is_there(cache, &key));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(is_there(cache, &key)); /* and does not wait for a writer */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(is_there(cache, &key));
    assert_int_equal(cache_store(cache, &key, "payload", 7, NULL), STATUS_IO);
    assert_int_equal(count_files("kinds"), 1); /* nothing is left of the attempt */
    free(path);
    free(elsewhere);
    cache_free(cache);
}

/* ---- the directory ---- */

static void files_and_directories_are_for_their_owner_alone(void **state) {
    (void)state;
    struct stat facts;
    mode_t mask = umask(0);
    Cache *cache = open_cache("deep/er", 0);
    CacheKey key = make_key("drift", 1, "");
    store(cache, &key, "payload", 7);
    (void)umask(mask);
    char *path = entry_path("deep/er", &key), *directory = memory_format("%s/deep/er", scratch_root);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(stat(directory, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0700);
    assert_int_equal(chmod(directory, 0770), 0);
    assert_false(is_there(cache, &key)); /* anyone of the group may have written it */
    assert_int_equal(cache_store(cache, &key, "payload", 7, NULL), STATUS_IO);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_true(is_there(cache, &key));
    free(path);
    free(directory);
    cache_free(cache);
}

static void a_place_that_cannot_be_a_directory_is_an_error_of_storing_only(void **state) {
    (void)state;
    scratch_write_text("file", "in the way");
    Cache *cache = open_cache("file", 0), *below = open_cache("file/cache", 0);
    CacheKey key = make_key("drift", 1, "");
    Error error = {0};
    assert_false(is_there(cache, &key));
    assert_false(is_there(below, &key));
    assert_int_equal(cache_store(cache, &key, "1", 1, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "/file"));
    assert_int_equal(cache_store(below, &key, "1", 1, NULL), STATUS_IO);
    cache_free(cache);
    cache_free(below);
}

/* ---- the limit ---- */

static void set_age(const char *path, time_t seconds) {
    const struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static CacheKey numbered_key(int number) {
    char origin[16];
    (void)snprintf(origin, sizeof origin, "%d", number);
    return make_key("drift", 1, origin);
}

static void the_entries_not_used_for_longest_make_room(void **state) {
    (void)state;
    enum { ENTRIES = 8 };
    Cache *cache = open_cache("limit", (uint64_t)ENTRIES * BLOCK);
    for (int i = 0; i < ENTRIES; i++) {
        CacheKey key = numbered_key(i);
        char *path = entry_path("limit", &key);
        store(cache, &key, "small, and a block all the same", 31);
        set_age(path, 1000 - i);
        free(path);
    }
    CacheKey oldest = numbered_key(0), second = numbered_key(1), third = numbered_key(2);
    assert_int_equal(count_files("limit"), ENTRIES);
    assert_true(is_there(cache, &oldest)); /* used: now the newest */
    CacheKey more = numbered_key(ENTRIES), most = numbered_key(ENTRIES + 1);
    store(cache, &more, "1", 1);
    assert_int_equal(count_files("limit"), ENTRIES);
    assert_false(is_there(cache, &second));
    store(cache, &most, "1", 1);
    assert_int_equal(count_files("limit"), ENTRIES);
    assert_false(is_there(cache, &third));
    assert_true(is_there(cache, &oldest));
    assert_true(is_there(cache, &more));
    assert_true(is_there(cache, &most));
    cache_free(cache);
}

static void an_entry_that_would_crowd_out_the_others_is_refused(void **state) {
    (void)state;
    static const unsigned char PAYLOAD[4 * BLOCK];
    Cache *cache = open_cache("large", 4 * BLOCK);
    CacheKey key = make_key("drift", 1, "");
    assert_int_equal(cache_store(cache, &key, PAYLOAD, BLOCK - HEADER + 1, NULL), STATUS_UNSUPPORTED);
    store(cache, &key, PAYLOAD, BLOCK - HEADER);
    assert_true(is_there(cache, &key));
    cache_free(cache);
    cache = open_cache("large", 2 * BLOCK); /* a program of another limit wrote it */
    assert_false(is_there(cache, &key));
    cache_free(cache);
}

static void a_limit_too_small_for_any_entry_keeps_none(void **state) {
    (void)state;
    Cache *cache = open_cache("tiny", 100);
    CacheKey key = make_key("drift", 1, "");
    assert_int_equal(cache_store(cache, &key, "1", 1, NULL), STATUS_UNSUPPORTED);
    assert_false(is_there(cache, &key));
    cache_free(cache);
}

static void only_what_killed_writers_left_is_cleaned_up(void **state) {
    (void)state;
    Cache *cache = open_cache("left", BLOCK * 4);
    CacheKey key = make_key("drift", 1, "");
    store(cache, &key, "1", 1);
    scratch_write_text("left/.new-0123456789abcdef", "an hour and more ago");
    scratch_write_text("left/.new-fedcba9876543210", "just now");
    scratch_write_text("left/notes", "someone's");
    scratch_write_text("left/drift-0123", "no entry's name");
    char *old = scratch_path("left/.new-0123456789abcdef"), *new = scratch_path("left/.new-fedcba9876543210");
    set_age(old, 4000);
    store(cache, &key, "1", 1);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(new, F_OK), 0);
    assert_int_equal(count_files("left"), 3);
    free(old);
    free(new);
    cache_free(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_is_found_by_its_key),
        cmocka_unit_test(another_kind_version_or_origin_is_another_entry),
        cmocka_unit_test(an_entry_with_any_bit_flipped_is_missing_and_is_rebuilt),
        cmocka_unit_test(an_entry_that_is_cut_or_goes_on_is_missing),
        cmocka_unit_test(an_entry_under_the_name_of_another_is_missing),
        cmocka_unit_test(what_is_no_file_of_its_own_is_missing),
        cmocka_unit_test(files_and_directories_are_for_their_owner_alone),
        cmocka_unit_test(a_place_that_cannot_be_a_directory_is_an_error_of_storing_only),
        cmocka_unit_test(the_entries_not_used_for_longest_make_room),
        cmocka_unit_test(an_entry_that_would_crowd_out_the_others_is_refused),
        cmocka_unit_test(a_limit_too_small_for_any_entry_keeps_none),
        cmocka_unit_test(only_what_killed_writers_left_is_cleaned_up),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
