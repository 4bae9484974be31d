#include "core/fusion/settings.h"

#include "core/fusion/neurons_tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const KIND_NAMES[SETTINGS_KIND_COUNT] = {
    [SETTINGS_Q] = "q",
    [SETTINGS_K] = "k",
    [SETTINGS_V] = "v",
    [SETTINGS_QKV] = "qkv",
    [SETTINGS_O] = "o",
    [SETTINGS_GATE] = "gate",
    [SETTINGS_UP] = "up",
    [SETTINGS_GATE_UP] = "gate_up",
    [SETTINGS_DOWN] = "down",
    [SETTINGS_EXPERT] = "expert",
    [SETTINGS_SHARED_EXPERT] = "shared_expert",
    [SETTINGS_ROUTER] = "router",
    [SETTINGS_STATE_SPACE] = "ssm",
    [SETTINGS_CONVOLUTION] = "conv",
    [SETTINGS_EMBEDDING] = "embed",
    [SETTINGS_POSITION] = "position",
    [SETTINGS_NORM] = "norm",
    [SETTINGS_HEAD] = "lm_head",
    [SETTINGS_VISION] = "vision",
    [SETTINGS_AUDIO] = "audio",
};

/* SETTINGS_KIND_COUNT: a tensor of no kind. */
static const SettingsKind KINDS[TENSOR_ROLE_COUNT] = {
    [TENSOR_OTHER] = SETTINGS_KIND_COUNT,
    [TENSOR_ADAPTER] = SETTINGS_KIND_COUNT,
    [TENSOR_BUFFER] = SETTINGS_KIND_COUNT,
    [TENSOR_EMBEDDING] = SETTINGS_EMBEDDING,
    [TENSOR_POSITION] = SETTINGS_POSITION,
    [TENSOR_Q] = SETTINGS_Q,
    [TENSOR_Q_A] = SETTINGS_Q,
    [TENSOR_Q_B] = SETTINGS_Q,
    [TENSOR_Q_BIAS] = SETTINGS_Q,
    [TENSOR_K] = SETTINGS_K,
    [TENSOR_K_BIAS] = SETTINGS_K,
    [TENSOR_V] = SETTINGS_V,
    [TENSOR_V_BIAS] = SETTINGS_V,
    [TENSOR_QKV] = SETTINGS_QKV,
    [TENSOR_QKV_BIAS] = SETTINGS_QKV,
    [TENSOR_KV_A] = SETTINGS_QKV,
    [TENSOR_KV_B] = SETTINGS_QKV,
    [TENSOR_O] = SETTINGS_O,
    [TENSOR_O_BIAS] = SETTINGS_O,
    [TENSOR_GATE] = SETTINGS_GATE,
    [TENSOR_GATE_BIAS] = SETTINGS_GATE,
    [TENSOR_UP] = SETTINGS_UP,
    [TENSOR_UP_BIAS] = SETTINGS_UP,
    [TENSOR_GATE_UP] = SETTINGS_GATE_UP,
    [TENSOR_GATE_UP_BIAS] = SETTINGS_GATE_UP,
    [TENSOR_DOWN] = SETTINGS_DOWN,
    [TENSOR_DOWN_BIAS] = SETTINGS_DOWN,
    [TENSOR_EXPERT] = SETTINGS_EXPERT,
    [TENSOR_EXPERT_BIAS] = SETTINGS_EXPERT,
    [TENSOR_SHARED_EXPERT] = SETTINGS_SHARED_EXPERT,
    [TENSOR_ROUTER] = SETTINGS_ROUTER,
    [TENSOR_STATE_SPACE] = SETTINGS_STATE_SPACE,
    [TENSOR_CONVOLUTION] = SETTINGS_CONVOLUTION,
    [TENSOR_Q_NORM] = SETTINGS_NORM,
    [TENSOR_K_NORM] = SETTINGS_NORM,
    [TENSOR_MLP_NORM] = SETTINGS_NORM,
    [TENSOR_ATTENTION_NORM] = SETTINGS_NORM,
    [TENSOR_POST_ATTENTION_NORM] = SETTINGS_NORM,
    [TENSOR_POST_MLP_NORM] = SETTINGS_NORM,
    [TENSOR_NORM] = SETTINGS_NORM,
    [TENSOR_FINAL_NORM] = SETTINGS_NORM,
    [TENSOR_HEAD] = SETTINGS_HEAD,
    [TENSOR_HEAD_BIAS] = SETTINGS_HEAD,
    [TENSOR_VISION] = SETTINGS_VISION,
    [TENSOR_AUDIO] = SETTINGS_AUDIO,
};

