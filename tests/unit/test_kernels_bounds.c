/*
 * What kernels read and write lies between pages that nobody may touch: right behind it one, then right before it one. So a
 * kernel that looks a byte too far ends its test whatever it was compiled with; the sanitizers' everyday build has the vector
 * kernels as they are installed (CMakeLists.txt).
 */
#include "kernels_fixture.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- fenced memory ---- */

enum { FENCE_BLOCKS = 8, FENCE_BLOCK = 1 << 20 };

typedef enum Side { SIDE_END, SIDE_START, SIDE_COUNT } Side;

static unsigned char *fenced[FENCE_BLOCKS];
static Side side;

static int build_fences(void **state) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < FENCE_BLOCKS; i++) {
        unsigned char *map =
            mmap(NULL, FENCE_BLOCK + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED || mprotect(map + page, FENCE_BLOCK, PROT_READ | PROT_WRITE) != 0) return -1;
        fenced[i] = map + page;
    }
    return find_variants(state);
}

/* Block `i`'s last or first bytes: zeros, +0 of any type. */
static void *take_fenced(size_t i, size_t bytes) {
    assert_true(i < FENCE_BLOCKS && bytes <= FENCE_BLOCK);
    unsigned char *start = fenced[i] + (side == SIDE_END ? FENCE_BLOCK - bytes : 0);
    memset(start, 0, bytes);
    return start;
}

static float *take_floats(size_t i, size_t count) {
    return take_fenced(i, count * sizeof(float));
}

/* ---- a kernel of each kind, on `count` elements ---- */

static const float WEIGHTS[][2] = {{0.3F, 0.7F}, {1.0F, 0.0F}, {0.0F, 1.0F}};
enum { WEIGHT_COUNT = sizeof WEIGHTS / sizeof *WEIGHTS };

/* Rows of both types in blocks 0 and 1; a model of no weight is not there at all. */
static KernelRow take_rows(DType sft, DType base, size_t count, const float weights[2]) {
    KernelRow row = {sft, base, NULL, NULL, weights[0], weights[1]};
    if (weights[0] != 0.0F) row.sft = take_fenced(0, count * dtype_size(sft));
    if (weights[1] != 0.0F) row.base = take_fenced(1, count * dtype_size(base));
    return row;
}

static void widen_and_narrow(const Kernels *kernels, size_t count) {
    for (size_t t = 0; t < FLOAT_COUNT; t++) {
        const void *stored = take_fenced(0, count * dtype_size(FLOATS[t]));
        kernels->widen(FLOATS[t], stored, count, take_floats(1, count));
        if (!dtype_is_writable(FLOATS[t])) continue;
        const float *values = take_floats(0, count);
        kernels->narrow(values, count, FLOATS[t], take_fenced(1, count * dtype_size(FLOATS[t])));
    }
}

static void blend(const Kernels *kernels, size_t count) {
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        DType sft = FLOATS[t / FLOAT_COUNT], base = FLOATS[t % FLOAT_COUNT];
        for (size_t w = 0; w < WEIGHT_COUNT; w++) {
            KernelRow row = take_rows(sft, base, count, WEIGHTS[w]);
            kernels->blend(&row, count, take_floats(2, count));
            (void)kernels->dot(&row, count, take_floats(2, count));
        }
        KernelRow row = take_rows(sft, base, count, WEIGHTS[0]);
        unsigned char *marks = take_fenced(3, count);
        for (size_t i = 0; i < count; i += 3) marks[i] = 1;
        const KernelMarked marked = {marks, 0.0F, 1.0F};
        kernels->blend_marked(&row, &marked, count, take_floats(2, count));
        (void)kernels->dot_marked(&row, &marked, count, take_floats(2, count));
    }
}

