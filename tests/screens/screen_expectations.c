#include "core/support/memory.h"
#include "tests/screens/screen_session.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- whole screens ---- */

typedef struct Comparison {
    ScreenSession *session;
    const ScreenBlock *block;
    int first, last; /* rows of the screen */
} Comparison;

static char *masked_line(const ScreenSession *session, int row) {
    char *line = terminal_host_line(session->host, row);
    char *masked = line == NULL ? NULL : screen_masks_apply(&session->masks, line);
    free(line);
    return masked;
}

static const char *expected_line(const Comparison *comparison, int row) {
    size_t index = (size_t)(row - comparison->first);
    return index < comparison->block->count ? comparison->session->lines[comparison->block->first + index] + 1
                                            : "";
}

static bool screen_is_expected(TerminalHost *host, void *user) {
    (void)host;
    const Comparison *comparison = user;
    size_t rows = (size_t)(comparison->last - comparison->first + 1);
    bool same = comparison->block->count <= rows;
    for (int row = comparison->first; same && row <= comparison->last; row++) {
        char *line = masked_line(comparison->session, row);
        same = line != NULL && strcmp(line, expected_line(comparison, row)) == 0;
        free(line);
    }
    return same;
}

/* Rows stand one under the other in both, so the difference needs no alignment. */
static void print_difference(const Comparison *comparison) {
    const ScreenSession *session = comparison->session;
    FILE *report = session->options->report;
    size_t rows = (size_t)(comparison->last - comparison->first + 1);
    (void)fprintf(report, "--- %s:%zu expected\n+++ the screen\n@@ -%zu,%zu +%d,%zu @@\n", session->path,
                  session->line + 1, comparison->block->first + 1, comparison->block->count,
                  comparison->first, rows);
    for (int row = comparison->first; row <= comparison->last; row++) {
        const char *expected = expected_line(comparison, row);
        char *line = masked_line(session, row);
        const char *found = line == NULL ? "(out of memory)" : line;
        if (strcmp(expected, found) == 0) {
            (void)fprintf(report, " %s\n", found);
        } else {
            (void)fprintf(report, "-%s\n+%s\n", expected, found);
        }
        free(line);
    }
    for (size_t i = rows; i < comparison->block->count; i++)
        (void)fprintf(report, "-%s\n", session->lines[comparison->block->first + i] + 1);
}

static Status record_screen(const Comparison *comparison, ScreenBlock *block, Error *error) {
    ScreenSession *session = comparison->session;
    Status status =
        terminal_host_wait_quiet(session->host, 2 * SCREEN_QUIET_SECONDS, session->timeout, error);
    if (status != STATUS_OK) return status;
    size_t count = (size_t)(comparison->last - comparison->first + 1);
    char **lines = memory_allocate(count, sizeof *lines);
    if (lines == NULL) return memory_fail(error, "a screen");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        lines[i] = masked_line(session, comparison->first + (int)i);
        if (lines[i] == NULL) status = memory_fail(error, "a screen");
    }
    if (status == STATUS_OK) status = screen_session_record(session, block, lines, count, error);
    for (size_t i = 0; i < count; i++) free(lines[i]);
    free(lines);
    return status;
}

static Status compare_rows(ScreenSession *session, ScreenBlock *block, int first, int last, Error *error) {
    Comparison comparison = {.session = session, .block = block, .first = first, .last = last};
    if (session->options->update) return record_screen(&comparison, block, error);
    Status status = terminal_host_wait(session->host, screen_is_expected, &comparison, session->idle,
                                       session->timeout, error);
    if (status == STATUS_MISMATCH) {
        print_difference(&comparison);
        return status_add_context(error, "the screen is not as expected");
    }
    return status;
}

static Status expect_screen(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                            Error *error) {
    (void)words;
    return compare_rows(session, block, 0, terminal_host_rows(session->host) - 1, error);
}

static Status expect_lines(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                           Error *error) {
    int first = 0, last = 0, rows = terminal_host_rows(session->host);
    Status status = screen_session_number(words->items[1], 0, rows - 1, &first, error);
    if (status == STATUS_OK) status = screen_session_number(words->items[2], first, rows - 1, &last, error);
    return status != STATUS_OK ? status : compare_rows(session, block, first, last, error);
}

