#include "tui/session/session_neurons_measure.h"

#include "core/method/neuron_ranking.h"
#include "core/support/memory.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_neurons_internal.h"

#include <stdlib.h>

/* ---- rows ---- */

/* The calibration rows as the method's functions take them; the caller frees. */
static EvaluationRow *list_rows(const Session *session, size_t *count) {
    *count = session_calibration(session, NULL)->count;
    return calibration_list_positions(session_calibration(session, NULL), true);
}

/* ---- rankings ---- */

/* A ranking lives as long as the session: settings anywhere may borrow it. */
static Status keep_ranking(Session *session, Selector selector, Ranking *ranking, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    Status status = MEMORY_RESERVE(method->kept, &method->kept_capacity, method->kept_count + 1, error);
    if (status != STATUS_OK) {
        ranking_free(ranking);
        return status;
    }
    method->kept[method->kept_count++] = ranking;
    method->rankings[selector] = ranking;
    return STATUS_OK;
}

RankingOrigin session_ranking_origin(const Session *session, Selector selector) {
    return neuron_ranking_origin(selector, session->neurons->target_count, SESSION_RANDOM_SEED,
                                 session_calibration_sha256(session));
}

/* ---- attribution ---- */

static Status start_attribution(Session *session, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionAttributionErrand *errand = &method->attribution_errand;
    const EvaluationResult *base = session_headline_result(session, SIDE_BASE),
                           *sft = session_headline_result(session, SIDE_SFT);
    size_t rows;
    *errand = (SessionAttributionErrand){.model = session->model,
                                         .table = method->table,
                                         .origin = session_ranking_origin(session, SELECTOR_ATTRIBUTION)};
    errand->rows = list_rows(session, &rows);
    if (errand->rows == NULL) return memory_fail(error, "attribution");
    Status status = attribution_choose_targets(errand->rows, rows, base, sft, method->target_count,
                                               &errand->targets, &errand->target_count, error);
    if (status == STATUS_OK)
        status = task_start(&method->attributing, session->threads, session_run_attribution, errand, error);
    if (status != STATUS_OK) session_free_attribution_errand(errand);
    return status;
}

Status session_accept_attribution(Session *session, SessionAttributionErrand *errand, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    method->revision++;
    attribution_free(&method->attribution);
    method->attribution = errand->attribution;
    errand->attribution = (Attribution){0};
    method->has_attribution = true;
    method->attributed_targets = errand->origin.targets;
    errand->ranking->origin.targets = method->attribution.target_count; /* few rows have fewer than wanted */
    Status status = keep_ranking(session, SELECTOR_ATTRIBUTION, errand->ranking, error);
    errand->ranking = NULL;
    session_follow_selector(session);
    return status;
}

static Status collect_attribution(Session *session, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionAttributionErrand *errand = &method->attribution_errand;
    Status status = method->attributing.status;
    if (status == STATUS_OK)
        status = session_accept_attribution(session, errand, error);
    else
        *error = method->attributing.error;
    session_free_attribution_errand(errand);
    return status;
}

/* ---- dormancy ---- */

SessionDormancyErrand session_make_dormancy_errand(const Session *session, Side side) {
    SessionDormancyErrand errand = {.model = session->model,
                                    .side = side,
                                    .settings = settings_of_side(side, &session->settings),
                                    .with_gradient = side == SIDE_SFT,
                                    .table = session->neurons->table,
                                    .dormancy_origin = session_ranking_origin(session, SELECTOR_DORMANCY),
                                    .gradient_origin = session_ranking_origin(session, SELECTOR_GRADIENT)};
    return errand;
}

static Status start_dormancy(Session *session, Side side, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionDormancyErrand *errand = &method->dormancy_errand;
    *errand = session_make_dormancy_errand(session, side);
    errand->rows = list_rows(session, &errand->row_count);
    Status status = errand->rows == NULL ? memory_fail(error, "dormancy") : STATUS_OK;
    if (status == STATUS_OK)
        status = task_start(&method->measuring, session->threads, session_run_dormancy, errand, error);
    if (status != STATUS_OK) session_free_dormancy_errand(errand);
    return status;
}

