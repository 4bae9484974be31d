/*
 * spectrum — the singular values σ₁ ≥ σ₂ ≥ … of Δ = S − B, one matrix at a time, and what they say of the
 * shape of a change: whether fine-tuning turned a few directions or all of them.
 *
 *     spectral_norm    ‖Δ‖₂ = σ₁
 *     stable_rank      ‖Δ‖_F² / ‖Δ‖₂²; undefined where Δ = 0
 *     effective_rank   exp(H(σ/Σσ)), H the entropy in nats over all min(rows, columns) values; undefined
 *                      where Δ = 0
 *
 * Values are widened to float32 as everywhere; Δ and all that follows is in double. Rows that only one side
 * has (an enlarged vocabulary) are left out. Undefined is NaN. A tensor that is no matrix (a norm's weight, a
 * bias), that cannot be compared (drift_is_comparable), or that holds an element that is not finite has no
 * spectrum; `method` says so.
 *
 * Let s be the shorter and l the longer side. Two methods:
 *
 * SPECTRUM_EXACT, where s ≤ settings.exact_limit (default SPECTRUM_EXACT_LIMIT). All s values, by LAPACK, in one of three ways:
 *   - From s = 256 on, as the roots of the eigenvalues of ΔᵀΔ (or ΔΔᵀ, whichever is s × s), which is added up a tile of
 *     rows at a time, and brought to a band a panel at a time, and that to tridiagonal form. Each eigenvalue is right to within
 *     e = 2⁻⁵³·(258 + l/256)·‖Δ‖_F² + 2⁻⁵²·s·σ₁², the first term a bound, the second about what the transformations
 *     lose, and each value to within errors[i] = e/σᵢ: 10⁻¹¹ of the largest, 10⁻³ of the smallest of a square matrix
 *     of noise at s = 896. ls² + 4s³/3 operations.
 *   - Where a sample of rows shows a low rank (what an adapter leaves, with the rounding of its sum with the weights): Δ·Q =
 *     [X Z], with an orthogonal Q that has the few directions of large values first. X's are those of its triangular form,
 *     found by dqds, Z's the roots of the eigenvalues of ZᵀZ, of which e is as above, with Z for Δ; that both are taken
 *     apart moves no eigenvalue by more than ‖XᵀZ‖_F² over their distance. To the error of that (e/σᵢ, or √e where less) comes what
 *     turning by Q loses, about l·2⁻⁵²·σ₁; where that is not the larger one, this way is given up. ls² + 4s³/3 operations,
 *     and 10·l·s for each direction.
 *   - Below s = 256, where the least eigenvalue is not 100·e, so that small values could not be told from rounding, and where
 *     the second way is given up: Δ (or Δᵀ, whichever is tall) is brought to triangular form a tile of
 *     rows at a time, that to bidiagonal form a panel at a time, and its values are found by dqds. Every step is an
 *     orthogonal transformation: each value is right to within about l·2⁻⁵²·σ₁, which is what `errors` holds.
 *     2ls² + 8s³/3 operations, of which those of s³ take four times as long as their number says.
 * On one thread, and in at most 8·s·(1.25·s + 1700) bytes and 0.5 MB a thread, 70 MB where s is 2048, whatever l is.
 *
 * SPECTRUM_LANCZOS, where s is larger. The SPECTRUM_LEADING largest values, by block Lanczos on ΔᵀΔ (or ΔΔᵀ,
 * whichever is s × s) from SPECTRUM_BLOCK random vectors for SPECTRUM_STEPS steps, with full
 * reorthogonalisation; Δ is read a tile at a time, once a step. 4·SPECTRUM_BLOCK·SPECTRUM_STEPS·l·s
 * operations on all threads; 8·s·SPECTRUM_BLOCK·(SPECTRUM_STEPS + SPECTRUM_BANDS + 2) bytes, 2 MB a thread,
 * and 5 MB. The same seed gives the same bits on any number of threads.
 *   - Each value is at most the true one of its rank, but for rounding, and some singular value of Δ lies
 *     within errors[i] of it: r/σ or √r, whichever is less, with r the residual ‖ΔᵀΔ·v − σ²·v‖ of its Ritz
 *     vector and an allowance for rounding.
 *   - That all random vectors missed a larger value is possible, not likely: with probability 1 − 10⁻⁶ at
 *     least, ‖Δ‖₂ ≤ values[0]·(1 + missed). For one random vector, the probability that k steps underestimate
 *     λ₁ = σ₁² by more than ε·λ₁ is at most 1.648·√s·exp(−√ε·(2k − 1)). The form
 *     is in the abstract of Kuczyński and Woźniakowski (1992), the constant is theirs as others quote it; nothing
 *     rests on that, for core/drift/spectrum_quadrature.c proves the same with √(8/π) < 1.596. The Krylov space of each
 *     of a block's vectors lies in the block's, so all of them have to fail. Arithmetic is taken to be exact.
 *   - stable_rank takes ‖Δ‖_F, which is exact.
 *   - effective_rank is estimated: Σσ and Σσ·ln σ by stochastic Lanczos quadrature (Ubaru, Chen and Saad
 *     2017) on the same vectors as probes, with the values that have converged summed exactly.
 *     effective_rank_error is four standard errors over the probes, and half the distance between the Gauss
 *     and the Gauss–Radau rule, which lie on either side of each probe's value, and an allowance for
 *     rounding.
 *
 * Cancelling: what cannot be interrupted is one call into LAPACK, which is given a tile of 256 rows or a
 * panel of 32 columns at most: 0.1 s of an idle core where s is 2048, some milliseconds where it is 896. That
 * grows with the square of s where exact_limit is raised.
 */
