/*
 * calibration — the rows of text on which models are measured: a prompt, what it should be answered with, and
 * the ids of both.
 *
 * A file is read line by line; a line is one of
 *
 *     {"prompt": "…", "response": "…", "answer": "…"}      response and answer may be missing
 *     {"prompt_ids": [1, 2], "response_ids": [3]}           response_ids may be missing
 *     any other text                                        a prompt
 *
 * A file that begins like a JSON array of rows is refused, not read as prompts.
 *
 * A row's ids are encode(prompt) with its special tokens, encode(response) without, and the SFT model's
 * end-of-text token (the first, where there are several); or the ids as given. Position t predicts token t +
 * 1; the response positions are those that predict a response token, the end of text included.
 */
#ifndef REJUV_CORE_CALIBRATION_H
#define REJUV_CORE_CALIBRATION_H

#include "core/evaluation/evaluation.h"
#include "core/files/hash.h"
#include "core/tokenizer/tokenizer.h"

typedef struct CalibrationRow {
    char *prompt, *response, *answer; /* as given; NULL where there is none */
    int32_t *ids;
    size_t count, prompt_count; /* tokens; those of the prompt */
} CalibrationRow;

typedef struct Calibration {
    char *source; /* the file, or what the rows were typed into */
    CalibrationRow *rows;
    size_t count, capacity;
    size_t tokens, response_tokens;
    char sha256[HASH_HEX_SIZE]; /* of all bytes of the file, as they were read; "" where there is no file */
} Calibration;

/* An empty set; calibration_free() takes NULL. */
Status calibration_create(const char *source, Calibration **calibration, Error *error) STATUS_MUST_CHECK;
void calibration_free(Calibration *calibration);

/* Reads a file, once, so that the sum is that of the rows even where another takes the file's place meanwhile.
 * `tokenizer` may be NULL where every line has ids. Ids outside the model's vocabulary, a line that is neither
 * JSON nor UTF-8, a row without tokens: refused with the line's number. `limit`: at most so many rows (0: all).
 * A cancelled `job` (may be NULL) ends it before the next line: STATUS_CANCELLED. */
Status calibration_read(const char *path, const Tokenizer *tokenizer, const ModelConfig *config, size_t limit,
                        Job *job, Calibration **calibration, Error *error) STATUS_MUST_CHECK;

/* Adds one row of text. `response` may be NULL: then the row has only a prompt. */
Status calibration_add_text(Calibration *calibration, const char *prompt, size_t prompt_bytes,
                            const char *response, size_t response_bytes, const Tokenizer *tokenizer,
                            const ModelConfig *config, Error *error) STATUS_MUST_CHECK;

/* Adds one row of ids; response_count may be 0. */
Status calibration_add_ids(Calibration *calibration, const int32_t *prompt, size_t prompt_count,
                           const int32_t *response, size_t response_count, const ModelConfig *config,
                           Error *error) STATUS_MUST_CHECK;

/* The rows as a file of ids, which the caller frees: read again, it gives rows that measure alike, whatever they
 * were made from. The same rows give the same bytes. */
Status calibration_format_ids(const Calibration *calibration, char **text, size_t *bytes,
                              Error *error) STATUS_MUST_CHECK;

/* What to measure of a row. responses_only: the positions that predict the response; for a row without one,
 * the prompt's last. Otherwise every position. */
EvaluationRow calibration_positions(const CalibrationRow *row, bool responses_only);

/* The same for all rows, in a block the caller frees; NULL when out of memory. */
EvaluationRow *calibration_list_positions(const Calibration *calibration, bool responses_only);

#endif
