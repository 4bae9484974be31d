/*
 * forward — token ids to hidden states to logits, for several settings of the dials at once.
 *
 * A ForwardState is one setting's run: its KV cache, its norms and biases (small, blended once), its
 * activations. All states given to one call go through the network side by side, so that each tile of the
 * files is read once for all.
 *
 *     KV cache of a layer    [kv_heads][capacity][head_dim], float32, keys after rotary embedding
 *     hidden state           the residual stream at the end of a layer; forward_hidden() gives it after the
 *                            final norm
 *     logits                 [tokens × vocabulary], hidden · headᵀ
 *
 * Several sequences may share a cache one after another: each token says at which cache index its sequence
 * starts, and attends from there to itself (or over the sliding window, where that is shorter); its position
 * is counted from there. Or they grow side by side: each token has its place, a cell of the cache, and attends to the
 * cells of its own sequence and, before them, to those that it shares with others: samples of one prompt. A step then
 * costs one pass over the weights for all of them.
 *
 * All arithmetic is float32 (norms sum in double). Results do not depend on the number of threads.
 *
 * The room: forward and backward of a model of blended weights. A ForwardState or a Backward belongs to whoever
 * made it and is used by one caller at a time, who brings the Job whose threads share the work.
 */
#ifndef REJUV_CORE_FORWARD_H
#define REJUV_CORE_FORWARD_H

#include "core/support/job.h"
#include "core/transformer/expert_rows.h"
#include "core/transformer/forward_state.h"
#include "core/transformer/matmul.h"

/* Where a pass can be looked at. Values are [tokens × width] of one state and one layer, in the order of the
 * pass. */
typedef enum ForwardSite {
    FORWARD_LAYER_INPUT, /* the residual stream before the layer; layer = layers: before the final norm */
    FORWARD_STREAMS, /* those beside the residual, before the layer; layer = layers: before they are brought together */
    FORWARD_STREAM_ENDING, /* the residual there, which is one of them; of layer = layers alone */
    FORWARD_STREAM_MODES,  /* what they are predicted by, before its tanh */
    FORWARD_LAUREL,        /* what the learned residual adds, before its norm */
    FORWARD_MIDDLE_STREAMS, /* of hyper-connections: all streams before the MLP's, as FORWARD_STREAMS before attention's */
    FORWARD_ATTENTION_CONNECTION, /* what the weights of either come of */
    FORWARD_MLP_CONNECTION,
    FORWARD_COMMON_ATTENDED, /* in a block that layers have in common: of o, before the norm behind it; and of down */
    FORWARD_COMMON_OUTPUT,
    FORWARD_QKV, /* output of the one matrix of all three, with its bias, as it is stored */
    FORWARD_QUERY_LATENT, /* what queries, keys and values come of, with its bias, before its norm; of the latter two behind it what
                             turns of keys, before it does */
    FORWARD_LATENT,
    FORWARD_PROJECTED, /* of queries and gates in one matrix, or of channels that are convolved: its output, as it is stored */
    FORWARD_CONVOLVED, /* those channels behind their convolution */
    FORWARD_QUERY, /* outputs of q, k and v with their bias, before clips, q/k norms and rotary embedding */
    FORWARD_KEY,
    FORWARD_VALUE,
    FORWARD_DECAY,     /* the gated delta rule: what decays come of, before its bias */
    FORWARD_GATE_RANK, /* what gates and decays come of, where they have two matrices */
    FORWARD_DECAY_RANK,
    FORWARD_ATTENDED, /* what attention gave, or the gated delta rule, before its norm and gates */
    FORWARD_HEAD_SCORES, /* of experts of attention: as of an MLP's, FORWARD_SCORES, FORWARD_CHOSEN, FORWARD_WEIGHTS */
    FORWARD_HEAD_CHOSEN,
    FORWARD_HEAD_WEIGHTS,
    FORWARD_MIXED,            /* input of o_proj */
    FORWARD_ATTENTION_OUTPUT, /* of o, before the norm behind it */
    FORWARD_MIDDLE,           /* the residual stream between attention and MLP */
    FORWARD_STATE_IN,         /* of a mixer with a state: what is projected, before its convolution */
    FORWARD_STATE_SMALL, /* of Mamba-1: what steps come of, what is written and read, before their norms */
    FORWARD_STATE_READ, /* what its recurrence gave, before it is gated and normed; of Mamba-1 what it takes, convolved; of a
                            gated recurrence its gates, before they are bent */
    FORWARD_GATE_UP, /* output of the one matrix of both, with its bias, as it is stored */
    FORWARD_GATE,    /* outputs of gate and up with their bias */
    FORWARD_UP,
    FORWARD_ACTIVATED, /* input of down_proj: act(gate) ⊙ up; of a mixture of experts the shared expert's */
    FORWARD_SWITCH,    /* what the shared expert is weighed by, before the sigmoid: [tokens × 1] */
    FORWARD_ROUTER,    /* what a router gives, before its bias: [tokens × experts] */
    FORWARD_SCORES, /* a router's scores, or logits where only those of the chosen are scored: [tokens × experts] */
    FORWARD_CHOSEN, /* a mixture of experts: [tokens × chosen], the numbers of the experts that each token goes to, the
                           best first: how often a number comes is the share of tokens routed to that expert */
    FORWARD_WEIGHTS, /* and the weight of each */
    FORWARD_ROUTED_GATE_UP, /* of routed experts: outputs of gate and up with their bias, in one or apart, and inputs of
                               down; values are [rows × width / chosen], in the order of moment->rows */
    FORWARD_ROUTED_GATE,
    FORWARD_ROUTED_UP,
    FORWARD_ROUTED_ACTIVATED,
    FORWARD_LAYER_INPUTS, /* what layers have of a token besides the stream, before the first: of all layers */
    FORWARD_BEHIND, /* the residual stream behind the MLP, before it corrects others, and what the layer has besides */
    FORWARD_LAYER_GATE,   /* what a layer gates its inputs with, before it is activated */
    FORWARD_LAYER_OUTPUT, /* what it makes of them, before its norm */
    FORWARD_MLP_OUTPUT    /* of down, or of all experts together, before the norm behind it */
} ForwardSite;

