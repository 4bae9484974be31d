/*
 * Whole programs beside other people's, each as a user starts it, its start included: drift, and an export. Both run twice, in
 * turn; what counts is the processor's time, the time that passes, and the most memory, mapped pages included.
 */
#include "core/files/disk.h"
#include "core/support/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer.h"
#include "tests/bench/temporary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 2, WORDS = 20 };

typedef struct Program {
    const char *name;         /* of the package; NULL: this program */
    const char *words[WORDS]; /* where its output goes, then what is run */
    const char *makes;        /* removed before each run; NULL: nothing that would be in the way */
    bool is_left_out;
    char label[36]; /* with its version */
    PeerAnswer rounds[ROUNDS];
} Program;

/* ---- running them ---- */

static Status run_program(Peer *peer, const char *log, Program *program, size_t round, Error *error) {
    const char *order[WORDS + 3] = {"program", program->words[0], log};
    for (size_t i = 1; i < WORDS && program->words[i] != NULL; i++) order[i + 2] = program->words[i];
    Status status = program->makes == NULL ? STATUS_OK : temporary_remove(program->makes, error);
    if (status == STATUS_OK) status = peer_ask(peer, order, &program->rounds[round], error);
    return status;
}

/* What fails of others is left out from then on. */
static Status run_programs(Bench *bench, Peer *peer, Program *programs, size_t count, Error *error) {
    char *log = memory_format("%s/log", bench->temporary);
    if (log == NULL) return memory_fail(error, "a path");
    Status status = STATUS_OK;
    for (size_t i = 0; i < count * (ROUNDS + 1) && status == STATUS_OK; i++) {
        Program *program = &programs[i % count];
        if (program->is_left_out) continue;
        if (i >= count) {
            status = run_program(peer, log, program, i / count - 1, error);
        } else if (program->name != NULL) {
            PeerAnswer version = {0};
            status = peer_tell(peer, "version", program->name, &version, error);
            (void)snprintf(program->label, sizeof program->label, "%.16s %.16s", program->name, version.text);
        }
        if (status == STATUS_OK || program->name == NULL) continue;
        program->is_left_out = peer_is_left_out(bench, program->name, status, error);
        if (program->is_left_out) status = STATUS_OK;
    }
    free(log);
    return status;
}

/* ---- what is said of them ---- */

typedef struct Figure {
    const char *what, *unit;
    int number; /* of PeerAnswer */
    double factor, aim;
} Figure;

static Status add_row(Bench *bench, const Figure *figure, const Program *own, const Program *other,
                      Error *error) {
    if (other->is_left_out) return STATUS_OK;
    double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
    for (size_t r = 0; r < ROUNDS; r++) {
        ours[r] = own->rounds[r].numbers[figure->number] * figure->factor;
        theirs[r] = other->rounds[r].numbers[figure->number] * figure->factor;
        ratios[r] = theirs[r] / ours[r];
    }
    ReportRow row = {.value = spread_of(ours, ROUNDS),
                     .unit = figure->unit,
                     .limit = spread_of(theirs, ROUNDS),
                     .ratio = spread_of(ratios, ROUNDS),
                     .aim = figure->aim,
                     .is_inverse = true};
    (void)snprintf(row.what, sizeof row.what, "%s", figure->what);
    (void)snprintf(row.limit_what, sizeof row.limit_what, "%s (%.4g %s)", other->label, row.limit.median,
                   figure->unit);
    return report_add(&bench->report, &row, error);
}

/* Paths in the temporary directory and in the folder of the peers, freed at once. */
typedef struct Paths {
    char *paths[8];
    size_t count;
} Paths;

static const char *path_in(Paths *paths, const char *directory, const char *name) {
    char *path = memory_format("%s/%s", directory, name);
    paths->paths[paths->count++] = path;
    return path;
}

static Status check_paths(const Paths *paths, Error *error) {
    for (size_t i = 0; i < paths->count; i++) {
        if (paths->paths[i] == NULL) return memory_fail(error, "paths");
    }
    return STATUS_OK;
}

static void free_paths(Paths *paths) {
    for (size_t i = 0; i < paths->count; i++) free(paths->paths[i]);
}

/* ---- drift ---- */

/* Of the matrices of one layer, beside numpy's singular values in float64. */
static Status add_spectrum_errors(Bench *bench, Peer *peer, const char *own, const char *theirs,
                                  const Program *other, Error *error) {
    static const char *const WHAT[] = {"effective rank of a layer's matrices, worst error",
                                       "largest singular value of the same, worst error"};
    PeerAnswer answer;
    Status status = peer_ask(peer,
                             (const char *const[]){"spectra", bench->pair->base->directory,
                                                   bench->pair->sft->directory, "0", own, theirs, NULL},
                             &answer, error);
    if (peer_is_left_out(bench, "errors of singular values", status, error)) return STATUS_OK;
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        const double *seen = answer.numbers + 2 * i;
        ReportRow row = {.value = spread_of_one(seen[0]),
                         .unit = "of it",
                         .limit = spread_of_one(seen[1]),
                         .ratio = spread_of_one(seen[1] / seen[0]),
                         .aim = 1.0,
                         .is_inverse = true};
        (void)snprintf(row.what, sizeof row.what, "%s", WHAT[i]);
        (void)snprintf(row.limit_what, sizeof row.limit_what, "%s (%.2g)", other->label, seen[1]);
        status = report_add(&bench->report, &row, error);
    }
    return status;
}

