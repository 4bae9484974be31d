/* config.json as people write it: what is read from which key, what is refused, and the frequencies that come of it. The
 * values are those of transformers 5.24.0, which was given the same files. */
#include "config_file.h"
#include "core/checkpoint/config_facts.h"
#include "core/checkpoint/model.h"

#include <math.h>

#define SIZES                                                                                                         \
    "\"hidden_size\":64,\"num_hidden_layers\":4,\"num_attention_heads\":4,\"num_key_value_heads\":2,\"head_dim\":16," \
    "\"intermediate_size\":96,\"vocab_size\":32"

/* SIZES and more. */
static const char *join(const char *more, char members[1024]) {
    (void)snprintf(members, 1024, SIZES "%s%s", *more != '\0' ? "," : "", more);
    return members;
}

static ModelConfig accept(const char *type, const char *more) {
    char members[1024];
    return config_file_accept(type, join(more, members));
}

static void refuse(const char *type, const char *more, const char *words) {
    char members[1024];
    config_file_refuse(type, join(more, members), words);
}

/* ---- rotary parameters ---- */

#define LONGROPE                                                                                             \
    "\"rope_parameters\":{\"rope_type\":\"longrope\",\"rope_theta\":500.0,\"factor\":4.0,"                   \
    "\"original_max_position_embeddings\":64,\"short_factor\":[1.0,1.1,1.2,1.3,1.4,1.5,1.6,1.7],"            \
    "\"long_factor\":[1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0]}"

static void frequencies_are_those_of_transformers(void **state) {
    (void)state;
    static const struct {
        const char *config;
        double scale, frequencies[8];
        uint64_t length; /* of the text; 0: of any */
    } KNOWN[] = {
        {"\"rope_parameters\":{\"rope_theta\":500}",
         1.0,
         {1, 0.459863275, 0.21147424, 0.0972492471, 0.0447213612, 0.0205657128, 0.0094574159, 0.00434911856},
         0},
        {"\"rope_scaling\":{\"type\":\"yarn\",\"rope_theta\":500.0,\"factor\":4.0,\"original_max_position_embeddings\":64}",
         1.13862944,
         {1, 0.344897449, 0.10573712, 0.0243123118, 0.0111803403, 0.00514142821, 0.00236435398,
          0.00108727964},
         0},
        {"\"rope_parameters\":{\"rope_type\":\"yarn\",\"rope_theta\":500.0,\"factor\":4.0,"
         "\"original_max_position_embeddings\":64,\"beta_fast\":8,\"beta_slow\":2,\"truncate\":false,\"mscale\":0.7,"
         "\"mscale_all_dim\":1.2}",
         0.940571525,
         {1, 0.326695055, 0.0613585487, 0.0243123118, 0.0111803403, 0.00514142821, 0.00236435398,
          0.00108727964},
         0},
        {"\"max_position_embeddings\":512,\"rope_parameters\":{\"rope_type\":\"yarn\",\"rope_theta\":500.0,\"factor\":null,"
         "\"original_max_position_embeddings\":64,\"attention_factor\":1.3}",
         1.3,
         {1, 0.325736493, 0.0881142616, 0.0121561559, 0.00559017016, 0.0025707141, 0.00118217699,
          0.000543639821},
         0},
        {"\"original_max_position_embeddings\":64,\"rope_parameters\":{\"rope_type\":\"llama3\",\"rope_theta\":500.0,"
         "\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":16}",
         1.0,
         {1, 0.459863275, 0.0976166278, 0.0121561559, 0.00559017016, 0.0025707141, 0.00118217699,
          0.000543639821},
         0},
        {"\"max_position_embeddings\":128,\"rope_parameters\":{\"rope_type\":\"llama3\",\"rope_theta\":500.0,"
         "\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0}",
         1.0,
         {1, 0.459863275, 0.21147424, 0.0399857163, 0.00559017016, 0.0025707141, 0.00118217699,
          0.000543639821},
         0},
        {"\"rope_parameters\":{\"rope_type\":\"proportional\",\"rope_theta\":500.0,\"factor\":2.0,"
         "\"partial_rotary_factor\":0.3}",
         1.0,
         {0.5, 0.229931638, 0, 0, 0, 0, 0, 0},
         0},
        {"\"rope_theta\":500,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":4.0}",
         1.0,
         {1, 0.459863275, 0.21147424, 0.0972492471, 0.0447213612, 0.0205657128, 0.0094574159, 0.00434911856},
         0},
        {"\"rope_theta\":500,\"rope_scaling\":{\"rope_type\":\"dynamic\",\"factor\":4.0}",
         1.0,
         {1, 0.395773917, 0.156636983, 0.0619928315, 0.0245351456, 0.00971037056, 0.00384311122,
          0.0015210032},
         3000},
        {LONGROPE,
         1.1547005383792517,
         {1, 0.418057501, 0.176228538, 0.0748071149, 0.0319438279, 0.0137104746, 0.00591088459,
          0.00255830493},
         64},
        {LONGROPE,
         1.1547005383792517,
         {1, 0.229931638, 0.0704914108, 0.0243123118, 0.00894427206, 0.00342761865, 0.00135105941,
          0.000543639821},
         65},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        ModelConfig config = accept("llama", KNOWN[i].config);
        float found[8];
        model_rope_frequencies(&config.ropes[0], KNOWN[i].length, found);
        if (fabs(config.ropes[0].attention_factor - KNOWN[i].scale) > 1e-8)
            fail_msg("%s: scaled by %.9g", KNOWN[i].config, config.ropes[0].attention_factor);
        for (size_t k = 0; k < 8; k++) {
            if (fabs((double)found[k] - KNOWN[i].frequencies[k]) > 3e-7 * KNOWN[i].frequencies[k])
                fail_msg("%s: frequency %zu: expected %.9g, found %.9g", KNOWN[i].config, k,
                         KNOWN[i].frequencies[k], (double)found[k]);
        }
    }
}

