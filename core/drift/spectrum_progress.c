#include "core/drift/spectrum_progress.h"

bool spectrum_advance(SpectrumWork *work, double share) {
    SpectrumProgress *progress = work->progress;
    uint64_t counted = (uint64_t)(share * (double)work->weight);
    if (counted > work->counted) {
        uint64_t more = counted - work->counted;
        work->counted = counted;
        uint64_t done = atomic_fetch_add_explicit(&progress->done, more, memory_order_relaxed) + more;
        /* progress is the calling thread's, which is worker 0 */
        if (work->worker == 0) (void)job_report(progress->job, "spectrum", done, progress->total);
    }
    return !job_is_cancelled(progress->job);
}