Status session_accept_dormancy(Session *session, SessionDormancyErrand *errand, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    method->revision++;
    dormancy_free(&method->dormancy[errand->side]);
    method->dormancy[errand->side] = errand->dormancy;
    errand->dormancy = (Dormancy){0};
    method->dormancy_settings[errand->side] = errand->settings;
    method->has_dormancy[errand->side] = true;
    if (errand->side != SIDE_SFT) return STATUS_OK;
    Status status = keep_ranking(session, SELECTOR_DORMANCY, errand->dormancy_ranking, error);
    errand->dormancy_ranking = NULL;
    if (status == STATUS_OK && errand->gradient_ranking != NULL) {
        status = keep_ranking(session, SELECTOR_GRADIENT, errand->gradient_ranking, error);
        errand->gradient_ranking = NULL;
    }
    session_follow_selector(session);
    return status;
}

/* W's at dials that have been turned since. */
static bool is_outdated(const Session *session) {
    const SessionDormancyErrand *errand = &session->neurons->dormancy_errand;
    return errand->side == SIDE_FUSED && !settings_equal(&errand->settings, &session->settings);
}

static Status collect_dormancy(Session *session, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionDormancyErrand *errand = &method->dormancy_errand;
    Status status = method->measuring.status;
    if (status == STATUS_CANCELLED && is_outdated(session))
        status = STATUS_OK; /* it made way */
    else if (status == STATUS_OK)
        status = session_accept_dormancy(session, errand, error);
    else
        *error = method->measuring.error;
    session_free_dormancy_errand(errand);
    return status;
}

/* ---- drift of rows and columns ---- */

static Status start_drift(Session *session, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionDriftErrand *errand = &method->drift_errand;
    *errand = (SessionDriftErrand){.model = session->model,
                                   .table = method->table,
                                   .drift_origin = session_ranking_origin(session, SELECTOR_DRIFT),
                                   .drift = memory_allocate(neurons_count(&method->table), sizeof(double))};
    Status status = errand->drift == NULL ? memory_fail(error, "drift of neurons") : STATUS_OK;
    if (status == STATUS_OK)
        status = task_start(&method->profiling, session->threads, session_run_drift, errand, error);
    if (status != STATUS_OK) session_free_drift_errand(errand);
    return status;
}

Status session_accept_drift(Session *session, SessionDriftErrand *errand, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    method->revision++;
    free(method->drift);
    method->drift = errand->drift;
    errand->drift = NULL;
    Status status = keep_ranking(session, SELECTOR_RANDOM, errand->random_ranking, error);
    errand->random_ranking = NULL;
    if (status == STATUS_OK && errand->drift_ranking != NULL) {
        status = keep_ranking(session, SELECTOR_DRIFT, errand->drift_ranking, error);
        errand->drift_ranking = NULL;
    }
    session_follow_selector(session);
    return status;
}

static Status collect_drift(Session *session, Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    SessionDriftErrand *errand = &method->drift_errand;
    Status status = method->profiling.status;
    bool is_measured = errand->random_ranking != NULL; /* though it may give no order */
    Status kept = is_measured ? session_accept_drift(session, errand, error) : STATUS_OK;
    if (status != STATUS_OK) *error = method->profiling.error;
    if (status == STATUS_OK) status = kept;
    session_free_drift_errand(errand);
    return status;
}

/* ---- what is due ---- */

static void note(Session *session, SessionMethodPart part, Status status, const Error *error) {
    struct SessionNeuronsPart *method = session->neurons;
    if (status == STATUS_CANCELLED) {
        method->is_halted = true;
        method->asked = METHOD_PARTS; /* nothing, until it is chosen again */
    } else if (status != STATUS_OK) {
        method->errors[part] = *error;
    }
}

static bool collect_method(Session *session) {
    struct SessionNeuronsPart *method = session->neurons;
    Error error = {0};
    bool changed = false;
    if (task_poll(&method->profiling)) {
        note(session, METHOD_DRIFT, collect_drift(session, &error), &error);
        changed = true;
    }
    if (task_poll(&method->attributing)) {
        note(session, METHOD_ATTRIBUTION, collect_attribution(session, &error), &error);
        changed = true;
    }
    if (task_poll(&method->measuring)) {
        note(session, METHOD_DORMANCY, collect_dormancy(session, &error), &error);
        changed = true;
    }
    return changed;
}

/* Base and SFT are measured on the rows: large models' when that was asked for. */
static bool has_headline(const Session *session) {
    return session_headline_evaluation(session) != NULL;
}

/* Drift needs no rows: where it is what the dial goes by it does not wait for them, but for the scan that reads the
 * same files. */
