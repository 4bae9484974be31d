/* Switches of single types in config.json: what is read of them, and what is refused by name. */
#include "core/checkpoint/architecture.h"
#include "core/checkpoint/config_class.h"
#include "core/files/json.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZES "\"hidden_size\":24,\"num_hidden_layers\":4,\"num_attention_heads\":6,\"vocab_size\":32"
#define GPT   "\"n_embd\":32,\"n_layer\":4,\"n_head\":8,\"vocab_size\":32"
#define WIDE  SIZES ",\"intermediate_size\":48"
#define DENSE WIDE ",\"num_key_value_heads\":6"

#define MIMO                                                                                                   \
    "\"hidden_size\":24,\"num_attention_heads\":4,\"num_key_value_heads\":1,\"head_dim\":12,\"v_head_dim\":4," \
    "\"vocab_size\":32,\"intermediate_size\":48,\"n_routed_experts\":8"

#define JETMOE                                                                                                  \
    "\"hidden_size\":24,\"num_hidden_layers\":4,\"num_key_value_heads\":3,\"kv_channels\":8,\"vocab_size\":32," \
    "\"intermediate_size\":12"
#define DEEPSEEK4                                                                                             \
    "\"hidden_size\":24,\"num_hidden_layers\":4,\"num_attention_heads\":4,\"head_dim\":16,\"vocab_size\":32," \
    "\"moe_intermediate_size\":6,\"n_routed_experts\":8,\"o_groups\":2"

static Status read(const char *type, const char *members, ModelConfig *config, Error *error) {
    char text[1024];
    cJSON *json;
    (void)snprintf(text, sizeof text, "{\"model_type\":\"%s\",%s}", type, members);
    if (json_parse(text, strlen(text), "config.json", &json, error) != STATUS_OK)
        fail_msg("%s", error->message);
    Status status = architecture_read_config(json, "config.json", config, error);
    cJSON_Delete(json);
    return status;
}

static ModelConfig good(const char *type, const char *members) {
    ModelConfig config;
    Error error = {0};
    if (read(type, members, &config, &error) != STATUS_OK) fail_msg("%s: %s", type, error.message);
    return config;
}