static Status compare_drift(Bench *bench, Peer *peer, Error *error) {
    enum { DRIFT, SPECTRUM, MODELDELTA, MERGELENS, COUNT };
    const char *base = bench->pair->base->directory, *sft = bench->pair->sft->directory;
    char threads[16];
    Paths paths = {0};
    (void)snprintf(threads, sizeof threads, "%u", bench->threads);
    const char *own = path_in(&paths, bench->temporary, "spectrum.json");
    const char *theirs = path_in(&paths, bench->temporary, "modeldelta.json");
    const char *modeldelta = path_in(&paths, bench->peers, "bin/modeldelta");
    const char *mergelens = path_in(&paths, bench->peers, "bin/mergelens");
    const char *json = path_in(&paths, bench->temporary, "mergelens.json");
    Program programs[COUNT] = {
        [DRIFT] = {.words = {"/dev/null", REJUV_PROGRAM, "drift", base, sft, "--json", "-q", "-j", threads}},
        [SPECTRUM] = {.words = {own, REJUV_PROGRAM, "drift", base, sft, "--spectrum", "--json", "-q", "-j",
                                threads}},
        [MODELDELTA] = {.name = "modeldelta", .words = {"/dev/null", modeldelta, base, sft, "-o", theirs}},
        [MERGELENS] = {.name = "mergelens",
                       .words = {"/dev/null", mergelens, "compare", base, sft, "--json", json}},
    };
    static const struct {
        Figure figure;
        int own, other;
    } ROWS[] = {
        {{"drift of all tensors, processor time", "s", PEER_PROCESSOR, 1.0, 300.0}, DRIFT, MODELDELTA},
        {{"drift of all tensors, processor time", "s", PEER_PROCESSOR, 1.0, 300.0}, DRIFT, MERGELENS},
        {{"drift with --spectrum, processor time", "s", PEER_PROCESSOR, 1.0, 20.0}, SPECTRUM, MODELDELTA},
        {{"drift of all tensors, memory", "MiB", PEER_MEMORY, 0x1p-20, 0.0}, DRIFT, MODELDELTA},
    };
    Status status = check_paths(&paths, error);
    if (status == STATUS_OK) status = run_programs(bench, peer, programs, COUNT, error);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS && status == STATUS_OK; i++)
        status = add_row(bench, &ROWS[i].figure, &programs[ROWS[i].own], &programs[ROWS[i].other], error);
    if (status == STATUS_OK && !programs[MODELDELTA].is_left_out)
        status = add_spectrum_errors(bench, peer, own, theirs, &programs[MODELDELTA], error);
    free_paths(&paths);
    return status;
}

Status peers_drift(Bench *bench, Error *error) {
    Peer *peer;
    Status status = peer_open(bench->peers, bench->threads, &peer, error);
    if (peer_is_left_out(bench, "modeldelta and mergelens", status, error)) return STATUS_OK;
    if (status == STATUS_OK) status = compare_drift(bench, peer, error);
    peer_close(peer);
    return status;
}

/* ---- export ---- */

/* Both blend in float32 and round to what the SFT model has. */
static Status write_recipe(const Bench *bench, const char *path, Error *error) {
    const Checkpoint *base = bench->pair->base, *sft = bench->pair->sft;
    char *text = memory_format(
        "merge_method: linear\nbase_model: %s\nmodels:\n"
        "  - {model: %s, parameters: {weight: 0.5}}\n"
        "  - {model: %s, parameters: {weight: 0.5}}\n"
        "dtype: float32\nout_dtype: bfloat16\n",
        sft->directory, sft->directory, base->directory);
    if (text == NULL) return memory_fail(error, "a recipe");
    Status status = disk_write_file(AT_FDCWD, path, text, strlen(text), path, error);
    free(text);
    return status;
}

static Status compare_export(Bench *bench, Peer *peer, Error *error) {
    enum { EXPORT, MERGEKIT, COUNT };
    static const Figure FIGURES[] = {
        {"export of W(0.5), verified, time that passes", "s", PEER_WALL, 1.0, 8.0},
        {"export of W(0.5), verified, processor time", "s", PEER_PROCESSOR, 1.0, 8.0},
        {"export of W(0.5), verified, memory", "MiB", PEER_MEMORY, 0x1p-20, 20.0},
    };
    char threads[16];
    Paths paths = {0};
    (void)snprintf(threads, sizeof threads, "%u", bench->threads);
    const char *out = path_in(&paths, bench->temporary, "export");
    const char *other = path_in(&paths, bench->temporary, "mergekit");
    const char *recipe = path_in(&paths, bench->temporary, "mergekit.yml");
    const char *mergekit = path_in(&paths, bench->peers, "bin/mergekit-yaml");
    Program programs[COUNT] = {
        [EXPORT] = {.words = {"/dev/null", REJUV_PROGRAM, "export", bench->pair->base->directory,
                              bench->pair->sft->directory, "--alpha", "0.5", "--out", out, "-q", "-j",
                              threads},
                    .makes = out},
        [MERGEKIT] = {.name = "mergekit",
                      .words = {"/dev/null", mergekit, recipe, other, "--no-copy-tokenizer", "--quiet"},
                      .makes = other},
    };
    Status status = check_paths(&paths, error);
    if (status == STATUS_OK) status = write_recipe(bench, recipe, error);
    if (status == STATUS_OK) status = run_programs(bench, peer, programs, COUNT, error);
    for (size_t i = 0; i < sizeof FIGURES / sizeof *FIGURES && status == STATUS_OK; i++)
        status = add_row(bench, &FIGURES[i], &programs[EXPORT], &programs[MERGEKIT], error);
    free_paths(&paths);
    return status;
}

Status peers_export(Bench *bench, Error *error) {
    Peer *peer;
    Status status = peer_open(bench->peers, bench->threads, &peer, error);
    if (peer_is_left_out(bench, "mergekit", status, error)) return STATUS_OK;
    if (status == STATUS_OK) status = compare_export(bench, peer, error);
    peer_close(peer);
    return status;
}
