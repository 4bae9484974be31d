#include "tui/lists/tensor_filter.h"

#include "core/checkpoint/architecture.h"
#include "tui/text/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char BLANKS[] = " ,\t";

/* "3" or "2-4". */
static bool read_layers(const char *word, long *first, long *last) {
    char *end;
    if (word[0] < '0' || word[0] > '9') return false;
    *first = *last = strtol(word, &end, 10);
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') *last = strtol(end + 1, &end, 10);
    return *end == '\0';
}

static bool word_fits(const char *word, const PairTensor *tensor) {
    long first, last;
    if (read_layers(word, &first, &last)) return tensor->layer >= first && tensor->layer <= last;
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++)
        if (strcmp(tensor_role_name((TensorRole)role), word) == 0) return tensor->role == (TensorRole)role;
    return text_find(tensor->name, word);
}

bool tensor_filter_fits(const char *filter, const PairTensor *tensor) {
    char words[TENSOR_FILTER_TEXT];
    size_t bytes = strlen(filter) < sizeof words ? strlen(filter) : sizeof words - 1;
    memcpy(words, filter, bytes);
    words[bytes] = '\0';
    char *rest = NULL;
    for (char *word = strtok_r(words, BLANKS, &rest); word != NULL; word = strtok_r(NULL, BLANKS, &rest))
        if (strcmp(word, "layer") != 0 && !word_fits(word, tensor)) return false;
    return true;
}
