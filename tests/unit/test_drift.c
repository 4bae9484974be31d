#include "tests/unit/drift_fixture.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define assert_near(found, expected, tolerance) assert_true(fabs((found) - (expected)) <= (tolerance))

/* ---- definitions ---- */

static void every_metric_is_as_computed_by_hand(void **state) {
    (void)state;
    const float base[] = {1, -2, 3, 0, 2, -1}, sft[] = {1, 2, 3, 1, 0, -3};
    /* Δ = 0 4 0 1 −2 −2; mean 1/6, squares 25 */
    DriftRow row = scan_one(floats(2, 3, base), floats(2, 3, sft));
    double m2 = 25.0 / 6 - 1.0 / 36, m4 = 0;
    const double delta[] = {0, 4, 0, 1, -2, -2};
    for (int i = 0; i < 6; i++) m4 += pow(delta[i] - 1.0 / 6, 4) / 6;
    assert_true(drift_value(&row, DRIFT_MEAN_SQUARE) == 25.0 / 6);
    assert_true(drift_value(&row, DRIFT_NORM) == 5.0);
    assert_true(drift_value(&row, DRIFT_BASE_NORM) == sqrt(19.0));
    assert_true(drift_value(&row, DRIFT_SFT_NORM) == sqrt(24.0));
    assert_true(drift_value(&row, DRIFT_RELATIVE_NORM) == 5.0 / sqrt(19.0));
    assert_near(drift_value(&row, DRIFT_COSINE), 9.0 / sqrt(19.0 * 24.0), 1e-15);
    assert_true(drift_value(&row, DRIFT_CHANGED) == 4.0 / 6);
    assert_true(drift_value(&row, DRIFT_SIGN_FLIPS) == 1.0 / 6); /* −2 → 2; to and from zero is none */
    assert_near(drift_value(&row, DRIFT_KURTOSIS), m4 / (m2 * m2), 1e-14);
    assert_true(drift_value(&row, DRIFT_TOP1_SHARE) == 16.0 / 25);
    assert_true(drift_value(&row, DRIFT_MAX_ABS) == 4.0);
    assert_int_equal(row.max_row, 0);
    assert_int_equal(row.max_column, 1);
    assert_int_equal(row.count, 6);
    assert_false(row.is_equal);
}

static void the_first_of_equal_maxima_is_named(void **state) {
    (void)state;
    const float base[6] = {0}, sft[] = {0, 0, 1, -3, 3, 0};
    DriftRow row = scan_one(floats(3, 2, base), floats(3, 2, sft));
    assert_int_equal(row.max_row, 1);
    assert_int_equal(row.max_column, 1);
}

static void equal_tensors_are_flagged_and_have_no_drift(void **state) {
    (void)state;
    const float values[] = {1, -2, 3, 0};
    DriftRow row = scan_one(floats(2, 2, values), floats(2, 2, values));
    char text[24];
    assert_true(row.is_equal);
    assert_true(drift_value(&row, DRIFT_NORM) == 0.0);
    assert_true(drift_value(&row, DRIFT_RELATIVE_NORM) == 0.0);
    assert_true(drift_value(&row, DRIFT_CHANGED) == 0.0);
    assert_near(drift_value(&row, DRIFT_COSINE), 1.0, 1e-15);
    assert_true(isnan(drift_value(&row, DRIFT_KURTOSIS)));
    assert_true(isnan(drift_value(&row, DRIFT_TOP1_SHARE)));
    assert_true(drift_value(&row, DRIFT_BASE_NORM) == sqrt(14.0));
    drift_format_row(&row, DRIFT_KURTOSIS, text, sizeof text);
    assert_string_equal(text, "-");
    assert_true(drift_is_undefined(&row, DRIFT_KURTOSIS) && !drift_is_undefined(&row, DRIFT_NORM));
}

