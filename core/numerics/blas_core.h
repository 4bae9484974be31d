/*
 * blas_core — which of OpenBLAS's sets of kernels suits this processor. It chooses by the processor's model, and one newer
 * than the library may get the slowest.
 */
#ifndef REJUV_CORE_BLAS_CORE_H
#define REJUV_CORE_BLAS_CORE_H

/* The variable of the environment that OpenBLAS takes its choice from, when it is loaded. */
#define BLAS_CORE_VARIABLE "OPENBLAS_CORETYPE"

/* The value of that variable that suits this processor better than `core` ("SkylakeX", "Haswell", "Prescott", …; "": none
 * was chosen yet); NULL where that is right. */
const char *blas_core_find_better(const char *core);

#endif
