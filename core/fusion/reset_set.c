#include "core/fusion/reset_set.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* An array of the block's neurons below the cut, or NULL. */
static cJSON *list_block(const Ranking *ranking, const NeuronBlock *block, uint32_t cut) {
    cJSON *list = cJSON_CreateArray();
    for (uint64_t i = 0; i < block->count && list != NULL; i++) {
        if (ranking->ranks[block->first + i] >= cut) continue;
        cJSON *index = cJSON_CreateNumber((double)i);
        if (index != NULL && cJSON_AddItemToArray(list, index)) continue;
        cJSON_Delete(index);
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

static bool add_block(cJSON *set, const Ranking *ranking, const NeuronBlock *block, uint32_t cut) {
    bool added = true;
    for (size_t i = 0; i < neurons_matrix_count(&ranking->table, block) && added; i++) {
        NeuronBlock matrix = neurons_matrix(&ranking->table, block, i);
        char name[NEURONS_NAME_SIZE];
        if (matrix.count == 0 || ranking_count_block(ranking, &matrix, cut) == 0) continue;
        neurons_name_block(&matrix, name);
        added = json_add(set, name, list_block(ranking, &matrix, cut));
    }
    return added;
}

bool reset_set_add(cJSON *object, const Ranking *ranking, uint32_t cut) {
    if (!json_add_number(object, "neurons", (double)neurons_count(&ranking->table)) ||
        !json_add_number(object, "per_target", cut) ||
        !json_add_number(object, "selected", (double)ranking_count(ranking, cut)))
        return false;
    cJSON *set = cJSON_AddObjectToObject(object, "set");
    bool added = set != NULL;
    for (size_t i = 0; i < neurons_block_count(&ranking->table) && added; i++) {
        NeuronBlock block = neurons_block(&ranking->table, i);
        if (ranking->best[i] < cut) added = add_block(set, ranking, &block, cut);
    }
    return added;
}

/* ---- reading ---- */

static Status read_block(const cJSON *list, const char *path, const NeuronTable *table, uint32_t *ranks,
                         uint64_t *selected, Error *error) {
    NeuronBlock block;
    if (!neurons_read_name(table, list->string, &block) || !cJSON_IsArray(list))
        return status_fail(error, STATUS_FORMAT,
                           "%s: \"set\": expected arrays by LAYER.MODULE, or LAYER.EXPERT.MODULE, of this "
                           "model, found \"%s\"",
                           path, list->string);
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        uint64_t index;
        if (!json_read_count(item, &index) || index >= block.count)
            return status_fail(error, STATUS_FORMAT, "%s: \"%s\": expected whole numbers below %zu", path,
                               list->string, (size_t)block.count);
        if (ranks[block.first + index] == 0)
            return status_fail(error, STATUS_FORMAT, "%s: \"%s\": neuron %zu is there twice", path,
                               list->string, (size_t)index);
        ranks[block.first + index] = 0;
        ++*selected;
    }
    return STATUS_OK;
}

Status reset_set_read(const cJSON *object, const char *path, const NeuronTable *table,
                      const RankingOrigin *origin, Ranking **ranking, Error *error) {
    *ranking = NULL;
    const cJSON *set = json_find(object, "set"), *list;
    if (!cJSON_IsObject(set))
        return status_fail(error, STATUS_FORMAT, "%s: \"set\": expected an object", path);
    Status status = neurons_check(table, error);
    if (status != STATUS_OK) return status_add_context(error, "%s", path);
    size_t neurons = (size_t)neurons_count(table);
    uint32_t *ranks = memory_allocate_aligned(neurons, sizeof *ranks);
    if (ranks == NULL) return memory_fail(error, "a reset set");
    memset(ranks, 0xff, neurons * sizeof *ranks);
    uint64_t selected = 0, stated;
    cJSON_ArrayForEach(list, set) {
        if (status == STATUS_OK) status = read_block(list, path, table, ranks, &selected, error);
    }
    if (status == STATUS_OK &&
        (!json_read_count(json_find(object, "selected"), &stated) || stated != selected))
        status = status_fail(error, STATUS_FORMAT,
                             "%s: \"selected\": expected %zu, as many neurons as \"set\" lists", path,
                             (size_t)selected);
    if (status == STATUS_OK) status = ranking_create(table, origin, ranks, ranking, error);
    free(ranks);
    return status;
}
