/*
 * The forward pass, attribution and sampling beside transformers in float32 and llama.cpp in bfloat16, with as many threads:
 * the model is loaded in all, and the same work done in turn.
 */
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/pass.h"
#include "tests/bench/peer.h"
#include "tests/bench/sampler.h"
#include "tests/bench/target_rows.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 64 };

/* ---- a process with a model ---- */

/* One piece of work of it, as a measure. */
typedef struct Worker {
    Peer *peer; /* NULL: left out */
    MeasureClock clock;
    const char *words[4];
    double took;
} Worker;

static Status work(void *argument, Error *error) {
    Worker *worker = argument;
    PeerAnswer answer;
    Status status = peer_ask(worker->peer, worker->words, &answer, error);
    if (status == STATUS_OK)
        worker->took = answer.numbers[worker->clock == MEASURE_WALL ? PEER_WALL : PEER_PROCESSOR];
    return status;
}

static Measure measure_worker(Worker *worker) {
    return (Measure){.run = work, .argument = worker, .took = &worker->took};
}

/* An order and numbers. */
static Status tell_numbers(Peer *peer, const char *order, const int32_t *numbers, size_t count,
                           Error *error) {
    enum { MOST = TARGET_ROWS_TOKENS + 1 };
    char texts[MOST][12];
    const char *words[MOST + 2] = {order};
    PeerAnswer answer;
    for (size_t i = 0; i < count && i < MOST; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%d", (int)numbers[i]);
        words[i + 1] = texts[i];
    }
    return peer_ask(peer, words, &answer, error);
}

/* The SFT model, in `package`'s way, and a prompt that is run once. Where that cannot be *peer is NULL, and it is said. */
static Status open_model(Bench *bench, const char *package, const char *kind, const int32_t *ids, Peer **peer,
                         Error *error) {
    char threads[16], *file = memory_format("%s/model.gguf", bench->temporary);
    if (file == NULL) return memory_fail(error, "a path");
    (void)snprintf(threads, sizeof threads, "%u", bench->threads);
    bool has_file = kind[0] == 'l';
    const char *load[] = {kind, bench->pair->sft->directory, threads, has_file ? file : NULL, NULL};
    PeerAnswer answer;
    Status status = peer_open(bench->peers, bench->threads, peer, error);
    if (status == STATUS_OK) status = peer_ask(*peer, load, &answer, error);
    if (status == STATUS_OK) status = tell_numbers(*peer, "ids", ids, PROMPT, error);
    if (status == STATUS_OK) status = peer_tell(*peer, "prompt", NULL, &answer, error);
    free(file);
    if (status == STATUS_OK) return STATUS_OK;
    bool is_left_out = peer_is_left_out(bench, package, status, error);
    peer_close(*peer);
    *peer = NULL;
    return is_left_out ? STATUS_OK : status;
}

/* "transformers 5.24.0, float32" */
static Status describe(Peer *peer, const char *package, const char *how, char *text, size_t size,
                       Error *error) {
    PeerAnswer version;
    Status status = peer_tell(peer, "version", package, &version, error);
    if (status == STATUS_OK) (void)snprintf(text, size, "%s %.30s, %s", package, version.text, how);
    return status;
}

/* ---- the forward pass ---- */

enum { FUSED, ONE, OWN }; /* W(0.5), and the SFT model alone */
enum { TRANSFORMERS, LLAMA, PEER_KINDS };

static const struct {
    const char *package, *kind, *how;
    double aims[2][OWN]; /* of PROMPT tokens, of one */
} KINDS[PEER_KINDS] = {
    [TRANSFORMERS] = {"transformers", "transformers", "float32", {{2.0, 2.0}, {0.0, 0.0}}},
    [LLAMA] = {"llama-cpp-py-sync", "llama", "bf16", {{1.3, 1.3}, {0.95, 1.2}}},
};

