#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_stages.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char STAGE[] = "pre_tokenizer";

static const char GPT2_EXPRESSION[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static const char *const BEHAVIORS[] = {[SPLIT_REMOVED] = "Removed",
                                        [SPLIT_ISOLATED] = "Isolated",
                                        [SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                        [SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
                                        [SPLIT_CONTIGUOUS] = "Contiguous"};

static const char *const PREPENDS[] = {
    [SPLIT_PREPEND_ALWAYS] = "always", [SPLIT_PREPEND_FIRST] = "first", [SPLIT_PREPEND_NEVER] = "never"};

/* ---- cutting ----
 *
 * A text falls into spans that are matches and spans between them. The behaviour says what becomes of them:
 *
 *     the-final--countdown, on "-"      Removed             the final countdown
 *                                       Isolated            the - final - - countdown
 *                                       MergedWithPrevious  the- final- - countdown
 *                                       MergedWithNext      the -final - -countdown
 *                                       Contiguous          the - final -- countdown
 */

typedef struct Cutter {
    const SplitStep *step;
    Stretch whole;
    Stretches *out;
    bool was_match; /* of the span before */
    bool has_open;  /* there is a span to grow: */
    size_t begin, end;
} Cutter;

static Status close_span(Cutter *cutter, Error *error) {
    if (!cutter->has_open) return STATUS_OK;
    cutter->has_open = false;
    Stretch span =
        tokenizer_text_part(cutter->whole, cutter->begin, cutter->end - cutter->begin, TOKENIZER_NO_ID);
    return tokenizer_text_add_stretch(cutter->out, span, error);
}

/* Whether the span joins the one before instead of opening a new one. */
static bool joins(const Cutter *cutter, bool is_match) {
    if (!cutter->has_open) return false;
    switch (cutter->step->behavior) {
    case SPLIT_MERGED_WITH_PREVIOUS:
        return is_match && !cutter->was_match;
    case SPLIT_MERGED_WITH_NEXT: /* seen from the match: what follows is no match, and nothing waits between
                                  */
        return !is_match && cutter->was_match;
    case SPLIT_CONTIGUOUS:
        return is_match == cutter->was_match;
    case SPLIT_REMOVED:
    case SPLIT_ISOLATED:
        break;
    }
    return false;
}

static Status add_span(Cutter *cutter, size_t begin, size_t end, bool is_match, Error *error) {
    Status status = STATUS_OK;
    if (cutter->step->invert) is_match = !is_match;
    if (joins(cutter, is_match)) {
        cutter->end = end;
    } else {
        status = close_span(cutter, error);
        cutter->has_open = !(is_match && cutter->step->behavior == SPLIT_REMOVED);
        cutter->begin = begin;
        cutter->end = end;
    }
    cutter->was_match = is_match;
    return status;
}

/* The next match at or after *from. An empty one right behind the match before does not count. */
static Status find_match(const TokenizerPattern *pattern, RegexScratch *scratch, const char *text,
                         size_t bytes, size_t after, bool *found, size_t *begin, size_t *end, Error *error) {
    size_t from = after;
    for (;;) {
        Status status = tokenizer_stages_find(pattern, scratch, text, bytes, from, found, begin, end, error);
        if (status != STATUS_OK || !*found || *begin != *end || *begin != after) return status;
        *found = false;
        if (from >= bytes) return STATUS_OK;
        uint32_t ignored;
        from += tokenizer_text_read(text + from, &ignored);
    }
}

static Status cut_at_pattern(Cutter *cutter, RegexScratch *scratch, const char *text, size_t bytes,
                             Error *error) {
    const TokenizerPattern *pattern = &cutter->step->pattern;
    size_t at = 0, begin, end;
    bool found, any = false;
    for (;;) {
        Status status =
            any ? find_match(pattern, scratch, text, bytes, at, &found, &begin, &end, error)
                : tokenizer_stages_find(pattern, scratch, text, bytes, at, &found, &begin, &end, error);
        if (status != STATUS_OK) return status;
        if (!found) break;
        if (begin > at) status = add_span(cutter, at, begin, false, error);
        if (status == STATUS_OK) status = add_span(cutter, begin, end, true, error);
        if (status != STATUS_OK) return status;
        at = end;
        any = true;
    }
    return at < bytes ? add_span(cutter, at, bytes, false, error) : STATUS_OK;
}

static bool is_number(uint32_t c) {
    if (c < 0x80) return c >= '0' && c <= '9';
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
           category == UTF8PROC_CATEGORY_NO;
}

static bool is_punctuation(uint32_t c) {
    if (c < 0x80) return c > ' ' && c < 0x7F && !isalnum((int)c);
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/* Each such character is a match. */
static Status cut_at_characters(Cutter *cutter, bool (*is_match)(uint32_t c), const char *text, size_t bytes,
                                Error *error) {
    size_t open = 0;
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK;) {
        uint32_t c;
        size_t next = at + tokenizer_text_read(text + at, &c);
        if (is_match(c)) {
            if (open < at) status = add_span(cutter, open, at, false, error);
            if (status == STATUS_OK) status = add_span(cutter, at, next, true, error);
            open = next;
        }
        at = next;
    }
    return status == STATUS_OK && open < bytes ? add_span(cutter, open, bytes, false, error) : status;
}

static Status cut(const SplitStep *step, RegexScratch *scratch, const TokenizerText *text, Stretch whole,
                  Stretches *out, Error *error) {
    Cutter cutter = {.step = step, .whole = whole, .out = out};
    const char *bytes = text->text + whole.begin;
    bool (*is_match)(uint32_t c) = step->kind == SPLIT_DIGITS        ? is_number
                                   : step->kind == SPLIT_SPACES      ? tokenizer_text_is_space
                                   : step->kind == SPLIT_PUNCTUATION ? is_punctuation
                                                                     : NULL;
    Status status = is_match != NULL ? cut_at_characters(&cutter, is_match, bytes, whole.bytes, error)
                                     : cut_at_pattern(&cutter, scratch, bytes, whole.bytes, error);
    return status == STATUS_OK ? close_span(&cutter, error) : status;
}

/* ---- rewriting ---- */

static Status spell_in_alphabet(TokenizerText *out, const char *text, size_t bytes, Error *error) {
    enum { PIECE = 128 };
    char spelled[2 * PIECE]; /* its characters take one byte or two */
    Status status = STATUS_OK;
    for (size_t at = 0; at < bytes && status == STATUS_OK; at += PIECE) {
        size_t count = bytes - at < PIECE ? bytes - at : PIECE, used = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t c = tokenizer_alphabet_character((unsigned char)text[at + i]);
            if (c >= 0x80) spelled[used++] = (char)(0xC0 | c >> 6);
            spelled[used++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3F) : c);
        }
        status = tokenizer_text_append(out, spelled, used, error);
    }
    return status;
}

/* What a rewriting makes of text behind what it puts before it: how many bytes. */
typedef size_t (*Measure)(const SplitStep *step, const char *text, size_t bytes);

static size_t measure_metaspace(const SplitStep *step, const char *text, size_t bytes) {
    size_t made = bytes;
    for (size_t i = 0; i < bytes; i++) made += text[i] == ' ' ? step->pattern.bytes - 1 : 0;
    return made;
}

static size_t measure_same(const SplitStep *step, const char *text, size_t bytes) {
    (void)step;
    (void)text;
    return bytes;
}

static size_t measure_alphabet(const SplitStep *step, const char *text, size_t bytes) {
    size_t made = bytes;
    (void)step;
    for (size_t i = 0; i < bytes; i++)
        made += tokenizer_alphabet_character((unsigned char)text[i]) < 0x80 ? 0 : 1;
    return made;
}

static Status rewrite_metaspace(const SplitStep *step, Stretch from, const char *text, TokenizerText *out,
                                Error *error) {
    static const TokenizerPattern SPACE = {.literal = " ", .bytes = 1};
    const TokenizerPattern *mark = &step->pattern;
    bool marked =
        text[0] == ' ' || (from.bytes >= mark->bytes && memcmp(text, mark->literal, mark->bytes) == 0);
    Status status = STATUS_OK;
    if (!marked &&
        (step->prepend == SPLIT_PREPEND_ALWAYS || (step->prepend == SPLIT_PREPEND_FIRST && from.first > 0)))
        status = tokenizer_text_append(out, mark->literal, mark->bytes, error);
    return status == STATUS_OK ? tokenizer_stages_replace(&SPACE, NULL, text, from.bytes, mark->literal, out,
                                                          &(TextMarks){0}, error)
                               : status;
}

typedef Status (*Rewrite)(const SplitStep *step, Stretch from, const char *text, TokenizerText *out,
                          Error *error);

static Status rewrite_prefix_space(const SplitStep *step, Stretch from, const char *text, TokenizerText *out,
                                   Error *error) {
    Status status = STATUS_OK;
    if (step->prefix_space && text[0] != ' ') status = tokenizer_text_append(out, " ", 1, error);
    return status == STATUS_OK ? tokenizer_text_append(out, text, from.bytes, error) : status;
}

static Status rewrite_bytes(const SplitStep *step, Stretch from, const char *text, TokenizerText *out,
                            Error *error) {
    (void)step; /* the alphabet has no options */
    return spell_in_alphabet(out, text, from.bytes, error);
}

/* Marks within a stretch that has been rewritten. What was put before its first character goes with that. */
static void move_marks(const SplitStep *step, Measure measure, const char *text, Stretch from, Stretch to,
                       TextMarks *marks) {
    tokenizer_text_hold_marks(marks, from.begin + 1, to.begin); /* cut out before it, or at its beginning */
    if (from.id != TOKENIZER_NO_ID) tokenizer_text_hold_marks(marks, from.begin + from.bytes, to.begin);
    if (marks->next >= marks->count || marks->at[marks->next] > from.begin + from.bytes) return;
    if (from.id != TOKENIZER_NO_ID) {
        tokenizer_text_hold_marks(marks, from.begin + from.bytes + 1, to.begin + to.bytes);
        return;
    }
    size_t at = to.begin + to.bytes - measure(step, text + from.begin, from.bytes), read = from.begin;
    for (; marks->next < marks->count && marks->at[marks->next] <= from.begin + from.bytes; marks->next++) {
        size_t mark = marks->at[marks->next];
        at += measure(step, text + read, mark - read);
        read = mark;
        marks->at[marks->next] = at;
    }
}

/* Rewrites every stretch that is text; the others need a byte, so that marks before and behind them differ. */
static Status rewrite(const SplitStep *step, Rewrite function, Measure measure, Stretches *stretches,
                      Stretches *spare, TextMarks *marks, Error *error) {
    spare->count = spare->text.bytes = marks->next = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < stretches->count && status == STATUS_OK; i++) {
        Stretch from = stretches->items[i], to = from;
        to.begin = spare->text.bytes;
        status = from.id == TOKENIZER_NO_ID
                     ? function(step, from, stretches->text.text + from.begin, &spare->text, error)
                     : tokenizer_text_append(&spare->text, "", 1, error);
        to.bytes = spare->text.bytes - to.begin;
        move_marks(step, measure, stretches->text.text, from, to, marks);
        if (status == STATUS_OK) status = tokenizer_text_add_stretch(spare, to, error);
    }
    tokenizer_text_hold_marks(marks, SIZE_MAX, spare->text.bytes);
    Stretches swapped = *stretches;
    *stretches = *spare;
    *spare = swapped;
    return status;
}

