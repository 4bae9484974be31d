/*
 * start — linked into every test program: OpenBLAS as the program itself has it (tui/main.c), on one thread a call
 * and with the kernels that suit the processor. Without, a test takes several times as long, and on a machine that
 * is loaded OpenBLAS's threads wait for each other ten times as long again.
 */
#include "core/blas.h"

#include <stdlib.h>
#include <unistd.h>

#define STARTED "REJUV_TEST_STARTED"

/* OpenBLAS reads its environment when it is loaded, so the test is loaded again; what it starts itself sees none of
 * that. Where it cannot be loaded again it is only slower. */
__attribute__((constructor)) static void start(int argc, char **argv) {
    (void)argc;
    const char *better = blas_better_core();
    if (getenv(STARTED) != NULL) {
        (void)unsetenv("OPENBLAS_CORETYPE");
        (void)unsetenv(STARTED);
    } else if (better != NULL && setenv("OPENBLAS_CORETYPE", better, 1) == 0 &&
               setenv(STARTED, "1", 1) == 0) {
        (void)execv("/proc/self/exe", argv);
        (void)unsetenv("OPENBLAS_CORETYPE");
        (void)unsetenv(STARTED);
    }
    blas_prepare();
}