static void change_floats(const Kernels *kernels, size_t count) {
    const KernelStep steps[KERNELS_STEPS_MOST] = {{1, 0.5F}, {2, 0.25F}};
    for (uint64_t first = 0; first < 70; first += 23)
        kernels->step(steps, KERNELS_STEPS_MOST, first, count, take_floats(0, count));
    const float *from = take_floats(0, count);
    (void)kernels->exponentials(from, count, 0.5F, 1.0F, take_floats(1, count));
    kernels->silu(from, count, take_floats(1, count));
    kernels->silu_slopes(from, count, take_floats(1, count), take_floats(2, count));
    kernels->silu(from, count, take_floats(0, count));
}

static void compare(const Kernels *kernels, size_t count) {
    if (count > KERNELS_DRIFT_CHUNK) return;
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        KernelRow row =
            take_rows(FLOATS[t / FLOAT_COUNT], FLOATS[t % FLOAT_COUNT], count, (const float[]){0.5F, 0.5F});
        for (size_t least = 0; least < 2; least++) {
            KernelDrift drift = {0};
            (void)kernels->drift(&row, count, least == 0 ? 0 : UINT32_MAX, &drift,
                                 take_fenced(2, KERNELS_DRIFT_SIZES * sizeof(double)));
        }
    }
    const float *s = take_floats(0, count), *b = take_floats(1, count);
    kernels->drift_keys(s, b, count, take_fenced(2, count * sizeof(uint32_t)));
}

/* `count` is the panel's depth on the way there, and its rows on the way back. */
static void multiply_packs(const Kernels *kernels, size_t count) {
    enum { ROWS = 29 };
    if (count > 300) return;
    for (size_t tokens = 1; tokens <= kernels->pack; tokens++) {
        size_t lanes = (tokens + kernels->vector - 1) / kernels->vector * kernels->vector;
        const float *lines[KERNELS_MOST_PACK];
        for (size_t t = 0; t < tokens; t++) lines[t] = take_floats(0, count);
        float *pack = take_floats(1, count * lanes), *sums = take_floats(2, ROWS * lanes);
        kernels->fill_pack(lines, tokens, count, lanes, pack);
        const KernelPanel flat = {.weights = take_floats(3, ROWS * count),
                                  .stride = count,
                                  .rows = ROWS,
                                  .depth = count,
                                  .next = pack};
        kernels->multiply_pack(&flat, pack, tokens, false, sums);
        kernels->multiply_pack(&flat, pack, tokens, true, sums);
        const KernelPanel upright = {.weights = take_floats(3, ROWS * count),
                                     .stride = ROWS,
                                     .rows = ROWS,
                                     .depth = count,
                                     .next = pack};
        kernels->multiply_pack_back(&upright, pack, tokens, false, sums);
        kernels->multiply_pack_back(&upright, pack, tokens, true, sums);
        float *y = take_floats(4, (tokens - 1) * (ROWS + 3) + ROWS);
        kernels->take_sums(sums, ROWS, tokens, lanes, false, y, ROWS + 3);
        kernels->take_sums(sums, ROWS, tokens, lanes, true, y, ROWS + 3);
    }
}

static void multiply_rows(const Kernels *kernels, size_t count) {
    static const DType TYPES[] = {DTYPE_F32, DTYPE_BF16};
    enum { ROWS = 5, TOKENS = 15 };
    if (count == 0) return;
    for (size_t form = 0; form < 2 * WEIGHT_COUNT; form++) {
        DType type = TYPES[form % 2];
        KernelRows rows = {.stride = count, .count = count};
        for (size_t tokens = 1; tokens <= TOKENS; tokens++) {
            rows.rows = 1 + tokens % ROWS;
            rows.row = take_rows(type, type, rows.rows * count, WEIGHTS[form / 2]);
            const float *lines[TOKENS];
            for (size_t t = 0; t < tokens; t++) lines[t] = take_floats(2, count);
            float *sums = take_floats(3, (tokens - 1) * (ROWS + 2) + rows.rows);
            kernels->multiply_rows(&rows, lines, tokens, form % 2 == 0, sums, ROWS + 2);
        }
    }
}

