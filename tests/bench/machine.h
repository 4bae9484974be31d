/*
 * machine — what a figure was measured on, in words.
 */
#ifndef REJUV_TESTS_BENCH_MACHINE_H
#define REJUV_TESTS_BENCH_MACHINE_H

#include <stddef.h>

/* The processor, how many of them this process may use, and memory: as the system says. */
void machine_describe(char *text, size_t size);

/* How many other threads wanted a processor meanwhile, on the average of the last 1 and 15 minutes. */
void machine_describe_load(char *text, size_t size);

#endif
