/*
 * The gradient at hand-over beside a forward pass of the same tokens, which is what scoring them takes: all layers over all
 * tokens, and the head at the positions that predict a response. Samples have prompts of their own, or one for all of them,
 * which the gradient takes once and the forward pass as often as it is there.
 */
#include "core/readiness/gradient.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>

/* Half of a sample is its response. */
typedef struct Samples {
    size_t count, tokens;
    bool is_group; /* of one prompt */
} Samples;

enum { SETS = 3 };
static const Samples SAMPLES[SETS] = {{4, 64, false}, {2, 256, false}, {4, 64, true}};
static const Samples FULL_SAMPLES[SETS] = {{8, 64, false}, {8, 256, false}, {8, 64, true}};

enum { MOST_SAMPLES = 8, MOST_TOKENS = MOST_SAMPLES * 256 };

typedef struct Material {
    const Bench *bench;
    const Samples *samples;
    size_t tokens;
    int32_t ids[MOST_TOKENS];
    size_t starts[MOST_TOKENS];
    EvaluationRow rows[MOST_SAMPLES];
    SampleRows sample_rows;
    double advantages[MOST_SAMPLES];
    ForwardState *state;
    MatmulScratch *scratch;
    float *logits; /* of one sample's response */
} Material;

static const Settings FUSED = {.alpha = 0.5};

static void lay_out(Material *material) {
    size_t vocabulary = forward_vocabulary(material->bench->model), count = material->samples->tokens;
    for (size_t i = 0; i < material->tokens; i++) {
        bool is_shared = material->samples->is_group && i % count < count / 2;
        material->ids[i] = (int32_t)((is_shared ? i % count : i) * 7919 % vocabulary);
        material->starts[i] = i / count * count;
    }
    for (size_t r = 0; r < material->samples->count; r++) {
        material->rows[r] = (EvaluationRow){.ids = material->ids + r * count,
                                            .count = count,
                                            .first = count - count / 2 - 1,
                                            .end = count - 1};
        material->advantages[r] = r % 2 == 0 ? 1.0 : -1.0;
    }
    material->sample_rows = (SampleRows){.rows = material->rows,
                                         .ids = material->ids,
                                         .count = material->samples->count,
                                         .tokens = material->tokens,
                                         .response_tokens = material->tokens / 2};
}

static Status open_material(const Bench *bench, const Samples *samples, Material *material, Error *error) {
    *material = (Material){.bench = bench, .samples = samples, .tokens = samples->count * samples->tokens};
    lay_out(material);
    material->logits =
        memory_allocate_aligned(samples->tokens / 2, forward_vocabulary(bench->model) * sizeof(float));
    if (material->logits == NULL) return memory_fail(error, "logits");
    Status status = matmul_create_scratch(bench->threads, &material->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(bench->model, &FUSED, material->tokens, &material->state, error);
    return status;
}

static void close_material(Material *material) {
    forward_free_state(material->state);
    matmul_free_scratch(material->scratch);
    free(material->logits);
}

static Status run_forward(void *argument, Error *error) {
    Material *material = argument;
    size_t width = material->bench->model->config->hidden_size, count = material->samples->tokens;
    forward_rewind(material->state, 0);
    ForwardInput input = {.ids = material->ids, .starts = material->starts, .count = material->tokens};
    Status status = forward_run(&material->state, 1, &input, material->scratch, material->bench->job, error);
    for (size_t r = 0; r < material->samples->count && status == STATUS_OK; r++) {
        size_t first = r * count + material->rows[r].first;
        ForwardHead head = {.settings = &FUSED,
                            .hidden = forward_hidden(material->state) + first * width,
                            .logits = material->logits};
        status = forward_logits(material->bench->model, &head, 1, count / 2, material->scratch,
                                material->bench->job, error);
    }
    return status;
}

static Status run_gradient(void *argument, Error *error) {
    Material *material = argument;
    Gradient gradient;
    Status status = gradient_measure(material->bench->model, &FUSED, &material->sample_rows,
                                     material->advantages, 0, &gradient, material->bench->job, error);
    if (status == STATUS_OK) gradient_free(&gradient);
    return status;
}

static Status measure(Bench *bench, const Samples *samples, Error *error) {
    Material material;
    MeasureTimes times;
    Status status = open_material(bench, samples, &material, error);
    const Measure measures[] = {{.run = run_gradient, .argument = &material},
                                {.run = run_forward, .argument = &material}};
    if (status == STATUS_OK)
        status = measure_alternate(measures, 2, bench->clock, bench->seconds, &times, error);
    if (status == STATUS_OK) {
        ReportRow row = {.value = measure_ratio(&times, 0, 1, 1.0),
                         .unit = "forwards",
                         .aim = 4.0,
                         .usual = 4.0,
                         .is_bound = true};
        (void)snprintf(row.what, sizeof row.what, "gradient at hand-over, %zu samples of %zu tokens%s",
                       samples->count, samples->tokens, samples->is_group ? ", one prompt" : "");
        status = report_add(&bench->report, &row, error);
    }
    close_material(&material);
    return status;
}

Status bench_gradient(Bench *bench, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < SETS && status == STATUS_OK; i++)
        status = measure(bench, bench->is_full ? &FULL_SAMPLES[i] : &SAMPLES[i], error);
    return status;
}