static void zero_tensors_have_the_stated_limits(void **state) {
    (void)state;
    const float zero[4] = {0}, minus[4] = {-0.0F}, ones[] = {1, 1, 1, 1};
    DriftRow none = scan_one(floats(4, 0, zero), floats(4, 0, minus));
    assert_true(none.is_equal);
    assert_true(drift_value(&none, DRIFT_RELATIVE_NORM) == 0.0);
    assert_true(drift_value(&none, DRIFT_COSINE) == 1.0);
    DriftRow from_zero = scan_one(floats(4, 0, zero), floats(4, 0, ones));
    assert_true(drift_value(&from_zero, DRIFT_RELATIVE_NORM) == INFINITY);
    assert_true(drift_value(&from_zero, DRIFT_COSINE) == 0.0);
    assert_true(isnan(drift_value(&from_zero, DRIFT_KURTOSIS))); /* every Δ is the same */
    assert_true(drift_value(&from_zero, DRIFT_TOP1_SHARE) == 0.25);
}

static void a_nan_shows_and_is_counted(void **state) {
    (void)state;
    const float base[] = {1, NAN, 3, 4}, sft[] = {1, 2, NAN, 5};
    char text[24];
    DriftRow row = scan_one(floats(2, 2, base), floats(2, 2, sft));
    assert_int_equal(row.base_nonfinite, 1);
    assert_int_equal(row.sft_nonfinite, 1);
    assert_true(isnan(drift_value(&row, DRIFT_NORM)));
    assert_true(isnan(drift_value(&row, DRIFT_MAX_ABS)));
    assert_true(isnan(drift_value(&row, DRIFT_TOP1_SHARE)));
    assert_int_equal(row.max_row, 0);
    assert_int_equal(row.max_column, 1);
    assert_true(drift_value(&row, DRIFT_CHANGED) == 0.75);
    drift_format_row(&row, DRIFT_NORM, text, sizeof text);
    assert_string_equal(text, "nan");
}

static void a_nan_in_equal_bytes_is_not_hidden(void **state) {
    (void)state;
    const float values[] = {1, NAN, 3, 4};
    DriftRow row = scan_one(floats(4, 0, values), floats(4, 0, values));
    assert_false(row.is_equal);
    assert_int_equal(row.base_nonfinite, 1);
    assert_int_equal(row.sft_nonfinite, 1);
    assert_true(isnan(drift_value(&row, DRIFT_NORM)));
}

static void an_infinity_shows_and_is_counted(void **state) {
    (void)state;
    const float base[] = {1, 2}, sft[] = {1, INFINITY}, both[] = {INFINITY, 2};
    DriftRow row = scan_one(floats(2, 0, base), floats(2, 0, sft));
    assert_int_equal(row.base_nonfinite, 0);
    assert_int_equal(row.sft_nonfinite, 1);
    assert_true(drift_value(&row, DRIFT_NORM) == INFINITY);
    assert_true(drift_value(&row, DRIFT_MAX_ABS) == INFINITY);
    assert_int_equal(row.max_row, 1);
    row = scan_one(floats(2, 0, both), floats(2, 0, both));
    assert_int_equal(row.sft_nonfinite, 1);
    assert_true(isnan(drift_value(&row, DRIFT_NORM))); /* ∞ − ∞ */
}

static void different_types_are_compared_as_values(void **state) {
    (void)state;
    const uint16_t half[] = {0x3c00, 0xc000, 0x3555}, brain[] = {0x3f80, 0xc000, 0x3eab};
    /* F16: 1, −2, 0.333251953125; BF16: 1, −2, 0.333984375 */
    DriftRow row =
        scan_one((FileTensor){"w", DTYPE_F16, 3, 0, half}, (FileTensor){"w", DTYPE_BF16, 3, 0, brain});
    assert_true(drift_value(&row, DRIFT_MAX_ABS) == 0.333984375 - 0.333251953125);
    assert_true(drift_value(&row, DRIFT_CHANGED) == 1.0 / 3);
    row = scan_one((FileTensor){"w", DTYPE_F16, 2, 0, half}, (FileTensor){"w", DTYPE_BF16, 2, 0, brain});
    assert_true(row.is_equal);
}

