#include "core/checkpoint/model.h"
#include "core/export/export_internal.h"
#include "core/files/disk.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_WINDOW = 8 << 20, SMALLEST_WINDOW = 64, DEFAULT_SYNC = 1 << 30, NAME_LIMIT = 255 };

/* ---- the target ---- */

static Status split_target(ExportPlan *plan, const char *directory, Error *error) {
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    plan->directory = memory_copy_text(directory, length);
    if (plan->directory == NULL) return memory_fail(error, "a path");
    const char *slash = strrchr(plan->directory, '/');
    const char *name = slash != NULL ? slash + 1 : plan->directory;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return status_fail(error, STATUS_ARGUMENT, "\"%s\": expected the path of a new directory", directory);
    plan->name = memory_copy_text(name, strlen(name));
    plan->parent = slash == NULL ? memory_copy_text(".", 1)
                   : slash == plan->directory
                       ? memory_copy_text("/", 1)
                       : memory_copy_text(directory, (size_t)(slash - plan->directory));
    plan->partial_name = memory_format(".%s.rejuv-partial", name);
    if (plan->name == NULL || plan->parent == NULL || plan->partial_name == NULL)
        return memory_fail(error, "a path");
    if (strlen(plan->partial_name) > NAME_LIMIT)
        return status_fail(error, STATUS_ARGUMENT, "%s: the name is too long", directory);
    plan->partial = memory_format("%s/%s", plan->parent, plan->partial_name);
    return plan->partial != NULL ? STATUS_OK : memory_fail(error, "a path");
}

static bool is_empty_directory(const char *path) {
    DIR *stream = opendir(path);
    if (stream == NULL) return false;
    size_t entries = 0;
    while (readdir(stream) != NULL) entries++;
    (void)closedir(stream); /* opened for reading */
    return entries <= 2;    /* . and .. */
}

static bool holds_recipe(const char *directory) {
    char *path = memory_format("%s/%s", directory, RECIPE_FILE_NAME);
    struct stat facts;
    bool holds = path != NULL && lstat(path, &facts) == 0 && S_ISREG(facts.st_mode);
    free(path);
    return holds;
}

/* One that was ended after it gave the target its name, and before it read it back, left an export like any other. */
static const char *name_target(const ExportPlan *plan, mode_t mode) {
    if (S_ISLNK(mode)) return "a symbolic link: nothing is overwritten";
    if (!S_ISDIR(mode)) return "a file: nothing is overwritten";
    return holds_recipe(plan->directory)
               ? "an export: nothing is overwritten; `rejuv verify` says whether it is whole, "
                 "also where the run that wrote it was ended before it had read it back"
               : "a directory with files: nothing is overwritten";
}

static Status judge_target(ExportPlan *plan, Error *error) {
    struct stat facts;
    if (stat(plan->parent, &facts) != 0)
        return finding_add(&plan->findings, SEVERITY_ERROR, plan->parent, error,
                           "the directory to write into cannot be reached: %s", strerror(errno));
    if (lstat(plan->directory, &facts) != 0) {
        if (errno == ENOENT) return STATUS_OK;
        return finding_add(&plan->findings, SEVERITY_ERROR, plan->directory, error, "%s", strerror(errno));
    }
    bool is_marked;
    if (S_ISDIR(facts.st_mode) && disk_is_mount_point(plan->directory))
        return finding_add(
            &plan->findings, SEVERITY_ERROR, plan->directory, error,
            "expected a name that an export can be renamed to, found a mounted volume; a name in it "
            "will do: %s/model",
            plan->directory);
    if (S_ISDIR(facts.st_mode) && is_empty_directory(plan->directory)) return STATUS_OK;
    Status status = export_partial_peek_target(plan, &is_marked, error);
    if (status != STATUS_OK) return status;
    if (is_marked) {
        plan->kept_bytes = plan->weight_bytes;
        return finding_add(&plan->findings, SEVERITY_NOTE, plan->directory, error,
                           "this very export, interrupted in its last step");
    }
    return finding_add(&plan->findings, SEVERITY_ERROR, plan->directory, error,
                       "expected no such name, or an empty directory, found %s",
                       name_target(plan, facts.st_mode));
}

