/*
 * W(0.5) of an adapter of rank 8, PEFT's default, on every matrix of the base, beside that of the full SFT model: forward and
 * export. Its values are computed in each pass, where a full SFT's are read.
 */
#include "core/checkpoint/pair.h"
#include "core/export/export.h"
#include "core/numerics/random.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "core/transformer/forward.h"
#include "tests/bench/bench.h"
#include "tests/bench/measure.h"
#include "tests/bench/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RANK = 8, PROMPT = 64, FULL = 0, ADAPTED = 1, SIDES = 2 };

/* ---- the adapter ---- */

static bool is_adapted(const Tensor *tensor) {
    return tensor->layer >= 0 && tensor->rank == 2 && tensor->rows >= RANK && tensor->columns >= RANK;
}

static void add_factor(Buffer *header, const Tensor *tensor, const char *factor, uint64_t rows,
                       uint64_t columns, uint64_t *floats) {
    int length = (int)(strlen(tensor->name) - strlen(".weight"));
    buffer_add_format(header,
                      "%s\"base_model.model.%.*s.%s.weight\":{\"dtype\":\"F32\",\"shape\":[%llu,%llu],",
                      *floats > 0 ? "," : "{", length, tensor->name, factor, (unsigned long long)rows,
                      (unsigned long long)columns);
    buffer_add_format(header, "\"data_offsets\":[%llu,%llu]}", (unsigned long long)(*floats * 4),
                      (unsigned long long)((*floats + rows * columns) * 4));
    *floats += rows * columns;
}

static Status write_weights(const Checkpoint *base, const char *path, Error *error) {
    Buffer header = {0};
    uint64_t floats = 0;
    for (size_t i = 0; i < base->tensor_count; i++) {
        const Tensor *tensor = &base->tensors[i];
        if (!is_adapted(tensor)) continue;
        add_factor(&header, tensor, "lora_A", RANK, tensor->columns, &floats);
        add_factor(&header, tensor, "lora_B", tensor->rows, RANK, &floats);
    }
    buffer_add_text(&header, "}");
    while (!header.failed && header.length % 8 != 0) buffer_add_text(&header, " ");
    FILE *file = fopen(path, "wb");
    uint64_t length = header.length;
    bool written = file != NULL && !header.failed && fwrite(&length, sizeof length, 1, file) == 1 &&
                   fwrite(header.text, 1, header.length, file) == header.length;
    for (uint64_t i = 0; i < floats && written; i++) {
        float value = (float)(random_uniform(8, i) - 0.5) * 0.05F;
        written = fwrite(&value, sizeof value, 1, file) == 1;
    }
    written = (file == NULL || fclose(file) == 0) && written;
    buffer_free(&header);
    return written ? STATUS_OK : status_fail(error, STATUS_IO, "%s: cannot be written", path);
}

static Status write_adapter(const Bench *bench, const char *directory, Error *error) {
    char *weights = memory_format("%s/adapter_model.safetensors", directory);
    char *settings = memory_format("%s/adapter_config.json", directory);
    Status status = weights == NULL || settings == NULL ? memory_fail(error, "paths") : STATUS_OK;
    if (status == STATUS_OK && mkdir(directory, 0700) != 0)
        status = status_fail(error, STATUS_IO, "%s: cannot be made", directory);
    if (status == STATUS_OK) status = write_weights(bench->pair->base, weights, error);
    FILE *file = status == STATUS_OK ? fopen(settings, "w") : NULL;
    if (status == STATUS_OK &&
        (file == NULL || fputs("{\"peft_type\": \"LORA\", \"lora_alpha\": 16}", file) < 0))
        status = status_fail(error, STATUS_IO, "%s: cannot be written", settings);
    if (file != NULL && fclose(file) != 0 && status == STATUS_OK)
        status = status_fail(error, STATUS_IO, "%s: cannot be written", settings);
    free(weights);
    free(settings);
    return status;
}

/* ---- what is measured ---- */

typedef struct Measured {
    const Bench *bench;
    const Pair *pair;
    const Model *model;
    ForwardState *state;
    MatmulScratch *scratch;
    size_t context, tokens;
    float *logits;
    char *export;
} Measured;

static const Settings HALF = {.alpha = 0.5};

static Status run_forward(void *argument, Error *error) {
    Measured *side = argument;
    int32_t ids[PROMPT];
    size_t vocabulary = forward_vocabulary(side->model);
    for (size_t i = 0; i < PROMPT; i++) ids[i] = (int32_t)(i * 7919 % vocabulary);
    forward_rewind(side->state, side->context);
    const ForwardInput input = {.ids = ids + side->context, .count = side->tokens};
    Status status = forward_run(&side->state, 1, &input, side->scratch, side->bench->job, error);
    const ForwardHead head = {&HALF, forward_hidden(side->state), side->logits};
    return status == STATUS_OK
               ? forward_logits(side->model, &head, 1, side->tokens, side->scratch, side->bench->job, error)
               : status;
}

