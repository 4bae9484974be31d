#!/bin/sh
# The rooms' rules, as far as text can show them. Arrows point one way: views -> tui -> core.
#     arrows.sh [ROOT]          checks a source tree; prints every violation; status 1 if there is any
#     arrows.sh --self-test     plants each kind of violation and expects it to be found
set -u

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

check_core() {
    list=$(files core) || return 0
    [ -n "$list" ] || return 0
    code $list | deny 'core/ includes only core/ and system headers' "$(include '"([^c]|c[^o]|co[^r]|cor[^e]|core[^/])')"
    code $list | deny 'core/ knows no terminal' "$(include "$terminal")"
    code $list | deny 'core/ prints nothing and never exits' "$(word "$prints")"
    code $list | deny 'core/ writes to no standard stream' '(^|[^A-Za-z0-9_])(stdout|stderr|stdin)([^A-Za-z0-9_]|$)'
}

check_tui() {
    list=$(files tui) || return 0
    [ -n "$list" ] || return 0
    code $list | deny 'tui/ includes only tui/, core/ and system headers' \
        "$(include '"(views|tests|screenshots|\.\.)/')"
}

check_views() {
    list=$(files views) || return 0
    [ -n "$list" ] || return 0
    code $list | grep -vE "$(include '"(views|tui|core)/')" |
        deny 'views/ include only views/, tui/, core/ and system headers' "$(include '"')"
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
# that of the room it belongs to (forward_state.h may declare forward_norm()), with that of a .c file that has no
# header of its own, or with the first word of a type that the header defines (TokenList: tokens_free()).
check_names() {
    list=$(files core | grep '\.h$') || return 0
    [ -n "$list" ] || return 0
    headless=$(files core | sed -n 's|\.c$||p' | while read -r stem; do
        [ -e "$stem.h" ] || printf '%s ' "${stem##*/}"
    done)
    code $list | awk -v headless="$headless" '
    function belongs(name, stem, others,    words, count, i, prefix) {
        count = split(stem, words, "_")
        for (i = 1; i <= count; i++) {
            prefix = prefix words[i] "_"
            if (index(name, prefix) == 1) return 1
        }
        sub(/s$/, "", stem)
        if (index(name, stem "_") == 1) return 1
        count = split(headless others, words, " ")
        for (i = 1; i <= count; i++) if (index(name, words[i] "_") == 1) return 1
        return 0
    }
    {
        split($0, part, ":"); file = part[1]; line = part[2]
        text = substr($0, length(file) + length(line) + 3)
        stem = file; sub(/.*\//, "", stem); sub(/\.h$/, "", stem)
        if (text ~ /^(typedef|})/ && text !~ /\(/) {
            type = text
            gsub(/^typedef|struct|union|enum|[};{]/, " ", type)
            sub(/^ +/, "", type); sub(/ .*/, "", type)
            gsub(/[A-Z]/, "_&", type)
            split(tolower(type), words, "_")
            types[file] = types[file] " " words[2] " " words[2] "s"
        }
        if (text ~ /^(typedef|static|struct|union|enum|#|extern "C")/ && text !~ /^struct [A-Za-z0-9_]+ \*?[a-z]/) next
        if (text !~ /^[A-Za-z_]/ || !match(text, /[a-z_][A-Za-z0-9_]*\(/)) next
        name = substr(text, RSTART, RLENGTH - 1)
        if (name == "__attribute__" || name == "_Static_assert" || RSTART == 1) next
        if (!belongs(name, stem, types[file]))
            print file ":" line ":" name "    <- a public function of this header begins with " stem "_"
    }'
}

check_tree() {
    violations=$( (check_core; check_tui; check_views; check_flags; check_names) 2>&1)
    [ -z "$violations" ] && return 0
    printf '%s\n' "$violations"
    return 1
}

# ---- the self-test ----

planted=0 missed=0

# plant FILE TEXT: with this line added to a clean tree the check must fail and name the file.
plant() {
    planted=$((planted + 1))
    rm -rf "$tree" && mkdir -p "$tree/core" "$tree/tui" "$tree/views"
    clean_tree
    printf '%s\n' "$2" >>"$tree/$1"
    report=$(cd "$tree" && check_tree)
    if [ $? -ne 1 ] || ! printf '%s' "$report" | grep -q "$1:"; then
        echo "planted in $1 and not found: $2"
        missed=$((missed + 1))
    fi
}

clean_tree() {
    cat >"$tree/core/room.h" <<'EOF'
/* printf() and exit() in a comment, and #include "tui/x.h" too, are nobody's business. */
#include "core/status.h"
#include <stdio.h>
Status room_open(const char *path, Error *error);
const struct Room *room_find(void);
EOF
    cat >"$tree/core/room.c" <<'EOF'
#include "core/room.h"
static const char *text = "use printf() or stderr"; // and exit(1)
static int snprintf_like(void) { return snprintf(0, 0, "%s", text); }
EOF
    printf '#include "core/room.h"\n#include "tui/key.h"\n#include <ncurses.h>\n' >"$tree/tui/app.c"
    printf '#include "views/one.h"\n#include "tui/key.h"\n#include "core/room.h"\n#include <string.h>\n' >"$tree/views/one.c"
    printf '# no -ffast-math here\nadd_compile_options(-O3)\n' >"$tree/CMakeLists.txt"
}

self_test() {
    tree=$(mktemp -d) || exit 2
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/core" "$tree/tui" "$tree/views"
    clean_tree
    (cd "$tree" && check_tree) || { echo "a clean tree was refused"; missed=1; }
    plant core/room.c '#include "tui/key.h"'
    plant core/room.c '#include "views/one.h"'
    plant core/room.h '#  include "room.h"'
    plant core/room.c '#include <ncurses.h>'
    plant core/room.c '#include <readline/readline.h>'
    plant core/room.c 'void f(void) { printf("x"); }'
    plant core/room.c 'void f(void) { fprintf (stderr, "x"); }'
    plant core/room.c 'void f(void) { puts ("x"); }'
    plant core/room.c 'void f(void) { exit(1); }'
    plant core/room.c 'void f(void) { if (1) abort(); }'
    plant core/room.c 'void f(void) { perror("x"); }'
    plant core/room.h 'int open_room(void);'
    plant core/room.h 'const char *roomname(void);'
    plant core/room.h 'bool roof_open(const char *path,'
    plant tui/app.c '#include "views/one.h"'
    plant views/one.c '#include <math.h>'
    plant views/one.c '#include <ncurses.h>'
    plant views/one.c '#include <readline/history.h>'
    plant views/one.c '#include "tests/x.h"'
    plant views/one.c '#include "one.h"'
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
