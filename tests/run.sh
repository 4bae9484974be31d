#!/bin/sh
# All the proof there is, from a clean clone: installs what is missing (Debian 12 and 13), builds, tests, checks.
#     sh tests/run.sh [--all]
# --all also runs the nightly set: tests that take long, every terminal of the matrix (without it: every two of size, character
# set and depth of colour together once), the slow ones under the sanitizers too, those of threads under the thread sanitizer and
# some under valgrind, clang-tidy and cppcheck where they are installed, a whole build with clang (without it: all that clang
# warns of), and the static program, built and started. What is left out counts as skipped.
# The last line is "N passed, N failed, N skipped"; the exit status is 0 when nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 2
. tui/packages.sh
PACKAGES_TESTS="libcmocka-dev libvterm-dev clang clang-format libasan8 libubsan1 groff zsh fish libopenmpi-dev openmpi-bin"
passed=0 failed=0 skipped=0 failures= nightly=OFF
case ${1-} in
'') ;;
--all) nightly=ON ;;
*)
    echo "usage: sh tests/run.sh [--all]" >&2
    exit 2
    ;;
esac
jobs=$(nproc)
OPENBLAS_NUM_THREADS=1 # tests run beside each other
export OPENBLAS_NUM_THREADS

# verdict NAME STATUS: one check that is no ctest.
verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "== passed: $1"
    else
        failed=$((failed + 1))
        failures="$failures
    $1"
        echo "== FAILED: $1"
    fi
}

# skip NAME WHY
skip() {
    skipped=$((skipped + 1))
    echo "== skipped: $1 ($2)"
}

# build FOLDER CMAKE_ARGUMENT …
build() {
    folder=$1
    shift
    echo "== building in $folder"
    cmake -S . -B "$folder" -G Ninja "-DREJUV_NIGHTLY=$nightly" -DREJUV_TESTS=ON "$@" >"$folder.log" 2>&1 && cmake --build "$folder" >>"$folder.log" 2>&1
    status=$?
    [ $status -eq 0 ] || tail -n 60 "$folder.log"
    rm -f "$folder.log"
    return $status
}