static void what_is_not_known_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *type, *members, *named;
    } CASES[] = {
        {"gpt2", GPT ",\"add_cross_attention\":true", "add_cross_attention"},
        {"jetmoe", JETMOE ",\"num_experts_per_tok\":9", "experts a token"},
        {"jetmoe", JETMOE ",\"num_experts_per_tok\":0", "num_experts_per_tok"},
        {"jetmoe", JETMOE ",\"head_dim\":7", "head_dim 7 is odd"},
        {"doge", DENSE ",\"is_moe\":true", "is_moe"},
        {"doge", DENSE ",\"keep_window_size\":0", "keep_window_size"},
        {"deepseek_v4", DEEPSEEK4 ",\"o_groups\":7", "o_groups"},
        {"deepseek_v4", DEEPSEEK4 ",\"index_head_dim\":1", "index_head_dim"},
        {"deepseek_v4", DEEPSEEK4 ",\"rope_parameters\":{\"main\":{},\"compress\":{}}",
         "partial_rotary_factor"},
        {"deepseek_v4", DEEPSEEK4 ",\"hc_mult\":17", "hc_mult"},
        {"deepseek_v4", DEEPSEEK4 ",\"swiglu_limit\":0.0", "swiglu_limit"},
        {"deepseek_v4", DEEPSEEK4 ",\"scoring_func\":\"softmax\"", "scoring_func"},
        {"deepseek_v4", DEEPSEEK4 ",\"layer_types\":[\"sliding_attention\"]", "layer_types"},
        {"deepseek_v4", DEEPSEEK4 ",\"compress_ratios\":[0,4,8,4]", "compress_ratios"},
        {"deepseek_v4", DEEPSEEK4 ",\"compress_rates\":{}", "compress_rates"},
        {"deepseek_v4", DEEPSEEK4 ",\"mlp_layer_types\":[\"moe\",\"moe\",\"moe\",\"dense\"]",
         "mlp_layer_types"},
        {"deepseek_v4",
         DEEPSEEK4
         ",\"rope_parameters\":{\"rope_type\":\"dynamic\",\"factor\":2.0},\"partial_rotary_factor\":0.5",
         "text's length"},
        {"gpt_bigcode", GPT ",\"add_cross_attention\":true", "add_cross_attention"},
        {"xglm", SIZES ",\"ffn_dim\":48,\"add_cross_attention\":true", "add_cross_attention"},
        {"codegen", "\"n_embd\":36,\"n_layer\":4,\"n_head\":6,\"vocab_size\":32,\"rotary_dim\":2", "n_head"},
        {"gptj", GPT ",\"rotary_dim\":6", "rotary_dim"},
        {"gptj", GPT ",\"rotary_dim\":3", "rotary_dim"},
        {"opt", SIZES ",\"ffn_dim\":48,\"word_embed_proj_dim\":12", "word_embed_proj_dim"},
        {"bloom", SIZES ",\"pretraining_tp\":2,\"slow_but_exact\":true", "slow_but_exact"},
        {"falcon", SIZES ",\"new_decoder_architecture\":true,\"parallel_attn\":false",
         "num_ln_in_parallel_attn"},
        {"falcon", SIZES ",\"num_ln_in_parallel_attn\":2", "num_ln_in_parallel_attn"},
        {"falcon", SIZES ",\"multi_query\":false,\"num_kv_heads\":2", "num_kv_heads"},
        {"falcon", SIZES ",\"activation\":null", "activation"},
        {"falcon", SIZES ",\"layer_norm_epsilon\":null", "layer_norm_epsilon"},
        {"gpt_neox", DENSE ",\"head_dim\":8", "head_dim"},
        {"gpt_neo", SIZES ",\"attention_types\":[[[\"global\",\"local\"],3]]", "attention_types"},
        {"gpt_neo", SIZES ",\"attention_types\":[[[\"global\",\"far\"],2]]", "far"},
        {"gpt_neo", SIZES ",\"attention_layers\":[\"global\"]", "attention_layers"},
        {"mpt", SIZES ",\"attn_config\":{\"attn_type\":\"multiquery_attention\"}", "attn_config"},
        {"ministral3", DENSE ",\"rope_parameters\":{\"rope_type\":\"default\"}", "llama_4_scaling_beta"},
        {"internlm3", DENSE ",\"qkv_bias\":true", "qkv_bias"},
        {"iquestcoder", DENSE ",\"clip_qkv\":0.5", "clip_qkv"},
        {"iquestcoder", DENSE ",\"use_sliding_window\":true", "use_sliding_window"},
        {"diffllama", WIDE ",\"num_key_value_heads\":3", "num_key_value_heads"},
        {"diffllama", DENSE ",\"attention_dropout\":0.5", "attention_dropout"},
        {"granite_swa", DENSE ",\"layer_rope_theta\":[1.0,2.0,3.0,4.0]", "layer_rope_theta"},
        {"granite_swa", DENSE ",\"layer_rope_theta\":[1.0]", "layer_rope_theta"},
        {"granite_swa", DENSE ",\"sliding_window\":null", "sliding_window"},
        {"mimo_v2_flash", MIMO ",\"num_hidden_layers\":2,\"num_key_value_heads\":4", "num_key_value_heads"},
        {"mimo_v2_flash", MIMO ",\"num_hidden_layers\":2,\"sliding_window_size\":-1", "sliding_window"},
        {"mimo_v2_flash", MIMO ",\"num_hidden_layers\":2,\"rope_parameters\":{\"full_attention\":null}",
         "rope_parameters"},
        {"minimax_m3_vl_text", DENSE ",\"moe_layer_freq\":[0,1,1,1]", "moe_layer_freq"},
        {"minimax_m3_vl_text", DENSE ",\"sparse_attention_config\":{\"sparse_topk_blocks\":4}",
         "sparse_attention_config"},
        {"minimax_m3_vl_text", DENSE ",\"swiglu_limit\":0.0", "swiglu_limit"},
        {"deepseek_v32", DENSE ",\"num_experts\":4", "num_experts"},
        {"deepseek_v32", DENSE ",\"index_topk\":0", "index_topk"},
        {"gemma4_text", DENSE ",\"enable_moe_block\":true", "enable_moe_block"},
        {"gemma4_text", DENSE ",\"use_bidirectional_attention\":\"all\"", "use_bidirectional_attention"},
        {"gemma4_text", DENSE ",\"num_kv_shared_layers\":4", "num_kv_shared_layers"},
        {"gemma4_text",
         DENSE
         ",\"num_kv_shared_layers\":3,\"hidden_size_per_layer_input\":0,\"layer_types\":[\"sliding_attention\",\"full_attention\","
         "\"sliding_attention\",\"full_attention\"]",
         "num_kv_shared_layers"},
        {"gemma4_text", DENSE ",\"vocab_size_per_layer_input\":16", "vocab_size_per_layer_input"},
        {"gemma4_text", DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":{\"3\":[8]}",
         "per_layer_config"},
        {"gemma4_text", DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":[[8]]",
         "per_layer_config"},
        {"gemma4_text", DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":{\"3\":null}",
         "per_layer_config"},
        {"gemma4_text",
         DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":{\"0\":{\"head_dim\":8}}",
         "per_layer_config"},
        {"gemma4_text",
         DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":{\"3\":{\"intermediate_size\":8}}",
         "per_layer_config"},
        {"gemma4_text",
         DENSE ",\"vocab_size_per_layer_input\":32,\"rope_parameters\":{\"rope_type\":\"default\"}",
         "rope_parameters"},
        {"llama", DENSE ",\"vocab_size_per_layer_input\":32,\"per_layer_config\":{\"0\":{\"head_dim\":8}}",
         "per_layer_config"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ModelConfig config;
        Error error = {0};
        Status status = read(CASES[i].type, CASES[i].members, &config, &error);
        if ((status != STATUS_UNSUPPORTED && status != STATUS_FORMAT) ||
            strstr(error.message, CASES[i].named) == NULL)
            fail_msg("%s, %s: status %d, \"%s\"", CASES[i].type, CASES[i].members, (int)status,
                     error.message);
    }
}

