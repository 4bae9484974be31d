/*
 * session_state — whether any thread of a terminal session is at work, from /proc.
 */
#ifndef REJUV_TESTS_SESSION_STATE_H
#define REJUV_TESTS_SESSION_STATE_H

#include <stdbool.h>
#include <sys/types.h>

/* True when a thread of a process of the session runs, waits for a processor, or waits for a disk. */
bool session_state_is_busy(pid_t session);

/* Sends `signal_number` to every process of the session. */
void session_state_signal(pid_t session, int signal_number);

#endif
