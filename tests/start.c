/*
 * start — linked into every test program: OpenBLAS is there before the first test, with buffers for as many threads as the
 * machine has, so that tests multiply without asking.
 */
#include "core/numerics/blas_buffers.h"
#include "core/support/processor_limit.h"

#include <stdio.h>

__attribute__((constructor)) static void start(void) {
    Error error;
    if (blas_buffers_prepare(processor_limit_machine(), &error) != STATUS_OK)
        (void)fprintf(stderr, "start: %s\n", error.message);
}
