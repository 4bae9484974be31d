#include "core/checkpoint/directory.h"

#include "core/checkpoint/directory_form.h"
#include "core/checkpoint/directory_refusal.h"
#include "core/checkpoint/directory_shards.h"
#include "core/checkpoint/hub_cache.h"
#include "core/files/json.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CONFIG_LIMIT = 16 << 20 };

static const char ENDING[] = ".safetensors", INDEX_ENDING[] = ".safetensors.index.json";
static const char PICKLE_ENDING[] = ".bin";

const char *const DIRECTORY_NAMES[DIRECTORY_NAME_COUNT] = {DIRECTORY_SINGLE, DIRECTORY_INDEX,
                                                           DIRECTORY_PICKLE, DIRECTORY_PICKLE_INDEX};

bool directory_is_pickle(const char *name) {
    return directory_shards_is_name(name, PICKLE_ENDING);
}

/* ---- is it there? ---- */

/* Only a name that is not there is missing: one that cannot be reached, or a link that leads nowhere, is an error. */
static Status is_there(const char *directory, const char *name, bool *found, Error *error) {
    struct stat facts;
    char *path = memory_format("%s/%s", directory, name);
    *found = false;
    if (path == NULL) return memory_fail(error, directory);
    Status status = STATUS_OK;
    if (stat(path, &facts) == 0)
        *found = true;
    else if (errno != ENOENT)
        status = status_fail_errno(error, errno, "%s", path);
    else if (lstat(path, &facts) == 0)
        status = directory_refusal_of_link(directory, name, error);
    free(path);
    return status;
}

