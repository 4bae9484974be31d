/*
 * Where a directory has its templates, and the special tokens that they see. The texts and refusals are those of
 * AutoTokenizer.from_pretrained() and apply_chat_template() of transformers 5.24.0 on the same files (with a
 * tokenizer.json beside them), but for chat_template.json, which AutoTokenizer does not read.
 */
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_source.h"
#include "core/support/status.h"
#include "tests/scratch.h"

static const char PLAIN[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
static const char TOOLS[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{\"name\":\"f\"}]}";
static const char NO_TOOLS[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[]}";
static const char SETTINGS[] =
    "{\"chat_template\": \"passed over\", \"bos_token\": \"<s>\", \"eos_token\": {\"__type\": \"AddedToken\", \"content\": "
    "\"</s>\"}, \"sep_token\": null, \"image_token\": \"<img>\"}";
static const char TEMPLATE[] =
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}{{ sep_token }}|"
    "{{ image_token }}";

static void make_directory(void) {
    scratch_clear("model");
    assert_int_equal(mkdir(scratch_path("model"), 0777), 0);
}

static void expect(const char *json, const char *name, const char *expected) {
    ChatSource *source;
    ChatConversation *conversation;
    const ChatTemplate *template;
    ChatRendering rendering;
    Error error = {0};
    if (chat_source_open(scratch_path("model"), &source, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_non_null(source);
    assert_int_equal(chat_conversation_read(json, strlen(json), &conversation, &error), STATUS_OK);
    ChatRequest request = {.conversation = conversation, .is_utc = true};
    request.variables = chat_source_variables(source, &request.variable_count);
    Status status =
        chat_source_choose(source, name, chat_conversation_has_tools(conversation), &template, &error);
    if (status == STATUS_OK) status = chat_render(template, &request, &rendering, &error);
    if (status == STATUS_OK) {
        assert_string_equal(rendering.text, expected);
        chat_rendering_free(&rendering);
    } else if (strstr(error.message, expected) == NULL) {
        fail_msg("expected \"%s\", found \"%s\"", expected, error.message);
    }
    chat_conversation_free(conversation);
    chat_source_close(source);
}

static void files_go_before_settings(void **state) {
    (void)state;
    make_directory();
    scratch_write_text("model/tokenizer_config.json", SETTINGS);
    expect(PLAIN, NULL, "passed over");
    scratch_write_text("model/chat_template.jinja", TEMPLATE);
    expect(PLAIN, NULL, "<s><user>Hi</s>|<img>");
    assert_int_equal(mkdir(scratch_path("model/additional_chat_templates"), 0777), 0);
    scratch_write_text("model/additional_chat_templates/tool_use.jinja", "tools:{{ tools | tojson }}");
    scratch_write_text("model/additional_chat_templates/rag.jinja", "{{ messages | length }}");
    scratch_write_text("model/additional_chat_templates/README.md", "{% nope %}");
    expect(PLAIN, NULL, "<s><user>Hi</s>|<img>");
    expect(TOOLS, NULL, "tools:[{\"name\": \"f\"}]");
    expect(NO_TOOLS, NULL, "tools:[]");
    expect(TOOLS, "rag", "1");
    expect(TOOLS, "default", "<s><user>Hi</s>|<img>");
    expect(PLAIN, "nope", "there is no chat template nope, only default, ");
    assert_int_equal(unlink(scratch_path("model/chat_template.jinja")), 0);
    expect(PLAIN, NULL, "there is no chat template default, only ");
}

static void settings_have_one_template_or_several_with_names(void **state) {
    (void)state;
    make_directory();
    scratch_write_text("model/tokenizer_config.json",
                       "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"}, {\"name\": "
                       "\"tool_use\", \"template\": \"T{{ tools|length }}\"}]}");
    expect(PLAIN, NULL, "D");
    expect(TOOLS, NULL, "T1");
    scratch_write_text("model/tokenizer_config.json",
                       "{\"chat_template\": [{\"name\": \"a\", \"template\": \"A\"}]}");
    expect(PLAIN, NULL, "there is no chat template default, only a");
    expect(PLAIN, "a", "A");
    scratch_write_text("model/tokenizer_config.json", "{\"chat_template\": {\"default\": \"DD\"}}");
    expect(TOOLS, NULL, "DD");
}

static void the_map_of_special_tokens_goes_before_settings_without_a_decoder(void **state) {
    (void)state;
    make_directory();
    scratch_write_text("model/chat_template.jinja", TEMPLATE);
    scratch_write_text("model/special_tokens_map.json", "{\"eos_token\": {\"content\": \"<end>\"}}");
    scratch_write_text("model/tokenizer_config.json", SETTINGS);
    expect(PLAIN, NULL, "<s><user>Hi<end>|<img>");
    scratch_write_text("model/tokenizer_config.json",
                       "{\"added_tokens_decoder\": {}, \"eos_token\": \"</s>\", \"extra_special_tokens\": "
                       "{\"image_token\": \"<i>\"}}");
    expect(PLAIN, NULL, "<user>Hi</s>|<i>");
}

static void a_legacy_file_is_read_where_no_other_is(void **state) {
    (void)state;
    make_directory();
    scratch_write_text("model/chat_template.json", "{\"chat_template\": \"L\"}");
    expect(PLAIN, NULL, "L");
    scratch_write_text("model/tokenizer_config.json", "{\"chat_template\": \"S\"}");
    expect(PLAIN, NULL, "S");
}

static void a_broken_template_concerns_no_other(void **state) {
    (void)state;
    make_directory();
    scratch_write_text("model/tokenizer_config.json",
                       "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"}, {\"name\": \"b\", "
                       "\"template\": \"\\n{% nope %}\"}]}");
    expect(PLAIN, NULL, "D");
    expect(PLAIN, "b", "chat template b of tokenizer_config.json, line 2: unknown tag nope");
}

static void a_directory_without_a_template_has_no_source(void **state) {
    (void)state;
    ChatSource *source;
    make_directory();
    scratch_write_text("model/tokenizer_config.json", "{\"chat_template\": null}");
    assert_int_equal(chat_source_open(scratch_path("model"), &source, NULL), STATUS_OK);
    assert_null(source);
    scratch_write_text("model/tokenizer_config.json", "{\"chat_template\": 5}");
    assert_int_equal(chat_source_open(scratch_path("model"), &source, NULL), STATUS_FORMAT);
    assert_null(source);
}

static void where_a_template_is_needed_the_files_that_were_looked_for_are_named(void **state) {
    (void)state;
    ChatSource *source;
    ChatSourceEntry entry;
    const ChatTemplate *template;
    Error error;
    make_directory();
    assert_int_equal(chat_source_require(scratch_path("model"), &source, &error), STATUS_IO);
    assert_null(source);
    static const char *const FILES[] = {"chat_template.jinja", "additional_chat_templates/*.jinja",
                                        "tokenizer_config.json", "chat_template.json"};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++)
        if (strstr(error.message, FILES[i]) == NULL) fail_msg("%s: %s", FILES[i], error.message);
    scratch_write_text("model/chat_template.jinja", "T");
    assert_int_equal(chat_source_require(scratch_path("model"), &source, &error), STATUS_OK);
    assert_int_equal(chat_source_choose_entry(source, NULL, true, &template, &entry, &error), STATUS_OK);
    assert_string_equal(entry.name, "default");
    assert_string_equal(entry.file, "chat_template.jinja");
    chat_source_close(source);
}

/* A prompt asks for an answer where it does not say, unless the assistant spoke last. */
static void a_prompt_is_a_list_too_and_asks_for_an_answer(void **state) {
    (void)state;
    static const struct {
        const char *json;
        bool asks;
    } KNOWN[] = {
        {"[{\"role\": \"user\", \"content\": \"a\"}]", true},
        {" [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]\n",
         false},
        {"[{\"role\": \"tool\", \"content\": \"a\"}]", true},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}", true},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"add_generation_prompt\": null}", true},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"add_generation_prompt\": false}",
         false},
        {"{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"add_generation_prompt\": true}",
         true},
    };
    ChatConversation *conversation;
    Error error;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (chat_conversation_read_prompt(KNOWN[i].json, strlen(KNOWN[i].json), &conversation, &error) !=
            STATUS_OK)
            fail_msg("%s: %s", KNOWN[i].json, error.message);
        if (chat_conversation_asks(conversation) != KNOWN[i].asks) fail_msg("%s", KNOWN[i].json);
        chat_conversation_free(conversation);
    }
    static const char LIST[] = "[]", PLAIN_LIST[] = "[{\"role\": \"user\", \"content\": \"a\"}]";
    assert_int_equal(chat_conversation_read_prompt(LIST, 2, &conversation, &error), STATUS_FORMAT);
    assert_int_equal(chat_conversation_read(PLAIN_LIST, sizeof PLAIN_LIST - 1, &conversation, &error),
                     STATUS_FORMAT); /* where a line is a conversation */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_go_before_settings),
        cmocka_unit_test(settings_have_one_template_or_several_with_names),
        cmocka_unit_test(the_map_of_special_tokens_goes_before_settings_without_a_decoder),
        cmocka_unit_test(a_legacy_file_is_read_where_no_other_is),
        cmocka_unit_test(a_broken_template_concerns_no_other),
        cmocka_unit_test(a_directory_without_a_template_has_no_source),
        cmocka_unit_test(where_a_template_is_needed_the_files_that_were_looked_for_are_named),
        cmocka_unit_test(a_prompt_is_a_list_too_and_asks_for_an_answer),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
