#include "views/shared/rows_hint.h"

#include "tui/keys/key_text.h"

int rows_hint_draw(const Session *session, const char *view, Canvas *canvas, Rect area, int row) {
    static const char FORMS[] =
        "One a line: {\"prompt\", \"response\"}; {\"messages\"}; {\"conversations\"}; {\"instruction\", \"input\", "
        "\"output\"}; a text.";
    char keys[KEY_TEXT_SIZE];
    Rect below = area;
    if (!session_calibration_is_wanted(session)) return 0;
    (void)rect_cut_top(&below, row);
    int used = canvas_write_wrapped(
        canvas, below, 0, ROLE_TEXT,
        key_text(view, "{rows-file} opens a file of calibration rows, as --calibration does.", keys));
    (void)rect_cut_top(&below, used);
    return used + canvas_write_wrapped(canvas, below, 0, ROLE_DIM, FORMS);
}
