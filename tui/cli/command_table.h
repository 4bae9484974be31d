/*
 * command_table — which commands there are, as people name them, one row each: what the parser, messages, help
 * and documents need to know of a command that they do not run. What runs is `struct Command`
 * (tui/commands/command.h), under the same CommandId; tui/program lists those.
 *
 *     X(IDENTIFIER, "name", "operands", "summary")      in the order of help
 *
 *     name       "" for the terminal program
 *     operands   "BASE SFT"; "[DIR]": those in brackets, which are last, all of them or none; "SFT...": the last,
 *                one or more
 *     summary    one line, in the list of commands
 *
 * Exit status: 0; 1 a finding (two checkpoints that cannot be fused, a verification that failed); 2 an error;
 * 130 interrupted.
 */
#ifndef REJUV_TUI_COMMAND_TABLE_H
#define REJUV_TUI_COMMAND_TABLE_H

#include "core/support/status.h"

#include <stddef.h>

/* clang-format off */
#define COMMAND_TABLE(X) \
    X(OPEN, "", "[BASE SFT...]", \
      "See where fine-tuning moved a model, turn the fusion weight, export the result: in this terminal.") \
    X(INFO, "info", "[DIR]", "One checkpoint, and what this build and machine are.") \
    X(CHECK, "check", "BASE SFT", "Can they be fused? Every mismatch, tensor by tensor.") \
    X(DRIFT, "drift", "BASE SFT...", "Every metric of every tensor: how far fine-tuning moved the weights, also along checkpoints of one training.") \
    X(LADDER, "ladder", "BASE SFT...", \
      "Along the checkpoints of one training: drift, loss, entropy, dormancy, of each whole and layer by layer.") \
    X(TOKENIZE, "tokenize", "DIR|tokenizer.json", \
      "Lines of standard input to token ids, one line each, and back.") \
    X(CHAT, "chat", "DIR [FILE]", "Conversations, a line of JSON each, to the texts that the chat template makes of them.") \
    X(PREVIEW, "preview", "BASE SFT", \
      "The next-token distributions of base, SFT and their fusion on a prompt, side by side.") \
    X(NEURONS, "neurons", "BASE SFT", \
      "Every neuron: dormancy, gradient dormancy, drift, attribution, and whether the reset takes it.") \
    X(RESET, "reset", "BASE SFT", "Which neurons the reset fraction rho selects.") \
    X(SWEEP, "sweep", "BASE SFT", \
      "What the dials do: every figure of the output space at a range of alphas, of rhos, or of both.") \
    X(LANDSCAPE, "landscape", "BASE SFT", \
      "The loss around a setting: along the line through base and SFT, over a plane, and how sharply it rises.") \
    X(ROLLOUT, "rollout", "BASE SFT", \
      "Sample answers, or read samples: what they earn, what a step of reinforcement learning would see of them, and do to each tensor.") \
    X(SHOT, "shot", "VIEW BASE SFT...", \
      "A view of the terminal program as a picture, once its figures are there: SVG, text with colours, or text.") \
    X(FIGURE, "figure", "KIND BASE SFT...", \
      "A figure for a paper, as SVG: axes, ticks, legend, text that stays text.") \
    X(REPORT, "report", "BASE SFT", \
      "Everything measured of a pair and a setting on one page: HTML that needs nothing else, Markdown or JSON.") \
    X(EXPORT, "export", "[BASE SFT]", "Write the fused model as a directory that other programs load.") \
    X(VERIFY, "verify", "DIR", "An export against its recipe and, where they are at hand, its inputs.") \
    X(HELP, "help", "[NAME]", "What there is to read about a command or a topic, or the list of both.") \
    X(MANUAL, "manual", "", "Write the manual page, for man(1).") \
    X(COMPLETION, "completion", "bash|zsh|fish", \
      "Write what the Tab key of a shell needs to complete this program's commands.")
/* clang-format on */

typedef enum CommandId {
#define COMMAND_ENUMERATOR(identifier, name, operands, summary) COMMAND_##identifier,
    COMMAND_TABLE(COMMAND_ENUMERATOR)
#undef COMMAND_ENUMERATOR
        COMMAND_COUNT
} CommandId;

typedef struct CommandFacts {
    const char *name, *operands, *summary;
} CommandFacts;

enum { COMMAND_EXIT_FINDING = 1, COMMAND_EXIT_ERROR = 2, COMMAND_EXIT_INTERRUPTED = 130 };

/* What every command ends with, in a sentence. */
extern const char COMMAND_EXIT_STATUS[];

const CommandFacts *command_table_facts(CommandId id);

/* The command of that name; COMMAND_COUNT where there is none. */
CommandId command_table_find(const char *name);

/* STATUS_OK where so many operands suit; otherwise a message that names them. */
Status command_table_check_operands(CommandId id, size_t count, Error *error) STATUS_MUST_CHECK;

#endif