static void heads_and_matrices_lie_as_the_switches_say(void **state) {
    (void)state;
    static const struct {
        const char *type, *members;
        QkvLayout qkv;
        uint64_t kv_heads;
    } CASES[] = {
        {"gpt2", GPT ",\"num_key_value_heads\":2", QKV_STACKED, 8},
        {"gpt_bigcode", GPT, QKV_STACKED, 1},
        {"gpt_bigcode", GPT ",\"multi_query\":false,\"num_key_value_heads\":8", QKV_BY_HEAD, 8},
        {"falcon", SIZES ",\"num_kv_heads\":3", QKV_STACKED, 1},
        {"falcon", SIZES ",\"multi_query\":false", QKV_BY_HEAD, 6},
        {"falcon", SIZES ",\"new_decoder_architecture\":true,\"num_kv_heads\":3", QKV_BY_GROUP, 3},
        {"falcon", SIZES ",\"new_decoder_architecture\":true", QKV_BY_GROUP, 6},
        {"codegen", GPT ",\"rotary_dim\":2", QKV_BY_QUARTER, 8},
        {"exaone", WIDE ",\"num_key_value_heads\":2", QKV_PARTED, 2},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ModelConfig config = good(CASES[i].type, CASES[i].members);
        assert_int_equal(config.qkv, CASES[i].qkv);
        assert_int_equal(config.kv_heads, CASES[i].kv_heads);
    }
}

static void a_field_has_every_name_that_its_class_gives_it_and_the_other_name_wins(void **state) {
    (void)state;
    ModelConfig config = good("gpt2", GPT ",\"n_positions\":64,\"num_hidden_layers\":3");
    assert_int_equal(config.layers, 3);
    assert_int_equal(config.max_positions, 64);
    assert_int_equal(good("gpt2", GPT ",\"n_positions\":64,\"max_position_embeddings\":16").max_positions,
                     16);
    config = good(
        "exaone",
        "\"hidden_size\":24,\"num_layers\":5,\"num_key_value_heads\":6,\"num_attention_heads\":6,\"vocab_size\":32,"
        "\"intermediate_size\":48,\"activation_function\":\"relu\",\"layer_norm_epsilon\":0.5");
    assert_int_equal(config.layers, 5);
    assert_int_equal(config.activation, ACTIVATION_RELU);
    assert_true(config.norm_epsilon == 0.5);
    assert_int_equal(good("bloom", "\"n_embed\":48,\"n_layer\":2,\"n_head\":6,\"vocab_size\":32").hidden_size,
                     48);
}

