#include "tui/canvas/theme.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct RoleLook {
    const char *name;
    uint8_t mono;             /* attributes where there is no colour */
    uint8_t attributes;       /* with colour */
    Colour few[THEME_KINDS];  /* foreground at 8 and 16 colours */
    Colour many[THEME_KINDS]; /* at 256 and more */
} RoleLook;

#define SAME(colour) colour, colour, colour, colour

/* The order is that of ThemeKind: any, dark, light, high contrast. What tests/unit/test_theme.c asks of them
 * is in theme.h. Base blue, SFT orange and fused purple differ for colour-blind eyes too. */
static const RoleLook ROLES[ROLE_COUNT] = {
    [ROLE_TEXT] = {"text", 0, 0, {SAME(-1)}, {SAME(-1)}},
    [ROLE_DIM] = {"dim", 0, 0, {SAME(-1)}, {243, 248, 241, 252}},
    [ROLE_TITLE] = {"title", THEME_BOLD, THEME_BOLD, {SAME(-1)}, {SAME(-1)}},
    [ROLE_HEADER] = {"header", THEME_UNDERLINE, THEME_UNDERLINE, {SAME(-1)}, {SAME(-1)}},
    [ROLE_SELECTED] = {"selected", THEME_REVERSE, THEME_REVERSE, {SAME(-1)}, {SAME(-1)}},
    [ROLE_VALUE] = {"value", THEME_BOLD, THEME_BOLD, {SAME(-1)}, {SAME(-1)}},
    [ROLE_GOOD] = {"good", 0, 0, {2, 2, 4, 2}, {28, 114, 22, 120}},
    [ROLE_WARNING] = {"warning", THEME_BOLD, THEME_BOLD, {3, 3, 5, 3}, {136, 221, 58, 226}},
    [ROLE_ERROR] = {"error", THEME_BOLD | THEME_REVERSE, THEME_BOLD, {1, 1, 1, 3}, {160, 210, 124, 217}},
    [ROLE_BASE] = {"base", 0, 0, {6, 6, 4, 6}, {32, 75, 25, 117}},
    [ROLE_SFT] = {"sft", THEME_UNDERLINE, 0, {3, 3, 1, 3}, {166, 215, 94, 215}},
    [ROLE_FUSED] = {"fused", THEME_BOLD, 0, {5, 5, 5, 2}, {133, 177, 90, 219}},
    [ROLE_STALE] = {"stale", THEME_UNDERLINE, THEME_UNDERLINE, {3, 3, 5, 3}, {136, 179, 58, 228}},
    [ROLE_KEY] = {"key", THEME_BOLD, THEME_BOLD, {6, 6, 4, 6}, {30, 80, 23, 87}},
    [ROLE_BORDER] = {"border", 0, 0, {SAME(-1)}, {244, 245, 243, 252}},
    [ROLE_BAR] = {"bar", 0, 0, {6, 6, 4, 6}, {32, 75, 25, 117}},
    [ROLE_BAR_REST] = {"bar-rest", 0, 0, {SAME(-1)}, {244, 245, 243, 252}},
    [ROLE_MATCH] =
        {"match", THEME_REVERSE | THEME_UNDERLINE, THEME_REVERSE, {3, 3, 5, 3}, {136, 221, 58, 226}},
    [ROLE_MARK] = {"mark", THEME_BOLD, THEME_BOLD, {5, 5, 5, 2}, {162, 212, 125, 213}},
};

#undef SAME

enum { BLACK = 16, WHITE = 231 };

static const struct {
    const char *name;
    Colour background, foreground;
    bool paints;
} KINDS[THEME_KINDS] = {
    [THEME_ANY] = {"any", THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, false},
    [THEME_DARK] = {"dark", THEME_RGB | 0x282C34, THEME_DEFAULT_COLOUR, false},
    [THEME_LIGHT] = {"light", THEME_RGB | 0xF4F4F4, THEME_DEFAULT_COLOUR, false},
    [THEME_HIGH_CONTRAST] = {"high-contrast", 16, 231, true},
};

typedef struct Steps {
    const Colour *colours;
    size_t count;
    uint8_t attributes;
} Steps;

#define COUNTED(array) (array), sizeof(array) / sizeof((array)[0])

