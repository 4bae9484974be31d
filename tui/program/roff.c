#include "tui/program/roff.h"

#include "tui/text/text.h"

#include <stdbool.h>
#include <string.h>

void roff_write_text(FILE *file, const char *text, size_t bytes) {
    bool at_start = true;
    for (size_t i = 0; i < bytes; i++) {
        if (at_start && (text[i] == '.' || text[i] == '\'')) (void)fputs("\\&", file);
        if (text[i] == '\\')
            (void)fputs("\\e", file);
        else if (text[i] == '-')
            (void)fputs("\\-", file);
        else
            (void)putc(text[i], file);
        at_start = text[i] == '\n';
    }
}

void roff_write_line(FILE *file, const char *text) {
    roff_write_text(file, text, strlen(text));
    (void)putc('\n', file);
}

void roff_write_section(FILE *file, const char *title) {
    (void)fprintf(file, ".SH %s\n", title);
}

void roff_write_spellings(FILE *file) {
    enum { BEYOND_ASCII = 0x80, BEYOND_SYMBOLS = 0x3000 };
    for (int32_t character = BEYOND_ASCII; character < BEYOND_SYMBOLS; character++) {
        const char *spelling = text_spelling(character);
        if (spelling == NULL) continue;
        (void)fprintf(file, ".fchar \\[u%04X] ", (unsigned)character);
        roff_write_line(file, spelling);
    }
}
