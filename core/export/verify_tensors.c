#include "core/export/verify_tensors.h"

#include "core/checkpoint/nonfinite.h"
#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 65536, WIDEST = 8, FORGET_BYTES = 128 << 20 };

/* Where a tensor has its first element of some kind. */
typedef struct Place {
    bool is_found;
    uint64_t element;
    char expected[64], found[64];
} Place;

/* What one tensor's task found. */
typedef struct Outcome {
    const Tensor *tensor; /* in the export; NULL: not there, or of another shape or dtype */
    const PairTensor *source;
    char sum[HASH_HEX_SIZE];
    Place difference, overflow;
    uint64_t nonfinite, nonfinite_new;
    Status status;
} Outcome;

typedef struct Scratch {
    unsigned char *expected; /* TILE elements of the widest type */
    float *values;           /* TILE */
} Scratch;

typedef struct Verification {
    const Checkpoint *export;
    const Pair *pair;
    const Recipe *recipe;
    Job *job;
    VerifyTensors *found;
    FindingList *findings;
    Outcome *outcomes;
    Scratch *scratch; /* one a worker */
    unsigned workers;
    NonfiniteTensors inherited; /* where an input is not finite either, as far as that is known */
    atomic_uint_least64_t done;
    uint64_t total;
} Verification;

/* ---- one tile of one tensor ---- */

typedef struct Piece {
    uint64_t first;
    size_t count;
    const unsigned char *found;
} Piece;

static bool is_nan(DType dtype, const void *element) {
    return dtype_is_float(dtype) && isnan(dtype_widen_one(dtype, element));
}

static void describe_element(DType dtype, const unsigned char *element, char *text, size_t size) {
    int used = dtype_is_float(dtype)
                   ? snprintf(text, size, "%.9g (0x", (double)dtype_widen_one(dtype, element))
                   : snprintf(text, size, "(0x");
    for (size_t i = dtype_size(dtype); i-- > 0 && used > 0 && (size_t)used < size;)
        used += snprintf(text + used, size - (size_t)used, "%02x", element[i]);
    if (used > 0 && (size_t)used < size) (void)snprintf(text + used, size - (size_t)used, ")");
}

/* The first element that differs, where any NaN equals any other. */
static void find_difference(const Piece *piece, DType dtype, const unsigned char *expected, Place *place) {
    size_t size = dtype_size(dtype);
    if (memcmp(expected, piece->found, piece->count * size) == 0) return;
    for (size_t i = 0; i < piece->count && !place->is_found; i++) {
        const unsigned char *wanted = expected + i * size, *found = piece->found + i * size;
        if (memcmp(wanted, found, size) == 0 || (is_nan(dtype, wanted) && is_nan(dtype, found))) continue;
        place->is_found = true;
        place->element = piece->first + i;
        describe_element(dtype, wanted, place->expected, sizeof place->expected);
        describe_element(dtype, found, place->found, sizeof place->found);
    }
}

static bool input_is_finite(const Tensor *input, uint64_t element) {
    if (input == NULL || element >= input->rows * input->columns) return true;
    return !dtype_is_float(input->dtype) || isfinite(tensor_values_at(input, element));
}

static void count_nonfinite(const Piece *piece, Outcome *outcome, float *values) {
    DType dtype = outcome->tensor->dtype;
    if (!dtype_is_float(dtype)) return;
    kernels_get()->widen(dtype, piece->found, piece->count, values);
    for (size_t i = 0; i < piece->count; i++) {
        if (isfinite(values[i])) continue;
        outcome->nonfinite++;
        uint64_t element = piece->first + i;
        const PairTensor *source = outcome->source;
        if (source == NULL || !input_is_finite(source->sft, element) ||
            !input_is_finite(source->base, element))
            continue;
        outcome->nonfinite_new++;
        if (outcome->overflow.is_found) continue;
        outcome->overflow = (Place){.is_found = true, .element = element};
        describe_element(dtype, piece->found + i * dtype_size(dtype), outcome->overflow.found,
                         sizeof outcome->overflow.found);
    }
}

/* ---- one tensor ---- */

