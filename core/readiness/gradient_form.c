#include "core/readiness/gradient_form.h"

GradientForm gradient_form_choose(size_t tokens, size_t rows, size_t columns) {
    double pairs = (double)tokens * (double)(rows + columns), panels = 2.0 * (double)rows * (double)columns;
    return pairs < panels ? GRADIENT_PAIRS : GRADIENT_PANELS;
}
