/*
 * slow_blas — stands in for an OpenBLAS that does not know this processor: without OPENBLAS_CORETYPE it says
 * that it chose the slowest kernels. Preloaded: the program looks its symbols up as the linker would.
 */
#include <dlfcn.h>
#include <stdlib.h>

char *openblas_get_corename(void);

char *openblas_get_corename(void) {
    static char slow[] = "Prescott";
    if (getenv("OPENBLAS_CORETYPE") == NULL) return slow;
    char *(*real)(void);
    *(void **)&real = dlsym(RTLD_NEXT, "openblas_get_corename");
    return real != NULL ? real() : slow;
}
