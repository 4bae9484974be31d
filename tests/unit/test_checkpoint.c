/*
 * Directories: single files and shards, what the index may and may not say, and what config.json is
 * understood as.
 */
#include "core/checkpoint/pair.h"
#include "core/drift/drift.h"
#include "core/fusion/blend.h"
#include "core/fusion/settings.h"
#include "scratch.h"

#define ONE_TENSOR "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"

static void must_refuse(const char *name, Status status, const char *words) {
    char *path = scratch_path(name);
    Error error = {0};
    Checkpoint *checkpoint;
    assert_int_equal(checkpoint_open(path, &checkpoint, &error), status);
    assert_null(checkpoint);
    if (strstr(error.message, words) == NULL) fail_msg("expected \"%s\" in: %s", words, error.message);
    free(path);
}

static Checkpoint *must_open(const char *name) {
    char *path = scratch_path(name);
    Error error = {0};
    Checkpoint *checkpoint;
    if (checkpoint_open(path, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return checkpoint;
}

static void make(const char *name) {
    char *path = scratch_path(name);
    free(path);
}

static void what_is_no_model_directory_is_explained(void **state) {
    (void)state;
    must_refuse("nowhere", STATUS_IO, "No such file");
    make("empty/");
    must_refuse("empty", STATUS_FORMAT, "found neither");
    scratch_write_text("file", "x");
    must_refuse("file", STATUS_ARGUMENT, "expected a model directory");
}

static void an_index_may_not_leave_the_directory(void **state) {
    (void)state;
    static const char *const NAMES[] = {"../secret.safetensors", "/etc/x.safetensors", "a/b.safetensors",
                                        ".hidden.safetensors", "model.bin"};
    make("index/");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"weight_map\":{\"t\":\"%s\"}}", NAMES[i]);
        scratch_write_text("index/model.safetensors.index.json", text);
        must_refuse("index", STATUS_FORMAT, "in this directory");
    }
}

static void an_index_must_tell_the_truth(void **state) {
    (void)state;
    make("sharded/");
    scratch_write_safetensors("sharded/a.safetensors",
                              "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    scratch_write_safetensors("sharded/b.safetensors",
                              "{\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    scratch_write_text("sharded/model.safetensors.index.json",
                       "{\"weight_map\":{\"y\":\"b.safetensors\",\"x\":\"a.safetensors\"}}");
    Checkpoint *checkpoint = must_open("sharded");
    assert_true(checkpoint->is_sharded);
    assert_int_equal(checkpoint->file_count, 2);
    assert_string_equal(checkpoint->tensors[0].name, "x");
    assert_ptr_equal(checkpoint_find_tensor(checkpoint, "y"), &checkpoint->tensors[1]);
    assert_null(checkpoint_find_tensor(checkpoint, "z"));
    checkpoint_close(checkpoint);
    scratch_write_text("sharded/model.safetensors.index.json",
                       "{\"weight_map\":{\"y\":\"a.safetensors\",\"x\":\"b.safetensors\"}}");
    must_refuse("sharded", STATUS_FORMAT, "but it is in");
    scratch_write_text("sharded/model.safetensors.index.json",
                       "{\"weight_map\":{\"z\":\"a.safetensors\",\"x\":\"a.safetensors\"}}");
    must_refuse("sharded", STATUS_FORMAT, "but it is not");
    scratch_write_text("sharded/model.safetensors.index.json", "{\"weight_map\":{\"x\":\"c.safetensors\"}}");
    must_refuse("sharded", STATUS_IO, "c.safetensors");
    scratch_write_text("sharded/model.safetensors.index.json", "{\"weight_map\":[]}");
    must_refuse("sharded", STATUS_FORMAT, "weight_map");
}

static void a_tensor_in_two_shards_is_refused(void **state) {
    (void)state;
    make("twice/");
    scratch_write_safetensors("twice/a.safetensors",
                              "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    scratch_write_safetensors("twice/b.safetensors",
                              "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                              "\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                              2);
    scratch_write_text("twice/model.safetensors.index.json",
                       "{\"weight_map\":{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}}");
    must_refuse("twice", STATUS_FORMAT, "both in");
}

/* ---- config.json ---- */

#define SIZES                                                                                                \
    "\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,\"intermediate_size\":96,\"vocab_size\":32"

static ModelConfig read_config(const char *text, Status expected, const char *words) {
    cJSON *json;
    Error error = {0};
    ModelConfig config;
    assert_int_equal(json_parse(text, strlen(text), "config.json", &json, &error), STATUS_OK);
    Status status = architecture_read_config(json, "config.json", &config, &error);
    if (status != expected || (status != STATUS_OK && strstr(error.message, words) == NULL))
        fail_msg("expected %s with \"%s\", got %s: %s", status_name(expected), words, status_name(status),
                 error.message);
    cJSON_Delete(json);
    return config;
}

