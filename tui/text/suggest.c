#include "tui/text/suggest.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = 63, SHORTEST_BEGINNING = 3 };

/* A text, and where in it each byte stands: a bit a place. */
typedef struct Places {
    size_t length; /* at most LONGEST */
    uint64_t of[UCHAR_MAX + 1];
} Places;

static Places find_places(const char *text, size_t length) {
    Places places = {.length = length};
    for (size_t i = 0; i < length; i++) places.of[(unsigned char)text[i]] |= UINT64_C(1) << i;
    return places;
}

/* Levenshtein's distance, by Myers (1999) as Hyyrö (2003) put it: a row of the table is two words, which of its cells are one more
 * than the one before them, and which are one less. */
static size_t distance(const Places *a, const char *b) {
    if (a->length == 0) return strlen(b);
    uint64_t more = UINT64_MAX, less = 0, end = UINT64_C(1) << (a->length - 1);
    size_t last = a->length; /* the row's last cell */
    for (; *b != '\0'; b++) {
        uint64_t same = a->of[(unsigned char)*b];
        uint64_t diagonal = (((same & more) + more) ^ more) | same | less; /* as the cell above and before */
        uint64_t grown = less | ~(diagonal | more), fallen = diagonal & more; /* beside the cell above */
        last += (grown & end) != 0;
        last -= (fallen & end) != 0;
        grown = grown << 1 | 1;
        more = fallen << 1 | ~(diagonal | grown);
        less = grown & diagonal;
    }
    return last;
}

const char *suggest_name(const char *mistyped, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t length = strlen(mistyped), best = length / 3 + 1;
    if (length > LONGEST) return NULL;
    const Places places = find_places(mistyped, length);
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL) continue;
        size_t own = strlen(names[i]), wrong = own > length ? own - length : length - own; /* at least */
        if (length >= SHORTEST_BEGINNING && *names[i] == *mistyped &&
            strncmp(names[i], mistyped, length) == 0)
            wrong = wrong > 0;
        else if (wrong <= best)
            wrong = distance(&places, names[i]);
        if (wrong < best || (wrong == best && nearest == NULL)) {
            best = wrong;
            nearest = names[i];
        }
    }
    return nearest;
}
