/*
 * finding — appending to a list of findings, wherever it is kept.
 */
#ifndef REJUV_CORE_FINDING_H
#define REJUV_CORE_FINDING_H

#include "core/checkpoint/pair.h"

#include <stdarg.h>

/* Copies `subject` and the formatted text. The list grows by doubling. */
Status finding_add(Finding **list, size_t *count, size_t *capacity, Severity severity, const char *subject,
                   Error *error, const char *format, va_list arguments) STATUS_MUST_CHECK;

void finding_free_all(Finding *list, size_t count);

#endif
