#include "core/checkpoint/checkpoint.h"
#include "core/export/export_internal.h"
#include "core/files/disk.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_CHUNK = 1 << 20 };

/* What a tokenizer, its template and generation need. Missing ones are fine. */
static const char *const DONOR_FILES[] = {
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "tekken.json",
    "tiktoken.model",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
};
static const char TEMPLATES[] = "chat_templates";

/* ---- which ---- */

/* Takes `source` and `text` over, also on failure. */
static Status add_sidecar(ExportPlan *plan, const char *name, char *source, char *text, uint64_t bytes,
                          Error *error) {
    Status status = MEMORY_RESERVE(plan->sidecars, &plan->sidecar_capacity, plan->sidecar_count + 1, error);
    char *own_name = memory_copy_text(name, strlen(name));
    if (status == STATUS_OK && own_name == NULL) status = memory_fail(error, name);
    char sum[HASH_HEX_SIZE] = "";
    if (status == STATUS_OK && text != NULL) status = hash_bytes(text, bytes, sum, error);
    if (status == STATUS_OK && strcmp(name, RECIPE_FILE_NAME) != 0)
        status = recipe_add_file(&plan->recipe->files, name, bytes, sum, error);
    if (status != STATUS_OK) {
        free(own_name);
        free(source);
        free(text);
        return status;
    }
    plan->sidecars[plan->sidecar_count++] =
        (ExportSidecar){.name = own_name, .source = source, .text = text, .bytes = bytes};
    plan->total_bytes += bytes;
    return STATUS_OK;
}

static Status add_text(ExportPlan *plan, const char *name, Buffer *buffer, Error *error) {
    char *text;
    size_t length;
    Status status = buffer_take(buffer, &text, &length, name, error);
    return status == STATUS_OK ? add_sidecar(plan, name, NULL, text, length, error) : status;
}

static Status add_donor_file(ExportPlan *plan, const char *name, Error *error) {
    char *path = checkpoint_path(export_donor(plan), name);
    struct stat facts;
    if (path == NULL) return memory_fail(error, name);
    Status status = stand_in_check(path, error);
    if (status != STATUS_OK) {
        free(path);
        return status;
    }
    if (stat(path, &facts) == 0) {
        if (S_ISREG(facts.st_mode))
            return add_sidecar(plan, name, path, NULL, (uint64_t)facts.st_size, error);
    } else if (errno != ENOENT) {
        status = status_fail_errno(error, errno, "%s", path);
    }
    free(path);
    return status;
}

static int is_template(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    static const char ENDING[] = ".jinja";
    return entry->d_name[0] != '.' && length > sizeof ENDING - 1 &&
           strcmp(entry->d_name + length - (sizeof ENDING - 1), ENDING) == 0;
}

static Status add_templates(ExportPlan *plan, Error *error) {
    char *path = checkpoint_path(export_donor(plan), TEMPLATES);
    if (path == NULL) return memory_fail(error, TEMPLATES);
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_template, alphasort);
    Status status = STATUS_OK;
    if (count < 0 && errno != ENOENT && errno != ENOTDIR)
        status = status_fail_errno(error, errno, "%s", path);
    for (int i = 0; i < count; i++) {
        char *name = memory_format("%s/%s", TEMPLATES, entries[i]->d_name);
        if (status == STATUS_OK)
            status = name != NULL ? add_donor_file(plan, name, error) : memory_fail(error, TEMPLATES);
        free(name);
        free(entries[i]);
    }
    free(entries);
    free(path);
    return status;
}

/* ---- their text ---- */

static int compare_tensor_names(const void *a, const void *b) {
    const ExportTensor *const *left = a, *const *right = b;
    return strcmp((*left)->source->name, (*right)->source->name);
}

/* As transformers prints it: indented by two, keys sorted. */
static Status add_index(ExportPlan *plan, Error *error) {
    if (plan->shard_count == 1) return STATUS_OK;
    const ExportTensor **sorted = memory_allocate(plan->tensor_count, sizeof *sorted);
    if (sorted == NULL) return memory_fail(error, "the index");
    for (size_t i = 0; i < plan->tensor_count; i++) sorted[i] = &plan->tensors[i];
    qsort(sorted, plan->tensor_count, sizeof *sorted, compare_tensor_names);
    Buffer index = {0};
    buffer_add_format(&index, "{\n  \"metadata\": {\n    \"total_size\": %" PRIu64 "\n  },\n",
                      plan->weight_bytes);
    buffer_add_text(&index, "  \"weight_map\": {");
    for (size_t i = 0; i < plan->tensor_count; i++) {
        buffer_add_text(&index, i > 0 ? ",\n    " : "\n    ");
        buffer_add_quoted(&index, sorted[i]->source->name);
        buffer_add_text(&index, ": ");
        buffer_add_quoted(&index, plan->shards[sorted[i]->shard].name);
    }
    buffer_add_text(&index, "\n  }\n}\n");
    free(sorted);
    return add_text(plan, "model.safetensors.index.json", &index, error);
}

