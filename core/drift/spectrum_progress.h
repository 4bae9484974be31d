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
    atomic_uint_fast64_t total, done;
} SpectrumProgress;

/* One tensor's share of it. */
typedef struct SpectrumWork {
    SpectrumProgress *progress;
    unsigned worker; /* 0 may report */
    uint64_t weight, counted;
    uint64_t before; /* counted by what was given up for another way */
} SpectrumWork;

/* Says which share of this tensor is done; false once the job is cancelled. */
bool spectrum_advance(SpectrumWork *work, double share);

/* What is left of the tensor turns out to take `weight`: from now on a share is one of that. */
void spectrum_begin_again(SpectrumWork *work, uint64_t weight);

#endif
