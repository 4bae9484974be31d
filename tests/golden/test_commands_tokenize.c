/*
 * What rejuv tokenize prints, against the golden data: ids and texts, by the class and by the file.
 */
#include "tests/golden/commands.h"

typedef struct Lines {
    char *text;
    size_t bytes, capacity;
} Lines;

static void add_line(Lines *lines, const char *line, size_t bytes) {
    Error error;
    assert_int_equal(MEMORY_RESERVE(lines->text, &lines->capacity, lines->bytes + bytes + 2, &error),
                     STATUS_OK);
    memcpy(lines->text + lines->bytes, line, bytes);
    lines->bytes += bytes;
    lines->text[lines->bytes++] = '\n';
    lines->text[lines->bytes] = '\0';
}

/* The raw JSON of member `key` of a line of the golden file, as it stands there: the files are written
 * without blanks between values. */
static const char *find_raw(const char *line, const char *end, const char *key, size_t *bytes) {
    char name[32];
    int length = snprintf(name, sizeof name, "\"%s\":", key);
    const char *at = memmem(line, (size_t)(end - line), name, (size_t)length);
    assert_non_null(at);
    at += length;
    const char *stop = at + 1;
    if (*at == '[') {
        stop = memchr(at, ']', (size_t)(end - at));
    } else {
        while (*stop != '"') stop += *stop == '\\' ? 2 : 1;
    }
    *bytes = (size_t)(stop - at) + 1;
    return at;
}

/* Collects two members of every line of a golden file as JSON lines. */
static void collect(const char *name, const char *file, const char *from, const char *to, Lines *input,
                    Lines *expected) {
    size_t bytes, length;
    char *text = golden_read_bytes("golden/tokenizers/%s/%s", name, file, &bytes);
    for (char *line = text, *end; line < text + bytes; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + bytes - line));
        assert_non_null(end);
        const char *raw = find_raw(line, end, from, &length);
        add_line(input, raw, length);
        raw = find_raw(line, end, to, &length);
        add_line(expected, raw, length);
    }
    free(text);
}

/* Line by line, as JSON values: the golden files have blanks and escapes of their own. */
static void compare_lines(const Lines *expected, const char *found) {
    const char *wanted = expected->text;
    for (size_t number = 1; *wanted != '\0'; number++) {
        size_t wanted_bytes = strcspn(wanted, "\n"), found_bytes = strcspn(found, "\n");
        cJSON *a = cJSON_ParseWithLength(wanted, wanted_bytes),
              *b = cJSON_ParseWithLength(found, found_bytes);
        assert_non_null(a);
        assert_non_null(b);
        if (!cJSON_Compare(a, b, true))
            fail_msg("line %zu: expected %.*s, found %.*s", number, (int)wanted_bytes, wanted,
                     (int)found_bytes, found);
        cJSON_Delete(a);
        cJSON_Delete(b);
        wanted += wanted_bytes + 1;
        found += found_bytes + 1;
    }
    assert_string_equal(found, "");
}

static void check_tokenizer(const char *name, const char *file, const char *from, const char *to,
                            const char *const *options) {
    Lines input = {0}, expected = {0};
    collect(name, file, from, to, &input, &expected);
    char *directory = golden_path("golden/tokenizers/%s%s", name, "");
    const char *arguments[8] = {"tokenize", directory, "--json",
                                "--tokenizer-file"}; /* as the data was made */
    for (size_t i = 0; options[i] != NULL; i++) arguments[4 + i] = options[i];
    ProgramResult result = program_run_with(arguments, input.text, input.bytes);
    if (result.status != 0) fail_msg("%s: status %d: %s", name, result.status, result.errors);
    assert_string_equal(result.errors, "");
    compare_lines(&expected, result.output);
    program_free(&result);
    free(directory);
    free(input.text);
    free(expected.text);
}

/* gpt2, llama2 and llama3 have no case in which the Unicode tables of the libraries matter. */
static void tokenize_gives_the_golden_ids_and_texts(void **unused) {
    (void)unused;
    static const char *const NAMES[] = {"gpt2", "llama2", "llama3"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        check_tokenizer(NAMES[i], "cases.jsonl", "text", "ids", (const char *const[]){NULL});
        check_tokenizer(NAMES[i], "cases.jsonl", "text", "ids_plain", (const char *const[]){"--plain", NULL});
        check_tokenizer(NAMES[i], "cases.jsonl", "ids_plain", "decoded",
                        (const char *const[]){"--decode", NULL});
        check_tokenizer(NAMES[i], "decode.jsonl", "ids", "decoded_skip",
                        (const char *const[]){"--decode", "--plain", NULL});
    }
}

static ProgramResult tokenize_hello(const char *directory, const char *option) {
    const char *arguments[] = {"tokenize", directory, option, NULL};
    return program_run_with(arguments, " hello</s>hello\n", strlen(" hello</s>hello\n"));
}

/* transformers 5.24.0: the class puts ▁ before the first stretch alone, the file before each (pieces.json). */
static void the_class_and_the_file_give_other_ids_and_that_is_said(void **unused) {
    (void)unused;
    static const char REMARK[] =
        "rejuv: tokenizer: class LlamaTokenizer replaces the normalizer and pre-tokenizer of tokenizer.json (by "
        "tokenizer_class of tokenizer_config.json); --tokenizer-file follows the file\n";
    size_t bytes;
    char *file = golden_read_bytes("golden/classes/%s%s", "pieces.json", "", &bytes),
         *directory = scratch_path("llama/");
    scratch_write("llama/tokenizer.json", file, bytes);
    scratch_write_text("llama/tokenizer_config.json", "{\"tokenizer_class\": \"LlamaTokenizer\"}");
    ProgramResult class = tokenize_hello(directory, NULL), quiet = tokenize_hello(directory, "--quiet"),
                  alone = tokenize_hello(directory, "--tokenizer-file");
    assert_string_equal(class.output, "269 2 268\n");
    assert_string_equal(class.errors, REMARK);
    assert_string_equal(quiet.output, "269 2 268\n");
    assert_string_equal(quiet.errors, "");
    assert_string_equal(alone.output, "259 269 2 269\n");
    assert_string_equal(alone.errors, "");
    program_free(&class);
    program_free(&quiet);
    program_free(&alone);
    free(directory);
    free(file);
}

static void lines_of_text_become_lines_of_ids_and_back(void **unused) {
    (void)unused;
    static const char TEXT[] = "Question: how many?\n\ntwo  blanks\tand a tab";
    ProgramResult ids = program_run_with((const char *const[]){"tokenize", sft, NULL}, TEXT, sizeof TEXT - 1);
    assert_int_equal(ids.status, 0);
    ProgramResult text = program_run_with((const char *const[]){"tokenize", sft, "--decode", NULL},
                                          ids.output, ids.output_bytes);
    assert_int_equal(text.status, 0);
    assert_int_equal(text.output_bytes, sizeof TEXT); /* the last line got its newline */
    assert_memory_equal(text.output, TEXT, sizeof TEXT - 1);
    program_free(&ids);
    program_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokenize_gives_the_golden_ids_and_texts),
        cmocka_unit_test(the_class_and_the_file_give_other_ids_and_that_is_said),
        cmocka_unit_test(lines_of_text_become_lines_of_ids_and_back),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
