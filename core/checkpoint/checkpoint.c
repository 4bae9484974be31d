#include "core/checkpoint/checkpoint.h"

#include "core/checkpoint/adapter.h"
#include "core/checkpoint/directory.h"
#include "core/checkpoint/head.h"
#include "core/checkpoint/weights_file.h"
#include "core/files/stand_in.h"
#include "core/support/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CONFIG_LIMIT = 16 << 20 };

/* ---- which files ---- */

/* The directory that was given may hold the one that is meant. */
static Status find_files(Checkpoint *checkpoint, const char *path, cJSON **index, Error *error) {
    Directory found = {0};
    Status status = directory_find_weights(path, &found, error);
    if (status == STATUS_OK) {
        checkpoint->directory = found.path;
        checkpoint->file_names = found.files;
        checkpoint->file_count = found.file_count;
        checkpoint->is_sharded = found.index != NULL || found.file_count > 1;
        checkpoint->remarks = found.remarks;
        *index = found.index;
        found = (Directory){0};
    }
    directory_free(&found);
    return status;
}

static Status open_files(Checkpoint *checkpoint, Error *error) {
    checkpoint->files = memory_allocate(checkpoint->file_count, sizeof *checkpoint->files);
    if (checkpoint->files == NULL) return memory_fail(error, checkpoint->directory);
    for (size_t i = 0; i < checkpoint->file_count; i++) {
        Status status =
            weights_file_open(checkpoint->directory, checkpoint->file_names[i], &checkpoint->files[i], error);
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
    Tensor tensor = {.dtype = entry->dtype,
                     .dtype_name = entry->dtype_name,
                     .rank = entry->rank,
                     .data = entry->data,
                     .bytes = entry->bytes,
                     .file = file};
    memcpy(tensor.shape, entry->shape, sizeof tensor.shape);
    view_as_matrix(&tensor);
    checkpoint_name_tensor(&tensor, entry->name);
    return tensor;
}

/* A layer's norms, by names that tell. */
enum { HAS_POST_NORMS = 1, HAS_OWN_POST_NORM = 2 };

/* "post_attention_layernorm" says where it stands; what else the layer has says what it does: where another norm follows
 * attention (GLM-4), this one precedes the MLP all the same. OLMo Hybrid's is saved as "feedforward_layer_norm", too. */
static Status judge_post_norms(Checkpoint *checkpoint, Error *error) {
    size_t layers = 0;
    for (size_t i = 0; i < checkpoint->tensor_count; i++)
        if (checkpoint->tensors[i].layer >= (int)layers) layers = (size_t)checkpoint->tensors[i].layer + 1;
    unsigned char *has = memory_allocate(layers + 1, sizeof *has); /* the last: of no layer */
    if (has == NULL) return memory_fail(error, checkpoint->directory);
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        unsigned char *own = &has[tensor->layer < 0 ? layers : (size_t)tensor->layer];
        if (tensor_name_has_post_norms(tensor->name)) *own |= HAS_POST_NORMS;
        if (tensor->role == TENSOR_POST_ATTENTION_NORM) *own |= HAS_OWN_POST_NORM;
    }
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        Tensor *tensor = &checkpoint->tensors[i];
        bool is_last = strstr(tensor->name, "post_attention_layernorm") != NULL ||
                       strstr(tensor->name, "feedforward_layer_norm") != NULL;
        if (tensor->role == TENSOR_MLP_NORM && is_last && tensor->layer >= 0 &&
            has[tensor->layer] == HAS_POST_NORMS)
            tensor->role = TENSOR_POST_ATTENTION_NORM;
    }
    free(has);
    return STATUS_OK;
}

static Status index_roles(Checkpoint *checkpoint, Error *error) {
    Status status = role_index_reserve(&checkpoint->roles, checkpoint->tensor_count, error);
    for (size_t i = 0; i < checkpoint->tensor_count && status == STATUS_OK; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        role_index_add(&checkpoint->roles,
                       (RoleEntry){tensor->role, tensor->layer, tensor->expert, tensor->is_bias, i});
    }
    if (status == STATUS_OK) role_index_sort(&checkpoint->roles);
    return status;
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
    checkpoint_sort_names(checkpoint);
    for (size_t i = 1; i < next; i++) {
        const Tensor *a = &checkpoint->tensors[checkpoint->by_name[i - 1]];
        const Tensor *b = &checkpoint->tensors[checkpoint->by_name[i]];
        if (strcmp(a->name, b->name) == 0 && a->file == b->file)
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s is there twice",
                               checkpoint->files[a->file]->path, a->name);
        if (strcmp(a->name, b->name) == 0)
            return status_fail(error, STATUS_FORMAT, "%s: tensor %s is both in %s and in %s",
                               checkpoint->directory, a->name, checkpoint->file_names[a->file],
                               checkpoint->file_names[b->file]);
    }
    return judge_post_norms(checkpoint, error);
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

