#include "core/chat/chat_arena.h"

#include "core/support/memory.h"

#include <stdalign.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 1 << 15, LARGEST_BLOCK = 1 << 22 };

struct ChatArenaBlock {
    struct ChatArenaBlock *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

static struct ChatArenaBlock *add_block(ChatArena *arena, size_t needed) {
    size_t size = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * 2, bytes;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    if (size < needed) size = needed;
    if (!memory_add(size, sizeof(struct ChatArenaBlock), &bytes)) return NULL;
    struct ChatArenaBlock *block = memory_allocate(1, bytes);
    if (block == NULL) return NULL;
    *block = (struct ChatArenaBlock){.next = arena->blocks, .size = size};
    return arena->blocks = block;
}

void *chat_arena_take(ChatArena *arena, size_t count, size_t size) {
    size_t bytes, total;
    const size_t align = alignof(max_align_t);
    if (!memory_multiply(count, size, &bytes) || !memory_add(bytes, align, &total)) {
        arena->is_full = true;
        return NULL;
    }
    bytes = bytes == 0 ? align : (bytes + align - 1) / align * align;
    if (bytes > arena->limit - arena->taken) {
        arena->is_full = true;
        return NULL;
    }
    struct ChatArenaBlock *block = arena->blocks;
    if (block == NULL || block->size - block->used < bytes) block = add_block(arena, bytes);
    if (block == NULL) return NULL;
    void *piece = block->bytes + block->used;
    block->used += bytes;
    arena->taken += bytes;
    return piece;
}

void chat_arena_free(ChatArena *arena) {
    while (arena->blocks != NULL) {
        struct ChatArenaBlock *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->taken = 0;
}
