#include "tui/report/report.h"

#include "tui/report/report_sections.h"
#include "tui/report/report_verdict.h"
#include "tui/text/suggest.h"

#include <stdio.h>
#include <string.h>

typedef struct Section {
    const char *key, *title;
    ReportPart part; /* REPORT_PART_COUNT: always there */
    void (*add)(ReportDocument *document, const ReportData *data);
} Section;

#define ALWAYS REPORT_PART_COUNT

static const Section SECTIONS[] = {
    {"verdict", "Verdict", REPORT_PART_OUTPUT, report_verdict_add},
    {"setting", "The chosen setting beside base and SFT", REPORT_PART_OUTPUT, report_sections_add_setting},
    {"pair", "The pair", ALWAYS, report_sections_add_pair},
    {"preflight", "Preflight", ALWAYS, report_sections_add_preflight},
    {"drift", "Drift of the weights", REPORT_PART_DRIFT, report_sections_add_drift},
    {"spectra", "Spectra of the change", REPORT_PART_SPECTRA, report_sections_add_spectra},
    {"output", "Output space", REPORT_PART_OUTPUT, report_sections_add_output},
    {"dormancy", "Dormancy", REPORT_PART_DORMANCY, report_sections_add_dormancy},
    {"sweep", "Sweep of the fusion weight", REPORT_PART_SWEEP, report_sections_add_sweep},
    {"landscape", "Landscape of the loss", REPORT_PART_LANDSCAPE, report_sections_add_landscape},
    {"readiness", "Readiness: what samples are worth", REPORT_PART_READINESS, report_sections_add_readiness},
    {"recipe", "Recipe", ALWAYS, report_sections_add_recipe},
    {"limits", "What this page does not show", ALWAYS, report_sections_add_limits},
};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof *SECTIONS };

const char *report_section_key(size_t index) {
    return index < SECTION_COUNT ? SECTIONS[index].key : NULL;
}

/* ---- leaving out ---- */

static bool is_skipped(const Options *options, const char *key) {
    size_t at = 0;
    const char *text;
    while ((text = options_next(options, OPTION_SKIP, &at)) != NULL)
        if (strcmp(text, key) == 0) return true;
    return false;
}

static Status check_key(const char *key, Error *error) {
    const char *keys[SECTION_COUNT];
    char all[256] = "";
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        size_t used = strlen(all);
        keys[i] = SECTIONS[i].key;
        if (strcmp(keys[i], key) == 0) return STATUS_OK;
        (void)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", keys[i]);
    }
    const char *nearest = suggest_name(key, keys, SECTION_COUNT);
    if (nearest != NULL)
        return status_fail(error, STATUS_ARGUMENT, "--skip: there is no section \"%s\"; did you mean %s?",
                           key, nearest);
    return status_fail(error, STATUS_ARGUMENT, "--skip: there is no section \"%s\"; there are %s", key, all);
}

Status report_choose_parts(const Options *options, ReportParts *parts, Error *error) {
    size_t at = 0;
    const char *text;
    while ((text = options_next(options, OPTION_SKIP, &at)) != NULL) {
        Status status = check_key(text, error);
        if (status != STATUS_OK) return status;
    }
    bool has_samples = options_has(options, OPTION_SAMPLES) || options_has(options, OPTION_PROMPTS);
    bool *wanted = parts->wanted;
    *parts = (ReportParts){.wanted[REPORT_PART_OUTPUT] = true};
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (SECTIONS[i].part != ALWAYS && SECTIONS[i].part != REPORT_PART_OUTPUT)
            wanted[SECTIONS[i].part] = !is_skipped(options, SECTIONS[i].key);
    wanted[REPORT_PART_READINESS] = wanted[REPORT_PART_READINESS] && has_samples;
    wanted[REPORT_PART_DORMANCY_GRADIENT] = wanted[REPORT_PART_DORMANCY];
    wanted[REPORT_PART_GRADIENT] = wanted[REPORT_PART_READINESS] && options_has(options, OPTION_GRADIENT);
    return STATUS_OK;
}

/* Of what the model does not have, a sentence in its place. */
static void add_section(ReportDocument *document, const ReportData *data, const Section *section) {
    const char *absence = section->part == ALWAYS ? NULL : data->absences[section->part];
    bool is_there = section->part == ALWAYS || report_data_has(data, section->part);
    bool is_first = section->part != REPORT_PART_OUTPUT || section == &SECTIONS[0];
    if (!is_there && (absence == NULL || !is_first)) return;
    report_document_begin(document, section->key, section->title);
    if (is_there)
        section->add(document, data);
    else if (section->part == REPORT_PART_OUTPUT)
        report_document_add(
            document, REPORT_LEAD,
            "There is no verdict: this model was not run, and all that needs a run is left out. %s.",
            absence);
    else
        report_document_add(document, REPORT_PARAGRAPH, "This part is left out: %s.", absence);
}

void report_make(const ReportData *data, ReportDocument *document) {
    const Options *options = data->batch->options;
    report_document_entitle(document, "Report on %s → %s", data->batch->pair->base->directory,
                            data->batch->pair->sft->directory);
    for (size_t i = 0; i < SECTION_COUNT; i++)
        if (!is_skipped(options, SECTIONS[i].key)) add_section(document, data, &SECTIONS[i]);
}
