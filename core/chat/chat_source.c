#include "core/chat/chat_source.h"

#include "core/files/json.h"
#include "core/files/stand_in.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char TEMPLATE[] = "chat_template.jinja", FOLDER[] = "additional_chat_templates";
static const char SETTINGS[] = "tokenizer_config.json", MAP[] = "special_tokens_map.json";
static const char LEGACY[] = "chat_template.json", DEFAULT[] = "default", SUFFIX[] = ".jinja";

enum { LARGEST_FILE = 64 << 20 };

typedef struct Named {
    char *name, *text, *file;
    size_t bytes;
    ChatTemplate *compiled; /* NULL: `error` says why */
    Error error;
} Named;

struct ChatSource {
    char *directory;
    Named *templates;
    size_t count, capacity;
    char **owned; /* names and texts of the variables */
    ChatVariable *variables;
    size_t variable_count, variable_capacity, owned_capacity;
};

/* ---- files ---- */

static char *join(const char *directory, const char *name) {
    return memory_format("%s/%s", directory, name);
}

/* A file's text, or NULL where there is none of that name. */
static Status read_text(const char *directory, const char *name, char **text, size_t *bytes, Error *error) {
    struct stat facts;
    *text = NULL;
    char *path = join(directory, name);
    if (path == NULL) return memory_fail(error, "a path");
    Status status = stand_in_check(path, error);
    if (status == STATUS_OK && stat(path, &facts) == 0)
        status = json_read_text(path, LARGEST_FILE, text, bytes, error);
    else if (status == STATUS_OK && errno != ENOENT && errno != ENOTDIR)
        status = status_fail_errno(error, errno, "%s", path);
    free(path);
    return status;
}

static Status read_json(const char *directory, const char *name, cJSON **tree, Error *error) {
    char *text;
    size_t bytes;
    *tree = NULL;
    Status status = read_text(directory, name, &text, &bytes, error);
    if (status != STATUS_OK || text == NULL) return status;
    char *path = join(directory, name);
    status = path == NULL ? memory_fail(error, "a path") : json_parse(text, bytes, path, tree, error);
    free(path);
    free(text);
    return status;
}

/* ---- templates ---- */

static Named *find(const ChatSource *source, const char *name) {
    for (size_t i = 0; i < source->count; i++) {
        if (strcmp(source->templates[i].name, name) == 0) return &source->templates[i];
    }
    return NULL;
}

static void free_named(Named *named) {
    free(named->name);
    free(named->text);
    free(named->file);
}

/* Takes `text` over, in any case; one of that name that is there already gives way. */
static Status add(ChatSource *source, const char *name, size_t name_bytes, char *text, size_t bytes,
                  const char *file, Error *error) {
    Named made = {.name = memory_copy_text(name, name_bytes),
                  .text = text,
                  .file = memory_copy_text(file, strlen(file)),
                  .bytes = bytes};
    Named *before = made.name == NULL ? NULL : find(source, made.name);
    Status status = made.name == NULL || text == NULL || made.file == NULL
                        ? memory_fail(error, "a chat template")
                        : MEMORY_RESERVE(source->templates, &source->capacity, source->count + 1, error);
    if (status != STATUS_OK) {
        free_named(&made);
        return status;
    }
    if (before != NULL) {
        before = find(source, made.name);
        free_named(before);
        *before = made;
    } else {
        source->templates[source->count++] = made;
    }
    return STATUS_OK;
}

static Status add_file(ChatSource *source, const char *folder, const char *file, const char *name,
                       size_t name_bytes, Error *error) {
    char *text;
    size_t bytes;
    char *shown = folder == NULL ? memory_copy_text(file, strlen(file)) : join(folder, file);
    if (shown == NULL) return memory_fail(error, "a path");
    Status status = read_text(source->directory, shown, &text, &bytes, error);
    if (status == STATUS_OK && text != NULL)
        status = add(source, name, name_bytes, text, bytes, shown, error);
    free(shown);
    return status;
}

static Status add_entries(ChatSource *source, DIR *folder, const char *path, Error *error) {
    Status status = STATUS_OK;
    const struct dirent *entry;
    for (errno = 0; status == STATUS_OK && (entry = readdir(folder)) != NULL; errno = 0) {
        size_t length = strlen(entry->d_name), suffix = sizeof SUFFIX - 1;
        if (length < suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0) continue;
        status = add_file(source, FOLDER, entry->d_name, entry->d_name, length - suffix, error);
    }
    if (status == STATUS_OK && errno != 0) status = status_fail_errno(error, errno, "%s", path);
    return status;
}