static void add_factors(const Kernels *kernels, size_t count) {
    static const DType TYPES[] = {DTYPE_F32, DTYPE_BF16};
    enum { RANK = 9 };
    for (size_t form = 0; form < 4; form++) {
        DType type = TYPES[form % 2];
        for (size_t rows = 1; rows <= 9; rows++) {
            KernelFactors factors = {
                take_floats(0, rows * RANK), take_floats(1, RANK * count), RANK, 1, count, RANK};
            if (form / 2 == 1) factors.left_row = 1, factors.left_rank = rows;
            size_t bytes = rows * count * dtype_size(type);
            const KernelLines lines = {type, take_fenced(2, bytes), take_fenced(3, bytes), count, count};
            kernels->low_rank(&factors, 1.7F, &lines, rows, count);
            for (size_t b = 0; b < 2; b++) {
                const void *base = b == 0 ? NULL : take_fenced(3, bytes);
                const KernelChanged changed = {type, take_fenced(2, bytes), base, count, 1.7F, 0.3F, 0.7F};
                kernels->blend_low_rank(&factors, &changed, rows, count, take_floats(4, rows * count), count);
                kernels->dot_low_rank(&factors, &changed, rows, count, take_floats(4, count),
                                      base == NULL ? NULL : take_floats(5, count), take_floats(6, rows));
            }
        }
    }
}

/* A band of `count` columns. */
static void turn_band(const Kernels *kernels, size_t count) {
    enum { MOST_COLUMNS = 200, COLUMN = KERNELS_BAND_STRIDE + 1 };
    if (count > MOST_COLUMNS) return;
    double *band = take_fenced(0, KERNELS_BAND_COLUMNS(count) * COLUMN * sizeof *band);
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i <= KERNELS_BAND && j + i < count; i++)
            band[j * COLUMN + i] = random_uniform(5, j * COLUMN + i);
    }
    kernels->tridiagonalise(band, count, 0, count);
}

/* ---- the specification ---- */

typedef void (*Touch)(const Kernels *kernels, size_t count);

static void check(Touch touch) {
    for (side = 0; side < SIDE_COUNT; side++)
        for (size_t v = 0; v < variant_count; v++)
            for (size_t c = 0; c < COUNT_COUNT; c++) touch(variants[v], COUNTS[c]);
}

static void conversions_stay_within_their_rows(void **state) {
    (void)state;
    check(widen_and_narrow);
}

static void blending_and_dot_products_stay_within_their_rows(void **state) {
    (void)state;
    check(blend);
}

static void steps_and_exponentials_stay_within_their_rows(void **state) {
    (void)state;
    check(change_floats);
}

static void comparing_stays_within_its_rows(void **state) {
    (void)state;
    check(compare);
}

static void panels_packs_and_sums_are_left_alone_beyond_their_ends(void **state) {
    (void)state;
    check(multiply_packs);
}

static void rows_by_few_tokens_are_left_alone_beyond_their_ends(void **state) {
    (void)state;
    check(multiply_rows);
}

static void factors_and_what_they_change_are_left_alone_beyond_their_ends(void **state) {
    (void)state;
    check(add_factors);
}

static void a_band_is_left_alone_beyond_its_ends(void **state) {
    (void)state;
    check(turn_band);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_stay_within_their_rows),
        cmocka_unit_test(blending_and_dot_products_stay_within_their_rows),
        cmocka_unit_test(steps_and_exponentials_stay_within_their_rows),
        cmocka_unit_test(comparing_stays_within_its_rows),
        cmocka_unit_test(panels_packs_and_sums_are_left_alone_beyond_their_ends),
        cmocka_unit_test(rows_by_few_tokens_are_left_alone_beyond_their_ends),
        cmocka_unit_test(factors_and_what_they_change_are_left_alone_beyond_their_ends),
        cmocka_unit_test(a_band_is_left_alone_beyond_its_ends),
    };
    return cmocka_run_group_tests(tests, build_fences, NULL);
}
