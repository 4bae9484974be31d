#!/bin/sh
# Measures, and writes what was seen, with the machine it was seen on, into the part "Measured" of what `rejuv help speed` tells.
#     sh tests/bench/record.sh BUILD [OPTION OF bench … | PART …]
set -eu
build=${1:?a build folder}
shift
topic=$(dirname "$0")/../../tui/program/topic_speed.md
measured=$(mktemp)
trap 'rm -f "$measured"' EXIT

{
    # what it was given is no code, whose lines would not be broken
    printf '## Measured\n\n`bench --cpu-time --markdown` printed%s:\n\n' "${*:+, given $*}"
    "$build/tests/bench/bench" --cpu-time --markdown "$@"
    echo
} >"$measured"
awk -v measured="$measured" '
    /^## / { is_old = $0 == "## Measured" }
    is_old && !is_written { while ((getline line < measured) > 0) print line; is_written = 1 }
    !is_old
    END { exit !is_written }' "$topic" >"$topic.new" && mv "$topic.new" "$topic"
