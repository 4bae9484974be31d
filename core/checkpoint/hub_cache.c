#include "core/checkpoint/hub_cache.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <ctype.h>
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

static bool is_directory(const char *path) {
    struct stat facts;
    return path != NULL && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

bool hub_cache_is_model(const char *directory) {
    char *snapshots = memory_format("%s/snapshots", directory), *blobs = memory_format("%s/blobs", directory);
    bool found = is_directory(snapshots) &&
                 (is_directory(blobs) || strncmp(last_part(directory), PREFIX, sizeof PREFIX - 1) == 0);
    free(snapshots);
    free(blobs);
    return found;
}

char *hub_cache_main_snapshot(const char *directory) {
    char *path = memory_format("%s/refs/main", directory), *commit = NULL, *snapshot = NULL;
    size_t bytes;
    if (path != NULL && json_read_text(path, REF_LIMIT, &commit, &bytes, NULL) == STATUS_OK) {
        commit[strcspn(commit, "\r\n")] = '\0';
        if (is_part(commit, strlen(commit))) snapshot = memory_format("%s/snapshots/%s", directory, commit);
    }
    free(path);
    free(commit);
    if (is_directory(snapshot)) return snapshot;
    free(snapshot);
    return NULL;
}

/* The cache's directory, in a block that the caller frees. */
static char *find_cache(void) {
    static const struct {
        const char *variable, *rest;
    } PLACES[] = {{"HF_HUB_CACHE", ""},
                  {"HUGGINGFACE_HUB_CACHE", ""},
                  {"HF_HOME", "/hub"},
                  {"XDG_CACHE_HOME", "/huggingface/hub"},
                  {"HOME", "/.cache/huggingface/hub"}};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        const char *value = getenv(PLACES[i].variable);
        if (value != NULL && *value != '\0') return memory_format("%s%s", value, PLACES[i].rest);
    }
    return NULL;
}

char *hub_cache_find(const char *name) {
    char *cache = find_cache();
    size_t first = strcspn(name, "/");
    bool is_whole = name[first] == '\0';
    char *directory = cache == NULL
                          ? NULL
                          : memory_format("%s/%s%.*s%s%s", cache, PREFIX, (int)first, name,
                                          is_whole ? "" : SEPARATOR, is_whole ? "" : name + first + 1);
    char *snapshot = directory != NULL ? hub_cache_main_snapshot(directory) : NULL;
    free(cache);
    free(directory);
    return snapshot;
}

char *hub_cache_name_of(const char *directory) {
    const char *part = last_part(directory);
    if (strncmp(part, PREFIX, sizeof PREFIX - 1) != 0) return NULL;
    part += sizeof PREFIX - 1;
    const char *middle = strstr(part, SEPARATOR);
    if (middle == NULL) return memory_copy_text(part, strlen(part));
    return memory_format("%.*s/%s", (int)(middle - part), part, middle + sizeof SEPARATOR - 1);
}
