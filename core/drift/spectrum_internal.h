/*
 * spectrum_internal — what the parts of spectrum share: Δ read in tiles, and the two methods. Only core/drift/spectrum*.c
 * include this.
 */
#ifndef REJUV_CORE_SPECTRUM_INTERNAL_H
#define REJUV_CORE_SPECTRUM_INTERNAL_H

#include "core/drift/spectrum_metrics.h"
#include "core/drift/spectrum_progress.h"
#include "core/numerics/kernels.h"

/* ---- Δ, standing on its shorter side ----
 *
 *        Δ, tall                 Δ, wide                        a tile: column-major, count × shorter
 *     ┌───────────┐      ┌──────────┬─────┬───────┐             ┌───────────┐
 *     │           │      │          │     │       │  shorter    │           │ count
 *     ├───────────┤      │          │  ᵀ  │       │             └───────────┘
 *     │   tile    │      └──────────┴─────┴───────┘                shorter
 *     ├───────────┤                longer
 *     │           │ longer
 *     └───────────┘
 *        shorter
 */
typedef struct SpectrumMatrix {
    const Tensor *base, *sft;
    uint64_t rows, columns; /* that both sides have */
    size_t longer, shorter;
    bool is_wide;
} SpectrumMatrix;

enum { SPECTRUM_SCRATCH_ROWS = 16 };

/* What one thread reads with. */
typedef struct SpectrumScratch {
    float sft[SPECTRUM_SCRATCH_ROWS][KERNELS_DRIFT_CHUNK], base[SPECTRUM_SCRATCH_ROWS][KERNELS_DRIFT_CHUNK];
} SpectrumScratch;

/* Only for tensors of which spectrum_is_defined(). */
SpectrumMatrix spectrum_matrix_of(const PairTensor *tensor);

/* ΣΔ², and whether all elements are finite; false when the job was cancelled on the way. */
bool spectrum_matrix_measure(const SpectrumMatrix *matrix, const Job *job, double *squares, bool *is_finite);

/* Rows [first, first + count) of Δ or Δᵀ: tile[i + j·stride] for i < count, j < shorter. */
void spectrum_matrix_read(const SpectrumMatrix *matrix, size_t first, size_t count, SpectrumScratch *scratch,
                          double *tile, size_t stride);

/* ---- the methods ----
 *
 * Each gets a finite Δ that is not 0 with its norm and fills values, errors, count, effective_rank and its
 * error, and `missed`. On failure the caller frees what is there. */
Status spectrum_solve_exact(const SpectrumMatrix *matrix, SpectrumWork *work, SpectrumScratch *scratch,
                            Spectrum *spectrum, Error *error) STATUS_MUST_CHECK;
Status spectrum_solve_lanczos(const SpectrumMatrix *matrix, SpectrumWork *work, Spectrum *spectrum,
                              Error *error) STATUS_MUST_CHECK;

/* ---- the exact method's ways ----
 *
 * Each fills values and errors, which are there, unless *is_settled stays false: then some were too small for it. Beside each,
 * about how many operations it takes. */

/* The eigenvalues of ΔᵀΔ. Small ones cannot be told from the rounding of the others' squares. */
Status spectrum_solve_gram(const SpectrumMatrix *matrix, SpectrumWork *work, SpectrumScratch *scratch,
                           Spectrum *spectrum, bool *is_settled, Error *error) STATUS_MUST_CHECK;
double spectrum_gram_operations(const SpectrumMatrix *matrix);

/* The least eigenvalue has to be so many times its error, or that way settles nothing. */
#define SPECTRUM_LOST_BELOW 100.0

enum { SPECTRUM_SAMPLE_ROWS = 160 };

/* Some rows of Δ, without those that are 0. */
typedef struct SpectrumSample {
    double *rows; /* [shorter × SPECTRUM_SAMPLE_ROWS], a column each */
    size_t count;
    bool is_low; /* they depend on each other, to within what ΔᵀΔ would show */
} SpectrumSample;

/* A guess at whether Δ is of low rank, a hundredth of the time of the values. Of a matrix with as many rows and columns at
 * least. The caller frees the rows. */
Status spectrum_sample_take(const SpectrumMatrix *matrix, SpectrumScratch *scratch, SpectrumSample *sample,
                            Error *error) STATUS_MUST_CHECK;

/* A few large values, and all others far below: by an orthogonal Q, Δ·Q = [X Z] with the directions of the large ones in X,
 * whose values are those of its triangle, and the others are the eigenvalues of ZᵀZ, which knows nothing of X. Overwrites
 * the sample. */
Status spectrum_solve_split(const SpectrumMatrix *matrix, const SpectrumSample *sample, SpectrumWork *work,
                            SpectrumScratch *scratch, Spectrum *spectrum, bool *is_settled,
                            Error *error) STATUS_MUST_CHECK;
double spectrum_split_operations(const SpectrumMatrix *matrix);

/* The eigenvalues of a symmetric matrix, column-major, of which the lower triangle is read and overwritten: ascending, unless
 * LAPACK finds them not. `before`: which share of the work is done. */
Status spectrum_symmetric_values(size_t size, double *sums, SpectrumWork *work, double before, double *values,
                                 bool *is_found, Error *error) STATUS_MUST_CHECK;

/* Millions of operations that the method takes, at least 1. */
uint64_t spectrum_exact_cost(const SpectrumMatrix *matrix);
uint64_t spectrum_lanczos_cost(const SpectrumMatrix *matrix);

/* What Lanczos knows of ΔᵀΔ when it is done. */
typedef struct LanczosResult {
    size_t size;  /* s */
    size_t count; /* of Ritz values: block · steps */
    size_t block;
    const double *projection; /* [count × count] Vᵀ·ΔᵀΔ·V */
    const double *coupling;   /* [block × block] Γ: on the last block ΔᵀΔ·V = V·T + (next)·Γ */
    double squares;           /* ‖Δ‖_F² */
} LanczosResult;

/* Values and errors, and the effective rank, out of that. */
Status spectrum_finish_lanczos(const LanczosResult *result, Spectrum *spectrum,
                               Error *error) STATUS_MUST_CHECK;

#endif
