#include "tui/session_method.h"

#include "core/drift.h"
#include "core/memory.h"
#include "tui/session_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t RANDOM_SEED = 1;

/* ---- rows ---- */

/* The calibration rows as the method's functions take them; the caller frees. */
static EvaluationRow *list_rows(const Session *session, size_t *count) {
    *count = session->load.calibration->count;
    return calibration_list_positions(session->load.calibration, true);
}

void session_method_begin(Session *session) {
    SessionMethod *method = &session->method;
    method->target_count = ATTRIBUTION_TARGETS;
    if (session->model == NULL) return;
    method->table = neurons_list(session->model->config);
    method->has_table = true;
}

const NeuronTable *session_neurons(const Session *session) {
    return session->method.has_table ? &session->method.table : NULL;
}

/* ---- rankings ---- */

/* A ranking lives as long as the session: settings anywhere may borrow it. */
static Status keep_ranking(Session *session, Selector selector, Ranking *ranking, Error *error) {
    SessionMethod *method = &session->method;
    void *block = method->kept;
    Status status =
        memory_reserve(&block, &method->kept_capacity, method->kept_count + 1, sizeof *method->kept, error);
    if (status != STATUS_OK) {
        ranking_free(ranking);
        return status;
    }
    method->kept = block;
    method->kept[method->kept_count++] = ranking;
    method->rankings[selector] = ranking;
    return STATUS_OK;
}

static void follow_selector(Session *session) {
    session->settings.ranking = session->method.rankings[session->method.selector];
}

static RankingOrigin make_origin(const Session *session, Selector selector) {
    RankingOrigin origin = {.selector = selector};
    if (selector == SELECTOR_ATTRIBUTION) origin.targets = session->method.target_count;
    if (selector == SELECTOR_RANDOM) origin.seed = RANDOM_SEED;
    bool measured =
        selector == SELECTOR_ATTRIBUTION || selector == SELECTOR_DORMANCY || selector == SELECTOR_GRADIENT;
    if (measured)
        memcpy(origin.calibration_sha256, session->load.calibration_sha256, sizeof origin.calibration_sha256);
    return origin;
}

/* ---- attribution ---- */

static Status attribute(Job *job, void *argument, Error *error) {
    SessionAttributionErrand *errand = argument;
    Status status = attribution_run(errand->model, errand->rows, errand->targets, errand->target_count, false,
                                    0, &errand->attribution, job, error);
    if (status != STATUS_OK) return status;
    return ranking_create(&errand->table, &errand->origin,
                          (const uint32_t *)(const void *)errand->attribution.best_rank, &errand->ranking,
                          error);
}

static void free_attribution_errand(SessionAttributionErrand *errand) {
    free(errand->rows);
    free(errand->targets);
    attribution_free(&errand->attribution);
    ranking_free(errand->ranking);
    *errand = (SessionAttributionErrand){0};
}

static Status start_attribution(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    SessionAttributionErrand *errand = &method->attribution_errand;
    const EvaluationResult *base = comparison_base(session->headline),
                           *sft = comparison_sft(session->headline);
    size_t rows;
    *errand = (SessionAttributionErrand){.model = session->model,
                                         .table = method->table,
                                         .origin = make_origin(session, SELECTOR_ATTRIBUTION)};
    errand->rows = list_rows(session, &rows);
    if (errand->rows == NULL) return memory_fail(error, "attribution");
    Status status = attribution_choose_targets(errand->rows, rows, base, sft, method->target_count,
                                               &errand->targets, &errand->target_count, error);
    if (status == STATUS_OK)
        status = work_start(&method->attributing, session->threads, attribute, errand, error);
    if (status != STATUS_OK) free_attribution_errand(errand);
    return status;
}

static Status collect_attribution(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    SessionAttributionErrand *errand = &method->attribution_errand;
    Status status = method->attributing.status;
    if (status == STATUS_OK) {
        attribution_free(&method->attribution);
        method->attribution = errand->attribution;
        errand->attribution = (Attribution){0};
        method->has_attribution = true;
        method->attributed_targets = method->target_count;
        status = keep_ranking(session, SELECTOR_ATTRIBUTION, errand->ranking, error);
        errand->ranking = NULL;
        follow_selector(session);
    } else if (error != NULL) {
        *error = method->attributing.error;
    }
    free_attribution_errand(errand);
    return status;
}

