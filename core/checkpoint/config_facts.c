#include "core/checkpoint/config_facts.h"

#include "core/checkpoint/head.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ConfigFact *config_facts_add(ConfigFacts *facts, const char *key, const char *label, const char *from,
                             const char *format, ...) {
    if (facts->count == CONFIG_MOST_FACTS) return NULL;
    ConfigFact *fact = &facts->items[facts->count++];
    *fact = (ConfigFact){.key = key, .label = label};
    (void)snprintf(fact->from, sizeof fact->from, "%s", from);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fact->value, sizeof fact->value, format, arguments);
    va_end(arguments);
    return fact;
}

const ConfigFact *config_facts_find(const ConfigFacts *facts, const char *key) {
    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->items[i].key, key) == 0) return &facts->items[i];
    }
    return NULL;
}

/* ---- of one configuration ---- */

typedef struct Lister {
    ConfigFacts *facts;
    const ModelConfig *config;
    HeadKind head;
} Lister;

static void add_text(const Lister *lister, const char *key, const char *label, ConfigKey from,
                     const char *value) {
    const char *name = lister->config->from[from];
    char origin[64];
    if (name == NULL)
        (void)snprintf(origin, sizeof origin, "default of %s",
                       architecture_name(lister->config->architecture));
    ConfigFact *fact = config_facts_add(lister->facts, key, label, name != NULL ? name : origin, "%s", value);
    if (fact != NULL) fact->is_computed = from != CONFIG_EOS && from != CONFIG_POSITIONS;
}

static void add_number(const Lister *lister, const char *key, const char *label, ConfigKey from,
                       double value) {
    char text[JSON_NUMBER_SIZE];
    (void)json_format_number(value, 1, text);
    add_text(lister, key, label, from, text);
}

/* What tells positions apart where nothing turns. */
static const char *name_positions(const ModelConfig *config) {
    static const char *const KINDS[] = {[POSITIONS_NONE] = "none",
                                        [POSITIONS_LEARNED] = "none: learned positions",
                                        [POSITIONS_SINUSOIDAL] = "none: sinusoidal positions"};
    return config->alibi != ALIBI_NONE ? "none: ALiBi" : KINDS[config->positions];
}

static void add_rope(const Lister *lister) {
    const Rope *rope = &lister->config->ropes[0];
    if (lister->config->rope_count == 0) {
        add_text(lister, "rope_type", "rope", CONFIG_ROPE_KIND, name_positions(lister->config));
        return;
    }
    add_text(lister, "rope_type", "rope", CONFIG_ROPE_KIND, architecture_rope_name(rope->kind));
    add_number(lister, "rope_theta", "rope theta", CONFIG_ROPE_THETA, rope->theta);
    if (rope->kind == ROPE_DEFAULT) return;
    add_number(lister, "rope_factor", "rope factor", CONFIG_ROPE_FACTOR, rope->factor);
    if (rope->kind == ROPE_LLAMA3 || rope->kind == ROPE_YARN)
        add_number(lister, "rope_original_length", "rope length", CONFIG_ROPE_LENGTH, rope->original_length);
    char text[80] = "";
    if (rope->kind == ROPE_LLAMA3)
        (void)snprintf(text, sizeof text, "%g to %g", rope->low_frequency, rope->high_frequency);
    if (rope->kind == ROPE_YARN)
        (void)snprintf(text, sizeof text, "%g to %g%s, cosines × %.6g", rope->slow, rope->fast,
                       rope->truncates ? "" : " (not rounded)", rope->attention_factor);
    if (rope->kind == ROPE_PROPORTIONAL) (void)snprintf(text, sizeof text, "%g of a head", rope->proportion);
    if (text[0] != '\0') add_text(lister, "rope_ramp", "rope ramp", CONFIG_ROPE_KIND, text);
}

