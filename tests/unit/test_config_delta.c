/* config.json of models with the gated delta rule: which layers have it, sizes by whichever key says them, what is refused. What
 * is right is what transformers 5.24.0 makes of the same files. */
#include "config_file.h"

#include <inttypes.h>

#define COMMON                                                                                               \
    "\"hidden_size\":32,\"vocab_size\":32,\"num_hidden_layers\":5,\"num_attention_heads\":4,"                \
    "\"intermediate_size\":24,\"pad_token_id\":0"
#define OLMO COMMON
#define MLA                                                                                                  \
    COMMON                                                                                                   \
    ",\"num_key_value_heads\":4,\"kv_lora_rank\":6,\"qk_nope_head_dim\":4,\"qk_rope_head_dim\":2,"           \
    "\"v_head_dim\":4,\"num_experts\":4,\"num_experts_per_token\":2,\"num_expert_group\":1,"                 \
    "\"topk_group\":1,\"moe_intermediate_size\":6"

/* A letter a layer: Attention or the Delta rule, small where its MLP has no experts. */
static void expect_layers(const char *type, const char *settings, const char *expected) {
    const ModelConfig config = config_file_accept(type, settings);
    char found[MODEL_MAX_LAYERS + 1] = "";
    for (uint64_t layer = 0; layer < config.layers; layer++) {
        const LayerPlan *plan = architecture_layer(&config, layer);
        bool is_delta = plan->mixer == MIXER_DELTA, has_experts = plan->mlp == MLP_EXPERTS;
        assert_true((plan->latent.latent > 0) == (!is_delta && config.latent.latent > 0));
        found[layer] = is_delta ? (has_experts ? 'D' : 'd') : has_experts ? 'A' : 'a';
    }
    if (strcmp(found, expected) != 0) fail_msg("%s %s: %s", type, settings, found);
}

static void each_layer_has_what_a_list_or_a_number_says(void **state) {
    (void)state;
    expect_layers("olmo_hybrid", OLMO, "dddad");
    expect_layers("olmo_hybrid",
                  OLMO
                  ",\"layer_types\":[\"full_attention\",\"linear_attention\",\"full_attention\","
                  "\"linear_attention\",\"full_attention\"]",
                  "adada");
    expect_layers("kimi_linear", MLA, "dDDDA");
    expect_layers("kimi_linear", MLA ",\"first_k_dense_replace\":3", "dddDA");
    expect_layers("kimi_linear",
                  MLA ",\"mlp_layer_types\":[\"sparse\",\"dense\",\"sparse\",\"dense\",\"dense\"]", "DdDda");
    /* numbers from 1, the second list the last word */
    expect_layers("kimi_linear",
                  MLA ",\"linear_attn_config\":{\"full_attn_layers\":[1,3],\"kda_layers\":[2,3,4,5]}",
                  "aDDDD");
    expect_layers("kimi_linear", MLA ",\"linear_attn_config\":{\"kda_layers\":[1,2,3,4,5]}", "dDDDA");
    expect_layers("bailing_hybrid", MLA, "ddDDD");
    expect_layers("bailing_hybrid", MLA ",\"layer_group_size\":2", "daDAD");
}

/* A model of fewer layers than the interval ends with attention all the same. */
static void a_short_model_has_attention_in_its_last_layer(void **state) {
    (void)state;
    expect_layers("olmo_hybrid",
                  "\"hidden_size\":32,\"vocab_size\":32,\"num_hidden_layers\":2,\"num_attention_heads\":4,"
                  "\"intermediate_size\":24,\"pad_token_id\":null",
                  "da");
}

static void expect_sizes(const char *type, const char *settings, uint64_t key_heads, uint64_t key_dim,
                         uint64_t value_heads, uint64_t value_dim, uint64_t taps) {
    const RecurrentSizes sizes = config_file_accept(type, settings).recurrent;
    if (sizes.key_heads != key_heads || sizes.key_dim != key_dim || sizes.value_heads != value_heads ||
        sizes.value_dim != value_dim || sizes.taps != taps)
        fail_msg("%s %s: %" PRIu64 " by %" PRIu64 ", %" PRIu64 " by %" PRIu64 ", %" PRIu64, type, settings,
                 sizes.key_heads, sizes.key_dim, sizes.value_heads, sizes.value_dim, sizes.taps);
}

