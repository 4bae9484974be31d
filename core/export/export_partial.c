#include "core/export/export_internal.h"
#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char STATE_FORMAT[] = "rejuv-partial";

enum { STATE_LIMIT = 256 << 20 };

/* ---- the state file ---- */

static bool add_sum(cJSON *list, const char *sum) {
    cJSON *node = cJSON_CreateString(sum);
    if (node != NULL && cJSON_AddItemToArray(list, node)) return true;
    cJSON_Delete(node);
    return false;
}

static char *format_state(const ExportPlan *plan, size_t tensors_done) {
    cJSON *tree = cJSON_CreateObject(), *tensors = NULL, *inputs = NULL;
    bool made = tree != NULL && json_add_text(tree, "format", STATE_FORMAT) &&
                json_add_text(tree, "plan", plan->hash) &&
                (tensors = cJSON_AddArrayToObject(tree, "tensors")) != NULL &&
                (inputs = cJSON_AddArrayToObject(tree, "inputs")) != NULL;
    for (size_t i = 0; i < tensors_done && made; i++)
        made = add_sum(tensors, plan->recipe->tensors[i].sha256);
    for (size_t i = 0; i < plan->input_count && made; i++)
        made = add_sum(inputs, export_input_file(plan, &plan->inputs[i])->sha256);
    char *text = made ? cJSON_Print(tree) : NULL;
    cJSON_Delete(tree);
    return text;
}

static uint64_t bytes_of(const ExportPlan *plan, size_t tensors_done) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < tensors_done; i++) bytes += plan->tensors[i].bytes;
    return bytes;
}

Status export_partial_save(const ExportPlan *plan, ExportPartial *partial, Error *error) {
    char *text = format_state(plan, partial->tensors_done);
    if (text == NULL) return memory_fail(error, EXPORT_STATE_NAME);
    Status status = disk_replace_file(partial->directory, EXPORT_STATE_NAME, EXPORT_STATE_NAME ".new", false,
                                      text, strlen(text), plan->partial, error);
    free(text);
    if (status == STATUS_OK) partial->saved_bytes = bytes_of(plan, partial->tensors_done);
    return status;
}

static void forget_sums(const ExportPlan *plan) {
    for (size_t i = 0; i < plan->tensor_count; i++) plan->recipe->tensors[i].sha256[0] = '\0';
    for (size_t i = 0; i < plan->input_count; i++) {
        export_input_file(plan, &plan->inputs[i])->sha256[0] = '\0';
        plan->inputs[i].is_resumed = false;
    }
}

/* Whether the first `done` tensors' bytes can be there. */
static bool shards_hold(const ExportPlan *plan, int directory, size_t done) {
    for (size_t i = 0; i < plan->shard_count && plan->shards[i].first < done; i++) {
        const ExportShard *shard = &plan->shards[i];
        size_t last = shard->first + shard->count < done ? shard->first + shard->count : done;
        const ExportTensor *tensor = &plan->tensors[last - 1];
        uint64_t needed = shard->file_bytes - shard->data_bytes + tensor->offset + tensor->bytes;
        struct stat facts;
        if (fstatat(directory, shard->name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode) ||
            (uint64_t)facts.st_size < needed)
            return false;
    }
    return true;
}

/* Copies sums out of the state; false where it is not a state of this plan. */
static bool take_state(const ExportPlan *plan, const cJSON *tree, int directory, size_t *done) {
    const cJSON *tensors = json_find(tree, "tensors"), *inputs = json_find(tree, "inputs"), *item;
    if (strcmp(json_get_text(tree, "format", ""), STATE_FORMAT) != 0 ||
        strcmp(json_get_text(tree, "plan", ""), plan->hash) != 0 || !cJSON_IsArray(tensors) ||
        !cJSON_IsArray(inputs) || (size_t)cJSON_GetArraySize(tensors) > plan->tensor_count ||
        (size_t)cJSON_GetArraySize(inputs) != plan->input_count)
        return false;
    *done = 0;
    cJSON_ArrayForEach(item, tensors) {
        const char *sum = cJSON_GetStringValue(item);
        if (!hash_is_hex(sum)) return false;
        memcpy(plan->recipe->tensors[(*done)++].sha256, sum, HASH_HEX_SIZE);
    }
    size_t i = 0;
    cJSON_ArrayForEach(item, inputs) {
        const char *sum = cJSON_GetStringValue(item);
        ExportInput *input = &plan->inputs[i++];
        input->is_resumed = hash_is_hex(sum);
        if (input->is_resumed) memcpy(export_input_file(plan, input)->sha256, sum, HASH_HEX_SIZE);
    }
    return shards_hold(plan, directory, *done);
}

