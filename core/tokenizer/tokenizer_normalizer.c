#include "core/files/hash.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_stages.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char STAGE[] = "normalizer";

enum { DECOMPOSITION_MAX = 32, COMBINING_CLASSES = 256, SHORT_RUN = 16, BEFORE_HANGUL_FINALS = 0x11A7 };

/* ---- Unicode normalization ---- */

typedef struct CodePoints {
    utf8proc_int32_t *items;
    size_t count, capacity;
} CodePoints;

static unsigned combining_class(utf8proc_int32_t c) {
    return (unsigned)utf8proc_get_property(c)->combining_class & 0xFF;
}

static Status decompose(const char *text, size_t bytes, bool compatible, CodePoints *points, Error *error) {
    utf8proc_option_t options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE;
    if (compatible) options |= UTF8PROC_COMPAT;
    for (size_t at = 0; at < bytes;) {
        Status status =
            MEMORY_RESERVE(points->items, &points->capacity, points->count + DECOMPOSITION_MAX, error);
        if (status != STATUS_OK) return status;
        uint32_t c;
        at += tokenizer_text_read(text + at, &c);
        int boundary = 0;
        utf8proc_ssize_t made = utf8proc_decompose_char((utf8proc_int32_t)c, points->items + points->count,
                                                        DECOMPOSITION_MAX, options, &boundary);
        if (made < 0 || made > DECOMPOSITION_MAX)
            return status_fail(error, STATUS_UNSUPPORTED, "normalizer: U+%04X does not decompose",
                               (unsigned)c);
        points->count += (size_t)made;
    }
    return STATUS_OK;
}

/* Sorts a run of marks by combining class, equal ones staying in order. A hostile text is one long run, so
 * long ones are counted into classes instead of being inserted one by one (as utf8proc would). */
static Status sort_marks(utf8proc_int32_t *marks, size_t count, Error *error) {
    if (count <= SHORT_RUN) {
        for (size_t i = 1; i < count; i++) {
            utf8proc_int32_t moving = marks[i];
            unsigned class = combining_class(moving);
            size_t to = i;
            for (; to > 0 && combining_class(marks[to - 1]) > class; to--) marks[to] = marks[to - 1];
            marks[to] = moving;
        }
        return STATUS_OK;
    }
    size_t starts[COMBINING_CLASSES + 1] = {0};
    for (size_t i = 0; i < count; i++) starts[combining_class(marks[i]) + 1]++;
    for (size_t i = 0; i < COMBINING_CLASSES; i++) starts[i + 1] += starts[i];
    utf8proc_int32_t *sorted = memory_allocate(count, sizeof *sorted);
    if (sorted == NULL) return memory_fail(error, "the normalizer");
    for (size_t i = 0; i < count; i++) sorted[starts[combining_class(marks[i])]++] = marks[i];
    memcpy(marks, sorted, count * sizeof *sorted);
    free(sorted);
    return STATUS_OK;
}

static Status order_marks(CodePoints *points, Error *error) {
    for (size_t at = 0; at < points->count;) {
        size_t end = at;
        while (end < points->count && combining_class(points->items[end]) != 0) end++;
        Status status = sort_marks(points->items + at, end - at, error);
        if (status != STATUS_OK) return status;
        at = end + 1;
    }
    return STATUS_OK;
}

/* utf8proc takes U+11A7, the code point before the first Hangul final consonant, for one and lets it vanish
 * into the syllable before it. It composes with nothing, so each stretch between such is composed by itself.
 */
static Status compose(CodePoints *points, Error *error) {
    size_t kept = 0;
    for (size_t at = 0; at < points->count;) {
        size_t end = at;
        while (end < points->count && points->items[end] != BEFORE_HANGUL_FINALS) end++;
        utf8proc_ssize_t composed = utf8proc_normalize_utf32(points->items + at, (utf8proc_ssize_t)(end - at),
                                                             UTF8PROC_COMPOSE | UTF8PROC_STABLE);
        if (composed < 0)
            return status_fail(error, STATUS_UNSUPPORTED, "normalizer: %s", utf8proc_errmsg(composed));
        memmove(points->items + kept, points->items + at, (size_t)composed * sizeof *points->items);
        kept += (size_t)composed;
        if (end < points->count) points->items[kept++] = BEFORE_HANGUL_FINALS;
        at = end + 1;
    }
    points->count = kept;
    return STATUS_OK;
}

