/*
 * calibration_forms — what rows of JSON may look like, as a table (calibration_forms.c): the keys that a form needs,
 * those that it uses besides, and what makes a row of them, or why it is refused. The first form fits whose needed keys
 * are all there.
 *
 * Internal to the calibration: what makes rows out of a file, and the set that takes them.
 */
#ifndef REJUV_CORE_CALIBRATION_FORMS_H
#define REJUV_CORE_CALIBRATION_FORMS_H

#include "core/evaluation/calibration.h"

#include <cjson/cJSON.h>

enum { CALIBRATION_NO_LABEL = -100 }; /* of a token that is not learned, as trainers of PyTorch have it */

/* Fills a zeroed row from one of JSON, by its form: ids; the texts that calibration_encode_row() makes ids of; or a
 * conversation, of which calibration_chat.h does. `text` is what `object` was read from. The caller frees the row, after
 * an error too. STATUS_UNSUPPORTED and STATUS_FORMAT name the row's keys. */
Status calibration_read_form(const cJSON *object, const char *text, size_t bytes, CalibrationRow *row,
                             Error *error) STATUS_MUST_CHECK;

/* Of a row that has its ids: those of `spans`, ascending [first, end), are its response. */
Status calibration_learn_tokens(CalibrationRow *row, const EvaluationSpan *spans, size_t count,
                                Error *error) STATUS_MUST_CHECK;

/* Makes the ids of a row that has texts; any thread may. */
Status calibration_encode_row(CalibrationRow *row, size_t prompt_bytes, size_t response_bytes,
                              const Tokenizer *tokenizer, const CalibrationEnd *end,
                              Error *error) STATUS_MUST_CHECK;

/* Adds a row to the set, which owns it then; on failure it is freed. */
Status calibration_take_row(Calibration *calibration, CalibrationRow *row, const ModelConfig *config,
                            Error *error) STATUS_MUST_CHECK;

void calibration_free_row(CalibrationRow *row);

/* Whether a key is about a row and not of it, "id", "source": passed over, whatever it holds. And whether a member holds
 * anything that could be lost: numbers, switches and what is empty do not. */
bool calibration_key_is_harmless(const char *key);
bool calibration_holds_something(const cJSON *item);

#endif
