#!/bin/sh
# Every view at every size, depth of colour and character set: writes the scripts matrix/SIZE-DEPTH-CHARSET.screen
# anew and records their screens from the real program; then read the difference in git.
#     sh tests/screens/matrix.sh [BUILD_FOLDER]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
folder=tests/screens/matrix

# terminal DEPTH: what tells the program how many colours there are.
terminal() {
    case $1 in
    24bit) echo 'TERM=xterm-256color COLORTERM=truecolor' ;;
    256) echo 'TERM=xterm-256color' ;;
    8) echo 'TERM=xterm' ;;
    mono) echo 'TERM=xterm-256color NO_COLOR=1' ;;
    esac
}

# describe DEPTH: a description with direct colours, as ncurses' full database has it, which need not be installed.
describe() {
    [ "$1" = 24bit ] || return 0
    sed -n '/^file direct.ti/,/^shell/p' tests/screens/colours-24-bit.screen
}

# colours SIZE DEPTH: that there are as many as are meant, where there is room for any.
colours() {
    case $1 in 1x1 | 20x5) return 0 ;; esac
    case $2 in
    24bit) echo 'expect-colours truecolour' ;;
    mono) echo 'expect-colours none' ;;
    *) echo "expect-colours $2" ;;
    esac
}

# script SIZE DEPTH CHARSET
script() {
    locale=C.UTF-8
    [ "$3" = utf8 ] || locale=C
    echo "# Written by tests/screens/matrix.sh: every view at $1, $2, $3."
    echo "size ${1%x*} ${1#*x}"
    describe "$2"
    echo "env $(terminal "$2") LANG=$locale"
    echo 'shell "head -n 5 demo/calibration.jsonl > few.jsonl"'
    echo 'run $REJUV demo/base demo/sft --calibration few.jsonl --rho 1%'
    echo 'mask "/[^ ]*screen-[A-Za-z0-9]*"'
    echo "mask '(mergekit.yaml|rejuvenation.json) +[0-9.]+ k?B'"
    echo "mask-rest '[0-9.]+ [kMGT]B free'"
    echo "mask 'up to [0-9:]+ *'"
    echo wait-quiet
    for view in 1 2 3 4 5 6 8; do
        echo "keys $view"
        echo wait-quiet
        echo expect
        [ "$view" != 2 ] || colours "$1" "$2"
    done
    echo 'keys q'
    echo 'expect-exit 0'
}

rm -rf $folder
mkdir $folder
for size in 80x24 100x30 200x50 20x5 1x1; do
    for depth in 24bit 256 8 mono; do
        for charset in utf8 ascii; do
            script $size $depth $charset >"$folder/$size-$depth-$charset.screen"
        done
    done
done
sh tests/screens/update.sh "$build" $folder/*.screen
