#!/bin/sh
# The same for the machinery's own scripts: sh tests/screens/harness/update.sh [BUILD_FOLDER]
set -eu
cd "$(dirname "$0")/../../.."
build=$PWD/${1:-build}
"$build/tests/screens/screen_test" --update SAMPLE="$build/tests/screens/screen_sample" tests/screens/harness/*.screen
