#include "tui/session/session_tensor.h"

#include "tui/session/session_state.h"

size_t session_tensor(const Session *session) {
    return session->tensor;
}

void session_show_tensor(Session *session, size_t index) {
    if (index < session->pair->count) session->tensor = index;
}

static bool same_request(const ElementsRequest *a, const ElementsRequest *b) {
    bool same_settings = a->source != ELEMENTS_FUSED || settings_equal(&a->settings, &b->settings);
    return a->tensor == b->tensor && a->source == b->source && a->pooling == b->pooling && same_settings &&
           a->row == b->row && a->rows == b->rows && a->column == b->column && a->columns == b->columns &&
           a->grid_rows == b->grid_rows && a->grid_columns == b->grid_columns && a->bins == b->bins;
}

void session_request_elements(Session *session, const ElementsRequest *request) {
    ElementsRequest wanted = *request;
    wanted.settings = session->settings;
    if (session->has_wanted_elements && same_request(&wanted, &session->wanted_elements)) return;
    session->wanted_elements = wanted;
    session->has_wanted_elements = true;
    session->elements_error = (Error){0};
    (void)work_cancel(&session->pooling);  /* what runs answers an older request */
    (void)session_tensor_refresh(session); /* asked for while drawing, nothing else might come to start it */
}

static Status pool(Job *job, void *argument, Error *error) {
    SessionElementsErrand *errand = argument;
    return elements_pool(&errand->request, &errand->map, job, error);
}

bool session_tensor_refresh(Session *session) {
    bool changed = false;
    SessionElementsErrand *errand = &session->elements_errand;
    if (work_poll(&session->pooling)) {
        changed = true;
        if (session->pooling.status == STATUS_OK) {
            elements_free(&session->elements);
            session->elements = errand->map;
            errand->map = (ElementsMap){0};
            session->shown_elements = errand->request;
            session->has_elements = true;
        } else if (session->pooling.status != STATUS_CANCELLED) {
            session->elements_error = session->pooling.error;
        }
    }
    bool answered =
        session->has_elements && same_request(&session->shown_elements, &session->wanted_elements);
    bool due = session->has_wanted_elements && !answered && session->elements_error.status == STATUS_OK;
    if (due && !work_is_running(&session->pooling)) {
        *errand = (SessionElementsErrand){.request = session->wanted_elements};
        if (work_start(&session->pooling, session->threads, pool, errand, &session->elements_error) ==
            STATUS_OK)
            changed = true;
    }
    return changed;
}

/* The view asks again with every drawing: without a reason not to, pooling would begin anew at once. */
bool session_tensor_cancel(Session *session) {
    if (!work_cancel(&session->pooling)) return false;
    (void)status_fail(&session->elements_error, STATUS_CANCELLED,
                      "cancelled: another window or tensor is pooled again");
    return true;
}

void session_tensor_close(Session *session) {
    work_stop(&session->pooling);
    elements_free(&session->elements_errand.map);
    elements_free(&session->elements);
}

const ElementsMap *session_elements(const Session *session, ElementsRequest *request, bool *is_current) {
    if (!session->has_elements) return NULL;
    if (request != NULL) *request = session->shown_elements;
    if (is_current != NULL) *is_current = same_request(&session->shown_elements, &session->wanted_elements);
    return &session->elements;
}

const char *session_elements_error(const Session *session) {
    return session->elements_error.status != STATUS_OK ? session->elements_error.message : NULL;
}