static void rows_of_an_enlarged_vocabulary_are_left_out_and_counted(void **state) {
    (void)state;
    const char *name = "model.embed_tokens.weight";
    const float base[] = {1, 2, 3, 4}, sft[] = {1, 2, 3, 5, 100, 100}, longer[] = {1, 2, 3, 4, 9, 9};
    DriftRow row =
        scan_one((FileTensor){name, DTYPE_F32, 2, 2, base}, (FileTensor){name, DTYPE_F32, 3, 2, sft});
    assert_int_equal(row.count, 4);
    assert_int_equal(row.sft_only_rows, 1);
    assert_true(drift_value(&row, DRIFT_NORM) == 1.0);
    row = scan_one((FileTensor){name, DTYPE_F32, 2, 2, base}, (FileTensor){name, DTYPE_F32, 3, 2, longer});
    assert_false(row.is_equal);
    assert_true(drift_value(&row, DRIFT_NORM) == 0.0);
}

static void the_share_of_the_largest_rounds_halves_to_even(void **state) {
    (void)state;
    static float base[350], sft[350];
    for (int i = 0; i < 350; i++) sft[i] = (float)(i + 1);
    /* 250 elements: the 2 largest; 350: 4 */
    DriftRow row = scan_one(floats(250, 0, base), floats(250, 0, sft));
    assert_true(row.top_squares == 250.0 * 250 + 249.0 * 249);
    row = scan_one(floats(350, 0, base), floats(350, 0, sft));
    assert_true(row.top_squares == 350.0 * 350 + 349.0 * 349 + 348.0 * 348 + 347.0 * 347);
}

/* ---- many tensors ---- */

enum { MANY = 6 };

static void make_many(PairFiles *files) {
    static float base[300 * 1024], sft[300 * 1024];
    uint64_t random = 3;
    for (size_t i = 0; i < 300 * 1024; i++) {
        base[i] = smooth(i, 0.0F, &random);
        sft[i] = i % 3 == 0 ? base[i] : smooth(i, base[i], &random);
    }
    const FileTensor bases[MANY] = {
        {"lm_head.weight", DTYPE_F32, 250, 1024, base},
        {"model.embed_tokens.weight", DTYPE_F32, 300, 1024, base},
        {"model.layers.0.mlp.up_proj.weight", DTYPE_F32, 200, 1000, base},
        {"model.layers.0.self_attn.q_proj.weight", DTYPE_F32, 77, 99, base + 5},
        {"model.layers.1.mlp.up_proj.weight", DTYPE_F32, 200, 1000, base + 11},
        {"model.norm.weight", DTYPE_F32, 33, 0, base + 100},
    };
    FileTensor sfts[MANY];
    for (size_t i = 0; i < MANY; i++) {
        sfts[i] = bases[i];
        sfts[i].data = sft + ((const float *)bases[i].data - base);
    }
    sfts[3].data = bases[3].data;
    pair_files_make(files, bases, MANY, sfts, MANY);
}

static Job *make_job(unsigned threads, JobObserver observer, void *user) {
    Job *job;
    Error error;
    assert_int_equal(job_create(threads, observer, user, &job, &error), STATUS_OK);
    return job;
}

