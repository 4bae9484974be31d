/*
 * The gradient at hand-over beside a forward pass of the same tokens, which is what scoring them takes: all layers over all
 * tokens, and the head at the positions that predict a response.
 */
#include "core/readiness/gradient.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 8, ROW_TOKENS = 64, RESPONSE = ROW_TOKENS / 2, TOKENS = ROWS * ROW_TOKENS };

typedef struct Material {
    const Bench *bench;
    int32_t ids[TOKENS];
    size_t starts[TOKENS];
    EvaluationRow rows[ROWS];
    SampleRows samples;
    double advantages[ROWS];
    ForwardState *state;
    MatmulScratch *scratch;
    float *hidden, *logits; /* [ROWS · RESPONSE positions × …]: the logits of one row's */
} Material;

static const Settings FUSED = {.alpha = 0.5};

static void lay_out(Material *material) {
    size_t vocabulary = forward_vocabulary(material->bench->model);
    for (size_t i = 0; i < TOKENS; i++) {
        material->ids[i] = (int32_t)(i * 7919 % vocabulary);
        material->starts[i] = i / ROW_TOKENS * ROW_TOKENS;
    }
    for (size_t r = 0; r < ROWS; r++) {
        material->rows[r] = (EvaluationRow){.ids = material->ids + r * ROW_TOKENS,
                                            .count = ROW_TOKENS,
                                            .first = ROW_TOKENS - RESPONSE - 1,
                                            .end = ROW_TOKENS - 1};
        material->advantages[r] = r % 2 == 0 ? 1.0 : -1.0;
    }
    material->samples = (SampleRows){.rows = material->rows,
                                     .ids = material->ids,
                                     .count = ROWS,
                                     .tokens = TOKENS,
                                     .response_tokens = ROWS * RESPONSE};
}

static Status open_material(const Bench *bench, Material *material, Error *error) {
    *material = (Material){.bench = bench};
    lay_out(material);
    material->logits = memory_allocate_aligned(RESPONSE, forward_vocabulary(bench->model) * sizeof(float));
    if (material->logits == NULL) return memory_fail(error, "logits");
    Status status = matmul_create_scratch(bench->threads, &material->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(bench->model, &FUSED, TOKENS, &material->state, error);
    return status;
}

static void close_material(Material *material) {
    forward_free_state(material->state);
    matmul_free_scratch(material->scratch);
    free(material->logits);
}

static Status run_forward(void *argument, Error *error) {
    Material *material = argument;
    size_t width = material->bench->model->config->hidden_size;
    forward_rewind(material->state, 0);
    ForwardInput input = {.ids = material->ids, .starts = material->starts, .count = TOKENS};
    Status status = forward_run(&material->state, 1, &input, material->scratch, material->bench->job, error);
    for (size_t r = 0; r < ROWS && status == STATUS_OK; r++) {
        size_t first = r * ROW_TOKENS + material->rows[r].first;
        ForwardHead head = {.settings = &FUSED,
                            .hidden = forward_hidden(material->state) + first * width,
                            .logits = material->logits};
        status = forward_logits(material->bench->model, &head, 1, RESPONSE, material->scratch,
                                material->bench->job, error);
    }
    return status;
}

static Status run_gradient(void *argument, Error *error) {
    Material *material = argument;
    Gradient gradient;
    Status status = gradient_measure(material->bench->model, &FUSED, &material->samples, material->advantages,
                                     0, &gradient, material->bench->job, error);
    if (status == STATUS_OK) gradient_free(&gradient);
    return status;
}

Status bench_gradient(Bench *bench, Error *error) {
    Material material;
    double taken[2] = {0};
    Status status = open_material(bench, &material, error);
    const Measure measures[] = {{.run = run_gradient, .argument = &material},
                                {.run = run_forward, .argument = &material}};
    if (status == STATUS_OK)
        status = measure_medians(measures, 2, bench->clock, bench->seconds, taken, error);
    if (status == STATUS_OK) {
        ReportRow row = {.value = taken[0] / taken[1], .unit = "forwards", .target = 4.0, .is_bound = true};
        (void)snprintf(row.what, sizeof row.what, "gradient at hand-over, %d samples of %d tokens", ROWS,
                       ROW_TOKENS);
        status = report_add(&bench->report, &row, error);
    }
    close_material(&material);
    return status;
}
