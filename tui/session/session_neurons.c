#include "tui/session/session_neurons.h"

#include "core/method/dials.h"
#include "core/support/memory.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons_internal.h"

#include <math.h>
#include <string.h>

void session_neurons_begin(Session *session) {
    struct SessionNeuronsPart *method = session->neurons;
    if (session->model == NULL) return;
    method->table = neurons_list(session->model->config);
    method->has_table = true;
    method->no_gradient.status = dormancy_check_gradient(session->model, &method->no_gradient);
}

const NeuronTable *session_neurons(const Session *session) {
    return session->neurons->has_table ? &session->neurons->table : NULL;
}

static const char CANCELLED[] = "not measured: cancelled";

SessionMethodPart session_selector_part(Selector selector) {
    if (selector == SELECTOR_DRIFT || selector == SELECTOR_RANDOM) return METHOD_DRIFT;
    return selector == SELECTOR_ATTRIBUTION ? METHOD_ATTRIBUTION : METHOD_DORMANCY;
}

void session_follow_selector(Session *session) {
    session->settings.ranking = session->neurons->rankings[session->neurons->selector];
}

/* ---- what is known ---- */

const Attribution *session_attribution(const Session *session) {
    return session->neurons->has_attribution ? &session->neurons->attribution : NULL;
}

const Dormancy *session_dormancy(const Session *session, Side side) {
    return session->neurons->has_dormancy[side] ? &session->neurons->dormancy[side] : NULL;
}

bool session_dormancy_is_stale(const Session *session) {
    const struct SessionNeuronsPart *method = session->neurons;
    return !method->has_dormancy[SIDE_FUSED] ||
           !settings_equal(&method->dormancy_settings[SIDE_FUSED], &session->settings);
}

const char *session_neurons_message(const Session *session) {
    const char *message = session_headline_message(session);
    if (message != NULL) return message;
    const struct SessionNeuronsPart *method = session->neurons;
    static const SessionMethodPart PARTS[] = {METHOD_ATTRIBUTION, METHOD_DORMANCY, METHOD_DRIFT};
    for (size_t i = 0; i < METHOD_PARTS; i++)
        if (method->errors[PARTS[i]].status != STATUS_OK) return method->errors[PARTS[i]].message;
    if (method->is_halted && !method->has_attribution) return CANCELLED;
    return NULL;
}

const char *session_ranking_message(const Session *session) {
    const struct SessionNeuronsPart *method = session->neurons;
    const Calibration *rows = session_calibration(session, NULL);
    SessionMethodPart part = session_selector_part(method->selector);
    if (session_ranking_is_fresh(session)) return NULL;
    if (session->model == NULL) return session->model_error.message;
    const char *message = part == METHOD_DRIFT ? NULL : session_headline_message(session);
    if (message != NULL) return message;
    if (method->errors[part].status != STATUS_OK) return method->errors[part].message;
    if (method->selector == SELECTOR_GRADIENT && method->no_gradient.status != STATUS_OK)
        return method->no_gradient.message;
    const Dormancy *sft = session_dormancy(session, SIDE_SFT);
    if (method->selector == SELECTOR_GRADIENT && sft != NULL && sft->no_gradient.status != STATUS_OK)
        return sft->no_gradient.message; /* the rows are too long for it */
    if (method->selector == SELECTOR_GRADIENT && rows != NULL && rows->response_tokens == 0)
        return "the rows have no response, and the gradient is of its loss";
    return method->is_halted && method->asked != part ? CANCELLED : NULL;
}

bool session_ranking_is_fresh(const Session *session) {
    const struct SessionNeuronsPart *method = session->neurons;
    bool is_outdated =
        method->selector == SELECTOR_ATTRIBUTION && method->attributed_targets != method->target_count;
    return session->settings.ranking != NULL && !is_outdated;
}

void session_neuron(const Session *session, uint64_t neuron, NeuronScores *facts) {
    const struct SessionNeuronsPart *method = session->neurons;
    const NeuronSources sources = {.table = &method->table,
                                   .dormancy = {session_dormancy(session, SIDE_BASE),
                                                session_dormancy(session, SIDE_SFT),
                                                session_dormancy(session, SIDE_FUSED)},
                                   .attribution = session_attribution(session),
                                   .drift = method->drift,
                                   .settings = &session->settings};
    *facts = neuron_scores_find(&sources, neuron);
}

uint64_t session_neurons_revision(const Session *session) {
    return session->neurons->revision;
}

const Ranking *session_neurons_find_ranking(const Session *session, Selector selector, size_t targets) {
    const struct SessionNeuronsPart *method = session->neurons;
    for (size_t i = method->kept_count; i-- > 0;) {
        const RankingOrigin *origin = &method->kept[i]->origin;
        bool same_rows = origin->calibration_sha256[0] == '\0' ||
                         strcmp(origin->calibration_sha256, session_calibration_sha256(session)) == 0;
        if (origin->selector != selector || !same_rows) continue;
        /* the newest may have fewer targets than were asked for */
        uint64_t wanted = method->kept[i] == method->rankings[SELECTOR_ATTRIBUTION]
                              ? method->attributed_targets
                              : origin->targets;
        if (selector == SELECTOR_ATTRIBUTION && wanted != targets) continue;
        return method->kept[i];
    }
    return NULL;
}

/* ---- the reset dial ---- */

SessionReset session_reset(const Session *session) {
    const struct SessionNeuronsPart *method = session->neurons;
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

void session_set_selector(Session *session, Selector selector) {
    if (selector != session->neurons->selector) session->neurons->asked = session_selector_part(selector);
    session->neurons->selector = selector;
    session_follow_selector(session);
}

void session_set_targets(Session *session, double targets) {
    struct SessionNeuronsPart *method = session->neurons;
    if (!(targets >= 1.0 && targets <= DIALS_MOST_TARGETS && targets == floor(targets))) {
        session_say(session, SESSION_WARNING, "expected a whole number of targets from 1 to %d, found %.15g",
                    (int)DIALS_MOST_TARGETS, targets);
        return;
    }
    if ((size_t)targets == method->target_count) return;
    method->target_count = (size_t)targets;
    method->errors[METHOD_ATTRIBUTION] = (Error){0};
}

/* ---- for the other parts of a session ---- */

Status session_neurons_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->neurons = memory_allocate(1, sizeof *session->neurons);
    if (session->neurons == NULL) return memory_fail(error, "the session");
    session->neurons->target_count = ATTRIBUTION_TARGETS;
    session->neurons->attributing.label = "attribution";
    session->neurons->measuring.label = "dormancy";
    session->neurons->profiling.label = "drift of neurons";
    return STATUS_OK;
}

Selector session_neurons_selector(const Session *session) {
    return session->neurons->selector;
}

size_t session_neurons_targets(const Session *session) {
    return session->neurons->target_count;
}

bool session_neurons_has_attribution(const Session *session, size_t targets) {
    return session->neurons->has_attribution && session->neurons->attributed_targets == targets;
}

const double *session_neurons_drift(const Session *session) {
    return session->neurons->drift;
}
