#include "tui/session/session_reset.h"

#include "core/support/memory.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"

#include <math.h>
#include <stdlib.h>

/* The UI thread's. */
struct SessionResetPart {
    bool has_change;
    SessionChange change;
};

Status session_reset_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->resets = memory_allocate(1, sizeof *session->resets);
    if (session->resets == NULL) return memory_fail(error, "the session");
    return STATUS_OK;
}

void session_reset_free(Session *session) {
    free(session->resets);
}

const SessionChange *session_change(const Session *session) {
    return session->resets->has_change ? &session->resets->change : NULL;
}

bool session_reset_refresh(Session *session) {
    SessionChange *change = &session->resets->change;
    const Settings *settings = &session->settings;
    RankingFront now = {settings->ranking, settings_cut(settings)};
    if (now.ranking == change->after.ranking && now.cut == change->after.cut) {
        change->rho_after = settings->rho; /* a step too small to let a neuron in */
        return false;
    }
    bool is_first = change->after.ranking == NULL;
    change->before = change->after;
    change->rho_before = is_first ? 0.0 : change->rho_after;
    change->after = now;
    change->rho_after = settings->rho;
    change->entered =
        ranking_list_entering(&change->before, &change->after, change->entering, SESSION_CHANGE_NAMED);
    change->left =
        ranking_list_entering(&change->after, &change->before, change->leaving, SESSION_CHANGE_NAMED);
    session->resets->has_change = session->resets->has_change || !is_first || change->entered > 0;
    return true;
}

double session_reset_share(const Session *session, uint64_t first, uint64_t end, NeuronModule module) {
    const Ranking *ranking = session->settings.ranking;
    uint64_t selected = 0, all = 0;
    if (ranking == NULL) return NAN;
    for (uint64_t layer = first; layer < end && layer < ranking->table.layers; layer++) {
        for (int m = 0; m < NEURON_MODULE_COUNT; m++) {
            if (module != NEURON_MODULE_COUNT && (NeuronModule)m != module) continue;
            NeuronBlock block = neurons_find_block(&ranking->table, layer, (NeuronModule)m);
            selected += session_reset_block(session, &block);
            all += block.count;
        }
    }
    return all == 0 ? NAN : (double)selected / (double)all;
}
