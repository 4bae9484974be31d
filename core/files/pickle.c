#include "core/files/pickle.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MARKS = 64 };

typedef struct Reader {
    const unsigned char *at, *end, *begin;
    const char *file;
    const PickleName *names;
    size_t name_count;
    Pickle *pickle;
    PickleValue *stack, *memo;
    size_t depth, memo_count, stack_capacity, memo_capacity;
    size_t marks[MOST_MARKS], mark_count;
    int64_t dict_count;
    bool is_over;
    Error *error;
} Reader;

static Status refuse(const Reader *reader, Status status, const char *why) {
    return status_fail(reader->error, status, "%s: at byte %zu of its pickle: %s", reader->file,
                       (size_t)(reader->at - reader->begin), why);
}

static Status refuse_broken(const Reader *reader) {
    return refuse(reader, STATUS_FORMAT,
                  "expected what a pickler writes (damaged: copy or download it again)");
}

/* Room for `more` behind `count` elements of an array, as MEMORY_RESERVE has it. */
#define GROW(reader, array, capacity, count, more)                                                           \
    ((more) > PICKLE_MOST - (count) ? refuse(reader, STATUS_UNSUPPORTED, "expected fewer values")            \
                                    : MEMORY_RESERVE(array, &(capacity), (count) + (more), (reader)->error))

/* ---- what stands behind an opcode ---- */

/* The next bytes, or NULL where there are not so many. */
static const unsigned char *take(Reader *reader, size_t count) {
    const unsigned char *taken = reader->at;
    if (count > (size_t)(reader->end - taken)) return NULL;
    reader->at += count;
    return taken;
}

static bool take_number(Reader *reader, size_t bytes, uint64_t *number) {
    const unsigned char *at = take(reader, bytes);
    if (at == NULL) return false;
    *number = 0;
    for (size_t i = bytes; i > 0; i--) *number = *number << 8 | at[i - 1];
    return true;
}

static const char *take_line(Reader *reader, size_t *length) {
    const unsigned char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    if (end == NULL) return NULL;
    *length = (size_t)(end - reader->at);
    return (const char *)take(reader, *length + 1);
}

/* ---- the stack ---- */

static Status push(Reader *reader, PickleValue value) {
    Status status = GROW(reader, reader->stack, reader->stack_capacity, reader->depth, 1);
    if (status == STATUS_OK) reader->stack[reader->depth++] = value;
    return status;
}

/* Whether there are so many values, none of them below the mark that was set last. */
static bool has_values(const Reader *reader, size_t count) {
    size_t floor = reader->mark_count > 0 ? reader->marks[reader->mark_count - 1] : 0;
    return reader->depth - floor >= count;
}

/* Values from the stack's top become one, of which they are the items. */
static Status gather(Reader *reader, PickleKind kind, size_t count) {
    Pickle *pickle = reader->pickle;
    if (!has_values(reader, count)) return refuse_broken(reader);
    Status status = GROW(reader, pickle->items, pickle->item_capacity, pickle->item_count, count);
    if (status != STATUS_OK) return status;
    PickleValue made = {.kind = kind, .first = pickle->item_count, .length = count};
    reader->depth -= count;
    if (count > 0) memcpy(pickle->items + made.first, reader->stack + reader->depth, count * sizeof made);
    pickle->item_count += count;
    return push(reader, made);
}

static Status push_dict(Reader *reader, size_t none) {
    (void)none;
    return push(reader, (PickleValue){.kind = PICKLE_DICT, .number = reader->dict_count++});
}

/* Keys and values from `from` on go into the dict under them. */
static Status set_pairs(Reader *reader, size_t from) {
    Pickle *pickle = reader->pickle;
    if (from == 0 || reader->stack[from - 1].kind != PICKLE_DICT || (reader->depth - from) % 2 != 0)
        return refuse_broken(reader);
    Status status =
        GROW(reader, pickle->pairs, pickle->pair_capacity, pickle->pair_count, (reader->depth - from) / 2);
    if (status != STATUS_OK) return status;
    for (size_t i = from; i < reader->depth; i += 2)
        pickle->pairs[pickle->pair_count++] =
            (PicklePair){reader->stack[from - 1].number, reader->stack[i], reader->stack[i + 1]};
    reader->depth = from;
    return STATUS_OK;
}

