#!/bin/sh
# Whether a program is hardened as cmake/Hardening.cmake asks for, read from the file itself.
#     hardened.sh PROGRAM checked|plain        checked: copies are checked too, which not optimised and sanitized builds are not
#     hardened.sh --self-test COMPILER         programs that lack one thing each are noticed
# Exit status: 0; 1 something is missing, which is named; 77 there is no readelf.
set -u
command -v readelf >/dev/null || exit 77

# missing PROGRAM KIND: a line for each thing that is not there.
missing() {
    headers=$(readelf -W -h -l "$1") dynamic=$(readelf -W -d "$1") symbols=$(readelf -W -s "$1")
    printf '%s\n' "$headers" | grep '^ *Type: *DYN' >/dev/null || echo "it lies at a fixed address"
    case $headers in *GNU_RELRO*) ;; *) echo "its tables of addresses can be written" ;; esac
    case $dynamic in *BIND_NOW* | *" NOW"*) ;; *) echo "its functions are looked for when they are called" ;; esac
    printf '%s\n' "$headers" | grep 'GNU_STACK.*RW ' >/dev/null || echo "its stack can be run"
    printf '%s\n' "$headers" | grep 'LOAD.*RWE' >/dev/null && echo "it has memory that can be written and run"
    case $symbols in *__stack_chk_fail*) ;; *) echo "its stacks are not checked" ;; esac
    [ "$2" = plain ] && return
    case $symbols in *_chk@*) ;; *) echo "its copies are not checked" ;; esac
}

if [ "$1" != --self-test ]; then
    found=$(missing "$1" "$2")
    [ -z "$found" ] || printf '%s\n' "$found"
    [ -z "$found" ]
    exit
fi

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int count, char **arguments) {
    char text[16];
    strcpy(text, arguments[count - 1]);
    return puts(text) < 0;
}
END
all="-O2 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack"
failed=0
# expect WORDS FLAG …: what is missing with these flags behind the others ("": nothing).
expect() {
    expected=$1
    shift
    # shellcheck disable=SC2086 — options
    "$compiler" $all "$@" "$folder/program.c" -o "$folder/program" || exit 1
    found=$(missing "$folder/program" checked)
    [ "$found" = "$expected" ] && return
    echo "with $*: expected \"$expected\", found \"$found\""
    failed=1
}
compiler=$2
expect ""
expect "it lies at a fixed address" -fno-pie -no-pie
expect "its tables of addresses can be written" -Wl,-z,norelro
expect "its functions are looked for when they are called" -Wl,-z,lazy
expect "its stack can be run" -Wl,-z,execstack
expect "its stacks are not checked" -fno-stack-protector
expect "its copies are not checked" -U_FORTIFY_SOURCE
exit $failed
