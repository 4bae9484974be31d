#!/bin/sh
# The plan (tests/rooms) as the linker sees it: what a room's library lacks, and another room defines, must be defined
# by a room that it uses. This sees an `extern` that no include shows.
#     symbols.sh ROOM=ARCHIVE …            prints every violation; status 1 if there is any
#     symbols.sh --self-test COMPILER      plants one and expects it to be found
set -u
plan=$(cd "$(dirname "$0")" && pwd)/rooms

# The table of all symbols: "ROOM D NAME" defined, "ROOM U NAME" wanted.
symbols() {
    for word in "$@"; do
        nm "${word#*=}" 2>/dev/null | awk -v room="${word%%=*}" '
        NF == 2 && $1 == "U" { print room, "U", $2 }
        NF == 3 && $2 ~ /^[A-TV-Z]$/ { print room, "D", $3 }'
    done
}

check() {
    symbols "$@" | awk '
    function resolve(from, word,    top, i) {
        top = from; sub(/\/.*/, "", top)
        if (word ~ /\/\*$/) {
            sub(/\/\*$/, "", word)
            for (i = 1; i <= rooms; i++) if (index(name[i], word "/") == 1) uses[from, name[i]] = 1
            return
        }
        if (word !~ /\// && (word != "views" || top == "views")) word = top "/" word
        if (word ~ /\/.*\//) sub(/\/[^\/]*$/, "", word) # one door of a room
        uses[from, word] = 1
    }
    FILENAME != "-" {
        if ($0 !~ /^[a-z]/) next
        split($0, part, /: */)
        for (count = split(part[2], words, " "); count > 1; count--) resolve(part[1], words[count])
        name[++rooms] = part[1]
        next
    }
    $2 == "D" { home[$3] = $1 }
    $2 == "U" { wanted[++wants] = $1 " " $3 }
    END {
        for (i = 1; i <= wants; i++) {
            split(wanted[i], part, " ")
            if (!(part[2] in home) || home[part[2]] == part[1]) continue
            if (!((part[1], home[part[2]]) in uses)) {
                print part[1] ": " part[2] "()    <- is in " home[part[2]] ", which tests/rooms does not let it use"
                bad = 1
            }
        }
        exit bad
    }' "$plan" -
}

# Three rooms of the plan: the one in the middle calls down, which is well, then up, which no include shows.
self_test() {
    folder=$(mktemp -d) || exit 2
    trap 'rm -rf "$folder"' EXIT
    plan=$folder/rooms
    printf '%s\n' 'core/low: uses: doors *' 'core/middle: uses low: doors *' 'tui/high: uses core/*: doors *' >"$plan"
    room() { # NAME TEXT
        printf '%s\n' "$2" >"$folder/$1.c"
        "$compiler" -c "$folder/$1.c" -o "$folder/$1.o" && ar rc "$folder/lib$1.a" "$folder/$1.o"
    }
    rooms="core/low=$folder/liblow.a core/middle=$folder/libmiddle.a tui/high=$folder/libhigh.a"
    room low 'int low_count(void) { return 1; }'
    room high 'extern int middle_count(void); int high_count(void) { return middle_count(); }'
    room middle 'extern int low_count(void); int middle_count(void) { return low_count(); }'
    check $rooms || { echo "a clean house was refused"; exit 1; }
    room middle 'extern int high_count(void); int middle_count(void) { return high_count(); }'
    report=$(check $rooms) && { echo "planted and not found: a call upwards"; exit 1; }
    case $report in *high_count*) echo "a call upwards was found" ;; *) exit 1 ;; esac
}

if [ "${1:-}" = --self-test ]; then
    compiler=$2
    self_test
else
    check "$@"
fi