/* Eight colours are bold: the Linux console then shows their bright forms (its plain yellow is a brown). */
static const Colour SEQUENTIAL_8[] = {5, 6, 3};
static const Colour SEQUENTIAL_16[] = {5, 13, 6, 14, 11};
static const Colour SEQUENTIAL_256[] = {53, 54, 55, 24, 30, 36, 78, 113, 148, 184, 190, 227};
static const Colour DIVERGING_8[] = {6, 7, 1};
static const Colour DIVERGING_16[] = {12, 14, 15, 11, 9};
static const Colour DIVERGING_256[] = {25, 32, 74, 117, 189, 255, 224, 217, 210, 167, 124};

static const Steps COLOURS[RAMP_COUNT][THEME_DEPTHS] = {
    [RAMP_SEQUENTIAL] = {[THEME_8] = {COUNTED(SEQUENTIAL_8), THEME_BOLD},
                         [THEME_16] = {COUNTED(SEQUENTIAL_16), 0},
                         [THEME_256] = {COUNTED(SEQUENTIAL_256), 0}},
    [RAMP_DIVERGING] = {[THEME_8] = {COUNTED(DIVERGING_8), THEME_BOLD},
                        [THEME_16] = {COUNTED(DIVERGING_16), 0},
                        [THEME_256] = {COUNTED(DIVERGING_256), 0}},
};

/* At 24 bits a ramp is made of straight lines between these: viridis (Smith and van der Walt, matplotlib), and
 * ColorBrewer's RdBu from blue to red. */
static const uint32_t SEQUENTIAL_ANCHORS[] = {0x440154, 0x482878, 0x3E4989, 0x31688E, 0x26828E,
                                              0x1F9E89, 0x35B779, 0x6ECE58, 0xB5DE2B, 0xFDE725};
static const uint32_t DIVERGING_ANCHORS[] = {0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7,
                                             0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B, 0x67001F};

/* As many as at 256: with more, a turn of a dial changes more cells of a map, and each takes twice the bytes
 * (tests/screens/dial-bytes-24-bit.screen). */
enum { SEQUENTIAL_STEPS = 12, DIVERGING_STEPS = 11 };

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
    if (colours >= THEME_RGB) return THEME_DIRECT;
    if (colours >= 256) return THEME_256;
    if (colours >= 16) return THEME_16;
    return colours >= 8 ? THEME_8 : THEME_MONO;
}

const char *theme_kind_name(ThemeKind kind) {
    return KINDS[kind < THEME_KINDS ? kind : THEME_ANY].name;
}

ThemeKind theme_kind_of_background(const char *colorfgbg) {
    const char *last = colorfgbg != NULL ? strrchr(colorfgbg, ';') : NULL;
    if (last == NULL || last[1] < '0' || last[1] > '9') return THEME_ANY;
    char *end;
    long colour = strtol(last + 1, &end, 10);
    if (*end != '\0' || colour > 15) return THEME_ANY;
    return colour < 7 || colour == 8 ? THEME_DARK : THEME_LIGHT; /* 7 and above 8 are the light ones */
}

ThemeKind theme_kind_of_colour(Colour background) {
    return theme_ink(background) == BLACK ? THEME_LIGHT : THEME_DARK;
}

bool theme_read_name(const char *name, const char *colorfgbg, ThemeKind *kind, bool *monochrome) {
    *monochrome = strcmp(name, "mono") == 0;
    *kind = strcmp(name, "auto") == 0 ? theme_kind_of_background(colorfgbg) : THEME_ANY;
    if (*monochrome || strcmp(name, "auto") == 0) return true;
    for (int i = THEME_ANY + 1; i < THEME_KINDS; i++) {
        if (strcmp(name, KINDS[i].name) != 0) continue;
        *kind = (ThemeKind)i;
        return true;
    }
    return false;
}

Colour theme_background(const Theme *theme) {
    return KINDS[theme->kind].background;
}

Colour theme_foreground(const Theme *theme) {
    return KINDS[theme->kind].foreground;
}

bool theme_paints(const Theme *theme) {
    return theme->depth != THEME_MONO && KINDS[theme->kind].paints;
}

bool theme_fills(const Theme *theme) {
    return theme->depth >= THEME_256;
}

