#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_class.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- replacing ---- */

Status tokenizer_class_replace(cJSON *object, const char *key, cJSON *value, cJSON *aside, Error *error) {
    cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(object, key);
    if (old != NULL && !json_add(aside, key, old)) {
        cJSON_Delete(value);
        return memory_fail(error, key);
    }
    return value == NULL || json_add(object, key, value) ? STATUS_OK : memory_fail(error, key);
}

/* ---- tokens of the class ---- */

enum { EXTRA_IDS = 100, EXTRA_IDS_MAX = 1 << 16 };

Status tokenizer_class_extra_ids(const TokenizerClass *rule, const cJSON *settings, cJSON **tokens,
                                 Error *error) {
    uint64_t count = EXTRA_IDS;
    const cJSON *wanted = json_find(settings, "extra_ids");
    *tokens = NULL;
    if (rule == NULL || rule->vocabulary != VOCABULARY_EXTRA_IDS) return STATUS_OK;
    if (wanted != NULL && (!json_read_count(wanted, &count) || count > EXTRA_IDS_MAX))
        return status_fail(error, STATUS_FORMAT, "tokenizer_config.json: expected at most %d extra_ids",
                           EXTRA_IDS_MAX);
    *tokens = cJSON_CreateArray();
    for (uint64_t i = 0; i < count && *tokens != NULL; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "<extra_id_%d>", (int)i);
        if (!cJSON_AddItemToArray(*tokens, cJSON_CreateString(text))) return memory_fail(error, "extra_ids");
    }
    return *tokens == NULL ? memory_fail(error, "extra_ids") : STATUS_OK;
}

bool tokenizer_class_says(const cJSON *settings, const char *key, bool fallback) {
    const cJSON *item = json_find_any(settings, key);
    return item == NULL ? fallback : cJSON_IsTrue(item);
}

/* What one call works with. */
typedef struct Applying {
    const TokenizerClass *rule;
    const cJSON *settings;
    const char *unknown;
    cJSON *file, *parts;
} Applying;

static Status replace_stage(Applying *applying, const char *key, const char *json, Error *error) {
    cJSON *value = json == NULL ? NULL : cJSON_Parse(json);
    if (json != NULL && value == NULL) return memory_fail(error, key);
    return tokenizer_class_replace(applying->file, key, value, applying->parts, error);
}

/* ---- the model ---- */

static bool is_scored(const cJSON *model) {
    return cJSON_IsArray(json_find(model, "vocab"));
}

/* What transformers makes of such a file is a vocabulary without merges, or an error. */
static Status refuse_model(const Applying *applying, Error *error) {
    bool is_unigram = applying->rule->is_unigram;
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "class %s is one of %s, and the model of tokenizer.json is %s: what transformers makes of that is "
        "not supported; --tokenizer-file follows the file",
        applying->rule->name, is_unigram ? "Unigram" : "BPE", is_unigram ? "BPE" : "Unigram");
}

static bool set_switches(const Applying *applying, cJSON *model) {
    const TokenizerClass *rule = applying->rule;
    bool complete = json_add_bool(model, "byte_fallback", rule->byte_fallback);
    if (rule->is_unigram) return complete && json_add(model, "unk_id", cJSON_CreateNumber(rule->unknown_id));
    complete = complete && json_add_bool(model, "fuse_unk", rule->fuse_unknown);
    const char *unknown = applying->unknown != NULL ? applying->unknown : "None"; /* as str(None) */
    return rule->has_unknown ? complete && json_add_text(model, "unk_token", unknown) : complete;
}

static Status replace_model(Applying *applying, Error *error) {
    static const char *const SWITCHES[] = {"unk_token",          "fuse_unk", "byte_fallback",
                                           "ignore_merges",      "dropout",  "continuing_subword_prefix",
                                           "end_of_word_suffix", "unk_id"};
    cJSON *model = cJSON_GetObjectItemCaseSensitive(applying->file, "model");
    if (!cJSON_IsObject(model)) return STATUS_OK; /* building says what is wrong */
    if (is_scored(model) != applying->rule->is_unigram) return refuse_model(applying, error);
    cJSON *aside = cJSON_CreateObject();
    if (!json_add(applying->parts, "model", aside)) return memory_fail(error, "the model");
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof SWITCHES / sizeof *SWITCHES && status == STATUS_OK; i++)
        status = tokenizer_class_replace(model, SWITCHES[i], NULL, aside, error);
    return status == STATUS_OK && !set_switches(applying, model) ? memory_fail(error, "the model") : status;
}

