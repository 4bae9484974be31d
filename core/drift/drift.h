/*
 * drift — how far fine-tuning moved each tensor: Δ = S − B, element by element.
 *
 * Values are widened to float32 as everywhere; Δ, products and sums are in double. n is the number of
 * elements that both sides have (rows of an enlarged vocabulary are left out, and counted).
 *
 *     mean_square     ΣΔ² / n
 *     norm            √ΣΔ², the Frobenius norm ‖Δ‖
 *     relative_norm   ‖Δ‖ / ‖B‖; where ‖B‖ = 0: 0 if ‖Δ‖ = 0 too, otherwise infinite
 *     max_abs         max |Δ|, and the first place (in row-major order) where it is
 *     cosine          ΣSB / (‖S‖·‖B‖); where a norm is 0: 1 if ‖Δ‖ = 0, otherwise 0
 *     changed         share of elements with S ≠ B (−0 equals +0)
 *     sign_flips      share of elements with S·B < 0 (from or to zero is no flip)
 *     kurtosis        m₄ / m₂², central moments of Δ (a normal distribution has 3); undefined where m₂ = 0
 *     top1_share      share of ΣΔ² held by the max(1, round(n / 100)) elements of largest |Δ|, halves rounded
 *                     to even; undefined where ‖Δ‖ = 0. Exact, without sorting: ties are interchangeable.
 *     base_norm, sft_norm   ‖B‖, ‖S‖ over the same n elements
 *
 * Undefined is NaN. Elements that are not finite are counted on each side and are not taken out of any sum:
 * the sums they enter become infinite or NaN. max |Δ| is then NaN, and its place the first NaN, wherever a Δ
 * is NaN. A NaN is not equal to itself, so it counts as changed.
 *
 * The scan is one parallel pass over both files, in tiles of DRIFT_TILE elements whose results are combined
 * in tile order: the same bits for any number of threads and on any instruction set. (For top1_share a sample
 * of a tensor is read before; where it misled, which is rare, the tensor is read again.) Layers come first, in
 * file order, and the embedding and head after them. Where both files are the same file, only one side is
 * read.
 *
 * The room: Δ = S − B, metrics of tensors, pooled windows of elements, singular values. A table is made by whoever
 * asks and filled by one Job; its owner may look at rows while the Job fills others (drift_table.h).
 */
#ifndef REJUV_CORE_DRIFT_H
#define REJUV_CORE_DRIFT_H

#include "core/checkpoint/pair.h"
#include "core/support/job.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DRIFT_TILE = 65536 };

/* ---- the metrics, as data ---- */

typedef enum DriftMetric {
    DRIFT_RELATIVE_NORM,
    DRIFT_MEAN_SQUARE,
    DRIFT_NORM,
    DRIFT_MAX_ABS,
    DRIFT_COSINE,
    DRIFT_CHANGED,
    DRIFT_SIGN_FLIPS,
    DRIFT_KURTOSIS,
    DRIFT_TOP1_SHARE,
    DRIFT_BASE_NORM,
    DRIFT_SFT_NORM,
    DRIFT_METRIC_COUNT
} DriftMetric;

typedef enum DriftScale {
    DRIFT_SEQUENTIAL, /* from nothing to much */
    DRIFT_DIVERGING   /* two sides of `centre` */
} DriftScale;

typedef enum DriftFormat {
    DRIFT_FORMAT_NUMBER,  /* four significant digits */
    DRIFT_FORMAT_PERCENT, /* of a share: 0.25 is "25.0%" */
    DRIFT_FORMAT_COSINE   /* six decimals */
} DriftFormat;

typedef struct DriftMetricFacts {
    const char *key;   /* in JSON and CSV: "relative_norm" */
    const char *label; /* on screens: "relative norm" */
    const char *unit;  /* "", "‖B‖", "of elements"; for legends */
    const char *help;  /* one line */
    DriftScale scale;
    double centre; /* of a diverging scale */
    DriftFormat format;
    bool larger_is_more; /* a larger value is more drift; false for cosine */
    bool measures_drift; /* false for the two norms: not for a heatmap of drift */
} DriftMetricFacts;

const DriftMetricFacts *drift_metric_facts(DriftMetric metric);

/* The metric of that key; DRIFT_METRIC_COUNT where there is none. */
DriftMetric drift_find_metric(const char *key);

/* A value of the metric as text: "0.0478", "25.0%", "inf", "nan". At most 23 bytes with the NUL. */
void drift_format_value(DriftMetric metric, double value, char *text, size_t size);

/* ---- one tensor ---- */

