#include "core/export/export_internal.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MOST_SHARDS = 99999, HEADER_LIMIT = 100000000, HEADER_ALIGNMENT = 8 };

/* How the dtype is called in the header. */
static const char *name_dtype(const ExportTensor *tensor) {
    return tensor->dtype == DTYPE_OTHER ? tensor->source->sft->dtype_name : dtype_name(tensor->dtype);
}

/* A tensor that is not fused is SFT's bytes, whatever type is asked for; unless they are codes, whose scales are not
 * written. */
static DType choose_dtype(const ExportPlan *plan, const PairTensor *source) {
    DType own = source->sft->dtype;
    if (!source->is_fused && source->sft->scale == NULL) return own;
    if (plan->options.dtype != DTYPE_UNKNOWN) return plan->options.dtype;
    if (dtype_is_writable(own)) return own;
    return own == DTYPE_F64 ? DTYPE_F32 : DTYPE_BF16;
}

static Status list_tensors(ExportPlan *plan, Error *error) {
    if (plan->pair->count == 0)
        return status_fail(error, STATUS_ARGUMENT, "%s: there is no tensor to export",
                           plan->pair->sft->directory);
    plan->tensors = memory_allocate(plan->pair->count, sizeof *plan->tensors);
    if (plan->tensors == NULL) return memory_fail(error, "the plan");
    uint64_t bytes[DTYPE_COUNT] = {0};
    for (size_t i = 0; i < plan->pair->count; i++) {
        const PairTensor *source = &plan->pair->tensors[i];
        ExportTensor *tensor = &plan->tensors[plan->tensor_count++];
        *tensor = (ExportTensor){.source = source, .dtype = choose_dtype(plan, source)};
        tensor->elements = source->sft->bytes / dtype_size(source->sft->dtype);
        if (!memory_multiply(tensor->elements, dtype_size(tensor->dtype), &tensor->bytes) ||
            !memory_add(plan->weight_bytes, tensor->bytes, &plan->weight_bytes))
            return status_fail(error, STATUS_NO_MEMORY, "tensor %s: its size does not fit", source->name);
        bytes[tensor->dtype] += tensor->bytes;
        if (dtype_is_float(tensor->dtype) && bytes[tensor->dtype] > bytes[plan->main_dtype])
            plan->main_dtype = tensor->dtype;
    }
    return STATUS_OK;
}

static Status note_dtypes(ExportPlan *plan, Error *error) {
    size_t from_f64 = 0, from_f8 = 0, to_f16 = 0;
    for (size_t i = 0; i < plan->tensor_count; i++) {
        DType own = plan->tensors[i].source->sft->dtype, written = plan->tensors[i].dtype;
        if (own == written) continue;
        from_f64 += own == DTYPE_F64 && plan->options.dtype == DTYPE_UNKNOWN;
        from_f8 += dtype_size(own) == 1 && plan->options.dtype == DTYPE_UNKNOWN &&
                   plan->tensors[i].source->sft->scale == NULL;
        to_f16 += written == DTYPE_F16;
    }
    Status status = STATUS_OK;
    if (from_f64 > 0)
        status = finding_add(&plan->findings, SEVERITY_NOTE, "dtype", error,
                             "%zu tensors are F64 in SFT and written as F32", from_f64);
    if (status == STATUS_OK && from_f8 > 0)
        status = finding_add(&plan->findings, SEVERITY_NOTE, "dtype", error,
                             "%zu tensors are F8 in SFT and written as BF16", from_f8);
    if (status == STATUS_OK && to_f16 > 0)
        status = finding_add(&plan->findings, SEVERITY_NOTE, "dtype", error,
                             "F16 ends at 65504: a larger value becomes infinite, and verification "
                             "then names it");
    return status;
}

/* Tensors of one shard in descending size of their elements, else as they were: no one is misaligned then. */
static int compare_alignment(const void *a, const void *b) {
    const ExportTensor *left = a, *right = b;
    size_t left_size = dtype_size(left->dtype), right_size = dtype_size(right->dtype);
    if (left_size != right_size) return left_size > right_size ? -1 : 1;
    return left->source < right->source ? -1 : left->source > right->source;
}