/* Cuts every stretch that is text; the text itself stays. */
static Status cut_all(const SplitStep *step, RegexScratch *scratch, Stretches *stretches, Stretches *spare,
                      Error *error) {
    spare->count = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < stretches->count && status == STATUS_OK; i++) {
        Stretch from = stretches->items[i];
        status = from.id == TOKENIZER_NO_ID ? cut(step, scratch, &stretches->text, from, spare, error)
                                            : tokenizer_text_add_stretch(spare, from, error);
    }
    Stretches swapped = *stretches;
    *stretches = *spare;
    *spare = swapped;
    TokenizerText text = spare->text;
    spare->text = stretches->text;
    stretches->text = text;
    return status;
}

static Status apply_step(const SplitStep *step, RegexScratch *scratch, Stretches *stretches, Stretches *spare,
                         TextMarks *marks, Error *error) {
    Status status = STATUS_OK;
    switch (step->kind) {
    case SPLIT_PATTERN:
    case SPLIT_DIGITS:
    case SPLIT_SPACES:
    case SPLIT_PUNCTUATION:
        return cut_all(step, scratch, stretches, spare, error);
    case SPLIT_METASPACE:
        status = rewrite(step, rewrite_metaspace, measure_metaspace, stretches, spare, marks, error);
        return status == STATUS_OK && step->cuts ? cut_all(step, scratch, stretches, spare, error) : status;
    case SPLIT_BYTE_LEVEL:
        if (step->prefix_space)
            status = rewrite(step, rewrite_prefix_space, measure_same, stretches, spare, marks, error);
        if (status == STATUS_OK && step->cuts) status = cut_all(step, scratch, stretches, spare, error);
        return status == STATUS_OK
                   ? rewrite(step, rewrite_bytes, measure_alphabet, stretches, spare, marks, error)
                   : status;
    }
    return status;
}

