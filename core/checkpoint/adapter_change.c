#include "core/checkpoint/adapter_internal.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- floats ---- */

Status adapter_build_floats(AdapterBuild *build, size_t count, float **block, Error *error) {
    Adapter *adapter = build->adapter;
    Status status =
        MEMORY_RESERVE(adapter->floats, &adapter->float_capacity, adapter->float_count + 1, error);
    if (status != STATUS_OK) return status;
    *block = memory_allocate_aligned(count, sizeof **block);
    if (*block == NULL) return memory_fail(error, build->directory);
    memset(*block, 0, count * sizeof **block);
    adapter->floats[adapter->float_count++] = *block;
    return STATUS_OK;
}

Status adapter_build_factor(AdapterBuild *build, const SafetensorsEntry *entry, AdapterFactor *factor,
                            Error *error) {
    if (!dtype_is_float(entry->dtype) || dtype_size(entry->dtype) < sizeof(uint16_t))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: tensor %.120s: expected F32, F16 or BF16, found %s", build->directory,
                           entry->name, entry->dtype_name);
    if (entry->elements == 0)
        return status_fail(error, STATUS_FORMAT, "%s: tensor %.120s has no elements", build->directory,
                           entry->name);
    factor->rank = entry->rank;
    memcpy(factor->shape, entry->shape, sizeof factor->shape);
    if (entry->dtype == DTYPE_F32 && (uintptr_t)entry->data % sizeof(float) == 0) {
        factor->values = (const float *)(const void *)entry->data;
        return STATUS_OK;
    }
    float *widened;
    Status status = adapter_build_floats(build, (size_t)entry->elements, &widened, error);
    if (status != STATUS_OK) return status;
    kernels_get()->widen(entry->dtype, entry->data, (size_t)entry->elements, widened);
    factor->values = widened;
    return STATUS_OK;
}

/* ---- a change ---- */

static AdapterChange *find_change(const Adapter *adapter, const Tensor *target) {
    for (size_t i = adapter->change_count; i > 0; i--) {
        if (&adapter->changes[i - 1]->change == target->change) return adapter->changes[i - 1];
    }
    return NULL;
}

Status adapter_build_change(AdapterBuild *build, Tensor *target, uint64_t rows, AdapterChange **change,
                            Error *error) {
    Adapter *adapter = build->adapter;
    uint64_t elements = target->rows * target->columns;
    uint64_t columns = target->rank > 1 ? target->shape[target->rank - 1] : 1;
    if (target->change != NULL) {
        *change = find_change(adapter, target);
        if ((*change)->change.rows == rows) return STATUS_OK;
        return adapter_build_refuse(build, error, "%.120s is changed both whole and in parts", target->name);
    }
    if (!dtype_is_writable(target->dtype) || target->scale != NULL || target->codes != NULL)
        return adapter_build_refuse(build, error, "%.120s is %s in base, expected F32, F16 or BF16",
                                    target->name, checkpoint_dtype_text(target));
    if (rows == 0 || elements == 0 || elements % (rows * columns) != 0)
        return adapter_build_refuse(build, error, "%.120s has no elements in base", target->name);
    Status status =
        MEMORY_RESERVE(adapter->changes, &adapter->change_capacity, adapter->change_count + 1, error);
    if (status != STATUS_OK) return status;
    *change = memory_allocate(1, sizeof **change);
    if (*change == NULL) return memory_fail(error, build->directory);
    adapter->changes[adapter->change_count++] = *change;
    (*change)->start = *target;
    (*change)->change = (TensorChange){.start = &(*change)->start, .rows = rows, .columns = columns};
    target->change = &(*change)->change;
    return STATUS_OK;
}

Status adapter_build_product(AdapterBuild *build, const Tensor *target, AdapterChange *change, size_t matrix,
                             const KernelFactors *product, float scale, Error *error) {
    TensorChange *made = &change->change;
    if (made->factors == NULL) {
        made->factor_count = (size_t)(target->rows * target->columns / (made->rows * made->columns));
        made->factors = memory_allocate(made->factor_count, sizeof *made->factors);
        if (made->factors == NULL) return memory_fail(error, build->directory);
    }
    if (matrix >= made->factor_count || made->factors[matrix].product.rank != 0)
        return adapter_build_refuse(build, error, "%.120s is changed by two products", target->name);
    made->factors[matrix] = (TensorFactors){*product, scale};
    return STATUS_OK;
}

