/*
 * Chat templates in commands about a pair: preview and sweep of a conversation, check, export; and what ends a text. Ids
 * are those of apply_chat_template(tokenize=True) of transformers 5.24.0 with the demo's tokenizer and the template below.
 */
#include "tests/golden/commands.h"

#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE                                                                                             \
    "{% for m in messages %}{{ 'Question: ' if m.role == 'user' else 'Answer: ' }}{{ m.content }}"           \
    "{{ eos_token if m.role == 'assistant' }}\n{% endfor %}{% if add_generation_prompt %}Answer:{% endif %}"
#define ASKED "[{\"role\": \"user\", \"content\": \"What is 3 + 4?\"}]"
#define ANSWERED                                                                                             \
    "{\"messages\": [{\"role\": \"user\", \"content\": \"What is 3 + 4?\"}, {\"role\": \"assistant\", "      \
    "\"content\": \"7\"}], \"add_generation_prompt\": null}"

static char *own_base, *own_sft; /* the demo's weights in directories of their own */

static void write_in(const char *side, const char *name, const char *text) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", side, name);
    scratch_write_text(path, text);
}

static void remove_in(const char *side, const char *name) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", side, name);
    char *whole = scratch_path(path);
    (void)unlink(whole); /* it may not be there */
    free(whole);
}

/* config.json with another eos_token_id. */
static void write_config(const char *side, const char *ends) {
    static const char KEY[] = "\"eos_token_id\": 509";
    char text[2048], *source = golden_path("demo/%s/%s", side, "config.json"), *whole;
    size_t bytes;
    assert_int_equal(json_read_text(source, 1 << 20, &whole, &bytes, NULL), STATUS_OK);
    char *key = strstr(whole, KEY);
    assert_non_null(key);
    (void)snprintf(text, sizeof text, "%.*s\"eos_token_id\": %s%s", (int)(key - whole), whole, ends,
                   key + sizeof KEY - 1);
    write_in(side, "config.json", text);
    free(whole);
    free(source);
}

static char *make_side(const char *side) {
    static const char *const LINKED[] = {"model.safetensors", "tokenizer.json", "tokenizer_config.json"};
    char *directory = scratch_path(side);
    assert_int_equal(mkdir(directory, 0777), 0);
    for (size_t i = 0; i < sizeof LINKED / sizeof *LINKED; i++) {
        char *target = golden_path("demo/%s/%s", side, LINKED[i]), name[64];
        (void)snprintf(name, sizeof name, "%s/%s", side, LINKED[i]);
        char *link = scratch_path(name);
        assert_int_equal(symlink(target, link), 0);
        free(link);
        free(target);
    }
    write_config(side, "509");
    return directory;
}

static int open_pair(void **state) {
    if (open_demo(state) != 0) return -1;
    own_base = make_side("base");
    own_sft = make_side("sft");
    return 0;
}

static int close_pair(void **state) {
    free(own_base);
    free(own_sft);
    return close_demo(state);
}

/* As they are made. */
static int reset_pair(void **state) {
    (void)state;
    static const char *const SIDES[] = {"base", "sft"}, *const OWN[] = {"chat_template.jinja",
                                                                        "generation_config.json",
                                                                        "special_tokens_map.json"};
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) remove_in(SIDES[side], OWN[i]);
        write_config(SIDES[side], "509");
    }
    write_in("sft", "chat_template.jinja", TEMPLATE);
    return 0;
}

/* ---- a conversation as a prompt ---- */

static void expect_ids(const cJSON *tree, const char *key, const char *expected) {
    char *text = cJSON_PrintUnformatted(json_find(tree, key));
    assert_string_equal(text, expected);
    free(text);
}

static cJSON *preview_input(const char *conversation) {
    const char *const arguments[] = {"preview", own_base, own_sft, "--chat", "-", "--json", NULL};
    ProgramResult result = program_run_with(arguments, conversation, strlen(conversation));
    assert_string_equal(result.errors, "");
    assert_int_equal(result.status, 0);
    cJSON *tree = program_json(&result);
    program_free(&result);
    return tree;
}

