/*
 * resume_export — what `rejuv --resume` (resume.h) keeps of the Export view: where it would write, and how.
 *
 *     "export": {"directory": DIR, "rung": N,   absolute; the rung for which the program named it, 0 without a ladder;
 *                                               left out where somebody named it
 *                "donor": "sft" | "base", "dtype": NAME,   without a dtype SFT's is kept
 *                "shard_bytes": N}
 *
 * An export that was interrupted goes on only in the directory it was to be written to: so the name that the program
 * gave is kept too, for the rung it was made of.
 */
#ifndef REJUV_TUI_RESUME_EXPORT_H
#define REJUV_TUI_RESUME_EXPORT_H

#include "tui/session/session.h"

#include <cjson/cJSON.h>

/* Into the file's tree; false when out of memory. */
bool resume_export_add(cJSON *tree, const Session *session);

/* From that member, or NULL, into a session that was opened from it. What is not known is left as it is. */
void resume_export_apply(const cJSON *export, Session *session);

#endif
