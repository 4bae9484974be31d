/* Runs of an export: the same bytes however they are made, resuming, refusing, reproducing. */
#include "core/files/json.h"
#include "tests/canceller.h"
#include "tests/export_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <utime.h>

static int make_pair(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    scratch_clear("reference");
    fixture_make_pair();
    return 0;
}

/* Pieces so small that the little pair takes many rounds, and a point to resume from after each tensor. */
static ExportOptions small_steps(void) {
    ExportOptions options = fixture_options();
    options.shard_bytes = 600;
    options.window_bytes = 64;
    options.sync_bytes = 1;
    return options;
}

static void make_reference(const ExportOptions *options) {
    ExportOptions once = *options;
    once.directory = scratch_path("reference");
    once.window_bytes = once.sync_bytes = 0;
    scratch_clear("reference");
    fixture_export(&once);
}

static void expect_reference(void) {
    char command[2048];
    (void)snprintf(command, sizeof command, "diff -r '%s' '%s'", scratch_path("reference"),
                   scratch_path("out"));
    assert_int_equal(system(command), 0);
    assert_false(scratch_has(".out.rejuv-partial"));
}

static Status export_until(const ExportOptions *options, unsigned report, unsigned threads, Error *error) {
    Canceller canceller;
    canceller_begin(&canceller, threads, report);
    Status status = fixture_export_as(options, canceller.job, error);
    job_free(canceller.job);
    return status;
}

static void bytes_do_not_depend_on_threads_or_windows(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    make_reference(&options);
    static const size_t WINDOWS[] = {64, 100, 1000, 0};
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        for (size_t i = 0; i < sizeof WINDOWS / sizeof *WINDOWS; i++) {
            scratch_clear("out");
            options.window_bytes = WINDOWS[i];
            Error error = {0};
            if (export_until(&options, 0, threads, &error) != STATUS_OK) fail_msg("%s", error.message);
            expect_reference();
        }
    }
}

static void a_cancelled_export_resumes_wherever_it_was_cancelled(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    make_reference(&options);
    unsigned report = 1, resumed = 0;
    for (;; report++) {
        Error error = {0};
        scratch_clear("out");
        Status status = export_until(&options, report, 2, &error);
        if (status == STATUS_OK) break;
        assert_int_equal(status, STATUS_CANCELLED);
        assert_false(scratch_has("out"));
        Pair *pair = fixture_open();
        ExportPlan *plan = fixture_plan(pair, &options);
        assert_int_equal(plan->kept_bytes > 0, scratch_has(".out.rejuv-partial"));
        assert_int_equal(plan->kept_bytes > 0, strstr(error.message, "goes on from there") != NULL);
        resumed += plan->kept_bytes > 0;
        export_plan_free(plan);
        pair_close(pair);
        fixture_export(&options);
        expect_reference();
    }
    assert_true(report > 15 && resumed > 8); /* 1123 bytes in windows of 64 are 18 rounds at least */
}

static void an_export_finishes_in_many_short_runs(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    make_reference(&options);
    unsigned runs = 0;
    uint64_t kept = 0;
    for (Status status = STATUS_CANCELLED; status != STATUS_OK; runs++) {
        Error error = {0};
        status = export_until(&options, 9, 1, &error); /* enough for the longest tensor */
        if (status == STATUS_OK) break;
        assert_int_equal(status, STATUS_CANCELLED);
        Pair *pair = fixture_open();
        ExportPlan *plan = fixture_plan(pair, &options);
        assert_true(plan->kept_bytes > kept || kept == 1123);
        kept = plan->kept_bytes;
        export_plan_free(plan);
        pair_close(pair);
        assert_true(runs < 20);
    }
    assert_true(runs >= 2);
    expect_reference();
}

/* Leaves a partial directory with something in it. */
static void interrupt(const ExportOptions *options) {
    Error error = {0};
    assert_int_equal(export_until(options, 12, 1, &error), STATUS_CANCELLED);
    assert_true(scratch_has(".out.rejuv-partial/rejuv-partial.json"));
}

static void another_plan_starts_over(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    interrupt(&options);
    scratch_write_text(".out.rejuv-partial/stray", "left over");
    options.settings.alpha = 0.7;
    make_reference(&options);
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(plan->kept_bytes, 0);
    assert_true(plan->left_bytes > 0);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_NOTE, plan->partial_name,
                                    "removed before it is written"));
    plan->free_bytes = plan->total_bytes - 1; /* what is left makes room */
    assert_true(export_has_room(plan));
    plan->left_bytes = 0;
    assert_false(export_has_room(plan));
    export_plan_free(plan);
    pair_close(pair);
    fixture_export(&options);
    expect_reference();
}

