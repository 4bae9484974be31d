/*
 * All singular values of a change, known beforehand: of any shape and spectrum, whichever way they are found, within the errors
 * that are stated with them.
 */
#include "tests/unit/spectrum_fixture.h"

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

/* ---- changes whose values are known, and whose directions are all mixed ---- */

enum { ORDER = 512, LONGER = 560 };

/* Of Hadamard's matrix of +1 and −1, whose rows are orthogonal. */
static double sign_at(size_t i, size_t j) {
    bool is_odd = false;
    for (size_t both = i & j; both > 0; both /= 2) is_odd ^= both & 1;
    return is_odd ? -1.0 : 1.0;
}

/* row ← row·H */
static void mix_row(double row[ORDER]) {
    for (size_t half = 1; half < ORDER; half *= 2) {
        for (size_t i = 0; i < ORDER; i++) {
            if (i & half) continue;
            double a = row[i], b = row[i + half];
            row[i] = a + b;
            row[i + half] = a - b;
        }
    }
}

typedef struct Known {
    const char *name;
    double (*value)(size_t j); /* not growing with j; floats */
    bool is_mixed_twice;       /* H·D·H, where that is exact in float32, and not H·D */
    double stated;             /* at most, of the largest value */
} Known;

static double one(size_t j) {
    return j == 0 ? 0.75 : 0.0;
}

static double forty_above_rounding(size_t j) {
    return j < 40 ? 1.0 : 0x1p-18;
}

static double hundred_and_nothing(size_t j) {
    return j < 100 ? (double)(1 + (99 - j) / 25) : 0.0;
}

static double three_hundred_and_nothing(size_t j) {
    return j < 300 ? 2.0 : 0.0;
}

static double clusters(size_t j) {
    return (double)(8 - j / 64);
}

static double near_clusters(size_t j) {
    return 1.0 + (double)(3 - j / 128) * 0x1p-23;
}

static double two_heights(size_t j) {
    return j < 256 ? 1.0 : 0x1p-10;
}

static double to_a_billionth(size_t j) {
    return (double)(float)pow(10.0, -9.0 * (double)j / (ORDER - 1));
}

static double over_all_floats(size_t j) {
    return (double)(float)pow(10.0, 38.0 - 76.0 * (double)j / (ORDER - 1));
}

static double subnormal(size_t j) {
    return (double)(ORDER - j) * 0x1p-149;
}

static double near_the_largest(size_t j) {
    return (double)(float)(3e38 - 1e35 * (double)j);
}

/* `stated`: l·2⁻⁵² where values are found by orthogonal transformations, and twice that by a split; by squares what is small
 * is less well known. */
static const Known KNOWN[] = {
    {"one direction", one, true, 2.6e-13},
    {"40 directions above rounding", forty_above_rounding, true, 2.6e-13},
    {"100 directions", hundred_and_nothing, true, 2.6e-13},
    {"300 directions", three_hundred_and_nothing, true, 2.6e-13},
    {"8 clusters", clusters, true, 1e-10},
    {"values that nearly are one", near_clusters, false, 2e-11},
    {"two heights", two_heights, false, 1e-8},
    {"down to a billionth", to_a_billionth, false, 2.6e-13},
    {"over all floats", over_all_floats, false, 2.6e-13},
    {"subnormal numbers", subnormal, false, 5e-9},
    {"near the largest float", near_the_largest, false, 2e-11},
};

/* Beside the change are columns that did not change. */
static float *make_known(const Known *known, bool is_wide) {
    float *values = make_zeros(ORDER, LONGER);
    double row[ORDER];
    for (size_t i = 0; i < ORDER; i++) {
        for (size_t j = 0; j < ORDER; j++) row[j] = sign_at(i, j) * known->value(j);
        if (known->is_mixed_twice) mix_row(row);
        for (size_t j = 0; j < ORDER; j++) {
            if ((double)(float)row[j] != row[j]) fail_msg("%s: %.17g is no float", known->name, row[j]);
            values[is_wide ? i * LONGER + j : j * ORDER + i] = (float)row[j];
        }
    }
    return values;
}

