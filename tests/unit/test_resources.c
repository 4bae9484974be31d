/*
 * What a preview takes of memory beside the mapped files: base, SFT and W over a vocabulary of Qwen's size
 * (151,936), whose logits for 64 positions of three models alone would be 111 MiB. The pair is 39 MB of files
 * that are there for the test only.
 */
#include "core/evaluation/evaluation.h"
#include "tests/sanitizer.h"
#include "tiny_model.h"

#include <time.h>

static const char CONFIG[] =
    "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":2,"
    "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":8,"
    "\"intermediate_size\":64,\"vocab_size\":151936,\"tie_word_embeddings\":true}";

enum { TOKENS = 256 };
static const size_t LIMIT = (size_t)300 << 20;

/* Anonymous resident memory of this process, in bytes: what is not in a file. */
static size_t measure_anonymous(void) {
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    char line[256];
    size_t kilobytes = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "RssAnon: %zu kB", &kilobytes) == 1) break;
    }
    (void)fclose(file); /* only read from */
    assert_true(kilobytes > 0);
    return kilobytes * 1024;
}

typedef struct Preview {
    const Model *model;
    size_t tokens;
    EvaluationResult base, sft, fused;
} Preview;

static Status run_preview(Job *job, void *argument, Error *error) {
    Preview *preview = argument;
    const Settings half = {.alpha = 0.5};
    int32_t ids[TOKENS];
    tiny_ids(ids, preview->tokens, 3);
    const EvaluationRow row = {.ids = ids, .count = preview->tokens, .end = preview->tokens};
    Evaluation *evaluation;
    Status status = evaluation_create(preview->model, &row, 1, 32, &evaluation, error);
    if (status != STATUS_OK) return status;
    status = evaluation_prepare(evaluation, &preview->base, &preview->sft, job, error);
    if (status == STATUS_OK) status = evaluation_measure(evaluation, &half, 1, &preview->fused, job, error);
    evaluation_free(evaluation);
    return status;
}

/* The largest figure seen while a preview of so many tokens ran, looked at every millisecond. */
static size_t find_peak(const Model *model, size_t tokens) {
    Preview preview = {.model = model, .tokens = tokens};
    Error error = {0};
    Job *job;
    size_t peak = 0;
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(job_start(job, run_preview, &preview, &error), STATUS_OK);
    while (!job_is_finished(job)) {
        const struct timespec millisecond = {0, 1000000};
        size_t now = measure_anonymous();
        if (now > peak) peak = now;
        (void)nanosleep(&millisecond, NULL); /* a shorter pause only looks sooner */
    }
    if (job_wait(job, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(preview.fused.count, tokens);
    assert_true(preview.fused.averages.entropy > 0.0);
    evaluation_free_result(&preview.base);
    evaluation_free_result(&preview.sft);
    evaluation_free_result(&preview.fused);
    job_free(job);
    return peak;
}

static void a_preview_over_a_large_vocabulary_stays_within_300_mebibytes(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static const size_t LENGTHS[] = {64, TOKENS};
    for (size_t i = 0; i < 2; i++) {
        size_t peak = find_peak(tiny.model, LENGTHS[i]);
        print_message("%zu tokens: %.0f MiB anonymous memory at most\n", LENGTHS[i],
                      (double)peak / 1048576.0);
        if (!HAS_SANITIZER) assert_true(peak < LIMIT); /* a sanitizer's own memory would be counted too */
    }
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preview_over_a_large_vocabulary_stays_within_300_mebibytes),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
