#include "core/export/verify_tensors.h"

#include "core/checkpoint/nonfinite.h"
#include "core/checkpoint/tensor_pages.h"
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

enum { TILE = 65536, WIDEST = 8, FORGET_TILES = 64 };

/* Where a tensor has its first element of some kind. */
typedef struct Place {
    bool is_found;
    uint64_t element;
    char expected[64], found[64];
} Place;

/* What one tensor's task found: to be shared among ranks as it is. */
typedef struct Found {
    char sum[HASH_HEX_SIZE];
    Place difference, overflow;
    uint64_t nonfinite, nonfinite_new;
    bool is_made;  /* it has the tag of what was blended */
    uint64_t done; /* bytes of it, as progress counts them */
    Status status;
} Found;

typedef struct Outcome {
    const Tensor *tensor; /* in the export; NULL: not there, or of another shape or dtype */
    const PairTensor *source;
    Found *found;
} Outcome;

typedef struct Scratch {
    unsigned char *expected; /* TILE elements of the widest type */
    float *values;           /* TILE */
} Scratch;

typedef struct Verification {
    const Checkpoint *export;
    const Pair *pair;
    const Recipe *recipe;
    const ExportPlan *made; /* NULL: nothing is known of how the export was made */
    Job *job;
    VerifyTensors *found;
    FindingList *findings;
    Ranks *ranks;
    Outcome *outcomes;
    Found *facts;     /* of each outcome */
    size_t *order;    /* of the tasks: the largest first, so that none is left to one thread at the end */
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
    if (!dtype_is_float(dtype) || dtype_count_nonfinite(dtype, piece->found, piece->count) == 0) return;
    kernels_get()->widen(dtype, piece->found, piece->count, values);
    for (size_t i = 0; i < piece->count; i++) {
        if (isfinite(values[i])) continue;
        outcome->found->nonfinite++;
        uint64_t element = piece->first + i;
        const PairTensor *source = outcome->source;
        if (source == NULL || !input_is_finite(source->sft, element) ||
            !input_is_finite(source->base, element))
            continue;
        outcome->found->nonfinite_new++;
        if (outcome->found->overflow.is_found) continue;
        outcome->found->overflow = (Place){.is_found = true, .element = element};
        describe_element(dtype, piece->found + i * dtype_size(dtype), outcome->found->overflow.found,
                         sizeof outcome->found->overflow.found);
    }
}

/* ---- one tensor ---- */

/* Worker 0 reports; the answer is seen where the job is asked. */
static void count_bytes(Verification *all, Outcome *outcome, uint64_t bytes, unsigned worker) {
    outcome->found->done += bytes;
    uint64_t done = atomic_fetch_add(&all->done, bytes) + bytes;
    if (worker == 0) (void)job_report(all->job, "verify", done, all->total);
}

static void forget_pages(const Verification *all, const Outcome *outcome, uint64_t first, uint64_t count) {
    tensor_pages_forget(all->export, outcome->tensor, first, count);
    if (outcome->source != NULL) tensor_pages_forget_both(all->pair, outcome->source, first, count);
}

static void check_blend(const Verification *all, Outcome *outcome, const Piece *piece,
                        const Scratch *scratch) {
    if (outcome->source != NULL && !outcome->found->difference.is_found) {
        Blend blend = settings_blend(&all->recipe->settings, outcome->source);
        blend_elements_as(&blend, piece->first, piece->count, outcome->tensor->dtype, scratch->expected,
                          scratch->values);
        find_difference(piece, outcome->tensor->dtype, scratch->expected, &outcome->found->difference);
    }
    count_nonfinite(piece, outcome, scratch->values);
}

/* One of the two is running. */
typedef struct Sums {
    Hash *hash;         /* over bytes that are blended again */
    UniversalHash *tag; /* over bytes that only have to be the ones that were made */
} Sums;

static Status add_piece(const Sums *sums, const unsigned char *bytes, size_t size) {
    return sums->tag != NULL ? universal_hash_add(sums->tag, bytes, size, NULL)
                             : hash_add(sums->hash, bytes, size, NULL);
}