/* Where a model that lacks a kind has such weights, in the order of asking. */
static const struct {
    SettingsKind kind, elsewhere;
} ELSEWHERE[] = {
    {SETTINGS_Q, SETTINGS_QKV},          {SETTINGS_K, SETTINGS_QKV},        {SETTINGS_V, SETTINGS_QKV},
    {SETTINGS_QKV, SETTINGS_Q},          {SETTINGS_GATE, SETTINGS_GATE_UP}, {SETTINGS_UP, SETTINGS_GATE_UP},
    {SETTINGS_GATE_UP, SETTINGS_GATE},   {SETTINGS_GATE, SETTINGS_EXPERT},  {SETTINGS_UP, SETTINGS_EXPERT},
    {SETTINGS_GATE_UP, SETTINGS_EXPERT}, {SETTINGS_DOWN, SETTINGS_EXPERT},  {SETTINGS_GATE, SETTINGS_UP},
    {SETTINGS_HEAD, SETTINGS_EMBEDDING},
};

const char *settings_kind_name(SettingsKind kind) {
    return KIND_NAMES[kind];
}

bool settings_find_kind(const char *name, SettingsKind *kind) {
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        *kind = (SettingsKind)i;
        if (strcmp(KIND_NAMES[i], name) == 0) return true;
    }
    return false;
}

void settings_list_kinds(char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < SETTINGS_KIND_COUNT && used < size; i++) {
        const char *join = i == 0 ? "" : i + 1 < SETTINGS_KIND_COUNT ? ", " : " or ";
        int length = snprintf(text + used, size - used, "%s%s", join, KIND_NAMES[i]);
        used += length > 0 ? (size_t)length : 0;
    }
}

bool settings_find_role(TensorRole role, SettingsKind *kind) {
    *kind = KINDS[role];
    return *kind != SETTINGS_KIND_COUNT;
}

Settings settings_at(double alpha) {
    return (Settings){.alpha = alpha, .omega = 1.0};
}

Settings settings_of_side(Side side, const Settings *dials) {
    return side == SIDE_FUSED ? *dials : settings_at(side == SIDE_SFT ? 1.0 : 0.0);
}

bool settings_equal(const Settings *a, const Settings *b) {
    bool equal = a->alpha == b->alpha && a->rho == b->rho && a->omega == b->omega &&
                 a->ranking == b->ranking && a->shift == b->shift && settings_curve_equal(a->curve, b->curve);
    for (int i = 0; i < SETTINGS_KIND_COUNT && equal; i++)
        equal = a->kinds[i].is_set == b->kinds[i].is_set &&
                (!a->kinds[i].is_set || a->kinds[i].alpha == b->kinds[i].alpha);
    return equal;
}

/* ---- checking ---- */

static bool is_share(double value) {
    return value >= 0.0 && value <= 1.0;
}

/* Calls `accept` for every α that is set; NULL where it accepts all, else the name of the first it does not.
 */
static const char *find_alpha(const Settings *settings, bool (*accept)(double)) {
    if (!accept(settings->alpha)) return "alpha";
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        if (settings->kinds[i].is_set && !accept(settings->kinds[i].alpha)) return KIND_NAMES[i];
    }
    for (size_t i = 0; settings->curve != NULL && i < settings->curve->count; i++) {
        if (!accept(settings->curve->alpha[i])) return "the curve over the layers";
    }
    return NULL;
}

static bool is_finite(double value) {
    return isfinite(value);
}

static bool is_zero(double value) {
    return value == 0.0;
}

bool settings_is_base(const Settings *settings) {
    return find_alpha(settings, is_zero) == NULL;
}

bool settings_is_between(const Settings *settings) {
    return find_alpha(settings, is_share) == NULL;
}

/* As config.json says, or the tensors' names: both can say anything. */
static size_t claimed_layers(const Pair *pair) {
    if (pair->sft->model_status == STATUS_OK) return (size_t)pair->sft->model.layers;
    size_t layers = 0;
    for (size_t i = 0; i < pair->count; i++) {
        int layer = pair->tensors[i].layer;
        if (layer >= 0 && (size_t)layer + 1 > layers) layers = (size_t)layer + 1;
    }
    return layers;
}

/* Curves are allocated for so many. */
size_t settings_layers(const Pair *pair) {
    size_t layers = claimed_layers(pair);
    return layers <= pair->count ? layers : 0;
}

static Status check_ranking(const Ranking *ranking, const Pair *pair, Error *error) {
    bool is_known = pair->sft->model_status == STATUS_OK;
    const char *unnumbered = is_known ? neurons_find_unnumbered(&pair->sft->model) : NULL;
    if (unnumbered != NULL)
        return status_fail(error, STATUS_MISMATCH, "reset: neurons of %s are not known", unnumbered);
    if (ranking->table.layers != claimed_layers(pair))
        return status_fail(error, STATUS_MISMATCH, "reset: expected neurons in %zu layers, found %zu",
                           claimed_layers(pair), (size_t)ranking->table.layers);
    for (size_t i = 0; i < pair->count; i++) {
        NeuronTensor found;
        if (neurons_tensor_find(&ranking->table, &pair->tensors[i], &found) == NEURONS_UNFIT)
            return status_fail(error, STATUS_MISMATCH, "reset: its neurons do not fit tensor %s",
                               pair->tensors[i].name);
    }
    return STATUS_OK;
}