static void inputs_that_changed_start_over(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    interrupt(&options);
    struct utimbuf earlier = {1000000000, 1000000000};
    assert_int_equal(utime(scratch_path("base/model.safetensors"), &earlier), 0);
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(plan->kept_bytes, 0);
    export_plan_free(plan);
    pair_close(pair);
    fixture_export(&options);
    make_reference(&options);
    expect_reference();
}

static void a_damaged_state_starts_over(void **state) {
    (void)state;
    static const char *const STATES[] = {"", "{", "[]", "{\"format\": \"rejuv-partial\"}",
                                         "{\"format\": \"rejuv-partial\", \"plan\": 3, \"tensors\": [1]}"};
    ExportOptions options = small_steps();
    make_reference(&options);
    for (size_t i = 0; i <= sizeof STATES / sizeof *STATES; i++) {
        scratch_clear("out");
        interrupt(&options);
        if (i < sizeof STATES / sizeof *STATES)
            scratch_write_text(".out.rejuv-partial/rejuv-partial.json", STATES[i]);
        else /* the state promises more than the shard holds */
            assert_int_equal(truncate(scratch_path(".out.rejuv-partial/model-00001-of-00002.safetensors"), 9),
                             0);
        fixture_export(&options);
        expect_reference();
    }
}

static void discarding_removes_what_is_left_and_nothing_else(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    uint64_t bytes = 77;
    assert_int_equal(export_discard(options.directory, &bytes, NULL), STATUS_OK);
    assert_int_equal(bytes, 0);
    interrupt(&options);
    assert_int_equal(mkdir(scratch_path("out"), 0777), 0);
    scratch_write_text("out/precious", "1");
    assert_int_equal(export_discard(options.directory, &bytes, NULL), STATUS_OK);
    assert_true(bytes > 500);
    assert_false(scratch_has(".out.rejuv-partial"));
    assert_true(scratch_has("out/precious"));
}

static void two_exports_to_one_target_do_not_mix(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    interrupt(&options);
    int other = open(scratch_path(".out.rejuv-partial"), O_RDONLY | O_DIRECTORY);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX), 0);
    Error error = {0};
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "another export"));
    assert_int_equal(export_discard(options.directory, NULL, &error), STATUS_IO);
    assert_true(scratch_has(".out.rejuv-partial/rejuv-partial.json"));
    assert_int_equal(close(other), 0);
    fixture_export(&options);
}

static const char *renamed_from, *renamed_to; /* by "another export", right before the next lock; NULL: not */

/* In place of the C library's. */
int flock(int descriptor, int operation) {
    if (renamed_from != NULL) assert_int_equal(rename(renamed_from, renamed_to), 0);
    renamed_from = NULL;
    return (int)syscall(SYS_flock, descriptor, operation);
}

static void an_export_that_ends_while_another_begins_is_not_emptied(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    for (int i = 0; i < 2; i++) {
        Error error = {0};
        scratch_clear("out");
        interrupt(&options);
        renamed_to = scratch_path("out");
        renamed_from = scratch_path(".out.rejuv-partial");
        Status status = i == 0 ? fixture_export_as(&options, NULL, &error)
                               : export_discard(options.directory, NULL, &error);
        assert_int_equal(status, STATUS_IO);
        assert_non_null(strstr(error.message, "just now"));
        assert_true(scratch_has("out/rejuv-partial.json"));
        assert_true(scratch_has("out/model-00001-of-00002.safetensors"));
    }
}

static void a_target_whose_mark_is_about_to_go_is_left_alone(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    Error error = {0};
    unsigned report = 12;
    bool is_whole = false;
    for (; !is_whole; report++) { /* all tensors are there, and nothing else */
        scratch_clear(".out.rejuv-partial");
        Pair *pair = fixture_open();
        assert_int_equal(export_until(&options, report, 1, &error), STATUS_CANCELLED);
        ExportPlan *plan = fixture_plan(pair, &options);
        is_whole = plan->kept_bytes == plan->weight_bytes;
        export_plan_free(plan);
        pair_close(pair);
    }
    assert_int_equal(rename(scratch_path(".out.rejuv-partial"), scratch_path("out")), 0);
    int other = open(scratch_path("out"), O_RDONLY | O_DIRECTORY);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_IO);
    assert_non_null(strstr(error.message, "another export"));
    assert_true(scratch_has("out/rejuv-partial.json"));
    assert_int_equal(close(other), 0);
    fixture_export(&options); /* its writer is gone: taken back and finished */
    make_reference(&options);
    expect_reference();
}

