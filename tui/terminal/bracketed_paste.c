#include "tui/terminal/bracketed_paste.h"

#include "core/support/memory.h"
#include "tui/text/text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum {
    GAP = 500,         /* ms without a byte after which a paste counts as ended */
    ERRORS_LIMIT = 200 /* readable, yet nothing to read, this often in a row: the terminal is gone */
};

static const char END[] = "\033[201~";
static const size_t END_BYTES = sizeof END - 1;

static void add(BracketedPaste *paste, const char *bytes, size_t count) {
    if (paste->bytes + count > BRACKETED_PASTE_LIMIT ||
        MEMORY_RESERVE(paste->text, &paste->capacity, paste->bytes + count + 1, NULL) != STATUS_OK)
        return;
    memcpy(paste->text + paste->bytes, bytes, count);
    paste->bytes += count;
    paste->text[paste->bytes] = '\0';
}

/* A signal (a new size of the window, say) ends no paste: what is left of it would be taken for keys. */
static bool wait_for_bytes(int file) {
    struct pollfd ready = {.fd = file, .events = POLLIN};
    int count;
    do count = poll(&ready, 1, GAP);
    while (count < 0 && errno == EINTR);
    return count > 0 && (ready.revents & POLLIN) != 0;
}

/* As much of the end mark as has been seen is kept back from the text: `matched` bytes of it. */
static bool take_byte(BracketedPaste *paste, char byte, size_t *matched) {
    if (byte == '\033') {
        if (*matched > 1) add(paste, END + 1, *matched - 1);
        *matched = 1;
    } else if (*matched > 0 && byte == END[*matched]) {
        (*matched)++;
    } else {
        if (*matched > 1) add(paste, END + 1, *matched - 1); /* an Escape itself is never text */
        *matched = 0;
        if (byte == '\r') byte = '\n';
        if (byte != '\0') add(paste, &byte, 1);
    }
    return *matched == END_BYTES;
}

/* Blocks are as large as the missing part of the end mark: so none can reach beyond it. */
static void read_to_end(BracketedPaste *paste, int file) {
    size_t matched = 0;
    for (int errors = 0; errors < ERRORS_LIMIT && wait_for_bytes(file);) {
        char block[sizeof END];
        ssize_t count = read(file, block, END_BYTES - matched);
        if (count <= 0) errors++;
        if (count > 0) errors = 0;
        for (ssize_t i = 0; i < count; i++) {
            if (take_byte(paste, block[i], &matched)) return;
        }
    }
}

/* From the locale's encoding to UTF-8; what is none goes. */
static void decode(BracketedPaste *paste) {
    BracketedPaste raw = *paste;
    mbstate_t state = {0};
    *paste = (BracketedPaste){0};
    for (size_t at = 0; at < raw.bytes;) {
        wchar_t character;
        size_t used = mbrtowc(&character, raw.text + at, raw.bytes - at, &state);
        if (used == 0 || used > raw.bytes - at) { /* invalid, or cut off at the end */
            state = (mbstate_t){0};
            at++;
            continue;
        }
        char bytes[4];
        add(paste, bytes, text_encode((int32_t)character, bytes));
        at += used;
    }
    free(raw.text);
}

void bracketed_paste_read(BracketedPaste *paste, int file) {
    paste->bytes = 0;
    read_to_end(paste, file);
    if (paste->bytes > 0) decode(paste);
}

void bracketed_paste_free(BracketedPaste *paste) {
    free(paste->text);
    *paste = (BracketedPaste){0};
}
