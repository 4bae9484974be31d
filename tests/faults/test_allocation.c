/*
 * Memory runs out at every single allocation of the engine, one after another: the call says so, nothing is
 * half made, and what was made before still works. (The linker puts the functions below before the allocator
 * of this program; the sanitizer build looks for leaks when it ends. Allocations of shared libraries are not
 * failed.)
 */
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_difference.h"
#include "core/chat/chat_source.h"
#include "core/drift/drift.h"
#include "core/drift/elements.h"
#include "core/evaluation/calibration.h"
#include "core/evaluation/evaluation.h"
#include "core/evaluation/evaluation_prefix.h"
#include "core/evaluation/generation.h"
#include "core/evaluation/logit_curves.h"
#include "core/export/export.h"
#include "core/files/json.h"
#include "core/fusion/settings_text.h"
#include "core/support/memory.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the allocator in between ---- */

static atomic_long calls, fail_at; /* 0: none fails */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static bool fails(void) {
    return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fail_at);
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* ---- what is opened once, with all memory there is ---- */

static Pair *pair;
static Model *model;
static Tokenizer *tokenizer;
static const Settings HALF = {.alpha = 0.5};
static const int32_t IDS[] = {31, 55, 299, 209, 222, 59, 170};
enum { COUNT = sizeof IDS / sizeof *IDS };

static void make_quantised(void) {
    static const ScratchTensor SCALED[] = {{"m.weight", DTYPE_F8_E4M3, 2, {4, 4}, 1},
                                           {"m.weight_scale_inv", DTYPE_F32, 2, {1, 1}, 2},
                                           {"m.input_scale", DTYPE_F32, 1, {1}, 3}};
    static const ScratchTensor CODES[] = {{"m.qweight", DTYPE_I32, 2, {4, 4}, 1},
                                          {"m.g_idx", DTYPE_I32, 1, {4}, 2}};
    scratch_write_checkpoint("scaled", SCALED, 3, "{\"quantization_config\":{\"quant_method\":\"fp8\"}}");
    scratch_write_checkpoint("codes", CODES, 2, "{}");
    scratch_write_text("codes/quantize_config.json", "{\"bits\":4}");
}

/* Directories with a link to a golden file of torch.save(). */
static bool make_pickled(void) {
    static const char *const NAMES[][2] = {{"pickled", "views"}, {"nested", "refused-nested"}};
    bool is_made = true;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *target = memory_format("%s/golden/torch/%s.bin", TESTS_DIR, NAMES[i][1]);
        char *link = memory_format("%s/%s/pytorch_model.bin", scratch, NAMES[i][0]);
        is_made = is_made && mkdir(scratch_path(NAMES[i][0]), 0700) == 0 && symlink(target, link) == 0;
        free(link);
        free(target);
    }
    return is_made;
}

