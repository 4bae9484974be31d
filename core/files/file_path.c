#include "core/files/file_path.h"

#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

static const char SCHEME[] = "file://", REPLACEMENT[] = "\xEF\xBF\xBD";

static Status copy(const char *path, char **made, Error *error) {
    *made = memory_copy_text(path, strlen(path));
    return *made != NULL ? STATUS_OK : memory_fail(error, "a path");
}

Status file_path_absolute(const char *path, char **absolute, Error *error) {
    char found[PATH_MAX];
    if (realpath(path, found) != NULL) return copy(found, absolute, error);
    if (path[0] == '/' || getcwd(found, sizeof found) == NULL) return copy(path, absolute, error);
    *absolute = memory_format("%s/%s", strcmp(found, "/") == 0 ? "" : found, path);
    return *absolute != NULL ? STATUS_OK : memory_fail(error, "a path");
}

Status file_path_beside(const char *path, const char *file, char **found, Error *error) {
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || slash == NULL) return copy(path, found, error);
    *found = memory_format("%.*s/%s", (int)(slash - file), file, path);
    if (*found == NULL) return memory_fail(error, "a path");
    if (access(*found, F_OK) == 0) return STATUS_OK;
    free(*found);
    return copy(path, found, error);
}

/* ---- text ---- */

/* The bytes of the character at text[0], or 0 where there is none. */
static size_t measure(const char *text, size_t length) {
    utf8proc_int32_t character;
    utf8proc_ssize_t taken =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length, &character);
    return taken > 0 ? (size_t)taken : 0;
}

bool file_path_is_text(const char *path) {
    size_t length = strlen(path);
    for (size_t at = 0, taken; at < length; at += taken) {
        taken = measure(path + at, length - at);
        if (taken == 0) return false;
    }
    return true;
}

Status file_path_text(const char *path, char **text, Error *error) {
    Buffer made = {0};
    size_t length = strlen(path);
    for (size_t at = 0; at < length;) {
        size_t taken = measure(path + at, length - at);
        if (taken > 0)
            buffer_add(&made, path + at, taken);
        else
            buffer_add_text(&made, REPLACEMENT);
        at += taken > 0 ? taken : 1;
    }
    return buffer_take(&made, text, NULL, "a path", error);
}

/* ---- URIs ---- */

static bool stands_for_itself(unsigned char c) {
    return c < 0x80 && (isalnum(c) || strchr("-._~/", c) != NULL);
}

Status file_path_to_uri(const char *path, char **uri, Error *error) {
    Buffer made = {0};
    if (path[0] == '/') buffer_add_text(&made, SCHEME);
    for (const char *c = path; *c != '\0'; c++) {
        if (stands_for_itself((unsigned char)*c))
            buffer_add(&made, c, 1);
        else
            buffer_add_format(&made, "%%%02X", (unsigned)(unsigned char)*c);
    }
    return buffer_take(&made, uri, NULL, "a path", error);
}

/* The byte that %XX stands for; 0 where it stands for none, or for the end of the path. */
static unsigned char read_escape(const char *text) {
    char digits[3] = {text[0], '\0', '\0'};
    if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1])) return 0;
    digits[1] = text[1];
    return (unsigned char)strtoul(digits, NULL, 16);
}

Status file_path_from_uri(const char *uri, char **path, Error *error) {
    size_t scheme = sizeof SCHEME - 1;
    Buffer made = {0};
    bool is_whole = strncmp(uri, SCHEME, scheme) == 0 && uri[scheme] == '/';
    bool is_right = is_whole || (uri[0] != '\0' && uri[0] != '/' && strchr(uri, ':') == NULL);
    for (const char *c = is_whole ? uri + scheme : uri; *c != '\0' && is_right; c++) {
        char byte = *c;
        if (byte == '%') {
            byte = (char)read_escape(c + 1);
            is_right = byte != '\0';
            c += is_right ? 2 : 0;
        }
        buffer_add(&made, &byte, 1);
    }
    if (is_right) return buffer_take(&made, path, NULL, "a path", error);
    buffer_free(&made);
    return status_fail(error, STATUS_FORMAT, "expected file:///PATH, found \"%s\"", uri);
}

/* ---- as members ---- */

bool file_path_add(cJSON *object, const char *key, const char *path) {
    char *text = NULL, *uri = NULL, *uri_key = NULL;
    if (path == NULL) return true;
    bool added = file_path_text(path, &text, NULL) == STATUS_OK && json_add_text(object, key, text);
    if (added && !file_path_is_text(path)) {
        uri_key = memory_format("%s_uri", key);
        added = uri_key != NULL && file_path_to_uri(path, &uri, NULL) == STATUS_OK &&
                json_add_text(object, uri_key, uri);
    }
    free(text);
    free(uri);
    free(uri_key);
    return added;
}

Status file_path_read(const cJSON *object, const char *key, char **path, Error *error) {
    *path = NULL;
    const char *text = json_get_text(object, key, NULL);
    if (text == NULL) return STATUS_OK;
    char *uri_key = memory_format("%s_uri", key);
    if (uri_key == NULL) return memory_fail(error, "a path");
    const char *uri = json_get_text(object, uri_key, NULL);
    free(uri_key);
    return uri != NULL ? file_path_from_uri(uri, path, error) : copy(text, path, error);
}
