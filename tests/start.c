/*
 * start — linked into every test program: OpenBLAS as the program itself has it (tui/program/main.c), with the kernels that
 * suit the processor and one thread a call. Without, a test takes several times as long, and on a machine that is
 * loaded OpenBLAS's threads wait for each other ten times as long again.
 */
#include "core/numerics/blas.h"

#include <stdlib.h>
#include <unistd.h>

/* OpenBLAS reads its environment when it is loaded, so the test is loaded again, once: a test that runs itself as
 * another program is not. `rejuv`, where it is run, finds its own kernels. Where nothing can be loaded again, the
 * test is only slower. */
__attribute__((constructor)) static void start(int argc, char **argv) {
    static const char STARTED[] = "REJUV_TEST_STARTED";
    const char *better = blas_better_core();
    (void)argc;
    if (getenv(STARTED) == NULL && better != NULL && setenv(STARTED, better, 1) == 0 &&
        setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0 && setenv("OPENBLAS_CORETYPE", better, 1) == 0)
        (void)execv("/proc/self/exe", argv);
    if (getenv(STARTED) != NULL) (void)unsetenv("OPENBLAS_CORETYPE");
    blas_prepare();
}
