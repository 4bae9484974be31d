#include "core/checkpoint/directory_refusal.h"

#include "core/checkpoint/directory.h"
#include "core/checkpoint/directory_form.h"
#include "core/checkpoint/hub_cache.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char EXPECTED[] = DIRECTORY_SINGLE " or " DIRECTORY_INDEX;

/* Of folders in a folder: a run's global_step_100/actor is the deepest that is known. */
enum { DEPTH_LIMIT = 2, FOLDER_LIMIT = 64 };

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

char *directory_refusal_download(const char *path) {
    const char *snapshots = strstr(path, "/snapshots/");
    char *cache = memory_copy_text(path, snapshots != NULL ? (size_t)(snapshots - path) : strlen(path));
    char *name = NULL, *command = NULL;
    if (cache != NULL && hub_cache_name_of(cache, &name, NULL) == STATUS_OK)
        command = name != NULL ? memory_format("hf download %s", name)
                               : directory_form_fill("hf download NAME --local-dir {dir}", path, "", "");
    free(cache);
    free(name);
    return command;
}

/* ---- no directory at all ---- */

/* A name whose first part is a directory here is a path that was mistyped. */
static bool may_be_hub_name(const char *path) {
    if (!hub_cache_is_name(path)) return false;
    struct stat facts;
    char *first = memory_copy_text(path, strcspn(path, "/"));
    bool is_path = first == NULL || stat(first, &facts) == 0;
    free(first);
    return !is_path;
}

Status directory_refusal_of_nothing(const char *path, int errno_value, Error *error) {
    if (errno_value != ENOENT || !may_be_hub_name(path))
        return status_fail_errno(error, errno_value, "%s", path);
    char *snapshot;
    Status status = hub_cache_find(path, &snapshot, error);
    if (status != STATUS_OK) return status;
    if (snapshot != NULL)
        status = status_fail(
            error, STATUS_IO,
            "%s: expected a directory, found none of this name; the Hub's model of this name is in "
            "the cache: %s",
            path, snapshot);
    else if (strchr(path, '/') != NULL)
        status = status_fail(
            error, STATUS_IO,
            "%s: expected a directory, found none of this name; where it is a model on the Hub, hf "
            "download %s --local-dir %s makes one",
            path, path, last_part(path));
    else
        status = status_fail_errno(error, errno_value, "%s", path);
    free(snapshot);
    return status;
}

Status directory_refusal_of_file(const char *path, Error *error) {
    const char *name = last_part(path);
    char *around = name == path ? memory_copy_text(".", 1)
                                : memory_copy_text(path, name - path > 1 ? (size_t)(name - path) - 1 : 1);
    if (around == NULL) return memory_fail(error, path);
    DirectoryMatch match;
    Status status;
    bool is_pickle = fnmatch(DIRECTORY_PICKLE, name, 0) == 0 || fnmatch(DIRECTORY_PICKLE_SHARD, name, 0) == 0;
    if (!is_pickle && directory_form_of_file(name, &match))
        status = directory_form_refuse(&match, path, around, error);
    else if (is_pickle || fnmatch("*.safetensors", name, 0) == 0 || fnmatch("*.json", name, 0) == 0)
        status =
            status_fail(error, STATUS_ARGUMENT,
                        "%s: expected a model directory, found a file; give the directory that it is in: %s",
                        path, around);
    else
        status = status_fail(error, STATUS_ARGUMENT, "%s: expected a model directory, found a file", path);
    free(around);
    return status;
}

/* ---- what is in a directory ---- */

Status directory_refusal_of_link(const char *path, const char *file, Error *error) {
    char target[PATH_MAX];
    char *link = memory_format("%s/%s", path, file), *command = directory_refusal_download(path);
    if (link == NULL || command == NULL) {
        free(link);
        free(command);
        return memory_fail(error, path);
    }
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    Status status =
        status_fail(error, STATUS_IO,
                    "%s: expected a file, found a link to %s, which is not there; %s fetches what came "
                    "from the Hub",
                    link, target, command);
    free(link);
    free(command);
    return status;
}