static void scores_are_scaled_as_the_type_says(void **state) {
    (void)state;
    const double usual = 1.0 / sqrt(4.0);
    assert_true(good("gpt2", GPT).attention_scale == usual);
    assert_false(good("gpt2", GPT).scale_falls);
    assert_true(good("gpt2", GPT ",\"scale_attn_by_inverse_layer_idx\":true").scale_falls);
    assert_true(good("gpt2", GPT ",\"scale_attn_weights\":false").attention_scale == 1.0);
    assert_true(good("gpt_neo", SIZES ",\"attention_layers\":[\"local\",\"local\",\"global\",\"local\"]")
                    .attention_scale == 1.0);
    assert_true(
        good("mpt", SIZES ",\"attn_config\":{\"softmax_scale\":0.25,\"clip_qkv\":3.0}").attention_scale ==
        0.25);
    assert_true(good("mpt", SIZES ",\"attn_config\":{\"clip_qkv\":3.0}").clip == 3.0);
}

/* transformers 5.24: _get_alibi_slopes(6) of Bloom, build_mpt_alibi_tensor(6, …). */
static void alibi_falls_by_the_slopes_of_transformers(void **state) {
    (void)state;
    static const double BLOOM[] = {0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125},
                        MPT[] = {0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125};
    ModelConfig bloom = good("bloom", SIZES), mpt = good("mpt", SIZES),
                falcon = good("falcon", SIZES ",\"alibi\":true");
    for (uint64_t head = 0; head < 6; head++) {
        assert_true(architecture_alibi_slope(&bloom, head) == BLOOM[head]);
        assert_true(architecture_alibi_slope(&falcon, head) == BLOOM[head]);
        assert_true(architecture_alibi_slope(&mpt, head) == MPT[head]);
    }
    assert_int_equal(falcon.rope_count, 0);
    assert_int_equal(good("falcon", SIZES).rope_count, 1);
    ModelConfig llama = good("llama", DENSE);
    assert_true(architecture_alibi_slope(&llama, 0) == 0.0);
}

/* Only the model around the text model knows them; of others they are ordinary tokens. */
static void ids_of_pictures_are_embedded_as_padding_or_refused(void **state) {
    (void)state;
    static const char TEXT[] =
        "\"text_config\":{" DENSE
        ",\"head_dim\":4,\"hidden_size_per_layer_input\":0,\"global_head_dim\":4,\"pad_token_id\":%s}";
    static const struct {
        const char *ids, *padding;
        int32_t id;
        size_t row;
        bool is_refused;
    } CASES[] = {
        {"\"image_token_id\":7", "3", 7, 3, false},    {"\"video_token_id\":7", "3", 7, 3, false},
        {"\"audio_token_id\":7", "3", 7, 3, false},    {"\"boi_token_id\":7", "3", 7, 7, false},
        {"\"image_token_id\":7", "3", 8, 8, false},    {"\"boi_token_id\":7", "3", 258880, 3, false},
        {"\"image_token_id\":null", "3", 7, 7, false}, {"\"image_token_id\":7", "-1", 7, 0, true},
        {"\"image_token_id\":7", "null", 7, 0, true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[512], members[768];
        Error error = {0};
        (void)snprintf(text, sizeof text, TEXT, CASES[i].padding);
        (void)snprintf(members, sizeof members, "%s,%s", CASES[i].ids, text);
        ModelConfig config = good("gemma4", members);
        bool is_refused = architecture_check_token(&config, CASES[i].id, &error) == STATUS_UNSUPPORTED;
        assert_int_equal(is_refused, CASES[i].is_refused);
        if (is_refused) assert_non_null(strstr(error.message, "pad_token_id"));
        if (!is_refused) assert_int_equal(architecture_embedded(&config, CASES[i].id), CASES[i].row);
    }
    ModelConfig llava = good("llava", "\"image_token_index\":7,\"text_config\":{" DENSE "}"),
                alone = good("gemma4_text", DENSE
                             ",\"head_dim\":4,\"global_head_dim\":4,"
                             "\"hidden_size_per_layer_input\":0,\"image_token_id\":7");
    assert_int_equal(architecture_embedded(&llava, 7), 7);
    assert_int_equal(architecture_embedded(&alone, 7), 7);
}

static void ids_with_embeddings_beside_the_text_model_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *towers;
        int32_t first;
    } CASES[] = {{"\"vision_config\":null", 262144},
                 {"\"vision_config\":{\"vocab_offset\":20}", 20},
                 {"\"audio_config\":{\"vocab_offset\":24}", 24}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char members[768];
        Error error = {0};
        (void)snprintf(members, sizeof members,
                       "%s,\"text_config\":{" DENSE ",\"head_dim\":4,\"num_kv_shared_layers\":0}",
                       CASES[i].towers);
        ModelConfig config = good("gemma3n", members);
        assert_int_equal(architecture_check_token(&config, CASES[i].first - 1, &error), STATUS_OK);
        assert_int_equal(architecture_check_token(&config, CASES[i].first, &error), STATUS_UNSUPPORTED);
        assert_non_null(strstr(error.message, "stands for a picture or a sound"));
    }
}

