#include "core/files/json_edit.h"

#include "core/files/json.h"
#include "core/support/buffer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The text was parsed before it is walked, so that brackets and quotes are known to pair up; every step still
 * stops at the NUL. */

static const char *skip_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* From an opening quote to behind the closing one. */
static const char *skip_string(const char *at) {
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0') at++;
    }
    return *at == '"' ? at + 1 : at;
}

static const char *skip_value(const char *at) {
    size_t depth = 0;
    while (*at != '\0') {
        if (*at == '"') {
            at = skip_string(at);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (depth > 0) {
            at++;
            continue;
        } else {
            at += strcspn(at, ",}] \t\r\n");
        }
        if (depth == 0) break;
    }
    return at;
}

typedef struct Member {
    const char *key, *key_end; /* with quotes */
    const char *value, *value_end;
} Member;

/* The member at `at`; false at the end of the object. */
static bool read_member(const char *at, Member *member) {
    member->key = skip_space(at);
    if (*member->key != '"') return false;
    member->key_end = skip_string(member->key);
    const char *colon = skip_space(member->key_end);
    if (*colon != ':') return false;
    member->value = skip_space(colon + 1);
    member->value_end = skip_value(member->value);
    return member->value_end > member->value;
}

static bool has_key(const Member *member, const char *key) {
    size_t length = strlen(key);
    return (size_t)(member->key_end - member->key) == length + 2 &&
           strncmp(member->key + 1, key, length) == 0;
}

/* Behind the last member, in the layout that the last member has. */
static void append_member(Buffer *out, const Member *last, const char *before_last, const char *key,
                          const char *value) {
    if (last->key != NULL) {
        buffer_add_text(out, ",");
        buffer_add(out, before_last, (size_t)(last->key - before_last));
    }
    buffer_add_quoted(out, key);
    buffer_add_text(out, ": ");
    buffer_add_text(out, value);
}

static void edit(Buffer *out, const char *text, const char *key, const char *value) {
    const char *copied = text, *before = strchr(text, '{') + 1, *before_last = before;
    Member member, last = {0};
    bool found = false;
    for (const char *at = before; read_member(at, &member);) {
        before_last = at;
        last = member;
        if (has_key(&member, key)) {
            buffer_add(out, copied, (size_t)(member.value - copied));
            buffer_add_text(out, value);
            copied = member.value_end;
            found = true;
        }
        at = skip_space(member.value_end);
        if (*at != ',') break;
        at++;
    }
    if (!found) {
        const char *end = last.key != NULL ? last.value_end : before;
        buffer_add(out, copied, (size_t)(end - copied));
        append_member(out, &last, before_last, key, value);
        copied = end;
    }
    buffer_add_text(out, copied);
}

/* An escaped spelling of the key would have been walked past: whoever reads the result must find `value`. */
static Status check(const char *edited, const char *key, const char *value, const char *origin,
                    Error *error) {
    cJSON *tree, *wanted = NULL;
    Status status = json_parse(edited, strlen(edited), origin, &tree, error);
    if (status != STATUS_OK) return status;
    status = json_parse(value, strlen(value), origin, &wanted, error);
    const cJSON *item;
    cJSON_ArrayForEach(item, tree) {
        if (status == STATUS_OK && strcmp(item->string, key) == 0 && !cJSON_Compare(item, wanted, true))
            status = status_fail(error, STATUS_FORMAT, "%s: \"%s\" is there twice, spelled differently",
                                 origin, key);
    }
    cJSON_Delete(wanted);
    cJSON_Delete(tree);
    return status;
}

Status json_edit_member(const char *text, const char *key, const char *value, const char *origin,
                        char **edited, Error *error) {
    *edited = NULL;
    cJSON *tree;
    Status status = json_parse(text, strlen(text), origin, &tree, error);
    if (status != STATUS_OK) return status;
    bool is_object = cJSON_IsObject(tree);
    cJSON_Delete(tree);
    if (!is_object) return status_fail(error, STATUS_FORMAT, "%s: expected a JSON object", origin);
    Buffer out = {0};
    edit(&out, text, key, value);
    char *made = NULL;
    status = buffer_take(&out, &made, NULL, origin, error);
    if (status == STATUS_OK) status = check(made, key, value, origin, error);
    if (status == STATUS_OK)
        *edited = made;
    else
        free(made);
    return status;
}
