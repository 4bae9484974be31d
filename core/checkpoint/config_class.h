/*
 * config_class — what the configuration classes of transformers 5.24 declare: each field's types, and the value it has
 * where config.json does not state it.
 *
 * The table is written by tests/golden/make_config_classes.py. A class is one text of entries, each followed by a space
 * or the end:
 *
 *     NAME:TYPES=DEFAULT      TYPES a letter each: n null, b true or false, i a whole number, f a number with a point or an
 *                             exponent, t a text, o an object, I a list of whole numbers, T one of texts, L any list, * any
 *     @NAME=KEY               the attribute NAME is written as KEY
 *     #theta=NUMBER           rope_theta where nothing says
 *
 * The fields of a class come first.
 */
#ifndef REJUV_CORE_CONFIG_CLASS_H
#define REJUV_CORE_CONFIG_CLASS_H

#include "core/files/json.h"

typedef struct ConfigClass {
    const char *model_type, *text;
} ConfigClass;

extern const ConfigClass CONFIG_CLASSES[]; /* sorted by model_type */
extern const size_t CONFIG_CLASS_COUNT;

/* The class of that model type, or NULL. */
const ConfigClass *config_class_find(const char *model_type);

typedef enum ConfigEntryKind {
    CONFIG_FIELD = ':',
    CONFIG_ALIAS = '@',
    CONFIG_CONSTANT = '#'
} ConfigEntryKind;

/* An entry of a class; texts point into the table and end before the next sign. */
typedef struct ConfigEntry {
    ConfigEntryKind kind;
    const char *name, *types, *value;
    size_t name_bytes, type_count, value_bytes;
} ConfigEntry;

/* Reads the entry at *at and moves on to the next; false at the end. */
bool config_class_next(const char **at, ConfigEntry *entry);

/* Where the entries that are no fields begin: few, and asked for often. */
const char *config_class_others(const ConfigClass *class);

/* The entry of that kind and name among those from `at` on; among all of a class. */
bool config_class_find_entry_at(const char *at, ConfigEntryKind kind, const char *name, ConfigEntry *entry);
bool config_class_find_entry(const ConfigClass *class, ConfigEntryKind kind, const char *name,
                             ConfigEntry *entry);

/* Every field that the class declares has a type that it takes: else STATUS_FORMAT, which transformers 5 does not load.
 * `json` is a tree of json_read_typed(). */
Status config_class_check(const ConfigClass *class, const cJSON *json, const char *origin,
                          Error *error) STATUS_MUST_CHECK;

#endif