Status tokenizer_split_apply(const Splitter *splitter, RegexScratch *scratch, Stretches *stretches,
                             Stretches *spare, TextMarks *marks, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < splitter->count && status == STATUS_OK; i++)
        status = apply_step(&splitter->steps[i], scratch, stretches, spare, marks, error);
    return status;
}

bool tokenizer_split_is_byte_level(const Splitter *splitter) {
    for (size_t i = 0; i < splitter->count; i++) {
        if (splitter->steps[i].kind == SPLIT_BYTE_LEVEL) return true;
    }
    return false;
}

bool tokenizer_split_asks_first(const Splitter *splitter) {
    for (size_t i = 0; i < splitter->count; i++) {
        const SplitStep *step = &splitter->steps[i];
        if (step->kind == SPLIT_METASPACE && step->prepend == SPLIT_PREPEND_FIRST) return true;
    }
    return false;
}

/* ---- reading ---- */

/* The index of `name` in a list of names; false, with an error, where it is not there. */
static bool find_name(const char *const *names, size_t count, const char *name, const char *key,
                      size_t *index, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    for (*index = 0; *index < count; (*index)++) {
        if (strcmp(names[*index], name) == 0) return true;
    }
    (void)status_fail(error, STATUS_UNSUPPORTED, "pre_tokenizer %s %s is not supported", key,
                      tokenizer_text_quote(quote, name, strlen(name)));
    return false;
}

