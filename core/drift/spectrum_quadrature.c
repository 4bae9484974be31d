#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double CONVERGED = 1e-10, SAME = 1e-6; /* relative to the largest eigenvalue */
static const double RADAU_NODE = -1e-10;            /* likewise: 0, but for rounding */
static const double MISSED_PROBABILITY = 1e-6;

/* Eigenvalues of ΔᵀΔ as Lanczos approximates them, ascending, with orthonormal vectors in its basis. The
 * squares of the first `block` rows are the weights of a Gauss rule for each probe. */
typedef struct Ritz {
    size_t count, block;
    double *values;    /* [count] */
    double *vectors;   /* [count × count] */
    double *residuals; /* [count]; of the Gauss rule only */
} Ritz;

/* Σσ and Σσ·ln σ with σ in units of ‖Δ‖_F, as each probe has it, and how far rounding may have moved either.
 */
typedef struct Traces {
    double sums[SPECTRUM_BLOCK], logs[SPECTRUM_BLOCK], rounding[SPECTRUM_BLOCK];
} Traces;

static bool allocate_ritz(Ritz *ritz, size_t count, size_t block) {
    *ritz = (Ritz){.count = count, .block = block};
    ritz->values = memory_allocate(count, sizeof *ritz->values);
    ritz->vectors = memory_allocate(count, count * sizeof *ritz->vectors);
    ritz->residuals = memory_allocate(count, sizeof *ritz->residuals);
    return ritz->values != NULL && ritz->vectors != NULL && ritz->residuals != NULL;
}

static void free_ritz(Ritz *ritz) {
    free(ritz->values);
    free(ritz->vectors);
    free(ritz->residuals);
}

/* ---- the two rules ---- */

/* The Gauss rule: eigenvalues of T, and ‖ΔᵀΔ·v − θ·v‖ = ‖Γ·(the last block of the vector)‖. */
static Status solve_gauss(const LanczosResult *result, Ritz *ritz, Error *error) {
    size_t m = result->count, b = result->block;
    if (!allocate_ritz(ritz, m, b)) return memory_fail(error, "singular values");
    memcpy(ritz->vectors, result->projection, m * m * sizeof *ritz->vectors);
    Status status = lapack_eigen(m, ritz->vectors, ritz->values, error);
    for (size_t j = 0; j < m && status == STATUS_OK; j++) {
        double squares = 0.0, left[SPECTRUM_BLOCK];
        lapack_multiply(b, 1, b, 1.0, result->coupling, b, ritz->vectors + j * m + m - b, m, 0.0, left, b);
        for (size_t i = 0; i < b; i++) squares += left[i] * left[i];
        ritz->residuals[j] = sqrt(squares);
    }
    return status;
}

/* The diagonal block that gives T, one block larger, an eigenvalue at z ≤ 0 (Golub and Meurant 2010, §6.2):
 *
 *     ┌ T     E·Γᵀ ┐      D = z·I + Γ·Eᵀ·(T − z·I)⁻¹·E·Γᵀ       E: the last block of the unit matrix
 *     └ Γ·Eᵀ  D    ┘
 */
static void find_radau_block(const LanczosResult *result, const Ritz *gauss, double z, double *d) {
    size_t m = result->count, b = result->block;
    memset(d, 0, b * b * sizeof *d);
    for (size_t i = 0; i < b; i++) d[i * (b + 1)] = z;
    for (size_t j = 0; j < m; j++) {
        double coupled[SPECTRUM_BLOCK], value = fmax(gauss->values[j], 0.0) - z;
        lapack_multiply(b, 1, b, 1.0, result->coupling, b, gauss->vectors + j * m + m - b, m, 0.0, coupled,
                        b);
        for (size_t i = 0; i < b; i++) {
            for (size_t k = 0; k < b; k++) d[k + i * b] += coupled[k] * coupled[i] / value;
        }
    }
}

