/*
 * figure_options — what the kinds of figures read from the command line alike: their metrics.
 */
#ifndef REJUV_TUI_FIGURE_OPTIONS_H
#define REJUV_TUI_FIGURE_OPTIONS_H

#include "core/support/status.h"
#include "tui/cli/options.h"

#include <stddef.h>

/* The texts of --metric in order, or `initial` where none is given. STATUS_ARGUMENT for more than `most`. */
Status figure_options_list_metrics(const Options *options, const char *const *initial, size_t initial_count,
                                   size_t most, const char **keys, size_t *count,
                                   Error *error) STATUS_MUST_CHECK;

/* Which of the `count` keys it is; STATUS_ARGUMENT names what is near, or all. */
Status figure_options_find_metric(const char *key, const char *const *keys, size_t count, size_t *which,
                                  Error *error) STATUS_MUST_CHECK;

#endif
