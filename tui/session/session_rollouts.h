/*
 * session_rollouts — answers to prompts with known answers, and what they earn: sampled here from base, SFT and W at the
 * dials, or read from a file; how likely the three states find each token of them; and the gradient at hand-over, what a
 * group-relative step of reinforcement learning would do to each tensor. As core/readiness measures it, in the background.
 *
 *     prompts   the calibration rows that have an answer, or a file of prompts      ──► a column for each state
 *     samples   a file of samples made elsewhere                                    ──► one column
 *
 * Nothing is sampled unasked. Samples show as they come; figures are over the prompts that have all of theirs. What base
 * and SFT said is kept where it would come out the same, and so is everything in the cache, where the session has one.
 * What is there stays until other samples are asked for, or the rows change that it came from; where the dials have been
 * turned since, what is of W is stale.
 */
#ifndef REJUV_TUI_SESSION_ROLLOUTS_H
#define REJUV_TUI_SESSION_ROLLOUTS_H

#include "core/evaluation/sampling.h"
#include "core/fusion/settings.h"
#include "core/readiness/gradient.h"
#include "core/readiness/sample_figures.h"
#include "core/readiness/sample_score.h"
#include "tui/session/session.h"
#include "tui/session/session_task.h"

enum { SESSION_ROLLOUTS_NOTE = 256, SESSION_ROLLOUTS_RULE = 1024 };
enum { SESSION_ROLLOUTS_SAMPLES_MOST = 4096, SESSION_ROLLOUTS_PROMPTS_MOST = 10000 };

#define SESSION_ROLLOUTS_DEFAULT_RULE "number" /* of prompts */
#define SESSION_ROLLOUTS_COMMAND      "command:" /* before a program that gives the rewards (reward_command.h) */

/* Seconds that such a program may be silent, once there is no more to come. */
#define SESSION_ROLLOUTS_SILENCE 60.0

/* With what the next samples are drawn. */
typedef struct SessionRolloutsChoice {
    size_t prompts; /* the first so many; 1 at least */
    size_t samples; /* K, of each; 1 at least */
    size_t most_tokens;
    Sampling sampling;
    uint64_t seed; /* below 2^53 */
    /* a rule (reward.h), or "command:CMD"; "": the file's own, of prompts "number" */
    char reward[SESSION_ROLLOUTS_RULE];
} SessionRolloutsChoice;

SessionRolloutsChoice session_rollouts_choice(const Session *session);

/* On failure nothing is changed, and the message says what was expected. */
Status session_rollouts_choose(Session *session, const SessionRolloutsChoice *choice,
                               Error *error) STATUS_MUST_CHECK;

/* The program of a rule that is one; else NULL. It needs no answers to compare with. */
const char *session_rollouts_command(const char *rule);

/* What an answer of the next samples, and of those that are there, is measured by. */
const char *session_rollouts_rule(const Session *session, const SessionRolloutsChoice *choice);

/* Of the tokens of all samples of a column, group by group and sample by sample. */
typedef struct SessionRolloutsScores {
    SampleTokenScore *tokens[SIDE_COUNT]; /* NULL: not scored yet */
    double *prompts[SIDE_COUNT];          /* [groups] mean entropy; NaN: no tokens */
    SampleEstimate entropy[SIDE_COUNT];   /* over all tokens */
    double log_probability[SIDE_COUNT];   /* the same of ln p */
} SessionRolloutsScores;

/* The samples of one state, or of a file. */
typedef struct SessionRolloutsColumn {
    const SampleSet *set;         /* groups as the prompts are; a sample without ids has not ended yet */
    size_t total, ready;          /* samples */
    const size_t *ended, *right;  /* [groups] samples */
    const PromptFigures *prompts; /* [groups] of those that have all their samples */
    const SampleFigures *figures; /* over these; NULL: there is none yet */
    const SessionRolloutsScores *scores;
    Side side; /* whose samples they are; SIDE_COUNT: of a file */
} SessionRolloutsColumn;