/* config.rope_parameters["rope_theta"] of transformers 5.24.0 for the same text. */
static void theta_is_found_where_transformers_finds_it(void **state) {
    (void)state;
    static const struct {
        const char *config, *from;
        double theta;
    } KNOWN[] = {
        {"", NULL, 10000},
        {"\"rope_theta\":7", "rope_theta", 7},
        {"\"rope_theta\":7,\"rope_parameters\":{}", "rope_theta", 7},
        {"\"rope_theta\":7,\"rope_parameters\":null,\"rope_scaling\":{}", "rope_theta", 7},
        {"\"rope_theta\":7,\"rope_parameters\":{\"rope_theta\":8}", "rope_parameters.rope_theta", 8},
        {"\"rope_theta\":7,\"rope_scaling\":{\"rope_type\":\"default\",\"rope_theta\":9}",
         "rope_scaling.rope_theta", 9},
        {"\"rope_parameters\":{\"rope_theta\":8},\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}", NULL,
         10000},
        {"\"rope_parameters\":{\"rope_theta\":8},\"rope_scaling\":null", "rope_parameters.rope_theta", 8},
        {"\"rope_theta\":7,\"rope_theta\":6", "rope_theta", 6}, /* Python keeps the last */
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        ModelConfig config = accept("llama", KNOWN[i].config);
        const char *from = config.from[CONFIG_ROPE_THETA];
        if (config.ropes[0].theta != KNOWN[i].theta)
            fail_msg("%s: %g", KNOWN[i].config, config.ropes[0].theta);
        if (from == NULL || KNOWN[i].from == NULL)
            assert_true(from == KNOWN[i].from);
        else
            assert_string_equal(from, KNOWN[i].from);
    }
    assert_int_equal(
        accept("llama", "\"rope_parameters\":{\"type\":\"mrope\",\"rope_type\":\"default\"}").ropes[0].kind,
        ROPE_DEFAULT);
}

