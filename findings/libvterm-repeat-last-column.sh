#!/bin/sh
# libvterm 0.1.4 loses the last column after a repeated character: "A, eight times more, x" on a line of ten columns
# leaves the tenth empty and puts the x into the next line.
#     sh findings/libvterm-repeat-last-column.sh      (needs gcc)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  libvterm0 and libvterm-dev 0.1.4-1 (Debian 12)"
echo "expected: CSI 8 b repeats the character before it eight times (ECMA-48, REP), as if it had been sent nine times"

{
    cd "$folder" && apt-get download -q libvterm0=0.1.4-1 libvterm-dev=0.1.4-1 &&
        for package in ./*.deb; do dpkg -x "$package" "$folder/root" || exit 1; done
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/repeat.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <vterm.h>

/* The first two lines of a terminal of ten columns, which got these bytes: "|AAAAAAAAAx|          |". */
static void write_lines(const char *bytes) {
    VTerm *terminal = vterm_new(3, 10);
    VTermScreen *screen = vterm_obtain_screen(terminal);
    vterm_screen_reset(screen, 1);
    vterm_input_write(terminal, bytes, strlen(bytes));
    for (int row = 0; row < 2; row++) {
        char line[64];
        size_t length = vterm_screen_get_text(screen, line, sizeof line, (VTermRect){row, row + 1, 0, 10});
        printf("|%-10.*s", (int)length, line);
    }
    puts("|");
    vterm_free(terminal);
}

int main(void) {
    write_lines("AAAAAAAAAx");
    write_lines("A\033[8bx");
    return 0;
}
C
library=$(dirname "$(find "$folder/root" -name 'libvterm.so.0' | head -n 1)")
gcc -std=c11 -I "$folder/root/usr/include" -o "$folder/repeat" "$folder/repeat.c" "$library/libvterm.so.0" \
    -Wl,-rpath,"$library" || exit 77
"$folder/repeat" >"$folder/seen" || exit 2
echo "seen:     sent nine times: $(sed -n 1p "$folder/seen")"
echo "          repeated:        $(sed -n 2p "$folder/seen")"
if printf '|AAAAAAAAAx|          |\n|AAAAAAAAA |x         |\n' | cmp -s - "$folder/seen"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
