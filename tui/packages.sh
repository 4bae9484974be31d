# What rejuv needs from Debian 12 and 13, in one place: sourced by tui/demo.sh and tests/run.sh.
#     packages_install PACKAGE …      installs those that are missing; needs the network only then

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config libncurses-dev libopenblas-dev libcjson-dev
    libreadline-dev libpcre2-dev libutf8proc-dev libssl-dev zlib1g-dev libzstd-dev"

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
        echo "This is not Debian, so nothing is installed. Needed are what Debian calls:" "$@" >&2
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
