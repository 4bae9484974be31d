#include "tests/bench/report.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double OFF = 2.0; /* times worse than usual */

Status report_add(Report *report, const ReportRow *row, Error *error) {
    Status status = MEMORY_RESERVE(report->rows, &report->capacity, report->count + 1, error);
    if (status == STATUS_OK) report->rows[report->count++] = *row;
    return status;
}

void report_free(Report *report) {
    free(report->rows);
    *report = (Report){0};
}

void report_note(Report *report, const char *what, const char *text) {
    ReportNote note;
    (void)snprintf(note.what, sizeof note.what, "%s", what);
    (void)snprintf(note.text, sizeof note.text, "%s", text);
    for (size_t i = 0; i < report->note_count; i++) {
        const ReportNote *there = &report->notes[i];
        if (strcmp(there->what, note.what) == 0 && strcmp(there->text, note.text) == 0) return;
    }
    if (report->note_count < REPORT_NOTES) report->notes[report->note_count++] = note;
}

void report_set_rates(ReportRow *row, const MeasureTimes *times, size_t own, double work, size_t limit,
                      double limit_work) {
    row->value = measure_rate(times, own, work);
    row->limit = measure_rate(times, limit, limit_work);
    row->ratio = measure_ratio(times, limit, own, work / limit_work);
}

static bool has_limit(const ReportRow *row) {
    return row->limit_what[0] != '\0';
}

static double judged(const ReportRow *row) {
    if (!row->is_bound) return row->ratio.median;
    return row->is_worst ? row->value.most : row->value.median;
}

static bool is_reached(const ReportRow *row) {
    return row->is_bound ? judged(row) <= row->aim : judged(row) >= row->aim;
}

size_t report_count_off(const Report *report) {
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        const ReportRow *row = &report->rows[i];
        double worse = row->is_bound ? judged(row) / row->usual : row->usual / judged(row);
        if (row->usual <= 0.0 || worse <= OFF) continue;
        (void)fprintf(stderr, "bench: %s: %.3g, where %.3g is usual\n", row->what, judged(row), row->usual);
        count++;
    }
    return count;
}

/* ---- how noisy it was ---- */

/* The loops that figures are held against always do the same: their slowest round beside the median one. */
static size_t list_slowest(const Report *report, double *slowest) {
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        const ReportRow *row = &report->rows[i];
        if (has_limit(row)) slowest[count++] = row->limit.median / row->limit.least;
    }
    return count;
}

static void describe_noise(const Report *report, char *text, size_t size) {
    double *slowest = memory_allocate(report->count + 1, sizeof *slowest);
    size_t count = slowest == NULL ? 0 : list_slowest(report, slowest);
    text[0] = '\0';
    if (count > 0) {
        Spread spread = spread_of(slowest, count);
        (void)snprintf(
            text, size,
            "the slowest round of a loop that figures are held against took %.2f times its median, "
            "of the worst loop %.2f times",
            spread.median, spread.most);
    }
    free(slowest);
}

static void print_notes(const Report *report, const char *before) {
    for (size_t i = 0; i < report->note_count; i++)
        (void)printf("%s%s: %s\n", before, report->notes[i].what, report->notes[i].text);
}

/* ---- a table to read ---- */

enum { NUMBER_SIZE = 24 };

/* Three digits, or all before the point. */
static const char *write_number(double value, char text[NUMBER_SIZE]) {
    (void)snprintf(text, NUMBER_SIZE, value < 100.0 ? "%.3g" : "%.0f", value);
    return text;
}

static void write_spread(const Spread *spread, char *text, size_t size) {
    char median[NUMBER_SIZE], least[NUMBER_SIZE], most[NUMBER_SIZE];
    (void)write_number(spread->median, median);
    if (spread->least < spread->most)
        (void)snprintf(text, size, "%s (%s to %s)", median, write_number(spread->least, least),
                       write_number(spread->most, most));
    else
        (void)snprintf(text, size, "%s", median);
}

/* "1.2 of plain sgemm", "300 times less than modeldelta" */
static const char *relation(const ReportRow *row) {
    return row->is_inverse ? "times less than" : "of";
}

static void write_aim(const ReportRow *row, char *text, size_t size) {
    char aim[NUMBER_SIZE];
    text[0] = '\0';
    if (row->aim > 0.0)
        (void)snprintf(text, size, "%s %s%s", row->is_bound ? "≤" : "≥", write_number(row->aim, aim),
                       is_reached(row) ? "" : ", missed");
}

