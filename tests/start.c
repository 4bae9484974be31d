/*
 * start — linked into every test program: OpenBLAS is there before the first test, with buffers for as many threads as the
 * machine has, so that tests multiply without asking. Not where calls are made to fail (faults/inject_faults.c): those of the
 * library, as it is loaded, are not what is to be tried.
 */
#include "core/numerics/blas_buffers.h"
#include "core/support/processor_limit.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void start(void) {
    Error error;
    if (getenv("FAULT_LOG") != NULL) return;
    if (blas_buffers_prepare(processor_limit_machine(), &error) != STATUS_OK)
        (void)fprintf(stderr, "start: %s\n", error.message);
}