static void compare_known(const Known *known, bool is_wide) {
    double scale = known->is_mixed_twice ? ORDER : sqrt(ORDER), largest = scale * known->value(0),
           worst = 0.0;
    float *values = make_known(known, is_wide);
    Spectrum spectrum = measure_change(is_wide ? ORDER : LONGER, is_wide ? LONGER : ORDER, values, 1000);
    assert_int_equal(spectrum.count, ORDER);
    for (size_t j = 0; j < ORDER; j++) {
        double off = fabs(spectrum.values[j] - scale * known->value(j));
        if (!(off <= spectrum.errors[j]))
            fail_msg("%s, %zu: expected %.17g, found %.17g ± %.2g", known->name, j, scale * known->value(j),
                     spectrum.values[j], spectrum.errors[j]);
        worst = fmax(worst, off / spectrum.errors[j]);
    }
    double stated = spectrum_largest_error(&spectrum) / largest;
    print_message("%-28s %s: stated %.1e of the largest, %.0f%% of an error used up\n", known->name,
                  is_wide ? "wide" : "tall", stated, 100.0 * worst);
    assert_true(stated <= known->stated);
    spectrum_free(&spectrum);
    free(values);
}

static void known_values_of_mixed_directions_are_within_their_errors_wide_and_tall(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        compare_known(&KNOWN[i], true);
        compare_known(&KNOWN[i], false);
    }
}

/* ---- how far it is ---- */

typedef struct Watched {
    uint64_t done;
    size_t reports, at_end;
    bool goes_back;
} Watched;

static void watch(void *user, JobProgress progress) {
    Watched *watched = user;
    watched->reports++;
    watched->goes_back = watched->goes_back || progress.done < watched->done;
    watched->done = progress.done;
    if (progress.done >= progress.total) watched->at_end++;
}

/* What is found at once, what is split, what looks so and is not, and what is found in another way after the first was in
 * vain, for its squares lost a value that the sample had not shown. */
static void its_progress_is_at_the_end_only_once_it_is_there(void **state) {
    (void)state;
    static const Known MISLEADING = {"down to 1e-9", to_a_billionth, false, 0.0};
    float *matrices[] = {make_random(LONGER, ORDER, 3, flat), make_known(&KNOWN[1], false),
                         make_known(&MISLEADING, false), make_random(LONGER, ORDER, 4, flat)};
    for (size_t i = 0; i < LONGER; i++) matrices[3][i * ORDER + 5] = 0.0F;
    for (size_t m = 0; m < sizeof matrices / sizeof *matrices; m++) {
        PairFiles files;
        Watched watched = {0};
        Job *job;
        Error error = {0};
        make_change(&files, LONGER, ORDER, matrices[m]);
        assert_int_equal(job_create(1, watch, &watched, &job, &error), STATUS_OK);
        Spectrum spectrum = measure(files.pair, 1000, 0, job);
        JobProgress progress = job_progress(job);
        assert_true(watched.reports > 10 && !watched.goes_back);
        assert_int_equal(watched.at_end, 1);
        assert_int_equal(progress.done, progress.total);
        spectrum_free(&spectrum);
        job_free(job);
        pair_files_remove(&files);
        free(matrices[m]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_known_beforehand_are_found_exactly_in_any_shape),
        cmocka_unit_test(what_is_small_beside_the_largest_is_found_all_the_same),
        cmocka_unit_test(both_ways_to_all_values_find_the_same_within_their_errors),
        cmocka_unit_test(the_squares_of_all_values_add_up_to_the_norm),
        cmocka_unit_test(known_values_of_mixed_directions_are_within_their_errors_wide_and_tall),
        cmocka_unit_test(its_progress_is_at_the_end_only_once_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