static void layers_differ_as_lists_and_shares_say(void **state) {
    (void)state;
    ModelConfig neo =
        good("gpt_neo", SIZES ",\"window_size\":5,\"attention_types\":[[[\"global\"],1],[[\"local\"],3]]");
    static const uint64_t WINDOWS[] = {0, 5, 5, 5};
    for (uint64_t layer = 0; layer < 4; layer++)
        assert_int_equal(architecture_layer(&neo, layer)->window, WINDOWS[layer]);
    ModelConfig gemma = good("gemma4_text", DENSE
                             ",\"head_dim\":4,\"num_key_value_heads\":6,\"global_head_dim\":8,"
                             "\"vocab_size_per_layer_input\":32,\"num_kv_shared_layers\":2,"
                             "\"use_double_wide_mlp\":true,\"sliding_window\":5,"
                             "\"layer_types\":[\"sliding_attention\",\"full_attention\","
                             "\"sliding_attention\",\"sliding_attention\"]");
    static const struct {
        uint64_t head_dim, width;
        int kv_layer;
    } EXPECTED[] = {
        {4, 48, -1}, {8, 48, -1}, {4, 96, 0}, {8, 96, 1}}; /* the last one is whole, whatever the list says */
    for (uint64_t layer = 0; layer < 4; layer++) {
        const LayerPlan *plan = architecture_layer(&gemma, layer);
        assert_int_equal(plan->head_dim, EXPECTED[layer].head_dim);
        assert_int_equal(plan->intermediate_size, EXPECTED[layer].width);
        assert_int_equal(plan->kv_layer, EXPECTED[layer].kv_layer);
        assert_int_equal(architecture_has(plan, TENSOR_K), layer < 2);
    }
    ModelConfig granite = good("granite_swa", DENSE ",\"layer_rope_theta\":[100.0,0,5.0,100.0]");
    static const int ROPES[] = {0, -1, 1, 0};
    for (uint64_t layer = 0; layer < 4; layer++)
        assert_int_equal(architecture_layer(&granite, layer)->rope, ROPES[layer]);
    assert_int_equal(architecture_layer(&granite, 0)->window, 0); /* the first of four is whole */
    assert_int_equal(architecture_layer(&granite, 1)->window, 128);
}

