/* config.json of models whose layers keep states, or are of several kinds: which layer has what, steps within which bounds,
 * sizes that have to fit. What is right is what transformers 5.24.0 makes of the same files. */
#include "config_file.h"

#include <math.h>

#define COMMON "\"hidden_size\":16,\"vocab_size\":32,\"num_hidden_layers\":4"
#define MAMBA2 COMMON ",\"num_heads\":4,\"head_dim\":8,\"n_groups\":2,\"state_size\":4"
#define HEADS  COMMON ",\"num_attention_heads\":4,\"num_key_value_heads\":2,\"intermediate_size\":24"
#define PADDED HEADS ",\"pad_token_id\":0"
#define HYBRID HEADS ",\"mamba_n_heads\":4,\"mamba_d_state\":4"
#define NEMOTRON                                                                                             \
    HEADS                                                                                                    \
    ",\"head_dim\":4,\"ssm_state_size\":4,\"mamba_num_heads\":4,\"mamba_head_dim\":8,\"n_groups\":2,"        \
    "\"n_routed_experts\":3,\"moe_intermediate_size\":6,\"moe_shared_expert_intermediate_size\":10"
#define ZAMBA                                                                                                \
    HEADS                                                                                                    \
    ",\"n_mamba_heads\":4,\"mamba_d_state\":4,\"layers_block_type\":[\"mamba\",\"hybrid\",\"mamba\",\"hybrid\"]"

/* A letter a layer: Attention, Mixer, both (+), a block in common before it (Common), MLP alone (L), Experts alone, Nothing. */
static void expect_layers(const char *type, const char *settings, const char *expected) {
    const ModelConfig config = config_file_accept(type, settings);
    char found[MODEL_MAX_LAYERS + 1] = "";
    for (uint64_t layer = 0; layer < config.layers; layer++) {
        const LayerPlan *plan = architecture_layer(&config, layer);
        bool is_alone = plan->mixer == MIXER_NONE;
        found[layer] = is_alone && plan->mlp == MLP_EXPERTS                ? 'E'
                       : is_alone && plan->mlp == MLP_NONE                 ? 'N'
                       : is_alone                                          ? 'L'
                       : plan->mixer == MIXER_ATTENTION                    ? 'A'
                       : architecture_needs(plan, TENSOR_PART_COMMON_NORM) ? 'C'
                       : plan->attends_beside                              ? '+'
                                                                           : 'M';
    }
    assert_string_equal(found, expected);
}

static void each_layer_has_what_its_list_or_letter_or_number_says(void **state) {
    (void)state;
    expect_layers("mamba2", MAMBA2, "MMMM");
    expect_layers("falcon_h1", HYBRID ",\"mamba_d_ssm\":16", "++++");
    expect_layers("bamba", HYBRID, "MMMM");
    expect_layers("bamba", HYBRID ",\"attn_layer_indices\":[1,3,9,-1]", "MAMA");
    expect_layers("granitemoehybrid", HYBRID, "MMMM");
    expect_layers("granitemoehybrid",
                  HYBRID ",\"layer_types\":[\"mamba\",\"attention\",\"linear_attention\",\"full_attention\"]",
                  "MAMA");
    expect_layers("jamba", HEADS ",\"attn_layer_period\":3,\"attn_layer_offset\":2", "MMAM");
    expect_layers("nemotron_h", NEMOTRON ",\"hybrid_override_pattern\":\"M-*EM\"", "MLAEM");
    expect_layers("nemotron_h", NEMOTRON ",\"layers_block_type\":[\"mlp\",\"mamba\"]", "LM");
    expect_layers("zamba2", ZAMBA, "MCMC");
    expect_layers("lfm3",
                  PADDED ",\"layer_types\":[\"conv\",\"sliding_attention\",\"full_attention\",\"conv\"]",
                  "MAAM");
    expect_layers("recurrent_gemma", HEADS ",\"block_types\":[\"recurrent\",\"attention\",\"recurrent\"]",
                  "MAMM");
    expect_layers("mllama_text_model", PADDED ",\"cross_attention_layers\":[2]", "AANA");
    expect_layers("mllama_text_model", PADDED, "AAAN");
}

