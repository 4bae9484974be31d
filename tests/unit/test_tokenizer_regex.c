/* Oniguruma's expressions in PCRE2: what they match, and what is refused by name. */
#include "core/tokenizer/tokenizer_regex.h"

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
/* clang-format on */

static TokenizerRegex *compile(const char *pattern) {
    TokenizerRegex *regex;
    Error error;
    if (tokenizer_regex_compile(pattern, strlen(pattern), &regex, &error) != STATUS_OK)
        fail_msg("%s: %s", pattern, error.message);
    return regex;
}

/* The first match is text[begin, end); end 0 means that there is none. */
static void expect_match(const char *pattern, const char *text, size_t begin, size_t end) {
    TokenizerRegex *regex = compile(pattern);
    RegexScratch *scratch;
    size_t found_begin, found_end;
    bool found;
    assert_int_equal(tokenizer_regex_create_scratch(&scratch, NULL), STATUS_OK);
    assert_int_equal(
        tokenizer_regex_find(regex, scratch, text, strlen(text), 0, &found, &found_begin, &found_end, NULL),
        STATUS_OK);
    if (found != (end > 0)) fail_msg("%s on %s: found %d", pattern, text, found);
    if (found && (found_begin != begin || found_end != end))
        fail_msg("%s on %s: found [%zu, %zu)", pattern, text, found_begin, found_end);
    tokenizer_regex_free_scratch(scratch);
    tokenizer_regex_free(regex);
}

static void expect_refusal(const char *pattern, const char *part) {
    TokenizerRegex *regex;
    Error error;
    assert_int_equal(tokenizer_regex_compile(pattern, strlen(pattern), &regex, &error), STATUS_UNSUPPORTED);
    assert_null(regex);
    if (strstr(error.message, part) == NULL) fail_msg("%s: %s", pattern, error.message);
}

static void white_space_is_that_of_unicode(void **state) {
    (void)state;
    static const char *const SPACES[] = {"\t",     "\v",     " ",      "\xc2\x85", "\u00a0",
                                         "\u1680", "\u2003", "\u2028", "\u3000"};
    static const char *const OTHERS[] = {"\u200b", "\u180e", "\x1c", "\x1f", "\ufeff"};
    for (size_t i = 0; i < sizeof SPACES / sizeof *SPACES; i++)
        expect_match("\\s", SPACES[i], 0, strlen(SPACES[i]));
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) expect_match("\\s", OTHERS[i], 0, 0);
}

static void case_is_ignored_beyond_ascii(void **state) {
    (void)state;
    expect_match("(?i:'s)", "a'S", 1, 3);
    expect_match("(?i:'s)", "'ſ", 0, 3);
    expect_match("(?i:[sdmt]|ll)", "K LL", 2, 4);
    expect_match("(?i:k)", "\u212a", 0, 3);
    expect_match("(?i)A|B", "b", 0, 1);
    expect_match("(?i:a(?-i:b))", "AB", 0, 0);
}

static void anchors_are_those_of_lines(void **state) {
    (void)state;
    expect_match("\\s+$", "a  b \nc", 4, 5);
    expect_match("^b", "a\nb", 2, 3);
    expect_match(".+", "\nab\n", 1, 3);
    expect_match("b\\z", "ab\n", 0, 0);
    expect_match("b\\Z", "ab\n", 1, 2);
}

static void ruby_repeats_what_looks_possessive_or_lazy(void **state) {
    (void)state;
    expect_match("a{1,2}+b", "aaaab", 0, 5); /* in PCRE2 as written: possessive, "aab" */
    expect_match("(?:a{2}?)b", "ab", 1, 2);  /* an option: a{2} or nothing */
    expect_match("a{,2}b", "aaab", 1, 4);
    expect_match("a++ab|c", "aabc", 3, 4);
    expect_match("a{x}", "a{x}", 0, 4);
}

static void properties_mean_scripts_and_not_their_extensions(void **state) {
    (void)state;
    expect_match("\\p{Han}", "、語", 3, 6); /* U+3001 has Han among its script extensions */
    expect_match("\\p{^L}", "a1", 1, 2);
    expect_match("[^\\P{L}]+", "1ab", 1, 3);
    expect_match("\\h+", "xBEEF!", 1, 5);
    expect_match("\\w", "²", 0, 2);
    expect_match("[\\w]", "²", 0, 0); /* so Oniguruma has it */
    expect_match("[[:upper:]]", "aÉ", 1, 3);
}