Status directory_refusal_of_adapter(const char *path, bool is_mlx, Error *error) {
    static const char PEFT[] =
        "mkdir {dir}/adapter && mv {dir}/adapter_* {dir}/adapter && python -c 'from peft import PeftModel as P; from "
        "transformers import AutoModelForCausalLM as M; P.from_pretrained(M.from_pretrained(\"{dir}\", "
        "dtype=\"auto\"), \"{dir}/adapter\").merge_and_unload().save_pretrained(\"{dir}-merged\")'";
    static const char MLX[] = "mlx_lm.fuse --model {dir} --adapter-path {dir} --save-path {dir}-merged";
    char *command = directory_form_fill(is_mlx ? MLX : PEFT, path, "", "");
    if (command == NULL) return memory_fail(error, path);
    Status status =
        status_fail(error, STATUS_UNSUPPORTED,
                    "%s: expected weights alone, found an adapter beside them (adapter_config.json), which "
                    "%s applies when it loads; %s makes one of both",
                    path, is_mlx ? "mlx_lm" : "transformers", command);
    free(command);
    return status;
}

static Status refuse_form_in(const char *given, const char *path, const DirectoryListing *listing, bool loose,
                             Error *error) {
    DirectoryMatch match;
    return directory_form_find(listing, loose, &match) ? directory_form_refuse(&match, given, path, error)
                                                       : STATUS_OK;
}

Status directory_refusal_of_form(const char *path, const DirectoryListing *listing, bool loose,
                                 Error *error) {
    return refuse_form_in(path, path, listing, loose, error);
}

/* The newest folders first; one that cannot be listed is passed over. */
static Status refuse_folders_in(const char *given, const char *path, const DirectoryListing *listing,
                                int depth, Error *error) {
    Status status = STATUS_OK;
    int looked_at = 0;
    for (size_t i = listing->count; i > 0 && looked_at < FOLDER_LIMIT && status == STATUS_OK; i--) {
        if (!listing->entries[i - 1].is_directory) continue;
        looked_at++;
        char *folder = memory_format("%s/%s", path, listing->entries[i - 1].name);
        if (folder == NULL) return memory_fail(error, path);
        DirectoryListing inner = {0};
        status = directory_listing_read(folder, &inner, error);
        if (status == STATUS_IO) status = STATUS_OK;
        if (status == STATUS_OK) status = refuse_form_in(given, folder, &inner, false, error);
        if (status == STATUS_OK) status = refuse_form_in(given, folder, &inner, true, error);
        if (status == STATUS_OK && depth < DEPTH_LIMIT)
            status = refuse_folders_in(given, folder, &inner, depth + 1, error);
        directory_listing_free(&inner);
        free(folder);
    }
    return status;
}

Status directory_refusal_of_folders(const char *path, const DirectoryListing *listing, Error *error) {
    return refuse_folders_in(path, path, listing, 1, error);
}

/* ---- nothing that is known ---- */

static Status find_unfinished_in(const char *place, bool *found, Error *error) {
    DIR *stream = opendir(place);
    if (stream == NULL) return errno == ENOMEM ? memory_fail(error, place) : STATUS_OK;
    const struct dirent *entry;
    while (!*found && (entry = readdir(stream)) != NULL)
        *found = fnmatch("*.incomplete", entry->d_name, 0) == 0;
    (void)closedir(stream); /* only read from */
    return STATUS_OK;
}

/* What hf download leaves while it is not done: in a folder of its own, or among the blobs of the cache. */
static Status find_unfinished_download(const char *path, bool *found, Error *error) {
    static const char *const PLACES[] = {"/.cache/huggingface/download", "/blobs", "/../../blobs"};
    Status status = STATUS_OK;
    *found = false;
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES && !*found && status == STATUS_OK; i++) {
        char *place = memory_format("%s%s", path, PLACES[i]);
        status = place == NULL ? memory_fail(error, path) : find_unfinished_in(place, found, error);
        free(place);
    }
    return status;
}

Status directory_refusal_of_rest(const char *path, const DirectoryListing *listing, Error *error) {
    bool is_unfinished;
    Status status = find_unfinished_download(path, &is_unfinished, error);
    if (status != STATUS_OK) return status;
    char *command = directory_refusal_download(path);
    if (command == NULL) return memory_fail(error, path);
    status = STATUS_FORMAT;
    if (is_unfinished)
        (void)status_fail(
            error, status,
            "%s: expected %s, found a download that is not finished (*.incomplete); %s goes on with it", path,
            EXPECTED, command);
    else if (directory_listing_first(listing, "config.json") != NULL)
        (void)status_fail(
            error, status,
            "%s: expected %s, found config.json without weights; %s fetches those of a model on the Hub",
            path, EXPECTED, command);
    else if (listing->count == 0)
        (void)status_fail(error, status, "%s: expected %s, found neither: it is empty", path, EXPECTED);
    else
        (void)status_fail(error, status, "%s: expected %s, found neither", path, EXPECTED);
    free(command);
    return status;
}
