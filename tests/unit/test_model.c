/* Models: that the tensors are those which config.json asks for. */
#include "core/checkpoint/model.h"
#include "scratch.h"

enum { HIDDEN = 4, VOCABULARY = 8 };

static const char CONFIG[] =
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
    "\"intermediate_size\":4,\"vocab_size\":8,\"tie_word_embeddings\":false}";

static size_t add_tensor(char *header, size_t size, size_t at, const char *name, size_t rows,
                         size_t columns) {
    char shape[32];
    size_t used = strlen(header), bytes = rows * (columns > 0 ? columns : 1) * sizeof(float);
    (void)snprintf(shape, sizeof shape, columns > 0 ? "%zu,%zu" : "%zu", rows, columns);
    int length = snprintf(header + used, size - used,
                          "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                          used > 1 ? "," : "", name, shape, at, at + bytes);
    assert_true(length > 0 && (size_t)length < size - used - 1);
    return at + bytes;
}

/* A Llama of one layer whose embedding and head have the given rows. */
static char *write_model(size_t embedding_rows, size_t head_rows) {
    static const char *const MATRICES[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                           "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                           "mlp.down_proj"};
    static const char *const NORMS[] = {"model.layers.0.input_layernorm.weight",
                                        "model.layers.0.post_attention_layernorm.weight",
                                        "model.norm.weight"};
    char header[4096] = "{", name[128];
    size_t at = add_tensor(header, sizeof header, 0, "model.embed_tokens.weight", embedding_rows, HIDDEN);
    at = add_tensor(header, sizeof header, at, "lm_head.weight", head_rows, HIDDEN);
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES; i++) {
        (void)snprintf(name, sizeof name, "model.layers.0.%s.weight", MATRICES[i]);
        at = add_tensor(header, sizeof header, at, name, HIDDEN, HIDDEN);
    }
    for (size_t i = 0; i < sizeof NORMS / sizeof *NORMS; i++)
        at = add_tensor(header, sizeof header, at, NORMS[i], HIDDEN, 0);
    header[strlen(header) + 1] = '\0';
    header[strlen(header)] = '}';
    free(scratch_path("model/"));
    scratch_write_text("model/config.json", CONFIG);
    scratch_write_safetensors("model/model.safetensors", header, at);
    return scratch_path("model");
}

static Status open_model(size_t embedding_rows, size_t head_rows, Error *error) {
    char *path = write_model(embedding_rows, head_rows);
    Pair *pair;
    Model *model;
    assert_int_equal(pair_open(path, path, &pair, error), STATUS_OK);
    Status status = model_open(pair, &model, error);
    model_close(model);
    pair_close(pair);
    free(path);
    return status;
}

/* transformers 5.24: "You set `ignore_mismatched_sizes` to `False`, thus raising an error" */
static void an_embedding_has_as_many_rows_as_config_json_says(void **state) {
    (void)state;
    Error error;
    assert_int_equal(open_model(VOCABULARY, VOCABULARY, &error), STATUS_OK);
    assert_int_equal(open_model(VOCABULARY + 8, VOCABULARY + 8, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "expected [8"));
}

/* A token id is an index into both: beyond the shorter one it would read what is none of its own. */
static void an_embedding_and_its_head_have_the_same_rows(void **state) {
    (void)state;
    Error error;
    assert_int_equal(open_model(VOCABULARY + 8, VOCABULARY, &error), STATUS_FORMAT);
    assert_int_equal(open_model(VOCABULARY, VOCABULARY + 8, &error), STATUS_FORMAT);
}

/* Whole numbers, or a type of which only the name is known, under the name of a weight: no pass could be right. */
static void a_weight_of_a_type_that_is_no_number_with_a_point_is_refused(void **state) {
    (void)state;
    static const char *const DTYPES[] = {"I32", "X32"};
    for (size_t i = 0; i < sizeof DTYPES / sizeof *DTYPES; i++) {
        char *path = write_model(VOCABULARY, VOCABULARY), *file = scratch_path("model/model.safetensors");
        char bytes[8192], words[160];
        FILE *stream = fopen(file, "rb+");
        assert_non_null(stream);
        size_t size = fread(bytes, 1, sizeof bytes, stream);
        static const char UP[] = "mlp.up_proj.weight\":{\"dtype\":\"";
        char *at = memmem(bytes, size, UP, sizeof UP - 1);
        assert_non_null(at);
        assert_int_equal(fseek(stream, at - bytes + (long)sizeof UP - 1, SEEK_SET), 0);
        assert_int_equal(fwrite(DTYPES[i], 1, 3, stream), 3);
        assert_int_equal(fclose(stream), 0);
        Pair *pair;
        Model *model;
        Error error = {0};
        assert_int_equal(pair_open(path, path, &pair, &error), STATUS_OK);
        assert_int_equal(model_open(pair, &model, &error), STATUS_UNSUPPORTED);
        (void)snprintf(words, sizeof words,
                       "model.layers.0.mlp.up_proj.weight: expected numbers to compute with, found %s",
                       DTYPES[i]);
        if (strstr(error.message, words) == NULL) fail_msg("expected \"%s\" in: %s", words, error.message);
        pair_close(pair);
        free(path);
        free(file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_embedding_has_as_many_rows_as_config_json_says),
        cmocka_unit_test(an_embedding_and_its_head_have_the_same_rows),
        cmocka_unit_test(a_weight_of_a_type_that_is_no_number_with_a_point_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
