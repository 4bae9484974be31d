#include "core/drift/elements.h"
#include "core/fusion/blend.h"
#include "tests/unit/pair_files.h"

#include <math.h>

#define assert_near(found, expected, tolerance) assert_true(fabs((found) - (expected)) <= (tolerance))

/* 4 × 6: B[r][c] = 10·r + c; S = B + Δ below. The fifth row is SFT's only. */
static const float BASE[24] = {0,  1,  2,  3,  4,  5,  10, 11, 12, 13, 14, 15,
                               20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35};
static const float DELTA[24] = {1, -2, 0, 0, 3, 0, 0, 0, -4, 0, 0, 0, 0, 0, 0, 0.5F, 0, 0, -8, 0, 0, 0, 0, 8};
enum { ROWS = 4, COLUMNS = 6 };

typedef struct Setting {
    PairFiles files;
    float sft[30];
} Setting;

static int set_up(void **state) {
    static Setting setting;
    for (int i = 0; i < 24; i++) setting.sft[i] = BASE[i] + DELTA[i];
    for (int i = 24; i < 30; i++) setting.sft[i] = 100.0F;
    const char *name = "model.embed_tokens.weight";
    pair_files_make_one(&setting.files, (FileTensor){name, DTYPE_F32, ROWS, COLUMNS, BASE},
                        (FileTensor){name, DTYPE_F32, ROWS + 1, COLUMNS, setting.sft});
    *state = &setting;
    return 0;
}

static int tear_down(void **state) {
    pair_files_remove(&((Setting *)*state)->files);
    return 0;
}

static ElementsRequest request_of(const Setting *setting, ElementsSource source, ElementsPooling pooling) {
    return (ElementsRequest){.tensor = &setting->files.pair->tensors[0],
                             .source = source,
                             .pooling = pooling,
                             .settings = {.alpha = 0.5},
                             .rows = ROWS,
                             .columns = COLUMNS,
                             .grid_rows = 100,
                             .grid_columns = 100};
}

static ElementsMap pool(const ElementsRequest *request, Job *job) {
    ElementsMap map;
    Error error = {0};
    if (elements_pool(request, &map, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    return map;
}

static void a_window_as_small_as_the_grid_shows_single_elements(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_DIFFERENCE, ELEMENTS_SIGNED);
    ElementsMap map = pool(&request, NULL);
    assert_int_equal(map.grid_rows, ROWS);
    assert_int_equal(map.grid_columns, COLUMNS);
    for (size_t i = 0; i < 24; i++) assert_true(map.cells[i] == (double)DELTA[i]);
    assert_true(map.largest_cell == 8.0);
    assert_true(map.minimum == -8.0 && map.maximum == 8.0);
    assert_near(map.mean, -1.5 / 24, 1e-16);
    elements_free(&map);
}

static void each_pooling_is_as_computed_by_hand(void **state) {
    /* 2 × 2 cells of 2 × 3: Δ = 1 −2 0 | 0 3 0 / 0 0 −4 | 0 0 0 // 0 0 0 | ½ 0 0 / −8 0 0 | 0 0 8 */
    const struct {
        ElementsPooling pooling;
        double cells[4];
    } expected[] = {
        {ELEMENTS_MAX, {4, 3, 8, 8}},
        {ELEMENTS_SIGNED, {-4, 3, -8, 8}},
        {ELEMENTS_MEAN, {-5.0 / 6, 0.5, -8.0 / 6, 8.5 / 6}},
        {ELEMENTS_RMS, {sqrt(21.0 / 6), sqrt(1.5), sqrt(64.0 / 6), sqrt(64.25 / 6)}},
    };
    for (size_t p = 0; p < 4; p++) {
        ElementsRequest request = request_of(*state, ELEMENTS_DIFFERENCE, expected[p].pooling);
        request.grid_rows = request.grid_columns = 2;
        ElementsMap map = pool(&request, NULL);
        for (size_t i = 0; i < 4; i++) assert_near(map.cells[i], expected[p].cells[i], 1e-15);
        assert_near(map.row_profile[0], sqrt(30.0 / 12), 1e-15);
        assert_near(map.row_profile[1], sqrt(128.25 / 12), 1e-15);
        assert_near(map.column_profile[0], sqrt(85.0 / 12), 1e-15);
        assert_near(map.column_profile[1], sqrt(73.25 / 12), 1e-15);
        elements_free(&map);
    }
}

static void cells_cover_the_window_without_gap_or_overlap(void **state) {
    (void)state;
    for (uint64_t size = 1; size < 40; size++) {
        for (size_t cells = 1; cells <= size; cells++) {
            uint64_t next = 5, first, count;
            for (size_t i = 0; i < cells; i++) {
                elements_cell_span(5, size, cells, i, &first, &count);
                assert_int_equal(first, next);
                assert_true(count == size / cells || count == size / cells + 1);
                next = first + count;
            }
            assert_int_equal(next, 5 + size);
        }
    }
}

static void a_window_is_a_part_of_the_tensor(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_BASE, ELEMENTS_MEAN);
    request.row = 1;
    request.rows = 2;
    request.column = 3;
    request.columns = 2;
    ElementsMap map = pool(&request, NULL);
    const double expected[] = {13, 14, 23, 24};
    assert_int_equal(map.count, 4);
    for (size_t i = 0; i < 4; i++) assert_true(map.cells[i] == expected[i]);
    elements_free(&map);
}

