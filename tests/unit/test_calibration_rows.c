/*
 * What rows may look like, where a response begins among the ids, and what it ends with. Ids are those of tokenizers
 * 0.23.3 for prompt and response as one text, cut by its offsets; ends those of AutoTokenizer of transformers 5.24.0.
 */
#include "calibration_fixture.h"

/* ---- forms ---- */

static void rows_of_every_form_give_prompt_and_response(void **state) {
    (void)state;
    static const struct {
        const char *row, *prompt, *response;
    } ROWS[] = {
        {"{\"prompt\": \"a\", \"response\": \"b\"}", "a", "b"},
        {"  \t{\"prompt\": \"a\", \"response\": \"b\"}  ", "a", "b"},
        {"{\"prompt\": \"a\", \"completion\": \"b\"}", "a", "b"},
        {"{\"prompt\": \"a\", \"completion\": \"b\", \"response\": null}", "a", "b"},
        {"{\"prompt\": \"a\", \"response\": \"b\", \"answer\": \"c\"}", "a", "b"},
        {"{\"prompt\": \"a\"}", "a", NULL},
        {"{\"text\": \"a\"}", "a", NULL},
        /* what is about a row, and what holds nothing, is passed over */
        {"{\"id\": \"x\", \"source\": \"y\", \"meta\": {\"k\": \"v\"}, \"prompt\": \"a\", \"completion\": \"b\"}",
         "a", "b"},
        {"{\"prompt\": \"a\", \"response\": \"b\", \"system\": \"\", \"tools\": [], \"n\": 3, \"good\": true}",
         "a", "b"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        Calibration *rows = must_read(ROWS[i].row);
        assert_int_equal(rows->count, 1);
        assert_string_equal(rows->rows[0].prompt, ROWS[i].prompt);
        if (ROWS[i].response == NULL)
            assert_null(rows->rows[0].response);
        else
            assert_string_equal(rows->rows[0].response, ROWS[i].response);
        calibration_free(rows);
    }
}

static void no_text_of_a_row_is_thrown_away_in_silence(void **state) {
    (void)state;
    refuse("{\"prompt\": \"a\", \"response\": \"b\", \"system\": \"s\"}", STATUS_UNSUPPORTED, "has system,");
    refuse("{\"prompt\": \"a\", \"completion\": \"b\", \"response\": \"c\"}", STATUS_UNSUPPORTED,
           "has response,");
    refuse("{\"prompt\": \"a\", \"completion\": \"b\", \"answer\": \"42\"}", STATUS_UNSUPPORTED,
           "has answer,");
    refuse("{\"messages\": [{}], \"functions\": \"f\"}", STATUS_UNSUPPORTED, "has functions,");
    refuse("{\"messages\": [{}]}", STATUS_IO, "no directory to look for a chat template in");
}

/* Where questions are read, an answer is what an answer is compared with; where rows are measured, it would be lost. */
static void an_answer_without_a_response_is_a_question(void **state) {
    (void)state;
    static const char ROW[] = "{\"prompt\": \"a\", \"answer\": \"42\"}";
    const CalibrationReading questions = {.tokenizer = demo, .config = &CONFIG, .are_questions = true};
    Calibration *rows;
    refuse(ROW, STATUS_UNSUPPORTED, "an answer and no response");
    assert_int_equal(read_text(ROW, &questions, &rows, NULL), STATUS_OK);
    assert_string_equal(rows->rows[0].answer, "42");
    calibration_free(rows);
}

static void forms_that_are_not_known_are_refused_with_their_keys(void **state) {
    (void)state;
    refuse("{\"question\": \"a\", \"answer\": \"b\"}", STATUS_FORMAT, "a row with question, answer");
    refuse("{}", STATUS_FORMAT, "no keys");
    refuse("{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}", STATUS_UNSUPPORTED, "a preference");
    refuse("{\"input_ids\": [1, 2]}", STATUS_UNSUPPORTED, "where the response begins");
}

/* ---- ids as trainers keep them ---- */

static void labels_and_masks_say_what_is_learned(void **state) {
    (void)state;
    static const struct {
        const char *row, *learned; /* of each token */
    } ROWS[] = {
        {"{\"input_ids\": [5, 6, 7, 8], \"labels\": [-100, -100, 7, 8]}", "..xx"},
        {"{\"input_ids\": [5, 6, 7, 8], \"labels\": [-100, 6, -100, 8]}", ".x.x"},
        {"{\"input_ids\": [5, 6, 7, 8], \"labels\": [5, 6, 7, 8]}", ".xxx"}, /* nothing predicts the first */
        {"{\"input_ids\": [5, 6, 7, 8], \"assistant_masks\": [0, 1, 1, 0]}", ".xx."},
        {"{\"input_ids\": [5, 6, 7, 8], \"completion_mask\": [false, true, false, true]}", ".x.x"},
        {"{\"input_ids\": [0, 5, 6, 0], \"labels\": [-100, -100, 6, -100], \"attention_mask\": [0, 1, 1, 0]}",
         ".x"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        Calibration *rows = must_read(ROWS[i].row);
        const CalibrationRow *row = &rows->rows[0];
        EvaluationRow response = calibration_positions(row, true);
        assert_int_equal(row->count, strlen(ROWS[i].learned));
        size_t learned = 0;
        for (size_t t = 0; t < row->count; t++) {
            bool is_learned = ROWS[i].learned[t] == 'x';
            learned += is_learned;
            assert_int_equal(t > 0 && evaluation_row_measures(&response, t - 1), is_learned);
        }
        assert_int_equal(rows->response_tokens, learned);
        assert_int_equal(rows->ended, 0);
        calibration_free(rows);
    }
}

static void marks_that_do_not_fit_their_ids_are_refused(void **state) {
    (void)state;
    refuse("{\"input_ids\": [5, 6], \"labels\": [-100, 7]}", STATUS_FORMAT, "token 1 has not");
    refuse("{\"input_ids\": [5, 6], \"labels\": [-100]}", STATUS_FORMAT, "token 1 has not");
    refuse("{\"input_ids\": [5, 6], \"labels\": [-100, -100]}", STATUS_FORMAT, "no token that is learned");
    refuse("{\"input_ids\": [5, 6], \"assistant_masks\": [0, 2]}", STATUS_FORMAT, "one or zero");
    refuse("{\"input_ids\": [5, 6, 7], \"labels\": [5, 6, 7], \"attention_mask\": [1, 0, 1]}", STATUS_FORMAT,
           "attention_mask");
    refuse("{\"input_ids\": [5, 6], \"labels\": 3}", STATUS_FORMAT, "an array");
}

/* ---- many rows ---- */

static void rows_far_into_a_file_are_named_by_their_lines(void **state) {
    (void)state;
    char text[20000] = "";
    Calibration *rows;
    Error error;
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG};
    for (int i = 1; i < 700; i++) /* more than are read together */
        strcat(text, i == 300 ? "{\"prompt\": \"\xff\"}\n" : i == 301 ? "{\"prompt\": 1}\n" : "a\n");
    assert_int_equal(read_text(text, &reading, &rows, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "line 300: ")); /* though 301 is seen first */
}

/* Threads make the ids; the rows stay in order and are the same. */
static void rows_are_the_same_with_any_number_of_threads(void **state) {
    (void)state;
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG};
    Calibration *one, *many;
    Job *job;
    assert_int_equal(job_create(4, NULL, NULL, &job, NULL), STATUS_OK);
    const char *path = TESTS_DIR "/demo/calibration.jsonl";
    assert_int_equal(calibration_read(path, &reading, NULL, &one, NULL), STATUS_OK);
    assert_int_equal(calibration_read(path, &reading, job, &many, NULL), STATUS_OK);
    assert_true(one->count > 10 && one->count == many->count);
    for (size_t i = 0; i < one->count; i++) {
        assert_int_equal(one->rows[i].count, many->rows[i].count);
        assert_memory_equal(one->rows[i].ids, many->rows[i].ids, one->rows[i].count * sizeof(int32_t));
    }
    calibration_free(one);
    calibration_free(many);
    job_free(job);
}

