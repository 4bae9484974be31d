/*
 * memory_limit — how much of this machine is this process's to use.
 *
 * The limits of control groups count (control_group.h), those of all groups above too; memory.high as well, past which
 * the kernel slows a process down until it stands still. Who passes the others is killed, however much memory is free.
 */
#ifndef REJUV_CORE_MEMORY_LIMIT_H
#define REJUV_CORE_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes of memory that the machine has; UINT64_MAX where it does not say. */
uint64_t memory_limit_machine(void);

/* Bytes of memory that this process may use: the machine's, or less where a control group allows less.
 * `root` is put before every path: "" but for tests. */
uint64_t memory_limit_allowed(const char *root);

#endif
