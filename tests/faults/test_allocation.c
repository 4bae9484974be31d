/*
 * Memory runs out while the engine works: the call says so, nothing is half made, and what was made before still works
 * (allocation_fixture.h; the sanitizer build looks for leaks when it ends). What is opened: test_allocation_open.c.
 */
#include "allocation_fixture.h"
#include "core/drift/drift.h"
#include "core/drift/elements.h"
#include "core/evaluation/calibration.h"
#include "core/evaluation/evaluation.h"
#include "core/evaluation/evaluation_prefix.h"
#include "core/evaluation/generation.h"
#include "core/evaluation/logit_curves.h"
#include "core/export/export.h"
#include "core/fusion/settings_text.h"
#include "core/readiness/sample_file.h"
#include "core/support/memory.h"
#include "tests/scratch.h"

#include <unistd.h>

/* ---- what is opened once, with all memory there is ---- */

static Pair *pair;
static Model *model;
static Tokenizer *tokenizer;
static const Settings HALF = {.alpha = 0.5};
static const int32_t IDS[] = {31, 55, 299, 209, 222, 59, 170};
enum { COUNT = sizeof IDS / sizeof *IDS };

static int open_all(void **state) {
    Error error = {0};
    if (scratch_make(state) != 0) return -1;
    if (pair_open(TESTS_DIR "/golden/pairs/qwen3-tied/base", TESTS_DIR "/golden/pairs/qwen3-tied/sft", &pair,
                  &error) != STATUS_OK ||
        model_open(pair, &model, &error) != STATUS_OK ||
        tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &tokenizer, &error) != STATUS_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return 0;
}

static int close_all(void **state) {
    (void)state;
    tokenizer_free(tokenizer);
    model_close(model);
    pair_close(pair);
    return scratch_remove(NULL);
}

/* ---- passes ---- */

static Status run_forward(Error *error) {
    MatmulScratch *panels = NULL;
    ForwardState *states[2] = {NULL, NULL};
    const ForwardInput input = {.ids = IDS, .count = COUNT};
    float *logits = __real_calloc(2 * forward_vocabulary(model), sizeof *logits);
    Status status = matmul_create_scratch(1, &panels, error);
    if (status == STATUS_OK) status = forward_create_state(model, &HALF, COUNT, &states[0], error);
    if (status == STATUS_OK) status = forward_create_state(model, &HALF, COUNT, &states[1], error);
    if (status == STATUS_OK) status = forward_run(states, 2, &input, panels, NULL, error);
    if (status == STATUS_OK) {
        const ForwardHead head = {&HALF, forward_hidden(states[1]), logits};
        status = forward_logits(model, &head, 1, 1, panels, NULL, error);
    } else if (states[1] != NULL) {
        assert_int_equal(forward_length(states[1]), 0); /* as before */
    }
    for (int i = 0; i < 2; i++) forward_free_state(states[i]);
    matmul_free_scratch(panels);
    free(logits);
    return status;
}

static Status evaluate(Error *error) {
    const EvaluationRow rows[] = {{.ids = IDS, .count = COUNT, .first = 2, .end = COUNT},
                                  {.ids = IDS, .count = 3, .first = 0, .end = 3}};
    const Settings settings[] = {{.alpha = 0.25}, {.alpha = 0.75}};
    EvaluationResult base = {0}, sft = {0}, results[2] = {0};
    Evaluation *evaluation = NULL;
    Status status = evaluation_create(model, rows, 2, 3, &evaluation, error);
    if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, NULL, error);
    if (status == STATUS_OK) status = evaluation_measure(evaluation, settings, 2, results, NULL, error);
    if (status != STATUS_OK) assert_true(results[0].positions == NULL && results[1].hidden == NULL);
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    for (int i = 0; i < 2; i++) evaluation_free_result(&results[i]);
    evaluation_free(evaluation);
    return status;
}

