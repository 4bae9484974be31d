/* Any bytes as a calibration file, with a tokenizer and without: rows whose ids are the model's, or a message
 * with the line's number. */
#include "core/evaluation/calibration.h"
#include "tests/fuzz/demo_tokenizer.h"
#include "tests/fuzz/memory_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const ModelConfig CONFIG = {.vocabulary = 512, .eos = {509}, .eos_count = 1};

static void check(const Calibration *calibration) {
    if (calibration->count == 0) abort();
    for (size_t i = 0; i < calibration->count; i++) {
        const CalibrationRow *row = &calibration->rows[i];
        if (row->prompt_count == 0 || row->prompt_count > row->count) abort();
        for (size_t t = 0; t < row->count; t++) {
            if (row->ids[t] < 0 || (uint64_t)row->ids[t] >= CONFIG.vocabulary) abort();
        }
        for (int responses_only = 0; responses_only < 2; responses_only++) {
            EvaluationRow positions = calibration_positions(row, responses_only);
            if (positions.first > positions.end || positions.end > positions.count) abort();
        }
    }
}

static void read_with(const char *path, const Tokenizer *tokenizer) {
    Error error = {0};
    Calibration *calibration;
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &CONFIG};
    Status status = calibration_read(path, &reading, NULL, &calibration, &error);
    if (status == STATUS_OK)
        check(calibration);
    else if (calibration != NULL || error.message[0] == '\0')
        abort();
    calibration_free(calibration);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const char *path = memory_file_put(bytes, count);
    read_with(path, demo_tokenizer());
    read_with(path, NULL);
    return 0;
}
