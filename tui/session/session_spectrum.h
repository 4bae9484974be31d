/*
 * session_spectrum — singular values of the change of tensors that were looked at, measured in the background.
 *
 * What was measured is kept as long as the session: at most 16 bytes a value, 32 KB a tensor
 * (SPECTRUM_EXACT_LIMIT values).
 */
#ifndef REJUV_TUI_SESSION_SPECTRUM_H
#define REJUV_TUI_SESSION_SPECTRUM_H

#include "core/drift/spectrum.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

/* Asks for the spectrum of session_pair()->tensors[index]. What is there or under way costs nothing; a request for
 * another tensor cancels what runs. One that was cancelled or failed starts again only by
 * session_resume_spectrum(), or when another tensor was asked for in between. */
void session_request_spectrum(Session *session, size_t index);
void session_resume_spectrum(Session *session);

/* The spectrum of a tensor; false while it is not there. It belongs to the session: do not free. */
bool session_spectrum(const Session *session, size_t index, Spectrum *spectrum);

/* Why the tensor asked for last has none and gets none: an error, or that it was cancelled; NULL while it is
 * measured or there. */
const char *session_spectrum_error(const Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_spectrum_open(Session *session, const struct SessionOptions *options,
                             Error *error) STATUS_MUST_CHECK;
bool session_spectrum_refresh(Session *session);
void session_spectrum_list(Session *session, Task **tasks);
bool session_spectrum_cancel(Session *session, SessionTask task); /* false where nothing can be cancelled */
void session_spectrum_free(Session *session);

#endif