static Status expect_golden(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                            Error *error) {
    (void)block;
    const ScreenScriptOptions *options = session->options;
    if (options->golden == NULL)
        return status_fail(error, STATUS_FORMAT, "expect-golden: only the matrix has golden files");
    return options->golden(session, words->items[1], options->golden_user, error);
}

/* ---- single facts ---- */

static Status expect_condition(ScreenSession *session, TerminalCondition condition, void *user,
                               const char *what, const char *detail, Error *error) {
    Status status =
        terminal_host_wait(session->host, condition, user, session->idle, session->timeout, error);
    return status == STATUS_MISMATCH ? status_add_context(error, "%s%s", what, detail) : status;
}

/* For what must hold of everything on the screen: half a screen, not yet drawn to its end, proves nothing. */
static Status expect_when_quiet(ScreenSession *session, TerminalCondition condition, void *user,
                                const char *what, const char *detail, Error *error) {
    Status status = terminal_host_wait_quiet(session->host, SCREEN_QUIET_SECONDS, session->timeout, error);
    return status != STATUS_OK ? status : expect_condition(session, condition, user, what, detail, error);
}

static bool has_text(TerminalHost *host, void *user) {
    return terminal_host_has_text(host, user);
}

static bool lacks_text(TerminalHost *host, void *user) {
    return !terminal_host_has_text(host, user);
}

static Status expect_text(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                          Error *error) {
    (void)block;
    return expect_condition(session, has_text, words->items[1], "expected on the screen: ", words->items[1],
                            error);
}

static Status expect_no_text(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                             Error *error) {
    (void)block;
    return expect_when_quiet(session, lacks_text, words->items[1],
                             "not expected on the screen: ", words->items[1], error);
}

typedef struct CursorPlace {
    bool visible;
    int row, column;
} CursorPlace;

static bool cursor_is_at(TerminalHost *host, void *user) {
    const CursorPlace *place = user;
    int row, column;
    bool visible = terminal_host_cursor(host, &row, &column);
    return visible == place->visible && (!visible || (row == place->row && column == place->column));
}

static Status expect_cursor(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                            Error *error) {
    (void)block;
    CursorPlace place = {.visible = words->count == 3};
    if (place.visible) {
        Status status = screen_session_number(words->items[1], 0, 999, &place.row, error);
        if (status == STATUS_OK)
            status = screen_session_number(words->items[2], 0, 999, &place.column, error);
        if (status != STATUS_OK) return status;
    } else if (strcmp(words->items[1], "hidden") != 0) {
        return status_fail(error, STATUS_FORMAT, "expected ROW COLUMN or hidden, found \"%s\"",
                           words->items[1]);
    }
    return expect_condition(session, cursor_is_at, &place, "the cursor is not there", "", error);
}

/* ---- colours and attributes ---- */

static bool is_coloured(const TerminalCell *cell) {
    return cell->foreground.kind != TERMINAL_COLOUR_DEFAULT ||
           cell->background.kind != TERMINAL_COLOUR_DEFAULT;
}

static bool cell_is_bold(const TerminalCell *cell) {
    return cell->bold;
}

static bool cell_is_reverse(const TerminalCell *cell) {
    return cell->reverse;
}

static bool cell_is_underlined(const TerminalCell *cell) {
    return cell->underline;
}

static bool cell_is_plain(const TerminalCell *cell) {
    return !cell->bold && !cell->reverse && !cell->underline && !is_coloured(cell);
}

static bool cell_is_uncoloured(const TerminalCell *cell) {
    return !is_coloured(cell);
}

static const struct {
    const char *name;
    bool (*holds)(const TerminalCell *cell);
} styles[] = {{"bold", cell_is_bold},   {"reverse", cell_is_reverse}, {"underline", cell_is_underlined},
              {"plain", cell_is_plain}, {"coloured", is_coloured},    {"uncoloured", cell_is_uncoloured}};

enum { STYLE_COUNT = sizeof styles / sizeof styles[0] };

/* Where `text` begins; false when it is not on the screen. */
static bool find_text(const TerminalHost *host, const char *text, int *row, int *column) {
    for (*row = 0; *row < terminal_host_rows(host); ++*row) {
        for (*column = 0; *column < terminal_host_columns(host); ++*column) {
            const char *rest = text;
            for (int at = *column; *rest != '\0' && at < terminal_host_columns(host); at++) {
                TerminalCell cell = terminal_host_cell(host, *row, at);
                size_t length = strlen(cell.text);
                if (strncmp(rest, cell.text, length) != 0) break;
                rest += length;
            }
            if (*rest == '\0') return true;
        }
    }
    return false;
}

