#include "core/tokenizer/tokenizer_stages.h"
#include "core/tokenizer/tokenizer_transform.h"

#include <utf8proc.h>

enum { CAPITAL_I_WITH_DOT = 0x130, DOT_ABOVE = 0x307 };

/* ---- Strip ---- */

static bool is_stripped(const NormalizerStep *step, uint32_t c) {
    return step->is_of_blanks ? c == ' ' : tokenizer_text_is_space(c);
}

static size_t find_first_kept(const NormalizerStep *step, const TokenizerText *text) {
    size_t at = 0;
    while (at < text->bytes) {
        uint32_t c;
        size_t taken = tokenizer_text_read(text->text + at, &c);
        if (!is_stripped(step, c)) break;
        at += taken;
    }
    return at;
}

static size_t find_last_kept(const NormalizerStep *step, const TokenizerText *text, size_t least) {
    size_t end = text->bytes;
    while (end > least) {
        uint32_t c;
        size_t before = end - 1;
        while (before > least && ((unsigned char)text->text[before] & 0xC0) == 0x80) before--;
        (void)tokenizer_text_read(text->text + before, &c);
        if (!is_stripped(step, c)) break;
        end = before;
    }
    return end;
}

Status tokenizer_filters_strip(const NormalizerStep *step, const TokenizerText *text, TokenizerText *out,
                               TextMarks *marks, Error *error) {
    size_t begin = step->left ? find_first_kept(step, text) : 0;
    size_t end = step->right ? find_last_kept(step, text, begin) : text->bytes;
    tokenizer_text_hold_marks(marks, begin, out->bytes);
    tokenizer_text_move_marks(marks, end, begin, out->bytes);
    Status status = tokenizer_text_append(out, text->text + begin, end - begin, error);
    tokenizer_text_hold_marks(marks, SIZE_MAX, out->bytes);
    return status;
}

/* ---- StripAccents ---- */

static bool is_mark(uint32_t c) {
    if (c < 0x80) return false;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/* What is taken out goes with the character before it; at the beginning nothing stands for it. */
Status tokenizer_filters_strip_accents(const TokenizerText *text, TokenizerText *out, TextMarks *marks,
                                       Error *error) {
    Status status = STATUS_OK;
    Transform transform = {0};
    bool has_kept = false; /* a character that waits until the next that stays */
    uint32_t kept = 0, c;
    long removed = 0;
    for (size_t at = 0; at < text->bytes && status == STATUS_OK;) {
        at += tokenizer_text_read(text->text + at, &c);
        if (is_mark(c)) {
            removed++;
            continue;
        }
        if (has_kept)
            status = tokenizer_transform_put(&transform, kept, -removed, error);
        else
            transform = tokenizer_transform_begin(text->text, text->bytes, (size_t)removed, out, marks);
        has_kept = true;
        kept = c;
        removed = 0;
    }
    if (has_kept && status == STATUS_OK) status = tokenizer_transform_put(&transform, kept, -removed, error);
    tokenizer_text_hold_marks(marks, SIZE_MAX, out->bytes);
    return status;
}

/* ---- Lowercase ---- */

Status tokenizer_filters_lowercase(const TokenizerText *text, TokenizerText *out, TextMarks *marks,
                                   Error *error) {
    Transform transform = tokenizer_transform_begin(text->text, text->bytes, 0, out, marks);
    Status status = STATUS_OK;
    for (size_t at = 0; at < text->bytes && status == STATUS_OK;) {
        uint32_t c;
        at += tokenizer_text_read(text->text + at, &c);
        bool is_two = c == CAPITAL_I_WITH_DOT; /* the only letter that becomes two */
        uint32_t small = is_two ? 'i' : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
        status = tokenizer_transform_put(&transform, small, 0, error);
        if (status == STATUS_OK && is_two) status = tokenizer_transform_put(&transform, DOT_ABOVE, 1, error);
    }
    tokenizer_transform_end(&transform);
    return status;
}