static void sizes_are_those_of_the_key_that_counts(void **state) {
    (void)state;
    expect_sizes("olmo_hybrid", OLMO, 4, 6, 4, 12, 4); /* three quarters of the stream, and twice that */
    expect_sizes("olmo_hybrid", OLMO ",\"linear_num_key_heads\":3,\"linear_num_value_heads\":6", 3, 8, 6, 16,
                 4);
    expect_sizes("olmo_hybrid", OLMO ",\"linear_key_head_dim\":null,\"linear_value_head_dim\":5", 4, 6, 4, 5,
                 4);
    expect_sizes("kimi_linear", MLA, 32, 128, 32, 128, 4);
    expect_sizes("kimi_linear",
                 MLA
                 ",\"linear_num_heads\":3,\"linear_head_dim\":5,\"linear_attn_config\":{\"head_dim\":6,"
                 "\"short_conv_kernel_size\":2}",
                 3, 6, 3, 6, 2);
    expect_sizes("bailing_hybrid", MLA ",\"head_dim\":6,\"short_conv_kernel_size\":3", 4, 6, 4, 6, 3);
    /* what the class derives it writes: that is read */
    expect_sizes("bailing_hybrid",
                 MLA
                 ",\"head_dim\":2,\"linear_head_dim\":6,\"linear_num_heads\":2,"
                 "\"linear_conv_kernel_dim\":3,\"short_conv_kernel_size\":4",
                 2, 6, 2, 6, 3);
}

static void sizes_that_do_not_fit_are_refused(void **state) {
    (void)state;
    config_file_refuse("olmo_hybrid", OLMO ",\"linear_num_key_heads\":3", "multiple of linear_num_key_heads");
    config_file_refuse("olmo_hybrid", OLMO ",\"linear_num_key_heads\":0", "linear_num_key_heads");
    config_file_refuse("olmo_hybrid", OLMO ",\"linear_num_key_heads\":40,\"linear_num_value_heads\":40",
                       "linear_key_head_dim");
    config_file_refuse("olmo_hybrid", OLMO ",\"linear_conv_kernel_dim\":65", "at most 64");
    config_file_refuse("olmo_hybrid", OLMO ",\"head_dim\":null", "head_dim");
    config_file_refuse("olmo_hybrid", OLMO ",\"head_dim\":7", "odd");
    config_file_refuse("olmo_hybrid", OLMO ",\"num_key_value_heads\":3", "num_key_value_heads");
    config_file_refuse("olmo_hybrid", OLMO ",\"linear_key_head_dim\":65537", "linear attention");
    config_file_refuse("olmo_hybrid",
                       OLMO
                       ",\"linear_num_key_heads\":1000000,\"linear_num_value_heads\":1000000,"
                       "\"linear_key_head_dim\":65536",
                       "linear attention");
    config_file_refuse("kimi_linear", MLA ",\"linear_attn_config\":{\"num_heads\":null}",
                       "linear_attn_config.num_heads");
    config_file_refuse("kimi_linear", MLA ",\"linear_attn_config\":null", "linear_attn_config");
    config_file_refuse("kimi_linear", MLA ",\"linear_num_heads\":null", "linear_num_heads");
    config_file_refuse("bailing_hybrid", MLA ",\"linear_head_dim\":null", "linear_head_dim");
    config_file_refuse("bailing_hybrid", MLA ",\"linear_conv_kernel_dim\":4.0", "linear_conv_kernel_dim");
    config_file_refuse("bailing_hybrid", MLA ",\"num_nextn_predict_layers\":null", "num_mtp_layers");
}

static void layers_that_cannot_be_are_refused(void **state) {
    (void)state;
    const char *all =
        ",\"layer_types\":[\"linear_attention\",\"linear_attention\",\"linear_attention\","
        "\"linear_attention\",\"linear_attention\"]";
    char text[1024];
    (void)snprintf(text, sizeof text, "%s%s", OLMO, all);
    config_file_refuse("olmo_hybrid", text, "one kind");
    config_file_refuse("olmo_hybrid", OLMO ",\"layer_types\":[\"linear_attention\",\"full_attention\"]",
                       "5 layer_types");
    config_file_refuse("olmo_hybrid", OLMO ",\"mlp_layer_types\":[\"moe\"]", "\"moe\"");
    config_file_refuse("olmo_hybrid", OLMO ",\"initializer_range\":2.0", "initializer_range");
    config_file_refuse("kimi_linear",
                       MLA ",\"linear_attn_config\":{\"full_attn_layers\":[0],\"kda_layers\":[1]}",
                       "from 1 to 5");
    config_file_refuse("kimi_linear",
                       MLA ",\"linear_attn_config\":{\"full_attn_layers\":[1],\"kda_layers\":[2,3,4]}",
                       "layer 5 in");
    config_file_refuse("kimi_linear",
                       MLA ",\"linear_attn_config\":{\"full_attn_layers\":null,\"kda_layers\":[1]}",
                       "full_attn_layers");
    config_file_refuse("bailing_hybrid", MLA ",\"layer_group_size\":0", "layer_group_size");
}

/* Latent attention wants as many key heads as heads; a model without such layers does not mind. */
static void key_heads_matter_where_attention_is_latent(void **state) {
    (void)state;
    config_file_refuse("kimi_linear", MLA ",\"num_key_value_heads\":2", "as many key heads");
    (void)config_file_accept("bailing_hybrid", MLA ",\"num_key_value_heads\":2");
    config_file_refuse("bailing_hybrid", MLA ",\"num_key_value_heads\":2,\"layer_group_size\":2",
                       "as many key heads");
}

