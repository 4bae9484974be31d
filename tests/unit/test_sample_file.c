/*
 * Samples made elsewhere: the forms they come in, how they are grouped, what is refused and where, and that what is written
 * reads back as it was. Ids of texts are those of tokenizers 0.23.3 for the demo pair's tokenizer, as test_calibration_rows has
 * them.
 */
#include "core/readiness/sample_file.h"
#include "scratch.h"

#include <math.h>

static Tokenizer *demo;
static const ModelConfig CONFIG = {.vocabulary = 4096, .eos = {9}, .eos_count = 1};

static int open_demo(void **state) {
    if (tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &demo, NULL) != STATUS_OK) return -1;
    return scratch_make(state);
}

static int close_demo(void **state) {
    tokenizer_free(demo);
    return scratch_remove(state);
}

static Status read_text(const char *text, const Tokenizer *tokenizer, SampleFile *file, Error *error) {
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &CONFIG};
    char *path = scratch_path("samples.jsonl");
    scratch_write_text("samples.jsonl", text);
    Status status = sample_file_read(path, &reading, NULL, file, error);
    free(path);
    return status;
}

static SampleFile must_read(const char *text) {
    SampleFile file;
    Error error = {0};
    if (read_text(text, demo, &file, &error) != STATUS_OK) fail_msg("%s: %s", text, error.message);
    return file;
}

static void refuse(const char *text, Status expected, const char *words) {
    SampleFile file;
    Error error = {0};
    Status status = read_text(text, demo, &file, &error);
    if (status != expected || strstr(error.message, words) == NULL)
        fail_msg("%s: expected %s, \"%s\"; got %s: %s", text, status_name(expected), words,
                 status_name(status), error.message);
    assert_null(file.facts);
    assert_null(file.set.groups);
}

static void assert_ids(const int32_t *ids, size_t count, const int32_t *expected, size_t expected_count) {
    assert_int_equal(count, expected_count);
    assert_memory_equal(ids, expected, count * sizeof *ids);
}