/* What is mapped is compared, whatever lies at the paths by then. */
static void a_file_that_takes_the_place_of_another_does_not_hide_the_change(void **state) {
    (void)state;
    static const float BASE[] = {1, 2, 3, 4}, SFT[] = {1, 2, 3, 5};
    const FileTensor base = floats(2, 2, BASE), sft = floats(2, 2, SFT);
    PairFiles files;
    char base_path[160], sft_path[160];
    pair_files_make(&files, &base, 1, &sft, 1);
    pair_files_path(&files, "base", true, base_path, sizeof base_path);
    pair_files_path(&files, "sft", true, sft_path, sizeof sft_path);
    assert_int_equal(unlink(sft_path), 0);
    assert_int_equal(link(base_path, sft_path), 0);
    DriftTable *table = scan(files.pair, NULL);
    DriftRow row;
    assert_true(drift_table_row(table, 0, &row));
    assert_int_equal(row.changed, 1);
    drift_table_free(table);
    pair_files_remove(&files);
}

static void the_number_of_threads_does_not_change_a_bit(void **state) {
    (void)state;
    PairFiles files;
    make_many(&files);
    DriftTable *alone = scan(files.pair, NULL);
    for (unsigned threads = 2; threads <= 5; threads++) {
        Job *job = make_job(threads, NULL, NULL);
        DriftTable *together = scan(files.pair, job);
        for (size_t i = 0; i < MANY; i++) {
            DriftRow expected, found;
            assert_true(drift_table_row(alone, i, &expected));
            assert_true(drift_table_row(together, i, &found));
            for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
                double a = drift_value(&expected, metric), b = drift_value(&found, metric);
                assert_memory_equal(&a, &b, sizeof a);
            }
            assert_int_equal(expected.max_row, found.max_row);
            assert_int_equal(expected.max_column, found.max_column);
        }
        drift_table_free(together);
        job_free(job);
    }
    drift_table_free(alone);
    pair_files_remove(&files);
}

static void sums_over_tensors_are_as_of_one_long_vector(void **state) {
    (void)state;
    PairFiles files;
    DriftRow all, layer, row;
    double squares = 0.0, base_squares = 0.0;
    make_many(&files);
    DriftTable *table = scan(files.pair, NULL);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(drift_table_row(table, i, &row));
        squares += row.difference_squares;
        base_squares += row.base_squares;
    }
    assert_int_equal(drift_sum_all(table, &all), MANY);
    assert_int_equal(all.equal_tensors, 1);
    assert_near(drift_value(&all, DRIFT_RELATIVE_NORM), sqrt(squares / base_squares), 1e-15);
    assert_int_equal(drift_sum_layer(table, 0, &layer), 2);
    assert_int_equal(layer.count, 200 * 1000 + 77 * 99);
    assert_int_equal(drift_sum_role(table, TENSOR_UP, &layer), 2);
    assert_int_equal(drift_sum_layer(table, -1, &layer), 3);
    assert_int_equal(drift_sum_layer(table, 7, &layer), 0);
    assert_false(layer.is_compared);
    drift_table_free(table);
    pair_files_remove(&files);
}

static void moments_of_a_sum_are_those_of_the_whole(void **state) {
    (void)state;
    static float base[900], sft[900];
    uint64_t random = 5;
    for (size_t i = 0; i < 900; i++) sft[i] = smooth(i, i < 300 ? 0.5F : 0.0F, &random);
    DriftRow whole = scan_one(floats(900, 0, base), floats(900, 0, sft)), sum = {0};
    DriftRow first = scan_one(floats(300, 0, base), floats(300, 0, sft));
    DriftRow second = scan_one(floats(600, 0, base), floats(600, 0, sft + 300));
    drift_add_row(&sum, &first);
    drift_add_row(&sum, &second);
    /* tolerance 1e-13; observed 7e-16 */
    assert_near(drift_value(&sum, DRIFT_KURTOSIS), drift_value(&whole, DRIFT_KURTOSIS), 1e-13);
    assert_true(drift_value(&sum, DRIFT_MAX_ABS) == drift_value(&whole, DRIFT_MAX_ABS));
}

