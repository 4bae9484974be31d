#include "core/transformer/rotary.h"

#include <math.h>

void rotary_compute(const Rope *rope, const float *frequencies, size_t position, float *cosines,
                    float *sines) {
    double scale = rope->attention_factor;
    for (size_t i = 0; i < rope->dims / 2; i++) {
        float angle = (float)position * frequencies[i];
        cosines[i] = (float)(cos((double)angle) * scale);
        sines[i] = (float)(sin((double)angle) * (rope->is_reversed ? -scale : scale));
    }
}

void rotary_turn(const Rope *rope, float *x, const float *cosines, const float *sines, bool back) {
    size_t half = rope->dims / 2, step = rope->is_interleaved ? 2 : 1,
           apart = rope->is_interleaved ? 1 : half;
    for (size_t i = 0; i < half; i++) {
        float *first = x + i * step, a = first[0], b = first[apart], sine = back ? -sines[i] : sines[i];
        first[0] = a * cosines[i] - b * sine;
        first[apart] = b * cosines[i] + a * sine;
    }
}
