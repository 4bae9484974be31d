#include "core/export/recipe_json.h"

#include "core/files/json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

cJSON *recipe_json_add(cJSON *parent, const char *key, cJSON *node) {
    if (node == NULL) return NULL;
    bool added = key != NULL ? cJSON_AddItemToObject(parent, key, node) : cJSON_AddItemToArray(parent, node);
    if (added) return node;
    cJSON_Delete(node);
    return NULL;
}

cJSON *recipe_json_number(double value) {
    char text[JSON_NUMBER_SIZE];
    (void)json_format_number(value, 1, text); /* any number of digits will do */
    return cJSON_CreateRaw(text);
}

cJSON *recipe_json_count(uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    return cJSON_CreateRaw(text);
}

Status recipe_json_fail(Error *error, const char *path, const char *key, const char *expected) {
    return status_fail(error, STATUS_FORMAT, "%s: \"%s\": expected %s", path, key, expected);
}
