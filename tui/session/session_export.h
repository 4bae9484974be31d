/*
 * session_export — the export on screen: its options, the plan they give, the run, the verification.
 */
#ifndef REJUV_TUI_SESSION_EXPORT_H
#define REJUV_TUI_SESSION_EXPORT_H

#include "core/export/export.h"
#include "core/export/verify.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

typedef enum SessionExportStage {
    SESSION_EXPORT_IDLE,       /* the plan is shown */
    SESSION_EXPORT_WRITING,    /* session_jobs() has the progress */
    SESSION_EXPORT_VERIFYING,  /* re-opened, compared with the recipe and the blend */
    SESSION_EXPORT_DISCARDING, /* what an interrupted one left is being removed */
    SESSION_EXPORT_DONE,       /* written and verified */
    SESSION_EXPORT_FAILED      /* session_export_message() says what and where */
} SessionExportStage;

typedef struct SessionExportForm {
    char directory[4096]; /* the target */
    bool is_suggested;    /* by the session itself, from the SFT model's name */
    Donor donor;
    DType dtype; /* DTYPE_UNKNOWN: keep SFT's */
    uint64_t shard_bytes;
    bool allow_unmatched; /* as it was opened with */
} SessionExportForm;

const SessionExportForm *session_export_form(const Session *session);

/* Names another target in a form. False, and nothing changed, where the text is empty or too long. */
bool session_export_form_name(SessionExportForm *form, const char *directory);

/* Replaces the form; the plan follows. Refused (false) while an export runs. */
bool session_set_export_form(Session *session, const SessionExportForm *form);

/* What would be written; NULL while the first plan is being made, and where none can be made:
 * session_export_message() says why. It is made behind the screen: asking starts that
 * where dials or form have changed, and gives the last one meanwhile. Valid until the next session_refresh(). */
const ExportPlan *session_export_plan(Session *session);

/* True while session_export_plan() is not yet that of the dials and the form. */
bool session_export_plan_is_stale(const Session *session);

SessionExportStage session_export_stage(const Session *session);
const char *session_export_message(const Session *session); /* NULL: none */
const VerifyResult *session_export_verification(const Session *session);

/* Why what the dials ask for cannot be written yet: ρ asks for a reset whose neurons are not ranked. NULL: it
 * can. Without this the model would be written whole, and nothing would say that it was not reset. */
const char *session_export_obstacle(const Session *session);

/* Starts writing, at the dials as they are now; they may turn meanwhile. STATUS_ARGUMENT with an obstacle. Where nothing can be written (the
 * target exists, it does not fit), a message says so soon and the stage is IDLE again. */
Status session_start_export(Session *session, Error *error) STATUS_MUST_CHECK;

/* Starts removing what an interrupted export left for this target; a message says how much it was. */
Status session_discard_export(Session *session, Error *error) STATUS_MUST_CHECK;

/* For leaving: ends what runs and says what became of it; NULL where nothing ran. An export is cancelled, and
 * keeps what the same export can go on from; a removal is waited for. */
const char *session_leave_export(Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_export_open(Session *session, const struct SessionOptions *options,
                           Error *error) STATUS_MUST_CHECK;
bool session_export_refresh(Session *session);
void session_export_list(Session *session, Task **tasks);
void session_export_free(Session *session);

#endif