static void tensors_are_ranked_by_drift(void **state) {
    (void)state;
    const float ones[] = {1, 1}, twos[] = {2, 2}, bad[] = {1, NAN}, more[] = {1, 1.5F};
    const FileTensor base[] = {{"a", DTYPE_F32, 2, 0, ones},
                               {"b", DTYPE_F32, 2, 0, ones},
                               {"c", DTYPE_F32, 2, 0, ones},
                               {"d", DTYPE_F32, 2, 0, ones}};
    const FileTensor sft[] = {{"a", DTYPE_F32, 2, 0, more},
                              {"b", DTYPE_F32, 2, 0, twos},
                              {"c", DTYPE_F32, 2, 0, ones},
                              {"d", DTYPE_F32, 2, 0, bad}};
    PairFiles files;
    size_t indexes[4], count;
    Error error;
    pair_files_make(&files, base, 4, sft, 4);
    DriftTable *table = scan(files.pair, NULL);
    assert_int_equal(drift_rank(table, DRIFT_RELATIVE_NORM, indexes, &count, &error), STATUS_OK);
    const size_t by_norm[] = {3, 1, 0, 2};
    assert_int_equal(count, 4);
    assert_memory_equal(indexes, by_norm, sizeof by_norm);
    assert_int_equal(drift_rank(table, DRIFT_KURTOSIS, indexes, &count, &error), STATUS_OK);
    const size_t by_kurtosis[] = {3, 0, 1, 2}; /* undefined for b and c */
    assert_memory_equal(indexes, by_kurtosis, sizeof by_kurtosis);
    drift_table_free(table);
    pair_files_remove(&files);
}

static void what_only_sft_has_is_not_compared(void **state) {
    (void)state;
    const float values[] = {1, 2};
    const int64_t numbers[] = {1, 2};
    const FileTensor base[] = {{"w", DTYPE_F32, 2, 0, values}, {"n", DTYPE_I64, 2, 0, numbers}};
    const FileTensor sft[] = {
        {"w", DTYPE_F32, 2, 0, values}, {"n", DTYPE_I64, 2, 0, numbers}, {"extra", DTYPE_F32, 2, 0, values}};
    PairFiles files;
    DriftRow row;
    DriftProfile profile;
    Error error;
    pair_files_make(&files, base, 2, sft, 3);
    DriftTable *table = scan(files.pair, NULL);
    assert_int_equal(drift_table_ready(table), 3);
    assert_int_equal(drift_sum_all(table, &row), 1);
    for (size_t i = 1; i < 3; i++) {
        assert_true(drift_table_row(table, i, &row));
        assert_false(row.is_compared);
        assert_true(isnan(drift_value(&row, DRIFT_NORM)));
        assert_int_equal(drift_profile(row.tensor, &profile, NULL, &error), STATUS_ARGUMENT);
    }
    drift_table_free(table);
    pair_files_remove(&files);
}

static void one_file_on_both_sides_is_equal_throughout(void **state) {
    (void)state;
    PairFiles files;
    DriftRow all;
    make_many(&files);
    pair_close(files.pair);
    pair_files_open(&files, "sft", "sft");
    DriftTable *table = scan(files.pair, NULL);
    assert_int_equal(drift_sum_all(table, &all), MANY);
    assert_int_equal(all.equal_tensors, MANY);
    assert_true(all.is_equal);
    assert_true(drift_value(&all, DRIFT_BASE_NORM) > 0.0);
    assert_true(drift_value(&all, DRIFT_BASE_NORM) == drift_value(&all, DRIFT_SFT_NORM));
    drift_table_free(table);
    pair_files_remove(&files);
}

/* ---- while it runs ---- */

typedef struct Watch {
    Job *job;
    uint64_t last, total;
    size_t calls;
    bool goes_back, cancels;
} Watch;

static void watch(void *user, JobProgress progress) {
    Watch *seen = user;
    seen->goes_back = seen->goes_back || progress.done < seen->last;
    seen->last = progress.done;
    seen->total = progress.total;
    seen->calls++;
    if (seen->cancels) job_cancel(seen->job);
}

