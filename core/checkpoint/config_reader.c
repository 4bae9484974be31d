#include "core/checkpoint/config_internal.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <string.h>

static bool add_default(cJSON *defaults, const ConfigEntry *entry) {
    char name[64];
    if (entry->name_bytes >= sizeof name) return true;
    (void)snprintf(name, sizeof name, "%.*s", (int)entry->name_bytes, entry->name);
    cJSON *value = cJSON_ParseWithLength(entry->value, entry->value_bytes);
    return value != NULL && json_add(defaults, name, value);
}

Status config_open_reader(const cJSON *json, const cJSON *whole, const char *model_type, const char *origin,
                          ConfigReader *reader, Error *error) {
    *reader = (ConfigReader){
        .json = json, .whole = whole, .origin = origin, .class = config_class_find(model_type)};
    if (reader->class == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: no class of %s", origin, model_type);
    reader->others = config_class_others(reader->class);
    reader->defaults = cJSON_CreateObject();
    bool complete = reader->defaults != NULL;
    ConfigEntry entry;
    for (const char *at = reader->class->text; complete && config_class_next(&at, &entry);)
        complete = entry.kind != CONFIG_FIELD || add_default(reader->defaults, &entry);
    return complete ? STATUS_OK : memory_fail(error, "defaults of config.json");
}

Status config_set_rope(ConfigReader *reader, const char *text, Error *error) {
    if (text == NULL) return STATUS_OK;
    cJSON *value = cJSON_Parse(text);
    cJSON_DeleteItemFromObjectCaseSensitive(reader->defaults, "rope_parameters");
    return value != NULL && json_add(reader->defaults, "rope_parameters", value)
               ? STATUS_OK
               : memory_fail(error, "defaults of config.json");
}

void config_close_reader(ConfigReader *reader) {
    cJSON_Delete(reader->defaults);
    reader->defaults = NULL;
}

/* The field that the class keeps under this name. */
static const char *own_name(const ConfigReader *reader, const char *name, char *text, size_t size) {
    ConfigEntry entry;
    if (!config_class_find_entry_at(reader->others, CONFIG_ALIAS, name, &entry) || entry.value_bytes >= size)
        return name;
    (void)snprintf(text, size, "%.*s", (int)entry.value_bytes, entry.value);
    return text;
}

/* Of objects in one another. */
static const cJSON *find_within(const cJSON *json, const char *name) {
    char part[64];
    while (json != NULL && *name != '\0') {
        size_t bytes = strcspn(name, ".");
        if (bytes >= sizeof part) return NULL;
        (void)snprintf(part, sizeof part, "%.*s", (int)bytes, name);
        json = json_find_any(json, part);
        name += bytes + (name[bytes] == '.');
    }
    return json;
}

/* Another name than `own` by which the class knows what it keeps under that. */
static bool is_other_name(const ConfigEntry *entry, const char *own, char *name, size_t size) {
    if (entry->kind != CONFIG_ALIAS || entry->value_bytes != strlen(own) || entry->name_bytes >= size ||
        memcmp(entry->value, own, entry->value_bytes) != 0)
        return false;
    (void)snprintf(name, size, "%.*s", (int)entry->name_bytes, entry->name);
    return true;
}

/* The class takes its fields first, and other names for them after: the last says it. The field may be declared under one of
 * those. */
const cJSON *config_find_stated(const ConfigReader *reader, const char *name) {
    char text[64], other[64];
    if (strchr(name, '.') != NULL) return find_within(reader->json, name);
    const char *own = own_name(reader, name, text, sizeof text);
    const cJSON *found = json_find_any(reader->json, own), *item;
    const bool is_late = found != NULL && json_find_any(reader->defaults, own) == NULL;
    ConfigEntry entry;
    for (const char *at = reader->others; config_class_next(&at, &entry);) {
        if (!is_other_name(&entry, own, other, sizeof other)) continue;
        bool is_field = json_find_any(reader->defaults, other) != NULL;
        if ((item = json_find_any(reader->json, other)) != NULL && !(is_field && is_late)) found = item;
    }
    return found;
}

static const cJSON *find_default(const ConfigReader *reader, const char *name) {
    char text[64], other[64];
    const char *own = own_name(reader, name, text, sizeof text);
    const cJSON *found = json_find_any(reader->defaults, own);
    ConfigEntry entry;
    for (const char *at = reader->others; found == NULL && config_class_next(&at, &entry);)
        if (is_other_name(&entry, own, other, sizeof other)) found = json_find_any(reader->defaults, other);
    return found;
}

const cJSON *config_find(const ConfigReader *reader, const char *name) {
    const cJSON *item = config_find_stated(reader, name);
    if (item == NULL) item = find_default(reader, name);
    return cJSON_IsNull(item) ? NULL : item;
}

double config_number(const ConfigReader *reader, const char *name, double fallback) {
    const cJSON *item = config_find(reader, name);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool config_bool(const ConfigReader *reader, const char *name) {
    return cJSON_IsTrue(config_find(reader, name));
}

const char *config_text(const ConfigReader *reader, const char *name) {
    const cJSON *item = config_find(reader, name);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool config_rule(const ConfigReader *reader, ConfigRule rule) {
    return rule.always || (rule.key != NULL && config_bool(reader, rule.key));
}

Status config_read_size(const ConfigReader *reader, const char *name, uint64_t fallback, uint64_t *value,
                        const char **from, Error *error) {
    const cJSON *stated = config_find_stated(reader, name), *item = config_find(reader, name);
    if (item == NULL && fallback > 0) {
        *value = fallback;
        return STATUS_OK;
    }
    if (!json_read_count(item, value) || *value == 0 || *value > CONFIG_LARGEST_SIZE)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1 to %d, found %s",
                           reader->origin, name, CONFIG_LARGEST_SIZE,
                           item == NULL ? "nothing" : "something else");
    if (stated != NULL) *from = name;
    return STATUS_OK;
}

Status config_read_count(const ConfigReader *reader, const char *name, uint64_t *value, Error *error) {
    const cJSON *item = config_find(reader, name);
    if (json_read_count(item, value) && *value <= CONFIG_LARGEST_SIZE) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count up to %d, found %s",
                       reader->origin, name, CONFIG_LARGEST_SIZE,
                       item == NULL ? "nothing" : "something else");
}

/* The most inputs that an output of a causal convolution is made of: those of known models have 3 or 4. */
enum { MOST_TAPS = 64 };

Status config_read_taps(const ConfigReader *reader, const char *key, uint64_t *taps, Error *error) {
    const char *from;
    Status status = config_read_size(reader, key, 0, taps, &from, error);
    if (status != STATUS_OK || *taps <= MOST_TAPS) return status;
    return status_fail(error, STATUS_UNSUPPORTED, "%s: expected \"%s\" to be at most %d", reader->origin, key,
                       MOST_TAPS);
}

bool config_is_truthy(const cJSON *item) {
    if (item == NULL || cJSON_IsNull(item) || cJSON_IsFalse(item)) return false;
    if (cJSON_IsNumber(item)) return item->valuedouble != 0.0;
    if (cJSON_IsString(item)) return *item->valuestring != '\0';
    return cJSON_IsTrue(item) || item->child != NULL;
}
