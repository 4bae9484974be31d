/*
 * blas_buffers — room for OpenBLAS to work in, there before it asks.
 *
 * Each product takes a buffer of 128 MiB of addresses for as long as it runs (it touches a few of them). Where OpenBLAS
 * has none left it maps another, and where that is refused it asks again, for ever, or ends the process: neither
 * a cancel nor a signal that is waited for ends such a loop. So buffers are mapped here, after a look at what the limits
 * of the process leave, as many as threads will multiply beside each other; and never are there more products at a time
 * than there are buffers. Where fewer can be had, the other threads wait for their turn.
 *
 *     prepare(8) ─► room for another? ─► map ─► … 3 are there          product ─► enter ─► OpenBLAS ─► leave
 *                                                                                  └ waits while 3 are in it
 *
 * From any thread. Nothing keeps another thread from mapping what was just found free, so more than that is looked for:
 * for a first buffer 24 MiB, for each further one as much again; a session takes its first before it has threads.
 */
#ifndef REJUV_CORE_BLAS_BUFFERS_H
#define REJUV_CORE_BLAS_BUFFERS_H

#include "core/numerics/blas_library.h"

/* Sees to it that `threads` products can be computed at a time, or as many as limits allow; loads the library first.
 * STATUS_NO_MEMORY where not even one can, with how many bytes are missing. Waits for products that are being computed. */
Status blas_buffers_prepare(unsigned threads, Error *error) STATUS_MUST_CHECK;

/* How many products can be computed at a time; 0 before any was prepared for. */
unsigned blas_buffers_count(void);

/* Around each call that multiplies: waits for a buffer. Something was prepared before. */
const BlasLibrary *blas_buffers_enter(void);
void blas_buffers_leave(void);

#endif
