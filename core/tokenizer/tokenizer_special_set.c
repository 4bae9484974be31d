#include "core/tokenizer/tokenizer_special_set.h"

#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>

Status tokenizer_special_set_create(SpecialSet *set, size_t count, Error *error) {
    set->tokens = memory_allocate(count + 1, sizeof *set->tokens);
    if (set->tokens == NULL) return memory_fail(error, "the special tokens");
    return tokenizer_map_create_pieces(&set->contents, count, count, error);
}

void tokenizer_special_set_free(SpecialSet *set) {
    free(set->tokens);
    tokenizer_map_free_pieces(&set->contents);
}

const SpecialToken *tokenizer_special_set_find(const SpecialSet *set, const char *content) {
    if (content[0] == '\0') return NULL;
    int32_t index = tokenizer_map_find_piece(&set->contents, content, strlen(content));
    return index == TOKENIZER_NO_ID ? NULL : &set->tokens[index];
}

Status tokenizer_special_set_put(SpecialSet *set, SpecialToken token, Error *error) {
    size_t bytes = strlen(token.content);
    if (bytes == 0) return STATUS_OK; /* no token: the library passes over it */
    int32_t index = tokenizer_map_find_piece(&set->contents, token.content, bytes);
    if (index != TOKENIZER_NO_ID) {
        set->tokens[index] = token;
        return STATUS_OK;
    }
    set->tokens[set->count] = token;
    return tokenizer_map_add_piece(&set->contents, (int32_t)set->count++, token.content, bytes, error);
}
