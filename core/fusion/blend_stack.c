#include "core/checkpoint/tensor_values.h"
#include "core/fusion/blend_internal.h"

/* The stretch of ranks that is matrix `index`'s. */
static const uint32_t *find_ranks(const BlendStack *stack, size_t index) {
    return stack->ranks + index % stack->parts * stack->part_stride + index / stack->parts * stack->stride;
}

void blend_stack_take(const Blend *blend, size_t element, BlendMatrix *matrix) {
    const BlendStack *stack = &blend->stack;
    size_t size = (size_t)(stack->rows * stack->columns), index = element / size, first = index * size;
    bool has_base = blend->base != NULL && blend->base->rows >= blend->sft->rows;
    matrix->element = element - first;
    matrix->left = size - matrix->element;
    matrix->sft = tensor_values_slice(blend->sft, first, stack->rows, stack->columns);
    if (has_base) matrix->base = tensor_values_slice(blend->base, first, stack->rows, stack->columns);
    matrix->blend = *blend;
    matrix->blend.stack = (BlendStack){0};
    matrix->blend.sft = &matrix->sft;
    matrix->blend.base = has_base ? &matrix->base : NULL;
    matrix->blend.row_ranks = stack->are_rows ? find_ranks(stack, index) : NULL;
    matrix->blend.column_ranks = stack->are_rows ? NULL : find_ranks(stack, index);
    matrix->blend.steps.first += first;
    if (matrix->blend.steps.sizes == NULL) return;
    matrix->blend.steps.sizes += first / blend->sft->columns;
    matrix->blend.steps.has_one_size = stack->columns != blend->sft->columns;
}
