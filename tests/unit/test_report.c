/* The report's document and its writers, and what its verdict makes of figures. */
#include "core/evaluation/calibration.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "tests/unit/xml_check.h"
#include "tui/report/report_verdict.h"
#include "tui/report/report_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Markup, quotes, an escape sequence, a right-to-left override, a byte that is no UTF-8, a NUL's neighbours. */
#define HOSTILE "<script>alert(1)</script> & \"q\" 'a' ]]> \x1b[31m \xE2\x80\xAE \xff | `x` *y* [z](u)"

typedef Status (*Write)(const ReportDocument *document, FILE *file, Error *error);

static char *written(const ReportDocument *document, Write write) {
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    Error error = {0};
    assert_non_null(file);
    if (write(document, file, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(fclose(file), 0);
    return text;
}

static Table *make_table(const char *text) {
    static const TableColumn COLUMNS[] = {{"name", NULL, NULL, TABLE_TEXT, 0},
                                          {"loss", NULL, "nat", TABLE_NUMBER, 3}};
    Table *table;
    assert_int_equal(table_create(COLUMNS, 2, &table, NULL), STATUS_OK);
    table_add_row(table);
    table_add_text(table, text);
    table_add_number(table, 0.5);
    return table;
}

static char *copy(const char *text) {
    char *made = memory_copy_text(text, strlen(text));
    assert_non_null(made);
    return made;
}

static void fill(ReportDocument *document, const char *text) {
    report_document_entitle(document, "Report on %s", text);
    report_document_begin(document, "verdict", "Verdict");
    report_document_add(document, REPORT_LEAD, "%s", text);
    report_document_add(document, REPORT_ITEM, "%s", text);
    report_document_add(document, REPORT_ITEM, "two");
    report_document_add(document, REPORT_PARAGRAPH, "%s", text);
    report_document_add_table(document, "rows", make_table(text), text);
    report_document_add_figure(document, "line", copy("<svg><text>t</text></svg>\n"), text);
    report_document_add_command(document, memory_format("rejuv check '%s' --json", text));
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++) count++;
    return count;
}

/* ---- writers ---- */

static void a_page_is_well_formed_whatever_names_hold(void **unused) {
    (void)unused;
    ReportDocument document = {0};
    Error error;
    fill(&document, HOSTILE);
    assert_int_equal(report_document_check(&document, &error), STATUS_OK);
    char *page = written(&document, report_write_html);
    assert_int_equal(strncmp(page, "<!DOCTYPE html>\n", 16), 0);
    XmlCheck check = xml_check(page + 16);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    assert_int_equal(count_of(page, "<script"), 0);
    assert_int_equal(count_of(page, "&lt;script&gt;"), 11);
    assert_int_equal(count_of(page, "\x1b"), 0);
    assert_int_equal(count_of(page, "\xE2\x80\xAE"), 0);
    assert_int_equal(count_of(page, "src="), 0);
    assert_int_equal(count_of(page, "url("), 0);
    assert_int_equal(count_of(page, "<ul>\n<li>"), 2); /* contents, and the items as one list */
    assert_int_equal(count_of(page, "</li>\n<li>two</li>\n</ul>"), 1);
    assert_int_equal(count_of(page, "<th scope=\"col\" class=\"n\">loss (nat)</th>"), 1);
    assert_int_equal(count_of(page, "<td class=\"n\">0.500</td>"), 1);
    assert_int_equal(count_of(page, "<span class=\"o\">--json</span>"), 1);
    free(page);
    report_document_free(&document);
}

static void markdown_keeps_a_row_in_a_line_and_markup_as_text(void **unused) {
    (void)unused;
    ReportDocument document = {0};
    fill(&document, "a|b\n# c <i> *d*");
    char *text = written(&document, report_write_markdown);
    assert_string_equal(text,
                        "# Report on a\\|b\\n\\# c &lt;i\\> \\*d\\*\n\n"
                        "## Verdict\n\n"
                        "a\\|b\\n\\# c &lt;i\\> \\*d\\*\n\n"
                        "- a\\|b\\n\\# c &lt;i\\> \\*d\\*\n"
                        "- two\n\n"
                        "a\\|b\\n\\# c &lt;i\\> \\*d\\*\n\n"
                        "a\\|b\\n\\# c &lt;i\\> \\*d\\*\n\n"
                        "| name | loss (nat) |\n"
                        "| --- | ---: |\n"
                        "| a\\|b\\\\n\\# c &lt;i\\> \\*d\\* | 0.500 |\n\n"
                        "Figure: a\\|b\\n\\# c &lt;i\\> \\*d\\*\n\n"
                        "    rejuv check 'a|b\n    # c <i> *d*' --json\n\n");
    free(text);
    report_document_free(&document);
}

static Status write_tree(const ReportDocument *document, FILE *file, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    assert_non_null(tree);
    Status status = report_write_json(document, tree, file, error);
    cJSON_Delete(tree);
    return status;
}

static void json_has_what_a_section_says_under_its_key(void **unused) {
    (void)unused;
    ReportDocument document = {0};
    cJSON *tree;
    Error error = {0};
    fill(&document, "x");
    report_document_begin(&document, "empty", "Empty");
    char *text = written(&document, write_tree);
    assert_int_equal(json_parse(text, strlen(text), "report", &tree, &error), STATUS_OK);
    const cJSON *sections = json_find(tree, "sections"), *verdict = json_find(sections, "verdict");
    assert_string_equal(json_get_text(verdict, "lead", ""), "x");
    assert_int_equal(cJSON_GetArraySize(json_find(verdict, "text")), 3);
    const cJSON *rows = json_find(json_find(json_find(verdict, "tables"), "rows"), "rows");
    assert_true(json_get_number(cJSON_GetArrayItem(rows, 0), "loss", 0.0) == 0.5);
    assert_string_equal(json_get_text(json_find(json_find(verdict, "figures"), "line"), "caption", ""), "x");
    assert_int_equal(cJSON_GetArraySize(json_find(verdict, "commands")), 1);
    const cJSON *empty = json_find(sections, "empty");
    assert_null(json_find(empty, "lead"));
    assert_int_equal(cJSON_GetArraySize(json_find(empty, "text")), 0);
    cJSON_Delete(tree);
    free(text);
    report_document_free(&document);
}

static void what_went_wrong_while_adding_is_told_at_the_end(void **unused) {
    (void)unused;
    ReportDocument document = {0};
    Error error = {0}, first = {.status = STATUS_IO, .message = "first"};
    report_document_begin(&document, "a", "A");
    report_document_note(&document, STATUS_IO, &first);
    report_document_add_table(&document, "t", NULL, "none"); /* a later failure: the first counts */
    report_document_add(&document, REPORT_PARAGRAPH, "left out");
    assert_int_equal(report_document_check(&document, &error), STATUS_IO);
    assert_string_equal(error.message, "first");
    assert_int_equal(document.sections[0].count, 0);
    report_document_free(&document);
}

/* ---- the verdict ---- */

static void a_difference_counts_beyond_two_standard_errors_of_enough_rows(void **unused) {
    (void)unused;
    static const struct {
        ReportDifference difference;
        ReportOutcome outcome;
    } CASES[] = {
        {{0.21, 0.1, 8}, REPORT_HIGHER},  {{0.2, 0.1, 8}, REPORT_EQUAL},   {{-0.21, 0.1, 8}, REPORT_LOWER},
        {{0.21, 0.1, 7}, REPORT_UNKNOWN}, {{0.0, 0.0, 1}, REPORT_EQUAL},   {{1e-9, 0.0, 0}, REPORT_HIGHER},
        {{-1e-9, 0.0, 0}, REPORT_LOWER},  {{1.0, NAN, 1}, REPORT_UNKNOWN}, {{NAN, 0.1, 9}, REPORT_UNKNOWN}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (report_verdict_judge(&CASES[i].difference) != CASES[i].outcome) fail_msg("case %zu", i);
}

/* Three rows of 1, 2 and 3 positions. Differences in entropy 1 | 2 4 | 3 3 5: D = 18/6 = 3; residuals of the rows' sums
 * 1 − 3, 6 − 6, 11 − 9; error √((4 + 0 + 4)·3/2) / 6. */
static void errors_of_differences_take_rows_as_clusters(void **unused) {
    (void)unused;
    static const int32_t IDS[4] = {0};
    EvaluationRow rows[] = {{.ids = IDS, .count = 2, .first = 0, .end = 1},
                            {.ids = IDS, .count = 3, .first = 0, .end = 2},
                            {.ids = IDS, .count = 4, .first = 0, .end = 3}};
    static const double OF_SFT[] = {1, 2, 4, 3, 3, 5};
    DistributionPosition base[6] = {0}, sft[6] = {0};
    Calibration calibration = {.count = 3};
    ReportData data = {0};
    for (size_t i = 0; i < 6; i++) {
        base[i] = (DistributionPosition){.next = i == 0 ? -1 : 1, .top1 = 0.99, .next_log_probability = -1.0};
        sft[i] = base[i];
        sft[i].entropy = OF_SFT[i];
        sft[i].top1 = i % 2 == 0 ? 0.995 : 0.5;
        sft[i].next_log_probability = i == 0 ? (double)NAN : -2.0;
    }
    BatchMethod *dials = &data.landscape.dials;
    dials->rows = rows;
    dials->calibration = &calibration;
    dials->base.positions = base;
    dials->sft.positions = sft;
    ReportDifference entropy = report_data_compare(&data, SIDE_SFT, SIDE_BASE, REPORT_ENTROPY);
    assert_true(fabs(entropy.value - 3.0) < 1e-15);
    assert_true(fabs(entropy.error - sqrt(12.0) / 6.0) < 1e-15);
    assert_int_equal(entropy.rows, 3);
    ReportDifference back = report_data_compare(&data, SIDE_BASE, SIDE_SFT, REPORT_ENTROPY);
    assert_true(back.value == -entropy.value && back.error == entropy.error);
    ReportDifference confident = report_data_compare(&data, SIDE_SFT, SIDE_BASE, REPORT_CONFIDENT);
    assert_true(fabs(confident.value - 0.5) < 1e-15);
    ReportDifference loss = report_data_compare(&data, SIDE_SFT, SIDE_BASE, REPORT_LOSS);
    assert_true(fabs(loss.value - 1.0) < 1e-15 &&
                loss.error == 0.0); /* without the position of no next token */
    assert_int_equal(loss.rows, 2);
    calibration.count = 1;
    assert_true(isnan(report_data_compare(&data, SIDE_SFT, SIDE_BASE, REPORT_ENTROPY).error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_well_formed_whatever_names_hold),
        cmocka_unit_test(markdown_keeps_a_row_in_a_line_and_markup_as_text),
        cmocka_unit_test(json_has_what_a_section_says_under_its_key),
        cmocka_unit_test(what_went_wrong_while_adding_is_told_at_the_end),
        cmocka_unit_test(a_difference_counts_beyond_two_standard_errors_of_enough_rows),
        cmocka_unit_test(errors_of_differences_take_rows_as_clusters),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
