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

static Status check_object(const char *text, const char *origin, Error *error) {
    cJSON *tree;
    Status status = json_parse(text, strlen(text), origin, &tree, error);
    if (status != STATUS_OK) return status;
    bool is_object = cJSON_IsObject(tree);
    cJSON_Delete(tree);
    return is_object ? STATUS_OK : status_fail(error, STATUS_FORMAT, "%s: expected a JSON object", origin);
}

Status json_edit_member(const char *text, const char *key, const char *value, const char *origin,
                        char **edited, Error *error) {
    *edited = NULL;
    Status status = check_object(text, origin, error);
    if (status != STATUS_OK) return status;
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

/* ---- removing ---- */

typedef struct Removal {
    const char *key;
    bool at_any_level;
    const char *copied; /* the text before this is in `out`, or was removed */
    Buffer out;
} Removal;

static void copy_until(Removal *removal, const char *end) {
    if (end > removal->copied) buffer_add(&removal->out, removal->copied, (size_t)(end - removal->copied));
}

/* A member goes with the comma before it, or, where it is the first that stays none, with the one behind it. Objects nest
 * no deeper than json_parse() lets them. */
static void remove_members(Removal *removal, const char *object) {
    const char *kept = NULL;
    Member member;
    for (const char *at = object + 1, *next; read_member(at, &member); at = next + 1) {
        next = skip_space(member.value_end);
        bool is_object = *member.value == '{';
        if (is_object && has_key(&member, removal->key)) {
            copy_until(removal, kept != NULL ? kept : object + 1);
            removal->copied = kept == NULL && *next == ',' ? next + 1 : member.value_end;
        } else {
            if (is_object && removal->at_any_level) remove_members(removal, member.value);
            kept = member.value_end;
        }
        if (*next != ',') break;
    }
}

static bool has_member(const cJSON *object, const char *key, bool at_any_level) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        if (!cJSON_IsObject(item)) continue;
        if (strcmp(item->string, key) == 0) return true;
        if (at_any_level && has_member(item, key, true)) return true;
    }
    return false;
}

/* An escaped spelling of the key would have been walked past. */
static Status check_removed(const char *edited, const Removal *removal, const char *origin, Error *error) {
    cJSON *tree;
    Status status = json_parse(edited, strlen(edited), origin, &tree, error);
    if (status == STATUS_OK && has_member(tree, removal->key, removal->at_any_level))
        status = status_fail(error, STATUS_FORMAT, "%s: \"%s\" is spelled in a way that it cannot be removed",
                             origin, removal->key);
    cJSON_Delete(tree);
    return status;
}

Status json_edit_remove(const char *text, const char *key, bool at_any_level, const char *origin,
                        char **edited, Error *error) {
    *edited = NULL;
    Status status = check_object(text, origin, error);
    if (status != STATUS_OK) return status;
    Removal removal = {.key = key, .at_any_level = at_any_level, .copied = text};
    remove_members(&removal, strchr(text, '{'));
    buffer_add_text(&removal.out, removal.copied);
    char *made = NULL;
    status = buffer_take(&removal.out, &made, NULL, origin, error);
    if (status == STATUS_OK) status = check_removed(made, &removal, origin, error);
    if (status == STATUS_OK)
        *edited = made;
    else
        free(made);
    return status;
}