static Status add_rate_rows(Bench *bench, Peer *const *peers, Pass *passes, size_t tokens, Error *error) {
    Worker workers[PEER_KINDS];
    Measure measures[MEASURE_MOST];
    size_t count = 0, at[PEER_KINDS] = {0};
    for (; count < OWN; count++) measures[count] = (Measure){.run = pass_repeat, .argument = &passes[count]};
    for (size_t k = 0; k < PEER_KINDS; k++) {
        if (peers[k] == NULL || (tokens == 1 && k != LLAMA)) continue;
        workers[k] = (Worker){peers[k], bench->clock, {tokens == 1 ? "token" : "prompt"}, 0.0};
        at[k] = count;
        measures[count++] = measure_worker(&workers[k]);
    }
    MeasureTimes times;
    Status status = measure_alternate(measures, count, bench->clock, bench->seconds, &times, error);
    for (size_t i = 0; i < OWN * PEER_KINDS && status == STATUS_OK; i++) {
        size_t own = i % OWN, k = i / OWN;
        if (at[k] == 0) continue;
        ReportRow row = {.unit = "tokens/s", .aim = KINDS[k].aims[tokens == 1][own]};
        report_set_rates(&row, &times, own, (double)tokens, at[k], (double)tokens);
        (void)snprintf(row.what, sizeof row.what, "forward and logits, T = %zu, %s", tokens,
                       own == FUSED ? "W(0.5)" : "SFT");
        status =
            describe(peers[k], KINDS[k].package, KINDS[k].how, row.limit_what, sizeof row.limit_what, error);
        if (status == STATUS_OK) status = report_add(&bench->report, &row, error);
    }
    return status;
}

static Status write_logits(const char *path, const float *logits, size_t count, Error *error) {
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(logits, sizeof *logits, count, file) == count;
    if (file != NULL) ok = fclose(file) == 0 && ok;
    return ok ? STATUS_OK : status_fail(error, STATUS_IO, "%s: cannot be written", path);
}

/* ‖x − y‖ / ‖y‖ of the logits of the prompt, y being those of transformers in float64. */
static Status add_error_rows(Bench *bench, Peer *const *peers, const Pass *pass, Error *error) {
    char *own = memory_format("%s/own.f32", bench->temporary);
    char *theirs = memory_format("%s/llama.f32", bench->temporary);
    PeerAnswer seen = {0}, other = {0};
    Status status = own == NULL || theirs == NULL ? memory_fail(error, "paths") : STATUS_OK;
    if (status == STATUS_OK)
        status = write_logits(own, pass->logits[0], PROMPT * forward_vocabulary(bench->model), error);
    if (status == STATUS_OK) status = peer_tell(peers[TRANSFORMERS], "error", own, &seen, error);
    for (size_t k = 0; k < PEER_KINDS && status == STATUS_OK; k++) {
        if (peers[k] == NULL) continue;
        if (k == LLAMA) status = peer_tell(peers[k], "prompt", NULL, &other, error);
        if (k == LLAMA && status == STATUS_OK) status = peer_tell(peers[k], "save", theirs, &other, error);
        if (status == STATUS_OK)
            status = peer_tell(peers[TRANSFORMERS], "error", k == LLAMA ? theirs : "-", &other, error);
        ReportRow row = {.value = spread_of_one(seen.numbers[0]),
                         .unit = "of them in float64",
                         .limit = spread_of_one(other.numbers[0]),
                         .ratio = spread_of_one(other.numbers[0] / seen.numbers[0]),
                         .aim = k == LLAMA ? 100.0 : 0.0,
                         .is_inverse = true};
        (void)snprintf(row.what, sizeof row.what, "error of the logits, T = %d, SFT", PROMPT);
        (void)snprintf(row.limit_what, sizeof row.limit_what, "%s, %s (%.2g)", KINDS[k].package, KINDS[k].how,
                       other.numbers[0]);
        if (status == STATUS_OK) status = report_add(&bench->report, &row, error);
    }
    free(own);
    free(theirs);
    return status;
}

/* Its wheel brings one build for all processors. */
static Status note_kernels(Bench *bench, Peer *llama, Error *error) {
    PeerAnswer kernels;
    Status status = peer_tell(llama, "kernels", NULL, &kernels, error);
    if (status == STATUS_OK) report_note(&bench->report, "llama.cpp's kernels", kernels.text);
    return status;
}

