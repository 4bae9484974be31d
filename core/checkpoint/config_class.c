#include "core/checkpoint/config_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

static int compare_types(const void *key, const void *element) {
    return strcmp(key, ((const ConfigClass *)element)->model_type);
}

const ConfigClass *config_class_find(const char *model_type) {
    return bsearch(model_type, CONFIG_CLASSES, CONFIG_CLASS_COUNT, sizeof *CONFIG_CLASSES, compare_types);
}

bool config_class_next(const char **at, ConfigEntry *entry) {
    const char *text = *at + strspn(*at, " ");
    size_t bytes = strcspn(text, " ");
    *at = text + bytes;
    if (bytes == 0) return false;
    const bool is_field = *text != CONFIG_ALIAS && *text != CONFIG_CONSTANT;
    *entry = (ConfigEntry){.kind = is_field ? CONFIG_FIELD : (ConfigEntryKind)*text};
    entry->name = is_field ? text : text + 1;
    entry->name_bytes = strcspn(entry->name, ":=");
    entry->types = entry->name + entry->name_bytes + (is_field ? 1 : 0);
    entry->type_count = is_field ? strcspn(entry->types, "=") : 0;
    entry->value = entry->types + entry->type_count + 1;
    entry->value_bytes = (size_t)(text + bytes - entry->value);
    return true;
}

const char *config_class_others(const ConfigClass *class) {
    const char *at = class->text;
    while (*at != '\0' && *at != CONFIG_ALIAS && *at != CONFIG_CONSTANT) {
        at = strchr(at, ' ');
        if (at == NULL) return "";
        at++;
    }
    return at;
}

bool config_class_find_entry_at(const char *at, ConfigEntryKind kind, const char *name, ConfigEntry *entry) {
    size_t bytes = strlen(name);
    while (config_class_next(&at, entry)) {
        if (entry->kind == kind && entry->name_bytes == bytes && memcmp(entry->name, name, bytes) == 0)
            return true;
    }
    return false;
}

bool config_class_find_entry(const ConfigClass *class, ConfigEntryKind kind, const char *name,
                             ConfigEntry *entry) {
    return config_class_find_entry_at(class->text, kind, name, entry);
}

/* ---- types ---- */

static const struct {
    char letter;
    const char *name;
} TYPES[] = {
    {'b', "true or false"},   {'i', "a whole number"}, {'f', "a number with a point or an exponent"},
    {'t', "a text"},          {'o', "an object"},      {'I', "a list of whole numbers"},
    {'T', "a list of texts"}, {'L', "a list"},         {'n', "null"},
};

static bool list_holds(const cJSON *list, char letter) {
    const cJSON *element;
    cJSON_ArrayForEach(element, list) {
        if (letter == 'I' ? !cJSON_IsNumber(element) || !json_may_be_integer(element)
                          : !cJSON_IsString(element))
            return false;
    }
    return true;
}

static bool has_type(const cJSON *item, char letter) {
    switch (letter) {
    case 'n':
        return cJSON_IsNull(item);
    case 'b':
        return cJSON_IsBool(item);
    case 't':
        return cJSON_IsString(item);
    case 'o':
        return cJSON_IsObject(item);
    case 'i':
        return cJSON_IsNumber(item) && json_may_be_integer(item);
    case 'f':
        return cJSON_IsNumber(item) && json_may_be_float(item);
    case 'I':
    case 'T':
        return cJSON_IsArray(item) && list_holds(item, letter);
    case 'L':
        return cJSON_IsArray(item);
    default:
        return true;
    }
}

static bool is_taken(const ConfigEntry *entry, const cJSON *item) {
    for (size_t i = 0; i < entry->type_count; i++) {
        if (has_type(item, entry->types[i])) return true;
    }
    return false;
}

static Status refuse(const ConfigEntry *entry, const cJSON *item, const char *origin, Error *error) {
    char expected[160] = "";
    const char *found = "a list of other things";
    for (size_t i = 0, used = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (memchr(entry->types, TYPES[i].letter, entry->type_count) != NULL && used < sizeof expected)
            used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%s", used > 0 ? " or " : "",
                                     TYPES[i].name);
    }
    for (size_t i = sizeof TYPES / sizeof *TYPES; i-- > 0;) {
        if (TYPES[i].letter != 'L' && has_type(item, TYPES[i].letter)) found = TYPES[i].name;
    }
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected \"%.*s\" to be %s, found %s: transformers 5 does not load it", origin,
                       (int)entry->name_bytes, entry->name, expected, found);
}

Status config_class_check(const ConfigClass *class, const cJSON *json, const char *origin, Error *error) {
    ConfigEntry entry;
    char name[64];
    for (const char *at = class->text; config_class_next(&at, &entry);) {
        if (entry.kind != CONFIG_FIELD || entry.name_bytes >= sizeof name) continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)entry.name_bytes, entry.name);
        const cJSON *item = json_find_any(json, name);
        if (item != NULL && !is_taken(&entry, item)) return refuse(&entry, item, origin, error);
    }
    return STATUS_OK;
}