/* ---- dormancy ---- */

static Status measure_dormancy(Job *job, void *argument, Error *error) {
    SessionDormancyErrand *errand = argument;
    return dormancy_run(errand->model, &errand->settings, errand->rows, errand->row_count,
                        errand->with_gradient, &errand->dormancy, job, error);
}

static Status start_dormancy(Session *session, SessionSide side, Error *error) {
    SessionMethod *method = &session->method;
    SessionDormancyErrand *errand = &method->dormancy_errand;
    *errand =
        (SessionDormancyErrand){.model = session->model, .side = side, .with_gradient = side == SESSION_SFT};
    errand->settings = session->settings;
    if (side == SESSION_BASE) errand->settings = settings_at(0.0);
    if (side == SESSION_SFT) errand->settings = settings_at(1.0);
    errand->rows = list_rows(session, &errand->row_count);
    Status status = errand->rows == NULL ? memory_fail(error, "dormancy") : STATUS_OK;
    if (status == STATUS_OK)
        status = work_start(&method->measuring, session->threads, measure_dormancy, errand, error);
    if (status != STATUS_OK) free(errand->rows);
    return status;
}

/* Dormant first: the lowest score is the most deserving. Neurons that dormancy does not know come last. */
static Status rank_dormancy(Session *session, Selector selector, const double *scores, Error *error) {
    const SessionMethod *method = &session->method;
    uint64_t neurons = neurons_count(&method->table);
    double *order = memory_allocate(neurons, sizeof *order);
    if (order == NULL) return memory_fail(error, "a ranking");
    for (uint64_t i = 0; i < neurons; i++) {
        NeuronBlock block = neurons_locate(&method->table, i);
        order[i] = block.module == NEURON_DOWN ? -scores[block.layer * block.count + (i - block.first)] : NAN;
    }
    RankingOrigin origin = make_origin(session, selector);
    Ranking *ranking;
    Status status = ranking_create_by_score(&method->table, &origin, order, &ranking, error);
    free(order);
    return status == STATUS_OK ? keep_ranking(session, selector, ranking, error) : status;
}

static Status collect_dormancy(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    SessionDormancyErrand *errand = &method->dormancy_errand;
    Status status = method->measuring.status;
    if (status == STATUS_OK) {
        dormancy_free(&method->dormancy[errand->side]);
        method->dormancy[errand->side] = errand->dormancy;
        method->dormancy_settings[errand->side] = errand->settings;
        method->has_dormancy[errand->side] = true;
        const Dormancy *sft = &method->dormancy[SESSION_SFT];
        if (errand->side == SESSION_SFT) {
            status = rank_dormancy(session, SELECTOR_DORMANCY, sft->mlp_scores, error);
            if (status == STATUS_OK)
                status = rank_dormancy(session, SELECTOR_GRADIENT, sft->gradient_scores, error);
            follow_selector(session);
        }
    } else {
        *error = method->measuring.error;
    }
    free(errand->rows);
    *errand = (SessionDormancyErrand){0};
    return status;
}

/* ---- drift of rows and columns ---- */

static Status profile_drift(Job *job, void *argument, Error *error) {
    SessionDriftErrand *errand = argument;
    Status status = STATUS_OK;
    size_t blocks = neurons_block_count(&errand->table);
    for (size_t b = 0; b < blocks && status == STATUS_OK; b++) {
        NeuronBlock block = neurons_block(&errand->table, b);
        const NeuronFacts *facts = neurons_facts(block.module);
        const PairTensor *tensor = errand->model->layers[block.layer].tensors[facts->weight];
        DriftProfile profile;
        if (!job_report(job, "drift of neurons", b, blocks)) return job_cancelled(error);
        status = drift_profile(tensor, &profile, job, error);
        if (status != STATUS_OK) break;
        for (uint64_t i = 0; i < block.count; i++)
            errand->drift[block.first + i] =
                facts->axis == NEURON_ROW
                    ? drift_relative(profile.row_difference[i], profile.row_base[i])
                    : drift_relative(profile.column_difference[i], profile.column_base[i]);
        drift_profile_free(&profile);
    }
    if (status == STATUS_OK)
        status = ranking_create_by_score(&errand->table, &errand->drift_origin, errand->drift,
                                         &errand->drift_ranking, error);
    if (status == STATUS_OK)
        status = ranking_create_random(&errand->table, RANDOM_SEED, &errand->random_ranking, error);
    return status;
}

