/* How the chat templates of two directories differ: by name, by text, by the special tokens that they write. */
#include "core/chat/chat_difference.h"
#include "tests/scratch.h"

static void make_directories(void) {
    static const char *const SIDES[] = {"base", "sft"};
    for (size_t i = 0; i < 2; i++) {
        scratch_clear(SIDES[i]);
        assert_int_equal(mkdir(scratch_path(SIDES[i]), 0777), 0);
    }
}

static ChatDifference *open_difference(void) {
    const char *const directories[] = {scratch_path("base"), scratch_path("sft")};
    ChatDifference *difference;
    Error error = {0};
    if (chat_difference_open(directories, &difference, &error) != STATUS_OK) fail_msg("%s", error.message);
    return difference;
}

/* Findings, "SEVERITY TEXT" a line. */
static void expect_findings(const char *expected) {
    char text[4096] = "";
    FindingList findings = {0};
    ChatDifference *difference = open_difference();
    assert_int_equal(chat_difference_add_findings(difference, &findings, NULL), STATUS_OK);
    for (size_t i = 0; i < findings.count; i++) {
        size_t used = strlen(text);
        assert_string_equal(findings.items[i].subject, CHAT_DIFFERENCE_SUBJECT);
        (void)snprintf(text + used, sizeof text - used, "%s %s\n",
                       finding_severity_name(findings.items[i].severity), findings.items[i].text);
    }
    assert_string_equal(text, expected);
    finding_free(&findings);
    chat_difference_close(difference);
}

/* The session's: warnings alone. */
static size_t count_warnings(void) {
    FindingList findings = {0};
    assert_int_equal(chat_difference_warn(scratch_path("base"), scratch_path("sft"), &findings, NULL),
                     STATUS_OK);
    size_t count = findings.count;
    assert_int_equal(finding_count(&findings, SEVERITY_WARNING), count);
    finding_free(&findings);
    return count;
}

static void nothing_is_said_of_none_and_of_the_same(void **state) {
    (void)state;
    make_directories();
    expect_findings("");
    scratch_write_text("base/chat_template.jinja", "{{ bos_token }}a\n");
    scratch_write_text("sft/tokenizer_config.json",
                       "{\"chat_template\": \"{{ bos_token }}a\", \"eos_token\": \"x\"}");
    scratch_write_text("base/tokenizer_config.json", "{\"eos_token\": \"y\"}");
    expect_findings(""); /* a newline at the end is not rendered, and no template writes eos_token */
    ChatDifference *difference = open_difference();
    assert_false(chat_difference_is_any(difference));
    chat_difference_close(difference);
}

static void a_template_of_one_side_alone_is_a_note(void **state) {
    (void)state;
    make_directories();
    scratch_write_text(
        "sft/tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"D\"}, {\"name\": \"rag\", "
        "\"template\": \"R\"}]}");
    expect_findings(
        "note only SFT has any: default of tokenizer_config.json, rag of tokenizer_config.json\n");
    assert_int_equal(count_warnings(), 0);
    scratch_write_text("base/chat_template.jinja", "D");
    expect_findings("note only SFT has rag (tokenizer_config.json)\n");
    assert_int_equal(unlink(scratch_path("sft/tokenizer_config.json")), 0);
    expect_findings("note only base has any: default of chat_template.jinja\n");
}

static void templates_of_one_name_are_compared_line_by_line(void **state) {
    (void)state;
    make_directories();
    scratch_write_text("base/chat_template.jinja", "a\nb\nc\n");
    scratch_write_text("sft/chat_template.jinja", "a\nB\nB\nc\n");
    expect_findings(
        "warning default differs: 1 line only in base's (chat_template.jinja), 2 only in SFT's "
        "(chat_template.jinja)\n");
    assert_int_equal(count_warnings(), 1);
    ChatDifference *difference = open_difference();
    assert_true(chat_difference_is_any(difference));
    assert_int_equal(difference->template_count, 1);
    assert_string_equal(difference->templates[0].name, "default");
    assert_int_equal(difference->templates[0].diff.hunk_count, 1);
    chat_difference_close(difference);
}

static void special_tokens_count_where_a_template_writes_them(void **state) {
    (void)state;
    make_directories();
    for (int side = 0; side < 2; side++)
        scratch_write_text(side == 0 ? "base/chat_template.jinja" : "sft/chat_template.jinja",
                           "{{ bos_token }}{% if x %}{{ sep_token }}{% endif %}");
    scratch_write_text("base/tokenizer_config.json",
                       "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"sep_token\": \"|\"}");
    scratch_write_text("sft/tokenizer_config.json", "{\"bos_token\": \"<b>\", \"eos_token\": \"<e>\"}");
    expect_findings(
        "warning bos_token, which templates write, is <s> in base, <b> in SFT\n"
        "warning sep_token, which templates write, is | in base, nothing in SFT\n");
    scratch_write_text("sft/tokenizer_config.json", "{\"bos_token\": \"<s>\", \"sep_token\": \"|\"}");
    expect_findings("");
}

static void what_cannot_be_read_or_compiled_is_a_warning(void **state) {
    (void)state;
    make_directories();
    scratch_write_text("base/tokenizer_config.json", "{");
    scratch_write_text("sft/chat_template.jinja", "{% if %}");
    ChatDifference *difference = open_difference();
    assert_null(difference->sources[CHAT_SIDE_BASE]);
    assert_int_equal(difference->errors[CHAT_SIDE_BASE].status, STATUS_FORMAT);
    chat_difference_close(difference);
    assert_int_equal(count_warnings(), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_none_and_of_the_same),
        cmocka_unit_test(a_template_of_one_side_alone_is_a_note),
        cmocka_unit_test(templates_of_one_name_are_compared_line_by_line),
        cmocka_unit_test(special_tokens_count_where_a_template_writes_them),
        cmocka_unit_test(what_cannot_be_read_or_compiled_is_a_warning),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