static void rotary_parameters_that_transformers_cannot_use_are_refused(void **state) {
    (void)state;
    static const char *const CONFIGS[][2] = {
        {"\"rope_theta\":null", "rope_theta"},
        {"\"rope_theta\":\"500\"", "rope_theta"},
        {"\"rope_parameters\":{\"rope_theta\":null},\"rope_theta\":7", "rope_parameters.rope_theta"},
        {"\"rope_parameters\":{\"rope_type\":null,\"type\":\"linear\",\"factor\":2}",
         "rope_parameters.rope_type"},
        {"\"rope_parameters\":{\"rope_type\":\"mrope\"}", "\"mrope\""},
        {"\"rope_parameters\":[]", "rope_parameters"},
        {"\"rope_scaling\":\"linear\"", "rope_scaling"},
        {"\"rope_parameters\":{\"rope_type\":\"linear\"}", "\"factor\""},
        {"\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":\"2\"}", "rope_parameters.factor"},
        {"\"rope_parameters\":{\"rope_type\":\"yarn\"}", "\"factor\""},
        {"\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":2},\"original_max_position_embeddings\":null",
         "original_max_position_embeddings"},
        {"\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2,\"partial_rotary_factor\":0.5}",
         "partial_rotary_factor"},
        {"\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":2},\"partial_rotary_factor\":0.5",
         "partial_rotary_factor"},
        {"\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\",\"full_attention\"],"
         "\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"}}",
         "each kind of layer"},
    };
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS; i++)
        refuse("llama", CONFIGS[i][0], CONFIGS[i][1]);
}

/* ---- types of values ---- */

static void values_of_a_type_that_the_class_refuses_are_refused_by_name(void **state) {
    (void)state;
    static const char *const CONFIGS[][3] = {
        {"llama", "\"rms_norm_eps\":0", "rms_norm_eps"},
        {"llama", "\"rms_norm_eps\":null", "rms_norm_eps"},
        {"llama", "\"rms_norm_eps\":\"1e-5\"", "rms_norm_eps"},
        {"llama", "\"head_dim\":16.0", "head_dim"},
        {"llama", "\"max_position_embeddings\":null", "max_position_embeddings"},
        {"llama", "\"num_hidden_layers\":4.0", "num_hidden_layers"},
        {"llama", "\"num_hidden_layers\":\"4\"", "num_hidden_layers"},
        {"llama", "\"tie_word_embeddings\":null", "tie_word_embeddings"},
        {"llama", "\"attention_bias\":1", "attention_bias"},
        {"llama", "\"mlp_bias\":null", "mlp_bias"},
        {"llama", "\"use_cache\":null", "use_cache"},
        {"llama", "\"eos_token_id\":[2,\"3\"]", "eos_token_id"},
        {"llama", "\"hidden_act\":null", "hidden_act"},
        {"llama", "\"initializer_range\":2.0", "initializer_range"},
        {"llama", "\"layer_types\":[\"full_attention\"]", "expected 4 layer_types"},
        {"mistral", "\"num_key_value_heads\":null", "num_key_value_heads"},
        {"mistral", "\"attention_dropout\":null", "attention_dropout"},
        {"qwen2", "\"max_window_layers\":null", "max_window_layers"},
        {"qwen2", "\"head_dim\":null", "head_dim"},
        {"qwen3", "\"use_sliding_window\":null", "use_sliding_window"},
        {"llama", "\"is_causal\":false", "is_causal"},
        {"llama", "\"text_config\":{\"hidden_size\":32}", "text_config"},
    };
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS; i++)
        refuse(CONFIGS[i][0], CONFIGS[i][1], CONFIGS[i][2]);
    assert_true(accept("llama", "\"rms_norm_eps\":0.0").norm_epsilon == 0.0);
    assert_int_equal(accept("llama", "\"num_key_value_heads\":null").kv_heads, 4);
    assert_int_equal(accept("llama", "\"head_dim\":null").head_dim, 16);
}

