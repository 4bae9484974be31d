/*
 * blas_symbols — where the functions of blas_library.h are: in a shared OpenBLAS that is loaded now (blas_symbols_shared.c),
 * or within a program that is one file (blas_symbols_static.c, with -DREJUV_STATIC=ON).
 */
#ifndef REJUV_CORE_BLAS_SYMBOLS_H
#define REJUV_CORE_BLAS_SYMBOLS_H

#include "core/numerics/blas_library.h"

/* Bytes of addresses that finding them may take: the shared library and those that it needs are 41 MB with Debian 12, more
 * where it knows more processors; 0 where they are within the program. */
size_t blas_symbols_space(void);

/* Bytes of addresses that the library keeps for itself once it is there: OpenBLAS maps a buffer for each of its own threads as
 * soon as it is loaded, from 0.3.27 on; older ones, and serial ones, do not. */
size_t blas_symbols_kept(void);

/* Fills all of `*library`. STATUS_UNSUPPORTED where there is no OpenBLAS, or it has no LAPACK. Called once, with
 * OPENBLAS_NUM_THREADS set. */
Status blas_symbols_find(BlasLibrary *library, Error *error) STATUS_MUST_CHECK;

#endif