static void progress_is_in_bytes_of_both_files(void **state) {
    (void)state;
    PairFiles files;
    Watch seen = {0};
    make_many(&files);
    seen.job = make_job(1, watch, &seen);
    drift_table_free(scan(files.pair, seen.job));
    uint64_t elements = (250 + 300) * 1024 + 2 * 200 * 1000 + 77 * 99 + 33;
    assert_int_equal(seen.total, 8 * elements);
    assert_int_equal(seen.last, seen.total);
    assert_false(seen.goes_back);
    assert_true(seen.calls > 2);
    job_free(seen.job);
    pair_files_remove(&files);
}

static void a_cancelled_scan_keeps_what_is_done_and_can_go_on(void **state) {
    (void)state;
    PairFiles files;
    Watch seen = {.cancels = true};
    DriftTable *table;
    DriftRow row;
    Error error;
    make_many(&files);
    seen.job = make_job(1, watch, &seen); /* one thread: the first report comes before the second tile */
    assert_int_equal(drift_table_create(files.pair, &table, &error), STATUS_OK);
    assert_int_equal(drift_scan(files.pair, table, seen.job, &error), STATUS_CANCELLED);
    assert_true(drift_table_ready(table) < MANY);
    assert_int_equal(drift_scan(files.pair, table, NULL, &error), STATUS_OK);
    assert_int_equal(drift_table_ready(table), MANY);
    for (size_t i = 0; i < MANY; i++) assert_true(drift_table_row(table, i, &row));
    drift_table_free(table);
    job_free(seen.job);
    pair_files_remove(&files);
}

typedef struct Reader {
    const DriftTable *table;
    atomic_bool stop;
    size_t seen_ready;
    bool is_broken;
} Reader;

static void *read_rows(void *argument) {
    Reader *reader = argument;
    while (!atomic_load(&reader->stop)) {
        DriftRow row, sum;
        for (size_t i = 0; i < drift_table_count(reader->table); i++) {
            if (!drift_table_row(reader->table, i, &row)) continue;
            reader->is_broken =
                reader->is_broken || row.count == 0 || !(drift_value(&row, DRIFT_BASE_NORM) > 0);
        }
        size_t summed = drift_sum_all(reader->table, &sum);
        reader->is_broken = reader->is_broken || summed < reader->seen_ready;
        reader->seen_ready = summed;
    }
    return NULL;
}