/* Fills the recipe from the state in an open directory; a state that cannot be read, or is of another plan,
 * is none. */
static Status load_state(const ExportPlan *plan, const char *path, int directory, size_t *done,
                         Error *error) {
    *done = 0;
    forget_sums(plan);
    char *name = memory_format("%s/%s", path, EXPORT_STATE_NAME);
    if (name == NULL) return memory_fail(error, EXPORT_STATE_NAME);
    cJSON *tree;
    if (json_read_file(name, STATE_LIMIT, &tree, NULL) == STATUS_OK) {
        if (!take_state(plan, tree, directory, done)) {
            *done = 0;
            forget_sums(plan);
        }
        cJSON_Delete(tree);
    }
    free(name);
    return STATUS_OK;
}

/* How many tensors of this plan a directory holds, the recipe unchanged. */
static Status peek(const ExportPlan *plan, const char *path, size_t *done, Error *error) {
    *done = 0;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) return STATUS_OK; /* opening it for good will say why, if it is there at all */
    Status status = load_state(plan, path, directory, done, error);
    forget_sums(plan);
    (void)close(directory); /* opened for reading */
    return status;
}

Status export_partial_peek(const ExportPlan *plan, uint64_t *bytes, Error *error) {
    size_t done;
    Status status = peek(plan, plan->partial, &done, error);
    *bytes = bytes_of(plan, done);
    return status;
}

Status export_partial_peek_target(const ExportPlan *plan, bool *is_marked, Error *error) {
    size_t done;
    Status status = peek(plan, plan->directory, &done, error);
    *is_marked = done == plan->tensor_count;
    return status;
}

/* ---- the directory ---- */

static Status open_parent(const char *path, int *descriptor, Error *error) {
    *descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *descriptor >= 0 ? STATUS_OK : status_fail_errno(error, errno, "%s", path);
}