#define ASSERT_IDS(ids, count, ...)                                                                          \
    assert_ids(ids, count, (const int32_t[]){__VA_ARGS__},                                                   \
               sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void assert_same_sets(const SampleSet *a, const SampleSet *b) {
    assert_int_equal(a->count, b->count);
    for (size_t g = 0; g < a->count; g++) {
        const SampleGroup *left = &a->groups[g], *right = &b->groups[g];
        assert_ids(left->ids, left->count, right->ids, right->count);
        assert_int_equal(left->sample_count, right->sample_count);
        assert_int_equal(left->answer == NULL, right->answer == NULL);
        if (left->answer != NULL) assert_string_equal(left->answer, right->answer);
        if (left->prompt != NULL) assert_string_equal(left->prompt, right->prompt);
        for (size_t i = 0; i < left->sample_count; i++) {
            const Sample *one = &left->samples[i], *other = &right->samples[i];
            assert_ids(one->ids, one->count, other->ids, other->count);
            assert_true(one->reward == other->reward || (isnan(one->reward) && isnan(other->reward)));
            assert_int_equal(one->text == NULL, other->text == NULL);
            if (one->text != NULL) assert_string_equal(one->text, other->text);
            assert_int_equal(one->prompt_ids == NULL, other->prompt_ids == NULL);
            if (one->prompt_ids != NULL)
                assert_ids(one->prompt_ids, one->prompt_count, other->prompt_ids, other->prompt_count);
        }
    }
}

/* ---- forms ---- */

static void ids_are_taken_as_they_are_under_every_name(void **state) {
    (void)state;
    static const char *const ROWS[] = {
        "{\"prompt\": 0, \"sample\": 0, \"prompt_ids\": [1, 2], \"response_ids\": [3, 9], \"reward\": 0.5}",
        "{\"prompt_ids\": [1, 2], \"response_ids\": [3, 9], \"score\": 0.5}",
        "{\"prompt_token_ids\": [1, 2], \"token_ids\": [3, 9], \"reward\": 0.5, \"finish_reason\": \"stop\"}",
        "[\n{\"prompt_ids\": [1, 2],\n\"response_token_ids\": [3, 9], \"reward\": 0.5}]",
        ("{\"prompt_token_ids\": [1, 2], \"request_id\": \"7\", \"outputs\": [{\"index\": 0, \"token_ids\": [3, 9], "
         "\"reward\": 0.5, \"cumulative_logprob\": -1.5, \"logprobs\": null}]}"),
        "{\"prompt\": \"said\", \"prompt_ids\": [1, 2], \"response\": \"words\", \"response_ids\": [3, 9], \"reward\": 0.5}",
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        SampleFile file = must_read(ROWS[i]);
        assert_int_equal(file.set.count, 1);
        const SampleGroup *group = &file.set.groups[0];
        assert_int_equal(group->sample_count, 1);
        ASSERT_IDS(group->ids, group->count, 1, 2);
        ASSERT_IDS(group->samples[0].ids, group->samples[0].count, 3, 9);
        assert_true(group->samples[0].reward == 0.5);
        assert_true(group->samples[0].is_ended);
        assert_null(group->samples[0].prompt_ids);
        sample_file_free(&file);
    }
}

static void texts_are_tokenized_as_calibration_rows_are(void **state) {
    (void)state;
    static const char *const ROWS[] = {
        "{\"prompt\": \"Ada has 3 apples.\", \"response\": \" Ben has 4.\", \"answer\": \"4\", \"reward\": true}",
        "{\"input\": \"Ada has 3 apples.\", \"output\": \" Ben has 4.\", \"gts\": \"4\", \"score\": 1.0, \"step\": 20}",
        ("{\"prompt\": \"Ada has 3 apples.\", \"completion\": \" Ben has 4.\", \"reward\": 1, \"reward_model\": "
         "{\"ground_truth\": \"4\", \"style\": \"rule\"}}"),
        "{\"prompt\": \"Ada has 3 apples.\", \"outputs\": [\" Ben has 4.\"], \"answer\": 4, \"reward\": 1}",
        "{\"prompt\": \"Ada has 3 apples.\", \"outputs\": [{\"text\": \" Ben has 4.\"}], \"ground_truth\": \"4\", \"reward\": 1}",
    };
    Calibration *rows;
    assert_int_equal(calibration_create("by hand", &rows, NULL), STATUS_OK);
    rows->end.id = 9;
    assert_int_equal(
        calibration_add_text(rows, "Ada has 3 apples.", 17, " Ben has 4.", 11, demo, &CONFIG, NULL),
        STATUS_OK);
    const CalibrationRow *row = &rows->rows[0];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        SampleFile file = must_read(ROWS[i]);
        const SampleGroup *group = &file.set.groups[0];
        assert_ids(group->ids, group->count, row->ids, row->prompt_count);
        assert_ids(group->samples[0].ids, group->samples[0].count, row->ids + row->prompt_count,
                   row->count - row->prompt_count);
        assert_string_equal(group->prompt, "Ada has 3 apples.");
        assert_string_equal(group->answer, "4");
        assert_string_equal(group->samples[0].text, " Ben has 4.");
        assert_true(group->samples[0].reward == 1.0);
        sample_file_free(&file);
    }
    calibration_free(rows);
}

static void a_text_beside_ids_is_tokenized_by_itself(void **state) {
    (void)state;
    TokenList prompt = {0}, response = {0};
    assert_int_equal(tokenizer_encode(demo, "Ada", 3, true, &prompt, NULL), STATUS_OK);
    assert_int_equal(tokenizer_encode(demo, "Ben", 3, false, &response, NULL), STATUS_OK);
    assert_int_equal(token_list_append(&response, 9, NULL), STATUS_OK);
    SampleFile file = must_read(
        "{\"prompt\": \"Ada\", \"response_ids\": [3, 9], \"reward\": 0}\n"
        "{\"prompt_ids\": [1, 2], \"response\": \"Ben\", \"reward\": 0}");
    assert_int_equal(file.set.count, 2);
    assert_ids(file.set.groups[0].ids, file.set.groups[0].count, prompt.ids, prompt.count);
    ASSERT_IDS(file.set.groups[0].samples[0].ids, file.set.groups[0].samples[0].count, 3, 9);
    ASSERT_IDS(file.set.groups[1].ids, file.set.groups[1].count, 1, 2);
    assert_ids(file.set.groups[1].samples[0].ids, file.set.groups[1].samples[0].count, response.ids,
               response.count);
    token_list_free(&prompt);
    token_list_free(&response);
    sample_file_free(&file);
}