void adapter_build_count(AdapterBuild *build, uint64_t rank, float scale) {
    Adapter *adapter = build->adapter;
    bool is_first = adapter->products++ == 0;
    if (is_first || rank < adapter->rank_least) adapter->rank_least = rank;
    if (is_first || rank > adapter->rank_most) adapter->rank_most = rank;
    if (is_first || scale < adapter->scale_least) adapter->scale_least = scale;
    if (is_first || scale > adapter->scale_most) adapter->scale_most = scale;
}

/* ---- in base's place ---- */

static Tensor tensor_of(const AdapterBuild *build, const SafetensorsEntry *entry, const Tensor *like) {
    Tensor tensor = *like;
    tensor.dtype = entry->dtype;
    tensor.dtype_name = entry->dtype_name;
    tensor.data = entry->data;
    tensor.bytes = entry->bytes;
    tensor.file = build->sft->file_count - 1; /* the last that was added */
    tensor.rank = entry->rank;
    memcpy(tensor.shape, entry->shape, sizeof tensor.shape);
    tensor.rows = entry->rank > 0 ? entry->shape[0] : 1;
    tensor.columns = tensor.rows > 0 ? entry->elements / tensor.rows : 1;
    tensor.change = NULL;
    return tensor;
}

static bool fits(const Tensor *target, const SafetensorsEntry *entry) {
    bool is_vocabulary = target->role == TENSOR_EMBEDDING || target->role == TENSOR_HEAD;
    unsigned first = is_vocabulary ? 1 : 0;
    if (target->rank != entry->rank || entry->elements == 0) return false;
    for (unsigned i = first; i < target->rank; i++) {
        if (target->shape[i] != entry->shape[i]) return false;
    }
    return true;
}

static Status refuse_shape(const AdapterBuild *build, const Tensor *target, const SafetensorsEntry *entry,
                           Error *error) {
    char base[96], own[96];
    Tensor shaped = tensor_of(build, entry, target);
    checkpoint_format_shape(target, false, base, sizeof base);
    checkpoint_format_shape(&shaped, false, own, sizeof own);
    return adapter_build_refuse(build, error, "tensor %.120s: expected base's shape %s, found %s",
                                entry->name, base, own);
}

/* Of base's type it is a tensor like any other; of another its values are rounded to base's, as PEFT loads it. */
Status adapter_build_whole(AdapterBuild *build, Tensor *target, const SafetensorsEntry *entry, Error *error) {
    if (!fits(target, entry)) return refuse_shape(build, target, entry, error);
    if (target->change != NULL || !dtype_is_float(entry->dtype))
        return adapter_build_refuse(build, error, "tensor %.120s is not to be put in base's place",
                                    entry->name);
    if (target->data != NULL && entry->dtype == target->dtype && entry->bytes == target->bytes &&
        memcmp(entry->data, target->data, entry->bytes) == 0)
        return STATUS_OK; /* base's own, saved once more */
    Tensor tensor = tensor_of(build, entry, target);
    build->adapter->replaced++;
    if (tensor.dtype == target->dtype && target->scale == NULL && target->codes == NULL) {
        *target = tensor;
        return STATUS_OK;
    }
    AdapterChange *change;
    target->rows = tensor.rows;
    memcpy(target->shape, tensor.shape, sizeof target->shape);
    target->bytes = entry->elements * dtype_size(target->dtype);
    Status status = adapter_build_change(build, target, target->rows, &change, error);
    if (status == STATUS_OK) change->start = tensor;
    return status;
}

/* Behind all others; what points to tensors is made again. */
Status adapter_build_head(AdapterBuild *build, const char *name, const SafetensorsEntry *entry,
                          Error *error) {
    Checkpoint *sft = build->sft;
    const Tensor *embedding = checkpoint_find_role(sft, TENSOR_EMBEDDING, -1);
    if (embedding == NULL || sft->part_count > 0)
        return adapter_build_refuse(build, error, "tensor %.120s: base has none to put it in the place of",
                                    name);
    Tensor head = *embedding;
    if (embedding->change != NULL) head = find_change(build->adapter, embedding)->start;
    head.name = name;
    head.role = TENSOR_HEAD;
    Status status = checkpoint_add_tensor(sft, &head, error);
    return status == STATUS_OK && entry != NULL
               ? adapter_build_whole(build, &sft->tensors[sft->tensor_count - 1], entry, error)
               : status;
}