/* "4096, layers 0, 2, 4-7" */
static void add_window(const Lister *lister) {
    const ModelConfig *config = lister->config;
    char text[80];
    ConfigKey from = CONFIG_WINDOW;
    size_t used = (size_t)snprintf(text, sizeof text, "%" PRIu64, architecture_window(config));
    uint64_t sliding = 0, layer = 0;
    for (uint64_t l = 0; l < config->layers; l++) sliding += architecture_slides(config, l);
    if (sliding == 0) {
        (void)snprintf(text, sizeof text, "none");
    } else if (sliding < config->layers) {
        from = CONFIG_SLIDING_LAYERS;
        for (bool first = true; layer < config->layers && used < sizeof text; layer++) {
            uint64_t end = layer;
            while (end < config->layers && architecture_slides(config, end)) end++;
            if (end == layer) continue;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64,
                                     first ? ", layers " : ", ", layer);
            if (end > layer + 1 && used < sizeof text)
                used += (size_t)snprintf(text + used, sizeof text - used, "-%" PRIu64, end - 1);
            first = false;
            layer = end;
        }
    }
    add_text(lister, "sliding_window", "sliding window", from, text);
}

/* The ids that those very files state, in as many facts as it takes. */
static void add_eos_of(const Lister *lister, unsigned char files, const char *from) {
    enum { LONGEST_ID = sizeof ", 2147483647" };
    const ModelConfig *config = lister->config;
    ConfigFact *fact = NULL;
    for (size_t i = 0; i < config->eos_count; i++) {
        size_t used = fact != NULL ? strlen(fact->value) : sizeof fact->value;
        if (config->eos_files[i] != files) continue;
        if (used + LONGEST_ID > sizeof fact->value) {
            fact = config_facts_add(lister->facts, "eos_token_id", "end of text", from, "%s", "");
            if (fact == NULL) return;
            used = 0;
        }
        (void)snprintf(fact->value + used, sizeof fact->value - used, "%s%" PRId32, used > 0 ? ", " : "",
                       config->eos[i]);
    }
}

static void add_eos(const Lister *lister) {
    static const char *const FROM[] = {[0] = "not stated",
                                       [MODEL_EOS_GENERATION] = "generation_config.json: eos_token_id",
                                       [MODEL_EOS_CONFIG] = "eos_token_id",
                                       [MODEL_EOS_GENERATION | MODEL_EOS_CONFIG] =
                                           "generation_config.json, config.json: eos_token_id"};
    const ModelConfig *config = lister->config;
    const char *first = config->from[CONFIG_EOS];
    if (config->eos_count == 0)
        (void)config_facts_add(lister->facts, "eos_token_id", "end of text", first != NULL ? first : FROM[0],
                               "none");
    bool told[sizeof FROM / sizeof *FROM] = {false};
    for (size_t i = 0; i < config->eos_count; i++) {
        unsigned char files = config->eos_files[i];
        if (!told[files]) add_eos_of(lister, files, FROM[files]);
        told[files] = true;
    }
    if (config->eos_left_out > 0)
        (void)config_facts_add(lister->facts, "eos_token_id", "end of text", "more than are heeded",
                               "%zu more, which end no text here", config->eos_left_out);
}

static const char *scoring_name(ExpertScoring scoring) {
    static const char *const NAMES[] = {[EXPERTS_SOFTMAX] = "softmax",
                                        [EXPERTS_SOFTMAX_CHOSEN] = "softmax of the chosen",
                                        [EXPERTS_SIGMOID] = "sigmoid",
                                        [EXPERTS_SIGMOID_CHOSEN] = "sigmoid of the chosen",
                                        [EXPERTS_SPARSE_MIXER] = "sparse mixer"};
    return NAMES[scoring];
}