static Status check_pieces(Verification *all, Outcome *outcome, Hash *hash, unsigned worker) {
    const Tensor *tensor = outcome->tensor;
    size_t size = dtype_size(tensor->dtype);
    uint64_t elements = tensor->bytes / size;
    const Scratch *scratch = &all->scratch[worker];
    for (uint64_t first = 0; first < elements; first += TILE) {
        size_t count = elements - first < TILE ? (size_t)(elements - first) : TILE;
        Piece piece = {first, count, tensor->data + first * size};
        Status status = hash_add(hash, piece.found, count * size, NULL);
        if (status != STATUS_OK) return status;
        if (outcome->source != NULL && !outcome->difference.is_found) {
            Blend blend = settings_blend(&all->recipe->settings, outcome->source);
            blend_elements_as(&blend, first, count, tensor->dtype, scratch->expected, scratch->values);
            find_difference(&piece, tensor->dtype, scratch->expected, &outcome->difference);
        }
        count_nonfinite(&piece, outcome, scratch->values);
        uint64_t done = atomic_fetch_add(&all->done, count * size) + count * size;
        if (worker == 0 && !job_report(all->job, "verify", done, all->total)) break; /* seen below */
        if (job_is_cancelled(all->job)) break;
    }
    return hash_finish(hash, outcome->sum, NULL);
}

static void check_tensor(void *argument, size_t index, unsigned worker) {
    Verification *all = argument;
    Outcome *outcome = &all->outcomes[index];
    if (outcome->tensor == NULL) return;
    Hash *hash;
    outcome->status = hash_create(&hash, NULL);
    if (outcome->status != STATUS_OK) return;
    outcome->status = check_pieces(all, outcome, hash, worker);
    hash_free(hash);
}

/* ---- what it comes to ---- */

static Status judge_blend(const Outcome *outcome, Verification *all, Error *error) {
    const Tensor *tensor = outcome->tensor;
    const Place *place = outcome->difference.is_found ? &outcome->difference : &outcome->overflow;
    uint64_t row = 0, column = 0;
    if (place->is_found) {
        row = place->element / tensor->columns;
        column = place->element % tensor->columns;
    }
    if (outcome->difference.is_found)
        return finding_add(all->findings, SEVERITY_ERROR, tensor->name, error,
                           "row %" PRIu64 ", column %" PRIu64 ": expected %s, found %s", row, column,
                           place->expected, place->found);
    if (outcome->source != NULL) all->found->blended++;
    if (outcome->nonfinite_new == 0) return STATUS_OK;
    return finding_add(all->findings, SEVERITY_WARNING, tensor->name, error,
                       "%" PRIu64
                       " values are NaN or infinite where neither input is, the first in "
                       "row %" PRIu64 ", column %" PRIu64 ": %s",
                       outcome->nonfinite_new, row, column, place->found);
}

static Status judge(const Outcome *outcome, const RecipeTensor *wanted, Verification *all, Error *error) {
    VerifyTensors *found = all->found;
    if (outcome->tensor == NULL) return STATUS_OK; /* a finding since it was looked up */
    if (outcome->status != STATUS_OK)
        return status_fail(error, outcome->status, "tensor %s: could not be hashed", wanted->name);
    found->bytes += outcome->tensor->bytes;
    found->nonfinite += outcome->nonfinite;
    found->nonfinite_new += outcome->nonfinite_new;
    nonfinite_add(&all->inherited, wanted->name, outcome->nonfinite - outcome->nonfinite_new);
    bool equal = strcmp(outcome->sum, wanted->sha256) == 0;
    found->equal += equal;
    Status status = judge_blend(outcome, all, error);
    if (equal || status != STATUS_OK) return status;
    return finding_add(all->findings, SEVERITY_ERROR, wanted->name, error,
                       "expected the recipe's %s, found %s", wanted->sha256, outcome->sum);
}

static bool has_shape(const Tensor *tensor, const RecipeTensor *wanted) {
    return strcmp(tensor->dtype_name, recipe_dtype_name(wanted)) == 0 && tensor->rank == wanted->rank &&
           memcmp(tensor->shape, wanted->shape, tensor->rank * sizeof *tensor->shape) == 0;
}

/* The tensors of both: of the recipe and of the directory. */
static Status find_tensors(Verification *all, Error *error) {
    const Recipe *recipe = all->recipe;
    size_t found = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < recipe->tensor_count && status == STATUS_OK; i++) {
        const RecipeTensor *wanted = &recipe->tensors[i];
        const Tensor *tensor = checkpoint_find_tensor(all->export, wanted->name);
        found += tensor != NULL;
        if (tensor == NULL) {
            status = finding_add(all->findings, SEVERITY_ERROR, wanted->name, error, "is missing");
        } else if (!has_shape(tensor, wanted)) {
            status = finding_add(all->findings, SEVERITY_ERROR, wanted->name, error,
                                 "expected the recipe's dtype %s and shape, found %s",
                                 recipe_dtype_name(wanted), tensor->dtype_name);
        } else {
            all->outcomes[i].tensor = tensor;
            all->total += tensor->bytes;
            if (all->pair != NULL) all->outcomes[i].source = pair_find_tensor(all->pair, wanted->name);
        }
    }
    if (status == STATUS_OK && found < all->export->tensor_count)
        status = finding_add(all->findings, SEVERITY_ERROR, "weights", error,
                             "%zu tensors are not in the recipe", all->export->tensor_count - found);
    return status;
}

