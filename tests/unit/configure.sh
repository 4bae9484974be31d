#!/bin/sh
# What a machine lacks decides what is built: without the libraries that only tests need, the program is built and it is
# said that its tests are not; who asks for the tests is told what to install.
#     sh configure.sh ROOT
set -eu
root=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    echo "FAILED: $*"
    [ ! -f "$folder/log" ] || cat "$folder/log"
    exit 1
}

# pkg-config of a machine that has everything but cmocka
cat >"$folder/pkg-config" <<'END'
#!/bin/sh
case " $* " in *" cmocka "*) exit 1 ;; esac
exec pkg-config "$@"
END
chmod +x "$folder/pkg-config"

configure() {
    cmake -S "$root" -B "$folder/build" -G Ninja "-DPKG_CONFIG_EXECUTABLE=$folder/pkg-config" "$@" >"$folder/log" 2>&1
}

configure || fail "without cmocka it cannot be configured"
grep -q 'its tests are not' "$folder/log" || fail "nothing says that there are no tests"
grep -q 'apt-get install libcmocka-dev' "$folder/log" || fail "nothing says what to install"
[ ! -d "$folder/build/tests" ] || fail "tests are built nevertheless"
if configure -DREJUV_TESTS=ON; then fail "tests that are asked for are left out"; fi
grep -q 'apt-get install libcmocka-dev' "$folder/log" || fail "nothing says what the tests need"
configure -DREJUV_TESTS=OFF || fail "without tests it cannot be configured"
if grep -q 'libcmocka-dev' "$folder/log"; then fail "tests that nobody asked for are missed"; fi

# ---- where packages are called otherwise ----

# advise MANAGER WORD …: a machine that has this package manager and no Debian's is told what to type.
advise() {
    manager=$1
    shift
    rm -rf "$folder/bin"
    mkdir "$folder/bin"
    for tool in sed echo printf; do ln -s "$(command -v $tool)" "$folder/bin/" 2>/dev/null || true; done
    [ "$manager" = none ] || printf '#!/bin/sh\n' >"$folder/bin/$manager"
    chmod +x "$folder/bin"/* 2>/dev/null || true
    (PATH=$folder/bin && . "$root/tui/packages.sh" && packages_install libcjson-dev) >"$folder/log" 2>&1 ||
        fail "$manager: it does not go on"
    for word in "$@"; do grep -qF -e "$word" "$folder/log" || fail "$manager: no word of $word"; done
}

advise dnf "dnf install" "'ninja-build'" "'pkgconfig(libcjson)'" "'pkgconfig(libutf8proc)'"
advise zypper "zypper install" "'ninja'" "'pkgconf-pkg-config'" "'pkgconfig(libcjson)'"
advise pacman "pacman -S" " libutf8proc "
advise apk "apk add" " cjson-dev "
advise none "pkg-config" " libpcre2-8 " "tui/static.sh"
