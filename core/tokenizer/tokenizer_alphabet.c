#include "core/tokenizer/tokenizer_stages.h"

/* GPT-2's alphabet: the printable bytes of Latin-1 stand for themselves, the others, in order, for U+0100,
 * U+0101, …
 *
 *     bytes       00…20     21…7E   7F…A0       A1…AC   AD      AE…FF
 *     characters  100…120   21…7E   121…142     A1…AC   143     AE…FF
 */
enum { FIRST_MOVED = 0x100, CONTROLS = 0x21, SECOND_START = 0x7F, SECOND = 0x22, SOFT_HYPHEN = 0xAD };

uint32_t tokenizer_alphabet_character(unsigned char byte) {
    if (byte < CONTROLS) return (uint32_t)FIRST_MOVED + byte;
    if (byte >= SECOND_START && byte < SECOND_START + SECOND)
        return (uint32_t)(FIRST_MOVED + CONTROLS + byte - SECOND_START);
    if (byte == SOFT_HYPHEN) return FIRST_MOVED + CONTROLS + SECOND;
    return byte;
}

int tokenizer_alphabet_byte(uint32_t character) {
    if (character >= ALPHABET_CHARACTERS) return -1;
    if (character >= FIRST_MOVED) {
        uint32_t moved = character - FIRST_MOVED;
        if (moved < CONTROLS) return (int)moved;
        return moved < CONTROLS + SECOND ? (int)(moved - CONTROLS + SECOND_START) : SOFT_HYPHEN;
    }
    return tokenizer_alphabet_character((unsigned char)character) == character ? (int)character : -1;
}

Status tokenizer_alphabet_undo(const char *text, size_t bytes, TokenizerText *out, bool *spelled,
                               Error *error) {
    size_t before = out->bytes;
    *spelled = true;
    for (size_t at = 0; at < bytes;) {
        uint32_t character;
        at += tokenizer_text_read(text + at, &character);
        int byte = tokenizer_alphabet_byte(character);
        if (byte < 0) {
            out->bytes = before;
            *spelled = false;
            return STATUS_OK;
        }
        char written = (char)byte;
        Status status = tokenizer_text_append(out, &written, 1, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}
