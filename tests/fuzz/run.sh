#!/bin/sh
# Fuzzes every target (or those named) with libFuzzer under the sanitizers, and writes down how often each ran.
#     sh tests/fuzz/run.sh HOURS [NAME …]     HOURS may be a fraction; they are shared among the targets
# Inputs that were found lie in build-fuzz/corpus/NAME between runs; one that fails in build-fuzz/failed/NAME: it belongs into
# tests/fuzz/corpus and a test. LOG.md gets a row for each target: date, commit, seconds, executions.
set -eu
[ $# -ge 1 ] || {
    echo "usage: sh tests/fuzz/run.sh HOURS [NAME ...]" >&2
    exit 2
}
hours=$1
shift
cd "$(dirname "$0")/../.."
build=build-fuzz
cmake -S . -B $build -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DREJUV_FUZZ=ON -DREJUV_TESTS=ON >/dev/null
names=${*:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_\(.*\)\.c|\1|')}
# shellcheck disable=SC2086 — names
cmake --build $build --target $(printf ' fuzz_%s' $names) >/dev/null
count=$(echo "$names" | wc -w)
seconds=$(awk "BEGIN { s = int($hours * 3600 / $count); print s < 1 ? 1 : s }")
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
failed=
for name in $names; do
    mkdir -p "$build/corpus/$name" "$build/failed/$name"
    log=$build/failed/$name.log
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -print_final_stats=1 -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix="$build/failed/$name/" "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || {
        failed="$failed $name"
        tail -n 40 "$log"
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "| $(date -u +%Y-%m-%d) | $commit | $name | $seconds | ${runs:-failed} |" | tee -a tests/fuzz/LOG.md
done
[ -z "$failed" ] || {
    echo "Failed:$failed; inputs are in $build/failed" >&2
    exit 1
}
