/*
 * `rejuv rollout` on samples of the demo pair: every figure of the JSON against the golden one, and what the command does
 * with samples, rewards and mistakes.
 */
#include "tests/golden/commands.h"

static char *samples;

static int open_samples(void **state) {
    samples = golden_path("golden/readiness/%s/%s", "demo", "samples.jsonl");
    return open_demo(state);
}

static int close_samples(void **state) {
    free(samples);
    return close_demo(state);
}

/* ---- the figures ---- */

static const char *const STATES[] = {"base", "sft", "fused"};

static void expect_near(double found, double expected, double relative, const char *what) {
    if (fabs(found - expected) <= relative * fmax(fabs(expected), 1e-12)) return;
    fail_msg("%s: expected %.12g, found %.12g", what, expected, found);
}

/* Every number of `expected` is in `found`, under the same names, within `relative`. */
static void expect_numbers(const cJSON *found, const cJSON *expected, double relative) {
    const cJSON *item;
    cJSON_ArrayForEach(item, expected) {
        const cJSON *own = json_find(found, item->string);
        if (own == NULL) fail_msg("there is no \"%s\"", item->string);
        expect_near(own->valuedouble, item->valuedouble, relative, item->string);
    }
    assert_int_equal(cJSON_GetArraySize(found), cJSON_GetArraySize(expected));
}

static void expect_norms(const cJSON *found, const cJSON *expected) {
    const cJSON *item;
    double largest = 0.0;
    cJSON_ArrayForEach(item, expected) largest = fmax(largest, item->valuedouble);
    assert_int_equal(cJSON_GetArraySize(found), cJSON_GetArraySize(expected));
    cJSON_ArrayForEach(item, expected) {
        double own = read_number(found, item->string);
        double allowed = item->valuedouble > 1e-3 * largest ? 1e-4 * item->valuedouble : 1e-6 * largest;
        if (fabs(own - item->valuedouble) > allowed)
            fail_msg("%s: expected %.9g, found %.9g", item->string, item->valuedouble, own);
    }
}

static void expect_state(const cJSON *found, const cJSON *expected, bool with_gradient) {
    static const char *const NUMBERS[] = {"response_tokens", "entropy", "mean_log_probability",
                                          "surrogate_loss"};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        expect_near(read_number(found, NUMBERS[i]), read_number(expected, NUMBERS[i]), 1e-4, NUMBERS[i]);
    const cJSON *own = json_find(found, "per_sample")->child, *item;
    cJSON_ArrayForEach(item, json_find(expected, "per_sample")) {
        assert_true(fabs(read_number(own, "log_probability") - read_number(item, "log_probability")) < 1e-4);
        assert_true(fabs(read_number(own, "entropy") - read_number(item, "entropy")) < 1e-5);
        own = own->next;
    }
    assert_null(own);
    assert_int_equal(json_find(found, "gradient") != NULL, with_gradient);
    if (!with_gradient) return;
    expect_near(read_number(found, "gradient_norm"), read_number(expected, "gradient_norm"), 1e-4,
                "gradient_norm");
    expect_norms(json_find(found, "gradient"), json_find(expected, "gradient"));
    expect_numbers(json_find(found, "weight_norm"), json_find(expected, "weight_norm"), 1e-6);
}

static void expect_figures(const cJSON *found, bool with_gradient) {
    static const char *const NUMBERS[] = {"prompts",  "samples",     "alpha",
                                          "avg_at_k", "mean_reward", "mixed_share"};
    cJSON *golden = golden_read_json("golden/readiness/%s/%s", "demo", "readiness.json");
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        expect_near(read_number(found, NUMBERS[i]), read_number(golden, NUMBERS[i]), 1e-12, NUMBERS[i]);
    expect_numbers(json_find(found, "pass_at"), json_find(golden, "pass_at"), 1e-12);
    const cJSON *own = json_find(found, "advantages")->child, *group;
    cJSON_ArrayForEach(group, json_find(golden, "advantages")) {
        for (int i = 0; i < cJSON_GetArraySize(group); i++)
            expect_near(cJSON_GetArrayItem(own, i)->valuedouble, cJSON_GetArrayItem(group, i)->valuedouble,
                        1e-9, "an advantage");
        own = own->next;
    }
    for (size_t i = 0; i < 3; i++)
        expect_state(json_find(json_find(found, "states"), STATES[i]),
                     json_find(json_find(golden, "states"), STATES[i]), with_gradient);
    cJSON_Delete(golden);
}

