#include "core/drift/spectrum_shape.h"

#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;
static const double TRACY_WIDOM_99 = 2.0234; /* of order 1 */

/* ---- the law ---- */

/* λ = 1 + β − 2√β·cos θ makes the density (2/π)·sin²θ/λ, which has an integral in closed form. */
static double integrate_law(double ratio, double angle) {
    double r = sqrt(ratio);
    double turned = atan2((1.0 + r) * sin(angle / 2.0), (1.0 - r) * cos(angle / 2.0));
    double sum = (1.0 + ratio) / (4.0 * ratio) * angle + sin(angle) / (2.0 * r) -
                 (1.0 - ratio) / (2.0 * ratio) * turned;
    return fmin(fmax(2.0 / PI * sum, 0.0), 1.0);
}

static double lambda_at(double ratio, double angle) {
    return 1.0 + ratio - 2.0 * sqrt(ratio) * cos(angle);
}

double spectrum_shape_law(double ratio, double lambda) {
    double cosine = (1.0 + ratio - lambda) / (2.0 * sqrt(ratio));
    if (cosine >= 1.0) return 0.0;
    return cosine <= -1.0 ? 1.0 : integrate_law(ratio, acos(cosine));
}

/* Newton's steps, halved where they leave what is known to hold the angle. */
double spectrum_shape_quantile(double ratio, double share) {
    enum { STEPS = 100 };
    double low = 0.0, high = PI, angle = PI / 2.0;
    for (int i = 0; i < STEPS; i++) {
        double off = integrate_law(ratio, angle) - share, sine = sin(angle);
        double next = angle - off * lambda_at(ratio, angle) / (2.0 / PI * sine * sine);
        if (off < 0.0)
            low = angle;
        else
            high = angle;
        if (!(next > low && next < high)) next = (low + high) / 2.0;
        bool is_there = fabs(next - angle) <= DBL_EPSILON * PI;
        angle = next;
        if (is_there) break;
    }
    return lambda_at(ratio, angle);
}

/* ---- noise ---- */

typedef struct Sides {
    double shorter, longer, ratio;
} Sides;

static Sides sides_of(const Spectrum *spectrum) {
    double rows = (double)spectrum->rows, columns = (double)spectrum->columns;
    double shorter = fmin(rows, columns), longer = fmax(rows, columns);
    return (Sides){shorter, longer, shorter / longer};
}

static double median_of(const Spectrum *spectrum) {
    size_t half = spectrum->count / 2;
    return spectrum->count % 2 == 1 ? spectrum->values[half]
                                    : (spectrum->values[half - 1] + spectrum->values[half]) / 2.0;
}

static double distance_from_law(const Spectrum *spectrum, const Sides *sides, double variance) {
    double furthest = 0.0, count = (double)spectrum->count;
    for (size_t i = 0; i < spectrum->count; i++) {
        double value = spectrum->values[i], above = (double)i;
        double law = spectrum_shape_law(sides->ratio, value * value / (variance * sides->longer));
        furthest =
            fmax(furthest, fmax(fabs(1.0 - above / count - law), fabs(1.0 - (above + 1.0) / count - law)));
    }
    return furthest;
}

static void measure_noise(const Spectrum *spectrum, const Sides *sides, SpectrumNoise *noise) {
    double median = median_of(spectrum), s = sqrt(sides->shorter), l = sqrt(sides->longer - 1.0);
    if (spectrum_rank(spectrum) <= (spectrum->count + 1) / 2) return;
    noise->variance = median * median / (sides->longer * spectrum_shape_quantile(sides->ratio, 0.5));
    noise->edge = sqrt(noise->variance) * (sqrt(sides->longer) + s);
    noise->limit =
        sqrt(noise->variance * ((l + s) * (l + s) + TRACY_WIDOM_99 * (l + s) * cbrt(1.0 / l + 1.0 / s)));
    while (noise->above < spectrum->count && spectrum->values[noise->above] > noise->limit) noise->above++;
    noise->distance = distance_from_law(spectrum, sides, noise->variance);
}

/* ---- the tail ---- */

/* Of logs, largest first, the first `count`: how far the power law from the last on is from them; or anything from `limit`
 * on, where it is that far. */
static double distance_from_power(const double *logs, size_t count, double slope, double limit) {
    double furthest = 0.0, all = (double)count;
    for (size_t i = 0; i < count && furthest < limit; i++) {
        double beyond = exp(-slope * (logs[i] - logs[count - 1])), above = (double)i;
        double distance = fabs(above / all - beyond), next = fabs((above + 1.0) / all - beyond);
        if (next > distance) distance = next;
        if (distance > furthest) furthest = distance;
    }
    return furthest;
}

static void fit_tail(const double *logs, size_t count, SpectrumTail *tail) {
    double sum = 0.0;
    for (size_t n = 1; n <= count; n++) {
        sum += logs[n - 1];
        double excess = sum - (double)n * logs[n - 1];
        if (n < SPECTRUM_TAIL_LEAST || !(logs[0] > logs[n - 1])) continue;
        if (n < count && logs[n] >= logs[n - 1]) continue; /* equal values belong to one tail */
        double limit = tail->count > 0 ? tail->distance : INFINITY;
        double slope = (double)n / excess, distance = distance_from_power(logs, n, slope, limit);
        if (tail->count > 0 && !(distance < tail->distance)) continue;
        tail->exponent = 1.0 + slope;
        tail->error = slope / sqrt((double)n);
        tail->distance = distance;
        tail->count = n;
    }
}

static const SpectrumTail NO_TAIL = {NAN, NAN, NAN, NAN, 0};

static Status measure_tail(const Spectrum *spectrum, const Sides *sides, SpectrumTail *tail, Error *error) {
    size_t count = spectrum_rank(spectrum);
    SpectrumTail of_noise = NO_TAIL;
    double *logs = memory_allocate(spectrum->count, sizeof *logs);
    if (logs == NULL) return memory_fail(error, "the tail of a spectrum");
    for (size_t i = 0; i < count; i++) logs[i] = 2.0 * log(spectrum->values[i]);
    fit_tail(logs, count, tail);
    for (size_t i = 0; i < spectrum->count; i++)
        logs[i] =
            log(spectrum_shape_quantile(sides->ratio, 1.0 - ((double)i + 0.5) / (double)spectrum->count));
    fit_tail(logs, spectrum->count, &of_noise);
    tail->of_noise = of_noise.exponent;
    free(logs);
    return STATUS_OK;
}

Status spectrum_shape_measure(const Spectrum *spectrum, SpectrumShape *shape, Error *error) {
    *shape = (SpectrumShape){{NAN, NAN, NAN, NAN, 0}, NO_TAIL};
    if (spectrum->method != SPECTRUM_EXACT || spectrum->count < SPECTRUM_SHAPE_LEAST || spectrum->norm == 0.0)
        return STATUS_OK;
    const Sides sides = sides_of(spectrum);
    measure_noise(spectrum, &sides, &shape->noise);
    return measure_tail(spectrum, &sides, &shape->tail, error);
}
