/*
 * verify_report — what core/export/verify.h found, as `rejuv verify` and `rejuv export` write it.
 */
#ifndef REJUV_TUI_VERIFY_REPORT_H
#define REJUV_TUI_VERIFY_REPORT_H

#include "core/export/verify.h"
#include "tui/commands/batch.h"

/* Its members in `object`; false when out of memory. */
bool verify_report_add_json(cJSON *object, const VerifyResult *result);

/* Findings as a table, where there are any, and a sentence. */
Status verify_report_print(Batch *batch, const VerifyResult *result, Error *error) STATUS_MUST_CHECK;

#endif
