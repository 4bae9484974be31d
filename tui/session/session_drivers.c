#include "tui/session/session_drivers.h"

#include "core/support/memory.h"
#include "tui/session/session_rows.h"
#include "tui/session/session_state.h"

#include <math.h>
#include <stdlib.h>

/* ---- asking ---- */

static bool is_there(const SessionMethod *method, uint64_t neuron) {
    return method->driver_count > 0 && method->drivers_of == neuron;
}

const SessionDriver *session_drivers(Session *session, uint64_t neuron, size_t *count) {
    SessionMethod *method = &session->method;
    *count = 0;
    if (is_there(method, neuron)) {
        *count = method->driver_count;
        return method->drivers;
    }
    if (method->has_wanted_drivers && method->wanted_drivers == neuron) return NULL;
    method->wanted_drivers = neuron;
    method->has_wanted_drivers = true;
    method->drivers_error = (Error){0};
    (void)work_cancel(&method->driving);    /* it is of another neuron */
    (void)session_drivers_refresh(session); /* asked for while drawing, nothing else might come to start it */
    return NULL;
}

const char *session_drivers_message(const Session *session) {
    const Error *error = &session->method.drivers_error;
    return error->status != STATUS_OK ? error->message : session_headline_message(session);
}

/* ---- measuring ---- */

static void note_values(void *user, const ForwardMoment *moment) {
    SessionDriversErrand *errand = user;
    if (moment->site != errand->site || moment->layer != errand->block.layer) return;
    for (size_t t = 0; t < moment->tokens; t++)
        errand->values[errand->token + moment->first + t] = moment->values[t * moment->width + errand->index];
}

static Status drive(Job *job, void *argument, Error *error) {
    SessionDriversErrand *errand = argument;
    MatmulScratch *scratch;
    Settings sft = settings_at(1.0);
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    for (size_t i = 0; i < errand->row_count && status == STATUS_OK; i++) {
        const EvaluationRow *row = &errand->rows[i];
        ForwardState *state;
        status = forward_create_state(errand->model, &sft, row->count, &state, error);
        ForwardInput input = {.ids = row->ids,
                              .count = row->count,
                              .stage = "tokens of a neuron",
                              .observer = note_values,
                              .user = errand};
        if (status == STATUS_OK) status = forward_run(&state, 1, &input, scratch, job, error);
        forward_free_state(state);
        errand->token += row->count;
    }
    matmul_free_scratch(scratch);
    return status;
}

static void free_errand(SessionDriversErrand *errand) {
    free(errand->rows);
    free(errand->values);
    *errand = (SessionDriversErrand){0};
}

static Status start(Session *session, uint64_t neuron, Error *error) {
    static const ForwardSite SITES[NEURON_MODULE_COUNT] = {
        [NEURON_Q] = FORWARD_QUERY,       [NEURON_K] = FORWARD_KEY, [NEURON_V] = FORWARD_VALUE,
        [NEURON_GATE] = FORWARD_GATE,     [NEURON_UP] = FORWARD_UP, [NEURON_O] = FORWARD_MIXED,
        [NEURON_DOWN] = FORWARD_ACTIVATED};
    SessionMethod *method = &session->method;
    SessionDriversErrand *errand = &method->drivers_errand;
    const Calibration *rows = session_calibration(session, NULL);
    NeuronBlock block = neurons_locate(&method->table, neuron);
    *errand = (SessionDriversErrand){.model = session->model,
                                     .neuron = neuron,
                                     .block = block,
                                     .index = (size_t)(neuron - block.first),
                                     .site = SITES[block.module],
                                     .rows = calibration_list_positions(rows, true),
                                     .row_count = rows->count,
                                     .values = memory_allocate(rows->tokens, sizeof *errand->values)};
    Status status =
        errand->rows == NULL || errand->values == NULL ? memory_fail(error, "tokens of a neuron") : STATUS_OK;
    if (status == STATUS_OK) status = work_start(&method->driving, session->threads, drive, errand, error);
    if (status != STATUS_OK) free_errand(errand);
    return status;
}

/* Keeps each token at its largest magnitude, the largest of all first. */
static void note(SessionMethod *method, const SessionDriver *driver) {
    SessionDriver *drivers = method->drivers;
    size_t at = 0;
    while (at < method->driver_count && drivers[at].token != driver->token) at++;
    if (at == SESSION_DRIVERS) at--; /* a new one takes the place of the least */
    if (at < method->driver_count && !(fabs(drivers[at].value) < fabs(driver->value))) return;
    if (at == method->driver_count) method->driver_count++;
    for (; at > 0 && fabs(drivers[at - 1].value) < fabs(driver->value); at--) drivers[at] = drivers[at - 1];
    drivers[at] = *driver;
}

static size_t count_token(const SessionDriversErrand *errand, int32_t id) {
    size_t times = 0;
    for (size_t r = 0; r < errand->row_count; r++)
        for (size_t t = 0; t < errand->rows[r].count; t++) times += errand->rows[r].ids[t] == id;
    return times;
}

static void take_values(SessionMethod *method) {
    const SessionDriversErrand *errand = &method->drivers_errand;
    size_t token = 0;
    method->driver_count = 0;
    method->drivers_of = errand->neuron;
    for (size_t r = 0; r < errand->row_count; r++)
        for (size_t t = 0; t < errand->rows[r].count; t++, token++)
            note(method, &(SessionDriver){.row = r,
                                          .position = t,
                                          .token = errand->rows[r].ids[t],
                                          .value = (double)errand->values[token]});
    for (size_t i = 0; i < method->driver_count; i++)
        method->drivers[i].times = count_token(errand, method->drivers[i].token);
}

static void collect(SessionMethod *method) {
    if (method->driving.status == STATUS_OK)
        take_values(method);
    else if (method->driving.status != STATUS_CANCELLED) /* whoever cancelled it knows why */
        method->drivers_error = method->driving.error;
    free_errand(&method->drivers_errand);
}

bool session_drivers_refresh(Session *session) {
    SessionMethod *method = &session->method;
    bool changed = work_poll(&method->driving);
    if (changed) collect(method);
    bool is_due = method->has_wanted_drivers && method->drivers_error.status == STATUS_OK &&
                  !is_there(method, method->wanted_drivers);
    /* a pass over the rows of a large model waits to be asked for, as the headlines do */
    bool is_ready = session_headline_evaluation(session) != NULL;
    if (!is_due || !is_ready || work_is_running(&method->driving)) return changed;
    Status status = start(session, method->wanted_drivers, &method->drivers_error);
    return status == STATUS_OK || changed;
}

/* The view asks again with every drawing: without a reason not to, measuring would begin anew at once. */
bool session_drivers_cancel(Session *session) {
    SessionMethod *method = &session->method;
    if (!work_cancel(&method->driving)) return false;
    (void)status_fail(&method->drivers_error, STATUS_CANCELLED, "not measured: cancelled");
    return true;
}

void session_drivers_forget(Session *session) {
    SessionMethod *method = &session->method;
    work_stop(&method->driving);
    free_errand(&method->drivers_errand);
    method->has_wanted_drivers = false;
    method->driver_count = 0;
    method->drivers_error = (Error){0};
}