static void a_conversation_is_the_ids_of_its_rendering(void **state) {
    (void)state;
    cJSON *tree = preview_input(ASKED);
    const cJSON *chat = json_find(tree, "chat");
    assert_string_equal(json_get_text(chat, "template", ""), "default");
    assert_string_equal(json_get_text(chat, "file", ""), "chat_template.jinja");
    assert_true(json_get_bool(chat, "add_generation_prompt", false)); /* the last message is the user's */
    assert_string_equal(json_get_text(chat, "text", ""), "Question: What is 3 + 4?\nAnswer:");
    expect_ids(tree, "ids", "[300,25,220,54,71,495,292,220,18,279,220,19,302,301,25]");
    cJSON_Delete(tree);
    tree = preview_input(ANSWERED);
    chat = json_find(tree, "chat");
    assert_false(json_get_bool(chat, "add_generation_prompt", true));
    assert_string_equal(json_get_text(chat, "text", ""),
                        "Question: What is 3 + 4?\nAnswer: 7<|endoftext|>\n");
    expect_ids(tree, "ids", "[300,25,220,54,71,495,292,220,18,279,220,19,302,301,25,220,22,509,198]");
    cJSON_Delete(tree);
}

static void figures_of_a_conversation_are_those_of_its_ids(void **state) {
    (void)state;
    char *file = scratch_path("asked.json");
    scratch_write_text("asked.json", ASKED);
    cJSON *chat = RUN_JSON("sweep", own_base, own_sft, "--chat", file, "--alpha", "0.5");
    cJSON *ids = RUN_JSON("sweep", own_base, own_sft, "--ids",
                          "300,25,220,54,71,495,292,220,18,279,220,19,302,301,25", "--alpha", "0.5");
    char *texts[] = {cJSON_PrintUnformatted(json_find(chat, "points")),
                     cJSON_PrintUnformatted(json_find(ids, "points"))};
    assert_non_null(texts[0]);
    assert_string_equal(texts[0], texts[1]);
    for (int i = 0; i < 2; i++) free(texts[i]);
    cJSON_Delete(chat);
    cJSON_Delete(ids);
    free(file);
}

/* No configuration names an end: the tokenizer's eos_token is that of a turn. */
static void a_chat_is_continued_to_the_end_of_its_turn(void **state) {
    (void)state;
    write_config("base", "null");
    write_config("sft", "null");
    char *file = scratch_path("asked.json");
    scratch_write_text("asked.json", ASKED);
    cJSON *chat = RUN_JSON("preview", own_base, own_sft, "--chat", file, "-n", "60", "--from", "sft");
    cJSON *text = RUN_JSON("preview", own_base, own_sft, "-p", "Question: What is 3 + 4?\nAnswer:", "-n",
                           "60", "--from", "sft");
    const cJSON *ids[] = {json_find(json_find(chat, "continuation"), "ids"),
                          json_find(json_find(text, "continuation"), "ids")};
    int count = cJSON_GetArraySize(ids[0]);
    assert_int_equal(cJSON_GetArraySize(ids[1]), 60);
    assert_in_range(count, 2, 59);
    for (int i = 0; i < count; i++)
        assert_true(cJSON_GetArrayItem(ids[0], i)->valueint == cJSON_GetArrayItem(ids[1], i)->valueint);
    assert_int_equal(cJSON_GetArrayItem(ids[0], count - 1)->valueint, 509);
    cJSON_Delete(chat);
    cJSON_Delete(text);
    free(file);
}