static Status prepare_forward(Measured *side, size_t context, size_t tokens, Error *error) {
    side->context = 0;
    side->tokens = context;
    Status status = context > 0 ? run_forward(side, error) : STATUS_OK;
    side->context = context;
    side->tokens = tokens;
    return status;
}

static Status open_side(const Bench *bench, const Pair *pair, const Model *model, Measured *side,
                        Error *error) {
    *side = (Measured){.bench = bench, .pair = pair, .model = model};
    side->export = memory_format("%s/export-adapter", bench->temporary);
    side->logits = memory_allocate_aligned(PROMPT, forward_vocabulary(model) * sizeof *side->logits);
    if (side->export == NULL || side->logits == NULL) return memory_fail(error, "logits");
    Status status = matmul_create_scratch(bench->threads, &side->scratch, error);
    return status == STATUS_OK ? forward_create_state(model, &HALF, PROMPT, &side->state, error) : status;
}

static void close_side(Measured *side) {
    forward_free_state(side->state);
    matmul_free_scratch(side->scratch);
    free(side->logits);
    free(side->export);
}

static Status remove_export(void *argument, Error *error) {
    return temporary_remove(((const Measured *)argument)->export, error);
}

static Status run_export(void *argument, Error *error) {
    const Measured *side = argument;
    const ExportOptions options = {.settings = HALF, .directory = side->export};
    ExportPlan *plan = NULL;
    Status status = export_plan(side->pair, &options, &plan, error);
    if (status == STATUS_OK) status = export_run(plan, side->bench->job, error);
    export_plan_free(plan);
    return status;
}

/* ---- rows ---- */

static Status add_row(Bench *bench, const MeasureTimes *times, const char *what, double work,
                      const char *unit, double aim, double usual, Error *error) {
    ReportRow row = {.unit = unit, .limit_what = "the same of a full SFT model", .aim = aim, .usual = usual};
    report_set_rates(&row, times, ADAPTED, work, FULL, work);
    (void)snprintf(row.what, sizeof row.what, "adapter of rank %d, %s", RANK, what);
    return report_add(&bench->report, &row, error);
}

static Status add_forward_row(Bench *bench, Measured sides[SIDES], size_t context, size_t tokens,
                              double usual, Error *error) {
    MeasureTimes times;
    char what[40];
    Measure measures[SIDES];
    Status status = STATUS_OK;
    for (int s = 0; s < SIDES && status == STATUS_OK; s++) {
        status = prepare_forward(&sides[s], context, tokens, error);
        measures[s] = (Measure){.run = run_forward, .argument = &sides[s]};
    }
    if (status == STATUS_OK)
        status = measure_alternate(measures, SIDES, bench->clock, bench->seconds, &times, error);
    (void)snprintf(what, sizeof what, "forward and logits, T = %zu", tokens);
    return status == STATUS_OK
               ? add_row(bench, &times, what, (double)tokens, "tokens/s", 1.0 / 1.15, usual, error)
               : status;
}

static Status add_export_row(Bench *bench, Measured sides[SIDES], Error *error) {
    MeasureTimes times;
    const Measure measures[SIDES] = {
        {.run = run_export, .argument = &sides[FULL], .prepare = remove_export},
        {.run = run_export, .argument = &sides[ADAPTED], .prepare = remove_export}};
    Status status = measure_alternate(measures, SIDES, MEASURE_WALL, bench->seconds, &times, error);
    return status == STATUS_OK
               ? add_row(bench, &times, "export, bytes written", (double)sides[FULL].pair->sft->bytes * 1e-9,
                         "GB/s", 1.0 / 1.1, 0.0, error)
               : status;
}

Status bench_adapter(Bench *bench, Error *error) {
    Pair *pair = NULL;
    Model *model = NULL;
    Measured sides[SIDES] = {0};
    char *directory = memory_format("%s/adapter", bench->temporary);
    Status status = directory == NULL ? memory_fail(error, "paths") : write_adapter(bench, directory, error);
    if (status == STATUS_OK) status = pair_open(bench->pair->base->directory, directory, &pair, error);
    if (status == STATUS_OK) status = model_open(pair, &model, error);
    if (status == STATUS_OK) status = open_side(bench, bench->pair, bench->model, &sides[FULL], error);
    if (status == STATUS_OK) status = open_side(bench, pair, model, &sides[ADAPTED], error);
    if (status == STATUS_OK) status = add_forward_row(bench, sides, 0, PROMPT, 0.92, error);
    if (status == STATUS_OK) status = add_forward_row(bench, sides, PROMPT - 1, 1, 0.7, error);
    if (status == STATUS_OK) status = add_export_row(bench, sides, error);
    for (int s = 0; s < SIDES; s++) close_side(&sides[s]);
    model_close(model);
    pair_close(pair);
    free(directory);
    return status;
}