static void layers_that_no_one_knows_are_refused(void **state) {
    (void)state;
    config_file_refuse("nemotron_h", NEMOTRON ",\"hybrid_override_pattern\":\"MX\"",
                       "hybrid_override_pattern");
    config_file_refuse("nemotron_h", NEMOTRON, "layer_types");
    config_file_refuse("nemotron_h", NEMOTRON ",\"layers_block_type\":[\"conv\"]", "\"conv\"");
    config_file_refuse("granitemoehybrid", HYBRID ",\"layer_types\":[\"mamba\"]", "4 layer_types, found 1");
    config_file_refuse("jamba", HEADS ",\"attn_layer_period\":3,\"attn_layer_offset\":3",
                       "attn_layer_offset");
    config_file_refuse("mamba2", MAMBA2 ",\"layer_types\":[\"full_attention\"]", "layer_types");
    config_file_refuse("zamba2", ZAMBA ",\"hybrid_layer_ids\":[1]", "hybrid_layer_ids");
    config_file_refuse("lfm3", PADDED, "layer_types");
    config_file_refuse("minimax", HEADS, "layer_types");
    config_file_refuse("lfm3", PADDED ",\"layer_types\":[\"conv\",\"chunked_attention\",\"conv\",\"conv\"]",
                       "chunked_attention");
    config_file_refuse("recurrent_gemma", HEADS ",\"block_types\":[]", "block_types");
}

static void steps_are_within_what_the_type_reads(void **state) {
    (void)state;
    const struct {
        const char *type, *settings;
        double least, most;
    } CASES[] = {
        {"mamba2", MAMBA2, 0.0, INFINITY},
        {"mamba2", MAMBA2 ",\"time_step_limit\":[0.1,0.5]", 0.1, 0.5},
        {"mamba2", MAMBA2 ",\"time_step_limit\":[0.1,Infinity]", 0.1, INFINITY},
        {"mamba2", MAMBA2 ",\"time_step_limit\":[0.1,{\"__float__\":\"Infinity\"}]", 0.1, INFINITY},
        {"mamba2", MAMBA2 ",\"time_step_min\":0.2", 0.0, INFINITY},
        {"nemotron_h", NEMOTRON ",\"hybrid_override_pattern\":\"M\",\"time_step_limit\":[0.1,0.5]", 0.001,
         INFINITY},
        {"nemotron_h", NEMOTRON ",\"hybrid_override_pattern\":\"M\",\"mamba_dt_min\":0.2", 0.2, INFINITY},
        {"zamba2", ZAMBA ",\"time_step_min\":0.3", 0.3, INFINITY},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const ModelConfig config = config_file_accept(CASES[i].type, CASES[i].settings);
        assert_true(config.state.least_step == CASES[i].least);
        assert_true(config.state.most_step == CASES[i].most);
    }
    config_file_refuse("mamba2", MAMBA2 ",\"time_step_limit\":null", "time_step_limit");
    config_file_refuse("mamba2", MAMBA2 ",\"time_step_limit\":[0.5,0.1]", "time_step_limit");
    config_file_refuse("mamba2", MAMBA2 ",\"time_step_limit\":[0.1,{\"__float__\":\"NaN\"}]",
                       "time_step_limit");
}

static void sizes_have_to_fit(void **state) {
    (void)state;
    const ModelConfig mamba = config_file_accept("mamba", COMMON);
    assert_int_equal(mamba.recurrent.value_heads, 32);
    assert_int_equal(mamba.recurrent.rank, 1);
    assert_int_equal(config_file_accept("mamba", COMMON ",\"intermediate_size\":24").recurrent.value_heads,
                     24);
    assert_int_equal(config_file_accept("falcon_h1", HYBRID ",\"mamba_d_ssm\":null").recurrent.value_dim, 8);
    config_file_refuse("mamba2", COMMON ",\"num_heads\":4,\"head_dim\":9,\"n_groups\":2,\"state_size\":4",
                       "num_heads");
    config_file_refuse("mamba2", COMMON ",\"num_heads\":4,\"head_dim\":8,\"n_groups\":3,\"state_size\":4",
                       "groups");
    config_file_refuse("mamba", COMMON ",\"state_size\":2048", "state_size");
    config_file_refuse("mamba", COMMON ",\"rescale_prenorm_residual\":true", "rescale_prenorm_residual");
    config_file_refuse("recurrent_gemma", HEADS ",\"lru_width\":18", "lru_width");
    config_file_refuse("minimax",
                       HEADS
                       ",\"block_size\":4097,\"layer_types\":[\"linear_attention\",\"full_attention\","
                       "\"linear_attention\",\"full_attention\"]",
                       "block_size");
    config_file_refuse("falcon_h1", HYBRID ",\"mamba_d_ssm\":16,\"ssm_multipliers\":[1.0,1.0]",
                       "ssm_multipliers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_layer_has_what_its_list_or_letter_or_number_says),
        cmocka_unit_test(layers_that_no_one_knows_are_refused),
        cmocka_unit_test(steps_are_within_what_the_type_reads),
        cmocka_unit_test(sizes_have_to_fit),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
