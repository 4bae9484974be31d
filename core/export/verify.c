#include "core/export/verify.h"

#include "core/checkpoint/head.h"
#include "core/export/export_internal.h"
#include "core/export/verify_tensors.h"
#include "core/files/file_digest.h"
#include "core/support/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void verify_result_free(VerifyResult *result) {
    if (result == NULL) return;
    recipe_free(result->recipe);
    finding_free(&result->findings);
    free(result);
}

/* A finding on the files; what could not be looked at for want of memory is none. */
static Status add_reason(VerifyResult *result, Severity severity, const char *subject, const char *head,
                         const Error *reason, Error *error) {
    if (reason->status == STATUS_NO_MEMORY) return status_fail(error, reason->status, "%s", reason->message);
    return finding_add(&result->findings, severity, subject, error, "%s%s", head, reason->message);
}

/* ---- files that are not weights ---- */

static bool has_file(const char *directory, const char *name) {
    char *path = memory_format("%s/%s", directory, name);
    struct stat facts;
    bool found = path != NULL && stat(path, &facts) == 0;
    free(path);
    return found;
}

static Status check_file(const char *directory, const RecipeFile *file, Job *job, VerifyResult *result,
                         Error *error) {
    char *path = memory_format("%s/%s", directory, file->name);
    if (path == NULL) return memory_fail(error, file->name);
    char sum[HASH_HEX_SIZE];
    uint64_t bytes;
    Error reason;
    Status status = hash_file(path, job, &bytes, sum, &reason);
    free(path);
    if (status == STATUS_CANCELLED) return job_cancelled(error);
    if (status != STATUS_OK) return add_reason(result, SEVERITY_ERROR, file->name, "", &reason, error);
    if (bytes != file->bytes || strcmp(sum, file->sha256) != 0)
        return finding_add(&result->findings, SEVERITY_ERROR, file->name, error,
                           "expected %" PRIu64 " bytes with %s, found %" PRIu64 " with %s", file->bytes,
                           file->sha256, bytes, sum);
    result->files_equal++;
    return STATUS_OK;
}

static Status check_files(const char *directory, Job *job, VerifyResult *result, Error *error) {
    const RecipeFiles *files = &result->recipe->files;
    result->files = files->count;
    Status status = STATUS_OK;
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++)
        status = check_file(directory, &files->list[i], job, result, error);
    if (status == STATUS_OK && has_file(directory, EXPORT_STATE_NAME))
        status = finding_add(&result->findings, SEVERITY_ERROR, EXPORT_STATE_NAME, error,
                             "is the mark of an unfinished export");
    return status;
}

/* ---- what config.json and the index say about the weights ---- */

static Status check_config(const Checkpoint *export, VerifyResult *result, Error *error) {
    const cJSON *config = export->config;
    if (config == NULL) return STATUS_OK; /* a finding of check_files() where the recipe has one */
    Status status = STATUS_OK;
    const char *dtype = json_get_text(config, "dtype", json_get_text(config, "torch_dtype", NULL));
    DType main_dtype = checkpoint_main_dtype(export);
    if (dtype_is_float(main_dtype) && (dtype == NULL || dtype_find(dtype) != main_dtype))
        status = finding_add(&result->findings, SEVERITY_ERROR, "config.json", error,
                             "dtype: expected %s, found %s", dtype_torch_name(main_dtype),
                             dtype != NULL ? dtype : "none");
    const Tensor *embedding = checkpoint_find_role(export, TENSOR_EMBEDDING, -1);
    uint64_t stated;
    if (status == STATUS_OK && embedding != NULL &&
        (!json_read_count(json_find(config, "vocab_size"), &stated) || stated != embedding->rows))
        status = finding_add(&result->findings, SEVERITY_ERROR, "config.json", error,
                             "vocab_size: expected the embedding's %" PRIu64 " rows", embedding->rows);
    return status;
}

