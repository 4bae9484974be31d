/*
 * chat_loop — what a for loop goes through, and `loop` in it: items are looked at one ahead at most, as jinja2 does,
 * so that a loop's own test sees what its body did.
 */
#ifndef REJUV_CORE_CHAT_LOOP_H
#define REJUV_CORE_CHAT_LOOP_H

#include "core/chat/chat_value.h"

typedef struct ChatLoop {
    const ChatList *source;
    size_t at;       /* items of the source that were taken */
    bool has_length; /* the source's length is the loop's: no test, no iterator */
    int64_t length;  /* -1: not known yet */
    /* NULL: every item passes */
    Status (*test)(ChatRun *run, struct ChatLoop *loop, ChatValue item, bool *passes);
    void *owner;

    int64_t index0; /* of the turn; -1 before the first */
    int64_t depth0;
    ChatValue before, current, after; /* CHAT_MISSING for none */
    ChatValue changed;                /* what changed() last saw, a tuple */
} ChatLoop;

/* The next item; false at the end. */
Status chat_loop_next(ChatRun *run, ChatLoop *loop, ChatValue *item, bool *found) STATUS_MUST_CHECK;

/* `loop` as a value. `call`: what loop(…) does, or NULL where the loop is not recursive. */
Status chat_loop_value(ChatRun *run, ChatLoop *loop,
                       Status (*call)(ChatRun *run, ChatObject *object, const ChatCall *call,
                                      ChatValue *result),
                       ChatValue *value) STATUS_MUST_CHECK;

#endif
