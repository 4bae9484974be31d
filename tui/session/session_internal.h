/*
 * session_internal — what all parts of a Session share, and one pointer for each of them. It includes none of them.
 *
 *     message      session_message.c       what is said to the user
 *     files        session_files.c         the pair, tokenizers, drift
 *     calibration  session_calibration.c   the rows that everything about distributions and neurons is measured on
 *     dials        session_dials.c, session_alpha.c
 *     headline     session_headline.c      base, SFT and W on the rows
 *     neurons      session_neurons.c       attribution, dormancy, drift, ranking; _measure in the background, _errands the jobs
 *     drivers      session_drivers.c       the tokens that drive a neuron
 *     sweep        session_sweep.c         W at many settings
 *     landscape    session_landscape.c     the loss around base, SFT and W
 *     bookmarks    session_bookmark.c      where the dials stood: undo, redo, bookmarks
 *     reset        session_reset.c         what enters and leaves the reset set
 *     chat         session_chat.c          the conversation behind the prompt; session_turns.c changes it
 *     prompt       session_prompt.c        the prompt, its preview, pins; _continue how it goes on
 *     targets      session_targets.c       the targets of attribution on it
 *     elements     session_elements.c      element maps
 *     spectrum     session_spectrum.c      singular values
 *     export       session_export.c        plan, run, verification
 *     cache        session_cache.c         analyses kept from one session to the next; _jobs reads and writes them
 *     rollouts     session_rollouts.c      samples and the gradient at hand-over; _columns what is shown of them, _run and _draw
 *                                          the job, _errand what goes between the two
 *
 *     ladder       session_ladder.c        the rungs beside the one that is open; live_ladder.c what is measured of them
 *
 * session.c opens, refreshes, cancels and frees them by one table.
 *
 * A part's struct is defined in its own file (of neurons, the prompt and rollouts in session_…_internal.h), which says what of it belongs
 * to a job's thread, and while which one runs. A part reaches those above it in this list by the functions of their
 * headers, and those below not at all: what they have to do for each other session.c tells them.
 */
#ifndef REJUV_TUI_SESSION_INTERNAL_H
#define REJUV_TUI_SESSION_INTERNAL_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"

/* The UI thread's. Jobs are given what they need: copies of the settings, and pair and model, which do not change while
 * a session is open. */
struct Session {
    unsigned threads; /* of a job; 0: all */
    Settings settings;
    SettingsCurve **curves; /* all there ever were: settings anywhere may borrow any (session_alpha.h) */
    size_t curve_count, curve_capacity;
    Pair *pair;
    Model *model; /* NULL: model_error says why */
    Error model_error;

    struct SessionMessagePart *messages;
    struct SessionFilesPart *files;
    struct SessionCalibrationPart *calibration;
    struct SessionHeadlinePart *headline;
    struct SessionNeuronsPart *neurons;
    struct SessionDriversPart *drivers;
    struct SessionSweepPart *sweep;
    struct SessionLandscapePart *landscape;
    struct SessionBookmarksPart *bookmarks;
    struct SessionResetPart *resets;
    struct SessionChatPart *chat;
    struct SessionPromptPart *prompt;
    struct SessionTargetsPart *targets;
    struct SessionElementsPart *elements;
    struct SessionSpectrumPart *spectrum;
    struct SessionExportPart *export;
    struct SessionCachePart *cache;
    struct SessionRolloutsPart *rollouts;
    struct SessionLadderPart *ladder;
};

#endif
