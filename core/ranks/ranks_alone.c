/* Built without -DREJUV_MPI=ON: there is nobody to meet. */
#include "core/ranks/ranks_internal.h"

Status ranks_carrier_open(RanksCarrier *carrier, Error *error) {
    *carrier = (RanksCarrier){.count = 1};
    return ranks_launcher_require_one(
        "this build does not share work with others: cmake -DREJUV_MPI=ON makes one that does", error);
}
