/* A conversation that is being written: what is changed, and that all else of it stays. */
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_turns.h"
#include "tests/scratch.h"

static ChatTurns *read_turns(const char *json) {
    ChatTurns *turns;
    Error error = {0};
    if (chat_turns_read(json, strlen(json), &turns, &error) != STATUS_OK) fail_msg("%s", error.message);
    return turns;
}

static void expect_json(const ChatTurns *turns, const char *expected) {
    char *json;
    size_t bytes;
    Error error = {0};
    if (chat_turns_write(turns, false, &json, &bytes, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(json, expected);
    assert_int_equal(strlen(json), bytes);
    free(json);
}

static void insert(ChatTurns *turns, size_t index, const char *role, const char *text) {
    Error error = {0};
    if (chat_turns_insert(turns, index, role, text, strlen(text), &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void what_is_not_changed_stays_as_it_was(void **state) {
    (void)state;
    static const char JSON[] =
        "{\"id\": 123456789012345678901234567890, \"messages\": [{\"content\": \"a\\u0000b\", \"role\": \"user\", "
        "\"name\": \"Ann\"}], \"tools\": [{\"x\": 1.0, \"y\": 9007199254740993}], \"add_generation_prompt\": true}";
    ChatTurns *turns = read_turns(JSON), *copy;
    expect_json(turns, JSON);
    assert_int_equal(chat_turns_copy(turns, &copy, NULL), STATUS_OK);
    expect_json(copy, JSON);
    insert(copy, 1, "assistant", "caf\xc3\xa9");
    expect_json(
        copy,
        "{\"id\": 123456789012345678901234567890, \"messages\": [{\"content\": \"a\\u0000b\", \"role\": \"user\", "
        "\"name\": \"Ann\"}, {\"role\": \"assistant\", \"content\": \"caf\xc3\xa9\"}], \"tools\": [{\"x\": 1.0, "
        "\"y\": 9007199254740993}], \"add_generation_prompt\": false}");
    expect_json(turns, JSON);
    chat_turns_free(copy);
    chat_turns_free(turns);
}

static void a_prompt_for_the_answer_follows_the_last_turn(void **state) {
    (void)state;
    ChatTurns *turns;
    assert_int_equal(chat_turns_create(&turns, NULL), STATUS_OK);
    expect_json(turns, "{\"messages\": [], \"add_generation_prompt\": false}");
    insert(turns, 0, "user", "q");
    expect_json(
        turns, "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"add_generation_prompt\": true}");
    insert(turns, 1, "assistant", "a");
    insert(turns, 0, "system", "s");
    assert_int_equal(chat_turns_count(turns), 3);
    assert_true(chat_turns_has_role(turns, 0, "system") && chat_turns_has_role(turns, 2, "assistant"));
    assert_false(chat_turns_has_role(turns, 3, "assistant"));
    assert_int_equal(chat_turns_replace(turns, 1, "user", "Q", 1, NULL), STATUS_OK);
    assert_string_equal(chat_turns_get(turns, 1).text, "Q");
    chat_turns_remove(turns, 0);
    chat_turns_remove(turns, 1);
    expect_json(
        turns, "{\"messages\": [{\"role\": \"user\", \"content\": \"Q\"}], \"add_generation_prompt\": true}");
    chat_turns_free(turns);
    turns = read_turns(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"add_generation_prompt\": false}");
    expect_json(
        turns,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"add_generation_prompt\": false}");
    insert(turns, 1, "tool", "t"); /* another conversation: what the file said is no longer about it */
    chat_turns_remove(turns, 1);
    expect_json(
        turns, "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"add_generation_prompt\": true}");
    chat_turns_free(turns);
}

static void messages_are_shown_with_all_that_they_have(void **state) {
    (void)state;
    static const struct {
        const char *message, *role, *text;
        bool is_plain;
    } CASES[] = {
        {"{\"role\": \"user\", \"content\": \"Hi\\nthere\"}", "user", "Hi\nthere", true},
        {"{\"role\": \"user\", \"content\": \"\"}", "user", "", true},
        {"{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"a\"}, {\"type\": \"text\", \"text\": \"b\"}]}",
         "user", "ab", false},
        {"{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}", "user",
         "content: [{\"type\": \"image\"}]", false},
        {"{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\"}]}", "assistant",
         "tool_calls: [{\"name\": \"f\"}]", false},
        {"{\"role\": \"assistant\", \"content\": \"a\", \"reasoning_content\": \"r\"}", "assistant",
         "a\nreasoning_content: r", false},
        {"{\"content\": \"x\"}", "", "x", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char json[512];
        (void)snprintf(json, sizeof json, "{\"messages\": [%s]}", CASES[i].message);
        ChatTurns *turns = read_turns(json);
        ChatMessage shown = chat_turns_get(turns, 0);
        assert_string_equal(shown.role, CASES[i].role);
        assert_string_equal(shown.text, CASES[i].text);
        assert_int_equal(shown.bytes, strlen(CASES[i].text));
        assert_true(shown.is_plain == CASES[i].is_plain);
        chat_turns_free(turns);
    }
}

static void switches_are_variables_of_the_template(void **state) {
    (void)state;
    ChatTurns *turns = read_turns(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"chat_template_kwargs\": "
        "{\"enable_thinking\": false, \"effort\": \"low\"}, \"add_generation_prompt\": true}");
    assert_int_equal(chat_turns_switch(turns, "enable_thinking"), CHAT_SWITCH_OFF);
    assert_int_equal(chat_turns_switch(turns, "effort"), CHAT_SWITCH_UNSET);
    assert_int_equal(chat_turns_set_switch(turns, "enable_thinking", CHAT_SWITCH_ON, NULL), STATUS_OK);
    assert_int_equal(chat_turns_switch(turns, "enable_thinking"), CHAT_SWITCH_ON);
    expect_json(
        turns,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"chat_template_kwargs\": {\"effort\": "
        "\"low\"}, \"add_generation_prompt\": true, \"template_kwargs\": {\"enable_thinking\": true}}");
    assert_int_equal(chat_turns_set_switch(turns, "enable_thinking", CHAT_SWITCH_UNSET, NULL), STATUS_OK);
    expect_json(
        turns,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}], \"chat_template_kwargs\": {\"effort\": "
        "\"low\"}, \"add_generation_prompt\": true}");
    chat_turns_free(turns);
}

static void other_forms_become_messages(void **state) {
    (void)state;
    ChatTurns *turns = read_turns(
        "{\"conversations\": [{\"from\": \"human\", \"value\": \"q\"}, {\"from\": \"gpt\", "
        "\"value\": \"a\"}], \"id\": 7}");
    expect_json(
        turns,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": "
        "\"a\"}], \"id\": 7, \"add_generation_prompt\": false}");
    chat_turns_free(turns);
}

static void what_is_no_conversation_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *json, *says;
    } CASES[] = {{"", "expected a value"},
                 {"[]", "messages"},
                 {"{\"messages\": []}", "at least one message"},
                 {"{\"messages\": [1]}", "message 1"},
                 {"{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}", "expected"},
                 {"{\"messages\": [{\"role\": \"user\"}], \"tools\": 1}", "tools"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ChatTurns *turns;
        Error error = {0};
        assert_int_equal(chat_turns_read(CASES[i].json, strlen(CASES[i].json), &turns, &error),
                         STATUS_FORMAT);
        assert_null(turns);
        if (strstr(error.message, CASES[i].says) == NULL) fail_msg("\"%s\"", error.message);
    }
    ChatTurns *turns = read_turns("{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}]}");
    assert_int_equal(chat_turns_insert(turns, 1, "user", "\xff", 1, NULL), STATUS_ARGUMENT);
    assert_int_equal(chat_turns_count(turns), 1);
    chat_turns_free(turns);
    chat_turns_free(NULL);
}

static void a_template_tells_which_variables_it_reads(void **state) {
    (void)state;
    static const struct {
        const char *source;
        bool reads;
    } CASES[] = {
        {"{% if enable_thinking is defined and not enable_thinking %}x{% endif %}", true},
        {"{% for m in messages %}{{ m.enable_thinking }}{{ 'enable_thinking' }}{% endfor %}", false},
        {"{% for m in messages %}{% if m and enable_thinking %}x{% endif %}{% endfor %}", true},
        {"{% for enable_thinking in messages %}{{ enable_thinking }}{% endfor %}", false},
        {"{% for enable_thinking in messages if enable_thinking %}x{% else %}{{ enable_thinking }}{% endfor %}",
         true},
        {"{% set enable_thinking = true %}{{ enable_thinking }}", false},
        {"{% if not enable_thinking is defined %}{% set enable_thinking = false %}{% endif %}{{ enable_thinking }}",
         true},
        {"{% macro f(enable_thinking) %}{{ enable_thinking }}{% endmacro %}{{ f(1) }}", false},
        {"{% macro f(x=enable_thinking) %}{{ x }}{% endmacro %}{{ f() }}", true},
        {"{% macro f(x) %}{{ x ~ enable_thinking }}{% endmacro %}{{ f(1) }}", true},
        {"{% with enable_thinking = 1 %}{{ enable_thinking }}{% endwith %}", false},
        {"{% with x = enable_thinking %}{{ x }}{% endwith %}", true},
        {"{{ raise_exception(messages[enable_thinking]) }}", true},
        {"{{ {'a': [1, (enable_thinking,)]} | tojson }}", true},
        {"{% set x %}{{ enable_thinking }}{% endset %}{% filter upper %}a{% endfilter %}", true},
        {"{{ messages }}", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ChatTemplate *template;
        Error error = {0};
        if (chat_compile("t", CASES[i].source, strlen(CASES[i].source), NULL, &template, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        if (chat_reads(template, "enable_thinking") != CASES[i].reads) fail_msg("%s", CASES[i].source);
        assert_false(chat_reads(template, "thinking"));
        chat_free(template);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_not_changed_stays_as_it_was),
                                       cmocka_unit_test(a_prompt_for_the_answer_follows_the_last_turn),
                                       cmocka_unit_test(messages_are_shown_with_all_that_they_have),
                                       cmocka_unit_test(switches_are_variables_of_the_template),
                                       cmocka_unit_test(other_forms_become_messages),
                                       cmocka_unit_test(what_is_no_conversation_is_refused),
                                       cmocka_unit_test(a_template_tells_which_variables_it_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