/* ---- groups ---- */

static void samples_of_one_number_or_one_prompt_are_a_group(void **state) {
    (void)state;
    SampleFile file = must_read(
        "{\"prompt\": 7, \"prompt_ids\": [1], \"response_ids\": [3], \"reward\": 0}\n"
        "{\"prompt\": 2, \"prompt_ids\": [1], \"response_ids\": [4], \"reward\": 1}\n"
        "{\"prompt\": 7, \"prompt_ids\": [1], \"response_ids\": [5], \"reward\": 2}\n");
    assert_int_equal(file.set.count, 2); /* in the order of their first samples */
    assert_int_equal(file.set.groups[0].sample_count, 2);
    assert_true(file.set.groups[0].samples[1].reward == 2.0);
    assert_int_equal(file.set.groups[1].sample_count, 1);
    sample_file_free(&file);
    file = must_read(
        "{\"prompt_ids\": [1], \"response_ids\": [3], \"reward\": 0}\n"
        "{\"prompt_ids\": [1, 1], \"response_ids\": [3], \"reward\": 0}\n"
        "{\"prompt_ids\": [1], \"response_ids\": [4], \"reward\": 0}\n"
        "{\"prompt\": \"a\", \"response\": \" b\", \"answer\": \"x\"}\n"
        "{\"prompt\": \"a\", \"response\": \" c\", \"answer\": \"x\"}\n"
        "{\"prompt\": \"a\", \"response\": \" c\", \"answer\": \"y\"}\n");
    assert_int_equal(file.set.count, 4);
    assert_int_equal(file.set.groups[0].sample_count, 2);
    assert_int_equal(file.set.groups[2].sample_count, 2); /* another answer is another question */
    assert_true(isnan(file.set.groups[2].samples[0].reward));
    sample_file_free(&file);
}

/* A thousand prompts, four samples each, in turns. */
static void many_groups_are_told_apart(void **state) {
    (void)state;
    enum { PROMPTS = 1000, SAMPLES = 4, LINE = 96 };
    char *text = memory_allocate((size_t)PROMPTS * SAMPLES, LINE), *at = text;
    assert_non_null(text);
    for (int i = 0; i < PROMPTS * SAMPLES; i++)
        at += snprintf(at, LINE, "{\"prompt_ids\": [%d, %d], \"response_ids\": [%d], \"reward\": 0}\n",
                       i % PROMPTS % 40, i % PROMPTS / 40, i);
    SampleFile file = must_read(text);
    assert_int_equal(file.set.count, PROMPTS);
    for (size_t g = 0; g < PROMPTS; g++) {
        assert_int_equal(file.set.groups[g].sample_count, SAMPLES);
        for (size_t i = 0; i < SAMPLES; i++)
            assert_int_equal(file.set.groups[g].samples[i].ids[0], g + i * PROMPTS);
    }
    sample_file_free(&file);
    free(text);
}

/* ---- refusals ---- */

