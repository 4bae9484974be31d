/*
 * chat_run — what every step of compiling or rendering has at hand: memory with a limit, steps and depth that are
 * counted, and where in which template it is, for messages.
 *
 * Functions that take a ChatRun return a Status; what is wrong is in run->error by then.
 */
#ifndef REJUV_CORE_CHAT_RUN_H
#define REJUV_CORE_CHAT_RUN_H

#include "core/chat/chat.h"
#include "core/chat/chat_arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ChatValue;

typedef struct ChatRun {
    ChatArena arena;
    ChatLimits limits;
    const char *name; /* of the template; NULL: a conversation is read */
    unsigned line;    /* of what is being done; 0: of nothing yet */
    unsigned depth;
    uint64_t steps;
    int64_t now; /* for strftime_now: seconds since 1970 */
    bool is_utc; /* its time zone: UTC, or this machine's */
    Error *error;

    /* of.key where `is_attribute`, else of[key]: for str.format(), which stands below what knows attributes */
    Status (*get)(struct ChatRun *run, const struct ChatValue *of, const struct ChatValue *key,
                  bool is_attribute, struct ChatValue *result);
    void *renderer; /* of the interpreter: NULL while compiling */
} ChatRun;

/* Goes on only where a call succeeded. */
#define CHAT_TRY(call)                                                                                       \
    do {                                                                                                     \
        Status chat_try_status = (call);                                                                     \
        if (chat_try_status != STATUS_OK) return chat_try_status;                                            \
    } while (0)

/* Fails with "chat template NAME, line N: …", or "conversation: …". */
Status chat_run_fail(ChatRun *run, Status status, const char *format, ...) STATUS_PRINTF(3, 4);

/* Counts `steps`; fails where there were too many. */
Status chat_run_step(ChatRun *run, size_t steps) STATUS_MUST_CHECK;

/* One level deeper; fails where that is too deep. Every enter that succeeded has its leave. */
Status chat_run_enter(ChatRun *run) STATUS_MUST_CHECK;
void chat_run_leave(ChatRun *run);

/* Memory of the arena; what fails is in run->error. */
Status chat_run_take(ChatRun *run, size_t count, size_t size, void **block) STATUS_MUST_CHECK;

/* *array as a larger one with its `count` elements of `size` bytes, where *capacity does not hold `needed`. */
Status chat_run_grow(ChatRun *run, void **array, size_t count, size_t *capacity, size_t needed,
                     size_t size) STATUS_MUST_CHECK;

#endif
