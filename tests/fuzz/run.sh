#!/bin/sh
# Fuzzes every target (or those named) under the sanitizers, by libFuzzer, or by AFL++, and writes down how often each ran.
#
#     run.sh [--afl] HOURS [NAME …]     HOURS may be a fraction
#     run.sh --sums                     what LOG.md's rows come to, beside what is aimed at
#
# The hours are dealt out among the targets. Without names those that have what is aimed at are left out; each ends when it has
# it (AFL++: when its time is over). Inputs that were found lie in build-fuzz/corpus/NAME between runs (AFL++: build-afl); one
# that fails in build-fuzz/failed/NAME: it belongs into tests/fuzz/corpus and a test. LOG.md gets a row for each target, one that
# is interrupted too.
set -eu
usage() {
    echo "usage: run.sh [--afl] HOURS [NAME ...] | run.sh --sums" >&2
    exit 2
}
cd "$(dirname "$0")/../.."
log=tests/fuzz/LOG.md
aim_at() { # NAME
    case $1 in
    safetensors) echo 100000000 ;;
    *) echo 10000000 ;;
    esac
}
sum_up() { # NAME
    awk -F '|' -v name="$1" '{ gsub(/ /, "") } $4 == name { sum += $6 } END { printf "%d\n", sum }' "$log"
}

all=$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_\(.*\)\.c|\1|')
fuzzer=libfuzzer build=build-fuzz compiler=clang
case ${1-} in
--sums)
    for name in $all; do printf '%-20s %10d of %d\n' "$name" "$(sum_up "$name")" "$(aim_at "$name")"; done
    exit 0
    ;;
--afl)
    fuzzer=afl build=build-afl compiler=afl-clang-fast
    shift
    ;;
esac
[ $# -ge 1 ] || usage
hours=$1
shift
left_for() { echo $(($(aim_at "$1") - $(sum_up "$1"))); }
names=$*
if [ -z "$names" ]; then
    for name in $all; do [ "$(left_for "$name")" -le 0 ] || names="$names $name"; done
fi
cmake -S . -B $build -G Ninja -DCMAKE_C_COMPILER=$compiler -DCMAKE_BUILD_TYPE=RelWithDebInfo -DREJUV_FUZZ=ON -DREJUV_TESTS=ON >/dev/null
# shellcheck disable=SC2046,SC2086 — names
cmake --build $build --target $(printf ' fuzz_%s' $names) >/dev/null
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
end=$(($(date +%s) + $(awk "BEGIN { print int($hours * 3600) }")))
# Where memory came from is told less far back: an input that fails is run again anyway. What is freed is kept from use as long
# as a run takes, which few make last beyond a megabyte; more of it would only be brought from farther away.
export ASAN_OPTIONS="malloc_context_size=1:quarantine_size_mb=1:${ASAN_OPTIONS-}"
export REJUV_KERNELS=portable # the others are built without the sanitizers

# An input is as long as the longest seed, which shows all that there is to say: a longer one says little more, and takes longer
# to read. Lines of a key file say little about each other: a short one tries as much as a whole one.
longest() { # NAME
    [ "$1" = keys ] && echo 512 && return
    wc -c "tests/fuzz/corpus/$1"/* | awk '$2 != "total" && $1 > most { most = $1 } END { print (most > 512 ? most : 512) }'
}
begin_libfuzzer() { # NAME SECONDS RUNS
    "$build/tests/fuzz/fuzz_$1" -max_total_time="$2" -runs="$3" -max_len="$(longest "$1")" -print_final_stats=1 -timeout=120 -rss_limit_mb=2048 \
        -artifact_prefix="$build/failed/$1/" "$build/corpus/$1" "tests/fuzz/corpus/$1" >"$output" 2>&1 &
}
count_libfuzzer() { sed -n 's/^stat::number_of_executed_units: *//p' "$output"; }

begin_afl() {
    ASAN_OPTIONS="abort_on_error=1:symbolize=0:$ASAN_OPTIONS" UBSAN_OPTIONS=abort_on_error=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 \
        AFL_NO_AFFINITY=1 AFL_AUTORESUME=1 AFL_BENCH_UNTIL_CRASH=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -V "$2" -m none -t 120000 -i "tests/fuzz/corpus/$1" -o "$build/corpus/$1" -- "$build/tests/fuzz/fuzz_$1" >"$output" 2>&1 &
}
count_afl() { sed -n 's/^execs_done *: *//p' "$build/corpus/$1/default/fuzzer_stats" 2>/dev/null || :; }
found_afl() { find "$build/corpus/$1" -path '*/crashes/id*' -o -path '*/hangs/id*' | grep -q .; }
found_libfuzzer() { find "$build/failed/$1" -type f ! -name 'slow-unit-*' | grep -q .; }

# Seconds that the processor worked for what has ended so far.
work_done() {
    times >"$output.times" # of this shell: in a pipe it would be that of another
    awk 'NR == 2 { gsub(/[ms]/, " "); printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$output.times"
}

failed='' interrupted=''
trap 'interrupted=yes; kill "$process" 2>/dev/null || :' INT TERM HUP
count=$(echo "$names" | wc -w)
for name in $names; do
    [ -z "$interrupted" ] || break
    seconds=$(((end - $(date +%s)) / count)) runs=$(left_for "$name")
    count=$((count - 1))
    [ $seconds -ge 1 ] || seconds=1
    [ "$runs" -ge 1 ] || runs=$(aim_at "$name")
    mkdir -p "$build/corpus/$name" "$build/failed/$name"
    output=$build/failed/$name.log
    work_done >"$output.before"
    begin_$fuzzer "$name" "$seconds" "$runs"
    process=$!
    until wait "$process" || ! kill -0 "$process" 2>/dev/null; do :; done # a signal ends the waiting too
    work_done >"$output.after"
    runs=$(count_$fuzzer "$name")
    [ -z "$interrupted" ] || [ -n "$runs" ] || break # before it began
    if [ -z "$runs" ] || found_$fuzzer "$name"; then
        failed="$failed $name"
        tail -n 40 "$output"
    fi
    [ $fuzzer = afl ] && label="$name (AFL++)" || label=$name
    echo "| $(date -u +%Y-%m-%d) | $commit | $label | $(($(cat "$output.after") - $(cat "$output.before"))) | ${runs:-failed} |" | tee -a $log
done
[ -z "$failed" ] || {
    echo "Failed:$failed; inputs are in $build/failed" >&2
    exit 1
}
