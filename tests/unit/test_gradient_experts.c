/*
 * Norms of gradients of experts' weights against plain sums in double: of few rows, of many and of none, in one group and in
 * several, with biases, and with weights of inputs or of outputs. Threads change no bit.
 */
#include "core/numerics/random.h"
#include "core/readiness/gradient_experts.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EXPERTS = 5, CHOSEN = 2, LAYER = 1, MATRICES = 4, MOST_GROUPS = 3 };

/* What meets, of all tokens; the last expert has none of them. */
typedef struct Meeting {
    size_t tokens, hidden, width;
    bool is_one, scales_input; /* gate and up are one matrix, of all experts, with biases */
    float *inputs, *given;     /* [tokens × hidden] */
    float *activated, *slopes; /* by token and choice, [width], [2 · width] */
    float *numbers, *weights;
} Meeting;

static float *draw(size_t count, uint64_t seed) {
    float *values = memory_allocate(count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) values[i] = (float)(random_uniform(seed, i) - 0.5);
    return values;
}

/* Most tokens go to the first expert. */
static void open_meeting(Meeting *meeting) {
    size_t rows = meeting->tokens * CHOSEN;
    meeting->inputs = draw(meeting->tokens * meeting->hidden, 1);
    meeting->given = draw(meeting->tokens * meeting->hidden, 2);
    meeting->activated = draw(rows * meeting->width, 3);
    meeting->slopes = draw(rows * 2 * meeting->width, 4);
    meeting->weights = draw(rows, 5);
    meeting->numbers = draw(rows, 6);
    for (size_t t = 0; t < meeting->tokens; t++) {
        meeting->numbers[t * CHOSEN] = 0.0F;
        meeting->numbers[t * CHOSEN + 1] = (float)(1 + random_bits(7, t) % (EXPERTS - 2));
    }
}

static void close_meeting(Meeting *meeting) {
    free(meeting->inputs);
    free(meeting->given);
    free(meeting->activated);
    free(meeting->slopes);
    free(meeting->weights);
    free(meeting->numbers);
}

/* ---- expected ---- */

/* ‖Σ w · g ⊗ x‖² over an expert's rows of the values of one matrix. */
static double square_plainly(const Meeting *meeting, size_t expert, bool is_down, size_t first, size_t rows,
                             size_t columns, bool is_bias) {
    double square = 0.0;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < (is_bias ? 1 : columns); c++) {
            double sum = 0.0;
            for (size_t i = 0; i < meeting->tokens * CHOSEN; i++) {
                if ((size_t)meeting->numbers[i] != expert) continue;
                size_t t = i / CHOSEN;
                double weight = is_down != meeting->scales_input ? (double)meeting->weights[i] : 1.0;
                if (is_bias && !is_down) weight = 1.0;
                double g = is_down ? (double)meeting->given[t * meeting->hidden + r]
                                   : (double)meeting->slopes[i * 2 * meeting->width + first + r];
                double x = is_down ? (double)meeting->activated[i * meeting->width + c]
                                   : (double)meeting->inputs[t * meeting->hidden + c];
                sum += weight * g * (is_bias ? 1.0 : x);
            }
            square += sum * sum;
        }
    }
    return square;
}

/* By expert; and of gate (or of both), up, down, and both biases, over all of them. */
typedef struct Squares {
    double experts[EXPERTS], matrices[MATRICES + 1];
} Squares;

static Squares expect(const Meeting *meeting) {
    Squares made = {0};
    size_t width = meeting->width, hidden = meeting->hidden;
    for (size_t e = 0; e < EXPERTS; e++) {
        double own[MATRICES + 1] = {0};
        own[0] = square_plainly(meeting, e, false, 0, meeting->is_one ? 2 * width : width, hidden, false);
        if (!meeting->is_one) own[1] = square_plainly(meeting, e, false, width, width, hidden, false);
        own[2] = square_plainly(meeting, e, true, 0, hidden, width, false);
        if (meeting->is_one) own[3] = square_plainly(meeting, e, false, 0, 2 * width, hidden, true);
        if (meeting->is_one) own[4] = square_plainly(meeting, e, true, 0, hidden, width, true);
        for (size_t m = 0; m <= MATRICES; m++) {
            made.matrices[m] += own[m];
            made.experts[e] += own[m];
        }
    }
    return made;
}

