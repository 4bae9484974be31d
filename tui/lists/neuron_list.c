#include "tui/lists/neuron_list.h"

#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"

#include <math.h>

enum {
    NEURONS_A_CALL = 1 << 15, /* looked at: some 3 ms */
    MOVES_A_LOOK = 4          /* what takes as long as looking at one */
};

NeuronList neuron_list_make(void) {
    return (NeuronList){.column = NEURON_COLUMN_RANK,
                        .filter = neuron_filter_none(),
                        .tau = DORMANCY_TAU,
                        .gradient_tau = DORMANCY_GRADIENT_TAU};
}

void neuron_list_free(NeuronList *list) {
    neuron_order_free(&list->order);
    neuron_order_free(&list->next);
}

void neuron_list_forget(NeuronList *list) {
    list->stamp.is_set = list->wanted.is_set = false;
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

static void add_neuron(NeuronList *list, const Session *session, const NeuronBlock *block, uint64_t index) {
    NeuronColumn column = list->column, dormancy = neuron_column_dormancy(column);
    bool largest_first = neuron_column_facts(column)->largest_first != list->reversed;
    uint32_t neuron = (uint32_t)(block->first + index);
    NeuronScores facts;
    NeuronBlock matrix = neurons_locate_matrix(session_neurons(session), neuron);
    if (!neuron_filter_fits(&list->filter.place, &matrix, neuron - matrix.first)) return;
    session_neuron(session, neuron, &facts);
    if (!passes(list, dormancy, *neuron_list_tau(list, dormancy), &facts)) return;
    uint32_t key = largest_first ? ~neuron : neuron; /* of its place: exact, however many there are */
    if (column != NEURON_COLUMN_PLACE)
        key = neuron_order_key(neuron_column_value(column, neuron, &facts), largest_first);
    neuron_order_add(&list->next, neuron, key);
}

/* Looks at `most` neurons at most; returns how many are left of them. */
static size_t add_some(NeuronList *list, const Session *session, size_t most) {
    const NeuronTable *table = session_neurons(session);
    NeuronPlace place = list->filter.place;
    place.index = place.expert = NEURON_ANY;
    for (; list->block < neurons_block_count(table); list->block++, list->index = 0) {
        NeuronBlock block = neurons_block(table, list->block);
        if (!neuron_filter_fits(&place, &block, 0)) continue;
        for (; list->index < block.count; list->index++, most--) {
            if (most == 0) return 0;
            add_neuron(list, session, &block, list->index);
        }
    }
    return most;
}

static Status begin(NeuronList *list, const Session *session, const NeuronListStamp *stamp, Error *error) {
    list->wanted = *stamp;
    list->block = 0;
    list->index = 0;
    Status status = neuron_order_clear(&list->next, (size_t)neurons_count(session_neurons(session)), error);
    if (status != STATUS_OK) list->wanted.is_set = false;
    return status;
}

/* The new order takes the place of that which is shown. */
static void show_next(NeuronList *list) {
    uint64_t current = 0;
    bool keep = list->list.cursor > 0 && neuron_list_current(list, &current) &&
                (!list->stamp.is_set || is_same_order(&list->wanted, &list->stamp));
    NeuronOrder shown = list->order;
    list->order = list->next;
    list->next = shown;
    list->stamp = list->wanted;
    list->wanted.is_set = false;
    if (!keep || !neuron_list_go(list, current)) list->list.cursor = 0;
}

Status neuron_list_update(NeuronList *list, const Session *session, bool *pending, Error *error) {
    NeuronListStamp stamp = make_stamp(list, session);
    *pending = false;
    if (is_same(&stamp, &list->stamp)) {
        list->wanted.is_set = false;
        return STATUS_OK;
    }
    Status status = is_same(&stamp, &list->wanted) ? STATUS_OK : begin(list, session, &stamp, error);
    if (status != STATUS_OK) return status;
    size_t left = add_some(list, session, NEURONS_A_CALL);
    *pending = left == 0 || !neuron_order_sort(&list->next, left * MOVES_A_LOOK);
    if (!*pending) show_next(list);
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
        NeuronBlock matrix = neurons_locate_matrix(table, neuron);
        if (!neuron_filter_fits(place, &matrix, neuron - matrix.first)) continue;
        list->list.cursor = at;
        return true;
    }
    return false;
}