static bool is_ascii(const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] >= 0x80) return false;
    }
    return true;
}

static Status append_normalized(const NormalizerStep *step, const char *text, size_t bytes,
                                TokenizerText *out, Error *error) {
    if (is_ascii(text, bytes)) return tokenizer_text_append(out, text, bytes, error);
    CodePoints points = {0};
    Status status = decompose(text, bytes, step->compatible, &points, error);
    if (status == STATUS_OK) status = order_marks(&points, error);
    if (status == STATUS_OK && step->composed) status = compose(&points, error);
    for (size_t i = 0; i < points.count && status == STATUS_OK; i++)
        status = tokenizer_text_append_character(out, (uint32_t)points.items[i], error);
    free(points.items);
    return status;
}

/* ---- places in normalized text ----
 *
 * tokenizers 0.23 counts: each character of the normalized text stands for the next of the text before, for the same as
 * the one before it where that was decomposed, and passes over as many as were composed with it. So it is here, from the
 * ASCII character before a place to the one behind it, across whose beginnings nothing acts.
 */

typedef struct CountedPoint {
    utf8proc_int32_t point;
    int change; /* 1: of a decomposition, but its first; below 0: so many more were composed into it */
} CountedPoint;

typedef struct CountedPoints {
    CountedPoint *items;
    size_t count, capacity;
} CountedPoints;

static Status decompose_counted(const NormalizerStep *step, const char *text, size_t bytes,
                                CountedPoints *counted, Error *error) {
    CodePoints points = {0};
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        uint32_t ignored;
        size_t taken = tokenizer_text_read(text + at, &ignored);
        points.count = 0;
        status = decompose(text + at, taken, step->compatible, &points, error);
        if (status == STATUS_OK)
            status = MEMORY_RESERVE(counted->items, &counted->capacity, counted->count + points.count, error);
        for (size_t i = 0; i < points.count && status == STATUS_OK; i++)
            counted->items[counted->count++] = (CountedPoint){points.items[i], i > 0};
        at += taken;
    }
    free(points.items);
    return status;
}

/* Of a long run, which only a hostile text has: class by class. */
static Status order_long_run(CountedPoint *run, size_t count, Error *error) {
    CountedPoint *sorted = memory_allocate(count, sizeof *sorted);
    if (sorted == NULL) return memory_fail(error, "the normalizer");
    size_t kept = 0;
    for (unsigned class = 0; class < COMBINING_CLASSES && kept < count; class ++) {
        for (size_t i = 0; i < count; i++) {
            if (combining_class(run[i].point) == class) sorted[kept++] = run[i];
        }
    }
    memcpy(run, sorted, count * sizeof *run);
    free(sorted);
    return STATUS_OK;
}

static void order_short_run(CountedPoint *run, size_t count) {
    for (size_t i = 1; i < count; i++) {
        CountedPoint moving = run[i];
        unsigned class = combining_class(moving.point);
        size_t to = i;
        for (; to > 0 && combining_class(run[to - 1].point) > class; to--) run[to] = run[to - 1];
        run[to] = moving;
    }
}

static Status order_counted(CountedPoints *counted, Error *error) {
    Status status = STATUS_OK;
    for (size_t at = 0; at < counted->count && status == STATUS_OK;) {
        size_t end = at;
        while (end < counted->count && combining_class(counted->items[end].point) != 0) end++;
        if (end - at > SHORT_RUN)
            status = order_long_run(counted->items + at, end - at, error);
        else
            order_short_run(counted->items + at, end - at);
        at = end + 1;
    }
    return status;
}

static bool compose_pair(CountedPoint *into, CountedPoint next) {
    utf8proc_int32_t pair[2] = {into->point, next.point};
    if (next.point == BEFORE_HANGUL_FINALS ||
        utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE) != 1)
        return false;
    *into = (CountedPoint){pair[0], into->change + next.change - 1};
    return true;
}

