/*
 * Calibration rows: the kinds of lines, what is refused and how it is named, and which positions are measured
 * (DESIGN.md §2: position t predicts token t + 1).
 */
#include "core/evaluation/calibration.h"
#include "scratch.h"

static Tokenizer *tokenizer;
static const ModelConfig CONFIG = {.vocabulary = 512, .eos = {509, 510}, .eos_count = 2};

static int open_tokenizer(void **state) {
    if (tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &tokenizer, NULL) != STATUS_OK) return -1;
    return scratch_make(state);
}

static int close_tokenizer(void **state) {
    tokenizer_free(tokenizer);
    return scratch_remove(state);
}

static Status read_bytes(const void *bytes, size_t count, const Tokenizer *with, size_t limit,
                         Calibration **calibration, Error *error) {
    scratch_write("rows.jsonl", bytes, count);
    char *path = scratch_path("rows.jsonl");
    const CalibrationReading reading = {.tokenizer = with, .config = &CONFIG, .limit = limit};
    Status status = calibration_read(path, &reading, NULL, calibration, error);
    free(path);
    return status;
}

static void a_cancelled_job_ends_the_reading(void **state) {
    (void)state;
    Job *job;
    Calibration *calibration;
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    job_cancel(job);
    scratch_write("rows.jsonl", "one\ntwo\n", 8);
    char *path = scratch_path("rows.jsonl");
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &CONFIG};
    assert_int_equal(calibration_read(path, &reading, job, &calibration, NULL), STATUS_CANCELLED);
    assert_null(calibration);
    free(path);
    job_free(job);
}

