/*
 * Y = X·Wᵀ + bias against a double loop. The bound is derived: W's elements are the same float32 on both
 * sides, so what differs is the float32 sum of n products, in any order and with or without fused adds. Its
 * error is at most γ = (n + 1)·u / (1 − (n + 1)·u) times Σ|w·x| (+ |bias|), u = 2^-24 (Higham, Accuracy and
 * Stability, 3.1). Panels add a rounding for each 1024 columns, the bias one more: n + 8 covers both.
 */
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "core/transformer/matmul.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPERANDS = 3 };

typedef struct Problem {
    size_t tokens, rows, columns;
    Tensor s, b;
    float *sft, *base, *bias;
    MatmulOperand operands[OPERANDS];
} Problem;

static float *make_numbers(size_t count, uint64_t seed) {
    float *numbers = memory_allocate(count, sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = (float)(random_uniform(seed, i) - 0.5);
    return numbers;
}

static Tensor view(const float *data, size_t rows, size_t columns) {
    return (Tensor){.dtype = DTYPE_F32,
                    .rank = 2,
                    .rows = rows,
                    .columns = columns,
                    .data = (const unsigned char *)data,
                    .bytes = rows * columns * sizeof(float)};
}

/* Base, SFT and a fusion; only some have a bias; y is full of NaNs that must not survive. */
static void make_problem(Problem *problem, size_t tokens, size_t rows, size_t columns) {
    *problem = (Problem){.tokens = tokens, .rows = rows, .columns = columns};
    problem->sft = make_numbers(rows * columns, 1);
    problem->base = make_numbers(rows * columns, 2);
    problem->bias = make_numbers(rows, 3);
    problem->s = view(problem->sft, rows, columns);
    problem->b = view(problem->base, rows, columns);
    static const double ALPHAS[OPERANDS] = {0.0, 1.0, 0.4};
    for (size_t i = 0; i < OPERANDS; i++) {
        float *y = make_numbers(tokens * rows, 9);
        for (size_t at = 0; at < tokens * rows; at++) y[at] = NAN;
        problem->operands[i] =
            (MatmulOperand){.blend = {.sft = &problem->s, .base = &problem->b, .a = ALPHAS[i]},
                            .bias = i == 1 ? NULL : problem->bias,
                            .x = make_numbers(tokens * columns, 10 + i),
                            .y = y};
    }
}

static void free_problem(Problem *problem) {
    for (size_t i = 0; i < OPERANDS; i++) {
        free((void *)(uintptr_t)problem->operands[i].x);
        free(problem->operands[i].y);
    }
    free(problem->sft);
    free(problem->base);
    free(problem->bias);
}

/* The largest error, as a share of the bound: at most 1. */
static double worst_share(const Problem *problem) {
    double worst = 0.0, u = 0x1p-24, steps = (double)problem->columns + 8.0;
    float *w = memory_allocate(problem->columns, sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < OPERANDS; i++) {
        const MatmulOperand *operand = &problem->operands[i];
        for (size_t r = 0; r < problem->rows; r++) {
            blend_rows(&operand->blend, r, 1, w);
            for (size_t t = 0; t < problem->tokens; t++) {
                double exact = operand->bias == NULL ? 0.0 : (double)operand->bias[r], size = fabs(exact);
                for (size_t c = 0; c < problem->columns; c++) {
                    double product = (double)w[c] * (double)operand->x[t * problem->columns + c];
                    exact += product;
                    size += fabs(product);
                }
                double error = fabs((double)operand->y[t * problem->rows + r] - exact);
                assert_true(error == error);
                worst = fmax(worst, error / (steps * u / (1.0 - steps * u) * size));
            }
        }
    }
    free(w);
    return worst;
}

static void run(const Problem *problem, unsigned threads) {
    Error error = {0};
    Job *job;
    MatmulScratch *scratch;
    assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_create_scratch(threads, &scratch, &error), STATUS_OK);
    if (matmul_run(problem->operands, OPERANDS, problem->tokens, scratch, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    matmul_free_scratch(scratch);
    job_free(job);
}

/* Sizes at and beside those of a panel (128 × 1024). */
static const size_t ROWS[] = {1, 5, 127, 128, 129, 300}, COLUMNS[] = {1, 3, 1023, 1024, 1025, 2100},
                    TOKENS[] = {1, 2, 3, 33};

static void products_of_any_size_are_as_exact_as_float32_allows(void **state) {
    (void)state;
    double worst = 0.0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        for (size_t k = 0; k < sizeof COLUMNS / sizeof *COLUMNS; k++) {
            Problem problem;
            make_problem(&problem, TOKENS[(i + k) % 4], ROWS[i], COLUMNS[k]);
            run(&problem, 1 + (unsigned)(i + k) % 3);
            worst = fmax(worst, worst_share(&problem));
            free_problem(&problem);
        }
    }
    print_message("largest error: %.3f of the bound\n", worst);
    assert_true(worst <= 1.0);
}

static void the_number_of_threads_changes_no_bit(void **state) {
    (void)state;
    for (size_t t = 0; t < 4; t++) {
        Problem one, many;
        make_problem(&one, TOKENS[t], 300, 1100);
        make_problem(&many, TOKENS[t], 300, 1100);
        run(&one, 1);
        for (unsigned threads = 2; threads <= 8; threads += 3) {
            run(&many, threads);
            for (size_t i = 0; i < OPERANDS; i++)
                assert_memory_equal(many.operands[i].y, one.operands[i].y, TOKENS[t] * 300 * sizeof(float));
        }
        free_problem(&one);
        free_problem(&many);
    }
}

static void operands_together_are_the_same_as_one_by_one(void **state) {
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        Problem together, alone;
        make_problem(&together, TOKENS[t], 200, 1030);
        make_problem(&alone, TOKENS[t], 200, 1030);
        run(&together, 2);
        MatmulScratch *scratch;
        assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
        for (size_t i = 0; i < OPERANDS; i++) {
            assert_int_equal(matmul_run(&alone.operands[i], 1, TOKENS[t], scratch, NULL, NULL), STATUS_OK);
            assert_memory_equal(alone.operands[i].y, together.operands[i].y, TOKENS[t] * 200 * sizeof(float));
        }
        matmul_free_scratch(scratch);
        free_problem(&together);
        free_problem(&alone);
    }
}

