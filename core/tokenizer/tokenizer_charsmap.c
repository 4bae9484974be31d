#include "core/tokenizer/tokenizer_charsmap.h"

#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_base64.h"
#include "core/tokenizer/tokenizer_transform.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { GRAPHEME_LIMIT = 6, UNIT = 4, NO_TEXT = -1 };

/* ---- the table ---- */

static uint32_t read_unit(const char *bytes) {
    const unsigned char *at = (const unsigned char *)bytes;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static Status read_table(const TokenizerText *blob, Charsmap *charsmap, Error *error) {
    size_t offset, size = blob->bytes < UNIT ? SIZE_MAX : read_unit(blob->text);
    if (size < UNIT || size > blob->bytes - UNIT)
        return status_fail(error, STATUS_FORMAT, "the table is shorter than it says");
    charsmap->unit_count = size / UNIT;
    charsmap->units = memory_allocate(charsmap->unit_count, sizeof *charsmap->units);
    const char *texts = blob->text + UNIT + charsmap->unit_count * UNIT;
    charsmap->text_bytes = blob->bytes - UNIT - charsmap->unit_count * UNIT;
    charsmap->texts = memory_copy_text(texts, charsmap->text_bytes);
    if (charsmap->units == NULL || charsmap->texts == NULL) return memory_fail(error, "the table");
    for (size_t i = 0; i < charsmap->unit_count; i++)
        charsmap->units[i] = read_unit(blob->text + UNIT + i * UNIT);
    return tokenizer_text_is_utf8(texts, charsmap->text_bytes, &offset)
               ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "what characters become is not UTF-8");
}

Status tokenizer_charsmap_read(const char *base64, Charsmap *charsmap, Error *error) {
    TokenizerText blob = {0};
    Status status = tokenizer_base64_decode(base64, &blob, error);
    if (status == STATUS_OK) status = read_table(&blob, charsmap, error);
    tokenizer_text_free(&blob);
    return status == STATUS_OK || error == NULL ? status : status_add_context(error, "precompiled_charsmap");
}

void tokenizer_charsmap_free(Charsmap *charsmap) {
    free(charsmap->units);
    free(charsmap->texts);
    *charsmap = (Charsmap){0};
}

/* ---- looking up: a unit of the double array (Yata's darts-clone) ---- */

static size_t unit_offset(uint32_t unit) {
    return (size_t)(unit >> 10) << ((unit & (1U << 9)) >> 6);
}

static uint32_t unit_label(uint32_t unit) {
    return unit & (1U << 31 | 0xFF);
}

static Status fail_table(Error *error) {
    return status_fail(error, STATUS_FORMAT, "precompiled_charsmap: the table leads out of itself");
}

/* Where what the shortest beginning of `part` becomes stands among the texts; NO_TEXT: none is in the table. */
static Status find_text(const Charsmap *charsmap, const char *part, size_t bytes, long *text, Error *error) {
    size_t node = unit_offset(charsmap->units[0]);
    *text = NO_TEXT;
    for (size_t i = 0; i < bytes && part[i] != '\0'; i++) {
        node ^= (unsigned char)part[i];
        if (node >= charsmap->unit_count) return fail_table(error);
        uint32_t unit = charsmap->units[node];
        if (unit_label(unit) != (unsigned char)part[i]) return STATUS_OK;
        node ^= unit_offset(unit);
        if ((unit >> 8 & 1) == 0) continue;
        if (node >= charsmap->unit_count) return fail_table(error);
        uint32_t at = charsmap->units[node] & ((1U << 31) - 1);
        if (at > charsmap->text_bytes || ((unsigned char)charsmap->texts[at] & 0xC0) == 0x80)
            return fail_table(error);
        *text = (long)at;
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* ---- applying ---- */

/* A character waits until the next comes: what is removed behind it goes with it. */
typedef struct Mapping {
    const Charsmap *charsmap;
    Transform transform;
    bool is_waiting;
    uint32_t waiting;
    long change;
} Mapping;

static Status flush(Mapping *mapping, Error *error) {
    if (!mapping->is_waiting) return STATUS_OK;
    mapping->is_waiting = false;
    return tokenizer_transform_put(&mapping->transform, mapping->waiting, mapping->change, error);
}

static Status put(Mapping *mapping, uint32_t character, long change, Error *error) {
    Status status = flush(mapping, error);
    mapping->is_waiting = true;
    mapping->waiting = character;
    mapping->change = change;
    return status;
}

static long count_characters(const char *text, size_t bytes) {
    long count = 0;
    for (size_t i = 0; i < bytes; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* `old` characters become the text: the last of those it has more are added, what it has less is removed behind it. */
static Status put_text(Mapping *mapping, long old, const char *text, Error *error) {
    size_t bytes = strlen(text);
    long made = count_characters(text, bytes), number = 0;
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK; number++) {
        uint32_t character;
        at += tokenizer_text_read(text + at, &character);
        status = put(mapping, character, number >= old ? 1 : 0, error);
    }
    if (made < old && mapping->is_waiting) mapping->change -= old - made;
    return status;
}

/* One part: *found is false, and nothing is put, where the table has none of its beginnings. */
static Status put_part(Mapping *mapping, const char *part, size_t bytes, bool *found, Error *error) {
    long text;
    Status status = find_text(mapping->charsmap, part, bytes, &text, error);
    *found = status == STATUS_OK && text != NO_TEXT;
    return *found ? put_text(mapping, count_characters(part, bytes), mapping->charsmap->texts + text, error)
                  : status;
}

static Status put_grapheme(Mapping *mapping, const char *grapheme, size_t bytes, Error *error) {
    bool found = false;
    Status status = STATUS_OK;
    if (bytes < GRAPHEME_LIMIT) status = put_part(mapping, grapheme, bytes, &found, error);
    for (size_t at = 0; at < bytes && !found && status == STATUS_OK;) {
        uint32_t character;
        bool is_mapped;
        size_t taken = tokenizer_text_read(grapheme + at, &character);
        status = put_part(mapping, grapheme + at, taken, &is_mapped, error);
        if (status == STATUS_OK && !is_mapped) status = put(mapping, character, 0, error);
        at += taken;
    }
    return status;
}

/* Where the grapheme that begins at `at` ends. */
static size_t find_grapheme_end(const char *text, size_t bytes, size_t at) {
    uint32_t before, next;
    utf8proc_int32_t state = 0;
    at += tokenizer_text_read(text + at, &before);
    for (; at < bytes; before = next) {
        size_t taken = tokenizer_text_read(text + at, &next);
        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)next, &state)) break;
        at += taken;
    }
    return at;
}

Status tokenizer_charsmap_apply(const Charsmap *charsmap, const char *text, size_t bytes, TokenizerText *out,
                                TextMarks *marks, Error *error) {
    Mapping mapping = {.charsmap = charsmap,
                       .transform = tokenizer_transform_begin(text, bytes, 0, out, marks)};
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        size_t end = find_grapheme_end(text, bytes, at);
        status = put_grapheme(&mapping, text + at, end - at, error);
        at = end;
    }
    if (status == STATUS_OK) status = flush(&mapping, error);
    tokenizer_transform_end(&mapping.transform);
    return status;
}
