#!/bin/sh
# OpenBLAS 0.3.21 that is loaded with dlopen() takes other kernels when it is closed and loaded again with OPENBLAS_CORETYPE set;
# but not if its name for them was looked up with dlsym(RTLD_DEFAULT, …) instead of through its handle: glibc keeps it then.
#     sh findings/openblas-kept-by-lookup.sh      (needs gcc, x86-64)
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  libopenblas0-pthread 0.3.21+ds-4 (Debian 12), $(getconf GNU_LIBC_VERSION)"
echo "expected: dlclose() unloads what nobody has open and no other object requires symbols of; here nothing is linked with it,"
echo "          and both ways of looking up give the same address"

{
    cd "$folder" && apt-get download -q libopenblas0-pthread=0.3.21+ds-4 libgfortran5 libquadmath0 &&
        for package in ./*.deb; do dpkg -x "$package" "$folder/root" || exit 1; done
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}
[ "$(uname -m)" = x86_64 ] || {
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/again.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Loads the library with these kernels wanted, and says which it took. */
static void *load(const char *path, const char *wanted, int by_handle) {
    setenv("OPENBLAS_CORETYPE", wanted, 1);
    void *handle = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    if (handle == NULL) exit(2);
    void *symbol = dlsym(by_handle ? handle : RTLD_DEFAULT, "openblas_get_corename");
    char *(*name)(void);
    if (symbol == NULL || symbol != dlsym(handle, "openblas_get_corename")) exit(2);
    memcpy(&name, &symbol, sizeof name);
    printf(" %s", name());
    return handle;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int by_handle = strcmp(argv[2], "handle") == 0;
    dlclose(load(argv[1], "Prescott", by_handle));
    load(argv[1], "Nehalem", by_handle);
    return 0;
}
C
library=$(find "$folder/root" -name 'libopenblasp-r0.3.21.so' | head -n 1)
LD_LIBRARY_PATH=$(dirname "$(find "$folder/root" -name 'libgfortran.so.5' | head -n 1)")
OPENBLAS_NUM_THREADS=1
export LD_LIBRARY_PATH OPENBLAS_NUM_THREADS
unset OPENBLAS_CORETYPE
gcc -std=c11 -o "$folder/again" "$folder/again.c" -ldl || exit 77
handle=$("$folder/again" "$library" handle) || exit 2
default=$("$folder/again" "$library" default) || exit 2
echo "seen:     Prescott, then Nehalem wanted, looked up through the handle:   $handle"
echo "          the same, looked up with RTLD_DEFAULT:                        $default"
if [ "$handle" = " Prescott Nehalem" ] && [ "$default" = " Prescott Prescott" ]; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
