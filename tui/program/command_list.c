#include "tui/program/command_list.h"

const Command *const COMMANDS[COMMAND_COUNT] = {
    [COMMAND_OPEN] = &command_open,         [COMMAND_INFO] = &command_info,
    [COMMAND_CHECK] = &command_check,       [COMMAND_DRIFT] = &command_drift,
    [COMMAND_TOKENIZE] = &command_tokenize, [COMMAND_PREVIEW] = &command_preview,
    [COMMAND_NEURONS] = &command_neurons,   [COMMAND_RESET] = &command_reset,
    [COMMAND_SWEEP] = &command_sweep,       [COMMAND_SHOT] = &command_shot,
    [COMMAND_FIGURE] = &command_figure,     [COMMAND_EXPORT] = &command_export,
    [COMMAND_VERIFY] = &command_verify,     [COMMAND_HELP] = &command_help,
    [COMMAND_MANUAL] = &command_manual,     [COMMAND_COMPLETION] = &command_completion,
};
