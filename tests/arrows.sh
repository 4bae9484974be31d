#!/bin/sh
# The rooms' rules, as far as text can show them: tests/rooms is the plan, whose arrows point down.
#     arrows.sh [ROOT]          checks a source tree; prints every violation; status 1 if there is any
#     arrows.sh --self-test     plants each kind of violation and expects it to be found
set -u
plan=$(cd "$(dirname "$0")" && pwd)

# The includes of C files, comments and strings removed where they could mislead: "FILE:LINE:text".
code() {
    awk '
    FNR == 1 { comment = 0 }
    {
        line = $0; out = ""
        while (line != "") {
            if (comment) {
                end = index(line, "*/")
                if (end == 0) { line = ""; break }
                line = substr(line, end + 2); comment = 0
            } else if (match(line, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
                out = out substr(line, 1, RSTART - 1)
                token = substr(line, RSTART, RLENGTH)
                line = substr(line, RSTART + RLENGTH)
                if (token == "/*") comment = 1
                else if (token == "//") line = ""
                else out = out ($0 ~ /^[ \t]*#[ \t]*include/ ? token : "\"\"")
            } else { out = out line; line = "" }
        }
        if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
    }' "$@" </dev/null
}

# deny MESSAGE REGEX: the lines of standard input that match are violations.
deny() {
    grep -E ":[0-9]+:.*$2" | sed "s|\$|    <- $1|"
}

# include REGEX: an #include of a header whose name, quotes included, matches.
include() {
    printf '#[[:space:]]*include[[:space:]]*%s' "$1"
}

word() {
    printf '(^|[^A-Za-z0-9_])(%s)[[:space:]]*\\(' "$1"
}

files() { # ROOT/FOLDER: its .c and .h files, one a line
    [ -d "$1" ] && find "$1" \( -name '*.c' -o -name '*.h' \) | LC_ALL=C sort
}

terminal='<(curses|ncurses|ncursesw/.*|ncurses/.*|term|termios|readline/.*|panel|menu|form)\.h>'
prints='printf|vprintf|puts|putchar|putc|perror|exit|_exit|_Exit|quick_exit|abort|err|errx|warn|warnx|psignal'

# The plan: rooms, arrows, doors, names, circles of headers.
check_rooms() {
    list=$(files core; files tui; files views)
    [ -n "$list" ] || return 0
    {
        printf '%s\n' $list | sed 's/$/:0:/'
        code $list | grep -E "$(include '"')"
    } | awk -f "$plan/arrows.awk" "${rooms:-$plan/rooms}" -
}

# One header of each room says, in its first comment, what the room is.
check_words() {
    sed -n 's/^\([a-z][a-z/]*\): .*/\1/p' "${rooms:-$plan/rooms}" | while read -r room; do
        [ -d "$room" ] || continue
        said=$(awk 'FNR == 1 { head = 1 } /^#/ { head = 0 } head && /^ \* The room: ./ { printf "%s ", FILENAME }' \
            "$room"/*.h </dev/null 2>/dev/null)
        [ "$(echo $said | wc -w)" -eq 1 ] || echo "$room: $said   <- one header of a room says what the room is (* The room: …)"
    done
}

check_core() {
    list=$(files core) || return 0
    [ -n "$list" ] || return 0
    code $list | deny 'core/ knows no terminal' "$(include "$terminal")"
    code $list | deny 'core/ prints nothing and never exits' "$(word "$prints")"
    code $list | deny 'core/ writes to no standard stream' '(^|[^A-Za-z0-9_])(stdout|stderr|stdin)([^A-Za-z0-9_]|$)'
}

check_tui() {
    list=$(files tui | grep -v '^tui/terminal/')
    [ -n "$list" ] || return 0
    code $list | deny 'curses and readline are the business of tui/terminal alone' "$(include "$terminal")"
    list=$(files tui | grep -v '^tui/program/')
    [ -z "$list" ] || code $list | deny 'commands and views are named in tui/program alone, and handed down' \
        '(^|[^A-Za-z0-9_])(COMMANDS|VIEWS)([^A-Za-z0-9_]|$)'
}

check_views() {
    list=$(files views) || return 0
    [ -n "$list" ] || return 0
    code $list | deny 'views/ draw through tui/' "$(include "$terminal")"
    code $list | deny 'no maths in views/' "$(include '<(math|tgmath|complex|fenv|cblas)\.h>')"
}

check_flags() {
    find . \( -name CMakeLists.txt -o -name '*.cmake' -o -path './core/*.[ch]' -o -path './tui/*.[ch]' \
        -o -path './views/*.[ch]' \) -not -path './build*' -not -path './.git/*' -print |
        while read -r file; do
            sed -e 's/#[^"]*$//' "$file" 2>/dev/null |
                grep -nE -- '-(ffast-math|Ofast|funsafe-math-optimizations|ffinite-math-only)|optimize[^)]*fast-math' |
                sed "s|^|$file:|; s|\$|    <- no compiler may assume that there is no NaN|"
        done
}

# A declaration in a header begins in the first column: TYPE name(…); name must begin with the file's name, with
# that of the room it belongs to (forward_state.h may declare forward_length()), or with that of a .c file that has no
# header of its own.
check_names() {
    list=$(files core | grep '\.h$') || return 0
    [ -n "$list" ] || return 0
    headless=$(files core | sed -n 's|\.c$||p' | while read -r stem; do
        [ -e "$stem.h" ] || printf '%s ' "${stem##*/}"
    done)
    code $list | awk -v headless="$headless" '
    function belongs(name, stem,    words, count, i, prefix) {
        count = split(stem, words, "_")
        for (i = 1; i <= count; i++) {
            prefix = prefix words[i] "_"
            if (index(name, prefix) == 1) return 1
        }
        sub(/s$/, "", stem)
        if (index(name, stem "_") == 1) return 1
        count = split(headless, words, " ")
        for (i = 1; i <= count; i++) if (index(name, words[i] "_") == 1) return 1
        return 0
    }
    {
        split($0, part, ":"); file = part[1]; line = part[2]
        text = substr($0, length(file) + length(line) + 3)
        stem = file; sub(/.*\//, "", stem); sub(/\.h$/, "", stem)
        if (text ~ /^(typedef|static|struct|union|enum|#|extern "C")/ && text !~ /^struct [A-Za-z0-9_]+ \*?[a-z]/) next
        if (text !~ /^[A-Za-z_]/ || !match(text, /[a-z_][A-Za-z0-9_]*\(/)) next
        name = substr(text, RSTART, RLENGTH - 1)
        if (name == "__attribute__" || name == "_Static_assert" || RSTART == 1) next
        if (!belongs(name, stem))
            print file ":" line ":" name "    <- a public function of this header begins with " stem "_"
    }'
}

check_tree() {
    violations=$( (check_rooms; check_words; check_core; check_tui; check_views; check_flags; check_names) 2>&1)
    [ -z "$violations" ] && return 0
    printf '%s\n' "$violations"
    return 1
}

# ---- the self-test ----

planted=0 missed=0

# plant FILE TEXT: with this line added to a clean tree the check must fail and name the file.
plant() {
    planted=$((planted + 1))
    rm -rf "$tree"
    clean_tree
    mkdir -p "$tree/$(dirname "$1")"
    printf '%s\n' "$2" >>"$tree/$1"
    report=$(cd "$tree" && check_tree)
    if [ $? -ne 1 ] || ! printf '%s' "$report" | grep -q "${1%.[ch]}"; then
        echo "planted in $1 and not found: $2"
        missed=$((missed + 1))
    fi
}

clean_tree() {
    mkdir -p "$tree/core/low" "$tree/core/room" "$tree/tui/terminal" "$tree/tui/keys" "$tree/tui/app" \
        "$tree/tui/program" "$tree/views/one" "$tree/views/two"
    cat >"$tree/rooms" <<'EOF'
# a small house
core/low: uses: doors *
core/room: uses low: doors room
tui/keys: uses core/low: doors *
tui/terminal: uses keys: doors * -guts
tui/app: uses keys terminal core/*: doors view app
views/one: uses tui/keys tui/app/view core/*: doors
views/two: uses tui/app/view: doors
views: uses tui/app/view one two: doors views
tui/program: uses tui/* core/* views: doors
EOF
    for door in core/low/status.h tui/keys/key.h tui/terminal/terminal.h tui/app/view.h views/one/one_view.h \
        views/two/two_view.h views/views.h tui/program/program.h; do
        printf '/*\n * The room: one of a small house.\n */\n' >"$tree/$door"
    done
    cat >"$tree/core/room/room.h" <<'EOF'
/*
 * The room: one of a small house.
 */
/* printf() and exit() in a comment, and #include "tui/x.h" too, are nobody's business. */
#include "core/low/status.h"
#include <stdio.h>
Status room_open(const char *path, Error *error);
const struct Room *room_find(void);
EOF
    cat >"$tree/core/room/room.c" <<'EOF'
#include "core/room/room.h"
#include "core/room/room_internal.h"
static const char *text = "use printf() or stderr"; // and exit(1)
static int snprintf_like(void) { return snprintf(0, 0, "%s", text); }
EOF
    printf '#include "%s"\n' core/low/status.h core/room/room.h >"$tree/core/room/room_internal.h"
    echo '#include "core/low/status.h"' >"$tree/core/low/status_text.h"
    : >"$tree/tui/terminal/terminal_internal.h"
    : >"$tree/tui/terminal/guts.h"
    printf '#include "tui/terminal/%s"\n' terminal.h guts.h >"$tree/tui/terminal/terminal.c"
    echo '#include <ncurses.h>' >>"$tree/tui/terminal/terminal.c"
    echo '#include "tui/keys/key.h"' >>"$tree/tui/terminal/terminal.h"
    echo '#include "tui/keys/key.h"' >>"$tree/tui/app/view.h"
    printf '#include "%s"\n' core/room/room.h tui/app/view.h tui/terminal/terminal.h >"$tree/tui/app/app.c"
    : >"$tree/tui/app/app.h"
    printf '#include "%s"\n' core/room/room.h tui/app/view.h tui/keys/key.h >"$tree/views/one/one_view.c"
    printf '#include "tui/app/view.h"\n' >>"$tree/views/two/two_view.h"
    printf '#include "tui/app/view.h"\nextern int VIEWS;\n' >>"$tree/views/views.h"
    printf '#include "views/views.h"\nint main(void) { return VIEWS; }\n' >"$tree/tui/program/main.c"
    printf '# no -ffast-math here\nadd_compile_options(-O3)\n' >"$tree/CMakeLists.txt"
    rooms=$tree/rooms
}

self_test() {
    tree=$(mktemp -d) || exit 2
    trap 'rm -rf "$tree"' EXIT
    clean_tree
    (cd "$tree" && check_tree) || { echo "a clean tree was refused"; missed=1; }
    # arrows
    plant core/room/room.c '#include "tui/keys/key.h"'
    plant core/room/room.c '#include "views/views.h"'
    plant core/low/status.h '#include "core/room/room.h"'
    plant tui/keys/key.h '#include "tui/app/app.h"'
    plant tui/keys/key.h '#include "core/room/room.h"'
    plant views/two/two_view.h '#include "core/low/status.h"'
    plant views/one/one_view.c '#include "views/two/two_view.h"'
    plant views/one/one_view.c '#include "tests/x.h"'
    # doors
    plant tui/app/app.c '#include "core/room/room_internal.h"'
    plant tui/app/app.c '#include "tui/terminal/guts.h"'
    plant tui/app/app.c '#include "tui/terminal/terminal_internal.h"'
    plant views/one/one_view.c '#include "tui/app/app.h"'
    # paths, places and names
    plant core/room/room.h '#  include "room.h"'
    plant views/one/one_view.c '#include "one_view.h"'
    plant core/stray.c 'int stray;'
    plant core/unknown/stray.c 'int stray;'
    plant core/low/deeper/stray.c 'int stray;'
    plant tui/app/key.c 'int twice;'
    plant core/low/twice.h '/*
 * The room: said twice.
 */'
    # circles
    plant core/low/status.h '#include "core/low/status_text.h"'
    plant core/room/room.h '#include "core/room/room_internal.h"'
    # what a folder may know
    plant core/room/room.c '#include <ncurses.h>'
    plant core/room/room.c '#include <readline/readline.h>'
    plant core/room/room.c 'void f(void) { printf("x"); }'
    plant core/room/room.c 'void f(void) { fprintf (stderr, "x"); }'
    plant core/room/room.c 'void f(void) { puts ("x"); }'
    plant core/room/room.c 'void f(void) { exit(1); }'
    plant core/room/room.c 'void f(void) { if (1) abort(); }'
    plant core/room/room.c 'void f(void) { perror("x"); }'
    plant core/room/room.h 'int open_room(void);'
    plant core/room/room.h 'const char *roomname(void);'
    plant core/room/room.h 'bool roof_open(const char *path,'
    plant core/room/room.h 'typedef struct Wall Wall;
int walls_count(const Wall *wall);'
    plant tui/app/app.c '#include <ncurses.h>'
    plant tui/app/app.c 'extern int VIEWS;'
    plant tui/keys/key.h 'static int n = COMMANDS;'
    plant views/one/one_view.c '#include <math.h>'
    plant views/one/one_view.c '#include <ncurses.h>'
    plant views/one/one_view.c '#include <readline/history.h>'
    plant CMakeLists.txt 'add_compile_options(-ffast-math)'
    plant CMakeLists.txt 'set(CMAKE_C_FLAGS "-Ofast")'
    echo "$planted violations planted, $missed missed"
    [ $missed -eq 0 ]
}

if [ "${1:-}" = --self-test ]; then
    self_test
else
    cd "${1:-$(dirname "$0")/..}" || exit 2
    check_tree
fi
