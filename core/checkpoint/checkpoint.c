#include "core/checkpoint/checkpoint.h"

#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SINGLE_NAME[] = "model.safetensors", INDEX_NAME[] = "model.safetensors.index.json";

enum { CONFIG_LIMIT = 16 << 20, INDEX_LIMIT = 256 << 20 };

/* Files that people point this program at by mistake, and what to do about it. */
static const struct {
    const char *name, *hint;
} MISTAKES[] = {
    {"adapter_model.safetensors", "a LoRA adapter: merge it into its base model first"},
    {"pytorch_model.bin", "a pickle: convert it to safetensors first (save_pretrained does)"},
    {"pytorch_model.bin.index.json", "pickles: convert them to safetensors first (save_pretrained does)"},
    {"consolidated.safetensors", "the layout of the original release: the Hugging Face layout is expected"},
};

/* Of any name before it. */
static const char GGUF_ENDING[] = ".gguf",
                  GGUF_HINT[] =
                      "GGUF: convert the model to safetensors first, or take the one that it was made from";

/* On the stack: where memory ran out, a file that is there must not seem to be missing. */
static bool has_file(const Checkpoint *checkpoint, const char *name) {
    char path[PATH_MAX];
    struct stat facts;
    int length = snprintf(path, sizeof path, "%s/%s", checkpoint->directory, name);
    return length >= 0 && (size_t)length < sizeof path && stat(path, &facts) == 0;
}

/* A shard's name comes from an untrusted index: a plain name within the directory, or refused. */
static bool is_plain_name(const char *name) {
    size_t length = strlen(name);
    static const char ENDING[] = ".safetensors";
    return length > sizeof ENDING - 1 && length < 256 && strchr(name, '/') == NULL && name[0] != '.' &&
           strcmp(name + length - (sizeof ENDING - 1), ENDING) == 0;
}

static int compare_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- which files ---- */

static Status add_file_name(Checkpoint *checkpoint, const char *name, Error *error) {
    char *copy = memory_copy_text(name, strlen(name));
    if (copy == NULL) return memory_fail(error, "a file name");
    checkpoint->file_names[checkpoint->file_count++] = copy;
    return STATUS_OK;
}

/* The distinct file names of the index's weight_map, sorted. */
static Status read_shard_names(Checkpoint *checkpoint, const cJSON *map, const char *path, Error *error) {
    int entries = cJSON_GetArraySize(map);
    const char **names = memory_allocate((size_t)entries, sizeof *names);
    checkpoint->file_names = memory_allocate((size_t)entries, sizeof *checkpoint->file_names);
    if (names == NULL || checkpoint->file_names == NULL) {
        free(names);
        return memory_fail(error, path);
    }
    Status status = STATUS_OK;
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, map) {
        if (!cJSON_IsString(item) || !is_plain_name(item->valuestring)) {
            status = status_fail(
                error, STATUS_FORMAT,
                "%s: tensor %s: expected the name of a .safetensors file in this directory, found "
                "\"%.100s\"",
                path, item->string, cJSON_IsString(item) ? item->valuestring : "no text");
            break;
        }
        names[count++] = item->valuestring;
    }
    if (status == STATUS_OK) qsort(names, count, sizeof *names, compare_text);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i == 0 || strcmp(names[i - 1], names[i]) != 0)
            status = add_file_name(checkpoint, names[i], error);
    }
    free(names);
    return status;
}

static bool is_gguf(const char *name) {
    size_t length = strlen(name), ending = sizeof GGUF_ENDING - 1;
    return length > ending && strcmp(name + length - ending, GGUF_ENDING) == 0;
}

/* Whether the directory holds a file of that kind; one that cannot be listed holds none. */
static bool has_gguf(const char *directory) {
    DIR *stream = opendir(directory);
    if (stream == NULL) return false;
    const struct dirent *entry;
    do entry = readdir(stream);
    while (entry != NULL && !is_gguf(entry->d_name));
    (void)closedir(stream); /* only read from */
    return entry != NULL;
}

static Status refuse_directory(const Checkpoint *checkpoint, Error *error) {
    struct stat facts;
    const char *directory = checkpoint->directory;
    if (stat(directory, &facts) != 0) return status_fail_errno(error, errno, "%s", directory);
    if (!S_ISDIR(facts.st_mode))
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a model directory, found a file%s%s",
                           directory, is_gguf(directory) ? " of " : "", is_gguf(directory) ? GGUF_HINT : "");
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        if (has_file(checkpoint, MISTAKES[i].name))
            return status_fail(error, STATUS_UNSUPPORTED, "%s: expected %s or %s, found %s, %s", directory,
                               SINGLE_NAME, INDEX_NAME, MISTAKES[i].name, MISTAKES[i].hint);
    }
    if (has_gguf(directory))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected %s or %s, found %s", directory,
                           SINGLE_NAME, INDEX_NAME, GGUF_HINT);
    return status_fail(error, STATUS_FORMAT, "%s: expected %s or %s, found neither", directory, SINGLE_NAME,
                       INDEX_NAME);
}

