/*
 * ladder_figures — what is measured of every rung of a ladder, part by part: how far it drifted, how sure of itself and
 * how right it is on given rows, how many of its neurons are dormant. Figures of layers make a map, those of the whole
 * model curves.
 *
 *     Ladder ──ladder_measure(rung, part, rows)──► LadderRung ──┬──► ladder_figure(), along rungs
 *              a pair is opened, measured and closed            └──► ladder_layer_figure(), layers × rungs
 *
 * A part of a rung is what a session of that pair would measure, bit for bit, so it is found in the cache where a session
 * measured it, and a session finds what was kept here.
 */
#ifndef REJUV_CORE_LADDER_FIGURES_H
#define REJUV_CORE_LADDER_FIGURES_H

#include "core/cache/cache.h"
#include "core/drift/drift.h"
#include "core/evaluation/evaluation.h"
#include "core/ladder/ladder.h"
#include "core/method/dormancy.h"

/* What is measured at once, of one rung. */
typedef enum LadderPart {
    LADDER_FROM_BASE, /* drift from base */
    LADDER_STEP,      /* drift from the rung before */
    LADDER_TO_LAST,   /* drift of the last rung from this one: what RL did to it, where RL made the last */
    LADDER_DRIFTS,    /* how many of the above there are; below, parts on rows: */
    LADDER_ROWS = LADDER_DRIFTS, /* distributions on rows, and those of base beside them */
    LADDER_DORMANCY,             /* on the same rows; base's too, as that of rung 0 */
    LADDER_PROMPT,               /* distributions on other rows: those of a prompt */
    LADDER_PART_COUNT
} LadderPart;

/* Δ of all tensors as one, and of each layer's. */
typedef struct LadderDrift {
    DriftRow all;
    DriftRow *layers; /* [layer_count]; a layer without compared tensors has none */
    size_t layer_count;
} LadderDrift;

typedef struct LadderRung {
    bool has[LADDER_PART_COUNT];
    bool was_kept; /* what was measured last came from the cache */
    LadderDrift drift[LADDER_DRIFTS];
    DistributionAverages rows[2], prompt[2]; /* SIDE_BASE; SIDE_SFT: the rung */
    Dormancy dormancy;                       /* with the gradient's, but for base */
} LadderRung;

typedef struct LadderFigures {
    size_t count;      /* of rungs, without base */
    LadderRung *rungs; /* [count + 1]; 0 is base */
} LadderFigures;

/* Empty ones; ladder_figures_free() releases. */
Status ladder_figures_create(size_t count, LadderFigures *figures, Error *error) STATUS_MUST_CHECK;
void ladder_figures_free(LadderFigures *figures);

/* Drops a part of every rung, or of one. */
void ladder_figures_forget(LadderFigures *figures, LadderPart part);
void ladder_figures_forget_rung(LadderRung *rung, LadderPart part);

/* Moves a part out of what was measured apart, in place of the one that is there. */
void ladder_figures_take(LadderFigures *figures, size_t number, LadderPart part, LadderRung *measured);

/* Whether the part exists: base has not drifted, and the last rung does not lead to itself. */
bool ladder_figures_applies(const LadderFigures *figures, size_t number, LadderPart part);

/* ---- measuring ---- */

/* Where results are found, and kept. */
typedef struct LadderKeep {
    const Cache *cache;   /* NULL: nowhere */
    bool may_write;       /* what is not there is written, for which files may be read once more */
    const char *rows_hex; /* SHA-256 of the rows (cache_method_hash_rows()); only for parts that have rows */
} LadderKeep;

/* Measures one part of a rung that applies into *rung, on `rows` where the part has some. Reports what the analysis does.
 * STATUS_UNSUPPORTED and the like, with the rung's name, where it cannot be measured; then *rung is without that part. */
Status ladder_measure(const Ladder *ladder, size_t number, LadderPart part, const EvaluationRow *rows,
                      size_t row_count, const LadderKeep *keep, LadderRung *rung, Job *job,
                      Error *error) STATUS_MUST_CHECK;

/* ---- figures, as a table for screens, CSV and JSON alike ---- */

typedef enum LadderFigure {
    LADDER_DRIFT,
    LADDER_STEP_DRIFT,
    LADDER_LAST_DRIFT,
    LADDER_DORMANT,
    LADDER_GRADIENT_DORMANT,
    LADDER_LOSS,
    LADDER_ENTROPY,
    LADDER_PROMPT_ENTROPY,
    LADDER_FIGURE_COUNT
} LadderFigure;

typedef struct LadderFigureFacts {
    const char *key;   /* in JSON and CSV: "relative_norm" */
    const char *label; /* on screens */
    const char *brief; /* in a column of them, 8 columns at most */
    const char *unit;  /* "‖B‖", "nat", or "" */
    const char *help;  /* one sentence */
    LadderPart part;   /* what it comes from */
    bool has_layers;   /* it is known layer by layer */
    bool is_share;     /* shown in percent */
} LadderFigureFacts;

const LadderFigureFacts *ladder_figure_facts(LadderFigure figure);

/* LADDER_FIGURE_COUNT where no figure has that key. */
LadderFigure ladder_figure_find(const char *key);

/* Thresholds of dormancy. */
typedef struct LadderTaus {
    double tau, gradient_tau;
} LadderTaus;

/* Whether it was measured at a rung: then it may still not be defined. The drift of base, which is 0, is. */
bool ladder_figure_is_there(const LadderFigures *figures, LadderFigure figure, size_t number);

/* Whether it is NaN because no row has a response, whose tokens it is taken of. */
bool ladder_figure_is_undefined(const LadderFigures *figures, LadderFigure figure, size_t number);

/* Of rung 0 to count; NaN where it is not known or not defined. */
double ladder_figure(const LadderFigures *figures, LadderFigure figure, size_t number, LadderTaus taus);

/* Of one layer of it, for figures that have layers. */
double ladder_layer_figure(const LadderFigures *figures, LadderFigure figure, size_t number, size_t layer,
                           LadderTaus taus);

/* How many layers the parts that are there have; 0 without any. */
size_t ladder_figures_layers(const LadderFigures *figures);

#endif
