/*
 * Every golden tokenizer, every text: ids with and without special tokens, and the texts decoded from them,
 * equal to what Hugging Face tokenizers 0.23.3 gave. tests/golden/tokenizers/README.md describes the data.
 *
 * differences.txt there lists the cases that cannot be equal because the Unicode tables of PCRE2 and utf8proc
 * are of another version; the test asserts that exactly those differ, so that a newer library shows up here.
 */
#include "core/files/json_text.h"
#include "core/tokenizer/tokenizer.h"

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
                                       "deepseek", "deepseek-v3", "o200k"};

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

/* Whether differences.txt has the line "FAMILY NUMBER …". */
static bool is_listed(const char *differences, const char *family, size_t number) {
    char entry[64];
    (void)snprintf(entry, sizeof entry, "\n%s %zu ", family, number);
    return strstr(differences, entry) != NULL;
}

static size_t check_file(const Tokenizer *tokenizer, const char *family, const char *name, bool has_text,
                         const char *differences, size_t *different) {
    size_t bytes, number = 0, wrong = 0;
    char *text = read_file(family, name, &bytes);
    for (const char *at = text; at < text + bytes;) {
        Case c;
        at = read_case(at, text + bytes, &c);
        number++;
        bool listed = has_text && is_listed(differences, family, number);
        if (is_equal(tokenizer, &c, has_text) == listed) {
            print_error("%s/%s line %zu (%s): %s\n", family, name, number, has_text ? c.kind.text : "ids",
                        listed ? "listed in differences.txt, but equal" : "differs");
            wrong++;
        }
        if (listed) (*different)++;
        free_case(&c);
    }
    free(text);
    assert_int_equal(wrong, 0);
    return number;
}

static void check_family(const char *family) {
    size_t bytes, different = 0;
    char *differences = read_file(".", "differences.txt", &bytes);
    Tokenizer *tokenizer = open_family(family);
    size_t cases = check_file(tokenizer, family, "cases.jsonl", true, differences, &different);
    size_t decodes = check_file(tokenizer, family, "decode.jsonl", false, differences, &different);
    print_message("%-12s %zu texts (%zu of them listed as different), %zu lists of ids\n", family, cases,
                  different, decodes);
    assert_int_equal(cases, 540);
    assert_int_equal(decodes, 60);
    tokenizer_free(tokenizer);
    free(differences);
}

static void every_case_of_a_family_is_equal(void **state) {
    check_family(*state);
}

/* ---- properties of the same data ---- */

static void a_unigram_model_is_refused_by_name(void **state) {
    (void)state;
    Tokenizer *tokenizer;
    Error error;
    assert_int_equal(tokenizer_open(FOLDER "/unigram/tokenizer.json", &tokenizer, &error),
                     STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "model type \"Unigram\" is not supported"));
    assert_null(tokenizer);
}

static void every_piece_is_found_under_its_id(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
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
    enum { COUNT = sizeof FAMILIES / sizeof *FAMILIES };
    Tokenizer *all[COUNT];
    for (size_t i = 0; i < COUNT; i++) all[i] = open_family(FAMILIES[i]);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++)
            assert_int_equal(tokenizer_compare(all[i], all[j], NULL), i == j ? STATUS_OK : STATUS_MISMATCH);
    }
    for (size_t i = 0; i < COUNT; i++) tokenizer_free(all[i]);
}

/* A decoded text is the sum of what its tokens contribute, wherever the decoder neither strips nor repairs.
 */
static void the_bytes_of_single_tokens_add_up_to_the_text(void **state) {
    (void)state;
    static const char TEXT[] = "Hello, wörld — 日本語 🙂\n";
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
        if (strcmp(FAMILIES[i], "llama-unk") == 0)
            continue; /* it has no pieces for some of these characters */
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
    enum { COUNT = sizeof FAMILIES / sizeof *FAMILIES };
    struct CMUnitTest tests[COUNT + 4];
    memset(tests, 0, sizeof tests);
    for (size_t i = 0; i < COUNT; i++) {
        tests[i].name = FAMILIES[i];
        tests[i].test_func = every_case_of_a_family_is_equal;
        tests[i].initial_state = (void *)(uintptr_t)FAMILIES[i];
    }
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_unigram_model_is_refused_by_name),
        cmocka_unit_test(every_piece_is_found_under_its_id),
        cmocka_unit_test(a_tokenizer_compares_equal_to_itself_and_different_from_others),
        cmocka_unit_test(the_bytes_of_single_tokens_add_up_to_the_text),
    };
    memcpy(tests + COUNT, others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