typedef struct StyleQuestion {
    const char *text;
    unsigned wanted; /* bit i: styles[i] */
} StyleQuestion;

static bool text_has_style(TerminalHost *host, void *user) {
    const StyleQuestion *question = user;
    int row, column;
    if (!find_text(host, question->text, &row, &column)) return false;
    TerminalCell cell = terminal_host_cell(host, row, column);
    for (unsigned i = 0; i < STYLE_COUNT; i++)
        if ((question->wanted >> i & 1u) != 0 && !styles[i].holds(&cell)) return false;
    return true;
}

static Status expect_style(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                           Error *error) {
    (void)block;
    StyleQuestion question = {.text = words->items[1]};
    for (size_t w = 2; w < words->count; w++) {
        unsigned i = 0;
        while (i < STYLE_COUNT && strcmp(words->items[w], styles[i].name) != 0) i++;
        if (i == STYLE_COUNT)
            return status_fail(error, STATUS_FORMAT, "there is no style %s", words->items[w]);
        question.wanted |= 1u << i;
    }
    return expect_condition(session, text_has_style, &question,
                            "not in the expected style (or not there): ", words->items[1], error);
}

/* "default", a number of the palette, or #RRGGBB. */
static bool read_colour(const char *word, TerminalColour *colour) {
    unsigned red, green, blue;
    char *end;
    *colour = (TerminalColour){.kind = TERMINAL_COLOUR_DEFAULT};
    if (strcmp(word, "default") == 0) return true;
    if (strlen(word) == 7 && sscanf(word, "#%2x%2x%2x", &red, &green, &blue) == 3) {
        *colour = (TerminalColour){
            .kind = TERMINAL_COLOUR_RGB, .red = (uint8_t)red, .green = (uint8_t)green, .blue = (uint8_t)blue};
        return true;
    }
    long index = strtol(word, &end, 10);
    *colour = (TerminalColour){.kind = TERMINAL_COLOUR_INDEXED, .index = (uint8_t)index};
    return end != word && *end == '\0' && index >= 0 && index < 256;
}

typedef struct ColourQuestion {
    const char *text;
    TerminalColour ink, ground;
} ColourQuestion;

static bool same_colour(TerminalColour a, TerminalColour b) {
    return a.kind == b.kind && a.index == b.index && a.red == b.red && a.green == b.green && a.blue == b.blue;
}

static bool text_has_colours(TerminalHost *host, void *user) {
    const ColourQuestion *question = user;
    int row, column;
    if (!find_text(host, question->text, &row, &column)) return false;
    TerminalCell cell = terminal_host_cell(host, row, column);
    return same_colour(cell.foreground, question->ink) && same_colour(cell.background, question->ground);
}

static Status expect_ink(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)block;
    ColourQuestion question = {.text = words->items[1]};
    if (!read_colour(words->items[2], &question.ink) || !read_colour(words->items[3], &question.ground))
        return status_fail(error, STATUS_FORMAT, "a colour is default, 0 to 255 or #RRGGBB");
    return expect_condition(session, text_has_colours, &question,
                            "not in the expected colours (or not there): ", words->items[1], error);
}

static const char *const depths[] = {"none", "8", "16", "256", "truecolour"};

enum { DEPTH_COUNT = sizeof depths / sizeof depths[0] };

static size_t depth_of(TerminalColour colour) {
    if (colour.kind == TERMINAL_COLOUR_DEFAULT) return 0;
    if (colour.kind == TERMINAL_COLOUR_RGB) return 4;
    return colour.index < 8 ? 1 : colour.index < 16 ? 2 : 3;
}

static bool depth_is(TerminalHost *host, void *user) {
    size_t deepest = 0;
    for (int row = 0; row < terminal_host_rows(host); row++) {
        for (int column = 0; column < terminal_host_columns(host); column++) {
            TerminalCell cell = terminal_host_cell(host, row, column);
            size_t front = depth_of(cell.foreground), back = depth_of(cell.background);
            if (front > deepest) deepest = front;
            if (back > deepest) deepest = back;
        }
    }
    return deepest == *(const size_t *)user;
}

