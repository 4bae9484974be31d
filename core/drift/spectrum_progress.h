/*
 * spectrum_progress — how much of the work on spectra is done, of one tensor and of all. For spectrum*.c.
 */
#ifndef REJUV_CORE_SPECTRUM_PROGRESS_H
#define REJUV_CORE_SPECTRUM_PROGRESS_H

#include "core/support/job.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The progress of all tensors under work; operations in millions. */
typedef struct SpectrumProgress {
    Job *job;
    uint64_t total;
    atomic_uint_fast64_t done;
} SpectrumProgress;

/* One tensor's share of it. */
typedef struct SpectrumWork {
    SpectrumProgress *progress;
    unsigned worker; /* 0 may report */
    uint64_t weight, counted;
} SpectrumWork;

/* Says which share of this tensor is done; false once the job is cancelled. */
bool spectrum_advance(SpectrumWork *work, double share);

#endif