/* Weights by a name that transformers takes, or shards; a folder that cannot be looked into holds none. */
static Status holds_model(const char *path, bool *found, Error *error) {
    for (int i = 0; i < DIRECTORY_NAME_COUNT; i++) {
        Status status = is_there(path, DIRECTORY_NAMES[i], found, error);
        if (status == STATUS_NO_MEMORY || *found) return status;
    }
    DirectoryListing listing = {0};
    Status status = directory_listing_read(path, &listing, error);
    *found = status == STATUS_OK && directory_listing_first(&listing, "model-*-of-*.safetensors") != NULL;
    directory_listing_free(&listing);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static Status take_one(Directory *found, const char *name, Error *error) {
    found->files = memory_allocate(1, sizeof *found->files);
    return found->files == NULL ? memory_fail(error, found->path) : directory_shards_add(found, name, error);
}

/* ---- the names that transformers takes ---- */

/* config.json is read for one key; what is wrong with it is for who reads all of it. */
static Status take_what_config_names(Directory *found, Error *error) {
    char *path = memory_format("%s/config.json", found->path);
    cJSON *config = NULL;
    Error ignored;
    if (path == NULL) return memory_fail(error, found->path);
    Status status = json_read_file(path, CONFIG_LIMIT, &config, &ignored);
    if (status == STATUS_NO_MEMORY)
        status = memory_fail(error, path);
    else
        status = STATUS_OK;
    const char *name = json_get_text(config, "transformers_weights", NULL);
    if (status == STATUS_OK && name != NULL) {
        if (directory_shards_is_name(name, ENDING))
            status = take_one(found, name, error);
        else if (directory_shards_is_name(name, INDEX_ENDING))
            status = directory_shards_read_index(found, name, ENDING, error);
        else
            status = status_fail(
                error, STATUS_UNSUPPORTED,
                "%s: transformers_weights: expected the name of a .safetensors file or its index in "
                "this directory, found \"%.100s\"",
                path, name);
        if (status == STATUS_OK)
            status = finding_add(&found->remarks, SEVERITY_NOTE, DIRECTORY_SUBJECT, error,
                                 "%s: %s was opened, which \"transformers_weights\" of config.json names",
                                 found->path, name);
    }
    cJSON_Delete(config);
    free(path);
    return status;
}

/* Shards beside model.safetensors: one of the two is older, and nobody says which. */
static Status remark_stale_shards(Directory *found, Error *error) {
    bool has_index;
    Status status = is_there(found->path, DIRECTORY_INDEX, &has_index, error);
    if (status != STATUS_OK || !has_index) return status;
    DirectoryListing listing = {0};
    status = directory_listing_read(found->path, &listing, error);
    size_t shards = 0;
    for (size_t i = 0; i < listing.count; i++)
        shards += fnmatch("model-*-of-*.safetensors", listing.entries[i].name, 0) == 0;
    directory_listing_free(&listing);
    if (status != STATUS_OK || shards == 0) return status;
    return finding_add(&found->remarks, SEVERITY_WARNING, DIRECTORY_SUBJECT, error,
                       "%s: " DIRECTORY_SINGLE " was opened, as transformers does; " DIRECTORY_INDEX
                       " and %zu shard%s beside it were not",
                       found->path, shards, shards == 1 ? "" : "s");
}

static Status take_pickles(Directory *found, Error *error) {
    bool is_single, is_sharded = false;
    Status status = is_there(found->path, DIRECTORY_PICKLE, &is_single, error);
    if (status == STATUS_OK && !is_single)
        status = is_there(found->path, DIRECTORY_PICKLE_INDEX, &is_sharded, error);
    if (status != STATUS_OK || (!is_single && !is_sharded)) return status;
    status = is_single ? take_one(found, DIRECTORY_PICKLE, error)
                       : directory_shards_read_index(found, DIRECTORY_PICKLE_INDEX, PICKLE_ENDING, error);
    if (status != STATUS_OK) return status;
    return finding_add(&found->remarks, SEVERITY_NOTE, DIRECTORY_SUBJECT, error,
                       "%s: %s was opened, %s: tensors alone are read, and nothing is run", found->path,
                       is_single ? DIRECTORY_PICKLE : DIRECTORY_PICKLE_INDEX,
                       is_single ? "a pickle" : "an index of pickles");
}

static Status take_known_names(Directory *found, Error *error) {
    bool there;
    Status status = take_what_config_names(found, error);
    if (status != STATUS_OK || found->file_count > 0) return status;
    status = is_there(found->path, DIRECTORY_SINGLE, &there, error);
    if (status == STATUS_OK && there) {
        status = take_one(found, DIRECTORY_SINGLE, error);
        return status == STATUS_OK ? remark_stale_shards(found, error) : status;
    }
    if (status == STATUS_OK) status = is_there(found->path, DIRECTORY_INDEX, &there, error);
    if (status == STATUS_OK && there)
        return directory_shards_read_index(found, DIRECTORY_INDEX, ENDING, error);
    return status == STATUS_OK ? take_pickles(found, error) : status;
}

/* ---- one file of another name ---- */

static Status refuse_many_files(const Directory *found, size_t count, const char *one, Error *error) {
    char *command = directory_form_fill("ln -s {file} {dir}/" DIRECTORY_SINGLE, found->path, one, "");
    if (command == NULL) return memory_fail(error, found->path);
    Status status = status_fail(error, STATUS_FORMAT,
                                "%s: expected " DIRECTORY_SINGLE " or " DIRECTORY_INDEX
                                ", found %zu files of other names; %s chooses one",
                                found->path, count, command);
    free(command);
    return status;
}

static Status take_lone_file(Directory *found, const DirectoryListing *listing, Error *error) {
    const char *lone = NULL;
    size_t count = 0;
    for (size_t i = 0; i < listing->count; i++) {
        const DirectoryEntry *entry = &listing->entries[i];
        if (entry->is_directory || !directory_shards_is_name(entry->name, ENDING) ||
            directory_form_is_no_model(entry->name))
            continue;
        lone = entry->name;
        count++;
    }
    if (count == 0) return STATUS_OK;
    if (count > 1) return refuse_many_files(found, count, lone, error);
    Status status = take_one(found, lone, error);
    if (status != STATUS_OK) return status;
    return finding_add(
        &found->remarks, SEVERITY_NOTE, DIRECTORY_SUBJECT, error,
        "%s: %s was opened, the one file of weights in it; transformers takes " DIRECTORY_SINGLE " alone",
        found->path, lone);
}

/* ---- an adapter beside the weights ---- */

static Status check_adapter(Directory *found, Error *error) {
    static const char *const WEIGHTS[] = {"adapter_model.safetensors", "adapter_model.bin"};
    bool there, is_mlx;
    Status status = is_there(found->path, "adapter_config.json", &there, error);
    if (status == STATUS_OK) status = is_there(found->path, "adapters.safetensors", &is_mlx, error);
    if (status == STATUS_OK && there) return directory_refusal_of_adapter(found->path, is_mlx, error);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++) {
        status = is_there(found->path, WEIGHTS[i], &there, error);
        if (status == STATUS_OK && there)
            status = finding_add(
                &found->remarks, SEVERITY_WARNING, DIRECTORY_SUBJECT, error,
                "%s: %s was not opened: without adapter_config.json transformers does not apply it",
                found->path, WEIGHTS[i]);
    }
    return status;
}

/* ---- folders ---- */

static Status look_in(Directory *found, bool is_inner, Error *error);

/* `folder` is taken over. */
static Status enter(Directory *found, char *folder, const char *why, Error *error) {
    Status status = finding_add(&found->remarks, SEVERITY_NOTE, DIRECTORY_SUBJECT, error,
                                "%s: %s was opened, %s", found->path, folder, why);
    free(found->path);
    found->path = folder;
    return status == STATUS_OK ? look_in(found, true, error) : status;
}

/* How many folders hold a model, and the path of the last, which the caller frees. */
static Status find_folders(const char *path, const DirectoryListing *listing, size_t *count, char **last,
                           Error *error) {
    Status status = STATUS_OK;
    *count = 0;
    *last = NULL;
    for (size_t i = 0; i < listing->count && status == STATUS_OK; i++) {
        bool found = false;
        if (!listing->entries[i].is_directory) continue;
        char *folder = memory_format("%s/%s", path, listing->entries[i].name);
        status = folder == NULL ? memory_fail(error, path) : holds_model(folder, &found, error);
        if (found) {
            ++*count;
            free(*last);
            *last = folder;
        } else {
            free(folder);
        }
    }
    return status;
}

