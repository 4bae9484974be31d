/*
 * slow_blas — makes of any OpenBLAS one that does not know this processor: asked to choose its kernels itself, it is told
 * to take the slowest. Preloaded; only what OpenBLAS asks for is answered so, and only where the environment says nothing.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int asks_as_openblas(const void *caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "openblas") != NULL;
}

char *getenv(const char *name) {
    static char slow[] = "Prescott";
    char *(*real)(const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "getenv");
    char *value = real(name);
    if (value == NULL && strcmp(name, "OPENBLAS_CORETYPE") == 0 &&
        asks_as_openblas(__builtin_return_address(0)))
        return slow;
    return value;
}
