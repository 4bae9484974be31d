/*
 * The conversation behind the prompt: its text, its ids, what a model answers, and that whatever is refused changes
 * nothing.
 */
#include "core/files/json_edit.h"
#include "session_fixture.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_targets.h"
#include "tui/session/session_turns.h"

#include <unistd.h>

static const char QUESTION[] = "Ann has 5 cakes and lost 3. How many cakes does Ann have?";
static const char RENDERED[] = "Question: Ann has 5 cakes and lost 3. How many cakes does Ann have?\nAnswer:";

/* Marks its turns, asks for no two of one role in a row, and thinks unless told not to. */
static const char STRICT[] =
    "{%- set ns = namespace(last='') -%}\n"
    "{%- for m in messages -%}\n"
    "{%- if m.role == ns.last -%}{{ raise_exception('roles have to alternate') }}{%- endif -%}\n"
    "{%- set ns.last = m.role -%}\n"
    "{{- '<' ~ m.role ~ '>' ~ m.content ~ '\\n' -}}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}{{- '<assistant>' -}}{%- if enable_thinking is defined and not enable_thinking -%}"
    "{{- '(no thoughts)' -}}{%- endif -%}{%- endif -%}";

static Error why;

/* A call that has to succeed; its error is `why`. */
static void expect_ok(Status status) {
    if (status != STATUS_OK) fail_msg("%s", why.message);
}

static void type_turn(Session *session, const char *role, const char *text) {
    expect_ok(session_type_turn(session, role, text, strlen(text), &why));
}

static size_t turn_count(const Session *session) {
    return chat_turns_count(session_chat_turns(session));
}

static void expect_turn(const Session *session, size_t index, const char *role, const char *text) {
    ChatMessage turn = chat_turns_get(session_chat_turns(session), index);
    assert_string_equal(turn.role, role);
    if (text != NULL) assert_string_equal(turn.text, text);
}

/* The prompt is this text, and its ids are those that the tokenizer makes of it, with its special tokens or without. */
static void expect_prompt(const Session *session, const char *text, bool has_special) {
    TokenList list = {0};
    const int32_t *ids;
    size_t bytes, count = session_prompt_tokens(session, &ids);
    assert_string_equal(session_prompt_text(session, &bytes), text);
    assert_int_equal(bytes, strlen(text));
    assert_int_equal(
        tokenizer_encode(session_tokenizer(session, NULL), text, strlen(text), has_special, &list, NULL),
        STATUS_OK);
    assert_int_equal(count, list.count);
    assert_memory_equal(ids, list.ids, count * sizeof *ids);
    token_list_free(&list);
}

static void link_file(const char *folder, const char *name) {
    char *from = memory_format("%s/demo/sft/%s", TESTS_DIR, name),
         *short_name = memory_format("%s/%s", folder, name), *to = scratch_path(short_name);
    assert_int_equal(symlink(from, to), 0);
    free(from);
    free(short_name);
    free(to);
}

/* The demo's SFT model with another template, and, where wanted, a tokenizer that puts a token before every text. */
static Session *open_with(const char *folder, const char *template, bool puts_first) {
    static const char *const LINKED[] = {"config.json", "generation_config.json", "model.safetensors",
                                         "tokenizer_config.json"};
    static const char FIRST[] =
        "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"<|endoftext|>\", \"type_id\": 0}}, "
        "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, "
        "{\"Sequence\": {\"id\": \"B\", \"type_id\": 0}}], \"special_tokens\": {\"<|endoftext|>\": {\"id\": "
        "\"<|endoftext|>\", \"ids\": [509], \"tokens\": [\"<|endoftext|>\"]}}}";
    char *directory = memory_format("%s/", folder), *path = scratch_path(directory);
    for (size_t i = 0; i < sizeof LINKED / sizeof *LINKED; i++) link_file(folder, LINKED[i]);
    char *name = memory_format("%s/tokenizer.json", folder), *text, *edited;
    size_t bytes;
    assert_int_equal(json_read_text(TESTS_DIR "/demo/sft/tokenizer.json", 1 << 20, &text, &bytes, NULL),
                     STATUS_OK);
    expect_ok(json_edit_member(text, "post_processor", puts_first ? FIRST : "null", "tokenizer.json", &edited,
                               &why));
    scratch_write_text(name, edited);
    free(name);
    name = memory_format("%s/chat_template.jinja", folder);
    if (template != NULL) scratch_write_text(name, template);
    char *few = scratch_path("few.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", path, few);
    wait_for(session, "tokenizer", tokenizer_is_there);
    free(few);
    free(edited);
    free(text);
    free(name);
    free(path);
    free(directory);
    return session;
}