static int open_all(void **state) {
    Error error = {0};
    if (scratch_make(state) != 0) return -1;
    make_quantised();
    if (!make_pickled()) return -1;
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

typedef Status (*Scenario)(Error *error);

/* Runs it with the first, the second, … allocation failing, until none does. `may_do_without`: a block that is only to
 * become smaller may stay as it is. */
static void fail_each_but(const char *name, Scenario scenario, bool may_do_without) {
    long n = 0;
    for (bool reached = true; reached;) {
        Error error = {0};
        atomic_store(&calls, 0);
        atomic_store(&fail_at, ++n);
        Status status = scenario(&error);
        atomic_store(&fail_at, 0);
        reached = atomic_load(&calls) >= n;
        if (may_do_without && status == STATUS_OK) continue;
        if (status != (reached ? STATUS_NO_MEMORY : STATUS_OK))
            fail_msg("%s, allocation %ld: %s: %s", name, n, status_name(status), error.message);
        if (reached && strstr(error.message, "memory") == NULL)
            fail_msg("%s, allocation %ld: the message is \"%s\"", name, n, error.message);
    }
    print_message("%s: %ld allocations, each of them failed once\n", name, n - 1);
    assert_true(n > 1);
}

static void fail_each(const char *name, Scenario scenario) {
    fail_each_but(name, scenario, false);
}

/* ---- what is tried ---- */

static Status open_checkpoint(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(TESTS_DIR "/golden/models/llama", &checkpoint, error);
    assert_int_equal(checkpoint != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_int_equal(checkpoint->model_status, STATUS_OK);
    checkpoint_close(checkpoint);
    return status;
}

static Status open_packed(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(TESTS_DIR "/golden/packed/nvfp4", &checkpoint, error);
    assert_int_equal(checkpoint != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_int_equal(checkpoint->quantization.packed, 1);
    checkpoint_close(checkpoint);
    return status;
}

static Status open_pickled(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(scratch_path("pickled"), &checkpoint, error);
    assert_int_equal(checkpoint != NULL, status == STATUS_OK);
    checkpoint_close(checkpoint);
    return status;
}

/* The command in the message is made last. */
static Status refuse_pickled(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(scratch_path("nested"), &checkpoint, error);
    assert_null(checkpoint);
    if (status == STATUS_NO_MEMORY) return status;
    assert_int_equal(status, STATUS_UNSUPPORTED);
    assert_non_null(strstr(error->message, "makes one"));
    return STATUS_OK;
}

static Status open_shards(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(TESTS_DIR "/golden/models/llama-bf16-sharded", &checkpoint, error);
    assert_int_equal(checkpoint != NULL, status == STATUS_OK);
    checkpoint_close(checkpoint);
    return status;
}

/* Codes with scales, and codes that are refused: tensors move, sentences are made. */
static Status open_quantised(const char *name, QuantizationKind kind, Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(name, &checkpoint, error);
    assert_int_equal(checkpoint != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_int_equal(checkpoint->quantization.kind, kind);
    checkpoint_close(checkpoint);
    return status;
}

static Status open_scaled(Error *error) {
    return open_quantised(scratch_path("scaled"), QUANTIZATION_SCALED, error);
}

static Status open_codes(Error *error) {
    return open_quantised(scratch_path("codes"), QUANTIZATION_CODES, error);
}

/* What is no model is known by what lies in it, which takes memory too. */
static Status refuse_directory(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(TESTS_DIR "/golden/models", &checkpoint, error);
    assert_null(checkpoint);
    return status == STATUS_ARGUMENT ? STATUS_OK : status;
}

static Status refuse_what_is_not_known(Error *error) {
    Checkpoint *checkpoint;
    Status status = checkpoint_open(TESTS_DIR "/fuzz", &checkpoint, error);
    assert_null(checkpoint);
    return status == STATUS_FORMAT ? STATUS_OK : status;
}

static Status open_model(Error *error) {
    Model *opened;
    Status status = model_open(pair, &opened, error);
    assert_int_equal(opened != NULL, status == STATUS_OK);
    model_close(opened);
    return status;
}

static Status open_adapter(const char *base, const char *adapter, Error *error) {
    Pair *opened;
    Status status = pair_open(base, adapter, &opened, error);
    assert_int_equal(opened != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_non_null(opened->sft->adapter);
    pair_close(opened);
    return status;
}

#define ADAPTERS TESTS_DIR "/golden/adapters/"

static Status open_adapter_of_experts(Error *error) {
    return open_adapter(ADAPTERS "bases/qwen3-moe", ADAPTERS "experts", error);
}

/* Factors that are turned round, norms of columns, a head that is added, tokens. */
static Status open_adapter_of_embedding(Error *error) {
    return open_adapter(ADAPTERS "bases/llama", ADAPTERS "dora-embedding", error);
}

static Status open_adapter_that_unties(Error *error) {
    return open_adapter(ADAPTERS "bases/llama-tied", ADAPTERS "whole-embedding-tied", error);
}

static Status open_adapter_of_tokens(Error *error) {
    return open_adapter(ADAPTERS "bases/llama", ADAPTERS "tokens", error);
}

/* Two checkpoints that mismatch: findings are allocated too. */
static Status open_pair_with_findings(Error *error) {
    Pair *opened;
    Status status = pair_open(TESTS_DIR "/golden/models/llama", TESTS_DIR "/golden/models/llama-tied-bias",
                              &opened, error);
    assert_int_equal(opened != NULL, status == STATUS_OK);
    if (status == STATUS_OK) assert_true(opened->findings.count > 0);
    pair_close(opened);
    return status;
}

static char tokenizer_directory[] = "/tmp/rejuv-test-XXXXXX";

static int make_tokenizer_directory(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
    } FILES[] = {
        {"tokenizer.json",
         "{\"added_tokens\":[{\"id\":1,\"content\":\"<s>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
         "\"normalized\":false,\"special\":true}],\"normalizer\":{\"type\":\"NFD\"},"
         "\"model\":{\"vocab\":{\"a\":0,\"<s>\":1},\"merges\":[]}}"},
        {"tokenizer_config.json",
         "{\"tokenizer_class\":\"GPT2Tokenizer\",\"split_special_tokens\":true,\"auto_map\":{\"AutoTokenizer\":[]},"
         "\"eos_token\":null,\"unk_token\":null,\"extra_special_tokens\":[\"<s>\"],\"image_token\":\"<s>\"}"},
        {"added_tokens.json", "{\"<s>\":1}"},
        {"special_tokens_map.json", "{\"bos_token\":{\"content\":\"<s>\"}}"}};
    if (mkdtemp(tokenizer_directory) == NULL) return -1;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", tokenizer_directory, FILES[i].name);
        FILE *file = fopen(path, "w");
        if (file == NULL || fputs(FILES[i].text, file) < 0 || fclose(file) != 0) return -1;
    }
    return 0;
}

static int remove_tokenizer_directory(void **state) {
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf -- %s", tokenizer_directory);
    return system(command);
}

/* A class that replaces parts, with names in every file. */
static Status open_tokenizer_directory(Error *error) {
    Tokenizer *opened;
    Status status = tokenizer_open_directory(tokenizer_directory, TOKENIZER_BY_CLASS, &opened, error);
    assert_int_equal(opened != NULL, status == STATUS_OK);
    if (opened != NULL) assert_non_null(tokenizer_remark(opened, 2));
    tokenizer_free(opened);
    return status;
}

/* What is read in place of a tokenizer.json, each beside the configuration that makes the most of it. */
static const struct {
    const char *name, *files[2][2], *settings; /* files: of tests/, or a text; under which name */
} SOURCES[] = {
    {"merging",
     {{"fuzz/corpus/tokenizer_model/merging", "tokenizer.model"}},
     "{\"added_tokens_decoder\":{\"5\":{\"content\":\"<x>\"}},\"add_bos_token\":true}"},
    {"class",
     {{"fuzz/corpus/tokenizer_model/plain", "tokenizer.model"}},
     "{\"tokenizer_class\":\"LlamaTokenizer\"}"},
    {"fairseq",
     {{"fuzz/corpus/tokenizer_model/unigram", "tokenizer.model"}},
     "{\"tokenizer_class\":\"XLMRobertaTokenizer\"}"},
    {"ids",
     {{"fuzz/corpus/tokenizer_model/unigram", "spiece.model"}},
     "{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":2}"},
    {"albert",
     {{"fuzz/corpus/tokenizer/albert", "tokenizer.json"}},
     "{\"tokenizer_class\":\"AlbertTokenizer\",\"cls_token\":\"<s>\"}"},
    {"tekken",
     {{"{\"config\":{\"pattern\":\"[a-zA-Z]+\",\"default_vocab_size\":8,\"default_num_special_tokens\":3},"
       "\"special_tokens\":[{\"rank\":0,\"token_str\":\"<s>\"}],\"vocab\":[{\"token_bytes\":\"SA==\"},"
       "{\"token_bytes\":\"ZQ==\"},{\"token_bytes\":\"bA==\"},{\"token_bytes\":\"SGU=\"},{\"token_bytes\":\"bGw=\"}]}",
       "tekken.json"}},
     "{\"bos_token\":\"<s>\",\"add_bos_token\":true}"},
    {"merges",
     {{"{\"H\":0,\"e\":1,\"He\":2}", "vocab.json"}, {"#version: 0.2\nH e\n", "merges.txt"}},
     "{\"tokenizer_class\":\"GPT2Tokenizer\"}"}};
static size_t source_number;

static void make_source(size_t number) {
    char name[64], *bytes;
    size_t count;
    source_number = number;
    (void)mkdir(scratch_path(SOURCES[number].name), 0777); /* it is there in the next round */
    for (size_t i = 0; i < 2 && SOURCES[number].files[i][0] != NULL; i++) {
        const char *stored = SOURCES[number].files[i][0];
        (void)snprintf(name, sizeof name, "%s/%s", SOURCES[number].name, SOURCES[number].files[i][1]);
        if (strncmp(stored, "fuzz/", 5) != 0) {
            scratch_write_text(name, stored);
            continue;
        }
        char *path = memory_format("%s/%s", TESTS_DIR, stored);
        assert_int_equal(json_read_text(path, 1 << 20, &bytes, &count, NULL), STATUS_OK);
        scratch_write(name, bytes, count);
        free(path);
        free(bytes);
    }
    (void)snprintf(name, sizeof name, "%s/tokenizer_config.json", SOURCES[number].name);
    scratch_write_text(name, SOURCES[number].settings);
}

static Status open_source(Error *error) {
    static const char TEXT[] = "e\u0301 Hello\t";
    Tokenizer *opened;
    TokenList ids = {0};
    Status status = tokenizer_open_directory(scratch_path(SOURCES[source_number].name), TOKENIZER_BY_CLASS,
                                             &opened, error);
    assert_int_equal(opened != NULL, status == STATUS_OK);
    if (status == STATUS_OK) status = tokenizer_encode(opened, TEXT, sizeof TEXT - 1, true, &ids, error);
    token_list_free(&ids);
    tokenizer_free(opened);
    return status;
}

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

/* Templates of a directory, a conversation, its text with the places of its turns. */
static Status render_chat(Error *error) {
    static const char TALK[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\","
        "\"content\":\"b\"}],\"tools\":[{\"name\":\"f\"}]}";
    ChatSource *source = NULL;
    ChatConversation *conversation = NULL;
    const ChatTemplate *template = NULL;
    ChatRendering rendering = {0};
    ChatRequest request = {.spans = CHAT_SPANS_BY_TEMPLATE};
    Status status = chat_source_open(TESTS_DIR "/golden/chat/directory", &source, error);
    if (status == STATUS_OK) status = chat_conversation_read(TALK, sizeof TALK - 1, &conversation, error);
    if (status == STATUS_OK) {
        request.conversation = conversation;
        request.variables = chat_source_variables(source, &request.variable_count);
        status = chat_source_choose(source, NULL, true, &template, error);
    }
    if (status == STATUS_OK) status = chat_render(template, &request, &rendering, error);
    if (status == STATUS_OK) assert_string_equal(rendering.text, "tools:[{\"name\": \"f\"}]ab");
    chat_rendering_free(&rendering);
    chat_conversation_free(conversation);
    chat_source_close(source);
    return status;
}

/* A curve from text to a recipe and back. */
/* Of templates and special tokens that differ. */
static Status compare_templates(Error *error) {
    FindingList findings = {0};
    Status status =
        chat_difference_warn(TESTS_DIR "/golden/chat/directory", scratch_path("other"), &findings, error);
    finding_free(&findings);
    return status;
}

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

static void opening_a_checkpoint_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("checkpoint_open", open_checkpoint);
    fail_each("checkpoint_open, shards", open_shards);
    fail_each("checkpoint_open, codes with scales", open_scaled);
    fail_each("checkpoint_open, codes", open_codes);
    fail_each("checkpoint_open, codes of 4 bits", open_packed);
    fail_each("checkpoint_open, a pickle", open_pickled);
    fail_each("checkpoint_open, a pickle of more than tensors", refuse_pickled);
    fail_each("checkpoint_open, several models", refuse_directory);
    fail_each("checkpoint_open, no model", refuse_what_is_not_known);
}

static void opening_a_pair_and_a_model_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("pair_open", open_pair_with_findings);
    fail_each("pair_open, an adapter of experts", open_adapter_of_experts);
    fail_each("pair_open, an adapter of an embedding", open_adapter_of_embedding);
    fail_each("pair_open, an adapter that unties", open_adapter_that_unties);
    fail_each("pair_open, an adapter of tokens", open_adapter_of_tokens);
    fail_each("model_open", open_model);
}

static void opening_a_tokenizer_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each_but("tokenizer_open_directory", open_tokenizer_directory, true);
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        make_source(i);
        fail_each_but(SOURCES[i].name, open_source, true);
    }
}

