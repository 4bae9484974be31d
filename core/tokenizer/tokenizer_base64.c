#include "core/tokenizer/tokenizer_base64.h"

#include "core/support/memory.h"

#include <stdint.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *tokenizer_base64_encode(const unsigned char *bytes, size_t count) {
    char *text = memory_allocate(count / 3 + 1, 4 + 1); /* more than the four that three bytes take */
    size_t used = 0;
    for (size_t at = 0; text != NULL && at < count; at += 3) {
        size_t left = count - at;
        uint32_t group = (uint32_t)bytes[at] << 16 | (left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0) |
                         (left > 2 ? bytes[at + 2] : 0);
        for (size_t i = 0; i < 4; i++) text[used++] = i <= left ? DIGITS[group >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

static int digit_of(char c) {
    const char *found = c == '\0' ? NULL : strchr(DIGITS, c);
    return found == NULL ? -1 : (int)(found - DIGITS);
}

Status tokenizer_base64_decode(const char *base64, TokenizerText *bytes, Error *error) {
    size_t length = strlen(base64), digits = length;
    while (digits > 0 && length - digits < 2 && base64[digits - 1] == '=') digits--;
    Status status = length % 4 == 0 ? STATUS_OK : STATUS_FORMAT;
    for (size_t at = 0; at < digits && status == STATUS_OK; at += 4) {
        uint32_t group = 0;
        size_t here = digits - at < 4 ? digits - at : 4;
        for (size_t i = 0; i < 4; i++) {
            int digit = i < here ? digit_of(base64[at + i]) : 0;
            if (digit < 0) status = STATUS_FORMAT;
            group = group << 6 | (uint32_t)(digit & 63);
        }
        const char three[3] = {(char)(group >> 16 & 0xFF), (char)(group >> 8 & 0xFF), (char)(group & 0xFF)};
        if (status == STATUS_OK) status = tokenizer_text_append(bytes, three, here - 1, error);
    }
    return status == STATUS_FORMAT ? status_fail(error, status, "expected base64") : status;
}
