/*
 * The method's passes, each beside plain sgemm doing exactly the multiplications that it needs, in the same
 * run. With P the elements of all layers' matrices (no head), a multiply of T tokens is 2·T·P operations:
 *
 *     forward        2·T·P
 *     backward       4·T·P: each layer is run forward once more from its kept input, then gradients go down
 *     attribution    4·R·P for R tokens of rows (forward, and forward again), 2·S·P for the S tokens of all
 *                    targets' sequences (each goes from its row's first token to its own position), and
 *                    2·32·|o, down| for W[:,j]·d. Attention, scores and the sorting of M · 32 scores are
 *                    work too, but not counted: they lower the ratio.
 *     dormancy       2·R·P; with gradients 6·R·P, and 4·N·V·H for N response positions: the head, there
 *                    and back
 */
#include "core/method/dormancy.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/limits.h"
#include "tests/bench/measure.h"
#include "tests/bench/target_rows.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ROWS = TARGET_ROWS,
    ROW_TOKENS = TARGET_ROW_TOKENS,
    TOKENS = TARGET_ROWS_TOKENS,
    TARGETS = ATTRIBUTION_TARGETS
};

typedef struct Material {
    const Bench *bench;
    TargetRows given;
    size_t starts[TOKENS];
    BackwardRow back_rows[ROWS];
    BackwardSequence sequences[ROWS];
    ForwardState *state;
    MatmulScratch *scratch;
    Backward *backward;
    float *gradient; /* [TOKENS × hidden_size] */
} Material;

static const Settings SFT = {.alpha = 1.0};
static const double AIM = 0.85; /* of the rate of plain sgemm */

static void close_material(Material *material) {
    backward_free(material->backward);
    forward_free_state(material->state);
    matmul_free_scratch(material->scratch);
    free(material->gradient);
}

static void lay_out(Material *material, const Bench *bench) {
    target_rows_lay_out(&material->given, bench->model);
    for (size_t i = 0; i < TOKENS; i++) material->starts[i] = i / ROW_TOKENS * ROW_TOKENS;
    for (size_t r = 0; r < ROWS; r++) {
        material->back_rows[r] = (BackwardRow){.ids = material->given.rows[r].ids, .count = ROW_TOKENS};
        material->sequences[r] = (BackwardSequence){r, ROW_TOKENS};
    }
}