static bool is_due(const Session *session, SessionMethodPart part) {
    const struct SessionNeuronsPart *method = session->neurons;
    bool is_chosen = session_selector_part(method->selector) == part;
    if (method->errors[part].status != STATUS_OK || (method->is_halted && method->asked != part))
        return false;
    if (part == METHOD_DRIFT)
        return method->drift == NULL &&
               (has_headline(session) || (is_chosen && !session_drift_is_running(session)));
    if (!has_headline(session)) return false;
    if (part == METHOD_ATTRIBUTION)
        return !method->has_attribution || method->attributed_targets != method->target_count;
    return !method->has_dormancy[SIDE_BASE] || !method->has_dormancy[SIDE_SFT] ||
           session_dormancy_is_stale(session);
}

static Status start_part(Session *session, SessionMethodPart part, Error *error) {
    const struct SessionNeuronsPart *method = session->neurons;
    if (part == METHOD_ATTRIBUTION) return start_attribution(session, error);
    if (part == METHOD_DRIFT) return start_drift(session, error);
    Side side = !method->has_dormancy[SIDE_SFT]    ? SIDE_SFT /* which orders them */
                : !method->has_dormancy[SIDE_BASE] ? SIDE_BASE
                                                   : SIDE_FUSED;
    return start_dormancy(session, side, error);
}

/* One thing at a time, what the reset dial needs first. */
static void start_next(Session *session) {
    const struct SessionNeuronsPart *method = session->neurons;
    SessionMethodPart first = session_selector_part(method->selector);
    Error error = {0};
    if (task_is_running(&method->attributing) || task_is_running(&method->measuring) ||
        task_is_running(&method->profiling))
        return;
    for (int i = -1; i < METHOD_PARTS; i++) {
        SessionMethodPart part = i < 0 ? first : (SessionMethodPart)i;
        if (!is_due(session, part)) continue;
        note(session, part, start_part(session, part, &error), &error);
        return;
    }
}

bool session_neurons_measure_refresh(Session *session, bool may_start) {
    struct SessionNeuronsPart *method = session->neurons;
    bool changed = collect_method(session);
    if (task_is_running(&method->measuring) && is_outdated(session)) (void)task_cancel(&method->measuring);
    if (method->has_table && may_start) start_next(session);
    return changed;
}

void session_neurons_measure_resume(Session *session) {
    struct SessionNeuronsPart *method = session->neurons;
    method->is_halted = false;
    for (int part = 0; part < METHOD_PARTS; part++) method->errors[part] = (Error){0};
}

/* Drift is of the weights alone: it goes on, and stays. */
void session_neurons_measure_forget(Session *session) {
    static const Selector MEASURED[] = {SELECTOR_ATTRIBUTION, SELECTOR_DORMANCY, SELECTOR_GRADIENT};
    struct SessionNeuronsPart *method = session->neurons;
    method->revision++;
    task_stop(&method->attributing);
    task_stop(&method->measuring);
    session_free_attribution_errand(&method->attribution_errand);
    session_free_dormancy_errand(&method->dormancy_errand);
    attribution_free(&method->attribution);
    method->has_attribution = false;
    for (int side = 0; side < SIDE_COUNT; side++) {
        dormancy_free(&method->dormancy[side]);
        method->has_dormancy[side] = false;
    }
    for (size_t i = 0; i < sizeof MEASURED / sizeof *MEASURED; i++) method->rankings[MEASURED[i]] = NULL;
    method->is_halted = false;
    method->errors[METHOD_ATTRIBUTION] = method->errors[METHOD_DORMANCY] = (Error){0};
    session_follow_selector(session);
}

void session_neurons_measure_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_ATTRIBUTION] = &session->neurons->attributing;
    tasks[SESSION_TASK_DORMANCY] = &session->neurons->measuring;
    tasks[SESSION_TASK_NEURON_DRIFT] = &session->neurons->profiling;
}

void session_neurons_measure_free(Session *session) {
    struct SessionNeuronsPart *method = session->neurons;
    if (method == NULL) return;
    task_stop(&method->profiling);
    session_neurons_measure_forget(session);
    session_free_drift_errand(&method->drift_errand);
    free(method->drift);
    for (size_t i = 0; i < method->kept_count; i++) ranking_free(method->kept[i]);
    free(method->kept);
    free(method);
}