static Session *open_ready(void) {
    Session *session = open_demo();
    wait_for(session, "tokenizer", tokenizer_is_there);
    return session;
}

static bool has_answered(const Session *session) {
    return !session_is_continuing(session) && session_chat_answer(session) != SESSION_ANSWER_NONE;
}

/* Until the model ends it. */
static void answer(Session *session) {
    while (!session_chat_is_answered(session)) {
        expect_ok(session_continue(session, &why));
        wait_for(session, "the answer", has_answered);
        while (session_is_continuing(session)) wait_for(session, "the answer", has_answered);
    }
}

/* ---- on and off ---- */

static void the_demo_has_a_template_that_is_off_at_first(void **state) {
    (void)state;
    Session *session = open_ready();
    assert_true(session_chat_is_offered(session, NULL));
    assert_false(session_chat_is_on(session));
    assert_null(session_chat_turns(session));
    expect_ok(session_set_prompt(session, QUESTION, sizeof QUESTION - 1, &why));
    expect_prompt(session, QUESTION, true);
    expect_ok(session_use_template(session, "on", &why));
    assert_string_equal(session_chat_name(session), "default");
    expect_prompt(session, RENDERED, false);
    expect_turn(session, 0, "user", QUESTION);
    expect_ok(session_use_template(session, "toggle", &why));
    assert_false(session_chat_is_on(session));
    expect_prompt(session, QUESTION, true);
    expect_ok(session_use_template(session, "default", &why)); /* by its name */
    expect_prompt(session, RENDERED, false);
    wait_for(session, "preview", preview_is_fresh);
    assert_int_equal(session_preview(session, SIDE_FUSED)->count, session_prompt_tokens(session, NULL));
    session_free(session);
}

static void ids_are_made_without_the_tokenizers_special_tokens(void **state) {
    (void)state;
    Session *session = open_with("first", "{% for m in messages %}{{ m.content }}{% endfor %}", true);
    const int32_t *ids;
    expect_ok(session_set_prompt(session, "Tom has 3", 9, &why));
    size_t count = session_prompt_tokens(session, &ids);
    assert_int_equal(ids[0], 509);
    expect_ok(session_use_template(session, "on", &why));
    expect_prompt(session, "Tom has 3", false);
    assert_int_equal(session_prompt_tokens(session, &ids), count - 1);
    assert_int_not_equal(ids[0], 509);
    session_free(session);
}

static void a_row_of_text_is_the_users_turn_and_its_targets_stay(void **state) {
    (void)state;
    Session *session = open_ready();
    wait_for(session, "the first prompt", preview_is_fresh);
    char *first = memory_format("%s", session_example(session, 0));
    expect_ok(session_use_template(session, "on", &why));
    assert_int_equal(session_current_example(session), 0);
    expect_prompt(session, first, false); /* the demo's template takes what has its form already */
    wait_for(session, "attribution", method_is_complete);
    assert_true(session_targets(session).is_chosen);
    expect_ok(session_show_response(session, &why));
    expect_turn(session, 1, "assistant", NULL);
    assert_int_equal(session_prompt_response(session), 0);
    type_turn(session, "system",
              "Be brief."); /* another text, at whose positions the row's targets are not */
    assert_int_equal(session_current_example(session), 0);
    assert_false(session_targets(session).is_chosen);
    expect_ok(session_use_example(session, 1, &why));
    assert_int_equal(turn_count(session), 2); /* the system's stays */
    expect_turn(session, 0, "system", "Be brief.");
    expect_turn(session, 1, "user", session_example(session, 1));
    free(first);
    session_free(session);
}

