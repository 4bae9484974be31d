/*
 * Singular values as a session offers them: in the background, kept, cancelled and taken up again.
 */
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "session_fixture.h"
#include "tests/unit/pair_files.h"
#include "tui/session/session.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_spectrum.h"

enum { LARGE = 1800 }; /* some seconds of work, so that a test can come in between */

static size_t wanted;

static bool wanted_is_there(const Session *session) {
    Spectrum spectrum;
    return session_spectrum(session, wanted, &spectrum);
}

static bool wanted_has_failed(const Session *session) {
    return session_spectrum_error(session) != NULL;
}

static size_t find_tensor(const Session *session, const char *name) {
    const Pair *pair = session_pair(session);
    const PairTensor *tensor = pair_find_tensor(pair, name);
    assert_non_null(tensor);
    return (size_t)(tensor - pair->tensors);
}

/* A pair of two tensors whose change is random; the large one first. */
static Session *open_large(PairFiles *files) {
    static const float small[4] = {3, 0, 0, 4}, none[4] = {0};
    float *zeros = memory_allocate(LARGE * LARGE, sizeof *zeros),
          *noise = memory_allocate(LARGE * LARGE, sizeof *noise);
    assert_true(zeros != NULL && noise != NULL);
    for (size_t i = 0; i < (size_t)LARGE * LARGE; i++) noise[i] = (float)random_uniform(7, i) - 0.5F;
    const FileTensor base[] = {{"large", DTYPE_F32, LARGE, LARGE, zeros}, {"small", DTYPE_F32, 2, 2, none}};
    const FileTensor sft[] = {{"large", DTYPE_F32, LARGE, LARGE, noise}, {"small", DTYPE_F32, 2, 2, small}};
    pair_files_make(files, base, 2, sft, 2);
    free(zeros);
    free(noise);
    char base_path[160], sft_path[160];
    pair_files_path(files, "base", false, base_path, sizeof base_path);
    pair_files_path(files, "sft", false, sft_path, sizeof sft_path);
    return open_pair(base_path, sft_path, NULL);
}

static void the_values_of_a_tensor_come_in_the_background(void **state) {
    (void)state;
    Session *session = open_demo();
    Spectrum shown, expected;
    Error error = {0};
    wanted = find_tensor(session, "model.layers.2.self_attn.q_proj.weight");
    assert_false(session_spectrum(session, wanted, &shown));
    session_request_spectrum(session, wanted);
    wait_for(session, "spectrum", wanted_is_there);
    assert_true(session_spectrum(session, wanted, &shown));
    assert_int_equal(spectrum_measure(&session_pair(session)->tensors[wanted], spectrum_default_settings(),
                                      &expected, NULL, &error),
                     STATUS_OK);
    assert_int_equal(shown.method, SPECTRUM_EXACT);
    assert_int_equal(shown.count, expected.count);
    assert_memory_equal(shown.values, expected.values, expected.count * sizeof *expected.values);
    assert_null(session_spectrum_error(session));
    spectrum_free(&expected);
    session_free(session);
}

static void what_was_measured_is_there_when_one_comes_back(void **state) {
    (void)state;
    PairFiles files;
    Session *session = open_large(&files);
    Spectrum first, again;
    wanted = find_tensor(session, "small");
    session_request_spectrum(session, wanted);
    wait_for(session, "spectrum", wanted_is_there);
    assert_true(session_spectrum(session, wanted, &first));
    assert_true(first.values[0] > 3.999999 && first.values[0] < 4.000001); /* a diagonal of 3 and 4 */
    session_request_spectrum(session, find_tensor(session, "large"));
    session_request_spectrum(session, wanted);
    assert_true(session_spectrum(session, wanted, &again));
    assert_ptr_equal(again.values, first.values);
    session_free(session);
    pair_files_remove(&files);
}

static void a_cancelled_measurement_waits_to_be_asked_again(void **state) {
    (void)state;
    PairFiles files;
    Session *session = open_large(&files);
    settle(session); /* the drift scan */
    wanted = find_tensor(session, "large");
    session_request_spectrum(session, wanted);
    assert_false(is_idle(session));
    assert_true(session_cancel(session));
    wait_for(session, "message", wanted_has_failed);
    settle(session);
    assert_false(wanted_is_there(session));
    assert_non_null(strstr(session_spectrum_error(session), "cancelled"));
    session_request_spectrum(session, wanted); /* every drawing asks */
    settle(session);
    assert_false(wanted_is_there(session));
    session_resume_spectrum(session);
    assert_null(session_spectrum_error(session));
    wait_for(session, "spectrum", wanted_is_there);
    session_free(session);
    pair_files_remove(&files);
}

static void another_tensor_takes_the_place_of_one_under_way(void **state) {
    (void)state;
    PairFiles files;
    Session *session = open_large(&files);
    size_t large = find_tensor(session, "large");
    Spectrum spectrum;
    wanted = find_tensor(session, "small");
    session_request_spectrum(session, large);
    session_request_spectrum(session, wanted);
    wait_for(session, "spectrum", wanted_is_there);
    assert_false(session_spectrum(session, large, &spectrum)); /* it was cancelled on its way */
    assert_null(session_spectrum_error(session));
    session_request_spectrum(session, large);
    session_free(session); /* and a session may be left while it runs */
    pair_files_remove(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_values_of_a_tensor_come_in_the_background, write_few_rows,
                                        scratch_remove),
        cmocka_unit_test(what_was_measured_is_there_when_one_comes_back),
        cmocka_unit_test(a_cancelled_measurement_waits_to_be_asked_again),
        cmocka_unit_test(another_tensor_takes_the_place_of_one_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
