/*
 * Sums of files that were hashed before: when they serve, and when they must not.
 */
#include "core/files/file_digest.h"
#include "tests/canceller.h"
#include "tests/export_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static const char SUM[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char OTHER[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

static FileStamp some_stamp(uint64_t inode) {
    return (FileStamp){.device = 1, .inode = inode, .size = 3, .modified = 100, .changed = 100, .taken = 200};
}

static int forget(void **state) {
    (void)state;
    file_digest_forget();
    return 0;
}

static void a_sum_serves_while_nothing_about_the_file_has_changed(void **state) {
    (void)state;
    char sum[HASH_HEX_SIZE] = "";
    FileStamp stamp = some_stamp(7), later = stamp;
    assert_false(file_digest_find(&stamp, sum));
    file_digest_keep(&stamp, SUM);
    later.taken = 900; /* when it was asked about is not about the file */
    assert_true(file_digest_find(&later, sum));
    assert_string_equal(sum, SUM);
    FileStamp changed[] = {stamp, stamp, stamp, stamp, stamp, stamp, stamp};
    changed[0].device++, changed[1].inode++, changed[2].size++, changed[3].modified++;
    changed[4].modified_nanoseconds++, changed[5].changed++, changed[6].changed_nanoseconds++;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        assert_false(file_digest_find(&changed[i], sum));
}

static void a_file_that_has_not_rested_is_not_remembered(void **state) {
    (void)state;
    char sum[HASH_HEX_SIZE] = "";
    FileStamp stamp = some_stamp(7);
    stamp.taken = stamp.changed + FILE_STAMP_REST;
    file_digest_keep(&stamp, SUM);
    assert_false(file_digest_find(&stamp, sum));
    assert_string_equal(sum, "");
}

static void the_oldest_gives_way(void **state) {
    (void)state;
    char sum[HASH_HEX_SIZE];
    FileStamp first = some_stamp(0), second = some_stamp(1);
    for (uint64_t i = 0; i <= FILE_DIGEST_CAPACITY; i++) {
        FileStamp stamp = some_stamp(i);
        file_digest_keep(&stamp, i == 1 ? OTHER : SUM);
    }
    assert_false(file_digest_find(&first, sum));
    assert_true(file_digest_find(&second, sum));
    assert_string_equal(sum, OTHER);
    file_digest_keep(&second, SUM); /* in its place */
    assert_true(file_digest_find(&second, sum));
    assert_string_equal(sum, SUM);
}

/* Gives the file another sum than its own, so that a use of it shows. */
static void pretend(const char *path, const char *sum) {
    FileStamp stamp;
    assert_true(file_stamp_read(path, &stamp));
    stamp.taken += 100;
    file_digest_keep(&stamp, sum);
}

