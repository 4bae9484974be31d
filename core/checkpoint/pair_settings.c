#include "core/checkpoint/config_facts.h"
#include "core/checkpoint/config_internal.h"
#include "core/checkpoint/pair_internal.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const SIDES[] = {"base", "SFT"};

/* ---- kinds that can be run: what was decided ---- */

static Status compare_sizes(Pair *pair, Error *error) {
    const ModelConfig *base = &pair->base->model, *sft = &pair->sft->model;
    const struct {
        const char *key;
        uint64_t base, sft;
        Severity severity;
    } sizes[] = {
        {"num_hidden_layers", base->layers, sft->layers, SEVERITY_ERROR},
        {"hidden_size", base->hidden_size, sft->hidden_size, SEVERITY_ERROR},
        {"num_attention_heads", base->heads, sft->heads, SEVERITY_ERROR},
        {"num_key_value_heads", base->kv_heads, sft->kv_heads, SEVERITY_ERROR},
        {"head_dim", base->head_dim, sft->head_dim, SEVERITY_ERROR},
        {"max_position_embeddings", base->max_positions, sft->max_positions, SEVERITY_NOTE},
        {"vocab_size", base->vocabulary, sft->vocabulary, SEVERITY_NOTE},
    };
    Status status = STATUS_OK;
    if (base->architecture != sft->architecture)
        status = finding_add(&pair->findings, SEVERITY_ERROR, "model_type", error, "base %s, SFT %s",
                             architecture_name(base->architecture), architecture_name(sft->architecture));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++) {
        if (sizes[i].base != sizes[i].sft)
            status = finding_add(&pair->findings, sizes[i].severity, sizes[i].key, error,
                                 "base %" PRIu64 ", SFT %" PRIu64, sizes[i].base, sizes[i].sft);
    }
    return status;
}

/* Sizes have findings of their own, and a head that only one side ties has one where tensors meet. */
static bool is_compared(const ConfigFact *fact) {
    static const char *const OTHERS[] = {"num_key_value_heads", "head_dim", "tie_word_embeddings"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        if (strcmp(fact->key, OTHERS[i]) == 0) return false;
    }
    return fact->is_computed;
}

static void add_difference(Buffer *names, Buffer *text, const char *key, const char *base, const char *sft) {
    buffer_add_format(names, "%s%s", names->length > 0 ? ", " : "", key);
    buffer_add_format(text, "%s%s: base %s, SFT %s", text->length > 0 ? "; " : "", key, base, sft);
}

static void collect(const ConfigFacts facts[2], const Pair *pair, Buffer *names, Buffer *text) {
    for (int side = 1; side >= 0; side--) {
        for (size_t i = 0; i < facts[side].count; i++) {
            const ConfigFact *fact = &facts[side].items[i],
                             *other = config_facts_find(&facts[!side], fact->key);
            const char *value = other != NULL ? other->value : "none";
            bool is_new = side == 1 || other == NULL; /* what both have was met on SFT's side */
            if (!is_compared(fact) || !is_new || strcmp(fact->value, value) == 0) continue;
            add_difference(names, text, fact->key, side == 1 ? value : fact->value,
                           side == 1 ? fact->value : value);
        }
    }
    const ModelConfig *base = &pair->base->model, *sft = &pair->sft->model;
    bool same_layers = base->layers == sft->layers;
    for (uint64_t layer = 0; same_layers && layer < base->layers; layer++)
        same_layers = architecture_slides(base, layer) == architecture_slides(sft, layer);
    bool same_window =
        architecture_window(base) == 0 || architecture_window(base) != architecture_window(sft);
    if (!same_window && !same_layers && base->layers == sft->layers &&
        strstr(text->text != NULL ? text->text : "", "sliding_window") == NULL)
        add_difference(names, text, "layer_types", "some", "others");
}

static void add_ends(Buffer *text, const char *side, const ModelConfig *config) {
    buffer_add_format(text, "%s%s", side, config->eos_count == 0 ? " none" : "");
    for (size_t i = 0; i < config->eos_count; i++)
        buffer_add_format(text, "%s%" PRId32, i == 0 ? " " : ", ", config->eos[i]);
}

