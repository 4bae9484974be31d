/* Processes that meet by MPI. Without a launcher there are none to meet, and MPI is left alone: to start it takes longer
 * than many a command. */
#include "core/ranks/ranks_internal.h"

#include <mpi.h>
#include <stdlib.h>

enum { ALARM_TAG = 1 };

/* Launchers speak several protocols, and a process that does not know its own takes itself for the only one. */
static const char *const MET_NONE =
    "MPI met none of the others: mpirun of the MPI that it was built with does, or srun --mpi=pmix";

/* MPI is one a process, and so is this. */
static MPI_Comm meetings, alarms;
static MPI_Request under_way = MPI_REQUEST_NULL;
static int own, count;

static Status judge(int result, Error *error) {
    char text[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (result == MPI_SUCCESS) return STATUS_OK;
    if (MPI_Error_string(result, text, &length) != MPI_SUCCESS) length = 0;
    return status_fail(error, STATUS_IO, "MPI: %.*s", length, text);
}

static Status exchange(const void *mine, size_t size, void *all, Error *error) {
    return judge(MPI_Iallgather(mine, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, meetings, &under_way),
                 error);
}

static Status broadcast(size_t from, void *bytes, size_t size, Error *error) {
    return judge(MPI_Ibcast(bytes, (int)size, MPI_BYTE, (int)from, meetings, &under_way), error);
}

static Status test(bool *is_done, Error *error) {
    int done = 0;
    Status status = judge(MPI_Test(&under_way, &done, MPI_STATUS_IGNORE), error);
    *is_done = done != 0;
    return status;
}

/* Nothing waits for these, and a rank that is lost does not get one. */
static void alarm_all(void) {
    for (int r = 0; r < count; r++) {
        MPI_Request request;
        if (r != own && MPI_Isend(NULL, 0, MPI_BYTE, r, ALARM_TAG, alarms, &request) == MPI_SUCCESS)
            (void)MPI_Request_free(&request);
    }
}

static bool heard(void) {
    int is_there = 0;
    return MPI_Iprobe(MPI_ANY_SOURCE, ALARM_TAG, alarms, &is_there, MPI_STATUS_IGNORE) == MPI_SUCCESS &&
           is_there != 0;
}

/* Alarms that came too late to be heeded are taken in first, as far as they are here: MPI wants to end with nothing on its
 * way. */
static void leave(void) {
    while (heard()) {
        if (MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, ALARM_TAG, alarms, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            break;
    }
    (void)MPI_Finalize(); /* the command has ended */
}

static void end_all(void) {
    (void)MPI_Abort(MPI_COMM_WORLD, 2);
}

static bool has_launcher(void) {
    static const char *const SIGNS[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (getenv(SIGNS[i]) != NULL) return true;
    return false;
}

static Status meet(Error *error) {
    int level;
    Status status = judge(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level), error);
    if (status == STATUS_OK && level < MPI_THREAD_FUNNELED)
        status = status_fail(error, STATUS_UNSUPPORTED, "this MPI does not allow for threads beside its own");
    if (status == STATUS_OK) status = judge(MPI_Comm_rank(MPI_COMM_WORLD, &own), error);
    if (status == STATUS_OK) status = judge(MPI_Comm_size(MPI_COMM_WORLD, &count), error);
    if (status == STATUS_OK) status = judge(MPI_Comm_dup(MPI_COMM_WORLD, &meetings), error);
    if (status == STATUS_OK) status = judge(MPI_Comm_dup(MPI_COMM_WORLD, &alarms), error);
    if (status == STATUS_OK) status = judge(MPI_Comm_set_errhandler(meetings, MPI_ERRORS_RETURN), error);
    if (status == STATUS_OK) status = judge(MPI_Comm_set_errhandler(alarms, MPI_ERRORS_RETURN), error);
    return status;
}

Status ranks_carrier_open(RanksCarrier *carrier, Error *error) {
    *carrier = (RanksCarrier){.count = 1};
    if (!has_launcher()) return ranks_launcher_require_one(MET_NONE, error);
    Status status = meet(error);
    if (status != STATUS_OK) return status;
    if (count == 1) {
        (void)MPI_Finalize(); /* nobody to meet */
        return ranks_launcher_require_one(MET_NONE, error);
    }
    *carrier = (RanksCarrier){.own = (size_t)own,
                              .count = (size_t)count,
                              .exchange = exchange,
                              .broadcast = broadcast,
                              .test = test,
                              .alarm = alarm_all,
                              .heard = heard,
                              .leave = leave,
                              .end_all = end_all};
    return STATUS_OK;
}
