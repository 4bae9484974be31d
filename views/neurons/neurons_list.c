#include "tui/keys/key_text.h"
#include "tui/tables/neuron_table.h"
#include "views/neurons/neurons_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_LIMIT = 100000, WIDE_TARGET_FROM = 92 };

typedef struct Drawing {
    const Neurons *neurons;
    const Session *session;
    size_t row; /* whose facts these are */
    bool has_facts;
    NeuronScores facts;
    bool with_token;
} Drawing;

/* A figure of W that is being measured again; where there is none, nothing is out of date. */
static Role role_of(const Drawing *drawing, NeuronColumn column) {
    if (column == NEURON_COLUMN_FUSED && neuron_column_is_known(column, &drawing->facts) &&
        session_dormancy_is_stale(drawing->session))
        return ROLE_STALE;
    return column == drawing->neurons->list.column ? ROLE_VALUE : ROLE_TEXT;
}

static void write_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    Drawing *drawing = user;
    if (!drawing->has_facts || drawing->row != row) {
        session_neuron(drawing->session, drawing->neurons->list.order.entries[row].neuron, &drawing->facts);
        drawing->row = row;
        drawing->has_facts = true;
    }
    const NeuronScores *facts = &drawing->facts;
    *role = role_of(drawing, (NeuronColumn)column);
    if (column == NEURON_COLUMN_PLACE) {
        char name[FORMAT_SIZE * 2];
        neuron_column_name(facts, name);
        (void)snprintf(text, LIST_CELL_SIZE, "%s%s", facts->is_reset ? "● " : "  ", name);
        if (facts->is_reset) *role = ROLE_MARK;
    } else if (column == NEURON_COLUMN_TARGET) {
        neuron_column_format_target(drawing->session, facts->target, text, LIST_CELL_SIZE);
    } else {
        neuron_column_format((NeuronColumn)column, facts, text);
    }
}

/* How the list is ordered and what it shows, in one line. */
static void draw_head(const Neurons *neurons, const Session *session, Canvas *canvas, Rect row) {
    const NeuronList *list = &neurons->list;
    const NeuronColumnFacts *facts = neuron_column_facts(list->column);
    char shown[FORMAT_SIZE], all[FORMAT_SIZE], filter[NEURON_FILTER_TEXT];
    neuron_filter_describe(&list->filter, filter);
    bool largest = facts->largest_first != list->reversed;
    int column = canvas_print(canvas, row, 0, 0, ROLE_TITLE, "%s of %s neurons",
                              format_count(list->order.count, shown),
                              format_count(neurons_count(session_neurons(session)), all));
    column = canvas_print(canvas, row, 0, column + 2, ROLE_DIM, "by ");
    column = canvas_write(canvas, row, 0, column, ROLE_TEXT, facts->label);
    column = canvas_write(canvas, row, 0, column, ROLE_DIM, largest ? ", largest first" : ", smallest first");
    if (neurons->is_pending)
        column = canvas_write(canvas, row, 0, column, ROLE_WARNING, ", not in order yet");
    if (filter[0] == '\0') return;
    column = canvas_write(canvas, row, 0, column + 2, ROLE_DIM, "only ");
    (void)canvas_write(canvas, row, 0, column, ROLE_MATCH, filter);
}

static int count_digits(uint64_t number) {
    char text[FORMAT_SIZE];
    return snprintf(text, sizeof text, "%" PRIu64, number);
}

/* Of the layers that are no mixtures of experts, the widest block is a matrix. */
static uint64_t largest_matrix(const NeuronTable *table, NeuronModule module) {
    const NeuronExperts *experts = &table->experts;
    uint64_t most =
        experts->counts[module] > experts->shared[module] ? experts->counts[module] : experts->shared[module];
    for (size_t i = 0; i <= table->kind_count; i++) {
        uint64_t own = i == 0 ? table->counts[module] : table->kinds[i - 1].counts[module];
        if (own > most) most = own;
    }
    return most;
}

/* Of "● 12.down 4863", "● 12.shared.down 4863". */
static int name_width(const NeuronTable *table) {
    NeuronModule modules[NEURON_MODULE_COUNT];
    uint64_t most = 1;
    int name = 0;
    for (size_t i = 0, count = neurons_list_modules(table, modules); i < count; i++) {
        int width = (int)strlen(neurons_module_name(modules[i]));
        uint64_t count_here = largest_matrix(table, modules[i]);
        if (count_here > most) most = count_here;
        if (width > name) name = width;
    }
    int expert = table->experts.count == 0 ? 0 : 1 + count_digits(table->experts.count - 1);
    if (neurons_has_shared(table)) expert = 1 + (int)strlen("shared");
    return 2 + count_digits(table->layers - 1) + expert + name + 2 + count_digits(most - 1);
}

void neurons_draw_list(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    NeuronList *list = &neurons->list;
    const NeuronTable *table = session_neurons(session);
    int rank = count_digits(neurons_count(table)), name = name_width(table);
    bool many = name > 13; /* no model but a small one has room for all columns in 80 */
    int target = area.columns >= WIDE_TARGET_FROM ? 20 : 0;
    ListColumn columns[] = {{"  neuron", name, false, 0},
                            {"base", 6, true, 0},
                            {"SFT", 6, true, 0},
                            {session_dormancy_is_stale(session) ? "~W" : "W", 6, true, 1},
                            {"grad", 6, true, many ? 3 : 1},
                            {"drift", 6, true, 2},
                            {"score", 7, true, 0},
                            {"rank", rank < 4 ? 4 : rank, true, 0},
                            {"target", target, false, 1}};
    Drawing drawing = {.neurons = neurons, .session = session};
    if (area.columns > 120) area.columns = 120; /* names and figures stay close */
    draw_head(neurons, session, canvas, rect_cut_top(&area, area.rows > 2 ? 1 : 0));
    if (list->order.count == 0) {
        char keys[KEY_TEXT_SIZE];
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_DIM,
            neurons->is_pending
                ? "putting them in order…"
                : key_text("neurons", "No neuron passes the filter. {filter-off} takes it off.", keys));
        return;
    }
    list_box_draw(canvas, area, &list->list, list->order.count, columns, sizeof columns / sizeof *columns,
                  true, write_cell, &drawing);
}

/* ---- numbers ---- */

static void add_neuron(Table *table, const Session *session, uint64_t neuron) {
    const Attribution *attribution = session_attribution(session);
    NeuronRow row = {.target = NULL};
    session_neuron(session, neuron, &row.facts);
    if (attribution != NULL && row.facts.target >= 0) row.target = &attribution->targets[row.facts.target];
    neuron_table_add(session_neurons(session), table, &row);
}

Status neurons_make_table(void *state, Session *session, Table **table, Error *error) {
    Neurons *neurons = state;
    const NeuronOrder *order = &neurons->list.order;
    if (session_neurons(session) == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there are no neurons to write");
    Status status = STATUS_OK;
    for (bool pending = true; pending && status == STATUS_OK;)
        status = neuron_list_update(&neurons->list, session, &pending, error);
    if (status == STATUS_OK) status = neuron_table_create(session_neurons(session), table, error);
    if (status != STATUS_OK) return status;
    size_t count = order->count < ROWS_LIMIT ? order->count : ROWS_LIMIT;
    for (size_t i = 0; i < count; i++) add_neuron(*table, session, order->entries[i].neuron);
    if (count < order->count)
        session_say(session, SESSION_NOTE, "only the first %d of %zu neurons are written", ROWS_LIMIT,
                    order->count);
    return STATUS_OK;
}
