#include "core/drift/spectrum.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "tests/unit/pair_files.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

#ifndef NIGHTLY
#define NIGHTLY 0
#endif

enum { SEEDS = NIGHTLY ? 5 : 2 };

/* ---- matrices ---- */

static float *make_zeros(size_t rows, size_t columns) {
    float *values = memory_allocate(rows * columns, sizeof *values);
    assert_non_null(values);
    return values;
}

/* Normally distributed, column j scaled by the j-th of a sequence. */
static float *make_random(size_t rows, size_t columns, uint64_t seed, double (*scale)(size_t j)) {
    float *values = make_zeros(rows, columns);
    for (size_t i = 0; i < rows * columns; i++) {
        double radius = sqrt(-2.0 * log(1.0 - random_uniform(seed, 2 * i)));
        values[i] =
            (float)(radius * cos(6.283185307179586 * random_uniform(seed, 2 * i + 1)) * scale(i % columns));
    }
    return values;
}

static double flat(size_t j) {
    (void)j;
    return 1.0;
}

static double slow(size_t j) {
    return 1.0 / sqrt((double)j + 1.0);
}

static double fast(size_t j) {
    return pow((double)j + 1.0, -2.0);
}

static double geometric(size_t j) {
    return pow(0.8, (double)j);
}

/* A few directions, as a merged adapter of low rank leaves them. */
static double few(size_t j) {
    return j % 100 == 7 ? 1.0 + 0.01 * (double)j : 0.0;
}

static double few_in_noise(size_t j) {
    return j < 4 ? 20.0 - (double)j : 0.1;
}

/* Δ holds `count` entries of one size, no two in a row or column: so many equal singular values. */
static float *make_equal(size_t rows, size_t columns, size_t count) {
    float *values = make_zeros(rows, columns);
    for (size_t i = 0; i < count; i++) values[i * columns + (7 * i + 3) % columns] = 0.5F;
    return values;
}

/* ---- measuring ---- */

/* A pair whose change is `values`: its base is 0. */
static void make_change(PairFiles *files, size_t rows, size_t columns, const float *values) {
    float *zeros = make_zeros(rows, columns);
    pair_files_make_one(files, (FileTensor){"w", DTYPE_F32, rows, columns, zeros},
                        (FileTensor){"w", DTYPE_F32, rows, columns, values});
    free(zeros);
}

