/*
 * Directories with a tokenizer.json and what may stand beside it: the class, the ids with and without special tokens and
 * the texts decoded from them are those that AutoTokenizer.from_pretrained() of transformers 5.24.0 gave, and by the file
 * alone those of tokenizers 0.23.3. tests/golden/classes/README.md describes the data.
 */
#include "core/files/json.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/scratch.h"
#include "tokenizer_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER TESTS_DIR "/golden/classes"

enum { TEXTS = 18, LEAST_DIRECTORIES = 100 };

static cJSON *read_json(const char *path) {
    cJSON *tree;
    Error error;
    if (json_read_file(path, 1 << 20, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tree;
}

static void write_json(const char *name, const cJSON *tree) {
    char *text = cJSON_PrintUnformatted(tree);
    assert_non_null(text);
    scratch_write(name, text, strlen(text));
    cJSON_free(text);
}

/* The directory of a line. */
static void make_directory(const cJSON *line) {
    char path[512], name[64];
    const cJSON *item;
    scratch_clear("model");
    assert_int_equal(mkdir(scratch_path("model"), 0777), 0);
    (void)snprintf(path, sizeof path, "%s/%s.json", FOLDER, json_get_text(line, "file", ""));
    cJSON *file = read_json(path), *changes = cJSON_GetObjectItemCaseSensitive(line, "changes");
    cJSON_ArrayForEach(item, changes) {
        cJSON *copy = cJSON_Duplicate(item, true);
        assert_true(cJSON_ReplaceItemInObjectCaseSensitive(file, item->string, copy));
    }
    write_json("model/tokenizer.json", file);
    cJSON_Delete(file);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(line, "beside")) {
        (void)snprintf(name, sizeof name, "model/%s", item->string);
        write_json(name, item);
    }
}

static Tokenizer *open_model(TokenizerRule rule, const char *name) {
    Tokenizer *tokenizer;
    Error error;
    if (tokenizer_open_directory(scratch_path("model"), rule, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    assert_non_null(tokenizer);
    return tokenizer;
}

static void print_ids(const TokenList *found, const cJSON *expected) {
    const cJSON *id;
    print_message("expected");
    cJSON_ArrayForEach(id, expected) print_message(" %d", id->valueint);
    print_message("\nfound   ");
    for (size_t i = 0; i < found->count; i++) print_message(" %d", (int)found->ids[i]);
    print_message("\n");
}

static void expect_ids(const char *name, const Tokenizer *tokenizer, const char *text, bool add_special,
                       const cJSON *expected) {
    TokenList found = {0};
    assert_true(cJSON_IsArray(expected));
    assert_int_equal(tokenizer_encode(tokenizer, text, strlen(text), add_special, &found, NULL), STATUS_OK);
    bool equal = found.count == (size_t)cJSON_GetArraySize(expected);
    size_t i = 0;
    for (const cJSON *id = expected->child; equal && id != NULL; id = id->next)
        equal = found.ids[i++] == id->valueint;
    if (!equal) {
        print_ids(&found, expected);
        fail_msg("%s, \"%s\", %s special tokens", name, text, add_special ? "with" : "without");
    }
    token_list_free(&found);
}

static void expect_text(const char *name, const Tokenizer *tokenizer, const cJSON *ids,
                        const char *expected) {
    TokenList list = {0};
    const cJSON *id;
    char *text;
    size_t bytes;
    cJSON_ArrayForEach(id, ids) assert_int_equal(token_list_append(&list, id->valueint, NULL), STATUS_OK);
    assert_int_equal(tokenizer_decode(tokenizer, list.ids, list.count, true, &text, &bytes, NULL), STATUS_OK);
    if (strcmp(text, expected) != 0) fail_msg("%s: expected \"%s\", found \"%s\"", name, expected, text);
    free(text);
    token_list_free(&list);
}

/* A list that equals the ids is left out of the line. */
static const cJSON *find_list(const cJSON *line, const char *key) {
    const cJSON *list = json_find(line, key);
    return list != NULL ? list : json_find(line, "ids");
}

static void check_line(const cJSON *texts, const cJSON *line) {
    const char *name = json_get_text(line, "name", NULL);
    const cJSON *ids = find_list(line, "ids"), *plain = find_list(line, "plain"),
                *by_file = find_list(line, "by_file");
    const cJSON *decoded = json_find(line, "decoded");
    make_directory(line);
    Tokenizer *tokenizer = open_model(TOKENIZER_BY_CLASS, name), *file = open_model(TOKENIZER_BY_FILE, name);
    assert_string_equal(tokenizer_facts(tokenizer).class_name, json_get_text(line, "class", ""));
    assert_null(tokenizer_facts(file).class_name);
    assert_int_equal(cJSON_GetArraySize(texts), TEXTS);
    assert_int_equal(cJSON_GetArraySize(ids), TEXTS);
    bool differs = false;
    for (int i = 0; i < TEXTS; i++) {
        const char *text = cJSON_GetArrayItem(texts, i)->valuestring;
        expect_ids(name, tokenizer, text, true, cJSON_GetArrayItem(ids, i));
        expect_ids(name, tokenizer, text, false, cJSON_GetArrayItem(plain, i));
        expect_ids(name, file, text, true, cJSON_GetArrayItem(by_file, i));
        expect_text(name, tokenizer, cJSON_GetArrayItem(ids, i), cJSON_GetArrayItem(decoded, i)->valuestring);
        differs = differs || !cJSON_Compare(cJSON_GetArrayItem(ids, i), cJSON_GetArrayItem(by_file, i), true);
    }
    /* what gives other ids than the file is never silent */
    if (differs && tokenizer_remark(tokenizer, 0) == NULL)
        fail_msg("%s: other ids than by the file, and no remark", name);
    tokenizer_free(tokenizer);
    tokenizer_free(file);
}

static void ids_are_those_of_auto_tokenizer(void **state) {
    (void)state;
    assert_true(tokenizer_lines_check(FOLDER "/directories.jsonl", check_line) >= LEAST_DIRECTORIES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_are_those_of_auto_tokenizer, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