/* ---- found ---- */

/* Tensors 0 to 4 are what Squares has, of all experts. */
typedef struct Fixture {
    PairTensor tensors[MATRICES + 1], slices[EXPERTS][3];
    Pair pair;
    ModelExpert list[EXPERTS];
    ModelExperts of;
} Fixture;

static void open_fixture(Fixture *fixture, bool is_one) {
    static const ExpertMatrix MATRIX[3] = {EXPERT_GATE, EXPERT_UP, EXPERT_DOWN};
    *fixture = (Fixture){.pair = {.tensors = fixture->tensors, .count = MATRICES + 1},
                         .of = {.list = fixture->list}};
    for (size_t e = 0; e < EXPERTS; e++) {
        for (size_t m = 0; m < 3; m++) {
            fixture->slices[e][m].whole = &fixture->tensors[m];
            if (is_one && m == 1) continue;
            fixture->list[e].matrices[is_one && m == 0 ? EXPERT_GATE_UP : MATRIX[m]] = &fixture->slices[e][m];
        }
    }
    if (!is_one) return;
    fixture->of.gate_up_bias = &fixture->tensors[3];
    fixture->of.down_bias = &fixture->tensors[4];
}

/* In the order of the rows, as a pass has them. */
static float *sort_values(const ExpertRows *rows, const float *values, size_t first, size_t stride,
                          size_t width) {
    float *sorted = memory_allocate(rows->count * width, sizeof *sorted);
    assert_non_null(sorted);
    for (size_t i = 0; i < rows->count; i++)
        memcpy(sorted + rows->row_of[i] * width, values + i * stride + first, width * sizeof *sorted);
    return sorted;
}

static void add_group(GradientExperts *experts, const Meeting *meeting, const Fixture *fixture, size_t first,
                      size_t tokens, bool is_first, bool is_last, const GradientSquares *squares) {
    size_t width = meeting->width, at = first * CHOSEN;
    ExpertRows rows = {0};
    assert_int_equal(
        expert_rows_sort(&rows, EXPERTS, CHOSEN, tokens, meeting->numbers + at, meeting->weights + at, NULL),
        STATUS_OK);
    const float *slopes = meeting->slopes + at * 2 * width;
    float *activated = sort_values(&rows, meeting->activated + at * width, 0, width, width),
          *gate = sort_values(&rows, slopes, 0, 2 * width, meeting->is_one ? 2 * width : width),
          *up = sort_values(&rows, slopes, width, 2 * width, width);
    BackwardExperts seen = {.rows = &rows, .sequences = &rows, .scales_input = meeting->scales_input};
    BackwardExpertSite site = meeting->is_one ? BACKWARD_EXPERT_GATE_UP : BACKWARD_EXPERT_GATE;
    seen.width[BACKWARD_EXPERT_ACTIVATED] = width;
    seen.activations[BACKWARD_EXPERT_ACTIVATED] = activated;
    seen.width[site] = meeting->is_one ? 2 * width : width;
    seen.gradients[site] = gate;
    if (!meeting->is_one) seen.width[BACKWARD_EXPERT_UP] = width;
    if (!meeting->is_one) seen.gradients[BACKWARD_EXPERT_UP] = up;
    const BackwardFlow flow = {.kind = FLOW_EXPERTS,
                               .tokens = tokens,
                               .columns = meeting->hidden,
                               .rows = meeting->hidden,
                               .inputs = meeting->inputs + first * meeting->hidden,
                               .gradients = meeting->given + first * meeting->hidden,
                               .is_first = is_first,
                               .is_last = is_last,
                               .experts = &seen,
                               .of = &fixture->of,
                               .layer = LAYER};
    assert_int_equal(gradient_experts_add(experts, &flow, squares, NULL), STATUS_OK);
    free(activated);
    free(gate);
    free(up);
    expert_rows_free(&rows);
}

