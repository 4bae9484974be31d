/*
 * tokenizer_trie — texts to be found in another, the longest of those that begin at a place: a trie of bytes.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_TRIE_H
#define REJUV_CORE_TOKENIZER_TRIE_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A node: its children are a list. */
typedef struct TrieNode {
    uint32_t child, sibling; /* 0: none */
    int32_t token;           /* what ends here; -1: nothing */
    unsigned char byte;
} TrieNode;

/* Zero-initialise. */
typedef struct Trie {
    TrieNode *nodes; /* [0] is the root */
    size_t count, capacity;
    uint32_t roots[256]; /* the root's children by byte; 0: none */
} Trie;

/* `text` (not empty) stands for `token`, which is 0 or more. Where it is there already *is_new is false, and the first
 * stays. */
Status tokenizer_trie_add(Trie *trie, const char *text, size_t bytes, int32_t token, bool *is_new,
                          Error *error) STATUS_MUST_CHECK;

/* The token of the longest text that begins at text[0], and its length; -1 where none does. */
int32_t tokenizer_trie_find_longest(const Trie *trie, const char *text, size_t bytes, size_t *length);
void tokenizer_trie_free(Trie *trie);

#endif