static void what_pcre2_cannot_say_alike_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *part;
    } REFUSALS[] = {{"[a[bc]]", "a class within a class at byte 2"},
                    {"[a&&b]", "an intersection of classes"},
                    {"(a)\\1", "this escape"},
                    {"(?<n>a)", "a group of this kind"},
                    {"(?~a)", "a group of this kind"},
                    {"(?x: a)", "a group of this kind"},
                    {"(?m:.)", "a group of this kind"},
                    {"\\bfoo", "this escape"},
                    {"\\R|\\X|\\K|\\G", "this escape"},
                    {"\\p{NoSuchScript}", "unknown property"},
                    {"\\pL", "a property without braces"},
                    {"(?i:ss)", "a pair of letters that has a ligature"},
                    {"(?i:é)", "a letter beyond ASCII"},
                    {"(?i:[^a])", "a negated class under (?i)"},
                    {"(?i:\\p{Lu})", "a property under (?i)"},
                    {"a(?i)b|c", "a group of this kind"},
                    {"^*", "a repetition of an assertion"},
                    {"*a", "a repetition of nothing"},
                    {"a{3,2}", "these bounds"},
                    {"a{70000}", "these bounds"},
                    {"[b-a]", "a range of this kind"},
                    {"[\\d-z]", "a range that begins with a class"},
                    {"[]a]", "a class that begins with ]"},
                    {"[a", "a class without an end"},
                    {"(a", "a group without an end"},
                    {"a)", "a closing parenthesis"},
                    {"a\\", "a backslash at the end"},
                    {"\\xE9", "this escape of a character"},
                    {"\\x{110000}", "no character"},
                    {"(?<=a+)b", "lookbehind"},
                    {"a{2}{2}{2}{2}{2}{2}{2}{2}{2}{2}", "this many repetitions"}};
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++)
        expect_refusal(REFUSALS[i].pattern, REFUSALS[i].part);
}

static void an_expression_nested_too_deep_is_refused(void **state) {
    (void)state;
    enum { DEPTH = 20000 };
    char *pattern = malloc(2 * DEPTH + 2);
    assert_non_null(pattern);
    memset(pattern, '(', DEPTH);
    pattern[DEPTH] = 'a';
    memset(pattern + DEPTH + 1, ')', DEPTH);
    pattern[2 * DEPTH + 1] = '\0';
    expect_refusal(pattern, "nested this deep");
    free(pattern);
}

static void it_is_known_whether_an_expression_matches_nothing(void **state) {
    (void)state;
    static const char *const NOTHING[] = {"a*", "a|", "(?=b)", "(?<=a)", "$", "(?:a?)+"};
    static const char *const SOMETHING[] = {"a", "a+", "a|b", "(?=b)b", "\\s+$"};
    for (size_t i = 0; i < sizeof NOTHING / sizeof *NOTHING; i++) {
        TokenizerRegex *regex = compile(NOTHING[i]);
        assert_true(tokenizer_regex_matches_nothing(regex));
        tokenizer_regex_free(regex);
    }
    for (size_t i = 0; i < sizeof SOMETHING / sizeof *SOMETHING; i++) {
        TokenizerRegex *regex = compile(SOMETHING[i]);
        assert_false(tokenizer_regex_matches_nothing(regex));
        tokenizer_regex_free(regex);
    }
}

/* Without the guard that the translation puts in front this takes 10^12 steps. */
static void a_run_that_fails_once_is_not_tried_again(void **state) {
    (void)state;
    enum { COUNT = 1 << 20 };
    char *text = malloc(COUNT + 1);
    assert_non_null(text);
    memset(text, ' ', COUNT);
    text[COUNT - 1] = 'x';
    text[COUNT] = '\0';
    expect_match("\\s+$", text, 0, 0);
    text[COUNT - 2] = '\n';
    expect_match("\\s+$", text, 0, COUNT - 2);
    free(text);
}

/* Groups that repeat need a stack that grows with the text: beyond it, the interpreter takes over or refuses.
 */
static void a_match_beyond_the_limits_is_an_error_or_right(void **state) {
    (void)state;
    enum { COUNT = 1 << 22 };
    char *text = malloc(COUNT);
    assert_non_null(text);
    memset(text, 'a', COUNT);
    TokenizerRegex *regex = compile("(?:a|b)+c|d");
    RegexScratch *scratch;
    size_t begin, end;
    bool found = true;
    Error error;
    assert_int_equal(tokenizer_regex_create_scratch(&scratch, NULL), STATUS_OK);
    Status status = tokenizer_regex_find(regex, scratch, text, 1 << 10, 0, &found, &begin, &end, &error);
    assert_int_equal(status, STATUS_OK);
    assert_false(found);
    status = tokenizer_regex_find(regex, scratch, text, COUNT, 0, &found, &begin, &end, &error);
    assert_true(status == STATUS_UNSUPPORTED || (status == STATUS_OK && !found));
    tokenizer_regex_free_scratch(scratch);
    tokenizer_regex_free(regex);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_is_that_of_unicode),
        cmocka_unit_test(case_is_ignored_beyond_ascii),
        cmocka_unit_test(anchors_are_those_of_lines),
        cmocka_unit_test(ruby_repeats_what_looks_possessive_or_lazy),
        cmocka_unit_test(properties_mean_scripts_and_not_their_extensions),
        cmocka_unit_test(what_pcre2_cannot_say_alike_is_refused_by_name),
        cmocka_unit_test(an_expression_nested_too_deep_is_refused),
        cmocka_unit_test(it_is_known_whether_an_expression_matches_nothing),
        cmocka_unit_test(a_run_that_fails_once_is_not_tried_again),
        cmocka_unit_test(a_match_beyond_the_limits_is_an_error_or_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
