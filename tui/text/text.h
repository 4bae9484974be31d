/*
 * text — what may be shown. The only file that knows how wide a character is, which bytes are harmless, and
 * what stands for a character where only ASCII can be drawn.
 *
 * Text from a checkpoint (tensor names, tokens, file names) is untrusted. text_escape() makes it readable:
 * control bytes, escape sequences, invalid UTF-8 and invisible or direction-changing characters become
 * printable escapes. The canvas has its own, second guard built on text_next(): whatever reaches it, only
 * printable clusters enter a cell.
 *
 * A cluster is one spacing character with the combining marks after it (TEXT_CLUSTER_BYTES at most; further
 * marks are dropped). Joined emoji are shown as their parts: that is what terminals agree on.
 *
 * The room: words for people, figures, printable text and its width, near names, FROM:TO:POINTS. It keeps nothing;
 * any thread may use it.
 */
#ifndef REJUV_TUI_TEXT_H
#define REJUV_TUI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_CLUSTER_BYTES = 20 }; /* a base character and four marks, four bytes each */

typedef struct TextCluster {
    char text[TEXT_CLUSTER_BYTES + 1]; /* UTF-8, NUL-terminated, printable */
    int width;                         /* columns: 1 or 2 */
    size_t bytes;                      /* how much of the input it stands for: at least 1 */
} TextCluster;

/* How text_escape() shows white space. Without a flag a space stays a space, a newline becomes \n. */
typedef enum TextFlags {
    TEXT_PLAIN = 0,
    TEXT_SHOW_SPACES = 1,   /* a space becomes · (ASCII: _), a tab → (ASCII: \t) */
    TEXT_SHOW_NEWLINES = 2, /* a newline becomes ⏎ (ASCII: \n) */
    TEXT_ASCII = 4,         /* everything beyond ASCII becomes an escape such as \u00e9 */
    TEXT_KEEP_NEWLINES = 8  /* a newline stays one: for writing to files and pipes */
} TextFlags;

/* Decodes one character of `bytes` (> 0) bytes. Returns how many it took; *character is -1 for a byte that
 * is not the start of valid UTF-8 (overlong forms and surrogates included), and then 1 is returned. */
size_t text_decode(const char *text, size_t bytes, int32_t *character);

/* Writes a character as UTF-8; returns the number of bytes, 1 … 4 (no terminator). */
size_t text_encode(int32_t character, char bytes[4]);

/* Columns a character takes: 2, 1, or 0 for a combining mark; -1 when it must never reach a terminal. */
int text_character_width(int32_t character);

/* The next cluster of `bytes` (> 0) bytes. What may not be shown comes back as U+FFFD of width 1; a
 * combining mark with nothing to stand on gets a dotted circle. */
TextCluster text_next(const char *text, size_t bytes);

/* Columns of a NUL-terminated text, as the canvas would draw it. */
int text_width(const char *text);

/* The longest prefix of `text`, in bytes, that fits in `columns`. */
size_t text_prefix(const char *text, int columns);

/* The printable form of `bytes` bytes in `out` (size > 0; always NUL-terminated, cut at a whole character).
 * Escapes: \n \t \r \\xNN for control bytes and invalid UTF-8, \uNNNN or \UNNNNNNNN for invisible and bidi
 * characters. A backslash of the input stays as it is: the form is for reading, not for reversing.
 * Returns the bytes that the whole form needs without the terminator, as snprintf does. */
size_t text_escape(const char *text, size_t bytes, unsigned flags, char *out, size_t size);

/* Cuts a UTF-8 text in place so that it fits in `columns`, ending it with … (or ~ when `ascii`) if cut.
 * `size` is the room of `text` in bytes. */
void text_shorten(char *text, size_t size, int columns, bool ascii);

/* Adds `more` to the end of a NUL-terminated text in a block of `size` bytes; what does not fit is left out,
 * at a whole character. */
void text_append(char *text, size_t size, const char *more);

/* What stands for a character in ASCII: one printable ASCII character ('?' when nothing fits). */
char text_to_ascii(int32_t character);

/* The same where there is room, in running text: "alpha" for α, "<=" for ≤. NULL where text_to_ascii() has to do. */
const char *text_spelling(int32_t character);

/* True when `needle` occurs in `text`; ASCII letters match either case unless the needle has a capital. */
bool text_find(const char *text, const char *needle);

/* The last name in a path, borrowed from it; the whole path where it ends in a slash. */
const char *text_last_component(const char *path);

#endif