/* ---- magnitudes and tokens ---- */

Status adapter_build_magnitude(AdapterBuild *build, const Tensor *target, AdapterChange *change,
                               const SafetensorsEntry *entry, bool is_by_columns, Error *error) {
    AdapterFactor factor;
    Status status = adapter_build_factor(build, entry, &factor, error);
    if (status != STATUS_OK) return status;
    TensorMagnitude *magnitude = &change->magnitude;
    uint64_t count = is_by_columns ? change->change.columns : change->change.rows;
    if (entry->elements != count || change->change.factor_count != 1)
        return adapter_build_refuse(
            build, error, "tensor %.120s: expected %" PRIu64 " magnitudes of %.120s, found %" PRIu64,
            entry->name, count, target->name, entry->elements);
    magnitude->values = factor.values;
    magnitude->is_by_columns = is_by_columns;
    magnitude->norms = memory_allocate((size_t)count, sizeof *magnitude->norms);
    magnitude->squares = memory_allocate(is_by_columns ? (size_t)count : 0, sizeof *magnitude->squares);
    if (magnitude->norms == NULL || magnitude->squares == NULL) return memory_fail(error, build->directory);
    for (uint64_t i = 0; i < count; i++) atomic_init(&magnitude->norms[i], TENSOR_NORM_UNKNOWN);
    if (pthread_mutex_init(&magnitude->measuring, NULL) != 0) return memory_fail(error, build->directory);
    change->has_mutex = true;
    change->change.magnitude = magnitude;
    return STATUS_OK;
}

static int compare_rows(const void *a, const void *b) {
    const TensorTokenRow *left = a, *right = b;
    return (left->row > right->row) - (left->row < right->row);
}

static Status read_token_rows(AdapterBuild *build, const Tensor *target, TensorChange *change,
                              const cJSON *list, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        uint64_t row;
        if (!json_read_count(item, &row) || row >= target->rows)
            return adapter_build_refuse(build, error,
                                        "trainable_token_indices: expected rows of %.120s below %" PRIu64,
                                        target->name, target->rows);
        change->token_rows[change->token_count] = (TensorTokenRow){row, change->token_count};
        change->token_count++;
    }
    qsort(change->token_rows, change->token_count, sizeof *change->token_rows, compare_rows);
    for (size_t i = 1; i < change->token_count; i++) {
        if (change->token_rows[i - 1].row == change->token_rows[i].row)
            return adapter_build_refuse(build, error, "trainable_token_indices: %" PRIu64 " is there twice",
                                        change->token_rows[i].row);
    }
    return STATUS_OK;
}

Status adapter_build_tokens(AdapterBuild *build, Tensor *target, const char *module,
                            const SafetensorsEntry *entry, Error *error) {
    const cJSON *list = adapter_settings_tokens(&build->adapter->settings, module);
    size_t count = (size_t)cJSON_GetArraySize(list);
    AdapterChange *change;
    if (target->rank != 2 || entry->rank != 2 || entry->shape[0] != count ||
        entry->shape[1] != target->columns || !dtype_is_float(entry->dtype) || count == 0)
        return adapter_build_refuse(build, error,
                                    "tensor %.120s: expected a row for each of %zu trainable_token_indices",
                                    entry->name, count);
    Status status = adapter_build_change(build, target, target->rows, &change, error);
    if (status != STATUS_OK) return status;
    if (change->change.tokens != NULL)
        return adapter_build_refuse(build, error, "%.120s has tokens learned alone twice", target->name);
    change->tokens = tensor_of(build, entry, target);
    change->change.tokens = &change->tokens;
    change->change.token_rows = memory_allocate(count, sizeof *change->change.token_rows);
    if (change->change.token_rows == NULL) return memory_fail(error, build->directory);
    build->adapter->replaced++;
    return read_token_rows(build, target, &change->change, list, error);
}
