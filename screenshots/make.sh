#!/bin/sh
# Draws every view from the running program: screenshots/NAME.keys is a script (tests/screens/screen_script.h),
# its first line a comment with the title; the screen at its end becomes screenshots/NAME.svg. The words of
# screenshots/NAME.figure are the arguments of `rejuv figure`, those of screenshots/NAME.report of `rejuv report`, whose page
# headless Chromium (chromium and fonts-dejavu of Debian) draws as screenshots/NAME.png; without one it is left as it is.
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
    for script in screenshots/*.keys screenshots/*.figure screenshots/*.report; do
        [ -e "$script" ] || { echo "there is no $script" >&2; exit 2; }
        name=${script##*/}
        set -- "$@" "${name%.*}"
    done
fi

# The upper part of the page, as a window shows it.
draw_report() {
    browser=$(command -v chromium || command -v chromium-browser) || {
        echo "screenshots/$1.png is left as it is: no Chromium"
        return
    }
    folder=$(mktemp -d)
    # shellcheck disable=SC2046    words
    "$build/rejuv" report $(cat "screenshots/$1.report") --out "$folder/page.html" --quiet
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" \
        --window-size=1000,1500 --screenshot="$root/screenshots/$1.png" "file://$folder/page.html" 2>/dev/null
    rm -rf "$folder"
    echo "screenshots/$1.png $(wc -c <"screenshots/$1.png") bytes"
}

for name in "$@"; do
    if [ -e "screenshots/$name.report" ]; then
        draw_report "$name"
        continue
    fi
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
