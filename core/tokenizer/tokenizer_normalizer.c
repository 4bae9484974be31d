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

static Status normalize_unicode(const NormalizerStep *step, const TokenizerText *text, TokenizerText *out,
                                Error *error) {
    if (is_ascii(text->text, text->bytes)) return tokenizer_text_append(out, text->text, text->bytes, error);
    CodePoints points = {0};
    Status status = decompose(text->text, text->bytes, step->compatible, &points, error);
    if (status == STATUS_OK) status = order_marks(&points, error);
    if (status == STATUS_OK && step->composed) status = compose(&points, error);
    for (size_t i = 0; i < points.count && status == STATUS_OK; i++)
        status = tokenizer_text_append_character(out, (uint32_t)points.items[i], error);
    free(points.items);
    return status;
}

/* ---- applying ---- */

static Status apply_step(const NormalizerStep *step, RegexScratch *scratch, const TokenizerText *text,
                         TokenizerText *out, Error *error) {
    switch (step->kind) {
    case NORMALIZER_UNICODE:
        return normalize_unicode(step, text, out, error);
    case NORMALIZER_PREPEND: {
        Status status = tokenizer_text_append_string(out, step->content, error);
        return status == STATUS_OK ? tokenizer_text_append(out, text->text, text->bytes, error) : status;
    }
    case NORMALIZER_REPLACE:
        return tokenizer_stages_replace(&step->pattern, scratch, text->text, text->bytes, step->content, out,
                                        error);
    }
    return STATUS_OK;
}

Status tokenizer_normalizer_apply(const Normalizer *normalizer, RegexScratch *scratch, TokenizerText *text,
                                  Error *error) {
    TokenizerText out = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < normalizer->count && status == STATUS_OK && text->bytes > 0; i++) {
        out.bytes = 0;
        status = apply_step(&normalizer->steps[i], scratch, text, &out, error);
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

static Status read_replace(const cJSON *json, NormalizerStep *step, TokenizerText *description,
                           Error *error) {
    Status status = copy_content(json, "content", step, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_describe(description, "Replace", step->content, NULL, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_read_pattern(json, STAGE, &step->pattern, description, error);
    if (status == STATUS_OK && step->pattern.regex != NULL && strchr(step->content, '$') != NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "normalizer Replace with groups ($) is not supported");
    if (status == STATUS_OK && step->pattern.regex != NULL &&
        tokenizer_regex_matches_nothing(step->pattern.regex))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "normalizer Replace with a Regex that can match nothing is not supported");
    return status;
}

static Status read_step(const cJSON *json, const char *type, NormalizerStep *step, TokenizerText *description,
                        Error *error) {
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (strcmp(type, FORMS[i].name) != 0) continue;
        step->kind = NORMALIZER_UNICODE;
        step->compatible = FORMS[i].compatible;
        step->composed = FORMS[i].composed;
        return tokenizer_stages_describe(description, type, NULL, NULL, error);
    }
    if (strcmp(type, "Prepend") == 0) {
        step->kind = NORMALIZER_PREPEND;
        Status status = copy_content(json, "prepend", step, error);
        return status == STATUS_OK ? tokenizer_stages_describe(description, type, step->content, NULL, error)
                                   : status;
    }
    step->kind = NORMALIZER_REPLACE;
    return strcmp(type, "Replace") == 0 ? read_replace(json, step, description, error)
                                        : tokenizer_stages_refuse(STAGE, type, error);
}

static Status read_steps(const cJSON *json, Normalizer *normalizer, unsigned depth,
                         TokenizerText *description, Error *error) {
    const char *type = tokenizer_stages_type(json, STAGE, error);
    if (type == NULL) return STATUS_FORMAT;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *steps;
        Status status = tokenizer_stages_get_steps(json, STAGE, "normalizers", depth, &steps, error);
        for (const cJSON *step = status == STATUS_OK ? steps->child : NULL;
             step != NULL && status == STATUS_OK; step = step->next)
            status = read_steps(step, normalizer, depth + 1, description, error);
        return status;
    }
    Status status = MEMORY_RESERVE(normalizer->steps, &normalizer->capacity, normalizer->count + 1, error);
    if (status != STATUS_OK) return status;
    NormalizerStep *step = &normalizer->steps[normalizer->count++];
    *step = (NormalizerStep){0};
    return read_step(json, type, step, description, error);
}

Status tokenizer_normalizer_read(const cJSON *json, Normalizer *normalizer, TokenizerText *description,
                                 Error *error) {
    return json == NULL ? STATUS_OK : read_steps(json, normalizer, 0, description, error);
}

void tokenizer_normalizer_free(Normalizer *normalizer) {
    for (size_t i = 0; i < normalizer->count; i++) {
        free(normalizer->steps[i].content);
        tokenizer_stages_free_pattern(&normalizer->steps[i].pattern);
    }
    free(normalizer->steps);
    *normalizer = (Normalizer){0};
}
