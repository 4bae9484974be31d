/* Any bytes as a recipe: refused with a message, or read; and what was read, written and read again gives the
 * same text. */
#include "core/export/recipe.h"
#include "tests/fuzz/memory_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static char *format(const Recipe *recipe) {
    char *text;
    if (recipe_format(recipe, &text, NULL) != STATUS_OK) abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Error error = {0};
    Recipe *recipe, *again;
    Status status = recipe_read(memory_file_put(bytes, count), &recipe, &error);
    if (status != STATUS_OK) {
        if (recipe != NULL || error.message[0] == '\0') abort();
        return 0;
    }
    char *text = format(recipe);
    if (recipe_read(memory_file_put((const uint8_t *)text, strlen(text)), &again, NULL) != STATUS_OK) abort();
    char *text_again = format(again);
    if (strcmp(text, text_again) != 0) abort();
    free(text_again);
    free(text);
    recipe_free(again);
    recipe_free(recipe);
    return 0;
}
