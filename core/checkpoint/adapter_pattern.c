#include "core/checkpoint/adapter_pattern.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_LIMIT = 400 };

static Status refuse(const char *pattern, const char *what, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "adapter_config.json: alpha_pattern \"%.80s\": expected a plain regular expression, found %s",
        pattern, what);
}

/* What follows a backslash. Characters that are none of letters and digits stand for themselves in both. */
static const char *rewrite_escape(char escaped) {
    switch (escaped) {
    case 'd':
        return "[0-9]";
    case 'w':
        return "[[:alnum:]_]";
    case '.':
    case '\\':
    case '*':
    case '+':
    case '?':
    case '(':
    case ')':
    case '[':
    case '|':
    case '^':
    case '$':
        return ""; /* as it stands */
    default:
        return NULL;
    }
}

/* A pattern of Python's as one of POSIX's. Whether a repetition is lazy does not change whether all of it matches. */
static Status rewrite(const char *pattern, Buffer *posix, Error *error) {
    bool in_set = false;
    for (const char *at = pattern; *at != '\0'; at++) {
        if (in_set) {
            if (*at == '\\') return refuse(pattern, "an escape within brackets", error);
            in_set = *at != ']';
            buffer_add(posix, at, 1);
        } else if (*at == '\\') {
            const char *known = rewrite_escape(*++at);
            if (known == NULL) return refuse(pattern, "an escape that is not known", error);
            if (*known == '\0') buffer_add_text(posix, "\\");
            buffer_add(posix, *known == '\0' ? at : known, *known == '\0' ? 1 : strlen(known));
        } else if (*at == '{') {
            return refuse(pattern, "a count in braces", error);
        } else if (strncmp(at, "(?", 2) == 0) {
            if (at[2] != ':') return refuse(pattern, "a group of a special kind", error);
            buffer_add_text(posix, "(");
            at += 2;
        } else {
            in_set = *at == '[';
            buffer_add(posix, at, 1);
            if (strchr("*+?", *at) != NULL && at[1] == '?') at++;
        }
    }
    return STATUS_OK;
}

static Status match(const char *pattern, const char *posix, const char *module, bool *matches, Error *error) {
    regex_t compiled;
    int code = regcomp(&compiled, posix, REG_EXTENDED | REG_NOSUB);
    if (code == REG_ESPACE) return memory_fail(error, "a pattern");
    if (code != 0) return refuse(pattern, "none that can be read", error);
    *matches = regexec(&compiled, module, 0, NULL, 0) == 0;
    regfree(&compiled);
    return STATUS_OK;
}

Status adapter_pattern_matches(const char *pattern, const char *module, bool *matches, Error *error) {
    Buffer posix = {0};
    char *text;
    *matches = false;
    if (strlen(pattern) > PATTERN_LIMIT) return refuse(pattern, "a long one", error);
    buffer_add_text(&posix, "^(.*\\.)?(");
    Status status = rewrite(pattern, &posix, error);
    if (status != STATUS_OK) {
        buffer_free(&posix);
        return status;
    }
    buffer_add_text(&posix, ")$");
    status = buffer_take(&posix, &text, NULL, "a pattern", error);
    if (status != STATUS_OK) return status;
    status = match(pattern, text, module, matches, error);
    free(text);
    return status;
}
