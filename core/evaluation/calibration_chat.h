/*
 * calibration_chat — the ids of rows that are conversations: rendered by a chat template, encoded, and where the turns
 * of the assistant fall among them.
 *
 * For what reads rows: the calibration, and samples (core/readiness/sample_file.h). A CalibrationChat is opened once for a file of rows, by one thread; then any thread may
 * encode with it.
 */
#ifndef REJUV_CORE_CALIBRATION_CHAT_H
#define REJUV_CORE_CALIBRATION_CHAT_H

#include "core/evaluation/calibration.h"

typedef struct CalibrationChat CalibrationChat;

/* The templates of reading->directory. STATUS_IO, with what was looked for, where there is none. */
Status calibration_chat_open(const CalibrationReading *reading, CalibrationChat **chat,
                             Error *error) STATUS_MUST_CHECK;
void calibration_chat_close(CalibrationChat *chat); /* takes NULL */

/* Whether there is a template at all. */
bool calibration_chat_exists(const CalibrationReading *reading);

/* Makes the ids of a row that has a conversation, its prompt and response, and what of it is measured. */
Status calibration_chat_encode(const CalibrationChat *chat, CalibrationRow *row,
                               Error *error) STATUS_MUST_CHECK;

#endif
