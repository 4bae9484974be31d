/*
 * Any bytes as a text, to a tokenizer of each kind: what is UTF-8 is encoded and its tokens decode to UTF-8
 * again; what is not is refused. A byte-level tokenizer gives back the very text.
 */
#include "core/files/json_text.h"
#include "core/tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Each knows only a few pieces beyond <0x00> … or the byte alphabet, which are added below. */
static const char *const BYTE_LEVEL =
    "{\"added_tokens\":[{\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
    "\"normalized\":false,\"special\":true}],\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{L}+|\\\\p{N}{1,3}|\\\\s+(?!\\\\S)|[^\\\\s]\"},"
    "\"behavior\":\"Isolated\",\"invert\":false},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]},"
    "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{";
static const char *const FALLBACK =
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"_\"},"
    "{\"type\":\"NFC\"}]},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},"
    "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\"_\",\"start\":1,\"stop\":0}]},"
    "\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"_\":256,";

static size_t append(char *out, size_t at, const char *text) {
    size_t bytes = strlen(text);
    memcpy(out + at, text, bytes);
    return at + bytes;
}

/* The pieces of the byte alphabet or, `fallback`, <0x00> to <0xFF>, as members of `vocab`. */
static Tokenizer *make(const char *head, int fallback) {
    char json[16384];
    size_t at = append(json, 0, head);
    for (unsigned byte = 0, moved = 0; byte < 256; byte++) {
        int printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
        unsigned character = printable ? byte : 0x100 + moved++;
        char member[32];
        (void)snprintf(member, sizeof member, fallback ? "\"<0x%02X>\":%u%s" : "\"\\u%04X\":%u%s",
                       fallback ? byte : character, byte, byte < 255 ? "," : "");
        at = append(json, at, member);
    }
    at = append(json, at, "},\"merges\":[]}}");
    Tokenizer *tokenizer;
    if (tokenizer_parse(json, at, "built in", &tokenizer, NULL) != STATUS_OK) abort();
    return tokenizer;
}

static void run(const Tokenizer *tokenizer, const char *text, size_t bytes, int exact) {
    TokenList list = {0};
    Error error = {0};
    char *again = NULL, *literal = NULL;
    size_t count;
    Status status = tokenizer_encode(tokenizer, text, bytes, false, &list, &error);
    if (status != STATUS_OK && error.message[0] == '\0') abort();
    if (status == STATUS_OK) {
        if (tokenizer_decode(tokenizer, list.ids, list.count, false, &again, &count, NULL) != STATUS_OK)
            abort();
        if (json_text_encode(again, count, &literal, NULL) != STATUS_OK) abort(); /* it is UTF-8 */
        if (exact && (count != bytes || memcmp(again, text, bytes) != 0)) abort();
    }
    free(literal);
    free(again);
    token_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static Tokenizer *byte_level, *fallback;
    if (byte_level == NULL) byte_level = make(BYTE_LEVEL, 0);
    if (fallback == NULL) fallback = make(FALLBACK, 1);
    run(byte_level, (const char *)bytes, count, 1);
    run(fallback, (const char *)bytes, count, 0);
    return 0;
}