/* ---- the recipe, as far as it is known, and the plan's sum ---- */

static Status begin_recipe(ExportPlan *plan, Error *error) {
    Status status = recipe_create(&plan->recipe, error);
    if (status != STATUS_OK) return status;
    Recipe *recipe = plan->recipe;
    recipe->settings = plan->options.settings;
    recipe->dtype = plan->options.dtype;
    recipe->shard_bytes = plan->options.shard_bytes;
    recipe->donor = plan->options.donor;
    return STATUS_OK;
}

static Status list_left_out(const Pair *pair, RecipeUnmatched *unmatched, Error *error) {
    unmatched->left_out = memory_allocate(pair->share.missing_tensors, sizeof *unmatched->left_out);
    if (unmatched->left_out == NULL) return memory_fail(error, "the recipe");
    for (size_t i = 0; i < pair->base->tensor_count; i++) {
        if (pair_is_left_out(pair, i))
            unmatched->left_out[unmatched->left_out_count++] = pair->base->tensors[i].name;
    }
    return STATUS_OK;
}

/* What is not blended is said, in the plan and in the recipe. */
static Status note_unmatched(ExportPlan *plan, Error *error) {
    const Pair *pair = plan->pair;
    if (pair_share_is_whole(&pair->share)) return STATUS_OK;
    RecipeUnmatched *unmatched = &plan->recipe->unmatched;
    unmatched->is_allowed = true;
    unmatched->blended = pair_share_blended(&pair->share);
    unmatched->copied = pair->share.copied_tensors;
    Status status = list_left_out(pair, unmatched, error);
    if (status != STATUS_OK) return status;
    return finding_add(
        &plan->findings, SEVERITY_WARNING, "unmatched", error,
        "tensors that are not blended: %zu of SFT's, which are copied, %zu of base's, which are left out",
        pair->share.copied_tensors, pair->share.missing_tensors);
}

static Status list_recipe_tensors(ExportPlan *plan, Error *error) {
    Recipe *recipe = plan->recipe;
    recipe->tensors = memory_allocate(plan->tensor_count, sizeof *recipe->tensors);
    if (recipe->tensors == NULL) return memory_fail(error, "the recipe");
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const PairTensor *source = plan->tensors[i].source;
        RecipeTensor *tensor = &recipe->tensors[recipe->tensor_count++];
        tensor->name = memory_copy_text(source->name, strlen(source->name));
        tensor->dtype = plan->tensors[i].dtype;
        if (tensor->dtype == DTYPE_OTHER)
            memcpy(tensor->other_dtype, source->sft->dtype_name, strlen(source->sft->dtype_name) + 1);
        tensor->rank = source->sft->rank;
        tensor->dial = settings_dial_name(&plan->options.settings, source);
        memcpy(tensor->shape, source->sft->shape, sizeof tensor->shape);
        if (tensor->name == NULL) return memory_fail(error, "the recipe");
    }
    return STATUS_OK;
}

/* Everything that decides a byte, and what tells that the inputs are still the same. */
static Status sum_plan(ExportPlan *plan, Error *error) {
    char *recipe;
    Status status = recipe_format(plan->recipe, &recipe, error);
    if (status != STATUS_OK) return status;
    Buffer text = {0};
    buffer_add_text(&text, recipe);
    free(recipe);
    for (size_t i = 0; i < plan->input_count; i++) {
        const ExportInput *input = &plan->inputs[i];
        buffer_add_format(&text, "\n%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 ".%09" PRId64,
                          input->device, input->inode, input->size, input->seconds, input->nanoseconds);
    }
    for (size_t i = 0; i < plan->shard_count; i++)
        buffer_add_format(&text, "\n%s %zu %zu", plan->shards[i].name, plan->shards[i].first,
                          plan->shards[i].count);
    char *all;
    size_t length;
    status = buffer_take(&text, &all, &length, "the plan", error);
    if (status != STATUS_OK) return status;
    status = hash_bytes(all, length, plan->hash, error);
    free(all);
    return status;
}

