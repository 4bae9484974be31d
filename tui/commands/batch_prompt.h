/*
 * batch_prompt — the one row that --prompt, --prompt-file, --chat or --ids stands for.
 *
 *     --chat FILE ──► conversation ──► the SFT model's template ──► text ──► its tokenizer ──► ids
 *
 * as apply_chat_template(tokenize=True) of transformers makes them: the tokenizer adds no special tokens to what a
 * template wrote.
 */
#ifndef REJUV_TUI_BATCH_PROMPT_H
#define REJUV_TUI_BATCH_PROMPT_H

#include "core/chat/chat.h"
#include "tui/commands/batch.h"

/* Zero-initialise; release with batch_prompt_free(). */
typedef struct BatchPrompt {
    Calibration *rows; /* one row */
    /* with --chat; otherwise NULL, and empty */
    char *template_name, *template_file;
    ChatRendering rendering;
    bool asks; /* it ends where an answer begins */
} BatchPrompt;

/* Whether any of them was given; of several the command line is refused. */
bool batch_prompt_is_given(const Options *options);

/* STATUS_ARGUMENT for an option that says how to read what is not there. */
Status batch_prompt_check(const Options *options, Error *error) STATUS_MUST_CHECK;

/* Reads it; the model is open. STATUS_IO where --chat has no template to be rendered by, with the files that were looked
 * for. After a failure there is nothing to free. */
Status batch_prompt_read(Batch *batch, BatchPrompt *prompt, Error *error) STATUS_MUST_CHECK;
void batch_prompt_free(BatchPrompt *prompt);

#endif
