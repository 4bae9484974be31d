/*
 * json — cJSON with this project's rules around it: input is untrusted (size bound, nesting bound, nothing
 * after the value), numbers that stand for counts must be exact non-negative integers, and a NaN or an
 * infinity is written as the string "NaN", "Infinity" or "-Infinity".
 *
 * Trees belong to the caller: cJSON_Delete() frees one (and takes NULL).
 */
#ifndef REJUV_CORE_JSON_H
#define REJUV_CORE_JSON_H

#include "core/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses exactly `bytes` bytes; `origin` (a file name) is used in messages only. */
Status json_parse(const char *text, size_t bytes, const char *origin, cJSON **tree,
                  Error *error) STATUS_MUST_CHECK;

/* Reads and parses a whole file of at most `limit` bytes. */
Status json_read_file(const char *path, size_t limit, cJSON **tree, Error *error) STATUS_MUST_CHECK;

/* Reads a whole file of at most `limit` bytes into a NUL-terminated block that the caller frees. */
Status json_read_text(const char *path, size_t limit, char **text, size_t *bytes,
                      Error *error) STATUS_MUST_CHECK;

/* Member `key` of an object, or NULL; JSON null counts as absent. */
const cJSON *json_find(const cJSON *object, const char *key);

/* Member `key` as a value of the type; `fallback` where it is absent or of another type. */
double json_get_number(const cJSON *object, const char *key, double fallback);
bool json_get_bool(const cJSON *object, const char *key, bool fallback);
const char *json_get_text(const cJSON *object, const char *key, const char *fallback);

/* True and *value set iff `item` is a number that is exactly a non-negative integer below 2^53. */
bool json_read_count(const cJSON *item, uint64_t *value);

/* A node for writing: a number that reads back to the last bit; NaN and infinities become strings. (Such a
 * node is not for reading: a number of 17 digits is a cJSON_Raw.) NULL when out of memory. */
cJSON *json_new_number(double value);

/* Appends to an object; false when out of memory (then `value` is deleted). */
bool json_add(cJSON *object, const char *key, cJSON *value);
bool json_add_number(cJSON *object, const char *key, double value);
bool json_add_text(cJSON *object, const char *key, const char *value);
bool json_add_bool(cJSON *object, const char *key, bool value);

#endif
