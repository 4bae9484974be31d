/*
 * session_export — the export on screen: its options, the plan they give, the run, the verification.
 */
#ifndef REJUV_TUI_SESSION_EXPORT_H
#define REJUV_TUI_SESSION_EXPORT_H

#include "core/export.h"
#include "core/verify.h"
#include "tui/session.h"

typedef enum SessionExportStage {
    SESSION_EXPORT_IDLE,      /* the plan is shown */
    SESSION_EXPORT_WRITING,   /* session_jobs() has the progress */
    SESSION_EXPORT_VERIFYING, /* re-opened, compared with the recipe and blended again */
    SESSION_EXPORT_DONE,      /* written and verified */
    SESSION_EXPORT_FAILED     /* session_export_message() says what and where */
} SessionExportStage;

typedef struct SessionExportForm {
    char directory[4096]; /* the target */
    Donor donor;
    DType dtype; /* DTYPE_UNKNOWN: keep SFT's */
    uint64_t shard_bytes;
} SessionExportForm;

const SessionExportForm *session_export_form(const Session *session);

/* Replaces the form; the plan follows. Refused (false) while an export runs. */
bool session_set_export_form(Session *session, const SessionExportForm *form);

/* What would be written at the current dials; NULL where it cannot be planned: session_export_message() says
 * why. Valid until the next call of the session. */
const ExportPlan *session_export_plan(Session *session);

SessionExportStage session_export_stage(const Session *session);
const char *session_export_message(const Session *session); /* NULL: none */
const VerifyResult *session_export_verification(const Session *session);

/* Starts writing, at the dials as they are now; they may turn meanwhile. */
Status session_start_export(Session *session, Error *error) STATUS_MUST_CHECK;

/* Removes what an interrupted export left for this target. */
Status session_discard_export(Session *session, uint64_t *bytes, Error *error) STATUS_MUST_CHECK;

#endif
