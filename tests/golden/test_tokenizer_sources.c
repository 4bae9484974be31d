/*
 * Directories with a tokenizer.json of Unigram, or with tokenizer.model, tekken.json, or vocab.json and merges.txt in its
 * place: the class, the ids with and without special tokens, their places and the texts decoded from them are those that
 * AutoTokenizer.from_pretrained() of transformers 5.24.0 gave. tests/golden/sources/README.md describes the data.
 */
#include "core/files/json.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/scratch.h"
#include "tokenizer_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER TESTS_DIR "/golden/sources"

enum { DIRECTORIES = 59, TEXTS_MAX = 64, TEXT_BYTES_MAX = 256 };

/* ---- the directory of a line ---- */

static void copy_file(const char *stored, const char *name) {
    char path[512], at[128], *bytes;
    size_t count;
    Error error;
    (void)snprintf(path, sizeof path, "%s/%s", FOLDER, stored);
    (void)snprintf(at, sizeof at, "model/%s", name);
    if (json_read_text(path, 1 << 20, &bytes, &count, &error) != STATUS_OK) fail_msg("%s", error.message);
    scratch_write(at, bytes, count);
    free(bytes);
}

static void write_json(const char *name, const cJSON *tree) {
    char at[128], *text = cJSON_PrintUnformatted(tree);
    assert_non_null(text);
    (void)snprintf(at, sizeof at, "model/%s", name);
    scratch_write(at, text, strlen(text));
    cJSON_free(text);
}

/* Members of tokenizer.json in place of its own. */
static void change_file(const cJSON *changes) {
    cJSON *file;
    const cJSON *item;
    Error error;
    const char *path = scratch_path("model/tokenizer.json");
    if (json_read_file(path, 1 << 20, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    cJSON_ArrayForEach(item, changes) {
        cJSON_DeleteItemFromObjectCaseSensitive(file, item->string);
        assert_true(cJSON_AddItemToObject(file, item->string, cJSON_Duplicate(item, true)));
    }
    write_json("tokenizer.json", file);
    cJSON_Delete(file);
}

static void make_directory(const cJSON *line) {
    const cJSON *item, *changes = cJSON_GetObjectItemCaseSensitive(line, "changes");
    scratch_clear("model");
    assert_int_equal(mkdir(scratch_path("model"), 0777), 0);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(line, "files"))
        copy_file(item->valuestring, item->string);
    if (changes->child != NULL) change_file(changes);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(line, "beside")) write_json(item->string, item);
}

/* ---- comparing ---- */

static bool is_equal(const int32_t *found, size_t count, const cJSON *expected) {
    bool equal = count == (size_t)cJSON_GetArraySize(expected);
    size_t i = 0;
    for (const cJSON *id = expected->child; equal && id != NULL; id = id->next)
        equal = found[i++] == id->valueint;
    return equal;
}

static void fail_numbers(const char *name, const char *text, const char *what, const int32_t *found,
                         size_t count, const cJSON *expected) {
    const cJSON *number;
    print_message("expected");
    cJSON_ArrayForEach(number, expected) print_message(" %d", number->valueint);
    print_message("\nfound   ");
    for (size_t i = 0; i < count; i++) print_message(" %d", (int)found[i]);
    fail_msg("\n%s, \"%s\": %s", name, text, what);
}

static void expect_numbers(const char *name, const char *text, const char *what, const TokenList *found,
                           const cJSON *expected) {
    assert_true(cJSON_IsArray(expected));
    if (!is_equal(found->ids, found->count, expected))
        fail_numbers(name, text, what, found->ids, found->count, expected);
}

static size_t find_boundaries(const char *text, size_t places[TEXT_BYTES_MAX]) {
    size_t bytes = strlen(text), count = 0;
    assert_true(bytes < TEXT_BYTES_MAX);
    for (size_t i = 0; i <= bytes; i++)
        if (i == bytes || ((unsigned char)text[i] & 0xC0) != 0x80) places[count++] = i;
    return count;
}

