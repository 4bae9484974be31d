#include "views/shared/average_text.h"

#include "tui/text/uncertain.h"

#include <stdio.h>

enum { DIGITS = 4 };

char *average_text_write(const DistributionAverages *averages, size_t figure, char text[FORMAT_SIZE]) {
    double value = distribution_figure(averages, figure);
    if (distribution_figure_is_undefined(averages, figure)) {
        (void)snprintf(text, FORMAT_SIZE, "-");
        return text;
    }
    return DISTRIBUTION_FIGURES[figure].is_share ? format_share(value, text)
                                                 : format_number(value, DIGITS, text);
}

bool average_text_write_estimate(const LogitEstimate *estimate, size_t figure, char text[FORMAT_SIZE]) {
    const DistributionAverages *averages = &estimate->result.averages;
    char number[FORMAT_SIZE];
    bool is_shown = uncertain_shows_figure(distribution_figure(averages, figure),
                                           distribution_figure(&estimate->wrong, figure));
    (void)snprintf(text, FORMAT_SIZE, "%s%.*s", is_shown ? "≈" : "…", is_shown ? (int)FORMAT_SIZE - 4 : 0,
                   average_text_write(averages, figure, number));
    return is_shown;
}