static void a_config_alone_does_not_stop_a_directory_from_opening(void **state) {
    (void)state;
    make("odd/");
    scratch_write_safetensors("odd/model.safetensors", ONE_TENSOR, 8);
    Checkpoint *checkpoint = must_open("odd");
    assert_int_equal(checkpoint->model_status, STATUS_FORMAT);
    assert_non_null(strstr(checkpoint->model_error.message, "no config.json"));
    checkpoint_close(checkpoint);
    scratch_write_text("odd/config.json", "{\"model_type\":\"abacus\"}");
    checkpoint = must_open("odd");
    assert_int_equal(checkpoint->model_status, STATUS_UNSUPPORTED);
    assert_non_null(strstr(checkpoint->model_error.message, "\"abacus\""));
    checkpoint_close(checkpoint);
}

static void both_spellings_of_a_config_mean_the_same(void **state) {
    (void)state;
    ModelConfig old = read_config("{\"model_type\":\"llama\"," SIZES
                                  ",\"rope_theta\":5e5,\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}}",
                                  STATUS_OK, "");
    ModelConfig new =
        read_config("{\"model_type\":\"llama\"," SIZES
                    ",\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":5e5}}",
                    STATUS_OK, "");
    assert_memory_equal(&old.ropes[0], &new.ropes[0], sizeof old.ropes[0]);
    assert_int_equal(old.kv_heads, 4); /* llama's default: as many as heads */
    assert_int_equal(old.head_dim, 16);
}

static void what_is_not_known_is_refused_by_name(void **state) {
    (void)state;
    (void)read_config("{\"model_type\":\"llama\"," SIZES
                      ",\"rope_scaling\":{\"rope_type\":\"longrope\",\"factor\":4}}",
                      STATUS_FORMAT, "short_factor");
    (void)read_config("{\"model_type\":\"llama\"," SIZES ",\"hidden_act\":\"prelu\"}", STATUS_UNSUPPORTED,
                      "\"prelu\"");
    (void)read_config("{\"model_type\":\"llama\"," SIZES
                      ",\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2,"
                      "\"partial_rotary_factor\":0.5}}",
                      STATUS_UNSUPPORTED, "partial_rotary_factor");
    (void)read_config(
        "{\"model_type\":\"qwen2\"," SIZES
        ",\"num_key_value_heads\":2,\"layer_types\":[\"full_attention\",\"chunked_attention\"]}",
        STATUS_UNSUPPORTED, "chunked_attention");
    (void)read_config("{\"model_type\":\"llama\"," SIZES
                      ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8}}",
                      STATUS_FORMAT, "low_freq_factor");
    (void)read_config("{\"model_type\":\"llama\"}", STATUS_FORMAT, "hidden_size");
    (void)read_config("{\"model_type\":\"llama\"," SIZES ",\"num_key_value_heads\":3}", STATUS_FORMAT,
                      "multiple");
    (void)read_config("{\"model_type\":\"llama\"," SIZES ",\"head_dim\":99999999999}", STATUS_FORMAT,
                      "head_dim");
    (void)read_config("{}", STATUS_FORMAT, "model_type");
}

static void layers_slide_as_each_family_says(void **state) {
    (void)state;
    ModelConfig mistral =
        read_config("{\"model_type\":\"mistral\"," SIZES ",\"num_key_value_heads\":2,\"sliding_window\":8}",
                    STATUS_OK, "");
    assert_true(architecture_slides(&mistral, 0) && architecture_slides(&mistral, 1));
    mistral = read_config("{\"model_type\":\"mistral\"," SIZES
                          ",\"num_key_value_heads\":2,\"sliding_window\":null}",
                          STATUS_OK, "");
    assert_false(architecture_slides(&mistral, 0));
    ModelConfig qwen = read_config(
        "{\"model_type\":\"qwen2\"," SIZES
        ",\"num_key_value_heads\":2,\"use_sliding_window\":true,\"sliding_window\":8,\"max_window_layers\":1}",
        STATUS_OK, "");
    assert_false(architecture_slides(&qwen, 0));
    assert_true(architecture_slides(&qwen, 1));
    qwen = read_config("{\"model_type\":\"qwen2\"," SIZES
                       ",\"num_key_value_heads\":2,\"sliding_window\":8,\"max_window_layers\":1}",
                       STATUS_OK, "");
    assert_false(architecture_slides(&qwen, 1)); /* use_sliding_window is off unless stated */
}