/* Fills file_names; the index, where there is one, stays with the caller for check_index(). */
static Status find_files(Checkpoint *checkpoint, cJSON **index, Error *error) {
    *index = NULL;
    if (has_file(checkpoint, SINGLE_NAME)) {
        checkpoint->file_names = memory_allocate(1, sizeof *checkpoint->file_names);
        if (checkpoint->file_names == NULL) return memory_fail(error, checkpoint->directory);
        return add_file_name(checkpoint, SINGLE_NAME, error);
    }
    if (!has_file(checkpoint, INDEX_NAME)) return refuse_directory(checkpoint, error);
    char *path = checkpoint_path(checkpoint, INDEX_NAME);
    if (path == NULL) return memory_fail(error, INDEX_NAME);
    checkpoint->is_sharded = true;
    Status status = json_read_file(path, INDEX_LIMIT, index, error);
    if (status == STATUS_OK) {
        const cJSON *map = json_find(*index, "weight_map");
        status = cJSON_IsObject(map) && map->child != NULL
                     ? read_shard_names(checkpoint, map, path, error)
                     : status_fail(error, STATUS_FORMAT, "%s: expected an object \"weight_map\"", path);
    }
    free(path);
    return status;
}

static Status open_files(Checkpoint *checkpoint, Error *error) {
    checkpoint->files = memory_allocate(checkpoint->file_count, sizeof *checkpoint->files);
    if (checkpoint->files == NULL) return memory_fail(error, checkpoint->directory);
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        char *path = checkpoint_path(checkpoint, checkpoint->file_names[i]);
        if (path == NULL) return memory_fail(error, checkpoint->directory);
        Status status = safetensors_open(path, &checkpoint->files[i], error);
        free(path);
        if (status != STATUS_OK) return status;
        checkpoint->tensor_count += checkpoint->files[i]->count;
    }
    return STATUS_OK;
}

/* ---- the tensors ---- */

/* A tensor without elements has no rows, whatever its shape claims: nobody shall walk over 2^52 empty ones.
 */
static void view_as_matrix(Tensor *tensor) {
    uint64_t elements = tensor->bytes / dtype_size(tensor->dtype);
    if (dtype_is_packed(tensor->dtype)) {
        tensor->rows = elements;
        tensor->columns = 1;
        return;
    }
    tensor->rows = tensor->rank > 0 ? tensor->shape[0] : 1;
    if (elements == 0) tensor->rows = 0;
    tensor->columns = tensor->rows > 0 ? elements / tensor->rows : 1;
}

static Tensor make_tensor(const SafetensorsEntry *entry, size_t file) {
    Tensor tensor = {.name = entry->name,
                     .dtype = entry->dtype,
                     .dtype_name = entry->dtype_name,
                     .rank = entry->rank,
                     .data = entry->data,
                     .bytes = entry->bytes,
                     .file = file};
    memcpy(tensor.shape, entry->shape, sizeof tensor.shape);
    view_as_matrix(&tensor);
    TensorName name = tensor_name_read(entry->name, entry->rank);
    tensor.role = name.role;
    tensor.layer = name.layer;
    tensor.expert = name.expert;
    tensor.part = name.part;
    tensor.is_bias = name.is_bias;
    return tensor;
}

/* "post_attention_layernorm" says where it stands; what else the model has says what it does. */
static void judge_post_norms(Checkpoint *checkpoint) {
    bool has_them = false;
    for (size_t i = 0; i < checkpoint->tensor_count && !has_them; i++)
        has_them = tensor_name_has_post_norms(checkpoint->tensors[i].name);
    for (size_t i = 0; i < checkpoint->tensor_count && has_them; i++) {
        Tensor *tensor = &checkpoint->tensors[i];
        if (tensor->role == TENSOR_MLP_NORM && strstr(tensor->name, "post_attention_layernorm") != NULL)
            tensor->role = TENSOR_POST_ATTENTION_NORM;
    }
}

static Status index_roles(Checkpoint *checkpoint, Error *error) {
    Status status = role_index_reserve(&checkpoint->roles, checkpoint->tensor_count, error);
    for (size_t i = 0; i < checkpoint->tensor_count && status == STATUS_OK; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        role_index_add(&checkpoint->roles, (RoleEntry){tensor->role, tensor->layer, tensor->is_bias, i});
    }
    if (status == STATUS_OK) role_index_sort(&checkpoint->roles);
    return status;
}

static int compare_by_name(const void *a, const void *b, void *tensors) {
    const Tensor *all = tensors;
    return strcmp(all[*(const size_t *)a].name, all[*(const size_t *)b].name);
}

