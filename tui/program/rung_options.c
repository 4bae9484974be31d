#include "tui/program/rung_options.h"

size_t rung_options_chosen(const Options *options) {
    return options_has(options, OPTION_RUNG) ? (size_t)options_value(options, OPTION_RUNG)->count : 0;
}

Status rung_options_take(const char *const *operands, size_t count, size_t chosen, SessionOptions *session,
                         LiveLadder **ladder, Error *error) {
    size_t rungs = count - 1, rung = chosen > 0 ? chosen : rungs;
    *ladder = NULL;
    if (rung > rungs)
        return status_fail(error, STATUS_ARGUMENT,
                           "--rung: expected 1 to %zu, as many SFT models are named, found %zu", rungs, rung);
    session->base = operands[0];
    session->sft = operands[rung];
    if (rungs == 1) return STATUS_OK;
    Status status =
        live_ladder_create(operands[0], operands + 1, rungs, session->tokenizer_rule, ladder, error);
    session->ladder = *ladder;
    session->rung = rung;
    return status;
}