static Status measure_curves(Error *error) {
    enum { POINTS = 5 };
    const EvaluationRow row = {.ids = IDS, .count = COUNT, .first = 2, .end = COUNT};
    const Settings half = {.alpha = 0.5};
    Settings settings[POINTS];
    EvaluationResult base = {0}, sft = {0}, results[POINTS] = {0};
    Evaluation *evaluation = NULL;
    LogitCurves *curves = NULL;
    LogitEstimate estimate = {0};
    logit_curves_list_points(&half, POINTS, settings);
    Status status = evaluation_create(model, &row, 1, 3, &evaluation, error);
    if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, NULL, error);
    if (status == STATUS_OK)
        status = logit_curves_measure(evaluation, settings, POINTS, results, &curves, NULL, error);
    assert_int_equal(curves != NULL, status == STATUS_OK);
    if (status == STATUS_OK) status = logit_curves_estimate(curves, &half, &estimate, error);
    logit_curves_free_estimate(&estimate);
    logit_curves_free(curves);
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    for (int i = 0; i < POINTS; i++) evaluation_free_result(&results[i]);
    evaluation_free(evaluation);
    return status;
}

/* The same text twice, kept in between: where figures cannot be kept they are made again. */
static Status continue_text(Error *error) {
    const EvaluationRow row = {.ids = IDS, .count = COUNT, .end = COUNT};
    const Settings half = {.alpha = 0.5};
    EvaluationPrefix *prefix = NULL;
    Status status = evaluation_prefix_create(&prefix, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        EvaluationResult base = {0}, sft = {0}, fused = {0};
        Evaluation *evaluation = NULL;
        status = evaluation_create(model, &row, 1, 3, &evaluation, error);
        if (status == STATUS_OK) {
            evaluation_prefix_attach(prefix, evaluation);
            status = evaluation_prepare(evaluation, &base, &sft, NULL, error);
        }
        if (status == STATUS_OK) status = evaluation_measure(evaluation, &half, 1, &fused, NULL, error);
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free_result(&fused);
        evaluation_free(evaluation);
    }
    evaluation_prefix_free(prefix);
    return status;
}

static Status generate(Error *error) {
    int32_t out[3];
    size_t generated;
    const GenerationOptions options = {.tokens = 3};
    Status status =
        generation_run(model, &HALF, IDS, COUNT, &options, NULL, NULL, out, &generated, NULL, error);
    if (status == STATUS_OK) assert_int_equal(generated, 3);
    return status;
}

static void a_forward_pass_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("forward_run", run_forward);
}

static void an_evaluation_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("evaluation", evaluate);
    fail_each("logit_curves_measure", measure_curves);
    fail_each_but("evaluation_prefix", continue_text, true);
}

static void a_continuation_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("generation_run", generate);
}

/* ---- rows ---- */

static Status read_calibration(Error *error) {
    Calibration *calibration;
    const ModelConfig config = {.vocabulary = 512, .eos = {509}, .eos_count = 1};
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &config, .limit = 3};
    Status status =
        calibration_read(TESTS_DIR "/demo/calibration.jsonl", &reading, NULL, &calibration, error);
    assert_int_equal(calibration != NULL, status == STATUS_OK);
    calibration_free(calibration);
    return status;
}

static Status read_calibration_packed(Error *error) {
    static const char *const NAMES[] = {"gzip", "zstd", "array"};
    const ModelConfig config = {.vocabulary = 512, .eos = {509}, .eos_count = 1};
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &config};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && status == STATUS_OK; i++) {
        char path[1024];
        Calibration *calibration;
        (void)snprintf(path, sizeof path, "%s/fuzz/corpus/calibration/%s", TESTS_DIR, NAMES[i]);
        status = calibration_read(path, &reading, NULL, &calibration, error);
        calibration_free(calibration);
    }
    return status;
}