/* ---- the seam ---- */

typedef struct Seam {
    const char *family, *prompt, *response; /* family NULL: the demo's */
    int32_t ids[12];
    size_t count, prompt_count; /* without the end */
    bool changes, doubles;
} Seam;

static void check_seam(const Seam *seam) {
    Tokenizer *tokenizer = demo;
    Calibration *rows;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/golden/tokenizers/%s/tokenizer.json", TESTS_DIR,
                   seam->family != NULL ? seam->family : "");
    if (seam->family != NULL) assert_int_equal(tokenizer_open(path, &tokenizer, NULL), STATUS_OK);
    assert_int_equal(calibration_create("typed", &rows, NULL), STATUS_OK);
    assert_int_equal(calibration_add_text(rows, seam->prompt, strlen(seam->prompt), seam->response,
                                          strlen(seam->response), tokenizer, &CONFIG, NULL),
                     STATUS_OK);
    const CalibrationRow *row = &rows->rows[0];
    assert_int_equal(row->count, seam->count);
    assert_memory_equal(row->ids, seam->ids, seam->count * sizeof *seam->ids);
    if (row->prompt_count != seam->prompt_count || row->changes_prompt != seam->changes ||
        row->doubles_first != seam->doubles)
        fail_msg("\"%s\" + \"%s\": found %zu tokens of the prompt, changed %d, doubled %d", seam->prompt,
                 seam->response, row->prompt_count, row->changes_prompt, row->doubles_first);
    assert_int_equal(rows->changed, seam->changes);
    assert_int_equal(rows->doubled, seam->doubles);
    calibration_free(rows);
    if (seam->family != NULL) tokenizer_free(tokenizer);
}