static Status list_tensors(Checkpoint *checkpoint, Error *error) {
    checkpoint->tensors = memory_allocate(checkpoint->tensor_count, sizeof *checkpoint->tensors);
    checkpoint->by_name = memory_allocate(checkpoint->tensor_count, sizeof *checkpoint->by_name);
    if (checkpoint->tensors == NULL || checkpoint->by_name == NULL)
        return memory_fail(error, checkpoint->directory);
    size_t next = 0;
    for (size_t f = 0; f < checkpoint->file_count; f++) {
        for (size_t i = 0; i < checkpoint->files[f]->count; i++, next++) {
            Tensor tensor = make_tensor(&checkpoint->files[f]->entries[i], f);
            checkpoint->parameters += checkpoint->files[f]->entries[i].elements;
            checkpoint->bytes += tensor.bytes;
            if (tensor.layer >= 0 && (size_t)tensor.layer + 1 > checkpoint->layers)
                checkpoint->layers = (size_t)tensor.layer + 1;
            checkpoint->tensors[next] = tensor;
            checkpoint->by_name[next] = next;
        }
    }
    qsort_r(checkpoint->by_name, next, sizeof *checkpoint->by_name, compare_by_name, checkpoint->tensors);
    for (size_t i = 1; i < next; i++) {
        const Tensor *a = &checkpoint->tensors[checkpoint->by_name[i - 1]];
        const Tensor *b = &checkpoint->tensors[checkpoint->by_name[i]];
        if (strcmp(a->name, b->name) == 0)
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s is both in %s and in %s",
                               checkpoint->directory, a->name, checkpoint->file_names[a->file],
                               checkpoint->file_names[b->file]);
    }
    judge_post_norms(checkpoint);
    return STATUS_OK;
}

/* Every tensor that the index promises must be in the file it names. */
static Status check_index(const Checkpoint *checkpoint, const cJSON *index, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(index, "weight_map")) {
        const Tensor *tensor = checkpoint_find_tensor(checkpoint, item->string);
        if (tensor == NULL)
            return status_fail(error, STATUS_FORMAT,
                               "%s: tensor %s: the index says it is in %s, but it is not",
                               checkpoint->directory, item->string, item->valuestring);
        if (strcmp(checkpoint->file_names[tensor->file], item->valuestring) != 0)
            return status_fail(
                error, STATUS_FORMAT, "%s: tensor %s: the index says it is in %s, but it is in %s",
                checkpoint->directory, item->string, item->valuestring, checkpoint->file_names[tensor->file]);
    }
    return STATUS_OK;
}

/* ---- config.json ---- */

/* Only a file that is not there is no config.json: one that cannot be reached is an error. */
static Status read_config(Checkpoint *checkpoint, Error *error) {
    char *path = checkpoint_path(checkpoint, "config.json");
    if (path == NULL) return memory_fail(error, "config.json");
    struct stat facts;
    Status status = STATUS_OK;
    if (stat(path, &facts) == 0) {
        status = json_read_file(path, CONFIG_LIMIT, &checkpoint->config, error);
        if (status == STATUS_OK)
            checkpoint->model_status = architecture_read_config(checkpoint->config, path, &checkpoint->model,
                                                                &checkpoint->model_error);
    } else if (errno == ENOENT) {
        checkpoint->model_status = status_fail(&checkpoint->model_error, STATUS_FORMAT,
                                               "%s: there is no config.json", checkpoint->directory);
    } else {
        status = status_fail_errno(error, errno, "%s", path);
    }
    free(path);
    return status;
}

Status checkpoint_open(const char *directory, Checkpoint **checkpoint, Error *error) {
    *checkpoint = NULL;
    Checkpoint *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, directory);
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') length--;
    opened->directory = memory_copy_text(directory, length);
    cJSON *index = NULL;
    Status status = opened->directory == NULL ? memory_fail(error, directory) : STATUS_OK;
    if (status == STATUS_OK) status = find_files(opened, &index, error);
    if (status == STATUS_OK) status = open_files(opened, error);
    if (status == STATUS_OK) status = list_tensors(opened, error);
    if (status == STATUS_OK && index != NULL) status = check_index(opened, index, error);
    if (status == STATUS_OK) status = read_config(opened, error);
    if (status == STATUS_OK) status = quantization_read(opened, error);
    if (status == STATUS_OK) status = index_roles(opened, error); /* of what is left as a tensor */
    cJSON_Delete(index);
    if (status != STATUS_OK) {
        checkpoint_close(opened);
        return status;
    }
    *checkpoint = opened;
    return STATUS_OK;
}

void checkpoint_close(Checkpoint *checkpoint) {
    if (checkpoint == NULL) return;
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        if (checkpoint->files != NULL) safetensors_close(checkpoint->files[i]);
        free(checkpoint->file_names[i]);
    }
    free(checkpoint->files);
    free(checkpoint->file_names);
    free(checkpoint->tensors);
    free(checkpoint->by_name);
    role_index_free(&checkpoint->roles);
    free(checkpoint->scales);
    cJSON_Delete(checkpoint->config);
    free(checkpoint->directory);
    free(checkpoint);
}
