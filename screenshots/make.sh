#!/bin/sh
# Draws every view from the running program: screenshots/NAME.keys is a script (tests/screens/screen_script.h),
# its first line a comment with the title; the screen at its end becomes screenshots/NAME.svg. The words of
# screenshots/NAME.figure are the arguments of `rejuv figure`.
#     sh screenshots/make.sh [BUILD_FOLDER] [NAME …]       (build and all of them unless told)
set -eu
cd "$(dirname "$0")/.."
root=$PWD build=${1:-build}
[ $# -eq 0 ] || shift
case $build in /*) ;; *) build=$root/$build ;; esac
if [ ! -x "$build/rejuv" ] || [ ! -x "$build/tests/screens/screenshot" ]; then
    echo "expected $build/rejuv and $build/tests/screens/screenshot: build them first, with the tests" >&2
    exit 2
fi
if [ $# -eq 0 ]; then
    for script in screenshots/*.keys screenshots/*.figure; do
        [ -e "$script" ] || { echo "there is no $script" >&2; exit 2; }
        name=${script##*/}
        set -- "$@" "${name%.*}"
    done
fi
for name in "$@"; do
    if [ -e "screenshots/$name.figure" ]; then
        rm -f "screenshots/$name.svg"
        # shellcheck disable=SC2046    words
        "$build/rejuv" figure $(cat "screenshots/$name.figure") --out "screenshots/$name.svg" --quiet
        continue
    fi
    title=$(sed -n '1s/^# *//p' "screenshots/$name.keys")
    "$build/tests/screens/screenshot" "screenshots/$name.keys" "screenshots/$name.svg" "${title:-rejuv}" \
        REJUV="$build/rejuv" DEMO="$root/tests/demo" TESTS="$root/tests"
    echo "screenshots/$name.svg $(wc -c <"screenshots/$name.svg") bytes"
done
