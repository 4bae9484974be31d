#include "core/checkpoint/directory_shards.h"

#include "core/checkpoint/directory_form.h"
#include "core/checkpoint/directory_refusal.h"
#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INDEX_LIMIT = 256 << 20, NAMED_LIMIT = 4 };

static const char ENDING[] = ".safetensors";

bool directory_shards_is_name(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && length < 256 && strchr(name, '/') == NULL && name[0] != '.' &&
           strcmp(name + length - tail, ending) == 0;
}

Status directory_shards_add(Directory *found, const char *name, Error *error) {
    char *copy = memory_copy_text(name, strlen(name));
    if (copy == NULL) return memory_fail(error, "a file name");
    found->files[found->file_count++] = copy;
    return STATUS_OK;
}

/* ---- an index ---- */

static int compare_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An index that is being read. */
typedef struct ShardIndex {
    const char *path, *ending; /* of the files that it may name */
} ShardIndex;

/* transformers would find one in a folder; here the files of weights lie beside each other, in an export too. */
static Status refuse_shard_in_folder(const Directory *found, const ShardIndex *index, const char *tensor,
                                     const char *name, Error *error) {
    char *folder = memory_copy_text(name, (size_t)(strrchr(name, '/') - name));
    char *move = memory_format("mv {dir}/{file}/*%s {dir} && sed -i 's|\"{file}/|\"|g' {dir}/%s",
                               index->ending, strrchr(index->path, '/') + 1);
    char *command =
        folder == NULL || move == NULL ? NULL : directory_form_fill(move, found->path, folder, "");
    Status status =
        command == NULL
            ? memory_fail(error, index->path)
            : status_fail(error, STATUS_FORMAT,
                          "%s: tensor %s: expected the name of a %s file in this directory, found "
                          "\"%.100s\"; %s puts them there",
                          index->path, tensor, index->ending, name, command);
    free(move);
    free(folder);
    free(command);
    return status;
}

static Status refuse_shard_name(const Directory *found, const ShardIndex *index, const char *tensor,
                                const char *name, Error *error) {
    if (name != NULL && strchr(name, '/') != NULL && name[0] != '/' && name[0] != '.' &&
        strstr(name, "..") == NULL)
        return refuse_shard_in_folder(found, index, tensor, name, error);
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected the name of a %s file in this directory, found \"%.100s\"",
                       index->path, tensor, index->ending, name != NULL ? name : "no text");
}

/* The distinct file names of the index's weight_map, sorted. */
static Status read_shard_names(Directory *found, const cJSON *map, const ShardIndex *index, Error *error) {
    int entries = cJSON_GetArraySize(map);
    const char **names = memory_allocate((size_t)entries, sizeof *names);
    found->files = memory_allocate((size_t)entries, sizeof *found->files);
    if (names == NULL || found->files == NULL) {
        free(names);
        return memory_fail(error, index->path);
    }
    Status status = STATUS_OK;
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, map) {
        const char *name = cJSON_IsString(item) ? item->valuestring : NULL;
        if (name == NULL || !directory_shards_is_name(name, index->ending)) {
            status = refuse_shard_name(found, index, item->string, name, error);
            break;
        }
        names[count++] = name;
    }
    if (status == STATUS_OK) qsort(names, count, sizeof *names, compare_text);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i == 0 || strcmp(names[i - 1], names[i]) != 0)
            status = directory_shards_add(found, names[i], error);
    }
    free(names);
    return status;
}

/* "a, b, c, d and 3 more": the names are in the message as long as it stays a line. */
static void list_name(Buffer *names, const char *name, size_t count) {
    if (count < NAMED_LIMIT) buffer_add_format(names, "%s%s", count > 0 ? ", " : "", name);
}

static Status refuse_missing(const Directory *found, const char *who, size_t expected, size_t missing,
                             Buffer *names, Error *error) {
    if (missing > NAMED_LIMIT) buffer_add_format(names, " and %zu more", missing - NAMED_LIMIT);
    char *text = NULL, *command = directory_refusal_download(found->path);
    size_t length;
    Status status = buffer_take(names, &text, &length, found->path, error);
    if (status == STATUS_OK && command == NULL) status = memory_fail(error, found->path);
    if (status == STATUS_OK)
        status = status_fail(
            error, STATUS_IO,
            "%s: expected the %zu files that %s, found %zu of them, missing: %s; %s fetches what came "
            "from the Hub",
            found->path, expected, who, expected - missing, text, command);
    free(text);
    free(command);
    return status;
}

static Status check_shards_are_there(const Directory *found, Error *error) {
    Status status = STATUS_OK;
    Buffer names = {0};
    size_t missing = 0;
    for (size_t i = 0; i < found->file_count && status == STATUS_OK; i++) {
        struct stat facts;
        char *path = memory_format("%s/%s", found->path, found->files[i]);
        if (path == NULL) {
            status = memory_fail(error, found->path);
        } else if (stat(path, &facts) != 0) {
            if (errno != ENOENT)
                status = status_fail_errno(error, errno, "%s", path);
            else
                list_name(&names, found->files[i], missing++);
        }
        free(path);
    }
    if (status == STATUS_OK && missing > 0)
        status = refuse_missing(found, "its index names", found->file_count, missing, &names, error);
    buffer_free(&names);
    return status;
}

