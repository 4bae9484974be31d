/*
 * A tokenizer.model of any bytes beside configurations that make each kind of tokenizer of it: it is refused with a
 * message, or opened; then a text is encoded and decoded again.
 */
#include "core/tokenizer/tokenizer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* By TokenizersBackend, and by classes of BPE and of Unigram. */
static const char *const SETTINGS[] = {
    "{}", "{\"legacy\":false,\"added_tokens_decoder\":{\"4\":{\"content\":\"<x>\",\"special\":true}}}",
    "{\"tokenizer_class\":\"LlamaTokenizer\",\"add_bos_token\":true}",
    "{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":2}", "{\"tokenizer_class\":\"XLMRobertaTokenizer\"}"};
enum { SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS };

static char directory[] = "/tmp/rejuv-fuzz-XXXXXX";
static int folder = -1;

static void remove_directory(void) {
    (void)unlinkat(folder, "tokenizer.model", 0);
    (void)unlinkat(folder, "tokenizer_config.json", 0);
    (void)close(folder);
    (void)rmdir(directory);
}

static void write_file(const char *name, const void *bytes, size_t count) {
    if (folder < 0) {
        if (mkdtemp(directory) == NULL) abort();
        folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0 || atexit(remove_directory) != 0) abort();
    }
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, count) != (ssize_t)count || close(file) != 0) abort();
}

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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    write_file("tokenizer.model", bytes, count);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        Error error = {0};
        Tokenizer *tokenizer;
        write_file("tokenizer_config.json", SETTINGS[i], strlen(SETTINGS[i]));
        Status status = tokenizer_open_directory(directory, TOKENIZER_BY_CLASS, &tokenizer, &error);
        if (status != STATUS_OK && (tokenizer != NULL || error.message[0] == '\0')) abort();
        if (tokenizer == NULL) continue;
        use(tokenizer);
        if (tokenizer_compare(tokenizer, tokenizer, NULL) != STATUS_OK) abort();
        tokenizer_free(tokenizer);
    }
    return 0;
}
