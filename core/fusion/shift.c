#include "core/fusion/shift.h"

void shift_add(const Shift *shift, const PairTensor *tensor, Blend *blend) {
    if (shift == NULL) return;
    const PairTensor *whole = tensor->whole != NULL ? tensor->whole : tensor;
    size_t index = (size_t)(whole - shift->pair->tensors);
    blend->steps.first = tensor->first;
    if (shift->third != NULL) {
        blend->steps.third = shift->third[index];
        blend->steps.third_share = shift->third_share;
    }
    if (shift->count == 0) return;
    const ShiftTensor *moved = &shift->tensors[index];
    blend->steps.sizes = moved->sizes;
    if (moved->sizes != NULL && tensor->whole != NULL) {
        blend->steps.sizes += tensor->first / whole->sft->columns;
        blend->steps.has_one_size = tensor->sft->columns != whole->sft->columns;
    }
    blend->steps.count = shift->count;
    for (size_t i = 0; i < shift->count; i++) {
        blend->steps.keys[i] = shift->directions[i] ^ moved->name_key;
        blend->steps.coefficients[i] = shift->coefficients[i];
    }
}