static void compose_counted(CountedPoints *counted) {
    CountedPoint *items = counted->items;
    size_t kept = 0, starter = SIZE_MAX;
    unsigned last = 0; /* the class of what stands between; 0: nothing */
    for (size_t i = 0; i < counted->count; i++) {
        unsigned class = combining_class(items[i].point);
        bool is_blocked = starter == SIZE_MAX || (kept > starter + 1 && last >= class);
        if (!is_blocked && compose_pair(&items[starter], items[i])) continue;
        if (class == 0) starter = kept;
        last = class;
        items[kept++] = items[i];
    }
    counted->count = kept;
}

static size_t count_characters(const char *text, size_t bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static size_t count_utf8(utf8proc_int32_t point) {
    utf8proc_uint8_t encoded[4];
    return (size_t)utf8proc_encode_char(point, encoded);
}

/* Where in the normalized form of text[0 … bytes) the place `mark` is. */
static Status find_place(const NormalizerStep *step, const char *text, size_t bytes, size_t mark,
                         size_t *place, Error *error) {
    CountedPoints counted = {0};
    Status status = decompose_counted(step, text, bytes, &counted, error);
    if (status == STATUS_OK) status = order_counted(&counted, error);
    if (status == STATUS_OK && step->composed) compose_counted(&counted);
    size_t before = count_characters(text, mark), next = 0;
    *place = 0;
    for (size_t i = 0; i < counted.count && status == STATUS_OK; i++) {
        int change = counted.items[i].change;
        size_t of = change > 0 && next > 0 ? next - 1 : next;
        if (change <= 0) next += 1 + (size_t)-change;
        if (of >= before) break;
        *place += count_utf8(counted.items[i].point);
    }
    free(counted.items);
    return status;
}

static size_t find_ascii(const TokenizerText *text, size_t at, bool back, size_t least) {
    while (back ? at > least : at < text->bytes) {
        if ((unsigned char)text->text[at] < 0x80) break;
        if (back)
            at--;
        else
            at++;
    }
    return at;
}

static Status move_unicode_marks(const NormalizerStep *step, const TokenizerText *text, TextMarks *marks,
                                 Error *error) {
    TokenizerText part = {0};
    Status status = STATUS_OK;
    size_t from = 0, to = 0; /* a place that is safe, and where it is in the normalized text */
    for (; marks->next < marks->count && status == STATUS_OK; marks->next++) {
        size_t mark = marks->at[marks->next], place = 0;
        size_t safe = find_ascii(text, mark > from ? mark - 1 : mark, true, from);
        size_t end = find_ascii(text, mark, false, 0);
        part.bytes = 0;
        status = append_normalized(step, text->text + from, safe - from, &part, error);
        to += part.bytes;
        from = safe;
        if (status == STATUS_OK)
            status = find_place(step, text->text + safe, end - safe, mark - safe, &place, error);
        marks->at[marks->next] = to + place;
    }
    tokenizer_text_free(&part);
    return status;
}

static Status normalize_unicode(const NormalizerStep *step, const TokenizerText *text, TokenizerText *out,
                                TextMarks *marks, Error *error) {
    Status status = append_normalized(step, text->text, text->bytes, out, error);
    if (is_ascii(text->text, text->bytes)) {
        tokenizer_text_move_marks(marks, text->bytes, 0, 0);
        return status;
    }
    return status == STATUS_OK ? move_unicode_marks(step, text, marks, error) : status;
}

/* ---- applying ---- */

static Status prepend(const char *content, const TokenizerText *text, TokenizerText *out, TextMarks *marks,
                      Error *error) {
    Status status = tokenizer_text_append_string(out, content, error);
    tokenizer_text_hold_marks(marks, 1, 0); /* what is put before a character goes with it */
    tokenizer_text_move_marks(marks, text->bytes, 0, out->bytes);
    return status == STATUS_OK ? tokenizer_text_append(out, text->text, text->bytes, error) : status;
}

static Status apply_step(const NormalizerStep *step, RegexScratch *scratch, const TokenizerText *text,
                         TokenizerText *out, TextMarks *marks, Error *error) {
    switch (step->kind) {
    case NORMALIZER_UNICODE:
        return normalize_unicode(step, text, out, marks, error);
    case NORMALIZER_PREPEND:
        return prepend(step->content, text, out, marks, error);
    case NORMALIZER_REPLACE:
        return tokenizer_stages_replace(&step->pattern, scratch, text->text, text->bytes, step->content, out,
                                        marks, error);
    case NORMALIZER_CHARSMAP:
        return tokenizer_charsmap_apply(&step->charsmap, text->text, text->bytes, out, marks, error);
    case NORMALIZER_STRIP:
        return tokenizer_filters_strip(step, text, out, marks, error);
    case NORMALIZER_STRIP_ACCENTS:
        return tokenizer_filters_strip_accents(text, out, marks, error);
    case NORMALIZER_LOWERCASE:
        return tokenizer_filters_lowercase(text, out, marks, error);
    }
    return STATUS_OK;
}

Status tokenizer_normalizer_apply(const Normalizer *normalizer, RegexScratch *scratch, TokenizerText *text,
                                  TextMarks *marks, Error *error) {
    TokenizerText out = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < normalizer->count && status == STATUS_OK && text->bytes > 0; i++) {
        out.bytes = marks->next = 0;
        status = apply_step(&normalizer->steps[i], scratch, text, &out, marks, error);
        TokenizerText swapped = *text;
        *text = out;
        out = swapped;
    }
    tokenizer_text_free(&out);
    return status;
}

