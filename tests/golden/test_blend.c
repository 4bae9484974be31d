/*
 * The blend against torch, element by element, in every variant of the kernels.
 *
 * golden/pairs/shapes holds tensors of odd shapes, mixed types and values at the edges; expected.json the
 * bytes for every alpha and output type. Tolerance: none. Where the result is a NaN any NaN is right.
 */
#include "core/checkpoint/checkpoint.h"
#include "core/files/hash.h"
#include "core/fusion/blend.h"
#include "core/numerics/kernels.h"
#include "tests/golden/golden.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static Checkpoint *open_side(const char *side) {
    char *path = golden_path("golden/pairs/shapes/%s%s", side, "");
    Checkpoint *checkpoint;
    Error error = {0};
    if (checkpoint_open(path, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return checkpoint;
}

static bool is_same(DType dtype, const unsigned char *a, const unsigned char *b) {
    return memcmp(a, b, dtype_size(dtype)) == 0 ||
           (isnan(dtype_widen_one(dtype, a)) && isnan(dtype_widen_one(dtype, b)));
}

/* Whether `bytes` are what `expected` says: all of them in hexadecimal, or their sum. */
static bool equals(const unsigned char *bytes, size_t size, DType dtype, const char *expected) {
    char sum[HASH_HEX_SIZE];
    if (hash_bytes(bytes, size, sum, NULL) != STATUS_OK) return false;
    if (strcmp(sum, expected) == 0) return true;
    if (strlen(expected) != 2 * size) return false;
    size_t element = dtype_size(dtype);
    for (size_t i = 0; i < size; i += element) {
        unsigned char wanted[8];
        for (size_t b = 0; b < element; b++) {
            unsigned byte;
            if (sscanf(expected + 2 * (i + b), "%2x", &byte) != 1) return false;
            wanted[b] = (unsigned char)byte;
        }
        if (!is_same(dtype, wanted, bytes + i)) return false;
    }
    return true;
}

/* Ways to ask for the same tensor. With ranks, all or every third of the rows or columns get their α as those
 * that are reset; the others, where there are any, get it as those that are not. */
enum {
    BY_ROWS,
    BY_ELEMENTS,
    BY_ODD_PIECES,
    ALL_ROWS_RESET,
    SOME_ROWS_RESET,
    ALL_COLUMNS_RESET,
    SOME_COLUMNS_RESET,
    SOME_COLUMNS_BY_ROWS,
    SOME_COLUMNS_BY_ODD_PIECES,
    WAYS
};

enum { SMALL_CUT = 7 };

/* Ranks on both sides of the cut, and at it. */
static void choose_ranks(uint32_t *ranks, size_t count, bool all) {
    for (size_t i = 0; i < count; i++)
        ranks[i] = all || i % 3 == 0 ? (uint32_t)(i % SMALL_CUT) : i % 3 == 1 ? SMALL_CUT : UINT32_MAX;
}

static void blend_as(Blend blend, int way, DType dtype, unsigned char *out) {
    size_t rows = blend.sft->rows, columns = blend.sft->columns, count = rows * columns;
    float *scratch = memory_allocate(count, sizeof *scratch);
    uint32_t *ranks = memory_allocate(rows + columns, sizeof *ranks);
    assert_true(scratch != NULL && ranks != NULL);
    choose_ranks(ranks, rows + columns, way == ALL_ROWS_RESET || way == ALL_COLUMNS_RESET);
    blend.cut = SMALL_CUT;
    blend.reset_a = blend.a;
    if (way == ALL_ROWS_RESET || way == SOME_ROWS_RESET) blend.row_ranks = ranks;
    if (way >= ALL_COLUMNS_RESET) blend.column_ranks = ranks;
    if (way == ALL_ROWS_RESET || way == ALL_COLUMNS_RESET) blend.a = 0.123;
    size_t step = way == BY_ODD_PIECES || way == SOME_COLUMNS_BY_ODD_PIECES ? 7 : count;
    if (way == BY_ROWS || way == SOME_COLUMNS_BY_ROWS)
        blend_rows_as(&blend, 0, rows, dtype, out, scratch);
    else
        for (size_t at = 0; at < count; at += step)
            blend_elements_as(&blend, at, count - at < step ? count - at : step, dtype,
                              out + at * dtype_size(dtype), scratch);
    free(ranks);
    free(scratch);
}

/* The number of entries that differ. */
static int check_entry(const cJSON *entry, const Checkpoint *base, const Checkpoint *sft) {
    double alpha;
    char dtype_text[16], name[64];
    assert_int_equal(sscanf(entry->string, "%lf %15s %63s", &alpha, dtype_text, name), 3);
    DType dtype = dtype_find(dtype_text);
    const Tensor *s = checkpoint_find_tensor(sft, name), *b = checkpoint_find_tensor(base, name);
    assert_true(s != NULL && b != NULL && dtype_is_writable(dtype));
    size_t size = s->rows * s->columns * dtype_size(dtype);
    unsigned char *out = memory_allocate(size, 1);
    assert_non_null(out);
    int wrong = 0;
    for (int way = 0; way < WAYS; way++) {
        blend_as((Blend){.sft = s, .base = b, .a = alpha}, way, dtype, out);
        if (equals(out, size, dtype, entry->valuestring)) continue;
        print_error("%s: %s, way %d, differs\n", kernels_get()->name, entry->string, way);
        wrong++;
    }
    free(out);
    return wrong;
}

static int check_all(void) {
    Checkpoint *base = open_side("base"), *sft = open_side("sft");
    cJSON *expected = golden_read_json("golden/pairs/shapes/%s%s", "expected", ".json");
    int wrong = 0, entries = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, expected) {
        wrong += check_entry(entry, base, sft);
        entries++;
    }
    assert_int_equal(entries, 5 * 3 * 11);
    cJSON_Delete(expected);
    checkpoint_close(base);
    checkpoint_close(sft);
    return wrong;
}

