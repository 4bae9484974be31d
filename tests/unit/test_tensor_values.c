/*
 * Values of codes with scales. The expected bits were computed with transformers 5.24.0 (`Fp8Dequantize`, in float32) on torch
 * 2.15.0, for names of `_scale_inv`, and with compressed-tensors 0.20.1 (`float-quantized`, `decompress`) for `weight_scale`;
 * where blocks are cut, which transformers refuses, with torch, each scale repeated over its block. The codes are 37·i mod
 * 256.
 */
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_values.h"
#include "core/drift/drift.h"
#include "core/drift/elements.h"
#include "core/drift/spectrum.h"
#include "core/fusion/blend.h"
#include "scratch.h"

#include <math.h>
#include <unistd.h>

enum { MOST = 64 };

#define BLOCKS_OF_2_3 "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[2,3]}}"
#define BLOCKS_OF_2_4 "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[2,4]}}"
#define BY_ROW        "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\"}}"

/* One weight with its scales. */
typedef struct Scaled {
    const char *dtype, *shape;
    size_t count;
    const char *scale, *scale_dtype, *scale_shape; /* `scale`: its name */
    const void *scales;
    size_t scale_bytes;
    const char *config; /* NULL: none */
} Scaled;

static const uint32_t FOUR_SCALES[] = {0x3c54fdf4, 0x3f000000, 0x40500000, 0x3a83126f};
static const uint16_t FOUR_SCALES_BF16[] = {0x3c55, 0x3f00, 0x4050, 0x3a83};
static const uint8_t FOUR_EXPONENTS[] = {100, 127, 140, 255};
static const float SIX_SCALES[] = {0.013F, 0.5F, 3.25F, 1e-3F, 7.0F, -2.0F};
static const uint16_t ROW_SCALES_BF16[] = {0x3c55, 0x3f33, 0x4053, 0x3a83};
static const uint16_t ROW_SCALES_F16[] = {0x22a8, 0x399a, 0x429a, 0x1419};
static const uint32_t ROW_SCALES_F32[] = {0x3c54fdf4, 0x3f333333, 0x40533333, 0x3a83126f};
static const float EXPERT_SCALES[] = {0.5F, 2.0F, 3.0F, 5.0F, 7.0F, 0.1F};

/* A directory NAME with that weight, and a plain one beside it. */
static void write_scaled(const char *name, const Scaled *scaled, const unsigned char *codes) {
    char header[512], path[64];
    size_t bytes = scaled->count + scaled->scale_bytes;
    (void)snprintf(header, sizeof header,
                   "{\"a.weight\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[0,%zu]},"
                   "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}}",
                   scaled->dtype, scaled->shape, scaled->count, scaled->scale, scaled->scale_dtype,
                   scaled->scale_shape, scaled->count, bytes);
    unsigned char file[8 + sizeof header + MOST + 64] = {0};
    size_t length = strlen(header);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    memcpy(file + 8 + length, codes, scaled->count);
    memcpy(file + 8 + length + scaled->count, scaled->scales, scaled->scale_bytes);
    (void)snprintf(path, sizeof path, "%s/", name);
    free(scratch_path(path));
    (void)snprintf(path, sizeof path, "%s/model.safetensors", name);
    scratch_write(path, file, 8 + length + bytes);
    (void)snprintf(path, sizeof path, "%s/config.json", name);
    if (scaled->config != NULL) scratch_write_text(path, scaled->config);
}

static void write_plain(const char *name, const float *values, const char *shape, size_t count) {
    const Scaled plain = {"F32", shape, count * sizeof *values, "b.weight", "F32", "[0]", values, 0, NULL};
    write_scaled(name, &plain, (const unsigned char *)values);
}

static void fill_codes(unsigned char codes[MOST]) {
    for (size_t i = 0; i < MOST; i++) codes[i] = (unsigned char)(37 * i);
}

