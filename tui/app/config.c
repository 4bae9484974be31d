#include "tui/app/config.h"

#include "core/files/json.h"
#include "core/files/user_directory.h"
#include "tui/canvas/theme.h"
#include "tui/keys/keymap.h"
#include "tui/text/suggest.h"
#include "tui/text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_LIMIT = 1 << 16, WORD_SIZE = 64 };

static const char *const SETTINGS[] = {"theme", "keys"};

static STATUS_PRINTF(3, 4) void note(Config *config, int line, const char *format, ...) {
    if (config->problem_count == CONFIG_PROBLEMS) return;
    ConfigProblem *problem = &config->problems[config->problem_count++];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    problem->line = line;
    if (length < 0) problem->text[0] = '\0';
}

/* One of the names that there are, which are short. */
static void keep(char *to, size_t size, const char *name) {
    size_t bytes = strnlen(name, size - 1);
    memcpy(to, name, bytes);
    to[bytes] = '\0';
}

static void take(Config *config, int line, const char *name, const char *value) {
    char shown[WORD_SIZE];
    ThemeKind kind;
    bool mono;
    size_t bytes;
    (void)text_escape(value, strlen(value), TEXT_PLAIN, shown, sizeof shown);
    if (strcmp(name, "theme") == 0) {
        if (theme_read_name(value, NULL, &kind, &mono))
            keep(config->theme, sizeof config->theme, value);
        else
            note(config, line, "theme is auto, dark, light, high-contrast or mono, not \"%s\"", shown);
    } else if (strcmp(name, "keys") == 0) {
        if (keymap_flavour_text(value, &bytes) != NULL)
            keep(config->keys, sizeof config->keys, value);
        else
            note(config, line, "keys is default, vim or emacs, not \"%s\"", shown);
    } else {
        const char *near = suggest_name(name, SETTINGS, sizeof SETTINGS / sizeof *SETTINGS);
        (void)text_escape(name, strlen(name), TEXT_PLAIN, shown, sizeof shown);
        note(config, line, "there is no setting \"%s\"; %s%s", shown, near != NULL ? "near: " : "there are ",
             near != NULL ? near : "theme and keys");
    }
}

/* NAME = VALUE. */
static void read_line(Config *config, int line, const char *text, size_t bytes) {
    char name[WORD_SIZE] = "", value[WORD_SIZE] = "", whole[2 * WORD_SIZE];
    int end = 0;
    const char *comment = memchr(text, '#', bytes);
    if (comment != NULL) bytes = (size_t)(comment - text);
    while (bytes > 0 && strchr(" \t\r", text[bytes - 1]) != NULL) bytes--;
    if (bytes == 0) return;
    if (bytes < sizeof whole && memchr(text, '\0', bytes) == NULL) {
        memcpy(whole, text, bytes);
        whole[bytes] = '\0';
        if (sscanf(whole, " %63[^ \t=] = %63s%n", name, value, &end) == 2 && (size_t)end == bytes) {
            take(config, line, name, value);
            return;
        }
    }
    note(config, line, "expected NAME = VALUE, as in theme = dark");
}

void config_read(Config *config, const char *text, size_t bytes) {
    const char *end = text + bytes;
    for (int line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;
        read_line(config, line, text, (size_t)(stop - text));
        text = newline != NULL ? newline + 1 : end;
    }
}

void config_read_user(Config *config) {
    *config = (Config){.path = user_directory_path(USER_DIRECTORY_CONFIG, "config")};
    if (config->path == NULL || !user_directory_has_file(config->path)) return;
    char *text = NULL;
    size_t bytes;
    Error reason;
    if (json_read_text(config->path, CONFIG_LIMIT, &text, &bytes, &reason) == STATUS_OK)
        config_read(config, text, bytes);
    else
        note(config, 0, "%s", reason.message);
    free(text);
}

void config_free(Config *config) {
    free(config->path);
    config->path = NULL;
}