static Status add_folder(ChatSource *source, Error *error) {
    char *path = join(source->directory, FOLDER);
    if (path == NULL) return memory_fail(error, "a path");
    DIR *folder = opendir(path);
    Status status = STATUS_OK;
    if (folder == NULL && errno != ENOENT && errno != ENOTDIR)
        status = status_fail_errno(error, errno, "%s", path);
    if (folder != NULL) {
        status = add_entries(source, folder, path, error);
        (void)closedir(folder); /* only read from */
    }
    free(path);
    return status;
}

static Status add_json_text(ChatSource *source, const char *name, const cJSON *text, const char *file,
                            Error *error) {
    if (name == NULL || !cJSON_IsString(text))
        return status_fail(error, STATUS_FORMAT, "%s/%s: chat_template: expected a name and a text",
                           source->directory, file);
    size_t bytes = strlen(text->valuestring);
    return add(source, name, strlen(name), memory_copy_text(text->valuestring, bytes), bytes, file, error);
}

/* The member chat_template of a file: a text, a list, or an object. */
static Status add_member(ChatSource *source, const cJSON *tree, const char *file, Error *error) {
    const cJSON *member = json_find(tree, "chat_template"), *item;
    Status status = STATUS_OK;
    if (member == NULL) return STATUS_OK;
    if (!cJSON_IsArray(member) && !cJSON_IsObject(member))
        return add_json_text(source, DEFAULT, member, file, error);
    cJSON_ArrayForEach(item, member) {
        bool is_list = cJSON_IsArray(member);
        status = add_json_text(source, is_list ? json_get_text(item, "name", NULL) : item->string,
                               is_list ? json_find(item, "template") : item, file, error);
        if (status != STATUS_OK) break;
    }
    return status;
}

static Status find_templates(ChatSource *source, const cJSON *settings, Error *error) {
    cJSON *legacy = NULL;
    Status status = add_file(source, NULL, TEMPLATE, DEFAULT, sizeof DEFAULT - 1, error);
    if (status == STATUS_OK) status = add_folder(source, error);
    if (status == STATUS_OK && source->count == 0) status = add_member(source, settings, SETTINGS, error);
    if (status == STATUS_OK && source->count == 0)
        status = read_json(source->directory, LEGACY, &legacy, error);
    if (status == STATUS_OK && legacy != NULL) status = add_member(source, legacy, LEGACY, error);
    cJSON_Delete(legacy);
    return status;
}

/* ---- variables ---- */

static const char *content_of(const cJSON *value) {
    if (cJSON_IsString(value)) return value->valuestring;
    return cJSON_IsObject(value) ? json_get_text(value, "content", NULL) : NULL;
}

static Status set_variable(ChatSource *source, const char *name, const char *text, Error *error) {
    size_t at = 0;
    while (at < source->variable_count && strcmp(source->variables[at].name, name) != 0) at++;
    char *copies[2] = {memory_copy_text(name, strlen(name)), memory_copy_text(text, strlen(text))};
    Status status =
        copies[0] == NULL || copies[1] == NULL ? memory_fail(error, "a special token") : STATUS_OK;
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(source->owned, &source->owned_capacity, 2 * at + 2, error);
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(source->variables, &source->variable_capacity, at + 1, error);
    if (status != STATUS_OK) {
        free(copies[0]);
        free(copies[1]);
        return status;
    }
    for (size_t i = 0; i < 2; i++) {
        if (at < source->variable_count) free(source->owned[2 * at + i]);
        source->owned[2 * at + i] = copies[i];
    }
    source->variables[at] = (ChatVariable){copies[0], copies[1]};
    if (at == source->variable_count) source->variable_count++;
    return STATUS_OK;
}