static Calibration *must_read(const char *text) {
    Calibration *calibration;
    Error error = {0};
    if (read_bytes(text, strlen(text), tokenizer, 0, &calibration, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return calibration;
}

/* Refused, with the file, the line and these words in the message. */
static void must_refuse(const void *bytes, size_t count, Status expected, int line, const char *words) {
    Calibration *calibration;
    Error error = {0};
    char place[64];
    (void)snprintf(place, sizeof place, "rows.jsonl, line %d: ", line);
    Status status = read_bytes(bytes, count, tokenizer, 0, &calibration, &error);
    if (status != expected || strstr(error.message, place) == NULL || strstr(error.message, words) == NULL)
        fail_msg("expected %s, \"%s\", \"%s\"; got %s: %s", status_name(expected), place, words,
                 status_name(status), error.message);
    assert_null(calibration);
}

static void refuse(const char *text, Status expected, int line, const char *words) {
    must_refuse(text, strlen(text), expected, line, words);
}

static TokenList encode(const char *text, bool special) {
    TokenList list = {0};
    assert_int_equal(tokenizer_encode(tokenizer, text, strlen(text), special, &list, NULL), STATUS_OK);
    return list;
}

static void a_row_is_its_prompt_its_response_and_the_end_of_text(void **state) {
    (void)state;
    Calibration *rows = must_read("{\"prompt\":\"Question: 1 + 2?\",\"response\":\" 3.\",\"answer\":\"3\"}");
    assert_int_equal(rows->count, 1);
    const CalibrationRow *row = &rows->rows[0];
    TokenList prompt = encode("Question: 1 + 2?", true), response = encode(" 3.", false);
    assert_int_equal(row->prompt_count, prompt.count);
    assert_int_equal(row->count, prompt.count + response.count + 1);
    assert_memory_equal(row->ids, prompt.ids, prompt.count * sizeof *prompt.ids);
    assert_memory_equal(row->ids + prompt.count, response.ids, response.count * sizeof *response.ids);
    assert_int_equal(row->ids[row->count - 1], 509); /* the first end of text of several */
    assert_string_equal(row->prompt, "Question: 1 + 2?");
    assert_string_equal(row->response, " 3.");
    assert_string_equal(row->answer, "3");
    assert_int_equal(rows->tokens, row->count);
    assert_int_equal(rows->response_tokens, response.count + 1);
    token_list_free(&prompt);
    token_list_free(&response);
    calibration_free(rows);
}

static void a_row_of_ids_is_taken_as_it_is(void **state) {
    (void)state;
    Calibration *rows = must_read("{\"prompt_ids\":[0,511],\"response_ids\":[7]}\n{\"prompt_ids\":[3]}");
    assert_int_equal(rows->count, 2);
    const int32_t expected[] = {0, 511, 7}; /* no end of text is added */
    assert_int_equal(rows->rows[0].count, 3);
    assert_int_equal(rows->rows[0].prompt_count, 2);
    assert_memory_equal(rows->rows[0].ids, expected, sizeof expected);
    assert_null(rows->rows[0].prompt);
    assert_int_equal(rows->rows[1].count, 1);
    assert_int_equal(rows->tokens, 4);
    assert_int_equal(rows->response_tokens, 1);
    calibration_free(rows);
}

static void any_other_line_is_a_prompt(void **state) {
    (void)state;
    Calibration *rows = must_read("What is it?\n\n \t\r\n[1, 2]\n\"{}\"\n  indented\n");
    assert_int_equal(rows->count, 4); /* an empty line is none, nor is one of blanks */
    static const char *const PROMPTS[] = {"What is it?", "[1, 2]", "\"{}\"", "  indented"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(rows->rows[i].prompt, PROMPTS[i]);
        assert_null(rows->rows[i].response);
        assert_int_equal(rows->rows[i].count, rows->rows[i].prompt_count); /* and no end of text */
    }
    calibration_free(rows);
}

/* As many data sets are; a text may well begin with a bracket, and not only in the first line. */
static void an_array_of_rows_is_read_and_not_taken_for_texts(void **state) {
    (void)state;
    static const char *const ARRAYS[] = {
        "[\n  {\n    \"prompt\": \"a ] , {\"\n  },\n  {\"prompt\": \"b\", \"id\": [[1]]}\n]\n",
        "\xef\xbb\xbf\n [ {\"prompt\":\"a ] , {\"} ,\r\n{\"prompt\":\"b\"}]",
        "[{\"prompt\":\"a ] , {\"},{\"prompt\":\"b\"}]\n\n"};
    for (size_t i = 0; i < sizeof ARRAYS / sizeof *ARRAYS; i++) {
        Calibration *two = must_read(ARRAYS[i]);
        assert_int_equal(two->count, 2);
        assert_string_equal(two->rows[0].prompt, "a ] , {");
        assert_string_equal(two->rows[1].prompt, "b");
        calibration_free(two);
    }
    refuse("[{\"prompt\":\"a\"}\n,\n{\"prompt\":7}]", STATUS_FORMAT, 3, "\"prompt\"");
    refuse("[{\"prompt\":\"a\"}\n {\"prompt\":\"b\"}]", STATUS_FORMAT, 2, "expected a comma");
    refuse("[{\"prompt\":\"a\"},\n7]", STATUS_FORMAT, 2, "expected an object");
    refuse("[{\"prompt\":\"a\"}\n", STATUS_FORMAT, 2, "its end");
    refuse("[{\"prompt\":\"a\"", STATUS_FORMAT, 1, "expected JSON");
    refuse("[{\"prompt\":\"a\"}]\n\nmore", STATUS_FORMAT, 3, "nothing more");
    Calibration *rows = must_read("[INST] a [/INST]\n[\n[{\n");
    assert_int_equal(rows->count, 3);
    assert_string_equal(rows->rows[0].prompt, "[INST] a [/INST]");
    calibration_free(rows);
}

static void an_empty_response_is_one_and_null_is_none(void **state) {
    (void)state;
    Calibration *rows = must_read(
        "{\"prompt\":\"a\",\"response\":\"\"}\n{\"prompt\":\"a\",\"response\":null,\"answer\":null}");
    assert_int_equal(rows->rows[0].count, rows->rows[0].prompt_count + 1);
    assert_int_equal(rows->rows[1].count, rows->rows[1].prompt_count);
    assert_null(rows->rows[1].response);
    assert_null(rows->rows[1].answer);
    calibration_free(rows);
}

static void lines_may_end_in_any_usual_way(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"one\ntwo", "one\ntwo\n", "one\r\ntwo\r\n", "one\r\n\r\ntwo\r\n\r\n",
                                        "\xef\xbb\xbfone\ntwo"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        Calibration *rows = must_read(TEXTS[i]);
        assert_int_equal(rows->count, 2);
        assert_string_equal(rows->rows[0].prompt, "one");
        assert_string_equal(rows->rows[1].prompt, "two");
        calibration_free(rows);
    }
}

static void no_more_rows_than_asked_for_are_read(void **state) {
    (void)state;
    static const char TEXT[] = "one\ntwo\n{broken";
    Calibration *rows;
    assert_int_equal(read_bytes(TEXT, strlen(TEXT), tokenizer, 2, &rows, NULL), STATUS_OK);
    assert_int_equal(rows->count, 2);
    calibration_free(rows);
}

static void what_is_refused_is_named_with_file_and_line(void **state) {
    (void)state;
    refuse("one\n\n{\"prompt\": }", STATUS_FORMAT, 3, "expected JSON");
    refuse("{\"prompt\":\"a\"} x", STATUS_FORMAT, 1, "end of the JSON value");
    refuse("{\"question\":\"a\"}", STATUS_FORMAT, 1, "\"prompt\"");
    refuse("{\"prompt\":7}", STATUS_FORMAT, 1, "\"prompt\"");
    refuse("{\"prompt\":\"a\",\"response\":[1]}", STATUS_FORMAT, 1, "\"response\"");
    refuse("{\"prompt\":\"a\",\"response\":\"b\",\"answer\":12}", STATUS_FORMAT, 1, "\"answer\"");
    refuse("{\"response_ids\":[1]}", STATUS_FORMAT, 1, "\"prompt\"");
    refuse("x\r\n{\"prompt\":\"\"}", STATUS_ARGUMENT, 2, "one token");
    refuse("caf\xe9", STATUS_ARGUMENT, 1, "UTF-8");
    refuse("{\"prompt\":\"caf\xe9\"}", STATUS_ARGUMENT, 1, "UTF-8");
}

static void ids_that_are_none_of_the_models_are_refused(void **state) {
    (void)state;
    refuse("{\"prompt_ids\":[512]}", STATUS_ARGUMENT, 1, "id 512 is outside the vocabulary of 512");
    refuse("{\"prompt_ids\":[1],\"response_ids\":[1,99999]}", STATUS_ARGUMENT, 1, "99999");
    refuse("{\"prompt_ids\":[-1]}", STATUS_FORMAT, 1, "token ids");
    refuse("{\"prompt_ids\":[1.5]}", STATUS_FORMAT, 1, "token ids");
    refuse("{\"prompt_ids\":[4294967297]}", STATUS_FORMAT, 1, "token ids");
    refuse("{\"prompt_ids\":[\"1\"]}", STATUS_FORMAT, 1, "token ids");
    refuse("{\"prompt_ids\":5}", STATUS_FORMAT, 1, "array");
    refuse("{\"prompt_ids\":[]}", STATUS_ARGUMENT, 1, "one token");
}

/* A text that holds one would be cut there without a word. */
static void a_nul_in_a_json_text_is_refused(void **state) {
    (void)state;
    refuse("{\"prompt\":\"a\\u0000b\"}", STATUS_UNSUPPORTED, 1, "U+0000");
    static const char RAW[] = "x\n{\"prompt\":\"a\0b\"}";
    must_refuse(RAW, sizeof RAW - 1, STATUS_UNSUPPORTED, 2, "U+0000");
    /* a backslash, and "u0000" behind it: no NUL */
    Calibration *rows = must_read("{\"prompt\":\"a\\\\u0000b\"}");
    assert_string_equal(rows->rows[0].prompt, "a\\u0000b");
    calibration_free(rows);
}

static void a_file_without_rows_is_refused(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"", "\n\n\r\n", " \n\t", "[]", "[\n]\n"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        Calibration *rows;
        Error error;
        assert_int_equal(read_bytes(TEXTS[i], strlen(TEXTS[i]), tokenizer, 0, &rows, &error), STATUS_FORMAT);
        assert_null(rows);
        assert_non_null(strstr(error.message, "found none"));
    }
}