static bool is_one_character(const char *text) {
    uint32_t ignored;
    return text[0] != '\0' && text[tokenizer_text_read(text, &ignored)] == '\0';
}

bool tokenizer_normalizer_keeps_start(const Normalizer *normalizer) {
    for (size_t i = 0; i < normalizer->count; i++) {
        const NormalizerStep *step = &normalizer->steps[i];
        bool one_for_one = step->kind == NORMALIZER_REPLACE && step->pattern.literal != NULL &&
                           is_one_character(step->pattern.literal) && is_one_character(step->content);
        if (!one_for_one) return false;
    }
    return true;
}

/* ---- reading ---- */

static const struct {
    const char *name;
    bool compatible, composed;
} FORMS[] = {{"NFC", false, true}, {"NFD", false, false}, {"NFKC", true, true}, {"NFKD", true, false}};

static Status copy_content(const cJSON *json, const char *key, NormalizerStep *step, Error *error) {
    const char *content;
    Status status = tokenizer_stages_get_string(json, STAGE, key, &content, error);
    if (status != STATUS_OK) return status;
    step->content = memory_copy_text(content, strlen(content));
    return step->content == NULL ? memory_fail(error, STAGE) : STATUS_OK;
}

/* What transformers makes of SentencePiece's remove_extra_whitespaces. As an expression it would look at a run of blanks
 * from each of them on. */
static bool takes_blanks_from_ends(const cJSON *json, const NormalizerStep *step) {
    const char *regex = json_get_text(json_find(json, "pattern"), "Regex", "");
    return strcmp(regex, "\\A +| +\\z") == 0 && step->content[0] == '\0';
}

