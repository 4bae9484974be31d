#define PCRE2_CODE_UNIT_WIDTH 8
#include "tests/screens/screen_masks.h"

#include "core/support/memory.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct ScreenMask {
    pcre2_code *code;
    bool to_end;
} ScreenMask;

Status screen_masks_add(ScreenMasks *masks, const char *expression, bool to_end, Error *error) {
    int number;
    PCRE2_SIZE offset;
    Status status = MEMORY_RESERVE(masks->items, &masks->capacity, masks->count + 1, error);
    if (status != STATUS_OK) return status;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                                     &number, &offset, NULL);
    if (code == NULL) {
        PCRE2_UCHAR text[200];
        (void)pcre2_get_error_message(number, text, sizeof text); /* cut off at worst */
        return status_fail(error, STATUS_FORMAT, "mask '%s': %s", expression, (const char *)text);
    }
    masks->items[masks->count++] = (ScreenMask){.code = code, .to_end = to_end};
    return STATUS_OK;
}

static size_t columns_of(const char *text, size_t bytes) {
    size_t columns = 0;
    while (bytes > 0) {
        utf8proc_int32_t character;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, &character);
        if (used <= 0) return columns + bytes;
        columns += (size_t)utf8proc_charwidth(character);
        text += used;
        bytes -= (size_t)used;
    }
    return columns;
}

/* Where the mask matches `line` at or after `from`, and is not empty. */
static bool find_match(const ScreenMask *mask, pcre2_match_data *data, const char *line, size_t from,
                       size_t *begin, size_t *end) {
    int matched = pcre2_match(mask->code, (PCRE2_SPTR)line, strlen(line), from, PCRE2_NOTEMPTY, data, NULL);
    if (matched <= 0) return false;
    const PCRE2_SIZE *limits = pcre2_get_ovector_pointer(data);
    *begin = limits[0];
    *end = limits[1];
    return true;
}

/* One mask on one line; `line` is freed. No mask makes a line longer than it was. */
static char *apply_mask(const ScreenMask *mask, char *line) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(mask->code, NULL);
    char *masked = memory_allocate(strlen(line) + 1, 1);
    size_t read = 0, written = 0, begin, end;
    while (data != NULL && masked != NULL && find_match(mask, data, line, read, &begin, &end)) {
        memcpy(masked + written, line + read, begin - read);
        written += begin - read;
        size_t columns = mask->to_end ? 1 : columns_of(line + begin, end - begin);
        memset(masked + written, '~', columns);
        written += columns;
        read = mask->to_end ? strlen(line) : end;
    }
    if (masked != NULL) (void)strcpy(masked + written, line + read);
    bool complete = data != NULL;
    pcre2_match_data_free(data);
    free(line);
    if (!complete) free(masked);
    return complete ? masked : NULL;
}

char *screen_masks_apply(const ScreenMasks *masks, const char *line) {
    char *masked = memory_copy_text(line, strlen(line));
    for (size_t i = 0; i < masks->count && masked != NULL; i++) masked = apply_mask(&masks->items[i], masked);
    return masked;
}

void screen_masks_free(ScreenMasks *masks) {
    for (size_t i = 0; i < masks->count; i++) pcre2_code_free(masks->items[i].code);
    free(masks->items);
    *masks = (ScreenMasks){0};
}
