#include "tui/lists/neuron_list.h"

#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"

#include <math.h>

NeuronList neuron_list_make(void) {
    return (NeuronList){.column = NEURON_COLUMN_RANK,
                        .filter = neuron_filter_none(),
                        .tau = DORMANCY_TAU,
                        .gradient_tau = DORMANCY_GRADIENT_TAU};
}

void neuron_list_free(NeuronList *list) {
    neuron_order_free(&list->order);
}

void neuron_list_forget(NeuronList *list) {
    list->stamp.is_set = false;
}

/* ---- thresholds ---- */

double *neuron_list_tau(NeuronList *list, NeuronColumn dormancy) {
    return dormancy == NEURON_COLUMN_GRADIENT ? &list->gradient_tau : &list->tau;
}

double neuron_list_step_tau(double tau, int steps) {
    static const double LADDER[] = {0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};
    enum { RUNGS = sizeof LADDER / sizeof *LADDER };
    for (; steps > 0; steps--) {
        int next = 0;
        while (next < RUNGS - 1 && LADDER[next] <= tau) next++;
        tau = fmax(tau, LADDER[next]);
    }
    for (; steps < 0; steps++) {
        int next = RUNGS - 1;
        while (next > 0 && LADDER[next] >= tau) next--;
        tau = LADDER[next];
    }
    return tau;
}

/* ---- what it depends on ---- */

static const void *scores_of(const Session *session, NeuronColumn column) {
    size_t count;
    NeuronBlock first = {.module = NEURON_DOWN};
    return neuron_column_scores(session, column, &first, &count);
}

static NeuronListStamp make_stamp(NeuronList *list, const Session *session) {
    NeuronColumn column = list->column, dormancy = neuron_column_dormancy(column);
    const Attribution *attribution = session_attribution(session);
    NeuronScores first;
    NeuronListStamp stamp = {
        .is_set = true, .reversed = list->reversed, .column = column, .filter = list->filter};
    if (column == NEURON_COLUMN_SCORE || column == NEURON_COLUMN_TARGET)
        stamp.figures = attribution == NULL ? NULL : attribution->best_score;
    if (column >= NEURON_COLUMN_BASE && column <= NEURON_COLUMN_GRADIENT)
        stamp.figures = scores_of(session, column);
    if (column == NEURON_COLUMN_DRIFT) {
        session_neuron(session, 0, &first);
        stamp.drift = !isnan(first.drift);
    }
    if (list->filter.dormant) {
        stamp.tau = *neuron_list_tau(list, dormancy);
        stamp.dormancy = scores_of(session, dormancy);
    }
    if (column == NEURON_COLUMN_RANK || column == NEURON_COLUMN_RESET || list->filter.reset)
        stamp.ranking = session_settings(session)->ranking;
    if (column == NEURON_COLUMN_RESET || list->filter.reset)
        stamp.cut = settings_cut(session_settings(session));
    return stamp;
}

static bool is_same_order(const NeuronListStamp *a, const NeuronListStamp *b) {
    return a->is_set && b->is_set && a->reversed == b->reversed && a->column == b->column &&
           neuron_filter_equal(&a->filter, &b->filter);
}

static bool is_same(const NeuronListStamp *a, const NeuronListStamp *b) {
    return is_same_order(a, b) && a->drift == b->drift && !(a->tau < b->tau) && !(a->tau > b->tau) &&
           a->figures == b->figures && a->dormancy == b->dormancy && a->ranking == b->ranking &&
           a->cut == b->cut;
}

/* ---- the order ---- */

static bool passes(const NeuronList *list, NeuronColumn dormancy, double tau, const NeuronScores *facts) {
    if (list->filter.reset && !facts->is_reset) return false;
    return !list->filter.dormant || neuron_column_value(dormancy, 0, facts) <= tau; /* false for a NaN */
}

static void add_block(NeuronList *list, const Session *session, const NeuronBlock *block) {
    NeuronColumn column = list->column, dormancy = neuron_column_dormancy(column);
    double tau = *neuron_list_tau(list, dormancy);
    bool largest_first = neuron_column_facts(column)->largest_first != list->reversed;
    for (uint64_t i = 0; i < block->count; i++) {
        uint32_t neuron = (uint32_t)(block->first + i), key;
        NeuronScores facts;
        if (!neuron_filter_fits(&list->filter.place, block, i)) continue;
        session_neuron(session, neuron, &facts);
        if (!passes(list, dormancy, tau, &facts)) continue;
        if (column == NEURON_COLUMN_PLACE) /* exact, however many there are */
            key = largest_first ? ~neuron : neuron;
        else
            key = neuron_order_key(neuron_column_value(column, neuron, &facts), largest_first);
        neuron_order_add(&list->order, neuron, key);
    }
}

Status neuron_list_update(NeuronList *list, const Session *session, Error *error) {
    const NeuronTable *table = session_neurons(session);
    NeuronListStamp stamp = make_stamp(list, session);
    uint64_t current = 0;
    if (is_same(&stamp, &list->stamp)) return STATUS_OK;
    bool keep = list->list.cursor > 0 && neuron_list_current(list, &current) &&
                (!list->stamp.is_set || is_same_order(&stamp, &list->stamp));
    Status status = neuron_order_clear(&list->order, (size_t)neurons_count(table), error);
    if (status != STATUS_OK) return status;
    for (size_t b = 0; b < neurons_block_count(table); b++) {
        NeuronBlock block = neurons_block(table, b);
        NeuronPlace place = list->filter.place;
        place.index = NEURON_ANY;
        if (neuron_filter_fits(&place, &block, 0)) add_block(list, session, &block);
    }
    neuron_order_sort(&list->order);
    list->stamp = stamp;
    if (!keep || !neuron_list_go(list, current)) list->list.cursor = 0;
    return STATUS_OK;
}

bool neuron_list_current(const NeuronList *list, uint64_t *neuron) {
    if (list->list.cursor >= list->order.count) return false;
    *neuron = list->order.entries[list->list.cursor].neuron;
    return true;
}

bool neuron_list_go(NeuronList *list, uint64_t neuron) {
    size_t place = neuron_order_find(&list->order, (uint32_t)neuron);
    if (place == list->order.count) return false;
    list->list.cursor = place;
    return true;
}

bool neuron_list_find(NeuronList *list, const NeuronTable *table, const NeuronPlace *place, int direction,
                      bool stay) {
    size_t count = list->order.count;
    for (size_t i = stay ? 0 : 1; i < count + (stay ? 0 : 1); i++) {
        size_t step = i % count, at = (list->list.cursor + (direction > 0 ? step : count - step)) % count;
        uint64_t neuron = list->order.entries[at].neuron;
        NeuronBlock block = neurons_locate(table, neuron);
        if (!neuron_filter_fits(place, &block, neuron - block.first)) continue;
        list->list.cursor = at;
        return true;
    }
    return false;
}