static void every_figure_is_the_golden_one(void **state) {
    (void)state;
    cJSON *tree = RUN_JSON("rollout", base, sft, "--samples", samples, "--alpha", "0.5", "--gradient");
    expect_figures(tree, true);
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "layers")), 6);
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "modules")), 12);
    /* squares of parts add up to those of the whole */
    const cJSON *row;
    double squares = 0.0;
    cJSON_ArrayForEach(row, json_find(tree, "modules")) squares += pow(read_number(row, "gradient_sft"), 2.0);
    expect_near(sqrt(squares), read_number(json_find(json_find(tree, "states"), "sft"), "gradient_norm"),
                1e-12, "the whole");
    cJSON_Delete(tree);
}

static void what_is_written_gives_the_same_figures(void **state) {
    (void)state;
    char *out = scratch_path("out.jsonl");
    cJSON *first = RUN_JSON("rollout", base, sft, "--samples", samples, "--out", out);
    cJSON *second = RUN_JSON("rollout", base, sft, "--samples", out);
    expect_figures(second, false);
    cJSON_DeleteItemFromObject(first, "source");
    cJSON_DeleteItemFromObject(second, "source");
    assert_true(cJSON_Compare(first, second, true));
    cJSON_Delete(first);
    cJSON_Delete(second);
    free(out);
}

static void rewards_are_those_that_are_asked_for(void **state) {
    (void)state;
    scratch_write_text("texts.jsonl",
                       "{\"prompt\": \"2 + 2 =\", \"response\": \" 4.\", \"answer\": \"4\"}\n"
                       "{\"prompt\": \"2 + 2 =\", \"response\": \" 5\", \"answer\": \"4\", \"reward\": 1}\n");
    char *path = scratch_path("texts.jsonl");
    PROGRAM_EXPECT(2, "sample 0 of prompt 0 has no reward: give one, or an answer and --reward", "rollout",
                   base, sft, "--samples", path);
    cJSON *tree = RUN_JSON("rollout", base, sft, "--samples", path, "--reward", "number");
    assert_true(read_number(tree, "avg_at_k") == 0.5); /* that of the file does not count */
    assert_true(read_number(json_find(tree, "pass_at"), "2") == 1.0);
    assert_true(read_number(tree, "gap") == 0.5);
    assert_true(isnan(read_number(json_find(tree, "standard_error"), "gap")));
    cJSON_Delete(tree);
    tree = RUN_JSON("rollout", base, sft, "--samples", path, "--reward-command",
                    "sed 's/.*\"response\": \" 5\".*/1/;s/^{.*/0/'");
    assert_true(read_number(tree, "avg_at_k") == 0.5);
    assert_true(cJSON_GetArrayItem(json_find(tree, "advantages")->child, 1)->valuedouble > 0.0);
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "the reward command, line 2: it ended with status 0 before it answered", "rollout",
                   base, sft, "--samples", path, "--reward-command", "echo 1");
    PROGRAM_EXPECT(2, "--reward: the expression \"(\": missing closing parenthesis", "rollout", base, sft,
                   "--samples", path, "--reward", "regex:(");
    free(path);
}

