#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILE_BYTES = 1 << 20, TILE_ROWS_MOST = 1024 };

static const double TWO_PI = 6.28318530717958647692;

/* Block Lanczos. With G = ΔᵀΔ (s × s) and orthonormal blocks V₁, V₂, … of `block` columns:
 *
 *     Y = G·Vⱼ;  T's column of blocks j = [V₁ … Vⱼ]ᵀ·Y;  Y −= [V₁ … Vⱼ]·that, twice;  Vⱼ₊₁ from Y
 *
 * T is computed in full, not as the block tridiagonal matrix it would be in exact arithmetic, so that it is
 * VᵀGV also where a block was exhausted and filled up with new random vectors. */
typedef struct Lanczos {
    const SpectrumMatrix *matrix;
    SpectrumWork *work;
    uint64_t seed, drawn; /* random numbers so far */
    size_t size, block, steps;
    double *basis;      /* [size × block·steps] */
    double *image;      /* [size × block] */
    double *projection; /* T, [(block·steps)²] */
    double *coupling;   /* [block × block] */
    double *products;   /* [block·steps × block] */
    double scale;       /* the largest of T's diagonal so far */

    /* G·Vⱼ, in bands whose sums are added in order */
    size_t step;
    size_t tile_rows, band_rows, bands;
    double *partial;            /* [bands][size × block] */
    double *tiles;              /* [threads][tile_rows × (size + block)] */
    SpectrumScratch *scratches; /* [threads] */
} Lanczos;

uint64_t spectrum_lanczos_cost(const SpectrumMatrix *matrix) {
    double vectors = (double)SPECTRUM_BLOCK * (double)SPECTRUM_STEPS;
    if (vectors > (double)matrix->shorter) vectors = (double)matrix->shorter;
    return 1 + (uint64_t)(4.0 * vectors * (double)matrix->longer * (double)matrix->shorter * 1e-6);
}

static double *block_at(const Lanczos *lanczos, size_t step) {
    return lanczos->basis + step * lanczos->block * lanczos->size;
}

/* ---- G·V ---- */

/* partial[band] = Σ over the band's tiles D of Dᵀ·(D·V) */
static void multiply_band(void *argument, size_t band, unsigned worker) {
    Lanczos *lanczos = argument;
    size_t s = lanczos->size, b = lanczos->block, longer = lanczos->matrix->longer;
    size_t first = band * lanczos->band_rows;
    size_t end = longer - first < lanczos->band_rows ? longer : first + lanczos->band_rows;
    double *tile = lanczos->tiles + worker * lanczos->tile_rows * (s + b);
    double *between = tile + lanczos->tile_rows * s, *sum = lanczos->partial + band * s * b;
    for (; first < end && !job_is_cancelled(lanczos->work->progress->job); first += lanczos->tile_rows) {
        size_t rows = end - first < lanczos->tile_rows ? end - first : lanczos->tile_rows;
        spectrum_matrix_read(lanczos->matrix, first, rows, &lanczos->scratches[worker], tile, rows);
        lapack_multiply(rows, b, s, 1.0, tile, rows, block_at(lanczos, lanczos->step), s, 0.0, between, rows);
        lapack_multiply_transposed(s, b, rows, 1.0, tile, rows, between, rows, 1.0, sum, s);
    }
}

static Status multiply(Lanczos *lanczos, Error *error) {
    size_t count = lanczos->size * lanczos->block;
    memset(lanczos->partial, 0, lanczos->bands * count * sizeof *lanczos->partial);
    Status status = job_run(lanczos->work->progress->job, lanczos->bands, multiply_band, lanczos, error);
    memcpy(lanczos->image, lanczos->partial, count * sizeof *lanczos->image);
    for (size_t band = 1; band < lanczos->bands; band++) {
        const double *sum = lanczos->partial + band * count;
        for (size_t i = 0; i < count; i++) lanczos->image[i] += sum[i];
    }
    return status;
}

/* ---- the basis ---- */

/* Normally distributed, by Box and Muller. */
static void fill_random(Lanczos *lanczos, double *column) {
    for (size_t i = 0; i < lanczos->size; i++) {
        double radius = sqrt(-2.0 * log(1.0 - random_uniform(lanczos->seed, lanczos->drawn)));
        column[i] = radius * cos(TWO_PI * random_uniform(lanczos->seed, lanczos->drawn + 1));
        lanczos->drawn += 2;
    }
}

/* z −= V·(Vᵀz) over the first `blocks` blocks; adds Vᵀz to `sum` (may be NULL), of stride block·steps. */
static void project_out(Lanczos *lanczos, size_t blocks, double *z, double *sum) {
    size_t s = lanczos->size, b = lanczos->block, count = blocks * b, stride = lanczos->steps * b;
    if (count == 0) return;
    lapack_multiply_transposed(count, b, s, 1.0, lanczos->basis, s, z, s, 0.0, lanczos->products, stride);
    lapack_multiply(s, b, count, -1.0, lanczos->basis, s, lanczos->products, stride, 1.0, z, s);
    for (size_t j = 0; j < b && sum != NULL; j++) {
        for (size_t i = 0; i < count; i++) sum[i + j * stride] += lanczos->products[i + j * stride];
    }
}