static void what_a_type_does_not_read_does_nothing(void **state) {
    (void)state;
    static const char *const IGNORED[] = {
        "\"embedding_multiplier\":2.0",
        "\"logits_scaling\":2.0",
        "\"query_pre_attn_scalar\":8",
        "\"num_experts\":4",
        "\"attention_chunk_size\":8",
        "\"attn_logit_softcapping\":2.0",
        "\"residual_multiplier\":0.5",
        "\"partial_rotary_factor\":0.5",
        "\"hidden_activation\":\"gelu\"",
        "\"mlp_bias_\":null",
        "\"dtype\":\"auto\"",
        "\"architectures\":\"x\"",
    };
    ModelConfig plain = accept("qwen3", "");
    for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++) {
        ModelConfig config = accept("qwen3", IGNORED[i]);
        config.ropes[0].proportion = plain.ropes[0].proportion;
        assert_memory_equal(&config, &plain, sizeof config);
    }
    assert_int_equal(accept("mistral", "\"attention_bias\":null").roles[TENSOR_Q_BIAS], false);
}

/* ---- windows ---- */

static void expect_window(const char *type, const char *more, uint64_t window, const char *sliding) {
    ModelConfig config = accept(type, more);
    char found[5] = "....";
    for (uint64_t layer = 0; layer < 4; layer++) {
        if (architecture_slides(&config, layer)) found[layer] = 's';
    }
    if (strcmp(found, sliding) != 0) fail_msg("%s %s: expected %s, found %s", type, more, sliding, found);
    if (window != architecture_window(&config))
        fail_msg("%s %s: a window of %d", type, more, (int)architecture_window(&config));
}

#define LAYERS(a, b, c, d)                                                                                   \
    "\"layer_types\":[\"" a "_attention\",\"" b "_attention\",\"" c "_attention\",\"" d "_attention\"]"

static void each_layer_slides_or_not_as_transformers_has_it(void **state) {
    (void)state;
    expect_window("llama", "\"sliding_window\":8," LAYERS("sliding", "full", "full", "full"), 0, "....");
    expect_window("mistral", "", 4096, "ssss");
    expect_window("mistral", "\"sliding_window\":null", 0, "....");
    expect_window("mistral", "\"sliding_window\":8," LAYERS("sliding", "full", "sliding", "full"), 8, "s.s.");
    expect_window("mistral", "\"sliding_window\":8," LAYERS("full", "full", "full", "full"), 0, "....");
    expect_window("qwen2", "\"sliding_window\":8", 0, "....");
    expect_window("qwen2", "\"use_sliding_window\":true,\"sliding_window\":8", 0,
                  "...."); /* from layer 28 on */
    expect_window("qwen2", "\"use_sliding_window\":true,\"sliding_window\":8,\"max_window_layers\":2", 8,
                  "..ss");
    expect_window("qwen2", "\"use_sliding_window\":true,\"sliding_window\":8,\"max_window_layers\":-1", 8,
                  "ssss");
    expect_window("qwen3",
                  "\"use_sliding_window\":true,\"sliding_window\":8,\"max_window_layers\":0," LAYERS(
                      "full", "sliding", "full", "sliding"),
                  8, ".s.s");
    expect_window("qwen3", "\"sliding_window\":0", 0, "....");
    refuse("qwen3", "\"sliding_window\":8," LAYERS("full", "sliding", "full", "full"), "no sliding_window");
    refuse("qwen3", "\"use_sliding_window\":true,\"sliding_window\":0,\"max_window_layers\":0",
           "sliding_window");
    refuse("qwen3", "\"use_sliding_window\":true," LAYERS("full", "chunked", "full", "full"),
           "chunked_attention");
    refuse("mistral", "\"sliding_window\":null," LAYERS("full", "full", "full", "full"), "Ministral");
}

/* ---- what was decided ---- */

