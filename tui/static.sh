#!/bin/sh
# One file that runs where nothing is installed, on any Linux of this processor: for nodes where packages are not allowed.
#     sh tui/static.sh [FOLDER]       builds FOLDER/rejuv (build-static), stripped; installs what is missing (Debian)
# OpenBLAS is the serial one (the program has its own threads). Debian has no static cJSON: it is built from Debian's own
# source package. What the file contains, and under which licences, is in FOLDER/rejuv.licences, which belongs beside it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build-static}
. "$root/tui/packages.sh"
# shellcheck disable=SC2086 — a list
packages_install $PACKAGES_BUILD libopenblas-serial-dev dpkg-dev
mkdir -p "$build/cjson/lists/partial"
build=$(cd "$build" && pwd)

# The source package of the release that libcjson-dev came from; lists of packages of our own, so that no root is needed.
fetch_cjson() {
    apt-cache policy libcjson-dev |
        awk '/^ *[0-9]+ (http|https|file):/ { split($3, part, "/"); print "deb-src", $2, part[1], part[2] }' |
        sort -u >"$build/cjson/sources.list"
    if [ ! -s "$build/cjson/sources.list" ]; then
        echo "No archive that libcjson-dev comes from: apt-cache policy libcjson-dev" >&2
        return 1
    fi
    own="-o Dir::Etc::sourcelist=$build/cjson/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$build/cjson/lists
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User="
    # shellcheck disable=SC2086 — options
    (cd "$build/cjson" && apt-get $own update -q >&2 && apt-get $own source -q cjson >&2)
}

if [ ! -e "$build/cjson/libcjson.a" ]; then
    [ -n "$(find "$build/cjson" -maxdepth 2 -name cJSON.c)" ] || fetch_cjson
    source=$(dirname "$(find "$build/cjson" -maxdepth 2 -name cJSON.c)")
    cc -O2 -c "$source/cJSON.c" -o "$build/cjson/cJSON.o"
    ar rcs "$build/cjson/libcjson.a" "$build/cjson/cJSON.o"
    mkdir -p "$build/cjson/include/cjson"
    cp "$source/cJSON.h" "$build/cjson/include/cjson"
    version=$(sed -n 's/^#define CJSON_VERSION_[A-Z]* *//p' "$source/cJSON.h" | paste -s -d .)
    printf '%s\n' "Name: libcjson" "Description: cJSON" "Version: $version" "Libs: -L$build/cjson -lcjson -lm" \
        "Cflags: -I$build/cjson/include -I$build/cjson/include/cjson" >"$build/cjson/libcjson.pc"
fi

openblas=$(dpkg -L libopenblas-serial-dev | sed -n 's|/openblas\.pc$||p')
echo "Building $build/rejuv" >&2
PKG_CONFIG_PATH=$build/cjson:$openblas cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DREJUV_STATIC=ON -DREJUV_TESTS=OFF >"$build/static.log" 2>&1 &&
    cmake --build "$build" >>"$build/static.log" 2>&1 || {
    cat "$build/static.log" >&2
    echo "The build failed: see above, or $build/static.log" >&2
    exit 1
}
strip "$build/rejuv"
{
    echo "rejuv, as one file: what it contains, and under which licences."
    echo "Its own sources are under the MIT licence. It contains GNU Readline: as a whole it is distributed under the GNU General"
    echo "Public License, version 3 or later (its text is in Debian's /usr/share/common-licenses/GPL-3 and at the end of this file)."
    for package in libc6-dev libgcc-s1 $(awk '/^lib/ && !/^libmpi/ { print $2 }' "$root/cmake/linked"); do
        printf '\n\n==== %s %s ====\n\n' "$package" "$(dpkg-query -W -f '${Version}' "$package")"
        cat "/usr/share/doc/$package/copyright"
    done
    printf '\n\n==== GNU General Public License, version 3 ====\n\n'
    cat /usr/share/common-licenses/GPL-3
} >"$build/rejuv.licences"
ls -l "$build/rejuv" "$build/rejuv.licences" >&2
