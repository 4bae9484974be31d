/* Built without -DREJUV_MPI=ON. Several processes of one command that do not know of each other would write over each
 * other's output, so they are refused. */
#include "core/ranks/ranks_internal.h"

#include <stdlib.h>

/* How many processes were started, as launchers say it. */
static const char *const COUNTS[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};

Status ranks_carrier_open(RanksCarrier *carrier, Error *error) {
    *carrier = (RanksCarrier){.count = 1};
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        const char *text = getenv(COUNTS[i]);
        long count = text == NULL ? 1 : strtol(text, NULL, 10);
        if (count > 1)
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "started as one of %ld processes (%s), and this build does not share work with "
                "others: cmake -DREJUV_MPI=ON makes one that does; with REJUV_ALONE set, each "
                "works by itself",
                count, COUNTS[i]);
    }
    return STATUS_OK;
}
