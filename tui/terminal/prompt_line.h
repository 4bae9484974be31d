/*
 * prompt_line — one line of editing at the bottom of the screen, by readline: its keys, the user's inputrc,
 * history and completion. Readline reads from a queue that this file fills and draws nothing itself.
 *
 * Readline is one per program, hence so is this. Each kind of line has a history of its own, kept in
 * $XDG_STATE_HOME/rejuv/ (else ~/.local/state/rejuv/) across runs; where that cannot be written, history
 * lasts as long as the program.
 */
#ifndef REJUV_TUI_PROMPT_LINE_H
#define REJUV_TUI_PROMPT_LINE_H

#include "core/support/status.h"
#include "tui/canvas/canvas.h"
#include "tui/keys/key.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum PromptKind { PROMPT_COMMAND, PROMPT_SEARCH, PROMPT_TEXT, PROMPT_VALUE, PROMPT_KINDS } PromptKind;

typedef enum PromptState {
    PROMPT_CLOSED,
    PROMPT_OPEN,     /* being edited */
    PROMPT_ACCEPTED, /* Enter: prompt_line_text() */
    PROMPT_ABORTED   /* Esc, Ctrl-C or Ctrl-G */
} PromptState;

/* What a word may be completed to: the candidates that begin with `prefix` (`word` is 0 for the first word
 * of the line). Calls add(user, text) for each; false where names of files are to be offered if it added none. */
typedef void (*PromptAdd)(void *user, const char *text);
typedef bool (*PromptCompleter)(const char *line, int word, const char *prefix, PromptAdd add, void *user);

/* `directory` for the histories; NULL for the default place. */
Status prompt_line_start(const char *directory, Error *error) STATUS_MUST_CHECK;
void prompt_line_stop(void);

/* Opens the line with a label ("/", "Prompt: ") and an initial text. `completer` may be NULL: then Tab
 * completes file names. */
void prompt_line_open(PromptKind kind, const char *label, const char *initial, PromptCompleter completer);

bool prompt_line_is_open(void);

enum { PROMPT_LINE_LIMIT = 256 << 10 }; /* bytes a paste fills the line up to */

/* Feeds a key or a pasted text (newlines stay in the line); says where the line is then. *lost is how many
 * bytes of the paste did not fit. */
PromptState prompt_line_key(Key key);
PromptState prompt_line_paste(const char *text, size_t bytes, size_t *lost);

/* The line as it stands, valid until the next call. */
const char *prompt_line_text(void);

/* The candidates of the last Tab that found several, or "": for the line above. */
const char *prompt_line_candidates(void);

/* Draws label and line into the first row of `area`, scrolled so that the cursor shows, and places the
 * canvas's cursor. */
void prompt_line_draw(Canvas *canvas, Rect area);

#endif