/* Ids are decoded for whoever looks at texts. */
static void ids_are_texts_for_rewards(void **state) {
    (void)state;
    cJSON *tree = RUN_JSON(
        "rollout", base, sft, "--samples", samples, "--reward-command",
        "awk '/\"prompt\": \"[^\"]+\", \"response\": \"[^\"]+\", \"answer\": null/ {print 1; next} {print 0}'");
    assert_true(read_number(tree, "mean_reward") == 1.0);
    assert_true(read_number(tree, "mixed_share") == 0.0);
    cJSON_Delete(tree);
}

/* Without a mixed group there is nothing to learn: every gradient is zero, which is said, and no figure is missing. */
static void without_a_mixed_group_nothing_is_learned(void **state) {
    (void)state;
    scratch_write_text("sure.jsonl",
                       "{\"prompt_ids\": [5, 6], \"response_ids\": [7], \"reward\": 1}\n"
                       "{\"prompt_ids\": [5, 6], \"response_ids\": [8], \"reward\": 1}\n");
    char *path = scratch_path("sure.jsonl");
    cJSON *tree = RUN_JSON("rollout", base, sft, "--samples", path, "--gradient", "--quiet");
    const cJSON *fused = json_find(json_find(tree, "states"), "fused");
    assert_true(read_number(fused, "gradient_norm") == 0.0);
    assert_true(read_number(fused, "surrogate_loss") == 0.0);
    assert_true(read_number(json_find(fused, "weight_norm"), "lm_head.weight") > 1.0);
    cJSON_Delete(tree);
    PROGRAM_EXPECT(0, "no prompt has answers that earn differently", "rollout", base, sft, "--samples", path,
                   "--gradient");
    free(path);
}

/* With a reset W is another than at the same alpha without; base and SFT stay. */
static void a_reset_changes_w_alone(void **state) {
    (void)state;
    char *rows = few_rows();
    cJSON *without = RUN_JSON("rollout", base, sft, "--samples", samples, "--gradient"),
          *with = RUN_JSON("rollout", base, sft, "--samples", samples, "--gradient", "--rho", "2%",
                           "--calibration", rows);
    for (size_t i = 0; i < 3; i++) {
        double before = read_number(json_find(json_find(without, "states"), STATES[i]), "gradient_norm"),
               after = read_number(json_find(json_find(with, "states"), STATES[i]), "gradient_norm");
        assert_int_equal(before != after, i == 2);
    }
    assert_true(read_number(json_find(with, "dials"), "rho") == 0.02);
    cJSON_Delete(without);
    cJSON_Delete(with);
    free(rows);
}

/* ---- mixtures of experts ---- */

static cJSON *run_experts(const char *text, bool is_text, ProgramResult *result) {
    char *own_base = golden_path("golden/blocks/%s/%s", "experts-gated", "base"),
         *own_sft = golden_path("golden/blocks/%s/%s", "experts-gated", "sft"),
         *path = scratch_path("experts.jsonl");
    scratch_write_text("experts.jsonl", text);
    cJSON *tree = NULL;
    if (is_text)
        *result = PROGRAM_RUN("rollout", own_base, own_sft, "--samples", path, "--gradient");
    else
        tree = RUN_JSON("rollout", own_base, own_sft, "--samples", path, "--gradient");
    free(own_base);
    free(own_sft);
    free(path);
    return tree;
}

/* Its matrices have no biases and one layer has experts: squares of experts add up to those of the module, and to what the
 * layer's line says of them. */
