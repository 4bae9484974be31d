#!/bin/sh
# Random keys for MINUTES, the same ones round after round, in a session where everything can be measured: the table says what
# the program held after each round. Exit status 1 where that grows, or where the program failed.
#
#     soak.sh BUILD [MINUTES [SEED]]
set -u
build=${1:?usage: soak.sh BUILD [MINUTES [SEED]]} minutes=${2:-20} seed=${3:-7}
demo=$(cd "$(dirname "$0")/../demo" && pwd) || exit 2
rows=$(mktemp) || exit 2
trap 'rm -f "$rows"' EXIT
head -n 2 "$demo/calibration.jsonl" >"$rows" # measured in a moment: the more keys there is time for
"$build/tests/screens/monkey" --seed "$seed" --round 200 --seconds $((60 * minutes)) \
    "$build/rejuv" "$demo/base" "$demo/sft" --calibration "$rows"
