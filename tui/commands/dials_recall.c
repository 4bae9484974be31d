/*
 * What a session of the terminal program kept on disk of the same pair and rows serves commands too: what was
 * picked by eye need not be measured again to be written. Files are not read only to know their contents, so
 * where no session has, everything is measured.
 */
#include "core/cache/cache_content.h"
#include "core/cache/cache_method.h"
#include "core/files/places.h"
#include "tui/commands/dials.h"

#include <stdlib.h>

static bool knows_contents(Batch *batch, Dials *dials) {
    return cache_content_find(dials->cache, batch->pair->base, dials->origin.base) &&
           cache_content_find(dials->cache, batch->pair->sft, dials->origin.sft);
}

/* Whatever fails here, the answer is to measure. */
static void open_cache(Batch *batch, Dials *dials) {
    if (dials->has_sought_cache || options_has(batch->options, OPTION_NO_CACHE_READ)) return;
    dials->has_sought_cache = true;
    dials->origin = (KeptOrigin){.targets = (size_t)options_value(batch->options, OPTION_TARGETS)->count,
                                 .threads = job_threads(batch->job)};
    char *directory = places_path(PLACE_CACHE, NULL);
    if (directory != NULL && cache_create(directory, 0, &dials->cache, NULL) == STATUS_OK &&
        !knows_contents(batch, dials)) {
        cache_free(dials->cache);
        dials->cache = NULL;
    }
    free(directory);
}

static bool find_entry(Batch *batch, Dials *dials, Kept what, CacheEntry *entry) {
    open_cache(batch, dials);
    if (dials->cache == NULL) return false;
    if (dials->rows != NULL && dials->origin.rows[0] == '\0' &&
        cache_method_hash_rows(dials->rows, dials->calibration->count, dials->origin.rows, NULL) != STATUS_OK)
        return false;
    return kept_find(dials->cache, &dials->origin, what, entry);
}

static CacheMethodShape shape_of(const Batch *batch, const Dials *dials) {
    return (CacheMethodShape){.table = neurons_list(batch->model->config),
                              .heads = batch->model->config->heads,
                              .vocabulary = forward_vocabulary(batch->model),
                              .rows = dials->rows,
                              .row_count = dials->calibration == NULL ? 0 : dials->calibration->count};
}

static bool conclude(Batch *batch, CacheEntry *entry, bool is_sound, const char *what) {
    cache_free_entry(entry);
    if (is_sound) batch_say(batch, "%s as a session kept it: --no-cache measures it again", what);
    return is_sound;
}

bool dials_recall_attribution(Batch *batch, Dials *dials) {
    CacheMethodShape shape = shape_of(batch, dials);
    CacheEntry entry;
    if (!find_entry(batch, dials, KEPT_ATTRIBUTION, &entry)) return false;
    bool is_sound = cache_method_unpack_attribution(&shape, dials->origin.targets, entry.payload, entry.size,
                                                    &dials->attribution);
    return conclude(batch, &entry, is_sound, "attribution");
}

bool dials_recall_dormancy(Batch *batch, Dials *dials, DialsSide side) {
    CacheMethodShape shape = shape_of(batch, dials);
    CacheEntry entry;
    bool is_sft = side == DIALS_SFT;
    if (side == DIALS_FUSED) return false; /* at other dials in every session */
    if (!find_entry(batch, dials, is_sft ? KEPT_DORMANCY_SFT : KEPT_DORMANCY_BASE, &entry)) return false;
    bool is_sound =
        cache_method_unpack_dormancy(&shape, is_sft, entry.payload, entry.size, &dials->dormancy[side]);
    return conclude(batch, &entry, is_sound, is_sft ? "dormancy of SFT" : "dormancy of base");
}

bool dials_recall_drift(Batch *batch, Dials *dials) {
    CacheMethodShape shape = shape_of(batch, dials);
    CacheEntry entry;
    if (!find_entry(batch, dials, KEPT_NEURON_DRIFT, &entry)) return false;
    bool is_sound = cache_method_unpack_drift(&shape, entry.payload, entry.size, &dials->drift);
    return conclude(batch, &entry, is_sound, "drift of neurons");
}
