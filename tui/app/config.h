/*
 * config — the user's settings of the terminal program, $XDG_CONFIG_HOME/rejuv/config (else
 * ~/.config/rejuv/config), which need not exist:
 *
 *     # a comment
 *     theme = light         auto, dark, light, high-contrast or mono, as --theme
 *     keys = vim            default, vim or emacs, as --keys
 *
 * The command line comes before it. A line that cannot be used is left out and noted.
 */
#ifndef REJUV_TUI_CONFIG_H
#define REJUV_TUI_CONFIG_H

#include <stddef.h>

enum { CONFIG_VALUE = 32, CONFIG_PROBLEMS = 8, CONFIG_PROBLEM = 160 };

typedef struct ConfigProblem {
    int line; /* 0: the whole file */
    char text[CONFIG_PROBLEM];
} ConfigProblem;

typedef struct Config {
    char *path;                                   /* NULL where the environment names no place */
    char theme[CONFIG_VALUE], keys[CONFIG_VALUE]; /* valid, or "" where nothing is said */
    ConfigProblem problems[CONFIG_PROBLEMS];
    size_t problem_count;
} Config;

/* Settings of a text; `config` is all zero before. */
void config_read(Config *config, const char *text, size_t bytes);

/* Those of the user's file; release with config_free(). */
void config_read_user(Config *config);
void config_free(Config *config);

#endif
