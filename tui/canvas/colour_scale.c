#include "tui/canvas/colour_scale.h"

#include "tui/canvas/heat_map.h"

#include <math.h>

ColourScale colour_scale_make(Ramp ramp, double nothing, bool logarithmic) {
    return (ColourScale){.ramp = ramp, .nothing = nothing, .most = nothing, .logarithmic = logarithmic};
}

ColourScale colour_scale_make_fixed(Ramp ramp, double nothing, double most) {
    return (ColourScale){.ramp = ramp, .nothing = nothing, .most = most, .is_fixed = true};
}

bool colour_scale_is_known(double value) {
    return !isnan(value);
}

void colour_scale_include(ColourScale *key, double value) {
    double distance = value - key->nothing;
    if (key->is_fixed || !isfinite(value) || fabs(distance) <= fabs(key->most - key->nothing)) return;
    key->most = key->ramp == RAMP_DIVERGING ? key->nothing + fabs(distance) : value;
}

double colour_scale_share(const ColourScale *key, double value) {
    if (isnan(value)) return NAN;
    double extent = key->most - key->nothing;
    if (extent == 0) return isinf(value) ? 1 : 0;
    double share = (value - key->nothing) / extent, size = fmin(1, fabs(share));
    bool other_side = share < 0;
    if (other_side && key->ramp == RAMP_SEQUENTIAL) return 0;
    if (key->logarithmic && size > 0) size = fmax(0, 1 + log10(size) / (double)COLOUR_SCALE_DECADES);
    return other_side ? -size : size;
}

void colour_scale_share_all(const ColourScale *key, const double *values, size_t count, double *shares,
                            size_t room) {
    for (size_t i = 0; i < room; i++) shares[i] = i < count ? colour_scale_share(key, values[i]) : NAN;
}

int colour_scale_draw(Canvas *canvas, Rect area, const ColourScale *key) {
    double extent = key->most - key->nothing, low = key->nothing;
    if (key->ramp == RAMP_DIVERGING)
        low = key->nothing - extent;
    else if (key->logarithmic)
        low = key->nothing + extent * pow(10, -COLOUR_SCALE_DECADES);
    int width = heat_map_draw_legend(canvas, area, key->ramp, low, key->most);
    if (!key->logarithmic) return width;
    (void)canvas_write_right(canvas, area, 0, area.columns - width - 1, ROLE_DIM, "log");
    return width + 4;
}