static void fused_elements_are_those_of_the_blend(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_FUSED, ELEMENTS_SIGNED);
    request.settings.alpha = 0.3;
    request.rows = ROWS + 1;
    request.column = 1;
    request.columns = 4;
    ElementsMap map = pool(&request, NULL);
    Blend blend = settings_blend(&request.settings, request.tensor);
    float expected[30];
    blend_rows(&blend, 0, ROWS + 1, expected);
    for (size_t i = 0; i < map.grid_rows * map.grid_columns; i++)
        assert_true(map.cells[i] == (double)expected[i / 4 * COLUMNS + 1 + i % 4]);
    assert_true(map.cells[4 * 4] == 100.0); /* the row that only SFT has */
    assert_int_equal(map.missing, 0);
    elements_free(&map);
}

static void rows_that_base_lacks_are_marked_missing(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_DIFFERENCE, ELEMENTS_RMS);
    request.rows = ROWS + 1;
    request.bins = 4;
    ElementsMap map = pool(&request, NULL);
    assert_int_equal(map.count, 24);
    assert_int_equal(map.missing, COLUMNS);
    assert_int_equal(map.nonfinite, 0);
    assert_true(isnan(map.cells[ROWS * COLUMNS]));
    assert_int_equal(map.marks[ROWS * COLUMNS], ELEMENTS_CELL_MISSING);
    assert_int_equal(map.marks[0], 0);
    assert_true(isnan(map.row_profile[ROWS]));
    elements_free(&map);
}

static void a_histogram_is_symmetric_where_both_signs_occur(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_DIFFERENCE, ELEMENTS_MAX);
    request.bins = 4;
    ElementsMap map = pool(&request, NULL);
    /* −8…−4, −4…0, 0…4, 4…8: −4 belongs to the second, 0 to the third, 8 to the last */
    const uint64_t expected[] = {1, 2, 20, 1};
    assert_true(map.histogram_low == -8.0 && map.histogram_high == 8.0);
    assert_memory_equal(map.histogram, expected, sizeof expected);
    elements_free(&map);
    request.source = ELEMENTS_BASE;
    request.bins = 7;
    map = pool(&request, NULL);
    assert_true(map.histogram_low == 0.0 && map.histogram_high == 35.0);
    const uint64_t of_base[] = {5, 1, 5, 1, 5, 1, 6}; /* steps of 5 */
    assert_memory_equal(map.histogram, of_base, sizeof of_base);
    elements_free(&map);
}