static void what_is_refused_is_named_with_file_and_line(void **state) {
    (void)state;
#define GOOD "{\"prompt_ids\": [1], \"response_ids\": [2], \"reward\": 1}\n"
    refuse(GOOD "\n{\"prompt_ids\": [1], \"response_ids\": [2.5]}", STATUS_FORMAT,
           "samples.jsonl, line 3: expected \"response_ids\"");
    refuse("{\"prompt_ids\": 1, \"response_ids\": [2]}", STATUS_FORMAT,
           "expected \"prompt_ids\" to be an array");
    refuse(GOOD "{\"prompt_ids\": [1], \"response_ids\": [5000]}", STATUS_ARGUMENT,
           "line 2: token id 5000 is outside");
    refuse("{\"prompt_ids\": [], \"response_ids\": [2]}", STATUS_ARGUMENT, "expected a prompt of one token");
    refuse("{\"prompt\": \"a\", \"response\": \"c\"}", STATUS_ARGUMENT,
           "found none that the response does not begin in"); /* "ac" is one token */
    refuse("{\"prompt\": 3, \"response_ids\": [2]}", STATUS_FORMAT, "expected prompt_ids beside the number");
    refuse("{\"response_ids\": [2]}", STATUS_FORMAT, "expected \"prompt\" or \"prompt_ids\"");
    refuse("{\"prompt\": \"a\"}", STATUS_FORMAT, "expected \"response\" or \"response_ids\"");
    refuse("{\"prompt\": [{\"role\": \"user\"}], \"response\": \"b\"}", STATUS_IO,
           "no directory to look for a chat template");
    refuse("{\"prompt\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"response\": \"b\"}",
           STATUS_UNSUPPORTED, "the last message of \"prompt\" is the assistant's");
    refuse("{\"prompt\": \"a\", \"completion\": [{\"role\": \"user\", \"content\": \"b\"}]}",
           STATUS_UNSUPPORTED, "expected one, by \"assistant\"");
    refuse(
        "{\"prompt\": \"a\", \"completion\": [{\"role\": \"assistant\", \"content\": \"b\", \"tool_calls\": [1]}]}",
        STATUS_UNSUPPORTED, "\"tool_calls\"");
    refuse("{\"prompt\": \"a\", \"completion\": [{\"role\": \"assistant\"}]}", STATUS_FORMAT,
           "to have content");
    refuse(
        "{\"input\": \"a\", \"output\": \"b\", \"gts\": null, \"score\": 1, \"step\": 7, \"uid\": \"c3_0_1\"}",
        STATUS_UNSUPPORTED, "one of several outputs of a session");
    refuse("{\"prompt\": -1, \"prompt_ids\": [1], \"response_ids\": [2]}", STATUS_FORMAT,
           "the number of a prompt");
    refuse("{\"prompt\": \"a\", \"response\": \"b\", \"reward\": \"1\"}", STATUS_FORMAT,
           "expected \"reward\" to be a number");
    refuse("{\"prompt\": \"a\", \"response\": \"b\", \"system\": \"you are\"}", STATUS_UNSUPPORTED,
           "\"system\", which nothing is made of");
    refuse("{\"prompt\": \"a\", \"outputs\": [{\"text\": \"b\", \"thought\": \"c\"}]}", STATUS_UNSUPPORTED,
           "\"thought\"");
    refuse("{\"prompt\": \"a\", \"outputs\": [3]}", STATUS_FORMAT, "\"outputs\"");
    refuse("{\"input\": \"a\", \"prompt\": \"b\", \"response\": \"c\"}", STATUS_FORMAT,
           "\"input\": there is another text under another key");
    refuse("{\"prompt\": \"a\", \"outputs\": [\"b\"], \"text\": \"c\"}", STATUS_FORMAT,
           "\"outputs\": there is another text under another key");
    refuse("words", STATUS_FORMAT, "line 1: expected a sample as an object of JSON");
    refuse(GOOD "{\"prompt_ids\": [1]", STATUS_FORMAT, "line 2: ");
    refuse("", STATUS_FORMAT, "expected one sample at least");
    refuse(
        "{\"prompt\": 1, \"prompt_ids\": [1], \"response_ids\": [2]}\n"
        "{\"prompt\": 1, \"prompt_ids\": [2], \"response_ids\": [2]}",
        STATUS_FORMAT, "line 2: prompt 1 has other ids");
    refuse(
        "{\"prompt\": 1, \"prompt_ids\": [1], \"response_ids\": [2], \"answer\": \"a\"}\n"
        "{\"prompt\": 1, \"prompt_ids\": [1], \"response_ids\": [2], \"answer\": \"b\"}",
        STATUS_FORMAT, "line 2: prompt 1 has another answer");
    refuse("{\"prompt\": \"a\\u0000\", \"response\": \"b\"}", STATUS_UNSUPPORTED, "U+0000");
}

