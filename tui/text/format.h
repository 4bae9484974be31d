/*
 * format — figures as people read them, always in the C locale's decimal point. Each writes into a buffer of
 * FORMAT_SIZE bytes and returns it, so that it can stand in an argument list.
 */
#ifndef REJUV_TUI_FORMAT_H
#define REJUV_TUI_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum { FORMAT_SIZE = 32 };

/* `digits` significant digits, exponent only outside 1e-4 … 1e6: 0.3127, 4.1e-05, 12.5, nan, inf. */
char *format_number(double value, int digits, char text[FORMAT_SIZE]);

/* At most `columns` (≥ 6) wide, as many digits as fit up to six, without trailing zeros: for axes and
 * legends. */
char *format_fit(double value, int columns, char text[FORMAT_SIZE]);

/* The same with its zeros, for figures one under the other: .01570, 1.9000, 17.773. */
char *format_column(double value, int columns, char text[FORMAT_SIZE]);

/* 8640 as 8 640. */
char *format_count(uint64_t value, char text[FORMAT_SIZE]);

/* 1.2M, 4.0B: parameters. */
char *format_short_count(uint64_t value, char text[FORMAT_SIZE]);

/* 1.9 GB (powers of 1000); 512 B. */
char *format_bytes(double bytes, char text[FORMAT_SIZE]);

/* 0:04, 12:30, 1:02:03. */
char *format_duration(double seconds, char text[FORMAT_SIZE]);

/* A share as a percentage: 99.2 %, <0.1 %. */
char *format_share(double share, char text[FORMAT_SIZE]);

#endif