static void free_drift_errand(SessionDriftErrand *errand) {
    free(errand->drift);
    ranking_free(errand->drift_ranking);
    ranking_free(errand->random_ranking);
    *errand = (SessionDriftErrand){0};
}

static Status start_drift(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    SessionDriftErrand *errand = &method->drift_errand;
    *errand = (SessionDriftErrand){.model = session->model,
                                   .table = method->table,
                                   .drift_origin = make_origin(session, SELECTOR_DRIFT),
                                   .drift = memory_allocate(neurons_count(&method->table), sizeof(double))};
    Status status = errand->drift == NULL ? memory_fail(error, "drift of neurons") : STATUS_OK;
    if (status == STATUS_OK)
        status = work_start(&method->profiling, session->threads, profile_drift, errand, error);
    if (status != STATUS_OK) free_drift_errand(errand);
    return status;
}

static Status collect_drift(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    SessionDriftErrand *errand = &method->drift_errand;
    Status status = method->profiling.status;
    if (status == STATUS_OK) {
        method->drift = errand->drift;
        errand->drift = NULL;
        status = keep_ranking(session, SELECTOR_DRIFT, errand->drift_ranking, error);
        errand->drift_ranking = NULL;
        if (status == STATUS_OK)
            status = keep_ranking(session, SELECTOR_RANDOM, errand->random_ranking, error);
        errand->random_ranking = NULL;
        follow_selector(session);
    } else {
        *error = method->profiling.error;
    }
    free_drift_errand(errand);
    return status;
}

/* ---- what drives a neuron ---- */

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

static void free_drivers_errand(SessionDriversErrand *errand) {
    free(errand->rows);
    free(errand->values);
    *errand = (SessionDriversErrand){0};
}

static Status start_drivers(Session *session, uint64_t neuron, Error *error) {
    static const ForwardSite SITES[NEURON_MODULE_COUNT] = {
        [NEURON_Q] = FORWARD_QUERY,       [NEURON_K] = FORWARD_KEY, [NEURON_V] = FORWARD_VALUE,
        [NEURON_GATE] = FORWARD_GATE,     [NEURON_UP] = FORWARD_UP, [NEURON_O] = FORWARD_MIXED,
        [NEURON_DOWN] = FORWARD_ACTIVATED};
    SessionMethod *method = &session->method;
    SessionDriversErrand *errand = &method->drivers_errand;
    NeuronBlock block = neurons_locate(&method->table, neuron);
    *errand = (SessionDriversErrand){.model = session->model,
                                     .neuron = neuron,
                                     .block = block,
                                     .index = (size_t)(neuron - block.first),
                                     .site = SITES[block.module]};
    errand->rows = list_rows(session, &errand->row_count);
    errand->values = memory_allocate(session->load.calibration->tokens, sizeof *errand->values);
    Status status =
        errand->rows == NULL || errand->values == NULL ? memory_fail(error, "tokens of a neuron") : STATUS_OK;
    if (status == STATUS_OK) status = work_start(&method->driving, session->threads, drive, errand, error);
    if (status != STATUS_OK) free_drivers_errand(errand);
    return status;
}

/* Keeps the largest magnitudes, largest first. */
static void collect_drivers(Session *session) {
    SessionMethod *method = &session->method;
    SessionDriversErrand *errand = &method->drivers_errand;
    if (method->driving.status == STATUS_OK) {
        method->driver_count = 0;
        method->drivers_of = errand->neuron;
        size_t token = 0;
        for (size_t r = 0; r < errand->row_count; r++) {
            for (size_t t = 0; t < errand->rows[r].count; t++, token++) {
                SessionDriver driver = {r, t, errand->rows[r].ids[t], (double)errand->values[token]};
                size_t at = method->driver_count < SESSION_DRIVERS ? method->driver_count++ : SESSION_DRIVERS;
                for (; at > 0 && fabs(method->drivers[at - 1].value) < fabs(driver.value); at--) {
                    if (at < SESSION_DRIVERS) method->drivers[at] = method->drivers[at - 1];
                }
                if (at < SESSION_DRIVERS) method->drivers[at] = driver;
            }
        }
    }
    free_drivers_errand(errand);
}

