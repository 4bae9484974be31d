#include "tui/commands/neurons_measure.h"

#include "core/files/json.h"
#include "core/fusion/neurons.h"

#include <stdio.h>
#include <string.h>

typedef struct UnknownFigure {
    const char *key, *label;
    const Error *why;
} UnknownFigure;

enum { UNKNOWN_FIGURES = 3 };

static void list_unknown(const NeuronsUnknown *unknown, UnknownFigure figures[UNKNOWN_FIGURES]) {
    figures[0] = (UnknownFigure){"attribution", "attribution", &unknown->attribution};
    figures[1] = (UnknownFigure){"dormancy", "dormancy", &unknown->dormancy};
    figures[2] = (UnknownFigure){"gradient_dormancy", "gradient dormancy", &unknown->gradient};
}

bool neurons_measure_add_unknown(cJSON *tree, const NeuronsUnknown *unknown) {
    UnknownFigure figures[UNKNOWN_FIGURES];
    cJSON *made = cJSON_AddObjectToObject(tree, "not_known");
    bool complete = made != NULL;
    list_unknown(unknown, figures);
    for (int i = 0; i < UNKNOWN_FIGURES && complete; i++)
        complete = figures[i].why->status == STATUS_OK
                       ? cJSON_AddNullToObject(made, figures[i].key) != NULL
                       : json_add_text(made, figures[i].key, figures[i].why->message);
    return complete;
}

/* Figures that are not known for one reason are told on one line. */
void neurons_measure_print_unknown(const NeuronsUnknown *unknown) {
    UnknownFigure figures[UNKNOWN_FIGURES];
    bool is_told[UNKNOWN_FIGURES] = {false};
    list_unknown(unknown, figures);
    for (int i = 0; i < UNKNOWN_FIGURES; i++) {
        char labels[64] = "";
        if (figures[i].why->status == STATUS_OK || is_told[i]) continue;
        for (int k = i; k < UNKNOWN_FIGURES; k++) {
            size_t used = strlen(labels);
            bool is_alike = figures[k].why->status != STATUS_OK &&
                            strcmp(figures[k].why->message, figures[i].why->message) == 0;
            if (!is_alike) continue;
            is_told[k] = true;
            (void)snprintf(labels + used, sizeof labels - used, "%s%s", used > 0 ? ", " : "",
                           figures[k].label);
        }
        batch_print("%s: not known: %s", labels, figures[i].why->message);
    }
}

/* A figure that is not known is said so; what makes another figure impossible is an error. */
static Status tell_unknown(Batch *batch, const char *what, Status status, const Error *found, Error *why,
                           Error *error) {
    if (status == STATUS_UNSUPPORTED) {
        *why = *found;
        why->status = status;
        if (what != NULL) batch_say(batch, "%s: not known: %s", what, found->message);
        return STATUS_OK;
    }
    if (status != STATUS_OK) *error = *found;
    return status;
}

static bool is_ranking_asked_for(const Batch *batch) {
    return options_has(batch->options, OPTION_SELECT) || options_has(batch->options, OPTION_RHO_SET);
}

/* What attribution alone orders is refused where there is none; all else is told without. */
static Status measure_attribution(Batch *batch, BatchMethod *method, NeuronsUnknown *unknown, Error *error) {
    if (method->selector == SELECTOR_ATTRIBUTION && is_ranking_asked_for(batch))
        return batch_method_attribute(batch, method, error);
    Error found = {0};
    Status status = dormancy_check_gradient(batch->model, &found);
    if (status == STATUS_OK) status = batch_method_attribute(batch, method, &found);
    return tell_unknown(batch, "attribution", status, &found, &unknown->attribution, error);
}

/* Of all three models, or of none. */
static Status measure_dormancy(Batch *batch, BatchMethod *method, NeuronsUnknown *unknown, Error *error) {
    Error found = {0};
    Status status = STATUS_OK;
    for (int side = 0; side < SIDE_COUNT && status == STATUS_OK; side++)
        status = batch_method_measure_dormancy(batch, method, (Side)side, side == SIDE_SFT, &found);
    for (int side = 0; side < SIDE_COUNT && status == STATUS_UNSUPPORTED; side++)
        dormancy_free(&method->dormancy[side]);
    status = tell_unknown(batch, "dormancy", status, &found, &unknown->dormancy, error);
    const Dormancy *sft = &method->dormancy[SIDE_SFT];
    if (status != STATUS_OK || sft->mlp_scores == NULL) {
        unknown->gradient = unknown->dormancy;
        return status;
    }
    unknown->gradient = sft->no_gradient;
    return STATUS_OK;
}

/* Of a model that has no neurons there is a list of none, and why. */
static Status measure_none(Batch *batch, NeuronsUnknown *unknown, Error *error) {
    Error found = {0};
    Status status = neurons_check_model(batch->model, &found);
    status = tell_unknown(batch, NULL, status, &found, &unknown->attribution, error);
    batch_say(batch, "%s", found.message);
    unknown->dormancy = unknown->gradient = unknown->attribution;
    return status;
}

Status neurons_measure(Batch *batch, BatchMethod *method, NeuronsUnknown *unknown, Error *error) {
    /* rows that are refused are an error: of them no figure is known */
    Status status = batch_method_open_calibration(batch, method, error);
    if (status != STATUS_OK) return status;
    if (neurons_are_none(batch->model->config) && !is_ranking_asked_for(batch))
        return measure_none(batch, unknown, error);
    status = measure_attribution(batch, method, unknown, error);
    if (status == STATUS_OK) status = batch_method_measure_drift(batch, method, error);
    bool is_ranked = method->selector != SELECTOR_ATTRIBUTION || unknown->attribution.status == STATUS_OK;
    if (status == STATUS_OK && is_ranked)
        status = batch_method_rank(batch, method, error); /* W below is with its reset */
    return status == STATUS_OK ? measure_dormancy(batch, method, unknown, error) : status;
}
