#include "tui/text/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

enum {
    REPLACEMENT = 0xFFFD,
    DOTTED_CIRCLE = 0x25CC,
    MARKS_LIMIT = 4, /* what a curses cell holds besides its base character */
};

size_t text_decode(const char *text, size_t bytes, int32_t *character) {
    utf8proc_ssize_t limit = bytes > 4 ? 4 : (utf8proc_ssize_t)bytes;
    utf8proc_int32_t decoded;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text, limit, &decoded);
    if (used <= 0) {
        *character = -1;
        return 1;
    }
    *character = decoded;
    return (size_t)used;
}

size_t text_encode(int32_t character, char bytes[4]) {
    return (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)bytes);
}

int text_character_width(int32_t character) {
    if (character < 0) return -1;
    if (character >= 0x20 && character < 0x7F) return 1;
    switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF: /* joiners, direction marks, tags: they change what others look like */
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return -1;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
        return 0;
    default:
        break;
    }
    return utf8proc_charwidth(character);
}

/* What may follow a base character without being shown: variation selectors and joiners. */
static bool is_silent(int32_t character) {
    return (character >= 0xFE00 && character <= 0xFE0F) || character == 0x200C || character == 0x200D;
}

static void append(TextCluster *cluster, size_t *used, int32_t character) {
    *used += text_encode(character, cluster->text + *used);
    cluster->text[*used] = '\0';
}

TextCluster text_next(const char *text, size_t bytes) {
    TextCluster cluster = {.width = 1};
    size_t used = 0;
    int32_t character;
    cluster.bytes = text_decode(text, bytes, &character);
    int width = text_character_width(character);
    int marks = 0;
    if (width < 0) {
        append(&cluster, &used, REPLACEMENT);
        return cluster;
    }
    if (width == 0) {
        append(&cluster, &used, DOTTED_CIRCLE);
        if (!is_silent(character)) {
            append(&cluster, &used, character);
            marks = 1;
        }
    } else {
        append(&cluster, &used, character);
        cluster.width = width;
    }
    while (cluster.bytes < bytes) {
        size_t more = text_decode(text + cluster.bytes, bytes - cluster.bytes, &character);
        bool silent = is_silent(character);
        if (!silent && text_character_width(character) != 0) break;
        if (!silent && marks < MARKS_LIMIT) {
            append(&cluster, &used, character);
            marks++;
        }
        cluster.bytes += more;
    }
    return cluster;
}

int text_width(const char *text) {
    int width = 0;
    for (size_t left = strlen(text); left > 0;) {
        TextCluster cluster = text_next(text, left);
        width += cluster.width;
        text += cluster.bytes;
        left -= cluster.bytes;
    }
    return width;
}

size_t text_prefix(const char *text, int columns) {
    size_t length = strlen(text), at = 0;
    while (at < length) {
        TextCluster cluster = text_next(text + at, length - at);
        if (cluster.width > columns) break;
        columns -= cluster.width;
        at += cluster.bytes;
    }
    return at;
}

/* The printable form of one character (or, when it is -1, of one byte). */
static void escape_character(int32_t character, const char *input, size_t bytes, unsigned flags,
                             char form[16]) {
    bool ascii = (flags & TEXT_ASCII) != 0;
    if (character == '\n' && (flags & TEXT_KEEP_NEWLINES) != 0) {
        (void)snprintf(form, 16, "\n");
    } else if (character == '\n') {
        (void)snprintf(form, 16, "%s", (flags & TEXT_SHOW_NEWLINES) != 0 && !ascii ? "⏎" : "\\n");
    } else if (character == '\t') {
        (void)snprintf(form, 16, "%s", (flags & TEXT_SHOW_SPACES) != 0 && !ascii ? "→" : "\\t");
    } else if (character == '\r') {
        (void)snprintf(form, 16, "\\r");
    } else if (character == ' ' && (flags & TEXT_SHOW_SPACES) != 0) {
        (void)snprintf(form, 16, "%s", ascii ? "_" : "·");
    } else if (character < 0x20 || character == 0x7F) { /* below 0: no character */
        (void)snprintf(form, 16, "\\x%02x", (unsigned)(unsigned char)input[0]);
    } else if (text_character_width(character) < 0 || (ascii && character > 0x7E) ||
               ((flags & TEXT_SHOW_SPACES) != 0 && character > 0x7E &&
                utf8proc_category(character) == UTF8PROC_CATEGORY_ZS)) {
        (void)snprintf(form, 16, character > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)character);
    } else {
        memcpy(form, input, bytes);
        form[bytes] = '\0';
    }
}

size_t text_escape(const char *text, size_t bytes, unsigned flags, char *out, size_t size) {
    size_t needed = 0, written = 0;
    bool full = false;
    for (size_t at = 0; at < bytes;) {
        int32_t character;
        char form[16];
        size_t used = text_decode(text + at, bytes - at, &character);
        escape_character(character, text + at, used, flags, form);
        size_t length = strlen(form);
        needed += length;
        full = full || written + length >= size;
        if (!full) {
            memcpy(out + written, form, length);
            written += length;
        }
        at += used;
    }
    out[written] = '\0';
    return needed;
}

void text_shorten(char *text, size_t size, int columns, bool ascii) {
    if (text_width(text) <= columns) return;
    size_t cut = columns > 0 ? text_prefix(text, columns - 1) : 0;
    const char *mark = columns > 0 ? (ascii ? "~" : "…") : "";
    while (cut > 0 && cut + strlen(mark) >= size) {
        cut--; /* back to the start of a character that leaves room for the mark */
        while (cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80) cut--;
    }
    if (cut + strlen(mark) < size) memcpy(text + cut, mark, strlen(mark) + 1);
}