static Status read_split(const cJSON *json, SplitStep *step, TokenizerText *description, Error *error) {
    const char *behavior;
    size_t index;
    step->kind = SPLIT_PATTERN;
    Status status = tokenizer_stages_get_string(json, STAGE, "behavior", &behavior, error);
    if (status == STATUS_OK) status = tokenizer_stages_get_bool(json, STAGE, "invert", &step->invert, error);
    if (status != STATUS_OK) return status;
    if (!find_name(BEHAVIORS, sizeof BEHAVIORS / sizeof *BEHAVIORS, behavior, "behavior", &index, error))
        return STATUS_UNSUPPORTED;
    step->behavior = (SplitBehavior)index;
    status = tokenizer_stages_describe(description, step->invert ? "Split between" : "Split at", behavior,
                                       NULL, error);
    return status == STATUS_OK
               ? tokenizer_stages_read_pattern(json, STAGE, &step->pattern, description, error)
               : status;
}

static Status read_digits(const cJSON *json, SplitStep *step, TokenizerText *description, Error *error) {
    bool single = false;
    step->kind = SPLIT_DIGITS;
    Status status = tokenizer_stages_get_bool(json, STAGE, "individual_digits", &single, error);
    step->behavior = single ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS;
    return status == STATUS_OK
               ? tokenizer_stages_describe(description, "Digits", BEHAVIORS[step->behavior], NULL, error)
               : status;
}

static Status read_punctuation(const cJSON *json, SplitStep *step, TokenizerText *description, Error *error) {
    const char *behavior = json_get_text(json, "behavior", "Isolated");
    size_t index;
    if (!find_name(BEHAVIORS, sizeof BEHAVIORS / sizeof *BEHAVIORS, behavior, "behavior", &index, error))
        return STATUS_UNSUPPORTED;
    step->kind = SPLIT_PUNCTUATION;
    step->behavior = (SplitBehavior)index;
    return tokenizer_stages_describe(description, "Punctuation", behavior, NULL, error);
}