/* A number that YAML 1.1 takes for one: an exponent needs a point before it. */
static void add_yaml_number(Buffer *yaml, double value) {
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", value);
    char *exponent = strchr(text, 'e');
    if (exponent != NULL && strchr(text, '.') == NULL)
        buffer_add_format(yaml, "%.*s.0%s", (int)(exponent - text), text, exponent);
    else
        buffer_add_text(yaml, text);
}

static void add_yaml_model(Buffer *yaml, const Checkpoint *model, double weight) {
    buffer_add_text(yaml, "  - model: ");
    buffer_add_quoted(yaml, model->directory);
    buffer_add_text(yaml, "\n    parameters:\n      weight: ");
    add_yaml_number(yaml, weight);
    buffer_add_text(yaml, "\n");
}

static void add_yaml_dials(Buffer *yaml, const Settings *settings) {
    bool has_own = settings->curve != NULL;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) has_own |= settings->kinds[i].is_set;
    if (has_own) buffer_add_text(yaml, "# Not in it: what has a weight of its own, by module or layer.\n");
    uint32_t cut = settings_cut(settings);
    if (cut > 0)
        buffer_add_format(yaml, "# Not in it: the reset of %" PRIu64 " neurons.\n",
                          ranking_count(settings->ranking, cut));
}

static void add_yaml_limits(Buffer *yaml, const ExportPlan *plan) {
    size_t other = 0, copied = 0, enlarged = 0;
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const PairTensor *source = plan->tensors[i].source;
        other += plan->tensors[i].dtype != plan->main_dtype;
        copied += !source->is_fused;
        enlarged += source->is_fused && source->base->rows < source->sft->rows;
    }
    buffer_add_text(yaml, "# It stands for the blend of every tensor that both models have.\n");
    if (copied > 0) buffer_add_format(yaml, "# Not in it: %zu tensors that are copied from SFT.\n", copied);
    if (plan->pair->names.rename_count > 0 || plan->pair->names.by_role > 0 || plan->pair->experts.met > 0)
        buffer_add_text(yaml,
                        "# Not in it: that names of base and SFT differ: mergekit expects equal ones.\n");
    if (enlarged > 0)
        buffer_add_format(yaml,
                          "# Not in it: the rows that base lacks, of %zu tensors; they stay SFT's here, and "
                          "mergekit drops them.\n",
                          enlarged);
    if (other > 0)
        buffer_add_format(yaml, "# Not in it: %zu tensors are written in another type than out_dtype.\n",
                          other);
    if (plan->pair->base->quantization.scaled + plan->pair->sft->quantization.scaled > 0)
        buffer_add_text(
            yaml,
            "# Not in it: scales. Here codes are blended as code times scale; mergekit blends codes.\n");
    add_yaml_dials(yaml, &plan->options.settings);
    if (plan->pair->unties_head)
        buffer_add_text(yaml,
                        "# Not in it: tie_word_embeddings, which the written head needs to be false.\n");
}

static Status add_mergekit(ExportPlan *plan, Error *error) {
    double alpha = plan->options.settings.alpha;
    const char *dtype = dtype_torch_name(plan->main_dtype);
    Buffer yaml = {0};
    buffer_add_text(&yaml, "# The fusion of " RECIPE_FILE_NAME
                           " for mergekit 0.1.5 (linear):\n"
                           "#     mergekit-yaml mergekit.yaml OUT\n");
    add_yaml_limits(&yaml, plan);
    buffer_add_text(&yaml,
                    "# Files are laid out differently: compare tensor by tensor.\n"
                    "merge_method: linear\nbase_model: ");
    buffer_add_quoted(&yaml, export_donor(plan)->directory);
    buffer_add_text(&yaml, " # config.json and tokenizer come from here\nmodels:\n");
    add_yaml_model(&yaml, plan->pair->sft, alpha);
    add_yaml_model(&yaml, plan->pair->base, 1.0 - alpha);
    buffer_add_text(&yaml, "parameters:\n  normalize: false\ndtype: float32\n");
    if (dtype != NULL) buffer_add_format(&yaml, "out_dtype: %s\n", dtype);
    return add_text(plan, "mergekit.yaml", &yaml, error);
}

/* The recipe is written last, when all sums are known; each takes the same room, so its size is known now. */
static Status add_recipe(ExportPlan *plan, Error *error) {
    char *text;
    Status status = recipe_format(plan->recipe, &text, error);
    if (status != STATUS_OK) return status;
    const RecipeFiles *lists[] = {&plan->recipe->files, &plan->recipe->base.files, &plan->recipe->sft.files};
    size_t unknown = plan->tensor_count;
    for (int l = 0; l < 3; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) unknown += lists[l]->list[i].sha256[0] == '\0';
    }
    uint64_t bytes = strlen(text) + unknown * (HASH_HEX_SIZE - 1);
    free(text);
    return add_sidecar(plan, RECIPE_FILE_NAME, NULL, NULL, bytes, error);
}