static Squares measure(const Meeting *meeting, size_t groups, unsigned threads) {
    Squares made;
    Fixture fixture;
    Job *job;
    GradientExperts *experts;
    double *layers[LAYER + 1] = {NULL, made.experts};
    const GradientSquares squares = {.tensors = made.matrices, .experts = layers};
    for (size_t m = 0; m <= MATRICES; m++) made.matrices[m] = 0.0;
    for (size_t e = 0; e < EXPERTS; e++) made.experts[e] = NAN;
    open_fixture(&fixture, meeting->is_one);
    assert_int_equal(job_create(threads, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(gradient_experts_create(&fixture.pair, job, &experts, NULL), STATUS_OK);
    for (size_t g = 0; g < groups; g++) {
        size_t first = g * meeting->tokens / groups, end = (g + 1) * meeting->tokens / groups;
        add_group(experts, meeting, &fixture, first, end - first, g == 0, g + 1 == groups, &squares);
    }
    gradient_experts_free(experts);
    job_free(job);
    return made;
}

/* ---- tests ---- */

static void compare(const Squares *found, const Squares *expected, double relative) {
    for (size_t e = 0; e < EXPERTS; e++)
        if (!(fabs(found->experts[e] - expected->experts[e]) <= relative * expected->experts[e]))
            fail_msg("expert %zu: %.9g, not %.9g", e, found->experts[e], expected->experts[e]);
    for (size_t m = 0; m <= MATRICES; m++)
        if (!(fabs(found->matrices[m] - expected->matrices[m]) <= relative * expected->matrices[m]))
            fail_msg("matrix %zu: %.9g, not %.9g", m, found->matrices[m], expected->matrices[m]);
}

static void norms_are_those_of_plain_sums(void **state) {
    (void)state;
    /* more rows than a block of pairs; more than are gathered at once, by panels; more columns than a panel, or a step, has */
    static const size_t SIZES[][3] = {{1, 3, 2}, {150, 40, 600}, {300, 10, 6}, {90, 300, 140}, {7, 530, 20}};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            Meeting meeting = {.tokens = SIZES[s][0],
                               .hidden = SIZES[s][1],
                               .width = SIZES[s][2],
                               .is_one = (kind & 1) != 0,
                               .scales_input = (kind & 2) != 0};
            open_meeting(&meeting);
            const Squares expected = expect(&meeting);
            assert_true(expected.experts[EXPERTS - 1] == 0.0);
            const Squares one = measure(&meeting, 1, 1);
            compare(&one, &expected, 2e-5);
            for (size_t groups = 1; groups <= MOST_GROUPS && groups <= meeting.tokens; groups++) {
                const Squares grouped = measure(&meeting, groups, 1), three = measure(&meeting, groups, 3);
                compare(&grouped, &expected, 2e-5);
                compare(&three, &grouped, 0.0);
            }
            close_meeting(&meeting);
        }
    }
}

/* What a layer left is not the next one's. */
static void what_was_kept_goes_with_the_last_group(void **state) {
    (void)state;
    Meeting meeting = {.tokens = 6, .hidden = 5, .width = 4};
    Fixture fixture;
    Job *job;
    GradientExperts *experts;
    Squares first = {0}, second = {0};
    double *layers[2][LAYER + 1] = {{NULL, first.experts}, {NULL, second.experts}};
    open_meeting(&meeting);
    open_fixture(&fixture, false);
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    assert_int_equal(gradient_experts_create(&fixture.pair, job, &experts, NULL), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        const GradientSquares squares = {.tensors = i == 0 ? first.matrices : second.matrices,
                                         .experts = layers[i]};
        add_group(experts, &meeting, &fixture, 0, 3, true, false, &squares);
        assert_true(squares.experts[LAYER][0] == 0.0); /* nothing is known before the last */
        add_group(experts, &meeting, &fixture, 3, 3, false, true, &squares);
        assert_true(squares.experts[LAYER][0] > 0.0);
    }
    compare(&second, &first, 0.0);
    gradient_experts_free(experts);
    job_free(job);
    close_meeting(&meeting);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_are_those_of_plain_sums),
        cmocka_unit_test(what_was_kept_goes_with_the_last_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
