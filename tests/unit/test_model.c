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

static void an_embedding_and_its_head_may_be_padded(void **state) {
    (void)state;
    Error error;
    assert_int_equal(open_model(VOCABULARY, VOCABULARY, &error), STATUS_OK);
    assert_int_equal(open_model(VOCABULARY + 8, VOCABULARY + 8, &error), STATUS_OK);
}

/* A token id is an index into both: beyond the shorter one it would read what is none of its own. */
static void an_embedding_and_its_head_have_the_same_rows(void **state) {
    (void)state;
    Error error;
    assert_int_equal(open_model(VOCABULARY + 8, VOCABULARY, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "lm_head.weight: expected as many rows"));
    assert_int_equal(open_model(VOCABULARY, VOCABULARY + 8, &error), STATUS_FORMAT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_embedding_and_its_head_may_be_padded),
        cmocka_unit_test(an_embedding_and_its_head_have_the_same_rows),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
