/*
 * canceller — a job that is cancelled when it reports its progress the n-th time.
 */
#ifndef REJUV_TESTS_CANCELLER_H
#define REJUV_TESTS_CANCELLER_H

#include "core/support/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Canceller {
    Job *job; /* job_free() releases it */
    unsigned reports, at;
} Canceller;

static inline void canceller_hear(void *user, JobProgress progress) {
    Canceller *canceller = user;
    (void)progress;
    if (++canceller->reports == canceller->at) job_cancel(canceller->job);
}

static inline void canceller_begin(Canceller *canceller, unsigned threads, unsigned at) {
    *canceller = (Canceller){.at = at};
    assert_int_equal(job_create(threads, canceller_hear, canceller, &canceller->job, NULL), STATUS_OK);
}

#endif
