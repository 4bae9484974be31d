/*
 * text_diff — where two texts differ, line by line, as unified hunks: what only the first has is removed, what only the
 * second has is added, with three lines around it that both have.
 *
 *     @@ -1,4 +1,4 @@      hunk: first, count of the first text, of the second
 *      {%- for m in …      both
 *     -<{{ m.role }}>      removed
 *     +[{{ m.role }}]      added
 *
 * The fewest changes (Myers' greedy search), as long as they are not too many; else all lines between the beginning and the
 * end that both have are removed and added, and is_fewest says so: time and memory have a bound, whatever the texts are.
 * A newline at the very end counts for nothing, nor does one that is missing there.
 */
#ifndef REJUV_CORE_TEXT_DIFF_H
#define REJUV_CORE_TEXT_DIFF_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum TextDiffKind { TEXT_DIFF_BOTH, TEXT_DIFF_REMOVED, TEXT_DIFF_ADDED } TextDiffKind;

typedef struct TextDiffLine {
    TextDiffKind kind;
    const char *text; /* borrowed from the texts, `bytes` long, without its newline */
    size_t bytes;
} TextDiffLine;

typedef struct TextDiffHunk {
    size_t first[2], count[2];     /* of its lines in each text, from 0 */
    size_t first_line, line_count; /* in `lines` */
} TextDiffHunk;

typedef struct TextDiff {
    TextDiffLine *lines; /* of all hunks */
    TextDiffHunk *hunks;
    size_t line_count, hunk_count, line_capacity, hunk_capacity;
    size_t removed, added; /* lines */
    bool is_fewest;
} TextDiff;

typedef struct TextDiffText {
    const char *text; /* outlives the diff */
    size_t bytes;
} TextDiffText;

/* Of two texts. Where `breaks` is not NULL, a line that is very long is cut behind each of its texts (the last is NULL),
 * for what is written on one line. There is no hunk where the texts are equal. The caller frees, after a failure too. */
Status text_diff_make(const TextDiffText texts[2], const char *const *breaks, TextDiff *diff,
                      Error *error) STATUS_MUST_CHECK;
void text_diff_free(TextDiff *diff);

/* What stands before a line of that kind: ' ', '-', '+'. */
char text_diff_sign(TextDiffKind kind);

#endif
