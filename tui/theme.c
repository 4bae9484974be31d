#include "tui/theme.h"

#include <math.h>
#include <string.h>

typedef struct RoleLook {
    const char *name;
    uint8_t mono;       /* attributes where there is no colour */
    Colour few, many;   /* foreground at 8 and 16 colours, at 256 */
    uint8_t attributes; /* with colour */
} RoleLook;

/* Foregrounds of 256 colours stand out on black and on white alike (contrast 3 : 1 at least, see
 * tests/unit/test_theme.c); at 8 and 16 blue and the greys are left out, since what they are on a given
 * terminal cannot be relied on. Base blue, SFT orange and fused purple differ for colour-blind eyes too. */
static const RoleLook ROLES[ROLE_COUNT] = {
    [ROLE_TEXT] = {"text", 0, -1, -1, 0},
    [ROLE_DIM] = {"dim", 0, -1, 243, 0},
    [ROLE_TITLE] = {"title", THEME_BOLD, -1, -1, THEME_BOLD},
    [ROLE_HEADER] = {"header", THEME_UNDERLINE, -1, -1, THEME_UNDERLINE},
    [ROLE_SELECTED] = {"selected", THEME_REVERSE, -1, -1, THEME_REVERSE},
    [ROLE_VALUE] = {"value", THEME_BOLD, -1, -1, THEME_BOLD},
    [ROLE_GOOD] = {"good", 0, 2, 28, 0},
    [ROLE_WARNING] = {"warning", THEME_BOLD, 3, 136, THEME_BOLD},
    [ROLE_ERROR] = {"error", THEME_BOLD | THEME_REVERSE, 1, 160, THEME_BOLD},
    [ROLE_BASE] = {"base", 0, 6, 32, 0},
    [ROLE_SFT] = {"sft", THEME_UNDERLINE, 3, 166, 0},
    [ROLE_FUSED] = {"fused", THEME_BOLD, 5, 133, 0},
    [ROLE_STALE] = {"stale", THEME_UNDERLINE, 3, 136, THEME_UNDERLINE},
    [ROLE_KEY] = {"key", THEME_BOLD, 6, 30, THEME_BOLD},
    [ROLE_BORDER] = {"border", 0, -1, 244, 0},
    [ROLE_BAR] = {"bar", 0, 6, 32, 0},
    [ROLE_BAR_REST] = {"bar-rest", 0, -1, 244, 0},
    [ROLE_MATCH] = {"match", THEME_REVERSE | THEME_UNDERLINE, 3, 136, THEME_REVERSE},
    [ROLE_MARK] = {"mark", THEME_BOLD, 5, 162, THEME_BOLD},
};

typedef struct Steps {
    const Colour *colours;
    size_t count;
    uint8_t attributes;
} Steps;

#define STEPS(array, attributes)                                                                             \
    { array, sizeof array / sizeof array[0], attributes }

/* Luminance rises along a sequential ramp and falls from the middle of a diverging one. Eight colours are
 * bold: the Linux console then shows their bright forms (its plain yellow is a brown). */
static const Colour SEQUENTIAL_8[] = {5, 6, 3};
static const Colour SEQUENTIAL_16[] = {5, 13, 6, 14, 11};
static const Colour SEQUENTIAL_256[] = {53, 54, 55, 24, 30, 36, 78, 113, 148, 184, 190, 227};
static const Colour DIVERGING_8[] = {6, 7, 1};
static const Colour DIVERGING_16[] = {12, 14, 15, 11, 9};
static const Colour DIVERGING_256[] = {25, 32, 74, 117, 189, 255, 224, 217, 210, 167, 124};

static const Steps COLOURS[RAMP_COUNT][THEME_DEPTHS] = {
    [RAMP_SEQUENTIAL] = {[THEME_8] = STEPS(SEQUENTIAL_8, THEME_BOLD),
                         [THEME_16] = STEPS(SEQUENTIAL_16, 0),
                         [THEME_256] = STEPS(SEQUENTIAL_256, 0)},
    [RAMP_DIVERGING] = {[THEME_8] = STEPS(DIVERGING_8, THEME_BOLD),
                        [THEME_16] = STEPS(DIVERGING_16, 0),
                        [THEME_256] = STEPS(DIVERGING_256, 0)},
};