static void a_row_that_is_a_conversation_is_shown_whole(void **state) {
    (void)state;
    scratch_write_text(
        "talks.jsonl",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Ann has 5 cakes.\"}, {\"role\": "
        "\"assistant\", \"content\": \"We add 3.\"}]}\n{\"prompt\": \"Tom has\", \"response\": \" 3\"}\n");
    char *path = scratch_path("talks.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    wait_for(session, "the first prompt", preview_is_fresh);
    assert_true(session_chat_is_on(session));
    assert_int_equal(session_current_example(session), 0);
    assert_int_equal(turn_count(session), 2);
    expect_turn(session, 1, "assistant", "We add 3.");
    expect_prompt(session, "Question: Ann has 5 cakes.\nAnswer: We add 3.<|endoftext|>", false);
    const CalibrationRow *row = &session_calibration(session, NULL)->rows[0];
    const int32_t *ids;
    assert_int_equal(session_prompt_tokens(session, &ids), row->count);
    assert_memory_equal(ids, row->ids, row->count * sizeof *ids);
    wait_for(session, "attribution", method_is_complete);
    assert_true(session_targets(session).is_chosen);
    expect_ok(session_remove_turn(session, &why));
    expect_prompt(session, "Question: Ann has 5 cakes.\nAnswer:", false);
    expect_ok(session_show_response(session, &why));
    assert_int_equal(session_prompt_tokens(session, NULL), row->count);
    expect_ok(session_use_example(session, 1, &why)); /* a row of text is the user's turn now */
    expect_prompt(session, "Question: Tom has\nAnswer:", false);
    expect_ok(session_use_template(session, "off", &why));
    expect_ok(session_use_example(session, 0, &why));
    assert_true(session_chat_is_on(session));
    free(path);
    session_free(session);
}

/* ---- turns ---- */

static void turns_are_typed_and_taken_off(void **state) {
    (void)state;
    Session *session = open_ready();
    type_turn(session, "user", "first"); /* turns the template on */
    expect_ok(session_type_prompt(session, QUESTION, sizeof QUESTION - 1, &why));
    assert_int_equal(turn_count(session), 1); /* the last turn in other words */
    assert_string_equal(session_typed_turn(session, "user"), QUESTION);
    assert_null(session_typed_turn(session, "system"));
    type_turn(session, "system", "Be brief.");
    expect_turn(session, 0, "system", "Be brief.");
    type_turn(session, "assistant", "2");
    type_turn(session, "assistant", "They have 2.");
    assert_int_equal(turn_count(session), 3);
    assert_true(session_chat_is_answered(session));
    assert_string_equal(session_prompt_text(session, NULL),
                        "Be brief.\nQuestion: Ann has 5 cakes and lost 3. How many "
                        "cakes does Ann have?\nAnswer: They have 2.<|endoftext|>");
    Error error = {0};
    assert_int_equal(session_continue(session, &error), STATUS_ARGUMENT);
    assert_null(session_typed_turn(session, "user")); /* the next begins empty */
    expect_ok(session_type_prompt(session, "And now?", 8, &why));
    assert_int_equal(turn_count(session), 4);
    expect_ok(session_remove_turn(session, &why));
    type_turn(session, "system", "");
    expect_ok(session_remove_turn(session, &why));
    expect_prompt(session, RENDERED, false);
    assert_int_equal(session_remove_turn(session, &error), STATUS_ARGUMENT);
    assert_int_equal(session_type_turn(session, "user", "", 0, &error), STATUS_ARGUMENT);
    expect_prompt(session, RENDERED, false);
    session_free(session);
}

static void an_answer_is_a_turn_and_its_ids_stay_until_the_next(void **state) {
    (void)state;
    Session *session = open_ready();
    session_continuation(session)->tokens = 8;
    type_turn(session, "user", QUESTION);
    size_t before = session_prompt_tokens(session, NULL);
    expect_ok(session_continue(session, &why));
    wait_for(session, "the answer", has_answered);
    assert_int_equal(session_chat_answer(session), SESSION_ANSWER_OPEN);
    assert_int_equal(session_prompt_added(session), 8);
    assert_int_equal(turn_count(session), 2);
    assert_false(session_chat_is_answered(session));
    answer(session);
    assert_int_equal(session_chat_answer(session), SESSION_ANSWER_ENDED);
    assert_int_equal(turn_count(session), 2);
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    assert_int_equal(count, before + session_prompt_added(session));
    assert_int_equal(ids[count - 1], 509);
    char *said = memory_format("%s", chat_turns_get(session_chat_turns(session), 1).text);
    assert_null(strstr(said, "<|endoftext|>"));
    Error error = {0};
    assert_int_equal(session_continue(session, &error), STATUS_ARGUMENT);
    expect_ok(session_type_prompt(session, "And 2 more?", 11, &why));
    assert_int_equal(session_prompt_added(session), 0);
    char *expected = memory_format("%s%s<|endoftext|>\nQuestion: And 2 more?\nAnswer:", RENDERED, said);
    expect_prompt(session, expected, false);
    expect_ok(session_remove_turn(session, &why));
    expect_turn(session, 1, "assistant", said);
    expect_ok(session_remove_turn(session, &why));
    expect_prompt(session, RENDERED, false);
    free(expected);
    free(said);
    session_free(session);
}

/* The configuration's end of text is another: the answer ends where the tokenizer's does. */
static void a_chat_ends_with_the_tokenizers_end(void **state) {
    (void)state;
    char *text, *edited;
    size_t bytes;
    Session *session =
        open_with("ended", "{% for m in messages %}Question: {{ m.content }}\nAnswer:{% endfor %}", false);
    session_free(session);
    char *path = scratch_path("ended/config.json"), *other = scratch_path("ended/generation_config.json");
    assert_int_equal(json_read_text(path, 1 << 20, &text, &bytes, NULL), STATUS_OK);
    expect_ok(json_edit_member(text, "eos_token_id", "510", "config.json", &edited, &why));
    assert_int_equal(unlink(path) + unlink(other), 0);
    scratch_write_text("ended/config.json", edited);
    char *directory = scratch_path("ended");
    session = open_pair(TESTS_DIR "/demo/base", directory, NULL);
    wait_for(session, "tokenizer", tokenizer_is_there);
    session_continuation(session)->tokens = 60;
    type_turn(session, "user", QUESTION);
    expect_ok(session_continue(session, &why));
    wait_for(session, "the answer", has_answered);
    assert_int_equal(session_chat_answer(session), SESSION_ANSWER_ENDED);
    assert_true(session_prompt_added(session) < 60);
    session_free(session);
    free(directory);
    free(other);
    free(edited);
    free(text);
    free(path);
}

static void the_conversation_outlasts_its_template_being_off(void **state) {
    (void)state;
    Session *session = open_ready();
    type_turn(session, "system", "Be brief.");
    type_turn(session, "user", QUESTION);
    expect_ok(session_use_template(session, "off", &why));
    expect_prompt(session, QUESTION, true);
    expect_ok(session_use_template(session, "on", &why));
    assert_int_equal(turn_count(session), 2);
    expect_ok(session_use_template(session, "off", &why));
    expect_ok(session_set_prompt(session, "Tom has 3", 9, &why)); /* another question: another conversation */
    type_turn(session, "assistant", "Yes.");
    assert_int_equal(turn_count(session), 3);
    expect_turn(session, 0, "system", "Be brief.");
    expect_turn(session, 1, "user", "Tom has 3");
    session_free(session);
}

/* ---- the switch, and refusals ---- */

static void thinking_is_switched_where_the_template_reads_it(void **state) {
    (void)state;
    Session *session = open_with("strict", STRICT, false);
    Error error = {0};
    assert_int_equal(session_use_thinking(session, "off", &error), STATUS_ARGUMENT); /* no conversation */
    type_turn(session, "user", "Hi");
    assert_string_equal(session_chat_switch(session), "enable_thinking");
    assert_int_equal(session_chat_thinking(session), CHAT_SWITCH_UNSET);
    expect_prompt(session, "<user>Hi\n<assistant>", false);
    expect_ok(session_use_thinking(session, "toggle", &why));
    assert_int_equal(session_chat_thinking(session), CHAT_SWITCH_OFF);
    expect_prompt(session, "<user>Hi\n<assistant>(no thoughts)", false);
    expect_ok(session_use_thinking(session, "on", &why));
    expect_prompt(session, "<user>Hi\n<assistant>", false);
    assert_int_equal(session_use_thinking(session, "perhaps", &error), STATUS_ARGUMENT);
    expect_ok(session_use_thinking(session, "off", &why));
    expect_ok(session_use_example(session, 0, &why)); /* a new conversation: the choice stays */
    assert_int_equal(session_chat_thinking(session), CHAT_SWITCH_OFF);
    session_free(session);
    session = open_ready();
    type_turn(session, "user", "Hi");
    assert_null(session_chat_switch(session));
    assert_int_equal(session_use_thinking(session, "off", &error), STATUS_ARGUMENT);
    session_free(session);
}

static void what_a_template_refuses_changes_nothing(void **state) {
    (void)state;
    Session *session = open_with("refusing", STRICT, false);
    type_turn(session, "user", "Hi");
    type_turn(session, "tool", "one");
    Error error = {0};
    assert_null(session_chat_refusal(session));
    assert_int_equal(session_type_turn(session, "tool", "two", 3, &error), STATUS_FORMAT);
    static const char *const SAYS[] = {"chat_template.jinja", "line 3", "roles have to alternate"};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(error.message, SAYS[i]));
        assert_non_null(strstr(session_chat_refusal(session), SAYS[i]));
    }
    assert_int_equal(turn_count(session), 2);
    expect_prompt(session, "<user>Hi\n<tool>one\n<assistant>", false);
    assert_int_equal(session_use_template(session, "nowhere", &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "default"));
    expect_prompt(session, "<user>Hi\n<tool>one\n<assistant>", false);
    type_turn(session, "assistant", "Yes.");
    assert_null(session_chat_refusal(session));
    session_free(session);
}