static void a_chat_template_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("chat_render", render_chat);
    (void)mkdir(scratch_path("other"), 0777); /* it is there in the next round */
    scratch_write_text("other/chat_template.jinja", "{{ bos_token }}another");
    scratch_write_text("other/tokenizer_config.json", "{\"bos_token\": \"<other>\"}");
    fail_each("chat_difference_warn", compare_templates);
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

static void calibration_rows_tell_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("calibration_read, texts", read_calibration);
    fail_each("calibration_read, packed", read_calibration_packed);
    fail_each("calibration_read, ids", read_calibration_ids);
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
        cmocka_unit_test(opening_a_checkpoint_tells_that_memory_ran_out),
        cmocka_unit_test(opening_a_pair_and_a_model_tells_that_memory_ran_out),
        cmocka_unit_test_setup_teardown(opening_a_tokenizer_tells_that_memory_ran_out,
                                        make_tokenizer_directory, remove_tokenizer_directory),
        cmocka_unit_test(a_chat_template_tells_that_memory_ran_out),
        cmocka_unit_test(a_forward_pass_tells_that_memory_ran_out),
        cmocka_unit_test(an_evaluation_tells_that_memory_ran_out),
        cmocka_unit_test(a_continuation_tells_that_memory_ran_out),
        cmocka_unit_test(calibration_rows_tell_that_memory_ran_out),
        cmocka_unit_test(drift_and_elements_tell_that_memory_ran_out),
        cmocka_unit_test(an_export_plan_tells_that_memory_ran_out),
        cmocka_unit_test(a_curve_tells_that_memory_ran_out),
        cmocka_unit_test(with_several_threads_the_result_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
