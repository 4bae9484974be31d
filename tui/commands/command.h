/*
 * command — what runs one command: a file command_NAME.c defines one `const Command`; tui/program lists them
 * under their CommandId, parses and runs. What people read of a command besides is a row of
 * tui/cli/command_table.h.
 */
#ifndef REJUV_TUI_COMMAND_H
#define REJUV_TUI_COMMAND_H

#include "core/support/status.h"
#include "tui/commands/batch.h"

typedef struct Command {
    const char *details; /* paragraphs for its own help: what it measures, the keys of its JSON */
    bool is_dealt; /* several ranks share its work (core/ranks/ranks.h); others refuse to run as several */

    /* Does it. What was found goes into batch->found; STATUS_MISMATCH is a finding as well. */
    Status (*run)(Batch *batch, Error *error);
} Command;

/* Each in its file, command_NAME.c, of this room, tui/figures, tui/report or tui/program. */
extern const Command command_open, command_info, command_check, command_drift, command_ladder,
    command_tokenize, command_chat, command_preview, command_neurons, command_reset, command_sweep,
    command_landscape, command_rollout, command_shot, command_figure, command_report, command_export,
    command_verify, command_help, command_manual, command_completion;

#endif
