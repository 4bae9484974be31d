#include "tui/app/resume_export.h"

#include "core/files/file_path.h"
#include "core/files/json.h"
#include "core/numerics/dtype.h"
#include "tui/session/session_export.h"
#include "tui/session/session_ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char BASE[] = "base", SFT[] = "sft"; /* donors, as --donor names them */

bool resume_export_add(cJSON *tree, const Session *session) {
    const SessionExportForm *form = session_export_form(session);
    char *absolute;
    if (file_path_absolute(form->directory, &absolute, NULL) != STATUS_OK) return false;
    cJSON *export = cJSON_AddObjectToObject(tree, "export");
    bool added =
        export != NULL && file_path_add(export, "directory", absolute) &&
        (!form->is_suggested || json_add_number(export, "rung", (double)session_ladder_rung(session))) &&
        json_add_text(export, "donor", form->donor == DONOR_BASE ? BASE : SFT) &&
        (form->dtype == DTYPE_UNKNOWN || json_add_text(export, "dtype", dtype_name(form->dtype))) &&
        json_add_number(export, "shard_bytes", (double)form->shard_bytes);
    free(absolute);
    return added;
}

static bool takes_directory(const cJSON *export, const Session *session) {
    const cJSON *rung = json_find(export, "rung");
    uint64_t number;
    return rung == NULL || (json_read_count(rung, &number) && number == session_ladder_rung(session));
}

void resume_export_apply(const cJSON *export, Session *session) {
    SessionExportForm form = *session_export_form(session);
    const char *directory = json_get_text(export, "directory", "");
    uint64_t bytes;
    if (directory[0] != '\0' && strlen(directory) < sizeof form.directory &&
        takes_directory(export, session)) {
        (void)snprintf(form.directory, sizeof form.directory, "%s", directory);
        form.is_suggested = json_find(export, "rung") != NULL;
    }
    if (strcmp(json_get_text(export, "donor", ""), BASE) == 0) form.donor = DONOR_BASE;
    DType dtype = dtype_find(json_get_text(export, "dtype", ""));
    if (dtype_is_writable(dtype)) form.dtype = dtype;
    if (json_read_count(json_find(export, "shard_bytes"), &bytes) && bytes > 0) form.shard_bytes = bytes;
    (void)session_set_export_form(session, &form); /* nothing runs yet */
}
