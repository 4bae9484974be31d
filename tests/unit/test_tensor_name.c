/* What a tensor's name says of it. The names are those that transformers 5.24.0 writes of the model beside each. */
#include "core/checkpoint/tensor_name.h"
#include "tests/golden/golden.h"

#include <string.h>

typedef struct Case {
    const char *name; /* of that tensor */
    const char *role;
    int layer, expert;
    unsigned rank; /* 0: a matrix */
} Case;

static const Case CASES[] = {
    /* whatever stands before the layers */
    {"model.layers.3.self_attn.q_proj.weight", "q", 3, -1, 0},
    {"layers.3.self_attn.q_proj.weight", "q", 3, -1, 0},
    {"_orig_mod.model.layers.3.self_attn.q_proj.weight", "q", 3, -1, 0},
    {"base_model.model.model.layers.3.mlp.up_proj.bias", "up_bias", 3, -1, 0},
    {"model.language_model.layers.11.mlp.down_proj.weight", "down", 11, -1, 0}, /* qwen3_vl */
    {"language_model.lm_head.weight", "lm_head", -1, -1, 0},                    /* llava */
    /* other names of the same */
    {"transformer.h.0.attn.c_attn.weight", "qkv", 0, -1, 0}, /* gpt2 */
    {"transformer.h.0.attn.c_proj.bias", "o_bias", 0, -1, 0},
    {"transformer.h.0.mlp.c_fc.weight", "up", 0, -1, 0},
    {"transformer.h.0.mlp.c_proj.weight", "down", 0, -1, 0},
    {"transformer.h.0.ln_2.bias", "norm2", 0, -1, 0},
    {"transformer.wpe.weight", "position", -1, -1, 0},
    {"gpt_neox.layers.2.attention.query_key_value.bias", "qkv_bias", 2, -1, 0},
    {"gpt_neox.layers.2.mlp.dense_4h_to_h.weight", "down", 2, -1, 0},
    {"embed_out.weight", "lm_head", -1, -1, 0},
    {"model.decoder.layers.1.self_attn.out_proj.weight", "o", 1, -1, 0}, /* opt */
    {"model.decoder.layers.1.fc1.weight", "up", 1, -1, 0},
    {"model.decoder.layers.1.final_layer_norm.weight", "norm2", 1, -1, 0},
    {"model.decoder.final_layer_norm.weight", "final_norm", -1, -1, 0},
    {"lm_head.bias", "lm_head_bias", -1, -1, 0}, /* phi */
    {"model.layers.0.mlp.gate_up_proj.weight", "gate_up", 0, -1, 0},
    {"model.layers.0.self_attn.q_layernorm.norms.2.weight", "q_norm", 0, -1, 0}, /* stablelm */
    {"model.layers.0.self_attn.q_proj.linear.weight", "q", 0, -1, 0},            /* gemma4 */
    {"model.layers.0.self_attn.kv_a_proj_with_mqa.weight", "kv_a", 0, -1, 0},    /* deepseek_v3 */
    {"transformer.h.0.mlp.c_fc_0.weight", "gate", 0, -1, 0},                     /* exaone */
    /* experts */
    {"model.layers.1.block_sparse_moe.experts.3.w1.weight", "expert", 1, 3, 0}, /* mixtral */
    {"model.layers.1.block_sparse_moe.gate.weight", "router", 1, -1, 0},
    {"model.layers.1.mlp.experts.12.down_proj.weight", "expert", 1, 12, 0}, /* qwen3_moe */
    {"model.layers.1.mlp.switch_mlp.down_proj.weight", "expert", 1, -1, 3}, /* MLX */
    {"model.layers.1.mlp.experts.gate_up_proj", "expert", 1, -1, 3},        /* gpt_oss */
    {"model.layers.1.mlp.experts.gate_up_proj_bias", "expert_bias", 1, -1, 2},
    {"model.layers.1.mlp.gate.e_score_correction_bias", "router", 1, -1, 1}, /* deepseek_v3 */
    {"model.layers.1.mlp.shared_experts.up_proj.weight", "shared_expert", 1, -1, 0},
    {"model.layers.1.mlp.shared_expert_gate.weight", "router", 1, -1, 0},        /* qwen2_moe */
    {"model.layers.1.block_sparse_moe.input_linear.weight", "expert", 1, -1, 3}, /* granitemoe */
    {"model.layers.1.shared_mlp.input_linear.weight", "shared_expert", 1, -1, 0},
    {"transformer.blocks.1.ffn.experts.mlp.w1", "expert", 1, -1, 0}, /* dbrx */
    {"model.layers.1.mlp.input_linear.weight", "expert", 1, -1, 3},  /* jetmoe */
    {"model.layers.1.mlp.router.layer.weight", "router", 1, -1, 0},
    {"model.layers.1.mlp.bias", "down_bias", 1, -1, 1},
    {"model.layers.1.self_attention.experts.input_linear.weight", "expert", 1, -1, 3},
    {"model.layers.1.self_attention.experts.router.layer.weight", "router", 1, -1, 0},
    {"model.layers.1.self_attention.experts.bias", "expert_bias", 1, -1, 1},
    {"model.layers.1.self_attention.kv_proj.weight", "qkv", 1, -1, 0},
    {"layers.3.attn.wq_b.weight", "q_b", 3, -1, 0}, /* deepseek_v4 */
    {"model.layers.3.attn.wkv.weight", "qkv", 3, -1, 0},
    {"model.layers.3.self_attn.o_a_proj.weight", "o", 3, -1, 0},
    {"model.layers.3.ffn.experts.7.w2.weight", "expert", 3, 7, 0},
    {"model.layers.3.ffn.shared_experts.w1.weight", "shared_expert", 3, -1, 0},
    {"model.layers.3.ffn.gate.bias", "router", 3, -1, 1},
    {"embed.weight", "embed", -1, -1, 0},
    {"head.weight", "lm_head", -1, -1, 0},
    /* state spaces and convolutions */
    {"backbone.layers.4.mixer.A_log", "ssm", 4, -1, 0}, /* mamba2 */
    {"backbone.layers.4.mixer.conv1d.bias", "conv", 4, -1, 1},
    {"backbone.layers.4.norm.weight", "norm1", 4, -1, 1},
    {"backbone.layers.4.mixer.norm.weight", "norm", 4, -1, 1},
    {"backbone.layers.4.mixer.q_proj.weight", "q", 4, -1, 0}, /* nemotron_h */
    {"backbone.norm_f.weight", "final_norm", -1, -1, 1},
    {"model.layers.4.linear_attn.in_proj_qkv.weight", "ssm", 4, -1, 0}, /* qwen3_5 */
    {"model.layers.4.conv.in_proj.weight", "conv", 4, -1, 0},           /* lfm2 */
    /* norms by what they do */
    {"model.layers.4.post_feedforward_layernorm.weight", "post2", 4, -1, 1}, /* gemma2 */
    {"model.layers.4.pre_feedforward_layernorm.weight", "norm2", 4, -1, 1},
    {"model.layers.4.post_self_attn_layernorm.weight", "post1", 4, -1, 1}, /* glm4 */
    {"model.layers.4.self_attn_layer_norm.weight", "norm1", 4, -1, 1},     /* xglm */
    /* towers have no layer of the text model */
    {"vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", "vision", -1, -1, 0},
    {"visual.blocks.0.attn.qkv.weight", "vision", -1, -1, 0},
    {"multi_modal_projector.linear_1.bias", "vision", -1, -1, 1},
    {"model.audio_tower.layers.0.q_proj.weight", "audio", -1, -1, 0},
    /* nothing that was learned */
    {"model.layers.0.self_attn.rotary_emb.inv_freq", "buffer", 0, -1, 1},
    {"transformer.h.0.attn.bias", "buffer", 0, -1, 4},
    {"transformer.h.0.attn.masked_bias", "buffer", 0, -1, 1},
    /* a PEFT model saved as it stands (peft 0.21.2) */
    {"base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight", "q", 0, -1, 0},
    {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight", "adapter", 0, -1, 0},
    /* what looks like another thing */
    {"model.layers.0.self_attn.gate_proj.weight", "other", 0, -1, 0}, /* afmoe gates its attention */
    {"model.layers.0.self_attn.indexer.k_norm.weight", "other", 0, -1, 1},
    {"mtp.layers.0.self_attn.q_proj.weight", "other", -1, -1, 0},
    {"encoder.block.0.layer.0.SelfAttention.q.weight", "other", 0, -1, 0}, /* t5 */
    {"v_head.summary.weight", "other", -1, -1, 0},
    {"score.weight", "other", -1, -1, 0},
};

static void a_name_says_role_layer_and_expert(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const Case *expected = &CASES[i];
        TensorName found = tensor_name_read(expected->name, expected->rank == 0 ? 2 : expected->rank);
        if (strcmp(tensor_role_name(found.role), expected->role) != 0 || found.layer != expected->layer ||
            found.expert != expected->expert)
            fail_msg("%s: expected %s of layer %d, expert %d, found %s of layer %d, expert %d",
                     expected->name, expected->role, expected->layer, expected->expert,
                     tensor_role_name(found.role), found.layer, found.expert);
    }
}

