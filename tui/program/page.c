#include "tui/program/page.h"

#include "tui/program/roff.h"
#include "tui/text/text.h"

#include <langinfo.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

Page page_of_output(void) {
    struct winsize size;
    Page page = {.file = stdout, .kind = PAGE_ASCII, .width = PAGE_WIDTH};
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0) page.kind = PAGE_UTF8;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        page.width = size.ws_col > PAGE_LEAST_WIDTH ? size.ws_col - 1 : PAGE_LEAST_WIDTH;
    return page;
}

/* ---- one word ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\n';
}

static size_t skip_blanks(const char *text, size_t bytes) {
    size_t at = 0;
    while (at < bytes && is_blank(text[at])) at++;
    return at;
}

static bool is_term_mark(const char *text, size_t bytes) {
    return bytes >= 2 && text[0] == '*' && text[1] == '*';
}

/* Up to the next blank that is not between marks. */
static size_t word_length(const char *text, size_t bytes) {
    bool in_code = false, in_term = false;
    size_t at = 0;
    while (at < bytes && (in_code || in_term || !is_blank(text[at]))) {
        bool term_mark = !in_code && is_term_mark(text + at, bytes - at);
        in_code ^= text[at] == '`';
        in_term ^= term_mark;
        at += term_mark ? 2 : 1;
    }
    return at;
}

/* What is written for a character: itself, or what stands for it. */
static const char *spell(const Page *page, int32_t character, const char *itself, size_t bytes,
                         char form[8]) {
    const char *spelling = NULL;
    bool beyond = page->kind == PAGE_ASCII && character > 0x7E;
    if (beyond) spelling = text_spelling(character);
    if (spelling != NULL) return spelling;
    if (beyond)
        (void)snprintf(form, 8, "%c", text_to_ascii(character));
    else
        (void)snprintf(form, 8, "%.*s", (int)bytes, is_blank(itself[0]) ? " " : itself);
    return form;
}

static void put(const Page *page, const char *form, bool between_marks, bool at_start) {
    if (page->kind == PAGE_ROFF && between_marks && form[0] == ' ')
        (void)fputs("\\ ", page->file); /* one that man(1) does not break either */
    else if (page->kind == PAGE_ROFF && (at_start || form[0] == '\\' || form[0] == '-'))
        roff_write_text(page->file, form, strlen(form));
    else
        (void)fputs(form, page->file);
}

/* A word, or a whole text on one line: returns its columns, and writes it if asked to. */
static int handle_text(const Page *page, const char *text, size_t bytes, bool with_marks, bool write) {
    bool in_code = false, in_term = false, roff = page->kind == PAGE_ROFF;
    int columns = 0;
    for (size_t at = 0, used; at < bytes; at += used) {
        bool code_mark = with_marks && text[at] == '`';
        bool term_mark = with_marks && !in_code && is_term_mark(text + at, bytes - at);
        in_code ^= code_mark;
        in_term ^= term_mark;
        if (write && roff && (code_mark || term_mark))
            (void)fputs(in_code || in_term ? "\\fB" : "\\fR", page->file);
        used = term_mark ? 2 : 1;
        if (term_mark || (code_mark && roff)) continue;
        int32_t character;
        char form[8];
        used = text_decode(text + at, bytes - at, &character);
        const char *spelled = spell(page, character, text + at, used, form);
        if (write) put(page, spelled, in_code || in_term, page->column == 0 && at == 0);
        columns += text_width(spelled);
    }
    return columns;
}

int page_text_width(const Page *page, const char *text, size_t bytes) {
    return handle_text(page, text, bytes, true, false);
}

int page_longest_word(const Page *page, const char *text, size_t bytes) {
    int longest = 0;
    for (size_t at = skip_blanks(text, bytes); at < bytes;) {
        size_t length = word_length(text + at, bytes - at);
        int columns = handle_text(page, text + at, length, true, false);
        if (columns > longest) longest = columns;
        at += length;
        at += skip_blanks(text + at, bytes - at);
    }
    return longest;
}

/* ---- lines ---- */

void page_pad(Page *page, int column) {
    for (; page->column < column; page->column++) (void)putc(' ', page->file);
}

void page_end_line(Page *page) {
    (void)putc('\n', page->file);
    page->column = 0;
}

void page_write(Page *page, const char *text, size_t bytes) {
    page->column += handle_text(page, text, bytes, false, true);
}

size_t page_write_words(Page *page, const char *text, size_t bytes, int columns) {
    size_t at = skip_blanks(text, bytes);
    for (int used = 0; at < bytes;) {
        size_t length = word_length(text + at, bytes - at);
        int word = handle_text(page, text + at, length, true, false);
        if (used > 0 && used + 1 + word > columns) break;
        if (used > 0) page_pad(page, page->column + 1);
        page->column += handle_text(page, text + at, length, true, true);
        used += word + (used > 0);
        at += length;
        at += skip_blanks(text + at, bytes - at);
    }
    return at;
}

void page_fill(Page *page, const char *text, size_t bytes, int margin) {
    for (size_t at = 0; at < bytes;) {
        page_pad(page, margin);
        at += page_write_words(page, text + at, bytes - at, page->width - page->column);
        if (at < bytes) page_end_line(page);
    }
    page_end_line(page);
}
