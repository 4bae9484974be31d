/*
 * Singular values of a change: what they are, the table of all tensors, and what is said of them.
 */
#include "tests/unit/spectrum_fixture.h"

#include <pthread.h>
#include <time.h>

/* ---- what it is ---- */

static void a_matrix_of_two_by_three_is_as_computed_by_hand(void **state) {
    (void)state;
    /* the rows are orthogonal: their norms are the singular values */
    const float values[] = {3, 4, 0, 0, 0, 2};
    Spectrum spectrum = measure_change(2, 3, values, 100);
    assert_int_equal(spectrum.method, SPECTRUM_EXACT);
    assert_int_equal(spectrum.count, 2);
    assert_relative(spectrum.values[0], 5.0, 1e-15);
    assert_relative(spectrum.values[1], 2.0, 1e-15);
    double entropy = -(5.0 / 7 * log(5.0 / 7) + 2.0 / 7 * log(2.0 / 7));
    assert_relative(spectrum_value(&spectrum, SPECTRUM_NORM), 5.0, 1e-15);
    assert_relative(spectrum_value(&spectrum, SPECTRUM_STABLE_RANK), 29.0 / 25, 1e-15);
    assert_relative(spectrum_value(&spectrum, SPECTRUM_EFFECTIVE_RANK), exp(entropy), 1e-14);
    spectrum_free(&spectrum);
}

static void the_error_of_the_stable_rank_is_that_at_the_lowest_norm_there_may_be(void **state) {
    (void)state;
    double values[] = {5, 2}, errors[] = {1, 0.5};
    Spectrum spectrum = {.count = 2, .norm = sqrt(29), .values = values, .errors = errors};
    assert_relative(spectrum_value_error(&spectrum, SPECTRUM_STABLE_RANK), 29.0 / 16 - 29.0 / 25, 1e-14);
    assert_true(spectrum_value_error(&spectrum, SPECTRUM_NORM) == 1);
    assert_true(spectrum_largest_error(&spectrum) == 1);
    errors[0] = 5; /* the norm may be 0 */
    assert_true(isinf(spectrum_value_error(&spectrum, SPECTRUM_STABLE_RANK)));
}

static void equal_tensors_have_values_of_zero_and_no_ranks(void **state) {
    (void)state;
    const float zeros[12] = {0};
    char text[48];
    Spectrum spectrum = measure_change(3, 4, zeros, 0);
    assert_int_equal(spectrum.count, 3);
    assert_true(spectrum_value(&spectrum, SPECTRUM_NORM) == 0.0);
    assert_true(isnan(spectrum_value(&spectrum, SPECTRUM_STABLE_RANK)));
    assert_true(isnan(spectrum_value(&spectrum, SPECTRUM_EFFECTIVE_RANK)));
    spectrum_format_value(&spectrum, SPECTRUM_STABLE_RANK, false, text, sizeof text);
    assert_string_equal(text, "-");
    spectrum_free(&spectrum);
}

static void an_element_that_is_not_finite_leaves_no_spectrum(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        float values[12] = {1, 2, 3};
        char text[48];
        values[7] = bad[i];
        Spectrum spectrum = measure_change(3, 4, values, 100);
        assert_int_equal(spectrum.method, SPECTRUM_NOT_FINITE);
        assert_int_equal(spectrum.count, 0);
        spectrum_format_value(&spectrum, SPECTRUM_NORM, false, text, sizeof text);
        assert_string_equal(text, "nan");
        spectrum_free(&spectrum);
    }
}

static void a_vector_has_no_spectrum_and_a_row_has_one(void **state) {
    (void)state;
    const float base[4] = {0}, sft[4] = {1, 2, 2, 4};
    PairFiles files;
    pair_files_make_one(&files, (FileTensor){"w", DTYPE_F32, 4, 0, base},
                        (FileTensor){"w", DTYPE_F32, 4, 0, sft});
    Spectrum spectrum = measure(files.pair, 100, 1, NULL);
    assert_int_equal(spectrum.method, SPECTRUM_NONE);
    assert_true(isnan(spectrum_value(&spectrum, SPECTRUM_NORM)));
    pair_files_remove(&files);
    for (uint64_t limit = 0; limit < 2; limit++) {
        spectrum = measure_change(1, 4, sft, limit);
        assert_int_equal(spectrum.count, 1);
        assert_relative(spectrum.values[0], 5.0, 1e-15);
        assert_relative(spectrum_value(&spectrum, SPECTRUM_EFFECTIVE_RANK), 1.0, 1e-15);
        spectrum_free(&spectrum);
    }
}