static void expect_fact(const ConfigFacts *facts, const char *key, const char *value, const char *from) {
    const ConfigFact *fact = config_facts_find(facts, key);
    assert_non_null(fact);
    assert_string_equal(fact->value, value);
    assert_string_equal(fact->from, from);
}

static void decisions_are_told_with_the_key_they_come_from(void **state) {
    (void)state;
    Checkpoint checkpoint = {.model_status = STATUS_OK};
    checkpoint.model = accept(
        "qwen3",
        "\"use_sliding_window\":true,\"sliding_window\":8,\"eos_token_id\":[2,-1,3],\"rope_theta\":5e5,"
        "\"rope_scaling\":{\"type\":\"linear\",\"factor\":4}," LAYERS("sliding", "full", "sliding",
                                                                      "sliding"));
    ConfigFacts facts;
    config_facts_list(&checkpoint, &facts);
    expect_fact(&facts, "rope_type", "linear", "rope_scaling.type");
    expect_fact(&facts, "rope_theta", "500000", "rope_theta");
    expect_fact(&facts, "rope_factor", "4", "rope_scaling.factor");
    expect_fact(&facts, "sliding_window", "8, layers 0, 2-3", "layer_types");
    expect_fact(&facts, "hidden_act", "silu", "default of qwen3");
    expect_fact(&facts, "rms_norm_eps", "1e-06", "default of qwen3");
    expect_fact(&facts, "tie_word_embeddings", "none", "default of qwen3");
    expect_fact(&facts, "eos_token_id", "2, 3", "eos_token_id");
    assert_null(config_facts_find(&facts, "rope_ramp"));
    assert_null(config_facts_find(&facts, "tokenizer_class"));
    assert_non_null(config_facts_add(&facts, "tokenizer_class", "tokenizer class", "tokenizer_config.json",
                                     "%s", "Qwen2"));
    expect_fact(&facts, "tokenizer_class", "Qwen2", "tokenizer_config.json");
    while (facts.count < CONFIG_MOST_FACTS) assert_non_null(config_facts_add(&facts, "x", "x", "x", "x"));
    assert_null(config_facts_add(&facts, "y", "y", "y", "y"));
}

/* A llama with that eos_token_id in config.json, and generation_config.json's text. */
static Checkpoint make_ends(const char *config, const char *generation) {
    char member[2048];
    (void)snprintf(member, sizeof member, "\"eos_token_id\":%s", config);
    Checkpoint checkpoint = {.model = accept("llama", member), .model_status = STATUS_OK};
    cJSON *json;
    assert_int_equal(json_parse(generation, strlen(generation), "g", &json, NULL), STATUS_OK);
    architecture_read_generation(json, &checkpoint.model);
    cJSON_Delete(json);
    return checkpoint;
}

/* "5, 6 (KEY); 2 (KEY)" */
static void expect_ends(const Checkpoint *checkpoint, const char *expected) {
    ConfigFacts facts;
    char text[2048] = "";
    config_facts_list(checkpoint, &facts);
    for (size_t i = 0; i < facts.count; i++) {
        size_t used = strlen(text);
        if (strcmp(facts.items[i].key, "eos_token_id") == 0)
            (void)snprintf(text + used, sizeof text - used, "%s%s (%s)", used > 0 ? "; " : "",
                           facts.items[i].value, facts.items[i].from);
    }
    assert_string_equal(text, expected);
}

