/*
 * What a session of the terminal program kept on disk of the same pair and rows serves commands too: what was
 * picked by eye need not be measured again to be written. Files are not read only to know their contents, so
 * where no session has, everything is measured.
 */
#include "core/cache/cache_fingerprint.h"
#include "core/cache/cache_method.h"
#include "core/files/user_directory.h"
#include "tui/commands/batch_method.h"

#include <stdlib.h>

static bool knows_contents(Batch *batch, BatchMethod *method) {
    return cache_fingerprint_find(method->cache, batch->pair->base, method->origin.base) &&
           cache_fingerprint_find(method->cache, batch->pair->sft, method->origin.sft);
}

/* Whatever fails here, the answer is to measure. */
static void open_cache(Batch *batch, BatchMethod *method) {
    if (method->has_sought_cache || options_has(batch->options, OPTION_NO_CACHE_READ)) return;
    method->has_sought_cache = true;
    method->origin = (CacheOrigin){.targets = (size_t)options_value(batch->options, OPTION_TARGETS)->count,
                                   .threads = job_threads(batch->job)};
    char *directory = user_directory_path(USER_DIRECTORY_CACHE, NULL);
    if (directory != NULL && cache_create(directory, 0, &method->cache, NULL) == STATUS_OK &&
        !knows_contents(batch, method)) {
        cache_free(method->cache);
        method->cache = NULL;
    }
    free(directory);
}

static bool take(Batch *batch, BatchMethod *method, CacheAnalysis what, const char *name) {
    const CacheRecall recall = {
        .pair = batch->pair,
        .shape = {.table = neurons_list(batch->model->config),
                  .heads = neurons_most_heads(batch->model->config),
                  .vocabulary = forward_vocabulary(batch->model),
                  .rows = method->rows,
                  .row_count = method->calibration == NULL ? 0 : method->calibration->count},
        .attribution = &method->attribution,
        .neuron_drift = &method->drift,
        .dormancy = {&method->dormancy[SIDE_BASE], &method->dormancy[SIDE_SFT]}};
    open_cache(batch, method);
    if (method->cache == NULL) return false;
    if (method->rows != NULL && method->origin.rows[0] == '\0' &&
        cache_method_hash_rows(method->rows, method->calibration->count, method->origin.rows, NULL) !=
            STATUS_OK)
        return false;
    if (!cache_analysis_recall(method->cache, &method->origin, what, &recall)) return false;
    batch_say(batch, "%s as a session kept it: --no-cache measures it again", name);
    return true;
}

bool batch_method_recall_attribution(Batch *batch, BatchMethod *method) {
    return take(batch, method, CACHE_ANALYSIS_ATTRIBUTION, "attribution");
}

bool batch_method_recall_dormancy(Batch *batch, BatchMethod *method, Side side) {
    if (side == SIDE_FUSED) return false; /* at other dials in every session */
    if (side == SIDE_SFT) return take(batch, method, CACHE_ANALYSIS_DORMANCY_SFT, "dormancy of SFT");
    return take(batch, method, CACHE_ANALYSIS_DORMANCY_BASE, "dormancy of base");
}

bool batch_method_recall_drift(Batch *batch, BatchMethod *method) {
    return take(batch, method, CACHE_ANALYSIS_NEURON_DRIFT, "drift of neurons");
}
