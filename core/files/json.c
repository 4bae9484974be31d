#include "core/files/json.h"

#include "core/files/stand_in.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEAST_DIGITS = 15, MOST_DIGITS = 17 }; /* of a double, as text */

static const double LARGEST_EXACT_INTEGER = 9007199254740992.0; /* 2^53 */

/* Every value but the first of a container follows a comma, every first one a bracket or a brace. */
size_t json_count_values(const char *text, size_t bytes) {
    size_t count = 1;
    for (size_t i = 0; i < bytes; i++) {
        switch (text[i]) {
        case '"': /* what a string holds does not count */
            for (i++; i < bytes && text[i] != '"'; i++) i += text[i] == '\\';
            break;
        case ',':
        case '[':
        case '{':
            count++;
            break;
        default:
            break;
        }
    }
    return count;
}

/* ---- what Python writes beyond JSON ---- */

/* A number's place in a text. */
typedef struct NumberText {
    const char *at;
    size_t bytes;
    bool is_constant; /* NaN, Infinity, -Infinity */
} NumberText;

/* cJSON looks at the lowest byte of a type only. */
enum { WRITTEN_WHOLE = 1 << 16, WRITTEN_POINTED = 1 << 17 };

static const char *skip_quoted(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++) at += *at == '\\';
    return at < end ? at + 1 : end;
}

static size_t constant_at(const char *at, const char *end) {
    static const char *const CONSTANTS[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof CONSTANTS / sizeof *CONSTANTS; i++) {
        if (*CONSTANTS[i] != *at) continue; /* so with nearly every byte */
        size_t length = strlen(CONSTANTS[i]);
        if ((size_t)(end - at) >= length && memcmp(at, CONSTANTS[i], length) == 0) return length;
    }
    return 0;
}

/* The first number at or behind `at`, outside of strings; false where there is none. */
static bool find_number(const char *at, const char *end, NumberText *number) {
    while (at < end) {
        if (*at == '"') {
            at = skip_quoted(at, end);
            continue;
        }
        size_t constant = constant_at(at, end), digits = 0;
        bool begins = *at == '-' || (*at >= '0' && *at <= '9');
        if (constant == 0 && !begins) {
            at++;
            continue;
        }
        while (at + digits < end && at[digits] != '\0' && strchr("+-.0123456789eE", at[digits]) != NULL)
            digits++;
        *number = (NumberText){at, constant > 0 ? constant : digits, constant > 0};
        return true;
    }
    return false;
}

static bool has_constants(const char *text, size_t bytes) {
    if (bytes == 0 || (memchr(text, 'N', bytes) == NULL && memchr(text, 'I', bytes) == NULL)) return false;
    const char *end = text + bytes;
    NumberText number = {.at = text};
    while (find_number(number.at + number.bytes, end, &number)) {
        if (number.is_constant) return true;
    }
    return false;
}

/* Numbers stand in a text in the order in which a tree is walked. Returns where to look for the next one. */
static const char *mark_numbers(cJSON *item, const char *at, const char *end) {
    if (cJSON_IsNumber(item)) {
        NumberText number;
        if (!find_number(at, end, &number)) return end;
        bool is_whole = !number.is_constant;
        for (size_t i = 0; i < number.bytes && is_whole; i++) is_whole = strchr(".eE", number.at[i]) == NULL;
        item->type |= is_whole ? WRITTEN_WHOLE : WRITTEN_POINTED;
        if (number.is_constant && *number.at == 'N') item->valuedouble = (double)NAN;
        return number.at + number.bytes;
    }
    cJSON *child;
    cJSON_ArrayForEach(child, item) at = mark_numbers(child, at, end);
    return at;
}

/* cJSON reads a copy in which each constant is a number as long: what overflows is infinite, and what is not a number
 * is filled in afterwards. */
static cJSON *parse_constants(const char *text, size_t bytes, const char **end) {
    static const char BLANKS[] = "         ";
    char *copy = memory_allocate(bytes, 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text, bytes);
    NumberText number = {.at = text};
    while (find_number(number.at + number.bytes, text + bytes, &number)) {
        if (!number.is_constant) continue;
        const char *standing = *number.at == 'N' ? "0" : *number.at == '-' ? "-1e999" : "1e999";
        char *at = copy + (number.at - text);
        memcpy(at, BLANKS, number.bytes);
        memcpy(at, standing, strlen(standing));
    }
    const char *stop = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(copy, bytes, &stop, 0);
    if (stop != NULL) *end = text + (stop - copy);
    if (tree != NULL) (void)mark_numbers(tree, text, text + bytes);
    free(copy);
    return tree;
}

