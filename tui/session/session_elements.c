#include "tui/session/session_elements.h"

#include "core/support/memory.h"
#include "tui/session/session_internal.h"

#include <stdlib.h>

/* The job thread's while `pooling` runs. */
typedef struct ElementsErrand {
    ElementsRequest request;
    ElementsMap map;
} ElementsErrand;

/* All but the errand is the UI thread's. */
struct SessionElementsPart {
    size_t tensor;
    Task pooling;
    ElementsErrand errand;
    ElementsRequest wanted, shown;
    bool has_wanted, has_map;
    ElementsMap map;
    Error error;
};

Status session_elements_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->elements = memory_allocate(1, sizeof *session->elements);
    if (session->elements == NULL) return memory_fail(error, "the session");
    session->elements->pooling.label = "elements";
    return STATUS_OK;
}

void session_elements_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_ELEMENTS] = &session->elements->pooling;
}

size_t session_tensor(const Session *session) {
    return session->elements->tensor;
}

void session_show_tensor(Session *session, size_t index) {
    if (index < session->pair->count) session->elements->tensor = index;
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
    if (session->elements->has_wanted && same_request(&wanted, &session->elements->wanted)) return;
    session->elements->wanted = wanted;
    session->elements->has_wanted = true;
    session->elements->error = (Error){0};
    (void)task_cancel(&session->elements->pooling); /* what runs answers an older request */
    (void)session_elements_refresh(
        session); /* asked for while drawing, nothing else might come to start it */
}

static Status pool(Job *job, void *argument, Error *error) {
    ElementsErrand *errand = argument;
    return elements_pool(&errand->request, &errand->map, job, error);
}

bool session_elements_refresh(Session *session) {
    bool changed = false;
    ElementsErrand *errand = &session->elements->errand;
    if (task_poll(&session->elements->pooling)) {
        changed = true;
        if (session->elements->pooling.status == STATUS_OK) {
            elements_free(&session->elements->map);
            session->elements->map = errand->map;
            errand->map = (ElementsMap){0};
            session->elements->shown = errand->request;
            session->elements->has_map = true;
        } else if (session->elements->pooling.status != STATUS_CANCELLED) {
            session->elements->error = session->elements->pooling.error;
        }
    }
    bool answered =
        session->elements->has_map && same_request(&session->elements->shown, &session->elements->wanted);
    bool due = session->elements->has_wanted && !answered && session->elements->error.status == STATUS_OK;
    if (due && !task_is_running(&session->elements->pooling)) {
        *errand = (ElementsErrand){.request = session->elements->wanted};
        if (task_start(&session->elements->pooling, session->threads, pool, errand,
                       &session->elements->error) == STATUS_OK)
            changed = true;
    }
    return changed;
}

/* The view asks again with every drawing: without a reason not to, pooling would begin anew at once. */
bool session_elements_cancel(Session *session, SessionTask task) {
    (void)task;
    if (!task_cancel(&session->elements->pooling)) return false;
    (void)status_fail(&session->elements->error, STATUS_CANCELLED,
                      "cancelled: another window or tensor is pooled again");
    return true;
}

void session_elements_free(Session *session) {
    if (session->elements == NULL) return;
    task_stop(&session->elements->pooling);
    elements_free(&session->elements->errand.map);
    elements_free(&session->elements->map);
    free(session->elements);
}

const ElementsMap *session_elements(const Session *session, ElementsRequest *request, bool *is_current) {
    if (!session->elements->has_map) return NULL;
    if (request != NULL) *request = session->elements->shown;
    if (is_current != NULL) *is_current = same_request(&session->elements->shown, &session->elements->wanted);
    return &session->elements->map;
}

const char *session_elements_error(const Session *session) {
    return session->elements->error.status != STATUS_OK ? session->elements->error.message : NULL;
}
