/*
 * chat_arguments — arguments of filters, tests, methods and functions, put where their signature says.
 *
 *     "sep maxsplit"      two, by place or by name
 *     "/ key default"     by place alone
 */
#ifndef REJUV_CORE_CHAT_ARGUMENTS_H
#define REJUV_CORE_CHAT_ARGUMENTS_H

#include "core/chat/chat_value.h"

enum { CHAT_ARGUMENTS_MOST = 8 };

/* A callable of a table. `call` gets the value that it works on and CHAT_ARGUMENTS_MOST arguments, CHAT_MISSING where
 * they were not given; one whose signature is NULL gets the call itself. NULL, NULL: known, and refused. */
typedef struct ChatRow {
    const char *name, *signature;
    size_t least; /* arguments that must be there */
    Status (*call)(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result);
    Status (*call_whole)(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result);
} ChatRow;

/* The row of that name; NULL where there is none. */
const ChatRow *chat_arguments_find(const ChatRow *rows, size_t count, const ChatText *name);

/* Binds and calls; `kind` ("filter") is for messages. */
Status chat_arguments_apply(ChatRun *run, const char *kind, const ChatRow *row, ChatValue self,
                            const ChatCall *call, ChatValue *result) STATUS_MUST_CHECK;

/* An argument as an integer or a text; `fallback` where it is not given. */
Status chat_arguments_integer(ChatRun *run, ChatValue argument, int64_t fallback,
                              int64_t *integer) STATUS_MUST_CHECK;
Status chat_arguments_text(ChatRun *run, ChatValue argument, const ChatText *fallback,
                           const ChatText **text) STATUS_MUST_CHECK;
bool chat_arguments_truth(ChatValue argument, bool fallback);

#endif
