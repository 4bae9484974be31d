/*
 * calibration_fixture — rows as a file of this text has them, with the demo pair's tokenizer.
 */
#ifndef REJUV_TESTS_CALIBRATION_FIXTURE_H
#define REJUV_TESTS_CALIBRATION_FIXTURE_H

#include "core/evaluation/calibration.h"
#include "scratch.h"

static Tokenizer *demo;
static const ModelConfig CONFIG = {.vocabulary = 4096, .eos = {9, 10}, .eos_count = 2};

static inline int open_demo(void **state) {
    if (tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &demo, NULL) != STATUS_OK) return -1;
    return scratch_make(state);
}

static inline int close_demo(void **state) {
    tokenizer_free(demo);
    return scratch_remove(state);
}

static inline Status read_text(const char *text, const CalibrationReading *reading, Calibration **rows,
                               Error *error) {
    char *path = scratch_path("rows.jsonl");
    scratch_write_text("rows.jsonl", text);
    Status status = calibration_read(path, reading, NULL, rows, error);
    free(path);
    return status;
}

static inline Calibration *must_read_with(const char *text, const Tokenizer *tokenizer,
                                          const ModelConfig *config, const char *end_token) {
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = config, .end_token = end_token};
    Calibration *rows;
    Error error;
    if (read_text(text, &reading, &rows, &error) != STATUS_OK) fail_msg("%s", error.message);
    return rows;
}

static inline Calibration *must_read(const char *text) {
    return must_read_with(text, demo, &CONFIG, NULL);
}

static inline void refuse(const char *text, Status expected, const char *words) {
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG};
    Calibration *rows;
    Error error = {0};
    Status status = read_text(text, &reading, &rows, &error);
    if (status != expected || strstr(error.message, words) == NULL ||
        strstr(error.message, "rows.jsonl, line 1: ") == NULL)
        fail_msg("%s: expected %s, \"%s\"; got %s: %s", text, status_name(expected), words,
                 status_name(status), error.message);
    assert_null(rows);
}

#endif