static void a_response_has_the_ids_of_the_whole_texts_continuation(void **state) {
    (void)state;
    static const Seam SEAMS[] = {
        {NULL, "Question: ho", "w many", {300, 25, 273, 285, 294}, 5, 3, true, false}, /* "ow" covers both */
        {NULL, "Answer: ", " We", {301, 25, 220, 220, 54, 68}, 6, 3, false, false},
        {NULL, "Tom has 1", "2 pens", {387, 309, 220, 16, 17, 488}, 6, 4, false, false},
        {NULL, "a\n", "\nb", {64, 198, 198, 65}, 4, 2, false, false},
        {"llama2", "x=", "12", {1, 984, 1691, 1129}, 4, 3, false, false}, /* no blank before 12 */
        {"llama2", "a ", "b", {1, 296, 298}, 3, 2, true, false},          /* "▁b" covers both */
        {"llama2", "<s>x=", "12", {1, 1, 984, 1691, 1129}, 5, 4, false, true},
        {"llama3", "Hi ", "yo", {2200, 39, 72, 656, 78}, 5, 3, true, false},
        {"mistral", "x=", "12", {1, 933, 1848, 1115}, 4, 3, false, false},
    };
    for (size_t i = 0; i < sizeof SEAMS / sizeof *SEAMS; i++) check_seam(&SEAMS[i]);
}

/* Of a long prompt only the end is looked at. */
static void a_long_prompt_changes_as_a_short_one_does(void **state) {
    (void)state;
    char prompt[2100] = "";
    for (int i = 0; i < 100; i++) strcat(prompt, "Question: Jack has");
    const struct {
        const char *end, *response;
        size_t changed;
    } CASES[] = {{". ho", "w many", 1}, {". how", " many", 0}, {". Answer: ", " We", 0}, {" \n ", "\n", 0}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Calibration *rows;
        TokenList alone = {0};
        char whole[2200];
        (void)snprintf(whole, sizeof whole, "%s%s", prompt, CASES[i].end);
        assert_int_equal(calibration_create("typed", &rows, NULL), STATUS_OK);
        assert_int_equal(calibration_add_text(rows, whole, strlen(whole), CASES[i].response,
                                              strlen(CASES[i].response), demo, &CONFIG, NULL),
                         STATUS_OK);
        assert_int_equal(tokenizer_encode(demo, whole, strlen(whole), true, &alone, NULL), STATUS_OK);
        const CalibrationRow *row = &rows->rows[0];
        bool differs = alone.count != row->prompt_count ||
                       memcmp(alone.ids, row->ids, alone.count * sizeof *alone.ids) != 0;
        assert_int_equal(row->changes_prompt, differs);
        assert_int_equal(rows->changed, CASES[i].changed);
        token_list_free(&alone);
        calibration_free(rows);
    }
}

