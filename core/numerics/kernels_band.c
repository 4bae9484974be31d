/*
 * From a band to tridiagonal form (Schwarz 1968; in blocks as Lang 1993): a reflection brings a column to its place, and turned
 * from the other side too it leaves a bulge one band further down, of which the first column is cleared by the next reflection,
 * and so on to the end of the band; what stays of the bulge is where the next column's reflections want it.
 *
 *        ┌ x                     x  the column
 *        │ ┌────┐                D  turned from both sides, its lower triangle
 *        x │ D  │                O  turned from the right, which fills it, and from the left, which clears its first column
 *        x ├────┤
 *          │ O  │ D
 *
 * Products are added with one rounding where the processor can (this file is compiled with -ffp-contract=fast), so that the
 * last bits are not the same on all of them, as they are not after OpenBLAS.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>

#if defined(__AVX512F__)
enum { LANES = 8 };
#elif defined(__AVX2__)
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif

enum { BAND = KERNELS_BAND, STRIDE = KERNELS_BAND_STRIDE, PARTS = BAND / LANES };

typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef double DoublesAnywhere __attribute__((vector_size(8 * LANES), aligned(8)));

/* As much of a column as a block is high. */
typedef struct Column {
    Doubles parts[PARTS];
} Column;

INLINE Doubles load(const double *from) {
    return *(const DoublesAnywhere *)from;
}

INLINE void store(double *to, Doubles value) {
    *(DoublesAnywhere *)to = value;
}

INLINE double fold(Doubles value) {
    double lanes[LANES];
    memcpy(lanes, &value, sizeof lanes);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    return lanes[0];
}

/* All ones but for the first `skipped` lanes. */
INLINE Doubles from_lane(int skipped) {
    static const double STEP[2 * LANES] = {
        [LANES] = 1.0,
        [LANES + 1] = 1.0,
#if defined(__AVX2__)
        [LANES + 2] = 1.0,
        [LANES + 3] = 1.0,
#endif
#if defined(__AVX512F__)
        [LANES + 4] = 1.0,
        [LANES + 5] = 1.0,
        [LANES + 6] = 1.0,
        [LANES + 7] = 1.0,
#endif
    };
    return load(STEP + LANES - skipped);
}

/* Turns x to (β, 0, …) by I − τ·v·vᵀ, v₀ = 1. Returns τ; 0, and no v, where x has that form. */
INLINE double reflect(double *x, Column *v) {
    Column rest;
    for (int p = 0; p < PARTS; p++) rest.parts[p] = load(x + LANES * p);
    rest.parts[0] *= from_lane(1);
    Doubles squares = rest.parts[0] * rest.parts[0];
    for (int p = 1; p < PARTS; p++) squares += rest.parts[p] * rest.parts[p];
    double first = x[0], sum = fold(squares);
    if (sum == 0.0) return 0.0;
    double turned = -copysign(sqrt(first * first + sum), first), scale = 1.0 / (first - turned);
    for (int p = 0; p < PARTS; p++) v->parts[p] = rest.parts[p] * scale;
    v->parts[0][0] = 1.0;
    memset(x, 0, BAND * sizeof *x);
    x[0] = turned;
    return (turned - first) / turned;
}

/* τ·D·v − ½·τ²·(vᵀ·D·v)·v; D is read below and on its diagonal. */
INLINE Column multiply_diagonal(const double *d, const Column *v, const double line[BAND], double tau) {
    Column w = {0};
    double across[BAND];
#pragma GCC unroll 16
    for (int top = 0; top < PARTS; top++) {
#pragma GCC unroll 8
        for (int lane = 0; lane < LANES; lane++) {
            int j = LANES * top + lane;
            const double *column = d + (size_t)j * STRIDE;
            Doubles x = load(column + LANES * top) * from_lane(lane), sum = x * v->parts[top];
            w.parts[top] += x * from_lane(lane + 1) * line[j];
#pragma GCC unroll 16
            for (int p = top + 1; p < PARTS; p++) {
                x = load(column + LANES * p);
                w.parts[p] += x * line[j];
                sum += x * v->parts[p];
            }
            across[j] = fold(sum);
        }
    }
    Doubles dot = {0};
    for (int p = 0; p < PARTS; p++) {
        w.parts[p] = (w.parts[p] + load(across + LANES * p)) * tau;
        dot += w.parts[p] * v->parts[p];
    }
    double half = -0.5 * tau * fold(dot);
    for (int p = 0; p < PARTS; p++) w.parts[p] += half * v->parts[p];
    return w;
}

/* D ← (I − τ·v·vᵀ)·D·(I − τ·v·vᵀ) = D − v·wᵀ − w·vᵀ */
INLINE void turn_diagonal(double *d, const Column *v, double tau) {
    double line[BAND], other[BAND];
    memcpy(line, v, sizeof line);
    Column w = multiply_diagonal(d, v, line, tau);
    memcpy(other, &w, sizeof other);
#pragma GCC unroll 16
    for (int top = 0; top < PARTS; top++) {
        for (int lane = 0; lane < LANES; lane++) {
            int j = LANES * top + lane;
            double *column = d + (size_t)j * STRIDE;
            Doubles change = v->parts[top] * other[j] + w.parts[top] * line[j];
            store(column + LANES * top, load(column + LANES * top) - change * from_lane(lane));
#pragma GCC unroll 16
            for (int p = top + 1; p < PARTS; p++) {
                change = v->parts[p] * other[j] + w.parts[p] * line[j];
                store(column + LANES * p, load(column + LANES * p) - change);
            }
        }
    }
}

/* O ← (I − τ'·u·uᵀ)·O·(I − τ·v·vᵀ), u such that O's first column is cleared; u takes v's place. Returns τ'. */
INLINE double turn_below(double *o, Column *v, double tau) {
    double line[BAND];
    Column w = {0}, u = {0};
    memcpy(line, v, sizeof line);
    for (int j = 0; j < BAND; j++) {
        for (int p = 0; p < PARTS; p++) w.parts[p] += load(o + (size_t)j * STRIDE + LANES * p) * line[j];
    }
    for (int p = 0; p < PARTS; p++) {
        w.parts[p] *= tau;
        store(o + LANES * p, load(o + LANES * p) - w.parts[p]);
    }
    double next = reflect(o, &u);
    for (int j = 1; j < BAND; j++) {
        double *column = o + (size_t)j * STRIDE;
        Column x;
        Doubles sum = {0};
        for (int p = 0; p < PARTS; p++) {
            x.parts[p] = load(column + LANES * p) - w.parts[p] * line[j];
            sum += x.parts[p] * u.parts[p];
        }
        double share = next * fold(sum);
        for (int p = 0; p < PARTS; p++) store(column + LANES * p, x.parts[p] - u.parts[p] * share);
    }
    *v = u;
    return next;
}

void kernels_variant_tridiagonalise(double *band, size_t order, size_t first, size_t end) {
    for (size_t j = first; j < end; j++) {
        Column v;
        size_t row = j + 1;
        double tau = reflect(band + row + j * STRIDE, &v);
        while (tau != 0.0) {
            turn_diagonal(band + row * (STRIDE + 1), &v, tau);
            if (order - row <= BAND) break;
            tau = turn_below(band + row * (STRIDE + 1) + BAND, &v, tau);
            row += BAND;
        }
    }
}