static Status expect_colours(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                             Error *error) {
    (void)block;
    size_t depth = 0;
    while (depth < DEPTH_COUNT && strcmp(words->items[1], depths[depth]) != 0) depth++;
    if (depth == DEPTH_COUNT)
        return status_fail(error, STATUS_FORMAT, "expected none, 8, 16, 256 or truecolour, found \"%s\"",
                           words->items[1]);
    return expect_when_quiet(session, depth_is, &depth, "the screen's colours are not: ", words->items[1],
                             error);
}

static bool screen_is_ascii(TerminalHost *host, void *user) {
    (void)user;
    for (int row = 0; row < terminal_host_rows(host); row++)
        for (int column = 0; column < terminal_host_columns(host); column++)
            if ((unsigned char)terminal_host_cell(host, row, column).text[0] >= 0x80) return false;
    return true;
}

static Status expect_ascii(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                           Error *error) {
    (void)words;
    (void)block;
    return expect_when_quiet(session, screen_is_ascii, NULL, "characters beyond ASCII are on the screen", "",
                             error);
}

/* ---- bytes, end ---- */

static Status mark_bytes(ScreenSession *session, const ScreenWords *words, ScreenBlock *block, Error *error) {
    (void)words;
    (void)block;
    Status status = terminal_host_wait_quiet(session->host, SCREEN_QUIET_SECONDS, session->timeout, error);
    session->marked_bytes = terminal_host_bytes(session->host);
    return status;
}

static Status expect_bytes(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                           Error *error) {
    (void)block;
    int most = 0;
    Status status = screen_session_number(words->items[1], 0, INT_MAX, &most, error);
    if (status == STATUS_OK)
        status = terminal_host_wait_quiet(session->host, SCREEN_QUIET_SECONDS, session->timeout, error);
    if (status != STATUS_OK) return status;
    uint64_t sent = terminal_host_bytes(session->host) - session->marked_bytes;
    if (sent > (uint64_t)most)
        return status_fail(error, STATUS_MISMATCH, "expected at most %d bytes to be sent, found %llu", most,
                           (unsigned long long)sent);
    return STATUS_OK;
}

static Status expect_exit(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                          Error *error) {
    (void)block;
    int expected = 0, found = 0;
    Status status = screen_session_number(words->items[1], 0, 255, &expected, error);
    if (status == STATUS_OK) status = terminal_host_wait_exit(session->host, session->timeout, &found, error);
    if (status == STATUS_OK && found != expected)
        return status_fail(error, STATUS_MISMATCH, "expected exit status %d, found %d", expected, found);
    return status;
}

static Status expect_restored(ScreenSession *session, const ScreenWords *words, ScreenBlock *block,
                              Error *error) {
    (void)words;
    (void)block;
    char why[200];
    if (terminal_host_is_restored(session->host, why, sizeof why)) return STATUS_OK;
    return status_fail(error, STATUS_MISMATCH, "the terminal is not as it was: %s", why);
}

/* ---- the table ---- */

static const ScreenCommand expectations[] = {
    {"expect", 0, 0, true, true, expect_screen},
    {"expect-golden", 1, 1, false, true, expect_golden},
    {"expect-lines", 2, 2, true, true, expect_lines},
    {"expect-text", 1, 1, false, true, expect_text},
    {"expect-no-text", 1, 1, false, true, expect_no_text},
    {"expect-cursor", 1, 2, false, true, expect_cursor},
    {"expect-style", 2, 7, false, true, expect_style},
    {"expect-ink", 3, 3, false, true, expect_ink},
    {"expect-colours", 1, 1, false, true, expect_colours},
    {"expect-ascii", 0, 0, false, true, expect_ascii},
    {"mark-bytes", 0, 0, false, true, mark_bytes},
    {"expect-bytes", 1, 1, false, true, expect_bytes},
    {"expect-exit", 1, 1, false, true, expect_exit},
    {"expect-restored", 0, 0, false, true, expect_restored},
};

const ScreenCommand *screen_expectation_find(const char *name) {
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++)
        if (strcmp(name, expectations[i].name) == 0) return &expectations[i];
    return NULL;
}
