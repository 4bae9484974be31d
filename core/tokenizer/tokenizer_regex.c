#include "core/tokenizer/tokenizer_regex.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Bounds that no sane expression reaches on a text of some hundred megabytes, and that a hostile one meets
 * soon. */
enum {
    MATCH_LIMIT = 400 * 1000 * 1000,
    HEAP_LIMIT_KIB = 256 * 1024,
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_LIMIT = 8 * 1024 * 1024,
    PATTERN_BYTES_MAX = 64 * 1024
};

struct TokenizerRegex {
    pcre2_code *code;
};

struct RegexScratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL until the 32 KiB of the machine's own stack were too few */
};

static Status compile_translation(const TokenizerText *translation, const char *pattern, size_t bytes,
                                  pcre2_code **code, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (context == NULL) return memory_fail(error, "a regular expression");
    int problem = pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    PCRE2_SIZE offset = 0;
    if (problem == 0)
        *code =
            pcre2_compile((PCRE2_SPTR)translation->text, translation->bytes,
                          PCRE2_UTF | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &problem, &offset, context);
    pcre2_compile_context_free(context);
    if (*code != NULL) return STATUS_OK;
    PCRE2_UCHAR reason[160] = "";
    (void)pcre2_get_error_message(problem, reason, sizeof reason); /* a cut message is still a message */
    return status_fail(error, STATUS_UNSUPPORTED, "regular expression %s is not supported: %s",
                       tokenizer_text_quote(quote, pattern, bytes), (const char *)reason);
}

Status tokenizer_regex_compile(const char *pattern, size_t bytes, TokenizerRegex **regex, Error *error) {
    *regex = NULL;
    if (bytes > PATTERN_BYTES_MAX)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "regular expression of %zu bytes: at most %d are supported", bytes,
                           PATTERN_BYTES_MAX);
    TokenizerText translation = {0};
    pcre2_code *code = NULL;
    Status status = tokenizer_regex_translate(pattern, bytes, &translation, error);
    if (status == STATUS_OK) status = compile_translation(&translation, pattern, bytes, &code, error);
    tokenizer_text_free(&translation);
    if (status != STATUS_OK) return status;
    /* Without JIT, or where the system forbids it, pcre2_match() interprets: slower, the same result. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    TokenizerRegex *made = memory_allocate(1, sizeof *made);
    if (made == NULL) {
        pcre2_code_free(code);
        return memory_fail(error, "a regular expression");
    }
    made->code = code;
    *regex = made;
    return STATUS_OK;
}

void tokenizer_regex_free(TokenizerRegex *regex) {
    if (regex == NULL) return;
    pcre2_code_free(regex->code);
    free(regex);
}

bool tokenizer_regex_matches_nothing(const TokenizerRegex *regex) {
    uint32_t empty = 1;
    return pcre2_pattern_info(regex->code, PCRE2_INFO_MATCHEMPTY, &empty) != 0 || empty != 0;
}

Status tokenizer_regex_create_scratch(RegexScratch **scratch, Error *error) {
    RegexScratch *made = *scratch = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a regular expression's scratch");
    made->data = pcre2_match_data_create(1, NULL);
    made->context = pcre2_match_context_create(NULL);
    if (made->data == NULL || made->context == NULL) {
        tokenizer_regex_free_scratch(made);
        *scratch = NULL;
        return memory_fail(error, "a regular expression's scratch");
    }
    /* These return 0 always. */
    (void)pcre2_set_match_limit(made->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(made->context, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(made->context, HEAP_LIMIT_KIB);
    return STATUS_OK;
}

void tokenizer_regex_free_scratch(RegexScratch *scratch) {
    if (scratch == NULL) return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static int match(const TokenizerRegex *regex, RegexScratch *scratch, const char *text, size_t bytes,
                 size_t from, uint32_t options) {
    return pcre2_match(regex->code, (PCRE2_SPTR)text, bytes, from, PCRE2_NO_UTF_CHECK | options,
                       scratch->data, scratch->context);
}

/* Compiled code first, then with a larger stack, then interpreted: only the last says that it is too much. */
static int match_somehow(const TokenizerRegex *regex, RegexScratch *scratch, const char *text, size_t bytes,
                         size_t from) {
    int outcome = match(regex, scratch, text, bytes, from, 0);
    if (outcome == PCRE2_ERROR_JIT_STACKLIMIT && scratch->stack == NULL) {
        scratch->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_LIMIT, NULL);
        if (scratch->stack != NULL) {
            pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
            outcome = match(regex, scratch, text, bytes, from, 0);
        }
    }
    return outcome == PCRE2_ERROR_JIT_STACKLIMIT ? match(regex, scratch, text, bytes, from, PCRE2_NO_JIT)
                                                 : outcome;
}

Status tokenizer_regex_find(const TokenizerRegex *regex, RegexScratch *scratch, const char *text,
                            size_t bytes, size_t from, bool *found, size_t *begin, size_t *end,
                            Error *error) {
    *found = false;
    int outcome = match_somehow(regex, scratch, text, bytes, from);
    if (outcome == PCRE2_ERROR_NOMATCH) return STATUS_OK;
    if (outcome == PCRE2_ERROR_NOMEMORY) return memory_fail(error, "a regular expression's match");
    if (outcome < 0) {
        PCRE2_UCHAR reason[160] = "";
        (void)pcre2_get_error_message(outcome, reason, sizeof reason);
        return status_fail(error, STATUS_UNSUPPORTED,
                           "a regular expression of the tokenizer gave up on a text of %zu bytes: %s", bytes,
                           (const char *)reason);
    }
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer(scratch->data);
    *found = true;
    *begin = range[0];
    *end = range[1];
    return STATUS_OK;
}