/* generate() of transformers 5.24.0 takes generation_config.json's alone; both end a text here. */
static void both_files_say_where_a_text_ends_each_id_with_its_keys(void **state) {
    (void)state;
    static const struct {
        const char *config, *generation, *ends;
        int32_t first;
        const char *from; /* of the first */
    } KNOWN[] = {
        {"2", "{\"eos_token_id\":[5,6]}", "5, 6 (generation_config.json: eos_token_id); 2 (eos_token_id)", 5,
         "generation_config.json: eos_token_id"},
        {"7", "{\"eos_token_id\":7}", "7 (generation_config.json, config.json: eos_token_id)", 7,
         "generation_config.json: eos_token_id"},
        {"[2,8,2]", "{\"eos_token_id\":[5,8,5]}",
         "5 (generation_config.json: eos_token_id); 8 (generation_config.json, config.json: eos_token_id); "
         "2 (eos_token_id)",
         5, "generation_config.json: eos_token_id"},
        {"[2,3]", "{}", "2, 3 (eos_token_id)", 2, "eos_token_id"},
        {"2", "{\"eos_token_id\":null}", "2 (eos_token_id)", 2, "eos_token_id"},
        {"2", "{\"eos_token_id\":[]}", "2 (eos_token_id)", 2, "eos_token_id"},
        {"null", "{\"eos_token_id\":4}", "4 (generation_config.json: eos_token_id)", 4,
         "generation_config.json: eos_token_id"},
        {"null", "{}", "none (not stated)", 0, NULL},
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        Checkpoint checkpoint = make_ends(KNOWN[i].config, KNOWN[i].generation);
        expect_ends(&checkpoint, KNOWN[i].ends);
        assert_int_equal(checkpoint.model.eos[0], KNOWN[i].first);
        const char *from = checkpoint.model.from[CONFIG_EOS];
        if (from == NULL || KNOWN[i].from == NULL)
            assert_ptr_equal(from, KNOWN[i].from);
        else
            assert_string_equal(from, KNOWN[i].from);
    }
}

/* `count` ids that follow each other, as JSON. */
static void list_ids(char *text, size_t size, int first, int count) {
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i > 0 ? "," : "", first + i);
    (void)snprintf(text + used, size - used, "]");
}

static void no_end_of_a_text_is_left_out_unsaid(void **state) {
    (void)state;
    char ids[1024], generation[1100];
    list_ids(ids, sizeof ids, 1000000, 50);
    list_ids(generation + 16, sizeof generation - 32, 1000030, 37);
    memcpy(generation, "{\"eos_token_id\":", 16);
    (void)strcat(generation, "}");
    Checkpoint checkpoint = make_ends(ids, generation);
    ConfigFacts facts;
    config_facts_list(&checkpoint, &facts);
    assert_int_equal(checkpoint.model.eos_count, MODEL_MAX_EOS);
    assert_int_equal(checkpoint.model.eos_left_out, 3); /* 67 ids */
    size_t commas = 0, told = 0;
    for (size_t i = 0; i < facts.count; i++) {
        if (strcmp(facts.items[i].key, "eos_token_id") != 0) continue;
        if (strcmp(facts.items[i].value, "3 more, which end no text here") == 0) {
            told++;
            continue;
        }
        for (const char *c = facts.items[i].value; *c != '\0'; c++) commas += *c == ',';
        commas++;
    }
    assert_int_equal(commas, MODEL_MAX_EOS);
    assert_int_equal(told, 1);
    assert_non_null(config_facts_find(&facts, "dtype_stored")); /* the list has room for what comes behind */
}