/* What ends a text, whichever file says it. */
static Status compare_ends(Pair *pair, Error *error) {
    const ModelConfig *sides[2] = {&pair->base->model, &pair->sft->model};
    Status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        if (sides[i]->eos_left_out > 0)
            status = finding_add(&pair->findings, SEVERITY_WARNING, "eos_token_id", error,
                                 "%s states more than %d ends of text: %zu of them end none here", SIDES[i],
                                 (int)MODEL_MAX_EOS, sides[i]->eos_left_out);
    }
    if (status != STATUS_OK ||
        (sides[0]->eos_count == sides[1]->eos_count &&
         memcmp(sides[0]->eos, sides[1]->eos, sides[0]->eos_count * sizeof *sides[0]->eos) == 0))
        return status;
    Buffer text = {0};
    char *told = NULL;
    add_ends(&text, SIDES[0], sides[0]);
    buffer_add_text(&text, ", ");
    add_ends(&text, SIDES[1], sides[1]);
    status = buffer_take(&text, &told, NULL, "ends of text", error);
    if (status == STATUS_OK)
        status = finding_add(&pair->findings, SEVERITY_NOTE, "eos_token_id", error, "%s", told);
    free(told);
    return status;
}

/* These say how a model was saved, is stored or was trained, not what it computes. */
static bool is_idle(const char *key) {
    static const char *const KEYS[] = {
        "transformers_version",
        "_name_or_path",
        "name_or_path",
        "torch_dtype",
        "dtype",
        "use_cache",
        "architectures",
        "_commit_hash",
        "initializer_range",
        "initializer_factor",
        "attn_implementation",
        "id2label",
        "label2id",
        "auto_map",
        "_attn_implementation_autoset",
        "return_dict",
        "problem_type",
        "keys_to_ignore_at_inference",
        "gradient_checkpointing",
    };
    static const char *const ENDINGS[] = {"dropout",       "_pdrop",    "_drop",
                                          "_dropout_prob", "loss_coef", "_attn_implementation"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        if (strcmp(key, KEYS[i]) == 0) return true;
    }
    size_t length = strlen(key);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t ending = strlen(ENDINGS[i]);
        if (length >= ending && strcmp(key + length - ending, ENDINGS[i]) == 0) return true;
    }
    return strncmp(key, "unsloth_", strlen("unsloth_")) == 0;
}

/* Fields that have findings or facts of their own, whose spellings differ, or that decide nothing of a text's logits. */
static bool is_told(const char *name) {
    static const char *const TOLD[] = {"vocab_size",
                                       "hidden_size",
                                       "num_hidden_layers",
                                       "num_attention_heads",
                                       "head_dim",
                                       "num_key_value_heads",
                                       "max_position_embeddings",
                                       "intermediate_size",
                                       "hidden_act",
                                       "hidden_activation",
                                       "rms_norm_eps",
                                       "tie_word_embeddings",
                                       "sliding_window",
                                       "use_sliding_window",
                                       "max_window_layers",
                                       "num_experts_per_tok",
                                       "layer_types",
                                       "norm_topk_prob",
                                       "routed_scaling_factor",
                                       "pretraining_tp",
                                       "n_group",
                                       "topk_group",
                                       "original_max_position_embeddings"};
    static const char *const ENDINGS[] = {"_token_id",  "_token_index", "rope_parameters",
                                          "rope_theta", "rope_scaling", "partial_rotary_factor"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof TOLD / sizeof *TOLD; i++)
        if (strcmp(name, TOLD[i]) == 0) return true;
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t ending = strlen(ENDINGS[i]);
        if (length >= ending && strcmp(name + length - ending, ENDINGS[i]) == 0) return true;
    }
    return is_idle(name);
}

static bool add_field(const ConfigReader readers[2], const char *name, Buffer *names, Buffer *text) {
    const cJSON *base = config_find(&readers[0], name), *sft = config_find(&readers[1], name);
    char *values[2] = {base == NULL ? NULL : cJSON_PrintUnformatted(base),
                       sft == NULL ? NULL : cJSON_PrintUnformatted(sft)};
    bool complete = (base == NULL || values[0] != NULL) && (sft == NULL || values[1] != NULL);
    const char *told[2] = {values[0] != NULL ? values[0] : "none", values[1] != NULL ? values[1] : "none"};
    char shown[2][48];
    for (int i = 0; i < 2; i++) (void)snprintf(shown[i], sizeof shown[i], "%.40s", told[i]);
    if (complete && strcmp(told[0], told[1]) != 0) add_difference(names, text, name, shown[0], shown[1]);
    cJSON_free(values[0]);
    cJSON_free(values[1]);
    return complete;
}

/* Every other field of the class, stated or not: scales, caps, biases, layers without rotary embedding. */
static Status collect_fields(const Pair *pair, Buffer *names, Buffer *text, Error *error) {
    const Checkpoint *sides[2] = {pair->base, pair->sft};
    ConfigReader readers[2] = {{0}};
    Status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        const char *type = json_get_text(sides[i]->config, "model_type", "");
        const cJSON *json = config_find_text(sides[i]->config, &type);
        status = config_open_reader(json, sides[i]->config, type, sides[i]->directory, &readers[i], error);
    }
    ConfigEntry entry;
    bool complete = true, is_one = status == STATUS_OK && readers[0].class == readers[1].class;
    for (const char *at = is_one ? readers[0].class->text : ""; complete && config_class_next(&at, &entry);) {
        char name[64];
        if (entry.kind != CONFIG_FIELD || entry.name_bytes >= sizeof name) continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)entry.name_bytes, entry.name);
        complete = is_told(name) || add_field(readers, name, names, text);
    }
    for (int i = 0; i < 2; i++) config_close_reader(&readers[i]);
    return status == STATUS_OK && !complete ? memory_fail(error, "settings") : status;
}