static void nothing_to_multiply_is_no_error(void **state) {
    (void)state;
    Problem problem;
    make_problem(&problem, 2, 4, 4);
    MatmulScratch *scratch;
    assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
    assert_int_equal(matmul_run(problem.operands, 0, 2, scratch, NULL, NULL), STATUS_OK);
    assert_int_equal(matmul_run(problem.operands, OPERANDS, 0, scratch, NULL, NULL), STATUS_OK);
    assert_true(isnan(problem.operands[0].y[0])); /* untouched */
    matmul_free_scratch(scratch);
    matmul_free_scratch(NULL);
    free_problem(&problem);
}

static void scratch_for_fewer_threads_than_the_job_has_is_refused(void **state) {
    (void)state;
    Problem problem;
    make_problem(&problem, 2, 4, 4);
    MatmulScratch *scratch;
    Job *job;
    Error error;
    assert_int_equal(matmul_create_scratch(2, &scratch, &error), STATUS_OK);
    assert_int_equal(job_create(3, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_run(problem.operands, OPERANDS, 2, scratch, job, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "2 threads"));
    job_free(job);
    matmul_free_scratch(scratch);
    free_problem(&problem);
}

static void a_cancelled_product_says_so(void **state) {
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        Problem problem;
        make_problem(&problem, TOKENS[t], 300, 1025);
        MatmulScratch *scratch;
        Job *job;
        Error error;
        assert_int_equal(matmul_create_scratch(2, &scratch, &error), STATUS_OK);
        assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
        job_cancel(job);
        assert_int_equal(matmul_run(problem.operands, OPERANDS, TOKENS[t], scratch, job, &error),
                         STATUS_CANCELLED);
        assert_true(isnan(problem.operands[0].y[0])); /* no task started */
        job_free(job);
        matmul_free_scratch(scratch);
        free_problem(&problem);
    }
}

/* `weights` are those of a = 1. */
static void each_must_be_a_product(const MatmulProduct *product, const float *x, const float *weights) {
    size_t rows = product->operand.blend.sft->rows, columns = product->operand.blend.sft->columns;
    size_t outputs = product->is_back ? columns : rows, inputs = product->is_back ? rows : columns;
    for (size_t at = 0; at < product->tokens * outputs; at++) {
        double sum = 0.0, size = 0.0;
        for (size_t k = 0; k < inputs; k++) {
            size_t place = product->is_back ? k * columns + at % outputs : at % outputs * columns + k;
            double term =
                (double)weights[place] * (double)x[product->operand.picked[at / outputs] * inputs + k];
            sum += term;
            size += fabs(term);
        }
        /* in one order or another, and worst of all one after another */
        assert_true(fabs((double)product->operand.y[at] - sum) <= (double)inputs * 0x1p-24 * size);
    }
}

/* Products of several matrices in one go are, bit for bit, what each of them gives alone, and what each token does,
 * whichever rows are picked. */
