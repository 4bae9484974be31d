#include "core/ladder/ladder_figures.h"

#include "core/fusion/settings.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what there is ---- */

Status ladder_figures_create(size_t count, LadderFigures *figures, Error *error) {
    *figures = (LadderFigures){.count = count};
    figures->rungs = memory_allocate(count + 1, sizeof *figures->rungs);
    return figures->rungs != NULL ? STATUS_OK : memory_fail(error, "the ladder");
}

void ladder_figures_forget_rung(LadderRung *rung, LadderPart part) {
    rung->has[part] = false;
    if (part == LADDER_DORMANCY) dormancy_free(&rung->dormancy);
    if (part >= LADDER_DRIFTS) return;
    free(rung->drift[part].layers);
    rung->drift[part] = (LadderDrift){.layers = NULL};
}

void ladder_figures_forget(LadderFigures *figures, LadderPart part) {
    for (size_t number = 0; number <= figures->count; number++)
        ladder_figures_forget_rung(&figures->rungs[number], part);
}

void ladder_figures_take(LadderFigures *figures, size_t number, LadderPart part, LadderRung *measured) {
    LadderRung *rung = &figures->rungs[number];
    ladder_figures_forget_rung(rung, part);
    if (part < LADDER_DRIFTS) {
        rung->drift[part] = measured->drift[part];
        measured->drift[part] = (LadderDrift){.layers = NULL};
    }
    if (part == LADDER_ROWS) memcpy(rung->rows, measured->rows, sizeof rung->rows);
    if (part == LADDER_PROMPT) memcpy(rung->prompt, measured->prompt, sizeof rung->prompt);
    if (part == LADDER_DORMANCY) {
        rung->dormancy = measured->dormancy;
        measured->dormancy = (Dormancy){.layers = 0};
    }
    rung->has[part] = measured->has[part];
    measured->has[part] = false;
}

void ladder_figures_free(LadderFigures *figures) {
    for (LadderPart part = 0; part < LADDER_PART_COUNT && figures->rungs != NULL; part++)
        ladder_figures_forget(figures, part);
    free(figures->rungs);
    *figures = (LadderFigures){.count = 0};
}

bool ladder_figures_applies(const LadderFigures *figures, size_t number, LadderPart part) {
    if (part == LADDER_TO_LAST) return number > 0 && number < figures->count;
    if (part == LADDER_DORMANCY) return true;
    return number > 0; /* base's distributions come with the first rung's */
}

/* ---- figures ---- */

static const LadderFigureFacts FACTS[LADDER_FIGURE_COUNT] = {
    [LADDER_DRIFT] = {"relative_norm", "drift from base", "drift", "‖Δ‖/‖B‖",
                      "how far the rung is from base, relative to base", LADDER_FROM_BASE, true, false},
    [LADDER_STEP_DRIFT] = {"step_relative_norm", "drift from the rung before", "step", "‖Δ‖/‖B‖",
                           "how far the rung is from the one before, relative to that", LADDER_STEP, true,
                           false},
    [LADDER_LAST_DRIFT] = {"last_relative_norm", "drift of the last from here", "to last", "‖Δ‖/‖B‖",
                           "how far the last rung is from this one, relative to this one: what came after it",
                           LADDER_TO_LAST, true, false},
    [LADDER_DORMANT] = {"dormant", "dormant", "dormant", "of MLP neurons",
                        "share of the MLP's neurons that hardly speak on the rows", LADDER_DORMANCY, true,
                        true},
    [LADDER_GRADIENT_DORMANT] =
        {"gradient_dormant", "gradient dormant", "gradient", "of MLP neurons",
         "share of the MLP's neurons whose gradient on the rows hardly differs from 0", LADDER_DORMANCY, true,
         true},
    [LADDER_LOSS] = {"loss", "loss", "loss", "nat", "mean negative log-probability of the rows' responses",
                     LADDER_ROWS, false, false},
    [LADDER_ENTROPY] = {"entropy", "entropy", "entropy", "nat",
                        "mean entropy of the next-token distributions on the rows", LADDER_ROWS, false,
                        false},
    [LADDER_PROMPT_ENTROPY] = {"prompt_entropy", "entropy on the prompt", "prompt", "nat",
                               "mean entropy of the next-token distributions on the prompt", LADDER_PROMPT,
                               false, false},
};