static void a_link_in_the_place_of_the_partial_directory_is_not_followed(void **state) {
    (void)state;
    ExportOptions options = small_steps();
    assert_int_equal(mkdir(scratch_path("elsewhere"), 0777), 0);
    scratch_write_text("elsewhere/precious", "1");
    assert_int_equal(symlink("elsewhere", scratch_path(".out.rejuv-partial")), 0);
    Error error = {0};
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_IO);
    assert_int_equal(export_discard(options.directory, NULL, &error), STATUS_IO);
    assert_true(scratch_has("elsewhere/precious"));
    scratch_clear(".out.rejuv-partial");
    scratch_clear("elsewhere");
}

/* What happens to the pair or the target while an export runs. */
typedef enum Mishap {
    INPUT_GROWS,
    INPUT_IS_TOUCHED,
    INPUT_IS_REPLACED,
    INPUT_VANISHES,
    TARGET_APPEARS
} Mishap;

/* The last change of the SFT model, down to the nanosecond. */
static void touch(long nanoseconds) {
    struct timespec times[2] = {{1000000000, nanoseconds}, {1000000000, nanoseconds}};
    assert_int_equal(utimensat(AT_FDCWD, scratch_path("sft/model.safetensors"), times, 0), 0);
}

static void have_mishap(void *user, JobProgress progress) {
    Mishap *mishap = user;
    if (progress.done < 300 || scratch_has("happened")) return;
    scratch_write_text("happened", "1");
    if (*mishap == INPUT_GROWS) {
        FILE *file = fopen(scratch_path("sft/model.safetensors"), "ab");
        assert_non_null(file);
        assert_int_equal(fputc(0, file), 0);
        assert_int_equal(fclose(file), 0);
    } else if (*mishap == INPUT_IS_TOUCHED) {
        touch(2000);
    } else if (*mishap == INPUT_IS_REPLACED) {
        scratch_clear("base/model.safetensors");
        scratch_write_tensors("base/model.safetensors", FIXTURE_SFT, FIXTURE_TENSORS);
    } else if (*mishap == INPUT_VANISHES) {
        scratch_clear("base/model.safetensors");
    } else {
        assert_int_equal(mkdir(scratch_path("out"), 0777), 0);
        scratch_write_text("out/precious", "1");
    }
}

static Status export_with(Mishap mishap, Error *error) {
    Job *job;
    ExportOptions options = small_steps();
    scratch_clear("happened");
    assert_int_equal(job_create(1, have_mishap, &mishap, &job, NULL), STATUS_OK);
    Status status = fixture_export_as(&options, job, error);
    assert_true(scratch_has("happened"));
    job_free(job);
    return status;
}

static void an_input_that_changes_meanwhile_leaves_nothing(void **state) {
    static const Mishap MISHAPS[] = {INPUT_GROWS, INPUT_IS_TOUCHED, INPUT_IS_REPLACED, INPUT_VANISHES};
    for (size_t i = 0; i < sizeof MISHAPS / sizeof *MISHAPS; i++) {
        (void)make_pair(state);
        touch(1000);
        Error error = {0};
        assert_int_equal(export_with(MISHAPS[i], &error), STATUS_IO);
        assert_non_null(strstr(error.message, "model.safetensors"));
        assert_false(scratch_has("out"));
        assert_false(scratch_has(".out.rejuv-partial"));
    }
}

/* Of the same size, so that only what the system says about the file tells. */
static void an_input_that_is_no_longer_the_one_that_was_opened_is_not_planned_with(void **state) {
    for (int i = 0; i < 2; i++) {
        (void)make_pair(state);
        Pair *pair = fixture_open();
        if (i == 0) {
            scratch_write_tensors("other.safetensors", FIXTURE_SFT, FIXTURE_TENSORS);
            assert_int_equal(
                rename(scratch_path("other.safetensors"), scratch_path("base/model.safetensors")), 0);
        } else {
            touch(1000);
        }
        ExportOptions options = small_steps();
        ExportPlan *plan;
        Error error = {0};
        assert_int_equal(export_plan(pair, &options, &plan, &error), STATUS_IO);
        assert_non_null(strstr(error.message, "open the pair again"));
        assert_null(plan);
        pair_close(pair);
    }
}