/* ---- opcodes ---- */

/* Each takes what its row of the table says: bytes behind the opcode, or values on the stack. */

static Status skip(Reader *reader, size_t bytes) {
    return take(reader, bytes) != NULL ? STATUS_OK : refuse_broken(reader);
}

static Status push_unsigned(Reader *reader, size_t bytes) {
    uint64_t number;
    return take_number(reader, bytes, &number)
               ? push(reader, (PickleValue){.kind = PICKLE_INTEGER, .number = (int64_t)number})
               : refuse_broken(reader);
}

static Status push_signed(Reader *reader, size_t bytes) {
    if (bytes > 8) return refuse(reader, STATUS_UNSUPPORTED, "a number of more than 64 bits");
    Status status = push_unsigned(reader, bytes);
    if (status != STATUS_OK) return status;
    PickleValue *made = &reader->stack[reader->depth - 1];
    bool is_negative = bytes > 0 && (uint64_t)made->number >> (bytes * 8 - 1) != 0;
    if (is_negative && bytes < 8) made->number -= INT64_C(1) << bytes * 8;
    return STATUS_OK;
}

/* A number behind how many bytes it has. */
static Status push_long(Reader *reader, size_t bytes) {
    uint64_t length;
    return take_number(reader, bytes, &length) ? push_signed(reader, length) : refuse_broken(reader);
}

static Status push_text(Reader *reader, size_t bytes) {
    uint64_t length = 0;
    bool is_there = take_number(reader, bytes, &length);
    const char *text = is_there ? (const char *)take(reader, length) : NULL;
    return text == NULL ? refuse_broken(reader)
                        : push(reader, (PickleValue){.kind = PICKLE_TEXT, .text = text, .length = length});
}

static Status push_constant(Reader *reader, size_t none) {
    (void)none;
    return push(reader, (PickleValue){.kind = PICKLE_CONSTANT});
}

static Status push_name(Reader *reader, size_t none) {
    (void)none;
    size_t module_length = 0, length = 0;
    const char *module = take_line(reader, &module_length);
    const char *name = module == NULL ? NULL : take_line(reader, &length);
    if (name == NULL) return refuse_broken(reader);
    for (size_t i = 0; i < reader->name_count; i++) {
        const char *known = reader->names[i].name;
        if (strlen(known) == module_length + 1 + length && memcmp(known, module, module_length) == 0 &&
            known[module_length] == ' ' && memcmp(known + module_length + 1, name, length) == 0)
            return push(reader, (PickleValue){.kind = PICKLE_NAME, .number = (int64_t)i});
    }
    return status_fail(reader->error, STATUS_UNSUPPORTED,
                       "%s: expected tensors alone, found a pickle that asks for %.*s.%.*s, of which nothing "
                       "was run",
                       reader->file, module_length < 100 ? (int)module_length : 100, module,
                       length < 100 ? (int)length : 100, name);
}

static Status call(Reader *reader, size_t values) {
    if (!has_values(reader, values)) return refuse_broken(reader);
    const PickleValue *called = &reader->stack[reader->depth - 2], *arguments = called + 1;
    if (called->kind != PICKLE_NAME || arguments->kind != PICKLE_TUPLE) return refuse_broken(reader);
    if (!reader->names[called->number].is_dict || arguments->length > 0)
        return gather(reader, PICKLE_CALL, values);
    reader->depth -= values;
    return push_dict(reader, 0);
}

/* The attributes of an object: of a dict they are notes, which nobody reads. */
static Status drop_attributes(Reader *reader, size_t values) {
    if (!has_values(reader, values + 1) || reader->stack[reader->depth - 2].kind != PICKLE_DICT)
        return refuse_broken(reader);
    reader->depth -= values;
    return STATUS_OK;
}

static Status remember(Reader *reader, size_t bytes) {
    uint64_t index;
    if (!take_number(reader, bytes, &index) || !has_values(reader, 1) || index > reader->memo_count)
        return refuse_broken(reader);
    Status status = GROW(reader, reader->memo, reader->memo_capacity, index, 1);
    if (status != STATUS_OK) return status;
    reader->memo[index] = reader->stack[reader->depth - 1];
    if (index == reader->memo_count) reader->memo_count++;
    return STATUS_OK;
}

