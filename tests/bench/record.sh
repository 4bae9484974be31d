#!/bin/sh
# Measures, and writes what was seen, with the machine it was seen on, into the part "Measured" of what `rejuv help speed` tells;
# and into the part "Beside other programs", where a folder is given that tests/bench/peers/install.sh made. Without one that
# part stays as it is.
#     sh tests/bench/record.sh BUILD [--peers FOLDER] [OPTION OF bench … | PART …]
set -eu
build=${1:?a build folder}
shift
peers=
if [ "${1-}" = --peers ]; then
    peers=${2:?a folder with other programs}
    shift 2
fi
topic=$(dirname "$0")/../../tui/program/topic_speed.md
measured=$(mktemp)
trap 'rm -f "$measured"' EXIT

{
    # what it was given is no code, whose lines would not be broken
    printf '## Measured\n\n`bench --cpu-time --markdown` printed%s:\n\n' "${*:+, given $*}"
    "$build/tests/bench/bench" --cpu-time --markdown "$@"
    echo
    if [ -n "$peers" ]; then
        printf '## Beside other programs\n\n`bench --cpu-time --markdown --peers FOLDER` printed:\n\n'
        "$build/tests/bench/bench" --cpu-time --markdown --peers "$peers"
        echo
    fi
} >"$measured"
awk -v measured="$measured" '
    BEGIN { while ((getline line < measured) > 0) { all = all line "\n"; if (line ~ /^## /) is_new[line] = 1 } }
    /^## / { is_old = $0 in is_new }
    $0 == "## Measured" { printf "%s", all; is_written = 1 }
    !is_old
    END { exit !is_written }' "$topic" >"$topic.new" && mv "$topic.new" "$topic"
