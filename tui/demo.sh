#!/bin/sh
# From a clone to the demo pair on the screen: installs what is missing (Debian 12 and 13), builds, opens it.
#     sh tui/demo.sh [ARGUMENT …]       the arguments go to rejuv, which opens the demo pair unless told
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
. "$root/tui/packages.sh"
# shellcheck disable=SC2086 — a list
packages_install $PACKAGES_BUILD

# A folder that is configured already keeps its choice about tests.
tests=-DREJUV_TESTS=OFF
[ ! -e "$build/CMakeCache.txt" ] || tests=
echo "Building $build/rejuv" >&2
mkdir -p "$build"
# shellcheck disable=SC2086 — nothing or one word
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release $tests >"$build/demo.log" 2>&1 &&
    cmake --build "$build" --target rejuv >>"$build/demo.log" 2>&1 || {
    cat "$build/demo.log" >&2
    echo "The build failed: see above, or $build/demo.log" >&2
    exit 1
}
if [ $# -eq 0 ] && { [ ! -t 0 ] || [ ! -t 1 ]; }; then
    echo "It is built but not opened: standard input or standard output is not a terminal." >&2
    exit 0
fi
exec "$build/rejuv" "$@"
