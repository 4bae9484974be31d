/*
 * picture — a canvas written to a file, as it looks.
 *
 *     svg    vector drawing (picture_svg.h): for documents
 *     ansi   text with colours as a terminal takes them (SGR sequences only: no cursor is moved, every line
 *            ends in plain): for cat, less -R, and programs that turn it into PNG
 *     text   the characters alone
 *
 * The ground, and what the terminal's own colours are taken for, are the canvas's theme's: near white for light, else
 * near black; a theme that paints has its own. The same canvas gives the same bytes.
 */
#ifndef REJUV_TUI_PICTURE_H
#define REJUV_TUI_PICTURE_H

#include "core/support/status.h"
#include "tui/canvas/canvas.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum PictureFormat { PICTURE_SVG, PICTURE_ANSI, PICTURE_TEXT, PICTURE_FORMAT_COUNT } PictureFormat;

/* The format that a file's name asks for by its end: .svg, .ansi or .ans, .txt. False for any other. */
bool picture_find_format(const char *path, PictureFormat *format);

/* The colours a canvas is best drawn in for a format, where it has any: 24 bits in a drawing, and what nearly
 * every terminal knows in text. */
ThemeDepth picture_depth(PictureFormat format);

/* `title` is for readers of an SVG who cannot see it; any text. */
Status picture_write(const Canvas *canvas, PictureFormat format, const char *title, FILE *file,
                     Error *error) STATUS_MUST_CHECK;

/* The same to a file in the format of its name; never over a file that is there, and none stays that is not
 * whole. */
Status picture_save(const Canvas *canvas, const char *title, const char *path,
                    Error *error) STATUS_MUST_CHECK;

#endif