static void a_file_is_read_once_until_it_changes(void **state) {
    (void)state;
    static const char OF_ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char sum[HASH_HEX_SIZE];
    scratch_write_text("abc", "abc");
    assert_int_equal(file_digest_read(scratch_path("abc"), NULL, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_ABC);
    pretend(scratch_path("abc"), OTHER);
    assert_int_equal(file_digest_read(scratch_path("abc"), NULL, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OTHER);
    const struct timespec times[2] = {{0, 0}, {5, 0}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path("abc"), times, 0), 0);
    assert_int_equal(file_digest_read(scratch_path("abc"), NULL, sum, NULL), STATUS_OK);
    assert_string_equal(sum, OF_ABC);
    assert_int_equal(file_digest_read(scratch_path("none"), NULL, sum, NULL), STATUS_IO);
}

static ExportPlan *export_to(const Pair *pair, const char *name) {
    ExportOptions options = {.settings = {.alpha = 0.3}, .directory = scratch_path(name)};
    ExportPlan *plan = fixture_plan(pair, &options);
    Error error;
    if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    return plan;
}

static void an_export_takes_the_sums_of_inputs_that_are_known(void **state) {
    (void)state;
    fixture_make_pair();
    Pair *pair = fixture_open();
    pretend(pair->sft->files[0]->path, SUM);
    ExportPlan *plan = export_to(pair, "known");
    assert_string_equal(plan->recipe->sft.files.list[0].sha256, SUM);
    char own[HASH_HEX_SIZE];
    assert_int_equal(hash_file(pair->base->files[0]->path, NULL, NULL, own, NULL), STATUS_OK);
    assert_string_equal(plan->recipe->base.files.list[0].sha256, own);
    export_plan_free(plan);
    pair_close(pair);
}

/* Another time of change alone is no other file, but may be other bytes: neither sum is believed. */
static void an_export_hashes_inputs_whose_stamp_is_no_longer_that_of_their_opening(void **state) {
    (void)state;
    fixture_make_pair();
    Pair *pair = fixture_open();
    char own[HASH_HEX_SIZE];
    assert_int_equal(hash_file(pair->sft->files[0]->path, NULL, NULL, own, NULL), STATUS_OK);
    pretend(pair->sft->files[0]->path, SUM);
    assert_int_equal(chmod(pair->sft->files[0]->path, 0640), 0);
    pretend(pair->sft->files[0]->path, OTHER);
    ExportPlan *plan = export_to(pair, "touched");
    assert_string_equal(plan->recipe->sft.files.list[0].sha256, own);
    export_plan_free(plan);
    pair_close(pair);
}

static void a_second_export_knows_what_the_first_has_hashed(void **state) {
    (void)state;
    fixture_make_pair();
    Pair *pair = fixture_open();
    char sum[HASH_HEX_SIZE];
    pair->sft->files[0]->stamp.taken += 100; /* as if it had rested when it was opened */
    pair->base->files[0]->stamp.taken = pair->base->files[0]->stamp.changed; /* and this one had not */
    export_plan_free(export_to(pair, "first"));
    assert_true(file_digest_find(&pair->sft->files[0]->stamp, sum));
    assert_false(file_digest_find(&pair->base->files[0]->stamp, sum));
    ExportPlan *plan = export_to(pair, "second");
    assert_string_equal(plan->recipe->sft.files.list[0].sha256, sum);
    export_plan_free(plan);
    pair_close(pair);
}

/* The state is a file like any other: verification must not take its word. */
static void a_sum_from_the_state_of_an_interrupted_export_is_not_remembered(void **state) {
    (void)state;
    fixture_make_pair();
    Pair *pair = fixture_open();
    ExportOptions options = {.settings = {.alpha = 0.3},
                             .directory = scratch_path("resumed"),
                             .shard_bytes = 600,
                             .window_bytes = 64,
                             .sync_bytes = 1};
    char sum[HASH_HEX_SIZE];
    Error error = {0};
    Canceller canceller;
    pair->sft->files[0]->stamp.taken += 100; /* as if it had rested when it was opened */
    pretend(pair->sft->files[0]->path, SUM);
    canceller_begin(&canceller, 1, 10);
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(export_run(plan, canceller.job, &error), STATUS_CANCELLED);
    job_free(canceller.job);
    export_plan_free(plan);
    file_digest_forget();
    plan = fixture_plan(pair, &options);
    assert_true(plan->kept_bytes > 0);
    if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(plan->recipe->sft.files.list[0].sha256, SUM); /* as the state says */
    assert_false(file_digest_find(&pair->sft->files[0]->stamp, sum));
    export_plan_free(plan);
    pair_close(pair);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_sum_serves_while_nothing_about_the_file_has_changed),
        TEST(a_file_that_has_not_rested_is_not_remembered),
        TEST(the_oldest_gives_way),
        TEST(a_file_is_read_once_until_it_changes),
        TEST(an_export_takes_the_sums_of_inputs_that_are_known),
        TEST(an_export_hashes_inputs_whose_stamp_is_no_longer_that_of_their_opening),
        TEST(a_sum_from_the_state_of_an_interrupted_export_is_not_remembered),
        TEST(a_second_export_knows_what_the_first_has_hashed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