Status settings_check(const Settings *settings, const Pair *pair, Error *error) {
    const char *name = find_alpha(settings, is_finite);
    if (name != NULL)
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a finite number, found another", name);
    if (!is_share(settings->rho) || !is_share(settings->omega))
        return status_fail(error, STATUS_ARGUMENT, "expected ρ and ω from 0 to 1, found %g and %g",
                           settings->rho, settings->omega);
    if (settings->curve != NULL && settings->curve->count != claimed_layers(pair))
        return status_fail(error, STATUS_MISMATCH, "expected an α for each of %zu layers, found %zu",
                           claimed_layers(pair), settings->curve->count);
    if (settings->shift != NULL && settings->shift->pair != pair)
        return status_fail(error, STATUS_MISMATCH, "a shift of another pair's tensors");
    return settings->ranking != NULL ? check_ranking(settings->ranking, pair, error) : STATUS_OK;
}

static TensorRole dialled_role(const PairTensor *tensor) {
    return tensor->is_tied_copy ? TENSOR_EMBEDDING : tensor->role;
}

size_t settings_count_kind(const Pair *pair, SettingsKind kind) {
    size_t count = 0;
    for (size_t i = 0; i < pair->count; i++)
        count += pair->tensors[i].is_fused && KINDS[dialled_role(&pair->tensors[i])] == kind;
    return count;
}

Status settings_check_kinds(const Settings *settings, const Pair *pair, Error *error) {
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        SettingsKind kind = (SettingsKind)i;
        if (!settings->kinds[i].is_set || settings_count_kind(pair, kind) > 0) continue;
        for (size_t j = 0; j < sizeof ELSEWHERE / sizeof *ELSEWHERE; j++) {
            if (ELSEWHERE[j].kind == kind && settings_count_kind(pair, ELSEWHERE[j].elsewhere) > 0)
                return status_fail(error, STATUS_MISMATCH,
                                   "%s: no tensor of this pair is of that kind: here, such weights are in %s",
                                   KIND_NAMES[i], KIND_NAMES[ELSEWHERE[j].elsewhere]);
        }
        return status_fail(error, STATUS_MISMATCH, "%s: no tensor of this pair is of that kind",
                           KIND_NAMES[i]);
    }
    return STATUS_OK;
}

/* ---- what the dials come to ---- */

double settings_alpha(const Settings *settings, TensorRole role, int layer) {
    SettingsKind kind = KINDS[role];
    if (kind != SETTINGS_KIND_COUNT && settings->kinds[kind].is_set) return settings->kinds[kind].alpha;
    const SettingsCurve *curve = settings->curve;
    if (curve != NULL && layer >= 0 && (size_t)layer < curve->count) return curve->alpha[layer];
    return settings->alpha;
}

const char *settings_dial_name(const Settings *settings, const PairTensor *tensor) {
    SettingsKind kind = KINDS[dialled_role(tensor)];
    if (!tensor->is_fused) return "copied";
    if (kind != SETTINGS_KIND_COUNT && settings->kinds[kind].is_set) return KIND_NAMES[kind];
    bool on_curve =
        settings->curve != NULL && tensor->layer >= 0 && (size_t)tensor->layer < settings->curve->count;
    return on_curve ? "layers" : "alpha";
}

uint32_t settings_cut(const Settings *settings) {
    return settings->ranking == NULL ? 0 : ranking_cut(settings->ranking, settings->rho);
}

/* Whether any neuron of the blocks that the tensor is of is reset: a tensor with one a for all is the quicker to blend. */
static bool is_touched(const Ranking *ranking, const NeuronTensor *found, uint32_t cut) {
    NeuronBlock first = neurons_locate(&ranking->table, found->first),
                last = neurons_locate(&ranking->table, neurons_tensor_first(found, found->matrices - 1));
    return ranking->best[first.index] < cut || ranking->best[last.index] < cut;
}

static void add_reset(const Settings *settings, const PairTensor *tensor, Blend *blend) {
    const Ranking *ranking = settings->ranking;
    uint32_t cut = settings_cut(settings);
    NeuronTensor found;
    if (cut == 0 || settings->omega == 0.0 ||
        neurons_tensor_find(&ranking->table, tensor, &found) != NEURONS_FIT ||
        !is_touched(ranking, &found, cut))
        return;
    const uint32_t *ranks = ranking->ranks + found.first;
    if (found.matrices > 1)
        blend->stack = (BlendStack){.rows = found.rows,
                                    .columns = found.columns,
                                    .are_rows = found.axis == NEURON_ROW,
                                    .ranks = ranks,
                                    .parts = found.parts,
                                    .part_stride = found.part_stride,
                                    .stride = found.stride};
    else if (found.axis == NEURON_ROW)
        blend->row_ranks = ranks;
    else
        blend->column_ranks = ranks;
    blend->cut = cut;
    blend->reset_a = (1.0 - settings->omega) * blend->a;
}

Blend settings_blend(const Settings *settings, const PairTensor *tensor) {
    Blend blend = {.sft = tensor->sft, .a = 1.0};
    if (tensor->is_fused) {
        blend.base = tensor->base;
        blend.a = settings_alpha(settings, dialled_role(tensor), tensor->layer);
        add_reset(settings, tensor, &blend);
    }
    shift_add(settings->shift, tensor, &blend);
    return blend;
}
