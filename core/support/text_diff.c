#include "core/support/text_diff.h"

#include "core/support/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONTEXT = 3,
    LONG_LINE = 200,         /* bytes: cut at breaks from there on */
    MOST_LINES = 1 << 20,    /* of a text; what follows is one line */
    MOST_SEARCHED = 1 << 16, /* lines of a text between beginnings and ends that are alike */
    MOST_CHANGES = 2000
};

typedef struct Line {
    const char *text;
    size_t bytes;
    uint64_t hash;
    bool is_changed;
} Line;

typedef struct Lines {
    Line *list;
    size_t count, capacity;
} Lines;

/* ---- lines ---- */

static Status add_line(Lines *lines, const char *text, size_t bytes, Error *error) {
    Status status = MEMORY_RESERVE(lines->list, &lines->capacity, lines->count + 1, error);
    if (status != STATUS_OK) return status;
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
    lines->list[lines->count++] = (Line){.text = text, .bytes = bytes, .hash = hash};
    return STATUS_OK;
}

/* How much of a long line stands before and with the first break in it: all, where there is none. */
static size_t find_break(const char *text, size_t bytes, const char *const *breaks) {
    for (size_t at = 0; at < bytes; at++) {
        for (const char *const *next = breaks; *next != NULL; next++) {
            size_t length = strlen(*next);
            if (length <= bytes - at && memcmp(text + at, *next, length) == 0) return at + length;
        }
    }
    return bytes;
}

static Status add_pieces(Lines *lines, const char *text, size_t bytes, const char *const *breaks,
                         Error *error) {
    Status status = STATUS_OK;
    bool is_cut = breaks != NULL && bytes > LONG_LINE;
    do {
        size_t length = is_cut && lines->count < MOST_LINES ? find_break(text, bytes, breaks) : bytes;
        status = add_line(lines, text, length, error);
        text += length;
        bytes -= length;
    } while (status == STATUS_OK && bytes > 0);
    return status;
}

static Status split(const TextDiffText *text, const char *const *breaks, Lines *lines, Error *error) {
    Status status = STATUS_OK;
    for (size_t at = 0; at < text->bytes && status == STATUS_OK;) {
        const char *from = text->text + at;
        const char *newline = lines->count < MOST_LINES ? memchr(from, '\n', text->bytes - at) : NULL;
        size_t length = newline != NULL ? (size_t)(newline - from) : text->bytes - at;
        status = add_pieces(lines, from, length, breaks, error);
        at += length + 1;
    }
    return status;
}