static void experts_add_up_to_their_module_and_their_layer(void **state) {
    (void)state;
    cJSON *tree = run_experts(
        "{\"prompt_ids\": [5, 6], \"response_ids\": [7], \"reward\": 1}\n"
        "{\"prompt_ids\": [5, 6], \"response_ids\": [8, 9], \"reward\": 0}\n",
        false, NULL);
    const cJSON *row, *line = json_find(tree, "expert_layers")->child;
    double squares = 0.0, largest = 0.0, untouched = 0.0;
    cJSON_ArrayForEach(row, json_find(tree, "experts")) {
        double norm = read_number(row, "gradient_fused");
        squares += norm * norm;
        largest = fmax(largest, norm * norm);
        untouched += norm == 0.0;
        assert_true(read_number(row, "weight_fused") > 0.0);
    }
    assert_true(squares > 0.0);
    cJSON_ArrayForEach(row, json_find(tree, "modules")) {
        if (strcmp(json_get_text(row, "module", ""), "expert") == 0)
            expect_near(sqrt(squares), read_number(row, "gradient_fused"), 1e-12, "the module");
    }
    assert_null(line->next);
    assert_true(read_number(line, "experts") == cJSON_GetArraySize(json_find(tree, "experts")));
    assert_true(read_number(line, "untouched_fused") == untouched);
    expect_near(read_number(line, "largest_share_fused"), largest / squares, 1e-12, "the largest share");
    cJSON_Delete(tree);
}

static void where_experts_learn_nothing_none_has_the_largest_share(void **state) {
    (void)state;
    ProgramResult result;
    (void)run_experts(
        "{\"prompt_ids\": [5, 6], \"response_ids\": [7], \"reward\": 1}\n"
        "{\"prompt_ids\": [5, 6], \"response_ids\": [8], \"reward\": 1}\n",
        true, &result);
    assert_int_equal(result.status, 0);
    const char *experts = strstr(result.output, "\nExperts: ");
    assert_non_null(experts);
    assert_null(strstr(experts, "nan"));
    assert_non_null(strstr(experts, "  -  -\n"));
    program_free(&result);
}

/* ---- other forms, and mistakes ---- */

static void csv_has_samples_or_tensors(void **state) {
    (void)state;
    ProgramResult result = PROGRAM_RUN("rollout", base, sft, "--samples", samples, "--csv");
    assert_int_equal(result.status, 0);
    assert_ptr_equal(
        strstr(result.output, "prompt,sample,reward,advantage,response_tokens,log_probability_base,"),
        result.output);
    size_t lines = 0;
    for (const char *at = result.output; (at = strchr(at, '\n')) != NULL; at++) lines++;
    assert_int_equal(lines, 1 + 96);
    program_free(&result);
    result = PROGRAM_RUN("rollout", base, sft, "--samples", samples, "--csv", "--gradient");
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.output, "\nmodel.layers.5.mlp.down_proj.weight,5,down,"));
    program_free(&result);
}

static void mistakes_are_told_before_anything_is_read(void **state) {
    (void)state;
    PROGRAM_EXPECT(2, "expected --samples FILE", "rollout", base, sft);
    PROGRAM_EXPECT(2, "--reward and --reward-command exclude each other", "rollout", base, sft, "--samples",
                   samples, "--reward", "exact", "--reward-command", "cat");
    PROGRAM_EXPECT(2, "--reward-timeout is for --reward-command", "rollout", base, sft, "--samples", samples,
                   "--reward-timeout", "5");
    PROGRAM_EXPECT(2, "expected exact, number, boxed or regex:EXPR", "rollout", base, sft, "--samples",
                   samples, "--reward", "right");
    PROGRAM_EXPECT(2, "--samples and --calibration cannot both be standard input", "rollout", base, sft,
                   "--samples", "-", "--calibration", "-", "--rho", "1%");
    PROGRAM_EXPECT(2, "/nowhere", "rollout", base, sft, "--samples", "/nowhere");
    PROGRAM_EXPECT(2, "prompt 0 has no answer to compare with", "rollout", base, sft, "--samples", samples,
                   "--reward", "number");
}

static void samples_come_through_a_pipe(void **state) {
    (void)state;
    static const char LINES[] =
        "{\"prompt_ids\": [5, 6], \"response_ids\": [7], \"reward\": 1}\n"
        "{\"prompt_ids\": [5, 6], \"response_ids\": [8], \"reward\": 0}\n";
    ProgramResult result =
        program_run_with((const char *const[]){"rollout", base, sft, "--samples", "-", "--json", NULL}, LINES,
                         sizeof LINES - 1);
    assert_int_equal(result.status, 0);
    cJSON *tree = program_json(&result);
    assert_string_equal(json_get_text(tree, "source", ""), "-");
    assert_true(read_number(tree, "mixed_share") == 1.0);
    cJSON_Delete(tree);
    program_free(&result);
}

