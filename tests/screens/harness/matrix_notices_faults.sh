#!/bin/sh
# What the matrix is there to notice, done to a matrix of the sample program: a changed letter, a changed colour, a
# terminal that is missing, a section that no terminal shows, and what else a hand may do to a golden file.
#     matrix_notices_faults.sh MATRIX_TEST SAMPLE
set -u
matrix_test=$1 sample=$2
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
failures=0

mkdir "$folder/matrix" "$folder/first" "$folder/second" "$folder/third"
cat >"$folder/matrix/terminals" <<'END'
size 40 cells
END
cat >"$folder/matrix/views.screen" <<'END'
size $COLUMNS $ROWS
env TERM=$TERM LANG=$LANG
timeout 30
idle 1
run $SAMPLE
wait "sample"
mask 'pid +\d+'
keys c a
wait-quiet
expect-golden colours
keys r
wait-quiet
expect-golden runs
keys q
expect-exit 3
END

fail() {
    echo "$@"
    [ ! -e "$folder/report" ] || cat "$folder/report"
    failures=$((failures + 1))
}

# ---- the list of terminals ----
"$matrix_test" --terminals "$folder/matrix" >"$folder/report" 2>&1
[ $? -eq 2 ] && grep -q 'says nothing of terminals' "$folder/report" || fail "a size that is none was taken:"
cat >"$folder/matrix/terminals" <<'END'
size 40x10 cells
size 60x12 palette
charset utf8 LANG=C.UTF-8
charset ascii LANG=C
depth 256 TERM=xterm-256color
depth 8 TERM=xterm
END

# ---- recording ----

# record SHOTS: shoots every terminal, and puts the golden files together, which fails where a shot is missing
record() {
    for terminal in $("$matrix_test" --terminals "$folder/matrix"); do
        "$matrix_test" --shoot "$1" "$folder/matrix" "$terminal" SAMPLE="$sample" &
    done
    wait
    "$matrix_test" --record "$1" "$folder/matrix"
}

record "$folder/first" >"$folder/report" 2>&1 || fail "recording failed:"
cp -R "$folder/matrix" "$folder/good"
record "$folder/second" >"$folder/report" 2>&1 || fail "recording again failed:"
diff -r "$folder/good" "$folder/matrix" >"$folder/report" || fail "recorded twice, found two things:"
for terminal in $("$matrix_test" --terminals "$folder/matrix"); do
    "$matrix_test" "$folder/matrix" "$terminal" SAMPLE="$sample" >"$folder/report" 2>&1 ||
        fail "what was recorded does not pass in $terminal:"
done
"$matrix_test" --check "$folder/matrix" >"$folder/report" 2>&1 || fail "what was recorded is not whole:"
# "rich" is there in 256 colours and not in 8: two texts of each size, which both character sets show
[ "$(grep -c '^== 40x10 utf8 ascii: 256$' "$folder/matrix/colours.matrix")" -eq 1 ] &&
    [ "$(grep -c '^==' "$folder/matrix/colours.matrix")" -eq 4 ] || fail "texts are not stored once each"

# One screen that changes is one section of one file.
sed 's/^keys r$/keys Right/' "$folder/good/views.screen" >"$folder/matrix/views.screen"
record "$folder/third" >"$folder/report" 2>&1 || fail "recording another screen failed:"
cmp -s "$folder/good/colours.matrix" "$folder/matrix/colours.matrix" || fail "a view that did not change did"
! cmp -s "$folder/good/runs.matrix" "$folder/matrix/runs.matrix" || fail "a view that changed did not"

# ---- faults ----

# must_notice TERMINAL TEXT SED_SCRIPT …: what the script does to colours.matrix fails in TERMINAL (--check: in the
# file alone), and the report has TEXT
must_notice() {
    rm -rf "$folder/matrix"
    cp -R "$folder/good" "$folder/matrix"
    sed "$3" "$folder/good/colours.matrix" >"$folder/matrix/colours.matrix"
    if cmp -s "$folder/good/colours.matrix" "$folder/matrix/colours.matrix"; then
        fail "\"$3\" changes nothing"
    elif [ "$1" = --check ]; then
        ! "$matrix_test" --check "$folder/matrix" >"$folder/report" 2>&1 &&
            grep -qF -e "$2" "$folder/report" || fail "\"$3\" was not noticed as \"$2\":"
    else
        ! "$matrix_test" "$folder/matrix" "$1" SAMPLE="$sample" >"$folder/report" 2>&1 &&
            grep -qF -e "$2" "$folder/report" || fail "\"$3\" was not noticed as \"$2\" in $1:"
    fi
}

# Ranges of lines: the first section, and the second one.
first='1,/^== 40x10 utf8 ascii: 8$/'
second='/^== 40x10 utf8 ascii: 8$/,/^$/'
without_ascii="$second { s/ ascii: 8/: 8/; s/utf8-8/8/; s/^\\(ink *8\\) .*/\\1/; s/^\\([a-z]  *[^ ]*\\)  .*/\\1/; }"

# text and styles
must_notice 40x10-256-utf8 'colours in 40x10-256-utf8' "$first s/^|sample 40x10/|sample 40x11/"
must_notice 40x10-256-utf8 '+sample 40x10' "$first s/^|sample 40x10/|sample 40x11/"
must_notice 40x10-256-utf8 '-ink 197' "$first s/ 196 / 197 /"
must_notice 40x10-256-utf8 '+ground 17: cells 4' "$first s/ 17 / 18 /"
must_notice 40x10-256-utf8 '-ink underline' "$first s/bold      /underline /"
must_notice 40x10-256-utf8 'cells 1, the first in row 3' "$first s/aa bb/aa ba/"
must_notice 60x12-256-ascii '-ink 197' '/^== 60x12 utf8 ascii: 256$/,$ s/ 196/ 197/g'

# terminals
must_notice 40x10-8-ascii 'no section shows 40x10-8-ascii' "$without_ascii"
must_notice --check 'no section shows 40x10-8-ascii' "$without_ascii"
must_notice --check 'no terminal shows this' 's/^== 40x10 utf8 ascii: 8$/== 41x10 utf8 ascii: 8/'
must_notice --check 'no terminal shows this' 's/^== 40x10 utf8 ascii: 8$/== 40x10 utf8 ascii: 16/'
must_notice --check 'no terminal shows this' 's/^== 40x10 utf8 ascii: 8$/== 40x10 utf8 ascii:/'
must_notice --check 'sections show the same terminal' "$second { s/-8/-256/g; s/: 8/: 256/; }"
must_notice --check 'the same text in lines' "$second { s/rich//; }
$first { s/       rich//; }"

# the form
must_notice --check 'the letter b of the legend is nowhere' "$first s/aa bb/aa aa/"
must_notice --check 'the letter Z is not in the legend' 's/aa bb/aZ bb/'
must_notice --check 'rows of text' "$first { /^|sample/d; }"
must_notice --check 'rows of letters' "$first { /^:   aa/d; }"
must_notice --check 'letters without a legend' "$first { /^ground/d; /^a       17/d; }"

# A file of no view, and a view without a file.
rm -rf "$folder/matrix"
cp -R "$folder/good" "$folder/matrix"
cp "$folder/good/runs.matrix" "$folder/matrix/old.matrix"
! "$matrix_test" --check "$folder/matrix" >"$folder/report" 2>&1 || fail "a golden file of no view was not noticed:"
rm "$folder/matrix/old.matrix" "$folder/matrix/runs.matrix"
! "$matrix_test" --check "$folder/matrix" >"$folder/report" 2>&1 || fail "a view without its file was not noticed:"

[ $failures -eq 0 ]