static TensorRole role_of(const char *name, int *layer) {
    TensorName found = tensor_name_read(name, 2);
    *layer = found.layer;
    return found.role;
}

static void the_names_that_run_lead_back_to_their_roles(void **state) {
    (void)state;
    int layer, named = 0;
    for (int role = TENSOR_OTHER + 1; role < TENSOR_ROLE_COUNT; role++) {
        bool layered = tensor_role_is_layered((TensorRole)role);
        char name[128];
        if (!architecture_name_tensor((TensorRole)role, layered ? 17 : -1, name, sizeof name)) continue;
        assert_int_equal(role_of(name, &layer), role);
        assert_int_equal(layer, layered ? 17 : -1);
        named++;
    }
    assert_int_equal(named, 33); /* with the four of latent attention */
    assert_int_equal(role_of("model.layers.x.mlp.up_proj.weight", &layer), TENSOR_OTHER);
    assert_int_equal(role_of("model.layers.99999999999.mlp.up_proj.weight", &layer), TENSOR_OTHER);
    assert_int_equal(role_of("", &layer), TENSOR_OTHER);
}

/* ---- pairs ---- */

static const Finding *find_about(const Pair *pair, const char *subject) {
    for (size_t i = 0; i < pair->findings.count; i++) {
        if (strcmp(pair->findings.items[i].subject, subject) == 0) return &pair->findings.items[i];
    }
    return NULL;
}

static Pair *open_pair(const char *base_header, size_t base_bytes, const char *sft_header, size_t sft_bytes) {
    make("base/");
    make("sft/");
    scratch_write_safetensors("base/model.safetensors", base_header, base_bytes);
    scratch_write_safetensors("sft/model.safetensors", sft_header, sft_bytes);
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    Error error = {0};
    Pair *pair;
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    return pair;
}

static void every_mismatch_is_named_tensor_by_tensor(void **state) {
    (void)state;
    Pair *pair = open_pair(
        "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"model.layers.0.mlp.up_proj.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]}}",
        24,
        "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
        "\"model.layers.0.mlp.gate_proj.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]},"
        "\"extra\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]}}",
        24);
    assert_int_equal(find_about(pair, "model.norm.weight")->severity, SEVERITY_ERROR);
    assert_int_equal(find_about(pair, "model.layers.0.mlp.gate_proj.weight")->severity, SEVERITY_WARNING);
    assert_int_equal(find_about(pair, "model.layers.0.mlp.up_proj.weight")->severity, SEVERITY_WARNING);
    assert_int_equal(find_about(pair, "extra")->severity, SEVERITY_NOTE);
    Error error;
    assert_int_equal(pair_check(pair, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "2 mismatches")); /* the shape, and that nothing is left to blend */
    pair_close(pair);
}

static void an_enlarged_vocabulary_is_no_mismatch(void **state) {
    (void)state;
    Pair *pair = open_pair(
        "{\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16,
        "{\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]}}", 24);
    assert_int_equal(find_about(pair, "model.embed_tokens.weight")->severity, SEVERITY_NOTE);
    assert_int_equal(pair_check(pair, NULL), STATUS_OK);
    assert_true(pair->tensors[0].is_fused);
    pair_close(pair);
}

static void what_only_ends_alike_does_not_meet(void **state) {
    (void)state;
    Pair *pair = open_pair(
        "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"classifier.dense.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]}}",
        24,
        "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"pooler.dense.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]}}",
        24);
    assert_null(pair_find_tensor(pair, "pooler.dense.weight")->base);
    pair_close(pair);
}

/* convert_llama_weights_to_hf.py of transformers 5.24.0 permutes the rows of wq and wk: the same shape, another matrix. */
static void what_another_format_permutes_does_not_meet(void **state) {
    (void)state;
    Pair *pair = open_pair(
        "{\"layers.0.attention.wq.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"layers.0.attention.wv.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}",
        32,
        "{\"model.layers.0.self_attn.q_proj.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"model.layers.0.self_attn.v_proj.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}",
        32);
    assert_null(pair_find_tensor(pair, "model.layers.0.self_attn.q_proj.weight")->base);
    assert_non_null(pair_find_tensor(pair, "model.layers.0.self_attn.v_proj.weight")->base);
    assert_int_equal(pair_check_whole(pair, NULL), STATUS_MISMATCH);
    pair_close(pair);
}

