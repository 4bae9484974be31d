/*
 * suggest — what was probably meant: the name nearest to a mistyped one.
 */
#ifndef REJUV_TUI_SUGGEST_H
#define REJUV_TUI_SUGGEST_H

#include <stddef.h>

/* The nearest of names[count], or NULL when nothing is near (more than a third of it wrong). A name that
 * begins with `mistyped` (three letters at least) counts as one letter wrong; the first of equals wins. NULL
 * among the names is passed over. */
const char *suggest_name(const char *mistyped, const char *const *names, size_t count);

#endif
