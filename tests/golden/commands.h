/*
 * commands — the real program on the demo pair, for tests that read its JSON back.
 */
#ifndef REJUV_TESTS_COMMANDS_H
#define REJUV_TESTS_COMMANDS_H

#include "tests/golden/golden.h"
#include "tests/program.h"
#include "tests/unit/scratch.h"

#include <math.h>

static char *base, *sft, *calibration; /* the demo pair */

static inline int open_demo(void **state) {
    base = golden_path("demo/%s%s", "base", "");
    sft = golden_path("demo/%s%s", "sft", "");
    calibration = golden_path("demo/%s%s", "calibration.jsonl", "");
    return scratch_make(state);
}

static inline int close_demo(void **state) {
    free(base);
    free(sft);
    free(calibration);
    return scratch_remove(state);
}

/* A member that has to be there, "NaN" and infinities as texts. */
static inline double read_number(const cJSON *object, const char *key) {
    const cJSON *item = json_find(object, key);
    if (cJSON_IsString(item)) return strtod(item->valuestring, NULL);
    if (!cJSON_IsNumber(item)) fail_msg("expected a number \"%s\"", key);
    return item->valuedouble;
}

static inline cJSON *run_json(const char *const *arguments) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0) fail_msg("status %d: %s", result.status, result.errors);
    assert_string_equal(result.errors, "");
    cJSON *tree = program_json(&result);
    program_free(&result);
    return tree;
}

/* The first rows of the calibration file, where figures do not matter. */
static inline char *few_rows(void) {
    enum { ROWS = 6 };
    char *text, *end, *path = scratch_path("few.jsonl");
    size_t bytes;
    Error error = {0};
    if (json_read_text(calibration, 64 << 20, &text, &bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    end = text;
    for (int i = 0; i < ROWS; i++) end = strchr(end, '\n') + 1;
    *end = '\0';
    scratch_write_text("few.jsonl", text);
    free(text);
    return path;
}

#define RUN_JSON(...) run_json((const char *const[]){__VA_ARGS__, "--json", NULL})

#endif
