#include "tui/commands/command.h"
#include "tui/commands/drift_ladder.h"
#include "tui/commands/drift_listing.h"

#include <stdlib.h>

static Status write_json(Batch *batch, const DriftListing *listing, const DriftRow *all, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    if (tree != NULL && drift_listing_add_json(listing, batch->pair, all, tree))
        return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status write_text(Batch *batch, const Table *table, const DriftRow *all, Error *error) {
    char relative[32], cosine[32], changed[32], flips[32];
    Status status = batch_write_table(batch, table, error);
    if (status != STATUS_OK) return status;
    drift_format_row(all, DRIFT_RELATIVE_NORM, relative, sizeof relative);
    drift_format_row(all, DRIFT_COSINE, cosine, sizeof cosine);
    drift_format_row(all, DRIFT_CHANGED, changed, sizeof changed);
    drift_format_row(all, DRIFT_SIGN_FLIPS, flips, sizeof flips);
    batch_print("%s", "");
    batch_print(
        "All %zu tensors as one: relative_norm %s, cosine %s, changed %s, sign_flips %s; %zu tensors are "
        "equal.",
        all->tensors, relative, cosine, changed, flips, all->equal_tensors);
    return STATUS_OK;
}

static Status write_table(Batch *batch, const DriftListing *listing, const DriftRow *all, Error *error) {
    Table *table;
    Status status = drift_listing_create_table(listing, &table, error);
    if (status != STATUS_OK) return status;
    drift_listing_add(listing, table);
    status = listing->format == TABLE_AS_TEXT ? write_text(batch, table, all, error)
                                              : batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static Status report(Batch *batch, const DriftMeasured *measured, DriftListing *listing,
                     const DriftOrder *order, Error *error) {
    const OptionValue *top = options_value(batch->options, OPTION_TOP_ROWS);
    DriftRow all;
    Status status = drift_listing_collect(batch->pair, measured, listing, error);
    if (status != STATUS_OK) return status;
    if (order != NULL) drift_listing_sort(listing, order);
    if (top->given && top->count < listing->count) listing->count = (size_t)top->count;
    (void)drift_sum_all(measured->drift, &all); /* how many went in is in the row */
    return listing->format == TABLE_AS_JSON ? write_json(batch, listing, &all, error)
                                            : write_table(batch, listing, &all, error);
}

static Status check_options(const Batch *batch, DriftOrder *order, Error *error) {
    const char *key = options_text(batch->options, OPTION_SORT);
    bool with_spectrum = options_has(batch->options, OPTION_SPECTRUM);
    if (with_spectrum && options_value(batch->options, OPTION_BY)->count != DRIFT_BY_TENSOR)
        return status_fail(error, STATUS_ARGUMENT,
                           "--spectrum: singular values are of one tensor, not of several taken as one; "
                           "expected --by tensor, found --by %s",
                           options_text(batch->options, OPTION_BY));
    return key != NULL ? drift_listing_find_metric(key, with_spectrum, order, error) : STATUS_OK;
}

static Status run_pair(Batch *batch, DriftListing *listing, const DriftOrder *order, Error *error) {
    DriftMeasured measured = {0};
    Status status = batch_open_pair(batch, error);
    if (status == STATUS_OK) status = pair_check_common(batch->pair, error);
    if (status == STATUS_OK) drift_listing_say_share(batch, "%s", "");
    if (status == STATUS_OK) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = drift_listing_measure(batch, listing->with_spectrum, &measured, error);
    if (status == STATUS_OK) status = report(batch, &measured, listing, order, error);
    drift_listing_free(listing);
    drift_listing_free_measured(&measured);
    return status;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    DriftOrder order = {0};
    DriftListing listing = {.grouping = (DriftGrouping)options_value(options, OPTION_BY)->count,
                            .format = batch->format,
                            .with_spectrum = options_has(options, OPTION_SPECTRUM)};
    const DriftOrder *asked = options_has(options, OPTION_SORT) ? &order : NULL;
    Status status = check_options(batch, &order, error);
    if (status != STATUS_OK) return status;
    return options->operand_count > 2 ? drift_ladder_run(batch, &listing, asked, error)
                                      : run_pair(batch, &listing, asked, error);
}

const Command command_drift = {
    .details =
        "With D = SFT - BASE, element by element: mean_square of D; norm |D|, Frobenius; relative_norm "
        "|D|/|BASE|; "
        "max_abs; cosine of BASE and SFT; changed and sign_flips, shares of the elements; kurtosis of D; "
        "top1_share, the share of |D|^2 that the largest 1 % of the elements hold.\n"
        "Tensors that cannot be compared are listed without figures.\n"
        "With more than one SFT, they are the rungs of one training in its order, epochs of SFT and perhaps what RL made "
        "of the last: each is compared with BASE, and with the one before. Every rung has to fit BASE, and is opened before "
        "anything is measured. The text form shows one metric, that of --sort or relative_norm, a column a comparison.\n"
        "With --spectrum also, of every matrix: spectral_norm, the largest singular value of D; stable_rank "
        "|D|^2/spectral_norm^2; effective_rank, e to the entropy of all singular values' shares. By LAPACK "
        "where the shorter side is at most exact_limit, otherwise by a randomised method with a fixed seed; "
        "the _error of each says how far it may be off.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft  the directories\n"
        "  all        {tensors, equal_tensors, elements, METRICS}: all tensors as one\n"
        "  tensors    [{tensor, layer, role, elements, METRICS, compared, equal, max_row, max_column, "
        "sft_only_rows, base_only_rows, base_nonfinite, sft_nonfinite, shape [...]}]\n"
        "  layers     in its place with --by layer: [{layer, tensors, equal_tensors, elements, "
        "METRICS, base_nonfinite, sft_nonfinite}]\n"
        "             with --spectrum each also {spectral_norm, spectral_norm_error, stable_rank, "
        "stable_rank_error, effective_rank, effective_rank_error, spectrum_method: exact, lanczos, none or "
        "not_finite, singular_values [the 16 largest], noise {variance, edge, limit, above, distance}, tail {exponent, "
        "error, of_noise, distance, values}}; of matrices all of whose values are known, at least 50: the edge of noise by "
        "Marchenko and Pastur's law scaled to the median, values above the 99 % limit of its largest, and Kolmogorov's "
        "distance from the law; the exponent of a power law in the squares of the largest, and that of noise by the same fit\n"
        "  spectrum   {seed, exact_limit} with --spectrum\n"
        "  roles      with --by role: [{role, the same}]\n"
        "  rungs      the directories behind BASE, where there are several: then base, rungs and\n"
        "  comparisons  [{rung, against, and all of the above of these two}], in place of the rest: each rung, from 1, against "
        "base, which is 0, then each against the one before\n"
        "  METRICS    relative_norm, mean_square, norm, max_abs, cosine, changed, sign_flips, "
        "kurtosis, top1_share, base_norm, sft_norm; \"NaN\" where undefined\n"
        "CSV: the rows; with several rungs those of all comparisons, each with rung and against",
    .is_dealt = true,
    .run = run,
};
