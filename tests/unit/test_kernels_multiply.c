/*
 * Panels by tokens that lie side by side: against sums in double, whoever shares the pack.
 */
#include "kernels_fixture.h"

/* ---- a panel by tokens ---- */

enum { PANEL_ROWS = 29, PANEL_DEPTH = 301, PANEL_STRIDE = 310 };

static double multiply_exactly(const float *panel, const float *pack, size_t lanes, size_t row,
                               size_t token) {
    double sum = 0.0;
    for (size_t k = 0; k < PANEL_DEPTH; k++)
        sum += (double)panel[row * PANEL_STRIDE + k] * (double)pack[k * lanes + token];
    return sum;
}

/* Every number of tokens that a pack may have: all tiles, whole and in part. */
static void a_panel_times_tokens_is_their_products(void **state) {
    (void)state;
    static float panel[PANEL_ROWS * PANEL_STRIDE], pack[PANEL_DEPTH * 64], sums[PANEL_ROWS * 64],
        twice[PANEL_ROWS * 64];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    double worst = 0.0;
    static float turned[PANEL_DEPTH * PANEL_ROWS], back[PANEL_ROWS * 64];
    const KernelPanel flat = {
        .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    const KernelPanel upright = {
        .weights = turned, .stride = PANEL_ROWS, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(41, i) - 0.5F;
    for (size_t r = 0; r < PANEL_ROWS; r++)
        for (size_t k = 0; k < PANEL_DEPTH; k++) turned[k * PANEL_ROWS + r] = panel[r * PANEL_STRIDE + k];
    for (size_t i = 0; i < sizeof pack / sizeof *pack; i++) pack[i] = (float)random_uniform(42, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        for (size_t tokens = 1; tokens <= list[v]->pack; tokens++) {
            size_t lanes = (tokens + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            list[v]->multiply_pack(&flat, pack, tokens, false, sums);
            memcpy(twice, sums, sizeof twice);
            list[v]->multiply_pack(&flat, pack, tokens, true, twice);
            list[v]->multiply_pack_back(&upright, pack, tokens, false, back);
            assert_memory_equal(back, sums,
                                PANEL_ROWS * lanes * sizeof *sums); /* the same sums in the same order */
            for (size_t r = 0; r < PANEL_ROWS; r++) {
                for (size_t t = 0; t < tokens; t++) {
                    double exact = multiply_exactly(panel, pack, lanes, r, t);
                    worst = fmax(worst, fabs((double)sums[r * lanes + t] - exact));
                    worst = fmax(worst, fabs((double)twice[r * lanes + t] - 2.0 * exact) / 2.0);
                }
            }
        }
    }
    print_message("largest error %.1e of sums of %d products\n", worst, PANEL_DEPTH);
    /* n roundings of half a unit of the last place each: 301 · 2^-24 · Σ|products| (19) is 3.4e-4 at worst */
    assert_true(worst < 2e-5);
}

/* A token's sums are the same alone and in any company, and the same on any machine that has the instruction. */
static void a_tokens_sums_do_not_depend_on_its_company(void **state) {
    (void)state;
    static float panel[PANEL_ROWS * PANEL_STRIDE], tokens[64][PANEL_DEPTH], pack[PANEL_DEPTH * 64],
        sums[PANEL_ROWS * 64];
    const KernelPanel flat = {
        .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    float alone[3][PANEL_ROWS];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(43, i) - 0.5F;
    for (size_t i = 0; i < 64 * (size_t)PANEL_DEPTH; i++)
        tokens[i / PANEL_DEPTH][i % PANEL_DEPTH] = (float)random_uniform(44, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        const Kernels *kernels = list[v];
        for (size_t company = 1; company <= kernels->pack; company++) {
            size_t lanes = (company + kernels->vector - 1) / kernels->vector * kernels->vector;
            for (size_t k = 0; k < PANEL_DEPTH; k++)
                for (size_t t = 0; t < lanes; t++)
                    pack[k * lanes + t] = tokens[company - 1 - (t < company ? t : 0)][k];
            kernels->multiply_pack(&flat, pack, company, false, sums);
            for (size_t r = 0; r < PANEL_ROWS; r++) { /* token 0 is the last of its company */
                if (company == 1) alone[v][r] = sums[r * lanes];
                assert_true(sums[r * lanes + company - 1] == alone[v][r]);
                if (is_fused(kernels) && v > 0) assert_true(alone[v][r] == alone[0][r]);
            }
        }
    }
}

/* What is looked at ahead changes no sum, and all of it was looked at in the end. */
static void looking_ahead_changes_nothing(void **state) {
    (void)state;
    enum { ROWS = 5, BYTES = 300 };
    static float panel[PANEL_ROWS * PANEL_STRIDE], pack[PANEL_DEPTH * 64], sums[PANEL_ROWS * 64],
        plain[PANEL_ROWS * 64];
    static const unsigned char stored[ROWS * BYTES];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(45, i) - 0.5F;
    for (size_t i = 0; i < sizeof pack / sizeof *pack; i++) pack[i] = (float)random_uniform(46, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        for (size_t tokens = 1; tokens <= list[v]->pack; tokens += 3) {
            size_t lanes = (tokens + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            KernelAhead ahead = {.first = {stored, stored}, .stride = BYTES, .rows = ROWS, .bytes = BYTES};
            KernelPanel weights = {
                .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
            list[v]->multiply_pack(&weights, pack, tokens, false, plain);
            weights.ahead = &ahead;
            weights.ahead_lines = ROWS * ((BYTES + KERNELS_LINE - 1) / KERNELS_LINE);
            list[v]->multiply_pack(&weights, pack, tokens, false, sums);
            assert_memory_equal(sums, plain, PANEL_ROWS * lanes * sizeof *sums);
            assert_int_equal(ahead.row, ROWS);
        }
    }
}

/* ---- tokens side by side, and back ---- */

static void packs_are_tokens_turned_round(void **state) {
    (void)state;
    enum { LINES = 64, DEPTH = 37, ROWS = 29, STRIDE = 41 };
    static float tokens[LINES][DEPTH], pack[DEPTH * LINES], sums[ROWS * LINES], y[LINES * STRIDE];
    const float *lines[LINES];
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    for (size_t i = 0; i < LINES * (size_t)DEPTH; i++)
        tokens[i / DEPTH][i % DEPTH] = (float)random_uniform(47, i) - 0.5F;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) sums[i] = (float)random_uniform(48, i) - 0.5F;
    for (size_t t = 0; t < LINES; t++) lines[t] = tokens[t];
    for (size_t v = 0; v < listed; v++) {
        for (size_t count = 1; count <= list[v]->pack; count++) {
            size_t lanes = (count + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            memset(pack, 0xff, sizeof pack);
            list[v]->fill_pack(lines, count, DEPTH, lanes, pack);
            for (size_t k = 0; k < DEPTH; k++)
                for (size_t t = 0; t < lanes; t++)
                    assert_true(pack[k * lanes + t] == (t < count ? tokens[t][k] : 0.0F));
            for (size_t i = 0; i < LINES * (size_t)STRIDE; i++) y[i] = 7.0F;
            list[v]->take_sums(sums, ROWS, count, lanes, false, y, STRIDE);
            list[v]->take_sums(sums, ROWS, count, lanes, true, y, STRIDE);
            for (size_t t = 0; t < LINES; t++)
                for (size_t r = 0; r < STRIDE; r++)
                    assert_true(y[t * STRIDE + r] ==
                                (t < count && r < ROWS ? 2.0F * sums[r * lanes + t] : 7.0F));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panel_times_tokens_is_their_products),
        cmocka_unit_test(a_tokens_sums_do_not_depend_on_its_company),
        cmocka_unit_test(looking_ahead_changes_nothing),
        cmocka_unit_test(packs_are_tokens_turned_round),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
