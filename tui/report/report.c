#include "tui/report/report.h"

#include "tui/report/report_sections.h"
#include "tui/report/report_verdict.h"
#include "tui/text/suggest.h"

#include <stdio.h>
#include <string.h>

static bool is_always(const ReportData *data) {
    (void)data;
    return true;
}

static bool has_drift(const ReportData *data) {
    return data->parts.drift;
}

static bool has_spectra(const ReportData *data) {
    return data->parts.spectra;
}

static bool has_dormancy(const ReportData *data) {
    return data->parts.dormancy;
}

static bool has_sweep(const ReportData *data) {
    return data->parts.sweep;
}

static bool has_landscape(const ReportData *data) {
    return data->parts.landscape;
}

static bool has_samples(const ReportData *data) {
    return data->parts.readiness;
}

typedef struct Section {
    const char *key, *title;
    bool (*is_there)(const ReportData *data);
    void (*add)(ReportDocument *document, const ReportData *data);
} Section;

static const Section SECTIONS[] = {
    {"verdict", "Verdict", is_always, report_verdict_add},
    {"setting", "The chosen setting beside base and SFT", is_always, report_sections_add_setting},
    {"pair", "The pair", is_always, report_sections_add_pair},
    {"preflight", "Preflight", is_always, report_sections_add_preflight},
    {"drift", "Drift of the weights", has_drift, report_sections_add_drift},
    {"spectra", "Spectra of the change", has_spectra, report_sections_add_spectra},
    {"output", "Output space", is_always, report_sections_add_output},
    {"dormancy", "Dormancy", has_dormancy, report_sections_add_dormancy},
    {"sweep", "Sweep of the fusion weight", has_sweep, report_sections_add_sweep},
    {"landscape", "Landscape of the loss", has_landscape, report_sections_add_landscape},
    {"readiness", "Readiness: what samples are worth", has_samples, report_sections_add_readiness},
    {"recipe", "Recipe", is_always, report_sections_add_recipe},
    {"limits", "What this page does not show", is_always, report_sections_add_limits},
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
    *parts =
        (ReportParts){.drift = !is_skipped(options, "drift"),
                      .spectra = !is_skipped(options, "spectra"),
                      .dormancy = !is_skipped(options, "dormancy"),
                      .sweep = !is_skipped(options, "sweep"),
                      .landscape = !is_skipped(options, "landscape"),
                      .readiness = options_has(options, OPTION_SAMPLES) && !is_skipped(options, "readiness")};
    return STATUS_OK;
}

void report_make(const ReportData *data, ReportDocument *document) {
    const Options *options = data->batch->options;
    report_document_entitle(document, "Report on %s → %s", data->batch->pair->base->directory,
                            data->batch->pair->sft->directory);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (!SECTIONS[i].is_there(data) || is_skipped(options, SECTIONS[i].key)) continue;
        report_document_begin(document, SECTIONS[i].key, SECTIONS[i].title);
        SECTIONS[i].add(document, data);
    }
}