static void elements_that_are_not_finite_are_counted_marked_and_left_out(void **state) {
    (void)state;
    const float base[] = {1, 1, 1, 1}, sft[] = {2, NAN, -INFINITY, 5};
    PairFiles files;
    pair_files_make_one(&files, (FileTensor){"w", DTYPE_F32, 2, 2, base},
                        (FileTensor){"w", DTYPE_F32, 2, 2, sft});
    ElementsRequest request = {.tensor = &files.pair->tensors[0],
                               .source = ELEMENTS_DIFFERENCE,
                               .pooling = ELEMENTS_MEAN,
                               .rows = 2,
                               .columns = 2,
                               .grid_rows = 1,
                               .grid_columns = 2,
                               .bins = 3};
    ElementsMap map = pool(&request, NULL);
    assert_int_equal(map.count, 2);
    assert_int_equal(map.nonfinite, 2);
    assert_true(map.cells[0] == 1.0 && map.cells[1] == 4.0);
    assert_int_equal(map.marks[0], ELEMENTS_CELL_NONFINITE);
    assert_int_equal(map.marks[1], ELEMENTS_CELL_NONFINITE);
    assert_true(map.minimum == 1.0 && map.maximum == 4.0);
    assert_int_equal(map.histogram[0] + map.histogram[1] + map.histogram[2], 2);
    elements_free(&map);
    request.rows = request.columns = request.grid_columns = 1;
    request.column = 1;
    map = pool(&request, NULL); /* nothing but a NaN */
    assert_true(isnan(map.cells[0]) && isnan(map.mean) && isnan(map.row_profile[0]));
    assert_true(map.largest_cell == 0.0);
    elements_free(&map);
    pair_files_remove(&files);
}

static void equal_values_are_all_in_the_first_bin(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_SFT, ELEMENTS_MAX);
    request.row = ROWS;
    request.rows = 1;
    request.bins = 3;
    ElementsMap map = pool(&request, NULL);
    assert_int_equal(map.histogram[0], COLUMNS);
    elements_free(&map);
}

static void the_number_of_threads_does_not_change_a_bit(void **state) {
    (void)state;
    enum { TALL = 301, WIDE = 97 };
    static float base[TALL * WIDE], sft[TALL * WIDE];
    uint32_t random = 1;
    for (size_t i = 0; i < TALL * WIDE; i++) {
        base[i] = (float)((random = random * 1664525U + 1013904223U) >> 8) * 0x1p-24F;
        sft[i] = base[i] + (float)((random = random * 1664525U + 1013904223U) >> 8) * 0x1p-30F;
    }
    PairFiles files;
    pair_files_make_one(&files, (FileTensor){"w", DTYPE_F32, TALL, WIDE, base},
                        (FileTensor){"w", DTYPE_F32, TALL, WIDE, sft});
    ElementsRequest request = {.tensor = &files.pair->tensors[0],
                               .pooling = ELEMENTS_RMS,
                               .rows = TALL,
                               .columns = WIDE,
                               .grid_rows = 17,
                               .grid_columns = 23,
                               .bins = 10};
    ElementsMap alone = pool(&request, NULL);
    for (unsigned threads = 2; threads < 5; threads++) {
        Job *job;
        Error error;
        assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
        ElementsMap together = pool(&request, job);
        assert_memory_equal(alone.cells, together.cells, 17 * 23 * sizeof *alone.cells);
        assert_memory_equal(alone.row_profile, together.row_profile, 17 * sizeof *alone.row_profile);
        assert_memory_equal(alone.column_profile, together.column_profile, 23 * sizeof *alone.row_profile);
        assert_memory_equal(alone.histogram, together.histogram, 10 * sizeof *alone.histogram);
        assert_memory_equal(&alone.mean, &together.mean, sizeof alone.mean);
        elements_free(&together);
        job_free(job);
    }
    elements_free(&alone);
    pair_files_remove(&files);
}

