#include "core/evaluation/sampling.h"

#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    FIRST_KEPT = 64,
    KEPT_GROWTH = 8,
    PART = 1024, /* logits that are looked at together: a draw goes by whole parts first */
    LANES = 16
};

struct SamplingScratch {
    float *weights; /* [vocabulary]: exp((logit - largest) / temperature) */
    double *sums;   /* of the weights of each part */
    /* [vocabulary]: a heap of the most likely so far, the least of them on top; then their order */
    int32_t *kept;
};

Status sampling_create_scratch(size_t vocabulary, SamplingScratch **scratch, Error *error) {
    *scratch = memory_allocate(1, sizeof **scratch);
    if (*scratch == NULL) return memory_fail(error, "sampling");
    (*scratch)->weights = memory_allocate(vocabulary, sizeof(float));
    (*scratch)->sums = memory_allocate(vocabulary / PART + 1, sizeof(double));
    (*scratch)->kept = memory_allocate(vocabulary, sizeof(int32_t));
    if ((*scratch)->weights != NULL && (*scratch)->sums != NULL && (*scratch)->kept != NULL) return STATUS_OK;
    sampling_free_scratch(*scratch);
    *scratch = NULL;
    return memory_fail(error, "sampling");
}

void sampling_free_scratch(SamplingScratch *scratch) {
    if (scratch == NULL) return;
    free(scratch->weights);
    free(scratch->sums);
    free(scratch->kept);
    free(scratch);
}

static size_t part_length(size_t vocabulary, size_t at) {
    return vocabulary - at < PART ? vocabulary - at : PART;
}

/* Whether all of a part are numbers below +∞. Lanes, so that compilers make vectors of them; here and below. */
static bool is_bounded(const float *logits, size_t count) {
    unsigned strange[LANES] = {0}, any = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (size_t l = 0; l < LANES; l++) strange[l] |= logits[i + l] < INFINITY ? 0U : 1U;
    }
    for (; i < count; i++) any |= logits[i] < INFINITY ? 0U : 1U;
    for (size_t l = 0; l < LANES; l++) any |= strange[l];
    return any == 0;
}

static float find_highest(const float *logits, size_t count) {
    float lanes[LANES], highest = -INFINITY;
    size_t i = 0;
    for (size_t l = 0; l < LANES; l++) lanes[l] = -INFINITY;
    for (; i + LANES <= count; i += LANES) {
        for (size_t l = 0; l < LANES; l++) lanes[l] = logits[i + l] > lanes[l] ? logits[i + l] : lanes[l];
    }
    for (; i < count; i++) highest = logits[i] > highest ? logits[i] : highest;
    for (size_t l = 0; l < LANES; l++) highest = lanes[l] > highest ? lanes[l] : highest;
    return highest;
}

/* The largest of them says nothing where one is not a number, and neither does a draw where it is infinite. */
Status sampling_check(const float *logits, size_t vocabulary, size_t position, Error *error) {
    bool any = false;
    for (size_t at = 0; at < vocabulary; at += PART) {
        size_t count = part_length(vocabulary, at);
        any = any || find_highest(logits + at, count) > -INFINITY;
        if (is_bounded(logits + at, count)) continue;
        size_t i = at;
        while (logits[i] < INFINITY) i++;
        return status_fail(error, STATUS_FORMAT,
                           "%s in the logits of position %zu (token %zu): the weights, or their fusion at "
                           "these dials, are not all finite or overflow",
                           isnan(logits[i]) ? "not a number" : "an infinite value", position, i);
    }
    return any ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "no finite number in the logits of position %zu",
                             position);
}

/* The first of equals. */
static size_t find_largest(const float *logits, size_t vocabulary) {
    float highest = -INFINITY;
    size_t largest = 0;
    for (size_t at = 0; at < vocabulary; at += PART) {
        float here = find_highest(logits + at, part_length(vocabulary, at));
        if (!(here > highest)) continue;
        highest = here;
        largest = at;
    }
    while (logits[largest] < highest) largest++;
    return largest;
}

/* ---- the most likely, in order ---- */

static bool is_before(const float *logits, int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* kept[at] goes down to where no child is less likely. */
static void sift(const float *logits, int32_t *kept, size_t count, size_t at) {
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        for (size_t i = child; i < child + 2 && i < count; i++) {
            if (is_before(logits, kept[least], kept[i])) least = i;
        }
        if (least == at) return;
        int32_t moved = kept[at];
        kept[at] = kept[least];
        kept[least] = moved;
        at = least;
    }
}