/* Twice the key heads, sinks, a window that may be stated without the query; the first and every sixth see all. */
static void layers_of_mimo_that_slide_are_of_another_make(void **state) {
    (void)state;
    ModelConfig config = good("mimo_v2_flash", MIMO ",\"num_hidden_layers\":7,\"sliding_window_size\":4");
    for (uint64_t layer = 0; layer < 7; layer++) {
        const LayerPlan *plan = architecture_layer(&config, layer);
        bool slides = layer != 0 && layer != 5;
        assert_int_equal(plan->window, slides ? 5 : 0);
        assert_int_equal(plan->kv_heads, slides ? 2 : 1);
        assert_int_equal(architecture_needs(plan, TENSOR_PART_SINKS), slides);
        assert_int_equal(plan->rope, slides ? 1 : 0);
        assert_int_equal(plan->value_dim, 4);
        assert_int_equal(plan->mlp, layer == 0 ? MLP_GATED : MLP_EXPERTS);
    }
    assert_true(config.value_scale == 0.707 && config.ropes[0].theta == 5e6 && config.ropes[1].theta == 1e4);
    assert_int_equal(config.ropes[0].dims, 4); /* 12 · 0.334, cut */
    config = good("mimo_v2_flash", MIMO
                  ",\"num_hidden_layers\":7,\"attention_value_scale\":null,\"rope_parameters\":{"
                  "\"full_attention\":{\"rope_type\":\"linear\",\"factor\":2.0,\"rope_theta\":7.0},"
                  "\"sliding_attention\":{\"rope_type\":\"default\",\"rope_theta\":8.0}}");
    assert_true(config.value_scale == 1.0);
    assert_int_equal(config.ropes[0].dims, 12); /* other kinds turn all */
    assert_int_equal(config.ropes[1].dims, 4);
}

static void rotary_parameters_are_those_of_the_type_where_nothing_says(void **state) {
    (void)state;
    ModelConfig config = good("apertus", DENSE);
    assert_int_equal(config.ropes[0].kind, ROPE_LLAMA3);
    assert_true(config.ropes[0].theta == 12000000.0);
    config = good("ministral3", DENSE ",\"head_dim\":4");
    assert_int_equal(config.ropes[0].kind, ROPE_YARN);
    assert_true(config.query_growth == 0.1 && config.query_growth_length == 16384.0);
    config = good("gpt_neox", DENSE ",\"rotary_pct\":0.5,\"rotary_emb_base\":500,\"rope_theta\":7.0");
    assert_true(config.ropes[0].theta == 500.0);
    assert_int_equal(config.ropes[0].dims, 2);
    config = good("gptj", GPT ",\"rotary_dim\":2,\"rope_theta\":7.0");
    assert_true(config.ropes[0].theta == 10000.0 && config.ropes[0].is_interleaved);
    assert_int_equal(config.ropes[0].dims, 2);
}

/* Of each expert that is chosen a head for each key head, whatever else is stated. */
static void heads_of_jetmoe_are_as_many_as_experts_are_chosen(void **state) {
    (void)state;
    ModelConfig config =
        good("jetmoe", JETMOE ",\"num_experts_per_tok\":4,\"num_attention_heads\":5,\"rms_norm_eps\":0.5");
    assert_true(config.heads == 12 && config.kv_heads == 3 && config.head_dim == 8);
    assert_true(config.norm_epsilon == 0.5 && config.layer_epsilon == 1e-6);
    const LayerPlan *plan = architecture_layer(&config, 0);
    assert_true(architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS) && !architecture_has(plan, TENSOR_Q));
    assert_true(architecture_has(plan, TENSOR_DOWN_BIAS));
}

static void check_layer(const ModelConfig *config, uint64_t layer, uint64_t rate, bool overlaps,
                        bool is_hashed) {
    const LayerPlan *plan = architecture_layer(config, layer);
    assert_true(plan->rate == rate && plan->overlaps == overlaps && plan->is_hashed == is_hashed);
    assert_int_equal(plan->rope, rate > 0 ? 1 : 0);
    assert_true(architecture_needs(plan, TENSOR_PART_COMPRESSOR_KEY) == (rate > 0));
    assert_true(architecture_needs(plan, TENSOR_PART_EXPERT_TABLE) == is_hashed);
    assert_true(architecture_needs(plan, TENSOR_PART_CORRECTION) != is_hashed);
}

