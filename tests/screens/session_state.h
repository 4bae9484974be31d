/*
 * session_state — whether any thread of a terminal session is at work, from /proc.
 */
#ifndef REJUV_TESTS_SESSION_STATE_H
#define REJUV_TESTS_SESSION_STATE_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct SessionState {
    bool busy;           /* a thread runs, waits for a processor, or waits for a disk */
    unsigned long ticks; /* of processor time that its processes have used so far */
} SessionState;

SessionState session_state_read(pid_t session);

/* Sends `signal_number` to every process of the session. */
void session_state_signal(pid_t session, int signal_number);

#endif
