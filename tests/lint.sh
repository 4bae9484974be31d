#!/bin/sh
# clang-tidy and cppcheck over core/, tui/ and views/, as tests/lint/ configures them: clean, or exit status 1. What is not
# installed is said and left out; 77 where neither is.
#
#     lint.sh BUILD [--paths]
#
# BUILD was configured by CMake (compile_commands.json). --paths: what follows every way through a function too, clang's analyzer
# and gcc's -fanalyzer, which take half an hour of processor time; they also report ways that no program takes, so what they
# say is read, and is no verdict.
set -u
build=$(cd "${1:?usage: lint.sh BUILD [--paths]}" && pwd) || exit 2 # cppcheck names files as it was given the folder
paths=${2-}
cd "$(dirname "$0")/.." || exit 2
[ -s "$build/compile_commands.json" ] || {
    echo "lint.sh: $build has no compile_commands.json: run cmake first" >&2
    exit 2
}
jobs=$(nproc) failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# Sources that are built, once each; the kernels are compiled once for each instruction set. One command a line.
sed -n 's/^  "file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" | grep "^$PWD/\(core\|tui\|views\)/" | sort -u >"$work/files"
sed -n 's/^  "command": "\(.*\)",$/\1/p' "$build/compile_commands.json" |
    grep " -c $PWD/\(core\|tui\|views\)/" | sed 's/\\\(.\)/\1/g' >"$work/commands"

tidy() { # FILES CHECKS ARGUMENT …
    files=$1 checks=$2
    shift 2
    xargs -n 4 -P "$jobs" clang-tidy -p "$build" --quiet --config-file=tests/lint/clang-tidy.yaml --checks="$checks" "$@" \
        <"$files" 2>"$work/errors" || failed=1
    grep -v 'warnings\{0,1\} \(generated\|treated\)' "$work/errors"
}

if ! command -v clang-tidy >/dev/null && ! command -v cppcheck >/dev/null; then exit 77; fi
if command -v clang-tidy >/dev/null; then
    tidy "$work/files" '-clang-analyzer-*'
    [ $failed -eq 0 ] && echo "clang-tidy: $(wc -l <"$work/files") sources, nothing found"
else
    echo "clang-tidy: skipped, it is not installed"
fi

if command -v cppcheck >/dev/null; then
    # without what the tests and the generated sources are; each source as its first command compiles it
    filters=
    for folder in core tui views; do filters="$filters --file-filter=$PWD/$folder/*"; done
    # shellcheck disable=SC2086 — a list
    cppcheck --project="$build/compile_commands.json" $filters -j "$jobs" --quiet --enable=warning,performance,portability \
        --inconclusive --library=tests/lint/cppcheck.cfg --suppressions-list=tests/lint/cppcheck.txt --error-exitcode=1 \
        --template='{file}:{line}:{column}: {message} [{id}]' && echo "cppcheck: nothing found" || failed=1
else
    echo "cppcheck: skipped, it is not installed"
fi

if [ "$paths" = --paths ]; then
    verdict=$failed
    # those that define what statuses.h tells of
    tellers='/core/\(support/\(status\|memory\|job\)\|chat/chat_run\)\.c'
    grep -v "$tellers" "$work/files" >"$work/told"
    tidy "$work/told" "-*,clang-analyzer-*,-*DeprecatedOrUnsafeBufferHandling,-*optin.performance.Padding" --extra-arg=-include --extra-arg=tests/lint/statuses.h --extra-arg=-Wno-unused-value
    grep -v "$tellers" "$work/commands" |
        sed "s| -c | -fanalyzer -Wno-error -Wno-unused-value -include $PWD/tests/lint/statuses.h -c |; s| -o [^ ]* | -o /dev/null |; s|^[^ ]*ccache ||" >"$work/analyzed"
    (cd "$build" && xargs -d '\n' -n 1 -P "$jobs" sh -c <"$work/analyzed")
    failed=$verdict
fi
exit $failed
