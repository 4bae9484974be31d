/*
 * tensor_name — what a tensor is, by its name: its role in the block, its layer, and which expert it belongs to.
 *
 * Names differ between architectures and between the programs that write them: "model.layers.3.self_attn.q_proj.weight",
 * "transformer.h.3.attn.c_attn.weight", "_orig_mod.backbone.layers.3.mixer.in_proj.weight". They are read by their
 * parts, from the end, so that what stands before the layers does not matter. The forward pass asks for roles only.
 */
#ifndef REJUV_CORE_TENSOR_NAME_H
#define REJUV_CORE_TENSOR_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of the computation, as lists and tables show them. */
typedef enum TensorRole {
    TENSOR_OTHER = 0, /* no role that is known: it is fused and exported like any other */
    TENSOR_EMBEDDING,
    TENSOR_POSITION,       /* learned positions */
    TENSOR_ATTENTION_NORM, /* before attention; where a norm has a bias, that has the norm's role */
    TENSOR_Q,
    TENSOR_K,
    TENSOR_V,
    TENSOR_QKV, /* the three as one matrix */
    TENSOR_Q_A, /* latent attention: down to the latent, and up from it */
    TENSOR_Q_B,
    TENSOR_KV_A,
    TENSOR_KV_B,
    TENSOR_O,
    TENSOR_Q_BIAS,
    TENSOR_K_BIAS,
    TENSOR_V_BIAS,
    TENSOR_QKV_BIAS,
    TENSOR_O_BIAS,
    TENSOR_Q_NORM,
    TENSOR_K_NORM,
    TENSOR_POST_ATTENTION_NORM, /* between attention and the residual stream */
    TENSOR_MLP_NORM,            /* before the MLP */
    TENSOR_GATE,
    TENSOR_UP,
    TENSOR_GATE_UP, /* both as one matrix */
    TENSOR_DOWN,
    TENSOR_GATE_BIAS,
    TENSOR_UP_BIAS,
    TENSOR_GATE_UP_BIAS,
    TENSOR_DOWN_BIAS,
    TENSOR_ROUTER, /* what chooses among experts, and its corrections */
    TENSOR_EXPERT, /* any matrix of any expert */
    TENSOR_EXPERT_BIAS,
    TENSOR_SHARED_EXPERT, /* of the expert that every token passes */
    TENSOR_POST_MLP_NORM, /* between the MLP and the residual stream */
    TENSOR_STATE_SPACE,   /* Mamba, gated delta and linear attention, RG-LRU */
    TENSOR_CONVOLUTION,
    TENSOR_NORM, /* any other */
    TENSOR_FINAL_NORM,
    TENSOR_HEAD,
    TENSOR_HEAD_BIAS,
    TENSOR_VISION, /* a tower beside the text model, and what projects from it; they have no layer here */
    TENSOR_AUDIO,
    TENSOR_ADAPTER, /* of an adapter that was not merged: LoRA's two factors, DoRA's magnitudes */
    TENSOR_BUFFER,  /* nothing learned: rotary tables, causal masks, positions */
    TENSOR_ROLE_COUNT
} TensorRole;

typedef struct TensorName {
    TensorRole role;
    int layer;       /* -1: none */
    int expert;      /* -1: none, or all of them in one tensor */
    TensorRole part; /* of an expert: gate, up, gate_up or down; else TENSOR_OTHER */
    bool is_bias;
} TensorName;

/* Reads a name; `rank` is the tensor's, for matrices of all experts under the name of one. */
TensorName tensor_name_read(const char *name, unsigned rank);

/* Whether a name says that "post_attention_layernorm" of its model follows attention, rather than precedes the MLP:
 * there is another norm before or after the MLP (Gemma 2 and later, OLMo 2, EXAONE 4). */
bool tensor_name_has_post_norms(const char *name);

/* Where the text model's layers begin in a name, "model." of "model.layers.3…": its bytes; 0 where there is no layer or
 * nothing before it. */
size_t tensor_name_stem(const char *name);

bool tensor_name_ends_with(const char *name, const char *ending);

/* A role's short name, as screens and JSON show it: "q", "gate", "embed", "lm_head". */
const char *tensor_role_name(TensorRole role);
bool tensor_role_find(const char *name, TensorRole *role);

/* True for roles that belong to layers. */
bool tensor_role_is_layered(TensorRole role);

#endif