static Status read_calibration_ids(Error *error) {
    Calibration *calibration;
    const CalibrationReading reading = {.config = model->config};
    Status status = calibration_read(TESTS_DIR "/golden/pairs/qwen3-tied/calibration.jsonl", &reading, NULL,
                                     &calibration, error);
    EvaluationRow *rows = status == STATUS_OK ? calibration_list_positions(calibration, true) : NULL;
    if (status == STATUS_OK && rows == NULL) status = memory_fail(error, "positions");
    free(rows);
    calibration_free(calibration);
    return status;
}

static const char *samples_path;

/* Every form that a sample may have: texts, ids, several outputs, a dump, one text twice. */
static Status read_samples(Error *error) {
    SampleFile file;
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = model->config};
    Status status = sample_file_read(samples_path, &reading, NULL, &file, error);
    if (status == STATUS_OK) assert_int_equal(file.set.count, 5);
    sample_file_free(&file);
    return status;
}

static void samples_tell_that_memory_ran_out(void **state) {
    (void)state;
    scratch_write_text(
        "samples.jsonl",
        "{\"prompt\": \"a\", \"input\": \"a\", \"response\": \"b\", \"answer\": 4}\n"
        "{\"prompt\": 1, \"prompt_text\": \"one\", \"prompt_ids\": [1, 2], \"response_ids\": [3], \"reward\": true}\n"
        "{\"prompt\": \"b\", \"outputs\": [{\"text\": \"c\"}, {\"text\": \"d\", \"score\": 1}]}\n"
        "{\"prompt\": \"c\", \"outputs\": [\"d\"], \"text\": \"d\"}\n"
        "{\"input\": \"d\", \"output\": \"e\", \"gts\": \"4\", \"score\": 1.0, \"step\": 7}\n");
    samples_path = scratch_path("samples.jsonl");
    fail_each("sample_file_read", read_samples);
}

static void calibration_rows_tell_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("calibration_read, texts", read_calibration);
    fail_each("calibration_read, packed", read_calibration_packed);
    fail_each("calibration_read, ids", read_calibration_ids);
}

/* ---- drift, exports, curves ---- */

static Status scan_drift(Error *error) {
    DriftTable *table = NULL;
    Status status = drift_table_create(pair, &table, error);
    if (status == STATUS_OK) status = drift_scan(pair, table, NULL, error);
    drift_table_free(table);
    return status;
}

static Status pool_elements(Error *error) {
    const ElementsRequest request = {.tensor = model->whole.tensors[TENSOR_EMBEDDING],
                                     .source = ELEMENTS_FUSED,
                                     .settings = HALF,
                                     .rows = 20,
                                     .columns = 20,
                                     .grid_rows = 5,
                                     .grid_columns = 5,
                                     .bins = 8};
    ElementsMap map = {0};
    Status status = elements_pool(&request, &map, NULL, error);
    elements_free(&map);
    return status;
}

static Status plan_export(Error *error) {
    const ExportOptions options = {.settings = HALF, .directory = "/tmp/rejuv-never-written"};
    ExportPlan *plan;
    Status status = export_plan(pair, &options, &plan, error);
    assert_int_equal(plan != NULL, status == STATUS_OK);
    export_plan_free(plan);
    return status;
}

static void drift_and_elements_tell_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("drift_scan", scan_drift);
    fail_each("elements_pool", pool_elements);
}

static void an_export_plan_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("export_plan", plan_export);
}

/* A curve from text to a recipe and back. */
static Status keep_curve(Error *error) {
    SettingsCurve *line = NULL, *list = NULL;
    Recipe *recipe = NULL;
    char *layers = NULL, *text = NULL;
    Status status = settings_text_read_layers("0.4:0.6", 300, &line, error);
    if (status == STATUS_OK) status = settings_text_read_layers("0.1,0.7,0.2", 3, &list, error);
    if (status == STATUS_OK && (layers = settings_text_format_layers(list)) == NULL)
        status = memory_fail(error, "weights of layers");
    if (status == STATUS_OK) assert_string_equal(layers, "0.1,0.7,0.2");
    if (status == STATUS_OK) status = recipe_create(&recipe, error);
    if (status == STATUS_OK) recipe->settings.curve = line;
    if (status == STATUS_OK) status = recipe_format(recipe, &text, error);
    recipe_free(recipe);
    settings_curve_free(line);
    settings_curve_free(list);
    free(layers);
    free(text);
    return status;
}