/* The `count` most likely tokens, most likely first. */
static void keep_most_likely(const float *logits, size_t vocabulary, size_t count, int32_t *kept) {
    for (size_t i = 0; i < count; i++) kept[i] = (int32_t)i;
    for (size_t i = count / 2; i-- > 0;) sift(logits, kept, count, i);
    for (size_t i = count; i < vocabulary; i++) {
        if (!is_before(logits, (int32_t)i, kept[0])) continue;
        kept[0] = (int32_t)i;
        sift(logits, kept, count, 0);
    }
    for (size_t left = count; left > 1; left--) { /* the least likely goes to the end */
        int32_t least = kept[0];
        kept[0] = kept[left - 1];
        kept[left - 1] = least;
        sift(logits, kept, left - 1, 0);
    }
}

/* ---- drawing ---- */

/* How many of the first `count` kept tokens make up the share `top_p` of `whole`; all where they do not. */
static size_t count_nucleus(const SamplingScratch *scratch, size_t count, double top_p, double whole,
                            double *sum) {
    *sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        *sum += (double)scratch->weights[scratch->kept[i]];
        if (*sum >= top_p * whole) return i + 1;
    }
    return count;
}

static int32_t draw_kept(const float *logits, size_t vocabulary, const Sampling *sampling, double whole,
                         double uniform, SamplingScratch *scratch) {
    size_t most = sampling->top_k > 0 && sampling->top_k < vocabulary ? sampling->top_k : vocabulary;
    double top_p = sampling->top_p > 0.0 && sampling->top_p < 1.0 ? sampling->top_p : INFINITY, sum = 0.0;
    size_t count = most < vocabulary || most < FIRST_KEPT ? most : FIRST_KEPT, kept;
    for (;;) {
        keep_most_likely(logits, vocabulary, count, scratch->kept);
        if (most < vocabulary) {
            whole = 0.0;
            for (size_t i = 0; i < count; i++) whole += (double)scratch->weights[scratch->kept[i]];
        }
        kept = count_nucleus(scratch, count, top_p, whole, &sum);
        if (count == most || sum >= top_p * whole) break;
        count = count < most / KEPT_GROWTH ? count * KEPT_GROWTH : most;
    }
    double left = uniform * sum;
    for (size_t i = 0; i < kept; i++) {
        left -= (double)scratch->weights[scratch->kept[i]];
        if (left < 0.0) return scratch->kept[i];
    }
    return scratch->kept[0]; /* rounding ate the last sliver */
}

/* Of all tokens; `whole` is what the parts' sums add up to. */
static int32_t draw(size_t vocabulary, double whole, double uniform, size_t largest,
                    const SamplingScratch *scratch) {
    double left = uniform * whole;
    for (size_t at = 0; at < vocabulary; at += PART) {
        size_t end = at + part_length(vocabulary, at);
        if (left >= scratch->sums[at / PART]) {
            left -= scratch->sums[at / PART];
            continue;
        }
        for (size_t i = at; i < end; i++) {
            left -= (double)scratch->weights[i];
            if (left < 0.0) return (int32_t)i;
        }
    }
    return (int32_t)largest; /* rounding ate the last sliver */
}

int32_t sampling_choose(const float *logits, size_t vocabulary, const Sampling *sampling, double uniform,
                        SamplingScratch *scratch) {
    size_t largest = find_largest(logits, vocabulary);
    if (sampling->temperature <= 0.0) return (int32_t)largest;
    const float scale = (float)fmin(1.0 / sampling->temperature, (double)FLT_MAX);
    double sum = 0.0;
    for (size_t at = 0; at < vocabulary; at += PART)
        sum += scratch->sums[at / PART] = kernels_get()->exponentials(
            logits + at, part_length(vocabulary, at), logits[largest], scale, scratch->weights + at);
    bool is_cut = (sampling->top_k > 0 && sampling->top_k < vocabulary) ||
                  (sampling->top_p > 0.0 && sampling->top_p < 1.0);
    return is_cut ? draw_kept(logits, vocabulary, sampling, sum, uniform, scratch)
                  : draw(vocabulary, sum, uniform, largest, scratch);
}