Status directory_shards_read_index(Directory *found, const char *name, const char *ending, Error *error) {
    char *path = memory_format("%s/%s", found->path, name);
    if (path == NULL) return memory_fail(error, name);
    Status status = json_read_file(path, INDEX_LIMIT, &found->index, error);
    if (status == STATUS_OK) {
        const cJSON *map = json_find(found->index, "weight_map");
        status = cJSON_IsObject(map) && map->child != NULL
                     ? read_shard_names(found, map, &(ShardIndex){path, ending}, error)
                     : status_fail(error, STATUS_FORMAT, "%s: expected an object \"weight_map\"", path);
    }
    free(path);
    return status == STATUS_OK ? check_shards_are_there(found, error) : status;
}

/* ---- without an index ---- */

/* Of "-00001-of-00002", and of its first number alone. */
enum { NUMBERS = 15, NUMBER = 6, NAME_SIZE = 300 };

typedef struct Shard {
    size_t prefix; /* length of what stands before the numbers */
    unsigned number, of;
} Shard;

static bool read_digits(const char **text, unsigned *number) {
    const char *start = *text;
    for (*number = 0; **text >= '0' && **text <= '9' && *text - start < 6; (*text)++)
        *number = *number * 10 + (unsigned)(**text - '0');
    return *text - start == 5;
}

/* "PREFIX-00001-of-00002REST.safetensors": REST is ".fp16", or nothing. */
static bool read_shard(const char *name, Shard *shard) {
    const char *of = strstr(name, "-of-");
    if (of == NULL || of - name < 7 || !directory_shards_is_name(name, ENDING) ||
        directory_form_is_no_model(name))
        return false;
    const char *number = of - 5, *total = of + 4;
    shard->prefix = (size_t)(number - 1 - name);
    return number[-1] == '-' && read_digits(&number, &shard->number) && number == of &&
           read_digits(&total, &shard->of) && *total == '.' && shard->of > 0;
}

/* Of one name and number: what stands before the numbers and after them is the same. */
static bool is_beside(const char *name, const char *other, const Shard *first, Shard *shard) {
    return read_shard(other, shard) && shard->prefix == first->prefix && shard->of == first->of &&
           strncmp(other, name, first->prefix) == 0 &&
           strcmp(other + first->prefix + NUMBERS, name + first->prefix + NUMBERS) == 0;
}

/* The names from `next` up to `end` that should stand beside `name`. */
static size_t list_missing(Buffer *names, const char *name, const Shard *first, unsigned next, unsigned end,
                           size_t missing) {
    for (; next < end; next++) {
        char lost[NAME_SIZE];
        (void)snprintf(lost, sizeof lost, "%.*s-%05u%s", (int)first->prefix, name, next,
                       name + first->prefix + NUMBER);
        list_name(names, lost, missing++);
    }
    return missing;
}

/* "model-00001-of-00002.safetensors": no variant (.fp16), no other name. */
static bool is_of_model(const char *name, const Shard *shard) {
    return shard->prefix == 5 && strncmp(name, "model", 5) == 0 && strcmp(name + 5 + NUMBERS, ENDING) == 0;
}

/* Where there are shards of several names, those called model are meant, and of others nobody knows. */
static Status choose_shard(const Directory *found, const DirectoryListing *listing, const char **name,
                           Shard *first, Error *error) {
    const char *other = NULL;
    Shard shard;
    *name = NULL;
    for (size_t i = 0; i < listing->count; i++) {
        const char *entry = listing->entries[i].name;
        if (!read_shard(entry, &shard) || (*name != NULL && is_beside(*name, entry, first, &shard))) continue;
        if (*name != NULL && is_of_model(*name, first)) continue;
        if (*name != NULL && !is_of_model(entry, &shard)) {
            other = entry;
            continue;
        }
        *name = entry;
        *first = shard;
    }
    if (other == NULL || is_of_model(*name, first)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected " DIRECTORY_SINGLE " or " DIRECTORY_INDEX
                       ", found shards of several models, %s and %s; a folder with those of one is taken",
                       found->path, *name, other);
}

Status directory_shards_find(Directory *found, const DirectoryListing *listing, Error *error) {
    Shard first = {0}, shard;
    size_t missing = 0;
    const char *name;
    Status status = choose_shard(found, listing, &name, &first, error);
    if (status != STATUS_OK || name == NULL) return status;
    found->files = memory_allocate(listing->count, sizeof *found->files);
    if (found->files == NULL) return memory_fail(error, found->path);
    Buffer names = {0};
    unsigned next = 1;
    for (size_t i = 0; i < listing->count && status == STATUS_OK; i++) {
        if (!is_beside(name, listing->entries[i].name, &first, &shard)) continue;
        missing = list_missing(&names, name, &first, next, shard.number, missing);
        next = shard.number + 1;
        status = directory_shards_add(found, listing->entries[i].name, error);
    }
    missing = list_missing(&names, name, &first, next, first.of + 1, missing);
    if (status == STATUS_OK && missing > 0)
        status = refuse_missing(found, "their names count", first.of, missing, &names, error);
    buffer_free(&names);
    if (status != STATUS_OK) return status;
    return finding_add(&found->remarks, SEVERITY_NOTE, DIRECTORY_SUBJECT, error,
                       "%s: %zu shard%s opened without " DIRECTORY_INDEX ": by their names none is missing",
                       found->path, found->file_count, found->file_count == 1 ? " was" : "s were");
}
