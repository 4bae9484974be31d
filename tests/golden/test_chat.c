/*
 * Chat templates: the texts are those that transformers 5.24.0 with jinja2 3.1.6 rendered. tests/golden/chat/README.md describes
 * the templates of this project's own; beside the repository there may be those of other people's models, with their
 * conversations, which are not this project's to hand on: where they are not found, that test is left out.
 */
#include "core/chat/chat.h"
#include "core/chat/chat_conversation.h"
#include "core/files/json.h"
#include "tests/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OTHERS TESTS_DIR "/../../shared/golden/chat"

enum { NOW = 1767323045, LARGEST_FILE = 64 << 20, LEAST_CASES = 1000 };

static const ChatVariable TOKENS[] = {
    {"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};

typedef struct Tally {
    size_t cases, wrong;
} Tally;

static cJSON *read_json(const char *path) {
    cJSON *tree;
    Error error;
    if (json_read_file(path, LARGEST_FILE, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tree;
}

static void complain(Tally *tally, const char *name, const cJSON *item, const char *what, const char *found) {
    tally->wrong++;
    if (tally->wrong > 10 && getenv("CHAT_ALL") == NULL) return; /* the first ones tell enough */
    print_message("%s, %s: %s\nfound    %s\nexpected %s\n", name, json_get_text(item, "conversation", ""),
                  what, found, json_get_text(item, "text", json_get_text(item, "error", "")));
}

static bool has_spans(const ChatRendering *rendering, const cJSON *expected) {
    if (!cJSON_IsArray(expected)) return !rendering->has_spans;
    if (!rendering->has_spans || rendering->span_count != (size_t)cJSON_GetArraySize(expected)) return false;
    size_t i = 0;
    for (const cJSON *span = expected->child; span != NULL; span = span->next, i++) {
        if (rendering->spans[i].first != (size_t)cJSON_GetArrayItem(span, 0)->valueint) return false;
        if (rendering->spans[i].end != (size_t)cJSON_GetArrayItem(span, 1)->valueint) return false;
    }
    return true;
}

static void check_rendering(const ChatRendering *rendering, const char *name, const cJSON *item,
                            Tally *tally) {
    const char *expected = json_get_text(item, "text", NULL);
    const cJSON *spans = cJSON_GetObjectItemCaseSensitive(item, "assistant_spans");
    if (expected == NULL)
        complain(tally, name, item, "not refused", rendering->text);
    else if (strcmp(rendering->text, expected) != 0)
        complain(tally, name, item, "another text", rendering->text);
    else if (spans != NULL && !has_spans(rendering, spans))
        complain(tally, name, item, "other spans", rendering->text);
}

static void check_case(const ChatTemplate *template, const char *name, const cJSON *item, Tally *tally) {
    ChatConversation *conversation;
    ChatRendering rendering;
    Error error;
    char *json = cJSON_PrintUnformatted(item);
    assert_non_null(json);
    assert_int_equal(chat_conversation_read(json, strlen(json), &conversation, &error), STATUS_OK);
    const ChatRequest request = {.conversation = conversation,
                                 .variables = TOKENS,
                                 .variable_count = sizeof TOKENS / sizeof *TOKENS,
                                 .spans = CHAT_SPANS_BY_RENDERING,
                                 .now = NOW,
                                 .is_utc = true};
    tally->cases++;
    if (chat_render(template, &request, &rendering, &error) == STATUS_OK) {
        check_rendering(&rendering, name, item, tally);
        chat_rendering_free(&rendering);
    } else if (json_get_text(item, "error", NULL) == NULL) {
        complain(tally, name, item, "refused", error.message);
    }
    chat_conversation_free(conversation);
    cJSON_free(json);
}

static void check_template(const char *folder, Tally *tally) {
    char path[1024], *source;
    size_t bytes;
    Error error;
    ChatTemplate *template;
    (void)snprintf(path, sizeof path, "%s/%s/chat_template.jinja", OTHERS, folder);
    if (json_read_text(path, LARGEST_FILE, &source, &bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    if (chat_compile(folder, source, bytes, NULL, &template, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    (void)snprintf(path, sizeof path, "%s/%s/cases.json", OTHERS, folder);
    cJSON *cases = read_json(path);
    const cJSON *item;
    cJSON_ArrayForEach(item, cases) check_case(template, folder, item, tally);
    cJSON_Delete(cases);
    chat_free(template);
    free(source);
}

static void templates_of_47_models_render_as_transformers_renders_them(void **state) {
    (void)state;
    Tally tally = {0};
    if (access(OTHERS "/index.json", R_OK) != 0) skip(); /* not beside this repository */
    cJSON *index = read_json(OTHERS "/index.json");
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(index, "templates"))
        check_template(json_get_text(item, "name", ""), &tally);
    cJSON_Delete(index);
    assert_int_equal(tally.cases, 1034);
    if (tally.wrong > 0) fail_msg("%zu of %zu conversations", tally.wrong, tally.cases);
}

/* ---- this project's own ---- */

/* The conversation of the first line; the data are beside it as variables. */
static ChatConversation *read_conversation(const cJSON *line, const char *text) {
    ChatConversation *conversation;
    Error error;
    char *json = NULL;
    const char *kwargs = strstr(text, "\"kwargs\":");
    assert_non_null(kwargs);
    assert_non_null(json_find(line, "messages"));
    /* as text: cJSON would not keep 1.0 and 123456789012345678901234567890 apart from 1 and 1e29 */
    assert_true(asprintf(&json, "%.*s\"template_kwargs\":%s", (int)(kwargs - text), text,
                         kwargs + strlen("\"kwargs\":")) > 0);
    if (chat_conversation_read(json, strlen(json), &conversation, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(json);
    return conversation;
}

static bool spans_differ(const ChatRendering *rendering, const cJSON *line) {
    const cJSON *spans = json_find(line, "spans");
    return spans != NULL && !has_spans(rendering, spans);
}

static void check_line(const ChatConversation *conversation, const cJSON *line, Tally *tally) {
    const char *source = json_get_text(line, "template", NULL), *expected = json_get_text(line, "text", NULL);
    ChatRendering rendering = {0};
    ChatTemplate *template;
    Error error = {0};
    const ChatRequest request = {.conversation = conversation,
                                 .variables = TOKENS,
                                 .variable_count = sizeof TOKENS / sizeof *TOKENS,
                                 .spans = CHAT_SPANS_BY_TEMPLATE,
                                 .now = NOW,
                                 .is_utc = true};
    Status status = chat_compile("own", source, strlen(source), NULL, &template, &error);
    if (status == STATUS_OK) status = chat_render(template, &request, &rendering, &error);
    const char *found = status == STATUS_OK ? rendering.text : error.message;
    bool right = expected != NULL ? status == STATUS_OK && strcmp(found, expected) == 0 : status != STATUS_OK;
    /* what is refused by name is unsupported, and says where */
    if (right && json_get_bool(line, "refused", false))
        right = status == STATUS_UNSUPPORTED && strstr(found, "chat template own, line ") == found;
    if (!right || spans_differ(&rendering, line)) complain(tally, source, line, "differs", found);
    tally->cases++;
    chat_rendering_free(&rendering);
    chat_free(template);
}

static void constructs_filters_tests_and_methods_are_those_of_jinja2(void **state) {
    (void)state;
    char *text, *rest;
    size_t bytes;
    Error error;
    Tally tally = {0};
    ChatConversation *conversation = NULL;
    if (json_read_text(TESTS_DIR "/golden/chat/cases.jsonl", LARGEST_FILE, &text, &bytes, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        cJSON *tree;
        if (json_parse(line, strlen(line), "a line", &tree, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        if (conversation == NULL)
            conversation = read_conversation(tree, line);
        else
            check_line(conversation, tree, &tally);
        cJSON_Delete(tree);
    }
    chat_conversation_free(conversation);
    free(text);
    assert_true(tally.cases >= LEAST_CASES);
    if (tally.wrong > 0) fail_msg("%zu of %zu templates", tally.wrong, tally.cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constructs_filters_tests_and_methods_are_those_of_jinja2),
        cmocka_unit_test(templates_of_47_models_render_as_transformers_renders_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
