/*
 * gradient_form — how ‖Σ g_t ⊗ x_t‖² of a matrix is summed: by its elements, a panel of them at a time, or by the pairs of what
 * meets there, Σ (g_t · g_t')(x_t · x_t'), where no element is made.
 */
#ifndef REJUV_CORE_GRADIENT_FORM_H
#define REJUV_CORE_GRADIENT_FORM_H

#include <stddef.h>

typedef enum GradientForm { GRADIENT_PANELS, GRADIENT_PAIRS } GradientForm;

/* Whatever takes fewer multiplications, for so many t. */
GradientForm gradient_form_choose(size_t tokens, size_t rows, size_t columns);

#endif
