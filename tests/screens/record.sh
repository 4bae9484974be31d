#!/bin/sh
# Records the screens that the tests expect anew from the real program; then read the difference in git.
#     sh tests/screens/record.sh [BUILD_FOLDER] [NAME …]        (build, and everything, unless told)
# A NAME is a script's (`tune-80x24`, `harness/colours`, or its path), or `matrix`: every view in every terminal.
# Terminals of the matrix are shot side by side, REJUV_JOBS of them at a time (one for each processor unless told).
set -eu
cd "$(dirname "$0")/../.."
root=$PWD build=${1:-build}
[ $# -eq 0 ] || shift
case $build in /*) ;; *) build=$root/$build ;; esac
programs=$build/tests/screens
for program in "$build/rejuv" "$programs/screen_test" "$programs/matrix_test" "$programs/screen_sample"; do
    [ -x "$program" ] && continue
    echo "expected $program: build it first, with the tests" >&2
    exit 2
done
[ $# -gt 0 ] || set -- tests/screens/*.screen tests/screens/harness/*.screen matrix

# Every terminal is shot before a golden file is written: what is interrupted leaves the old ones.
record_matrix() {
    shots=$(mktemp -d)
    trap 'rm -rf "$shots"' EXIT
    trap 'exit 2' HUP INT TERM
    "$programs/matrix_test" --terminals tests/screens/matrix >"$shots/terminals"
    xargs -P "${REJUV_JOBS:-$(nproc)}" -I '{}' "$programs/matrix_test" --shoot "$shots" tests/screens/matrix '{}' \
        REJUV="$build/rejuv" DEMO="$root/tests/demo" TESTS="$root/tests" HOLD="$programs/hold_workers.so" <"$shots/terminals"
    "$programs/matrix_test" --record "$shots" tests/screens/matrix
    echo "recorded tests/screens/matrix"
}

matrix=
for name in "$@"; do
    shift
    case $name in
    matrix) matrix=yes ;;
    *.screen) set -- "$@" "$name" ;;
    *) set -- "$@" "tests/screens/$name.screen" ;;
    esac
done
[ $# -eq 0 ] || "$programs/screen_test" --update REJUV="$build/rejuv" DEMO="$root/tests/demo" TESTS="$root/tests" \
    HOLD="$programs/hold_workers.so" SAMPLE="$programs/screen_sample" "$@"
[ -z "$matrix" ] || record_matrix