static Status solve_radau(const LanczosResult *result, const Ritz *gauss, Ritz *ritz, Error *error) {
    size_t m = result->count, b = result->block, n = m + b;
    double d[SPECTRUM_BLOCK * SPECTRUM_BLOCK];
    if (!allocate_ritz(ritz, n, b)) return memory_fail(error, "singular values");
    find_radau_block(result, gauss, RADAU_NODE * gauss->values[m - 1], d);
    for (size_t j = 0; j < m; j++)
        memcpy(ritz->vectors + j * n, result->projection + j * m, m * sizeof *ritz->vectors);
    for (size_t j = 0; j < b; j++) {
        double *column = ritz->vectors + (m + j) * n;
        for (size_t i = 0; i < b; i++) column[m - b + i] = result->coupling[j + i * b];
        memcpy(column + m, d + j * b, b * sizeof *column);
    }
    return lapack_eigen(n, ritz->vectors, ritz->values, error);
}

/* ---- traces ---- */

/* How many of the largest values are eigenvalues to all digits that matter, with eigenvectors that do not
 * depend on the probes: converged, and apart from what follows. Of a value as frequent as the block is wide,
 * more may exist than a block can find, so there the count ends. */
static size_t count_converged(const Ritz *ritz) {
    double largest = ritz->values[ritz->count - 1];
    size_t left = ritz->count; /* values[left …] are settled */
    while (left > 0) {
        size_t low = left - 1;
        bool converged = ritz->residuals[low] <= CONVERGED * largest;
        while (low > 0 && ritz->values[low] - ritz->values[low - 1] <= SAME * largest) {
            low--;
            converged = converged && ritz->residuals[low] <= CONVERGED * largest;
        }
        if (!converged || low == 0 || left - low >= ritz->block) break;
        left = low;
    }
    return ritz->count - left;
}

static double root_of(double value) {
    return value > 0.0 ? sqrt(value) : 0.0;
}

/* How far an eigenvalue may be off by rounding alone; of one that is near 0, the root is off by much more. */
static double rounding_of(const Ritz *ritz, size_t size) {
    return 16.0 * DBL_EPSILON * sqrt((double)size) * ritz->values[ritz->count - 1];
}

static double error_of_root(double root, double error) {
    return fmin(error / root, sqrt(error)); /* root may be 0 */
}

/* Adds weight times one Ritz value. */
static void add_value(double value, double unit, double rounding, double weight, Traces *traces,
                      size_t probe) {
    double root = root_of(value), share = root / unit;
    double error = error_of_root(root, rounding) / unit;
    traces->sums[probe] += weight * share;
    if (share > 0.0) traces->logs[probe] += weight * share * log(share);
    traces->rounding[probe] += weight * error * (1.0 + fabs(log(fmax(share, error))));
}

/* The `known` largest values exactly, and the other size − known directions as each probe sees them. */
static void sum_traces(const Ritz *ritz, size_t known, size_t size, double unit, Traces *traces) {
    size_t m = ritz->count, rest = m - known;
    double rounding = rounding_of(ritz, size);
    *traces = (Traces){0};
    for (size_t probe = 0; probe < ritz->block; probe++) {
        const double *parts = ritz->vectors + probe; /* of the j-th vector at parts[j·m] */
        double weights = 0.0;
        for (size_t j = 0; j < rest; j++) weights += parts[j * m] * parts[j * m];
        double scale = weights > 0.0 ? (double)(size - known) / weights : 0.0;
        for (size_t j = 0; j < m; j++) {
            double weight = j < rest ? scale * parts[j * m] * parts[j * m] : 1.0;
            add_value(ritz->values[j], unit, rounding, weight, traces, probe);
        }
    }
}

static double mean_of(const double *numbers, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += numbers[i];
    return sum / (double)count;
}

/* H = ln s − e/s with s = Σσ, e = Σσ·ln σ; its error by its derivatives. */
static void find_effective_rank(const Traces *gauss, const Traces *radau, size_t block, Spectrum *spectrum) {
    double upper_s = mean_of(gauss->sums, block), lower_s = mean_of(radau->sums, block);
    double lower_e = mean_of(gauss->logs, block), upper_e = mean_of(radau->logs, block);
    double s = 0.5 * (upper_s + lower_s), e = 0.5 * (upper_e + lower_e);
    double slope_s = 1.0 / s + e / (s * s), slope_e = -1.0 / s, variance = 0.0;
    for (size_t i = 0; i < block && block > 1; i++) {
        double away_s = 0.5 * (gauss->sums[i] + radau->sums[i]) - s;
        double away_e = 0.5 * (gauss->logs[i] + radau->logs[i]) - e;
        double away = slope_s * away_s + slope_e * away_e;
        variance += away * away / (double)(block - 1);
    }
    double probes = 4.0 * sqrt(variance / (double)block);
    double rules = 0.5 * (fabs(slope_s * (upper_s - lower_s)) + fabs(slope_e * (upper_e - lower_e)));
    double rounding = (fabs(slope_s) + fabs(slope_e)) * mean_of(gauss->rounding, block);
    spectrum->effective_rank = exp(log(s) - e / s);
    spectrum->effective_rank_error = spectrum->effective_rank * (probes + rules + rounding);
}