void text_append(char *text, size_t size, const char *more) {
    size_t used = strlen(text), length = strlen(more);
    if (used + 1 >= size) return;
    if (length > size - used - 1) length = size - used - 1;
    while (length > 0 && ((unsigned char)more[length] & 0xC0) == 0x80) length--;
    memcpy(text + used, more, length);
    text[used + length] = '\0';
}

char text_to_ascii(int32_t character) {
    static const struct {
        int32_t first, last;
        char ascii;
    } TABLE[] = {
        {0x20, 0x7E, 0},       {0xA0, 0xA0, ' '},     {0xB1, 0xB1, '+'},      {0xB7, 0xB7, '.'},
        {0xD7, 0xD7, 'x'},     {0x394, 0x394, 'D'},   {0x3B1, 0x3B1, 'a'},    {0x3B3, 0x3B3, 'g'},
        {0x3B8, 0x3B8, 't'},   {0x3C1, 0x3C1, 'r'},   {0x3C3, 0x3C3, 's'},    {0x3C4, 0x3C4, 't'},
        {0x3C9, 0x3C9, 'w'},   {0x2010, 0x2015, '-'}, {0x2016, 0x2016, '|'},  {0x2018, 0x2019, '\''},
        {0x201C, 0x201D, '"'}, {0x2022, 0x2022, '*'}, {0x2026, 0x2026, '~'},  {0x2032, 0x2032, '\''},
        {0x2190, 0x2190, '<'}, {0x2191, 0x2191, '^'}, {0x2192, 0x2192, '>'},  {0x2193, 0x2193, 'v'},
        {0x2206, 0x2206, 'D'}, {0x2212, 0x2212, '-'}, {0x2248, 0x2248, '~'},  {0x2260, 0x2260, '!'},
        {0x2264, 0x2264, '<'}, {0x2265, 0x2265, '>'}, {0x23CE, 0x23CE, '$'},  {0x2500, 0x2501, '-'},
        {0x2502, 0x2503, '|'}, {0x2504, 0x2509, '-'}, {0x250A, 0x250B, '|'},  {0x250C, 0x254B, '+'},
        {0x254C, 0x254D, '-'}, {0x254E, 0x254F, '|'}, {0x2550, 0x2550, '='},  {0x2551, 0x2551, '|'},
        {0x2552, 0x2570, '+'}, {0x2571, 0x2571, '/'}, {0x2572, 0x2572, '\\'}, {0x2573, 0x2573, 'X'},
        {0x2574, 0x257F, '-'}, {0x2581, 0x2582, '_'}, {0x2583, 0x2583, '.'},  {0x2584, 0x2584, '-'},
        {0x2585, 0x2585, '='}, {0x2586, 0x2586, '+'}, {0x2587, 0x2587, '*'},  {0x2580, 0x2580, '^'},
        {0x2588, 0x258B, '#'}, {0x258C, 0x258F, '|'}, {0x2590, 0x2590, '|'},  {0x2591, 0x2591, '.'},
        {0x2592, 0x2592, ':'}, {0x2593, 0x2593, '*'}, {0x2594, 0x2594, '-'},  {0x25A0, 0x25A0, '#'},
        {0x25B2, 0x25B4, '^'}, {0x25B6, 0x25B8, '>'}, {0x25BC, 0x25BE, 'v'},  {0x25C0, 0x25C2, '<'},
        {0x25CB, 0x25CC, 'o'}, {0x25CF, 0x25CF, 'o'}, {0x2605, 0x2606, '*'},  {0x2713, 0x2714, 'y'},
        {0x2717, 0x2718, 'n'}, {0x270E, 0x270F, '!'},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        if (character < TABLE[i].first || character > TABLE[i].last) continue;
        return TABLE[i].ascii != 0 ? TABLE[i].ascii : (char)character;
    }
    return '?';
}

const char *text_spelling(int32_t character) {
    static const struct {
        int32_t character;
        const char *spelling;
    } TABLE[] = {
        {0xB2, "^2"},   {0xB7, "*"},    {0x394, "D"},     {0x3A3, "sum"},  {0x3B1, "alpha"}, {0x3B3, "gamma"},
        {0x3C1, "rho"}, {0x3C4, "tau"}, {0x3C9, "omega"}, {0x2026, "..."}, {0x2190, "<-"},   {0x2192, "->"},
        {0x2202, "d"},  {0x2248, "~"},  {0x2260, "!="},   {0x2264, "<="},  {0x2265, ">="},   {0x2299, "*"},
        {0x25CF, "o"},  {0x2605, "*"},  {0x2606, "+"},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (TABLE[i].character == character) return TABLE[i].spelling;
    return NULL;
}

static bool same_letter(char a, char b, bool exact) {
    return exact ? a == b : tolower((unsigned char)a) == tolower((unsigned char)b);
}

bool text_find(const char *text, const char *needle) {
    bool exact = false;
    for (const char *c = needle; *c != '\0'; c++) exact = exact || (*c >= 'A' && *c <= 'Z');
    size_t length = strlen(needle);
    for (size_t at = 0, end = strlen(text); at + length <= end; at++) {
        size_t same = 0;
        while (same < length && same_letter(text[at + same], needle[same], exact)) same++;
        if (same == length) return true;
    }
    return false;
}

const char *text_last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}