static void a_target_that_appears_meanwhile_is_not_overwritten(void **state) {
    (void)state;
    Error error = {0};
    assert_int_equal(export_with(TARGET_APPEARS, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "nothing is overwritten"));
    assert_true(scratch_has("out/precious"));
    assert_false(scratch_has("out/config.json"));
    assert_true(scratch_has(".out.rejuv-partial/rejuv-partial.json"));
    ExportOptions options = small_steps();
    scratch_clear("out");
    make_reference(&options);
    fixture_export(&options); /* the work was not lost, and is not wrong */
    expect_reference();
}

static void a_pair_of_one_directory_hashes_it_once_and_records_it_twice(void **state) {
    (void)state;
    Pair *pair;
    assert_int_equal(pair_open(scratch_path("sft"), scratch_path("sft"), &pair, NULL), STATUS_OK);
    ExportOptions options = fixture_options();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_int_equal(export_run(plan, NULL, NULL), STATUS_OK);
    char sum[HASH_HEX_SIZE];
    assert_int_equal(hash_file(scratch_path("sft/model.safetensors"), NULL, NULL, sum, NULL), STATUS_OK);
    assert_string_equal(plan->recipe->sft.files.list[0].sha256, sum);
    assert_string_equal(plan->recipe->base.files.list[0].sha256, sum);
    export_plan_free(plan);
    pair_close(pair);
}

/* ---- memory ---- */

/* KiB of memory that is no file's. */
static long anonymous_memory(void) {
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    char line[256];
    long found = -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "RssAnon: %ld", &found) == 1) break;
    }
    (void)fclose(file);
    assert_true(found > 0);
    return found;
}

static void remember_peak(void *user, JobProgress progress) {
    long *peak = user, now = anonymous_memory();
    (void)progress;
    if (now > *peak) *peak = now;
}

/* A row of 8 Mi elements: 16 MiB as BF16, 32 MiB widened. The bound is two windows of 1 MiB, and room for
 * what an allocator and a sanitizer keep; 1.3 MiB were seen. */
static void a_huge_row_takes_no_more_memory_than_two_windows(void **state) {
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* its shadow is anonymous memory, as large as the files that are read */
#endif
    static const ScratchTensor ROW[] = {{"model.row", DTYPE_BF16, 2, {1, 8 << 20}, 1}};
    scratch_write_checkpoint("base", ROW, 1, NULL);
    scratch_write_checkpoint("sft", ROW, 1, NULL);
    ExportOptions options = fixture_options();
    options.window_bytes = 1 << 20;
    Job *job;
    long before = anonymous_memory(), peak = before;
    assert_int_equal(job_create(1, remember_peak, &peak, &job, NULL), STATUS_OK);
    Error error = {0};
    if (fixture_export_as(&options, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    job_free(job);
    if (peak - before > 8 << 10) fail_msg("%ld KiB", peak - before);
}

/* ---- from a recipe ---- */

static Recipe *export_and_read_recipe(void) {
    ExportOptions options = small_steps();
    options.dtype = DTYPE_F16;
    options.donor = DONOR_BASE;
    make_reference(&options);
    Recipe *recipe;
    assert_int_equal(recipe_read(scratch_path("reference/rejuvenation.json"), &recipe, NULL), STATUS_OK);
    return recipe;
}

static void a_recipe_makes_the_same_bytes_again(void **state) {
    (void)state;
    Recipe *recipe = export_and_read_recipe();
    ExportOptions options = export_options_from_recipe(recipe);
    char out[1024];
    (void)snprintf(out, sizeof out, "%s", scratch_path("out"));
    options.directory = out;
    fixture_export(&options);
    expect_reference();
    recipe_free(recipe);
}

static void a_recipe_refuses_other_inputs(void **state) {
    (void)state;
    Recipe *recipe = export_and_read_recipe();
    ExportOptions options = export_options_from_recipe(recipe);
    char out[1024];
    (void)snprintf(out, sizeof out, "%s", scratch_path("out"));
    options.directory = out;
    ScratchTensor other[FIXTURE_TENSORS];
    memcpy(other, FIXTURE_SFT, sizeof other);
    other[3].fill = 999; /* of the same size */
    scratch_write_tensors("sft/model.safetensors", other, FIXTURE_TENSORS);
    Error error = {0};
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "sft/model.safetensors"));
    scratch_write_checkpoint("sft", FIXTURE_SFT, FIXTURE_TENSORS - 1, FIXTURE_CONFIG);
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_MISMATCH);
    assert_false(scratch_has("out"));
    assert_false(scratch_has(".out.rejuv-partial"));
    recipe_free(recipe);
}