/* Members that are called …_token, or all of an object of named tokens. */
static Status add_variables(ChatSource *source, const cJSON *object, bool all, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        static const char ENDING[] = "_token";
        size_t length = item->string == NULL ? 0 : strlen(item->string), ending = sizeof ENDING - 1;
        const char *content = content_of(item);
        if (content == NULL || length == 0) continue;
        if (!all && (length < ending || strcmp(item->string + length - ending, ENDING) != 0)) continue;
        Status status = set_variable(source, item->string, content, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status find_variables(ChatSource *source, const cJSON *settings, Error *error) {
    cJSON *map = NULL;
    Status status = add_variables(source, settings, false, error);
    const cJSON *extra = json_find(settings, "extra_special_tokens");
    if (status == STATUS_OK && cJSON_IsObject(extra)) status = add_variables(source, extra, true, error);
    const cJSON *specific = json_find(settings, "model_specific_special_tokens");
    if (status == STATUS_OK && cJSON_IsObject(specific))
        status = add_variables(source, specific, true, error);
    bool is_later = json_find(settings, "added_tokens_decoder") != NULL; /* then the map is passed over */
    if (status == STATUS_OK && !is_later) status = read_json(source->directory, MAP, &map, error);
    if (status == STATUS_OK && map != NULL) status = add_variables(source, map, false, error);
    cJSON_Delete(map);
    return status;
}

/* ---- the source ---- */

static int compare_names(const void *a, const void *b) {
    return strcmp(((const Named *)a)->name, ((const Named *)b)->name);
}

static Status compile(ChatSource *source, Error *error) {
    for (size_t i = 0; i < source->count; i++) {
        Named *named = &source->templates[i];
        char *name = source->count == 1 ? memory_copy_text(named->file, strlen(named->file))
                                        : memory_format("%s of %s", named->name, named->file);
        if (name == NULL) return memory_fail(error, "a chat template");
        Status status = chat_compile(name, named->text, named->bytes, NULL, &named->compiled, &named->error);
        free(name);
        if (status == STATUS_NO_MEMORY) return status_fail(error, status, "%s", named->error.message);
    }
    return STATUS_OK;
}

static Status fill(ChatSource *source, Error *error) {
    cJSON *settings;
    Status status = read_json(source->directory, SETTINGS, &settings, error);
    if (status == STATUS_OK) status = find_templates(source, settings, error);
    if (status == STATUS_OK && source->count > 0) status = find_variables(source, settings, error);
    if (source->count > 1) qsort(source->templates, source->count, sizeof *source->templates, compare_names);
    if (status == STATUS_OK) status = compile(source, error);
    cJSON_Delete(settings);
    return status;
}

Status chat_source_open(const char *directory, ChatSource **source, Error *error) {
    *source = NULL;
    ChatSource *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "chat templates");
    made->directory = memory_copy_text(directory, strlen(directory));
    Status status = made->directory == NULL ? memory_fail(error, "chat templates") : fill(made, error);
    if (status == STATUS_OK && made->count > 0)
        *source = made;
    else
        chat_source_close(made);
    return status;
}

Status chat_source_require(const char *directory, ChatSource **source, Error *error) {
    Status status = chat_source_open(directory, source, error);
    if (status != STATUS_OK || *source != NULL) return status;
    return status_fail(error, STATUS_IO,
                       "%s: there is no chat template: looked for %s, %s/*%s, and chat_template in %s and %s",
                       directory, TEMPLATE, FOLDER, SUFFIX, SETTINGS, LEGACY);
}

void chat_source_close(ChatSource *source) {
    if (source == NULL) return;
    for (size_t i = 0; i < source->count; i++) {
        chat_free(source->templates[i].compiled);
        free_named(&source->templates[i]);
    }
    for (size_t i = 0; i < 2 * source->variable_count; i++) free(source->owned[i]);
    free(source->owned);
    free(source->variables);
    free(source->templates);
    free(source->directory);
    free(source);
}

static Status refuse_name(const ChatSource *source, const char *name, Error *error) {
    Buffer names = {0};
    char *text;
    for (size_t i = 0; i < source->count; i++)
        buffer_add_format(&names, "%s%s", i > 0 ? ", " : "", source->templates[i].name);
    Status status = buffer_take(&names, &text, NULL, "the names of chat templates", error);
    if (status != STATUS_OK) return status;
    status = status_fail(error, STATUS_ARGUMENT, "%s: there is no chat template %s, only %s",
                         source->directory, name, text);
    free(text);
    return status;
}

static ChatSourceEntry entry_of(const Named *named) {
    return (ChatSourceEntry){named->name, named->file, named->text, named->bytes};
}

Status chat_source_choose(const ChatSource *source, const char *name, bool has_tools,
                          const ChatTemplate **template, Error *error) {
    ChatSourceEntry entry;
    return chat_source_choose_entry(source, name, has_tools, template, &entry, error);
}

Status chat_source_choose_entry(const ChatSource *source, const char *name, bool has_tools,
                                const ChatTemplate **template, ChatSourceEntry *entry, Error *error) {
    const Named *named = NULL;
    if (name == NULL && has_tools) named = find(source, "tool_use");
    if (named == NULL) named = find(source, name == NULL ? DEFAULT : name);
    if (named == NULL) return refuse_name(source, name == NULL ? DEFAULT : name, error);
    *template = named->compiled;
    *entry = entry_of(named);
    if (named->compiled != NULL) return STATUS_OK;
    return status_fail(error, named->error.status, "%s: %s", source->directory, named->error.message);
}

bool chat_source_entry(const ChatSource *source, size_t index, ChatSourceEntry *entry) {
    if (index >= source->count) return false;
    *entry = entry_of(&source->templates[index]);
    return true;
}

const ChatVariable *chat_source_variables(const ChatSource *source, size_t *count) {
    *count = source->variable_count;
    return source->variables;
}
