/*
 * preview — what `rejuv preview` measures of one prompt, and how it is written.
 *
 *     command_preview.c   reads options, runs the models, fills a Preview
 *     preview_write.c     writes it as text, CSV, JSON
 *     preview.c           what both say of it: names of models, pinned tokens
 *     logits_file.c       writes the fused model's logits
 */
#ifndef REJUV_TUI_PREVIEW_H
#define REJUV_TUI_PREVIEW_H

#include "core/evaluation/evaluation.h"
#include "tui/commands/batch.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/batch_prompt.h"

typedef enum PreviewModel { PREVIEW_BASE, PREVIEW_SFT, PREVIEW_FUSED, PREVIEW_MODELS } PreviewModel;

typedef struct Preview {
    BatchPrompt prompt;
    const CalibrationRow *row; /* its one */
    BatchMethod dials;
    Settings settings[PREVIEW_MODELS];
    EvaluationResult results[PREVIEW_MODELS]; /* every position of the prompt */
    TokenList pins;
    /* with --continue; otherwise NULL */
    int32_t *continuation;
    size_t continued;
    char *continuation_text; /* NULL without a tokenizer */
    size_t continuation_bytes;
} Preview;

/* "base", "sft", "fused": in JSON, in column names, as --from has them. */
const char *preview_model_name(PreviewModel model);

/* The probability of a pinned token. */
double preview_pin_probability(const Batch *batch, const Preview *preview, PreviewModel model,
                               size_t position, int32_t token);

/* Everything, in the form that was asked for, on standard output. */
Status preview_write(Batch *batch, const Preview *preview, Error *error) STATUS_MUST_CHECK;

#endif