static void what_stands_there_twice_must_be_the_same(void **state) {
    (void)state;
#define IDS "\"prompt_ids\": [5, 6], \"response_ids\": [7]"
    refuse("{" IDS ", \"answer\": \"4\", \"reward_model\": {\"ground_truth\": \"5\"}}", STATUS_FORMAT,
           "\"ground_truth\": there is another text");
    refuse("{" IDS ", \"answer\": \"4\", \"gts\": 5}", STATUS_FORMAT, "\"gts\": there is another text");
    refuse("{" IDS ", \"reward\": 1, \"score\": 0}", STATUS_FORMAT, "\"score\": there is another reward");
    refuse("{" IDS ", \"token_ids\": [8]}", STATUS_FORMAT, "\"token_ids\": there is another list of ids");
    SampleFile file =
        must_read("{" IDS
                  ", \"answer\": \"4\", \"gts\": 4, \"reward_model\": {\"ground_truth\": \"4\"}, "
                  "\"reward\": 1, \"score\": true, \"token_ids\": [7], \"prompt_token_ids\": [5, 6]}\n");
    assert_string_equal(file.set.groups[0].answer, "4");
    assert_int_equal(file.set.groups[0].samples[0].count, 1);
    assert_true(file.set.groups[0].samples[0].reward == 1.0);
    sample_file_free(&file);
}

static void a_text_may_stand_there_twice(void **state) {
    (void)state;
    SampleFile file = must_read(
        "{\"prompt\": \"a\", \"input\": \"a\", \"response\": \"b\"}\n{\"prompt\": \"a\", \"text\": \"b\", \"outputs\": [\"b\"]}\n");
    assert_int_equal(file.set.count, 1);
    assert_string_equal(file.set.groups[0].prompt, "a");
    assert_int_equal(file.set.groups[0].sample_count, 2);
    sample_file_free(&file);
}

/* As _write_generations of verl 0.9.1 writes them (ppo/v1/trainer_base.py), of a reward function that adds texts of its own. */
static void a_dump_of_verl_reads_as_it_is(void **state) {
    (void)state;
    SampleFile file = must_read(
        "{\"input\": \"user\\n2+2\\nassistant\\n\", \"output\": \"It is 4.\", \"gts\": null, \"score\": 1.0, \"step\": 7, "
        "\"reward\": 1.0, \"acc\": true, \"pred\": \"4\", \"why\": \"same\", \"uid\": \"c3-7f_0_0\"}\n"
        "{\"input\": \"user\\n2+2\\nassistant\\n\", \"output\": \"5\", \"gts\": null, \"score\": 0.0, \"step\": 7, "
        "\"reward\": 0.0, \"acc\": false, \"pred\": \"5\", \"why\": \"other\", \"uid\": \"c3-7f_1_0\"}\n");
    assert_int_equal(file.set.count, 1);
    assert_int_equal(file.set.groups[0].sample_count, 2);
    assert_null(file.set.groups[0].answer);
    assert_true(file.set.groups[0].samples[0].reward == 1.0 && file.set.groups[0].samples[1].reward == 0.0);
    assert_int_equal(file.facts->bare, 0); /* there is no template that a prompt could have been made by */
    sample_file_free(&file);
}

static void what_a_reward_function_calls_by_our_names_is_no_part_of_the_sample(void **state) {
    (void)state;
#define DUMPED "\"input\": \"2+2\", \"output\": \"It is 4.\", \"gts\": \"4\", \"score\": 1.0, \"step\": 7"
    SampleFile plain = must_read("{" DUMPED "}\n"),
               file = must_read(
                   "{" DUMPED
                   ", \"prompt\": \"grade\", \"response\": \"right\", \"text\": \"5\", \"answer\": \"5\", "
                   "\"reward\": 0.0, \"response_ids\": [3], \"prompt_ids\": [4]}\n");
    assert_same_sets(&plain.set, &file.set);
    sample_file_free(&plain);
    sample_file_free(&file);
}

