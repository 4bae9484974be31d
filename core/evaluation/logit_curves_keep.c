#include "core/evaluation/logit_curves_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

/* Where a token has no probability, or all others together have none: e to it counts for no figure. */
static const float LEAST_LOG = -100.0F;

/* ---- room ---- */

/* SIZE_MAX where that overflows. */
static size_t position_bytes(size_t count, size_t tokens) {
    return count * (tokens + CURVE_EXTRA) * sizeof(float) + tokens * sizeof(int32_t) + sizeof(CurvePosition) +
           sizeof(LogitErrors);
}

size_t logit_curves_bytes(const LogitCurves *curves) {
    return sizeof *curves + curves->positions * position_bytes(curves->count, curves->tokens);
}

/* As many tokens of each position as there is memory for; 0: too few. */
static size_t find_tokens(size_t count, size_t positions, size_t vocabulary) {
    size_t most = vocabulary < LOGIT_CURVES_TOKENS ? vocabulary : LOGIT_CURVES_TOKENS;
    size_t least = vocabulary < LOGIT_CURVES_FEWEST ? vocabulary : LOGIT_CURVES_FEWEST, tokens = most;
    size_t allowed = positions > 0 ? LOGIT_CURVES_BYTES / positions : LOGIT_CURVES_BYTES;
    while (tokens >= least && position_bytes(count, tokens) > allowed) tokens--;
    return tokens < least ? 0 : tokens;
}

static Status reserve(LogitCurves *made, Error *error) {
    made->ids = memory_allocate(made->positions, made->tokens * sizeof *made->ids);
    made->values = memory_allocate(made->positions, made->count * made->width * sizeof *made->values);
    made->facts = memory_allocate(made->positions, sizeof *made->facts);
    made->errors = memory_allocate(made->positions, sizeof *made->errors);
    bool is_complete =
        made->ids != NULL && made->values != NULL && made->facts != NULL && made->errors != NULL;
    return is_complete ? STATUS_OK : memory_fail(error, "curves over α");
}

Status logit_curves_create(const Settings *settings, size_t count, size_t positions, size_t vocabulary,
                           size_t top_count, LogitCurves **curves, Error *error) {
    *curves = NULL;
    if (count < 4 || count > CHEBYSHEV_MOST)
        return status_fail(error, STATUS_ARGUMENT, "curves over α need 4 to %d points, found %zu",
                           CHEBYSHEV_MOST, count);
    size_t tokens = find_tokens(count, positions, vocabulary);
    if (tokens == 0) return STATUS_OK;
    LogitCurves *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "curves over α");
    made->settings = settings[0];
    made->count = count;
    for (size_t i = 0; i < count; i++) made->points[i] = settings[i].alpha;
    made->tokens = tokens;
    made->top_count = top_count < tokens ? top_count : tokens;
    made->has_rest = tokens < vocabulary;
    made->positions = positions;
    made->width = tokens + CURVE_EXTRA;
    Status status = reserve(made, error);
    if (status == STATUS_OK)
        *curves = made;
    else
        logit_curves_free(made);
    return status;
}

void logit_curves_free(LogitCurves *curves) {
    if (curves == NULL) return;
    free(curves->ids);
    free(curves->values);
    free(curves->facts);
    free(curves->errors);
    free(curves);
}

/* ---- which tokens ---- */

static void raise(float *highest, const float *logits, double log_normalizer, size_t vocabulary) {
    float shift = (float)log_normalizer;
    for (size_t i = 0; i < vocabulary; i++) {
        float log_probability = logits[i] - shift;
        if (log_probability > highest[i]) highest[i] = log_probability;
    }
}

static int compare_ids(const void *a, const void *b) {
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    return (first > second) - (first < second);
}

