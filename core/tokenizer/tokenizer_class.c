#include "core/tokenizer/tokenizer_class.h"

#include "core/files/json.h"

#include <string.h>

static const char BACKEND[] = "TokenizersBackend";
static ClassChoice take(const char *name, const char *key) {
    ClassChoice choice = {.name = name, .key = key, .rule = tokenizer_class_find(name)};
    if (choice.rule != NULL) {
        choice.name = choice.rule->name;
    } else if (tokenizer_class_exists(name)) {
        choice.is_unknown = true;
    } else {
        choice.name = BACKEND;
    }
    return choice;
}

/* Where the type of the model and the configuration disagree; the name of the class, NULL where they do not. */
static const char *settle(const char *type, bool is_mistaken, const char *declared) {
    const char *held = tokenizer_class_of_type(type);
    if (held == NULL || tokenizer_class_is_same(held, declared)) return NULL;
    if (strcmp(held, BACKEND) == 0) return BACKEND;
    return is_mistaken ? held : declared;
}

ClassChoice tokenizer_class_choose(const cJSON *config, const cJSON *settings, bool is_byte_level) {
    const char *type = json_get_text(config, "model_type", ""),
               *key = "tokenizer_class of tokenizer_config.json";
    const char *declared = json_get_text(settings, "tokenizer_class", NULL);
    bool has_own_code = cJSON_IsArray(json_find(settings, "auto_map")) ||
                        json_find(json_find(settings, "auto_map"), "AutoTokenizer") != NULL;
    bool is_mistaken = tokenizer_class_is_mistaken(type) ||
                       tokenizer_class_is_mistaken(json_get_text(config, "model_name", ""));
    bool is_asked =
        has_own_code && !tokenizer_class_is_mistaken(type); /* transformers asks whether to run it */
    if (declared == NULL || declared[0] == '\0') {
        declared = json_get_text(config, "tokenizer_class", NULL);
        key = "tokenizer_class of config.json";
    }
    if (declared == NULL) {
        const char *held = tokenizer_class_of_type(type);
        ClassChoice choice = held != NULL ? take(held, "model_type of config.json") : take(BACKEND, NULL);
        choice.has_own_code = is_asked;
        return choice;
    }
    if (!has_own_code && !is_mistaken && is_byte_level && tokenizer_class_is_same(declared, "LlamaTokenizer"))
        return take(BACKEND, "\"ByteLevel\" in tokenizer.json");
    const char *settled = has_own_code ? NULL : settle(type, is_mistaken, declared);
    if (settled != NULL && settled != declared) return take(settled, "model_type of config.json");
    ClassChoice choice = take(declared, key);
    choice.has_own_code = is_asked;
    return choice;
}
