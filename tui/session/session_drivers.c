#include "tui/session/session_drivers.h"

#include "core/support/memory.h"
#include "core/transformer/forward.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"

#include <math.h>
#include <stdlib.h>

enum { DRIVERS = 16 };

/* The job thread's while `driving` runs. */
typedef struct DriversErrand {
    const Model *model;
    uint64_t neuron;
    NeuronBlock matrix;
    size_t index;
    ForwardSite site;
    EvaluationRow *rows;
    size_t row_count, token; /* the next row's first token */
    float *values;           /* [tokens]: x_j(t) */
} DriversErrand;

/* All but the errand is the UI thread's. */
struct SessionDriversPart {
    Task driving;
    DriversErrand errand;
    bool has_wanted;
    uint64_t wanted, drivers_of;
    Error error; /* of those wanted */
    SessionDriver drivers[DRIVERS];
    size_t count;
};

/* ---- asking ---- */

static bool is_there(const struct SessionDriversPart *part, uint64_t neuron) {
    return part->count > 0 && part->drivers_of == neuron;
}

const SessionDriver *session_drivers(Session *session, uint64_t neuron, size_t *count) {
    struct SessionDriversPart *part = session->drivers;
    *count = 0;
    if (is_there(part, neuron)) {
        *count = part->count;
        return part->drivers;
    }
    if (part->has_wanted && part->wanted == neuron) return NULL;
    part->wanted = neuron;
    part->has_wanted = true;
    part->error = (Error){0};
    (void)task_cancel(&part->driving);      /* it is of another neuron */
    (void)session_drivers_refresh(session); /* asked for while drawing, nothing else might come to start it */
    return NULL;
}

const char *session_drivers_message(const Session *session) {
    const Error *error = &session->drivers->error;
    return error->status != STATUS_OK ? error->message : session_headline_message(session);
}

/* ---- measuring ---- */

/* Of the tokens that are routed to the neuron's expert; it says 0 to all others. */
static void note_rows(DriversErrand *errand, const ForwardMoment *moment) {
    const ExpertRows *rows = moment->rows;
    size_t width = moment->width / rows->chosen, expert = (size_t)errand->matrix.expert;
    for (size_t r = rows->firsts[expert]; r < rows->firsts[expert + 1]; r++)
        errand->values[errand->token + moment->first + rows->tokens[r]] =
            moment->values[r * width + errand->index];
}

static void note_values(void *user, const ForwardMoment *moment) {
    DriversErrand *errand = user;
    if (moment->site != errand->site || moment->layer != errand->matrix.layer) return;
    if (moment->rows != NULL) {
        note_rows(errand, moment);
        return;
    }
    for (size_t t = 0; t < moment->tokens; t++)
        errand->values[errand->token + moment->first + t] = moment->values[t * moment->width + errand->index];
}

