/*
 * Contents of checkpoints: known without reading where nothing about the files has changed, and only there.
 */
#include "core/cache/cache_fingerprint.h"
#include "core/files/file_stamp.h"
#include "scratch.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static const char HEADER[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";

static Cache *open_cache(const char *name) {
    Cache *cache;
    char *path = scratch_path(name);
    assert_int_equal(cache_create(path, 0, &cache, NULL), STATUS_OK);
    free(path);
    return cache;
}

static void write_checkpoint(const char *name) {
    char file[64];
    (void)snprintf(file, sizeof file, "%s/", name);
    free(scratch_path(file));
    (void)snprintf(file, sizeof file, "%s/model.safetensors", name);
    scratch_write_safetensors(file, HEADER, 16);
}

/* One that is old by its own account, so that whatever changes it, changes its times too. */
static void write_old_checkpoint(const char *name) {
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    write_checkpoint(name);
    char *path = memory_format("%s/%s/model.safetensors", scratch_root, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

static Checkpoint *open_checkpoint(const char *name) {
    Checkpoint *checkpoint;
    Error error = {0};
    char *path = scratch_path(name);
    if (checkpoint_open(path, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return checkpoint;
}

/* The clock that stamps are taken by; every call of time() comes here (CMakeLists.txt). */
static time_t ahead;
time_t __real_time(time_t *now);
time_t __wrap_time(time_t *now);

time_t __wrap_time(time_t *now) {
    time_t value = __real_time(NULL) + ahead;
    if (now != NULL) *now = value;
    return value;
}

/* Opened by a clock at which its files have rested: for a minute more, for a busy kernel brings time() up to date later than
 * the clock that files' changes are stamped by. */
static Checkpoint *open_settled(const char *name) {
    ahead = FILE_STAMP_REST + 60;
    Checkpoint *checkpoint = open_checkpoint(name);
    ahead = 0;
    assert_true(cache_fingerprint_is_settled(checkpoint));
    return checkpoint;
}

static void measure(const Cache *cache, const Checkpoint *checkpoint, char hex[HASH_HEX_SIZE]) {
    Error error = {0};
    if (cache_fingerprint_measure(cache, checkpoint, 0, 1, NULL, hex, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(hash_is_hex(hex));
}

/* Changes one byte of the weights in place. */
static void change(const char *name) {
    char *path = scratch_path(name);
    int descriptor = open(path, O_WRONLY);
    assert_int_equal(pwrite(descriptor, "!", 1, (off_t)(8 + sizeof HEADER - 1)), 1);
    assert_int_equal(close(descriptor), 0);
    free(path);
}

static void a_content_that_was_read_once_is_known_again(void **state) {
    (void)state;
    char hex[HASH_HEX_SIZE], again[HASH_HEX_SIZE];
    Cache *cache = open_cache("known");
    write_old_checkpoint("rested");
    Checkpoint *checkpoint = open_settled("rested");
    assert_false(cache_fingerprint_find(cache, checkpoint, again));
    assert_int_equal(cache_fingerprint_unread(cache, checkpoint), checkpoint->files[0]->size);
    measure(cache, checkpoint, hex);
    checkpoint_close(checkpoint);
    checkpoint = open_settled("rested");
    assert_true(cache_fingerprint_find(cache, checkpoint, again));
    assert_string_equal(again, hex);
    assert_int_equal(cache_fingerprint_unread(cache, checkpoint), 0);
    measure(cache, checkpoint, again); /* from what is kept */
    assert_string_equal(again, hex);
    checkpoint_close(checkpoint);
    cache_free(cache);
}

static void a_file_that_changed_is_read_again_and_is_another_content(void **state) {
    (void)state;
    char hex[HASH_HEX_SIZE], changed[HASH_HEX_SIZE];
    Cache *cache = open_cache("changed");
    write_old_checkpoint("edited");
    Checkpoint *before = open_settled("edited");
    measure(cache, before, hex);
    assert_true(cache_fingerprint_is_unchanged(before));
    change("edited/model.safetensors");
    assert_false(cache_fingerprint_is_unchanged(before)); /* what was measured may be of either */
    Checkpoint *after = open_settled("edited");
    assert_false(cache_fingerprint_find(cache, after, changed));
    measure(cache, after, changed);
    assert_string_not_equal(changed, hex);
    checkpoint_close(before);
    checkpoint_close(after);
    cache_free(cache);
}

static void a_file_that_changes_after_it_was_opened_is_refused(void **state) {
    (void)state;
    char hex[HASH_HEX_SIZE];
    Error error = {0};
    Cache *cache = open_cache("moving");
    write_old_checkpoint("moved");
    Checkpoint *checkpoint = open_settled("moved");
    write_checkpoint("moved"); /* truncated and written again: the same bytes, at another time */
    assert_int_equal(cache_fingerprint_measure(cache, checkpoint, 0, 1, NULL, hex, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "moved/model.safetensors"));
    checkpoint_close(checkpoint);
    cache_free(cache);
}

/* The file is changed in a minute, by its own account: however slow this machine is, it has not rested. */
static void a_file_written_just_now_is_not_trusted_by_its_times(void **state) {
    (void)state;
    char hex[HASH_HEX_SIZE], *path = scratch_path("new/model.safetensors");
    const struct timespec times[2] = {{.tv_sec = time(NULL) + 60}, {.tv_sec = time(NULL) + 60}};
    Cache *cache = open_cache("fresh");
    write_checkpoint("new");
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
    Checkpoint *checkpoint = open_checkpoint("new");
    assert_false(cache_fingerprint_is_settled(checkpoint));
    measure(cache, checkpoint, hex);
    assert_false(cache_fingerprint_find(cache, checkpoint, hex));
    checkpoint_close(checkpoint);
    cache_free(cache);
}

static void a_copy_is_the_same_content_and_another_configuration_is_not(void **state) {
    (void)state;
    char hex[HASH_HEX_SIZE], copy[HASH_HEX_SIZE], configured[HASH_HEX_SIZE], spaced[HASH_HEX_SIZE];
    Cache *cache = open_cache("copies");
    write_checkpoint("one");
    write_checkpoint("two");
    Checkpoint *one = open_checkpoint("one"), *two = open_checkpoint("two");
    measure(cache, one, hex);
    measure(cache, two, copy);
    assert_string_equal(copy, hex);
    checkpoint_close(two);
    scratch_write_text("two/config.json", "{\"model_type\": \"llama\"}");
    two = open_checkpoint("two");
    measure(cache, two, configured);
    assert_string_not_equal(configured, hex);
    checkpoint_close(two);
    scratch_write_text("two/config.json", "{\"model_type\":\n\"llama\"}"); /* the same, parsed */
    two = open_checkpoint("two");
    measure(cache, two, spaced);
    assert_string_equal(spaced, configured);
    checkpoint_close(one);
    checkpoint_close(two);
    cache_free(cache);
}

static Status cancel_and_measure(Job *job, void *argument, Error *error) {
    char hex[HASH_HEX_SIZE];
    Cache *cache = open_cache("cancelled");
    job_cancel(job);
    Status status = cache_fingerprint_measure(cache, argument, 0, 1, job, hex, error);
    cache_free(cache);
    return status;
}

static void reading_contents_can_be_cancelled(void **state) {
    (void)state;
    Job *job;
    Error error;
    write_checkpoint("long");
    Checkpoint *checkpoint = open_checkpoint("long");
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(cancel_and_measure(job, checkpoint, &error), STATUS_CANCELLED);
    job_free(job);
    checkpoint_close(checkpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_content_that_was_read_once_is_known_again),
        cmocka_unit_test(a_file_that_changed_is_read_again_and_is_another_content),
        cmocka_unit_test(a_file_that_changes_after_it_was_opened_is_refused),
        cmocka_unit_test(a_file_written_just_now_is_not_trusted_by_its_times),
        cmocka_unit_test(a_copy_is_the_same_content_and_another_configuration_is_not),
        cmocka_unit_test(reading_contents_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