/* The index must name every tensor; that it names no other was checked when the directory was opened. */
static Status check_index(const char *directory, const Checkpoint *export, VerifyResult *result,
                          Error *error) {
    static const char NAME[] = "model.safetensors.index.json";
    if (!export->is_sharded) return STATUS_OK;
    char *path = memory_format("%s/%s", directory, NAME);
    if (path == NULL) return memory_fail(error, NAME);
    cJSON *tree;
    Status status = json_read_file(path, (size_t)256 << 20, &tree, error);
    free(path);
    if (status != STATUS_OK) return status;
    uint64_t total;
    const cJSON *map = json_find(tree, "weight_map");
    if (!json_read_count(json_find(json_find(tree, "metadata"), "total_size"), &total) ||
        total != export->bytes)
        status = finding_add(&result->findings, SEVERITY_ERROR, NAME, error,
                             "total_size: expected %" PRIu64 " bytes", export->bytes);
    if (status == STATUS_OK && (size_t)cJSON_GetArraySize(map) != export->tensor_count)
        status = finding_add(&result->findings, SEVERITY_ERROR, NAME, error, "expected %zu tensors, found %d",
                             export->tensor_count, cJSON_GetArraySize(map));
    cJSON_Delete(tree);
    return status;
}

/* ---- the inputs ---- */

typedef struct InputTask {
    const Checkpoint *side;
    size_t file;
    const RecipeFile *expected;
    char sum[HASH_HEX_SIZE];
    Status status;
    Error error;
} InputTask;

typedef struct InputTasks {
    InputTask *list;
    size_t count;
    Job *job;
} InputTasks;

static void hash_input(void *argument, size_t index, unsigned worker) {
    InputTasks *tasks = argument;
    InputTask *task = &tasks->list[index];
    (void)worker; /* needs no scratch */
    task->status = file_digest_read(task->side->files[task->file]->path, tasks->job, task->sum, &task->error);
}

/* `severity`: an input that is not the recipe's is an error where it was given for this very purpose. */
static Status judge_inputs(InputTasks *tasks, Severity severity, VerifyResult *result, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < tasks->count && status == STATUS_OK; i++) {
        const InputTask *task = &tasks->list[i];
        const char *path = task->side->files[task->file]->path;
        if (task->status != STATUS_OK)
            status = finding_add(&result->findings, severity, path, error, "%s", task->error.message);
        else if (strcmp(task->sum, task->expected->sha256) != 0)
            status = finding_add(&result->findings, severity, path, error,
                                 "is not the recipe's input: expected %s, found %s", task->expected->sha256,
                                 task->sum);
        else
            result->input_files_equal++;
    }
    return status;
}

static bool same_files(const Checkpoint *side, const RecipeInput *input) {
    size_t first = side->home_files;
    bool same = side->file_count - first == input->files.count;
    for (size_t i = first; i < side->file_count && same; i++)
        same = side->files[i]->size == input->files.list[i - first].bytes;
    return same;
}

static Status hash_inputs(const Pair *pair, Severity severity, Job *job, VerifyResult *result, Error *error) {
    const Checkpoint *sides[] = {pair->sft, pair->base};
    const RecipeInput *inputs[] = {&result->recipe->sft, &result->recipe->base};
    InputTasks tasks = {.job = job};
    tasks.list = memory_allocate(sides[0]->file_count + sides[1]->file_count, sizeof *tasks.list);
    if (tasks.list == NULL) return memory_fail(error, "verification");
    Status status = STATUS_OK;
    for (int s = 0; s < 2; s++) {
        if (!same_files(sides[s], inputs[s])) {
            status = finding_add(&result->findings, severity, sides[s]->directory, error,
                                 "is not the recipe's input: other files, or of other sizes");
            free(tasks.list);
            return status;
        }
        size_t first = sides[s]->home_files;
        for (size_t i = first; i < sides[s]->file_count; i++)
            tasks.list[tasks.count++] =
                (InputTask){.side = sides[s], .file = i, .expected = &inputs[s]->files.list[i - first]};
    }
    result->input_files = tasks.count;
    if (!job_report(job, "inputs", 0, tasks.count)) status = job_cancelled(error);
    if (status == STATUS_OK) status = job_run(job, tasks.count, hash_input, &tasks, error);
    if (status == STATUS_OK) status = judge_inputs(&tasks, severity, result, error);
    free(tasks.list);
    return status;
}