static void requests_that_make_no_sense_are_refused(void **state) {
    ElementsRequest good = request_of(*state, ELEMENTS_SFT, ELEMENTS_MAX), bad = good;
    ElementsMap map;
    Error error;
    bad.rows = ROWS + 2;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_ARGUMENT);
    bad = good;
    bad.column = UINT64_MAX;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_ARGUMENT);
    bad = good;
    bad.columns = 0;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_ARGUMENT);
    bad = good;
    bad.grid_rows = 0;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_ARGUMENT);
    PairTensor lone = *good.tensor;
    lone.base = NULL;
    lone.is_fused = false;
    bad = good;
    bad.tensor = &lone;
    bad.source = ELEMENTS_DIFFERENCE;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_ARGUMENT);
    assert_null(map.cells);
    Tensor integers = *good.tensor->sft;
    integers.dtype = DTYPE_I32;
    lone.sft = &integers;
    bad.source = ELEMENTS_SFT;
    assert_int_equal(elements_pool(&bad, &map, NULL, &error), STATUS_UNSUPPORTED);
}

static void a_cancelled_request_leaves_nothing_behind(void **state) {
    ElementsRequest request = request_of(*state, ELEMENTS_SFT, ELEMENTS_MAX);
    ElementsMap map;
    Error error;
    Job *job;
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    job_cancel(job);
    assert_int_equal(elements_pool(&request, &map, job, &error), STATUS_CANCELLED);
    assert_null(map.cells);
    job_free(job);
}

static void one_element_is_shown_exactly(void **state) {
    const Setting *setting = *state;
    const Settings settings = {.alpha = 0.25};
    const PairTensor *tensor = &setting->files.pair->tensors[0];
    ElementValues values;
    Error error;
    assert_int_equal(elements_at(tensor, &settings, 3, 0, &values, &error), STATUS_OK);
    assert_true(values.has_base);
    assert_true(values.base == 30.0F && values.sft == 22.0F && values.fused == 28.0F);
    assert_true(values.difference == -8.0);
    assert_int_equal(elements_at(tensor, &settings, 4, 5, &values, &error), STATUS_OK);
    assert_false(values.has_base);
    assert_true(isnan(values.base) && isnan(values.difference));
    assert_true(values.sft == 100.0F && values.fused == 100.0F);
    assert_int_equal(elements_at(tensor, &settings, 5, 0, &values, &error), STATUS_ARGUMENT);
}

static void every_source_and_pooling_has_a_name(void **state) {
    (void)state;
    for (ElementsSource source = 0; source < ELEMENTS_SOURCE_COUNT; source++)
        assert_true(strlen(elements_source_facts(source)->key) > 0);
    for (ElementsPooling pooling = 0; pooling < ELEMENTS_POOLING_COUNT; pooling++)
        assert_true(strlen(elements_pooling_facts(pooling)->key) > 0);
    assert_true(elements_pooling_facts(ELEMENTS_SIGNED)->is_signed);
    assert_false(elements_pooling_facts(ELEMENTS_RMS)->is_signed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_as_small_as_the_grid_shows_single_elements),
        cmocka_unit_test(each_pooling_is_as_computed_by_hand),
        cmocka_unit_test(cells_cover_the_window_without_gap_or_overlap),
        cmocka_unit_test(a_window_is_a_part_of_the_tensor),
        cmocka_unit_test(fused_elements_are_those_of_the_blend),
        cmocka_unit_test(rows_that_base_lacks_are_marked_missing),
        cmocka_unit_test(a_histogram_is_symmetric_where_both_signs_occur),
        cmocka_unit_test(elements_that_are_not_finite_are_counted_marked_and_left_out),
        cmocka_unit_test(equal_values_are_all_in_the_first_bin),
        cmocka_unit_test(the_number_of_threads_does_not_change_a_bit),
        cmocka_unit_test(requests_that_make_no_sense_are_refused),
        cmocka_unit_test(a_cancelled_request_leaves_nothing_behind),
        cmocka_unit_test(one_element_is_shown_exactly),
        cmocka_unit_test(every_source_and_pooling_has_a_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