bool export_has_room(const ExportPlan *plan) {
    uint64_t needed = plan->total_bytes - plan->kept_bytes;
    return plan->free_bytes >= needed || needed - plan->free_bytes <= plan->left_bytes + plan->reserved_bytes;
}

/* What lies in the partial directory: to go on from, or, of another plan, to be cleared away. */
static Status judge_remains(ExportPlan *plan, Error *error) {
    uint64_t kept;
    Status status = export_partial_peek(plan, &kept, error);
    if (status != STATUS_OK) return status;
    if (kept > plan->kept_bytes) plan->kept_bytes = kept;
    uint64_t used = disk_used_bytes(plan->partial);
    if (kept == 0) plan->left_bytes = used;
    if (kept > 0 && used > kept) plan->reserved_bytes = used - kept;
    if (plan->left_bytes > 0)
        status = finding_add(&plan->findings, SEVERITY_NOTE, plan->partial_name, error,
                             "%" PRIu64
                             " bytes of an interrupted export that this one cannot go on "
                             "from: they are removed before it is written",
                             plan->left_bytes);
    if (kept > 0)
        status = finding_add(&plan->findings, SEVERITY_NOTE, plan->partial_name, error,
                             "an interrupted run of this export: %" PRIu64 " of %" PRIu64
                             " bytes of weights are there already",
                             kept, plan->weight_bytes);
    return status;
}

static Status judge_space(ExportPlan *plan, Error *error) {
    Status status = judge_remains(plan, error);
    plan->free_bytes = UINT64_MAX;
    if (status != STATUS_OK || disk_free_bytes(plan->parent, &plan->free_bytes, NULL) != STATUS_OK)
        return status; /* a parent that cannot be reached is a finding already */
    if (export_has_room(plan)) return STATUS_OK;
    return finding_add(&plan->findings, SEVERITY_ERROR, plan->parent, error,
                       "expected %" PRIu64 " free bytes, found %" PRIu64,
                       plan->total_bytes - plan->kept_bytes, plan->free_bytes);
}

/* ---- all together ---- */

static Status check_options(const Pair *pair, const ExportOptions *options, Error *error) {
    if (options->dtype != DTYPE_UNKNOWN && !dtype_is_writable(options->dtype))
        return status_fail(error, STATUS_ARGUMENT, "dtype: expected F32, F16 or BF16, found %s",
                           dtype_name(options->dtype));
    Status status = quantization_check_export(pair->sft, error);
    if (status == STATUS_OK) status = quantization_check_export(pair->base, error);
    if (status != STATUS_OK) return status;
    status = options->allow_unmatched ? pair_check(pair, error) : pair_check_whole(pair, error);
    return status == STATUS_OK ? settings_check(&options->settings, pair, error) : status;
}

/* What was stored as codes is written plain. */
static Status note_quantization(ExportPlan *plan, Error *error) {
    const Pair *pair = plan->pair;
    size_t base = pair->base->quantization.scaled, sft = pair->sft->quantization.scaled;
    if (base + sft > 0)
        return finding_add(
            &plan->findings, SEVERITY_NOTE, "quantization", error,
            "%zu tensors of base and %zu of SFT are read as code × scale; what is written is plain, "
            "without scales and without quantization_config",
            base, sft);
    if (export_donor(plan)->quantization.kind != QUANTIZATION_LEFTOVER) return STATUS_OK;
    return finding_add(&plan->findings, SEVERITY_NOTE, "quantization", error,
                       "%s; the written config.json is without it", export_donor(plan)->quantization.text);
}