static const char *const SEQUENTIAL_GLYPHS[] = {" ", "░", "▒", "▓", "█"};
static const char *const SEQUENTIAL_ASCII[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
static const char *const DIVERGING_GLYPHS[] = {"▼", "▾", "-", "·", "+", "▴", "▲"};
static const char *const DIVERGING_ASCII[] = {"V", "v", "-", ".", "+", "^", "A"};

typedef struct Glyphs {
    const char *const *glyphs;
    size_t count;
} Glyphs;

static Glyphs ramp_glyphs(const Theme *theme, Ramp ramp) {
    if (ramp == RAMP_SEQUENTIAL)
        return theme->ascii ? (Glyphs){SEQUENTIAL_ASCII, 10} : (Glyphs){SEQUENTIAL_GLYPHS, 5};
    return (Glyphs){theme->ascii ? DIVERGING_ASCII : DIVERGING_GLYPHS, 7};
}

ThemeDepth theme_choose_depth(int colours, const char *no_color) {
    if (no_color != NULL && no_color[0] != '\0') return THEME_MONO;
    if (colours >= 256) return THEME_256;
    if (colours >= 16) return THEME_16;
    return colours >= 8 ? THEME_8 : THEME_MONO;
}

Style theme_style(const Theme *theme, Role role) {
    const RoleLook *look = &ROLES[role < ROLE_COUNT ? role : ROLE_TEXT];
    Style style = {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, look->attributes};
    if (theme->depth == THEME_MONO)
        style.attributes = look->mono;
    else
        style.foreground = theme->depth == THEME_256 ? look->many : look->few;
    return style;
}

const char *theme_role_name(Role role) {
    return role < ROLE_COUNT ? ROLES[role].name : "text";
}

size_t theme_step_count(const Theme *theme, Ramp ramp) {
    size_t glyphs = ramp_glyphs(theme, ramp).count, colours = COLOURS[ramp][theme->depth].count;
    return glyphs > colours ? glyphs : colours;
}

/* Black or white, whichever can be read on a colour. */
static Colour contrast(Colour background) {
    return theme_luminance(background) > 0.18 ? 16 : 231;
}

ThemeHeat theme_step(const Theme *theme, Ramp ramp, size_t step) {
    Glyphs glyphs = ramp_glyphs(theme, ramp);
    const Steps *steps = &COLOURS[ramp][theme->depth];
    size_t count = theme_step_count(theme, ramp);
    if (step >= count) step = count - 1;
    ThemeHeat heat = {glyphs.glyphs[step * glyphs.count / count],
                      {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0}};
    if (steps->count == 0) return heat;
    size_t i = step * steps->count / count;
    heat.style.attributes = steps->attributes;
    if (theme->depth != THEME_256) {
        heat.style.foreground = steps->colours[i];
        heat.style.background = 0;
        return heat;
    }
    heat.style.background = steps->colours[i];
    if (ramp == RAMP_DIVERGING || theme->ascii)
        heat.style.foreground = contrast(steps->colours[i]);
    else if (strcmp(heat.glyph, "█") == 0) /* covers the background: its colour is the cell's */
        heat.style.foreground = steps->colours[i];
    else
        heat.style.foreground = steps->colours[i + 2 < steps->count ? i + 2 : steps->count - 1];
    return heat;
}

static size_t step_of(size_t count, Ramp ramp, double value) {
    double share = ramp == RAMP_SEQUENTIAL ? value : (value + 1) / 2;
    if (!(share > 0)) return 0;
    if (share >= 1) return count - 1;
    size_t step = (size_t)(share * (double)count);
    return step < count ? step : count - 1;
}

ThemeHeat theme_heat(const Theme *theme, Ramp ramp, double value) {
    if (isnan(value))
        return (ThemeHeat){theme->ascii ? "." : "·", {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0}};
    return theme_step(theme, ramp, step_of(theme_step_count(theme, ramp), ramp, value));
}

bool theme_has_solid(const Theme *theme) {
    return theme->depth == THEME_256 && !theme->ascii;
}

Colour theme_solid(const Theme *theme, Ramp ramp, double value) {
    const Steps *steps = &COLOURS[ramp][theme->depth];
    if (steps->count == 0 || isnan(value)) return THEME_DEFAULT_COLOUR;
    return steps->colours[step_of(steps->count, ramp, value)];
}

void theme_rgb(Colour colour, uint8_t rgb[3]) {
    static const uint8_t FIRST[16][3] = {{0, 0, 0},       {205, 0, 0},   {0, 205, 0},   {205, 205, 0},
                                         {0, 0, 238},     {205, 0, 205}, {0, 205, 205}, {229, 229, 229},
                                         {127, 127, 127}, {255, 0, 0},   {0, 255, 0},   {255, 255, 0},
                                         {92, 92, 255},   {255, 0, 255}, {0, 255, 255}, {255, 255, 255}};
    if (colour >= THEME_RGB) {
        for (int i = 0; i < 3; i++) rgb[i] = (uint8_t)((colour >> (16 - 8 * i)) & 0xFF);
    } else if (colour >= 0 && colour < 16) {
        memcpy(rgb, FIRST[colour], 3);
    } else if (colour >= 16 && colour < 232) { /* a cube of 6 × 6 × 6 */
        int levels[3] = {(colour - 16) / 36, (colour - 16) / 6 % 6, (colour - 16) % 6};
        for (int i = 0; i < 3; i++) rgb[i] = (uint8_t)(levels[i] == 0 ? 0 : 55 + 40 * levels[i]);
    } else { /* greys; the default colour counts as white */
        int grey = colour >= 232 && colour < 256 ? 8 + 10 * (colour - 232) : 255;
        memset(rgb, grey, 3);
    }
}

double theme_luminance(Colour colour) {
    static const double WEIGHTS[3] = {0.2126, 0.7152, 0.0722};
    uint8_t rgb[3];
    theme_rgb(colour, rgb);
    double luminance = 0;
    for (int i = 0; i < 3; i++) {
        double c = rgb[i] / 255.0;
        luminance += WEIGHTS[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return luminance;
}

Style theme_overlay(Style base, Style over) {
    base.attributes |= over.attributes;
    if (over.foreground != THEME_DEFAULT_COLOUR) base.foreground = over.foreground;
    if (over.background != THEME_DEFAULT_COLOUR) base.background = over.background;
    return base;
}
