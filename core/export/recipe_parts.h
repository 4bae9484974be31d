/*
 * recipe_parts — what core/export/recipe.c and core/export/recipe_settings.c share; nothing outside them includes this.
 */
#ifndef REJUV_CORE_RECIPE_PARTS_H
#define REJUV_CORE_RECIPE_PARTS_H

#include "core/export/recipe.h"
#include "core/files/json.h"

/* A node that was attached to `parent` (under `key`, or to an array where that is NULL), or NULL. */
cJSON *recipe_add_node(cJSON *parent, const char *key, cJSON *node);

/* Numbers of which every bit counts: cJSON prints fifteen digits where that comes close. */
cJSON *recipe_new_number(double value);
cJSON *recipe_new_count(uint64_t value);

/* STATUS_FORMAT: PATH: "KEY": expected EXPECTED */
Status recipe_fail_key(Error *error, const char *path, const char *key, const char *expected);

/* ---- recipe_settings.c ---- */

/* Adds "settings"; false when out of memory. */
bool recipe_add_settings(cJSON *tree, const Settings *settings);

/* Reads "settings"; the ranking they need, if any, becomes recipe->ranking. */
Status recipe_read_settings(const cJSON *tree, const char *path, Recipe *recipe,
                            Error *error) STATUS_MUST_CHECK;

#endif
