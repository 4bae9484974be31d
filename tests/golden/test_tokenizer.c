/*
 * Every golden tokenizer, every text: ids with and without special tokens, and the texts decoded from them,
 * equal to what Hugging Face tokenizers 0.23.3 gave. tests/golden/tokenizers/README.md describes the data.
 *
 * differences.txt there lists the cases that cannot be equal because the Unicode tables of PCRE2 or utf8proc
 * are of another version, each with the versions it differs with; the test asserts that exactly those of the
 * libraries it runs with differ.
 */
#include "core/files/json_text.h"
#include "core/tokenizer/tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utf8proc.h>

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

#define FOLDER TESTS_DIR "/golden/tokenizers"

static const char *const FAMILIES[] = {"gpt2",     "gptneox",     "olmo2",   "llama3", "qwen3",
                                       "llama2",   "llama-unk",   "mistral", "phi3",   "gemma",
                                       "deepseek", "deepseek-v3", "o200k",   "unigram"};

enum { FAMILY_COUNT = sizeof FAMILIES / sizeof *FAMILIES, CASES = 540 /* of a family, with a text */ };

typedef struct Text {
    char *text;
    size_t bytes;
} Text;

/* One line of cases.jsonl or decode.jsonl; members that it has not are zero. */
typedef struct Case {
    Text kind, text, decoded, decoded_skip;
    TokenList ids, ids_plain;
} Case;

/* ---- reading the data; cJSON cannot, since the texts hold U+0000 ---- */

static char *read_file(const char *family, const char *name, size_t *bytes) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s/%s", FOLDER, family, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*bytes + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *bytes, file), *bytes);
    text[*bytes] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == ',' || *at == ':') at++;
    return at;
}

