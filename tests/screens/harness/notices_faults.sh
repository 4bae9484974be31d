#!/bin/sh
# A test that cannot fail is a defect: every expectation here is wrong, and the runner must say so.
#     notices_faults.sh SCREEN_TEST SCREENSHOT SAMPLE
set -u
screen_test=$1 screenshot=$2 sample=$3
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
failures=0

# must_fail STATUS TEXT: the script on standard input ends with STATUS, and the report has TEXT.
must_fail() {
    { echo 'idle 1'; cat; } >"$folder/case.screen"
    "$screen_test" SAMPLE="$sample" "$folder/case.screen" >"$folder/report" 2>&1
    status=$?
    if [ $status -ne "$1" ] || ! grep -qF -e "$2" "$folder/report"; then
        echo "expected status $1 and \"$2\", found status $status and:"
        cat "$folder/case.screen" "$folder/report"
        failures=$((failures + 1))
    fi
}

start='size 20 3
run $SAMPLE
wait "sample 20x3"'

must_fail 1 '+sample 20x3' <<EOF
$start
expect-lines 0 0
|sample 21x3
end
EOF
must_fail 1 '-one row too many' <<EOF
$start
expect-lines 0 0
|sample 20x3
|one row too many
end
EOF
must_fail 1 'no "never drawn" on the screen' <<EOF
$start
keys x
timeout 2
wait "never drawn"
EOF
must_fail 1 'expected on the screen: never drawn' <<EOF
$start
expect-text "never drawn"
EOF
must_fail 1 'not expected on the screen: q quit' <<EOF
$start
expect-no-text "q quit"
EOF
must_fail 1 'not in the expected style' <<EOF
$start
expect-style "sample" bold
EOF
must_fail 1 'not in the expected colours' <<EOF
$start
expect-ink "sample" 1 default
EOF
must_fail 2 'a colour is default' <<EOF
$start
expect-ink "sample" red default
EOF
must_fail 1 "colours are not: 256" <<EOF
$start
expect-colours 256
EOF
must_fail 1 'beyond ASCII' <<EOF
size 40 10
run \$SAMPLE
wait "sample"
keys w
wait-quiet
expect-ascii
EOF
must_fail 1 'expected exit status 0, found 3' <<EOF
$start
keys q
expect-exit 0
EOF
must_fail 1 'the terminal is not as it was' <<EOF
$start
keys x
expect-exit 4
expect-restored
EOF
must_fail 1 'expected at most 1 bytes' <<EOF
$start
mark-bytes
keys Down
expect-bytes 1
EOF
must_fail 1 'the cursor is not there' <<EOF
$start
expect-cursor hidden
EOF
must_fail 1 'found 127' <<EOF
run no-such-program
expect-exit 0
EOF
must_fail 1 'failed' <<EOF
shell "exit 1"
EOF
must_fail 2 'there is no command' <<EOF
wiat "x"
EOF
must_fail 2 'there is no variable' <<EOF
run \$NOTHING
EOF
must_fail 2 'is no key' <<EOF
$start
keys Dwon
EOF
must_fail 2 'nothing has been run' <<EOF
keys q
EOF
must_fail 2 'expected lines that begin with |' <<EOF
$start
expect
EOF

# Recording puts the real screen in, and what was recorded passes.
printf '%s\nmask "pid \\\\d+"\nexpect\nend\nkeys q\nexpect-exit 3\n' "$start" >"$folder/record.screen"
"$screen_test" --update SAMPLE="$sample" "$folder/record.screen" >"$folder/report" 2>&1 &&
    grep -qx '|sample 20x3' "$folder/record.screen" &&
    "$screen_test" SAMPLE="$sample" "$folder/record.screen" >>"$folder/report" 2>&1 || {
    echo "recording a screen failed:"
    cat "$folder/report" "$folder/record.screen"
    failures=$((failures + 1))
}

# A drawing is well-formed as far as can be seen without a parser, and has the screen's words.
"$screenshot" "$folder/record.screen" "$folder/shot.svg" SAMPLE="$sample" >"$folder/report" 2>&1 &&
    [ "$(tail -n 1 "$folder/shot.svg")" = '</svg>' ] || {
    echo "a screenshot failed:"
    cat "$folder/report"
    failures=$((failures + 1))
}

[ $failures -eq 0 ]
