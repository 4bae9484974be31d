/*
 * dial_options — the dials as options of a command, both ways: do the options go together, where do they put the
 * dials, and which options would put them where they stand.
 */
#ifndef REJUV_TUI_DIAL_OPTIONS_H
#define REJUV_TUI_DIAL_OPTIONS_H

#include "core/checkpoint/pair.h"
#include "core/method/dials.h"
#include "tui/cli/command_line.h"

/* Whether the option is one of a dial when the program is opened. */
bool dial_options_include(OptionId option);

/* Whether the options stand for a reset: a ρ above 0, or a range that reaches there. */
bool dial_options_want_reset(const Options *options);

/* The option of this command that holds ρ. */
const OptionValue *dial_options_rho(const Options *options);

/* The option of this command that holds the seed of --select random; of a landscape that of its directions too, of samples
 * that of the bootstrap. */
OptionId dial_options_seed(const Options *options);

/* STATUS_ARGUMENT where options of the method lack what they need, or do nothing. */
Status dial_options_check(const Options *options, Error *error) STATUS_MUST_CHECK;

/* Where the options put the dials of this pair; nothing is ranked. The curve that they borrow, if any, becomes *curve,
 * the caller's to free; on failure it is NULL. */
Status dial_options_read(const Options *options, const Pair *pair, Dials *state, SettingsCurve **curve,
                         Error *error) STATUS_MUST_CHECK;

/* Adds the options that set the dials to this state, as far as `command` takes them; those of a reset only
 * where there is one, where the command makes one by itself, or where the program is opened. */
void dial_options_add(const Dials *dials, CommandId command, CommandLine *line);

#endif