Status peers_forward(Bench *bench, Error *error) {
    static const double ALPHAS[OWN] = {[FUSED] = 0.5, [ONE] = 1.0};
    Pass prompt[OWN] = {0}, token[OWN] = {0};
    Peer *peers[PEER_KINDS] = {NULL};
    Status status = STATUS_OK;
    for (size_t i = 0; i < OWN && status == STATUS_OK; i++) {
        status = pass_open(bench, &ALPHAS[i], 1, 0, PROMPT, true, &prompt[i], error);
        if (status == STATUS_OK)
            status = pass_open(bench, &ALPHAS[i], 1, PROMPT - 1, 1, true, &token[i], error);
    }
    for (size_t k = 0; k < PEER_KINDS && status == STATUS_OK; k++)
        status = open_model(bench, KINDS[k].package, KINDS[k].kind, prompt[0].ids, &peers[k], error);
    if (status == STATUS_OK && peers[LLAMA] != NULL) status = note_kernels(bench, peers[LLAMA], error);
    bool has_any = peers[TRANSFORMERS] != NULL || peers[LLAMA] != NULL;
    if (status == STATUS_OK && has_any) status = add_rate_rows(bench, peers, prompt, PROMPT, error);
    if (status == STATUS_OK && peers[TRANSFORMERS] != NULL)
        status = add_error_rows(bench, peers, &prompt[ONE], error);
    if (status == STATUS_OK && peers[LLAMA] != NULL) status = add_rate_rows(bench, peers, token, 1, error);
    for (size_t k = 0; k < PEER_KINDS; k++) peer_close(peers[k]);
    for (size_t i = 0; i < OWN; i++) {
        pass_close(&prompt[i]);
        pass_close(&token[i]);
    }
    return status;
}

/* ---- attribution ---- */

typedef struct Explainer {
    const Bench *bench;
    TargetRows given;
    Attribution attribution; /* of the last run */
} Explainer;

static Status explain(void *argument, Error *error) {
    Explainer *explainer = argument;
    attribution_free(&explainer->attribution);
    return attribution_run(explainer->bench->model, explainer->given.rows, explainer->given.targets,
                           ATTRIBUTION_TARGETS, false, 0, &explainer->attribution, explainer->bench->job,
                           error);
}

static Status tell_targets(Peer *peer, const TargetRows *given, Error *error) {
    int32_t rows[TARGET_ROWS_TOKENS + 1] = {TARGET_ROW_TOKENS};
    for (size_t i = 0; i < TARGET_ROWS_TOKENS; i++) rows[i + 1] = given->ids[i];
    Status status = tell_numbers(peer, "rows", rows, TARGET_ROWS_TOKENS + 1, error);
    for (size_t i = 0; i < ATTRIBUTION_TARGETS && status == STATUS_OK; i++) {
        const AttributionTarget *target = &given->targets[i];
        status = tell_numbers(peer, "target",
                              (int32_t[]){(int32_t)target->row, (int32_t)target->position, target->token}, 3,
                              error);
    }
    return status;
}

/* How much of the reset set at ρ = 1 % both choose: that it is the same work. */
static Status add_shared_row(Bench *bench, const Explainer *explainer, Peer *peer, Error *error) {
    const Attribution *own = &explainer->attribution;
    char *path = memory_format("%s/ranks", bench->temporary);
    int32_t *theirs = memory_allocate(own->neurons, sizeof *theirs), cut;
    PeerAnswer answer;
    size_t chosen = 0, shared = 0;
    Status status = path == NULL || theirs == NULL ? memory_fail(error, "ranks") : STATUS_OK;
    if (status == STATUS_OK) status = peer_tell(peer, "best_ranks", path, &answer, error);
    FILE *file = status == STATUS_OK ? fopen(path, "rb") : NULL;
    if (status == STATUS_OK &&
        (file == NULL || fread(theirs, sizeof *theirs, own->neurons, file) != own->neurons))
        status = status_fail(error, STATUS_IO, "%s: expected %zu ranks", path, own->neurons);
    if (file != NULL) (void)fclose(file); /* only read */
    cut = (int32_t)attribution_cut(own->neurons, 0.01);
    for (size_t j = 0; j < own->neurons && status == STATUS_OK; j++) {
        chosen += own->best_rank[j] < cut;
        shared += own->best_rank[j] < cut && theirs[j] < cut;
    }
    free(theirs);
    free(path);
    if (status != STATUS_OK) return status;
    ReportRow row = {.what = "  = of its reset set at 1 %, also in torch's",
                     .value = spread_of_one(100.0 * (double)shared / (double)chosen),
                     .unit = "%"};
    return report_add(&bench->report, &row, error);
}