/* "8 of 128 in 46 layers", "sigmoid, normalised, × 2.5", "4 of 8 groups": what a token's choice depends on. */
static void add_experts(const Lister *lister) {
    const ModelConfig *config = lister->config;
    const ExpertPlan *plan = NULL;
    uint64_t layers = 0;
    for (uint64_t l = config->layers; l-- > 0;) {
        if (architecture_layer(config, l)->experts.count == 0) continue;
        plan = &architecture_layer(config, l)->experts;
        layers++;
    }
    if (plan == NULL) return;
    ConfigFact *facts[3];
    facts[0] = config_facts_add(lister->facts, "experts", "experts", "config.json",
                                "%" PRIu64 " of %" PRIu64 " in %" PRIu64 " layers", plan->chosen, plan->count,
                                layers);
    facts[1] =
        config_facts_add(lister->facts, "expert_weights", "their weights", "config.json", "%s%s, × %g",
                         scoring_name(plan->scoring), plan->normalises ? ", normalised" : "", plan->scale);
    facts[2] = plan->groups <= 1
                   ? NULL
                   : config_facts_add(lister->facts, "expert_groups", "expert groups", "config.json",
                                      "%" PRIu64 " of %" PRIu64, plan->groups_chosen, plan->groups);
    for (size_t i = 0; i < 3; i++)
        if (facts[i] != NULL) facts[i]->is_computed = true;
}

static void add_latent(const Lister *lister) {
    const LatentPlan *latent = &lister->config->latent;
    if (latent->latent == 0) return;
    const bool turns = lister->config->rope_count > 0;
    ConfigFact *fact =
        config_facts_add(lister->facts, "latent", "latent attention", "config.json",
                         "keys %" PRIu64 ", queries %" PRIu64 ", %" PRIu64 " channels %s%s", latent->latent,
                         latent->query, latent->turned, turns ? "turn" : "are one key's for all heads",
                         turns && latent->is_interleaved ? " side by side" : "");
    if (fact != NULL) fact->is_computed = true;
}

/* Of sliding layers, where they have one of their own. */
static void add_sliding_rope(const Lister *lister) {
    if (lister->config->rope_count < 2) return;
    const Rope *rope = &lister->config->ropes[1];
    ConfigFact *fact = config_facts_add(lister->facts, "rope_sliding", "sliding rope", "config.json",
                                        "%s, theta %g, factor %g", architecture_rope_name(rope->kind),
                                        rope->theta, rope->factor);
    if (fact != NULL) fact->is_computed = true;
}

static void add_config(const Lister *lister) {
    const ModelConfig *config = lister->config;
    add_rope(lister);
    add_sliding_rope(lister);
    add_experts(lister);
    add_latent(lister);
    add_window(lister);
    add_text(lister, "hidden_act", "activation", CONFIG_ACTIVATION,
             architecture_activation_name(config->activation));
    add_number(lister, "rms_norm_eps", "norm epsilon", CONFIG_EPSILON, config->norm_epsilon);
    if (config->heads > 0) {
        add_number(lister, "num_key_value_heads", "key/value heads", CONFIG_KV_HEADS,
                   (double)config->kv_heads);
        add_number(lister, "head_dim", "head size", CONFIG_HEAD_DIM, (double)config->head_dim);
    }
    static const char *const HEADS[] = {[HEAD_NONE] = "none", [HEAD_OWN] = "no", [HEAD_TIED] = "yes"};
    add_text(lister, "tie_word_embeddings", "tied head", CONFIG_TIE, HEADS[lister->head]);
    add_eos(lister);
}

void config_facts_list(const Checkpoint *checkpoint, ConfigFacts *facts) {
    facts->count = 0;
    if (checkpoint->model_status == STATUS_OK) {
        const Lister lister = {facts, &checkpoint->model, head_find(checkpoint).kind};
        add_config(&lister);
    }
    const char *key = json_get_text(checkpoint->config, "dtype", NULL) != NULL ? "dtype" : "torch_dtype";
    const char *stated = json_get_text(checkpoint->config, key, NULL);
    if (stated != NULL) (void)config_facts_add(facts, "dtype", "type by config", key, "%s", stated);
    (void)config_facts_add(facts, "dtype_stored", "type by file",
                           checkpoint->file_count == 1 ? "its file" : "its files", "%s",
                           dtype_name(checkpoint_main_dtype(checkpoint)));
}
