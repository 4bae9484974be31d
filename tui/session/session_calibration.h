/*
 * session_calibration — the calibration rows of a session: what everything about distributions and neurons is measured
 * on. They come from a file, or are one row made of the prompt on screen, and can be changed at any time:
 *
 *     another file         read in the background; until its rows are there, and where it is refused, the old stay
 *     the prompt on screen  its tokens as they are; a row's response that is shown, and an added
 *                          continuation, are the response; an end of text is there only where
 *                          the model wrote one. Without a continuation the row has no response, and is measured
 *                          like a line of text: at its last position
 *     back                 the file that was read last, read again
 *
 * After a change all that was measured on the rows is measured anew: headlines, sweep, targets, attribution,
 * dormancy, bookmarks' figures. Until the new ranking is there ρ does nothing.
 *
 * A recipe names rows by a SHA-256. For rows of a file that is the file's; for the prompt on screen, that of the
 * file session_save_rows() writes, so that it can be told afterwards what was measured. Neither is needed to export
 * again: a recipe lists the neurons.
 */
#ifndef REJUV_TUI_SESSION_CALIBRATION_H
#define REJUV_TUI_SESSION_CALIBRATION_H

#include "core/evaluation/calibration.h"
#include "tui/session/session_files.h"

enum { SESSION_ROWS_TEXT = 256 };

/* The calibration rows; NULL while they load or where there are none; *message (may be NULL) says which. */
const Calibration *session_calibration(const Session *session, const char **message);

/* Whether there are none because nobody named any. */
bool session_calibration_is_wanted(const Session *session);

/* Starts reading. What is wrong with the file itself comes as a message. */
Status session_load_rows(Session *session, const char *path, Error *error) STATUS_MUST_CHECK;

/* After session_use_prompt_rows() (session.h): a message that says how many tokens of the prompt were taken. */
void session_say_prompt_rows(Session *session);

/* Back from the prompt on screen to the file. */
Status session_return_to_file(Session *session, Error *error) STATUS_MUST_CHECK;

/* Writes the rows' ids to a new file; rows of the prompt on screen are its rows from then on. */
Status session_save_rows(Session *session, const char *path, Error *error) STATUS_MUST_CHECK;

/* The file whose rows these are; NULL where they are of the prompt on screen, or there are none. */
const char *session_calibration_file(const Session *session);

/* The file that was read last, which session_return_to_file() goes back to; NULL: none. */
const char *session_last_rows_file(const Session *session);

/* "64 rows, 2 709 tokens (1 393 of responses) of calibration.jsonl", shorter where it has to fit in `columns`, and ""
 * where not even the shortest does; while there are none, why. Already escaped. */
void session_describe_rows(const Session *session, int columns, char text[SESSION_ROWS_TEXT]);

/* The same, and where there is room what was put behind responses, and which key names that: ", ended by <|im_end|>
 * (tokenizer_config.json: eos_token)". */
void session_describe_rows_and_end(const Session *session, int columns, char text[SESSION_ROWS_TEXT]);

/* ---- for the other parts of a session ---- */

Status session_calibration_open(Session *session, const SessionOptions *options,
                                Error *error) STATUS_MUST_CHECK;
bool session_calibration_refresh(Session *session);
void session_calibration_list(Session *session, Task **tasks);
void session_calibration_free(Session *session);

/* Other rows are there, of a file or by session_calibration_offer(); session_calibration_begin() takes them over once nothing is
 * measured on the old ones any more. The first time it takes those that were loaded with the pair. */
bool session_calibration_are_offered(const Session *session);
void session_calibration_offer(Session *session, Calibration *rows); /* made of the prompt on screen */
void session_calibration_begin(Session *session);

/* A message that says what a new file's rows are. */
void session_calibration_say(Session *session);

/* Why rows cannot be changed just now. */
Status session_calibration_check_readiness(const Session *session, Error *error) STATUS_MUST_CHECK;

bool session_calibration_are_of_prompt(const Session *session);

/* [HASH_HEX_SIZE]: of the rows that are there; "" without any. */
const char *session_calibration_sha256(const Session *session);

#endif