/* What a scan keeps: sums from which every metric is derived. Rows add up (drift_add_row). */
typedef struct DriftRow {
    const PairTensor *tensor; /* NULL in a sum of rows */
    bool is_compared;         /* false: only SFT has it, or it is not floating, or the shapes do not fit */
    bool is_equal;            /* the same values on both sides; a tensor with a NaN never is */
    uint64_t count;           /* elements that both sides have */
    uint64_t sft_only_rows, base_only_rows;
    uint64_t changed, sign_flips;
    uint64_t base_nonfinite, sft_nonfinite;
    double difference_squares, base_squares, sft_squares; /* ΣΔ², ΣB², ΣS² */
    double products;                                      /* ΣSB */
    double mean, moment2, moment3, moment4;               /* of Δ: mean, Σ(Δ − mean)ᵏ */
    double top_squares;                                   /* ΣΔ² over the largest 1 % */
    double max_abs;
    uint64_t max_row, max_column;
    /* of a sum of rows */
    size_t tensors, equal_tensors; /* compared ones; 1 and 0 or 1 in a row of one tensor */
} DriftRow;

/* The metric as defined above; NaN where it is undefined. For a row that is not compared: NaN. */
double drift_value(const DriftRow *row, DriftMetric metric);

/* Whether the metric has no value for elements that are all finite. */
bool drift_is_undefined(const DriftRow *row, DriftMetric metric);

/* The same as text; "-" where it is undefined, "nan" where elements that are not finite made it so. */
void drift_format_row(const DriftRow *row, DriftMetric metric, char *text, size_t size);

/* Makes *sum (zeroed before the first) the drift of both taken as one long vector. In a sum, top1_share is
 * the share held by the top 1 % of each tensor, and the place of the maximum is that within its tensor,
 * `sum->tensor`, which here says where the maximum is. */
void drift_add_row(DriftRow *sum, const DriftRow *row);

/* ---- all tensors ---- */

typedef struct DriftTable DriftTable;

/* An empty table for the pair's tensors (which must outlive it). The caller frees it. */
Status drift_table_create(const Pair *pair, DriftTable **table, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. No scan may be running on it. */
void drift_table_free(DriftTable *table);

/* Copies the row of pair->tensors[index]; false while it is not yet there. From any thread, without locks,
 * also while a scan fills the table. */
bool drift_table_row(const DriftTable *table, size_t index, DriftRow *row);

size_t drift_table_count(const DriftTable *table); /* of the pair's tensors */
size_t drift_table_ready(const DriftTable *table); /* how many rows are there */

/* Fills the table, on the job's team; rows that are there already are left as they are, so a cancelled scan
 * can go on later. One scan at a time. Reports "drift", in bytes of both files. Cancelled within about 20 ms:
 * STATUS_CANCELLED, with whatever was finished in the table. */
Status drift_scan(const Pair *pair, DriftTable *table, Job *job, Error *error) STATUS_MUST_CHECK;

/* The same for pair->tensors[first] up to before [end]: of a table that several processes fill, each row with the bits that
 * a scan of all gives it. */
Status drift_scan_stretch(const Pair *pair, DriftTable *table, size_t first, size_t end, Job *job,
                          Error *error) STATUS_MUST_CHECK;

/* Sums over the compared rows that are there, in the pair's order; each returns how many tensors went in.
 * layer -1 stands for tensors that belong to no layer. */
size_t drift_sum_all(const DriftTable *table, DriftRow *sum);
size_t drift_sum_layer(const DriftTable *table, int layer, DriftRow *sum);
size_t drift_sum_role(const DriftTable *table, TensorRole role, DriftRow *sum);

/* All tensors of a role in a layer as one: experts, a norm and its bias. Returns how many went in; *waiting is how many
 * rows are not yet there. */
size_t drift_sum_cell(const DriftTable *table, const Pair *pair, TensorRole role, int layer, DriftRow *sum,
                      size_t *waiting);

/* How much drift a value is, for putting rows in order, the most drifted first: infinite for a NaN that comes
 * from the weights, for it must show; −infinite for an undefined value. */
double drift_rank_value(const DriftRow *row, DriftMetric metric);

/* Writes the indexes of the compared rows that are there to `indexes` (room for drift_table_count()), most
 * drifted first by `metric`: a NaN that comes from the weights before all, for it must show, undefined values
 * last, ties in the pair's order. */
Status drift_rank(const DriftTable *table, DriftMetric metric, size_t *indexes, size_t *count,
                  Error *error) STATUS_MUST_CHECK;

/* ---- rows and columns of one tensor ---- */

/* Norms of each row and column of Δ and of B, over the rows that both sides have. */
typedef struct DriftProfile {
    uint64_t rows, columns;
    double *row_difference, *row_base;       /* [rows] */
    double *column_difference, *column_base; /* [columns] */
} DriftProfile;

/* STATUS_ARGUMENT for a tensor that cannot be compared. Reports "profile", in rows. The caller frees the
 * profile with drift_profile_free(). */
Status drift_profile(const PairTensor *tensor, DriftProfile *profile, Job *job,
                     Error *error) STATUS_MUST_CHECK;
void drift_profile_free(DriftProfile *profile);

/* ‖Δ‖ / ‖B‖ as relative_norm has it. */
double drift_relative(double difference_norm, double base_norm);

/* Whether Δ exists: both sides, floating, the same beyond the rows. */
bool drift_is_comparable(const PairTensor *tensor);

#endif