static bool is_same(const Line *a, const Line *b) {
    return a->hash == b->hash && a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* ---- the fewest changes ---- */

/* Of each number of changes d and each diagonal k = x - y, how far it leads: the largest x. Row d has d + 1 of them. */
typedef struct Search {
    const Line *a, *b;
    int32_t a_count, b_count;
    int32_t *reached;
    size_t capacity;
} Search;

static size_t place_of(int32_t d, int32_t k) {
    return (size_t)d * ((size_t)d + 1) / 2 + (size_t)((k + d) / 2);
}

/* Whether the best way to diagonal k by d changes adds a line, from diagonal k + 1; else it removes one, from k - 1. */
static bool is_by_adding(const Search *search, int32_t d, int32_t k) {
    if (k == -d || k == d) return k == -d;
    return search->reached[place_of(d - 1, k - 1)] < search->reached[place_of(d - 1, k + 1)];
}

static int32_t arrive(const Search *search, int32_t d, int32_t k) {
    if (d == 0) return 0;
    return is_by_adding(search, d, k) ? search->reached[place_of(d - 1, k + 1)]
                                      : search->reached[place_of(d - 1, k - 1)] + 1;
}

/* The number of changes, or -1 for too many. */
static Status search_changes(Search *search, int32_t *changes, Error *error) {
    *changes = -1;
    for (int32_t d = 0; d <= MOST_CHANGES; d++) {
        Status status = MEMORY_RESERVE(search->reached, &search->capacity, place_of(d, d) + 1, error);
        if (status != STATUS_OK) return status;
        for (int32_t k = -d; k <= d; k += 2) {
            int32_t x = arrive(search, d, k), y = x - k;
            while (x < search->a_count && y < search->b_count && is_same(&search->a[x], &search->b[y])) {
                x++;
                y++;
            }
            search->reached[place_of(d, k)] = x;
            if (x != search->a_count || y != search->b_count) continue;
            *changes = d;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

static void mark_changes(const Search *search, int32_t changes, Line *a, Line *b) {
    int32_t k = search->a_count - search->b_count;
    for (int32_t d = changes; d > 0; d--) {
        bool is_adding = is_by_adding(search, d, k);
        k += is_adding ? 1 : -1;
        int32_t x = search->reached[place_of(d - 1, k)];
        if (is_adding)
            b[x - k].is_changed = true;
        else
            a[x].is_changed = true;
    }
}

static void mark_all(Line *lines, size_t count) {
    for (size_t i = 0; i < count; i++) lines[i].is_changed = true;
}

static Status mark(Lines sides[2], bool *is_fewest, Error *error) {
    size_t least = sides[0].count < sides[1].count ? sides[0].count : sides[1].count, before = 0, behind = 0;
    Line *a = sides[0].list, *b = sides[1].list;
    while (before < least && is_same(&a[before], &b[before])) before++;
    while (behind < least - before &&
           is_same(&a[sides[0].count - 1 - behind], &b[sides[1].count - 1 - behind]))
        behind++;
    size_t a_count = sides[0].count - before - behind, b_count = sides[1].count - before - behind;
    int32_t changes = -1;
    Search search = {.a = a + before, .b = b + before};
    Status status = STATUS_OK;
    if (a_count == 0 || b_count == 0) {
        changes = 0; /* nothing to search in */
    } else if (a_count <= MOST_SEARCHED && b_count <= MOST_SEARCHED) {
        search.a_count = (int32_t)a_count;
        search.b_count = (int32_t)b_count;
        status = search_changes(&search, &changes, error);
    }
    if (status == STATUS_OK && changes > 0) {
        mark_changes(&search, changes, a + before, b + before);
    } else if (status == STATUS_OK) {
        mark_all(a + before, a_count);
        mark_all(b + before, b_count);
    }
    *is_fewest = changes >= 0;
    free(search.reached);
    return status;
}

/* ---- hunks ---- */

static Status emit(TextDiff *diff, TextDiffKind kind, const Line *line, Error *error) {
    Status status = MEMORY_RESERVE(diff->lines, &diff->line_capacity, diff->line_count + 1, error);
    if (status != STATUS_OK) return status;
    diff->lines[diff->line_count++] = (TextDiffLine){kind, line->text, line->bytes};
    TextDiffHunk *hunk = &diff->hunks[diff->hunk_count - 1];
    hunk->line_count++;
    hunk->count[0] += kind != TEXT_DIFF_ADDED;
    hunk->count[1] += kind != TEXT_DIFF_REMOVED;
    diff->removed += kind == TEXT_DIFF_REMOVED;
    diff->added += kind == TEXT_DIFF_ADDED;
    return STATUS_OK;
}

static Status begin_hunk(TextDiff *diff, size_t x, size_t y, Error *error) {
    Status status = MEMORY_RESERVE(diff->hunks, &diff->hunk_capacity, diff->hunk_count + 1, error);
    if (status == STATUS_OK)
        diff->hunks[diff->hunk_count++] = (TextDiffHunk){.first = {x, y}, .first_line = diff->line_count};
    return status;
}

/* Lines that are changed one after the other, in each text. */
typedef struct Group {
    size_t first[2], end[2];
} Group;

/* The next one behind line x of the first text and y of the second, which are alike; false where there is none. */
static bool find_group(const Lines sides[2], size_t x, size_t y, Group *group) {
    const Line *a = sides[0].list, *b = sides[1].list;
    while (x < sides[0].count && y < sides[1].count && !a[x].is_changed && !b[y].is_changed) {
        x++;
        y++;
    }
    *group = (Group){{x, y}, {x, y}};
    while (group->end[0] < sides[0].count && a[group->end[0]].is_changed) group->end[0]++;
    while (group->end[1] < sides[1].count && b[group->end[1]].is_changed) group->end[1]++;
    return group->end[0] > x || group->end[1] > y;
}

static Status emit_lines(TextDiff *diff, TextDiffKind kind, const Lines *lines, size_t first, size_t end,
                         Error *error) {
    Status status = STATUS_OK;
    for (size_t i = first; i < end && status == STATUS_OK; i++)
        status = emit(diff, kind, &lines->list[i], error);
    return status;
}

static Status make_hunks(const Lines sides[2], TextDiff *diff, Error *error) {
    Status status = STATUS_OK;
    size_t x = 0, y = 0;
    for (Group group; status == STATUS_OK && find_group(sides, x, y, &group);) {
        size_t gap = group.first[0] - x, before = gap < CONTEXT ? gap : CONTEXT;
        bool is_new = diff->hunk_count == 0 || gap > 2 * CONTEXT;
        if (diff->hunk_count > 0)
            status = emit_lines(diff, TEXT_DIFF_BOTH, &sides[0], x, x + (is_new ? CONTEXT : gap), error);
        if (status == STATUS_OK && is_new) {
            status = begin_hunk(diff, group.first[0] - before, group.first[1] - before, error);
            if (status == STATUS_OK)
                status = emit_lines(diff, TEXT_DIFF_BOTH, &sides[0], group.first[0] - before, group.first[0],
                                    error);
        }
        if (status == STATUS_OK)
            status = emit_lines(diff, TEXT_DIFF_REMOVED, &sides[0], group.first[0], group.end[0], error);
        if (status == STATUS_OK)
            status = emit_lines(diff, TEXT_DIFF_ADDED, &sides[1], group.first[1], group.end[1], error);
        x = group.end[0];
        y = group.end[1];
    }
    size_t rest = sides[0].count - x;
    if (status != STATUS_OK || diff->hunk_count == 0) return status;
    return emit_lines(diff, TEXT_DIFF_BOTH, &sides[0], x, x + (rest < CONTEXT ? rest : CONTEXT), error);
}

Status text_diff_make(const TextDiffText texts[2], const char *const *breaks, TextDiff *diff, Error *error) {
    *diff = (TextDiff){0};
    Lines sides[2] = {{0}, {0}};
    Status status = split(&texts[0], breaks, &sides[0], error);
    if (status == STATUS_OK) status = split(&texts[1], breaks, &sides[1], error);
    if (status == STATUS_OK) status = mark(sides, &diff->is_fewest, error);
    if (status == STATUS_OK) status = make_hunks(sides, diff, error);
    free(sides[0].list);
    free(sides[1].list);
    return status;
}

void text_diff_free(TextDiff *diff) {
    free(diff->lines);
    free(diff->hunks);
    *diff = (TextDiff){0};
}

char text_diff_sign(TextDiffKind kind) {
    static const char SIGNS[] = {[TEXT_DIFF_BOTH] = ' ', [TEXT_DIFF_REMOVED] = '-', [TEXT_DIFF_ADDED] = '+'};
    return SIGNS[kind];
}
