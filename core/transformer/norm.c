#include "core/transformer/norm.h"

#include <math.h>

static double mean_of(const float *x, size_t size) {
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)x[i];
    return sum / (double)size;
}

/* Σ (x − mean)² */
static double squares_of(const float *x, size_t size, double mean) {
    double squares = 0.0;
    for (size_t i = 0; i < size; i++) squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    return squares;
}

void norm_forward(const Norm *norm, const float *x, float *out) {
    size_t size = norm->size;
    double mean = norm->kind == NORM_LAYER ? mean_of(x, size) : 0.0;
    float scale = (float)(1.0 / sqrt(squares_of(x, size, mean) / (double)size + norm->epsilon));
    for (size_t i = 0; i < size; i++) {
        float value = norm->kind == NORM_LAYER ? (float)((double)x[i] - mean) * scale : x[i] * scale;
        if (norm->weight != NULL) value *= norm->weight[i];
        out[i] = norm->bias != NULL ? value + norm->bias[i] : value;
    }
}

/* With h = γ ⊙ dy and y̆ the normed x: dx = (h − mean(h) − y̆·mean(h ⊙ y̆)) / σ, where RMS has no mean(h). */
void norm_backward(const Norm *norm, const float *x, const float *gradient, float *out) {
    size_t size = norm->size;
    double mean = norm->kind == NORM_LAYER ? mean_of(x, size) : 0.0, along = 0.0, level = 0.0;
    double scale = 1.0 / sqrt(squares_of(x, size, mean) / (double)size + norm->epsilon);
    for (size_t i = 0; i < size; i++) {
        double slope = (norm->weight != NULL ? (double)norm->weight[i] : 1.0) * (double)gradient[i];
        along += slope * ((double)x[i] - mean);
        level += slope;
    }
    double back = along * scale * scale * scale / (double)size;
    level = norm->kind == NORM_LAYER ? level / (double)size : 0.0;
    for (size_t i = 0; i < size; i++) {
        double slope = (norm->weight != NULL ? (double)norm->weight[i] : 1.0) * (double)gradient[i];
        out[i] += (float)((slope - level) * scale - ((double)x[i] - mean) * back);
    }
}

void norm_direct(const Norm *norm, const float *x, const float *direction, float *out) {
    size_t size = norm->size;
    double mean = norm->kind == NORM_LAYER ? mean_of(x, size) : 0.0, level = 0.0;
    double scale = 1.0 / sqrt(squares_of(x, size, mean) / (double)size + norm->epsilon);
    for (size_t i = 0; i < size; i++) {
        double weight = norm->weight != NULL ? (double)norm->weight[i] : 1.0;
        out[i] = (float)((double)direction[i] * weight * scale);
        level += (double)out[i];
    }
    if (norm->kind != NORM_LAYER) return;
    for (size_t i = 0; i < size; i++) out[i] -= (float)(level / (double)size);
}

void norm_add_weight_gradient(const Norm *norm, const float *x, const float *gradient, double *sums) {
    double mean = norm->kind == NORM_LAYER ? mean_of(x, norm->size) : 0.0;
    double scale = 1.0 / sqrt(squares_of(x, norm->size, mean) / (double)norm->size + norm->epsilon);
    for (size_t i = 0; i < norm->size; i++) sums[i] += (double)gradient[i] * ((double)x[i] - mean) * scale;
}
