/*
 * The logits of every golden model, as transformers computes them in float64: all positions at once, token by
 * token through the KV cache, and in uneven pieces.
 *
 * Tolerance: 5e-6 of the logits' range. Observed: printed for each model beside the error of transformers'
 * own float32 run (both relative to the range).
 */
#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/transformer/forward.h"
#include "golden.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

static const double TOLERANCE = 5e-6;

typedef struct Fixture {
    Pair *pair;
    Model *model;
    int32_t *ids;
    size_t tokens, vocabulary;
    float *expected, *logits;
    double range, float32_error;
} Fixture;

static void load(Fixture *fixture, const char *name) {
    char *directory = golden_path("golden/models/%s%s", name, "");
    Error error = {0};
    if (pair_open(directory, directory, &fixture->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(fixture->pair, &fixture->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(directory);
    cJSON *golden = golden_read_json("golden/models/%s/%s", name, "golden.json");
    fixture->ids = golden_read_ids(json_find(golden, "ids"), &fixture->tokens);
    fixture->range = json_get_number(golden, "range", NAN);
    fixture->float32_error = json_get_number(golden, "float32_error", NAN);
    fixture->vocabulary = (size_t)cJSON_GetArrayItem(json_find(golden, "shape"), 1)->valuedouble;
    assert_int_equal(fixture->tokens, (size_t)cJSON_GetArrayItem(json_find(golden, "shape"), 0)->valuedouble);
    cJSON_Delete(golden);
    size_t bytes;
    fixture->expected = golden_read_bytes("golden/models/%s/%s", name, "logits.f32", &bytes);
    assert_int_equal(bytes, fixture->tokens * fixture->vocabulary * sizeof(float));
    assert_int_equal(forward_vocabulary(fixture->model), fixture->vocabulary);
    fixture->logits = memory_allocate(fixture->tokens * fixture->vocabulary, sizeof(float));
    assert_non_null(fixture->logits);
}

static void unload(Fixture *fixture) {
    model_close(fixture->model);
    pair_close(fixture->pair);
    free(fixture->ids);
    free(fixture->expected);
    free(fixture->logits);
}

/* Runs the sequence in pieces of `piece` tokens and returns the largest error, relative to the range. */
static double run_in_pieces(Fixture *fixture, size_t piece, double alpha, unsigned threads) {
    Error error = {0};
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_create_scratch(threads, &scratch, &error), STATUS_OK);
    Settings settings = {.alpha = alpha};
    assert_int_equal(forward_create_state(fixture->model, &settings, fixture->tokens, &state, &error),
                     STATUS_OK);
    for (size_t at = 0; at < fixture->tokens; at += piece) {
        size_t count = fixture->tokens - at < piece ? fixture->tokens - at : piece;
        ForwardInput input = {.ids = fixture->ids + at, .count = count};
        if (forward_run(&state, 1, &input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
        ForwardHead head = {&settings, forward_hidden(state), fixture->logits + at * fixture->vocabulary};
        if (forward_logits(fixture->model, &head, 1, count, scratch, job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
    }
    double worst = 0.0;
    for (size_t i = 0; i < fixture->tokens * fixture->vocabulary; i++)
        worst = fmax(worst, fabs((double)fixture->logits[i] - (double)fixture->expected[i]));
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    return worst / fixture->range;
}

static void check_model(const char *name) {
    Fixture fixture = {0};
    load(&fixture, name);
    double whole = run_in_pieces(&fixture, fixture.tokens, 1.0, 2);
    double single = run_in_pieces(&fixture, 1, 0.0, 1);
    double uneven =
        run_in_pieces(&fixture, 7, 0.3, 2); /* a model blended with itself is itself, but for rounding */
    print_message("%-20s whole %.1e  token by token %.1e  pieces of 7 %.1e  (transformers' float32 %.1e)\n",
                  name, whole, single, uneven, fixture.float32_error / fixture.range);
    assert_true(whole < TOLERANCE);
    assert_true(single < TOLERANCE);
    assert_true(uneven < TOLERANCE);
    unload(&fixture);
}

static void logits_equal_transformers_for_every_model(void **unused) {
    (void)unused;
    char *path = golden_path("golden/%s%s", "models", "");
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), models = 0;
    free(path);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            check_model(entries[i]->d_name);
            models++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(models >= 10);
}

static void results_do_not_depend_on_the_number_of_threads(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "qwen3-tied-v5");
    size_t bytes = fixture.tokens * fixture.vocabulary * sizeof(float);
    float *one = memory_allocate(1, bytes);
    assert_non_null(one);
    (void)run_in_pieces(&fixture, 48, 0.7, 1);
    memcpy(one, fixture.logits, bytes);
    (void)run_in_pieces(&fixture, 48, 0.7, 3);
    assert_memory_equal(one, fixture.logits, bytes);
    free(one);
    unload(&fixture);
}

static void packed_sequences_do_not_see_each_other(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "qwen2-tied-bf16");
    size_t tokens = fixture.tokens, row = fixture.vocabulary;
    Error error = {0};
    int32_t *ids = memory_allocate(2 * tokens, sizeof *ids);
    size_t *starts = memory_allocate(2 * tokens, sizeof *starts);
    float *logits = memory_allocate(2 * tokens * row, sizeof *logits);
    assert_true(ids != NULL && starts != NULL && logits != NULL);
    for (size_t i = 0; i < 2 * tokens; i++) {
        ids[i] = fixture.ids[i % tokens];
        starts[i] = i < tokens ? 0 : tokens;
    }
    MatmulScratch *scratch;
    ForwardState *state;
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    Settings settings = {.alpha = 1.0};
    assert_int_equal(forward_create_state(fixture.model, &settings, 2 * tokens, &state, &error), STATUS_OK);
    ForwardInput input = {.ids = ids, .starts = starts, .count = 2 * tokens};
    assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_OK);
    ForwardHead head = {&settings, forward_hidden(state), logits};
    assert_int_equal(forward_logits(fixture.model, &head, 1, 2 * tokens, scratch, NULL, &error), STATUS_OK);
    double worst = 0.0;
    for (size_t i = 0; i < 2 * tokens * row; i++)
        worst = fmax(worst, fabs((double)logits[i] - (double)fixture.expected[i % (tokens * row)]));
    assert_true(worst / fixture.range < TOLERANCE);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    free(ids);
    free(starts);
    free(logits);
    unload(&fixture);
}

int main(void) {
    print_message("OpenBLAS %s, kernels %s\n", blas_library_core_name(), kernels_get()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_transformers_for_every_model),
        cmocka_unit_test(results_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(packed_sequences_do_not_see_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