static bool says_of_template(const Session *session, const char *what) {
    for (size_t i = 0; i < session_finding_count(session); i++) {
        const Finding *finding = session_finding(session, i);
        if (strcmp(finding->subject, "chat template") == 0) return strstr(finding->text, what) != NULL;
    }
    return false;
}

static void without_a_template_all_is_as_ever(void **state) {
    (void)state;
    Session *session = open_with("bare", NULL, false);
    const char *message;
    assert_false(session_chat_is_offered(session, &message));
    assert_non_null(strstr(message, "no chat template"));
    expect_ok(session_type_prompt(session, QUESTION, sizeof QUESTION - 1, &why));
    Error error = {0};
    assert_int_equal(session_use_template(session, "on", &error), STATUS_UNSUPPORTED);
    assert_int_equal(session_type_turn(session, "user", "Hi", 2, &error), STATUS_UNSUPPORTED);
    expect_prompt(session, QUESTION, true);
    session_free(session);
    session = open_with("broken", "{% for m in messages %}",
                        false); /* a finding, and said again when it is asked for */
    assert_true(says_of_template(session, "chat_template.jinja"));
    expect_ok(session_type_prompt(session, QUESTION, sizeof QUESTION - 1, &why));
    assert_int_equal(session_use_template(session, "on", &error), STATUS_FORMAT);
    assert_false(session_chat_is_on(session));
    expect_prompt(session, QUESTION, true);
    session_free(session);
}