/* The class takes null for what values have, and asks for it only where it builds a latent layer. */
static void a_width_of_values_is_asked_for_where_attention_is_latent(void **state) {
    (void)state;
    static const char ALL_DELTA[] = MLA
        ",\"v_head_dim\":null,\"layer_types\":[\"linear_attention\",\"linear_attention\",\"linear_attention\","
        "\"linear_attention\",\"linear_attention\"]";
    expect_layers("kimi_linear", ALL_DELTA, "dDDDD");
    config_file_refuse("kimi_linear", MLA ",\"v_head_dim\":null", "v_head_dim");
    config_file_refuse("deepseek_v3", MLA ",\"v_head_dim\":null", "v_head_dim");
}

/* A shared expert of no channels is none. */
static void there_may_be_no_shared_expert(void **state) {
    (void)state;
    static const char *const TYPES[] = {"kimi_linear", "bailing_hybrid", "deepseek_v3"};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        const char *key = i < 2 ? "num_shared_experts" : "n_shared_experts";
        char text[1024];
        (void)snprintf(text, sizeof text, "%s,\"%s\":0", MLA, key);
        const ModelConfig config = config_file_accept(TYPES[i], text);
        const LayerPlan *plan = architecture_layer(&config, 4);
        assert_int_equal(plan->mlp, MLP_EXPERTS);
        assert_int_equal(plan->experts.shared_width, 0);
        assert_false(architecture_needs(plan, TENSOR_PART_SHARED_UP));
    }
}

static void rotary_embedding_is_there_or_not(void **state) {
    (void)state;
    ModelConfig config = config_file_accept("olmo_hybrid", OLMO ",\"rope_parameters\":{\"rope_theta\":null}");
    assert_int_equal(architecture_layer(&config, 3)->rope, -1);
    config = config_file_accept("olmo_hybrid", OLMO ",\"rope_parameters\":null"); /* the class's own base */
    assert_int_equal(architecture_layer(&config, 3)->rope, 0);
    assert_true(config.ropes[0].theta == 10000.0);
    config = config_file_accept("bailing_hybrid", MLA); /* the class has a field for it */
    assert_true(config.ropes[0].theta == 6000000.0);
    config = config_file_accept("kimi_linear", MLA ",\"qk_rope_head_dim\":3"); /* odd: nothing turns */
    assert_int_equal(architecture_layer(&config, 4)->rope, -1);
    config_file_refuse("bailing_hybrid", MLA ",\"qk_rope_head_dim\":3", "odd");
    config_file_refuse("kimi_linear", MLA ",\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2.0}",
                       "rope_scaling");
}

/* The field stands under one name in the class, and config.json has another: that one is set last. */
static void a_name_beside_the_fields_own_has_the_last_word(void **state) {
    (void)state;
    ModelConfig config = config_file_accept("kimi_linear", MLA ",\"num_local_experts\":8");
    assert_int_equal(architecture_layer(&config, 1)->experts.count, 4);
    config = config_file_accept("kimi_linear", MLA ",\"num_experts_per_tok\":3");
    assert_int_equal(architecture_layer(&config, 1)->experts.chosen, 2);
}

static void switches_are_read(void **state) {
    (void)state;
    assert_true(config_file_accept("olmo_hybrid", OLMO).delta.write_scale == 2.0);
    assert_true(
        config_file_accept("olmo_hybrid", OLMO ",\"linear_allow_neg_eigval\":false").delta.write_scale ==
        1.0);
    assert_true(config_file_accept("bailing_hybrid", MLA).delta.least_decay == -5.0);
    assert_true(config_file_accept("bailing_hybrid", MLA ",\"kda_safe_gate\":false").delta.least_decay ==
                0.0);
    config_file_refuse("bailing_hybrid", MLA ",\"kda_lower_bound\":0.0", "kda_lower_bound");
    config_file_refuse("olmo_hybrid", OLMO ",\"pad_token_id\":32", "pad_token_id");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layer_has_what_a_list_or_a_number_says),
        cmocka_unit_test(a_short_model_has_attention_in_its_last_layer),
        cmocka_unit_test(sizes_are_those_of_the_key_that_counts),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(layers_that_cannot_be_are_refused),
        cmocka_unit_test(key_heads_matter_where_attention_is_latent),
        cmocka_unit_test(a_width_of_values_is_asked_for_where_attention_is_latent),
        cmocka_unit_test(there_may_be_no_shared_expert),
        cmocka_unit_test(rotary_embedding_is_there_or_not),
        cmocka_unit_test(a_name_beside_the_fields_own_has_the_last_word),
        cmocka_unit_test(switches_are_read),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
