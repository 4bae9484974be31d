#include "core/transformer/norm.h"

#include <math.h>

void norm_forward(const float *x, const float *weight, size_t size, double epsilon, float *out) {
    double squares = 0.0;
    for (size_t i = 0; i < size; i++) squares += (double)x[i] * (double)x[i];
    float scale = (float)(1.0 / sqrt(squares / (double)size + epsilon));
    for (size_t i = 0; i < size; i++) out[i] = weight[i] * (x[i] * scale);
}

void norm_backward(const float *x, const float *weight, const float *gradient, size_t size, double epsilon,
                   float *out) {
    double squares = 0.0, along = 0.0;
    for (size_t i = 0; i < size; i++) {
        squares += (double)x[i] * (double)x[i];
        along += (double)weight[i] * (double)gradient[i] * (double)x[i];
    }
    double scale = 1.0 / sqrt(squares / (double)size + epsilon);
    double back = along * scale * scale * scale / (double)size;
    for (size_t i = 0; i < size; i++)
        out[i] += (float)((double)weight[i] * (double)gradient[i] * scale - (double)x[i] * back);
}

void norm_add_weight_gradient(const float *x, const float *gradient, size_t size, double epsilon,
                              double *sums) {
    double squares = 0.0;
    for (size_t i = 0; i < size; i++) squares += (double)x[i] * (double)x[i];
    double scale = 1.0 / sqrt(squares / (double)size + epsilon);
    for (size_t i = 0; i < size; i++) sums[i] += (double)gradient[i] * (double)x[i] * scale;
}