static void what_a_conversation_lacks_is_said(void **state) {
    (void)state;
    char *file = scratch_path("asked.json"), *bad = scratch_path("bad.json");
    scratch_write_text("asked.json", ASKED);
    scratch_write_text("bad.json", "{\"messages\": []}");
    PROGRAM_EXPECT(2,
                   "there is no chat template: looked for chat_template.jinja, "
                   "additional_chat_templates/*.jinja, and chat_template in tokenizer_config.json and "
                   "chat_template.json",
                   "preview", own_sft, own_base, "--chat", file);
    PROGRAM_EXPECT(2, "there is no chat template rag, only default", "preview", own_base, own_sft, "--chat",
                   file, "--template", "rag");
    PROGRAM_EXPECT(2, "bad.json: conversation: \"messages\": expected a list of at least one message",
                   "preview", own_base, own_sft, "--chat", bad);
    PROGRAM_EXPECT(
        2, "--template says which template renders conversations: --chat and --calibration are missing",
        "sweep", own_base, own_sft, "-p", "x", "--template", "default");
    PROGRAM_EXPECT(2, "--chat and --prompt exclude each other", "preview", own_base, own_sft, "--chat", file,
                   "-p", "x");
    PROGRAM_EXPECT(2, "--chat and --ids exclude each other", "sweep", own_base, own_sft, "--chat", file,
                   "--ids", "1");
    PROGRAM_EXPECT(2, "--calibration and --chat exclude each other", "sweep", own_base, own_sft, "--chat",
                   file, "-c", file);
    free(file);
    free(bad);
}

/* ---- check ---- */

static void check_shows_where_templates_differ(void **state) {
    (void)state;
    write_in("base", "chat_template.jinja", "one\ntwo\nthree\x1b[31m\nfour\nfive\n");
    write_in("sft", "chat_template.jinja", "one\nTWO {{ eos_token }}\nthree\x1b[31m\nfour\nfive");
    write_in("base", "special_tokens_map.json", "{\"eos_token\": \"<|pad|>\"}");
    ProgramResult result = PROGRAM_RUN("check", own_base, own_sft);
    assert_int_equal(result.status, 0);
    const char *diff = strstr(result.output, "--- ");
    if (diff == NULL) fail_msg("there is no diff: %s", result.output);
    static const char EXPECTED[] =
        "--- base: default of chat_template.jinja\n"
        "+++ SFT: default of chat_template.jinja\n"
        "@@ -1,5 +1,5 @@\n one\n-two\n+TWO {{ eos_token }}\n three\\x1b[31m\n"
        " four\n five\n\nThey can be fused";
    if (strncmp(diff, EXPECTED, sizeof EXPECTED - 1) != 0) fail_msg("%s", diff);
    assert_non_null(strstr(result.output,
                           "default differs: 1 line only in base's (chat_template.jinja), 1 only "
                           "in SFT's (chat_template.jinja)"));
    assert_non_null(strstr(result.output,
                           "eos_token, which templates write, is <|pad|> in base, <|endoftext|> "
                           "in SFT"));
    program_free(&result);
    cJSON *tree = RUN_JSON("check", own_base, own_sft);
    char *text = cJSON_PrintUnformatted(json_find(tree, "chat_templates"));
    assert_string_equal(
        text,
        "{\"base\":[{\"name\":\"default\",\"file\":\"chat_template.jinja\"}],\"sft\":[{\"name\":\"default\",\"file\":"
        "\"chat_template.jinja\"}],\"differences\":[{\"name\":\"default\",\"base_file\":\"chat_template.jinja\","
        "\"sft_file\":\"chat_template.jinja\",\"removed\":1,\"added\":1,\"is_fewest\":true,\"hunks\":[{\"base_line\":1,"
        "\"base_lines\":5,\"sft_line\":1,\"sft_lines\":5,\"lines\":[\" one\",\"-two\",\"+TWO {{ eos_token }}\",\" "
        "three\\u001b[31m\",\" four\",\" five\"]}]}],\"variables\":[{\"name\":\"eos_token\",\"base\":\"<|pad|>\","
        "\"sft\":\"<|endoftext|>\"}]}");
    free(text);
    cJSON_Delete(tree);
}

static void check_says_which_side_alone_has_a_template(void **state) {
    (void)state;
    ProgramResult result = PROGRAM_RUN("check", own_base, own_sft);
    assert_non_null(strstr(result.output, "only SFT has any: default of chat_template.jinja"));
    assert_null(strstr(result.output, "@@"));
    program_free(&result);
}

