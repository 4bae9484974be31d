/*
 * Memory runs out while a checkpoint, a pair, an adapter, a tokenizer or a chat template is opened: the call says so, and
 * nothing is half made (allocation_fixture.h; the sanitizer build looks for leaks when it ends).
 */
#include "allocation_fixture.h"
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_difference.h"
#include "core/chat/chat_source.h"
#include "core/checkpoint/model.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/scratch.h"

#include <unistd.h>

/* ---- checkpoints ---- */

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

static Pair *pair; /* what a model is opened of */

static int open_all(void **state) {
    Error error = {0};
    if (scratch_make(state) != 0) return -1;
    make_quantised();
    if (!make_pickled()) return -1;
    if (pair_open(TESTS_DIR "/golden/pairs/qwen3-tied/base", TESTS_DIR "/golden/pairs/qwen3-tied/sft", &pair,
                  &error) != STATUS_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return 0;
}

static int close_all(void **state) {
    (void)state;
    pair_close(pair);
    return scratch_remove(NULL);
}

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

/* ---- pairs ---- */

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

static void opening_a_pair_and_a_model_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("pair_open", open_pair_with_findings);
    fail_each("pair_open, an adapter of experts", open_adapter_of_experts);
    fail_each("pair_open, an adapter of an embedding", open_adapter_of_embedding);
    fail_each("pair_open, an adapter that unties", open_adapter_that_unties);
    fail_each("pair_open, an adapter of tokens", open_adapter_of_tokens);
    fail_each("model_open", open_model);
}

/* ---- tokenizers ---- */

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

static void opening_a_tokenizer_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each_but("tokenizer_open_directory", open_tokenizer_directory, true);
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        make_source(i);
        fail_each_but(SOURCES[i].name, open_source, true);
    }
}

/* ---- chat templates ---- */

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

/* Of templates and special tokens that differ. */
static Status compare_templates(Error *error) {
    FindingList findings = {0};
    Status status =
        chat_difference_warn(TESTS_DIR "/golden/chat/directory", scratch_path("other"), &findings, error);
    finding_free(&findings);
    return status;
}

static void a_chat_template_tells_that_memory_ran_out(void **state) {
    (void)state;
    fail_each("chat_render", render_chat);
    (void)mkdir(scratch_path("other"), 0777); /* it is there in the next round */
    scratch_write_text("other/chat_template.jinja", "{{ bos_token }}another");
    scratch_write_text("other/tokenizer_config.json", "{\"bos_token\": \"<other>\"}");
    fail_each("chat_difference_warn", compare_templates);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_a_checkpoint_tells_that_memory_ran_out),
        cmocka_unit_test(opening_a_pair_and_a_model_tells_that_memory_ran_out),
        cmocka_unit_test_setup_teardown(opening_a_tokenizer_tells_that_memory_ran_out,
                                        make_tokenizer_directory, remove_tokenizer_directory),
        cmocka_unit_test(a_chat_template_tells_that_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
