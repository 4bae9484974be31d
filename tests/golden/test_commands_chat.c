/*
 * `rejuv chat`. The texts are those of apply_chat_template of transformers 5.24.0 on golden/chat/directory (with a
 * tokenizer.json beside its files), the spans by hand.
 */
#include "tests/golden/commands.h"

static char *directory;

static int open_directory(void **state) {
    (void)state;
    directory = golden_path("golden/chat/%s%s", "directory", "");
    return setenv("SOURCE_DATE_EPOCH", "1767323045", 1);
}

static int close_directory(void **state) {
    (void)state;
    free(directory);
    return unsetenv("SOURCE_DATE_EPOCH");
}

static void expect(const char *const *arguments, const char *input, int status, const char *output,
                   const char *errors) {
    ProgramResult result = program_run_with(arguments, input, strlen(input));
    char *found = strstr(result.output, directory); /* a path of this machine */
    if (found != NULL) {
        size_t length = strlen(directory), rest = strlen(found + length) + 1;
        memcpy(found, "DIRECTORY", 9);
        memmove(found + 9, found + length, rest);
    }
    assert_string_equal(result.output, output);
    assert_string_equal(result.errors, errors);
    assert_int_equal(result.status, status);
    program_free(&result);
}

static void a_line_is_a_conversation_and_a_line_its_text_with_spans(void **state) {
    (void)state;
    expect(
        (const char *const[]){"chat", directory, "--json", NULL},
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n"
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tools\":[{\"name\":\"f\"}]}\n"
        "{\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9\"},{\"role\":\"assistant\",\"content\":\"b\\n\\u0000\"}],"
        "\"add_generation_prompt\":true}",
        0,
        "{\"text\":\"<s><user>Hi<end>|<img>\",\"assistant_spans\":[]}\n"
        "{\"text\":\"tools:[{\\\"name\\\": \\\"f\\\"}]Hi\",\"assistant_spans\":[]}\n"
        /* what follows the turns is part of each rendering: one is not the beginning of the next */
        "{\"text\":\"<s><user>é<end><assistant>b\\n\\u0000<end><assistant>|<img>\",\"assistant_spans\":null}\n",
        "");
}

static void a_template_is_chosen_by_name_and_sees_the_time_documents_and_variables(void **state) {
    (void)state;
    expect(
        (const char *const[]){"chat", directory, "--template", "rag", NULL},
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"documents\":[{\"title\":\"T\"}],\"template_kwargs\":"
        "{\"style\":\"s\"}}\n",
        0, "T2026s\n", "");
    expect((const char *const[]){"chat", directory, "--template", "nope", "--json", NULL},
           "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\nno\n", 1,
           "{\"error\":\"DIRECTORY: there is no chat template nope, only default, rag, tool_use\"}\n"
           "{\"error\":\"conversation: JSON: expected a value at byte 0\"}\n",
           "");
}

static void without_json_the_first_refusal_ends_the_program(void **state) {
    (void)state;
    expect(
        (const char *const[]){"chat", directory, NULL},
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n{\"messages\":[]}\n", 2,
        "<s><user>Hi<end>|<img>\n",
        "rejuv: standard input, line 2: conversation: \"messages\": expected a list of at least one message\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_conversation_and_a_line_its_text_with_spans),
        cmocka_unit_test(a_template_is_chosen_by_name_and_sees_the_time_documents_and_variables),
        cmocka_unit_test(without_json_the_first_refusal_ends_the_program),
    };
    return cmocka_run_group_tests(tests, open_directory, close_directory);
}
