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

/* gzip -n, zstd of CONVERSATIONS. */
static const char CONVERSATIONS[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n"
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Ho\"}]}";
static const unsigned char GZIP[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56,
                                     0xca, 0x4d, 0x2d, 0x2e, 0x4e, 0x4c, 0x4f, 0x2d, 0x56, 0xb2, 0x8a, 0xae,
                                     0x56, 0x2a, 0xca, 0xcf, 0x49, 0x55, 0xb2, 0x52, 0x2a, 0x2d, 0x4e, 0x2d,
                                     0x52, 0xd2, 0x51, 0x4a, 0xce, 0xcf, 0x2b, 0x49, 0xcd, 0x2b, 0x01, 0x0a,
                                     0x78, 0x64, 0x2a, 0xd5, 0xc6, 0xd6, 0x72, 0x55, 0x13, 0xa9, 0x3a, 0x1f,
                                     0xa4, 0x1a, 0x00, 0x5f, 0x68, 0x2c, 0x40, 0x5b, 0x00, 0x00, 0x00};
static const unsigned char ZSTD[] = {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0xdd, 0x01, 0x00, 0x34, 0x03, 0x7b,
                                     0x22, 0x6d, 0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0x73, 0x22, 0x3a, 0x5b,
                                     0x7b, 0x22, 0x72, 0x6f, 0x6c, 0x65, 0x22, 0x3a, 0x22, 0x75, 0x73, 0x65,
                                     0x72, 0x22, 0x2c, 0x22, 0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x22,
                                     0x3a, 0x22, 0x48, 0x69, 0x22, 0x7d, 0x5d, 0x7d, 0x0a, 0x6f, 0x22, 0x7d,
                                     0x5d, 0x7d, 0x01, 0x00, 0x1e, 0x4b, 0x55, 0x06, 0x50, 0x55, 0xd7, 0x2c};

static void conversations_come_from_files_too_and_packed(void **state) {
    (void)state;
    static const char TEXTS[] = "<s><user>Hi<end>|<img>\n<s><user>Ho<end>|<img>\n";
    static const char *const NAMES[] = {"plain", "gzip", "zstd"};
    const void *const contents[] = {CONVERSATIONS, GZIP, ZSTD};
    const size_t bytes[] = {sizeof CONVERSATIONS - 1, sizeof GZIP, sizeof ZSTD};
    assert_int_equal(scratch_make(state), 0);
    for (size_t i = 0; i < 3; i++) {
        scratch_write(NAMES[i], contents[i], bytes[i]);
        char *path = scratch_path(NAMES[i]);
        expect((const char *const[]){"chat", directory, path, NULL}, "", 0, TEXTS, "");
        ProgramResult result =
            program_run_with((const char *const[]){"chat", directory, "-", NULL}, contents[i], bytes[i]);
        assert_string_equal(result.output, TEXTS);
        assert_string_equal(result.errors, "");
        program_free(&result);
        free(path);
    }
    scratch_write_text("second", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n[]\n");
    char *path = scratch_path("second");
    ProgramResult result = PROGRAM_RUN("chat", directory, path);
    assert_int_equal(result.status, 2);
    assert_string_equal(result.output, "<s><user>Hi<end>|<img>\n");
    assert_non_null(
        strstr(result.errors, "/second, line 2: conversation: expected an object with \"messages\""));
    program_free(&result);
    PROGRAM_EXPECT(2, "No such file or directory", "chat", directory, "/nowhere");
    free(path);
    assert_int_equal(scratch_remove(state), 0);
}

/* A program at the other end of two pipes gets each answer before it asks again. */
static void standard_input_is_answered_line_by_line(void **state) {
    (void)state;
    static const char LINE[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n",
                      TEXT[] = "<s><user>Hi<end>|<img>\n";
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t child = program_start((const char *const[]){"chat", directory, "-", NULL}, in[0], out[1], -1);
    for (int i = 0; i < 3; i++) {
        char answer[sizeof TEXT] = "";
        size_t got = 0;
        assert_int_equal(write(in[1], LINE, sizeof LINE - 1), sizeof LINE - 1);
        while (got < sizeof TEXT - 1) {
            ssize_t more = read(out[0], answer + got, sizeof TEXT - 1 - got);
            assert_true(more > 0);
            got += (size_t)more;
        }
        assert_string_equal(answer, TEXT);
    }
    assert_int_equal(close(in[1]), 0);
    assert_int_equal(program_wait(child), 0);
    (void)close(in[0]);
    (void)close(out[0]);
    (void)close(out[1]);
}

static void a_directory_without_a_template_says_where_one_was_looked_for(void **state) {
    (void)state;
    char *demo = golden_path("demo/%s%s", "base", "");
    PROGRAM_EXPECT(2,
                   "there is no chat template: looked for chat_template.jinja, "
                   "additional_chat_templates/*.jinja, and chat_template in tokenizer_config.json and "
                   "chat_template.json",
                   "chat", demo);
    free(demo);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_conversation_and_a_line_its_text_with_spans),
        cmocka_unit_test(a_template_is_chosen_by_name_and_sees_the_time_documents_and_variables),
        cmocka_unit_test(without_json_the_first_refusal_ends_the_program),
        cmocka_unit_test(conversations_come_from_files_too_and_packed),
        cmocka_unit_test(standard_input_is_answered_line_by_line),
        cmocka_unit_test(a_directory_without_a_template_says_where_one_was_looked_for),
    };
    return cmocka_run_group_tests(tests, open_directory, close_directory);
}