/* The same file beside a chat template: what the model read had special tokens. */
static void what_a_dump_of_verl_lacks_is_said(void **state) {
    (void)state;
    SampleFile file;
    Error error = {0};
    char *path = scratch_path("samples.jsonl"), remark[CALIBRATION_REMARK_SIZE];
    const CalibrationReading reading = {
        .tokenizer = demo, .config = &CONFIG, .directory = TESTS_DIR "/demo/sft"};
    scratch_write_text(
        "samples.jsonl",
        "{\"input\": \"a\", \"output\": \"b\", \"gts\": \"c\", \"score\": 1.0, \"step\": 7}\n");
    if (sample_file_read(path, &reading, NULL, &file, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(file.facts->bare, 1);
    assert_true(calibration_remark(file.facts, 0, remark));
    assert_non_null(strstr(remark, "without special tokens"));
    sample_file_free(&file);
    free(path);
}

static void a_message_of_the_assistant_is_a_response(void **state) {
    (void)state;
    SampleFile file = must_read(
        "{\"prompt\": \"a\", \"completion\": [{\"role\": \"assistant\", \"content\": \"b\"}]}\n"
        "{\"prompt\": \"a\", \"completion\": \"b\"}\n");
    const SampleGroup *group = &file.set.groups[0];
    assert_int_equal(group->sample_count, 2);
    assert_int_equal(group->samples[0].count, group->samples[1].count);
    assert_memory_equal(group->samples[0].ids, group->samples[1].ids,
                        group->samples[0].count * sizeof *group->samples[0].ids);
    sample_file_free(&file);
}

static void texts_need_a_tokenizer(void **state) {
    (void)state;
    SampleFile file;
    Error error = {0};
    assert_int_equal(read_text("{\"prompt\": \"a\", \"response\": \"b\"}", NULL, &file, &error),
                     STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "samples.jsonl, line 1: there is no tokenizer"));
    assert_int_equal(read_text("{\"prompt\": \"a\", \"response_ids\": [1]}", NULL, &file, &error),
                     STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "there is no tokenizer"));
}

/* ---- writing ---- */

/* "x" and "xy" are other tokens: the response takes the prompt's last one with it. */
static void what_is_written_is_read_as_it_was(void **state) {
    (void)state;
    SampleFile
        file = must_read(
            "{\"prompt\": \"Ada \\\"q\\\"\", \"response\": \"\\n\\ta\", \"answer\": \"\", \"reward\": 0.1}\n"
            "{\"prompt\": \"Ada \\\"q\\\"\", \"response\": \"pples\", \"answer\": \"\"}\n"
            "{\"prompt\": \"Ada has 3 ap\", \"response\": \" \", \"reward\": -2}\n"
            "{\"prompt\": \"Ada has 3 ap\", \"response\": \"ples\", \"reward\": 1e300}\n"
            "{\"prompt_ids\": [1, 2], \"response_ids\": [], \"reward\": 1}\n"),
        again;
    assert_int_equal(file.set.count, 3);
    assert_non_null(file.set.groups[1].samples[1].prompt_ids);
    char *path = scratch_path("written.jsonl");
    Error error = {0};
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG};
    if (sample_file_write(&file.set, path, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (sample_file_read(path, &reading, NULL, &again, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_same_sets(&file.set, &again.set);
    sample_file_free(&file);
    sample_file_free(&again);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_taken_as_they_are_under_every_name),
        cmocka_unit_test(texts_are_tokenized_as_calibration_rows_are),
        cmocka_unit_test(a_text_beside_ids_is_tokenized_by_itself),
        cmocka_unit_test(samples_of_one_number_or_one_prompt_are_a_group),
        cmocka_unit_test(many_groups_are_told_apart),
        cmocka_unit_test(what_is_refused_is_named_with_file_and_line),
        cmocka_unit_test(what_stands_there_twice_must_be_the_same),
        cmocka_unit_test(a_text_may_stand_there_twice),
        cmocka_unit_test(a_dump_of_verl_reads_as_it_is),
        cmocka_unit_test(what_a_reward_function_calls_by_our_names_is_no_part_of_the_sample),
        cmocka_unit_test(what_a_dump_of_verl_lacks_is_said),
        cmocka_unit_test(a_message_of_the_assistant_is_a_response),
        cmocka_unit_test(texts_need_a_tokenizer),
        cmocka_unit_test(what_is_written_is_read_as_it_was),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