const SessionDriver *session_drivers(Session *session, uint64_t neuron, size_t *count) {
    SessionMethod *method = &session->method;
    *count = method->driver_count;
    if (method->driver_count > 0 && method->drivers_of == neuron) return method->drivers;
    method->wanted_drivers = neuron;
    method->has_wanted_drivers = true;
    *count = 0;
    return NULL;
}

/* ---- what is due ---- */

static void note_failure(Session *session, Status status, const Error *error) {
    if (status == STATUS_OK || status == STATUS_CANCELLED) {
        session->method.is_halted = session->method.is_halted || status == STATUS_CANCELLED;
        return;
    }
    session->method.error = *error;
    session->method.is_halted = true;
}

static bool collect_method(Session *session) {
    SessionMethod *method = &session->method;
    Error error = {0};
    bool changed = false;
    if (work_poll(&method->profiling)) {
        note_failure(session, collect_drift(session, &error), &error);
        changed = true;
    }
    if (work_poll(&method->attributing)) {
        note_failure(session, collect_attribution(session, &error), &error);
        changed = true;
    }
    if (work_poll(&method->measuring)) {
        note_failure(session, collect_dormancy(session, &error), &error);
        changed = true;
    }
    if (work_poll(&method->driving)) {
        collect_drivers(session);
        changed = true;
    }
    return changed;
}

/* One thing at a time, what the reset dial needs first. */
static Status start_next(Session *session, Error *error) {
    SessionMethod *method = &session->method;
    bool is_busy = work_is_running(&method->attributing) || work_is_running(&method->measuring) ||
                   work_is_running(&method->profiling);
    if (is_busy) return STATUS_OK;
    bool outdated = method->attributed_targets != method->target_count;
    if (!method->has_attribution || outdated) return start_attribution(session, error);
    if (method->drift == NULL) return start_drift(session, error);
    if (!method->has_dormancy[SESSION_BASE]) return start_dormancy(session, SESSION_BASE, error);
    if (!method->has_dormancy[SESSION_SFT]) return start_dormancy(session, SESSION_SFT, error);
    if (session_dormancy_is_stale(session)) return start_dormancy(session, SESSION_FUSED, error);
    return STATUS_OK;
}

bool session_method_refresh(Session *session) {
    SessionMethod *method = &session->method;
    bool changed = collect_method(session);
    bool is_ready = session->headline != NULL && comparison_base(session->headline) != NULL;
    if (!is_ready || method->is_halted) return changed;
    Error error = {0};
    note_failure(session, start_next(session, &error), &error);
    if (method->has_wanted_drivers && !work_is_running(&method->driving)) {
        method->has_wanted_drivers = false;
        note_failure(session, start_drivers(session, method->wanted_drivers, &error), &error);
        changed = true;
    }
    return changed;
}

void session_method_close(Session *session) {
    SessionMethod *method = &session->method;
    work_stop(&method->attributing);
    work_stop(&method->measuring);
    work_stop(&method->profiling);
    work_stop(&method->driving);
    free_attribution_errand(&method->attribution_errand);
    dormancy_free(&method->dormancy_errand.dormancy);
    free(method->dormancy_errand.rows);
    free_drift_errand(&method->drift_errand);
    free_drivers_errand(&method->drivers_errand);
    attribution_free(&method->attribution);
    for (int side = 0; side < SESSION_SIDES; side++) dormancy_free(&method->dormancy[side]);
    free(method->drift);
    for (size_t i = 0; i < method->kept_count; i++) ranking_free(method->kept[i]);
    free(method->kept);
}

/* ---- what is known ---- */

const Attribution *session_attribution(const Session *session) {
    return session->method.has_attribution ? &session->method.attribution : NULL;
}

