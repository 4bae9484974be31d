#include "tui/session/session_internal.h"
#include "tui/session/session_prompt_internal.h"

Status session_prompt_measure(Session *session, Error *error) {
    const TokenList *list = &session->prompt->ids;
    EvaluationRow row = {.ids = list->ids, .count = list->count, .first = 0, .end = list->count};
    LiveEvaluation *fresh = NULL;
    Status status = live_evaluation_create(session->model, &row, 1, SESSION_TOP, "preview", session->threads,
                                           &fresh, error);
    if (status != STATUS_OK) return status;
    live_evaluation_free(session->prompt->live);
    session->prompt->live = fresh;
    session->prompt->error = (Error){0};
    session->prompt->revision++;
    return STATUS_OK;
}