static Status open_material(const Bench *bench, Material *material, Error *error) {
    *material = (Material){.bench = bench};
    lay_out(material, bench);
    material->gradient = memory_allocate(TOKENS, bench->model->config->hidden_size * sizeof(float));
    if (material->gradient == NULL) return memory_fail(error, "gradients");
    Status status = matmul_create_scratch(bench->threads, &material->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(bench->model, &SFT, TOKENS, &material->state, error);
    if (status == STATUS_OK)
        status = backward_create(bench->model, &SFT, material->back_rows, ROWS, NULL, bench->job,
                                 &material->backward, error);
    return status;
}

/* ---- what is measured ---- */

static Status run_forward(void *argument, Error *error) {
    Material *material = argument;
    forward_rewind(material->state, 0);
    ForwardInput input = {.ids = material->given.ids, .starts = material->starts, .count = TOKENS};
    return forward_run(&material->state, 1, &input, material->scratch, material->bench->job, error);
}

static Status ignore_layer(void *user, const BackwardLayer *layer, Error *error) {
    (void)user, (void)layer, (void)error;
    return STATUS_OK;
}

static Status run_backward(void *argument, Error *error) {
    Material *material = argument;
    size_t floats = TOKENS * material->bench->model->config->hidden_size;
    for (size_t i = 0; i < floats; i++) material->gradient[i] = (float)(i % 251) * 1e-3F - 0.125F;
    return backward_run(material->backward, material->sequences, ROWS, material->gradient, ignore_layer, NULL,
                        "backward", material->bench->job, error);
}

static Status run_attribution(void *argument, Error *error) {
    Material *material = argument;
    Attribution attribution;
    Status status = attribution_run(material->bench->model, material->given.rows, material->given.targets,
                                    TARGETS, false, 0, &attribution, material->bench->job, error);
    if (status == STATUS_OK) attribution_free(&attribution);
    return status;
}

static Status run_dormancy(const Material *material, bool with_gradient, Error *error) {
    Dormancy dormancy;
    Status status = dormancy_run(material->bench->model, &SFT, material->given.rows, ROWS, with_gradient,
                                 &dormancy, material->bench->job, error);
    if (status == STATUS_OK) dormancy_free(&dormancy);
    return status;
}

static Status run_activations(void *material, Error *error) {
    return run_dormancy(material, false, error);
}

static Status run_gradients(void *material, Error *error) {
    return run_dormancy(material, true, error);
}

/* ---- rows of the report ---- */

static size_t sequence_tokens(const Material *material) {
    size_t tokens = 0;
    for (size_t i = 0; i < TARGETS; i++) tokens += material->given.targets[i].position + 1;
    return tokens;
}

/* A measurement beside the multiplications that it needs. */
typedef struct Subject {
    const char *what;
    Status (*run)(void *argument, Error *error);
    PlainPass passes[5]; /* up to the first of no tokens */
    double usual;        /* of the rate of plain sgemm; 0: no aim */
} Subject;

static Status add_subject(Bench *bench, Material *material, const Subject *subject, MeasureTimes *times,
                          Error *error) {
    PlainMultiplies *plain = NULL;
    size_t passes = 0;
    while (passes < sizeof subject->passes / sizeof *subject->passes && subject->passes[passes].tokens > 0)
        passes++;
    Status status =
        limits_create_multiplies(bench->model, subject->passes, passes, bench->threads, &plain, error);
    const Measure measures[] = {{.run = subject->run, .argument = material},
                                {.run = limits_run_multiplies, .argument = plain},
                                {.run = run_forward, .argument = material}};
    if (status == STATUS_OK)
        status = measure_alternate(measures, 3, bench->clock, bench->seconds, times, error);
    if (status == STATUS_OK) {
        double operations = limits_multiply_flops(plain) * 1e-9;
        ReportRow row = {.unit = "GFLOP/s", .aim = subject->usual > 0.0 ? AIM : 0.0, .usual = subject->usual};
        report_set_rates(&row, times, 0, operations, 1, operations);
        (void)snprintf(row.what, sizeof row.what, "%s", subject->what);
        (void)snprintf(row.limit_what, sizeof row.limit_what, "plain sgemm of its %.0f GFLOP", operations);
        status = report_add(&bench->report, &row, error);
    }
    limits_free_multiplies(plain);
    return status;
}

/* How many forward passes of the same rows the subject takes. */
static Status add_ratio(Bench *bench, const MeasureTimes *times, Error *error) {
    ReportRow row = {.value = measure_ratio(times, 0, 2, 1.0), .unit = "forwards"};
    (void)snprintf(row.what, sizeof row.what, "  = in forward passes of %d tokens", TOKENS);
    return report_add(&bench->report, &row, error);
}

Status bench_method(Bench *bench, Error *error) {
    Material material;
    Status status = open_material(bench, &material, error);
    size_t descending = sequence_tokens(&material), response = ROWS * (ROW_TOKENS / 2);
    const Subject subjects[] = {
        {"forward, 2 rows of 64", run_forward, {{PLAIN_LAYERS, TOKENS, false}}, 0.0},
        {"backward, 2 rows of 64",
         run_backward,
         {{PLAIN_LAYERS, TOKENS, false}, {PLAIN_LAYERS, TOKENS, true}},
         0.65},
        {"attribution of 32 targets, 2 rows of 64",
         run_attribution,
         {{PLAIN_LAYERS, TOKENS, false},
          {PLAIN_LAYERS, TOKENS, false},
          {PLAIN_LAYERS, descending, true},
          {PLAIN_OUTPUTS, TARGETS, true}},
         0.55},
        {"dormancy, 2 rows of 64", run_activations, {{PLAIN_LAYERS, TOKENS, false}}, 0.75},
        {"gradient dormancy, 64 response tokens",
         run_gradients,
         {{PLAIN_LAYERS, 2 * TOKENS, false},
          {PLAIN_LAYERS, TOKENS, false},
          {PLAIN_LAYERS, TOKENS, true},
          {PLAIN_HEAD, response, false},
          {PLAIN_HEAD, response, true}},
         0.65},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects && status == STATUS_OK; i++) {
        MeasureTimes times;
        status = add_subject(bench, &material, &subjects[i], &times, error);
        if (status == STATUS_OK && i > 0) status = add_ratio(bench, &times, error);
    }
    close_material(&material);
    return status;
}