static bool place_tensors(ExportPlan *plan, ExportShard *shard) {
    bool aligned = true;
    shard->data_bytes = 0;
    for (size_t i = shard->first; i < shard->first + shard->count; i++) {
        ExportTensor *tensor = &plan->tensors[i];
        tensor->offset = shard->data_bytes;
        if (tensor->offset % dtype_size(tensor->dtype) != 0) aligned = false;
        shard->data_bytes += tensor->bytes; /* part of weight_bytes, which fits */
    }
    return aligned;
}

static Status close_shard(ExportPlan *plan, ExportShard *shard, Error *error) {
    if (!place_tensors(plan, shard)) {
        qsort(plan->tensors + shard->first, shard->count, sizeof *plan->tensors, compare_alignment);
        (void)place_tensors(plan, shard); /* now they are */
    }
    char *header;
    size_t length;
    Status status = export_format_header(plan, shard, &header, &length, error);
    if (status != STATUS_OK) return status;
    free(header);
    if (length > HEADER_LIMIT)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "the names of %zu tensors need a header of %zu bytes; a safetensors file may "
                           "have %d: a smaller shard size helps",
                           shard->count, length, HEADER_LIMIT);
    shard->file_bytes = HEADER_ALIGNMENT + length + shard->data_bytes;
    plan->total_bytes += shard->file_bytes;
    return STATUS_OK;
}

/* A new shard begins with the tensor that would make the last one too large, as transformers does it. */
static Status list_shards(ExportPlan *plan, Error *error) {
    size_t capacity = 0;
    uint64_t filled = 0;
    for (size_t i = 0; i < plan->tensor_count; i++) {
        uint64_t bytes = plan->tensors[i].bytes;
        bool fits = plan->shard_count > 0 && bytes <= plan->options.shard_bytes &&
                    filled <= plan->options.shard_bytes - bytes;
        if (!fits && (plan->shard_count == 0 || filled > 0)) {
            Status status = MEMORY_RESERVE(plan->shards, &capacity, plan->shard_count + 1, error);
            if (status != STATUS_OK) return status;
            plan->shards[plan->shard_count++] = (ExportShard){.first = i};
            filled = 0;
        }
        plan->shards[plan->shard_count - 1].count++;
        plan->tensors[i].shard = plan->shard_count - 1;
        filled += bytes;
    }
    if (plan->shard_count > MOST_SHARDS)
        return status_fail(error, STATUS_ARGUMENT,
                           "shards of %" PRIu64 " bytes would be %zu files, more than %d",
                           plan->options.shard_bytes, plan->shard_count, MOST_SHARDS);
    for (size_t i = 0; i < plan->shard_count; i++) {
        ExportShard *shard = &plan->shards[i];
        shard->name = plan->shard_count == 1
                          ? memory_format("model.safetensors")
                          : memory_format("model-%05zu-of-%05zu.safetensors", i + 1, plan->shard_count);
        if (shard->name == NULL) return memory_fail(error, "the plan");
        Status status = close_shard(plan, shard, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

Status export_plan_layout(ExportPlan *plan, Error *error) {
    Status status = list_tensors(plan, error);
    if (status == STATUS_OK) status = note_dtypes(plan, error);
    return status == STATUS_OK ? list_shards(plan, error) : status;
}

Status export_format_header(const ExportPlan *plan, const ExportShard *shard, char **text, size_t *length,
                            Error *error) {
    Buffer header = {0};
    buffer_add_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = shard->first; i < shard->first + shard->count; i++) {
        const ExportTensor *tensor = &plan->tensors[i];
        const Tensor *shape = tensor->source->sft;
        buffer_add_text(&header, ",");
        buffer_add_quoted(&header, tensor->source->name);
        buffer_add_format(&header, ":{\"dtype\":\"%s\",\"shape\":[", name_dtype(tensor));
        for (unsigned d = 0; d < shape->rank; d++)
            buffer_add_format(&header, "%s%" PRIu64, d > 0 ? "," : "", shape->shape[d]);
        buffer_add_format(&header, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", tensor->offset,
                          tensor->offset + tensor->bytes);
    }
    buffer_add_text(&header, "}");
    while (!header.failed && header.length % HEADER_ALIGNMENT != 0) buffer_add_text(&header, " ");
    return buffer_take(&header, text, length, "a header", error);
}