bool json_may_be_integer(const cJSON *number) {
    return cJSON_IsNumber(number) && (number->type & WRITTEN_POINTED) == 0;
}

bool json_may_be_float(const cJSON *number) {
    return cJSON_IsNumber(number) && (number->type & WRITTEN_WHOLE) == 0;
}

Status json_parse(const char *text, size_t bytes, const char *origin, cJSON **tree, Error *error) {
    *tree = NULL;
    const char *end = NULL;
    size_t values = json_count_values(text, bytes);
    if (values > JSON_VALUE_LIMIT)
        return status_fail(error, STATUS_FORMAT, "%s: expected at most %d JSON values, found %zu", origin,
                           JSON_VALUE_LIMIT, values);
    errno = 0;
    cJSON *parsed = cJSON_ParseWithLengthOpts(text, bytes, &end, 0);
    if (parsed == NULL && errno != ENOMEM && has_constants(text, bytes))
        parsed = parse_constants(text, bytes, &end);
    /* it does not say why; but only malloc() leaves this behind */
    if (parsed == NULL && errno == ENOMEM) return memory_fail(error, origin);
    if (parsed == NULL) {
        size_t at = end != NULL && end >= text ? (size_t)(end - text) : 0;
        return status_fail(error, STATUS_FORMAT, "%s: expected JSON, found an error near byte %zu of %zu",
                           origin, at, bytes);
    }
    for (; end < text + bytes; end++) {
        if (*end != ' ' && *end != '\t' && *end != '\n' && *end != '\r' && *end != '\0') {
            cJSON_Delete(parsed);
            return status_fail(error, STATUS_FORMAT,
                               "%s: expected the end of the JSON value at byte %zu of %zu", origin,
                               (size_t)(end - text), bytes);
        }
    }
    *tree = parsed;
    return STATUS_OK;
}

Status json_read_text(const char *path, size_t limit, char **text, size_t *bytes, Error *error) {
    *text = NULL;
    *bytes = 0;
    /* a pipe has to be refused, not waited for */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return status_fail_errno(error, errno, "%s", path);
    FILE *file = fdopen(descriptor, "rb");
    if (file == NULL) {
        Status failed = status_fail_errno(error, errno, "%s", path);
        (void)close(descriptor); /* nothing was read */
        return failed;
    }
    Status status = STATUS_OK;
    char *block = NULL;
    struct stat facts;
    if (fstat(fileno(file), &facts) != 0) {
        status = status_fail_errno(error, errno, "%s", path);
    } else if (!S_ISREG(facts.st_mode)) {
        status = status_fail(error, STATUS_FORMAT, "%s: expected a regular file", path);
    } else if ((uintmax_t)facts.st_size > limit) {
        status = status_fail(error, STATUS_FORMAT, "%s: expected at most %zu bytes, found %jd", path, limit,
                             (intmax_t)facts.st_size);
    } else if ((block = malloc((size_t)facts.st_size + 1)) == NULL) {
        status = memory_fail(error, path);
    } else {
        size_t read = fread(block, 1, (size_t)facts.st_size, file);
        if (read != (size_t)facts.st_size) {
            status = ferror(file) ? status_fail_errno(error, errno, "%s", path)
                                  : status_fail(error, STATUS_IO, "%s: expected %jd bytes, read %zu", path,
                                                (intmax_t)facts.st_size, read);
            free(block);
        } else {
            block[read] = '\0';
            *text = block;
            *bytes = read;
        }
    }
    (void)fclose(file); /* opened for reading: nothing can be lost */
    return status;
}

/* git clone without git-lfs leaves a few lines of text in place of large files. */
static bool is_lfs_pointer(const char *text) {
    return strncmp(text, STAND_IN_POINTER, sizeof STAND_IN_POINTER - 1) == 0;
}

