/*
 * resume_fixture — a session that is written down and taken up again, for the tests of --resume.
 */
#ifndef REJUV_TESTS_RESUME_FIXTURE_H
#define REJUV_TESTS_RESUME_FIXTURE_H

#include "session_fixture.h"
#include "tui/app/resume.h"
#include "tui/session/session.h"
#include "views/views.h"

static inline void write_session(const Session *session, const char *path, void *const *states) {
    Error error = {0};
    if (resume_write(path, session, &VIEWS, 2, states, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static inline void **no_states(void) {
    void **states = calloc(VIEWS.count, sizeof *states);
    assert_non_null(states);
    return states;
}

static inline Session *open_with_cache(SessionOptions *options, const char *cache) {
    Session *session;
    Error error = {0};
    options->cache = cache;
    options->threads = 2;
    events_open();
    if (session_create(options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    return session;
}

static inline Session *take_up(const char *path, const char *cache, Resume *resume) {
    Error error = {0};
    if (resume_read(path, &VIEWS, resume, &error) != STATUS_OK) fail_msg("%s", error.message);
    Session *session = open_with_cache(&resume->session, cache);
    resume_apply(resume, session);
    return session;
}

#endif
