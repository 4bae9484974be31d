/* What speaks against an export, how far it is, and what became of it. */
#include "tui/canvas/dial_bar.h"
#include "tui/keys/key_text.h"
#include "tui/session/session.h"
#include "tui/session/session_export.h"
#include "tui/session/session_files.h"
#include "tui/text/text.h"
#include "views/export/export_view_internal.h"

#include <stdio.h>
#include <string.h>

static Role severity_role(Severity severity) {
    static const Role ROLES[] = {ROLE_DIM, ROLE_WARNING, ROLE_ERROR};
    return ROLES[severity];
}

static int draw_findings(const FindingList *findings, Canvas *canvas, Rect area, int row) {
    for (size_t i = 0; i < findings->count && row < area.rows; i++) {
        const Finding *finding = &findings->items[i];
        char line[768], subject[128], text[512];
        (void)text_escape(finding->subject, strlen(finding->subject), TEXT_PLAIN, subject, sizeof subject);
        (void)text_escape(finding->text, strlen(finding->text), TEXT_PLAIN, text, sizeof text);
        (void)snprintf(line, sizeof line, "%s: %s: %s", finding_severity_name(finding->severity), subject,
                       text);
        row = canvas_write_wrapped(canvas, area, row, severity_role(finding->severity), line);
    }
    return row;
}

static int draw_running(Session *session, Canvas *canvas, Rect area, int row) {
    SessionJob job;
    if (session_jobs(session, &job, 1) == 0) return row;
    ProgressLine line = {job.label, job.done, job.total, job.seconds, job.rate, NULL};
    dial_bar_draw_progress(canvas, area, row, &line);
    return row + 1;
}

static int draw_verification(const VerifyResult *result, Canvas *canvas, Rect area, int row) {
    bool good = result->tensors_equal == result->tensors && result->files_equal == result->files;
    (void)canvas_print(canvas, area, row++, 0, good ? ROLE_GOOD : ROLE_ERROR,
                       "read back: %zu of %zu tensors and %zu of %zu other files are those of the recipe",
                       result->tensors_equal, result->tensors, result->files_equal, result->files);
    if (result->has_inputs)
        (void)canvas_print(canvas, area, row++, 0,
                           result->tensors_blended == result->tensors ? ROLE_GOOD : ROLE_ERROR,
                           "blended from both inputs: %zu of %zu tensors equal, bit for bit",
                           result->tensors_blended, result->tensors);
    return draw_findings(&result->findings, canvas, area, row);
}

void export_draw_outcome(Session *session, const ExportPlan *plan, Canvas *canvas, Rect area) {
    SessionExportStage stage = session_export_stage(session);
    const VerifyResult *result = session_export_verification(session);
    const char *message = session_export_message(session);
    char keys[KEY_TEXT_SIZE];
    int row = 0;
    if (stage == SESSION_EXPORT_WRITING || stage == SESSION_EXPORT_VERIFYING) {
        (void)draw_running(session, canvas, area, row);
        return;
    }
    if (stage == SESSION_EXPORT_DISCARDING) {
        (void)canvas_write(canvas, area, row, 0, ROLE_DIM, "removing what an interrupted export left…");
        return;
    }
    if (plan == NULL && message == NULL)
        (void)canvas_write(canvas, area, row, 0, ROLE_DIM, "planning the files…");
    if (message != NULL) {
        Role role = stage == SESSION_EXPORT_DONE ? ROLE_GOOD : ROLE_ERROR;
        row = canvas_write_wrapped(canvas, area, row, role, message);
    }
    if (result != NULL) row = draw_verification(result, canvas, area, row);
    if (plan != NULL && stage == SESSION_EXPORT_IDLE) row = draw_findings(&plan->findings, canvas, area, row);
    bool is_due = stage == SESSION_EXPORT_IDLE && plan != NULL && export_check(plan, NULL) == STATUS_OK;
    if (is_due && session_export_obstacle(session) != NULL)
        (void)canvas_write_wrapped(
            canvas, area, row, ROLE_WARNING,
            "nothing is written before ρ's neurons are ranked; ρ 0 exports without a reset");
    else if (is_due)
        (void)canvas_write(
            canvas, area, row, 0, ROLE_TEXT,
            key_text("export",
                     "nothing is written yet: {export} exports, {export-target} names another target", keys));
}
