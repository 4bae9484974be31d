/* What a template may take: steps, memory, output and depth are bounded, and a refusal says which, where, and in
 * what. */
#include "core/chat/chat.h"
#include "core/chat/chat_conversation.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char TALK[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

static const ChatLimits SMALL = {.memory = 1 << 20, .output = 10000, .steps = 5000, .depth = 60};

/* The status of compiling and rendering; the message, or the text, in *error. */
static Status render(const char *source, const ChatLimits *limits, Error *error) {
    ChatConversation *conversation;
    ChatTemplate *template;
    ChatRendering rendering = {0};
    assert_int_equal(chat_conversation_read(TALK, strlen(TALK), &conversation, NULL), STATUS_OK);
    Status status = chat_compile("t.jinja", source, strlen(source), limits, &template, error);
    const ChatRequest request = {.conversation = conversation, .limits = limits};
    if (status == STATUS_OK) status = chat_render(template, &request, &rendering, error);
    chat_rendering_free(&rendering);
    chat_conversation_free(conversation);
    chat_free(template);
    return status;
}

static void expect_refusal(const char *source, const char *message) {
    Error error = {0};
    assert_int_equal(render(source, &SMALL, &error), STATUS_UNSUPPORTED);
    assert_string_equal(error.message, message);
}

static void steps_are_counted(void **state) {
    (void)state;
    expect_refusal("{% for i in range(100) %}\n{% for j in range(100) %}{% endfor %}{% endfor %}",
                   "chat template t.jinja, line 2: it takes more than 5000 steps");
    expect_refusal("{{ range(6000)|list|length }}",
                   "chat template t.jinja, line 1: it takes more than 5000 steps");
    expect_refusal("{{ range(2000)|sort|length }}",
                   "chat template t.jinja, line 1: it takes more than 5000 steps");
    /* shared lists: 2^40 comparisons */
    expect_refusal(
        "{% set a = namespace(x=[1], y=[1]) %}{% for i in range(40) %}{% set a.x = [a.x, a.x] %}"
        "{% set a.y = [a.y, a.y] %}{% endfor %}{% if a.x == a.y %}\n{{ 1 }}{% endif %}",
        "chat template t.jinja, line 1: it takes more than 5000 steps");
}

static void memory_is_bounded(void **state) {
    (void)state;
    expect_refusal("\n{{ 'a' * 2000000 }}",
                   "chat template t.jinja, line 2: it takes more than 1048576 bytes of memory");
    expect_refusal("{{ 'a' * 9223372036854775807 }}",
                   "chat template t.jinja, line 1: it takes more than 1048576 bytes of memory");
    expect_refusal(
        "{% set a = namespace(x='ab') %}{% for i in range(40) %}{% set a.x = a.x + a.x %}{% endfor %}",
        "chat template t.jinja, line 1: it takes more than 1048576 bytes of memory");
    expect_refusal("{{ [1] * 4611686018427387904 }}",
                   "chat template t.jinja, line 1: it takes more than 5000 steps");
}

static void output_is_bounded(void **state) {
    (void)state;
    expect_refusal("{% for i in range(40) %}{{ 'abcdefghij' * 30 }}{% endfor %}",
                   "chat template t.jinja, line 1: its text is longer than 10000 bytes");
}

static void depth_is_bounded(void **state) {
    (void)state;
    char nested[512] = "{{ ";
    for (int i = 0; i < 100; i++) strcat(nested, "(");
    expect_refusal(nested, "chat template t.jinja, line 1: it is nested more than 60 levels deep");
    expect_refusal("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}",
                   "chat template t.jinja, line 1: it is nested more than 60 levels deep");
    expect_refusal(
        "{% set a = namespace(x=[]) %}{% for i in range(100) %}{% set a.x = [a.x] %}{% endfor %}\n{{ a.x }}",
        "chat template t.jinja, line 2: it is nested more than 60 levels deep");
    expect_refusal(
        "{% set a = namespace(x=[]) %}{% for i in range(100) %}{% set a.x = [a.x] %}{% endfor %}{{ a.x|tojson }}",
        "chat template t.jinja, line 1: it is nested more than 60 levels deep");
}