static Status add_attribution_rows(Bench *bench, Explainer *explainer, Peer *peer, Error *error) {
    Worker worker = {peer, bench->clock, {"attribution"}, 0.0};
    const Measure measures[] = {{.run = explain, .argument = explainer}, measure_worker(&worker)};
    MeasureTimes times;
    ReportRow row = {.what = "attribution of 32 targets, 2 rows of 64", .unit = "targets/s", .aim = 3.0};
    Status status = tell_targets(peer, &explainer->given, error);
    if (status == STATUS_OK)
        status = measure_alternate(measures, 2, bench->clock, bench->seconds, &times, error);
    if (status == STATUS_OK)
        status = describe(peer, "torch", "autograd, float32", row.limit_what, sizeof row.limit_what, error);
    if (status != STATUS_OK) return status;
    report_set_rates(&row, &times, 0, ATTRIBUTION_TARGETS, 1, ATTRIBUTION_TARGETS);
    status = report_add(&bench->report, &row, error);
    return status == STATUS_OK ? add_shared_row(bench, explainer, peer, error) : status;
}

Status peers_method(Bench *bench, Error *error) {
    Explainer explainer = {.bench = bench};
    Peer *peer;
    target_rows_lay_out(&explainer.given, bench->model);
    Status status = open_model(bench, "transformers", "transformers", explainer.given.ids, &peer, error);
    if (status == STATUS_OK && peer != NULL) status = add_attribution_rows(bench, &explainer, peer, error);
    attribution_free(&explainer.attribution);
    peer_close(peer);
    return status;
}

/* ---- sampling ---- */

enum { TOGETHER = 8 /* tokens of an answer */ };

static Status sample_together(void *sampler, Error *error) {
    return sampler_run(sampler, TOGETHER, error);
}

static Status sample_first(void *sampler, Error *error) {
    return sampler_run(sampler, 1, error);
}

/* Rates are of the tokens behind the first: the prompt, which generate() computes for each answer, does not count. */
static Status add_sampling_row(Bench *bench, Sampler *sampler, Peer *peer, Error *error) {
    Worker together = {peer, bench->clock, {"sample", "64", "8"}, 0.0};
    Worker first = {peer, bench->clock, {"sample", "64", "1"}, 0.0};
    const Measure measures[] = {{.run = sample_together, .argument = sampler},
                                {.run = sample_first, .argument = sampler},
                                measure_worker(&together),
                                measure_worker(&first)};
    MeasureTimes times;
    double ours[MEASURE_ROUNDS], theirs[MEASURE_ROUNDS], ratios[MEASURE_ROUNDS];
    Status status = measure_alternate(measures, 4, bench->clock, bench->seconds, &times, error);
    if (status != STATUS_OK) return status;
    for (size_t r = 0; r < times.rounds; r++) {
        ours[r] = SAMPLER_ANSWERS * (TOGETHER - 1) / (times.seconds[0][r] - times.seconds[1][r]);
        theirs[r] = SAMPLER_ANSWERS * (TOGETHER - 1) / (times.seconds[2][r] - times.seconds[3][r]);
        ratios[r] = ours[r] / theirs[r];
    }
    ReportRow row = {.what = "sampling 64 side by side, W(0.5)",
                     .value = spread_of(ours, times.rounds),
                     .unit = "tokens/s",
                     .limit = spread_of(theirs, times.rounds),
                     .ratio = spread_of(ratios, times.rounds),
                     .aim = 1.5};
    status =
        describe(peer, "transformers", "generate, float32", row.limit_what, sizeof row.limit_what, error);
    return status == STATUS_OK ? report_add(&bench->report, &row, error) : status;
}

Status peers_rollout(Bench *bench, Error *error) {
    Sampler sampler = sampler_create(bench->model, bench->job);
    Peer *peer;
    Status status = open_model(bench, "transformers", "transformers", sampler.ids, &peer, error);
    if (status == STATUS_OK && peer != NULL) status = add_sampling_row(bench, &sampler, peer, error);
    peer_close(peer);
    return status;
}