static Status drive(Job *job, void *argument, Error *error) {
    DriversErrand *errand = argument;
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

static void free_errand(DriversErrand *errand) {
    free(errand->rows);
    free(errand->values);
    *errand = (DriversErrand){0};
}

static ForwardSite site_of(const NeuronBlock *matrix) {
    static const ForwardSite SITES[NEURON_MODULE_COUNT] = {
        [NEURON_Q] = FORWARD_QUERY,        [NEURON_K] = FORWARD_KEY,   [NEURON_V] = FORWARD_VALUE,
        [NEURON_GATE] = FORWARD_GATE,      [NEURON_UP] = FORWARD_UP,   [NEURON_O] = FORWARD_MIXED,
        [NEURON_DOWN] = FORWARD_ACTIVATED, [NEURON_QKV] = FORWARD_QKV, [NEURON_GATE_UP] = FORWARD_GATE_UP};
    static const ForwardSite ROUTED[NEURON_MODULE_COUNT] = {[NEURON_GATE] = FORWARD_ROUTED_GATE,
                                                            [NEURON_UP] = FORWARD_ROUTED_UP,
                                                            [NEURON_GATE_UP] = FORWARD_ROUTED_GATE_UP,
                                                            [NEURON_DOWN] = FORWARD_ROUTED_ACTIVATED};
    return matrix->expert >= 0 ? ROUTED[matrix->module] : SITES[matrix->module];
}

static Status start(Session *session, uint64_t neuron, Error *error) {
    struct SessionDriversPart *part = session->drivers;
    DriversErrand *errand = &part->errand;
    const Calibration *rows = session_calibration(session, NULL);
    NeuronBlock matrix = neurons_locate_matrix(session_neurons(session), neuron);
    *errand = (DriversErrand){.model = session->model,
                              .neuron = neuron,
                              .matrix = matrix,
                              .index = (size_t)(neuron - matrix.first),
                              .site = site_of(&matrix),
                              .rows = calibration_list_positions(rows, true),
                              .row_count = rows->count,
                              .values = memory_allocate(rows->tokens, sizeof *errand->values)};
    Status status =
        errand->rows == NULL || errand->values == NULL ? memory_fail(error, "tokens of a neuron") : STATUS_OK;
    if (status == STATUS_OK) status = task_start(&part->driving, session->threads, drive, errand, error);
    if (status != STATUS_OK) free_errand(errand);
    return status;
}

/* Keeps each token at its largest magnitude, the largest of all first. */
static void note(struct SessionDriversPart *part, const SessionDriver *driver) {
    SessionDriver *drivers = part->drivers;
    size_t at = 0;
    while (at < part->count && drivers[at].token != driver->token) at++;
    if (at == DRIVERS) at--; /* a new one takes the place of the least */
    if (at < part->count && !(fabs(drivers[at].value) < fabs(driver->value))) return;
    if (at == part->count) part->count++;
    for (; at > 0 && fabs(drivers[at - 1].value) < fabs(driver->value); at--) drivers[at] = drivers[at - 1];
    drivers[at] = *driver;
}

static size_t count_token(const DriversErrand *errand, int32_t id) {
    size_t times = 0;
    for (size_t r = 0; r < errand->row_count; r++)
        for (size_t t = 0; t < errand->rows[r].count; t++) times += errand->rows[r].ids[t] == id;
    return times;
}

static void take_values(struct SessionDriversPart *part) {
    const DriversErrand *errand = &part->errand;
    size_t token = 0;
    part->count = 0;
    part->drivers_of = errand->neuron;
    for (size_t r = 0; r < errand->row_count; r++)
        for (size_t t = 0; t < errand->rows[r].count; t++, token++)
            note(part, &(SessionDriver){.row = r,
                                        .position = t,
                                        .token = errand->rows[r].ids[t],
                                        .value = (double)errand->values[token]});
    for (size_t i = 0; i < part->count; i++)
        part->drivers[i].times = count_token(errand, part->drivers[i].token);
}

static void collect(struct SessionDriversPart *part) {
    if (part->driving.status == STATUS_OK)
        take_values(part);
    else if (part->driving.status != STATUS_CANCELLED) /* whoever cancelled it knows why */
        part->error = part->driving.error;
    free_errand(&part->errand);
}

bool session_drivers_refresh(Session *session) {
    struct SessionDriversPart *part = session->drivers;
    bool changed = task_poll(&part->driving);
    if (changed) collect(part);
    bool is_due = part->has_wanted && part->error.status == STATUS_OK && !is_there(part, part->wanted);
    /* a pass over the rows of a large model waits to be asked for, as the headlines do */
    bool is_ready = session_headline_evaluation(session) != NULL;
    if (!is_due || !is_ready || task_is_running(&part->driving)) return changed;
    Status status = start(session, part->wanted, &part->error);
    return status == STATUS_OK || changed;
}

/* The view asks again with every drawing: without a reason not to, measuring would begin anew at once. */
bool session_drivers_cancel(Session *session, SessionTask task) {
    (void)task;
    struct SessionDriversPart *part = session->drivers;
    if (!task_cancel(&part->driving)) return false;
    (void)status_fail(&part->error, STATUS_CANCELLED, "not measured: cancelled");
    return true;
}

void session_drivers_forget(Session *session) {
    struct SessionDriversPart *part = session->drivers;
    task_stop(&part->driving);
    free_errand(&part->errand);
    part->has_wanted = false;
    part->count = 0;
    part->error = (Error){0};
}

/* ---- for session.c ---- */

Status session_drivers_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->drivers = memory_allocate(1, sizeof *session->drivers);
    if (session->drivers == NULL) return memory_fail(error, "the session");
    session->drivers->driving.label = "tokens of a neuron";
    return STATUS_OK;
}

void session_drivers_resume(Session *session) {
    session->drivers->error = (Error){0};
}

void session_drivers_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_DRIVERS] = &session->drivers->driving;
}

void session_drivers_free(Session *session) {
    if (session->drivers == NULL) return;
    session_drivers_forget(session);
    free(session->drivers);
}
