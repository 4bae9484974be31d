/*
 * What belongs to a tensor's codes, or to activations, and is no tensor of its own.
 */
#include "core/checkpoint/quantization_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* Parts that belong to activations; those that are also names of parameters only where they are one number. */
static const struct {
    const char *suffix;
    bool one_number;
} ACTIVATIONS[] = {
    {".input_scale", false},
    {".input_scale_ub", false},
    {".input_scale_inv", false},
    {"activation_scale", false},
    {".input_global_scale", false},
    {".qscale_act", false},
    {".k_scale", true},
    {".v_scale", true},
    {".q_scale", true},
    {".kv_scale", true},
    {".output_scale", true},
    {".prob_output_scale", true},
};

void quantization_mark_activations(Checkpoint *checkpoint, bool *is_part) {
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        for (size_t a = 0; a < sizeof ACTIVATIONS / sizeof *ACTIVATIONS && !is_part[i]; a++) {
            if (!tensor_name_ends_with(tensor->name, ACTIVATIONS[a].suffix)) continue;
            if (ACTIVATIONS[a].one_number && tensor->rows * tensor->columns != 1) continue;
            is_part[i] = true;
            if (checkpoint->quantization.activations++ == 0)
                checkpoint->quantization.activation = tensor->name;
        }
    }
}

Status quantization_move_parts(Checkpoint *checkpoint, const bool *is_part, size_t *place_of, Error *error) {
    size_t count = checkpoint->tensor_count, before = checkpoint->part_count, tensors = 0, named = 0;
    Tensor *moved = memory_allocate(count + before, sizeof *moved);
    if (moved == NULL) return memory_fail(error, checkpoint->directory);
    for (size_t i = 0; i < count; i++) tensors += !is_part[i];
    size_t tensor = 0, part = tensors;
    for (size_t i = 0; i < count; i++) {
        place_of[i] = is_part[i] ? part++ : tensor++;
        moved[place_of[i]] = checkpoint->tensors[i];
        uint64_t elements = checkpoint->tensors[i].bytes / dtype_size(checkpoint->tensors[i].dtype);
        if (is_part[i]) checkpoint->parameters -= elements;
    }
    for (size_t i = 0; i < before; i++) moved[part++] = checkpoint->parts[i];
    for (size_t i = 0; i < count; i++) {
        size_t at = checkpoint->by_name[i];
        if (!is_part[at]) checkpoint->by_name[named++] = place_of[at];
    }
    free(checkpoint->tensors);
    checkpoint->tensors = moved;
    checkpoint->tensor_count = tensors;
    checkpoint->parts = moved + tensors;
    checkpoint->part_count = part - tensors;
    return STATUS_OK;
}
