/*
 * Rows that are conversations: rendered by a chat template, and learned by their turns.
 */
#include "calibration_fixture.h"

static const char TEMPLATE[] =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{{ '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

static Calibration *must_read_chat(const char *template, const char *text) {
    Calibration *rows;
    Error error;
    char *directory = scratch_path("model");
    (void)mkdir(directory, 0777);
    scratch_write_text("model/chat_template.jinja", template);
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG, .directory = directory};
    if (read_text(text, &reading, &rows, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(directory);
    return rows;
}

/* The text with what is learned between « and ». */
static void check_turns(const char *template, const char *row_text, const char *expected) {
    Calibration *rows = must_read_chat(template, row_text);
    const CalibrationRow *row = &rows->rows[0];
    EvaluationRow response = calibration_positions(row, true);
    char marked[512] = "";
    bool is_open = false;
    for (size_t t = 0; t < row->count; t++) {
        char *piece;
        size_t bytes;
        bool is_learned =
            row->prompt_count < row->count && t > 0 && evaluation_row_measures(&response, t - 1);
        assert_int_equal(tokenizer_token_bytes(demo, row->ids[t], &piece, &bytes, NULL), STATUS_OK);
        if (is_learned != is_open) strcat(marked, is_learned ? "«" : "»");
        strcat(marked, piece);
        is_open = is_learned;
        free(piece);
    }
    if (is_open) strcat(marked, "»");
    if (strcmp(marked, expected) != 0) fail_msg("%s: expected %s, found %s", row_text, expected, marked);
    assert_int_equal(rows->ended, 0); /* the template ends what is said */
    assert_int_equal(rows->conversations, 1);
    calibration_free(rows);
}

static void conversations_of_every_form_are_learned_by_turns(void **state) {
    (void)state;
    static const char TWO[] = "<user>a\n<assistant>«b\n»<user>c\n<assistant>«d\n»";
    check_turns(
        TEMPLATE,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": "
        "\"b\"}, {\"role\": \"user\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": \"d\"}]}",
        TWO);
    check_turns(
        TEMPLATE,
        "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\", \"value\": \"b\"}, "
        "{\"from\": \"human\", \"value\": \"c\"}, {\"from\": \"gpt\", \"value\": \"d\"}]}",
        TWO);
    check_turns(TEMPLATE,
                "{\"instruction\": \"c\", \"input\": \"\", \"output\": \"d\", \"history\": [[\"a\", \"b\"]]}",
                TWO);
    check_turns(TEMPLATE, "{\"instruction\": \"a\", \"input\": \"b\", \"output\": \"c\", \"system\": \"s\"}",
                "<system>s\n<user>a\nb\n<assistant>«c\n»");
    check_turns(
        TEMPLATE,
        "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"function_call\", \"value\": "
        "\"{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": {\\\"x\\\": 1.0}}\"}, {\"from\": \"observation\", \"value\": \"o\"}], "
        "\"system\": \"s\"}",
        "<system>s\n<user>a\n<assistant>«[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": "
        "{\"x\": 1.0}}}]\n»<tool>o\n");
    /* what stands in a prompt is not learned */
    check_turns(
        TEMPLATE,
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}, "
        "{\"role\": \"user\", \"content\": \"c\"}], \"completion\": [{\"role\": \"assistant\", \"content\": \"d\"}]}",
        "<user>a\n<assistant>b\n<user>c\n<assistant>«d\n»");
    check_turns(TEMPLATE, "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"response\": \"b\"}",
                "<user>a\n<assistant>«b\n»");
    check_turns(TEMPLATE, "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}]}", "<user>a\n<assistant>");
    check_turns(TEMPLATE, "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"prompt\": \"a\"}",
                "<user>a\n<assistant>");
}

static void turns_of_no_weight_are_not_learned(void **state) {
    (void)state;
    static const char ROW[] =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\", "
        "\"weight\": 0}, {\"role\": \"user\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": \"d\", "
        "\"weight\": 1}]}";
    static const char BLOCKS[] =
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '\\n' }}{% endfor %}";
    check_turns(TEMPLATE, ROW, "<user>a\n<assistant>b\n<user>c\n<assistant>«d\n»");
    static const char *const OFF[] = {"\"weight\": 0.0", "\"train\": false", "\"training\": false",
                                      "\"loss\": false"};
    for (size_t i = 0; i < sizeof OFF / sizeof *OFF;
         i++) { /* as others name it, and in turns of ShareGPT's */
        char row[512];
        (void)snprintf(
            row, sizeof row,
            "{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\", \"value\": \"b\", %s}, "
            "{\"from\": \"human\", \"value\": \"c\"}, {\"from\": \"gpt\", \"value\": \"d\"}]}",
            OFF[i]);
        check_turns(TEMPLATE, row, "<user>a\n<assistant>b\n<user>c\n<assistant>«d\n»");
    }
    check_turns(BLOCKS, ROW, "<user>a\n<assistant>b\n<user>c\n<assistant>«d»\n");
}

/* A template that drops earlier thoughts: no rendering is the beginning of the next. */
static void turns_that_do_not_continue_are_measured_on_the_last(void **state) {
    (void)state;
    static const char FORGETFUL[] =
        "{% for m in messages %}<{{ m.role }}>{% if m.role != 'assistant' or loop.last %}{{ m.content }}{% endif %}{{ '\\n' }}"
        "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    static const char ROW[] =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}, "
        "{\"role\": \"user\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": \"d\"}]}";
    char remark[CALIBRATION_REMARK_SIZE];
    check_turns(FORGETFUL, ROW, "<user>a\n<assistant>\n<user>c\n<assistant>«d\n»");
    Calibration *rows = must_read_chat(FORGETFUL, ROW);
    assert_int_equal(rows->last_alone, 1);
    assert_true(calibration_remark(rows, 0, remark));
    assert_non_null(strstr(remark, "the last turn alone"));
    calibration_free(rows);
}

static void conversations_that_cannot_be_rendered_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *row, *words;
    } WRONG[] = {
        {"{\"messages\": []}", "at least one message"},
        {"{\"messages\": \"a\"}", "expected a list of messages"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"prompt\": \"b\"}", "leave one out"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"functions\": \"f\"}",
         "has functions,"},
        {"{\"conversations\": [{\"from\": \"narrator\", \"value\": \"a\"}]}", "from \"narrator\""},
        {"{\"conversations\": [{\"from\": \"system\", \"value\": \"a\"}], \"system\": \"s\"}", "first turn"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\", \"weight\": 0.5}]}",
         "message 2 is learned in part"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"model\", \"content\": \"b\"}]}",
         "the last message is by \"model\""},
        {"{\"messages\": [{\"role\": \"odd\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}",
         "conversation: no odd ones"},
    };
    static const char PICKY[] =
        "{% for m in messages %}{% if m.role == 'odd' %}{{ raise_exception('no odd ones') }}{% endif %}{% endfor %}";
    char *directory = scratch_path("model");
    (void)mkdir(directory, 0777);
    scratch_write_text("model/chat_template.jinja", PICKY);
    const CalibrationReading reading = {.tokenizer = demo, .config = &CONFIG, .directory = directory};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        Calibration *rows;
        Error error = {0};
        Status status = read_text(WRONG[i].row, &reading, &rows, &error);
        if (status == STATUS_OK || strstr(error.message, WRONG[i].words) == NULL)
            fail_msg("%s: expected \"%s\", found \"%s\"", WRONG[i].row, WRONG[i].words, error.message);
        assert_null(rows);
    }
    free(directory);
}

