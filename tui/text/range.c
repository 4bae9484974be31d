#include "tui/text/range.h"

#include "core/numerics/chebyshev.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_SIZE = 64, LIST_SIZE = 4 };
static const char CHEBYSHEV[] = ":chebyshev";

/* ---- numbers ---- */

bool range_read_number(const char *text, double *number) {
    char *end;
    if (text[0] == '\0' || isspace((unsigned char)text[0])) return false;
    double read = strtod(text, &end);
    if (*end != '\0' || !isfinite(read)) return false;
    *number = read;
    return true;
}

/* As much of a text as a part may have, for what reads a whole one. */
static bool copy_part(const char *text, size_t length, char part[PART_SIZE]) {
    if (length >= PART_SIZE) return false;
    memcpy(part, text, length);
    part[length] = '\0';
    return true;
}

bool range_read_share(const char *text, double *share) {
    char number[PART_SIZE];
    size_t length = strlen(text);
    if (length == 0 || text[length - 1] != '%') return range_read_number(text, share);
    if (!copy_part(text, length - 1, number) || !range_read_number(number, share)) return false;
    *share /= 100.0;
    return true;
}

bool range_read_count(const char *text, uint64_t *count) {
    char *end;
    if (!isdigit((unsigned char)text[0])) return false;
    errno = 0;
    unsigned long long read = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0) return false;
    *count = read;
    return true;
}

/* ---- ranges ---- */

static bool read_end(const char *text, size_t length, const RangeLimits *limits, double *number) {
    char part[PART_SIZE];
    bool is_read = copy_part(text, length, part) &&
                   (limits->are_shares ? range_read_share(part, number) : range_read_number(part, number));
    return is_read && *number >= limits->least && *number <= limits->most;
}

/* Of as many bytes; more than one point, or else it would be a number. */
static bool read_points(const char *text, size_t length, size_t *points) {
    char part[PART_SIZE];
    uint64_t count;
    if (!copy_part(text, length, part) || !range_read_count(part, &count) || count < 2 || count > SIZE_MAX)
        return false;
    *points = (size_t)count;
    return true;
}

/* Whether the text ends so, which *length then leaves out. */
static bool cut_chebyshev(const char *text, size_t *length) {
    size_t more = sizeof CHEBYSHEV - 1;
    if (*length < more || memcmp(text + *length - more, CHEBYSHEV, more) != 0) return false;
    *length -= more;
    return true;
}

static bool read_part(const char *text, size_t length, const RangeLimits *limits, Range *range) {
    Range read = {.points = 1, .is_chebyshev = limits->may_be_chebyshev && cut_chebyshev(text, &length)};
    const char *first = memchr(text, ':', length), *end = text + length;
    if (first == NULL) {
        if (!read_end(text, length, limits, &read.from)) return false;
        read.to = read.from;
    } else {
        const char *second = memchr(first + 1, ':', (size_t)(end - first - 1));
        if (second == NULL || !read_end(text, (size_t)(first - text), limits, &read.from) ||
            !read_end(first + 1, (size_t)(second - first - 1), limits, &read.to) ||
            !read_points(second + 1, (size_t)(end - second - 1), &read.points))
            return false;
        if (limits->has_to_climb && read.from >= read.to) return false;
    }
    if (read.is_chebyshev && read.points == 1) return false;
    if (read.points < limits->least_points || read.points > limits->most_points) return false;
    *range = read;
    return true;
}

bool range_read(const char *text, const RangeLimits *limits, Range *range) {
    return read_part(text, strlen(text), limits, range);
}

bool range_read_list(const char *text, const RangeLimits *limits, size_t count, Range *ranges) {
    static const char SPACES[] = " \t";
    Range read[LIST_SIZE];
    if (count > LIST_SIZE) return false;
    for (size_t i = 0; i < count; i++) {
        text += strspn(text, SPACES);
        size_t length = strcspn(text, SPACES);
        if (!read_part(text, length, &limits[i], &read[i])) return false;
        text += length;
    }
    if (text[strspn(text, SPACES)] != '\0') return false;
    memcpy(ranges, read, count * sizeof *ranges);
    return true;
}

void range_write(const Range *range, bool are_shares, char *text, size_t size) {
    double scale = are_shares ? 100.0 : 1.0;
    const char *unit = are_shares ? "%" : "";
    if (range->points == 1)
        (void)snprintf(text, size, "%.6g%s", range->from * scale, unit);
    else
        (void)snprintf(text, size, "%.6g%s:%.6g%s:%zu%s", range->from * scale, unit, range->to * scale, unit,
                       range->points, range->is_chebyshev ? CHEBYSHEV : "");
}

double range_point(const Range *range, size_t index) {
    if (index == 0) return range->from;
    if (index + 1 == range->points) return range->to;
    if (range->is_chebyshev) return chebyshev_point(range->from, range->to, range->points, index);
    double last = (double)(range->points - 1), at = (double)index;
    /* weighed so, what is symmetric has its 0 */
    return (range->from * (last - at) + range->to * at) / last;
}

/* How many steps a value is behind the first of Chebyshev's points: its angle says between which two it is, its distance from
 * them how far. NaN beyond the ends. */
static double count_chebyshev_steps(const Range *range, double value) {
    double part = (value - range->from) / (range->to - range->from);
    double steps = acos(1.0 - 2.0 * part) / acos(-1.0) * (double)(range->points - 1);
    if (!(steps < (double)(range->points - 1))) return steps;
    double before = range_point(range, (size_t)steps), after = range_point(range, (size_t)steps + 1);
    return floor(steps) + (value - before) / (after - before);
}

static double count_steps(const Range *range, double value) {
    if (range->is_chebyshev) return count_chebyshev_steps(range, value);
    return (value - range->from) / (range->to - range->from) * (double)(range->points - 1);
}

bool range_find(const Range *range, double value, size_t *index) {
    if (range->points == 1) {
        *index = 0;
        return value == range->from;
    }
    double at = count_steps(range, value);
    if (!(at >= -0.5 && at <= (double)range->points - 0.5)) return false;
    double nearest = fmin((double)range->points - 1, fmax(0, round(at)));
    *index = (size_t)nearest;
    return true;
}
