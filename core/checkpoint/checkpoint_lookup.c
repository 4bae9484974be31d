/*
 * Naming and looking up in a checkpoint that is open, or half open: what is found while it opens needs this too.
 */
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_codes.h"
#include "core/checkpoint/tensor_name.h"
#include "core/support/memory.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a program reads beside the weights to run a model; all else that it reads is a tokenizer's, or a template. */
bool checkpoint_is_text_file(const char *name) {
    static const char *const OF_MODEL[] = {"config.json",
                                           "generation_config.json",
                                           "*processor_config.json",
                                           "audio_tokenizer_config.json",
                                           "modules.json",
                                           "config_sentence_transformers.json",
                                           "sentence_*_config.json",
                                           "*.safetensors*",
                                           "pytorch_model*.bin*",
                                           "*.py",
                                           "custom_generate*",
                                           "[0-9]*_*"};
    for (size_t i = 0; i < sizeof OF_MODEL / sizeof *OF_MODEL; i++) {
        if (fnmatch(OF_MODEL[i], name, 0) == 0) return false;
    }
    return true;
}

const char *checkpoint_text_directory(const Checkpoint *checkpoint) {
    return checkpoint->home != NULL && !checkpoint->has_text ? checkpoint->home : checkpoint->directory;
}

char *checkpoint_path(const Checkpoint *checkpoint, const char *name) {
    bool is_text = checkpoint->home == NULL || (checkpoint->has_text && checkpoint_is_text_file(name));
    return memory_format("%s/%s", is_text ? checkpoint->directory : checkpoint->home, name);
}

Status checkpoint_list(const Checkpoint *checkpoint, DirectoryListing *listing, Error *error) {
    if (checkpoint->home == NULL) return directory_listing_read(checkpoint->directory, listing, error);
    Status status = directory_listing_read(checkpoint->home, listing, error);
    if (status != STATUS_OK || !checkpoint->has_text) return status;
    DirectoryListing own = {0};
    status = directory_listing_read(checkpoint->directory, &own, error);
    if (status == STATUS_OK)
        status = directory_listing_exchange(listing, &own, checkpoint_is_text_file, error);
    directory_listing_free(&own);
    return status;
}

void checkpoint_name_tensor(Tensor *tensor, const char *name) {
    TensorName read = tensor_name_read(name, tensor->rank);
    bool is_score =
        read.role == TENSOR_HEAD && tensor->rank == 2 && tensor->rows == 1; /* of a reward model */
    tensor->name = name;
    tensor->role = is_score ? TENSOR_OTHER : read.role;
    tensor->layer = read.layer;
    tensor->expert = read.expert;
    tensor->part = read.part;
    tensor->is_bias = read.is_bias;
}

static int compare_by_name(const void *a, const void *b, void *tensors) {
    const Tensor *all = tensors;
    return strcmp(all[*(const size_t *)a].name, all[*(const size_t *)b].name);
}

void checkpoint_sort_names(Checkpoint *checkpoint) {
    qsort_r(checkpoint->by_name, checkpoint->tensor_count, sizeof *checkpoint->by_name, compare_by_name,
            checkpoint->tensors);
}

const Tensor *checkpoint_find_tensor(const Checkpoint *checkpoint, const char *name) {
    size_t low = 0, high = checkpoint->tensor_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const Tensor *tensor = &checkpoint->tensors[checkpoint->by_name[middle]];
        int order = strcmp(name, tensor->name);
        if (order == 0) return tensor;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const Tensor *checkpoint_find_role(const Checkpoint *checkpoint, TensorRole role, int layer) {
    const RoleEntry *found =
        role == TENSOR_OTHER ? NULL : role_index_find(&checkpoint->roles, role, layer, NULL);
    return found == NULL ? NULL : &checkpoint->tensors[found->tensor];
}

DType checkpoint_main_dtype(const Checkpoint *checkpoint) {
    uint64_t bytes[DTYPE_COUNT] = {0};
    for (size_t i = 0; i < checkpoint->tensor_count; i++)
        bytes[checkpoint->tensors[i].dtype] += checkpoint->tensors[i].bytes;
    DType most = DTYPE_UNKNOWN;
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (bytes[i] > bytes[most]) most = (DType)i;
    }
    return most;
}

const char *checkpoint_dtype_text(const Tensor *tensor) {
    if (tensor->codes != NULL) return tensor->codes->name;
    if (tensor->scale == NULL) return tensor->dtype_name;
    return tensor->dtype == DTYPE_F8_E4M3 ? "F8_E4M3+scale" : "F8_E5M2+scale";
}

void checkpoint_format_shape(const Tensor *tensor, bool ascii, char *text, size_t size) {
    size_t used = 0;
    for (unsigned i = 0; i <= tensor->rank && used < size; i++) {
        int length = i < tensor->rank
                         ? snprintf(text + used, size - used, "%s%" PRIu64,
                                    i == 0  ? "["
                                    : ascii ? " x "
                                            : " × ",
                                    tensor->shape[i])
                         : snprintf(text + used, size - used, "%s", tensor->rank == 0 ? "[]" : "]");
        if (length < 0) break;
        used += (size_t)length;
    }
}
