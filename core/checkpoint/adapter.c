#include "core/checkpoint/adapter.h"

#include "core/checkpoint/adapter_internal.h"
#include "core/checkpoint/directory.h"
#include "core/checkpoint/head.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/weights_file.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Which file makes which format; MLX's goes first, as a directory of both is one that mlx_lm wrote. */
static const struct {
    const char *file;
    AdapterFormat format;
    const char *program;
} FORMATS[] = {{"adapters.safetensors", ADAPTER_MLX, "MLX"},
               {"adapter_model.safetensors", ADAPTER_PEFT, "PEFT"},
               {"adapter_model.bin", ADAPTER_PEFT, "PEFT"}};

enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

static Status has_file(const char *directory, const char *name, bool *has, Error *error) {
    struct stat facts;
    char *path = memory_format("%s/%s", directory, name);
    if (path == NULL) return memory_fail(error, directory);
    *has = stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
    free(path);
    return STATUS_OK;
}
/* The first format whose file is there; FORMAT_COUNT where none is. */
static Status find_format(const char *directory, size_t *format, Error *error) {
    Status status = STATUS_OK;
    bool has = false;
    for (*format = 0; *format < FORMAT_COUNT && status == STATUS_OK; ++*format) {
        status = has_file(directory, FORMATS[*format].file, &has, error);
        if (has) break;
    }
    return status;
}

Status adapter_is_directory(const char *path, bool *is_adapter, Error *error) {
    bool has = false, has_model = false;
    size_t format;
    *is_adapter = false;
    Status status = has_file(path, ADAPTER_SETTINGS_FILE, &has, error);
    if (status != STATUS_OK || !has) return status;
    for (int i = 0; i < DIRECTORY_NAME_COUNT && status == STATUS_OK && !has_model; i++)
        status = has_file(path, DIRECTORY_NAMES[i], &has_model, error);
    if (status == STATUS_OK) status = find_format(path, &format, error);
    if (status == STATUS_OK) *is_adapter = !has_model && format < FORMAT_COUNT;
    return status;
}
/* ---- its files ---- */

/* Read before base is opened, whose checkpoint takes them then. */
typedef struct AdapterFiles {
    char *directory; /* without a slash at its end */
    size_t format;
    SafetensorsFile *settings, *weights;
} AdapterFiles;

/* Among the checkpoint's, which owns it then. */
static Status add_file(Checkpoint *sft, SafetensorsFile *file, const char *name, Error *error) {
    size_t files = sft->file_count, names = sft->file_count;
    char *copy = memory_copy_text(name, strlen(name));
    Status status = copy == NULL ? memory_fail(error, name) : STATUS_OK;
    if (status == STATUS_OK) status = MEMORY_RESERVE(sft->files, &files, sft->file_count + 1, error);
    if (status == STATUS_OK) status = MEMORY_RESERVE(sft->file_names, &names, sft->file_count + 1, error);
    if (status != STATUS_OK) {
        free(copy);
        safetensors_close(file);
        return status;
    }
    sft->files[sft->file_count] = file;
    sft->file_names[sft->file_count++] = copy;
    return STATUS_OK;
}

static void close_files(AdapterFiles *files) {
    safetensors_close(files->settings);
    safetensors_close(files->weights);
    free(files->directory);
}

static Status open_settings(AdapterFiles *files, Error *error) {
    char *path = memory_format("%s/%s", files->directory, ADAPTER_SETTINGS_FILE);
    if (path == NULL) return memory_fail(error, ADAPTER_SETTINGS_FILE);
    Status status = safetensors_open_beside(path, &files->settings, error);
    free(path);
    return status;
}

static Status name_directory(AdapterFiles *files, const char *directory, Error *error) {
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    files->directory = memory_copy_text(directory, length);
    return files->directory == NULL ? memory_fail(error, directory) : STATUS_OK;
}

