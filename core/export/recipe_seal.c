#include "core/export/recipe_seal.h"

#include "core/export/recipe.h"
#include "core/files/json.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

#define KEY "\"" RECIPE_SEAL_NAME "\":"

static const char BEFORE[] = ",\n\t" KEY "\t\"", AFTER[] = "\"\n}", END[] = "\n}";

Status recipe_seal(char **text, Error *error) {
    size_t length = strlen(*text), end = strlen(END);
    char sum[HASH_HEX_SIZE];
    if (length < end || strcmp(*text + length - end, END) != 0)
        return status_fail(error, STATUS_FORMAT, "a recipe: expected the text of an object");
    Status status = hash_bytes(*text, length - end, sum, error);
    if (status != STATUS_OK) return status;
    (*text)[length - end] = '\0';
    char *sealed = memory_format("%s%s%s%s", *text, BEFORE, sum, AFTER);
    if (sealed == NULL) return memory_fail(error, "a recipe");
    free(*text);
    *text = sealed;
    return STATUS_OK;
}

/* Not one byte may stand between what is sealed and the seal, or behind it. */
static bool is_intact(const char *text, size_t bytes, const char sum[HASH_HEX_SIZE], size_t sealed) {
    size_t digits = HASH_HEX_SIZE - 1;
    const char *seal = text + sealed;
    return bytes - sealed == strlen(BEFORE) + digits + strlen(AFTER) &&
           memcmp(seal, BEFORE, strlen(BEFORE)) == 0 && memcmp(seal + strlen(BEFORE), sum, digits) == 0 &&
           memcmp(seal + strlen(BEFORE) + digits, AFTER, strlen(AFTER)) == 0;
}

Status recipe_seal_check(const char *path, RecipeSealState *state, Error *error) {
    char *text, sum[HASH_HEX_SIZE];
    size_t bytes, length = strlen(BEFORE) + HASH_HEX_SIZE - 1 + strlen(AFTER);
    *state = RECIPE_UNSEALED;
    Status status = json_read_text(path, RECIPE_LIMIT, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    if (memmem(text, bytes, KEY, strlen(KEY)) != NULL) { /* a turned bit may be a NUL */
        size_t sealed = bytes > length ? bytes - length : 0;
        status = hash_bytes(text, sealed, sum, error);
        *state = status == STATUS_OK && is_intact(text, bytes, sum, sealed) ? RECIPE_SEALED : RECIPE_BROKEN;
    }
    free(text);
    return status;
}
