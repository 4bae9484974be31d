/*
 * settings — the dials, and what they make of each tensor: the one place where they become the coefficient a
 * of W = a·S + (1 − a)·B.
 *
 *     a = α of the tensor's kind, where that has its own; else of its layer, where there is a curve; else α
 *     a = (1 − ω)·that, on the rows or columns of the neurons that ρ selects from the ranking
 *
 * Embeddings, norms and the head belong to no neuron. Their kinds have dials too: an α of 1 keeps them at
 * SFT, of 0 at base. A tensor that only SFT has is copied, whatever the dials say.
 *
 * A shift moves W from where the dials put it: for the landscape around it. No dial, no export and no recipe has one.
 *
 * Settings are numbers, and are copied by value; all zero is the base model. They borrow the ranking, the curve and the
 * shift: like the Model, these outlive every copy and everything made with one.
 *
 * The room: the one formula, dials into coefficients, their blending into W, neurons by number, their ranking and
 * the set it cuts. Settings are values; what they borrow (rankings, curves) its maker owns. Any thread may use any of
 * it.
 */
#ifndef REJUV_CORE_SETTINGS_H
#define REJUV_CORE_SETTINGS_H

#include "core/checkpoint/pair.h"
#include "core/fusion/blend.h"
#include "core/fusion/ranking.h"
#include "core/fusion/settings_curve.h"
#include "core/fusion/shift.h"

/* The three models on show. */
typedef enum Side {
    SIDE_BASE,
    SIDE_SFT,
    SIDE_FUSED, /* W, at the dials */
    SIDE_COUNT
} Side;

/* Tensors that share a dial; a bias goes with its weight. */
typedef enum SettingsKind {
    SETTINGS_Q, /* latent projections of the queries too */
    SETTINGS_K,
    SETTINGS_V,
    SETTINGS_QKV, /* what is one matrix, or projects keys and values through one latent */
    SETTINGS_O,
    SETTINGS_GATE,
    SETTINGS_UP,
    SETTINGS_GATE_UP,
    SETTINGS_DOWN,
    SETTINGS_EXPERT, /* all matrices of all experts */
    SETTINGS_SHARED_EXPERT,
    SETTINGS_ROUTER,
    SETTINGS_STATE_SPACE,
    SETTINGS_CONVOLUTION,
    SETTINGS_EMBEDDING, /* a tied head too */
    SETTINGS_POSITION,
    SETTINGS_NORM, /* all of them */
    SETTINGS_HEAD,
    SETTINGS_VISION, /* the towers beside the text model */
    SETTINGS_AUDIO,
    SETTINGS_KIND_COUNT
} SettingsKind;

typedef struct SettingsOwn {
    bool is_set;
    double alpha;
} SettingsOwn;

typedef struct Settings {
    double alpha;               /* 1 is the SFT model, 0 the base */
    double rho, omega;          /* in [0, 1]; without a ranking they do nothing */
    const Ranking *ranking;     /* borrowed; NULL: no reset */
    const SettingsCurve *curve; /* borrowed; NULL: none; else of the model's layers */
    SettingsOwn kinds[SETTINGS_KIND_COUNT];
    const Shift *shift; /* borrowed; NULL: none; else of the model's pair */
} Settings;

/* α everywhere, no reset, ω at its default of 1. */
Settings settings_at(double alpha);

/* What makes each of the three models: base and SFT as they are, W at the dials. */
Settings settings_of_side(Side side, const Settings *dials);

/* Whether all dials stand alike, so that both make the same W of every tensor. Curves are compared by their numbers,
 * rankings and shifts by their address. */
bool settings_equal(const Settings *a, const Settings *b);

/* STATUS_ARGUMENT where a dial is not finite or out of range; STATUS_MISMATCH where the curve or the ranking
 * is not one of a model of this pair's shape, or the shift another pair's. For everything that blends on behalf of a user or a file. */
Status settings_check(const Settings *settings, const Pair *pair, Error *error) STATUS_MUST_CHECK;

/* STATUS_MISMATCH where a kind has an α of its own and no blended tensor of the pair is of that kind: whoever set it
 * expects that it does something. The message names the kind that holds such weights in this model. */
Status settings_check_kinds(const Settings *settings, const Pair *pair, Error *error) STATUS_MUST_CHECK;

/* Whether every α is 0: W is base, whatever ρ and ω say, before it is moved. */
bool settings_is_base(const Settings *settings);

/* Whether no α goes beyond the two models. */
bool settings_is_between(const Settings *settings);

/* α of a tensor of that role and layer (-1: none), before any reset. */
double settings_alpha(const Settings *settings, TensorRole role, int layer);

/* Which dial gives a tensor its α: "alpha", "layers", the name of its kind; "copied" where it is not blended. */
const char *settings_dial_name(const Settings *settings, const PairTensor *tensor);

/* n: neurons of a rank below this are reset; 0 without a ranking. */
uint32_t settings_cut(const Settings *settings);

/* How `tensor` is blended under these settings. The Blend borrows from the pair and the ranking. A ranking
 * that does not fit the tensor's shape leaves it as it is: settings_check() refuses such. */
Blend settings_blend(const Settings *settings, const PairTensor *tensor);

/* How many layers a curve for models of this pair has; 0 where it claims to have more layers than there are tensors. */
size_t settings_layers(const Pair *pair);

/* How many blended tensors of the pair are of that kind. */
size_t settings_count_kind(const Pair *pair, SettingsKind kind);

/* The kind of a tensor of that role; false where it has none, and α is its only dial. */
bool settings_find_role(TensorRole role, SettingsKind *kind);

/* "q", "embed", "norm", …, and all of them as a list: "q, k, v, …". */
const char *settings_kind_name(SettingsKind kind);
bool settings_find_kind(const char *name, SettingsKind *kind);
void settings_list_kinds(char *text, size_t size);

#endif