/* The variant is chosen once in a process: each gets one of its own. */
static void every_variant_blends_odd_shapes_as_torch_does(void **state) {
    (void)state;
    const Kernels *variants[4];
    size_t count = kernels_list(variants, 4);
    for (size_t i = 0; i < count; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (setenv("REJUV_KERNELS", variants[i]->name, 1) != 0) _exit(2);
            if (kernels_get() != variants[i]) _exit(3);
            _exit(check_all() == 0 ? 0 : 1);
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFEXITED(result));
        assert_int_equal(WEXITSTATUS(result), 0);
    }
}

enum { COUNT = 4099 };

/* Patterns of bits: all exponents, and one in eight an infinity or a NaN. */
static uint32_t next_bits(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % 8 == 0 ? *seed | 0x7f800000U : *seed;
}

static void expect_same_floats(const char *what, const Kernels *variant, const float *a, const float *b) {
    for (size_t i = 0; i < COUNT; i++) {
        if (!is_same(DTYPE_F32, (const unsigned char *)&a[i], (const unsigned char *)&b[i]))
            fail_msg("%s of %s: element %zu: %a, portable %a", what, variant->name, i, (double)a[i],
                     (double)b[i]);
    }
}

/* Every pair of shares that the elements with and without a reset can have: none, all, or some of SFT. */
static void check_marked(const Kernels *variant, const Kernels *portable, const KernelRow *given,
                         const unsigned char *marks) {
    static const float SHARES[] = {0.0F, 0.3F, 1.0F};
    static float here[COUNT], there[COUNT];
    for (int i = 0; i < 9; i++) {
        KernelRow row = *given;
        row.weight_sft = SHARES[i / 3];
        row.weight_base = 1.0F - SHARES[i / 3];
        KernelMarked marked = {marks, SHARES[i % 3], 1.0F - SHARES[i % 3]};
        variant->blend_marked(&row, &marked, COUNT, here);
        portable->blend_marked(&row, &marked, COUNT, there);
        expect_same_floats("blend_marked", variant, here, there);
    }
}

static void every_variant_gives_the_bits_of_the_portable_one(void **state) {
    (void)state;
    const Kernels *variants[4];
    size_t count = kernels_list(variants, 4);
    const Kernels *portable = variants[count - 1];
    assert_string_equal(portable->name, "portable");
    static uint32_t s[COUNT], b[COUNT];
    static float here[COUNT], there[COUNT];
    static unsigned char marks[COUNT];
    static unsigned char narrow_here[4 * COUNT], narrow_there[4 * COUNT];
    static const DType DTYPES[] = {DTYPE_F32, DTYPE_BF16, DTYPE_F16, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
    uint32_t seed = 20250101;
    for (size_t i = 0; i < COUNT; i++) {
        s[i] = next_bits(&seed);
        b[i] = next_bits(&seed);
        marks[i] = next_bits(&seed) % 3 == 0;
    }
    for (size_t v = 0; v + 1 < count; v++) {
        for (size_t d = 0; d < sizeof DTYPES / sizeof *DTYPES; d++) {
            for (size_t e = 0; e < sizeof DTYPES / sizeof *DTYPES; e++) {
                KernelRow row = {DTYPES[d], DTYPES[e], s, b, 0.3F, 0.7F};
                variants[v]->blend(&row, COUNT, here);
                portable->blend(&row, COUNT, there);
                expect_same_floats("blend", variants[v], here, there);
                check_marked(variants[v], portable, &row, marks);
            }
            variants[v]->widen(DTYPES[d], s, COUNT, here);
            portable->widen(DTYPES[d], s, COUNT, there);
            assert_memory_equal(here, there, sizeof here); /* NaNs too */
            if (!dtype_is_writable(DTYPES[d])) continue;
            memcpy(here, s, sizeof here);
            variants[v]->narrow(here, COUNT, DTYPES[d], narrow_here);
            portable->narrow(here, COUNT, DTYPES[d], narrow_there);
            assert_memory_equal(narrow_here, narrow_there, COUNT * dtype_size(DTYPES[d]));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_blends_odd_shapes_as_torch_does),
        cmocka_unit_test(every_variant_gives_the_bits_of_the_portable_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
