/*
 * session_elements — the tensor on screen: pooling a window of it in the background.
 */
#ifndef REJUV_TUI_SESSION_ELEMENTS_H
#define REJUV_TUI_SESSION_ELEMENTS_H

#include "core/drift/elements.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

/* Which tensor the Tensor view shows: an index into session_pair()->tensors. Layers and Overview set it. */
size_t session_tensor(const Session *session);
void session_show_tensor(Session *session, size_t index);

/* Asks for a map. The same request again costs nothing; another one cancels what runs. `settings` are the
 * session's. */
void session_request_elements(Session *session, const ElementsRequest *request);

/* The newest finished map, and the request that it answers; NULL while there is none. It may answer an older
 * request than the last: *is_current (may be NULL) says. */
const ElementsMap *session_elements(const Session *session, ElementsRequest *request, bool *is_current);

/* Why there is no map, or NULL. */
const char *session_elements_error(const Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_elements_open(Session *session, const struct SessionOptions *options,
                             Error *error) STATUS_MUST_CHECK;
bool session_elements_refresh(Session *session);
void session_elements_list(Session *session, Task **tasks);
bool session_elements_cancel(Session *session, SessionTask task); /* false where nothing can be cancelled */
void session_elements_free(Session *session);

#endif
