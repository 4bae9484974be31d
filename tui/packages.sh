# What rejuv needs from Debian 12 and 13, in one place: sourced by tui/demo.sh and tests/run.sh.
#     packages_install PACKAGE …      installs those that are missing; needs the network only then

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config libncurses-dev libopenblas-dev libcjson-dev
    libreadline-dev libpcre2-dev libutf8proc-dev libssl-dev zlib1g-dev libzstd-dev"

# The same for other systems, by their own package managers. Those of dnf and zypper are what the packages provide, so that
# they hold for every release; tic and infocmp, which the build needs too, are in ncurses.
PACKAGES_PROVIDED="gcc cmake ninja-build pkgconf-pkg-config pkgconfig(ncursesw) pkgconfig(openblas) pkgconfig(libcjson) pkgconfig(readline)
    pkgconfig(libpcre2-8) pkgconfig(libutf8proc) pkgconfig(libcrypto) pkgconfig(zlib) pkgconfig(libzstd)"
PACKAGES_PACMAN="gcc cmake ninja pkgconf ncurses openblas cjson readline pcre2 libutf8proc openssl zlib zstd"
PACKAGES_APK="gcc musl-dev linux-headers cmake samurai pkgconf ncurses ncurses-dev openblas-dev cjson-dev readline-dev pcre2-dev
    utf8proc-dev openssl-dev zlib-dev zstd-dev"

# packages_advise: what to type where there is no apt-get; nothing is installed there unasked.
packages_advise() {
    echo "This is not Debian: nothing is installed here by itself. What is needed, as root:"
    # shellcheck disable=SC2086 — lists
    if command -v dnf >/dev/null; then
        printf '    dnf install ncurses'
        printf " '%s'" $PACKAGES_PROVIDED
    elif command -v zypper >/dev/null; then
        printf '    zypper install ncurses-utils'
        printf " '%s'" $PACKAGES_PROVIDED | sed 's/ninja-build/ninja/'
    elif command -v pacman >/dev/null; then
        printf '    pacman -S --needed'
        printf ' %s' $PACKAGES_PACMAN
    elif command -v apk >/dev/null; then
        printf '    apk add'
        printf ' %s' $PACKAGES_APK
    else
        printf '    gcc or clang, CMake, Ninja, pkg-config, tic and infocmp, and by the names that pkg-config has:'
        printf ' %s' $PACKAGES_PROVIDED | sed 's/ gcc cmake ninja-build pkgconf-pkg-config//; s/pkgconfig(\([^)]*\))/\1/g'
    fi
    echo
    echo "Without root, a machine that has them makes one file that needs nothing here: sh tui/static.sh"
}

packages_missing() {
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        'install ok installed') ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

packages_install() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        packages_advise >&2
        return 0
    fi
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing: $missing" >&2
            echo "Installing them needs root, and there is no sudo. As root: apt-get install $missing" >&2
            return 1
        fi
        as_root=sudo
    fi
    echo "Installing: $missing" >&2
    # shellcheck disable=SC2086 — both are lists
    $as_root apt-get update -q >&2 &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >&2
}