const Dormancy *session_dormancy(const Session *session, SessionSide side) {
    return session->method.has_dormancy[side] ? &session->method.dormancy[side] : NULL;
}

bool session_dormancy_is_stale(const Session *session) {
    const SessionMethod *method = &session->method;
    return !method->has_dormancy[SESSION_FUSED] ||
           !settings_equal(&method->dormancy_settings[SESSION_FUSED], &session->settings);
}

const char *session_method_message(const Session *session) {
    const char *message = session_headline_message(session);
    if (message != NULL) return message;
    const SessionMethod *method = &session->method;
    if (method->error.status != STATUS_OK) return method->error.message;
    if (method->is_halted && !method->has_attribution) return "not measured: cancelled";
    return NULL;
}

void session_measure_method(Session *session) {
    session->method.is_halted = false;
    session->method.error = (Error){0};
    session_measure_headlines(session);
}

static double dormancy_of(const Session *session, SessionSide side, const NeuronBlock *block,
                          uint64_t index) {
    const Dormancy *dormancy = session_dormancy(session, side);
    if (dormancy == NULL) return NAN;
    if (block->module == NEURON_DOWN) return dormancy->mlp_scores[block->layer * dormancy->mlp + index];
    if (block->module == NEURON_O) return dormancy->channel_scores[block->layer * dormancy->channels + index];
    return NAN;
}

void session_neuron(const Session *session, uint64_t neuron, SessionNeuron *facts) {
    const SessionMethod *method = &session->method;
    const Ranking *ranking = session->settings.ranking;
    const Dormancy *sft = session_dormancy(session, SESSION_SFT);
    *facts = (SessionNeuron){.block = neurons_locate(&method->table, neuron),
                             .gradient = NAN,
                             .drift = method->drift == NULL ? NAN : method->drift[neuron],
                             .score = NAN,
                             .rank = -1,
                             .target = -1};
    facts->index = neuron - facts->block.first;
    for (int side = 0; side < SESSION_SIDES; side++)
        facts->dormancy[side] = dormancy_of(session, (SessionSide)side, &facts->block, facts->index);
    if (sft != NULL && facts->block.module == NEURON_DOWN)
        facts->gradient = sft->gradient_scores[facts->block.layer * sft->mlp + facts->index];
    if (method->has_attribution) {
        facts->score = (double)method->attribution.best_score[neuron];
        facts->target = method->attribution.best_target[neuron];
    }
    if (ranking == NULL) return;
    facts->rank = ranking->ranks[neuron];
    facts->is_reset = ranking->ranks[neuron] < settings_cut(&session->settings);
}

/* ---- the reset dial ---- */

SessionReset session_reset(const Session *session) {
    const SessionMethod *method = &session->method;
    const Ranking *ranking = session->settings.ranking;
    SessionReset reset = {
        .is_ready = ranking != NULL, .selector = method->selector, .targets = method->target_count};
    if (!method->has_table) return reset;
    reset.neurons = neurons_count(&method->table);
    if (ranking == NULL) return reset;
    reset.per_target = settings_cut(&session->settings);
    for (size_t b = 0; b < neurons_block_count(&method->table); b++) {
        NeuronBlock block = neurons_block(&method->table, b);
        uint64_t count = session_reset_block(session, &block);
        reset.by_module[block.module] += count;
        reset.selected += count;
    }
    return reset;
}

uint64_t session_reset_block(const Session *session, const NeuronBlock *block) {
    const Ranking *ranking = session->settings.ranking;
    return ranking == NULL ? 0 : ranking_count_block(ranking, block, settings_cut(&session->settings));
}

void session_set_rho(Session *session, double rho) {
    if (!isnan(rho)) session->settings.rho = fmin(1.0, fmax(0.0, round(rho * 2000.0) / 2000.0));
}

void session_set_omega(Session *session, double omega) {
    if (!isnan(omega)) session->settings.omega = fmin(1.0, fmax(0.0, round(omega * 1000.0) / 1000.0));
}

void session_set_selector(Session *session, Selector selector) {
    session->method.selector = selector;
    follow_selector(session);
}

void session_set_targets(Session *session, size_t targets) {
    if (targets >= 1 && targets <= 4096) session->method.target_count = targets;
}