/* generate() of transformers takes end-of-text ids from there where it can read it, else from config.json. So what is no
 * file of JSON is passed over here too, and told; what only the system does not give would change figures, and is an error. */
static Status read_generation(Checkpoint *checkpoint, Error *error) {
    static const char NAME[] = "generation_config.json";
    char *path = checkpoint_path(checkpoint, NAME);
    if (path == NULL) return memory_fail(error, NAME);
    struct stat facts;
    cJSON *json = NULL;
    Error why;
    bool is_there = stat(path, &facts) == 0;
    Status status = is_there          ? json_read_file(path, CONFIG_LIMIT, &json, &why)
                    : errno == ENOENT ? stand_in_check(path, &why)
                                      : status_fail_errno(&why, errno, "%s", path);
    free(path);
    if (json != NULL) architecture_read_generation(json, &checkpoint->model);
    cJSON_Delete(json);
    if (status == STATUS_OK) return STATUS_OK;
    if (status == STATUS_NO_MEMORY || (status == STATUS_IO && is_there))
        return status_fail(error, status, "%s", why.message);
    return finding_add(&checkpoint->remarks, SEVERITY_WARNING, NAME, error,
                       "passed over, as transformers does: %s", why.message);
}

/* What config.json leaves to other files, and to tensors. */
static Status settle_model(Checkpoint *checkpoint, Error *error) {
    head_settle(checkpoint);
    if (checkpoint->model_status != STATUS_OK) return STATUS_OK;
    if (checkpoint->head_differs) architecture_untie_head(&checkpoint->model);
    return read_generation(checkpoint, error);
}

/* Only a file that is not there is no config.json: one that cannot be reached is an error. */
static Status read_config(Checkpoint *checkpoint, Error *error) {
    char *path = checkpoint_path(checkpoint, "config.json");
    if (path == NULL) return memory_fail(error, "config.json");
    struct stat facts;
    Status status = STATUS_OK;
    if (stat(path, &facts) == 0) {
        status = json_read_typed(path, CONFIG_LIMIT, &checkpoint->config, error);
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

Status checkpoint_add_tensor(Checkpoint *checkpoint, const Tensor *tensor, Error *error) {
    size_t count = checkpoint->tensor_count, capacity = count;
    Status status = MEMORY_RESERVE(checkpoint->tensors, &capacity, count + 1, error);
    capacity = count;
    if (status == STATUS_OK) status = MEMORY_RESERVE(checkpoint->by_name, &capacity, count + 1, error);
    if (status != STATUS_OK) return status;
    checkpoint->tensors[count] = *tensor;
    checkpoint->by_name[count] = count;
    checkpoint->tensor_count++;
    checkpoint->parameters += tensor->rows * tensor->columns;
    checkpoint->bytes += tensor->bytes;
    checkpoint_sort_names(checkpoint);
    role_index_free(&checkpoint->roles);
    return index_roles(checkpoint, error);
}

Status checkpoint_open(const char *directory, Checkpoint **checkpoint, Error *error) {
    *checkpoint = NULL;
    Checkpoint *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, directory);
    cJSON *index = NULL;
    Status status = find_files(opened, directory, &index, error);
    if (status == STATUS_OK) status = open_files(opened, error);
    if (status == STATUS_OK) status = list_tensors(opened, error);
    if (status == STATUS_OK && index != NULL) status = check_index(opened, index, error);
    if (status == STATUS_OK) status = read_config(opened, error);
    if (status == STATUS_OK) status = quantization_read(opened, error);
    if (status == STATUS_OK) status = index_roles(opened, error); /* of what is left as a tensor */
    if (status == STATUS_OK) status = settle_model(opened, error);
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
    adapter_free(checkpoint->adapter);
    free(checkpoint->home);
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
    free(checkpoint->codes);
    free(checkpoint->code_names);
    cJSON_Delete(checkpoint->config);
    finding_free(&checkpoint->remarks);
    free(checkpoint->directory);
    free(checkpoint);
}