static Status compare_decisions(Pair *pair, Error *error) {
    ConfigFacts *facts = memory_allocate(2, sizeof *facts);
    if (facts == NULL) return memory_fail(error, "settings");
    config_facts_list(pair->base, &facts[0]);
    config_facts_list(pair->sft, &facts[1]);
    Buffer names = {0}, text = {0};
    char *differing = NULL, *told = NULL;
    collect(facts, pair, &names, &text);
    Status status = collect_fields(pair, &names, &text, error);
    size_t count = names.length;
    if (status == STATUS_OK) status = buffer_take(&names, &differing, NULL, "settings", error);
    if (status == STATUS_OK) status = buffer_take(&text, &told, NULL, "settings", error);
    if (status == STATUS_OK && count > 0) {
        status = finding_add(&pair->findings, SEVERITY_WARNING, "config.json", error,
                             "%s. Base and SFT are computed each by its own, W by SFT's", told);
        pair->differing = differing;
        differing = NULL;
    }
    if (status == STATUS_OK) status = compare_ends(pair, error);
    buffer_free(&names);
    buffer_free(&text);
    free(differing);
    free(told);
    free(facts);
    return status;
}

/* ---- other kinds: every key ---- */

/* Buffers of names and values that two trees of settings differ in. */
typedef struct Differences {
    Buffer both, lone[2];
    bool complete;
} Differences;

/* With its values, long ones cut. */
static void add_values(Differences *differences, const char *path, const cJSON *base, const cJSON *sft) {
    char *texts[2] = {cJSON_PrintUnformatted(base), cJSON_PrintUnformatted(sft)};
    differences->complete = differences->complete && texts[0] != NULL && texts[1] != NULL;
    if (differences->complete && strcmp(texts[0], texts[1]) != 0)
        buffer_add_format(&differences->both, "%s%s: base %.40s, SFT %.40s",
                          differences->both.length > 0 ? "; " : "", path, texts[0], texts[1]);
    cJSON_free(texts[0]);
    cJSON_free(texts[1]);
}

/* Members are looked up one by one: nobody has so many, but a file may claim anything. */
static bool is_comparable(const cJSON *a, const cJSON *b) {
    enum { MOST_MEMBERS = 4096 };
    return cJSON_IsObject(a) && cJSON_IsObject(b) && cJSON_GetArraySize(a) <= MOST_MEMBERS &&
           cJSON_GetArraySize(b) <= MOST_MEMBERS;
}

/* Members of base that SFT has too, or not; of objects their members. `path` ends with a point, or is empty. */
static void compare_trees(Differences *differences, const char *path, const cJSON *base, const cJSON *sft) {
    enum { PATH_SIZE = 160 };
    const cJSON *sides[2] = {base, sft};
    for (int side = 0; side < 2; side++) {
        const cJSON *item;
        cJSON_ArrayForEach(item, sides[side]) {
            const cJSON *other = json_find(sides[!side], item->string);
            bool is_last = json_find_any(sides[side], item->string) == item; /* of its name, which counts */
            if (cJSON_IsNull(item) || is_idle(item->string) || !is_last) continue;
            char whole[PATH_SIZE];
            int length = snprintf(whole, sizeof whole, "%s%s", path, item->string);
            if (length < 0 || (size_t)length + 1 >= sizeof whole) continue; /* of no model's */
            if (other == NULL) {
                buffer_add_format(&differences->lone[side], "%s%s",
                                  differences->lone[side].length > 0 ? ", " : "", whole);
            } else if (side == 0 && is_comparable(item, other)) {
                whole[length] = '.';
                whole[length + 1] = '\0';
                compare_trees(differences, whole, item, other);
            } else if (side == 0) {
                add_values(differences, whole, item, other);
            }
        }
    }
}

/* Takes the text. */
static Status tell(Pair *pair, Buffer *buffer, Severity severity, const char *what, Error *error) {
    char *text = NULL;
    if (buffer->length == 0) return buffer->failed ? memory_fail(error, "settings") : STATUS_OK;
    Status status = buffer_take(buffer, &text, NULL, "settings", error);
    if (status == STATUS_OK)
        status = finding_add(&pair->findings, severity, "config.json", error, "%s: %s", what, text);
    free(text);
    return status;
}

