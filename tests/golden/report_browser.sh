#!/bin/sh
# A report as a browser shows it: light, dark, printed, on a narrow screen. Skipped (77) where there is no Chromium.
#     sh report_browser.sh REJUV TESTS [FOLDER]     FOLDER: where the pictures are kept, to be looked at
set -eu
rejuv=$1
tests=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "skipped: no Chromium"
    exit 77
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
kept=${3:-$folder}

fail() {
    echo "FAILED: $*"
    exit 1
}

browse() {
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" "$@" \
        "file://$folder/report.html" 2>"$folder/said" || fail "$browser $*: $(cat "$folder/said")"
}

head -n 9 "$tests/demo/calibration.jsonl" >"$folder/rows.jsonl"
"$rejuv" report "$tests/demo/base" "$tests/demo/sft" --calibration "$folder/rows.jsonl" --rho 1% --tau 0.5 --sweep 0:1:3 \
    --line 0:1:3 --plane=-0.2:0.2:3 --directions 2 --quiet --out "$folder/report.html"

# What a browser makes of it: every section, every figure, and no error.
browse --dump-dom >"$folder/dom"
for key in verdict setting pair preflight drift spectra output dormancy sweep landscape recipe limits; do
    grep -q "<section id=\"$key\"" "$folder/dom" || fail "the browser has no section $key"
done
figures=$(grep -c '</figure>' "$folder/dom")
[ "$figures" -eq 7 ] || fail "the browser has $figures figures"

browse --window-size=1100,2400 --screenshot="$kept/light.png" >/dev/null
browse --window-size=1100,2400 --blink-settings=preferredColorScheme=0 --screenshot="$kept/dark.png" >/dev/null
browse --window-size=420,2400 --screenshot="$kept/narrow.png" >/dev/null
browse --no-pdf-header-footer --print-to-pdf="$kept/report.pdf" >/dev/null
for picture in light dark narrow; do
    [ "$(head -c 4 "$kept/$picture.png" | tail -c 3)" = PNG ] || fail "there is no picture $picture"
done
cmp -s "$kept/light.png" "$kept/dark.png" && fail "dark is light"
[ "$(head -c 4 "$kept/report.pdf")" = %PDF ] || fail "there is no PDF"
pages=$(LC_ALL=C grep -a -c '/Type /Page$' "$kept/report.pdf") || true
[ "$pages" -ge 4 ] && [ "$pages" -le 14 ] || fail "printed, it has $pages pages"
echo "7 figures, $pages pages printed"