const LadderFigureFacts *ladder_figure_facts(LadderFigure figure) {
    return &FACTS[figure];
}

LadderFigure ladder_figure_find(const char *key) {
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        if (strcmp(FACTS[figure].key, key) == 0) return figure;
    return LADDER_FIGURE_COUNT;
}

/* Of `count` scores from `first` on. */
static double find_share(const Dormancy *dormancy, LadderFigure figure, size_t first, size_t count,
                         LadderTaus taus) {
    bool gradient = figure == LADDER_GRADIENT_DORMANT;
    const double *scores = gradient ? dormancy->gradient_scores : dormancy->mlp_scores;
    if (scores == NULL) return (double)NAN;
    return dormancy_share(scores + first, count, gradient ? taus.gradient_tau : taus.tau);
}

static const DistributionAverages *find_averages(const LadderFigures *figures, LadderPart part,
                                                 size_t number) {
    const LadderRung *rung = &figures->rungs[number > 0 ? number : 1];
    Side side = number > 0 ? SIDE_SFT : SIDE_BASE;
    if (!rung->has[part]) return NULL;
    return part == LADDER_PROMPT ? &rung->prompt[side] : &rung->rows[side];
}

bool ladder_figure_is_there(const LadderFigures *figures, LadderFigure figure, size_t number) {
    LadderPart part = FACTS[figure].part;
    bool on_distributions = part == LADDER_ROWS || part == LADDER_PROMPT;
    if (figure == LADDER_DRIFT && number == 0) return true;
    if (figure == LADDER_GRADIENT_DORMANT && number == 0) return false;
    return figures->rungs[number == 0 && on_distributions ? 1 : number].has[part];
}

bool ladder_figure_is_undefined(const LadderFigures *figures, LadderFigure figure, size_t number) {
    if (!ladder_figure_is_there(figures, figure, number)) return false;
    if (figure == LADDER_LOSS) return find_averages(figures, LADDER_ROWS, number)->response_tokens == 0;
    return figure == LADDER_GRADIENT_DORMANT && figures->rungs[number].dormancy.response_tokens == 0;
}

double ladder_figure(const LadderFigures *figures, LadderFigure figure, size_t number, LadderTaus taus) {
    LadderPart part = FACTS[figure].part;
    const LadderRung *rung = &figures->rungs[number];
    if (figure == LADDER_DRIFT && number == 0) return 0.0;
    if (part == LADDER_ROWS || part == LADDER_PROMPT) {
        const DistributionAverages *averages = find_averages(figures, part, number);
        if (averages == NULL) return (double)NAN;
        return figure == LADDER_LOSS ? averages->loss : averages->entropy;
    }
    if (!rung->has[part]) return (double)NAN;
    if (part == LADDER_DORMANCY)
        return find_share(&rung->dormancy, figure, 0, (size_t)rung->dormancy.layers * rung->dormancy.mlp,
                          taus);
    return drift_value(&rung->drift[part].all, DRIFT_RELATIVE_NORM);
}

double ladder_layer_figure(const LadderFigures *figures, LadderFigure figure, size_t number, size_t layer,
                           LadderTaus taus) {
    LadderPart part = FACTS[figure].part;
    const LadderRung *rung = &figures->rungs[number];
    if (figure == LADDER_DRIFT && number == 0) return 0.0;
    if (!FACTS[figure].has_layers || !rung->has[part]) return (double)NAN;
    if (part == LADDER_DORMANCY) {
        if (layer >= rung->dormancy.layers) return (double)NAN;
        return find_share(&rung->dormancy, figure, layer * rung->dormancy.mlp, rung->dormancy.mlp, taus);
    }
    const LadderDrift *drift = &rung->drift[part];
    return layer < drift->layer_count ? drift_value(&drift->layers[layer], DRIFT_RELATIVE_NORM) : (double)NAN;
}

size_t ladder_figures_layers(const LadderFigures *figures) {
    size_t layers = 0;
    for (size_t number = 0; number <= figures->count; number++) {
        const LadderRung *rung = &figures->rungs[number];
        for (LadderPart part = 0; part < LADDER_DRIFTS; part++)
            if (rung->drift[part].layer_count > layers) layers = rung->drift[part].layer_count;
        if (rung->dormancy.layers > layers) layers = (size_t)rung->dormancy.layers;
    }
    return layers;
}
