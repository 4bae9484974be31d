/*
 * recipe_seal — the last member of a recipe, by which its text tells that it is as it was written:
 *
 *     …,
 *     "recipe_sha256": "SHA-256 of all bytes before the comma"
 *     }
 *
 * Sums of inputs and tensors do not cover what stands beside them: a path, a name, a dial. Recipes of older versions, and those
 * that somebody edited and took the member out of, have no seal.
 */
#ifndef REJUV_CORE_RECIPE_SEAL_H
#define REJUV_CORE_RECIPE_SEAL_H

#include "core/files/hash.h"
#include "core/support/status.h"

#define RECIPE_SEAL_NAME "recipe_sha256"

typedef enum RecipeSealState { RECIPE_UNSEALED, RECIPE_SEALED, RECIPE_BROKEN } RecipeSealState;

/* Puts the seal into the text of a recipe, as cJSON_Print() made it: *text is freed and replaced, after a failure too it is the
 * caller's. */
Status recipe_seal(char **text, Error *error) STATUS_MUST_CHECK;

/* What the seal of a recipe's file says. Fails where it cannot be read. */
Status recipe_seal_check(const char *path, RecipeSealState *state, Error *error) STATUS_MUST_CHECK;

#endif
