#include "core/tokenizer/tokenizer_stages.h"

#include <string.h>

/* Characters that mean something in an expression unless a backslash is before them. */
static const char SPECIAL[] = "()[]{}?*+-|^$\\.&~#";

/* The alternative at *at, without its backslashes; false where it is not plain text. */
static bool read_alternative(const char *regex, size_t *at, TokenizerText *text, Status *status,
                             Error *error) {
    text->bytes = 0;
    for (; regex[*at] != '\0' && regex[*at] != '|' && *status == STATUS_OK; (*at)++) {
        bool is_escaped = regex[*at] == '\\';
        if (is_escaped) (*at)++;
        char c = regex[*at];
        if (c == '\0' || (is_escaped ? strchr(SPECIAL, c) == NULL && strchr(" \t\n\r\v\f", c) == NULL
                                     : strchr(SPECIAL, c) != NULL))
            return false;
        *status = tokenizer_text_append(text, &c, 1, error);
    }
    return text->bytes > 0;
}

static size_t count_characters(const TokenizerText *text) {
    size_t count = 0;
    for (size_t i = 0; i < text->bytes; i++) count += ((unsigned char)text->text[i] & 0xC0) != 0x80;
    return count;
}

/* The first alternative that matches is the longest where none is longer than one before it. */
Status tokenizer_alternatives_read(const char *regex, Trie *alternatives, bool *are_texts, Error *error) {
    TokenizerText text = {0};
    Status status = STATUS_OK;
    size_t at = 0, longest = SIZE_MAX;
    bool is_new;
    *are_texts = strchr(regex, '|') != NULL;
    for (bool more = true; *are_texts && more && status == STATUS_OK; at++) {
        *are_texts = read_alternative(regex, &at, &text, &status, error);
        size_t characters = count_characters(&text);
        *are_texts = *are_texts && characters <= longest;
        longest = characters;
        if (*are_texts && status == STATUS_OK)
            status = tokenizer_trie_add(alternatives, text.text, text.bytes, 0, &is_new, error);
        more = regex[at] != '\0';
    }
    if (!*are_texts || status != STATUS_OK) tokenizer_trie_free(alternatives);
    tokenizer_text_free(&text);
    return status;
}