static void what_is_not_supported_is_refused_by_name(void **state) {
    (void)state;
    expect_refusal("a\n{% include 'x' %}", "chat template t.jinja, line 2: the tag include is not supported");
    expect_refusal("a\n\n{{ 1|xmlattr }}",
                   "chat template t.jinja, line 3: the filter xmlattr is not supported");
    expect_refusal("{{ 1|from_json }}", "chat template t.jinja, line 1: there is no filter from_json");
    expect_refusal("{{ 1 is odder }}", "chat template t.jinja, line 1: there is no test odder");
    expect_refusal("{{ 'a'.encode() }}", "chat template t.jinja, line 1: the method encode is not supported");
    expect_refusal("{{ lipsum() }}", "chat template t.jinja, line 1: the function lipsum is not supported");
    expect_refusal("{{ 9223372036854775807 + 1 }}", "chat template t.jinja, line 1: +: beyond 64 bits");
}

static void errors_name_the_line_and_what_is_wrong(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"{{ raise_exception('No!') }}",
         "chat template t.jinja, line 1: the template refuses this conversation: No!"},
        {"\n{{ messages[0].nope.more }}", "chat template t.jinja, line 2: \"nope\" is undefined"},
        {"{% for m in none %}{% endfor %}",
         "chat template t.jinja, line 1: a value of type NoneType is not iterable"},
        {"{% if a %}\n{% endfor %}", "chat template t.jinja, line 2: expected the tag endif, found endfor"},
        {"{% if a %}",
         "chat template t.jinja, line 1: expected the tag endif, found the end of the template"},
        {"{{ a b }}", "chat template t.jinja, line 1: expected end of print statement, found b"},
        {"{{ messages.append(1) }}",
         "chat template t.jinja, line 1: access to an attribute that changes a value is unsafe"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Error error = {0};
        assert_int_equal(render(CASES[i][0], &SMALL, &error), STATUS_FORMAT);
        assert_string_equal(error.message, CASES[i][1]);
    }
}

/* A template as large as real ones are, and recursion as deep as tools' schemas need it, stay within the default. */
static void what_real_templates_need_fits(void **state) {
    (void)state;
    Error error = {0};
    if (render(
            "{% macro f(n) %}{% if n > 0 %}{% for i in [1] %}{{ n }}{{ f(n - 1) }}{% endfor %}{% endif %}{% endmacro %}"
            "{{ f(50) }}{% for i in range(100000) %}{{ i }}{% endfor %}",
            NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

/* ---- threads ---- */

typedef struct Shared {
    const ChatTemplate *template;
    const ChatConversation *conversation;
} Shared;

enum { THREADS = 4, TURNS = 50 };

static void *render_often(void *user) {
    const Shared *shared = user;
    for (int i = 0; i < TURNS; i++) {
        ChatRendering rendering;
        const ChatRequest request = {.conversation = shared->conversation};
        if (chat_render(shared->template, &request, &rendering, NULL) != STATUS_OK) return NULL;
        bool right = strcmp(rendering.text, "user:Hi;abab[('b', 1)]") == 0;
        chat_rendering_free(&rendering);
        if (!right) return NULL;
    }
    return user;
}

static void any_thread_renders_one_template_at_once(void **state) {
    (void)state;
    static const char SOURCE[] =
        "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}{% set c = cycler('a', 'b') %}"
        "{% for i in range(4) %}{{ c.next() }}{% endfor %}{{ {'b': 1}|dictsort }}";
    Shared shared;
    ChatTemplate *template;
    ChatConversation *conversation;
    pthread_t threads[THREADS];
    assert_int_equal(chat_compile("t", SOURCE, strlen(SOURCE), NULL, &template, NULL), STATUS_OK);
    assert_int_equal(chat_conversation_read(TALK, strlen(TALK), &conversation, NULL), STATUS_OK);
    shared = (Shared){template, conversation};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, render_often, &shared), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    chat_conversation_free(conversation);
    chat_free(template);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_counted),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(what_is_not_supported_is_refused_by_name),
        cmocka_unit_test(errors_name_the_line_and_what_is_wrong),
        cmocka_unit_test(what_real_templates_need_fits),
        cmocka_unit_test(any_thread_renders_one_template_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