static void a_prompt_that_goes_into_the_response_whole_is_refused(void **state) {
    (void)state;
    refuse("{\"prompt\": \"Jac\", \"response\": \"k has\"}", STATUS_ARGUMENT,
           "that the response does not begin in");
}

/* ---- the end ---- */

/* A directory with the demo's tokenizer.json and these files beside it; NULL: none. */
static Tokenizer *open_with(const char *settings, const char *map) {
    char *text, *directory = scratch_path("model/");
    size_t bytes;
    Tokenizer *tokenizer;
    Error error;
    FILE *file = fopen(TESTS_DIR "/demo/sft/tokenizer.json", "rb");
    assert_non_null(file);
    text = malloc(1 << 20);
    assert_non_null(text);
    bytes = fread(text, 1, 1 << 20, file);
    assert_int_equal(fclose(file), 0);
    scratch_write("model/tokenizer.json", text, bytes);
    scratch_write_text("model/tokenizer_config.json", settings);
    scratch_write_text("model/special_tokens_map.json", map != NULL ? map : "{}");
    if (tokenizer_open_directory(directory, TOKENIZER_BY_CLASS, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(text);
    free(directory);
    return tokenizer;
}

#define FAST "\"tokenizer_class\": \"PreTrainedTokenizerFast\""

static void a_response_ends_with_the_eos_token_of_the_tokenizer(void **state) {
    (void)state;
    static const struct {
        const char *settings, *map;
        int32_t end;
        const char *from;
    } CASES[] = {
        {"{" FAST ", \"eos_token\": \"<|endoftext|>\"}", NULL, 509, "tokenizer_config.json: eos_token"},
        {"{" FAST ", \"eos_token\": {\"content\": \"<|endoftext|>\"}}", NULL, 509,
         "tokenizer_config.json: eos_token"},
        {"{" FAST "}", "{\"eos_token\": \"<|endoftext|>\"}", 509, "special_tokens_map.json: eos_token"},
        {"{" FAST ", \"eos_token\": \"Question\"}", "{\"eos_token\": {\"content\": \"<|endoftext|>\"}}", 509,
         "special_tokens_map.json: eos_token"},
        {"{" FAST
         ", \"eos_token\": \"!\", \"added_tokens_decoder\": {\"509\": {\"content\": \"<|endoftext|>\", \"special\": true}}}",
         "{\"eos_token\": \"<|endoftext|>\"}", 0, "tokenizer_config.json: eos_token"},
        {"{\"tokenizer_class\": \"GPT2Tokenizer\"}", NULL, 509, "eos_token of the tokenizer's class"},
        /* none: config.json's and generation_config.json's first */
        {"{" FAST "}", NULL, 9, "default of the model's type"},
        {"{" FAST ", \"eos_token\": null}", NULL, 9, "default of the model's type"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Tokenizer *tokenizer = open_with(CASES[i].settings, CASES[i].map);
        Calibration *rows =
            must_read_with("{\"prompt\": \"a\", \"response\": \"b\"}\na\n", tokenizer, &CONFIG, NULL);
        assert_int_equal(rows->end.id, CASES[i].end);
        assert_string_equal(rows->end.from, CASES[i].from);
        assert_int_equal(rows->rows[0].ids[rows->rows[0].count - 1], CASES[i].end);
        assert_int_equal(rows->ended, 1); /* a prompt alone is not ended */
        calibration_free(rows);
        tokenizer_free(tokenizer);
    }
}

static void the_end_may_be_chosen(void **state) {
    (void)state;
    static const char ROW[] = "{\"prompt\": \"a\", \"response\": \"b\"}";
    static const struct {
        const char *end;
        int32_t id;
    } CHOICES[] = {{"<|endoftext|>", 509}, {"7", 7}, {"none", -1}};
    for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
        Calibration *rows = must_read_with(ROW, demo, &CONFIG, CHOICES[i].end);
        const CalibrationRow *row = &rows->rows[0];
        assert_int_equal(rows->end.id, CHOICES[i].id);
        assert_string_equal(rows->end.from, "--end-token");
        assert_int_equal(row->count, CHOICES[i].id < 0 ? 2 : 3);
        assert_int_equal(row->ids[row->count - 1], CHOICES[i].id < 0 ? 65 : CHOICES[i].id);
        calibration_free(rows);
    }
    static const char *const WRONG[] = {"<|none|>", "4096", "99999999999", "", "-1", "7x"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG, .end_token = WRONG[i]};
        Calibration *rows;
        Error error;
        assert_int_equal(read_text(ROW, &reading, &rows, &error), STATUS_ARGUMENT);
        assert_non_null(strstr(error.message, "--end-token"));
    }
}

static void an_end_that_is_there_is_not_put_twice(void **state) {
    (void)state;
    Calibration *rows = must_read_with("{\"prompt\": \"a\", \"response\": \"b<|endoftext|>\"}", demo, &CONFIG,
                                       "<|endoftext|>");
    assert_int_equal(rows->rows[0].count, 3);
    assert_int_equal(rows->rows[0].ids[2], 509);
    assert_int_equal(rows->ended, 0);
    calibration_free(rows);
}

/* ---- what is said ---- */

static void what_a_person_should_know_is_counted_and_said_once(void **state) {
    (void)state;
    ModelConfig config = CONFIG;
    char remark[CALIBRATION_REMARK_SIZE];
    config.max_positions = 6;
    config.from[CONFIG_POSITIONS] = "max_position_embeddings";
    Calibration *rows = must_read_with(
        "{\"prompt_ids\": [1,2,3,4,5], \"response_ids\": [6]}\n"
        "{\"prompt_ids\": [1,2,3,4,5], \"response_ids\": [6,7]}\n"
        "{\"prompt\": \"Question: ho\", \"response\": \"w many\"}\n",
        demo, &config, "none");
    assert_int_equal(rows->too_long, 1);
    assert_true(calibration_remark(rows, 0, remark));
    assert_non_null(
        strstr(remark, "6 positions (max_position_embeddings): 1 of 3 rows, the longest of 7 tokens"));
    assert_true(calibration_remark(rows, 1, remark));
    assert_non_null(strstr(remark, "the tokens at the prompt's end"));
    assert_non_null(strstr(remark, "1 of 3 rows"));
    assert_false(calibration_remark(rows, 2, remark));
    calibration_free(rows);
    rows = must_read("a\n");
    assert_false(calibration_remark(rows, 0, remark));
    calibration_free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_every_form_give_prompt_and_response),
        cmocka_unit_test(no_text_of_a_row_is_thrown_away_in_silence),
        cmocka_unit_test(an_answer_without_a_response_is_a_question),
        cmocka_unit_test(forms_that_are_not_known_are_refused_with_their_keys),
        cmocka_unit_test(labels_and_masks_say_what_is_learned),
        cmocka_unit_test(marks_that_do_not_fit_their_ids_are_refused),
        cmocka_unit_test(rows_far_into_a_file_are_named_by_their_lines),
        cmocka_unit_test(rows_are_the_same_with_any_number_of_threads),
        cmocka_unit_test(a_response_has_the_ids_of_the_whole_texts_continuation),
        cmocka_unit_test(a_long_prompt_changes_as_a_short_one_does),
        cmocka_unit_test(a_prompt_that_goes_into_the_response_whole_is_refused),
        cmocka_unit_test(a_response_ends_with_the_eos_token_of_the_tokenizer),
        cmocka_unit_test(the_end_may_be_chosen),
        cmocka_unit_test(an_end_that_is_there_is_not_put_twice),
        cmocka_unit_test(what_a_person_should_know_is_counted_and_said_once),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
