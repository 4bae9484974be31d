/*
 * recipe_json — the nodes of which a recipe's JSON is made: numbers of which every bit counts, and the one way to say
 * what a recipe should have had. Internal to recipe.c and recipe_settings.c.
 */
#ifndef REJUV_CORE_RECIPE_JSON_H
#define REJUV_CORE_RECIPE_JSON_H

#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* A node that was attached to `parent` (under `key`, or to an array where that is NULL), or NULL. */
cJSON *recipe_json_add(cJSON *parent, const char *key, cJSON *node);

/* Numbers of which every bit counts: cJSON prints fifteen digits where that comes close. */
cJSON *recipe_json_number(double value);
cJSON *recipe_json_count(uint64_t value);

/* STATUS_FORMAT: PATH: "KEY": expected EXPECTED */
Status recipe_json_fail(Error *error, const char *path, const char *key, const char *expected);

#endif