/* Written as ids and read again, they measure alike. */
static void conversations_survive_as_ids(void **state) {
    (void)state;
    static const char ROWS[] =
        "{\"instruction\": \"c\", \"output\": \"d\", \"history\": [[\"a\", \"b\"]]}\n{\"instruction\": \"a\", \"output\": "
        "\"b\"}\n";
    Calibration *rows = must_read_chat(TEMPLATE, ROWS);
    char *text;
    size_t bytes;
    assert_int_equal(calibration_format_ids(rows, &text, &bytes, NULL), STATUS_OK);
    Calibration *again = must_read(text);
    assert_int_equal(again->response_tokens, rows->response_tokens);
    for (size_t r = 0; r < rows->count; r++) {
        EvaluationRow one = calibration_positions(&rows->rows[r], true),
                      other = calibration_positions(&again->rows[r], true);
        assert_int_equal(one.count, other.count);
        assert_memory_equal(one.ids, other.ids, one.count * sizeof *one.ids);
        for (size_t t = 0; t < one.count; t++)
            assert_int_equal(evaluation_row_measures(&one, t), evaluation_row_measures(&other, t));
    }
    free(text);
    calibration_free(again);
    calibration_free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_of_every_form_are_learned_by_turns),
        cmocka_unit_test(turns_of_no_weight_are_not_learned),
        cmocka_unit_test(turns_that_do_not_continue_are_measured_on_the_last),
        cmocka_unit_test(conversations_that_cannot_be_rendered_are_refused),
        cmocka_unit_test(conversations_survive_as_ids),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
