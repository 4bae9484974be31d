#include "core/support/memory.h"
#include "tests/screens/terminal_host_state.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- cells and lines ---- */

int terminal_host_rows(const TerminalHost *host) {
    return host->rows;
}

int terminal_host_columns(const TerminalHost *host) {
    return host->columns;
}

uint64_t terminal_host_bytes(const TerminalHost *host) {
    return host->bytes;
}

bool terminal_host_is_running(const TerminalHost *host) {
    return host->running;
}

pid_t terminal_host_process(const TerminalHost *host) {
    return host->child;
}

bool terminal_host_cursor(const TerminalHost *host, int *row, int *column) {
    VTermPos position;
    vterm_state_get_cursorpos(vterm_obtain_state(host->terminal), &position);
    *row = position.row;
    *column = position.col;
    return host->cursor_visible;
}

static TerminalColour read_colour(VTermColor colour, bool is_default) {
    if (is_default) return (TerminalColour){.kind = TERMINAL_COLOUR_DEFAULT};
    if (VTERM_COLOR_IS_INDEXED(&colour))
        return (TerminalColour){.kind = TERMINAL_COLOUR_INDEXED, .index = colour.indexed.idx};
    return (TerminalColour){.kind = TERMINAL_COLOUR_RGB,
                            .red = colour.rgb.red,
                            .green = colour.rgb.green,
                            .blue = colour.rgb.blue};
}

static void read_text(const VTermScreenCell *from, TerminalCell *cell) {
    if (from->chars[0] == UINT32_MAX) { /* libvterm's mark for the second half */
        cell->width = 0;
        return;
    }
    cell->width = from->width == 2 ? 2 : 1;
    size_t bytes = 0;
    for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && from->chars[i] != 0; i++)
        bytes += (size_t)utf8proc_encode_char((utf8proc_int32_t)from->chars[i],
                                              (utf8proc_uint8_t *)cell->text + bytes);
    if (bytes == 0) cell->text[bytes++] = ' ';
    cell->text[bytes] = '\0'; /* six characters of four bytes at most */
}

TerminalCell terminal_host_cell(const TerminalHost *host, int row, int column) {
    TerminalCell cell = {.text = " ", .width = 1};
    VTermScreenCell from;
    if (row < 0 || column < 0 || row >= host->rows || column >= host->columns ||
        !vterm_screen_get_cell(host->screen, (VTermPos){.row = row, .col = column}, &from))
        return cell;
    cell.text[0] = '\0';
    read_text(&from, &cell);
    cell.foreground = read_colour(from.fg, VTERM_COLOR_IS_DEFAULT_FG(&from.fg));
    cell.background = read_colour(from.bg, VTERM_COLOR_IS_DEFAULT_BG(&from.bg));
    cell.bold = from.attrs.bold;
    cell.italic = from.attrs.italic;
    cell.underline = from.attrs.underline != VTERM_UNDERLINE_OFF;
    cell.blink = from.attrs.blink;
    cell.reverse = from.attrs.reverse;
    cell.strike = from.attrs.strike;
    return cell;
}

char *terminal_host_line(const TerminalHost *host, int row) {
    char *line = memory_allocate((size_t)host->columns + 1, sizeof(TerminalCell));
    if (line == NULL) return NULL;
    size_t bytes = 0, trimmed = 0;
    for (int column = 0; column < host->columns; column++) {
        TerminalCell cell = terminal_host_cell(host, row, column);
        size_t length = strlen(cell.text);
        memcpy(line + bytes, cell.text, length);
        bytes += length;
        if (strcmp(cell.text, " ") != 0) trimmed = bytes;
    }
    line[trimmed] = '\0';
    return line;
}

bool terminal_host_has_text(const TerminalHost *host, const char *text) {
    bool found = false;
    for (int row = 0; row < host->rows && !found; row++) {
        char *line = terminal_host_line(host, row);
        found = line != NULL && strstr(line, text) != NULL;
        free(line);
    }
    return found;
}

/* ---- the terminal afterwards ---- */

static bool same_settings(const struct termios *a, const struct termios *b) {
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

static bool pen_is_plain(const TerminalHost *host) {
    VTermState *state = vterm_obtain_state(host->terminal);
    static const VTermAttr switches[] = {VTERM_ATTR_BOLD, VTERM_ATTR_UNDERLINE, VTERM_ATTR_REVERSE};
    VTermValue value;
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (vterm_state_get_penattr(state, switches[i], &value) && value.number != 0) return false;
    if (!vterm_state_get_penattr(state, VTERM_ATTR_FOREGROUND, &value) ||
        !VTERM_COLOR_IS_DEFAULT_FG(&value.color))
        return false;
    return vterm_state_get_penattr(state, VTERM_ATTR_BACKGROUND, &value) != 0 &&
           VTERM_COLOR_IS_DEFAULT_BG(&value.color);
}

bool terminal_host_is_restored(const TerminalHost *host, char *why, size_t size) {
    struct termios now;
    const char *found = NULL;
    if (host->slave < 0 || tcgetattr(host->slave, &now) != 0) {
        found = "the terminal's settings cannot be read";
    } else if (!same_settings(&host->before, &now)) {
        found = "the line settings (termios) differ from those at the start";
    } else if (host->alternate_screen) {
        found = "the alternate screen is still on";
    } else if (!host->cursor_visible) {
        found = "the cursor is still hidden";
    } else if (host->mouse) {
        found = "mouse reporting is still on";
    } else if (!pen_is_plain(host)) {
        found = "a colour or attribute is still on";
    }
    if (found != NULL) (void)snprintf(why, size, "%s", found); /* cut off at worst */
    return found == NULL;
}

void terminal_host_print(const TerminalHost *host, FILE *file) {
    (void)fprintf(file, "screen %dx%d, %s\n", host->columns, host->rows,
                  host->running ? "the program runs" : "the program has ended");
    for (int row = 0; row < host->rows; row++) {
        char *line = terminal_host_line(host, row);
        (void)fprintf(file, "%3d|%s\n", row, line == NULL ? "(out of memory)" : line);
        free(line);
    }
}