static Status read_files(const char *directory, AdapterFiles *files, Adapter *adapter, Error *error) {
    Status status = name_directory(files, directory, error);
    if (status == STATUS_OK) status = find_format(files->directory, &files->format, error);
    if (status == STATUS_OK && files->format == FORMAT_COUNT)
        status = status_fail(error, STATUS_FORMAT, "%s: the adapter's weights are not there any more",
                             files->directory);
    if (status == STATUS_OK) status = open_settings(files, error);
    if (status != STATUS_OK) return status;
    const SafetensorsFile *text = files->settings;
    status = adapter_settings_read((const char *)text->map, text->size, text->path, files->directory,
                                   FORMATS[files->format].format, &adapter->settings, error);
    if (status == STATUS_OK)
        status = weights_file_open(files->directory, FORMATS[files->format].file, &files->weights, error);
    if (status == STATUS_OK)
        status =
            adapter_names_read(files->weights, &adapter->settings, files->directory, &adapter->names, error);
    if (status == STATUS_OK && adapter->names.count == 0)
        return status_fail(error, STATUS_FORMAT, "%s: there is no tensor in it", files->weights->path);
    return status;
}

/* ---- its modules ---- */

/* Tensors in base's place go before products, which may be added to them; a head goes after the embedding, which it may
 * repeat. */
static int turn_of(const AdapterModule *module) {
    if (module->whole == NULL) return 2;
    return tensor_name_read(module->name, 2).role == TENSOR_HEAD ? 1 : 0;
}

static Status build_modules(AdapterBuild *build, Error *error) {
    const AdapterNames *names = &build->adapter->names;
    Status status = STATUS_OK;
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < names->count && status == STATUS_OK; i++) {
            if (turn_of(&names->modules[i]) == turn)
                status = adapter_build_module(build, &names->modules[i], error);
        }
    }
    return status;
}

static uint64_t rows_of(const Checkpoint *sft, TensorRole role) {
    const Tensor *tensor = checkpoint_find_role(sft, role, -1);
    return tensor == NULL ? 0 : tensor->rows;
}

/* A larger vocabulary is one of embedding and head, and what config.json says of it no longer holds. */
static Status settle_vocabulary(AdapterBuild *build, const uint64_t before[2], Error *error) {
    Checkpoint *sft = build->sft;
    uint64_t embedding = rows_of(sft, TENSOR_EMBEDDING), head = rows_of(sft, TENSOR_HEAD);
    if (embedding == before[0] && (head == before[1] || before[1] == 0)) return STATUS_OK;
    if (head != 0 && head != embedding)
        return adapter_build_refuse(build, error,
                                    "the vocabulary has %" PRIu64 " tokens in the embedding and %" PRIu64
                                    " in the head",
                                    embedding, head);
    if (sft->model_status == STATUS_OK) sft->model.vocabulary = embedding;
    return STATUS_OK;
}

/* ---- what is said of it ---- */

/* Parts of a tokenizer without its vocabulary are none: base's is taken, all of it. */
static Status remark_text(AdapterBuild *build, Error *error) {
    static const char *const PARTS[] = {"tokenizer_config.json", "added_tokens.json",
                                        "special_tokens_map.json", "chat_template.jinja"};
    Checkpoint *sft = build->sft;
    Status status = STATUS_OK;
    bool has = false;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && status == STATUS_OK && !has && !sft->has_text;
         i++) {
        status = has_file(build->directory, PARTS[i], &has, error);
        if (has && status == STATUS_OK)
            status = finding_add(&sft->remarks, SEVERITY_WARNING, "adapter", error,
                                 "%s has %s and no vocabulary: tokenizer and templates are base's",
                                 build->directory, PARTS[i]);
    }
    return status;
}

static Status remark(AdapterBuild *build, Error *error) {
    FindingList *remarks = &build->sft->remarks;
    const char *base_model = build->adapter->settings.base_model;
    char *text = adapter_describe(build->adapter);
    finding_free(remarks); /* base's, which the base side has */
    Status status = text == NULL
                        ? memory_fail(error, "an adapter")
                        : finding_add(remarks, SEVERITY_NOTE, "adapter", error,
                                      "α is its scale, 1 as it was learned; SFT is base with it: %s%s%.100s",
                                      text, base_model[0] != '\0' ? ", learned on " : "", base_model);
    if (status == STATUS_OK) status = finding_add_all(remarks, &build->adapter->settings.remarks, error);
    free(text);
    return status == STATUS_OK ? remark_text(build, error) : status;
}