static void rows_may_be_read_while_they_appear(void **state) {
    (void)state;
    PairFiles files;
    Reader reader = {0};
    pthread_t thread;
    DriftTable *table;
    Error error;
    make_many(&files);
    Job *job = make_job(3, NULL, NULL);
    assert_int_equal(drift_table_create(files.pair, &table, &error), STATUS_OK);
    reader.table = table;
    assert_int_equal(pthread_create(&thread, NULL, read_rows, &reader), 0);
    assert_int_equal(drift_scan(files.pair, table, job, &error), STATUS_OK);
    atomic_store(&reader.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(reader.is_broken);
    job_free(job);
    drift_table_free(table);
    pair_files_remove(&files);
}

/* ---- rows and columns; the table of metrics ---- */

static void norms_of_rows_and_columns_are_as_computed_by_hand(void **state) {
    (void)state;
    const char *name = "model.embed_tokens.weight";
    const float base[] = {3, 4, 0, 1}, sft[] = {3, 8, 3, 1, 9, 9};
    const FileTensor left = {name, DTYPE_F32, 2, 2, base}, right = {name, DTYPE_F32, 3, 2, sft};
    PairFiles files;
    DriftProfile profile;
    Error error;
    pair_files_make_one(&files, left, right);
    assert_int_equal(drift_profile(&files.pair->tensors[0], &profile, NULL, &error), STATUS_OK);
    assert_int_equal(profile.rows, 2);
    assert_int_equal(profile.columns, 2);
    assert_true(profile.row_difference[0] == 4.0 && profile.row_difference[1] == 3.0);
    assert_true(profile.row_base[0] == 5.0 && profile.row_base[1] == 1.0);
    assert_true(profile.column_difference[0] == 3.0 && profile.column_difference[1] == 4.0);
    assert_true(profile.column_base[0] == 3.0 && profile.column_base[1] == sqrt(17.0));
    drift_profile_free(&profile);
    pair_files_remove(&files);
}

static void every_metric_has_a_key_of_its_own(void **state) {
    (void)state;
    for (DriftMetric metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        assert_int_equal(drift_find_metric(drift_metric_facts(metric)->key), metric);
        assert_true(strlen(drift_metric_facts(metric)->label) > 0);
        assert_true(strlen(drift_metric_facts(metric)->help) > 0);
    }
    assert_int_equal(drift_find_metric("spectral"), DRIFT_METRIC_COUNT);
}

static void values_are_written_as_their_kind_asks(void **state) {
    (void)state;
    char text[24];
    drift_format_value(DRIFT_CHANGED, 0.25, text, sizeof text);
    assert_string_equal(text, "25.0%");
    drift_format_value(DRIFT_SIGN_FLIPS, 0.00123, text, sizeof text);
    assert_string_equal(text, "0.12%");
    drift_format_value(DRIFT_COSINE, 0.9995, text, sizeof text);
    assert_string_equal(text, "0.999500");
    drift_format_value(DRIFT_RELATIVE_NORM, 0.04776494, text, sizeof text);
    assert_string_equal(text, "0.04776");
    drift_format_value(DRIFT_RELATIVE_NORM, 0.054, text, sizeof text);
    assert_string_equal(text, "0.05400");
    drift_format_value(DRIFT_NORM, 1234.0, text, sizeof text);
    assert_string_equal(text, "1234");
    drift_format_value(DRIFT_NORM, 999.99, text, sizeof text);
    assert_string_equal(text, "1000");
    drift_format_value(DRIFT_NORM, 0.0, text, sizeof text);
    assert_string_equal(text, "0");
    drift_format_value(DRIFT_NORM, INFINITY, text, sizeof text);
    assert_string_equal(text, "inf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_is_as_computed_by_hand),
        cmocka_unit_test(the_first_of_equal_maxima_is_named),
        cmocka_unit_test(equal_tensors_are_flagged_and_have_no_drift),
        cmocka_unit_test(zero_tensors_have_the_stated_limits),
        cmocka_unit_test(a_nan_shows_and_is_counted),
        cmocka_unit_test(a_nan_in_equal_bytes_is_not_hidden),
        cmocka_unit_test(an_infinity_shows_and_is_counted),
        cmocka_unit_test(different_types_are_compared_as_values),
        cmocka_unit_test(rows_of_an_enlarged_vocabulary_are_left_out_and_counted),
        cmocka_unit_test(the_share_of_the_largest_rounds_halves_to_even),
        cmocka_unit_test(a_file_that_takes_the_place_of_another_does_not_hide_the_change),
        cmocka_unit_test(the_number_of_threads_does_not_change_a_bit),
        cmocka_unit_test(sums_over_tensors_are_as_of_one_long_vector),
        cmocka_unit_test(moments_of_a_sum_are_those_of_the_whole),
        cmocka_unit_test(tensors_are_ranked_by_drift),
        cmocka_unit_test(what_only_sft_has_is_not_compared),
        cmocka_unit_test(one_file_on_both_sides_is_equal_throughout),
        cmocka_unit_test(progress_is_in_bytes_of_both_files),
        cmocka_unit_test(a_cancelled_scan_keeps_what_is_done_and_can_go_on),
        cmocka_unit_test(rows_may_be_read_while_they_appear),
        cmocka_unit_test(norms_of_rows_and_columns_are_as_computed_by_hand),
        cmocka_unit_test(every_metric_has_a_key_of_its_own),
        cmocka_unit_test(values_are_written_as_their_kind_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
