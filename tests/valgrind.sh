#!/bin/sh
# valgrind's memcheck and helgrind on the unit tests that read untrusted files, write exports and share work among threads.
# valgrind knows no AVX-512: the kernels are those of AVX2 there.
#
#     valgrind.sh BUILD [TEST …]
#
# Exit status 1 where either found something; 77 where there is no valgrind.
set -u
build=${1:?usage: valgrind.sh BUILD [TEST ...]}
shift
[ $# -gt 0 ] || set -- test_job test_safetensors test_disk test_export_run
command -v valgrind >/dev/null || exit 77
build=$(cd "$build" && pwd) && cd "$(dirname "$0")" || exit 2
failed=0
check() { # TOOL TEST OPTION …
    tool=$1 test=$2
    shift 2
    if valgrind -q --tool="$tool" --error-exitcode=9 --child-silent-after-fork=yes "$@" "$build/tests/$test" >/dev/null; then
        echo "$tool: $test: nothing found"
    else
        echo "$tool: $test: FAILED"
        failed=1
    fi
}
for test in "$@"; do
    check memcheck "$test" --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
    check helgrind "$test" --suppressions=valgrind.supp
done
exit $failed
