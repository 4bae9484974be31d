/* What the panes of Tune say in the same words: the label of a headline figure; and how they search their rows. */
#include "core/evaluation/distribution.h"
#include "tui/text/text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>

void tune_label_figure(size_t figure, char *text, size_t size) {
    const DistributionFigure *facts = &DISTRIBUTION_FIGURES[figure];
    (void)snprintf(text, size, "%s%s%s%s", facts->label, *facts->unit ? " (" : "", facts->unit,
                   *facts->unit ? ")" : "");
}

size_t tune_find(size_t count, size_t from, int direction, bool stay, const char *text,
                 const char *(*name)(const void *user, size_t index), const void *user) {
    for (size_t step = stay ? 0 : 1; step < count + (stay ? 0 : 1); step++) {
        size_t at = (from + (direction > 0 ? step : count - step % count)) % count;
        if (text_find(name(user, at), text)) return at;
    }
    return count;
}