/* ---- all of it ---- */

static Status put_on(AdapterBuild *build, Error *error) {
    const uint64_t before[] = {rows_of(build->sft, TENSOR_EMBEDDING), rows_of(build->sft, TENSOR_HEAD)};
    Status status = build_modules(build, error);
    if (status == STATUS_OK) status = settle_vocabulary(build, before, error);
    if (status == STATUS_OK) status = remark(build, error);
    if (status != STATUS_OK) return status;
    head_settle(build->sft);
    if (build->sft->model_status == STATUS_OK && build->sft->head_differs)
        architecture_untie_head(&build->sft->model);
    return STATUS_OK;
}

/* The files that a tokenizer is read from (tokenizer_source.h). */
static Status find_text(Checkpoint *sft, Error *error) {
    static const char *const FILES[] = {
        "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
        "tekken.json",    "tiktoken.model",  "vocab.json"};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES && status == STATUS_OK && !sft->has_text; i++)
        status = has_file(sft->directory, FILES[i], &sft->has_text, error);
    return status;
}

/* From here on the checkpoint is the adapter's, and base's directory is where the rest is. */
static Status take_files(Checkpoint *sft, AdapterFiles *files, Error *error) {
    SafetensorsFile *settings = files->settings, *weights = files->weights;
    sft->home = sft->directory;
    sft->home_files = sft->file_count;
    sft->directory = files->directory;
    files->directory = NULL;
    files->settings = NULL; /* taken or closed */
    Status status = add_file(sft, settings, ADAPTER_SETTINGS_FILE, error);
    if (status != STATUS_OK) return status;
    files->weights = NULL;
    status = add_file(sft, weights, FORMATS[files->format].file, error);
    return status == STATUS_OK ? find_text(sft, error) : status;
}

static void share_tensor(const Checkpoint *sft, const Checkpoint *base, Tensor *tensor) {
    uint64_t offset;
    if (tensor->data == NULL || tensor->file >= sft->home_files || tensor->file >= base->file_count) return;
    const SafetensorsFile *own = sft->files[tensor->file], *file = base->files[tensor->file];
    if (file_stamp_equal(&own->stamp, &file->stamp) && safetensors_find_offset(own, tensor->data, &offset))
        tensor->data = file->map + offset;
}

void adapter_share_base(Checkpoint *sft, const Checkpoint *base) {
    for (size_t i = 0; i < sft->tensor_count; i++) share_tensor(sft, base, &sft->tensors[i]);
    for (size_t i = 0; i < sft->adapter->change_count; i++)
        share_tensor(sft, base, &sft->adapter->changes[i]->start);
}

static Status open_on_base(const char *base_directory, AdapterFiles *files, Adapter *adapter,
                           Checkpoint **checkpoint, Error *error) {
    Checkpoint *opened;
    Status status = checkpoint_open(base_directory, &opened, error);
    if (status != STATUS_OK) {
        adapter_free(adapter);
        return status;
    }
    opened->adapter = adapter;
    status = quantization_check(opened, error);
    if (status == STATUS_OK) status = take_files(opened, files, error);
    AdapterBuild build = {opened, adapter, opened->directory};
    if (status == STATUS_OK) status = put_on(&build, error);
    if (status != STATUS_OK) {
        checkpoint_close(opened);
        return status;
    }
    *checkpoint = opened;
    return STATUS_OK;
}

/* Its own files first: base may be a thousand times as large, and the adapter none that can be put on any. */
Status adapter_open(const char *base_directory, const char *directory, Checkpoint **checkpoint,
                    Error *error) {
    AdapterFiles files = {0};
    *checkpoint = NULL;
    Adapter *adapter = memory_allocate(1, sizeof *adapter);
    if (adapter == NULL) return memory_fail(error, directory);
    Status status = read_files(directory, &files, adapter, error);
    if (status == STATUS_OK)
        status = open_on_base(base_directory, &files, adapter, checkpoint, error);
    else
        adapter_free(adapter);
    close_files(&files);
    return status;
}
