/*
 * quantization_methods — the methods that are known, as tables: how a configuration calls them, what their tensors look
 * like, and the command that gives plain weights. A new method is a row.
 */
#ifndef REJUV_CORE_QUANTIZATION_METHODS_H
#define REJUV_CORE_QUANTIZATION_METHODS_H

#include "core/numerics/dtype.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct QuantizationMethod {
    const char *key;     /* quant_method, quant_algo, in lower case */
    const char *name;    /* as people write it */
    const char *tool;    /* what gives plain weights; NULL: only whoever quantised them has them */
    const char *command; /* of it, with DIR for the directory */
} QuantizationMethod;

/* One kind of tensor that gives a method away. */
typedef struct QuantizationMark {
    const char *suffix; /* of its name */
    const char *dtypes; /* dtype_name()s between spaces; NULL: any */
    const char *beside; /* the suffix that another tensor has instead; NULL: none is asked for */
    const char *method; /* a key */
} QuantizationMark;

/* In the order in which they are asked: the first that a tensor has is the one. */
extern const QuantizationMark QUANTIZATION_MARKS[];
extern const size_t QUANTIZATION_MARK_COUNT;

/* The row of that key, whatever its case; the row for methods that are not known where there is none. */
const QuantizationMethod *quantization_find_method(const char *key);

/* Whether a tensor of that name and dtype may be the mark's. */
bool quantization_has_mark(const QuantizationMark *mark, const char *name, DType dtype);

#endif
