/*
 * session_rollouts_errand — the jobs behind the rollouts of a session: samples drawn or read, their rewards, figures and
 * scores, and the gradient at hand-over. It knows no session.
 *
 *     UI thread                                    job thread
 *     fills the errand, starts rollouts_run() ───► draws or reads, measures
 *     rollouts_take_news(), in any frame      ◄─── news, one after another, each whole
 *     frees the errand once the job is over
 *
 * While the job runs the errand is the job thread's, but for its news, which a lock guards. News belong to whoever took them.
 */
#ifndef REJUV_TUI_SESSION_ROLLOUTS_ERRAND_H
#define REJUV_TUI_SESSION_ROLLOUTS_ERRAND_H

#include "core/cache/cache_samples.h"
#include "core/readiness/gradient.h"
#include "core/readiness/reward.h"
#include "core/readiness/reward_command.h"
#include "core/readiness/sample_figures.h"
#include "core/readiness/sample_file.h"
#include "core/readiness/sample_score.h"
#include "tui/session/session_rollouts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

typedef enum RolloutsNewsKind {
    ROLLOUTS_NEWS_PROMPTS,  /* what is sampled from, or of a file its samples: `set`, `note` */
    ROLLOUTS_NEWS_SAMPLE,   /* one has ended: `column`, `group`, `number`, `sample` */
    ROLLOUTS_NEWS_FIGURES,  /* over the prompts that have all their samples: `column`, `figures` */
    ROLLOUTS_NEWS_SCORES,   /* of a column's tokens: `column`, `scores` */
    ROLLOUTS_NEWS_GRADIENT, /* of the three states: `gradients` */
} RolloutsNewsKind;

typedef struct RolloutsNews {
    struct RolloutsNews *next;
    RolloutsNewsKind kind;
    size_t column, group, number;
    SampleSet set;
    Sample sample;
    SampleFigures figures;
    SessionRolloutsScores scores;
    Gradient gradients[SIDE_COUNT];
    char note[SESSION_ROLLOUTS_NOTE];
} RolloutsNews;

typedef enum RolloutsKind { ROLLOUTS_DRAW, ROLLOUTS_READ, ROLLOUTS_GRADIENT } RolloutsKind;

typedef struct RolloutsErrand {
    /* what is asked for */
    RolloutsKind kind;
    const Model *model;
    const Pair *pair;
    const Tokenizer *tokenizer; /* NULL: samples have no texts */
    SessionRolloutsChoice choice;
    Settings settings; /* W */
    CalibrationReading reading;
    char *path;                 /* of prompts or samples; NULL: `sets` have the prompts */
    SampleSet sets[SIDE_COUNT]; /* of each state; of a file the first alone */
    int32_t end;                /* ends an answer besides the model's own ends; -1: nothing does */
    const SampleSet *of;        /* what the gradient is of, the session's */
    const Cache *cache;         /* NULL: nothing is kept */
    bool may_keep;              /* what is not there may be written */
    bool only_kept;             /* what is not there is not drawn, nor is a gradient of it measured; and */
    size_t kept_columns;        /* only so many were ever whole */
    CacheOrigin origin;         /* contents of both models; "": not known yet */

    /* the job's */
    Reward *reward;          /* NULL: */
    RewardCommand *command;  /* of this column */
    struct RolloutsPending { /* samples whose answers it owes, in order: [pending], those from `graded` on */
        size_t group, number;
    } * pending;
    size_t pending_count, pending_capacity, graded;
    Job *job;
    size_t column; /* being drawn */
    size_t *ended, complete,
        figured; /* [groups] samples; prompts that have all; those that figures were told of */
    struct timespec told;
    double telling;   /* seconds that the last figures took */
    Error failure;    /* of a reward, while others are drawn */
    bool was_unended; /* what is kept ends where sampling had been cancelled */
    Error keeping;    /* why something could not be kept */

    /* for the UI thread's eyes while it runs */
    _Atomic(const char *) doing; /* "sampling SFT" */
    _Atomic size_t tokens;       /* of samples of this column that have ended; of which there are */
    _Atomic size_t samples;

    pthread_mutex_t lock;
    RolloutsNews *first, **last;
} RolloutsErrand;

/* An empty errand; freed together with the news that nobody took. */
Status rollouts_create(RolloutsErrand **errand, Error *error) STATUS_MUST_CHECK;
void rollouts_free(RolloutsErrand *errand); /* takes NULL */

/* The job (JobFunction): argument is the errand. */
Status rollouts_run(Job *job, void *argument, Error *error) STATUS_MUST_CHECK;

/* The news since it was last asked, in their order; NULL: none. The caller frees each. */
RolloutsNews *rollouts_take_news(RolloutsErrand *errand);
void rollouts_free_news(RolloutsNews *news); /* one */

/* The prompts and their samples. */
Status rollouts_copy_set(const SampleSet *from, SampleSet *to, Error *error) STATUS_MUST_CHECK;

/* ---- between the files of the errand ---- */

/* Whose samples a column has, for people. */
const char *rollouts_state_name(size_t column);

/* What it does now; of a static text. */
void rollouts_begin(RolloutsErrand *errand, const char *doing);

RolloutsNews *rollouts_make_news(RolloutsNewsKind kind, Error *error);
void rollouts_tell(RolloutsErrand *errand, RolloutsNews *news);

/* Whether there is a cache, and the contents are known, if only by now. */
bool rollouts_may_recall(RolloutsErrand *errand);

/* The same, and whether measured things may be written: the models' files are as they were opened. */
bool rollouts_may_keep(RolloutsErrand *errand);

/* Starts the program that gives the rewards, where the rule is one; what ran is killed. */
Status rollouts_begin_grading(RolloutsErrand *errand, Error *error) STATUS_MUST_CHECK;

/* Draws the samples of a column, or recalls them, or takes those that are there; tells each. */
Status rollouts_draw(RolloutsErrand *errand, size_t column, Error *error) STATUS_MUST_CHECK;

/* Tells the figures of a column, over the prompts that have all their samples. */
Status rollouts_tell_figures(RolloutsErrand *errand, size_t column, Error *error) STATUS_MUST_CHECK;

#endif
