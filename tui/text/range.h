/*
 * range — FROM:TO:POINTS, the one notation in which options and prompts take numbers that are evenly spaced, both
 * ends included, or denser there.
 *
 *     0:1:11      0, 0.1 … 1
 *     0:4%:9      the same of shares, of which either end may be in percent
 *     0.5         one number: a range of one point
 *     0:1:13:chebyshev    denser towards both ends, for curves through the points: where that is allowed
 *
 * What an end and the number of points may be is the caller's to say; every text that is no range within that is
 * refused whole. The caller says why, for it knows what the range is for.
 */
#ifndef REJUV_TUI_RANGE_H
#define REJUV_TUI_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Range {
    double from, to;
    size_t points;     /* 1: `to` is `from` */
    bool is_chebyshev; /* at Chebyshev's points (chebyshev.h) */
} Range;

typedef struct RangeLimits {
    double least, most; /* of either end */
    size_t least_points, most_points;
    bool are_shares;       /* 1% is 0.01 */
    bool has_to_climb;     /* from below to above */
    bool may_be_chebyshev; /* else that is refused */
} RangeLimits;

/* A finite number and nothing else: no space before it, nothing behind. */
bool range_read_number(const char *text, double *number);
bool range_read_share(const char *text, double *share); /* "0.01" or "1%" */
bool range_read_count(const char *text, uint64_t *count);

/* On failure *range is left as it was. */
bool range_read(const char *text, const RangeLimits *limits, Range *range);

/* `count` of them with spaces between, and around, as a prompt gives them; all or none. */
bool range_read_list(const char *text, const RangeLimits *limits, size_t count, Range *ranges);

/* As range_read() takes it; shares in percent. */
void range_write(const Range *range, bool are_shares, char *text, size_t size);

/* Point `index` of `points`; the ends are exact, and so is the 0 between an end and its opposite. */
double range_point(const Range *range, size_t index);

/* The point nearest to a value; false where it lies beyond the ends by more than half a step, and beyond those of
 * Chebyshev's by anything. */
bool range_find(const Range *range, double value, size_t *index);

#endif
