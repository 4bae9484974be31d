/*
 * pickle — a pickle as data. Nothing is called, imported or built: what Python would call is a value that says so, with
 * its arguments, and only names that the caller lists may stand in it at all.
 *
 * The opcodes are those that Python writes in protocol 2, which is torch.save()'s, for dicts, tuples, texts and whole
 * numbers; any other is refused by its byte. The bytes are untrusted: at most PICKLE_MOST values of each kind, so
 * that memory is bounded whatever they say; values hold each other by index, and may do so in circles.
 */
#ifndef REJUV_CORE_PICKLE_H
#define REJUV_CORE_PICKLE_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKLE_MOST = 1 << 21 };

typedef enum PickleKind {
    PICKLE_CONSTANT, /* None, True or False: nobody asks which */
    PICKLE_INTEGER,
    PICKLE_TEXT,
    PICKLE_NAME, /* a class or a function of the caller's list */
    PICKLE_TUPLE,
    PICKLE_EXTERNAL, /* what lies outside: one item, which says where */
    PICKLE_CALL,     /* what would be called, and the tuple of its arguments: two items */
    PICKLE_DICT
} PickleKind;

typedef struct PickleValue {
    PickleKind kind;
    int64_t number;   /* of an integer; which of the caller's names; which dict */
    const char *text; /* without a NUL */
    size_t length;    /* of a text; items of a tuple, a call, an external */
    size_t first;     /* of those, in `items` */
} PickleValue;

typedef struct PicklePair {
    int64_t dict;
    PickleValue key, value;
} PicklePair;

typedef struct Pickle {
    PickleValue root, *items;
    PicklePair *pairs; /* of all dicts, in the order in which they were set */
    size_t item_count, pair_count, item_capacity, pair_capacity;
} Pickle;

typedef struct PickleName {
    const char *name; /* "collections OrderedDict": the module, a space, the name in it */
    bool is_dict;     /* a call of it without arguments gives an empty dict */
    int meaning;      /* the caller's own */
} PickleName;

/* Zero-initialise `pickle`, release it with pickle_free(), after an error too; it borrows `bytes`. STATUS_UNSUPPORTED
 * for a name that is not listed or an opcode that is not known, STATUS_FORMAT for what is broken. */
Status pickle_read(const unsigned char *bytes, size_t size, const char *file, const PickleName *names,
                   size_t name_count, Pickle *pickle, Error *error) STATUS_MUST_CHECK;
void pickle_free(Pickle *pickle);

#endif
