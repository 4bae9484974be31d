/*
 * recipe_settings — "settings" of a recipe: every dial and the set of the reset, written out, so that the bytes can be
 * made again without what they were chosen by. Internal to recipe.c.
 */
#ifndef REJUV_CORE_RECIPE_SETTINGS_H
#define REJUV_CORE_RECIPE_SETTINGS_H

#include "core/fusion/ranking.h"
#include "core/fusion/settings.h"
#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Adds "settings"; false when out of memory. */
bool recipe_settings_add(cJSON *tree, const Settings *settings);

/* Reads "settings" into what is zero. The ranking and the curve they need, if any, become *ranking and *curve, the
 * caller's after an error too; `path` names the recipe in messages. */
Status recipe_settings_read(const cJSON *tree, const char *path, Settings *settings, Ranking **ranking,
                            SettingsCurve **curve, Error *error) STATUS_MUST_CHECK;

#endif
