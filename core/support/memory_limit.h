/*
 * memory_limit — how much of this machine is this process's to use.
 *
 * The limits of control groups count (control_group.h), those of all groups above too; memory.high as well, past which
 * the kernel slows a process down until it stands still. Who passes the others is killed, however much memory is free.
 * The process's own limits count besides: what it maps (RLIMIT_AS: `ulimit -v`, h_vmem of grid engines) and what of
 * that it may write (RLIMIT_DATA: `ulimit -d`). Beyond those the kernel refuses, and who asked must say so.
 */
#ifndef REJUV_CORE_MEMORY_LIMIT_H
#define REJUV_CORE_MEMORY_LIMIT_H

#include "core/support/status.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of memory that the machine has; UINT64_MAX where it does not say. */
uint64_t memory_limit_machine(void);

/* Bytes of memory that this process may use: the machine's, or less where a control group or a limit of the process
 * allows less. `root` is put before every path: "" but for tests. */
uint64_t memory_limit_allowed(const char *root);

/* Bytes that the process's own limits leave, beside what it has mapped by now; UINT64_MAX where it has no limits. */
uint64_t memory_limit_left(void);

/* STATUS_NO_MEMORY for bytes that were refused: "out of memory for WHAT" and, where the process's limits are why, how
 * many bytes are missing. */
Status memory_limit_refuse(size_t bytes, const char *what, Error *error);

/* Can so many bytes be had at this moment? They are asked for and given back: a thread that maps as much meanwhile makes
 * the answer wrong, so callers ask for more than they take. Where not, memory_limit_refuse(). */
Status memory_limit_check(size_t bytes, const char *what, Error *error) STATUS_MUST_CHECK;

/* Call before there are threads. Where the address space is limited, all of them share one heap: glibc reserves 64 MiB
 * of addresses for each thread's own. */
void memory_limit_prepare(void);

#endif
