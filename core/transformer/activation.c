#include "core/transformer/activation.h"

#include "core/numerics/kernels.h"

#include <math.h>

static const float ROOT_HALF = 0.70710678F, ROOT_TWO_OVER_PI = 0.79788456F,
                   DENSITY = 0.39894228F, /* 1 / √2π */
    CUBIC = 0.044715F, QUICK = 1.702F, CLIP = 10.0F, LEAK = 0.01F;

/* laplace: the integral of a normal density; 1 / (σ√2) and its mean */
static const float LAPLACE_MEAN = 0.707107F, LAPLACE_RATE = 2.5066299F, /* 1 / (0.282095 √2) */
    LAPLACE_PEAK = 1.4142211F;                                          /* rate / √π */

static float sigmoid(float x) {
    return 1.0F / (1.0F + expf(-x));
}

/* torch's: x itself beyond 20 */
float activation_softplus(float x) {
    return x > 20.0F ? x : log1pf(expf(x));
}

static float clamp(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

static float gelu(float x) {
    return 0.5F * x * (1.0F + erff(x * ROOT_HALF));
}

float activation_value(Activation activation, float x) {
    switch (activation) {
    case ACTIVATION_SILU:
        return x / (1.0F + expf(-x));
    case ACTIVATION_GELU:
        return gelu(x);
    case ACTIVATION_GELU_TANH:
        return 0.5F * x * (1.0F + tanhf(ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x)));
    case ACTIVATION_GELU_QUICK:
        return x * sigmoid(QUICK * x);
    case ACTIVATION_GELU_CLIPPED:
        return clamp(gelu(x), -CLIP, CLIP);
    case ACTIVATION_RELU:
        return x > 0.0F ? x : 0.0F;
    case ACTIVATION_RELU6:
        return clamp(x, 0.0F, 6.0F);
    case ACTIVATION_RELU_SQUARED:
        return x > 0.0F ? x * x : 0.0F;
    case ACTIVATION_RELU_LEAKY:
        return x > 0.0F ? x : LEAK * x;
    case ACTIVATION_HARDSWISH:
        return x * clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F;
    case ACTIVATION_MISH:
        return x * tanhf(activation_softplus(x));
    case ACTIVATION_SIGMOID:
        return sigmoid(x);
    case ACTIVATION_SOFTPLUS_ROOT:
        return sqrtf(activation_softplus(x));
    case ACTIVATION_LAPLACE:
        return 0.5F * (1.0F + erff((x - LAPLACE_MEAN) * LAPLACE_RATE));
    case ACTIVATION_TANH:
        return tanhf(x);
    case ACTIVATION_LINEAR:
    case ACTIVATION_XIELU:
    case ACTIVATION_COUNT:
        break;
    }
    return x;
}

void activation_values(Activation activation, const float *from, size_t count, float *to) {
    if (activation == ACTIVATION_SILU) {
        kernels_get()->silu(from, count, to);
        return;
    }
    for (size_t i = 0; i < count; i++) to[i] = activation_value(activation, from[i]);
}

Xielu activation_read_xielu(float positive, float negative, float beta, float epsilon) {
    return (Xielu){activation_softplus(positive), beta + activation_softplus(negative), beta, epsilon};
}

float activation_xielu(const Xielu *weights, float x) {
    if (x > 0.0F) return weights->above * x * x + weights->beta * x;
    float least = x < weights->epsilon ? x : weights->epsilon;
    return weights->below * (expm1f(least) - x) + weights->beta * x;
}

float activation_xielu_slope(const Xielu *weights, float x) {
    if (x > 0.0F) return 2.0F * weights->above * x + weights->beta;
    float grown = x < weights->epsilon ? expf(x) : 0.0F; /* torch's min gives nothing on where ε is less */
    return weights->below * (grown - 1.0F) + weights->beta;
}

float activation_xielu_by_weight(const Xielu *weights, float x) {
    return x > 0.0F ? x * x : expm1f(x < weights->epsilon ? x : weights->epsilon) - x;
}

static float slope_of_gelu(float x) {
    return 0.5F * (1.0F + erff(x * ROOT_HALF)) + x * DENSITY * expf(-0.5F * x * x);
}

static float slope_of_gelu_tanh(float x) {
    float t = tanhf(ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x));
    return 0.5F * (1.0F + t) + 0.5F * x * (1.0F - t * t) * ROOT_TWO_OVER_PI * (1.0F + 3.0F * CUBIC * x * x);
}

static float slope_of_mish(float x) {
    float t = tanhf(activation_softplus(x));
    return t + x * (1.0F - t * t) * sigmoid(x);
}

static float slope_of_laplace(float x) {
    float z = (x - LAPLACE_MEAN) * LAPLACE_RATE;
    return LAPLACE_PEAK * expf(-z * z);
}

void activation_differentiate(Activation activation, float x, float *value, float *slope) {
    *value = activation_value(activation, x);
    switch (activation) {
    case ACTIVATION_SILU:
        *slope = sigmoid(x) * (1.0F + x * (1.0F - sigmoid(x)));
        return;
    case ACTIVATION_GELU:
        *slope = slope_of_gelu(x);
        return;
    case ACTIVATION_GELU_TANH:
        *slope = slope_of_gelu_tanh(x);
        return;
    case ACTIVATION_GELU_QUICK:
        *slope = sigmoid(QUICK * x) * (1.0F + QUICK * x * (1.0F - sigmoid(QUICK * x)));
        return;
    case ACTIVATION_GELU_CLIPPED:
        *slope = fabsf(gelu(x)) <= CLIP ? slope_of_gelu(x) : 0.0F;
        return;
    case ACTIVATION_RELU:
        *slope = x > 0.0F ? 1.0F : 0.0F;
        return;
    case ACTIVATION_RELU6:
        *slope = x > 0.0F && x < 6.0F ? 1.0F : 0.0F;
        return;
    case ACTIVATION_RELU_SQUARED:
        *slope = x > 0.0F ? 2.0F * x : 0.0F;
        return;
    case ACTIVATION_RELU_LEAKY:
        *slope = x > 0.0F ? 1.0F : LEAK;
        return;
    case ACTIVATION_HARDSWISH:
        *slope = x <= -3.0F ? 0.0F : x >= 3.0F ? 1.0F : x / 3.0F + 0.5F;
        return;
    case ACTIVATION_MISH:
        *slope = slope_of_mish(x);
        return;
    case ACTIVATION_SIGMOID:
        *slope = *value * (1.0F - *value);
        return;
    case ACTIVATION_SOFTPLUS_ROOT:
        *slope = *value > 0.0F ? sigmoid(x) / (2.0F * *value) : 0.0F;
        return;
    case ACTIVATION_LAPLACE:
        *slope = slope_of_laplace(x);
        return;
    case ACTIVATION_TANH:
        *slope = 1.0F - *value * *value;
        return;
    case ACTIVATION_LINEAR:
    case ACTIVATION_XIELU:
    case ACTIVATION_COUNT:
        break;
    }
    *slope = 1.0F;
}

float activation_clamped_glu(float limit, float alpha, float gate, float up) {
    gate = fminf(gate, limit);
    up = fmaxf(fminf(up, limit), -limit);
    return (up + 1.0F) * gate / (1.0F + expf(-gate * alpha));
}