static const char *read_string(const char *at, const char *end, Text *out) {
    Error error;
    size_t used;
    if (json_text_decode(at, (size_t)(end - at), &used, &out->text, &out->bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return at + used;
}

static const char *read_ids(const char *at, TokenList *out) {
    assert_int_equal(*at, '[');
    for (at = skip_blanks(at + 1); *at != ']'; at = skip_blanks(at)) {
        char *after;
        assert_int_equal(token_list_append(out, (int32_t)strtol(at, &after, 10), NULL), STATUS_OK);
        assert_ptr_not_equal(after, at);
        at = after;
    }
    return at + 1;
}

/* Reads the line at `at`; returns where the next one begins. */
static const char *read_case(const char *at, const char *end, Case *c) {
    const struct {
        const char *key;
        Text *text;
        TokenList *ids;
    } members[] = {{"kind", &c->kind, NULL},       {"text", &c->text, NULL},
                   {"decoded", &c->decoded, NULL}, {"decoded_skip", &c->decoded_skip, NULL},
                   {"ids", NULL, &c->ids},         {"ids_plain", NULL, &c->ids_plain}};
    *c = (Case){0};
    assert_int_equal(*at, '{');
    for (at = skip_blanks(at + 1); *at != '}'; at = skip_blanks(at)) {
        Text key;
        size_t i = 0, count = sizeof members / sizeof *members;
        at = skip_blanks(read_string(at, end, &key));
        while (i < count && strcmp(members[i].key, key.text) != 0) i++;
        assert_true(i < count);
        free(key.text);
        at = members[i].text != NULL ? read_string(at, end, members[i].text) : read_ids(at, members[i].ids);
    }
    assert_int_equal(at[1], '\n');
    return at + 2;
}

static void free_case(Case *c) {
    free(c->kind.text);
    free(c->text.text);
    free(c->decoded.text);
    free(c->decoded_skip.text);
    token_list_free(&c->ids);
    token_list_free(&c->ids_plain);
}

/* ---- comparing ---- */

static Tokenizer *open_family(const char *family) {
    char path[1024];
    Error error;
    Tokenizer *tokenizer;
    (void)snprintf(path, sizeof path, "%s/%s/tokenizer.json", FOLDER, family);
    if (tokenizer_open(path, &tokenizer, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tokenizer;
}

static bool encodes_to(const Tokenizer *tokenizer, const Text *text, bool add_special,
                       const TokenList *expected) {
    TokenList found = {0};
    Error error;
    if (tokenizer_encode(tokenizer, text->text, text->bytes, add_special, &found, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    bool equal = found.count == expected->count &&
                 (found.count == 0 || memcmp(found.ids, expected->ids, found.count * sizeof *found.ids) == 0);
    token_list_free(&found);
    return equal;
}

static bool decodes_to(const Tokenizer *tokenizer, const TokenList *ids, bool skip_special,
                       const Text *expected) {
    Text found;
    Error error;
    if (tokenizer_decode(tokenizer, ids->ids, ids->count, skip_special, &found.text, &found.bytes, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    bool equal = found.bytes == expected->bytes && memcmp(found.text, expected->text, found.bytes) == 0;
    free(found.text);
    return equal;
}

static bool is_equal(const Tokenizer *tokenizer, const Case *c, bool has_text) {
    if (!has_text)
        return decodes_to(tokenizer, &c->ids, false, &c->decoded) &&
               decodes_to(tokenizer, &c->ids, true, &c->decoded_skip);
    return encodes_to(tokenizer, &c->text, true, &c->ids) &&
           encodes_to(tokenizer, &c->text, false, &c->ids_plain) &&
           decodes_to(tokenizer, &c->ids_plain, false, &c->decoded) &&
           decodes_to(tokenizer, &c->ids, true, &c->decoded_skip);
}

/* ---- which cases differ with the Unicode versions of the libraries ---- */

/* One line of differences.txt. */
typedef struct Difference {
    char family[16], library[16], comparison[3]; /* "<" or ">=" */
    size_t line;
    int version; /* as parse_version() has it */
} Difference;

typedef struct Differences {
    Difference items[64];
    size_t count;
} Differences;

/* "15.1.0" and "15.1" are 1501, "16" is 1600. */
static int parse_version(const char *text) {
    char *end;
    long major = strtol(text, &end, 10), minor = 0;
    assert_ptr_not_equal(end, text);
    if (*end == '.') minor = strtol(end + 1, NULL, 10);
    assert_in_range(major, 1, 99);
    assert_in_range(minor, 0, 99);
    return (int)(major * 100 + minor);
}

/* Of the library that the program runs with, which may be newer than the one it was built with. */
static int unicode_version(const char *library) {
    char text[64];
    if (strcmp(library, "utf8proc") == 0) return parse_version(utf8proc_unicode_version());
    assert_string_equal(library, "pcre2");
    assert_true(pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, NULL) <= (int)sizeof text);
    assert_true(pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, text) > 0);
    return parse_version(text);
}

static Difference read_difference(const char *line) {
    Difference d;
    char version[8];
    if (sscanf(line, "%15s %zu %15[a-z0-9]%2[<>=]%7[0-9.]", d.family, &d.line, d.library, d.comparison,
               version) != 5)
        fail_msg("differences.txt: not FAMILY LINE VERSIONS REASON: %.60s", line);
    d.version = parse_version(version);
    assert_true(strcmp(d.comparison, "<") == 0 || strcmp(d.comparison, ">=") == 0);
    return d;
}

static void read_differences(Differences *out) {
    size_t bytes;
    char *text = read_file(".", "differences.txt", &bytes);
    out->count = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (*line == '#') continue;
        assert_true(out->count < sizeof out->items / sizeof *out->items);
        out->items[out->count++] = read_difference(line);
    }
    free(text);
}

static bool differs_with(const Difference *difference, int version) {
    return difference->comparison[0] == '<' ? version < difference->version : version >= difference->version;
}

/* The line of differences.txt that says that the case differs with the libraries on hand; NULL if none does. */
static const Difference *find_difference(const Differences *differences, const char *family, size_t number) {
    for (size_t i = 0; i < differences->count; i++) {
        const Difference *d = &differences->items[i];
        if (d->line == number && strcmp(d->family, family) == 0 &&
            differs_with(d, unicode_version(d->library)))
            return d;
    }
    return NULL;
}

/* Prints what is not as it should be; true when nothing is. */
static bool is_as_listed(const char *family, const char *file, size_t number, const char *kind, bool equal,
                         const Difference *listed) {
    if (equal == (listed == NULL)) return true;
    int normalization = unicode_version("utf8proc"), expressions = unicode_version("pcre2");
    print_error("%s/%s line %zu (%s): %s with the Unicode %d.%d of utf8proc and %d.%d of pcre2\n", family,
                file, number, kind,
                equal ? "equal, though differences.txt lists it" : "differs, not as listed,",
                normalization / 100, normalization % 100, expressions / 100, expressions % 100);
    return false;
}

/* Returns how many cases the file has, in `different` how many of them are listed. */
static size_t check_file(const Tokenizer *tokenizer, const char *family, const char *name, bool has_text,
                         const Differences *differences, size_t *different) {
    size_t bytes, number = 0, wrong = 0;
    char *text = read_file(family, name, &bytes);
    *different = 0;
    for (const char *at = text; at < text + bytes;) {
        Case c;
        at = read_case(at, text + bytes, &c);
        number++;
        const Difference *listed = has_text ? find_difference(differences, family, number) : NULL;
        bool equal = is_equal(tokenizer, &c, has_text);
        if (!is_as_listed(family, name, number, has_text ? c.kind.text : "ids", equal, listed)) wrong++;
        if (listed != NULL) (*different)++;
        free_case(&c);
    }
    free(text);
    assert_int_equal(wrong, 0);
    return number;
}

static void check_family(const char *family) {
    size_t different, none;
    Differences differences;
    read_differences(&differences);
    Tokenizer *tokenizer = open_family(family);
    size_t cases = check_file(tokenizer, family, "cases.jsonl", true, &differences, &different);
    size_t decodes = check_file(tokenizer, family, "decode.jsonl", false, &differences, &none);
    print_message("%-12s %zu texts (%zu of them listed as different), %zu lists of ids\n", family, cases,
                  different, decodes);
    assert_int_equal(cases, CASES);
    assert_int_equal(decodes, 60);
    tokenizer_free(tokenizer);
}

static void every_case_of_a_family_is_equal(void **state) {
    check_family(*state);
}

static void a_difference_belongs_to_versions(void **state) {
    (void)state;
    Difference before = read_difference("qwen3 450 pcre2<16 reason");
    Difference since = read_difference("gptneox 160 utf8proc>=15.1 reason");
    assert_true(differs_with(&before, parse_version("15.1.0")));
    assert_false(differs_with(&before, parse_version("16.0.0")));
    assert_false(differs_with(&before, parse_version("17.0.0")));
    assert_false(differs_with(&since, parse_version("15.0.0")));
    assert_true(differs_with(&since, parse_version("15.1.0")));
    assert_true(differs_with(&since, parse_version("16.0.0")));
}

/* A line whose case is never looked at would stay in the list unseen. */
static void every_difference_names_a_case(void **state) {
    (void)state;
    Differences differences;
    read_differences(&differences);
    for (size_t i = 0; i < differences.count; i++) {
        size_t family = 0;
        while (family < FAMILY_COUNT && strcmp(FAMILIES[family], differences.items[i].family) != 0) family++;
        assert_true(family < FAMILY_COUNT);
        assert_in_range(differences.items[i].line, 1, CASES);
        assert_true(unicode_version(differences.items[i].library) > 0);
    }
}

/* ---- properties of the same data ---- */

static void every_piece_is_found_under_its_id(void **state) {
    (void)state;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        Tokenizer *tokenizer = open_family(FAMILIES[i]);
        for (size_t id = 0; id < tokenizer_vocabulary_size(tokenizer); id++) {
            size_t bytes;
            const char *piece = tokenizer_piece(tokenizer, (int32_t)id, &bytes);
            assert_non_null(piece);
            assert_int_equal(tokenizer_find(tokenizer, piece, bytes), id);
        }
        tokenizer_free(tokenizer);
    }
}

static void a_tokenizer_compares_equal_to_itself_and_different_from_others(void **state) {
    (void)state;
    Tokenizer *all[FAMILY_COUNT];
    for (size_t i = 0; i < FAMILY_COUNT; i++) all[i] = open_family(FAMILIES[i]);
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        for (size_t j = 0; j < FAMILY_COUNT; j++)
            assert_int_equal(tokenizer_compare(all[i], all[j], NULL), i == j ? STATUS_OK : STATUS_MISMATCH);
    }
    for (size_t i = 0; i < FAMILY_COUNT; i++) tokenizer_free(all[i]);
}

/* A decoded text is the sum of what its tokens contribute, wherever the decoder neither strips nor repairs.
 */
static void the_bytes_of_single_tokens_add_up_to_the_text(void **state) {
    (void)state;
    static const char TEXT[] = "Hello, wörld — 日本語 🙂\n";
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        if (strcmp(FAMILIES[i], "llama-unk") == 0 || strcmp(FAMILIES[i], "unigram") == 0)
            continue; /* they have no pieces for some of these characters */
        Tokenizer *tokenizer = open_family(FAMILIES[i]);
        TokenList ids = {0};
        char joined[128];
        size_t count = 0;
        assert_int_equal(tokenizer_encode(tokenizer, TEXT, strlen(TEXT), false, &ids, NULL), STATUS_OK);
        for (size_t k = 0; k < ids.count; k++) {
            char *bytes;
            size_t length;
            assert_int_equal(tokenizer_token_bytes(tokenizer, ids.ids[k], &bytes, &length, NULL), STATUS_OK);
            assert_true(count + length <= sizeof joined);
            memcpy(joined + count, bytes, length);
            count += length;
            free(bytes);
        }
        size_t skipped =
            count == strlen(TEXT) + 1 && joined[0] == ' ' ? 1 : 0; /* the space that ▁ puts in front */
        assert_int_equal(count - skipped, strlen(TEXT));
        assert_memory_equal(joined + skipped, TEXT, strlen(TEXT));
        token_list_free(&ids);
        tokenizer_free(tokenizer);
    }
}

int main(void) {
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_difference_belongs_to_versions),
        cmocka_unit_test(every_difference_names_a_case),
        cmocka_unit_test(every_piece_is_found_under_its_id),
        cmocka_unit_test(a_tokenizer_compares_equal_to_itself_and_different_from_others),
        cmocka_unit_test(the_bytes_of_single_tokens_add_up_to_the_text),
    };
    struct CMUnitTest tests[FAMILY_COUNT + sizeof others / sizeof *others];
    memset(tests, 0, sizeof tests);
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        tests[i].name = FAMILIES[i];
        tests[i].test_func = every_case_of_a_family_is_equal;
        tests[i].initial_state = (void *)(uintptr_t)FAMILIES[i];
    }
    memcpy(tests + FAMILY_COUNT, others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