static void a_head_tied_on_one_side_only_meets_the_other_sides_embedding(void **state) {
    (void)state;
    static const char UNTIED[] =
        "{\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
        "\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}";
    static const char TIED[] =
        "{\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}";
    static const char BOTH[] = /* the bytes of scratch files come again after 256 */
        "{\"lm_head.weight\":{\"dtype\":\"F32\",\"shape\":[2,32],\"data_offsets\":[0,256]},"
        "\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[2,32],\"data_offsets\":[256,512]}}";
    make("base/");
    make("sft/");
    scratch_write_text("base/config.json", "{\"tie_word_embeddings\": false}");
    scratch_write_text("sft/config.json", "{\"tie_word_embeddings\": true}");
    Pair *pair = open_pair(UNTIED, 32, TIED, 16);
    assert_true(pair->unties_head && pair_share_is_whole(&pair->share));
    const PairTensor *head = pair_find_role(pair, TENSOR_HEAD, -1);
    assert_non_null(head);
    assert_string_equal(head->sft->name, "model.embed_tokens.weight");
    assert_string_equal(head->base->name, "lm_head.weight");
    pair_close(pair);
    pair = open_pair(BOTH, 512, BOTH, 512); /* SFT's head is stored, and is its embedding to the bit */
    assert_true(pair->unties_head && pair->count == 2);
    assert_int_equal(find_about(pair, "lm_head.weight")->severity, SEVERITY_WARNING);
    pair_close(pair);
    scratch_write_text("base/config.json", "{\"tie_word_embeddings\": true}");
    scratch_write_text("sft/config.json", "{\"tie_word_embeddings\": true}");
    pair = open_pair(BOTH, 512, BOTH, 512); /* blended as one, or the head would be the embedding no more */
    const Settings settings = {.alpha = 0.5, .kinds[SETTINGS_EMBEDDING] = {.is_set = true, .alpha = 0.25}};
    for (size_t i = 0; i < pair->count; i++)
        assert_true(settings_blend(&settings, &pair->tensors[i]).a == 0.25);
    assert_false(pair->unties_head);
    pair_close(pair);
    scratch_write_text("sft/config.json", "{\"tie_word_embeddings\": false}");
    pair = open_pair(TIED, 16, UNTIED, 32);
    assert_false(pair->unties_head);
    head = pair_find_role(pair, TENSOR_HEAD, -1);
    assert_string_equal(head->base->name, "model.embed_tokens.weight");
    pair_close(pair);
}

/* A tensor without elements may claim any number of rows: nothing may walk over them. */
static void an_empty_tensor_of_endless_rows_is_harmless(void **state) {
    (void)state;
    static const char HEADER[] =
        "{\"e\":{\"dtype\":\"F32\",\"shape\":[9007199254740991,0],\"data_offsets\":[0,0]},"
        "\"f\":{\"dtype\":\"F32\",\"shape\":[0,9007199254740991],\"data_offsets\":[0,0]}}";
    Pair *pair = open_pair(HEADER, 0, HEADER, 0);
    Error error = {0};
    DriftTable *table;
    assert_int_equal(pair_check(pair, &error), STATUS_MISMATCH); /* nothing to blend is no success */
    for (size_t i = 0; i < pair->count; i++) {
        float out[1] = {7.0F};
        Blend blend = {.sft = pair->tensors[i].sft, .base = pair->tensors[i].base, .a = 0.5};
        assert_int_equal(blend.sft->rows * blend.sft->columns, 0);
        assert_int_equal(blend.sft->rows, 0);
        blend_rows(&blend, 0, blend.sft->rows, out);
        assert_true(out[0] == 7.0F);
    }
    assert_int_equal(drift_table_create(pair, &table, &error), STATUS_OK);
    assert_int_equal(drift_scan(pair, table, NULL, &error), STATUS_OK);
    assert_int_equal(drift_table_ready(table), 2);
    drift_table_free(table);
    pair_close(pair);
}

static void a_layer_number_is_written_in_one_way_only(void **state) {
    (void)state;
    int layer;
    assert_int_equal(role_of("model.layers.7.mlp.up_proj.weight", &layer), TENSOR_UP);
    assert_int_equal(role_of("model.layers.07.mlp.up_proj.weight", &layer), TENSOR_OTHER);
    assert_int_equal(role_of("model.layers.+7.mlp.up_proj.weight", &layer), TENSOR_OTHER);
    assert_int_equal(role_of("model.layers.0.mlp.up_proj.weight", &layer), TENSOR_UP);
    assert_int_equal(role_of("model.layers.00.mlp.up_proj.weight", &layer), TENSOR_OTHER);
}