static void layers_of_deepseek_v4_are_as_lists_say_or_by_turns(void **state) {
    (void)state;
    ModelConfig config = good("deepseek_v4", DEEPSEEK4);
    const bool are_sparse[] = {false, false, false, true};
    for (uint64_t i = 0; i < 4; i++) check_layer(&config, i, are_sparse[i] ? 4 : 128, are_sparse[i], i < 3);
    assert_int_equal(config.sparse_from, 513 * 4 - 1);
    assert_true(config.kv_heads == 1 && config.connections == 4 && config.connection_rounds == 20);
    assert_true(config.ropes[0].theta == 10000.0 && config.ropes[1].theta == 160000.0);
    assert_true(config.ropes[0].dims == 2 && config.ropes[1].dims == 2);
    config = good("deepseek_v4", DEEPSEEK4
                  ",\"compress_ratios\":[0,128,4,0],\"compress_rate_csa\":3,"
                  "\"num_hash_layers\":1,\"index_topk\":5");
    check_layer(&config, 0, 0, false, true);
    check_layer(&config, 1, 128, false, false);
    check_layer(&config, 2, 3, true, false);
    check_layer(&config, 3, 0, false, false);
    assert_int_equal(config.sparse_from, 6 * 3 - 1);
    config = good("deepseek_v4", DEEPSEEK4
                  ",\"compress_ratios\":[128,4,128,4],\"compress_rate_csa\":4,\"compress_rate_hca\":4,"
                  "\"num_hash_layers\":0"); /* one rate of both */
    for (uint64_t i = 0; i < 4; i++) check_layer(&config, i, 4, i % 2 == 1, false);
}

/* Layers that compress keys have the one set that is stated; yarn's scale is left out there, unless it is stated. */
static void rotary_parameters_of_deepseek_v4_are_of_layers_that_compress(void **state) {
    (void)state;
    ModelConfig config =
        good("deepseek_v4", DEEPSEEK4
             ",\"qk_rope_head_dim\":8,\"rope_theta\":77.0,\"rope_scaling\":{\"type\":\"yarn\","
             "\"factor\":4.0,\"original_max_position_embeddings\":16}");
    assert_true(config.ropes[0].kind == ROPE_DEFAULT && config.ropes[0].theta == 77.0);
    assert_true(config.ropes[1].kind == ROPE_YARN && config.ropes[1].theta == 160000.0);
    assert_true(config.ropes[0].dims == 8 && config.ropes[1].dims == 8);
    assert_true(config.ropes[1].attention_factor == 1.0);
    config = good("deepseek_v4", DEEPSEEK4
                  ",\"rope_parameters\":{\"main\":{\"rope_theta\":5.0,\"partial_rotary_factor\":0.25},"
                  "\"compress\":{\"rope_theta\":7.0,\"partial_rotary_factor\":0.5}}");
    assert_true(config.ropes[0].theta == 5.0 && config.ropes[0].dims == 4);
    assert_true(config.ropes[1].theta == 7.0 && config.ropes[1].dims == 8);
}

static void fields_of_a_class_come_before_its_other_entries(void **state) {
    (void)state;
    size_t fields = 0, others = 0;
    for (size_t i = 0; i < CONFIG_CLASS_COUNT; i++) {
        ConfigEntry entry;
        const char *rest = config_class_others(&CONFIG_CLASSES[i]);
        for (const char *at = CONFIG_CLASSES[i].text; config_class_next(&at, &entry);) {
            assert_int_equal(entry.kind == CONFIG_FIELD, entry.name < rest || *rest == '\0');
            fields += entry.kind == CONFIG_FIELD;
            others += entry.kind != CONFIG_FIELD;
        }
    }
    assert_true(fields > 0 && others > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_a_class_come_before_its_other_entries),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
        cmocka_unit_test(heads_and_matrices_lie_as_the_switches_say),
        cmocka_unit_test(a_field_has_every_name_that_its_class_gives_it_and_the_other_name_wins),
        cmocka_unit_test(scores_are_scaled_as_the_type_says),
        cmocka_unit_test(alibi_falls_by_the_slopes_of_transformers),
        cmocka_unit_test(ids_of_pictures_are_embedded_as_padding_or_refused),
        cmocka_unit_test(ids_with_embeddings_beside_the_text_model_are_refused),
        cmocka_unit_test(layers_differ_as_lists_and_shares_say),
        cmocka_unit_test(layers_of_mimo_that_slide_are_of_another_make),
        cmocka_unit_test(heads_of_jetmoe_are_as_many_as_experts_are_chosen),
        cmocka_unit_test(layers_of_deepseek_v4_are_as_lists_say_or_by_turns),
        cmocka_unit_test(rotary_parameters_of_deepseek_v4_are_of_layers_that_compress),
        cmocka_unit_test(rotary_parameters_are_those_of_the_type_where_nothing_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