static Status report(Pair *pair, Differences *differences, Error *error) {
    Status status = differences->complete ? STATUS_OK : memory_fail(error, "settings");
    if (status == STATUS_OK)
        status = tell(pair, &differences->both, SEVERITY_WARNING, "the settings differ", error);
    if (status == STATUS_OK)
        status = tell(pair, &differences->lone[0], SEVERITY_NOTE, "only base's states", error);
    if (status == STATUS_OK)
        status = tell(pair, &differences->lone[1], SEVERITY_NOTE, "only SFT's states", error);
    buffer_free(&differences->both);
    for (int side = 0; side < 2; side++) buffer_free(&differences->lone[side]);
    return status;
}

static Status compare_everything(Pair *pair, Error *error) {
    if (pair->base->config == NULL || pair->sft->config == NULL) return STATUS_OK;
    Differences differences = {.complete = true};
    if (is_comparable(pair->base->config, pair->sft->config))
        compare_trees(&differences, "", pair->base->config, pair->sft->config);
    else
        add_values(&differences, "all of it", pair->base->config, pair->sft->config);
    return report(pair, &differences, error);
}

/* ---- a configuration and its own tensors ---- */

/* Tensors that a side has and does not run: of layers beyond its last, and such as its config.json has no use for. */
typedef struct Unused {
    size_t beyond, unasked;
    int last;
    char roles[96];
} Unused;

static Unused find_unused(const Checkpoint *checkpoint) {
    const ModelConfig *config = &checkpoint->model;
    Unused unused = {.last = -1};
    bool named[TENSOR_ROLE_COUNT] = {false};
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        char name[128]; /* only roles that these models have can change their result */
        bool is_known = tensor->role != TENSOR_HEAD &&
                        architecture_name_tensor(tensor->role, tensor->layer, name, sizeof name);
        if (tensor->layer >= 0 && (uint64_t)tensor->layer >= config->layers) {
            unused.beyond++;
            if (tensor->layer > unused.last) unused.last = tensor->layer;
        } else if (is_known && !config->roles[tensor->role]) {
            size_t used = strlen(unused.roles);
            if (!named[tensor->role])
                (void)snprintf(unused.roles + used, sizeof unused.roles - used, "%s%s", used > 0 ? ", " : "",
                               tensor_role_name(tensor->role));
            named[tensor->role] = true;
            unused.unasked++;
        }
    }
    return unused;
}

static Status report_unused(Pair *pair, const Checkpoint *checkpoint, const char *side, Error *error) {
    Unused unused = find_unused(checkpoint);
    const ModelConfig *config = &checkpoint->model;
    Status status = STATUS_OK;
    if (unused.beyond > 0)
        status = finding_add(&pair->findings, SEVERITY_WARNING, "num_hidden_layers", error,
                             "%s: %" PRIu64
                             ", but there are layers up to %d: the %zu tensors of the further ones are "
                             "fused and exported, and not run",
                             side, config->layers, unused.last, unused.beyond);
    if (status == STATUS_OK && unused.unasked > 0)
        status = finding_add(
            &pair->findings, SEVERITY_WARNING, "config.json", error,
            "%s does not ask for %zu of its tensors (%s): they are fused and exported, and not run", side,
            unused.unasked, unused.roles);
    return status;
}

/* Of the keys that a query sees some count, those of the largest masks: equal tokens have equal ones in the first layer. */
static Status report_ties(Pair *pair, Error *error) {
    uint64_t base = pair->base->model.kept_keys, sft = pair->sft->model.kept_keys;
    uint64_t kept = base == 0 || (sft > 0 && sft < base) ? sft : base;
    if (kept == 0) return STATUS_OK;
    return finding_add(
        &pair->findings, SEVERITY_NOTE, "keep_window_size", error,
        "over %" PRIu64
        " tokens it is open which of equal keys count: only that many do, those of the largest "
        "masks, and equal tokens tie in the first layer; torch takes any, here the first are taken, so that "
        "logits may differ from transformers'",
        kept);
}

Status pair_compare_settings(Pair *pair, Error *error) {
    const Checkpoint *sides[] = {pair->base, pair->sft};
    Status status = STATUS_OK;
    bool both_run = true;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        if (sides[i]->model_status == STATUS_OK) {
            status = report_unused(pair, sides[i], SIDES[i], error);
        } else {
            both_run = false;
            status = finding_add(&pair->findings, SEVERITY_WARNING, "config.json", error, "no previews: %s",
                                 sides[i]->model_error.message);
        }
    }
    if (status == STATUS_OK && !both_run) return compare_everything(pair, error);
    if (status == STATUS_OK) status = compare_sizes(pair, error);
    if (status == STATUS_OK) status = report_ties(pair, error);
    return status == STATUS_OK ? compare_decisions(pair, error) : status;
}
