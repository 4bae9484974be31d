#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is Zamba 2's own: a block that layers have in common. */

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

/* The numbers of hybrid layers, which adapters are counted by, where they are stated too. */
static bool lists_hybrids(const ConfigReader *reader) {
    const cJSON *types = config_find(reader, "layer_types"), *type,
                *ids = json_find_any(reader->json, "hybrid_layer_ids"), *id = ids != NULL ? ids->child : NULL;
    uint64_t layer = 0, stated;
    if (ids == NULL) return true;
    cJSON_ArrayForEach(type, types) {
        bool is_hybrid = cJSON_IsString(type) && strcmp(type->valuestring, "hybrid") == 0;
        if (is_hybrid && (!json_read_count(id, &stated) || stated != layer)) return false;
        if (is_hybrid) id = id->next;
        layer++;
    }
    return id == NULL && cJSON_IsArray(ids);
}

Status config_prepare_zamba2(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char WIDTH[] = "intermediate_size", BOTH[] = "attention_hidden_size";
    const char *from;
    const cJSON *width = config_find(reader, WIDTH), *both = json_find_any(reader->json, BOTH);
    uint64_t stated = 2 * config->hidden_size;
    config->has_common = true;
    config->intermediate_size = 4 * config->hidden_size;
    Status status = STATUS_OK;
    if (config_is_truthy(width))
        status = config_read_size(reader, WIDTH, 0, &config->intermediate_size, &from, error);
    if (status == STATUS_OK)
        status = config_read_size(reader, "num_mem_blocks", 0, &config->common_blocks, &from, error);
    if (status == STATUS_OK)
        status = config_read_size(reader, "adapter_rank", 0, &config->common_rank, &from, error);
    if (status != STATUS_OK) return status;
    config->attention_scale = 1.0 / sqrt((double)config->head_dim / 2.0);
    if (both != NULL && (!json_read_count(both, &stated) || stated != 2 * config->hidden_size))
        return refuse(reader, BOTH, "twice hidden_size", error);
    if (config->heads * config->head_dim != 2 * config->hidden_size)
        return refuse(reader, "attention_head_dim", "heads of twice hidden_size", error);
    return lists_hybrids(reader) ? STATUS_OK
                                 : refuse(reader, "hybrid_layer_ids", "the layers that are hybrid", error);
}
