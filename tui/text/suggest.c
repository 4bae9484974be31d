#include "tui/text/suggest.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 63, SHORTEST_BEGINNING = 3 };

/* Levenshtein's distance; `b` has at most LONGEST bytes. */
static size_t distance(const char *a, const char *b) {
    size_t columns = strlen(b), row[LONGEST + 1];
    for (size_t j = 0; j <= columns; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (diagonal + 1 < best) best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    return row[columns];
}

/* Which letters a text has: a bit each, some share one. */
static uint64_t letters_of(const char *text) {
    uint64_t letters = 0;
    for (; *text != '\0'; text++) letters |= UINT64_C(1) << (*text & 63);
    return letters;
}

/* The distance is at least this: a letter that the other has not takes a change of its own. Of most names it is enough. */
static size_t least_distance(uint64_t a, uint64_t b) {
    int only_a = __builtin_popcountll(a & ~b), only_b = __builtin_popcountll(b & ~a);
    return (size_t)(only_a > only_b ? only_a : only_b);
}

const char *suggest_name(const char *mistyped, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t length = strlen(mistyped), best = length / 3 + 1;
    if (length > LONGEST) return NULL;
    uint64_t letters = letters_of(mistyped);
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL) continue;
        size_t own = strlen(names[i]), wrong = own > length ? own - length : length - own; /* at least */
        if (length >= SHORTEST_BEGINNING && strncmp(names[i], mistyped, length) == 0)
            wrong = wrong > 0;
        else if (wrong <= best && (wrong = least_distance(letters, letters_of(names[i]))) <= best)
            wrong = distance(names[i], mistyped);
        if (wrong < best || (wrong == best && nearest == NULL)) {
            best = wrong;
            nearest = names[i];
        }
    }
    return nearest;
}