static void print_row(const ReportRow *row) {
    char value[96], ratio[96] = "", aim[48], limit[NUMBER_SIZE];
    write_spread(&row->value, value, sizeof value);
    if (has_limit(row)) write_spread(&row->ratio, ratio, sizeof ratio);
    write_aim(row, aim, sizeof aim);
    (void)printf("%-56s %-24s %-15s %-23s %s", row->what, value, row->unit, ratio, aim);
    if (has_limit(row))
        (void)printf("\n    %s %s, %s", relation(row), write_number(row->limit.median, limit),
                     row->limit_what);
    (void)putchar('\n');
}

void report_print(const Report *report, const ReportFact *facts, size_t count) {
    char noise[200];
    for (size_t i = 0; i < count; i++) (void)printf("%s: %s\n", facts[i].key, facts[i].value);
    describe_noise(report, noise, sizeof noise);
    if (noise[0] != '\0') (void)printf("noise: %s\n", noise);
    print_notes(report, "");
    (void)printf("\n%-56s %-24s %-15s %-23s %s\n", "what", "median (least to most)", "unit", "ratio", "aim");
    for (size_t i = 0; i < report->count; i++) print_row(&report->rows[i]);
}

/* ---- the same for a document ---- */

static void print_markdown_row(const ReportRow *row) {
    char value[96], ratio[96] = "", aim[48];
    write_spread(&row->value, value, sizeof value);
    if (has_limit(row)) write_spread(&row->ratio, ratio, sizeof ratio);
    (void)printf("| %s | %s %s |", row->what, value, row->unit);
    if (has_limit(row)) (void)printf(" %s of %s", ratio, row->limit_what);
    write_aim(row, aim, sizeof aim);
    (void)printf(" | %s |\n", aim);
}

void report_print_markdown(const Report *report, const ReportFact *facts, size_t count) {
    char noise[200];
    for (size_t i = 0; i < count; i++) (void)printf("- %s: %s\n", facts[i].key, facts[i].value);
    describe_noise(report, noise, sizeof noise);
    if (noise[0] != '\0') (void)printf("- noise: %s\n", noise);
    print_notes(report, "- ");
    (void)puts("\n| what | seen | ratio | aim |\n|---|---|---|---|");
    for (size_t i = 0; i < report->count; i++) print_markdown_row(&report->rows[i]);
}

/* ---- for programs ---- */

static bool add_spread(cJSON *item, const char *name, const Spread *spread) {
    cJSON *tree = cJSON_CreateObject();
    bool ok = json_add(item, name, tree);
    return ok && json_add_number(tree, "least", spread->least) &&
           json_add_number(tree, "median", spread->median) && json_add_number(tree, "most", spread->most);
}

static cJSON *describe_row(const ReportRow *row) {
    cJSON *item = cJSON_CreateObject();
    bool ok = json_add_text(item, "what", row->what) && add_spread(item, "value", &row->value) &&
              json_add_text(item, "unit", row->unit);
    if (has_limit(row))
        ok = ok && json_add_text(item, "limit_what", row->limit_what) &&
             add_spread(item, "limit", &row->limit) && add_spread(item, "ratio", &row->ratio);
    if (row->aim > 0.0)
        ok = ok && json_add_number(item, row->is_bound ? "most" : "least_ratio", row->aim) &&
             json_add_bool(item, "reached", is_reached(row));
    if (ok) return item;
    cJSON_Delete(item);
    return NULL;
}

Status report_print_json(const Report *report, const ReportFact *facts, size_t count, Error *error) {
    cJSON *tree = cJSON_CreateObject(), *rows = cJSON_CreateArray(), *notes = cJSON_CreateArray();
    char noise[200];
    bool ok = json_add(tree, "rows", rows);
    ok = json_add(tree, "notes", notes) && ok;
    describe_noise(report, noise, sizeof noise);
    ok = ok && json_add_text(tree, "noise", noise);
    for (size_t i = 0; i < count; i++) ok = ok && json_add_text(tree, facts[i].key, facts[i].value);
    for (size_t i = 0; i < report->note_count && ok; i++) {
        cJSON *note = cJSON_CreateObject();
        ok = cJSON_AddItemToArray(notes, note) && json_add_text(note, "what", report->notes[i].what) &&
             json_add_text(note, "text", report->notes[i].text);
    }
    for (size_t i = 0; i < report->count && ok; i++)
        ok = cJSON_AddItemToArray(rows, describe_row(&report->rows[i]));
    char *text = ok ? cJSON_Print(tree) : NULL;
    cJSON_Delete(tree);
    if (text == NULL) return memory_fail(error, "the report");
    (void)puts(text);
    free(text);
    return STATUS_OK;
}
