#include "tui/session/session_spectrum.h"

#include "core/support/memory.h"
#include "tui/session/session_internal.h"

#include <stdlib.h>

/* The job thread's while `decomposing` runs. */
typedef struct SpectrumErrand {
    SpectrumTable *table;
    size_t index;
} SpectrumErrand;

/* The table may be read by both threads while it fills (core/drift/spectrum.h); all else but the errand is the UI
 * thread's. */
struct SessionSpectrumPart {
    SpectrumTable *table; /* NULL until one is asked for */
    Task decomposing;
    SpectrumErrand errand;
    bool has_wanted;
    size_t wanted;
    Error error;
};

Status session_spectrum_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->spectrum = memory_allocate(1, sizeof *session->spectrum);
    if (session->spectrum == NULL) return memory_fail(error, "the session");
    session->spectrum->decomposing.label = "singular values";
    return STATUS_OK;
}

void session_spectrum_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_SPECTRUM] = &session->spectrum->decomposing;
}

static bool is_there(const Session *session, size_t index) {
    Spectrum row;
    return session_spectrum(session, index, &row);
}

bool session_spectrum(const Session *session, size_t index, Spectrum *spectrum) {
    return session->spectrum->table != NULL && spectrum_table_row(session->spectrum->table, index, spectrum);
}

static Status measure(Job *job, void *argument, Error *error) {
    const SpectrumErrand *errand = argument;
    return spectrum_scan_tensor(errand->table, errand->index, job, error);
}

static Status start(Session *session, Error *error) {
    Status status = STATUS_OK;
    if (session->spectrum->table == NULL)
        status = spectrum_table_create(session->pair, spectrum_default_settings(), &session->spectrum->table,
                                       error);
    if (status != STATUS_OK || is_there(session, session->spectrum->wanted)) return status;
    session->spectrum->errand = (SpectrumErrand){session->spectrum->table, session->spectrum->wanted};
    return task_start(&session->spectrum->decomposing, session->threads, measure, &session->spectrum->errand,
                      error);
}

void session_request_spectrum(Session *session, size_t index) {
    if (index >= session->pair->count) return;
    if (session->spectrum->has_wanted && session->spectrum->wanted == index) return;
    session->spectrum->wanted = index;
    session->spectrum->has_wanted = true;
    session->spectrum->error = (Error){0};
    if (!is_there(session, index))
        (void)task_cancel(&session->spectrum->decomposing); /* it is of another tensor */
    (void)session_spectrum_refresh(
        session); /* asked for while drawing, nothing else might come to start it */
}

void session_resume_spectrum(Session *session) {
    session->spectrum->error = (Error){0};
}

bool session_spectrum_refresh(Session *session) {
    bool changed = false;
    if (task_poll(&session->spectrum->decomposing)) {
        changed = true;
        if (session->spectrum->decomposing.status != STATUS_OK &&
            session->spectrum->decomposing.status != STATUS_CANCELLED)
            session->spectrum->error = session->spectrum->decomposing.error;
    }
    bool due = session->spectrum->has_wanted && session->spectrum->error.status == STATUS_OK &&
               !is_there(session, session->spectrum->wanted);
    if (!due || task_is_running(&session->spectrum->decomposing)) return changed;
    if (start(session, &session->spectrum->error) != STATUS_OK) return changed;
    return true;
}

/* The view asks again with every drawing: without a reason not to, measuring would begin anew at once. */
bool session_spectrum_cancel(Session *session, SessionTask task) {
    (void)task;
    if (!task_cancel(&session->spectrum->decomposing)) return false;
    (void)status_fail(&session->spectrum->error, STATUS_CANCELLED,
                      "cancelled: singular values were not measured");
    return true;
}

void session_spectrum_free(Session *session) {
    if (session->spectrum == NULL) return;
    task_stop(&session->spectrum->decomposing);
    spectrum_table_free(session->spectrum->table);
    free(session->spectrum);
}

const char *session_spectrum_error(const Session *session) {
    return session->spectrum->error.status != STATUS_OK ? session->spectrum->error.message : NULL;
}