static void an_experts_matrix_says_which_it_is(void **state) {
    (void)state;
    assert_int_equal(tensor_name_read("model.layers.1.mlp.experts.2.w3.weight", 2).part, TENSOR_UP);
    assert_int_equal(tensor_name_read("model.layers.1.mlp.experts.2.gate_proj.weight", 2).part, TENSOR_GATE);
    assert_int_equal(tensor_name_read("model.layers.1.mlp.experts.gate_up_proj", 3).part, TENSOR_GATE_UP);
    assert_int_equal(tensor_name_read("model.layers.1.mlp.experts.down_proj", 3).part, TENSOR_DOWN);
    assert_int_equal(tensor_name_read("model.layers.1.mlp.down_proj.weight", 2).part, TENSOR_OTHER);
}

static void a_stem_is_what_stands_before_the_layers(void **state) {
    (void)state;
    assert_int_equal(tensor_name_stem("model.layers.3.mlp.up_proj.weight"), strlen("model."));
    assert_int_equal(tensor_name_stem("layers.3.mlp.up_proj.weight"), 0);
    assert_int_equal(tensor_name_stem("model.norm.weight"), 0);
}

static void every_role_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int i = 0; i < TENSOR_ROLE_COUNT; i++) {
        TensorRole found;
        assert_true(tensor_role_find(tensor_role_name((TensorRole)i), &found));
        assert_int_equal(found, i);
    }
    TensorRole found;
    assert_false(tensor_role_find("", &found));
}

static void endless_names_and_odd_ones_are_nothing(void **state) {
    (void)state;
    char deep[4096];
    memset(deep, '.', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    static const char *const ODD[] = {"",
                                      ".",
                                      "..",
                                      "weight",
                                      ".weight",
                                      "layers.0",
                                      "layers.0.",
                                      "layers..weight",
                                      "model.layers.99999999999.mlp.up_proj.weight",
                                      "model.layers.2147483646.mlp.up_proj.weight",
                                      "norms.1.weight"};
    assert_int_equal(tensor_name_read(deep, 2).role, TENSOR_OTHER);
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++)
        assert_int_equal(tensor_name_read(ODD[i], 2).role, TENSOR_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_says_role_layer_and_expert),
        cmocka_unit_test(an_experts_matrix_says_which_it_is),
        cmocka_unit_test(a_stem_is_what_stands_before_the_layers),
        cmocka_unit_test(every_role_has_a_name_of_its_own),
        cmocka_unit_test(endless_names_and_odd_ones_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