/* Makes block `blocks` out of z, which is orthogonal to those before it: what is exhausted becomes random. */
static Status add_block(Lanczos *lanczos, size_t blocks, const double *z, size_t rank, Error *error) {
    double *block = block_at(lanczos, blocks);
    memcpy(block, z, lanczos->size * lanczos->block * sizeof *block);
    for (size_t j = rank; j < lanczos->block; j++) fill_random(lanczos, block + j * lanczos->size);
    Status status = STATUS_OK;
    for (int pass = 0; pass < 2 && status == STATUS_OK; pass++) {
        project_out(lanczos, blocks, block, NULL);
        status =
            lapack_orthonormalise(lanczos->size, lanczos->block, block, lanczos->size, NULL, &rank, error);
    }
    return status;
}

/* One step: T's next column of blocks, and what is left of G·Vⱼ. */
static Status take_step(Lanczos *lanczos, Error *error) {
    size_t b = lanczos->block, j = lanczos->step, rank = 0;
    double *column = lanczos->projection + j * b * lanczos->steps * b;
    Status status = multiply(lanczos, error);
    if (status != STATUS_OK) return status;
    for (int pass = 0; pass < 2; pass++) project_out(lanczos, j + 1, lanczos->image, column);
    double left = 0.0;
    for (size_t i = 0; i < b; i++)
        lanczos->scale = fmax(lanczos->scale, column[j * b + i + i * lanczos->steps * b]);
    for (size_t i = 0; i < lanczos->size * b; i++) left = fmax(left, fabs(lanczos->image[i]));
    status = lapack_orthonormalise(lanczos->size, b, lanczos->image, lanczos->size, lanczos->coupling, &rank,
                                   error);
    if (status != STATUS_OK || j + 1 == lanczos->steps) return status;
    if (left <= 1e-14 * lanczos->scale) rank = 0; /* rounding, not directions */
    return add_block(lanczos, j + 1, lanczos->image, rank, error);
}

static Status iterate(Lanczos *lanczos, Error *error) {
    Status status = add_block(lanczos, 0, lanczos->image, 0, error);
    for (lanczos->step = 0; lanczos->step < lanczos->steps && status == STATUS_OK; lanczos->step++) {
        status = take_step(lanczos, error);
        double share = (double)(lanczos->step + 1) / (double)lanczos->steps;
        if (status == STATUS_OK && !spectrum_advance(lanczos->work, share)) status = job_cancelled(error);
    }
    return status;
}

/* ---- all of it ---- */

static void choose_sizes(Lanczos *lanczos) {
    size_t s = lanczos->matrix->shorter, longer = lanczos->matrix->longer;
    lanczos->size = s;
    lanczos->block = s < SPECTRUM_BLOCK ? s : SPECTRUM_BLOCK;
    lanczos->steps = s / lanczos->block < SPECTRUM_STEPS ? s / lanczos->block : SPECTRUM_STEPS;
    lanczos->tile_rows = TILE_BYTES / sizeof(double) / s;
    if (lanczos->tile_rows < SPECTRUM_SCRATCH_ROWS) lanczos->tile_rows = SPECTRUM_SCRATCH_ROWS;
    if (lanczos->tile_rows > TILE_ROWS_MOST) lanczos->tile_rows = TILE_ROWS_MOST;
    lanczos->band_rows = longer / SPECTRUM_BANDS + (longer % SPECTRUM_BANDS != 0);
    lanczos->bands = longer / lanczos->band_rows + (longer % lanczos->band_rows != 0);
}

static bool allocate(Lanczos *lanczos) {
    size_t s = lanczos->size, b = lanczos->block, count = b * lanczos->steps, tile;
    unsigned threads = job_threads(lanczos->work->progress->job);
    if (!memory_multiply(lanczos->tile_rows, s + b, &tile)) return false;
    /* products with 16, 24 or a tile's few rows: s is far below SIZE_MAX / 2¹⁶, its elements being in memory
     */
    lanczos->basis = memory_allocate(s, count * sizeof(double));
    lanczos->image = memory_allocate(s, b * sizeof(double));
    lanczos->partial = memory_allocate(s, lanczos->bands * b * sizeof(double));
    lanczos->projection = memory_allocate(count, count * sizeof(double));
    lanczos->coupling = memory_allocate(b, b * sizeof(double));
    lanczos->products = memory_allocate(count, b * sizeof(double));
    lanczos->tiles = memory_allocate(threads, tile * sizeof(double));
    lanczos->scratches = memory_allocate(threads, sizeof *lanczos->scratches);
    return lanczos->basis != NULL && lanczos->image != NULL && lanczos->partial != NULL &&
           lanczos->projection != NULL && lanczos->coupling != NULL && lanczos->products != NULL &&
           lanczos->tiles != NULL && lanczos->scratches != NULL;
}

static void release(Lanczos *lanczos) {
    free(lanczos->basis);
    free(lanczos->image);
    free(lanczos->partial);
    free(lanczos->projection);
    free(lanczos->coupling);
    free(lanczos->products);
    free(lanczos->tiles);
    free(lanczos->scratches);
}

Status spectrum_solve_lanczos(const SpectrumMatrix *matrix, SpectrumWork *work, Spectrum *spectrum,
                              Error *error) {
    Lanczos lanczos = {.matrix = matrix, .work = work, .seed = spectrum->seed};
    choose_sizes(&lanczos);
    Status status = allocate(&lanczos) ? iterate(&lanczos, error) : memory_fail(error, "singular values");
    if (status == STATUS_OK) {
        LanczosResult result = {.size = lanczos.size,
                                .count = lanczos.block * lanczos.steps,
                                .block = lanczos.block,
                                .projection = lanczos.projection,
                                .coupling = lanczos.coupling,
                                .squares = spectrum->norm * spectrum->norm};
        status = spectrum_finish_lanczos(&result, spectrum, error);
    }
    release(&lanczos);
    return status;
}
