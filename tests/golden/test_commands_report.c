/*
 * `rejuv report` on the demo pair: its numbers are those of the commands beside them, its figures those of the figure
 * commands byte for byte, and what it does with mistakes, other people's files and signals.
 */
#include "tests/golden/commands.h"
#include "tests/unit/xml_check.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* As little as shows everything: nine rows, coarse ranges. */
#define LITTLE                                                                                               \
    "--sweep", "0:1:3", "--line", "0:1:3", "--plane", "-0.2:0.2:3", "--directions", "2", "--rows", "3", "-q"

static char *rows, *samples;

static int open_rows(void **state) {
    enum { ROWS = 9 };
    int result = open_demo(state);
    char *text, *end;
    size_t bytes;
    Error error = {0};
    if (json_read_text(calibration, 64 << 20, &text, &bytes, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    end = text;
    for (int i = 0; i < ROWS; i++) end = strchr(end, '\n') + 1;
    *end = '\0';
    scratch_write_text("rows.jsonl", text);
    free(text);
    rows = scratch_path("rows.jsonl");
    samples = golden_path("golden/readiness/%s/%s", "demo", "samples.jsonl");
    return result;
}

static int close_rows(void **state) {
    free(rows);
    free(samples);
    return close_demo(state);
}

static char *run_text(const char *const *arguments) {
    ProgramResult result = program_run_with(arguments, NULL, 0);
    if (result.status != 0 || result.errors_bytes > 0)
        fail_msg("status %d: %s", result.status, result.errors);
    free(result.errors);
    return result.output;
}

#define RUN_TEXT(...) run_text((const char *const[]){__VA_ARGS__, NULL})

static const cJSON *section_of(const cJSON *report, const char *key) {
    const cJSON *section = json_find(json_find(report, "sections"), key);
    if (section == NULL) fail_msg("there is no section \"%s\"", key);
    return section;
}

static const cJSON *rows_of(const cJSON *report, const char *section, const char *table) {
    const cJSON *found = json_find(json_find(section_of(report, section), "tables"), table);
    if (found == NULL) fail_msg("there is no table \"%s\"", table);
    return json_find(found, "rows");
}

/* The row whose member `key` is `value`. */
static const cJSON *find_row(const cJSON *list, const char *key, const char *value) {
    const cJSON *row;
    cJSON_ArrayForEach(row, list) if (strcmp(json_get_text(row, key, ""), value) == 0) return row;
    fail_msg("no row with %s \"%s\"", key, value);
    return NULL;
}

static void expect_equal(double found, double expected, const char *what) {
    bool is_equal = found == expected || (isnan(found) && isnan(expected));
    if (!is_equal) fail_msg("%s: expected %.17g, found %.17g", what, expected, found);
}

/* ---- numbers ---- */

static void expect_outputs(const cJSON *report, const cJSON *sweep) {
    static const struct {
        const char *label, *key;
    } FIGURES[] = {
        {"entropy (nat)", "entropy"}, {"top-1 > 0.99", "confident"}, {"KL to base (nat)", "kl_base"}};
    static const char *const MODELS[] = {"base", "sft", "fused"};
    for (size_t i = 0; i < sizeof FIGURES / sizeof *FIGURES; i++) {
        const cJSON *row = find_row(rows_of(report, "output", "output"), "figure", FIGURES[i].label);
        for (size_t model = 0; model < 3; model++)
            expect_equal(
                read_number(row, MODELS[model]),
                read_number(find_row(json_find(sweep, "points"), "model", MODELS[model]), FIGURES[i].key),
                FIGURES[i].label);
    }
}

static void numbers_are_those_of_the_commands(void **unused) {
    (void)unused;
    cJSON *report = RUN_JSON("report", base, sft, "-c", rows, "--alpha", "0.4", "--rho", "2%", LITTLE);
    cJSON *sweep = RUN_JSON("sweep", base, sft, "-c", rows, "--alpha", "0.4", "--rho", "2%", "-q");
    cJSON *around = RUN_JSON("landscape", base, sft, "-c", rows, "--alpha", "0.4", "--rho", "2%", "--rows",
                             "3", "--sharpness", "0.1", "--directions", "2", "-q");
    cJSON *drift = RUN_JSON("drift", base, sft, "-q");
    expect_outputs(report, sweep);
    const cJSON *sharpness = find_row(rows_of(report, "landscape", "sharpness"), "model", "W"),
                *fused = json_find(json_find(around, "sharpness"), "fused");
    expect_equal(read_number(sharpness, "loss"), read_number(fused, "loss"), "loss");
    expect_equal(read_number(sharpness, "mean_curvature"), read_number(fused, "mean_curvature"), "curvature");
    expect_equal(read_number(rows_of(report, "drift", "drift")->child, "relative_norm"),
                 read_number(json_find(drift, "all"), "relative_norm"), "relative_norm");
    assert_int_equal(cJSON_GetArraySize(rows_of(report, "sweep", "sweep")), 3);
    assert_true(read_number(json_find(report, "dials"), "alpha") == 0.4);
    /* differences of averages are averages of differences */
    const cJSON *verdict = find_row(rows_of(report, "verdict", "verdict"), "rule", "sft_entropy");
    const cJSON *points = json_find(sweep, "points");
    double difference = read_number(find_row(points, "model", "sft"), "entropy") -
                        read_number(find_row(points, "model", "base"), "entropy");
    assert_true(fabs(read_number(verdict, "value") - difference) < 1e-12);
    assert_string_equal(json_get_text(verdict, "outcome", ""), "lower"); /* the demo pair is over-trained */
    assert_non_null(strstr(json_get_text(section_of(report, "verdict"), "lead", ""), "over-confidence"));
    cJSON_Delete(report);
    cJSON_Delete(sweep);
    cJSON_Delete(around);
    cJSON_Delete(drift);
}

static void samples_are_scored_as_rollout_scores_them(void **unused) {
    (void)unused;
    cJSON *report = RUN_JSON("report", base, sft, "-c", rows, "--samples", samples, "--gradient", "--skip",
                             "landscape", "--skip", "sweep", "--skip", "spectra", "--skip", "dormancy", "-q");
    cJSON *rollout = RUN_JSON("rollout", base, sft, "--samples", samples, "--gradient", "-q");
    const cJSON *states = json_find(rollout, "states"), *sft_state = json_find(states, "sft");
    const cJSON *row = find_row(rows_of(report, "readiness", "states"), "state", "sft");
    expect_equal(read_number(row, "entropy"), read_number(sft_state, "entropy"), "entropy");
    expect_equal(
        read_number(find_row(rows_of(report, "verdict", "verdict"), "rule", "samples_mixed"), "value"),
        read_number(rollout, "mixed_share"), "mixed_share");
    assert_null(json_find(json_find(report, "sections"), "landscape"));
    cJSON_Delete(report);
    cJSON_Delete(rollout);
    PROGRAM_EXPECT(2, "--gradient is for --samples", "report", base, sft, "-c", rows, "--gradient");
}

#define QUICK "--skip", "landscape", "--skip", "sweep", "--skip", "spectra", "--skip", "dormancy", "-q"

static void prompts_are_answered_as_rollout_answers_them(void **unused) {
    (void)unused;
    cJSON *report = RUN_JSON("report", base, sft, "-c", rows, "--prompts", rows, "-k", "3", "--max-tokens",
                             "8", "--reward", "number", "--from", "all", "--seed", "5", QUICK);
    cJSON *rollout = RUN_JSON("rollout", base, sft, "--prompts", rows, "-k", "3", "--max-tokens", "8",
                              "--reward", "number", "--from", "all", "--seed", "5", "-q");
    static const char *const STATES[] = {"base", "sft", "fused"};
    for (size_t i = 0; i < 3; i++) {
        const cJSON *row = find_row(rows_of(report, "readiness", "drawn"), "state", STATES[i]);
        const cJSON *state = json_find(json_find(rollout, "sampled"), STATES[i]);
        expect_equal(read_number(row, "avg_at_k"), read_number(state, "avg_at_k"), "avg_at_k");
        expect_equal(read_number(row, "response_length"), read_number(state, "response_length"), "length");
    }
    const cJSON *row = find_row(rows_of(report, "readiness", "states"), "state", "sft");
    expect_equal(read_number(row, "entropy"),
                 read_number(json_find(json_find(rollout, "states"), "sft"), "entropy"), "entropy");
    cJSON_Delete(report);
    cJSON_Delete(rollout);
    PROGRAM_EXPECT(2, "expected --reward or --reward-command", "report", base, sft, "-c", rows, "--prompts",
                   rows);
    PROGRAM_EXPECT(2, "--samples-per-prompt says how to sample --prompts", "report", base, sft, "-c", rows,
                   "-k", "3");
}

static void spectra_stand_beside_noise(void **unused) {
    (void)unused;
    cJSON *report = RUN_JSON("report", base, sft, "-c", rows, "--skip", "landscape", "--skip", "sweep",
                             "--skip", "dormancy", "-q");
    cJSON *drift = RUN_JSON("drift", base, sft, "--spectrum", "-q");
    const cJSON *row;
    size_t count = 0;
    cJSON_ArrayForEach(row, rows_of(report, "spectra", "shapes")) {
        const cJSON *tensor =
            find_row(json_find(drift, "tensors"), "tensor", json_get_text(row, "tensor", ""));
        const cJSON *noise = json_find(tensor, "noise"), *tail = json_find(tensor, "tail");
        expect_equal(read_number(row, "noise_edge"), read_number(noise, "edge"), "edge");
        expect_equal(read_number(row, "above_noise"), read_number(noise, "above"), "above");
        expect_equal(read_number(row, "tail_exponent"), read_number(tail, "exponent"), "exponent");
        expect_equal(read_number(row, "tail_of_noise"), read_number(tail, "of_noise"), "of_noise");
        assert_true(read_number(noise, "limit") > read_number(noise, "edge"));
        count++;
    }
    assert_int_equal(count, 4);
    cJSON_Delete(report);
    cJSON_Delete(drift);
}

/* ---- what a model does not have ---- */

/* Ids for a model without a tokenizer. */
static char *write_ids(void) {
    scratch_write_text("ids.jsonl",
                       "{\"prompt_ids\": [5, 6, 7], \"response_ids\": [8, 9]}\n"
                       "{\"prompt_ids\": [9, 6, 7], \"response_ids\": [8, 4, 9]}\n");
    return scratch_path("ids.jsonl");
}

/* Neurons of experts, where they are not known, take their section and nothing else with them. */
static void a_part_that_a_model_does_not_have_is_left_out_with_its_reason(void **unused) {
    (void)unused;
    char *ids = write_ids(), *of_base = golden_path("golden/experts/%s/%s", "qwen3_moe", "base"),
         *of_sft = golden_path("golden/experts/%s/%s", "qwen3_moe", "sft");
    ProgramResult neurons =
        program_run_with((const char *const[]){"neurons", of_base, of_sft, "-c", ids, "-q", NULL}, NULL, 0);
    cJSON *report = RUN_JSON("report", of_base, of_sft, "-c", ids, LITTLE);
    const cJSON *dormancy = section_of(report, "dormancy");
    assert_int_equal(cJSON_GetArraySize(json_find(dormancy, "tables")) == 0, neurons.status != 0);
    if (neurons.status != 0)
        assert_non_null(strstr(cJSON_GetArrayItem(json_find(dormancy, "text"), 0)->valuestring,
                               "This part is left out: "));
    assert_int_equal(cJSON_GetArraySize(rows_of(report, "landscape", "sharpness")), 3);
    cJSON_Delete(report);
    program_free(&neurons);
    free(ids);
    free(of_base);
    free(of_sft);
}

static void link_unknown(const char *from, const char *name) {
    char *made = scratch_path(name), *config = memory_format("%s/config.json", made),
         *weights = memory_format("%s/model.safetensors", from),
         *link = memory_format("%s/model.safetensors", made);
    assert_true(config != NULL && weights != NULL && link != NULL);
    assert_int_equal(mkdir(made, 0777), 0);
    assert_int_equal(symlink(weights, link), 0);
    FILE *file = fopen(config, "w");
    assert_non_null(file);
    assert_true(fputs("{\"model_type\": \"never_heard_of\"}\n", file) >= 0 && fclose(file) == 0);
    free(made);
    free(config);
    free(weights);
    free(link);
}

static void of_a_type_that_cannot_be_run_the_weights_are_reported(void **unused) {
    (void)unused;
    char *of_base = scratch_path("unknown-base"), *of_sft = scratch_path("unknown-sft");
    link_unknown(base, "unknown-base");
    link_unknown(sft, "unknown-sft");
    cJSON *report = RUN_JSON("report", of_base, of_sft, "-c", rows, "-q");
    const cJSON *sections = json_find(report, "sections");
    assert_non_null(strstr(json_get_text(section_of(report, "verdict"), "lead", ""), "never_heard_of"));
    assert_null(json_find(sections, "output"));
    assert_null(json_find(sections, "landscape"));
    cJSON *drift = RUN_JSON("drift", base, sft, "-q");
    expect_equal(read_number(rows_of(report, "drift", "drift")->child, "relative_norm"),
                 read_number(json_find(drift, "all"), "relative_norm"), "relative_norm");
    assert_int_equal(cJSON_GetArraySize(rows_of(report, "spectra", "shapes")), 4);
    cJSON_Delete(report);
    cJSON_Delete(drift);
    PROGRAM_EXPECT(2, "never_heard_of", "report", of_base, of_sft, "-c", rows, "--rho", "1%");
    free(of_base);
    free(of_sft);
}

/* Of a pair with itself every difference is nothing; of one row no error is known. */
static void nothing_is_said_that_no_figure_stands_behind(void **unused) {
    (void)unused;
    cJSON *same = RUN_JSON("report", base, base, "-c", rows, LITTLE);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows_of(same, "verdict", "verdict")) {
        const char *outcome = json_get_text(row, "outcome", "");
        bool is_of_directions = strcmp(json_get_text(row, "rule", ""), "fused_curvature") == 0;
        assert_string_equal(outcome, is_of_directions ? "unknown" : "none");
    }
    assert_non_null(strstr(json_get_text(section_of(same, "verdict"), "lead", ""), "neither sign"));
    cJSON_Delete(same);
    scratch_write_text("prompt.txt", "The cat sat\n");
    char *prompt = scratch_path("prompt.txt");
    cJSON *one = RUN_JSON("report", base, sft, "-c", prompt, LITTLE);
    assert_null(json_find(json_find(one, "sections"), "landscape")); /* no response, no loss */
    assert_non_null(strstr(json_get_text(section_of(one, "verdict"), "lead", ""), "too few"));
    cJSON_Delete(one);
    free(prompt);
}

/* ---- the page ---- */

static void expect_page(const char *page) {
    static const char *const NEVER[] = {"<script", "src=", "@import", "<link", "onload", "<iframe"};
    if (strncmp(page, "<!DOCTYPE html>\n", 16) != 0) fail_msg("found %.40s", page);
    XmlCheck check = xml_check(page + 16);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    for (size_t i = 0; i < sizeof NEVER / sizeof *NEVER; i++)
        if (strstr(page, NEVER[i]) != NULL) fail_msg("found \"%s\"", NEVER[i]);
    for (const char *at = page; (at = strstr(at, "http")) != NULL; at++) /* the name space of drawings */
        if (strncmp(at, "http://www.w3.org/2000/svg\"", 27) != 0) fail_msg("found %.60s", at);
    for (const char *at = page; (at = strstr(at, "url(")) != NULL; at++) assert_int_equal(at[4], '#');
    for (const char *at = page; (at = strstr(at, "href=\"")) != NULL; at++) assert_int_equal(at[6], '#');
}

/* Each id once, for url(#…) finds the first. */
static void expect_ids_once(const char *page) {
    for (const char *at = page; (at = strstr(at, " id=\"")) != NULL; at++) {
        char id[64];
        (void)snprintf(id, sizeof id, "%.*s\"", (int)strcspn(at + 5, "\"") + 5, at);
        if (strstr(at + 1, id) != NULL) fail_msg("twice:%s", id);
    }
}

static void a_page_stands_alone_and_has_the_same_bytes_on_any_threads(void **unused) {
    (void)unused;
    char *path = scratch_path("page.html");
    scratch_write_text("page.html", "older"); /* one that is there is replaced */
    PROGRAM_EXPECT(0, "", "report", base, sft, "-c", rows, "--rho", "1%", "--tau", "0.5", "-o", path, LITTLE);
    size_t bytes;
    char *page = program_read(fopen(path, "rb"), &bytes);
    expect_page(page);
    expect_ids_once(page);
    assert_true(bytes < 1 << 20);
    char *again = RUN_TEXT("report", base, sft, "-c", rows, "--rho", "1%", "--tau", "0.5", "-j1", LITTLE);
    assert_string_equal(page, again);
    free(page);
    free(again);
    free(path);
}

/* A drawing without what a page adds: its description, and names that are one in the page. */
static char *plain_drawing(const char *text) {
    size_t length = strcspn(text, "") /* to the end */;
    const char *end = strstr(text, "</svg>"), *from = strstr(text, "<desc>"), *to = strstr(text, "</desc>");
    char *plain = memory_allocate(length + 1, 1), *out = plain;
    assert_true(plain != NULL && end != NULL && from != NULL && to != NULL);
    for (const char *at = text; at < end; at++) {
        if (at == from) at = to;
        const char *ramp = at;
        while (*ramp >= 'a' && *ramp <= 'z') ramp++;
        if (at > text && (at[-1] == '"' || at[-1] == '#') && strncmp(ramp, "-ramp", 5) == 0) at = ramp + 1;
        *out++ = *at;
    }
    *out = '\0';
    return plain;
}

/* What a shell makes of a command of the report, "rejuv" being the program that is tested. */
static char *run_command(const char *command, int *status) {
    char *line =
        memory_format("exec '%s' %s </dev/null 2>/dev/null", REJUV_PROGRAM, command + strlen("rejuv "));
    assert_int_equal(strncmp(command, "rejuv ", 6), 0);
    assert_non_null(line);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    char *text = NULL, piece[4096];
    size_t bytes, got;
    FILE *memory = open_memstream(&text, &bytes);
    while ((got = fread(piece, 1, sizeof piece, pipe)) > 0)
        assert_int_equal(fwrite(piece, 1, got, memory), got);
    assert_int_equal(fclose(memory), 0);
    *status = pclose(pipe);
    free(line);
    return text;
}

static void expect_commands(const char *page, const cJSON *report, size_t figures) {
    const cJSON *section, *command;
    size_t drawn = 0;
    cJSON_ArrayForEach(section, json_find(report, "sections")) {
        cJSON_ArrayForEach(command, json_find(section, "commands")) {
            const char *text = command->valuestring;
            if (strncmp(text, "rejuv report ", 13) == 0 || strncmp(text, "rejuv export ", 13) == 0) continue;
            int status;
            char *output = run_command(text, &status);
            if (status != 0) fail_msg("status %d: %s", status, text);
            if (strncmp(text, "rejuv figure ", 13) == 0) {
                const char *own = page;
                for (size_t i = 0; i <= drawn && own != NULL; i++) own = strstr(own + 1, "<svg ");
                assert_non_null(own);
                char *expected = plain_drawing(output), *found = plain_drawing(own);
                if (strcmp(expected, found) != 0) fail_msg("another figure: %s", text);
                free(expected);
                free(found);
                drawn++;
            }
            free(output);
        }
    }
    assert_int_equal(drawn, figures);
}

static void every_command_gives_what_it_stands_beside(void **unused) {
    (void)unused;
    enum { FIGURES = 7 };
    char *page =
        RUN_TEXT("report", base, sft, "-c", rows, "--rho", "1%", "--tau", "0.5", "--seed", "3", LITTLE);
    cJSON *report =
        RUN_JSON("report", base, sft, "-c", rows, "--rho", "1%", "--tau", "0.5", "--seed", "3", LITTLE);
    expect_commands(page, report, FIGURES);
    cJSON_Delete(report);
    free(page);
    /* without a reset, and with samples, other options would do nothing */
    report = RUN_JSON("report", base, sft, "-c", rows, "--samples", samples, "--skip", "landscape", "--skip",
                      "sweep", "--skip", "drift", "--skip", "spectra", "--skip", "dormancy", "-q");
    expect_commands("", report, 0);
    const char *export =
        cJSON_GetArrayItem(json_find(section_of(report, "recipe"), "commands"), 0)->valuestring;
    char *line = memory_format("%s --dry-run", export);
    int status;
    free(run_command(line, &status));
    assert_int_equal(status, 0);
    free(line);
    cJSON_Delete(report);
}

static void names_of_directories_are_text(void **unused) {
    (void)unused;
    char *from = realpath(base, NULL), *name = scratch_path("<b onload=x>&\"'\x1b]0;x\x07");
    assert_non_null(from);
    assert_int_equal(symlink(from, name), 0);
    char *page = RUN_TEXT("report", name, sft, "-c", rows, "--skip", "landscape", "--skip", "dormancy", "-q");
    XmlCheck check = xml_check(page + 16);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    assert_null(strstr(page, "<b "));
    assert_null(strchr(page, '\x1b'));
    assert_non_null(strstr(page, "&lt;b onload=x&gt;&amp;&quot;&apos;"));
    free(page);
    char *markdown = RUN_TEXT("report", name, sft, "-c", rows, "--skip", "landscape", "--skip", "dormancy",
                              "-q", "--markdown");
    assert_null(strstr(markdown, "# Report on /tmp<"));
    assert_null(strchr(markdown, '\x1b'));
    free(markdown);
    free(name);
    free(from);
}

/* ---- mistakes ---- */

static void mistakes_are_named(void **unused) {
    (void)unused;
    char *nowhere = scratch_path("none/page.html"), *directory = scratch_path("directory/");
    char *other = golden_path("golden/pairs/%s/%s", "qwen3-tied", "sft");
    PROGRAM_EXPECT(1, "15 mismatches between", "report", base, other, "-c", rows);
    free(other);
    PROGRAM_EXPECT(2, "expected --calibration FILE", "report", base, sft);
    PROGRAM_EXPECT(2, "expected BASE SFT", "report", base, "-c", rows);
    PROGRAM_EXPECT(2, "--json or --markdown, not both", "report", base, sft, "-c", rows, "--json",
                   "--markdown");
    PROGRAM_EXPECT(2, "no section \"dormacy\"; did you mean dormancy?", "report", base, sft, "-c", rows,
                   "--skip", "dormacy");
    PROGRAM_EXPECT(2, "--sweep: expected a range", "report", base, sft, "-c", rows, "--sweep", "0.5");
    PROGRAM_EXPECT(2, "--plane: expected at most 10000 points", "report", base, sft, "-c", rows, "--plane",
                   "0:1:101");
    PROGRAM_EXPECT(2, "--omega says what --rho resets", "report", base, sft, "-c", rows, "--omega", "0.5");
    PROGRAM_EXPECT(2, "No such file", "report", base, sft, "-c", rows, "--skip", "landscape", "-o", nowhere,
                   "-q");
    PROGRAM_EXPECT(2, directory, "report", base, sft, "-c", rows, "--skip", "landscape", "-o", directory,
                   "-q");
    PROGRAM_EXPECT(2, "No such file", "report", base, sft, "-c", "/nowhere");
    PROGRAM_EXPECT(2, "No such file", "report", "/nowhere", sft, "-c", rows);
    free(nowhere);
    free(directory);
}

static void a_report_can_be_interrupted_and_leaves_what_was_there(void **unused) {
    (void)unused;
    char *path = scratch_path("kept.html");
    scratch_write_text("kept.html", "kept");
    const char *const arguments[] = {"report", base, sft,       "-c",      calibration, "-o",      path,
                                     "-j",     "1",  "--plane", "-1:1:99", "--sweep",   "0:1:999", NULL};
    pid_t child = program_start(arguments, -1, -1, -1);
    program_interrupt(child, SIGINT);
    assert_int_equal(program_wait(child), 130);
    size_t bytes;
    char *text = program_read(fopen(path, "rb"), &bytes);
    assert_string_equal(text, "kept");
    free(text);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_commands),
        cmocka_unit_test(samples_are_scored_as_rollout_scores_them),
        cmocka_unit_test(prompts_are_answered_as_rollout_answers_them),
        cmocka_unit_test(spectra_stand_beside_noise),
        cmocka_unit_test(a_part_that_a_model_does_not_have_is_left_out_with_its_reason),
        cmocka_unit_test(of_a_type_that_cannot_be_run_the_weights_are_reported),
        cmocka_unit_test(nothing_is_said_that_no_figure_stands_behind),
        cmocka_unit_test(a_page_stands_alone_and_has_the_same_bytes_on_any_threads),
        cmocka_unit_test(every_command_gives_what_it_stands_beside),
        cmocka_unit_test(names_of_directories_are_text),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_report_can_be_interrupted_and_leaves_what_was_there),
    };
    return cmocka_run_group_tests_name("commands: report", tests, open_rows, close_rows);
}
