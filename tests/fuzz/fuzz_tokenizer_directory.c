/*
 * The files of a directory with a tokenizer, of any bytes, a form feed between one and the next: the tokenizer is refused
 * with a message, or opened, by its class and by the file alone; then a text is encoded, and remarks are sentences.
 */
#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/memory_directory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char *const FILES[] = {
    "tokenizer.json",    "tokenizer_config.json", "config.json", "special_tokens_map.json",
    "added_tokens.json", "tekken.json",           "vocab.json",  "merges.txt",
    "tokenizer.model"};
enum { FILE_COUNT = sizeof FILES / sizeof *FILES };

static void use(const Tokenizer *tokenizer) {
    static const char TEXT[] = "Hello, w\xc3\xb6rld <s> 12  \n'S <x>";
    TokenList list = {0};
    const char *remark;
    if (tokenizer_encode(tokenizer, TEXT, strlen(TEXT), true, &list, NULL) == STATUS_OK && list.count > 0) {
        for (size_t i = 0; i < list.count; i++) {
            if (list.ids[i] < 0) abort();
        }
    }
    for (size_t i = 0; (remark = tokenizer_remark(tokenizer, i)) != NULL; i++) {
        if (remark[0] == '\0') abort();
    }
    token_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static const TokenizerRule RULES[] = {TOKENIZER_BY_CLASS, TOKENIZER_BY_FILE};
    for (size_t i = 0; i < FILE_COUNT; i++) {
        const uint8_t *end = count > 0 ? memchr(bytes, '\f', count) : NULL;
        size_t length = end != NULL && i + 1 < FILE_COUNT ? (size_t)(end - bytes) : count;
        if (length > 0)
            memory_directory_put(FILES[i], bytes, length);
        else
            memory_directory_drop(FILES[i]);
        size_t taken = length < count ? length + 1 : count;
        bytes += taken;
        count -= taken;
    }
    for (size_t i = 0; i < 2; i++) {
        Error error = {0};
        Tokenizer *tokenizer;
        Status status = tokenizer_open_directory(memory_directory(), RULES[i], &tokenizer, &error);
        if (status != STATUS_OK && (tokenizer != NULL || error.message[0] == '\0')) abort();
        if (tokenizer == NULL) continue;
        use(tokenizer);
        if (tokenizer_compare(tokenizer, tokenizer, NULL) != STATUS_OK) abort();
        tokenizer_free(tokenizer);
    }
    return 0;
}
