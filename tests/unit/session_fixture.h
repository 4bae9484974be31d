/*
 * A session without a terminal, for tests: the demo pair with few calibration rows, and waiting for what the
 * screens would show, however long it takes (events.h).
 */
#ifndef REJUV_TESTS_SESSION_FIXTURE_H
#define REJUV_TESTS_SESSION_FIXTURE_H

#include "core/files/json.h"
#include "events.h"
#include "scratch.h"
#include "tui/session/session.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_prompt.h"

#include <stdlib.h>
#include <string.h>

static inline Session *open_pair(const char *base, const char *sft, const char *calibration) {
    Session *session;
    Error error = {0};
    events_open();
    const SessionOptions options = {
        .base = base, .sft = sft, .calibration = calibration, .alpha = 0.5, .threads = 2};
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    return session;
}

enum { DEMO_ROWS = 5 };

/* The demo pair with the first of its calibration rows: all of them take long to sweep over. */
static inline Session *open_demo(void) {
    char *path = scratch_path("few.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    free(path);
    return session;
}

static inline int write_few_rows(void **state) {
    if (scratch_make(state) != 0) return -1;
    char *text;
    size_t bytes, end = 0;
    if (json_read_text(TESTS_DIR "/demo/calibration.jsonl", 1 << 20, &text, &bytes, NULL) != STATUS_OK)
        return -1;
    for (int i = 0; i < DEMO_ROWS; i++) end += strcspn(text + end, "\n") + 1;
    scratch_write("few.jsonl", text, end);
    free(text);
    return 0;
}

typedef bool (*Condition)(const Session *session);

/* What is waited for is said, so that whoever finds a test that hangs knows it. */
static inline void wait_for(Session *session, const char *what, Condition condition) {
    (void)session_refresh(session);
    if (condition(session)) return;
    (void)fprintf(stderr, "waiting for %s\n", what);
    do {
        events_wait();
        (void)session_refresh(session);
    } while (!condition(session));
}

static inline bool drift_is_complete(const Session *session) {
    return drift_table_ready(session_drift(session)) == drift_table_count(session_drift(session));
}

static inline bool preview_is_fresh(const Session *session) {
    return session_preview(session, SIDE_FUSED) != NULL && !session_preview_is_stale(session);
}

static inline bool headline_is_fresh(const Session *session) {
    return session_headline_fused(session) != NULL && !session_headline_is_stale(session);
}

static inline bool tokenizer_is_there(const Session *session) {
    return session_tokenizer(session, NULL) != NULL;
}

static inline bool is_idle(const Session *session) {
    SessionJob jobs[12];
    return session_jobs((Session *)(uintptr_t)session, jobs, 12) == 0;
}

static inline void settle(Session *session) {
    for (int quiet = 0; quiet < 3;) { /* what finishes may start something else */
        bool changed = session_refresh(session);
        quiet = !changed && is_idle(session) ? quiet + 1 : 0;
        if (quiet == 0) events_wait();
    }
}

static inline bool neurons_are_ranked(const Session *session) {
    return session_reset(session).is_ready;
}

static inline bool method_is_complete(const Session *session) {
    return session_attribution(session) != NULL && session_dormancy(session, SIDE_FUSED) != NULL &&
           !session_dormancy_is_stale(session);
}

#endif