/* `expected_places` is null where there are special tokens only. */
static void expect_encoding(const char *name, const Tokenizer *tokenizer, const char *text, const cJSON *ids,
                            const cJSON *expected_places) {
    size_t places[TEXT_BYTES_MAX], count = find_boundaries(text, places);
    TokenList found = {0}, at = {0};
    Error error;
    if (tokenizer_encode_places(tokenizer, text, strlen(text), true, places, count, NULL, &found, &error) !=
        STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    expect_numbers(name, text, "ids with special tokens", &found, ids);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(token_list_append(&at, (int32_t)places[i], NULL), STATUS_OK);
    if (!cJSON_IsNull(expected_places)) expect_numbers(name, text, "places", &at, expected_places);
    token_list_free(&found);
    token_list_free(&at);
}

static void expect_plain(const char *name, const Tokenizer *tokenizer, const char *text, const cJSON *ids) {
    TokenList found = {0};
    assert_int_equal(tokenizer_encode(tokenizer, text, strlen(text), false, &found, NULL), STATUS_OK);
    expect_numbers(name, text, "ids without special tokens", &found, ids);
    token_list_free(&found);
}

static void expect_decoded(const char *name, const Tokenizer *tokenizer, const cJSON *ids,
                           const char *expected) {
    TokenList list = {0};
    const cJSON *id;
    char *text;
    size_t bytes;
    cJSON_ArrayForEach(id, ids) assert_int_equal(token_list_append(&list, id->valueint, NULL), STATUS_OK);
    assert_int_equal(tokenizer_decode(tokenizer, list.ids, list.count, true, &text, &bytes, NULL), STATUS_OK);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: expected \"%s\" decoded, found \"%s\"", name, expected, text);
    free(text);
    token_list_free(&list);
}

static Tokenizer *open_model(const char *name) {
    Tokenizer *tokenizer;
    Error error;
    if (tokenizer_open_directory(scratch_path("model"), TOKENIZER_BY_CLASS, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    if (tokenizer == NULL) fail_msg("%s: found no tokenizer", name);
    return tokenizer;
}

/* What is read in place of a tokenizer.json is never silent. */
static void expect_remark(const char *name, const Tokenizer *tokenizer, const cJSON *files) {
    const char *remark = tokenizer_remark(tokenizer, 0);
    if (json_find(files, "tokenizer.json") != NULL) return;
    if (remark == NULL || strncmp(remark, "there is no tokenizer.json: ", 28) != 0)
        fail_msg("%s: expected a remark on what is read, found %s", name, remark == NULL ? "none" : remark);
}

static void check_line(const cJSON *texts, const cJSON *line) {
    const char *name = json_get_text(line, "name", NULL);
    const cJSON *ids = json_find(line, "ids"), *plain = json_find(line, "plain"),
                *decoded = json_find(line, "decoded"), *places = json_find(line, "places");
    if (plain == NULL) plain = ids; /* left out where equal */
    make_directory(line);
    Tokenizer *tokenizer = open_model(name);
    assert_string_equal(tokenizer_facts(tokenizer).class_name, json_get_text(line, "class", ""));
    expect_remark(name, tokenizer, json_find(line, "files"));
    int count = cJSON_GetArraySize(texts);
    assert_in_range(count, 30, TEXTS_MAX);
    assert_int_equal(cJSON_GetArraySize(ids), count);
    for (int i = 0; i < count; i++) {
        const char *text = cJSON_GetArrayItem(texts, i)->valuestring;
        expect_encoding(name, tokenizer, text, cJSON_GetArrayItem(ids, i), cJSON_GetArrayItem(places, i));
        expect_plain(name, tokenizer, text, cJSON_GetArrayItem(plain, i));
        expect_decoded(name, tokenizer, cJSON_GetArrayItem(ids, i),
                       cJSON_GetArrayItem(decoded, i)->valuestring);
    }
    assert_int_equal(tokenizer_compare(tokenizer, tokenizer, NULL), STATUS_OK);
    tokenizer_free(tokenizer);
}

static void ids_are_those_of_auto_tokenizer(void **state) {
    (void)state;
    assert_int_equal(tokenizer_lines_check(FOLDER "/directories.jsonl", check_line), DIRECTORIES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_are_those_of_auto_tokenizer, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