#ifndef REJUV_CORE_SPECTRUM_H
#define REJUV_CORE_SPECTRUM_H

#include "core/checkpoint/pair.h"
#include "core/drift/spectrum_metrics.h"
#include "core/support/job.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPECTRUM_EXACT_LIMIT = 2048 };

#define SPECTRUM_SEED UINT64_C(20260609)

typedef struct SpectrumSettings {
    uint64_t exact_limit; /* of the shorter side; 0: always SPECTRUM_LANCZOS */
    uint64_t seed;
} SpectrumSettings;

SpectrumSettings spectrum_default_settings(void);

/* ---- one tensor ---- */

/* Whether the tensor has a spectrum, but for elements that are not finite. */
bool spectrum_is_defined(const PairTensor *tensor);

/* Which method the settings choose for a tensor; SPECTRUM_NONE where it has no spectrum. */
SpectrumMethod spectrum_choose_method(const PairTensor *tensor, SpectrumSettings settings);

/* Measures one tensor. STATUS_OK also where there is no spectrum: `method` tells. Reports "spectrum", in
 * millions of operations. The caller frees the result with spectrum_free(). */
Status spectrum_measure(const PairTensor *tensor, SpectrumSettings settings, Spectrum *spectrum, Job *job,
                        Error *error) STATUS_MUST_CHECK;

/* ---- all tensors ---- */

typedef struct SpectrumTable SpectrumTable;

/* A table for the pair's tensors (which must outlive it); tensors without a spectrum have their rows at once.
 * The caller frees it. */
Status spectrum_table_create(const Pair *pair, SpectrumSettings settings, SpectrumTable **table,
                             Error *error) STATUS_MUST_CHECK;

/* Takes NULL. No scan may be running on it. */
void spectrum_table_free(SpectrumTable *table);

/* The row of pair->tensors[index]; false while it is not yet there. values and errors belong to the table and
 * live as long as it: do not free. From any thread, without locks, also while a scan fills the table. */
bool spectrum_table_row(const SpectrumTable *table, size_t index, Spectrum *spectrum);

size_t spectrum_table_count(const SpectrumTable *table);
size_t spectrum_table_ready(const SpectrumTable *table);

/* Fills the table: first the tensors of the exact method, largest first, as many at a time as the job has
 * threads, then the others, smallest first, each on all threads. Rows that are there already are left as they
 * are, so a cancelled scan can go on later. Reports "spectrum", in millions of operations. */
Status spectrum_scan(SpectrumTable *table, Job *job, Error *error) STATUS_MUST_CHECK;

/* The same for the pair's tensors [first, end): of a table that several processes fill. */
Status spectrum_scan_stretch(SpectrumTable *table, size_t first, size_t end, Job *job,
                             Error *error) STATUS_MUST_CHECK;

/* Millions of operations that a tensor takes; 0 where it has no spectrum. */
uint64_t spectrum_cost(const PairTensor *tensor, SpectrumSettings settings);

/* Puts a row into the table that another process measured, and takes values and errors over. Not while a scan runs. A row
 * that is there stays, and what was to take its place is freed. */
void spectrum_table_take(SpectrumTable *table, size_t index, Spectrum *spectrum);

/* Fills one row, on demand; also while a scan runs on the table as another job. A row that is there, or that
 * the other is working on, is left to it: STATUS_OK without a row means that it is on its way. */
Status spectrum_scan_tensor(SpectrumTable *table, size_t index, Job *job, Error *error) STATUS_MUST_CHECK;

#endif