/* Opens and checks the inputs; *pair is NULL where they are not at hand, which a finding then says. */
static Status open_inputs(const VerifyOptions *options, Job *job, VerifyResult *result, Pair **pair,
                          Error *error) {
    *pair = NULL;
    bool given = options->base_directory != NULL || options->sft_directory != NULL;
    Severity severity = given ? SEVERITY_ERROR : SEVERITY_NOTE;
    const Recipe *recipe = result->recipe;
    Error reason;
    Status status = pair_open(
        options->base_directory != NULL ? options->base_directory : recipe->base.directory,
        options->sft_directory != NULL ? options->sft_directory : recipe->sft.directory, pair, &reason);
    if (status != STATUS_OK)
        return add_reason(result, severity, "inputs", "not at hand, not blended again: ", &reason, error);
    size_t before = result->findings.count;
    status = hash_inputs(*pair, severity, job, result, error);
    result->has_inputs = status == STATUS_OK && result->findings.count == before;
    if (result->has_inputs && settings_check(&recipe->settings, *pair, &reason) != STATUS_OK) {
        result->has_inputs = false;
        status = add_reason(result, SEVERITY_ERROR, RECIPE_FILE_NAME, "", &reason, error);
    }
    if (!result->has_inputs) {
        pair_close(*pair);
        *pair = NULL;
    }
    return status;
}

/* ---- all together ---- */

/* Whoever loads the export must find the head that SFT has, or none where that has none. */
static Status check_head(const Checkpoint *export, const Pair *pair, VerifyResult *result, Error *error) {
    static const char *const NAMES[] = {
        [HEAD_NONE] = "no head", [HEAD_OWN] = "a head of its own", [HEAD_TIED] = "a tied head"};
    if (pair == NULL || export->config == NULL) return STATUS_OK;
    HeadKind wanted = pair->unties_head ? HEAD_OWN : head_find(pair->sft).kind,
             found = head_find(export).kind;
    if (found == wanted) return STATUS_OK;
    return finding_add(&result->findings, SEVERITY_ERROR, "config.json", error,
                       "tie_word_embeddings: expected it to lead to %s, found %s", NAMES[wanted],
                       NAMES[found]);
}

/* Sums vouch for weights and files; that what stands beside them is as it was written, paths and dials, the seal says. A bit
 * turned in the seal's own name takes it away, but leaves a member that nobody knows; under a seal that holds, it is a later
 * version's. */
static Status check_text(VerifyResult *result, Error *error) {
    const Recipe *recipe = result->recipe;
    Status status = STATUS_OK;
    if (recipe->seal == RECIPE_BROKEN) {
        result->recipe_changes++;
        status = finding_add(
            &result->findings, SEVERITY_ERROR, RECIPE_FILE_NAME, error,
            "is not as it was written: " RECIPE_SEAL_NAME
            " seals other bytes than these (one that is edited on purpose goes without that member)");
    }
    if (status != STATUS_OK || recipe->unknown == NULL) return status;
    bool is_sealed = recipe->seal == RECIPE_SEALED;
    result->recipe_changes += !is_sealed;
    return finding_add(&result->findings, is_sealed ? SEVERITY_NOTE : SEVERITY_ERROR, RECIPE_FILE_NAME, error,
                       "has members that rejuv " REJUV_VERSION " does not know: %s", recipe->unknown);
}

/* What was blended is known of the export with the very recipe that was written then. Another one is a difference even where
 * every sum fits: it may name inputs or dials that nobody used. */