static Status read_byte_level(const cJSON *json, SplitStep *step, TokenizerText *description, Error *error) {
    step->kind = SPLIT_BYTE_LEVEL;
    step->behavior = SPLIT_ISOLATED;
    step->cuts = true; /* files older than `use_regex` */
    Status status = tokenizer_stages_get_bool(json, STAGE, "add_prefix_space", &step->prefix_space, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_get_option(json, STAGE, "use_regex", &step->cuts, error);
    if (status == STATUS_OK && step->cuts)
        status =
            tokenizer_regex_compile(GPT2_EXPRESSION, strlen(GPT2_EXPRESSION), &step->pattern.regex, error);
    if (status != STATUS_OK) return status;
    return tokenizer_stages_describe(description, "ByteLevel", step->cuts ? "cut" : "whole",
                                     step->prefix_space ? "prefix space" : NULL, error);
}

/* `first` looks at where a stretch began in the raw text. That is only known for sure while no pre-tokenizer before it
 * has moved text: other pipelines are refused rather than guessed. */
static bool may_prepend_first(const Splitter *splitter) {
    for (size_t i = 0; i + 1 < splitter->count; i++) {
        SplitKind kind = splitter->steps[i].kind;
        if (kind == SPLIT_METASPACE || kind == SPLIT_BYTE_LEVEL) return false;
    }
    return true;
}

static Status read_metaspace(const cJSON *json, const Splitter *splitter, SplitStep *step,
                             TokenizerText *description, Error *error) {
    const char *mark, *prepend = "always";
    size_t index;
    uint32_t ignored;
    bool prefix = true;
    step->kind = SPLIT_METASPACE;
    step->behavior = SPLIT_MERGED_WITH_NEXT;
    step->cuts = true;
    Status status = tokenizer_stages_get_string(json, STAGE, "replacement", &mark, error);
    if (status == STATUS_OK && json_find(json, "prepend_scheme") != NULL)
        status = tokenizer_stages_get_string(json, STAGE, "prepend_scheme", &prepend, error);
    if (status == STATUS_OK) status = tokenizer_stages_get_option(json, STAGE, "split", &step->cuts, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_get_option(json, STAGE, "add_prefix_space", &prefix, error);
    if (status != STATUS_OK) return status;
    if (mark[0] == '\0' || mark[tokenizer_text_read(mark, &ignored)] != '\0')
        return status_fail(error, STATUS_FORMAT,
                           "pre_tokenizer Metaspace: expected one character for replacement");
    if (!find_name(PREPENDS, sizeof PREPENDS / sizeof *PREPENDS, prepend, "prepend_scheme", &index, error))
        return STATUS_UNSUPPORTED;
    step->prepend = (SplitPrepend)index;
    if (!prefix && step->prepend != SPLIT_PREPEND_NEVER)
        return status_fail(error, STATUS_FORMAT,
                           "pre_tokenizer Metaspace: add_prefix_space contradicts prepend_scheme");
    if (step->prepend == SPLIT_PREPEND_FIRST && !may_prepend_first(splitter))
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "pre_tokenizer Metaspace with prepend_scheme \"first\" after a pre-tokenizer that moves "
            "text is not supported");
    step->pattern.bytes = strlen(mark);
    step->pattern.literal = memory_copy_text(mark, step->pattern.bytes);
    if (step->pattern.literal == NULL) return memory_fail(error, STAGE);
    status = tokenizer_stages_describe(description, step->cuts ? "Metaspace cut" : "Metaspace whole", mark,
                                       prepend, error);
    return status;
}

static Status add_step(void *made, const cJSON *json, const char *type, TokenizerText *description,
                       Error *error) {
    Splitter *splitter = made;
    Status status = MEMORY_RESERVE(splitter->steps, &splitter->capacity, splitter->count + 1, error);
    if (status != STATUS_OK) return status;
    SplitStep *step = &splitter->steps[splitter->count++];
    *step = (SplitStep){0};
    if (strcmp(type, "Split") == 0) return read_split(json, step, description, error);
    if (strcmp(type, "Digits") == 0) return read_digits(json, step, description, error);
    if (strcmp(type, "ByteLevel") == 0) return read_byte_level(json, step, description, error);
    if (strcmp(type, "Metaspace") == 0) return read_metaspace(json, splitter, step, description, error);
    if (strcmp(type, "Punctuation") == 0) return read_punctuation(json, step, description, error);
    if (strcmp(type, "WhitespaceSplit") == 0) {
        step->kind = SPLIT_SPACES;
        step->behavior = SPLIT_REMOVED;
        return tokenizer_stages_describe(description, type, NULL, NULL, error);
    }
    return tokenizer_stages_refuse(STAGE, type, error);
}

static const StageReading READING = {STAGE, "pretokenizers", add_step};

Status tokenizer_split_read(const cJSON *json, Splitter *splitter, TokenizerText *description, Error *error) {
    return json == NULL ? STATUS_OK : tokenizer_stages_read(&READING, json, splitter, description, error);
}

void tokenizer_split_free(Splitter *splitter) {
    for (size_t i = 0; i < splitter->count; i++) tokenizer_stages_free_pattern(&splitter->steps[i].pattern);
    free(splitter->steps);
    *splitter = (Splitter){0};
}
