#!/bin/sh
# Whether all that a program is linked with or loads, by its own dynamic section, is named with its licence: in its --version,
# and in the copyright file of the package.
#     linked.sh PROGRAM SOURCES COPYRIGHT
# Exit status: 0; 1 something is not named; 77 there is no readelf.
set -eu
program=$1 table=$2/cmake/linked copyright=$3
command -v readelf >/dev/null || exit 77
needed=$(readelf -W -d "$program" | sed -n 's/.*(NEEDED).*\[\(lib[^]]*\)\.so.*/\1/p')
[ -n "$needed" ] || { echo "FAILED: $program needs nothing?"; exit 1; }
status=0
for library in $needed libopenblas; do
    case $library in
    libc | libm | libdl | libpthread | libgcc_s | lib*san) continue ;; # of the system and the compiler
    esac
    row=$(awk -v library="$library" '{ count = split($1, names, ",") }
        { for (i = 1; i <= count; i++) if (names[i] == library) print }' "$table")
    if [ -z "$row" ]; then
        echo "FAILED: $library has no row in cmake/linked"
        status=1
        continue
    fi
    # shellcheck disable=SC2086 — words
    set -- $row
    licence=$3
    shift 3
    "$program" --version | tr '\n' ' ' | grep -qF "$* ($licence)" || {
        echo "FAILED: --version does not say $* ($licence)"
        status=1
    }
    tr '\n' ' ' <"$copyright" | tr -s ' ' | grep -qF "$* ($licence)" || {
        echo "FAILED: $copyright does not say $* ($licence)"
        status=1
    }
done
exit $status