/* Blending again must not read outside what the inputs have, whatever recipe and export say. */
static Status check_sources(Verification *all, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; all->pair != NULL && i < all->recipe->tensor_count && status == STATUS_OK; i++) {
        Outcome *outcome = &all->outcomes[i];
        const PairTensor *source = outcome->source;
        if (outcome->tensor == NULL) continue;
        bool fits = source != NULL && outcome->tensor->rank == source->sft->rank &&
                    memcmp(outcome->tensor->shape, source->sft->shape,
                           source->sft->rank * sizeof *source->sft->shape) == 0 &&
                    (source->is_fused || source->sft->scale != NULL
                         ? dtype_is_writable(outcome->tensor->dtype)
                         : strcmp(outcome->tensor->dtype_name, source->sft->dtype_name) == 0 &&
                               outcome->tensor->bytes == source->sft->bytes);
        if (fits) continue;
        outcome->source = NULL;
        status = finding_add(all->findings, SEVERITY_ERROR, outcome->tensor->name, error,
                             "is no blend of the inputs: they do not have it so");
    }
    return status;
}

static Status make_scratch(Verification *all, Error *error) {
    all->workers = job_threads(all->job);
    all->scratch = memory_allocate(all->workers, sizeof *all->scratch);
    all->outcomes = memory_allocate(all->recipe->tensor_count, sizeof *all->outcomes);
    if (all->scratch == NULL || all->outcomes == NULL) return memory_fail(error, "verification");
    for (unsigned i = 0; i < all->workers; i++) {
        all->scratch[i].expected = memory_allocate_aligned(TILE, WIDEST);
        all->scratch[i].values = memory_allocate_aligned(TILE, sizeof(float));
        if (all->scratch[i].expected == NULL || all->scratch[i].values == NULL)
            return memory_fail(error, "verification");
    }
    return STATUS_OK;
}

static void forget_pages(const Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->file_count; i++) safetensors_forget_pages(checkpoint->files[i]);
}

/* Tensors in groups of some bytes, so that the pages of a group can be given back after it. */
static Status run_groups(Verification *all, Error *error) {
    Outcome *outcomes = all->outcomes;
    Status status = STATUS_OK;
    for (size_t first = 0, count; first < all->recipe->tensor_count && status == STATUS_OK; first += count) {
        uint64_t bytes = 0;
        for (count = 0; first + count < all->recipe->tensor_count && bytes < FORGET_BYTES; count++)
            bytes += outcomes[first + count].tensor != NULL ? outcomes[first + count].tensor->bytes : 0;
        all->outcomes = outcomes + first;
        status = job_run(all->job, count, check_tensor, all, error);
        forget_pages(all->export);
        if (all->pair != NULL) forget_pages(all->pair->base);
        if (all->pair != NULL) forget_pages(all->pair->sft);
    }
    all->outcomes = outcomes;
    return status;
}

Status verify_tensors(const Checkpoint *export, const Pair *pair, const Recipe *recipe, Job *job,
                      VerifyTensors *found, FindingList *findings, Error *error) {
    *found = (VerifyTensors){0};
    Verification all = {
        .export = export, .pair = pair, .recipe = recipe, .job = job, .found = found, .findings = findings};
    Status status = make_scratch(&all, error);
    if (status == STATUS_OK) status = find_tensors(&all, error);
    if (status == STATUS_OK) status = check_sources(&all, error);
    if (status == STATUS_OK && !job_report(job, "verify", 0, all.total)) status = job_cancelled(error);
    if (status == STATUS_OK) status = run_groups(&all, error);
    for (size_t i = 0; i < recipe->tensor_count && status == STATUS_OK; i++)
        status = judge(&all.outcomes[i], &recipe->tensors[i], &all, error);
    if (status == STATUS_OK)
        status = nonfinite_tell(&all.inherited, findings, "weights", pair != NULL ? ", as in the inputs" : "",
                                error);
    buffer_free(&all.inherited.names); /* after a failure it has some */
    for (unsigned i = 0; all.scratch != NULL && i < all.workers; i++) {
        free(all.scratch[i].expected);
        free(all.scratch[i].values);
    }
    free(all.scratch);
    free(all.outcomes);
    return status;
}