# run_tests FOLDER CTEST_ARGUMENT …: counts what ctest counts. Half of the time that screens take is waiting, and no test is red
# for load: so there are two for each processor.
run_tests() {
    folder=$1
    shift
    report=$PWD/$folder/report.xml
    rm -f "$report"
    ctest --test-dir "$folder" -j $((2 * jobs)) --output-on-failure --output-junit "$report" "$@"
    if [ ! -s "$report" ]; then
        verdict "$folder: ctest ran" 1
        return
    fi
    counts=$(tr '\n\t' '  ' <"$report" | sed 's/<testsuite \([^>]*\)>.*/\1/')
    tests=$(attribute tests) bad=$(attribute failures) left=$(($(attribute skipped) + $(attribute disabled)))
    if [ "$tests" -eq 0 ]; then
        verdict "$folder: there are tests" 1
        return
    fi
    passed=$((passed + tests - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
    [ "$bad" -eq 0 ] || failures="$failures
    $bad tests in $folder (see above)"
}

attribute() {
    value=$(printf '%s' "$counts" | sed -n "s/.*[ ]$1=\"\([0-9]*\)\".*/\1/p")
    echo "${value:-0}"
}

# check_clang FOLDER: what clang warns of in all that was compiled there, but for what it is not asked for when it builds
# (CMakeLists.txt). It finds that before it would write code.
check_clang() {
    sed -n 's/^  "command": "\(.*\)",$/\1/p' "$1/compile_commands.json" |
        sed 's/\\\(.\)/\1/g; s/^\([^ ]*ccache \)\{0,1\}[^ ]* /clang -fsyntax-only /; s/ -o [^ ]* / /; s/$/ -Wno-enum-float-conversion/' >"$1/clang.txt"
    [ -s "$1/clang.txt" ] && (cd "$1" && xargs -d '\n' -n 1 -P "$jobs" sh -c <clang.txt)
}

check_format() {
    unformatted=$(mktemp) || return 1
    find core tui views tests -name '*.[ch]' -not -path '*/demo/*' | LC_ALL=C sort |
        while read -r file; do
            clang-format "$file" | cmp -s - "$file" || echo "$file is not formatted: clang-format -i $file"
        done >"$unformatted"
    cat "$unformatted"
    [ ! -s "$unformatted" ]
    status=$?
    rm -f "$unformatted"
    return $status
}

# The one file that needs no library: it is one, starts with nothing in its environment, and computes what the other does.
check_static() {
    sh tui/static.sh build-static || return 1
    if readelf -d build-static/rejuv | grep NEEDED; then return 1; fi
    figures=$(mktemp -d) || return 1
    for command in "drift --json" "preview --prompt 1 --json" "check"; do
        # shellcheck disable=SC2086 — a command and its options
        set -- $command
        name=$1
        shift
        env -i build-static/rejuv "$name" tests/demo/base tests/demo/sft "$@" >"$figures/static" &&
            env -i build-tests/rejuv "$name" tests/demo/base tests/demo/sft "$@" >"$figures/shared" &&
            cmp "$figures/static" "$figures/shared" || {
            rm -rf "$figures"
            return 1
        }
    done
    rm -rf "$figures"
}

# shellcheck disable=SC2086 — lists
packages_install $PACKAGES_BUILD $PACKAGES_TESTS || exit 1

# Everything, optimised, every warning an error.
build build-tests -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=gcc -DREJUV_WERROR=ON -DREJUV_LIBRARY=ON
status=$?
verdict "build with gcc, without a warning" $status
[ $status -ne 0 ] || run_tests build-tests

# The same under the address and undefined-behaviour sanitizers, where gcc sees other paths, and warns of them.
build build-sanitize -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=gcc -DREJUV_SANITIZE=ON -DREJUV_WERROR=ON
status=$?
verdict "build with the sanitizers, without a warning" $status
slow='^slow$'
[ "$nightly" = OFF ] || slow='^$'
[ $status -ne 0 ] || run_tests build-sanitize -L '^(unit|golden|faults|screens|fuzz|nightly)$' -LE "$slow"
[ "$nightly" = ON ] || skip "slow tests under the sanitizers" "--all runs them; without sanitizers they ran above"

if [ "$nightly" = ON ]; then
    build build-thread -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=gcc -DREJUV_SANITIZE_THREAD=ON -DREJUV_WERROR=ON
    status=$?
    verdict "build with the thread sanitizer, without a warning" $status
    [ $status -ne 0 ] || run_tests build-thread -L '^threads$'
    for tool in valgrind lint; do
        sh "tests/$tool.sh" build-tests
        status=$?
        if [ $status -eq 77 ]; then skip "$tool" "it is not installed"; else verdict "$tool finds nothing" $status; fi
    done
else
    skip "the thread sanitizer, valgrind, clang-tidy and cppcheck" "--all runs them"
fi

if ! command -v clang >/dev/null; then
    skip "clang" "there is no clang"
elif [ "$nightly" = ON ]; then # not optimised: nothing of it is run
    build build-clang -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DREJUV_WERROR=ON
    verdict "build with clang, without a warning" $?
else
    check_clang build-tests
    verdict "clang warns of nothing" $?
    skip "build with clang" "--all builds; that clang warns of nothing was seen above"
fi
if [ "$nightly" = ON ]; then
    check_static
    verdict "the static program is built, starts, and gives the same figures" $?
else
    skip "the static program" "--all builds it"
fi
case $(clang-format --version 2>/dev/null) in
*" version 14."*)
    check_format
    verdict "clang-format finds nothing to change" $?
    ;;
'') skip "clang-format" "there is no clang-format" ;;
*) skip "clang-format" "files are as version 14 has them, Debian 12's; others break some lines elsewhere" ;;
esac

[ -z "$failures" ] || printf 'Failed:%s\n' "$failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
