#include "core/checkpoint/config_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- the tables as one ---- */

const Architecture *architecture_at(size_t index) {
    const struct {
        const Architecture *rows;
        size_t count;
    } tables[] = {{ARCHITECTURES_DENSE, ARCHITECTURES_DENSE_COUNT},
                  {ARCHITECTURES_GPT, ARCHITECTURES_GPT_COUNT},
                  {ARCHITECTURES_EXPERTS, ARCHITECTURES_EXPERTS_COUNT},
                  {ARCHITECTURES_STATES, ARCHITECTURES_STATES_COUNT}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (index < tables[i].count) return &tables[i].rows[index];
        index -= tables[i].count;
    }
    return NULL;
}

const Architecture *architecture_find(const char *model_type) {
    const Architecture *row;
    for (size_t i = 0; (row = architecture_at(i)) != NULL; i++) {
        if (strcmp(model_type, row->model_type) == 0) return row;
    }
    return NULL;
}

/* ---- in words ---- */

typedef struct Words {
    char *text;
    size_t size, used;
} Words;

static void add_words(Words *words, const char *format, const char *argument) {
    if (words->used + 1 >= words->size) return;
    if (words->used > 0)
        words->used += (size_t)snprintf(words->text + words->used, words->size - words->used, "; ");
    if (words->used + 1 >= words->size) return;
    words->used += (size_t)snprintf(words->text + words->used, words->size - words->used, format, argument);
}

void architecture_describe(const Architecture *architecture, char *text, size_t size) {
    static const char *const PLACES[] = {[NORMS_BEFORE] = "before both blocks",
                                         [NORMS_AROUND] = "before and behind both blocks",
                                         [NORMS_BEHIND] = "behind both blocks",
                                         [NORMS_ONE] = "before both blocks, one for both"};
    Words words = {text, size, 0};
    if (size > 0) *text = '\0';
    if (architecture->text_type != NULL) {
        add_words(&words, "the text of a larger model: %s, or what text_config says",
                  architecture->text_type);
        return;
    }
    bool is_single = architecture->mlp == MLP_NONE || architecture->layers == LAYERS_SINGLE;
    add_words(&words, architecture->norm == NORM_LAYER ? "LayerNorm %s" : "RMSNorm %s",
              is_single ? "before a layer's one block" : PLACES[architecture->norms]);
    if (architecture->wiring == WIRING_PARALLEL) add_words(&words, "blocks %s", "side by side");
    if (architecture->qkv != QKV_PARTED) add_words(&words, "%s in one matrix", "q, k and v");
    if (architecture->qk_norm != QK_NORM_NONE)
        add_words(&words, "q and k normed%s", architecture->qk_norm_key != NULL ? " if asked" : "");
    if (architecture->cap_key != NULL) add_words(&words, "scores %s", "capped");
    if (architecture->window != WINDOW_NEVER)
        add_words(&words, "windows%s", architecture->window == WINDOW_TYPES ? " in some layers" : "");
    if (architecture->rope == ROPE_RULE_NONE) add_words(&words, "no %s", "rotary embedding");
    if (architecture->mixer == MIXER_CONVOLUTION)
        add_words(&words, "short convolutions%s", " in some layers");
    if (architecture->mixer == MIXER_STATE_SPACE || architecture->mixer == MIXER_SELECTIVE)
        add_words(&words, architecture->layers == LAYERS_BESIDE ? "Mamba-%s beside attention" : "Mamba-%s",
                  architecture->mixer == MIXER_SELECTIVE ? "1" : "2");
    if (architecture->has_common) add_words(&words, "a block that layers have in %s", "common");
    if (architecture->stream_scale_key != NULL) add_words(&words, "further %s", "streams");
    if (architecture->mixer == MIXER_GATED) add_words(&words, "gated recurrences%s", " in some layers");
    if (architecture->mixer == MIXER_LIGHTNING) add_words(&words, "lightning attention%s", " in some layers");
    if (architecture->mixer == MIXER_DELTA)
        add_words(&words, "the gated delta rule%s in some layers",
                  architecture->delta->decays_channels ? " by channel" : "");
    if (architecture->mixers_norm_before) add_words(&words, "their norms %s", PLACES[NORMS_BEFORE]);
    if (architecture->has_output_gate) add_words(&words, "a gate behind %s", "attention");
    if (architecture->has_dynamic_mask) add_words(&words, "dynamic %s", "masks");
    if (architecture->is_compressed) add_words(&words, "%s attention; hyper-connections", "compressed");
    if (architecture->has_head_experts) add_words(&words, "experts of %s", "attention");
    if (architecture->latent != LATENT_NEVER) add_words(&words, "%s attention", "latent");
    if (architecture->experts != NULL) add_words(&words, "%s of experts", "mixtures");
    if (architecture->experts == NULL || architecture->experts->layers != EXPERT_LAYERS_ALL)
        add_words(&words, "%s MLP",
                  architecture->mlp == MLP_NONE    ? "no"
                  : architecture->mlp == MLP_GATED ? "gated"
                                                   : "plain");
}

const char *architecture_name(const Architecture *architecture) {
    return architecture == NULL ? "unknown" : architecture->model_type;
}