/* Of several checkpoints one may be in another form, or still being written: then the one that can be opened need not be
 * the one that is meant. */
static bool is_one_of_checkpoints(const DirectoryListing *listing, const char *folder) {
    static const char PATTERN[] = "checkpoint-*";
    const DirectoryEntry *first = directory_listing_first(listing, PATTERN);
    return first != directory_listing_last(listing, PATTERN) &&
           fnmatch(PATTERN, strrchr(folder, '/') + 1, 0) == 0;
}

static Status look_in_folders(Directory *found, const DirectoryListing *listing, Error *error) {
    size_t count;
    char *last;
    Status status = find_folders(found->path, listing, &count, &last, error);
    if (status == STATUS_OK && count == 1 && !is_one_of_checkpoints(listing, last))
        return enter(found, last, "the one model in it", error);
    if (status == STATUS_OK && count == 1)
        status =
            status_fail(error, STATUS_ARGUMENT,
                        "%s: expected one checkpoint, found several, of which one holds a model that can be "
                        "opened; give that, if it is meant: %s",
                        found->path, last);
    if (status == STATUS_OK && count > 1)
        status = status_fail(
            error, STATUS_ARGUMENT,
            "%s: expected one model, found %zu folders with one each; give one of them: the newest by its name is %s",
            found->path, count, last);
    free(last);
    return status;
}

static Status look_in_snapshots(Directory *found, const char *snapshots, const char *named, Error *error) {
    DirectoryListing listing = {0};
    size_t count = 0;
    char *last = NULL;
    Status status = directory_listing_read(snapshots, &listing, error);
    if (status == STATUS_OK) status = find_folders(snapshots, &listing, &count, &last, error);
    directory_listing_free(&listing);
    bool is_clear = count == 1 && (named == NULL || strcmp(named, last) == 0);
    if (status == STATUS_OK && is_clear)
        return enter(found, last, "the one snapshot in this part of the Hub's cache", error);
    if (status == STATUS_OK && count > 0)
        status = status_fail(
            error, STATUS_ARGUMENT,
            "%s: expected one model, found the Hub's cache of one with %zu snapshot%s; give the "
            "one that %s: %s",
            found->path, count, count == 1 ? "" : "s",
            named != NULL ? "refs/main names" : "is meant, for example", named != NULL ? named : last);
    free(last);
    return status;
}

static Status look_in_cache(Directory *found, Error *error) {
    char *named, *snapshots;
    Status status = hub_cache_main_snapshot(found->path, &named, error);
    if (status != STATUS_OK) return status;
    snapshots = memory_format("%s/snapshots", found->path);
    status = snapshots == NULL ? memory_fail(error, found->path)
                               : look_in_snapshots(found, snapshots, named, error);
    free(snapshots);
    free(named);
    return status;
}

/* ---- all of it ---- */

/* What is not there by name: first what can only be meant, then what it is instead. */
static Status look_at_listing(Directory *found, const DirectoryListing *listing, bool is_inner,
                              Error *error) {
    Status status = STATUS_OK;
    if (!is_inner && hub_cache_is_model(found->path)) status = look_in_cache(found, error);
    if (status == STATUS_OK && found->file_count == 0) status = directory_shards_find(found, listing, error);
    if (status == STATUS_OK && found->file_count == 0)
        status = directory_refusal_of_form(found->path, listing, false, error);
    if (status == STATUS_OK && found->file_count == 0) status = take_lone_file(found, listing, error);
    if (status == STATUS_OK && found->file_count == 0 && !is_inner)
        status = look_in_folders(found, listing, error);
    if (status == STATUS_OK && found->file_count == 0)
        status = directory_refusal_of_form(found->path, listing, true, error);
    if (status == STATUS_OK && found->file_count == 0 && !is_inner)
        status = directory_refusal_of_folders(found->path, listing, error);
    return status == STATUS_OK && found->file_count == 0
               ? directory_refusal_of_rest(found->path, listing, error)
               : status;
}

static Status look_in(Directory *found, bool is_inner, Error *error) {
    Status status = take_known_names(found, error);
    if (status != STATUS_OK || found->file_count > 0) return status;
    DirectoryListing listing = {0};
    status = directory_listing_read(found->path, &listing, error);
    if (status == STATUS_OK) status = look_at_listing(found, &listing, is_inner, error);
    directory_listing_free(&listing);
    return status;
}

Status directory_find_weights(const char *path, Directory *found, Error *error) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    found->path = memory_copy_text(path, length);
    if (found->path == NULL) return memory_fail(error, path);
    struct stat facts;
    if (stat(found->path, &facts) != 0) return directory_refusal_of_nothing(found->path, errno, error);
    if (!S_ISDIR(facts.st_mode)) return directory_refusal_of_file(found->path, error);
    Status status = look_in(found, false, error);
    return status == STATUS_OK ? check_adapter(found, error) : status;
}

void directory_free(Directory *directory) {
    for (size_t i = 0; i < directory->file_count; i++) free(directory->files[i]);
    free(directory->files);
    free(directory->path);
    cJSON_Delete(directory->index);
    finding_free(&directory->remarks);
    *directory = (Directory){0};
}