static Status check_pieces(Verification *all, Outcome *outcome, const Sums *sums, unsigned worker) {
    const Tensor *tensor = outcome->tensor;
    size_t size = dtype_size(tensor->dtype);
    uint64_t elements = tensor->bytes / size, forgotten = 0;
    for (uint64_t first = 0; first < elements && !job_is_cancelled(all->job); first += TILE) {
        size_t count = elements - first < TILE ? (size_t)(elements - first) : TILE;
        Piece piece = {first, count, tensor->data + first * size};
        Status status = add_piece(sums, piece.found, count * size);
        if (status != STATUS_OK) return status;
        if (sums->tag == NULL) check_blend(all, outcome, &piece, &all->scratch[worker]);
        if ((first / TILE + 1) % FORGET_TILES == 0 || first + count == elements) {
            forget_pages(all, outcome, forgotten, first + count - forgotten);
            forgotten = first + count;
        }
        count_bytes(all, outcome, count * size, worker);
    }
    return STATUS_OK;
}

static Status check_blended(Verification *all, Outcome *outcome, unsigned worker) {
    Sums sums = {0};
    Status status = hash_create(&sums.hash, NULL);
    if (status == STATUS_OK) status = check_pieces(all, outcome, &sums, worker);
    if (status == STATUS_OK) status = hash_finish(sums.hash, outcome->found->sum, NULL);
    hash_free(sums.hash);
    return status;
}

/* Whether this process blended and wrote it, and nothing has to be said of its values. */
static bool is_made_here(const Verification *all, size_t index) {
    const ExportPlan *made = all->made;
    return made != NULL && all->outcomes[index].source != NULL && index >= made->first_written &&
           index < made->recipe->tensor_count &&
           strcmp(made->recipe->tensors[index].name, all->recipe->tensors[index].name) == 0 &&
           atomic_load(&made->tensors[index].nonfinite) == 0;
}

/* Bytes with the tag of what was blended are what was blended, and have its sum; any others are looked at element by
 * element. */
static Status check_made(Verification *all, size_t index, unsigned worker) {
    Outcome *outcome = &all->outcomes[index];
    unsigned char tag[UNIVERSAL_HASH_SIZE];
    Sums sums = {0};
    Status status = universal_hash_create(&sums.tag, NULL);
    if (status == STATUS_OK) status = check_pieces(all, outcome, &sums, worker);
    if (status == STATUS_OK) status = universal_hash_finish(sums.tag, tag, NULL);
    universal_hash_free(sums.tag);
    outcome->found->is_made =
        status == STATUS_OK && memcmp(tag, all->made->tensors[index].tag, sizeof tag) == 0;
    if (outcome->found->is_made) {
        memcpy(outcome->found->sum, all->made->recipe->tensors[index].sha256, HASH_HEX_SIZE);
        return STATUS_OK;
    }
    (void)atomic_fetch_sub(&all->done, outcome->found->done);
    outcome->found->done = 0;
    return status;
}

static void check_tensor(void *argument, size_t task, unsigned worker) {
    Verification *all = argument;
    size_t index = all->order[task];
    Outcome *outcome = &all->outcomes[index];
    if (outcome->tensor == NULL) return;
    if (is_made_here(all, index)) outcome->found->status = check_made(all, index, worker);
    if (outcome->found->status == STATUS_OK && !outcome->found->is_made)
        outcome->found->status = check_blended(all, outcome, worker);
}

/* ---- what it comes to ---- */

static Status judge_blend(const Outcome *outcome, Verification *all, Error *error) {
    const Tensor *tensor = outcome->tensor;
    const Place *place =
        outcome->found->difference.is_found ? &outcome->found->difference : &outcome->found->overflow;
    uint64_t row = 0, column = 0;
    if (place->is_found) {
        row = place->element / tensor->columns;
        column = place->element % tensor->columns;
    }
    if (outcome->found->difference.is_found)
        return finding_add(all->findings, SEVERITY_ERROR, tensor->name, error,
                           "row %" PRIu64 ", column %" PRIu64 ": expected %s, found %s", row, column,
                           place->expected, place->found);
    if (outcome->source != NULL) all->found->blended++;
    if (outcome->found->nonfinite_new == 0) return STATUS_OK;
    return finding_add(all->findings, SEVERITY_WARNING, tensor->name, error,
                       "%" PRIu64
                       " values are NaN or infinite where neither input is, the first in "
                       "row %" PRIu64 ", column %" PRIu64 ": %s",
                       outcome->found->nonfinite_new, row, column, place->found);
}