static bool is_same_directory(int parent, const char *name, int directory) {
    struct stat here, there;
    return fstat(directory, &here) == 0 && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Where the file system knows no locks, two exports to one target are the user's own affair. One that had the lock
 * until just now may have made this directory its finished target, or removed it: what was opened under the name
 * must still have it, or a finished model would be emptied. */
static Status lock(int parent, const char *name, int directory, const char *path, Error *error) {
    if (flock(directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return status_fail(error, STATUS_IO, "%s: another export is writing there", path);
    if (is_same_directory(parent, name, directory)) return STATUS_OK;
    return status_fail(error, STATUS_IO, "%s: another export has ended there just now", path);
}

/* The state goes last: what lies beside it must not look finished meanwhile. */
static bool is_state(void *user, const char *name) {
    (void)user; /* the same for every plan */
    return strcmp(name, EXPORT_STATE_NAME) == 0;
}

static Status empty(int directory, const char *path, uint64_t *bytes, Error *error) {
    Status status = disk_empty_directory(directory, is_state, NULL, path, bytes, error);
    return status == STATUS_OK ? disk_empty_directory(directory, NULL, NULL, path, bytes, error) : status;
}

/* While resuming, the state and the shards stay. */
static bool is_kept(void *user, const char *name) {
    const ExportPlan *plan = user;
    if (is_state(NULL, name)) return true;
    for (size_t i = 0; i < plan->shard_count; i++) {
        if (strcmp(name, plan->shards[i].name) == 0) return true;
    }
    return false;
}

/* A marked target, of a run that ended between its last two steps, becomes the partial directory again; unless that
 * run is only about to remove the mark. */
static Status take_back(const ExportPlan *plan, const ExportPartial *partial, Error *error) {
    int target;
    Status status = disk_open_directory(partial->parent, plan->name, plan->directory, &target, error);
    if (status != STATUS_OK || target < 0) return status;
    status = lock(partial->parent, plan->name, target, plan->directory, error);
    if (status == STATUS_OK &&
        renameat(partial->parent, plan->name, partial->parent, plan->partial_name) != 0)
        status =
            status_fail_errno(error, errno, "%s: taking it back as %s", plan->directory, plan->partial_name);
    (void)close(target); /* opened for reading; whoever locks it now finds the mark */
    return status;
}

static Status open_locked(ExportPlan *plan, ExportPartial *partial, Error *error) {
    Status status = open_parent(plan->parent, &partial->parent, error);
    if (status != STATUS_OK) return status;
    bool is_marked;
    status = export_partial_peek_target(plan, &is_marked, error);
    if (status == STATUS_OK && is_marked) status = take_back(plan, partial, error);
    if (status != STATUS_OK) return status;
    if (mkdirat(partial->parent, plan->partial_name, 0777) != 0 && errno != EEXIST)
        return status_fail_errno(error, errno, "%s", plan->partial);
    status =
        disk_open_directory(partial->parent, plan->partial_name, plan->partial, &partial->directory, error);
    if (status == STATUS_OK && partial->directory < 0)
        status = status_fail(error, STATUS_IO, "%s: vanished", plan->partial);
    return status == STATUS_OK
               ? lock(partial->parent, plan->partial_name, partial->directory, plan->partial, error)
               : status;
}

Status export_partial_open(ExportPlan *plan, ExportPartial *partial, Error *error) {
    *partial = (ExportPartial){.parent = -1, .directory = -1};
    Status status = open_locked(plan, partial, error);
    if (status != STATUS_OK) {
        export_partial_close(plan, partial, false);
        return status;
    }
    status = load_state(plan, plan->partial, partial->directory, &partial->tensors_done, error);
    if (status == STATUS_OK)
        status = disk_empty_directory(partial->directory, partial->tensors_done > 0 ? is_kept : is_state,
                                      plan, plan->partial, NULL, error);
    /* from here on the directory says what it is */
    if (status == STATUS_OK) status = export_partial_save(plan, partial, error);
    if (status == STATUS_OK) status = disk_sync(partial->parent, plan->parent, error);
    if (status != STATUS_OK) export_partial_close(plan, partial, partial->tensors_done == 0);
    return status;
}

/* ---- what another rank made ---- */

/* A network file system may go on for a while saying that there is nothing: NFS for a minute by default. */
enum { PATIENCE_TRIES = 300, PATIENCE_NANOSECONDS = 250000000 };

/* Opens a directory beside the target once it is to be seen. */
static Status await_directory(int parent, const char *name, const char *path, Job *job, int *descriptor,
                              Error *error) {
    const struct timespec pause = {.tv_nsec = PATIENCE_NANOSECONDS};
    *descriptor = -1;
    for (int i = 0; i < PATIENCE_TRIES; i++) {
        if (i > 0) (void)nanosleep(&pause, NULL); /* shorter where a signal comes */
        if (job_is_cancelled(job)) return job_cancelled(error);
        Status status = disk_open_directory(parent, name, path, descriptor, error);
        if (status != STATUS_OK || *descriptor >= 0) return status;
    }
    return status_fail(
        error, STATUS_IO,
        "%s: rank 0 made it, and it is not to be seen: the target must lie where all ranks write to "
        "the same disk",
        path);
}

Status export_partial_join(const ExportPlan *plan, ExportPartial *partial, Job *job, Error *error) {
    *partial = (ExportPartial){.parent = -1, .directory = -1};
    Status status = open_parent(plan->parent, &partial->parent, error);
    if (status == STATUS_OK)
        status = await_directory(partial->parent, plan->partial_name, plan->partial, job, &partial->directory,
                                 error);
    if (status != STATUS_OK) export_partial_close(plan, partial, false);
    return status;
}

Status export_partial_await(const ExportPlan *plan, const ExportPartial *partial, Job *job, Error *error) {
    int target;
    Status status = await_directory(partial->parent, plan->name, plan->directory, job, &target, error);
    if (target >= 0) (void)close(target); /* opened for reading */
    return status;
}

void export_partial_close(const ExportPlan *plan, ExportPartial *partial, bool remove) {
    if (remove && empty(partial->directory, plan->partial, NULL, NULL) == STATUS_OK)
        (void)unlinkat(partial->parent, plan->partial_name, AT_REMOVEDIR); /* an empty one does no harm */
    if (partial->directory >= 0) (void)close(partial->directory);          /* opened for reading */
    if (partial->parent >= 0) (void)close(partial->parent);
    *partial = (ExportPartial){.parent = -1, .directory = -1};
}

/* ---- the end ---- */

static Status fail_rename(const ExportPlan *plan, int reason, Error *error) {
    if (reason == ENOTEMPTY || reason == EEXIST || reason == ENOTDIR)
        return status_fail(error, STATUS_ARGUMENT,
                           "%s: appeared while the export was written: nothing is overwritten",
                           plan->directory);
    return status_fail_errno(error, reason, "%s: renaming %s", plan->directory, plan->partial_name);
}

/* The mark goes last, in the target: at no time is there an unmarked directory that is not the finished one.
 * A run that ends between the two steps leaves a marked target, which the next run takes back. */
static Status remove_mark(const ExportPlan *plan, const ExportPartial *partial, Error *error) {
    Status status = disk_sync(partial->parent, plan->parent, error);
    if (status != STATUS_OK) return status;
    if (unlinkat(partial->directory, EXPORT_STATE_NAME, 0) != 0)
        return status_fail_errno(error, errno, "%s/%s: removing", plan->directory, EXPORT_STATE_NAME);
    /* the model is whole and durable with or without the mark: what this says changes nothing */
    Status synced = disk_sync(partial->directory, plan->directory, NULL);
    (void)synced;
    return STATUS_OK;
}

Status export_partial_publish(const ExportPlan *plan, ExportPartial *partial, Error *error) {
    if (renameat(partial->parent, plan->partial_name, partial->parent, plan->name) != 0)
        return fail_rename(plan, errno, error);
    Status status = remove_mark(plan, partial, error);
    if (status != STATUS_OK) /* marked as it is, it stays unfinished under either name */
        (void)renameat(partial->parent, plan->name, partial->parent, plan->partial_name);
    return status;
}

Status export_discard(const char *directory, uint64_t *bytes, Error *error) {
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    size_t slash = length;
    while (slash > 0 && directory[slash - 1] != '/') slash--;
    uint64_t removed = 0;
    int parent = -1, inner = -1;
    char *where = slash > 0 ? memory_copy_text(directory, slash) : memory_copy_text(".", 1);
    char *name = memory_format(".%.*s.rejuv-partial", (int)(length - slash), directory + slash);
    Status status =
        where != NULL && name != NULL ? open_parent(where, &parent, error) : memory_fail(error, "a path");
    if (status == STATUS_OK) status = disk_open_directory(parent, name, name, &inner, error);
    if (status == STATUS_OK && inner >= 0) {
        status = lock(parent, name, inner, name, error);
        if (status == STATUS_OK) status = empty(inner, name, &removed, error);
        if (status == STATUS_OK && unlinkat(parent, name, AT_REMOVEDIR) != 0)
            status = status_fail_errno(error, errno, "%s: removing", name);
    }
    if (inner >= 0) (void)close(inner); /* opened for reading */
    if (parent >= 0) (void)close(parent);
    free(where);
    free(name);
    if (status == STATUS_OK && bytes != NULL) *bytes = removed;
    return status;
}
