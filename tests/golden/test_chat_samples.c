/*
 * Samples whose prompt is a list of messages: the prompt's ids are those of apply_chat_template of transformers 5.24.0 with the
 * same tokenizer, template and generation prompt, and the responses' those of its tokenizer (golden/chat/samples.jsonl).
 */
#include "core/files/json.h"
#include "core/readiness/sample_file.h"
#include "tests/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LARGEST_FILE = 1 << 20, CASES = 36, RESPONSES = 2 };

static const ModelConfig CONFIG = {.vocabulary = 1 << 22};

/* The template, beside the special tokens that it sees. */
static void write_model(const cJSON *line) {
    char config[1024];
    (void)snprintf(config, sizeof config, "%s/golden/tokenizers/%s/tokenizer_config.json", TESTS_DIR,
                   json_get_text(line, "family", ""));
    (void)unlink(scratch_path("model/tokenizer_config.json"));
    assert_int_equal(symlink(config, scratch_path("model/tokenizer_config.json")), 0);
    scratch_write_text("model/chat_template.jinja", json_get_text(line, "template", NULL));
}

static Tokenizer *open_tokenizer(const cJSON *line) {
    char path[1024];
    Tokenizer *tokenizer;
    Error error;
    (void)snprintf(path, sizeof path, "%s/golden/tokenizers/%s", TESTS_DIR,
                   json_get_text(line, "family", ""));
    if (tokenizer_open_directory(path, TOKENIZER_BY_CLASS, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return tokenizer;
}

static void expect_ids(const cJSON *line, const cJSON *expected, const int32_t *ids, size_t count) {
    bool is_same = count == (size_t)cJSON_GetArraySize(expected);
    for (size_t i = 0; i < count && is_same; i++)
        is_same = ids[i] == cJSON_GetArrayItem(expected, (int)i)->valueint;
    if (is_same) return;
    char *text = cJSON_PrintUnformatted(line);
    for (size_t i = 0; i < count; i++) print_message("%d ", ids[i]);
    fail_msg("differs: %s", text);
}

static void check_line(const cJSON *line) {
    Tokenizer *tokenizer = open_tokenizer(line);
    char *row = cJSON_PrintUnformatted(json_find(line, "row"));
    SampleFile file;
    Error error = {0};
    write_model(line);
    scratch_write_text("samples.jsonl", row);
    const CalibrationReading reading = {
        .tokenizer = tokenizer, .config = &CONFIG, .end_token = "none", .directory = scratch_path("model")};
    char *path = strdup(scratch_path("samples.jsonl"));
    if (sample_file_read(path, &reading, NULL, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    const SampleGroup *group = &file.set.groups[0];
    assert_int_equal(file.set.count, 1);
    assert_int_equal(group->sample_count, RESPONSES);
    assert_string_equal(group->answer, "4");
    expect_ids(line, json_find(line, "prompt_ids"), group->ids, group->count);
    for (int i = 0; i < RESPONSES; i++)
        expect_ids(line, cJSON_GetArrayItem(json_find(line, "responses"), i), group->samples[i].ids,
                   group->samples[i].count);
    sample_file_free(&file);
    tokenizer_free(tokenizer);
    free(path);
    free(row);
}

static void messages_have_the_ids_of_apply_chat_template(void **state) {
    (void)state;
    char *text;
    size_t bytes, count = 0;
    Error error;
    (void)mkdir(scratch_path("model"), 0777);
    if (json_read_text(TESTS_DIR "/golden/chat/samples.jsonl", LARGEST_FILE, &text, &bytes, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), count++) {
        cJSON *tree = cJSON_Parse(line);
        assert_non_null(tree);
        check_line(tree);
        cJSON_Delete(tree);
    }
    free(text);
    assert_int_equal(count, CASES);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(messages_have_the_ids_of_apply_chat_template)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