static void a_template_without_end_is_stopped(void **state) {
    (void)state;
    Session *session = open_with(
        "endless", "{% for a in range(100000) %}{% for b in range(100000) %}{{ a }}{% endfor %}{% endfor %}",
        false);
    Error error = {0};
    assert_int_equal(session_type_turn(session, "user", "Hi", 2, &error), STATUS_UNSUPPORTED);
    assert_false(session_chat_is_on(session));
    session_free(session);
}

/* ---- files ---- */

static void a_conversation_is_written_and_opened(void **state) {
    (void)state;
    Session *session = open_ready();
    char *path = scratch_path("chat.json"), *text;
    size_t bytes;
    Error error = {0};
    assert_int_equal(session_write_chat(session, path, &error), STATUS_ARGUMENT); /* there is none */
    type_turn(session, "system", "Be brief.");
    type_turn(session, "user", QUESTION);
    assert_null(session_chat_file(session));
    expect_ok(session_write_chat(session, path, &why));
    assert_string_equal(session_chat_file(session), path);
    assert_int_equal(session_write_chat(session, path, &error), STATUS_IO); /* never over a file */
    char *rendered = memory_format("%s", session_prompt_text(session, NULL));
    type_turn(session, "user", "Other");
    assert_null(session_chat_file(session));
    expect_ok(session_open_chat(session, path, &why));
    assert_string_equal(session_chat_file(session), path);
    expect_prompt(session, rendered, false);
    assert_int_equal(json_read_text(path, 1 << 20, &text, &bytes, NULL), STATUS_OK);
    assert_true(text[bytes - 1] == '\n' && strstr(text, "\n  \"messages\": [") != NULL);
    free(text);
    free(rendered);
    free(path);
    session_free(session);
}

