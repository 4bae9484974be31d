#include "core/fusion/neurons_tensor.h"
#include "tui/canvas/chart.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_drivers.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_headline.h"
#include "views/neurons/neurons_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { TOKEN_BYTES = 24, DRIVER_BAR = 12, FACT_SIZE = 96, FACTS = 11, FACTS_COLUMNS = 38 };

bool neurons_current(const Neurons *neurons, const Session *session, uint64_t *neuron) {
    if (!neurons->mapping) return neuron_list_current(&neurons->list, neuron);
    *neuron = neuron_map_current(&neurons->map, session_neurons(session));
    return true;
}

/* ---- figures ---- */

/* "31.8 → 63.6 → 40.9 %": of the tokens, in base, SFT and W; false of a neuron that all pass. */
static bool format_routed(const Session *session, const NeuronBlock *matrix, char text[FACT_SIZE]) {
    int used = 0;
    if (matrix->expert < 0) return false;
    for (int side = 0; side < SIDE_COUNT; side++) {
        const Dormancy *dormancy = session_dormancy(session, (Side)side);
        char share[FORMAT_SIZE] = "·";
        if (dormancy != NULL)
            (void)snprintf(share, sizeof share, "%.3g",
                           100.0 * routing_share(&dormancy->routing, matrix->layer, (size_t)matrix->expert));
        used += snprintf(text + used, (size_t)(FACT_SIZE - used), "%s%s", side == 0 ? "" : " → ", share);
    }
    (void)snprintf(text + used, (size_t)(FACT_SIZE - used), " %%");
    return true;
}

int neurons_draw_facts(const Session *session, uint64_t neuron, Canvas *canvas, Rect area) {
    static const NeuronColumn SHOWN[] = {NEURON_COLUMN_BASE,     NEURON_COLUMN_SFT,   NEURON_COLUMN_FUSED,
                                         NEURON_COLUMN_GRADIENT, NEURON_COLUMN_DRIFT, NEURON_COLUMN_SCORE,
                                         NEURON_COLUMN_RANK};
    static const char *const LABELS[] = {"dormancy base", "dormancy SFT", "dormancy W", "gradient (SFT)",
                                         "drift ‖Δ‖/‖B‖", "score",        "rank"};
    enum { COUNT = sizeof SHOWN / sizeof *SHOWN };
    const Attribution *attribution = session_attribution(session);
    SessionReset reset = session_reset(session);
    NeuronScores facts;
    char texts[COUNT][FORMAT_SIZE], rank[FACT_SIZE], target[FACT_SIZE], gap[FACT_SIZE] = "·",
                                                                        all[FORMAT_SIZE];
    char routed[FACT_SIZE];
    Fact rows[FACTS];
    size_t used = 0;
    session_neuron(session, neuron, &facts);
    for (size_t i = 0; i < COUNT; i++) {
        neuron_column_format(SHOWN[i], &facts, texts[i]);
        bool stale = SHOWN[i] == NEURON_COLUMN_FUSED && session_dormancy_is_stale(session);
        rows[used++] = (Fact){LABELS[i], texts[i], stale ? ROLE_STALE : ROLE_VALUE};
    }
    if (facts.rank >= 0) {
        (void)snprintf(rank, sizeof rank, "%" PRId64 " of %s", facts.rank, format_count(reset.neurons, all));
        rows[used - 1].value = rank;
    }
    neuron_column_format_target(session, facts.target, target, sizeof target);
    rows[used++] = (Fact){"target", target, ROLE_VALUE};
    if (attribution != NULL && facts.target >= 0) {
        const AttributionTarget *aim = &attribution->targets[facts.target];
        (void)snprintf(gap, sizeof gap, "%.2f → %.2f nat", aim->entropy_base, aim->entropy_sft);
    }
    rows[used++] = (Fact){"entropy there", gap, ROLE_VALUE};
    rows[used++] = (Fact){"reset",
                          !reset.is_ready  ? "not known yet"
                          : facts.is_reset ? "● yes"
                                           : "no",
                          facts.is_reset ? ROLE_MARK : ROLE_VALUE};
    if (format_routed(session, &facts.matrix, routed))
        rows[used++] = (Fact){"tokens routed", routed, ROLE_VALUE};
    return list_box_draw_facts(canvas, area, rows, used);
}

