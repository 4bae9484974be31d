#include "tui/lists/neuron_column.h"

#include "tui/session/session_files.h"
#include "tui/text/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { TOKEN_BYTES = 24 };

static const NeuronColumnFacts COLUMNS[NEURON_COLUMN_COUNT] = {
    [NEURON_COLUMN_PLACE] = {NULL, "neuron", "place in the model", false, NEURON_COLUMN_RESET},
    [NEURON_COLUMN_BASE] = {"dormancy_base", "base", "dormancy of base", false, NEURON_COLUMN_BASE},
    [NEURON_COLUMN_SFT] = {"dormancy_sft", "SFT", "dormancy of SFT", false, NEURON_COLUMN_SFT},
    [NEURON_COLUMN_FUSED] = {"dormancy_fused", "W", "dormancy of W", false, NEURON_COLUMN_FUSED},
    [NEURON_COLUMN_GRADIENT] = {"gradient_dormancy", "grad", "gradient dormancy", false,
                                NEURON_COLUMN_GRADIENT},
    [NEURON_COLUMN_DRIFT] = {"drift", "drift", "drift ‖Δ‖/‖B‖", true, NEURON_COLUMN_DRIFT},
    [NEURON_COLUMN_SCORE] = {"attribution", "score", "attribution score", true, NEURON_COLUMN_SCORE},
    [NEURON_COLUMN_RANK] = {"rank", "rank", "rank", false, NEURON_COLUMN_RANK},
    [NEURON_COLUMN_TARGET] = {"target", "target", "target", false, NEURON_COLUMN_SCORE},
    [NEURON_COLUMN_RESET] = {"reset", "", "in the reset set", true, NEURON_COLUMN_RESET},
};

const NeuronColumnFacts *neuron_column_facts(NeuronColumn column) {
    return &COLUMNS[column];
}

double neuron_column_value(NeuronColumn column, uint64_t neuron, const NeuronScores *facts) {
    switch (column) {
    case NEURON_COLUMN_PLACE:
        return (double)neuron;
    case NEURON_COLUMN_BASE:
        return facts->dormancy[SIDE_BASE];
    case NEURON_COLUMN_SFT:
        return facts->dormancy[SIDE_SFT];
    case NEURON_COLUMN_FUSED:
        return facts->dormancy[SIDE_FUSED];
    case NEURON_COLUMN_GRADIENT:
        return facts->gradient;
    case NEURON_COLUMN_DRIFT:
        return facts->drift;
    case NEURON_COLUMN_SCORE:
        return facts->score;
    case NEURON_COLUMN_RANK:
        return facts->rank < 0 ? NAN : (double)facts->rank;
    case NEURON_COLUMN_TARGET:
        return facts->target < 0 ? NAN : (double)facts->target;
    default:
        return facts->rank < 0 ? NAN : facts->is_reset ? 1 : 0;
    }
}

bool neuron_column_is_known(NeuronColumn column, const NeuronScores *facts) {
    return !isnan(neuron_column_value(column, 0, facts));
}

void neuron_column_format(NeuronColumn column, const NeuronScores *facts, char text[FORMAT_SIZE]) {
    double value = neuron_column_value(column, 0, facts);
    if (isnan(value))
        (void)snprintf(text, FORMAT_SIZE, "·");
    else if (column == NEURON_COLUMN_RANK)
        (void)snprintf(text, FORMAT_SIZE, "%" PRId64, facts->rank);
    else
        (void)format_column(value, 6, text);
}

void neuron_column_format_target(const Session *session, int target, char *text, size_t size) {
    const Attribution *attribution = session_attribution(session);
    char token[TOKEN_BYTES], shown[TOKEN_BYTES * 4];
    if (attribution == NULL || target < 0 || (size_t)target >= attribution->target_count) {
        (void)snprintf(text, size, "·");
        return;
    }
    const AttributionTarget *aim = &attribution->targets[target];
    size_t bytes = session_token_bytes(session, aim->token, token, sizeof token);
    (void)text_escape(token, bytes, TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES, shown, sizeof shown);
    (void)snprintf(text, size, "%zu:%zu %s", aim->row, aim->position, shown);
}

NeuronColumn neuron_column_dormancy(NeuronColumn column) {
    bool own =
        column == NEURON_COLUMN_BASE || column == NEURON_COLUMN_FUSED || column == NEURON_COLUMN_GRADIENT;
    return own ? column : NEURON_COLUMN_SFT;
}

void neuron_column_name(const NeuronScores *facts, char text[FORMAT_SIZE * 2]) {
    char block[NEURONS_NAME_SIZE];
    neurons_name_block(&facts->matrix, block);
    (void)snprintf(text, (size_t)FORMAT_SIZE * 2, "%s %" PRIu64, block, facts->index);
}

const double *neuron_column_scores(const Session *session, NeuronColumn dormancy, const NeuronBlock *block,
                                   size_t *count) {
    bool gradient = dormancy == NEURON_COLUMN_GRADIENT, attention = block->module <= NEURON_QKV;
    Side side = dormancy == NEURON_COLUMN_BASE    ? SIDE_BASE
                : dormancy == NEURON_COLUMN_FUSED ? SIDE_FUSED
                                                  : SIDE_SFT;
    const Dormancy *known = session_dormancy(session, side);
    *count = 0;
    if (known == NULL) return NULL;
    if (!gradient && (attention || block->module == NEURON_O)) {
        *count = known->channels;
        return known->channel_scores + block->layer * known->channels;
    }
    if (gradient && known->gradient_scores == NULL) return NULL;
    *count = known->mlp;
    return (gradient ? known->gradient_scores : known->mlp_scores) + block->layer * known->mlp;
}
