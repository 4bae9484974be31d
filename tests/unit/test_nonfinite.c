/*
 * NaN and infinities: counted while an export is written and when a checkpoint is read for them, and told in one line.
 */
#include "core/checkpoint/nonfinite.h"
#include "tests/export_fixture.h"

static void a_few_tensors_are_named_and_the_others_counted(void **state) {
    (void)state;
    static const char *const NAMES[] = {"a", "b", "c", "d", "e", "f"};
    NonfiniteTensors list = {0};
    FindingList findings = {0};
    assert_int_equal(nonfinite_tell(&list, &findings, "sft", "", NULL), STATUS_OK);
    assert_int_equal(findings.count, 0); /* nothing to tell */
    nonfinite_add(&list, "none", 0);
    nonfinite_add(&list, "one", 1);
    assert_int_equal(nonfinite_tell(&list, &findings, "sft", "", NULL), STATUS_OK);
    assert_string_equal(findings.items[0].text, "1 tensor holds 1 value that is NaN or infinite: one (1)");
    for (size_t i = 0; i < 6; i++) nonfinite_add(&list, NAMES[i], i + 1);
    assert_int_equal(nonfinite_tell(&list, &findings, "sft", ", as seen", NULL), STATUS_OK);
    assert_string_equal(
        findings.items[1].text,
        "6 tensors hold 21 values that are NaN or infinite, as seen: a (1), b (2), c (3), d (4) and 2 more");
    assert_int_equal(findings.items[1].severity, SEVERITY_WARNING);
    finding_free(&findings);
}

/* Overwrites the last `size` bytes of a checkpoint's weights, which are those of "model.b". */
static void spoil(const char *name, const void *bytes, size_t size) {
    size_t length = 0;
    char *text = scratch_read(name, &length);
    assert_true(text != NULL && length > size);
    memcpy(text + length - size, bytes, size);
    scratch_write(name, text, length);
    free(text);
}

static int make_pair(void **state) {
    (void)state;
    static const ScratchTensor TWO[] = {{"model.a", DTYPE_F32, 2, {300, 700}, 1},
                                        {"model.b", DTYPE_BF16, 2, {3, 4}, 2}};
    scratch_clear("out");
    scratch_write_checkpoint("base", TWO, 2, NULL);
    scratch_write_checkpoint("sft", TWO, 2, NULL);
    spoil("sft/model.safetensors", "\xc0\x7f\x80\xff", 4); /* a NaN and -inf */
    return 0;
}

static void a_checkpoint_is_read_for_them(void **state) {
    (void)state;
    Pair *pair = fixture_open();
    FindingList findings = {0};
    assert_int_equal(nonfinite_scan(pair->base, "base", NULL, &findings, NULL), STATUS_OK);
    assert_int_equal(findings.count, 0);
    assert_int_equal(nonfinite_scan(pair->sft, "sft", NULL, &findings, NULL), STATUS_OK);
    assert_true(
        fixture_has_finding(&findings, SEVERITY_WARNING, "sft", "1 tensor holds 2 values that are NaN"));
    assert_true(fixture_has_finding(&findings, SEVERITY_WARNING, "sft", "model.b (2)"));
    finding_free(&findings);
    pair_close(pair);
}

static void an_export_tells_what_it_wrote(void **state) {
    (void)state;
    ExportOptions options = fixture_options();
    Pair *pair = fixture_open();
    ExportPlan *plan = fixture_plan(pair, &options);
    size_t before = plan->findings.count;
    Error error = {0};
    if (export_run(plan, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(plan->findings.count, before + 1);
    assert_true(fixture_has_finding(&plan->findings, SEVERITY_WARNING, "weights", "model.b (2)"));
    export_plan_free(plan);
    pair_close(pair);
    VerifyResult *result;
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(
        fixture_has_finding(&result->findings, SEVERITY_WARNING, "weights", "as in the inputs: model.b (2)"));
    verify_result_free(result);
    scratch_clear("sft"); /* without the inputs nobody knows where they come from */
    if (fixture_verify(&result, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(
        fixture_has_finding(&result->findings, SEVERITY_WARNING, "weights", "NaN or infinite: model.b (2)"));
    verify_result_free(result);
}

static void a_reading_that_is_cancelled_says_nothing(void **state) {
    (void)state;
    Job *job;
    FindingList findings = {0};
    Pair *pair = fixture_open();
    assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    assert_int_equal(nonfinite_scan(pair->sft, "sft", job, &findings, NULL), STATUS_CANCELLED);
    assert_int_equal(findings.count, 0);
    job_free(job);
    pair_close(pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_tensors_are_named_and_the_others_counted),
        cmocka_unit_test_setup(a_checkpoint_is_read_for_them, make_pair),
        cmocka_unit_test_setup(an_export_tells_what_it_wrote, make_pair),
        cmocka_unit_test_setup(a_reading_that_is_cancelled_says_nothing, make_pair),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
