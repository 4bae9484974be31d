/*
 * A tokenizer.json of any bytes: it is refused with a message, or opened; then a short text is encoded by it
 * and decoded again, and every token of it can be looked at.
 */
#include "core/tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Of equal pieces, which a Unigram model may have, one is found. */
static void look_at_token(const Tokenizer *tokenizer, int32_t id) {
    size_t count, found_count;
    char *token;
    const char *piece = tokenizer_piece(tokenizer, id, &count), *found;
    if (piece != NULL) {
        found = tokenizer_piece(tokenizer, tokenizer_find(tokenizer, piece, count), &found_count);
        if (found == NULL || found_count != count || memcmp(found, piece, count) != 0) abort();
    }
    if (piece == NULL || tokenizer_token_bytes(tokenizer, id, &token, &count, NULL) != STATUS_OK) return;
    free(token);
}

static void encode_and_decode(const Tokenizer *tokenizer) {
    static const char TEXT[] = "Hello, w\xc3\xb6rld <s> 12  \n'S \xe6\x97\xa5\xe6\x9c\xac";
    TokenList list = {0};
    Error error = {0};
    char *text = NULL;
    size_t bytes;
    Status status = tokenizer_encode(tokenizer, TEXT, strlen(TEXT), true, &list, &error);
    if (status != STATUS_OK && error.message[0] == '\0') abort();
    for (size_t i = 0; i < list.count; i++) look_at_token(tokenizer, list.ids[i]);
    if (tokenizer_decode(tokenizer, list.ids, list.count, true, &text, &bytes, NULL) == STATUS_OK &&
        text[bytes] != '\0')
        abort();
    free(text);
    token_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Error error = {0};
    Tokenizer *tokenizer = NULL;
    Status status = tokenizer_parse((const char *)bytes, count, "input", &tokenizer, &error);
    if (status == STATUS_OK ? tokenizer == NULL : error.message[0] == '\0') abort();
    if (status != STATUS_OK) return 0;
    encode_and_decode(tokenizer);
    if (tokenizer_compare(tokenizer, tokenizer, NULL) != STATUS_OK) abort();
    tokenizer_free(tokenizer);
    return 0;
}