static Status read_replace(const cJSON *json, NormalizerStep *step, TokenizerText *description,
                           Error *error) {
    Status status = copy_content(json, "content", step, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_describe(description, "Replace", step->content, NULL, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_read_pattern(json, STAGE, &step->pattern, description, error);
    if (status == STATUS_OK && step->pattern.literal == NULL && strchr(step->content, '$') != NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "normalizer Replace with groups ($) is not supported");
    if (status == STATUS_OK && step->pattern.regex != NULL &&
        tokenizer_regex_matches_nothing(step->pattern.regex))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "normalizer Replace with a Regex that can match nothing is not supported");
    if (status == STATUS_OK && takes_blanks_from_ends(json, step)) {
        step->kind = NORMALIZER_STRIP;
        step->left = step->right = step->is_of_blanks = true;
    }
    return status;
}

/* Described by its digest: the table is long, and only whether two are equal is asked. */
static Status read_charsmap(const cJSON *json, NormalizerStep *step, TokenizerText *description,
                            Error *error) {
    const char *base64;
    char digest[HASH_HEX_SIZE];
    Status status = tokenizer_stages_get_string(json, STAGE, "precompiled_charsmap", &base64, error);
    if (status == STATUS_OK) status = tokenizer_charsmap_read(base64, &step->charsmap, error);
    if (status == STATUS_OK) status = hash_bytes(base64, strlen(base64), digest, error);
    return status == STATUS_OK ? tokenizer_stages_describe(description, "Precompiled", digest, NULL, error)
                               : status;
}

static Status read_strip(const cJSON *json, NormalizerStep *step, TokenizerText *description, Error *error) {
    static const char *const SIDES[2][2] = {{"neither", "right"}, {"left", "both"}};
    Status status = tokenizer_stages_get_bool(json, STAGE, "strip_left", &step->left, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_get_bool(json, STAGE, "strip_right", &step->right, error);
    return status == STATUS_OK
               ? tokenizer_stages_describe(description, "Strip", SIDES[step->left][step->right], NULL, error)
               : status;
}

static Status read_prepend(const cJSON *json, NormalizerStep *step, TokenizerText *description,
                           Error *error) {
    Status status = copy_content(json, "prepend", step, error);
    return status == STATUS_OK ? tokenizer_stages_describe(description, "Prepend", step->content, NULL, error)
                               : status;
}

static Status read_step(const cJSON *json, const char *type, NormalizerStep *step, TokenizerText *description,
                        Error *error) {
    static const struct {
        const char *name;
        NormalizerKind kind;
        Status (*read)(const cJSON *json, NormalizerStep *step, TokenizerText *description, Error *error);
    } TYPES[] = {
        {"Prepend", NORMALIZER_PREPEND, read_prepend},       {"Replace", NORMALIZER_REPLACE, read_replace},
        {"Precompiled", NORMALIZER_CHARSMAP, read_charsmap}, {"Strip", NORMALIZER_STRIP, read_strip},
        {"StripAccents", NORMALIZER_STRIP_ACCENTS, NULL},    {"Lowercase", NORMALIZER_LOWERCASE, NULL}};
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (strcmp(type, FORMS[i].name) != 0) continue;
        step->kind = NORMALIZER_UNICODE;
        step->compatible = FORMS[i].compatible;
        step->composed = FORMS[i].composed;
        return tokenizer_stages_describe(description, type, NULL, NULL, error);
    }
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(type, TYPES[i].name) != 0) continue;
        step->kind = TYPES[i].kind;
        return TYPES[i].read != NULL ? TYPES[i].read(json, step, description, error)
                                     : tokenizer_stages_describe(description, type, NULL, NULL, error);
    }
    return tokenizer_stages_refuse(STAGE, type, error);
}

static Status add_step(void *made, const cJSON *json, const char *type, TokenizerText *description,
                       Error *error) {
    Normalizer *normalizer = made;
    Status status = MEMORY_RESERVE(normalizer->steps, &normalizer->capacity, normalizer->count + 1, error);
    if (status != STATUS_OK) return status;
    NormalizerStep *step = &normalizer->steps[normalizer->count++];
    *step = (NormalizerStep){0};
    return read_step(json, type, step, description, error);
}

static const StageReading READING = {STAGE, "normalizers", add_step};

Status tokenizer_normalizer_read(const cJSON *json, Normalizer *normalizer, TokenizerText *description,
                                 Error *error) {
    return json == NULL ? STATUS_OK : tokenizer_stages_read(&READING, json, normalizer, description, error);
}

void tokenizer_normalizer_free(Normalizer *normalizer) {
    for (size_t i = 0; i < normalizer->count; i++) {
        free(normalizer->steps[i].content);
        tokenizer_stages_free_pattern(&normalizer->steps[i].pattern);
        tokenizer_charsmap_free(&normalizer->steps[i].charsmap);
    }
    free(normalizer->steps);
    *normalizer = (Normalizer){0};
}
