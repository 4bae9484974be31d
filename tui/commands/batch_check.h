/*
 * batch_check — what stands beside the weights of a pair: whether config.json fits them, tokenizers and chat templates compared.
 */
#ifndef REJUV_TUI_BATCH_CHECK_H
#define REJUV_TUI_BATCH_CHECK_H

#include "core/chat/chat_difference.h"
#include "tui/commands/batch.h"

/* Adds what differs to the open pair's findings. The caller closes *templates, after an error too. */
Status batch_check_compare(Batch *batch, ChatDifference **templates, Error *error) STATUS_MUST_CHECK;

#endif
