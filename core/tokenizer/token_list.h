/*
 * token_list — a growing list of token ids: what a tokenizer makes of a text, and what prompts, rows and pinned
 * tokens are made of. Whoever fills one owns it.
 */
#ifndef REJUV_CORE_TOKEN_LIST_H
#define REJUV_CORE_TOKEN_LIST_H

#include "core/support/status.h"

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise, release with token_list_free(). */
typedef struct TokenList {
    int32_t *ids;
    size_t count, capacity;
} TokenList;

Status token_list_append(TokenList *list, int32_t id, Error *error) STATUS_MUST_CHECK;

/* Frees the ids and empties the list. */
void token_list_free(TokenList *list);

#endif
