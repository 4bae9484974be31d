/*
 * adapter_pattern — the regular expressions of rank_pattern and alpha_pattern.
 *
 * PEFT takes a pattern for a module where Python's re.match("(.*\.)?(PATTERN)$", module) finds something. Here the same is
 * asked of POSIX's regcomp(), after what both write differently is rewritten; what POSIX has not (look-around, back
 * references, counts, whose size is untrusted) is refused.
 */
#ifndef REJUV_CORE_ADAPTER_PATTERN_H
#define REJUV_CORE_ADAPTER_PATTERN_H

#include "core/support/status.h"

#include <stdbool.h>

Status adapter_pattern_matches(const char *pattern, const char *module, bool *matches,
                               Error *error) STATUS_MUST_CHECK;

#endif
