/*
 * method_fixture — a golden pair opened, with the rows that golden/method was computed on.
 */
#ifndef REJUV_TESTS_METHOD_FIXTURE_H
#define REJUV_TESTS_METHOD_FIXTURE_H

#include "core/evaluation/evaluation.h"
#include "golden.h"

#include <math.h>

typedef struct Fixture {
    Pair *pair;
    Model *model;
    EvaluationRow *rows;
    size_t row_count;
    cJSON *golden;
    Job *job;
} Fixture;

static inline void method_load(Fixture *fixture, const char *name, const char *root) {
    char *base = golden_path("%s/%s", root, "base"), *sft = golden_path("%s/%s", root, "sft");
    Error error = {0};
    if (pair_open(base, sft, &fixture->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(fixture->pair, &fixture->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    fixture->golden = golden_read_json("golden/method/%s/%s", name, "attribution.json");
    const cJSON *rows = json_find(fixture->golden, "rows"), *row;
    fixture->rows = memory_allocate((size_t)cJSON_GetArraySize(rows), sizeof *fixture->rows);
    assert_non_null(fixture->rows);
    cJSON_ArrayForEach(row, rows) {
        EvaluationRow *made = &fixture->rows[fixture->row_count++];
        made->ids = golden_read_ids(json_find(row, "ids"), &made->count);
        made->first = (size_t)json_get_number(row, "prompt_tokens", NAN) - 1;
        made->end = made->count - 1;
    }
    assert_int_equal(job_create(2, NULL, NULL, &fixture->job, &error), STATUS_OK);
}

static inline void method_unload(Fixture *fixture) {
    job_free(fixture->job);
    cJSON_Delete(fixture->golden);
    for (size_t i = 0; i < fixture->row_count; i++) free((void *)(uintptr_t)fixture->rows[i].ids);
    free(fixture->rows);
    model_close(fixture->model);
    pair_close(fixture->pair);
}

#endif