typedef struct SessionRollouts {
    SessionRolloutsChoice choice;        /* that they were drawn with; without any, the next */
    const Settings *settings;            /* of its W; NULL without any */
    bool is_file;                        /* samples of a file, in one column */
    const char *path;                    /* of samples or prompts; NULL: the calibration rows */
    const char *note;                    /* what was said of that file, or of the rows; "" */
    size_t groups, columns;              /* 0: none */
    const SessionRolloutsColumn *column; /* [columns] */
    bool has_gradient;                   /* of W's samples, or of the file's: session_rollouts_gradient() */
    bool is_running, is_waiting;         /* what runs or waits is: */
    bool is_gradient;
    bool wants_gradient; /* which comes after what runs */
    bool is_stale;       /* the dials have been turned since */
    const char *error;   /* of the last run; NULL where it went well or was cancelled */
} SessionRollouts;

SessionRollouts session_rollouts(const Session *session);

/* Whether a prompt has all its samples: then prompts[group] is known. */
bool session_rollouts_is_complete(const SessionRolloutsColumn *column, size_t group);

/* The first of a sample's token scores. */
size_t session_rollouts_first_token(const SessionRolloutsColumn *column, size_t group, size_t sample);

/* Whether the next would come out otherwise for another reason than the dials. */
bool session_rollouts_differs(const Session *session);

/* Draws, or reads the file, with the choice of now; what runs is cancelled and gives way. Says why where it cannot be. */
void session_start_rollouts(Session *session);
void session_start_rollouts_gradient(Session *session);

/* How many columns have all their samples, from the first: they are drawn one after another, and kept when they are whole. */
size_t session_rollouts_whole(const Session *session);

/* Those of the choice of now as far as the cache has them, and nothing drawn: what was there when a session was left, with so many
 * whole columns; the rest shows as cancelled. A whole one that is missing is an error. Waits for rows and ranking. */
void session_rollouts_recall(Session *session, size_t columns, bool with_gradient);

/* From which file the next are read, or which file's prompts are sampled from; NULL: the calibration rows. */
Status session_rollouts_take_file(Session *session, const char *path, bool are_samples,
                                  Error *error) STATUS_MUST_CHECK;

/* Writes the samples of a column that have ended, as `rejuv rollout --samples` reads them; a file that exists is refused. */
Status session_rollouts_save(Session *session, size_t column, const char *path,
                             Error *error) STATUS_MUST_CHECK;

/* Why none can be drawn, however long one waits; NULL: it can. */
const char *session_rollouts_message(const Session *session);

/* What the next are of. */
typedef struct SessionRolloutsNext {
    const char *path; /* NULL: the calibration rows */
    bool is_file;     /* of samples */
    size_t prompts;   /* that are sampled from; of a file at most */
    size_t answers;   /* calibration rows that have one, or that need none */
} SessionRolloutsNext;

SessionRolloutsNext session_rollouts_next(const Session *session);

/* ‖∂L/∂W‖ of what a state has of a role in a layer (-1: in none), and beside ‖W‖; NaN where it is not measured or there is
 * no such tensor. */
double session_rollouts_gradient(const Session *session, Side side, int layer, TensorRole role,
                                 bool is_relative);

/* The same of one tensor of the pair. */
double session_rollouts_tensor_gradient(const Session *session, Side side, const PairTensor *tensor,
                                        bool is_relative);

/* Whether a state has tensors of that role in that layer, as above. */
bool session_rollouts_has_gradient(const Session *session, int layer, TensorRole role);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_rollouts_open(Session *session, const struct SessionOptions *options,
                             Error *error) STATUS_MUST_CHECK;
bool session_rollouts_refresh(Session *session);
void session_rollouts_forget(Session *session);
void session_rollouts_list(Session *session, Task **tasks);
bool session_rollouts_cancel(Session *session, SessionTask task); /* what waits goes too */
void session_rollouts_free(Session *session);

/* Where nothing is there and it can be: what a picture of the view asks for. */
void session_rollouts_measure(Session *session);

/* What runs: its name, how far it is, tokens a second. */
void session_rollouts_describe(const Session *session, JobProgress progress, SessionJob *job);

#endif
