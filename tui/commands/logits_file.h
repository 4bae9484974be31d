/*
 * logits_file — logits as a file: [positions × vocabulary], row by row, raw little-endian float32.
 */
#ifndef REJUV_TUI_LOGITS_FILE_H
#define REJUV_TUI_LOGITS_FILE_H

#include "core/evaluation/evaluation.h"

/* The logits of every position of `result` (which keeps its hidden states), a few positions at a time in
 * constant memory. A regular file appears when it is whole, in place of an older one; anything else (a pipe,
 * a device) is written to as it is. */
Status logits_file_write(const char *path, const Model *model, const EvaluationResult *result, Job *job,
                         Error *error) STATUS_MUST_CHECK;

#endif