/* The command would answer in an hour. */
static void interrupted_it_ends_with_130_and_kills_the_command(void **state) {
    (void)state;
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    const char *const arguments[] = {
        "rollout",          base,   sft, "--samples", samples, "--reward-command", "sleep 3600",
        "--reward-timeout", "3600", NULL};
    pid_t child = program_start(arguments, -1, fileno(out), fileno(err));
    program_interrupt(child, SIGINT);
    assert_int_equal(program_wait(child), 130);
    size_t bytes;
    free(program_read(out, &bytes));
    assert_int_equal(bytes, 0);
    free(program_read(err, &bytes));
}

/* ---- sampling ---- */

static char *prompts(void) {
    return golden_path("%s/%s", "demo", "calibration.jsonl");
}

/* One seed, one set of samples; written and read again, they are worth the same. */
static void samples_are_drawn_written_and_read_again(void **state) {
    (void)state;
    char *rows = prompts(), out[] = "/tmp/rejuv-samples-XXXXXX";
    int descriptor = mkstemp(out);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    cJSON *drawn =
        RUN_JSON("rollout", base, sft, "--quiet", "--prompts", rows, "--rows", "4", "-k", "3", "--reward",
                 "number", "--max-tokens", "24", "--seed", "3", "--side-by-side", "7", "--out", out);
    cJSON *again = RUN_JSON("rollout", base, sft, "--quiet", "--prompts", rows, "--rows", "4", "-k", "3",
                            "--reward", "number", "--max-tokens", "24", "--seed", "3");
    cJSON *read = RUN_JSON("rollout", base, sft, "--samples", out, "--seed", "3");
    assert_int_equal((int)read_number(drawn, "prompts"), 4);
    assert_int_equal((int)read_number(drawn, "samples"), 3);
    assert_string_equal(json_get_text(json_find(drawn, "sampling"), "from", ""), "fused");
    expect_numbers(json_find(read, "pass_at"), json_find(drawn, "pass_at"), 1e-12);
    expect_numbers(json_find(again, "pass_at"), json_find(drawn, "pass_at"),
                   1e-12); /* whoever grows beside whom */
    expect_near(read_number(read, "response_length"), read_number(drawn, "response_length"), 1e-12, "length");
    expect_near(read_number(again, "response_length"), read_number(drawn, "response_length"), 1e-12,
                "length");
    assert_true(read_number(drawn, "repeated_share") < 1.0);
    cJSON_Delete(drawn);
    cJSON_Delete(again);
    cJSON_Delete(read);
    assert_int_equal(unlink(out), 0);
    free(rows);
}

/* Without chance every answer is the most likely one: what preview continues with. */
static void a_cold_sample_is_what_preview_continues_with(void **state) {
    (void)state;
    char *rows = prompts(), out[] = "/tmp/rejuv-samples-XXXXXX", *text;
    int descriptor = mkstemp(out);
    size_t bytes;
    Error error;
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    cJSON *drawn =
        RUN_JSON("rollout", base, sft, "--quiet", "--prompts", rows, "--rows", "1", "-k", "2", "--reward",
                 "number", "--temperature", "0", "--from", "sft", "--max-tokens", "60", "--out", out);
    assert_true(read_number(drawn, "repeated_share") == 0.5); /* the second is the first again */
    if (json_read_text(out, 1 << 20, &text, &bytes, &error) != STATUS_OK) fail_msg("%s", error.message);
    *strchr(text, '\n') = '\0';
    cJSON *sample = cJSON_Parse(text);
    assert_non_null(sample);
    const char *prompt = json_get_text(sample, "prompt_text", NULL);
    assert_non_null(prompt);
    cJSON *preview = RUN_JSON("preview", base, sft, "--prompt", prompt, "--continue", "60", "--from", "sft");
    const cJSON *expected = json_find(json_find(preview, "continuation"), "ids"),
                *ids = json_find(sample, "response_ids");
    assert_true(cJSON_GetArraySize(ids) > 5 && cJSON_Compare(ids, expected, true));
    cJSON_Delete(preview);
    cJSON_Delete(sample);
    cJSON_Delete(drawn);
    free(text);
    assert_int_equal(unlink(out), 0);
    free(rows);
}