static Status check_written(const char *directory, VerifyOptions *known, Job *job, VerifyResult *result,
                            Error *error) {
    char sum[HASH_HEX_SIZE], found[HASH_HEX_SIZE], *text = NULL;
    if (known->written == NULL) return STATUS_OK;
    char *path = memory_format("%s/%s", directory, RECIPE_FILE_NAME);
    Status status =
        path == NULL ? memory_fail(error, RECIPE_FILE_NAME) : recipe_format(known->written, &text, error);
    if (status == STATUS_OK) status = hash_bytes(text, strlen(text), sum, error);
    if (status == STATUS_OK) status = hash_file(path, job, NULL, found, error);
    if (status == STATUS_OK && strcmp(sum, found) != 0) {
        known->made = NULL;
        result->recipe_changes++;
        status = finding_add(&result->findings, SEVERITY_ERROR, RECIPE_FILE_NAME, error,
                             "written with SHA-256 %s, read back with %s", sum, found);
    }
    free(text);
    free(path);
    return status;
}

static Status check_tensors(const Checkpoint *export, const Pair *pair, const VerifyOptions *options,
                            Job *job, VerifyResult *result, Error *error) {
    VerifyTensors found = {0};
    VerifyOptions known = *options;
    Status status = check_written(export->directory, &known, job, result, error);
    if (status == STATUS_OK)
        status = verify_tensors(export, pair, result->recipe, &known, job, &found, &result->findings, error);
    result->tensors_equal = found.equal;
    result->tensors_blended = found.blended;
    result->tensors_made = found.made;
    result->bytes = found.bytes;
    result->nonfinite = found.nonfinite;
    result->nonfinite_new = found.nonfinite_new;
    return status;
}

static Status check_export(const char *directory, const VerifyOptions *options, Job *job,
                           VerifyResult *result, Error *error) {
    Error reason;
    Checkpoint *export;
    Status status = check_files(directory, job, result, error);
    if (status != STATUS_OK) return status;
    if (checkpoint_open(directory, &export, &reason) != STATUS_OK)
        return add_reason(result, SEVERITY_ERROR, "weights", "", &reason, error);
    Pair *pair = NULL;
    status = check_config(export, result, error);
    if (status == STATUS_OK) status = check_index(directory, export, result, error);
    if (status == STATUS_OK && !options->without_inputs)
        status = open_inputs(options, job, result, &pair, error);
    if (status == STATUS_OK) status = check_head(export, pair, result, error);
    if (status == STATUS_OK) status = check_tensors(export, pair, options, job, result, error);
    pair_close(pair);
    checkpoint_close(export);
    return status;
}

static Status conclude(const VerifyResult *result, Error *error) {
    const Finding *first = finding_first_error(&result->findings);
    if (first == NULL) return STATUS_OK;
    size_t errors = finding_count(&result->findings, SEVERITY_ERROR);
    return status_fail(error, STATUS_MISMATCH, "%s: %s (%zu difference%s)", first->subject, first->text,
                       errors, errors == 1 ? "" : "s");
}

Status verify_export(const char *directory, const VerifyOptions *options, Job *job, VerifyResult **result,
                     Error *error) {
    *result = NULL;
    VerifyResult *made = memory_allocate(1, sizeof *made);
    char *path = memory_format("%s/%s", directory, RECIPE_FILE_NAME);
    Status status = STATUS_OK;
    if (made == NULL || path == NULL) status = memory_fail(error, "verification");
    if (status == STATUS_OK) status = recipe_read(path, &made->recipe, error);
    if (status == STATUS_OK) {
        made->tensors = made->recipe->tensor_count;
        status = check_export(directory, options, job, made, error);
    }
    if (status == STATUS_OK) status = check_text(made, error); /* last: what else differs says more */
    free(path);
    if (status != STATUS_OK) {
        verify_result_free(made);
        return status;
    }
    *result = made;
    return conclude(made, error);
}
