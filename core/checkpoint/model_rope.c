#include "core/checkpoint/model.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* The pair of a head that turns so many times within a context, counted from its first. */
static double yarn_bound(const Rope *rope, double head_dim, double turns) {
    double bound = head_dim * log(rope->original_length / (turns * 2.0 * PI)) / (2.0 * log(rope->theta));
    return bound;
}

/* How much of a pair's frequency is that of the stretched context: 0 up to one bound, 1 from the other on. */
static double yarn_ramp(const Rope *rope, uint64_t head_dim, uint64_t pair) {
    double low = yarn_bound(rope, (double)head_dim, rope->fast),
           high = yarn_bound(rope, (double)head_dim, rope->slow);
    if (rope->truncates) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0.0);
    high = fmin(high, (double)head_dim - 1.0);
    if (low == high) high += 0.001;
    return fmin(fmax(((double)pair - low) / (high - low), 0.0), 1.0);
}

/* Long wavelengths are stretched by `factor`, short ones kept, those between interpolated. */
static double llama3_frequency(const Rope *rope, double frequency) {
    double wavelength = 2.0 * PI / frequency;
    double smooth = (rope->original_length / wavelength - rope->low_frequency) /
                    (rope->high_frequency - rope->low_frequency);
    smooth = smooth < 0.0 ? 0.0 : smooth > 1.0 ? 1.0 : smooth;
    return (1.0 - smooth) * frequency / rope->factor + smooth * frequency;
}

/* A longer text stretches the base, so that its longest wave spans it. */
static double dynamic_theta(const Rope *rope, uint64_t length) {
    double dims = (double)rope->dims, known = (double)rope->longest;
    if (length <= rope->longest) return rope->theta;
    double stretch = rope->factor * (double)length / known - (rope->factor - 1.0);
    return rope->theta * pow(stretch, dims / (dims - 2.0));
}

void model_rope_frequencies(const Rope *rope, uint64_t length, float *out) {
    uint64_t turning = (uint64_t)(rope->proportion * (double)rope->dims / 2.0); /* pairs, where not all */
    double theta = rope->kind == ROPE_DYNAMIC ? dynamic_theta(rope, length) : rope->theta;
    for (uint64_t i = 0; i < rope->dims / 2; i++) {
        float frequency = (float)(1.0 / pow(theta, (double)(2 * i) / (double)rope->dims));
        switch (rope->kind) {
        case ROPE_LINEAR:
            frequency = (float)(frequency / rope->factor);
            break;
        case ROPE_PROPORTIONAL:
            frequency = i < turning ? (float)(frequency / rope->factor) : 0.0F;
            break;
        case ROPE_LLAMA3:
            frequency = (float)llama3_frequency(rope, (double)frequency);
            break;
        case ROPE_YARN: {
            double stretched = yarn_ramp(rope, rope->dims, i);
            frequency = (float)(frequency / rope->factor * stretched + frequency * (1.0 - stretched));
            break;
        }
        case ROPE_LONGROPE:
            frequency /= rope->factors[length > rope->longest][i];
            break;
        case ROPE_DEFAULT:
        case ROPE_DYNAMIC:
        case ROPE_KIND_COUNT:
            break;
        }
        out[i] = frequency;
    }
}