/* ---- what drives it ---- */

static void draw_drivers(Session *session, uint64_t neuron, Canvas *canvas, Rect area) {
    size_t count;
    const SessionDriver *drivers = session_drivers(session, neuron, &count);
    Rect head = rect_cut_top(&area, 1);
    (void)canvas_write(canvas, head, 0, 0, ROLE_TITLE, "tokens that drive it most (SFT)");
    if (drivers == NULL) {
        const char *message = session_drivers_message(session);
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_STALE, message != NULL ? message : "measuring…");
        return;
    }
    for (size_t i = 0; i < count && (int)i < area.rows; i++) {
        char place[FORMAT_SIZE], value[FORMAT_SIZE], token[TOKEN_BYTES];
        int row = (int)i;
        double size = drivers[i].value < 0 ? -drivers[i].value : drivers[i].value;
        double most = drivers[0].value < 0 ? -drivers[0].value : drivers[0].value;
        size_t bytes = session_token_bytes(session, drivers[i].token, token, sizeof token);
        (void)snprintf(place, sizeof place, "%zu:%zu", drivers[i].row, drivers[i].position);
        canvas_write_field(canvas, area, row, 0, 7, true, ROLE_DIM, place);
        canvas_write_field(canvas, area, row, 8, 8, true, ROLE_VALUE,
                           format_column(drivers[i].value, 8, value));
        chart_draw_bar(canvas, area, row, 17, DRIVER_BAR, most > 0 ? size / most : 0, ROLE_BAR);
        int column = canvas_write_raw(canvas, area, row, 18 + DRIVER_BAR, ROLE_TEXT,
                                      TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES, token, bytes);
        if (drivers[i].times > 1)
            (void)canvas_print(canvas, area, row, column + 1, ROLE_DIM, "×%zu", drivers[i].times);
    }
}

/* ---- its weights ---- */

static const ElementsSource SOURCES[NEURONS_PROFILES] = {ELEMENTS_BASE, ELEMENTS_SFT, ELEMENTS_DIFFERENCE};

static bool is_answer(const ElementsRequest *answer, const ElementsRequest *asked) {
    return answer->tensor == asked->tensor && answer->source == asked->source && answer->row == asked->row &&
           answer->rows == asked->rows && answer->column == asked->column &&
           answer->columns == asked->columns;
}

/* Pools base, SFT and Δ one after the other: the session keeps one map of elements. */
static void follow_profile(NeuronsProfile *profile, Session *session, uint64_t neuron,
                           const PairTensor *tensor, size_t cells) {
    ElementsRequest answer;
    NeuronTensor found;
    if (neurons_tensor_find(session_neurons(session), tensor, &found) != NEURONS_FIT) return;
    bool is_row = found.axis == NEURON_ROW;
    uint64_t index = neuron - found.first;
    if (cells > NEURONS_PROFILE_CELLS) cells = NEURONS_PROFILE_CELLS;
    if (!profile->is_set || profile->neuron != neuron || profile->asked != cells)
        *profile = (NeuronsProfile){.is_set = true, .neuron = neuron, .asked = cells};
    if (profile->done == NEURONS_PROFILES || cells == 0) return;
    ElementsRequest request = {.tensor = tensor,
                               .source = SOURCES[profile->done],
                               .pooling = ELEMENTS_MAX,
                               .settings = *session_settings(session),
                               .row = is_row ? index : 0,
                               .rows = is_row ? 1 : tensor->sft->rows,
                               .column = is_row ? 0 : index,
                               .columns = is_row ? tensor->sft->columns : 1,
                               .grid_rows = is_row ? 1 : cells,
                               .grid_columns = is_row ? cells : 1};
    const ElementsMap *map = session_elements(session, &answer, NULL);
    size_t count = map == NULL ? 0 : map->grid_rows * map->grid_columns;
    if (map == NULL || count > cells || !is_answer(&answer, &request)) {
        session_request_elements(session, &request);
        return;
    }
    for (size_t i = 0; i < count; i++) profile->values[profile->done][i] = map->cells[i];
    profile->cells[profile->done] = count;
    profile->largest[profile->done] = map->largest_cell;
    profile->done++;
    if (profile->done == NEURONS_PROFILES) return;
    request.source = SOURCES[profile->done];
    session_request_elements(session, &request);
}

