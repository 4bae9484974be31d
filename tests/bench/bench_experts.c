/*
 * A mixture of experts beside a dense model that has as many weights as a token meets in it: the layers alone, on one
 * thread's work or all of them. With one token that is what both read. A prompt meets more experts than a token does, up to
 * all of them, and each that it meets is blended once: how many it was is said, and what that costs.
 */
#include "core/support/memory.h"
#include "core/transformer/forward.h"
#include "tests/bench/bench.h"
#include "tests/bench/generate.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 64, LONG_PROMPT = 512, TINY_HIDDEN = 256, MOST_EXPERTS = 512, MOST_LAYERS = 8 };

typedef struct Contender {
    Pair *pair;
    Model *model;
    ForwardState *state;
    MatmulScratch *scratch;
    Job *job;
    int32_t ids[LONG_PROMPT];
    size_t context, tokens;
    bool met[MOST_LAYERS][MOST_EXPERTS];
} Contender;

static void close_side(Contender *side) {
    forward_free_state(side->state);
    matmul_free_scratch(side->scratch);
    model_close(side->model);
    pair_close(side->pair);
}

static Status generate(const Bench *bench, const char *name, char **directory, Error *error) {
    const GenerateOptions options = generate_defaults(shape_find(name));
    Job *job = NULL;
    *directory = memory_format("%s/%s", bench->temporary, name);
    Status status = *directory == NULL ? memory_fail(error, "paths") : job_create(0, NULL, NULL, &job, error);
    if (status == STATUS_OK) status = generate_pair(&options, *directory, NULL, job, error);
    job_free(job);
    return status;
}

static Status open_side(const Bench *bench, const char *name, Contender *side, Error *error) {
    static const Settings HALF = {.alpha = 0.5, .omega = 1.0};
    char *directory = NULL;
    side->job = bench->job;
    Status status = generate(bench, name, &directory, error);
    char *base = memory_format("%s/base", directory == NULL ? "" : directory),
         *sft = memory_format("%s/sft", directory == NULL ? "" : directory);
    if (status == STATUS_OK && (base == NULL || sft == NULL)) status = memory_fail(error, "paths");
    if (status == STATUS_OK) status = pair_open(base, sft, &side->pair, error);
    if (status == STATUS_OK) status = model_open(side->pair, &side->model, error);
    if (status == STATUS_OK) status = matmul_create_scratch(bench->threads, &side->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(side->model, &HALF, LONG_PROMPT, &side->state, error);
    for (size_t i = 0; i < LONG_PROMPT && status == STATUS_OK; i++)
        side->ids[i] = (int32_t)(i * 7919 % forward_vocabulary(side->model));
    free(directory);
    free(base);
    free(sft);
    return status;
}

static void meet(void *user, const ForwardMoment *moment) {
    Contender *side = user;
    for (size_t i = 0; moment->site == FORWARD_CHOSEN && i < moment->tokens * moment->width; i++)
        side->met[moment->layer][(size_t)moment->values[i]] = true;
}

static Status run(Contender *side, ForwardObserver observer, Error *error) {
    ForwardInput input = {
        .ids = side->ids + side->context, .count = side->tokens, .observer = observer, .user = side};
    forward_rewind(side->state, side->context);
    return forward_run(&side->state, 1, &input, side->scratch, side->job, error);
}

static Status repeat(void *argument, Error *error) {
    return run(argument, NULL, error);
}

/* Experts of a layer that the tokens meet, on the average. */
static Status count_met(Contender *side, double *met, Error *error) {
    size_t count = 0;
    for (size_t i = 0; i < MOST_LAYERS * MOST_EXPERTS; i++)
        side->met[i / MOST_EXPERTS][i % MOST_EXPERTS] = false;
    Status status = run(side, meet, error);
    for (size_t i = 0; i < MOST_LAYERS * MOST_EXPERTS; i++)
        count += side->met[i / MOST_EXPERTS][i % MOST_EXPERTS];
    *met = (double)count / (double)side->model->config->layers;
    return status;
}

static Status add_row(Bench *bench, Contender sides[2], size_t context, size_t tokens, Error *error) {
    MeasureTimes times;
    double met = 0.0;
    const Measure measures[] = {{.run = repeat, .argument = &sides[0]},
                                {.run = repeat, .argument = &sides[1]}};
    const ExpertPlan *plan = &architecture_layer(sides[0].model->config, 0)->experts;
    Status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        sides[i].context = 0;
        sides[i].tokens = context;
        forward_rewind(sides[i].state, 0);
        if (context > 0) status = run(&sides[i], NULL, error);
        sides[i].context = context;
        sides[i].tokens = tokens;
    }
    if (status == STATUS_OK) status = count_met(&sides[0], &met, error);
    if (status == STATUS_OK)
        status = measure_alternate(measures, 2, bench->clock, bench->seconds, &times, error);
    if (status != STATUS_OK) return status;
    ReportRow row = {.value = measure_ratio(&times, 0, 1, 1.0),
                     .unit = "x dense",
                     .aim = tokens <= PROMPT ? 1.3 : 0.0,
                     .is_bound = tokens <= PROMPT};
    (void)snprintf(row.what, sizeof row.what, "layers, T = %zu, %d of %d experts, %.0f met", tokens,
                   (int)plan->chosen, (int)plan->count, met);
    return report_add(&bench->report, &row, error);
}

Status bench_experts(Bench *bench, Error *error) {
    bool is_tiny = bench->model->config->hidden_size < TINY_HIDDEN;
    const char *name = is_tiny ? "tiny-experts" : bench->is_full ? "qwen3-experts" : "qwen3-experts-half";
    const char *dense = is_tiny          ? "tiny-experts-dense"
                        : bench->is_full ? "qwen3-experts-dense"
                                         : "qwen3-experts-half-dense";
    Contender *sides = memory_allocate(2, sizeof *sides);
    if (sides == NULL) return memory_fail(error, "experts");
    Status status = open_side(bench, name, &sides[0], error);
    if (status == STATUS_OK) status = open_side(bench, dense, &sides[1], error);
    if (status == STATUS_OK) status = add_row(bench, sides, PROMPT - 1, 1, error);
    if (status == STATUS_OK) status = add_row(bench, sides, 0, PROMPT, error);
    /* which has no aim, and takes long */
    if (status == STATUS_OK && (is_tiny || bench->is_full))
        status = add_row(bench, sides, 0, LONG_PROMPT, error);
    for (int i = 0; i < 2; i++) close_side(&sides[i]);
    free(sides);
    return status;
}
