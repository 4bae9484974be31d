#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/checkpoint/adapter_pattern.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <pcre2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_LIMIT = 400, MATCH_LIMIT = 100000, HEAP_KIB = 16 << 10 };

static Status refuse(const char *pattern, const char *what, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "adapter_config.json: alpha_pattern \"%.80s\": expected a plain regular expression, found %s",
        pattern, what);
}

static bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether both read what follows a backslash alike. Characters that are no letters and no digits stand for themselves. */
static bool is_escape_known(char escaped, bool in_set) {
    if (escaped == '\0') return false;
    if (!is_letter_or_digit(escaped)) return true;
    return strchr(in_set ? "dDwWsSnrt" : "dDwWsSnrtbBA", escaped) != NULL;
}

static bool is_group_special(const char *at) {
    return strncmp(at, "(?", 2) == 0 && (at[2] == '\0' || strchr(":=!", at[2]) == NULL);
}

/* A set, from its "[" on: *at is left at its "]". */
static Status check_set(const char *pattern, const char **at, Error *error) {
    const char *c = *at + 1;
    if (*c == '^') c++;
    if (*c == ']') c++; /* the first is one of the set, in both */
    for (; *c != ']'; c++) {
        if (*c == '\0') return refuse(pattern, "a set without its end", error);
        if (*c == '[') return refuse(pattern, "a bracket within brackets", error);
        if (*c == '\\' && !is_escape_known(*++c, true))
            return refuse(pattern, "an escape that is not known, within brackets", error);
    }
    *at = c;
    return STATUS_OK;
}

/*
 * Whether a pattern of Python's means the same to PCRE2, and takes no more room than its length lets one expect: a count
 * behind a group copies what is in it, and one behind that again.
 */
static Status check(const char *pattern, Error *error) {
    if (*pattern == '?' || *pattern == '*')
        return refuse(pattern, "a repetition of nothing",
                      error); /* behind the parenthesis it would be a kind of group */
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\') {
            if (!is_escape_known(*++at, false)) return refuse(pattern, "an escape that is not known", error);
        } else if (*at == '[') {
            Status status = check_set(pattern, &at, error);
            if (status != STATUS_OK) return status;
        } else if (strncmp(at, "(*", 2) == 0 || is_group_special(at)) {
            return refuse(pattern, "a group of a special kind", error);
        } else if (*at == '{' && (at == pattern || strchr(")}*+?", at[-1]) != NULL || at[1] == ',')) {
            return refuse(pattern, "a count behind a group or a repetition, or without its least", error);
        }
    }
    return STATUS_OK;
}

static Status search(const char *pattern, const pcre2_code *code, const char *module, bool *matches,
                     Error *error) {
    pcre2_match_data *found = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    int result = PCRE2_ERROR_NOMEMORY;
    if (found != NULL && limits != NULL) {
        (void)pcre2_set_match_limit(limits, MATCH_LIMIT);
        (void)pcre2_set_heap_limit(limits, HEAP_KIB);
        result = pcre2_match(code, (PCRE2_SPTR)module, strlen(module), 0, 0, found, limits);
    }
    pcre2_match_data_free(found);
    pcre2_match_context_free(limits);
    *matches = result >= 0;
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH) return STATUS_OK;
    if (result == PCRE2_ERROR_NOMEMORY) return memory_fail(error, "a pattern");
    return refuse(pattern, "one that asks too much of a name", error);
}

static Status match(const char *pattern, const char *whole, const char *module, bool *matches, Error *error) {
    int problem = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)whole, PCRE2_ZERO_TERMINATED,
                                     PCRE2_ANCHORED | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF,
                                     &problem, &offset, NULL);
    if (code == NULL)
        return problem == PCRE2_ERROR_NOMEMORY ? memory_fail(error, "a pattern")
                                               : refuse(pattern, "none that can be read", error);
    Status status = search(pattern, code, module, matches, error);
    pcre2_code_free(code);
    return status;
}

Status adapter_pattern_matches(const char *pattern, const char *module, bool *matches, Error *error) {
    Buffer whole = {0};
    char *text;
    *matches = false;
    if (strlen(pattern) > PATTERN_LIMIT) return refuse(pattern, "a long one", error);
    Status status = check(pattern, error);
    if (status != STATUS_OK) return status;
    buffer_add_text(&whole, "(.*\\.)?(");
    buffer_add_text(&whole, pattern);
    buffer_add_text(&whole, ")$");
    status = buffer_take(&whole, &text, NULL, "a pattern", error);
    if (status != STATUS_OK) return status;
    status = match(pattern, text, module, matches, error);
    free(text);
    return status;
}
