/*
 * tokenizer_regex — the regular expressions of a tokenizer.json, which are Oniguruma's (Ruby syntax), run by
 * PCRE2.
 *
 * The expression is parsed and written anew in terms that both understand alike; what has no such terms is
 * refused by name. Where the two differ:
 *
 *     \s \d \w \h          spelled out as Unicode properties (Oniguruma's \s has no U+180E, its \h is a
 *                          hexadecimal digit)
 *     ^ $                  line anchors, as Ruby has them
 *     x{1,3}+              in Ruby a repetition of a repetition, not possessive; x{2}? an option, not lazy
 *     (?i:...)             ASCII only; letters that a ligature or ß would also match are refused
 *     \p{Han}              the script, not PCRE2's script extensions
 *     nested classes, &&, back references, named or absent groups, \R \X \K \G \b: refused
 *
 * An expression that begins with x+ is prefixed so that a search which failed at one character of a run of x
 * does not try the rest of the run: \s+$ over a million spaces is linear.
 *
 * Internal to the tokenizer. A TokenizerRegex does not change once compiled; each call brings its own
 * RegexScratch.
 */
#ifndef REJUV_CORE_TOKENIZER_REGEX_H
#define REJUV_CORE_TOKENIZER_REGEX_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct TokenizerRegex TokenizerRegex;
typedef struct RegexScratch RegexScratch;

/* The caller frees it. STATUS_UNSUPPORTED, naming the construct and its offset, where it cannot be said in
 * PCRE2. */
Status tokenizer_regex_compile(const char *pattern, size_t bytes, TokenizerRegex **regex,
                               Error *error) STATUS_MUST_CHECK;
void tokenizer_regex_free(TokenizerRegex *regex); /* takes NULL */

Status tokenizer_regex_create_scratch(RegexScratch **scratch, Error *error) STATUS_MUST_CHECK;
void tokenizer_regex_free_scratch(RegexScratch *scratch); /* takes NULL */

/* The leftmost match in `text` (valid UTF-8) at or after byte `from`. STATUS_UNSUPPORTED where it exceeds the
 * limits. */
Status tokenizer_regex_find(const TokenizerRegex *regex, RegexScratch *scratch, const char *text,
                            size_t bytes, size_t from, bool *found, size_t *begin, size_t *end,
                            Error *error) STATUS_MUST_CHECK;

/* Appends the PCRE2 spelling of an Oniguruma expression to *translation (compile does this by itself). */
Status tokenizer_regex_translate(const char *pattern, size_t bytes, TokenizerText *translation,
                                 Error *error) STATUS_MUST_CHECK;

/* Whether the expression can match the empty string. */
bool tokenizer_regex_matches_nothing(const TokenizerRegex *regex);

#endif
