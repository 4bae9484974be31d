#include "tests/bench/shapes.h"

#include <string.h>

#define LLAMA     "llama", "LlamaForCausalLM"
#define QWEN2     "qwen2", "Qwen2ForCausalLM"
#define QWEN3     "qwen3", "Qwen3ForCausalLM"
#define QWEN3_MOE "qwen3_moe", "Qwen3MoeForCausalLM"

/* name, type, class, hidden, layers, heads, kv, head_dim, MLP, vocabulary, positions, θ, ε, then switches */
const Shape SHAPES[] = {
    {"tiny", LLAMA, 64, 2, 4, 2, 16, 192, 512, 512, 1e4, 1e-5, .is_tied = false},
    {"demo-like", LLAMA, 128, 6, 4, 2, 32, 352, 512, 256, 1e4, 1e-6, .is_tied = false},
    {"qwen2.5-0.5b", QWEN2, 896, 24, 14, 2, 64, 4864, 151936, 32768, 1e6, 1e-6, .is_tied = true,
     .has_qkv_bias = true},
    /* an eighth of it, at its widths: layers and vocabulary, and so their proportion */
    {"qwen2.5-0.5b-eighth", QWEN2, 896, 3, 14, 2, 64, 4864, 18992, 32768, 1e6, 1e-6, .is_tied = true,
     .has_qkv_bias = true},
    /* one layer, for a test of ratios: too large for a cache */
    {"qwen2.5-0.5b-layer", QWEN2, 896, 1, 14, 2, 64, 4864, 6400, 32768, 1e6, 1e-6, .is_tied = true,
     .has_qkv_bias = true},
    {"qwen2.5-1.5b", QWEN2, 1536, 28, 12, 2, 128, 8960, 151936, 131072, 1e6, 1e-6, .is_tied = true,
     .has_qkv_bias = true},
    {"qwen2.5-7b", QWEN2, 3584, 28, 28, 4, 128, 18944, 152064, 131072, 1e6, 1e-6, .has_qkv_bias = true},
    {"qwen3-0.6b", QWEN3, 1024, 28, 16, 8, 128, 3072, 151936, 40960, 1e6, 1e-6, .is_tied = true,
     .has_qk_norm = true},
    {"qwen3-1.7b", QWEN3, 2048, 28, 16, 8, 128, 6144, 151936, 40960, 1e6, 1e-6, .is_tied = true,
     .has_qk_norm = true},
    {"qwen3-4b", QWEN3, 2560, 36, 32, 8, 128, 9728, 151936, 40960, 1e6, 1e-6, .is_tied = true,
     .has_qk_norm = true},
    {"qwen3-8b", QWEN3, 4096, 36, 32, 8, 128, 12288, 151936, 40960, 1e6, 1e-6, .has_qk_norm = true},
    /* the layers, neurons and vocabulary of the one above, and next to no weights: for what a key costs */
    {"qwen3-8b-thin", QWEN3, 16, 36, 32, 8, 128, 12288, 151936, 40960, 1e6, 1e-6, .has_qk_norm = true},
    {"llama3.2-1b", LLAMA, 2048, 16, 32, 8, 64, 8192, 128256, 131072, 5e5, 1e-5, .is_tied = true,
     .llama3_factor = 32.0},
    {"llama-7b", LLAMA, 4096, 32, 32, 32, 128, 11008, 32000, 2048, 1e4, 1e-6, .is_tied = false},
    {"llama2-7b", LLAMA, 4096, 32, 32, 32, 128, 11008, 32000, 4096, 1e4, 1e-5, .is_tied = false},
    {"mistral-7b", "mistral", "MistralForCausalLM", 4096, 32, 32, 8, 128, 14336, 32000, 32768, 1e4, 1e-5,
     .window = 4096},
    /* two layers of Qwen3-30B-A3B, and of a model whose MLP has as many weights as a token meets there; a fifth of the
       vocabulary */
    {"qwen3-experts", QWEN3_MOE, 2048, 2, 32, 4, 128, 768, 32000, 40960, 1e6, 1e-6, .has_qk_norm = true,
     .experts = 128, .chosen = 8},
    {"qwen3-experts-dense", QWEN3, 2048, 2, 32, 4, 128, 6144, 32000, 40960, 1e6, 1e-6, .has_qk_norm = true},
    /* one layer of each */
    {"qwen3-experts-half", QWEN3_MOE, 2048, 1, 32, 4, 128, 768, 4096, 40960, 1e6, 1e-6, .has_qk_norm = true,
     .experts = 128, .chosen = 8},
    {"qwen3-experts-half-dense", QWEN3, 2048, 1, 32, 4, 128, 6144, 4096, 40960, 1e6, 1e-6,
     .has_qk_norm = true},
    {"tiny-experts", QWEN3_MOE, 64, 2, 4, 2, 16, 24, 512, 512, 1e4, 1e-5, .has_qk_norm = true, .experts = 16,
     .chosen = 4},
    {"tiny-experts-dense", QWEN3, 64, 2, 4, 2, 16, 96, 512, 512, 1e4, 1e-5, .has_qk_norm = true},
    /* a Llama of one billion parameters with the Llama-2 vocabulary: TinyLlama's sizes */
    {"evolm-1b-like", LLAMA, 2048, 22, 32, 4, 64, 5632, 32000, 2048, 1e4, 1e-5, .is_tied = false},
};

const size_t SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES;

const Shape *shape_find(const char *name) {
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        if (strcmp(SHAPES[i].name, name) == 0) return &SHAPES[i];
    }
    return NULL;
}
