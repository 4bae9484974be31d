#include "core/ranks/ranks_internal.h"

#include <stdlib.h>

/* How many processes were started, as launchers say it: Open MPI, PMI, a step of SLURM. The first is the nearest, for mpirun
 * may itself be started by srun. */
Status ranks_launcher_require_one(const char *why, Error *error) {
    static const char *const COUNTS[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        const char *text = getenv(COUNTS[i]);
        if (text == NULL) continue;
        long count = strtol(text, NULL, 10);
        if (count < 2) break;
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "started as one of %ld processes (%s), and %s; with REJUV_ALONE set, each works by itself", count,
            COUNTS[i], why);
    }
    return STATUS_OK;
}
