/*
 * resume — where one was when the program ended, to be taken up again with `rejuv --resume`: the pair, the
 * dials, bookmarks, the prompt, the landscape's, the rollouts' and the export's settings, the view and the
 * cursors.
 *
 *     {"format": "rejuv-resume", "format_version": 1,
 *      "base": DIR, "sft": DIR,
 *      "rungs": [{"path": DIR}, …], "rung": N,                  of a ladder, of which sft is rung N, from 1
 *      "calibration": FILE,                                     absolute; calibration where there was one; of one
 *                                                               that is no UTF-8, "base_uri" too (file_path.h)
 *      "tokenizer_file": true,                                  where --tokenizer-file was given
 *      "end_token": TOKEN,                                      where --end-token was
 *      "dials": ["--alpha", "0.5", …],                          as the program's own options
 *      "bookmarks": [{"name": "A", "dials": […]}, …],
 *      "prompt": TEXT,                                          or, with a chat template on,
 *      "chat": JSON, "template": NAME,                          the conversation, and the template's name if one was chosen
 *      "tensor": NAME, "view": NAME,
 *      "third", "samples", "prompts", "landscape", "rollouts":  resume_readiness.h
 *      "export":                                                resume_export.h
 *      "places": {"layers": {"row": 3, …}, …}}                  cursors, by view (view.h)
 *
 * It is written when the program ends, a hang-up and SIGTERM included. What is no longer true of the pair is
 * left out when it is read: a tensor that is gone, dials that do not fit.
 */
#ifndef REJUV_TUI_RESUME_H
#define REJUV_TUI_RESUME_H

#include "tui/app/view.h"
#include "tui/cli/options.h"
#include "tui/session/session_files.h"

#include <cjson/cJSON.h>

/* What was read; texts point into the tree. Zero is nothing. */
typedef struct Resume {
    cJSON *tree;
    SessionOptions session; /* threads, α and the ladder are the caller's, */
    const char **rungs;     /* [rung_count]: to be made of these; NULL where one SFT model was open */
    size_t rung_count;
    const char *view; /* NULL: not said, or there is no such view any more */
} Resume;

/* Where it is kept; NULL where there is no home. The caller frees. */
char *resume_path(void);

/* STATUS_IO where there is none, STATUS_FORMAT where it is none. */
Status resume_read(const char *path, const ViewList *views, Resume *resume, Error *error) STATUS_MUST_CHECK;
void resume_free(Resume *resume);

/* The same of a session that is open, without a file: for another one in its place. */
Status resume_remember(const Session *session, const ViewList *views, int current, void *const *states,
                       Resume *resume, Error *error) STATUS_MUST_CHECK;

/* Dials, bookmarks and the tensor into a session that was opened from it. What does not fit is left out, and
 * a message says so. */
void resume_apply(const Resume *resume, Session *session);

/* Then the dials of a command line over those that were kept: what it says of one replaces what that was, and an α for all
 * layers replaces one for each. STATUS_ARGUMENT where they do not fit; the session's stay as they are then. */
Status resume_turn(const Resume *resume, const Options *options, Session *session,
                   Error *error) STATUS_MUST_CHECK;

/* The cursors of a view that was just opened. */
void resume_place(const Resume *resume, const View *view, void *state);

/* Writes it; `current` is the index of the view on screen, states[i] is of views->views[i], NULL where that was never
 * opened. */
Status resume_write(const char *path, const Session *session, const ViewList *views, int current,
                    void *const *states, Error *error) STATUS_MUST_CHECK;

#endif
