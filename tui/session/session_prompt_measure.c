#include "tui/session/session_internal.h"
#include "tui/session/session_prompt_internal.h"

Status session_prompt_measure(Session *session, Error *error) {
    const TokenList *list = &session->prompt->ids;
    EvaluationRow row = {.ids = list->ids, .count = list->count, .first = 0, .end = list->count};
    LiveEvaluation *fresh = NULL;
    Status status = live_evaluation_create(session->model, &row, 1, SESSION_TOP, "preview", session->threads,
                                           &fresh, error);
    if (status == STATUS_OK && session->prompt->prefix == NULL)
        status = evaluation_prefix_create(&session->prompt->prefix, error);
    if (status != STATUS_OK) {
        live_evaluation_free(fresh);
        return status;
    }
    live_evaluation_free(session->prompt->live); /* its job has let go of the prefix then */
    session->prompt->live = fresh;
    live_evaluation_use_prefix(fresh, session->prompt->prefix);
    session->prompt->error = (Error){0};
    session->prompt->revision++;
    return STATUS_OK;
}