static void a_directory_may_be_both_sides(void **state) {
    (void)state;
    make("alone/");
    scratch_write_safetensors("alone/model.safetensors",
                              "{\"x\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
                              "\"n\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
                              12);
    char *path = scratch_path("alone");
    Error error = {0};
    Pair *pair;
    assert_int_equal(pair_open(path, path, &pair, &error), STATUS_OK);
    assert_int_equal(pair_check(pair, &error), STATUS_OK);
    assert_int_equal(pair->count, 2);
    for (size_t i = 0; i < 2; i++) assert_non_null(pair->tensors[i].base);
    assert_true(pair->tensors[0].is_fused != pair->tensors[1].is_fused); /* the integers are copied */
    pair_close(pair);
    free(path);
}

static void the_same_tensors_in_other_shards_and_types_make_the_same_pair(void **state) {
    (void)state;
    static const char SINGLE[] =
        "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]}}";
    make("single/");
    make("shards/");
    scratch_write_safetensors("single/model.safetensors", SINGLE, 12);
    scratch_write_safetensors("shards/x.safetensors",
                              "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    scratch_write_safetensors("shards/y.safetensors",
                              "{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4);
    scratch_write_text("shards/model.safetensors.index.json",
                       "{\"weight_map\":{\"a\":\"y.safetensors\",\"b\":\"x.safetensors\"}}");
    char *single = scratch_path("single"), *shards = scratch_path("shards");
    for (int i = 0; i < 2; i++) {
        Error error = {0};
        Pair *pair;
        assert_int_equal(pair_open(i == 0 ? single : shards, i == 0 ? shards : single, &pair, &error),
                         STATUS_OK);
        assert_int_equal(pair_check(pair, &error), STATUS_OK);
        static const char *const NAMES[] = {"a", "b"};
        for (int n = 0; n < 2; n++) {
            const PairTensor *tensor = pair_find_tensor(pair, NAMES[n]);
            assert_non_null(tensor);
            assert_null(find_about(pair, NAMES[n])); /* there is nothing to say */
            assert_true(tensor->is_fused);
            assert_string_equal(tensor->base->name, NAMES[n]);
            assert_string_equal(tensor->sft->name, NAMES[n]);
            assert_int_not_equal(tensor->base->dtype, tensor->sft->dtype);
        }
        pair_close(pair);
    }
    free(single);
    free(shards);
}

static void ten_thousand_tensors_open(void **state) {
    (void)state;
    enum { COUNT = 10000 };
    char *header = memory_allocate(COUNT, 96);
    assert_non_null(header);
    size_t length = 0;
    for (int i = 0; i < COUNT; i++)
        length += (size_t)sprintf(
            header + length,
            "%s\"model.layers.%d.t\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[%d,%d]}",
            i == 0 ? "{" : ",", i, 2 * i, 2 * i + 2);
    header[length] = '}';
    make("many/");
    scratch_write_safetensors("many/model.safetensors", header, 2 * COUNT);
    Checkpoint *checkpoint = must_open("many");
    assert_int_equal(checkpoint->tensor_count, COUNT);
    assert_int_equal(checkpoint->layers, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "model.layers.%d.t", i);
        const Tensor *tensor = checkpoint_find_tensor(checkpoint, name);
        assert_non_null(tensor);
        assert_int_equal(tensor->data[0], 2 * i % 256);
    }
    checkpoint_close(checkpoint);
    free(header);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_model_directory_is_explained),
        cmocka_unit_test(an_index_may_not_leave_the_directory),
        cmocka_unit_test(an_index_must_tell_the_truth),
        cmocka_unit_test(a_tensor_in_two_shards_is_refused),
        cmocka_unit_test(a_config_alone_does_not_stop_a_directory_from_opening),
        cmocka_unit_test(both_spellings_of_a_config_mean_the_same),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
        cmocka_unit_test(layers_slide_as_each_family_says),
        cmocka_unit_test(the_names_that_run_lead_back_to_their_roles),
        cmocka_unit_test(every_mismatch_is_named_tensor_by_tensor),
        cmocka_unit_test(an_enlarged_vocabulary_is_no_mismatch),
        cmocka_unit_test(what_another_format_permutes_does_not_meet),
        cmocka_unit_test(what_only_ends_alike_does_not_meet),
        cmocka_unit_test(a_head_tied_on_one_side_only_meets_the_other_sides_embedding),
        cmocka_unit_test(an_empty_tensor_of_endless_rows_is_harmless),
        cmocka_unit_test(a_layer_number_is_written_in_one_way_only),
        cmocka_unit_test(a_directory_may_be_both_sides),
        cmocka_unit_test(the_same_tensors_in_other_shards_and_types_make_the_same_pair),
        cmocka_unit_test(ten_thousand_tensors_open),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