static Spectrum measure(const Pair *pair, uint64_t exact_limit, uint64_t seed, Job *job) {
    Spectrum spectrum;
    Error error = {0};
    SpectrumSettings settings = {.exact_limit = exact_limit, .seed = seed};
    if (spectrum_measure(&pair->tensors[0], settings, &spectrum, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return spectrum;
}

static Spectrum measure_change(size_t rows, size_t columns, const float *values, uint64_t exact_limit) {
    PairFiles files;
    make_change(&files, rows, columns, values);
    Spectrum spectrum = measure(files.pair, exact_limit, SPECTRUM_SEED, NULL);
    spectrum.tensor = NULL;
    pair_files_remove(&files);
    return spectrum;
}

static void assert_relative(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

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

/* ---- the exact method ---- */

/* Equal singular values, known without computing any, of every shape the method treats in its own way. */
static void values_known_beforehand_are_found_exactly_in_any_shape(void **state) {
    (void)state;
    static const size_t SHAPES[][2] = {{1, 1},    {2, 2},     {33, 33},   {64, 32},    {31, 97},
                                       {200, 30}, {30, 1500}, {200, 170}, {1500, 211}, {140, 1100}};
    for (size_t s = 0; s < sizeof SHAPES / sizeof *SHAPES; s++) {
        size_t rows = SHAPES[s][0], columns = SHAPES[s][1], most = rows < columns ? rows : columns;
        size_t count = most > 2 ? most - most / 3 : most;
        float *values = make_equal(rows, columns, count);
        Spectrum spectrum = measure_change(rows, columns, values, 1000);
        assert_int_equal(spectrum.count, most);
        for (size_t i = 0; i < most; i++)
            assert_true(fabs(spectrum.values[i] - (i < count ? 0.5 : 0.0)) <= spectrum.errors[i]);
        assert_relative(spectrum_value(&spectrum, SPECTRUM_EFFECTIVE_RANK), (double)count, 1e-10);
        assert_relative(spectrum_value(&spectrum, SPECTRUM_STABLE_RANK), (double)count, 1e-12);
        spectrum_free(&spectrum);
        free(values);
    }
}

static double steep(size_t j) {
    return pow(10.0, -0.03 * (double)j);
}

/* Squares would be lost in the rounding of the largest: 10⁻⁹ beside 1, and nothing. Tolerance: what is stated, which is
 * l·2⁻⁵²·σ₁. */
static void what_is_small_beside_the_largest_is_found_all_the_same(void **state) {
    (void)state;
    enum { SIZE = 302 };
    float *values = make_zeros(2 * SIZE, SIZE);
    for (size_t j = 0; j + 1 < SIZE; j++) values[(2 * j + 1) * SIZE + (7 * j + 3) % SIZE] = (float)steep(j);
    Spectrum spectrum = measure_change(2 * SIZE, SIZE, values, 1000);
    assert_int_equal(spectrum.count, SIZE);
    for (size_t j = 0; j < SIZE; j++) {
        double expected = j + 1 < SIZE ? (double)(float)steep(j) : 0.0;
        assert_true(spectrum.errors[j] <= 2e-13);
        if (!(fabs(spectrum.values[j] - expected) <= spectrum.errors[j]))
            fail_msg("%zu: expected %.17g, found %.17g +- %.2g", j, expected, spectrum.values[j],
                     spectrum.errors[j]);
    }
    assert_int_equal(spectrum_rank(&spectrum), SIZE - 1);
    spectrum_free(&spectrum);
    free(values);
}

/* The same change of noise as ΔᵀΔ shows it, and with one more column of zeros: its least value is 0, and
 * all are found by orthogonal transformations. */
static void both_ways_to_all_values_find_the_same_within_their_errors(void **state) {
    (void)state;
    enum { ROWS = 500, COLUMNS = 300 };
    float *values = make_random(ROWS, COLUMNS, 17, flat), *closely = make_zeros(ROWS, COLUMNS + 1);
    for (size_t i = 0; i < ROWS; i++)
        memcpy(closely + i * (COLUMNS + 1), values + i * COLUMNS, COLUMNS * sizeof *values);
    Spectrum first = measure_change(ROWS, COLUMNS, values, 1000);
    Spectrum second = measure_change(ROWS, COLUMNS + 1, closely, 1000);
    assert_true(first.errors[COLUMNS - 1] > first.errors[0]); /* of a square root */
    assert_true(second.errors[COLUMNS] == second.errors[0]);
    for (size_t i = 0; i < COLUMNS; i++)
        assert_true(fabs(first.values[i] - second.values[i]) <= first.errors[i] + second.errors[i]);
    assert_true(second.values[COLUMNS] <= second.errors[COLUMNS]);
    assert_true(fabs(first.effective_rank - second.effective_rank) <=
                first.effective_rank_error + second.effective_rank_error);
    assert_true(first.effective_rank_error <= 1e-9 * first.effective_rank);
    spectrum_free(&first);
    spectrum_free(&second);
    free(values);
    free(closely);
}

static void the_squares_of_all_values_add_up_to_the_norm(void **state) {
    (void)state;
    float *values = make_random(300, 1100, 5, fast);
    Spectrum spectrum = measure_change(300, 1100, values, 1000);
    double squares = 0.0;
    for (size_t i = 0; i < spectrum.count; i++) squares += spectrum.values[i] * spectrum.values[i];
    assert_relative(sqrt(squares), spectrum.norm, 1e-14);
    spectrum_free(&spectrum);
    free(values);
}

/* ---- the randomised method ---- */

static double worst_share; /* of the stated error that was used up */

static void assert_within(const char *what, double found, double expected, double stated) {
    double share = fabs(found - expected) / stated;
    if (!(fabs(found - expected) <= stated))
        fail_msg("%s: expected %.10g, found %.10g ± %.3g", what, expected, found, stated);
    if (share > worst_share) worst_share = share;
}

/* spectrum.h: with ε the share of λ₁ that is missed, 1.648·√s·exp(−√ε·(2k − 1)) to the power of the block's width
 * is 10⁻⁶. */
static void assert_missed_is_as_stated(const Spectrum *spectrum) {
    size_t size = spectrum->rows < spectrum->columns ? spectrum->rows : spectrum->columns;
    size_t steps = size / SPECTRUM_BLOCK < SPECTRUM_STEPS ? size / SPECTRUM_BLOCK : SPECTRUM_STEPS;
    double share = 1.0 - 1.0 / ((1.0 + spectrum->missed) * (1.0 + spectrum->missed));
    double each = 1.648 * sqrt((double)size) * exp(-sqrt(share) * (2.0 * (double)steps - 1.0));
    if (steps * SPECTRUM_BLOCK == size)
        assert_true(spectrum->missed == 0.0); /* the whole space */
    else
        assert_relative(log(each), log(1e-6) / (double)SPECTRUM_BLOCK, 1e-9);
}

static void compare_methods(const char *name, const Pair *pair, const Spectrum *exact, uint64_t seed) {
    Spectrum found = measure(pair, 0, seed, NULL);
    assert_int_equal(found.method, SPECTRUM_LANCZOS);
    assert_int_equal(found.count, SPECTRUM_LEADING);
    assert_true(found.norm == exact->norm);
    for (size_t i = 0; i < found.count; i++) {
        assert_within(name, found.values[i], exact->values[i], found.errors[i] + exact->errors[i]);
        double above = found.values[i] * found.values[i] - exact->values[i] * exact->values[i];
        assert_true(above <= 1e-13 * exact->values[0] * exact->values[0]); /* never above, but for rounding */
    }
    assert_true(exact->values[0] <= found.values[0] * (1.0 + found.missed));
    assert_missed_is_as_stated(&found);
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++)
        assert_within(name, spectrum_value(&found, metric), spectrum_value(exact, metric),
                      spectrum_value_error(&found, metric) + spectrum_value_error(exact, metric));
    if (seed == 1)
        print_message(
            "%-26s norm %.6g ± %.1e (true %+.1e, missed ≤ %.1e), effective rank %.5g ± %.1e (true %+.1e)\n",
            name, found.values[0], found.errors[0], exact->values[0] - found.values[0], found.missed,
            found.effective_rank, found.effective_rank_error, exact->effective_rank - found.effective_rank);
    spectrum_free(&found);
}

static void compare_on(const char *name, size_t rows, size_t columns, float *values) {
    PairFiles files;
    make_change(&files, rows, columns, values);
    Spectrum exact = measure(files.pair, 1000, 0, NULL);
    assert_int_equal(exact.method, SPECTRUM_EXACT);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) compare_methods(name, files.pair, &exact, seed);
    spectrum_free(&exact);
    pair_files_remove(&files);
    free(values);
}

static void its_error_is_within_the_stated_one_where_values_decay_slowly(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("flat, square", 500, 500, make_random(500, 500, 11, flat));
    compare_on("flat, tall", 900, 440, make_random(900, 440, 12, flat));
    compare_on("flat, wide", 450, 700, make_random(450, 700, 13, flat));
    if (NIGHTLY) compare_on("flat, 1000", 1000, 1000, make_random(1000, 1000, 15, flat));
    if (NIGHTLY) compare_on("flat, taller", 1500, 480, make_random(1500, 480, 12, flat));
    compare_on("1/√j, square", 600, 600, make_random(600, 600, 14, slow));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

static void its_error_is_within_the_stated_one_where_values_decay_fast(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("1/j², tall", 700, 450, make_random(700, 450, 21, fast));
    compare_on("0.8ʲ, wide", 420, 700, make_random(420, 700, 22, geometric));
    compare_on("four in noise", 500, 800, make_random(500, 800, 23, few_in_noise));
    compare_on("rank 5", 600, 500, make_random(600, 500, 24, few));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

/* Krylov spaces find no more equal values than a block is wide: what is left must not be taken for nothing.
 */
static void its_error_is_within_the_stated_one_where_values_are_equal(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("500 equal of 500", 500, 500, make_equal(500, 500, 500));
    compare_on("200 equal of 500", 500, 500, make_equal(500, 500, 200));
    compare_on("17 equal of 500", 500, 600, make_equal(500, 600, 17));
    compare_on("12 equal of 500", 500, 600, make_equal(500, 600, 12));
    compare_on("one", 500, 600, make_equal(500, 600, 1));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

static void the_same_seed_gives_the_same_bits_on_any_number_of_threads(void **state) {
    (void)state;
    float *values = make_random(500, 700, 31, slow);
    PairFiles files;
    Error error = {0};
    make_change(&files, 500, 700, values);
    Spectrum one = measure(files.pair, 0, 7, NULL), other = measure(files.pair, 0, 8, NULL);
    for (unsigned threads = 1; threads <= 3; threads++) {
        Job *job;
        assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
        Spectrum many = measure(files.pair, 0, 7, job);
        assert_memory_equal(many.values, one.values, one.count * sizeof *one.values);
        assert_memory_equal(many.errors, one.errors, one.count * sizeof *one.errors);
        assert_true(many.effective_rank == one.effective_rank);
        assert_int_equal(many.seed, 7);
        spectrum_free(&many);
        job_free(job);
    }
    assert_true(other.effective_rank != one.effective_rank);
    spectrum_free(&one);
    spectrum_free(&other);
    pair_files_remove(&files);
    free(values);
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
        cmocka_unit_test(values_known_beforehand_are_found_exactly_in_any_shape),
        cmocka_unit_test(what_is_small_beside_the_largest_is_found_all_the_same),
        cmocka_unit_test(both_ways_to_all_values_find_the_same_within_their_errors),
        cmocka_unit_test(the_squares_of_all_values_add_up_to_the_norm),
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_decay_slowly),
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_decay_fast),
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_are_equal),
        cmocka_unit_test(the_same_seed_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(a_scan_fills_the_table_as_single_measurements_would),
        cmocka_unit_test(a_cancelled_scan_keeps_what_it_has_and_can_go_on),
        cmocka_unit_test(a_row_can_be_asked_for_while_a_scan_runs),
        cmocka_unit_test(metrics_are_found_by_their_keys),
        cmocka_unit_test(the_energy_counts_how_few_values_hold_most_of_the_change),
        cmocka_unit_test(an_error_is_written_where_it_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
