/*
 * chat_arena — memory of one rendering, or of one compiled template: taken piece by piece, given back at once, and no
 * more of it than a limit. A zeroed ChatArena with its limit set is empty and valid.
 */
#ifndef REJUV_CORE_CHAT_ARENA_H
#define REJUV_CORE_CHAT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ChatArena {
    struct ChatArenaBlock *blocks; /* the newest first */
    size_t taken, limit;           /* bytes */
    bool is_full;                  /* what failed was over the limit, not refused by the system */
} ChatArena;

/* `count` elements of `size` bytes, zeroed, aligned for anything; NULL where the limit or the memory is reached. */
void *chat_arena_take(ChatArena *arena, size_t count, size_t size);

void chat_arena_free(ChatArena *arena);

#endif
