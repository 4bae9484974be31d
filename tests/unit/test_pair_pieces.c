/* Convolutions that base and SFT store in three pieces and cut in other places: base's are cut as SFT's are where they are the
 * same channels together, and are refused by name where they are not. */
#include "core/checkpoint/tensor_values.h"
#include "pair_files.h"

enum { CHANNELS = 8, TAPS = 2 };

static const float BASE[CHANNELS * TAPS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const float SFT[CHANNELS * TAPS] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const char *const NAMES[] = {"model.layers.0.linear_attn.q_conv1d.weight",
                                    "model.layers.0.linear_attn.k_conv1d.weight",
                                    "model.layers.0.linear_attn.v_conv1d.weight"};

/* Pieces of so many channels, one behind the other. */
static void cut(FileTensor tensors[3], const float *values, const size_t rows[3]) {
    for (size_t i = 0, at = 0; i < 3; at += rows[i++])
        tensors[i] = (FileTensor){NAMES[i], DTYPE_F32, rows[i], TAPS, values + at * TAPS};
}

static void open_cut(PairFiles *files, const size_t base[3], const size_t sft[3]) {
    FileTensor of_base[3], of_sft[3];
    cut(of_base, BASE, base);
    cut(of_sft, SFT, sft);
    pair_files_make(files, of_base, 3, of_sft, 3);
}

static size_t errors_of(const PairFiles *files) {
    return finding_count(&files->pair->findings, SEVERITY_ERROR);
}

static void base_is_cut_as_sft_is(void **state) {
    (void)state;
    PairFiles files;
    open_cut(&files, (const size_t[]){2, 2, 4}, (const size_t[]){3, 3, 2});
    assert_int_equal(errors_of(&files), 0);
    assert_int_equal(files.pair->pieces.count, 3);
    static const float FIRSTS[] = {0, 6, 12};
    for (size_t i = 0; i < 3; i++) {
        const PairTensor *tensor = pair_find_tensor(files.pair, NAMES[i]);
        assert_int_equal(tensor->base->rows, tensor->sft->rows);
        assert_true(tensor->is_fused);
        for (uint64_t at = 0; at < tensor->base->rows * TAPS; at++)
            assert_true(tensor_values_at(tensor->base, at) == FIRSTS[i] + (float)at);
    }
    pair_files_remove(&files);
}

/* They are left as they are, and whoever fuses is told why it cannot be. */
static void expect_none(const PairFiles *files) {
    bool is_said = false;
    const FindingList *findings = &files->pair->findings;
    for (size_t i = 0; i < findings->count; i++)
        is_said = is_said || (findings->items[i].severity == SEVERITY_ERROR &&
                              strstr(findings->items[i].text, "expected one shape") != NULL);
    assert_true(is_said);
    assert_int_equal(files->pair->pieces.count, 0);
    assert_false(pair_find_tensor(files->pair, NAMES[0])->is_fused);
}

static void pieces_that_are_cut_alike_stay_as_they_are(void **state) {
    (void)state;
    PairFiles files;
    open_cut(&files, (const size_t[]){2, 2, 4}, (const size_t[]){2, 2, 4});
    assert_int_equal(errors_of(&files), 0);
    assert_int_equal(files.pair->pieces.count, 0);
    pair_files_remove(&files);
}

static void pieces_of_another_number_of_channels_are_refused(void **state) {
    (void)state;
    PairFiles files;
    open_cut(&files, (const size_t[]){2, 2, 4}, (const size_t[]){3, 3, 1});
    expect_none(&files);
    pair_files_remove(&files);
}

static void a_piece_that_is_missing_leaves_the_others_refused(void **state) {
    (void)state;
    PairFiles files;
    FileTensor base[3], sft[3];
    cut(base, BASE, (const size_t[]){2, 2, 4});
    cut(sft, SFT, (const size_t[]){3, 3, 2});
    pair_files_make(&files, base, 2, sft, 3);
    expect_none(&files);
    pair_files_remove(&files);
}

static void pieces_of_several_types_are_refused(void **state) {
    (void)state;
    PairFiles files;
    FileTensor base[3], sft[3];
    cut(base, BASE, (const size_t[]){2, 2, 4});
    cut(sft, SFT, (const size_t[]){3, 3, 2});
    base[1].dtype = DTYPE_BF16;
    pair_files_make(&files, base, 3, sft, 3);
    expect_none(&files);
    pair_files_remove(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_is_cut_as_sft_is),
        cmocka_unit_test(pieces_that_are_cut_alike_stay_as_they_are),
        cmocka_unit_test(pieces_of_another_number_of_channels_are_refused),
        cmocka_unit_test(a_piece_that_is_missing_leaves_the_others_refused),
        cmocka_unit_test(pieces_of_several_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