static void choose_tokens(const LogitCurves *curves, const CurveRow *row,
                          const DistributionPosition *described, int32_t *ids) {
    DistributionToken top[LOGIT_CURVES_TOKENS];
    size_t count = curves->tokens;
    for (size_t i = 0; i < row->vocabulary; i++) row->scratch[i] = -INFINITY;
    raise(row->scratch, row->base->logits, row->base->log_normalizer, row->vocabulary);
    raise(row->scratch, row->sft->logits, row->sft->log_normalizer, row->vocabulary);
    for (size_t i = 0; i < row->count; i++)
        raise(row->scratch, row->logits + i * row->stride, described[i].log_normalizer, row->vocabulary);
    distribution_find_top(row->scratch, row->vocabulary, 0.0, top, count);
    bool has_next = row->next < 0;
    for (size_t i = 0; i < count; i++) {
        ids[i] = top[i].id;
        has_next = has_next || ids[i] == row->next;
    }
    if (!has_next) ids[count - 1] = row->next;
    qsort(ids, count, sizeof *ids, compare_ids);
}

static CurvePosition find_facts(const LogitCurves *curves, const CurveRow *row, const int32_t *ids) {
    CurvePosition facts = {.next = row->next,
                           .base_top = row->base->top,
                           .sft_top = row->sft->top,
                           .base_next = row->base->next_probability};
    for (size_t i = 0; i < curves->tokens; i++)
        if (ids[i] == row->next) facts.next_slot = i;
    return facts;
}

/* ---- what they come to ---- */

typedef struct Rest {
    double mass, weighted; /* Σ p, Σ p ln p */
} Rest;

static void add_stretch(const float *logits, size_t first, size_t end, float shift, Rest *rest) {
    for (size_t i = first; i < end; i++) {
        float log_probability = logits[i] - shift, p = expf(log_probability);
        if (p == 0.0F) continue; /* 0 · −∞ is 0 here */
        rest->mass += (double)p;
        rest->weighted += (double)p * (double)log_probability;
    }
}

/* Of all tokens but those, whose ids rise. */
static Rest add_rest(const float *logits, size_t vocabulary, float shift, const int32_t *ids, size_t count) {
    Rest rest = {0};
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        add_stretch(logits, first, (size_t)ids[i], shift, &rest);
        first = (size_t)ids[i] + 1;
    }
    add_stretch(logits, first, vocabulary, shift, &rest);
    return rest;
}

/* A NaN stays one. */
static float bound_log(double value) {
    return value < (double)LEAST_LOG ? LEAST_LOG : (float)value;
}

static void keep_point(const LogitCurves *curves, const float *logits, size_t vocabulary, const int32_t *ids,
                       const DistributionPosition *described, float *values) {
    float *extra = values + curves->tokens;
    for (size_t i = 0; i < curves->tokens; i++)
        values[i] = bound_log((double)logits[ids[i]] - described->log_normalizer);
    Rest rest = {0};
    if (curves->has_rest)
        rest = add_rest(logits, vocabulary, (float)described->log_normalizer, ids, curves->tokens);
    extra[CURVE_REST] = rest.mass == 0.0 ? LEAST_LOG : bound_log(log(rest.mass));
    extra[CURVE_REST_MEAN] = rest.mass == 0.0 ? LEAST_LOG : bound_log(rest.weighted / rest.mass);
    extra[CURVE_KL_BASE] = (float)described->kl_base;
    extra[CURVE_KL_SFT] = (float)described->kl_sft;
}

void logit_curves_keep(LogitCurves *curves, const CurveRow *row, const DistributionPosition *described) {
    int32_t *ids = curves->ids + row->position * curves->tokens;
    if (row->first == 0) {
        choose_tokens(curves, row, described, ids);
        curves->facts[row->position] = find_facts(curves, row, ids);
    }
    for (size_t i = 0; i < row->count; i++) {
        size_t point = row->position * curves->count + row->first + i;
        keep_point(curves, row->logits + i * row->stride, row->vocabulary, ids, &described[i],
                   curves->values + point * curves->width);
    }
}