/* ---- the normalizer: steps that settings take out, and the table of the file ---- */

/* The first table in a normalizer, where transformers looks for it. */
static const char *find_charsmap(const cJSON *normalizer) {
    const cJSON *steps = json_find(normalizer, "normalizers"), *step;
    const char *charsmap = json_get_text(normalizer, "precompiled_charsmap", NULL);
    cJSON_ArrayForEach(step, steps) {
        if (charsmap == NULL && strcmp(json_get_text(step, "type", ""), "Precompiled") == 0)
            charsmap = json_get_text(step, "precompiled_charsmap", NULL);
    }
    return charsmap;
}

static bool is_taken_out(const Applying *applying, const cJSON *step, const char *charsmap) {
    const char *unless = json_get_text(step, "unless", NULL), *if_not = json_get_text(step, "with", NULL);
    if (unless != NULL && json_get_bool(applying->settings, unless, false)) return true;
    if (if_not != NULL && !json_get_bool(applying->settings, if_not, true)) return true;
    return charsmap == NULL && strcmp(json_get_text(step, "type", ""), "Precompiled") == 0;
}

static Status fill_normalizer(Applying *applying, Error *error) {
    const char *charsmap = find_charsmap(cJSON_GetObjectItemCaseSensitive(applying->parts, "normalizer"));
    cJSON *steps = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(applying->file, "normalizer"), "normalizers");
    for (cJSON *step = steps != NULL ? steps->child : NULL, *next; step != NULL; step = next) {
        next = step->next;
        if (is_taken_out(applying, step, charsmap))
            cJSON_Delete(cJSON_DetachItemViaPointer(steps, step));
        else if (strcmp(json_get_text(step, "type", ""), "Precompiled") == 0 &&
                 !json_add_text(step, "precompiled_charsmap", charsmap))
            return memory_fail(error, "the normalizer");
    }
    return STATUS_OK;
}

/* ---- where spaces are put first: the table leaves it open ---- */

/* False when out of memory. */
static bool fill_prefix(cJSON *step, bool prefix_space, const char *scheme) {
    const char *type = json_get_text(step, "type", "");
    bool complete = true;
    if (strcmp(type, "ByteLevel") == 0) complete = json_add_bool(step, "add_prefix_space", prefix_space);
    if (strcmp(type, "Metaspace") == 0 && json_find(step, "prepend_scheme") == NULL)
        complete = json_add_text(step, "prepend_scheme", scheme);
    cJSON *steps = cJSON_GetObjectItemCaseSensitive(step, "pretokenizers"), *inner;
    cJSON_ArrayForEach(inner, steps) complete = complete && fill_prefix(inner, prefix_space, scheme);
    return complete;
}

Status tokenizer_class_apply(const TokenizerClass *rule, const cJSON *settings, const char *unknown,
                             cJSON *file, cJSON *parts, Error *error) {
    Applying applying = {
        .rule = rule, .settings = settings, .unknown = unknown, .file = file, .parts = parts};
    bool prefix_space = json_get_bool(settings, "add_prefix_space", rule->prefix_space);
    bool is_always = rule->is_unigram || (rule->heeds_legacy && json_get_bool(settings, "legacy", false));
    const char *scheme = !prefix_space ? "never" : is_always ? "always" : "first";
    bool is_bare = !prefix_space && rule->bare_decoder != NULL;
    bool keeps_processor = rule->processor == PROCESSOR_OF_FILE || rule->processor == PROCESSOR_CLASSED;
    Status status = replace_model(&applying, error);
    if (status == STATUS_OK) status = replace_stage(&applying, "normalizer", rule->normalizer, error);
    if (status == STATUS_OK) status = fill_normalizer(&applying, error);
    if (status == STATUS_OK) status = replace_stage(&applying, "pre_tokenizer", rule->pre_tokenizer, error);
    if (status == STATUS_OK)
        status = replace_stage(&applying, "decoder", is_bare ? rule->bare_decoder : rule->decoder, error);
    if (status == STATUS_OK && !keeps_processor)
        status = replace_stage(&applying, "post_processor", NULL, error);
    static const char *const STAGES[] = {"pre_tokenizer", "decoder"};
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
        if (!fill_prefix(cJSON_GetObjectItemCaseSensitive(file, STAGES[i]), prefix_space, scheme))
            status = memory_fail(error, rule->name);
    return status;
}