static void texts_need_a_tokenizer_and_ids_do_not(void **state) {
    (void)state;
    Calibration *rows;
    Error error;
    assert_int_equal(read_bytes("{\"prompt_ids\":[1]}", 18, NULL, 0, &rows, &error), STATUS_OK);
    calibration_free(rows);
    assert_int_equal(read_bytes("a", 1, NULL, 0, &rows, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "there is no tokenizer"));
    assert_null(rows);
}

static void rows_written_as_ids_are_read_again_as_they_were(void **state) {
    (void)state;
    Calibration *rows = must_read(
        "{\"prompt\": \"Jack\", \"response\": \" has 3\"}\nno response\n"
        "{\"prompt_ids\": [3, 2], \"response_ids\": [1]}\n");
    char *text, *same;
    size_t bytes;
    assert_int_equal(calibration_format_ids(rows, &text, &bytes, NULL), STATUS_OK);
    assert_int_equal(strlen(text), bytes);
    assert_non_null(strstr(text, "\n{\"prompt_ids\": [3, 2], \"response_ids\": [1]}\n"));
    Calibration *again = must_read(text);
    assert_int_equal(again->count, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        assert_int_equal(again->rows[i].count, rows->rows[i].count);
        assert_int_equal(again->rows[i].prompt_count, rows->rows[i].prompt_count);
        assert_memory_equal(again->rows[i].ids, rows->rows[i].ids, rows->rows[i].count * sizeof(int32_t));
    }
    assert_int_equal(calibration_format_ids(again, &same, NULL, NULL), STATUS_OK);
    assert_string_equal(same, text);
    free(text);
    free(same);
    calibration_free(again);
    calibration_free(rows);
}

