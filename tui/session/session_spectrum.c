#include "tui/session/session_spectrum.h"

#include "tui/session/session_state.h"

static bool is_there(const Session *session, size_t index) {
    Spectrum row;
    return session_spectrum(session, index, &row);
}

bool session_spectrum(const Session *session, size_t index, Spectrum *spectrum) {
    return session->spectra != NULL && spectrum_table_row(session->spectra, index, spectrum);
}

static Status measure(Job *job, void *argument, Error *error) {
    const SessionSpectrumErrand *errand = argument;
    return spectrum_scan_tensor(errand->table, errand->index, job, error);
}

static Status start(Session *session, Error *error) {
    Status status = STATUS_OK;
    if (session->spectra == NULL)
        status = spectrum_table_create(session->pair, spectrum_default_settings(), &session->spectra, error);
    if (status != STATUS_OK || is_there(session, session->wanted_spectrum)) return status;
    session->spectrum_errand = (SessionSpectrumErrand){session->spectra, session->wanted_spectrum};
    return work_start(&session->decomposing, session->threads, measure, &session->spectrum_errand, error);
}

void session_request_spectrum(Session *session, size_t index) {
    if (index >= session->pair->count) return;
    if (session->has_wanted_spectrum && session->wanted_spectrum == index) return;
    session->wanted_spectrum = index;
    session->has_wanted_spectrum = true;
    session->spectrum_error = (Error){0};
    if (!is_there(session, index)) (void)work_cancel(&session->decomposing); /* it is of another tensor */
    (void)session_spectrum_refresh(
        session); /* asked for while drawing, nothing else might come to start it */
}

void session_resume_spectrum(Session *session) {
    session->spectrum_error = (Error){0};
}

bool session_spectrum_refresh(Session *session) {
    bool changed = false;
    if (work_poll(&session->decomposing)) {
        changed = true;
        if (session->decomposing.status != STATUS_OK && session->decomposing.status != STATUS_CANCELLED)
            session->spectrum_error = session->decomposing.error;
    }
    bool due = session->has_wanted_spectrum && session->spectrum_error.status == STATUS_OK &&
               !is_there(session, session->wanted_spectrum);
    if (!due || work_is_running(&session->decomposing)) return changed;
    if (start(session, &session->spectrum_error) != STATUS_OK) return changed;
    return true;
}

/* The view asks again with every drawing: without a reason not to, measuring would begin anew at once. */
bool session_spectrum_cancel(Session *session) {
    if (!work_cancel(&session->decomposing)) return false;
    (void)status_fail(&session->spectrum_error, STATUS_CANCELLED,
                      "cancelled: singular values were not measured");
    return true;
}

void session_spectrum_close(Session *session) {
    work_stop(&session->decomposing);
    spectrum_table_free(session->spectra);
}

const char *session_spectrum_error(const Session *session) {
    return session->spectrum_error.status != STATUS_OK ? session->spectrum_error.message : NULL;
}