/* ---- results ---- */

static Status take_values(const Ritz *gauss, size_t size, Spectrum *spectrum, Error *error) {
    size_t m = gauss->count, count = m < SPECTRUM_LEADING ? m : SPECTRUM_LEADING;
    double rounding = rounding_of(gauss, size);
    spectrum->values = memory_allocate(count, sizeof *spectrum->values);
    spectrum->errors = memory_allocate(count, sizeof *spectrum->errors);
    if (spectrum->values == NULL || spectrum->errors == NULL) return memory_fail(error, "singular values");
    spectrum->count = count;
    for (size_t i = 0; i < count; i++) {
        spectrum->values[i] = root_of(gauss->values[m - 1 - i]);
        spectrum->errors[i] = error_of_root(spectrum->values[i], gauss->residuals[m - 1 - i] + rounding);
    }
    return STATUS_OK;
}

/* How far λ₁ may be missed: ε of P ≤ FACTOR·√s·exp(−√ε·(2k − 1)) for one vector of k steps (k − 1 is the
 * degree of the polynomials). FACTOR is the constant of Kuczyński and Woźniakowski 1992 as others quote it; a
 * smaller one is proved so, for n = s ≥ 3, λ₁ = 1, and α the start's coordinates along eigenvectors:
 *
 *     The largest Ritz value is below 1 − ε only if Σ αᵢ²·q²(λᵢ)·(λᵢ − 1 + ε) < 0 for all q of degree k − 1. Take
 *     q²(x)·(1 − ε − x) = (1 − ε)·T²(√(1 − y)) with y = x/(1 − ε) and T Chebyshev's of degree 2k − 1: at most 1 − ε
 *     on [0, 1 − ε], and at x = 1 it is −(1 − ε)·sinh²z with z = (2k − 1)·artanh √ε.
 *     So α₁²·sinh²z < 1 − α₁²: |α₁| < 1/cosh z ≤ 2·exp(−z) ≤ 2·exp(−√ε·(2k − 1)).
 *     The density of α₁ is at most Γ(n/2)/(√π·Γ((n − 1)/2)) < √(n/2π), hence P(|α₁| < t) < t·√(2n/π). Together:
 *     P < √(8/π)·√n·exp(−√ε·(2k − 1)), and √(8/π) = 1.5958 < FACTOR.
 */
static double missed_share(const LanczosResult *result) {
    static const double FACTOR = 1.648;
    const size_t blocks = result->count / result->block;
    double steps = (double)blocks, size = (double)result->size;
    double each = pow(MISSED_PROBABILITY, 1.0 / (double)result->block);
    double root = log(FACTOR * sqrt(size) / each) / (2.0 * steps - 1.0);
    if (result->count == result->size) return 0.0;
    return root < 1.0 ? 1.0 / sqrt(1.0 - root * root) - 1.0 : INFINITY;
}

Status spectrum_finish_lanczos(const LanczosResult *result, Spectrum *spectrum, Error *error) {
    Ritz gauss = {0}, radau = {0};
    double unit = sqrt(result->squares);
    bool is_whole = result->count == result->size;
    Status status = solve_gauss(result, &gauss, error);
    if (status == STATUS_OK) status = take_values(&gauss, result->size, spectrum, error);
    if (status == STATUS_OK && !is_whole) status = solve_radau(result, &gauss, &radau, error);
    if (status == STATUS_OK) {
        Traces upper, lower;
        /* where the basis is the whole space, nothing is estimated */
        size_t known = is_whole ? result->count : count_converged(&gauss);
        sum_traces(&gauss, known, result->size, unit, &upper);
        sum_traces(is_whole ? &gauss : &radau, known, result->size, unit, &lower);
        find_effective_rank(&upper, &lower, result->block, spectrum);
    }
    if (status == STATUS_OK) spectrum->missed = missed_share(result);
    free_ritz(&gauss);
    free_ritz(&radau);
    return status;
}