static Status judge(const Outcome *outcome, const RecipeTensor *wanted, Verification *all, Error *error) {
    VerifyTensors *found = all->found;
    if (outcome->tensor == NULL) return STATUS_OK; /* a finding since it was looked up */
    if (outcome->found->status != STATUS_OK)
        return status_fail(error, outcome->found->status, "tensor %s: could not be hashed", wanted->name);
    found->bytes += outcome->tensor->bytes;
    found->nonfinite += outcome->found->nonfinite;
    found->nonfinite_new += outcome->found->nonfinite_new;
    nonfinite_add(&all->inherited, wanted->name, outcome->found->nonfinite - outcome->found->nonfinite_new);
    bool equal = strcmp(outcome->found->sum, wanted->sha256) == 0;
    found->equal += equal;
    found->made += outcome->found->is_made;
    Status status = judge_blend(outcome, all, error);
    if (equal || status != STATUS_OK) return status;
    return finding_add(all->findings, SEVERITY_ERROR, wanted->name, error,
                       "expected the recipe's %s, found %s", wanted->sha256, outcome->found->sum);
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
    all->facts = memory_allocate(all->recipe->tensor_count, sizeof *all->facts);
    all->order = memory_allocate(all->recipe->tensor_count, sizeof *all->order);
    if (all->scratch == NULL || all->outcomes == NULL || all->facts == NULL || all->order == NULL)
        return memory_fail(error, "verification");
    for (size_t i = 0; i < all->recipe->tensor_count; i++) all->outcomes[i].found = &all->facts[i];
    for (unsigned i = 0; i < all->workers; i++) {
        all->scratch[i].expected = memory_allocate_aligned(TILE, WIDEST);
        all->scratch[i].values = memory_allocate_aligned(TILE, sizeof(float));
        if (all->scratch[i].expected == NULL || all->scratch[i].values == NULL)
            return memory_fail(error, "verification");
    }
    return STATUS_OK;
}

/* ---- all of them ---- */

static uint64_t bytes_of(const Verification *all, size_t index) {
    return all->outcomes[index].tensor == NULL ? 0 : all->outcomes[index].tensor->bytes;
}

static int larger_first(const void *a, const void *b, void *verification) {
    size_t first = *(const size_t *)a, second = *(const size_t *)b;
    uint64_t one = bytes_of(verification, first), other = bytes_of(verification, second);
    if (one != other) return one > other ? -1 : 1;
    return (first > second) - (first < second);
}

/* Those from `begin` to `end`. */
static Status run_tasks(Verification *all, size_t begin, size_t end, Error *error) {
    size_t count = end - begin;
    for (size_t i = 0; i < count; i++) {
        all->order[i] = begin + i;
        all->total += bytes_of(all, begin + i);
    }
    if (count > 0) qsort_r(all->order, count, sizeof *all->order, larger_first, all);
    if (!job_report(all->job, "verify", 0, all->total)) return job_cancelled(error);
    return job_run(all->job, count, check_tensor, all, error);
}

/* Each rank reads its own; what it found goes to all. */
static Status run_shares(Verification *all, Error *error) {
    size_t *firsts, count = all->recipe->tensor_count, own = ranks_own(all->ranks);
    uint64_t *weights = memory_allocate(count > 0 ? count : 1, sizeof *weights);
    if (weights == NULL) return memory_fail(error, "verification");
    for (size_t i = 0; i < count; i++) weights[i] = bytes_of(all, i);
    Status status = ranks_deal(all->ranks, weights, count, &firsts, error);
    if (status == STATUS_OK) {
        status = run_tasks(all, firsts[own], firsts[own + 1], error);
        status = ranks_share(all->ranks, status, all->facts, sizeof *all->facts, firsts, error);
        free(firsts);
    }
    free(weights);
    return status;
}

Status verify_tensors(const Checkpoint *export, const Pair *pair, const Recipe *recipe,
                      const VerifyOptions *options, Job *job, VerifyTensors *found, FindingList *findings,
                      Error *error) {
    *found = (VerifyTensors){0};
    Verification all = {.export = export,
                        .pair = pair,
                        .recipe = recipe,
                        .made = options->made,
                        .ranks = options->ranks,
                        .job = job,
                        .found = found,
                        .findings = findings};
    Status status = make_scratch(&all, error);
    if (status == STATUS_OK) status = find_tensors(&all, error);
    if (status == STATUS_OK) status = check_sources(&all, error);
    if (status == STATUS_OK) status = run_shares(&all, error);
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
    free(all.facts);
    free(all.order);
    return status;
}
