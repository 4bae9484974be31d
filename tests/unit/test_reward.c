/*
 * What answers earn: by rule, and by a command, whatever it does.
 */
#include "core/readiness/reward.h"
#include "core/readiness/reward_command.h"
#include "core/readiness/reward_number.h"
#include "scratch.h"

#include <math.h>
#include <signal.h>
#include <time.h>

static double measure(const char *rule, const char *response, const char *answer) {
    Reward *reward;
    Error error = {0};
    double value = NAN;
    if (reward_open(rule, &reward, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (reward_measure(reward, response, answer, &value, &error) != STATUS_OK) fail_msg("%s", error.message);
    reward_free(reward);
    return value;
}

static void expect(const char *rule, const char *response, const char *answer, double value) {
    double found = measure(rule, response, answer);
    if (found != value)
        fail_msg("%s: \"%s\" for \"%s\" earns %g, expected %g", rule, response, answer, found, value);
}

/* ---- rules ---- */

static void numbers_are_worth_what_they_say(void **unused) {
    (void)unused;
    static const struct {
        const char *response, *answer;
        double value;
    } CASES[] = {
        {"The total is 1,234.", "1234", 1.0},
        {"so 3.50", "3.5", 1.0},
        {"\xe2\x88\x92"
         "5",
         "-5", 1.0},
        {"it is -5.",
         "\xe2\x88\x92"
         "5",
         1.0},
        {"10-5", "5", 1.0}, /* a difference, no sign */
        {"10 - 5", "-5", 0.0},
        {"x=-5", "-5", 1.0},
        {"first 7, then 8", "7", 0.0},
        {"#### 42", "#### 42", 1.0},
        {"$18", "18", 1.0},
        {"18.00 dollars", "18", 1.0},
        {"007", "7", 1.0},
        {"0.0", "-0", 1.0},
        {".5", "0.5", 1.0},
        {"1,2", "2", 1.0}, /* two numbers: no group of three */
        {"1,234,567.80", "1234567.8", 1.0},
        {"1,234,56", "56", 1.0},
        {"12345678901234567890", "12345678901234567891", 0.0}, /* digits, not doubles */
        {"1e3", "1000", 1.0},
        {"2.5E-1", "0.25", 1.0},
        {"no number", "5", 0.0},
        {"5", "none", 0.0},
        {"5", "5.01", 0.0},
        {"50", "5", 0.0},
        {"", "", 0.0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        expect("number", CASES[i].response, CASES[i].answer, CASES[i].value);
}

static void exact_is_the_whole_response(void **unused) {
    (void)unused;
    expect("exact", "  Paris\n", "Paris", 1.0);
    expect("exact", "Paris.", "Paris", 0.0);
    expect("exact", "", "", 1.0);
}

static void the_last_box_counts_with_the_braces_in_it(void **unused) {
    (void)unused;
    expect("boxed", "so \\boxed{\\frac{1}{2}} it is", "\\frac{1}{2}", 1.0);
    expect("boxed", "\\boxed{1} no, \\boxed{2}", "2", 1.0);
    expect("boxed", "\\boxed{1} no, \\boxed{2}", "1", 0.0);
    expect("boxed", "\\boxed{1,234}", "1234", 1.0);
    expect("boxed", "\\boxed{ $5.00 }", "5", 1.0);
    expect("boxed", "\\boxed{x = 5}", "5", 0.0);
    expect("boxed", "\\boxed {a}", "a", 1.0);
    expect("boxed", "\\fbox{a}", "a", 1.0);
    expect("boxed", "\\boxed{\\{1\\}}", "\\{1\\}", 1.0); /* braces that are shown */
    expect("boxed", "\\boxed{a", "a", 0.0);              /* cut off */
    expect("boxed", "\\boxed{7} and \\boxed{a", "7", 1.0);
    expect("boxed", "\\boxed{\\boxed{3}}", "3", 1.0);
    expect("boxed", "5", "5", 0.0);
    expect("boxed", "\\boxed{5}", "we find \\boxed{5.0}", 1.0);
}

static void an_expression_finds_its_first_group(void **unused) {
    (void)unused;
    expect("regex:answer: (\\S+)", "answer: 3 … answer: 4", "4", 1.0);
    expect("regex:answer: (\\S+)", "answer: 3 … answer: 4", "3", 0.0);
    expect("regex:(?i)ANSWER:\\s*(.*)", "The answer: 1,000", "1000", 1.0);
    expect("regex:^(\\p{Lu}\\w+)$", "Ä", "Ä", 0.0);
    expect("regex:(?m)^(\\p{Lu}\\w+)$", "x\nÄpfel", "Äpfel", 1.0);
    expect("regex:(a)|b", "ab", "a", 1.0); /* a match without the group finds nothing */
    expect("regex:(x*)", "aaa", "", 0.0);  /* nothing is no find */
    expect("regex:nothing (here)", "words", "words", 0.0);
}

static void a_mistake_in_a_rule_is_named(void **unused) {
    (void)unused;
    static const struct {
        const char *rule, *words;
    } CASES[] = {{"exactly", "expected exact, number, boxed or regex:EXPR, found \"exactly\""},
                 {"regex:(", "missing closing parenthesis, at byte 1"},
                 {"regex:a+", "expected a group"},
                 {"", "found \"\""}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Reward *reward;
        Error error = {0};
        assert_int_equal(reward_open(CASES[i].rule, &reward, &error), STATUS_ARGUMENT);
        assert_null(reward);
        if (strstr(error.message, CASES[i].words) == NULL) fail_msg("%s", error.message);
    }
}

static void an_expression_that_runs_away_is_stopped(void **unused) {
    (void)unused;
    Reward *reward;
    Error error = {0};
    double value;
    assert_int_equal(reward_open("regex:((a+)+)+$", &reward, &error), STATUS_OK);
    assert_int_equal(
        reward_measure(reward, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "a", &value, &error),
        STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "exceeds its limits"));
    reward_free(reward);
}

/* ---- sets ---- */

/* Two prompts of `samples` samples each, with texts. */
static SampleSet make_set(size_t samples) {
    SampleSet set = {0};
    for (size_t g = 0; g < 2; g++) {
        SampleGroup *group;
        assert_int_equal(sample_set_add_group(&set, &group, NULL), STATUS_OK);
        group->prompt = memory_format("prompt \"%zu\"", g);
        group->answer = g == 0 ? memory_format("1") : NULL;
        for (size_t i = 0; i < samples; i++) {
            Sample *sample;
            assert_int_equal(sample_set_add_sample(group, &sample, NULL), STATUS_OK);
            sample->text = memory_format("%zu\n", i);
        }
    }
    return set;
}

static void a_prompt_without_an_answer_is_named(void **unused) {
    (void)unused;
    SampleSet set = make_set(2);
    Reward *reward;
    Error error = {0};
    assert_int_equal(reward_open("number", &reward, &error), STATUS_OK);
    assert_int_equal(reward_apply(reward, &set, NULL, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "prompt 1 has no answer"));
    assert_true(set.groups[0].samples[1].reward == 1.0);
    reward_free(reward);
    sample_set_free(&set);
}

/* ---- commands ---- */

static void expect_command(const char *command, double silence, Status expected, const char *words) {
    SampleSet set = make_set(3);
    Error error = {0};
    Status status = reward_command_apply(command, silence, &set, NULL, &error);
    if (status != expected || (words != NULL && strstr(error.message, words) == NULL))
        fail_msg("%s: %s: %s", command, status_name(status), error.message);
    if (status != STATUS_OK) assert_true(isnan(set.groups[0].samples[0].reward)); /* as it was */
    sample_set_free(&set);
}

static void a_command_gets_a_line_and_gives_a_number(void **unused) {
    (void)unused;
    SampleSet set = make_set(3);
    char *seen = scratch_path("seen"), *command = memory_format("tee '%s' | awk '{print NR / 2}'", seen);
    Error error = {0};
    if (reward_command_apply(command, 60.0, &set, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < 6; i++)
        assert_true(set.groups[i / 3].samples[i % 3].reward == (double)(i + 1) / 2.0);
    FILE *file = fopen(seen, "r");
    char line[256] = "";
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(
        line, "{\"prompt\": \"prompt \\\"0\\\"\", \"response\": \"0\\u000a\", \"answer\": \"1\"}\n");
    for (int i = 0; i < 3; i++) assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line,
                        "{\"prompt\": \"prompt \\\"1\\\"\", \"response\": \"0\\u000a\", \"answer\": null}\n");
    (void)fclose(file);
    free(command);
    free(seen);
    sample_set_free(&set);
}

/* More than pipes hold, answered line by line, or all at the end. */
static void long_conversations_do_not_stand_still(void **unused) {
    (void)unused;
    static const char *const COMMANDS[] = {"while read -r line; do echo 1; done", "sort | sed 's/.*/1/'"};
    for (size_t c = 0; c < sizeof COMMANDS / sizeof *COMMANDS; c++) {
        SampleSet set = make_set(1);
        Error error = {0};
        enum { SAMPLES = 3000 };
        for (size_t i = 0; i < SAMPLES; i++) {
            Sample *sample;
            assert_int_equal(sample_set_add_sample(&set.groups[1], &sample, NULL), STATUS_OK);
            sample->text = memory_format("%0200zu", i);
        }
        if (reward_command_apply(COMMANDS[c], 60.0, &set, NULL, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_true(set.groups[1].samples[SAMPLES].reward == 1.0);
        sample_set_free(&set);
    }
}

static void a_command_that_fails_is_an_error_with_its_line(void **unused) {
    (void)unused;
    expect_command("exit 3", 60.0, STATUS_FORMAT, "line 1: it ended with status 3 before it answered");
    expect_command("echo 1; echo 2", 60.0, STATUS_FORMAT,
                   "line 3: it ended with status 0 before it answered");
    expect_command("cat > /dev/null; for i in 1 2 3 4 5 6; do echo $i; done; exit 7", 60.0, STATUS_FORMAT,
                   "line 6: it ended with status 7 after its answer");
    expect_command("echo 1; kill -SEGV $$", 60.0, STATUS_FORMAT, "line 2: it ended by signal 11");
    expect_command("echo 1; echo yes; cat > /dev/null", 60.0, STATUS_FORMAT,
                   "line 2: expected a number, found \"yes\"");
    expect_command("echo; cat > /dev/null", 60.0, STATUS_FORMAT, "line 1: expected a number, found \"\"");
    expect_command("echo nan; cat > /dev/null", 60.0, STATUS_FORMAT, "line 1: expected a number");
    expect_command("seq 7; cat > /dev/null", 60.0, STATUS_FORMAT, "expected 6 answers, found more: \"7\"");
    expect_command("no-such-program-here 2> /dev/null", 60.0, STATUS_FORMAT,
                   "line 1: it ended with status 127");
    expect_command("printf '1\\n2\\n3\\n4\\n5\\n 6.5 '; cat > /dev/null", 60.0, STATUS_OK,
                   NULL); /* no newline */
}

/* Guards against hangs, in this and in the program: what is waited for is the command's silence itself. */
/* ---- one by one ---- */

static RewardCommand *must_open(const char *command, double silence) {
    RewardCommand *opened;
    Error error = {0};
    if (reward_command_open(command, silence, &opened, &error) != STATUS_OK) fail_msg("%s", error.message);
    return opened;
}

/* An answer is there before the next line is sent: by a command that answers at once. */
static void answers_come_while_others_are_still_drawn(void **unused) {
    (void)unused;
    RewardCommand *command = must_open("while read -r line; do echo \"${#line}\"; done", 60.0);
    Error error = {0};
    double reward;
    assert_false(reward_command_take(command, &reward));
    if (reward_command_send(command, "p", "r", "a", NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (int i = 0; !reward_command_take(command, &reward); i++) { /* it may take its time */
        if (i == 2000) fail_msg("no answer");
        const struct timespec while_it_works = {.tv_nsec = 5000000};
        (void)nanosleep(&while_it_works, NULL);
        if (reward_command_poll(command, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    }
    assert_true(reward == (double)strlen("{\"prompt\": \"p\", \"response\": \"r\", \"answer\": \"a\"}"));
    assert_int_equal(reward_command_send(command, "p", "rr", NULL, NULL, &error), STATUS_OK);
    assert_int_equal(reward_command_end(command, NULL, &error), STATUS_OK);
    assert_true(reward_command_take(command, &reward));
    assert_true(reward == (double)strlen("{\"prompt\": \"p\", \"response\": \"rr\", \"answer\": null}"));
    assert_false(reward_command_take(command, &reward));
    reward_command_close(command);
}

/* One that waits for the end of its input answers there. */
static void a_command_that_waits_for_the_end_gets_it(void **unused) {
    (void)unused;
    RewardCommand *command = must_open("cat > /dev/null; seq 3", 60.0);
    Error error = {0};
    double reward, sum = 0.0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(reward_command_send(command, "p", "r", "a", NULL, &error), STATUS_OK);
    if (reward_command_end(command, NULL, &error) != STATUS_OK) fail_msg("%s", error.message);
    while (reward_command_take(command, &reward)) sum = 10.0 * sum + reward;
    assert_true(sum == 123.0);
    reward_command_close(command);
}

/* What a crash said is in the message. */
static void a_command_that_fails_one_by_one_says_why(void **unused) {
    (void)unused;
    static const struct {
        const char *command, *words, *said;
        double silence;
    } FAILURES[] = {
        {"read line; echo 'Traceback' >&2; echo 'KeyError: 7' >&2; exit 1",
         "line 1: it ended with status 1 before it answered", "; it said \"KeyError: 7\"", 60.0},
        {"read line; echo maybe", "line 1: expected a number, found \"maybe\"", "", 60.0},
        {"echo 'loading' >&2; sleep 1000", "line 1: it has been silent for 0.2 seconds",
         "it said \"loading\"", 0.2},
        {"exec no-such-program-here", "line 1: it ended with status 127", "no-such-program-here", 60.0},
    };
    for (size_t i = 0; i < sizeof FAILURES / sizeof *FAILURES; i++) {
        RewardCommand *command = must_open(FAILURES[i].command, FAILURES[i].silence);
        Error error = {0};
        Status status = reward_command_send(command, "p", "r", "a", NULL, &error);
        if (status == STATUS_OK) status = reward_command_end(command, NULL, &error);
        assert_int_equal(status, STATUS_FORMAT);
        if (strstr(error.message, FAILURES[i].words) == NULL ||
            strstr(error.message, FAILURES[i].said) == NULL)
            fail_msg("%s: %s", FAILURES[i].command, error.message);
        reward_command_close(command);
    }
}

static void a_silent_command_is_an_error_with_its_line(void **unused) {
    (void)unused;
    expect_command("echo 1; sleep 1000", 0.2, STATUS_FORMAT, "line 2: it has been silent for 0.2 seconds");
    expect_command("cat > /dev/null; exec > /dev/null; sleep 1000", 0.2, STATUS_FORMAT, "silent");
    expect_command("trap '' TERM INT; sleep 1000", 0.2, STATUS_FORMAT, "line 1: it has been silent");
}

static void cancel_at_report(void *user, JobProgress progress) {
    (void)progress;
    job_cancel(*(Job **)user);
}

static bool still_sleeps(int child) {
    char path[64], stat[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", child);
    FILE *facts = fopen(path, "r");
    if (facts == NULL) return false;
    bool is_read = fgets(stat, sizeof stat, facts) != NULL;
    (void)fclose(facts);
    return is_read && strstr(stat, ") Z ") == NULL && strstr(stat, ") X ") == NULL &&
           strstr(stat, "sleep") != NULL;
}

static void a_cancelled_job_kills_the_command_and_what_it_started(void **unused) {
    (void)unused;
    SampleSet set = make_set(3);
    Job *job;
    Error error = {0};
    char *mark = scratch_path("mark"), *command = memory_format("(sleep 1000 & echo $! > '%s'; wait)", mark);
    assert_int_equal(job_create(1, cancel_at_report, &job, &job, NULL), STATUS_OK);
    assert_int_equal(reward_command_apply(command, 60.0, &set, job, &error), STATUS_CANCELLED);
    FILE *file = fopen(mark, "r"); /* it may have been killed before it got so far */
    int child = 0;
    if (file != NULL && fscanf(file, "%d", &child) == 1 && child > 0) {
        for (int i = 0; still_sleeps(child); i++) { /* a signal takes its time to be heeded */
            const struct timespec a_moment = {.tv_nsec = 1000000};
            if (i == 10000) fail_msg("process %d still runs", child);
            (void)nanosleep(&a_moment, NULL);
        }
    }
    if (file != NULL) (void)fclose(file);
    job_free(job);
    free(command);
    free(mark);
    sample_set_free(&set);
}

static volatile sig_atomic_t pipes_broken;

static void count_pipe(int signal_number) {
    (void)signal_number;
    pipes_broken++;
}

/* Whoever watches its own output by SIGPIPE is not told of another pipe. */
static void a_command_that_stops_reading_sends_no_signal(void **unused) {
    (void)unused;
    struct sigaction action = {.sa_handler = count_pipe}, before;
    assert_int_equal(sigaction(SIGPIPE, &action, &before), 0);
    SampleSet set = make_set(1);
    Error error = {0};
    for (size_t i = 0; i < 2000; i++) {
        Sample *sample;
        assert_int_equal(sample_set_add_sample(&set.groups[1], &sample, NULL), STATUS_OK);
        sample->text = memory_format("%0200zu", i);
    }
    assert_int_equal(reward_command_apply("exec < /dev/null; echo 1", 60.0, &set, NULL, &error),
                     STATUS_FORMAT);
    assert_non_null(strstr(error.message, "line 2: it ended with status 0 before it answered"));
    assert_int_equal(pipes_broken, 0);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
    sample_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_worth_what_they_say),
        cmocka_unit_test(exact_is_the_whole_response),
        cmocka_unit_test(the_last_box_counts_with_the_braces_in_it),
        cmocka_unit_test(an_expression_finds_its_first_group),
        cmocka_unit_test(a_mistake_in_a_rule_is_named),
        cmocka_unit_test(an_expression_that_runs_away_is_stopped),
        cmocka_unit_test(a_prompt_without_an_answer_is_named),
        cmocka_unit_test(a_command_gets_a_line_and_gives_a_number),
        cmocka_unit_test(long_conversations_do_not_stand_still),
        cmocka_unit_test(a_command_that_fails_is_an_error_with_its_line),
        cmocka_unit_test(answers_come_while_others_are_still_drawn),
        cmocka_unit_test(a_command_that_waits_for_the_end_gets_it),
        cmocka_unit_test(a_command_that_fails_one_by_one_says_why),
        cmocka_unit_test(a_silent_command_is_an_error_with_its_line),
        cmocka_unit_test(a_cancelled_job_kills_the_command_and_what_it_started),
        cmocka_unit_test(a_command_that_stops_reading_sends_no_signal),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
