/*
 * theme — the only place where colours and shading glyphs are chosen.
 *
 * A Role says what something means; the theme says how that looks at the depth of this terminal. Text has
 * the terminal's own background (colour -1); colour is never the only carrier: roles differ in attributes too,
 * and every step of a ramp has its glyph.
 *
 *     theme           for                                            least contrast of text (WCAG 2)
 *     any             a background that is not known                 3 on black and on white
 *     dark            dark backgrounds, up to #282c34                4.5
 *     light           light backgrounds, down to #f4f4f4             4.5
 *     high-contrast   any: paints its own background, black          7
 *
 * At 256 colours and more that is tested with the colours' own values; at 8 and 16 a terminal's palette may be
 * anything: there blue and the greys are left out, but for the light theme, where yellow, green and cyan are.
 *
 * A ramp shows a number:
 *     RAMP_SEQUENTIAL   0 … 1     dark to light (viridis);  glyphs ` ░▒▓█`, in ASCII ` .:-=+*#%@`
 *     RAMP_DIVERGING   -1 … 1     blue, white, red;         glyphs `▼▾-·+▴▲`, in ASCII `Vv-.+^A`
 * Lightness rises along the sequential ramp and falls from the middle of the diverging one, at every depth.
 * From 256 colours on the whole cell is filled (background: the step's colour; the glyph, somewhat lighter, is a
 * texture on it). At 16 and 8 the glyph is coloured on black; in monochrome there is only the glyph.
 */
#ifndef REJUV_TUI_THEME_H
#define REJUV_TUI_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* THEME_DIRECT: 24 bits. */
typedef enum ThemeDepth { THEME_MONO, THEME_8, THEME_16, THEME_256, THEME_DIRECT, THEME_DEPTHS } ThemeDepth;

typedef enum ThemeKind { THEME_ANY, THEME_DARK, THEME_LIGHT, THEME_HIGH_CONTRAST, THEME_KINDS } ThemeKind;

/* The terminal's own colour, or an index into its palette (xterm's for 16 … 255), or, at THEME_DIRECT,
 * THEME_RGB | 0xRRGGBB. */
typedef int32_t Colour;
enum { THEME_DEFAULT_COLOUR = -1, THEME_RGB = 1 << 24 };

typedef enum ThemeAttribute { THEME_BOLD = 1, THEME_REVERSE = 2, THEME_UNDERLINE = 4 } ThemeAttribute;

typedef struct Style {
    Colour foreground, background;
    uint8_t attributes;
} Style;

typedef enum Role {
    ROLE_TEXT,
    ROLE_DIM,      /* secondary, still readable: never a dark grey */
    ROLE_TITLE,    /* the name of a view or a block */
    ROLE_HEADER,   /* the head of a column */
    ROLE_SELECTED, /* the row or cell under the cursor */
    ROLE_VALUE,    /* a figure that a label explains */
    ROLE_GOOD,
    ROLE_WARNING,
    ROLE_ERROR,
    ROLE_BASE,  /* the base model, everywhere it appears beside the others */
    ROLE_SFT,   /* the SFT model */
    ROLE_FUSED, /* the model at the current dials */
    ROLE_STALE, /* older than the dials */
    ROLE_KEY,   /* a key in a list of keys */
    ROLE_BORDER,
    ROLE_BAR,      /* the filled part of a bar */
    ROLE_BAR_REST, /* its empty part, axes */
    ROLE_MATCH,    /* a search hit */
    ROLE_MARK,     /* the current setting in a plot, a pin */
    ROLE_COUNT
} Role;

typedef enum Ramp { RAMP_SEQUENTIAL, RAMP_DIVERGING, RAMP_COUNT } Ramp;

typedef struct Theme {
    ThemeDepth depth;
    bool ascii;         /* only ASCII may be drawn */
    bool lacks_braille; /* as the fonts of Linux's console */
    ThemeKind kind;
} Theme;

/* One step of a ramp: what to draw and how. */
typedef struct ThemeHeat {
    const char *glyph; /* one column wide */
    Style style;
} ThemeHeat;

/* The depth for a terminal that has `colours` colours (tigetnum("colors"); 2^24: each is its own), given the value of NO_COLOR
 * (NULL when unset; it counts only when it is not empty). */
ThemeDepth theme_choose_depth(int colours, const char *no_color);

/* "any", "dark", "light", "high-contrast". */
const char *theme_kind_name(ThemeKind kind);

/* What a user calls a theme: "dark", "light", "high-contrast"; "mono" (then *monochrome; without colours all
 * are alike) or "auto", which goes by `colorfgbg`. False for any other name. */
bool theme_read_name(const char *name, const char *colorfgbg, ThemeKind *kind, bool *monochrome);

/* What COLORFGBG ("15;0", "0;default;15") says of the terminal's background: dark, light, or any where it is
 * NULL or says nothing. */
ThemeKind theme_kind_of_background(const char *colorfgbg);

/* The theme for a background of this colour: light where black can be read on it, else dark. */
ThemeKind theme_kind_of_colour(Colour background);

/* The background that text of the theme is made for: the worst for dark and light, the painted one for high
 * contrast; and the colour of ordinary text. THEME_ANY has none: THEME_DEFAULT_COLOUR. */
Colour theme_background(const Theme *theme);
Colour theme_foreground(const Theme *theme);

/* Whether the theme paints its background in place of the terminal's. */
bool theme_paints(const Theme *theme);

/* Whether cells are filled with a step's colour: at 256 colours and more. */
bool theme_fills(const Theme *theme);

/* Black or white, whichever can be read on a colour. */
Colour theme_ink(Colour background);

Style theme_style(const Theme *theme, Role role);
const char *theme_role_name(Role role); /* "text", "dim", … for tests and dumps */

/* `value` is clamped to the ramp's range; a NaN (not known yet) gives a blank cell with a `·` or `.`. */
ThemeHeat theme_heat(const Theme *theme, Ramp ramp, double value);

/* The solid colour of `value`, for cells that show two values (half blocks). Only where the theme has enough
 * steps: theme_has_solid(). */
bool theme_has_solid(const Theme *theme);
Colour theme_solid(const Theme *theme, Ramp ramp, double value);

/* The steps of a ramp in order, for legends and tests: theme_heat() gives one of exactly these. */
size_t theme_step_count(const Theme *theme, Ramp ramp);
ThemeHeat theme_step(const Theme *theme, Ramp ramp, size_t step);

/* The sRGB components of a palette colour as xterm has it. */
void theme_rgb(Colour colour, uint8_t rgb[3]);

/* Relative luminance 0 … 1 (WCAG 2: 0.2126 R + 0.7152 G + 0.0722 B over linearised components). */
double theme_luminance(Colour colour);

/* `base` with the attributes of `over` added, and its colours where they are not the default. */
Style theme_overlay(Style base, Style over);

#endif
