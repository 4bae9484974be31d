/*
 * blas_library — OpenBLAS, loaded while the program runs and not linked to it.
 *
 * What OpenBLAS decides, it decides when it is loaded, before main() where a program is linked to it: how many threads
 * of its own it starts (one a processor, each of which asks for 128 MiB at once and asks again for as long as that is
 * refused, so that a process with a limited address space neither starts nor ends), and which kernels it takes (by the
 * processor's model: one newer than the library may get the slowest). Both are read from the environment. Loaded from
 * here, it finds the environment that it needs, one thread of its own (this program has its own: job.h); nobody else has
 * to be started again for that; where the limits of the process leave no room, it is not loaded, and it is said how
 * many bytes are missing; and commands that multiply nothing do without.
 *
 * The other ways were worse: to start the program again with the variables set comes too late, for the threads are there
 * before main() (and where one cannot be started, OpenBLAS raises SIGINT); openblas_set_num_threads() leaves them waiting;
 * a function in the program's preinit_array runs before there is an environment to change; a serial OpenBLAS is another
 * package, which few machines have.
 *
 * Symbols are found as the linker would find them: what is preloaded comes first. A program that is one file (blas_symbols.h)
 * has a serial OpenBLAS in it, which starts no threads.
 */
#ifndef REJUV_CORE_BLAS_LIBRARY_H
#define REJUV_CORE_BLAS_LIBRARY_H

#include "core/support/status.h"

#include <cblas.h>
#include <stddef.h>

/* Bytes of each buffer: BUFFER_SIZE of OpenBLAS's common_x86_64.h and common_arm64.h; that of POWER is the largest. */
#if defined(__x86_64__) || defined(__aarch64__)
enum { BLAS_LIBRARY_BUFFER = 128 << 20 };
#else
enum { BLAS_LIBRARY_BUFFER = 256 << 20 };
#endif

/* LAPACK has Fortran's calling convention (OpenBLAS's header declares only BLAS): all arguments by address, and the
 * length of each string, as a size_t, after the last. */
typedef struct BlasLibrary {
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(cblas_dgemm) *dgemm;
    __typeof__(cblas_dsyrk) *dsyrk;
    __typeof__(cblas_dsymm) *dsymm;
    __typeof__(cblas_dsyr2k) *dsyr2k;
    void (*dtpqrt)(const blasint *m, const blasint *n, const blasint *l, const blasint *nb, double *a,
                   const blasint *lda, double *b, const blasint *ldb, double *t, const blasint *ldt,
                   double *work, blasint *info);
    void (*dgeqrt)(const blasint *m, const blasint *n, const blasint *nb, double *a, const blasint *lda,
                   double *t, const blasint *ldt, double *work, blasint *info);
    void (*dpotrf)(const char *uplo, const blasint *n, double *a, const blasint *lda, blasint *info,
                   size_t uplo_length);
    void (*dlabrd)(const blasint *m, const blasint *n, const blasint *nb, double *a, const blasint *lda,
                   double *d, double *e, double *tauq, double *taup, double *x, const blasint *ldx, double *y,
                   const blasint *ldy);
    void (*dsterf)(const blasint *n, double *d, double *e, blasint *info);
    void (*dlasq1)(const blasint *n, double *d, double *e, double *work, blasint *info);
    void (*dsyevd)(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda,
                   double *w, double *work, const blasint *lwork, blasint *iwork, const blasint *liwork,
                   blasint *info, size_t jobz_length, size_t uplo_length);
    void (*dgeqp3)(const blasint *m, const blasint *n, double *a, const blasint *lda, blasint *jpvt,
                   double *tau, double *work, const blasint *lwork, blasint *info);
    void (*dorgqr)(const blasint *m, const blasint *n, const blasint *k, double *a, const blasint *lda,
                   const double *tau, double *work, const blasint *lwork, blasint *info);
    __typeof__(openblas_get_config) *configuration;
    /* A buffer as each product takes one for as long as it runs; given back, it stays mapped for the next. NULL where
     * this OpenBLAS does not show them. */
    void *(*allocate)(int place);
    void (*release)(void *buffer);

    const char *core;        /* the kernels in use: "SkylakeX", "Haswell", "Prescott", … */
    const char *core_before; /* those that it chose itself, where they were slower; NULL: these */
} BlasLibrary;

/* The library, loaded by the first call that finds room for it and one buffer (blas_buffers.h). From any thread; the
 * first call sets variables of the environment, so where other threads read those it has to come before them. */
Status blas_library_load(Error *error);

/* What was loaded; NULL before. */
const BlasLibrary *blas_library_get(void);

/* The kernels in use, with the library loaded for it; "none" where that cannot be. */
const char *blas_library_core_name(void);

#endif
