#include "core/numerics/blas.h"
#include "tui/commands/command.h"
#include "tui/program/command_dispatch.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

/* OpenBLAS reads its environment when it is loaded, before main(): the remedy for slow kernels is to load the
 * program again. Where that fails, everything works, only slower. */
static void heal_blas(char **argv) {
    const char *better = blas_better_core();
    if (better == NULL || getenv(COMMAND_HEALED_VARIABLE) != NULL) return;
    if (setenv(COMMAND_HEALED_VARIABLE, blas_core_name(), 1) != 0) return;
    if (setenv("OPENBLAS_CORETYPE", better, 1) == 0 && setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0)
        (void)execv("/proc/self/exe", argv);
    (void)unsetenv("OPENBLAS_CORETYPE"); /* still here: nothing was healed, and nobody may be told so */
    (void)unsetenv(COMMAND_HEALED_VARIABLE);
}

int main(int argc, char **argv) {
    heal_blas(argv);
    blas_prepare();
    (void)setlocale(LC_CTYPE, ""); /* figures keep their decimal point */
    return command_dispatch_run(argc, argv);
}
