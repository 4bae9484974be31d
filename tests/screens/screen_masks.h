/*
 * screen_masks — what is different in every run (rates, times, a machine's name) and is not compared.
 *
 * A mask is a regular expression (PCRE2). Where it matches a line of the screen, every column of the match
 * becomes a ~; with `to_end`, everything from the match to the end of the line becomes one ~.
 */
#ifndef REJUV_TESTS_SCREEN_MASKS_H
#define REJUV_TESTS_SCREEN_MASKS_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ScreenMasks {
    struct ScreenMask *items;
    size_t count, capacity;
} ScreenMasks;

Status screen_masks_add(ScreenMasks *masks, const char *expression, bool to_end,
                        Error *error) STATUS_MUST_CHECK;

/* `line` with the masks applied, the caller frees it; NULL when out of memory. */
char *screen_masks_apply(const ScreenMasks *masks, const char *line);

void screen_masks_free(ScreenMasks *masks);

#endif