static void each_state_samples_where_all_are_asked_for(void **state) {
    (void)state;
    char *rows = prompts();
    cJSON *tree =
        RUN_JSON("rollout", base, sft, "--quiet", "--prompts", rows, "--rows", "2", "-k", "3", "--reward",
                 "number", "--from", "all", "--max-tokens", "48", "--top-p", "0.9", "--top-k", "20");
    const cJSON *sampled = json_find(tree, "sampled");
    for (size_t i = 0; i < 3; i++) {
        const cJSON *own = json_find(sampled, STATES[i]);
        assert_true(read_number(own, "avg_at_k") >= 0.0 && read_number(own, "response_length") > 1.0);
        assert_non_null(json_find(json_find(own, "standard_error"), "pass_at"));
    }
    expect_near(read_number(json_find(sampled, "fused"), "response_length"),
                read_number(tree, "response_length"), 1e-12, "what follows is of W's");
    assert_true(read_number(json_find(sampled, "base"), "response_length") !=
                read_number(json_find(sampled, "sft"), "response_length"));
    cJSON_Delete(tree);
    free(rows);
}

static void sampling_says_what_it_needs(void **state) {
    (void)state;
    char *rows = prompts();
    PROGRAM_EXPECT(2, "expected --reward or --reward-command", "rollout", base, sft, "--prompts", rows);
    PROGRAM_EXPECT(2, "--samples and --prompts exclude each other", "rollout", base, sft, "--prompts", rows,
                   "--samples", samples);
    PROGRAM_EXPECT(2, "--top-k says how to sample --prompts, which is missing", "rollout", base, sft,
                   "--samples", samples, "--top-k", "3");
    PROGRAM_EXPECT(2, "--out writes the samples of one state", "rollout", base, sft, "--prompts", rows,
                   "--reward", "number", "--from", "all", "--out", "/tmp/never");
    PROGRAM_EXPECT(2, "no_such_file", "rollout", base, sft, "--prompts", "no_such_file", "--reward",
                   "number");
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_is_the_golden_one),
        cmocka_unit_test(what_is_written_gives_the_same_figures),
        cmocka_unit_test(rewards_are_those_that_are_asked_for),
        cmocka_unit_test(ids_are_texts_for_rewards),
        cmocka_unit_test(without_a_mixed_group_nothing_is_learned),
        cmocka_unit_test(a_reset_changes_w_alone),
        cmocka_unit_test(experts_add_up_to_their_module_and_their_layer),
        cmocka_unit_test(where_experts_learn_nothing_none_has_the_largest_share),
        cmocka_unit_test(csv_has_samples_or_tensors),
        cmocka_unit_test(mistakes_are_told_before_anything_is_read),
        cmocka_unit_test(samples_come_through_a_pipe),
        cmocka_unit_test(interrupted_it_ends_with_130_and_kills_the_command),
        cmocka_unit_test(samples_are_drawn_written_and_read_again),
        cmocka_unit_test(a_cold_sample_is_what_preview_continues_with),
        cmocka_unit_test(each_state_samples_where_all_are_asked_for),
        cmocka_unit_test(sampling_says_what_it_needs),
    };
    return cmocka_run_group_tests(tests, open_samples, close_samples);
}
