/*
 * resume_readiness — what a session's landscape and rollouts were measured with, written down and taken up again; for
 * resume.c.
 *
 *     "third": DIR,                     the checkpoint through which the plane goes
 *     "samples": FILE | "prompts": FILE,
 *     "landscape": {"line": FROM:TO:POINTS, "plane": …, "triangle": …, "sigma", "directions", "seed"},
 *     "rollouts": {"prompts", "samples", "tokens", "temperature", "top_p", "top_k", "seed", "reward": RULE,
 *                  "drawn": true, "gradient": true}}    drawn: as they stand they were there, and gradient: of them
 *
 * Samples of a file are read again; drawn ones come from the cache, or not at all: nothing is sampled unasked.
 */
#ifndef REJUV_TUI_RESUME_READINESS_H
#define REJUV_TUI_RESUME_READINESS_H

#include "tui/session/session.h"

#include <cjson/cJSON.h>

/* False when out of memory. Paths are resume.c's to add: resume_readiness_path() tells them, NULL where there is none. */
bool resume_readiness_add(cJSON *tree, const Session *session);
const char *resume_readiness_path(const Session *session, const char *key);

/* Into a session that was opened from the same tree; what is not as it should be is left as it is. */
void resume_readiness_apply(const cJSON *tree, Session *session);

#endif