Status export_plan_sidecars(ExportPlan *plan, Error *error) {
    char *config;
    Status status = export_make_config(plan, &config, error);
    if (status == STATUS_OK && config != NULL)
        status = add_sidecar(plan, "config.json", NULL, config, strlen(config), error);
    if (status == STATUS_OK) status = add_index(plan, error);
    size_t before = plan->sidecar_count;
    for (size_t i = 0; i < sizeof DONOR_FILES / sizeof *DONOR_FILES && status == STATUS_OK; i++)
        status = add_donor_file(plan, DONOR_FILES[i], error);
    if (status == STATUS_OK) status = add_templates(plan, error);
    if (status == STATUS_OK && plan->sidecar_count == before)
        status = finding_add(&plan->findings, SEVERITY_WARNING, "tokenizer", error, "%s has none to copy",
                             export_donor(plan)->directory);
    if (status == STATUS_OK) status = add_mergekit(plan, error);
    return status == STATUS_OK ? add_recipe(plan, error) : status;
}

/* ---- writing ---- */

static Status copy_contents(int from, int to, const ExportSidecar *sidecar, char sum[HASH_HEX_SIZE],
                            Error *error) {
    unsigned char *block = memory_allocate(COPY_CHUNK, 1);
    Hash *hash = NULL;
    Status status = block != NULL ? hash_create(&hash, error) : memory_fail(error, sidecar->name);
    uint64_t copied = 0;
    while (status == STATUS_OK) {
        ssize_t count = read(from, block, COPY_CHUNK);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            status = status_fail_errno(error, errno, "%s", sidecar->source);
        } else {
            status = hash_add(hash, block, (size_t)count, error);
            if (status == STATUS_OK)
                status = disk_write(to, block, (size_t)count, copied, sidecar->name, error);
            copied += (uint64_t)count;
        }
    }
    if (status == STATUS_OK && copied != sidecar->bytes)
        status = status_fail(error, STATUS_IO, "%s: expected %" PRIu64 " bytes as planned, found %" PRIu64,
                             sidecar->source, sidecar->bytes, copied);
    if (status == STATUS_OK) status = hash_finish(hash, sum, error);
    hash_free(hash);
    free(block);
    return status;
}

static Status copy_sidecar(const ExportSidecar *sidecar, int directory, char sum[HASH_HEX_SIZE],
                           Error *error) {
    int from = open(sidecar->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) return status_fail_errno(error, errno, "%s", sidecar->source);
    DiskFile to;
    Status status =
        disk_file_begin(&to, directory, sidecar->name, NULL, DISK_FILE_REUSE, sidecar->name, error);
    if (status == STATUS_OK) {
        status = copy_contents(from, to.descriptor, sidecar, sum, error);
        if (status == STATUS_OK)
            status = disk_file_commit(&to, DISK_SYNC_CONTENTS, error);
        else
            disk_file_discard(&to);
    }
    (void)close(from); /* opened for reading: nothing can be lost */
    return status;
}

/* The one directory that sidecars may need. */
static Status make_templates(const ExportPlan *plan, int directory, int *made, Error *error) {
    *made = -1;
    bool needed = false;
    for (size_t i = 0; i < plan->sidecar_count; i++) needed |= strchr(plan->sidecars[i].name, '/') != NULL;
    if (!needed) return STATUS_OK;
    if (mkdirat(directory, TEMPLATES, 0777) != 0 && errno != EEXIST)
        return status_fail_errno(error, errno, "%s/%s", plan->partial, TEMPLATES);
    return disk_open_directory(directory, TEMPLATES, plan->partial, made, error);
}

static Status write_recipe(const ExportPlan *plan, int directory, Error *error) {
    char *text;
    Status status = recipe_format(plan->recipe, &text, error);
    if (status != STATUS_OK) return status;
    status = disk_write_file(directory, RECIPE_FILE_NAME, text, strlen(text), RECIPE_FILE_NAME, error);
    free(text);
    return status;
}

Status export_write_sidecars(ExportPlan *plan, int directory, Error *error) {
    int templates;
    Status status = make_templates(plan, directory, &templates, error);
    for (size_t i = 0; i + 1 < plan->sidecar_count && status == STATUS_OK; i++) {
        const ExportSidecar *sidecar = &plan->sidecars[i];
        status = sidecar->text != NULL
                     ? disk_write_file(directory, sidecar->name, sidecar->text, sidecar->bytes, sidecar->name,
                                       error)
                     : copy_sidecar(sidecar, directory, plan->recipe->files.list[i].sha256, error);
    }
    if (status == STATUS_OK && templates >= 0) status = disk_sync(templates, plan->partial, error);
    if (templates >= 0) (void)close(templates); /* opened for reading */
    if (status == STATUS_OK) status = write_recipe(plan, directory, error);
    return status == STATUS_OK ? disk_sync(directory, plan->partial, error) : status;
}
