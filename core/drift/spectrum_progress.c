#include "core/drift/spectrum_progress.h"

bool spectrum_advance(SpectrumWork *work, double share) {
    SpectrumProgress *progress = work->progress;
    uint64_t counted = work->before + (uint64_t)(share * (double)work->weight);
    if (counted > work->counted) {
        uint64_t more = counted - work->counted;
        work->counted = counted;
        uint64_t done = atomic_fetch_add_explicit(&progress->done, more, memory_order_relaxed) + more;
        /* progress is the calling thread's, which is worker 0 */
        if (work->worker == 0)
            (void)job_report(progress->job, "spectrum", done, atomic_load(&progress->total));
    }
    return !job_is_cancelled(progress->job);
}

void spectrum_begin_again(SpectrumWork *work, uint64_t weight) {
    uint64_t left = work->before + work->weight - work->counted;
    work->before = work->counted;
    work->weight = weight;
    /* more, or less: unsigned numbers go round */
    (void)atomic_fetch_add(&work->progress->total, weight - left);
}