/* A recipe that is not what an export wrote is exported all the same, but not without a word: its new one has a seal. */
static Status note_changes(ExportPlan *plan, Error *error) {
    const Recipe *expected = plan->options.expected;
    Status status = STATUS_OK;
    if (expected == NULL) return STATUS_OK;
    if (expected->seal == RECIPE_BROKEN)
        status = finding_add(
            &plan->findings, SEVERITY_WARNING, "recipe", error,
            "was changed since it was written: " RECIPE_SEAL_NAME
            " seals other bytes than these (one that is edited on purpose goes without that member)");
    if (status != STATUS_OK || expected->unknown == NULL) return status;
    return finding_add(&plan->findings, SEVERITY_WARNING, "recipe", error,
                       "has members that rejuv " REJUV_VERSION " does not know, which do not count: %s",
                       expected->unknown);
}

static Status make_plan(ExportPlan *plan, const char *directory, Error *error) {
    Status status = split_target(plan, directory, error);
    plan->options.directory = plan->directory;
    if (status == STATUS_OK) status = begin_recipe(plan, error);
    if (status == STATUS_OK) status = export_plan_layout(plan, error);
    if (status == STATUS_OK) status = export_plan_inputs(plan, error);
    if (status == STATUS_OK) status = list_recipe_tensors(plan, error);
    if (status == STATUS_OK) status = note_unmatched(plan, error);
    if (status == STATUS_OK) status = model_add_misfit(plan->pair, &plan->findings, error);
    if (status == STATUS_OK) status = export_plan_sidecars(plan, error);
    if (status == STATUS_OK) status = sum_plan(plan, error);
    if (status == STATUS_OK) status = note_quantization(plan, error);
    if (status == STATUS_OK) status = note_changes(plan, error);
    if (status == STATUS_OK && !settings_is_between(&plan->options.settings))
        status = finding_add(&plan->findings, SEVERITY_WARNING, "alpha", error,
                             "%g, or one of a kind or layer, is not between the two models",
                             plan->options.settings.alpha);
    if (status == STATUS_OK) status = judge_target(plan, error);
    return status == STATUS_OK ? judge_space(plan, error) : status;
}

Status export_plan(const Pair *pair, const ExportOptions *options, ExportPlan **plan, Error *error) {
    *plan = NULL;
    Status status = check_options(pair, options, error);
    if (status != STATUS_OK) return status;
    ExportPlan *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the plan");
    made->pair = pair;
    made->options = *options;
    if (made->options.shard_bytes == 0) made->options.shard_bytes = EXPORT_DEFAULT_SHARD_BYTES;
    if (made->options.window_bytes == 0) made->options.window_bytes = DEFAULT_WINDOW;
    if (made->options.window_bytes < SMALLEST_WINDOW) made->options.window_bytes = SMALLEST_WINDOW;
    if (made->options.sync_bytes == 0) made->options.sync_bytes = DEFAULT_SYNC;
    status = make_plan(made, options->directory, error);
    if (status != STATUS_OK) {
        export_plan_free(made);
        return status;
    }
    *plan = made;
    return STATUS_OK;
}

void export_plan_free(ExportPlan *plan) {
    if (plan == NULL) return;
    for (size_t i = 0; i < plan->shard_count; i++) free(plan->shards[i].name);
    for (size_t i = 0; i < plan->sidecar_count; i++) {
        free(plan->sidecars[i].name);
        free(plan->sidecars[i].source);
        free(plan->sidecars[i].text);
    }
    finding_free(&plan->findings);
    recipe_free(plan->recipe);
    free(plan->inputs);
    free(plan->sidecars);
    free(plan->shards);
    free(plan->tensors);
    free(plan->directory);
    free(plan->parent);
    free(plan->name);
    free(plan->partial_name);
    free(plan->partial);
    free(plan);
}

Status export_check(const ExportPlan *plan, Error *error) {
    const Finding *first = finding_first_error(&plan->findings);
    if (first == NULL) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "%s: %s", first->subject, first->text);
}

ExportOptions export_options_from_recipe(const Recipe *recipe) {
    return (ExportOptions){.settings = recipe->settings,
                           .dtype = recipe->dtype,
                           .shard_bytes = recipe->shard_bytes,
                           .donor = recipe->donor,
                           .allow_unmatched = recipe->unmatched.is_allowed,
                           .expected = recipe};
}
