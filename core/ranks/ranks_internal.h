/*
 * ranks_internal — what ranks.c needs of whatever carries bytes between processes: ranks_mpi.c, ranks_alone.c, a test.
 * Nothing blocks: an operation is begun, and asked for until it is done.
 */
#ifndef REJUV_CORE_RANKS_INTERNAL_H
#define REJUV_CORE_RANKS_INTERNAL_H

#include "core/ranks/ranks.h"

typedef struct RanksCarrier {
    size_t own, count;

    /* Begins: `mine` of every rank into `all` [count * size] of every rank. */
    Status (*exchange)(const void *mine, size_t size, void *all, Error *error);

    /* Begins: `bytes` of rank `from` into those of every rank. */
    Status (*broadcast)(size_t from, void *bytes, size_t size, Error *error);

    /* Whether what was begun last is done. */
    Status (*test)(bool *is_done, Error *error);

    void (*alarm)(void);   /* tells all others, once */
    bool (*heard)(void);   /* whether another did */
    void (*leave)(void);   /* waits for all */
    void (*end_all)(void); /* ends all */
} RanksCarrier;

/* The processes that were started with this one; *carrier->count is 1 where there are none. */
Status ranks_carrier_open(RanksCarrier *carrier, Error *error) STATUS_MUST_CHECK;

/* For a process that met no other: STATUS_UNSUPPORTED where whatever started it says that it started several, for they would
 * write over each other's output. `why` says why it met none, and what would help. */
Status ranks_launcher_require_one(const char *why, Error *error) STATUS_MUST_CHECK;

/* Ranks over a carrier, which is copied. */
Status ranks_create(const RanksCarrier *carrier, Ranks **ranks, Error *error) STATUS_MUST_CHECK;

#endif