static void a_refused_row_leaves_the_set_as_it_was(void **state) {
    (void)state;
    Calibration *rows;
    const int32_t good[] = {1, 2, 3}, bad[] = {1, 512};
    assert_int_equal(calibration_create("typed", &rows, NULL), STATUS_OK);
    assert_int_equal(calibration_add_ids(rows, good, 3, NULL, 0, &CONFIG, NULL), STATUS_OK);
    assert_int_equal(calibration_add_ids(rows, bad, 2, NULL, 0, &CONFIG, NULL), STATUS_ARGUMENT);
    assert_int_equal(calibration_add_ids(rows, NULL, 0, good, 3, &CONFIG, NULL), STATUS_ARGUMENT);
    assert_int_equal(calibration_add_text(rows, "\xff", 1, NULL, 0, tokenizer, &CONFIG, NULL),
                     STATUS_ARGUMENT);
    assert_int_equal(rows->count, 1);
    assert_int_equal(rows->tokens, 3);
    calibration_free(rows);
    calibration_free(NULL);
}

static void check_positions(size_t prompt, size_t count, bool responses_only, size_t first, size_t end) {
    int32_t ids[8] = {0};
    CalibrationRow row = {.ids = ids, .prompt_count = prompt, .count = count};
    EvaluationRow positions = calibration_positions(&row, responses_only);
    assert_ptr_equal(positions.ids, ids);
    assert_int_equal(positions.count, count);
    assert_int_equal(positions.first, first);
    assert_int_equal(positions.end, end);
}

static void the_measured_positions_are_those_that_predict_the_response(void **state) {
    (void)state;
    /* ids 0 1 2 | 3 4: position 2 predicts 3, position 3 predicts 4; 4 predicts nothing that is known */
    check_positions(3, 5, true, 2, 4);
    check_positions(3, 4, true, 2, 3);
    check_positions(1, 2, true, 0, 1);
    /* a prompt alone: its last position */
    check_positions(3, 3, true, 2, 3);
    check_positions(1, 1, true, 0, 1);
    /* every position */
    check_positions(3, 5, false, 0, 5);
    check_positions(1, 1, false, 0, 1);
}

static void positions_are_listed_row_by_row(void **state) {
    (void)state;
    Calibration *rows = must_read("{\"prompt_ids\":[1,2],\"response_ids\":[3,4]}\n{\"prompt_ids\":[5]}");
    EvaluationRow *list = calibration_list_positions(rows, true);
    assert_non_null(list);
    assert_true(list[0].first == 1 && list[0].end == 3 && list[1].first == 0 && list[1].end == 1);
    free(list);
    calibration_free(rows);
}

/* A sum of other bytes than those that were parsed would name rows that nobody measured. */
static void the_sum_is_that_of_all_bytes_of_the_file_that_was_parsed(void **state) {
    (void)state;
    static const char TEXT[] = "\xef\xbb\xbfone\r\ntwo\n\nthree";
    char sum[HASH_HEX_SIZE];
    assert_int_equal(hash_bytes(TEXT, sizeof TEXT - 1, sum, NULL), STATUS_OK);
    for (size_t limit = 0; limit < 3; limit++) { /* also where only the first rows are wanted */
        Calibration *rows;
        assert_int_equal(read_bytes(TEXT, sizeof TEXT - 1, tokenizer, limit, &rows, NULL), STATUS_OK);
        assert_string_equal(rows->sha256, sum);
        calibration_free(rows);
    }
    Calibration *typed;
    const int32_t id = 1;
    assert_int_equal(calibration_create("typed", &typed, NULL), STATUS_OK);
    assert_int_equal(calibration_add_ids(typed, &id, 1, NULL, 0, &CONFIG, NULL), STATUS_OK);
    assert_string_equal(typed->sha256, "");
    calibration_free(typed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_job_ends_the_reading),
        cmocka_unit_test(a_row_is_its_prompt_its_response_and_the_end_of_text),
        cmocka_unit_test(a_row_of_ids_is_taken_as_it_is),
        cmocka_unit_test(any_other_line_is_a_prompt),
        cmocka_unit_test(an_array_of_rows_is_read_and_not_taken_for_texts),
        cmocka_unit_test(an_empty_response_is_one_and_null_is_none),
        cmocka_unit_test(lines_may_end_in_any_usual_way),
        cmocka_unit_test(no_more_rows_than_asked_for_are_read),
        cmocka_unit_test(what_is_refused_is_named_with_file_and_line),
        cmocka_unit_test(ids_that_are_none_of_the_models_are_refused),
        cmocka_unit_test(a_nul_in_a_json_text_is_refused),
        cmocka_unit_test(a_file_without_rows_is_refused),
        cmocka_unit_test(texts_need_a_tokenizer_and_ids_do_not),
        cmocka_unit_test(rows_written_as_ids_are_read_again_as_they_were),
        cmocka_unit_test(a_refused_row_leaves_the_set_as_it_was),
        cmocka_unit_test(the_measured_positions_are_those_that_predict_the_response),
        cmocka_unit_test(positions_are_listed_row_by_row),
        cmocka_unit_test(the_sum_is_that_of_all_bytes_of_the_file_that_was_parsed),
    };
    return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