static void draw_profiles(Neurons *neurons, Session *session, uint64_t neuron, Canvas *canvas, Rect area) {
    static const char *const NAMES[NEURONS_PROFILES] = {"base", "SFT", "Δ"};
    static const Role ROLES[NEURONS_PROFILES] = {ROLE_BASE, ROLE_SFT, ROLE_BAR};
    enum { LABEL = 14 };
    NeuronBlock matrix = neurons_locate_matrix(session_neurons(session), neuron);
    const PairTensor *tensor = neurons_tensor_weight(session_model(session), &matrix);
    NeuronsProfile *profile = &neurons->profile;
    NeuronTensor found;
    Rect head = rect_cut_top(&area, 1);
    bool is_row = neurons_tensor_find(session_neurons(session), tensor, &found) == NEURONS_FIT &&
                  found.axis == NEURON_ROW;
    int column = canvas_write_raw(canvas, head, 0, 0, ROLE_TITLE, TEXT_PLAIN, tensor->name,
                                  text_prefix(tensor->name, head.columns));
    (void)canvas_print(canvas, head, 0, column + 2, ROLE_DIM, "%s %" PRIu64 ", largest |w| of each cell",
                       is_row ? "row" : "column", neuron - matrix.first);
    follow_profile(profile, session, neuron, tensor,
                   area.columns > LABEL ? (size_t)(area.columns - LABEL) : 1);
    const char *error = session_elements_error(session);
    if (error != NULL && profile->done < NEURONS_PROFILES) {
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, error);
        return;
    }
    int rows = area.rows / NEURONS_PROFILES > 0 ? area.rows / NEURONS_PROFILES : 1;
    for (int i = 0; i < NEURONS_PROFILES; i++) {
        char largest[FORMAT_SIZE];
        Rect part = rect_cut_top(&area, rows), label = rect_cut_left(&part, LABEL);
        (void)canvas_write(canvas, label, 0, 0, ROLES[i], NAMES[i]);
        if ((size_t)i >= profile->done) {
            (void)canvas_write(canvas, part, 0, 0, ROLE_STALE, "pooling…");
            continue;
        }
        (void)canvas_write_right(canvas, label, 0, LABEL - 1, ROLE_VALUE,
                                 format_fit(profile->largest[i], 7, largest));
        if (rows > 1) {
            part.columns = (int)profile->cells[i];
            chart_draw_histogram(canvas, part, profile->values[i], profile->cells[i], false, NULL, NULL,
                                 ROLES[i]);
        } else {
            chart_draw_spark(canvas, part, 0, 0, (int)profile->cells[i], profile->values[i],
                             profile->cells[i], ROLES[i]);
        }
    }
}

void neurons_draw_one(Neurons *neurons, Session *session, Canvas *canvas, Rect area) {
    uint64_t neuron;
    NeuronScores facts;
    char name[FORMAT_SIZE * 2], keys[KEY_TEXT_SIZE];
    if (!neurons_current(neurons, session, &neuron)) return;
    session_neuron(session, neuron, &facts);
    neuron_column_name(&facts, name);
    Rect head = rect_cut_top(&area, 1);
    int column = canvas_write(canvas, head, 0, 0, ROLE_TITLE, name);
    (void)canvas_write(canvas, head, 0, column + 2, ROLE_DIM,
                       key_text("neurons", "{back} goes back, arrows go to the next", keys));
    int below = area.rows >= 36 ? 16 : area.rows >= 18 ? 7 : area.rows >= 14 ? 4 : 0;
    Rect weights = rect_cut_bottom(&area, below);
    if (area.columns >= FACTS_COLUMNS * 3 / 2) {
        Rect left = rect_cut_left(&area, FACTS_COLUMNS);
        (void)neurons_draw_facts(session, neuron, canvas, left);
        draw_drivers(session, neuron, canvas, area);
    } else {
        (void)rect_cut_top(&area, neurons_draw_facts(session, neuron, canvas, area) + 1);
        draw_drivers(session, neuron, canvas, area);
    }
    if (below > 0) draw_profiles(neurons, session, neuron, canvas, weights);
}
