#include "core/tokenizer/tokenizer_trie.h"

#include "core/support/memory.h"

#include <stdlib.h>

static uint32_t *find_edge(Trie *trie, uint32_t node, unsigned char byte) {
    if (node == 0) return &trie->roots[byte];
    uint32_t *edge = &trie->nodes[node].child;
    while (*edge != 0 && trie->nodes[*edge].byte != byte) edge = &trie->nodes[*edge].sibling;
    return edge;
}

static uint32_t step_down(const Trie *trie, uint32_t node, unsigned char byte) {
    if (node == 0) return trie->roots[byte];
    uint32_t child = trie->nodes[node].child;
    while (child != 0 && trie->nodes[child].byte != byte) child = trie->nodes[child].sibling;
    return child;
}

Status tokenizer_trie_add(Trie *trie, const char *text, size_t bytes, int32_t token, bool *is_new,
                          Error *error) {
    uint32_t node = 0;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        uint32_t next = step_down(trie, node, byte);
        if (next == 0) {
            Status status = MEMORY_RESERVE(trie->nodes, &trie->capacity, trie->count + 2, error);
            if (status != STATUS_OK) return status;
            if (trie->count == 0) trie->nodes[trie->count++] = (TrieNode){.token = -1};
            next = (uint32_t)trie->count++;
            trie->nodes[next] = (TrieNode){.token = -1, .byte = byte};
            *find_edge(trie, node, byte) = next;
        }
        node = next;
    }
    *is_new = trie->nodes[node].token < 0;
    if (*is_new) trie->nodes[node].token = token;
    return STATUS_OK;
}

int32_t tokenizer_trie_find_longest(const Trie *trie, const char *text, size_t bytes, size_t *length) {
    int32_t token = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < bytes; i++) {
        node = step_down(trie, node, (unsigned char)text[i]);
        if (node == 0) break;
        if (trie->nodes[node].token >= 0) {
            token = trie->nodes[node].token;
            *length = i + 1;
        }
    }
    return token;
}

void tokenizer_trie_free(Trie *trie) {
    free(trie->nodes);
    *trie = (Trie){0};
}