static Status read_tree(const char *path, size_t limit, bool typed, cJSON **tree, Error *error) {
    char *text;
    size_t bytes;
    *tree = NULL;
    Status status = json_read_text(path, limit, &text, &bytes, error);
    if (status == STATUS_OK && is_lfs_pointer(text))
        status = status_fail(
            error, STATUS_FORMAT,
            "%s: expected JSON, found a git-lfs pointer: git lfs pull, in its directory, fetches the "
            "file",
            path);
    if (status == STATUS_OK) status = json_parse(text, bytes, path, tree, error);
    if (status == STATUS_OK && typed) (void)mark_numbers(*tree, text, text + bytes);
    free(text);
    return status;
}

Status json_read_file(const char *path, size_t limit, cJSON **tree, Error *error) {
    return read_tree(path, limit, false, tree, error);
}

Status json_read_typed(const char *path, size_t limit, cJSON **tree, Error *error) {
    return read_tree(path, limit, true, tree, error);
}

const cJSON *json_find_any(const cJSON *object, const char *key) {
    const cJSON *item, *found = NULL;
    if (!cJSON_IsObject(object)) return NULL;
    cJSON_ArrayForEach(item, object) {
        if (strcmp(item->string, key) == 0) found = item;
    }
    return found;
}

const cJSON *json_find(const cJSON *object, const char *key) {
    const cJSON *item = json_find_any(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

double json_get_number(const cJSON *object, const char *key, double fallback) {
    const cJSON *item = json_find(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool json_get_bool(const cJSON *object, const char *key, bool fallback) {
    const cJSON *item = json_find(object, key);
    return cJSON_IsBool(item) ? (bool)cJSON_IsTrue(item) : fallback;
}

const char *json_get_text(const cJSON *object, const char *key, const char *fallback) {
    const cJSON *item = json_find(object, key);
    return cJSON_IsString(item) ? item->valuestring : fallback;
}

bool json_read_count(const cJSON *item, uint64_t *value) {
    if (!cJSON_IsNumber(item)) return false;
    double number = item->valuedouble;
    if (!(number >= 0.0 && number < LARGEST_EXACT_INTEGER) || number != floor(number)) return false;
    *value = (uint64_t)number;
    return true;
}

int json_format_number(double value, int step, char text[JSON_NUMBER_SIZE]) {
    if (!isfinite(value)) {
        (void)snprintf(text, JSON_NUMBER_SIZE, "%s",
                       isnan(value) ? "NaN"
                       : value > 0  ? "Infinity"
                                    : "-Infinity");
        return 0;
    }
    int digits = LEAST_DIGITS;
    for (;; digits += step) {
        (void)snprintf(text, JSON_NUMBER_SIZE, "%.*g", digits, value); /* at most 24 characters */
        if (digits >= MOST_DIGITS || strtod(text, NULL) == value) break;
    }
    char *point = strchr(text, localeconv()->decimal_point[0]);
    if (point != NULL) *point = '.';
    return digits;
}

/* cJSON writes 15 digits where that is off by a bit only. A recipe's α must come back as it was, so 17 digits
 * are written here where 15 are not enough. */
cJSON *json_new_number(double value) {
    char text[JSON_NUMBER_SIZE];
    int digits = json_format_number(value, MOST_DIGITS - LEAST_DIGITS, text);
    if (digits == 0) return cJSON_CreateString(text);
    return digits == LEAST_DIGITS ? cJSON_CreateNumber(value) : cJSON_CreateRaw(text);
}

cJSON *json_new_numbers(const double *values, size_t count) {
    cJSON *array = cJSON_CreateArray();
    bool complete = array != NULL;
    for (size_t i = 0; i < count && complete; i++)
        complete = cJSON_AddItemToArray(array, json_new_number(values[i])); /* refuses NULL */
    if (complete) return array;
    cJSON_Delete(array);
    return NULL;
}

bool json_add(cJSON *object, const char *key, cJSON *value) {
    if (value == NULL) return false;
    if (cJSON_AddItemToObject(object, key, value)) return true;
    cJSON_Delete(value);
    return false;
}

bool json_add_number(cJSON *object, const char *key, double value) {
    return json_add(object, key, json_new_number(value));
}

bool json_add_text(cJSON *object, const char *key, const char *value) {
    return json_add(object, key, value == NULL ? cJSON_CreateNull() : cJSON_CreateString(value));
}

bool json_add_bool(cJSON *object, const char *key, bool value) {
    return json_add(object, key, cJSON_CreateBool(value));
}
