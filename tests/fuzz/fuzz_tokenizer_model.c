/*
 * A tokenizer.model of any bytes beside configurations that make each kind of tokenizer of it: it is refused with a
 * message, or opened; then a text is encoded and decoded again.
 */
#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/memory_directory.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* By TokenizersBackend, and by classes of BPE and of Unigram. */
static const char *const SETTINGS[] = {
    "{}", "{\"legacy\":false,\"added_tokens_decoder\":{\"4\":{\"content\":\"<x>\",\"special\":true}}}",
    "{\"tokenizer_class\":\"LlamaTokenizer\",\"add_bos_token\":true}",
    "{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":2}", "{\"tokenizer_class\":\"XLMRobertaTokenizer\"}"};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

static void use(const Tokenizer *tokenizer) {
    static const char TEXT[] = "Hello, w\xc3\xb6rld <s> 12  \n'S <x>\xe6\x97\xa5\xe6\x9c\xac";
    TokenList list = {0};
    char *text;
    size_t bytes, places[] = {0, 3, 9, sizeof TEXT - 1};
    if (tokenizer_encode_places(tokenizer, TEXT, strlen(TEXT), true, places, 4, NULL, &list, NULL) ==
        STATUS_OK) {
        for (size_t i = 0; i < 4; i++)
            if (places[i] > list.count) abort();
        if (tokenizer_decode(tokenizer, list.ids, list.count, true, &text, &bytes, NULL) == STATUS_OK)
            free(text);
    }
    token_list_free(&list);
}

/* A corpus is replayed with all of them; a fuzzer has one of them for each input, and five times the inputs. */
static void choose_settings(const uint8_t *bytes, size_t count, size_t *first, size_t *end) {
    *first = 0;
    *end = SETTING_COUNT;
#ifdef FUZZING
    for (size_t i = 0; i < count; i++) *first += bytes[i];
    *first %= SETTING_COUNT;
    *end = *first + 1;
#else
    (void)bytes, (void)count;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    size_t first, end;
    choose_settings(bytes, count, &first, &end);
    memory_directory_put("tokenizer.model", bytes, count);
    for (size_t i = first; i < end; i++) {
        Error error = {0};
        Tokenizer *tokenizer;
        memory_directory_put("tokenizer_config.json", SETTINGS[i], strlen(SETTINGS[i]));
        Status status = tokenizer_open_directory(memory_directory(), TOKENIZER_BY_CLASS, &tokenizer, &error);
        if (status != STATUS_OK && (tokenizer != NULL || error.message[0] == '\0')) abort();
        if (tokenizer == NULL) continue;
        use(tokenizer);
        if (tokenizer_compare(tokenizer, tokenizer, NULL) != STATUS_OK) abort();
        tokenizer_free(tokenizer);
    }
    return 0;
}