static void rows_that_only_sft_has_are_left_out(void **state) {
    (void)state;
    float *sft = make_random(40, 20, 1, slow), *base = make_random(30, 20, 2, slow);
    float *change = make_zeros(30, 20);
    for (size_t i = 0; i < 30 * 20; i++) sft[i] = base[i] + 0.25F * roundf(4.0F * sft[i]);
    for (size_t i = 0; i < 30 * 20; i++) change[i] = sft[i] - base[i];
    PairFiles files;
    pair_files_make_one(&files, (FileTensor){"model.embed_tokens.weight", DTYPE_F32, 30, 20, base},
                        (FileTensor){"model.embed_tokens.weight", DTYPE_F32, 40, 20, sft});
    if (!files.pair->tensors[0].is_fused) fail_msg("expected a pair with an enlarged vocabulary");
    Spectrum spectrum = measure(files.pair, 100, 1, NULL);
    Spectrum expected = measure_change(30, 20, change, 100);
    assert_int_equal(spectrum.rows, 30);
    for (size_t i = 0; i < 20; i++) assert_relative(spectrum.values[i], expected.values[i], 1e-6);
    spectrum_free(&expected);
    spectrum_free(&spectrum);
    pair_files_remove(&files);
    free(change);
    free(base);
    free(sft);
}

/* ---- the table ---- */

enum { TENSORS = 6 };

typedef struct TablePair {
    PairFiles files;
    float *base[TENSORS], *sft[TENSORS];
    SpectrumTable *table;
} TablePair;

static const char *const NAMES[TENSORS] = {"a", "b", "c", "d", "e", "norm"};

static void make_table(TablePair *pair, SpectrumSettings settings) {
    FileTensor base[TENSORS], sft[TENSORS];
    Error error = {0};
    for (size_t i = 0; i < TENSORS; i++) {
        size_t rows = 100 + 150 * i, columns = i == TENSORS - 1 ? 0 : 300;
        pair->base[i] = make_zeros(rows, 300);
        pair->sft[i] = make_random(rows, 300, i, slow);
        base[i] = (FileTensor){NAMES[i], DTYPE_F32, rows, columns, pair->base[i]};
        sft[i] = (FileTensor){NAMES[i], DTYPE_F32, rows, columns, pair->sft[i]};
    }
    pair_files_make(&pair->files, base, TENSORS, sft, TENSORS);
    assert_int_equal(spectrum_table_create(pair->files.pair, settings, &pair->table, &error), STATUS_OK);
}

static void remove_table(TablePair *pair) {
    spectrum_table_free(pair->table);
    pair_files_remove(&pair->files);
    for (size_t i = 0; i < TENSORS; i++) {
        free(pair->base[i]);
        free(pair->sft[i]);
    }
}

