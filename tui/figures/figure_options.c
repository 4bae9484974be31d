#include "tui/figures/figure_options.h"

#include "tui/text/suggest.h"

#include <stdio.h>
#include <string.h>

Status figure_options_list_metrics(const Options *options, const char *const *initial, size_t initial_count,
                                   size_t most, const char **keys, size_t *count, Error *error) {
    size_t at = 0;
    const char *text;
    *count = 0;
    while ((text = options_next(options, OPTION_METRIC, &at)) != NULL) {
        if (*count == most)
            return status_fail(error, STATUS_ARGUMENT, "--metric: expected %zu at most in this figure", most);
        keys[(*count)++] = text;
    }
    if (*count > 0) return STATUS_OK;
    for (; *count < initial_count; (*count)++) keys[*count] = initial[*count];
    return STATUS_OK;
}

Status figure_options_find_metric(const char *key, const char *const *keys, size_t count, size_t *which,
                                  Error *error) {
    char all[512] = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], key) == 0) {
            *which = i;
            return STATUS_OK;
        }
        size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", keys[i]);
    }
    const char *nearest = suggest_name(key, keys, count);
    if (nearest != NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "--metric: there is no \"%s\" in this figure; did you mean %s?", key, nearest);
    return status_fail(error, STATUS_ARGUMENT, "--metric: there is no \"%s\" in this figure; there are %s",
                       key, all);
}
