#include "core/checkpoint/hub_cache.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char PREFIX[] = "models--", SEPARATOR[] = "--";

enum { LONGEST_PART = 96, REF_LIMIT = 256 };

static bool is_part(const char *text, size_t length) {
    if (length == 0 || length > LONGEST_PART) return false;
    for (size_t i = 0; i < length; i++) {
        bool is_word = isalnum((unsigned char)text[i]) || text[i] == '_';
        if (!is_word && (i == 0 || i + 1 == length || (text[i] != '-' && text[i] != '.'))) return false;
    }
    return true;
}

bool hub_cache_is_name(const char *text) {
    size_t first = strcspn(text, "/");
    if (strstr(text, SEPARATOR) != NULL || strstr(text, "..") != NULL || !is_part(text, first)) return false;
    return text[first] == '\0' || is_part(text + first + 1, strlen(text + first + 1));
}

/* On the stack: where memory ran out, what is there must not seem to be missing. */
static bool is_directory(const char *path, const char *name) {
    char whole[PATH_MAX];
    struct stat facts;
    int length = snprintf(whole, sizeof whole, "%s%s", path, name);
    return length >= 0 && (size_t)length < sizeof whole && stat(whole, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool hub_cache_is_model(const char *directory) {
    return is_directory(directory, "/snapshots") &&
           (is_directory(directory, "/blobs") ||
            strncmp(last_part(directory), PREFIX, sizeof PREFIX - 1) == 0);
}

Status hub_cache_main_snapshot(const char *directory, char **snapshot, Error *error) {
    *snapshot = NULL;
    char *path = memory_format("%s/refs/main", directory), *commit = NULL;
    size_t bytes;
    if (path == NULL) return memory_fail(error, directory);
    Status status = json_read_text(path, REF_LIMIT, &commit, &bytes, NULL);
    free(path);
    if (status == STATUS_NO_MEMORY) return memory_fail(error, directory);
    if (status != STATUS_OK) return STATUS_OK; /* a cache without refs names none */
    commit[strcspn(commit, "\r\n")] = '\0';
    if (is_part(commit, strlen(commit))) {
        *snapshot = memory_format("%s/snapshots/%s", directory, commit);
        if (*snapshot == NULL) status = memory_fail(error, directory);
    }
    free(commit);
    if (*snapshot != NULL && !is_directory(*snapshot, "")) {
        free(*snapshot);
        *snapshot = NULL;
    }
    return status;
}

Status hub_cache_find(const char *name, char **snapshot, Error *error) {
    static const struct {
        const char *variable, *rest;
    } PLACES[] = {{"HF_HUB_CACHE", ""},
                  {"HUGGINGFACE_HUB_CACHE", ""},
                  {"HF_HOME", "/hub"},
                  {"XDG_CACHE_HOME", "/huggingface/hub"},
                  {"HOME", "/.cache/huggingface/hub"}};
    size_t place = 0, count = sizeof PLACES / sizeof *PLACES, first = strcspn(name, "/");
    const char *value = NULL;
    *snapshot = NULL;
    for (; place < count; place++) {
        value = getenv(PLACES[place].variable);
        if (value != NULL && *value != '\0') break;
    }
    if (place == count) return STATUS_OK;
    bool is_whole = name[first] == '\0';
    char *directory = memory_format("%s%s/%s%.*s%s%s", value, PLACES[place].rest, PREFIX, (int)first, name,
                                    is_whole ? "" : SEPARATOR, is_whole ? "" : name + first + 1);
    if (directory == NULL) return memory_fail(error, name);
    Status status = hub_cache_main_snapshot(directory, snapshot, error);
    free(directory);
    return status;
}

Status hub_cache_name_of(const char *directory, char **name, Error *error) {
    *name = NULL;
    const char *part = last_part(directory);
    if (strncmp(part, PREFIX, sizeof PREFIX - 1) != 0) return STATUS_OK;
    part += sizeof PREFIX - 1;
    const char *middle = strstr(part, SEPARATOR);
    *name = middle == NULL
                ? memory_copy_text(part, strlen(part))
                : memory_format("%.*s/%s", (int)(middle - part), part, middle + sizeof SEPARATOR - 1);
    return *name != NULL ? STATUS_OK : memory_fail(error, directory);
}