static void a_scan_fills_the_table_as_single_measurements_would(void **state) {
    (void)state;
    const SpectrumSettings settings = {.exact_limit = 250, .seed = 3}; /* "a" and "b" are exact */
    TablePair pair;
    Job *job;
    Error error = {0};
    make_table(&pair, settings);
    assert_int_equal(spectrum_table_ready(pair.table), 1); /* the vector */
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(spectrum_scan_tensor(pair.table, 3, job, &error), STATUS_OK);
    assert_int_equal(spectrum_table_ready(pair.table), 2);
    assert_int_equal(spectrum_scan(pair.table, job, &error), STATUS_OK);
    assert_int_equal(spectrum_table_ready(pair.table), spectrum_table_count(pair.table));
    JobProgress progress = job_progress(job);
    assert_string_equal(progress.stage, "spectrum");
    assert_int_equal(progress.done, progress.total);
    for (size_t i = 0; i < TENSORS; i++) {
        Spectrum row, single;
        assert_true(spectrum_table_row(pair.table, i, &row));
        assert_int_equal(spectrum_measure(&pair.files.pair->tensors[i], settings, &single, NULL, &error),
                         STATUS_OK);
        assert_int_equal(row.method, single.method);
        assert_int_equal(row.count, single.count);
        if (row.count > 0) assert_memory_equal(row.values, single.values, row.count * sizeof *row.values);
        spectrum_free(&single);
    }
    job_free(job);
    remove_table(&pair);
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void cancel_soon(void *user, JobProgress progress) {
    if (progress.done > 0) job_cancel(*(Job **)user);
}

static void a_cancelled_scan_keeps_what_it_has_and_can_go_on(void **state) {
    (void)state;
    for (uint64_t limit = 0; limit <= 1000; limit += 1000) {
        TablePair pair;
        Job *job = NULL;
        Error error = {0};
        make_table(&pair, (SpectrumSettings){.exact_limit = limit, .seed = 3});
        assert_int_equal(job_create(1, cancel_soon, &job, &job, &error), STATUS_OK);
        double began = seconds_now();
        assert_int_equal(spectrum_scan(pair.table, job, &error), STATUS_CANCELLED);
        print_message("cancelled within %.0f ms\n", 1e3 * (seconds_now() - began));
        assert_true(spectrum_table_ready(pair.table) < TENSORS);
        job_free(job);
        assert_int_equal(spectrum_scan(pair.table, NULL, &error), STATUS_OK);
        assert_int_equal(spectrum_table_ready(pair.table), TENSORS);
        remove_table(&pair);
    }
}

typedef struct OnDemand {
    SpectrumTable *table;
    Status status;
} OnDemand;

static void *fill_backwards(void *argument) {
    OnDemand *demand = argument;
    for (size_t i = TENSORS; i-- > 0 && demand->status == STATUS_OK;)
        demand->status = spectrum_scan_tensor(demand->table, i, NULL, NULL);
    return NULL;
}

static void a_row_can_be_asked_for_while_a_scan_runs(void **state) {
    (void)state;
    TablePair pair;
    Job *job;
    Error error = {0};
    pthread_t thread;
    make_table(&pair, (SpectrumSettings){.exact_limit = 250, .seed = 3});
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    OnDemand demand = {.table = pair.table};
    assert_int_equal(pthread_create(&thread, NULL, fill_backwards, &demand), 0);
    assert_int_equal(spectrum_scan(pair.table, job, &error), STATUS_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(demand.status, STATUS_OK);
    assert_int_equal(spectrum_table_ready(pair.table), TENSORS); /* each row once */
    job_free(job);
    remove_table(&pair);
}

/* ---- the metrics ---- */

static void metrics_are_found_by_their_keys(void **state) {
    (void)state;
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++)
        assert_int_equal(spectrum_find_metric(spectrum_metric_facts(metric)->key), metric);
    assert_int_equal(spectrum_find_metric("rank"), SPECTRUM_METRIC_COUNT);
    assert_int_equal(drift_find_metric("stable_rank"), DRIFT_METRIC_COUNT);
}

static void the_energy_counts_how_few_values_hold_most_of_the_change(void **state) {
    (void)state;
    double values[] = {8, 4, 2, 1e-4, 0},
           errors[] = {1e-9, 1e-9, 1e-9, 1e-3, 1e-9}; /* the fourth is below its error */
    Spectrum spectrum = {
        .method = SPECTRUM_LANCZOS, .count = 5, .values = values, .errors = errors, .norm = 10};
    assert_relative(spectrum_energy(&spectrum, 1), 0.64, 1e-15);
    assert_relative(spectrum_energy(&spectrum, 2), 0.80, 1e-15);
    assert_relative(spectrum_energy(&spectrum, 99), 0.8400000001, 1e-14);
    assert_int_equal(spectrum_count_energy(&spectrum, 0.5), 1);
    assert_int_equal(spectrum_count_energy(&spectrum, 0.65), 2);
    assert_int_equal(spectrum_count_energy(&spectrum, 0.9), 6); /* not in those that are known */
    assert_int_equal(spectrum_rank(&spectrum), 3);
    assert_relative(spectrum_largest_error(&spectrum), 1e-3, 1e-15);
    float *equal = make_equal(40, 30, 10);
    Spectrum exact = measure_change(40, 30, equal, 100);
    assert_int_equal(spectrum_rank(&exact), 10);
    assert_int_equal(spectrum_count_energy(&exact, 0.9 - 1e-9), 9);
    free(equal);
    spectrum_free(&exact);
    spectrum.norm = 0; /* Δ = 0 */
    assert_true(isnan(spectrum_energy(&spectrum, 1)));
    assert_int_equal(spectrum_count_energy(&spectrum, 0.9), 0);
}

static void an_error_is_written_where_it_shows(void **state) {
    (void)state;
    double values[] = {2.0}, errors[] = {0.03};
    char text[48];
    Spectrum spectrum = {.method = SPECTRUM_LANCZOS, .count = 1, .values = values, .errors = errors};
    spectrum_format_value(&spectrum, SPECTRUM_NORM, false, text, sizeof text);
    assert_string_equal(text, "2 ± 0.03");
    spectrum_format_value(&spectrum, SPECTRUM_NORM, true, text, sizeof text);
    assert_string_equal(text, "2 +- 0.03");
    errors[0] = 1e-9;
    spectrum_format_value(&spectrum, SPECTRUM_NORM, false, text, sizeof text);
    assert_string_equal(text, "2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_of_two_by_three_is_as_computed_by_hand),
        cmocka_unit_test(the_error_of_the_stable_rank_is_that_at_the_lowest_norm_there_may_be),
        cmocka_unit_test(equal_tensors_have_values_of_zero_and_no_ranks),
        cmocka_unit_test(an_element_that_is_not_finite_leaves_no_spectrum),
        cmocka_unit_test(a_vector_has_no_spectrum_and_a_row_has_one),
        cmocka_unit_test(rows_that_only_sft_has_are_left_out),
        cmocka_unit_test(a_scan_fills_the_table_as_single_measurements_would),
        cmocka_unit_test(a_cancelled_scan_keeps_what_it_has_and_can_go_on),
        cmocka_unit_test(a_row_can_be_asked_for_while_a_scan_runs),
        cmocka_unit_test(metrics_are_found_by_their_keys),
        cmocka_unit_test(the_energy_counts_how_few_values_hold_most_of_the_change),
        cmocka_unit_test(an_error_is_written_where_it_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
