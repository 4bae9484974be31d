/*
 * Calibration rows that are conversations: their ids, and which of them are learned, are those of transformers 5.24.0
 * with the same tokenizer and template (golden/chat/rows.jsonl): by return_assistant_tokens_mask where the template has
 * generation blocks, else by the same rule on the spans between renderings.
 */
#include "core/evaluation/calibration.h"
#include "core/files/json.h"
#include "tests/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST_FILE = 1 << 20, CASES = 256 };

static const ModelConfig CONFIG = {.vocabulary = 1 << 22};

static const char *write_row(const cJSON *line) {
    char *row = cJSON_PrintUnformatted(json_find(line, "row"));
    assert_non_null(row);
    scratch_write_text("model/chat_template.jinja", json_get_text(line, "template", NULL));
    scratch_write_text("rows.jsonl", row);
    free(row);
    return scratch_path("rows.jsonl");
}

static bool is_learned(const CalibrationRow *row, size_t token) {
    EvaluationRow response = calibration_positions(row, true);
    return token > 0 && row->prompt_count < row->count && evaluation_row_measures(&response, token - 1);
}

static bool is_same(const cJSON *line, const CalibrationRow *row) {
    const cJSON *ids = json_find(line, "ids"), *mask = json_find(line, "mask");
    if (row->count != (size_t)cJSON_GetArraySize(ids)) return false;
    for (size_t i = 0; i < row->count; i++) {
        if (row->ids[i] != cJSON_GetArrayItem(ids, (int)i)->valueint) return false;
        bool expected = i > 0 && cJSON_GetArrayItem(mask, (int)i)->valueint != 0;
        if (is_learned(row, i) != expected) return false;
    }
    return true;
}

static bool check_line(const cJSON *line) {
    char path[1024];
    const char *rows_path = write_row(line), *directory = scratch_path("model");
    Tokenizer *tokenizer;
    Calibration *rows;
    Error error;
    (void)snprintf(path, sizeof path, "%s/golden/tokenizers/%s", TESTS_DIR,
                   json_get_text(line, "family", ""));
    if (tokenizer_open_directory(path, TOKENIZER_BY_CLASS, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &CONFIG, .directory = directory};
    if (calibration_read(rows_path, &reading, NULL, &rows, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    bool same = is_same(line, &rows->rows[0]);
    if (!same) {
        char *text = cJSON_PrintUnformatted(line);
        print_message("differs: %s\n", text);
        for (size_t i = 0; i < rows->rows[0].count; i++)
            print_message("%d%s ", rows->rows[0].ids[i], is_learned(&rows->rows[0], i) ? "*" : "");
        print_message("\n");
        free(text);
    }
    calibration_free(rows);
    tokenizer_free(tokenizer);
    return same;
}

static void conversations_have_the_ids_and_turns_of_transformers(void **state) {
    (void)state;
    char *text;
    size_t bytes, count = 0, wrong = 0;
    Error error;
    (void)mkdir(scratch_path("model"), 0777);
    if (json_read_text(TESTS_DIR "/golden/chat/rows.jsonl", LARGEST_FILE, &text, &bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), count++) {
        cJSON *tree = cJSON_Parse(line);
        assert_non_null(tree);
        wrong += !check_line(tree);
        cJSON_Delete(tree);
    }
    free(text);
    assert_int_equal(count, CASES);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_have_the_ids_and_turns_of_transformers),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
