/*
 * adapter_pattern — the regular expressions of rank_pattern and alpha_pattern.
 *
 * PEFT takes a pattern for a module where Python's re.match("(.*\.)?(PATTERN)$", module) finds something. Here the same is
 * asked of PCRE2. What the two read differently is refused (named groups, flags, back references, brackets within brackets,
 * escapes that only one knows), and so is what may ask for more than a pattern's length lets one expect: more than 400
 * bytes, counts behind groups, or more than a bounded number of steps in one name. A pattern is untrusted.
 */
#ifndef REJUV_CORE_ADAPTER_PATTERN_H
#define REJUV_CORE_ADAPTER_PATTERN_H

#include "core/support/status.h"

#include <stdbool.h>

Status adapter_pattern_matches(const char *pattern, const char *module, bool *matches,
                               Error *error) STATUS_MUST_CHECK;

#endif