static void several_products_are_as_each_alone(void **state) {
    (void)state;
    enum { COUNT = 5, ROWS_OF_X = 40 };
    static const size_t ALONE[COUNT][3] = {
        {1, 129, 300}, {7, 64, 1100}, {33, 300, 24}, {16, 5, 2100}, {2, 128, 128}};
    static const bool BACK[COUNT] = {false, true, false, false, true};
    MatmulProduct products[COUNT];
    Tensor tensors[COUNT];
    float *weights[COUNT], *x[COUNT], *y[2][COUNT];
    uint32_t picked[ROWS_OF_X];
    Error error = {0};
    MatmulScratch *scratch;
    Job *job;
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_create_scratch(2, &scratch, &error), STATUS_OK);
    for (uint32_t i = 0; i < ROWS_OF_X; i++) picked[i] = ROWS_OF_X - 1 - i;
    for (size_t i = 0; i < COUNT; i++) {
        size_t tokens = ALONE[i][0], rows = ALONE[i][1], columns = ALONE[i][2];
        size_t outputs = BACK[i] ? columns : rows, inputs = BACK[i] ? rows : columns;
        weights[i] = make_numbers(rows * columns, 20 + i);
        x[i] = make_numbers(ROWS_OF_X * inputs, 30 + i);
        tensors[i] = view(weights[i], rows, columns);
        for (int side = 0; side < 2; side++) y[side][i] = make_numbers(tokens * outputs, 40);
        products[i] = (MatmulProduct){
            .operand = {.blend = {.sft = &tensors[i], .a = 1.0}, .x = x[i], .picked = picked, .y = y[0][i]},
            .tokens = tokens,
            .is_back = BACK[i]};
    }
    assert_int_equal(matmul_run_each(products, COUNT, false, scratch, job, &error), STATUS_OK);
    for (size_t i = 0; i < COUNT; i++) {
        MatmulProduct alone = products[i];
        size_t outputs = BACK[i] ? ALONE[i][2] : ALONE[i][1];
        alone.operand.y = y[1][i];
        assert_int_equal(matmul_run_each(&alone, 1, false, scratch, NULL, &error), STATUS_OK);
        assert_memory_equal(y[0][i], y[1][i], ALONE[i][0] * outputs * sizeof(float));
        if (BACK[i])
            assert_int_equal(matmul_run_back(&alone.operand, 1, alone.tokens, false, scratch, NULL, &error),
                             STATUS_OK);
        for (size_t t = 0; t < ALONE[i][0] && !BACK[i]; t++) { /* each token without the others */
            alone.tokens = 1;
            alone.operand.picked = picked + t;
            alone.operand.y = y[1][i] + t * outputs;
            assert_int_equal(matmul_run_each(&alone, 1, false, scratch, NULL, &error), STATUS_OK);
        }
        assert_memory_equal(y[0][i], y[1][i], ALONE[i][0] * outputs * sizeof(float));
        each_must_be_a_product(&products[i], x[i], weights[i]);
        free(weights[i]);
        free(x[i]);
        free(y[0][i]);
        free(y[1][i]);
    }
    matmul_free_scratch(scratch);
    job_free(job);
}

/* ---- the way back ---- */

/* dX = dY·W of sizes at and beside those of an upright panel (1024 × 128) and of packs, added to what is there or not; the
 * same bits from any number of threads. */
static void products_back_are_exact_from_any_number_of_threads(void **state) {
    (void)state;
    static const size_t SIZES[][3] = {{1, 1, 1},       {3, 1023, 127},  {17, 1024, 128},
                                      {64, 1025, 129}, {65, 2100, 300}, {130, 60, 260}};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        const size_t tokens = SIZES[i][0], rows = SIZES[i][1], columns = SIZES[i][2];
        float *weights = make_numbers(rows * columns, 50 + i), *x = make_numbers(tokens * rows, 60 + i),
              *y = make_numbers(tokens * columns, 70), *first = make_numbers(tokens * columns, 70);
        Tensor tensor = view(weights, rows, columns);
        const bool adds = i % 2 != 0;
        for (unsigned threads = 1; threads <= 3; threads++) {
            Job *job;
            MatmulScratch *scratch;
            Error error = {0};
            float *to = threads == 1 ? first : y;
            const MatmulOperand operand = {.blend = {.sft = &tensor, .a = 1.0}, .x = x, .y = to};
            for (size_t at = 0; at < tokens * columns; at++) to[at] = adds ? 0.25F : NAN;
            assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
            assert_int_equal(matmul_create_scratch(threads, &scratch, &error), STATUS_OK);
            assert_int_equal(matmul_run_back(&operand, 1, tokens, adds, scratch, job, &error), STATUS_OK);
            matmul_free_scratch(scratch);
            job_free(job);
            assert_memory_equal(to, first, tokens * columns * sizeof *to);
        }
        for (size_t at = 0; at < tokens * columns; at++) {
            double exact = adds ? 0.25 : 0.0, size = exact, steps = (double)rows + 8.0;
            for (size_t r = 0; r < rows; r++) {
                double product =
                    (double)weights[r * columns + at % columns] * (double)x[at / columns * rows + r];
                exact += product;
                size += fabs(product);
            }
            assert_true(fabs((double)first[at] - exact) <= steps * 0x1p-24 / (1.0 - steps * 0x1p-24) * size);
        }
        free(weights);
        free(x);
        free(y);
        free(first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_any_size_are_as_exact_as_float32_allows),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(operands_together_are_the_same_as_one_by_one),
        cmocka_unit_test(nothing_to_multiply_is_no_error),
        cmocka_unit_test(scratch_for_fewer_threads_than_the_job_has_is_refused),
        cmocka_unit_test(a_cancelled_product_says_so),
        cmocka_unit_test(several_products_are_as_each_alone),
        cmocka_unit_test(products_back_are_exact_from_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