typedef struct ForwardMoment {
    ForwardSite site;
    uint64_t layer;
    size_t state;         /* index into the states of the call */
    size_t first, tokens; /* tokens of the call's input */
    const float *values;  /* [tokens × width], valid during the call only */
    size_t width;
    const ExpertRows *rows; /* what the rows of values are, where they are not tokens; else NULL */
} ForwardMoment;

/* Called on the calling thread, between the steps of the pass. */
typedef void (*ForwardObserver)(void *user, const ForwardMoment *moment);

typedef struct ForwardInput {
    const int32_t *ids;
    const size_t *starts; /* [count], ≤ the token's own index; NULL: one sequence from index 0 */
    /* [count]: instead of them; NULL: behind what is in the cache. What a token attends to has its place
     * earlier in this call, or had it in one before */
    const ForwardPlace *places;
    size_t count;
    /* What job_report() is told, in tokens · layers: `done` before this call, of `total` (0: this call is
     * all). */
    const char *stage; /* NULL: "forward" */
    uint64_t done, total;
    ForwardObserver observer; /* or NULL */
    void *user;
    /* of places: tokens of a sequence that follow one another attend together, which is faster for many; else
     * a token's figures do not depend on which others are there */
    bool in_blocks;
    /* [count × layers · layer_input_size]: FORWARD_LAYER_INPUTS again, for forward_replay_layer() alone */
    const float *layer_inputs;
    /* [count × (streams − 1) · hidden_size]: FORWARD_STREAMS again, for forward_replay_layer() and forward_replay_keys() alone */
    const float *streams;
    const float *embedded; /* [count × hidden_size]: FORWARD_LAYER_INPUT of layer 0, for the former alone */
} ForwardInput;            /* what is new comes last: a program that does not know it leaves it zero */

/* ---- running ---- */

/* Layers that keep a state of their text go on from the token before: STATUS_UNSUPPORTED where an input has places, or
 * starts that do not follow one another.
 *
 * Appends `input` to every state's cache (all have the same length), or puts it into its places, which leaves their
 * lengths as they are. Long inputs go in chunks, which bounds
 * the activations to about 64 MiB for all states together. On failure or cancellation the caches are as
 * before. */
Status forward_run(ForwardState *const *states, size_t count, const ForwardInput *input,
                   MatmulScratch *scratch, Job *job, Error *error) STATUS_MUST_CHECK;

/* What was kept of a layer's MLP from the pass before: outputs of gate and up with their bias, [count × intermediate_size]. */
typedef struct ForwardKept {
    const float *gate, *up;
} ForwardKept;

/* Runs one layer over a whole input again, from its residual stream [count × hidden_size] (as
 * FORWARD_LAYER_INPUT gave it), for a pass that goes backward: up to the input of down_proj, which is the last that
 * such a pass needs. What is `kept` (NULL: nothing) is not computed again, and not told of. The input is that of an earlier forward_run()
 * on an empty state, in one chunk: activations of all its tokens are in memory at once. */
Status forward_replay_layer(ForwardState *state, uint64_t layer, const float *residual,
                            const ForwardInput *input, const ForwardKept *kept, MatmulScratch *scratch,
                            Job *job, Error *error) STATUS_MUST_CHECK;

/* Puts a layer's keys and values of a whole input into the cache again, for layers that share them: as forward_replay_layer(). */
Status forward_replay_keys(ForwardState *state, uint64_t layer, const float *residual,
                           const ForwardInput *input, MatmulScratch *scratch, Job *job,
                           Error *error) STATUS_MUST_CHECK;

/* One setting's share of a multiply with the head: logits[t·V + v] for `tokens` hidden states [hidden_size]
 * each. */
typedef struct ForwardHead {
    const Settings *settings;
    const float *hidden; /* as forward_hidden() gives them */
    float *logits;
} ForwardHead;

/* hidden · headᵀ for several settings in one pass over the head; V: forward_vocabulary(). */
Status forward_logits(const Model *model, const ForwardHead *heads, size_t count, size_t tokens,
                      MatmulScratch *scratch, Job *job, Error *error) STATUS_MUST_CHECK;

/* Whether there are logits, as the model says (model.h). */
bool forward_has_logits(const Model *model);
Status forward_check_logits(const Model *model, Error *error) STATUS_MUST_CHECK;

/* Rows of the head: the length of a row of logits. */
size_t forward_vocabulary(const Model *model);

/* What becomes of a token's product with the head, with its bias: scaled, capped; 0 for a token that is silent. And d logit /
 * d (h · w). `config` is the side's; in most models they are the product, and 1. */
float forward_finish_logit(const Model *model, const ModelConfig *config, size_t token, float product);
float forward_logit_slope(const Model *model, const ModelConfig *config, size_t token, double logit);

/* The final norm's weight γ under these settings, [hidden_size]: ones where it has none. */
void forward_blend_final_norm(const Model *model, const Settings *settings, float *weight);

/* The logit of one token at one hidden state: one row of the head under these settings. */
float forward_logit(const Model *model, const Settings *settings, const float *hidden, int32_t token);

#endif