static void a_recipe_with_other_sums_leaves_nothing(void **state) {
    (void)state;
    Recipe *recipe = export_and_read_recipe();
    recipe->settings.alpha = 0.31;
    ExportOptions options = export_options_from_recipe(recipe);
    char out[1024];
    (void)snprintf(out, sizeof out, "%s", scratch_path("out"));
    options.directory = out;
    Error error = {0};
    assert_int_equal(fixture_export_as(&options, NULL, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "tensor "));
    assert_null(strstr(error.message, "was changed")); /* it was not, in its file */
    assert_false(scratch_has("out"));
    recipe_free(recipe);
}

/* Reads the reference's recipe with its first `from` as `to`, which breaks the seal. */
static Recipe *read_changed_recipe(const char *from, const char *to) {
    recipe_free(export_and_read_recipe());
    char *text = scratch_read("reference/rejuvenation.json", NULL), *at = strstr(text, from);
    assert_non_null(at);
    char *changed = memory_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    scratch_write_text("changed.json", changed);
    free(changed);
    free(text);
    Recipe *recipe;
    assert_int_equal(recipe_read(scratch_path("changed.json"), &recipe, NULL), STATUS_OK);
    assert_int_equal(recipe->seal, RECIPE_BROKEN);
    return recipe;
}

/* The status of exporting by it to "out", of which the plan has to warn. */
static Status export_changed(const Recipe *recipe, Error *error) {
    ExportOptions options = export_options_from_recipe(recipe);
    char out[1024];
    (void)snprintf(out, sizeof out, "%s", scratch_path("out"));
    options.directory = out;
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    assert_true(
        fixture_has_finding(&plan->findings, SEVERITY_WARNING, "recipe", "was changed since it was written"));
    Status status = export_run(plan, NULL, error);
    export_plan_free(plan);
    pair_close(pair);
    return status;
}

static void a_recipe_that_was_changed_is_told_before_and_where_sums_disagree(void **state) {
    (void)state;
    Error error = {0};
    Recipe *recipe = read_changed_recipe("\"shard_bytes\":\t", "\"shard_bytes\":\t9");
    assert_int_equal(export_changed(recipe, &error), STATUS_OK); /* other files, the same tensors */
    recipe_free(recipe);
    scratch_clear("out");
    scratch_clear("reference");
    recipe = read_changed_recipe("\"alpha\":\t0.3", "\"alpha\":\t0.4");
    assert_int_equal(export_changed(recipe, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "the recipe was changed since it was written"));
    assert_non_null(strstr(error.message, "leave its list \"tensors\" empty"));
    assert_false(scratch_has("out"));
    for (size_t i = 0; i < recipe->tensor_count; i++) free(recipe->tensors[i].name);
    recipe->tensor_count = 0; /* as that says: then it is a new export */
    assert_int_equal(export_changed(recipe, &error), STATUS_OK);
    assert_true(scratch_has("out"));
    recipe_free(recipe);
}

#define TEST(name) cmocka_unit_test_setup(name, make_pair)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bytes_do_not_depend_on_threads_or_windows),
        TEST(a_cancelled_export_resumes_wherever_it_was_cancelled),
        TEST(an_export_finishes_in_many_short_runs),
        TEST(another_plan_starts_over),
        TEST(inputs_that_changed_start_over),
        TEST(a_damaged_state_starts_over),
        TEST(discarding_removes_what_is_left_and_nothing_else),
        TEST(two_exports_to_one_target_do_not_mix),
        TEST(an_export_that_ends_while_another_begins_is_not_emptied),
        TEST(a_target_whose_mark_is_about_to_go_is_left_alone),
        TEST(a_link_in_the_place_of_the_partial_directory_is_not_followed),
        TEST(an_input_that_changes_meanwhile_leaves_nothing),
        TEST(an_input_that_is_no_longer_the_one_that_was_opened_is_not_planned_with),
        TEST(a_target_that_appears_meanwhile_is_not_overwritten),
        TEST(a_pair_of_one_directory_hashes_it_once_and_records_it_twice),
        TEST(a_huge_row_takes_no_more_memory_than_two_windows),
        TEST(a_recipe_makes_the_same_bytes_again),
        TEST(a_recipe_refuses_other_inputs),
        TEST(a_recipe_with_other_sums_leaves_nothing),
        TEST(a_recipe_that_was_changed_is_told_before_and_where_sums_disagree),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