static char recipe_path[] = "/tmp/rejuv-recipe-XXXXXX";

static Status read_recipe(Error *error) {
    Recipe *recipe;
    Status status = recipe_read(recipe_path, &recipe, error);
    assert_int_equal(recipe != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_int_equal(recipe->settings.curve->count, 3);
    recipe_free(recipe);
    return status;
}

static void a_curve_tells_that_memory_ran_out(void **state) {
    (void)state;
    static const char RECIPE[] =
        "{\"format\":\"rejuv-recipe\",\"format_version\":1,\"rejuv_version\":\"0\","
        "\"settings\":{\"alpha\":0.5,\"layer_alpha\":[0.1,0.7,0.2]},"
        "\"output\":{\"dtype\":\"keep\",\"shard_bytes\":1,\"donor\":\"sft\"},"
        "\"inputs\":{\"base\":{\"directory\":\"b\",\"files\":[]},\"sft\":{\"directory\":\"s\",\"files\":[]}},"
        "\"tensors\":[],\"files\":[]}";
    fail_each("settings_curve", keep_curve);
    int file = mkstemp(recipe_path);
    assert_true(file >= 0 && write(file, RECIPE, sizeof RECIPE - 1) == (ssize_t)sizeof RECIPE - 1);
    assert_int_equal(close(file), 0);
    fail_each("recipe_read", read_recipe);
    assert_int_equal(unlink(recipe_path), 0);
}

/* ---- threads ---- */

/* With helpers, a thread that cannot be hired only makes it slower: the result is whole or there is none. */
static void with_several_threads_the_result_is_whole_or_none(void **state) {
    (void)state;
    const EvaluationRow row = {.ids = IDS, .count = COUNT, .end = COUNT};
    for (long n = 1; n < 400; n++) {
        Evaluation *evaluation = NULL;
        EvaluationResult base = {0}, sft = {0}, fused = {0};
        Job *job = NULL;
        Error error = {0};
        atomic_store(&calls, 0);
        atomic_store(&fail_at, n);
        Status status = job_create(3, NULL, NULL, &job, &error);
        if (status == STATUS_OK) status = evaluation_create(model, &row, 1, 3, &evaluation, &error);
        if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, job, &error);
        if (status == STATUS_OK) status = evaluation_measure(evaluation, &HALF, 1, &fused, job, &error);
        atomic_store(&fail_at, 0);
        if (status == STATUS_OK)
            assert_int_equal(fused.count, COUNT);
        else
            assert_int_equal(status, STATUS_NO_MEMORY);
        evaluation_free_result(&base);
        evaluation_free_result(&sft);
        evaluation_free_result(&fused);
        evaluation_free(evaluation);
        job_free(job);
        if (atomic_load(&calls) < n) {
            assert_int_equal(status, STATUS_OK);
            return;
        }
    }
    fail_msg("more than 400 allocations for one evaluation");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forward_pass_tells_that_memory_ran_out),
        cmocka_unit_test(an_evaluation_tells_that_memory_ran_out),
        cmocka_unit_test(a_continuation_tells_that_memory_ran_out),
        cmocka_unit_test(calibration_rows_tell_that_memory_ran_out),
        cmocka_unit_test(samples_tell_that_memory_ran_out),
        cmocka_unit_test(drift_and_elements_tell_that_memory_ran_out),
        cmocka_unit_test(an_export_plan_tells_that_memory_ran_out),
        cmocka_unit_test(a_curve_tells_that_memory_ran_out),
        cmocka_unit_test(with_several_threads_the_result_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