Style theme_style(const Theme *theme, Role role) {
    const RoleLook *look = &ROLES[role < ROLE_COUNT ? role : ROLE_TEXT];
    Style style = {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, look->attributes};
    if (theme->depth == THEME_MONO)
        style.attributes = look->mono;
    else
        style.foreground = theme_fills(theme) ? look->many[theme->kind] : look->few[theme->kind];
    return style;
}

const char *theme_role_name(Role role) {
    return role < ROLE_COUNT ? ROLES[role].name : "text";
}

/* ---- ramps ---- */

static size_t colour_count(const Theme *theme, Ramp ramp) {
    if (theme->depth != THEME_DIRECT) return COLOURS[ramp][theme->depth].count;
    return ramp == RAMP_SEQUENTIAL ? SEQUENTIAL_STEPS : DIVERGING_STEPS;
}

static Colour blend(const uint32_t *anchors, size_t count, size_t step, size_t steps) {
    double place = (double)step * (double)(count - 1) / (double)(steps - 1);
    size_t before = (size_t)place < count - 1 ? (size_t)place : count - 2;
    double share = place - (double)before;
    Colour colour = THEME_RGB;
    for (int shift = 0; shift <= 16; shift += 8) {
        double from = anchors[before] >> shift & 0xFF, to = anchors[before + 1] >> shift & 0xFF;
        colour |= (Colour)lround(from + (to - from) * share) << shift;
    }
    return colour;
}

/* One of colour_count(). */
static Colour ramp_colour(const Theme *theme, Ramp ramp, size_t step) {
    if (theme->depth != THEME_DIRECT) return COLOURS[ramp][theme->depth].colours[step];
    if (ramp == RAMP_SEQUENTIAL)
        return blend(SEQUENTIAL_ANCHORS, sizeof SEQUENTIAL_ANCHORS / sizeof *SEQUENTIAL_ANCHORS, step,
                     SEQUENTIAL_STEPS);
    return blend(DIVERGING_ANCHORS, sizeof DIVERGING_ANCHORS / sizeof *DIVERGING_ANCHORS, step,
                 DIVERGING_STEPS);
}

size_t theme_step_count(const Theme *theme, Ramp ramp) {
    size_t glyphs = ramp_glyphs(theme, ramp).count, colours = colour_count(theme, ramp);
    return glyphs > colours ? glyphs : colours;
}

Colour theme_ink(Colour background) {
    return theme_luminance(background) > 0.18 ? BLACK : WHITE;
}

/* A glyph on the filled cell: of the colour itself where it covers all of it, else a texture a sixth of the ramp
 * lighter; signs and ASCII must be read. */
static Colour glyph_colour(const Theme *theme, Ramp ramp, size_t step, const char *glyph) {
    Colour colour = ramp_colour(theme, ramp, step);
    size_t count = colour_count(theme, ramp), lighter = step + count / 6;
    if (ramp == RAMP_DIVERGING || theme->ascii) return theme_ink(colour);
    if (strcmp(glyph, "█") == 0) return colour;
    return ramp_colour(theme, ramp, lighter < count ? lighter : count - 1);
}

ThemeHeat theme_step(const Theme *theme, Ramp ramp, size_t step) {
    Glyphs glyphs = ramp_glyphs(theme, ramp);
    size_t count = theme_step_count(theme, ramp), colours = colour_count(theme, ramp);
    if (step >= count) step = count - 1;
    ThemeHeat heat = {glyphs.glyphs[step * glyphs.count / count],
                      {THEME_DEFAULT_COLOUR, THEME_DEFAULT_COLOUR, 0}};
    if (colours == 0) return heat;
    size_t i = step * colours / count;
    heat.style.attributes = COLOURS[ramp][theme->depth].attributes;
    if (theme_fills(theme)) {
        heat.style.background = ramp_colour(theme, ramp, i);
        heat.style.foreground = glyph_colour(theme, ramp, i, heat.glyph);
    } else {
        heat.style.foreground = ramp_colour(theme, ramp, i);
        heat.style.background = 0;
    }
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
    return theme_fills(theme) && !theme->ascii;
}

Colour theme_solid(const Theme *theme, Ramp ramp, double value) {
    size_t count = colour_count(theme, ramp);
    if (count == 0 || isnan(value)) return THEME_DEFAULT_COLOUR;
    return ramp_colour(theme, ramp, step_of(count, ramp, value));
}

/* ---- colours ---- */

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
