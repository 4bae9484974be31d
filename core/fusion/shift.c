#include "core/fusion/shift.h"

void shift_add(const Shift *shift, const PairTensor *tensor, Blend *blend) {
    if (shift == NULL || shift->count == 0) return;
    const ShiftTensor *moved = &shift->tensors[tensor - shift->pair->tensors];
    blend->steps.sizes = moved->sizes;
    blend->steps.count = shift->count;
    for (size_t i = 0; i < shift->count; i++) {
        blend->steps.keys[i] = shift->directions[i] ^ moved->name_key;
        blend->steps.coefficients[i] = shift->coefficients[i];
    }
}
