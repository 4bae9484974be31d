#!/bin/sh
# The plan (tests/rooms) as the linker sees it. What a room's library lacks, and another room defines, must be defined by
# a room that it uses: this sees an `extern` that no include shows. And files do not call each other in a circle, those
# of one room neither: each room has an order in which it can be read.
#     symbols.sh ROOM=ARCHIVE …            prints every violation; status 1 if there is any
#     symbols.sh --self-test COMPILER      plants one and expects it to be found
set -u
plan=$(cd "$(dirname "$0")" && pwd)/rooms

# The table of all symbols: "ROOM FILE D NAME" defined, "ROOM FILE U NAME" wanted.
symbols() {
    for word in "$@"; do
        nm "${word#*=}" 2>/dev/null | awk -v room="${word%%=*}" '
        /:$/ { file = $1; sub(/(\.c)?\.o:$/, "", file) }
        NF == 2 && $1 == "U" { print room, file, "U", $2 }
        NF == 3 && $2 ~ /^[A-TV-Z]$/ { print room, file, "D", $3 }'
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
    $3 == "D" { home[$4] = $1; file_of[$4] = $1 "/" $2 }
    $3 == "U" { wanted[++wants] = $1 " " $1 "/" $2 " " $4 }

    # Depth first: what is reached again while it is open closes a circle.
    function visit(one, path,    ones, count, i, circle) {
        state[one] = 1
        count = split(edges[one], ones, " ")
        for (i = 1; i <= count; i++) {
            if (state[ones[i]] == 1) {
                circle = path " " one " "
                print one " calls " ones[i] ": " call[one, ones[i]] "()    <- files call each other in a circle: " \
                    substr(circle, index(circle, " " ones[i] " ") + 1)
                bad = 1
            } else if (!state[ones[i]]) visit(ones[i], path " " one)
        }
        state[one] = 2
    }
    END {
        for (i = 1; i <= wants; i++) {
            split(wanted[i], part, " ")
            if (!(part[3] in home)) continue
            there = file_of[part[3]]
            if (there != part[2] && !((part[2], there) in call)) {
                call[part[2], there] = part[3]
                edges[part[2]] = edges[part[2]] " " there
            }
            if (home[part[3]] == part[1]) continue
            if (!((part[1], home[part[3]]) in uses)) {
                print part[1] ": " part[3] "()    <- is in " home[part[3]] ", which tests/rooms does not let it use"
                bad = 1
            }
        }
        for (one in edges) if (!state[one]) visit(one, "")
        exit bad
    }' "$plan" -
}

# A house of three rooms: calls down are well; up, or in a circle, they are not, and no include shows them.
self_test() {
    folder=$(mktemp -d) || exit 2
    trap 'rm -rf "$folder"' EXIT
    plan=$folder/rooms
    printf '%s\n' 'core/low: uses: doors *' 'core/middle: uses low: doors *' 'tui/high: uses core/*: doors *' >"$plan"
    room() { # NAME FILE TEXT …
        name=$1
        shift
        rm -f "$folder/lib$name.a"
        while [ $# -gt 0 ]; do
            printf '%s\n' "$2" >"$folder/$1.c"
            "$compiler" -c "$folder/$1.c" -o "$folder/$1.c.o" && ar rc "$folder/lib$name.a" "$folder/$1.c.o"
            shift 2
        done
    }
    check_house() {
        check "core/low=$folder/liblow.a" "core/middle=$folder/libmiddle.a" "tui/high=$folder/libhigh.a"
    }
    room low low 'int low_count(void) { return 1; }'
    room high high 'extern int middle_count(void); int high_count(void) { return middle_count(); }'
    room middle middle 'extern int low_count(void); int middle_count(void) { return low_count(); }'
    check_house || { echo "a clean house was refused"; exit 1; }
    room high high 'int high_count(void) { return 1; }'
    room middle middle 'extern int high_count(void); int middle_count(void) { return high_count(); }'
    report=$(check_house) && { echo "planted and not found: a call upwards"; exit 1; }
    case $report in *high_count*"does not let"*) ;; *) echo "not named: a call upwards"; exit 1 ;; esac
    room middle one 'extern int two(void); int one(int n) { return n > 0 ? two() : 0; }' \
        two 'extern int one(int); int two(void) { return one(0); }'
    report=$(check_house) && { echo "planted and not found: a circle"; exit 1; }
    case $report in *"in a circle"*) ;; *) echo "not named: a circle"; exit 1 ;; esac
    echo "a call upwards and a circle were found"
}

if [ "${1:-}" = --self-test ]; then
    compiler=$2
    self_test
else
    check "$@"
fi
