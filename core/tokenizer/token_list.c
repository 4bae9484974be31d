#include "core/tokenizer/token_list.h"

#include "core/support/memory.h"

#include <stdlib.h>

Status token_list_append(TokenList *list, int32_t id, Error *error) {
    Status status = MEMORY_RESERVE(list->ids, &list->capacity, list->count + 1, error);
    if (status == STATUS_OK) list->ids[list->count++] = id;
    return status;
}

void token_list_free(TokenList *list) {
    free(list->ids);
    *list = (TokenList){0};
}
