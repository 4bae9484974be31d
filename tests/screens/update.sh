#!/bin/sh
# Records every screen script's expected screens anew from the real program; then read the difference in git.
#     sh tests/screens/update.sh [BUILD_FOLDER] [SCRIPT …]       (build and all scripts unless told)
set -eu
cd "$(dirname "$0")/../.."
root=$PWD build=${1:-build}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- tests/screens/*.screen
if [ ! -x "$build/rejuv" ] || [ ! -x "$build/tests/screens/screen_test" ]; then
    echo "expected $build/rejuv and $build/tests/screens/screen_test: build them first, with the tests" >&2
    exit 2
fi
case $build in /*) ;; *) build=$root/$build ;; esac
"$build/tests/screens/screen_test" --update REJUV="$build/rejuv" DEMO="$root/tests/demo" TESTS="$root/tests" "$@"