/* A way back is known of what is listed, and of nothing else: what it passes by would be wrong without a word. */
static void what_has_no_way_back_is_named(void **state) {
    (void)state;
    static const struct {
        const char *type, *more, *named;
    } CASES[] = {
        {"llama", "", NULL},
        {"qwen3_moe", "\"num_experts\":4,\"num_experts_per_tok\":2,\"moe_intermediate_size\":8", NULL},
        {"afmoe",
         "\"num_experts\":4,\"num_experts_per_tok\":2,\"moe_intermediate_size\":8,\"num_dense_layers\":1,"
         "\"global_attn_every_n_layers\":2",
         NULL},
        {"apertus", "", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const ModelConfig config = accept(CASES[i].type, CASES[i].more);
        const char *named = architecture_forward_only(&config);
        if (CASES[i].named == NULL ? named != NULL : named == NULL || strcmp(named, CASES[i].named) != 0)
            fail_msg("%s: %s", CASES[i].type, named != NULL ? named : "nothing");
    }
    ModelConfig config = accept("llama", "");
    part_set_add(&config.plans[0].parts, TENSOR_PART_EXPERT_TABLE, true); /* as a type to come may have */
    assert_string_equal(architecture_forward_only(&config), "tensors of its own");
    config = accept("llama", "");
    config.mlp_scale = 0.5;
    assert_null(architecture_forward_only(&config));
    config.wiring = WIRING_PARALLEL; /* both blocks start from one gradient */
    assert_string_equal(architecture_forward_only(&config), "scaled blocks side by side");
    config = accept("llama", "");
    config.plans[0].value_dim = config.plans[0].head_dim / 2;
    assert_null(architecture_forward_only(&config)); /* of a matrix of their own */
    config.qkv = QKV_BY_HEAD;
    assert_string_equal(architecture_forward_only(&config), "values of another width than keys");
}

/* torch's Embedding has no such row, and transformers stops in its assertion; a type whose embedding is told of no padding loads.
 * What begins and ends a text may be any number. */
static void padding_is_a_row_of_the_embedding(void **state) {
    (void)state;
    static const char *const WITH[] = {"llama", "qwen2", "gemma2", "phi", "lfm2", "opt", "cohere"},
                             *const WITHOUT[] = {"gpt_neox", "falcon", "mamba"};
    static const char *const ROWS[] = {"null", "0", "31", "-1", "-32"}, *const OTHERS[] = {"32", "100000",
                                                                                           "-33"};
    char text[64];
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        (void)snprintf(text, sizeof text, "\"pad_token_id\":%s", ROWS[r]);
        (void)accept("llama", text);
        (void)accept("gpt_neox", text);
    }
    for (size_t o = 0; o < sizeof OTHERS / sizeof *OTHERS; o++) {
        (void)snprintf(text, sizeof text, "\"pad_token_id\":%s", OTHERS[o]);
        refuse("llama", text, "expected \"pad_token_id\" to be one of 32 rows of the embedding");
        (void)accept("gpt_neox", text);
    }
    for (size_t i = 0; i < sizeof WITH / sizeof *WITH; i++)
        refuse(WITH[i], "\"pad_token_id\":32", "transformers cannot load it");
    for (size_t i = 0; i < sizeof WITHOUT / sizeof *WITHOUT; i++)
        (void)accept(WITHOUT[i], "\"pad_token_id\":32");
    (void)accept("mllama_text_model", "\"pad_token_id\":39"); /* eight rows follow those of the vocabulary */
    refuse("mllama_text_model", "\"pad_token_id\":40", "40 rows");
    refuse("llama", "\"pad_token_id\":[1]", "pad_token_id");
    refuse("phi3", "", "found 32000"); /* which it is unless another is stated */
    (void)accept("llama", "\"bos_token_id\":77,\"eos_token_id\":[99,-3]");
    (void)accept("llama", "\"bos_token_id\":-3");
    refuse("llama", "\"bos_token_id\":[1]", "bos_token_id");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_are_those_of_transformers),
        cmocka_unit_test(padding_is_a_row_of_the_embedding),
        cmocka_unit_test(theta_is_found_where_transformers_finds_it),
        cmocka_unit_test(rotary_parameters_that_transformers_cannot_use_are_refused),
        cmocka_unit_test(values_of_a_type_that_the_class_refuses_are_refused_by_name),
        cmocka_unit_test(what_a_type_does_not_read_does_nothing),
        cmocka_unit_test(each_layer_slides_or_not_as_transformers_has_it),
        cmocka_unit_test(decisions_are_told_with_the_key_they_come_from),
        cmocka_unit_test(both_files_say_where_a_text_ends_each_id_with_its_keys),
        cmocka_unit_test(no_end_of_a_text_is_left_out_unsaid),
        cmocka_unit_test(what_has_no_way_back_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
