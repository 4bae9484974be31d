/* What commands make of rows and of one prompt: where they come from, what they end with, what is said of them. */
#include "tests/golden/commands.h"

static const char ROWS[] = "{\"prompt\": \"Question: 1 + 2?\", \"completion\": \" 3\"}\n";

static void rows_come_from_standard_input(void **unused) {
    (void)unused;
    const char *const arguments[] = {"sweep",         base, sft,      "--alpha", "0.5",
                                     "--calibration", "-",  "--json", NULL};
    ProgramResult result = program_run_with(arguments, ROWS, sizeof ROWS - 1);
    if (result.status != 0) fail_msg("status %d: %s", result.status, result.errors);
    cJSON *tree = program_json(&result);
    assert_int_equal(read_number(tree, "rows"), 1);
    assert_int_equal(read_number(tree, "response_tokens"), 3); /* " ", "3", the end */
    cJSON_Delete(tree);
    program_free(&result);
}

/* `end` NULL: null. AutoTokenizer of transformers 5.24.0 has 509, "<|endoftext|>", as eos_token of the demo. */
static void check_end(cJSON *tree, const char *text, double id, const char *from) {
    const cJSON *end = json_find(tree, "end_token");
    if (text == NULL) {
        assert_null(end);
    } else {
        assert_string_equal(json_get_text(end, "text", ""), text);
        assert_string_equal(json_get_text(end, "from", ""), from);
        assert_true(read_number(end, "id") == id);
    }
    cJSON_Delete(tree);
}

static void what_responses_end_with_is_told_and_may_be_set(void **unused) {
    (void)unused;
    scratch_write_text("rows.jsonl", ROWS);
    char *rows = scratch_path("rows.jsonl");
    check_end(RUN_JSON("sweep", base, sft, "--alpha", "0.5", "-c", rows), "<|endoftext|>", 509,
              "tokenizer_config.json: eos_token");
    check_end(RUN_JSON("neurons", base, sft, "-k", "1", "--targets", "1", "-c", rows), "<|endoftext|>", 509,
              "tokenizer_config.json: eos_token");
    check_end(RUN_JSON("sweep", base, sft, "--alpha", "0.5", "-c", rows, "--end-token", "!"), "!", 0,
              "--end-token");
    check_end(RUN_JSON("sweep", base, sft, "--alpha", "0.5", "-c", rows, "--end-token", "none"), NULL, 0,
              NULL);
    ProgramResult result = program_run_with(
        (const char *const[]){"sweep", base, sft, "-c", rows, "--end-token", "<none>", NULL}, NULL, 0);
    assert_int_equal(result.status, 2);
    assert_non_null(strstr(result.errors, "--end-token: expected a token of the tokenizer"));
    program_free(&result);
    free(rows);
}

static void must_say(const char *const *arguments, const char *words) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0 || strstr(result.errors, words) == NULL)
        fail_msg("expected \"%s\", got status %d: %s", words, result.status, result.errors);
    program_free(&result);
}

static void rows_beyond_the_models_positions_are_said_once(void **unused) {
    (void)unused;
    char text[4096] = "";
    for (int row = 0; row < 2; row++) {
        strcat(text, "{\"prompt_ids\": [1");
        for (int i = 0; i < 260 + row; i++) strcat(text, ", 1");
        strcat(text, "]}\n");
    }
    scratch_write_text("long.jsonl", text);
    char *rows = scratch_path("long.jsonl");
    must_say((const char *const[]){"sweep", base, sft, "--alpha", "0.5", "-c", rows, NULL},
             "256 positions (max_position_embeddings): 2 of 2 rows, the longest of 262 tokens");
    free(rows);
}

/* A tokenizer that puts <|endoftext|> first: what a chat template renders has it already. */
static void a_prompt_with_the_first_token_twice_is_said(void **unused) {
    (void)unused;
    static const char PROCESSOR[] =
        "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": "
        "\"<|endoftext|>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [], "
        "\"special_tokens\": {\"<|endoftext|>\": {\"id\": \"<|endoftext|>\", \"ids\": [509], \"tokens\": "
        "[\"<|endoftext|>\"]}}}";
    Error error;
    cJSON *tree, *part;
    char *copy = scratch_path("sft"), *tokenizer = memory_format("%s/tokenizer.json", copy);
    char *command = memory_format("cp -r -- '%s' '%s' && chmod -R u+w '%s'", sft, copy, copy);
    char *object = memory_format("{%s}", PROCESSOR);
    assert_int_equal(system(command), 0);
    if (json_read_file(tokenizer, 1 << 24, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_non_null(part = cJSON_Parse(object));
    assert_true(cJSON_ReplaceItemInObjectCaseSensitive(
        tree, "post_processor", cJSON_DetachItemFromObjectCaseSensitive(part, "post_processor")));
    char *text = cJSON_PrintUnformatted(tree);
    scratch_write_text("sft/tokenizer.json", text);
    must_say((const char *const[]){"preview", base, copy, "--prompt", "<|endoftext|>Jack", NULL},
             "the prompt: begins with the token that the tokenizer puts first, which is there twice");
    cJSON_free(text);
    cJSON_Delete(part);
    cJSON_Delete(tree);
    free(object);
    free(command);
    free(tokenizer);
    free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_from_standard_input),
        cmocka_unit_test(what_responses_end_with_is_told_and_may_be_set),
        cmocka_unit_test(rows_beyond_the_models_positions_are_said_once),
        cmocka_unit_test(a_prompt_with_the_first_token_twice_is_said),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