static void a_file_that_cannot_be_opened_changes_nothing(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } CASES[] = {{"{\"messages\": [", "byte"},
                 {"{\"messages\": []}", "at least one message"},
                 {"{\"messages\": [{\"role\": \"judge\", \"content\": \"x\"}]}", "judge"},
                 {"not JSON", "expected a value"}};
    Session *session = open_ready();
    type_turn(session, "user", QUESTION);
    char *path = scratch_path("bad.json");
    Error error = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        scratch_write_text("bad.json", CASES[i].text);
        assert_int_equal(session_open_chat(session, path, &error), STATUS_FORMAT);
        if (strstr(error.message, path) == NULL || strstr(error.message, CASES[i].says) == NULL)
            fail_msg("\"%s\"", error.message);
        expect_prompt(session, RENDERED, false);
    }
    assert_int_equal(session_open_chat(session, "/nowhere/chat.json", &error), STATUS_IO);
    expect_prompt(session, RENDERED, false);
    free(path);
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_demo_has_a_template_that_is_off_at_first),
                                       cmocka_unit_test(ids_are_made_without_the_tokenizers_special_tokens),
                                       cmocka_unit_test(a_row_of_text_is_the_users_turn_and_its_targets_stay),
                                       cmocka_unit_test(a_row_that_is_a_conversation_is_shown_whole),
                                       cmocka_unit_test(turns_are_typed_and_taken_off),
                                       cmocka_unit_test(an_answer_is_a_turn_and_its_ids_stay_until_the_next),
                                       cmocka_unit_test(a_chat_ends_with_the_tokenizers_end),
                                       cmocka_unit_test(the_conversation_outlasts_its_template_being_off),
                                       cmocka_unit_test(thinking_is_switched_where_the_template_reads_it),
                                       cmocka_unit_test(what_a_template_refuses_changes_nothing),
                                       cmocka_unit_test(without_a_template_all_is_as_ever),
                                       cmocka_unit_test(a_template_without_end_is_stopped),
                                       cmocka_unit_test(a_conversation_is_written_and_opened),
                                       cmocka_unit_test(a_file_that_cannot_be_opened_changes_nothing)};
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
