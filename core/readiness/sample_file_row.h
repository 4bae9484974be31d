/*
 * sample_file_row — one sample of a file: its JSON read, and its ids made. For sample_file.c.
 */
#ifndef REJUV_CORE_SAMPLE_FILE_ROW_H
#define REJUV_CORE_SAMPLE_FILE_ROW_H

#include "core/evaluation/calibration_chat.h"
#include "core/evaluation/calibration_forms.h"

/* Zero-initialise; sample_file_row_free() releases. */
typedef struct SampleFileRow {
    CalibrationRow row;                 /* texts as they are; its ids are made by sample_file_row_encode() */
    TokenList prompt_ids, response_ids; /* as given */
    bool has_prompt_ids, has_response_ids, has_number;
    bool is_dump;    /* of verl: its prompt was decoded without special tokens */
    uint64_t number; /* of its group */
    double reward;   /* NaN: not given */
    size_t line;
} SampleFileRow;

/* Reads the members of `object`; of `output`, one of its outputs, what is of a sample (NULL: there are none). A prompt of
 * messages becomes the row's conversation, which calibration_chat.h makes ids of.
 * STATUS_FORMAT and STATUS_UNSUPPORTED name the key. */
Status sample_file_row_read(const cJSON *object, const cJSON *output, SampleFileRow *row,
                            Error *error) STATUS_MUST_CHECK;

/* Several samples of one prompt: "outputs", or "responses", as verl's generation writes them; NULL: it is one sample. */
const cJSON *sample_file_row_outputs(const cJSON *object);

/* Any thread may. `chat` may be NULL where the row has no conversation. */
Status sample_file_row_encode(SampleFileRow *row, const CalibrationChat *chat, const Tokenizer *tokenizer,
                              const CalibrationEnd *end, Error *error) STATUS_MUST_CHECK;

void sample_file_row_free(SampleFileRow *row);

#endif
