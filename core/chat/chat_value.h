/*
 * chat_value — the values of a template: what Python has of them, as far as templates see it.
 *
 * A ChatValue is passed by value; what it points to lies in the arena of its rendering (or of its template) and is
 * never changed once another may see it, but for namespaces, loops, and iterators that are used up. Texts are UTF-8,
 * counted in code points.
 */
#ifndef REJUV_CORE_CHAT_VALUE_H
#define REJUV_CORE_CHAT_VALUE_H

#include "core/chat/chat_run.h"

typedef enum ChatType {
    CHAT_MISSING = 0, /* no value at all: an argument that was not given */
    CHAT_UNDEFINED,
    CHAT_NONE,
    CHAT_BOOL,
    CHAT_INT,
    CHAT_BIG, /* an integer beyond 64 bits, of JSON: kept as written, not calculated with */
    CHAT_FLOAT,
    CHAT_TEXT,
    CHAT_LIST, /* everything that is a row of values, by its ChatListKind */
    CHAT_DICT,
    CHAT_NAMESPACE,
    CHAT_OBJECT /* what is called or has attributes of its own: macros, methods, loops, cyclers */
} ChatType;

typedef struct ChatText {
    const char *bytes;
    size_t length, points; /* bytes and code points; equal where all is ASCII */
    bool is_marked;        /* passed through `safe` or `escape` */
} ChatText;

typedef struct ChatValue {
    ChatType type;
    union {
        bool truth;
        int64_t integer;
        double number;
        const ChatText *text; /* of CHAT_TEXT and CHAT_BIG; of CHAT_UNDEFINED its name, or NULL */
        struct ChatList *list;
        struct ChatDict *dict; /* of CHAT_DICT and CHAT_NAMESPACE */
        struct ChatObject *object;
    } as;
} ChatValue;

typedef enum ChatListKind {
    CHAT_LIST_LIST,
    CHAT_LIST_TUPLE,
    CHAT_LIST_GROUP, /* a tuple (grouper, list) */
    CHAT_LIST_RANGE,
    CHAT_LIST_KEYS,
    CHAT_LIST_VALUES,
    CHAT_LIST_ITEMS,
    CHAT_LIST_ITERATOR /* no length, no index, and gone through once */
} ChatListKind;

typedef struct ChatList {
    ChatListKind kind;
    ChatValue *items;
    size_t count, capacity;
    int64_t start, stop, step; /* of a range */
} ChatList;

typedef struct ChatEntry {
    ChatValue key, value;
    uint64_t hash;
} ChatEntry;

typedef struct ChatDict {
    ChatEntry *entries; /* in the order of their keys' arrival */
    size_t count, capacity;
    uint32_t *slots; /* entry + 1, or 0; NULL while there are few */
    size_t slot_count;
} ChatDict;

typedef struct ChatCall {
    ChatValue *values;
    size_t count;
    const ChatText **names; /* of the keywords */
    ChatValue *named;
    size_t named_count;
} ChatCall;

typedef struct ChatObject {
    const char *kind; /* for messages: "macro", "method" */
    const char *name;
    const void *what; /* of its maker: a macro, a row of a table */
    void *state;
    ChatValue self; /* of a method */
    Status (*call)(ChatRun *run, struct ChatObject *object, const ChatCall *call, ChatValue *result);
    /* *result stays missing where there is no such attribute */
    Status (*get)(ChatRun *run, struct ChatObject *object, const ChatText *name, ChatValue *result);
} ChatObject;

/* ---- making them ---- */

ChatValue chat_value_none(void);
ChatValue chat_value_bool(bool truth);
ChatValue chat_value_int(int64_t integer);
ChatValue chat_value_float(double number);
ChatValue chat_value_text(const ChatText *text);
ChatValue chat_value_list(ChatList *list);
ChatValue chat_value_object(ChatObject *object);

/* `name` says what is undefined, or, marked, why, in a sentence; it stays. NULL for neither. */
ChatValue chat_value_undefined(const ChatText *name);

/* A text of bytes that are copied; of bytes that stay (the arena's, or part of another text). */
Status chat_value_copy(ChatRun *run, const char *bytes, size_t length, ChatValue *value) STATUS_MUST_CHECK;
Status chat_value_keep(ChatRun *run, const char *bytes, size_t length, ChatValue *value) STATUS_MUST_CHECK;

/* Marks a text as passed through `safe`; of a list, each of its texts. */
Status chat_value_mark(ChatRun *run, ChatValue *value) STATUS_MUST_CHECK;

/* printf into the arena. */
Status chat_value_format(ChatRun *run, ChatValue *value, const char *format, ...) STATUS_PRINTF(3, 4);

Status chat_value_new_list(ChatRun *run, ChatListKind kind, size_t capacity,
                           ChatList **list) STATUS_MUST_CHECK;
Status chat_value_append(ChatRun *run, ChatList *list, ChatValue item) STATUS_MUST_CHECK;
Status chat_value_new_object(ChatRun *run, ChatObject object, ChatValue *value) STATUS_MUST_CHECK;

/* ---- asking them ---- */

/* "str", "int", "NoneType", …: as Python's messages name it. */
const char *chat_value_type_name(ChatValue value);

bool chat_value_is_truthy(ChatValue value);

/* A bool or an int, as a number. */
bool chat_value_is_integer(ChatValue value);
/* Those and a float. */
bool chat_value_is_number(ChatValue value);
int64_t chat_value_integer(ChatValue value);
double chat_value_number(ChatValue value);

bool chat_value_is_list(ChatValue value, ChatListKind kind);

/* A list, tuple or range: it has an index. */
bool chat_value_is_sequence(ChatValue value);

/* How many there are; false where it has no length. */
bool chat_value_length(ChatValue value, size_t *length);

/* What a loop over it goes through; an iterator is used up by it. Of a text its code points, of a dict its keys. */
Status chat_value_iterate(ChatRun *run, ChatValue value, const ChatList **items) STATUS_MUST_CHECK;
bool chat_value_is_iterable(ChatValue value);

/* Fails with the message of an undefined value that is used. */
Status chat_value_fail_undefined(ChatRun *run, ChatValue value);

#endif