static Status recall(Reader *reader, size_t bytes) {
    uint64_t index;
    return take_number(reader, bytes, &index) && index < reader->memo_count
               ? push(reader, reader->memo[index])
               : refuse_broken(reader);
}

static Status set_mark(Reader *reader, size_t none) {
    (void)none;
    if (reader->mark_count == MOST_MARKS) return refuse(reader, STATUS_UNSUPPORTED, "nested too deeply");
    reader->marks[reader->mark_count++] = reader->depth;
    return STATUS_OK;
}

/* What is above the mark, which is gone then. */
static Status end_mark(Reader *reader, bool is_tuple) {
    if (reader->mark_count == 0) return refuse_broken(reader);
    size_t from = reader->marks[--reader->mark_count];
    return is_tuple ? gather(reader, PICKLE_TUPLE, reader->depth - from) : set_pairs(reader, from);
}

static Status gather_marked(Reader *reader, size_t none) {
    (void)none;
    return end_mark(reader, true);
}

static Status set_marked(Reader *reader, size_t none) {
    (void)none;
    return end_mark(reader, false);
}

static Status set_pair(Reader *reader, size_t values) {
    return has_values(reader, values + 1) ? set_pairs(reader, reader->depth - values) : refuse_broken(reader);
}

static Status gather_tuple(Reader *reader, size_t values) {
    return gather(reader, PICKLE_TUPLE, values);
}

static Status gather_external(Reader *reader, size_t values) {
    return gather(reader, PICKLE_EXTERNAL, values);
}

static Status stop(Reader *reader, size_t values) {
    if (reader->depth != values || reader->mark_count > 0) return refuse_broken(reader);
    reader->pickle->root = reader->stack[0];
    reader->is_over = true;
    return STATUS_OK;
}

static const struct Opcode {
    unsigned char code, amount;
    Status (*run)(Reader *reader, size_t amount);
} OPCODES[] = {
    {0x80, 1, skip},          {'q', 1, remember},        {'r', 4, remember},      {'h', 1, recall},
    {'j', 4, recall},         {'K', 1, push_unsigned},   {'M', 2, push_unsigned}, {'J', 4, push_signed},
    {0x8a, 1, push_long},     {'X', 4, push_text},       {'N', 0, push_constant}, {0x88, 0, push_constant},
    {0x89, 0, push_constant}, {'c', 0, push_name},       {'}', 0, push_dict},     {')', 0, gather_tuple},
    {0x85, 1, gather_tuple},  {0x86, 2, gather_tuple},   {0x87, 3, gather_tuple}, {'(', 0, set_mark},
    {'t', 0, gather_marked},  {'u', 0, set_marked},      {'s', 2, set_pair},      {'Q', 1, gather_external},
    {'R', 2, call},           {'b', 1, drop_attributes}, {'.', 1, stop},
};

static Status run_opcode(Reader *reader, unsigned char code) {
    for (size_t i = 0; i < sizeof OPCODES / sizeof *OPCODES; i++)
        if (OPCODES[i].code == code) return OPCODES[i].run(reader, OPCODES[i].amount);
    char why[96];
    (void)snprintf(why, sizeof why, "expected tensors and their names, found the opcode 0x%02x", code);
    return refuse(reader, STATUS_UNSUPPORTED, why);
}

Status pickle_read(const unsigned char *bytes, size_t size, const char *file, const PickleName *names,
                   size_t name_count, Pickle *pickle, Error *error) {
    Reader reader = {.at = bytes,
                     .begin = bytes,
                     .end = bytes + size,
                     .file = file,
                     .names = names,
                     .name_count = name_count,
                     .pickle = pickle,
                     .error = error};
    Status status = STATUS_OK;
    while (status == STATUS_OK && !reader.is_over) {
        const unsigned char *code = take(&reader, 1);
        status = code != NULL ? run_opcode(&reader, *code) : refuse_broken(&reader);
    }
    free(reader.stack);
    free(reader.memo);
    return status;
}

void pickle_free(Pickle *pickle) {
    free(pickle->items);
    free(pickle->pairs);
    *pickle = (Pickle){0};
}
