#include "core/fusion/settings_curve.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static Status allocate(size_t count, SettingsCurve **curve, Error *error) {
    size_t bytes;
    *curve = NULL;
    if (count == 0)
        return status_fail(error, STATUS_ARGUMENT, "expected an α for each of some layers, found none");
    if (!memory_multiply(count, sizeof *(*curve)->alpha, &bytes) ||
        !memory_add(bytes, sizeof **curve, &bytes) || (*curve = memory_allocate(1, bytes)) == NULL)
        return memory_fail(error, "a curve over the layers");
    (*curve)->count = count;
    return STATUS_OK;
}

/* Where a line is in one of its layers. */
static double ramp_alpha(size_t layers, size_t layer, double first, double last) {
    return layers == 1 ? first : first + (last - first) * (double)layer / (double)(layers - 1);
}

Status settings_curve_create(const double *alpha, size_t count, SettingsCurve **curve, Error *error) {
    Status status = allocate(count, curve, error);
    if (status == STATUS_OK) memcpy((*curve)->alpha, alpha, count * sizeof *alpha);
    return status;
}

Status settings_curve_create_ramp(size_t layers, double first, double last, SettingsCurve **curve,
                                  Error *error) {
    Status status = allocate(layers, curve, error);
    for (size_t i = 0; i < layers && status == STATUS_OK; i++)
        (*curve)->alpha[i] = ramp_alpha(layers, i, first, last);
    return status;
}

void settings_curve_free(SettingsCurve *curve) {
    free(curve);
}

bool settings_curve_equal(const SettingsCurve *a, const SettingsCurve *b) {
    if (a == b) return true;
    return a != NULL && b != NULL && a->count == b->count &&
           memcmp(a->alpha, b->alpha, a->count * sizeof *a->alpha) == 0;
}

bool settings_curve_is_ramp(const SettingsCurve *curve) {
    bool same = true;
    for (size_t i = 0; i < curve->count && same; i++) {
        double alpha = ramp_alpha(curve->count, i, curve->alpha[0], curve->alpha[curve->count - 1]);
        same = memcmp(&alpha, &curve->alpha[i], sizeof alpha) == 0;
    }
    return same;
}
