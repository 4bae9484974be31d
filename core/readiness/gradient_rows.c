#include "core/readiness/gradient_rows.h"

#include "core/support/memory.h"

#include <stdlib.h>

static int compare_look_ups(const void *a, const void *b) {
    const struct GradientLookUp *left = a, *right = b;
    if (left->row != right->row) return left->row < right->row ? -1 : 1;
    return left->token < right->token ? -1 : left->token > right->token;
}

Status gradient_rows_make(const size_t *rows, size_t tokens, GradientRows *made, Error *error) {
    *made = (GradientRows){.tokens = tokens};
    made->look_ups = memory_allocate(tokens, sizeof *made->look_ups);
    made->used = memory_allocate(tokens, sizeof *made->used);
    if (made->look_ups == NULL || made->used == NULL) {
        gradient_rows_free(made);
        return memory_fail(error, "gradients");
    }
    for (size_t i = 0; i < tokens; i++) made->look_ups[i] = (struct GradientLookUp){rows[i], i};
    if (tokens > 0) qsort(made->look_ups, tokens, sizeof *made->look_ups, compare_look_ups);
    for (size_t i = 0; i < tokens; i++) {
        if (i == 0 || made->look_ups[i].row != made->look_ups[i - 1].row)
            made->used[made->used_count++] = made->look_ups[i].row;
    }
    return STATUS_OK;
}

void gradient_rows_free(GradientRows *rows) {
    free(rows->look_ups);
    free(rows->used);
    *rows = (GradientRows){0};
}

size_t gradient_rows_find(const GradientRows *rows, size_t row) {
    size_t low = 0, high = rows->used_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->used[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

Status gradient_rows_square(const GradientRows *rows, const float *gradient, size_t width,
                            const float *others, double *square, Error *error) {
    double *sum = memory_allocate(width, sizeof *sum);
    if (sum == NULL) return memory_fail(error, "gradients");
    *square = 0.0;
    for (size_t used = 0, i = 0; used < rows->used_count; used++) {
        for (size_t c = 0; c < width; c++) sum[c] = others == NULL ? 0.0 : (double)others[used * width + c];
        for (; i < rows->tokens && rows->look_ups[i].row == rows->used[used]; i++) {
            const float *own = gradient + rows->look_ups[i].token * width;
            for (size_t c = 0; c < width; c++) sum[c] += (double)own[c];
        }
        for (size_t c = 0; c < width; c++) *square += sum[c] * sum[c];
    }
    free(sum);
    return STATUS_OK;
}
