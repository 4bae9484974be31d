/*
 * part_set — the tensors of a model that have no role of their own, and sets of them: what a layer needs besides roles
 * (tensor_name.h). What they are called and how large they are: architecture.h.
 */
#ifndef REJUV_CORE_PART_SET_H
#define REJUV_CORE_PART_SET_H

#include <stdbool.h>
#include <stdint.h>

/* Tensors that have no role of their own, by how their names end. */
typedef enum TensorPart {
    TENSOR_PART_SINKS,          /* [heads] */
    TENSOR_PART_EMBEDDING_NORM, /* [hidden_size], of no layer */
    TENSOR_PART_EMBEDDING_NORM_BIAS,
    TENSOR_PART_MIXED_NORM,     /* [heads · head_dim]: between attention and o */
    TENSOR_PART_ACTIVATED_NORM, /* [intermediate_size]: between activation and down */
    TENSOR_PART_XIELU_POSITIVE, /* [1], these four; before softplus */
    TENSOR_PART_XIELU_NEGATIVE,
    TENSOR_PART_XIELU_BETA,
    TENSOR_PART_XIELU_EPSILON,
    TENSOR_PART_LAYER_SCALE,      /* [1]: what leaves a layer is multiplied by it */
    TENSOR_PART_LAYER_GATE,       /* [layer_input_size × hidden_size] */
    TENSOR_PART_LAYER_PROJECTION, /* [hidden_size × layer_input_size] */
    TENSOR_PART_LAYER_NORM,       /* [hidden_size] */
    /* a mixer with a state: what goes in, the convolution of its channels, what comes out */
    TENSOR_PART_CONVOLUTION_IN, /* [3 · hidden_size × hidden_size] */
    TENSOR_PART_CONVOLUTION_IN_BIAS,
    TENSOR_PART_CONVOLUTION, /* [hidden_size, 1, taps] */
    TENSOR_PART_CONVOLUTION_BIAS,
    TENSOR_PART_CONVOLUTION_OUT, /* [hidden_size × hidden_size] */
    TENSOR_PART_CONVOLUTION_OUT_BIAS,
    TENSOR_PART_DELTA_IN, /* [2 · key heads · key_dim + value heads · value_dim × hidden_size]: q, k, v */
    TENSOR_PART_DELTA_GATE,  /* [value heads · value_dim × hidden_size] */
    TENSOR_PART_DELTA_WRITE, /* [value heads × hidden_size]: how much is written */
    TENSOR_PART_DELTA_STEP, /* [decays × hidden_size]: how much is kept, of a value head or a channel of its keys */
    TENSOR_PART_DELTA_CONVOLUTION, /* [channels of q, k and v, 1, taps] */
    TENSOR_PART_DELTA_DECAY,       /* [value heads] */
    TENSOR_PART_DELTA_STEP_BIAS,   /* [decays] */
    TENSOR_PART_DELTA_NORM,        /* [value_dim] */
    TENSOR_PART_DELTA_OUT,         /* [hidden_size × value heads · value_dim] */
    TENSOR_PART_DELTA_FUSED,       /* of each key head its query, its key, its values, their gates */
    TENSOR_PART_DELTA_STEPS,       /* of each key head how much its value heads write, and keep */
    TENSOR_PART_DELTA_QUERY,       /* [key heads · key_dim × hidden_size], both */
    TENSOR_PART_DELTA_KEY,
    TENSOR_PART_DELTA_VALUE,             /* [value heads · value_dim × hidden_size] */
    TENSOR_PART_DELTA_QUERY_CONVOLUTION, /* these three, one behind the other, are the convolution of all channels: */
    TENSOR_PART_DELTA_KEY_CONVOLUTION, /* so they lie in memory (forward_state.c), wherever they are cut */
    TENSOR_PART_DELTA_VALUE_CONVOLUTION,
    TENSOR_PART_DELTA_GATE_LEFT,  /* [rank × hidden_size] */
    TENSOR_PART_DELTA_GATE_RIGHT, /* [value heads · value_dim × rank] */
    TENSOR_PART_DELTA_STEP_LEFT,  /* [rank × hidden_size] */
    TENSOR_PART_DELTA_STEP_RIGHT, /* [decays × rank] */
    /* a state space; its width is value heads · value_dim */
    TENSOR_PART_STATE_IN, /* [2 · width + 2 · groups · state + heads × hidden_size]; of Mamba-1 [2 · width × hidden_size] */
    TENSOR_PART_STATE_IN_BIAS,
    TENSOR_PART_STATE_CONVOLUTION, /* [width + 2 · groups · state, 1, taps]; of Mamba-1 [width, 1, taps] */
    TENSOR_PART_STATE_CONVOLUTION_BIAS,
    TENSOR_PART_STATE_SMALL, /* Mamba-1: [rank + 2 · state × width] */
    TENSOR_PART_STATE_STEP,  /* Mamba-1: [width × rank] */
    TENSOR_PART_STATE_STEP_BIAS,
    TENSOR_PART_STATE_DECAY,     /* [heads]; of Mamba-1 [width × state] */
    TENSOR_PART_STATE_SKIP,      /* [heads] */
    TENSOR_PART_STATE_NORM,      /* [width] */
    TENSOR_PART_STATE_STEP_NORM, /* Mamba-1: [rank], [state], [state] */
    TENSOR_PART_STATE_WRITE_NORM,
    TENSOR_PART_STATE_READ_NORM,
    TENSOR_PART_STATE_OUT, /* [hidden_size × width] */
    TENSOR_PART_STATE_OUT_BIAS,
    /* a gated recurrence; its width is value heads · value_dim */
    TENSOR_PART_GATED_X, /* [width × hidden_size], both with biases */
    TENSOR_PART_GATED_X_BIAS,
    TENSOR_PART_GATED_Y,
    TENSOR_PART_GATED_Y_BIAS,
    TENSOR_PART_GATED_CONVOLUTION, /* [width, 1, taps] */
    TENSOR_PART_GATED_CONVOLUTION_BIAS,
    TENSOR_PART_GATED_INPUT, /* [heads, inputs, outputs], both */
    TENSOR_PART_GATED_INPUT_BIAS,
    TENSOR_PART_GATED_KEEP,
    TENSOR_PART_GATED_KEEP_BIAS,
    TENSOR_PART_GATED_RATE, /* [width] */
    TENSOR_PART_GATED_OUT,  /* [hidden_size × width] */
    TENSOR_PART_GATED_OUT_BIAS,
    /* lightning attention */
    TENSOR_PART_LIGHTNING_QKV, /* [3 · heads · head_dim × hidden_size]: of each head its query, key, value */
    TENSOR_PART_LIGHTNING_GATE,        /* [heads · head_dim × hidden_size] */
    TENSOR_PART_LIGHTNING_NORM,        /* [heads · head_dim] */
    TENSOR_PART_LIGHTNING_SLOPE,       /* [heads] */
    TENSOR_PART_LIGHTNING_QUERY_DECAY, /* [heads, block], both */
    TENSOR_PART_LIGHTNING_KEY_DECAY,
    TENSOR_PART_LIGHTNING_BLOCK_DECAY, /* [heads, block, block] */
    TENSOR_PART_LIGHTNING_OUT,         /* [hidden_size × heads · head_dim] */
    /* of layers with further streams beside theirs */
    TENSOR_PART_STREAM_ROUTER, /* [streams × hidden_size] */
    TENSOR_PART_STREAM_ROUTER_NORM,
    TENSOR_PART_STREAM_PREDICTION, /* [streams² × streams] */
    TENSOR_PART_STREAM_CORRECTION, /* [streams × streams] */
    TENSOR_PART_STREAM_SCALE,      /* [hidden_size] */
    TENSOR_PART_LAUREL_LEFT,       /* [rank × hidden_size] */
    TENSOR_PART_LAUREL_RIGHT,      /* [hidden_size × rank] */
    TENSOR_PART_LAUREL_NORM,
    /* of a block that layers have in common: of the first that has it; adapters, which layers number, of each */
    TENSOR_PART_COMMON_NORM, /* [2 · hidden_size] */
    TENSOR_PART_COMMON_Q,    /* [heads · head_dim × 2 · hidden_size] */
    TENSOR_PART_COMMON_K,
    TENSOR_PART_COMMON_V,
    TENSOR_PART_COMMON_Q_LEFT, /* [rank × 2 · hidden_size] */
    TENSOR_PART_COMMON_Q_RIGHT,
    TENSOR_PART_COMMON_K_LEFT,
    TENSOR_PART_COMMON_K_RIGHT,
    TENSOR_PART_COMMON_V_LEFT,
    TENSOR_PART_COMMON_V_RIGHT,
    TENSOR_PART_COMMON_O,
    TENSOR_PART_COMMON_MLP_NORM,
    TENSOR_PART_COMMON_GATE_UP,
    TENSOR_PART_COMMON_GATE_UP_LEFT,
    TENSOR_PART_COMMON_GATE_UP_RIGHT,
    TENSOR_PART_COMMON_DOWN,
    TENSOR_PART_COMMON_LINEAR, /* [hidden_size × hidden_size], of the layer itself */
    TENSOR_PART_LAMBDA_Q1,     /* [head_dim], these four: of differential attention */
    TENSOR_PART_LAMBDA_K1,
    TENSOR_PART_LAMBDA_Q2,
    TENSOR_PART_LAMBDA_K2,
    /* of no layer: into each further stream, and out of it, [hidden_size × hidden_size] */
    TENSOR_PART_STREAM_IN_1,
    TENSOR_PART_STREAM_IN_2,
    TENSOR_PART_STREAM_IN_3,
    TENSOR_PART_STREAM_OUT_1,
    TENSOR_PART_STREAM_OUT_2,
    TENSOR_PART_STREAM_OUT_3,
    TENSOR_PART_INPUT_EMBEDDING, /* of no layer, these three: [layer_vocabulary × layers · layer_input_size] */
    TENSOR_PART_INPUT_PROJECTION, /* [layers · layer_input_size × hidden_size] */
    TENSOR_PART_INPUT_NORM,       /* [layer_input_size] */
    TENSOR_PART_ROUTER,           /* [experts × hidden_size] */
    TENSOR_PART_ROUTER_BIAS,      /* [experts], of the logits */
    TENSOR_PART_CORRECTION,       /* [experts], of the choice */
    TENSOR_PART_SHARED_GATE,
    TENSOR_PART_SHARED_UP,
    TENSOR_PART_SHARED_GATE_UP,
    TENSOR_PART_SHARED_DOWN,
    TENSOR_PART_SHARED_SWITCH, /* [1 × hidden_size]: its sigmoid weighs the shared expert */
    /* experts of attention; a head's channels of all key heads are kv_heads · head_dim */
    TENSOR_PART_QUERY_ROUTER,   /* [experts × hidden_size] */
    TENSOR_PART_QUERY_EXPERTS,  /* [experts, channels, hidden_size] */
    TENSOR_PART_OUTPUT_EXPERTS, /* [experts, hidden_size, channels] */
    TENSOR_PART_OUTPUT_BIAS,    /* [hidden_size] */
    TENSOR_PART_KEY_VALUE,      /* [2 · channels × hidden_size]: keys, then values */
    TENSOR_PART_ATTENTION_GATE, /* [heads · value_dim × hidden_size] */
    TENSOR_PART_QUERY_NORM,     /* of a latent */
    TENSOR_PART_LATENT_NORM,
    TENSOR_PART_QUERY_BIAS, /* of the projection to a latent */
    TENSOR_PART_LATENT_BIAS,
    /* a dynamic mask */
    TENSOR_PART_MASK_STEP, /* [kv_heads × kv_heads · value_dim] */
    TENSOR_PART_MASK_STEP_BIAS,
    TENSOR_PART_MASK_RATE, /* [kv_heads] */
    /* [hidden_size]: what the stream is multiplied by where a block is added */
    TENSOR_PART_ATTENTION_RESIDUAL,
    TENSOR_PART_MLP_RESIDUAL,
    /* attention of one key head, [head_dim], whose keys are its values */
    TENSOR_PART_SHARED_KEY, /* [head_dim × hidden_size] */
    TENSOR_PART_SHARED_KEY_NORM,
    TENSOR_PART_OUTPUT_GROUPS, /* [groups · rank × heads · head_dim / groups] */
    TENSOR_PART_GROUPED_OUT,   /* [hidden_size × groups · rank] */
    /* what compresses keys: [head_dim × hidden_size], twice as many rows where windows overlap */
    TENSOR_PART_COMPRESSOR_KEY,
    TENSOR_PART_COMPRESSOR_GATE,
    TENSOR_PART_COMPRESSOR_BIAS, /* [rate × as many] */
    TENSOR_PART_COMPRESSOR_NORM, /* [head_dim] */
    /* hyper-connections of n streams: before attention, before the MLP, and (of no layer) behind all layers */
    TENSOR_PART_ATTENTION_CONNECTION, /* [(2 + n) · n × n · hidden_size] */
    TENSOR_PART_ATTENTION_CONNECTION_BASE,
    TENSOR_PART_ATTENTION_CONNECTION_SCALE, /* [3] */
    TENSOR_PART_MLP_CONNECTION,
    TENSOR_PART_MLP_CONNECTION_BASE,
    TENSOR_PART_MLP_CONNECTION_SCALE,
    TENSOR_PART_END_CONNECTION, /* [n × n · hidden_size] */
    TENSOR_PART_END_CONNECTION_BASE,
    TENSOR_PART_END_CONNECTION_SCALE, /* [1] */
    TENSOR_PART_EXPERT_TABLE,         /* [vocabulary × chosen], whole numbers: the experts of each token */
    TENSOR_PART_COUNT
} TensorPart;

/* A set of them. */
typedef struct PartSet {
    uint64_t words[(TENSOR_PART_COUNT + 63) / 64];
} PartSet;

static inline void part_set_add(PartSet *set, TensorPart part, bool is_needed) {
    if (is_needed) set->words[part / 64] |= UINT64_C(1) << part % 64;
}

static inline bool part_set_has(const PartSet *set, TensorPart part) {
    return (set->words[part / 64] >> part % 64 & 1) != 0;
}

static inline void part_set_drop(PartSet *set, TensorPart part) {
    set->words[part / 64] &= ~(UINT64_C(1) << part % 64);
}

bool part_set_equal(const PartSet *a, const PartSet *b);
bool part_set_is_empty(const PartSet *set);

#endif