/* ---- export ---- */

static void export_says_which_template_goes_along(void **state) {
    (void)state;
    char *out = scratch_path("out"), *recipe = scratch_path("out/rejuvenation.json"), *text;
    size_t bytes;
    ProgramResult result = PROGRAM_RUN("export", own_base, own_sft, "--out", out, "--dry-run");
    assert_string_equal(result.errors, "");
    assert_non_null(strstr(result.output, "Chat template: default of chat_template.jinja, from SFT.\n"));
    program_free(&result);
    result = PROGRAM_RUN("export", own_base, own_sft, "--out", out, "--dry-run", "--donor", "base");
    assert_non_null(strstr(result.output, "No chat template goes along: base has none.\n"));
    assert_non_null(strstr(result.errors,
                           "chat template: base has none that is called default; SFT's "
                           "(chat_template.jinja) does not go along"));
    program_free(&result);
    write_in("base", "chat_template.jinja", "another");
    result = PROGRAM_RUN("export", own_base, own_sft, "--out", out, "--donor", "base", "--json");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.errors,
                           "chat template: default goes along as base has it "
                           "(chat_template.jinja); SFT's (chat_template.jinja) is another"));
    cJSON *tree = program_json(&result);
    char *templates = cJSON_PrintUnformatted(json_find(tree, "chat_templates"));
    assert_string_equal(templates,
                        "[{\"name\":\"default\",\"file\":\"chat_template.jinja\",\"from\":\"base\"}]");
    free(templates);
    cJSON_Delete(tree);
    program_free(&result);
    assert_int_equal(json_read_text(recipe, 1 << 20, &text, &bytes, NULL), STATUS_OK);
    assert_non_null(strstr(text, "\"chat_templates\""));
    free(text);
    free(out);
    free(recipe);
}

/* ---- what ends a text ---- */

static void every_end_of_a_text_is_shown_with_its_files(void **state) {
    (void)state;
    write_config("sft", "[11, 509]");
    write_in("sft", "generation_config.json", "{\"eos_token_id\": [3, 509, 7]}");
    ProgramResult result = PROGRAM_RUN("info", own_sft);
    assert_non_null(strstr(result.output, "3, 7 (generation_config.json: eos_token_id)\n"));
    assert_non_null(strstr(result.output, "509 (generation_config.json, config.json: eos_token_id)\n"));
    assert_non_null(strstr(result.output, "11 (eos_token_id)\n"));
    program_free(&result);
    result = PROGRAM_RUN("shot", "overview", own_base, own_sft, "--size", "200x50", "--format", "text");
    const char *row = strstr(result.output, "3, 7 (generation_config.json)");
    assert_non_null(row);
    row = strstr(row, "509 (generation_config.json, config.json)");
    assert_non_null(row);
    assert_non_null(strstr(row, "11 (eos_token_id)"));
    program_free(&result);
    result = PROGRAM_RUN("check", own_base, own_sft);
    assert_non_null(strstr(result.output, "base 509, SFT 3, 509, 7, 11"));
    program_free(&result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_conversation_is_the_ids_of_its_rendering, reset_pair),
        cmocka_unit_test_setup(figures_of_a_conversation_are_those_of_its_ids, reset_pair),
        cmocka_unit_test_setup(a_chat_is_continued_to_the_end_of_its_turn, reset_pair),
        cmocka_unit_test_setup(what_a_conversation_lacks_is_said, reset_pair),
        cmocka_unit_test_setup(check_shows_where_templates_differ, reset_pair),
        cmocka_unit_test_setup(check_says_which_side_alone_has_a_template, reset_pair),
        cmocka_unit_test_setup(export_says_which_template_goes_along, reset_pair),
        cmocka_unit_test_setup(every_end_of_a_text_is_shown_with_its_files, reset_pair),
    };
    return cmocka_run_group_tests(tests, open_pair, close_pair);
}
