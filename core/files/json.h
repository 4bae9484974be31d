/*
 * json — cJSON with this project's rules around it: input is untrusted (size bound, nesting bound, nothing
 * after the value), numbers that stand for counts must be exact non-negative integers, and a NaN or an
 * infinity is written as the string "NaN", "Infinity" or "-Infinity".
 *
 * Files of models are written and read by Python, so they are read as Python does: NaN, Infinity and -Infinity without
 * quotes are numbers, and of members of one name the last counts.
 *
 * Trees belong to the caller: cJSON_Delete() frees one (and takes NULL).
 */
#ifndef REJUV_CORE_JSON_H
#define REJUV_CORE_JSON_H

#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a tree may have: a node takes about 80 bytes, so that a hundred megabytes of "0,0,0" would take four
 * gigabytes. A million tensors of a safetensors header have eight to ten million values. */
enum { JSON_VALUE_LIMIT = 12000000 };

/* How many values a text has, if it is JSON at all (else: some number): counted without parsing it. */
size_t json_count_values(const char *text, size_t bytes);

/* Parses exactly `bytes` bytes of at most JSON_VALUE_LIMIT values; `origin` (a file name) is used in messages
 * only. STATUS_NO_MEMORY where that was what stopped it. */
Status json_parse(const char *text, size_t bytes, const char *origin, cJSON **tree,
                  Error *error) STATUS_MUST_CHECK;

/* Reads and parses a whole file of at most `limit` bytes. */
Status json_read_file(const char *path, size_t limit, cJSON **tree, Error *error) STATUS_MUST_CHECK;

/* The same, and of each number is kept whether it was written as a whole number, which Python tells from a float. */
Status json_read_typed(const char *path, size_t limit, cJSON **tree, Error *error) STATUS_MUST_CHECK;

/* Whether a number was written as a whole number, as one with a point or an exponent: both where that was not kept. */
bool json_may_be_integer(const cJSON *number);
bool json_may_be_float(const cJSON *number);

/* Reads a whole file of at most `limit` bytes into a NUL-terminated block that the caller frees. */
Status json_read_text(const char *path, size_t limit, char **text, size_t *bytes,
                      Error *error) STATUS_MUST_CHECK;

/* Member `key` of an object, or NULL; JSON null counts as absent. */
const cJSON *json_find(const cJSON *object, const char *key);

/* Also where it is null. */
const cJSON *json_find_any(const cJSON *object, const char *key);

/* Member `key` as a value of the type; `fallback` where it is absent or of another type. */
double json_get_number(const cJSON *object, const char *key, double fallback);
bool json_get_bool(const cJSON *object, const char *key, bool fallback);
const char *json_get_text(const cJSON *object, const char *key, const char *fallback);

/* True and *value set iff `item` is a number that is exactly a non-negative integer below 2^53. */
bool json_read_count(const cJSON *item, uint64_t *value);

/* A number that reads back to the last bit, in 15, 16 or 17 digits: as few as will do, trying `step` more each
 * time (1, or 2 to leave 16 out); returns how many. NaN and infinities: NaN, Infinity, -Infinity, without quotes,
 * and 0. */
enum { JSON_NUMBER_SIZE = 32 };
int json_format_number(double value, int step, char text[JSON_NUMBER_SIZE]);

/* A node for writing: a number that reads back to the last bit; NaN and infinities become strings. (Such a
 * node is not for reading: a number of more than 15 digits is a cJSON_Raw.) NULL when out of memory. */
cJSON *json_new_number(double value);
cJSON *json_new_numbers(const double *values, size_t count); /* an array of such */

/* Appends to an object; false when out of memory (then `value` is deleted). */
bool json_add(cJSON *object, const char *key, cJSON *value);
bool json_add_number(cJSON *object, const char *key, double value);
bool json_add_text(cJSON *object, const char *key, const char *value);
bool json_add_bool(cJSON *object, const char *key, bool value);

#endif