static Checkpoint *open_side(const char *name) {
    char *path = scratch_path(name);
    Error error = {0};
    Checkpoint *checkpoint;
    if (checkpoint_open(path, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return checkpoint;
}

static Pair *open_pair(const char *base, const char *sft) {
    char *base_path = scratch_path(base), *sft_path = scratch_path(sft);
    Error error = {0};
    Pair *pair;
    if (pair_open(base_path, sft_path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base_path);
    free(sft_path);
    return pair;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* NaNs are equal, whatever their payload. */
static void expect_bits(const char *what, const float *found, const uint32_t *expected, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool both_nan = isnan(found[i]) && (expected[i] & 0x7fffffffU) > 0x7f800000U;
        if (bits_of(found[i]) != expected[i] && !both_nan)
            fail_msg("%s, element %zu: expected 0x%08x, found 0x%08x", what, i, expected[i],
                     bits_of(found[i]));
    }
}

static void expect_values(const char *what, const Scaled *scaled, const uint32_t *expected) {
    unsigned char codes[MOST];
    float values[MOST];
    fill_codes(codes);
    write_scaled("side", scaled, codes);
    if (scaled->config == NULL) {
        char *config = scratch_path("side/config.json");
        (void)remove(config);
        free(config);
    }
    Checkpoint *side = open_side("side");
    assert_int_equal(side->quantization.status, STATUS_OK);
    assert_int_equal(side->tensor_count, 1); /* the scales are no tensor of their own */
    assert_int_equal(side->part_count, 1);
    assert_null(checkpoint_find_tensor(side, scaled->scale));
    const Tensor *tensor = checkpoint_find_tensor(side, "a.weight");
    tensor_values_read(tensor, 0, scaled->count, values);
    expect_bits(what, values, expected, scaled->count);
    for (size_t first = 0; first < scaled->count; first++) { /* from anywhere, as many as one likes */
        size_t count = (scaled->count - first + 1) / 2;
        tensor_values_read(tensor, first, count, values);
        expect_bits(what, values, expected + first, count);
        float one = tensor_values_at(tensor, first);
        expect_bits(what, &one, expected + first, 1);
        const Tensor slice = tensor_values_slice(tensor, first, 1, scaled->count - first);
        DType dtype; /* a slice of codes has the scales of where it lies */
        const float *lent = tensor_values_lend(&slice, 0, slice.columns, values, &dtype);
        assert_int_equal(dtype, DTYPE_F32);
        expect_bits(what, lent, expected + first, slice.columns);
    }
    checkpoint_close(side);
}

static const uint32_t IN_BLOCKS[] = {0x00000000, 0x3b2d0e56, 0x3d851eb8, 0x42700000, 0xbcc00000, 0xbf100000,
                                     0xbeba5e36, 0x389fbe77, 0x3b54fdf4, 0x40500000, 0x42a00000, 0xbcf00000,
                                     0xc09c0000, 0xc2ea0000, 0x3d1c0000, 0x39b43959, 0x3c03126f, 0x3e54fdf4,
                                     0xbe820000, 0xc0c30000, 0xc31c0000, 0x379374bd, 0x39e56042, 0x3c343959};

static void a_block_of_codes_has_one_scale(void **state) {
    (void)state;
    const Scaled scaled = {"F8_E4M3", "[4,6]",     24, "a.weight_scale_inv", "F32",
                           "[2,2]",   FOUR_SCALES, 16, BLOCKS_OF_2_3};
    expect_values("blocks", &scaled, IN_BLOCKS);
    Scaled undeclared = scaled; /* the grid divides the matrix evenly */
    undeclared.config = NULL;
    expect_values("blocks by the grid", &undeclared, IN_BLOCKS);
    Scaled renamed = scaled; /* DeepSeek-V4's, and Mistral's */
    renamed.scale = "a.scale";
    expect_values("blocks, .scale", &renamed, IN_BLOCKS);
    renamed.scale = "a.qscale_weight";
    expect_values("blocks, .qscale_weight", &renamed, IN_BLOCKS);
    Scaled spread = scaled; /* ModelOpt's FP8_PB_WO */
    spread.scale_shape = "[2,1,2,1]";
    expect_values("blocks, [r, 1, c, 1]", &spread, IN_BLOCKS);
}

static void the_last_blocks_may_be_cut(void **state) {
    (void)state;
    static const uint32_t E4M3[] = {0x00000000, 0x3b2d0e56, 0x3d851eb8, 0x3fc7ae15, 0xbcc00000, 0xbf100000,
                                    0xc1600000, 0x389fbe77, 0x3b54fdf4, 0x3dad0e56, 0x40051eb8, 0xbcf00000,
                                    0xbf400000, 0xc1900000, 0x3d1c0000, 0x3f8f0000, 0x41d00000, 0x44290000,
                                    0xb8a3d70b, 0xbaf5c290, 0xbd449ba6, 0x3d6a0000, 0x3fb60000, 0x420f0000,
                                    0x44500000, 0xb8d4fdf4, 0xbb23d70b, 0xbd75c290, 0x3e280000, 0x407c0000,
                                    0x42c40000, 0x451a0000, 0x3e800000, 0x40d00000, 0x43200000};
    static const uint32_t E5M2[] = {0x00000000, 0x39851eb8, 0x3e1fbe77, 0x42ba5e36, 0xba000000, 0xbea00000,
                                    0xc3400000, 0x351fbe77, 0x39d4fdf4, 0x3e851eb8, 0x431fbe77, 0xba600000,
                                    0xbf000000, 0xc3a00000, 0x399c0000, 0x3e360000, 0x42d00000, 0x47820000,
                                    0xb6449ba6, 0xbae56042, 0xbf83126f, 0x3a020000, 0x3e9c0000, 0x43360000,
                                    0x47d00000, 0xb6a3d70b, 0xbb449ba6, 0xbfe56042, 0x3ae00000, 0x3f8c0000,
                                    0x44280000, 0x48c40000, 0x3c800000, 0x41200000, 0x45c00000};
    Scaled scaled = {"F8_E4M3", "[5,7]",    35, "a.weight_scale_inv", "F32",
                     "[3,2]",   SIX_SCALES, 24, BLOCKS_OF_2_4};
    expect_values("cut blocks", &scaled, E4M3);
    scaled.dtype = "F8_E5M2";
    expect_values("cut blocks of E5M2", &scaled, E5M2);
}

static void scales_are_of_any_type_that_is_published(void **state) {
    (void)state;
    static const uint32_t BF16[] = {0x00000000, 0x3b2d1000, 0x3d852000, 0x42700000, 0xbcc00000, 0xbf100000,
                                    0xbeba6000, 0x389fc000, 0x3b550000, 0x40500000, 0x42a00000, 0xbcf00000,
                                    0xc09c0000, 0xc2ea0000, 0x3d1c0000, 0x39b42000, 0x3c030000, 0x3e54e000,
                                    0xbe820000, 0xc0c30000, 0xc31c0000, 0x37936000, 0x39e54000, 0x3c342000};
    static const uint32_t U8[] = {0x00000000, 0x30d00000, 0x33200000, 0x42f00000, 0xbd400000, 0xbf900000,
                                  0xb4600000, 0x2e400000, 0x31000000, 0x40d00000, 0x43200000, 0xbd700000,
                                  0xc6400000, 0xc8900000, 0x42c00000, 0x7f800000, 0x7f800000, 0x7f800000,
                                  0xc4200000, 0xc6700000, 0xc8c00000, 0x7f800000, 0x7f800000, 0x7f800000};
    uint32_t e8m0[24];
    Scaled scaled = {"F8_E4M3", "[4,6]",          24, "a.weight_scale_inv", "BF16",
                     "[2,2]",   FOUR_SCALES_BF16, 8,  BLOCKS_OF_2_3};
    expect_values("BF16", &scaled, BF16);
    scaled.scale_dtype = "U8";
    scaled.scales = FOUR_EXPONENTS;
    scaled.scale_bytes = 4;
    expect_values("U8", &scaled, U8);
    for (size_t i = 0; i < 24; i++) e8m0[i] = U8[i] == 0x7f800000 ? 0x7fc00001 : U8[i];
    scaled.scale_dtype = "F8_E8M0";
    expect_values("F8_E8M0", &scaled, e8m0);
}

static void one_scale_may_hold_for_the_whole_tensor(void **state) {
    (void)state;
    static const char *const SHAPES[] = {"[]", "[1]", "[1,1]"};
    static const uint32_t EXPECTED[] = {
        0x00000000, 0x3b2d0e56, 0x3d851eb8, 0x3fc7ae15, 0xba1fbe77, 0xbc6f9db2, 0xbeba5e36, 0x389fbe77,
        0x3b54fdf4, 0x3dad0e56, 0x40051eb8, 0xba47ae15, 0xbc9fbe77, 0xbeef9db2, 0x391fbe77, 0x3b926e98,
        0x3dd4fdf4, 0x402d0e56, 0xba851eb8, 0xbcc7ae15, 0xbf1fbe77, 0x396f9db2, 0x3bba5e36, 0x3e126e98};
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        Scaled scaled = {"F8_E4M3",   "[4,6]", 24,  "a.weight_scale_inv", "F32", SHAPES[i],
                         FOUR_SCALES, 4,       NULL};
        expect_values(SHAPES[i], &scaled, EXPECTED);
        scaled.shape = "[2,2,6]"; /* of all experts */
        expect_values(SHAPES[i], &scaled, EXPECTED);
    }
}

static void a_scale_a_row_is_rounded_to_as_compressed_tensors_does(void **state) {
    (void)state;
    static const uint32_t F32[] = {0x00000000, 0x3b2d0e56, 0x3d851eb8, 0x3fc7ae15, 0xba1fbe77, 0xbc6f9db2,
                                   0xc19ccccd, 0x3b866666, 0x3e333333, 0x40919999, 0x42e00000, 0xbd280000,
                                   0xc09e6666, 0xc2ed9999, 0x3d1e6666, 0x3f913333, 0x41d33333, 0x442b9999,
                                   0xb8a3d70b, 0xbaf5c290, 0xbd449ba6, 0x379374bd, 0x39e56042, 0x3c343959};
    static const uint32_t BF16[] = {0x00000000, 0x3b2d0000, 0x3d850000, 0x3fc80000, 0xba200000, 0xbc700000,
                                    0xc19d0000, 0x3b860000, 0x3e330000, 0x40910000, 0x42e00000, 0xbd280000,
                                    0xc09e0000, 0xc2ed0000, 0x3d1e0000, 0x3f910000, 0x41d30000, 0x442b0000,
                                    0xb8a40000, 0xbaf60000, 0xbd440000, 0x37930000, 0x39e50000, 0x3c340000};
    static const uint32_t F16[] = {0x00000000, 0x3b2d0000, 0x3d852000, 0x3fc7c000, 0xba1fc000, 0xbc6fa000,
                                   0xc19ce000, 0x3b868000, 0x3e334000, 0x4091a000, 0x42e00000, 0xbd280000,
                                   0xc09e8000, 0xc2eda000, 0x3d1e8000, 0x3f914000, 0x41d34000, 0x442ba000,
                                   0xb8a3e000, 0xbaf5e000, 0xbd44c000, 0x37938000, 0x39e58000, 0x3c344000};
    Scaled scaled = {"F8_E4M3", "[4,6]", 24, "a.weight_scale", "F32", "[4,1]", ROW_SCALES_F32, 16, BY_ROW};
    expect_values("F32 by row", &scaled, F32);
    scaled.scale_shape = "[4]";
    expect_values("F32 by row, a vector", &scaled, F32);
    scaled.scale_shape = "[4,1]";
    scaled.scale_bytes = 8;
    scaled.scale_dtype = "BF16";
    scaled.scales = ROW_SCALES_BF16;
    expect_values("BF16 by row", &scaled, BF16);
    scaled.scale_dtype = "F16";
    scaled.scales = ROW_SCALES_F16;
    expect_values("F16 by row", &scaled, F16);
}

static void experts_in_one_tensor_have_a_grid_each(void **state) {
    (void)state;
    static const uint32_t EXPECTED[] = {
        0x00000000, 0x3dd00000, 0x40200000, 0x42700000, 0xbdc00000, 0xc0100000, 0xc2600000, 0x3c400000,
        0x3f400000, 0x419c0000, 0x43f00000, 0xbe340000, 0xc0f00000, 0xc3340000, 0x3d700000, 0x3fdc0000,
        0x42600000, 0x44b60000, 0xbf0c0000, 0xc1520000, 0xc099999a, 0x3ae66667, 0x3d333333, 0x3f8ccccd};
    const Scaled scaled = {"F8_E4M3",     "[2,3,4]", 24,  "a.weight_scale_inv", "F32", "[2,3,1]",
                           EXPERT_SCALES, 24,        NULL};
    expect_values("experts", &scaled, EXPECTED);
}

static void a_code_that_is_nan_stays_one(void **state) {
    (void)state;
    unsigned char codes[4] = {0x7f, 0xff, 0x7e, 0x00};
    const float scale = 2.0F;
    float values[4];
    const Scaled scaled = {"F8_E4M3", "[2,2]", 4, "a.weight_scale_inv", "F32", "[1,1]", &scale, 4, NULL};
    write_scaled("nan", &scaled, codes);
    Checkpoint *side = open_side("nan");
    tensor_values_read(&side->tensors[0], 0, 4, values);
    assert_true(isnan(values[0]) && isnan(values[1]));
    assert_true(values[2] == 896.0F && values[3] == 0.0F);
    checkpoint_close(side);
}

/* ---- whoever reads values reads these ---- */

/* Codes with scales as "codes", and the values themselves, plain, as "twin". */
static void write_twins(float values[24]) {
    unsigned char codes[MOST];
    fill_codes(codes);
    const Scaled scaled = {"F8_E4M3", "[4,6]",     24, "a.weight_scale_inv", "F32",
                           "[2,2]",   FOUR_SCALES, 16, BLOCKS_OF_2_3};
    write_scaled("codes", &scaled, codes);
    memcpy(values, IN_BLOCKS, sizeof IN_BLOCKS);
    write_plain("twin", values, "[4,6]", 24);
    float other[24];
    for (size_t i = 0; i < 24; i++) other[i] = values[i] * 1.25F + 0.5F;
    write_plain("other", other, "[4,6]", 24);
}

static DriftRow measure(const char *base, const char *sft) {
    Pair *pair = open_pair(base, sft);
    DriftTable *table;
    Error error = {0};
    DriftRow row;
    assert_int_equal(drift_table_create(pair, &table, &error), STATUS_OK);
    assert_int_equal(drift_scan(pair, table, NULL, &error), STATUS_OK);
    assert_true(drift_table_row(table, (size_t)(pair_find_tensor(pair, "a.weight") - pair->tensors), &row));
    drift_table_free(table);
    pair_close(pair);
    row.tensor = NULL;
    return row;
}

/* Every metric, and what it came from. */
static void expect_drift(const DriftRow *found, const DriftRow *expected) {
    assert_int_equal(found->count, expected->count);
    assert_int_equal(found->changed, expected->changed);
    for (int metric = 0; metric < DRIFT_METRIC_COUNT; metric++) {
        double a = drift_value(found, (DriftMetric)metric), b = drift_value(expected, (DriftMetric)metric);
        if (memcmp(&a, &b, sizeof a) != 0)
            fail_msg("%s: expected %a, found %a", drift_metric_facts((DriftMetric)metric)->key, b, a);
    }
}

static void the_drift_of_codes_is_that_of_their_values_to_the_last_bit(void **state) {
    (void)state;
    float values[24];
    write_twins(values);
    DriftRow codes = measure("codes", "other"), twin = measure("twin", "other");
    assert_true(twin.changed > 0);
    expect_drift(&codes, &twin);
    codes = measure("other", "codes");
    twin = measure("other", "twin");
    expect_drift(&codes, &twin);
    DriftRow none = measure("codes", "twin");
    assert_true(none.is_equal && none.difference_squares == 0.0);
    none = measure("codes", "codes"); /* one file: read once */
    assert_true(none.is_equal);
}

static void an_element_and_the_spectrum_are_those_of_the_values(void **state) {
    (void)state;
    float values[24];
    write_twins(values);
    Pair *codes = open_pair("codes", "other"), *twin = open_pair("twin", "other");
    const PairTensor *coded = pair_find_tensor(codes, "a.weight"),
                     *plain = pair_find_tensor(twin, "a.weight");
    const Settings settings = {.alpha = 0.3};
    ElementValues found, expected;
    Error error = {0};
    assert_int_equal(elements_at(coded, &settings, 2, 4, &found, &error), STATUS_OK);
    assert_int_equal(elements_at(plain, &settings, 2, 4, &expected, &error), STATUS_OK);
    assert_true(found.base == values[16] && found.base == expected.base);
    assert_true(found.difference == expected.difference && found.fused == expected.fused);
    Spectrum a, b;
    SpectrumSettings how = spectrum_default_settings();
    assert_int_equal(spectrum_measure(coded, how, &a, NULL, &error), STATUS_OK);
    assert_int_equal(spectrum_measure(plain, how, &b, NULL, &error), STATUS_OK);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.values, b.values, a.count * sizeof *a.values);
    spectrum_free(&a);
    spectrum_free(&b);
    pair_close(codes);
    pair_close(twin);
}

static void equal_codes_with_other_scales_are_not_equal(void **state) {
    (void)state;
    unsigned char codes[MOST];
    float values[24];
    write_twins(values);
    fill_codes(codes);
    uint32_t scales[4];
    memcpy(scales, FOUR_SCALES, sizeof scales);
    scales[1] = 0x3f800000;
    const Scaled scaled = {"F8_E4M3", "[4,6]", 24, "a.weight_scale_inv", "F32",
                           "[2,2]",   scales,  16, BLOCKS_OF_2_3};
    write_scaled("rescaled", &scaled, codes);
    DriftRow row = measure("codes", "rescaled");
    assert_false(row.is_equal);
    assert_int_equal(row.changed, 6); /* the block of the second scale */
}

/* The same file on both sides, yet another configuration: linked, as a cache of models links. */
static void one_file_under_two_configurations_is_read_twice(void **state) {
    (void)state;
    unsigned char codes[MOST];
    fill_codes(codes);
    const Scaled scaled = {"F8_E4M3", "[4,6]",     24, "a.weight_scale_inv", "F32",
                           "[2,2]",   FOUR_SCALES, 16, BLOCKS_OF_2_3};
    write_scaled("one", &scaled, codes);
    free(scratch_path("two/"));
    char *from = scratch_path("one/model.safetensors"), *to = scratch_path("two/model.safetensors");
    assert_int_equal(link(from, to), 0);
    free(from);
    free(to);
    scratch_write_text("two/config.json",
                       "{\"quantization_config\":{\"weight_block_size\":[3,4]}}"); /* also a grid of 2 × 2 */
    DriftRow row = measure("one", "two");
    assert_false(row.is_equal);
}

static void a_blend_of_codes_is_that_of_their_values_to_the_last_bit(void **state) {
    (void)state;
    static const uint32_t ROW_RANKS[] = {0, 9, 1, 9}, COLUMN_RANKS[] = {9, 9, 0, 1, 9, 0};
    static const double ALPHAS[] = {0.0, 0.3, 1.0};
    float values[24], found[24], expected[24], scratch[24], x[6] = {1, -2, 3, 0.5F, 0.25F, 8}, y[2][4];
    write_twins(values);
    Pair *codes = open_pair("codes", "other"), *twin = open_pair("twin", "other");
    for (size_t i = 0; i < 18; i++) {
        Blend blend = {.a = ALPHAS[i % 3],
                       .row_ranks = i / 3 % 3 == 1 ? ROW_RANKS : NULL,
                       .column_ranks = i / 3 % 3 == 2 ? COLUMN_RANKS : NULL,
                       .cut = 2,
                       .reset_a = 0.125};
        for (int side = 0; side < 2; side++) {
            const PairTensor *tensor = pair_find_tensor(side == 0 ? codes : twin, "a.weight");
            bool is_swapped = i >= 9; /* codes as base, then as SFT */
            blend.base = is_swapped ? tensor->sft : tensor->base;
            blend.sft = is_swapped ? tensor->base : tensor->sft;
            float *out = side == 0 ? found : expected;
            blend_rows(&blend, 0, 4, out);
            blend_multiply_vector(&blend, 0, 4, x, y[side]);
        }
        assert_memory_equal(found, expected, sizeof found);
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        blend_elements_as(&blend, 0, 24, DTYPE_F32, expected, scratch);
        blend.sft = pair_find_tensor(codes, "a.weight")->sft;
        blend.base = pair_find_tensor(codes, "a.weight")->base;
        if (i >= 9) blend.sft = blend.base, blend.base = pair_find_tensor(codes, "a.weight")->sft;
        blend_elements_as(&blend, 0, 24, DTYPE_F32, found, scratch);
        assert_memory_equal(found, expected, sizeof found);
    }
    pair_close(codes);
    pair_close(twin);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_of_codes_has_one_scale),
        cmocka_unit_test(the_last_blocks_may_be_cut),
        cmocka_unit_test(scales_are_of_any_type_that_is_published),
        cmocka_unit_test(one_scale_may_hold_for_the_whole_tensor),
        cmocka_unit_test(a_scale_a_row_is_rounded_to_as_compressed_tensors_does),
        cmocka_unit_test(experts_in_one_tensor_have_a_grid_each),
        cmocka_unit_test(a_code_that_is_nan_stays_one),
        cmocka_unit_test(the_drift_of_codes_is_that_of_their_values_to_the_last_bit),
        cmocka_unit_test(an_element_and_the_spectrum_are_those_of_the_values),
        cmocka_unit_test(equal_codes_with_other_scales_are_not_equal),
        cmocka_unit_test(one_file_under_two_configurations_is_read_twice),
        cmocka_unit_test(a_blend_of_codes_is_that_of_their_values_to_the_last_bit),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
