/*
 * peer — other projects' software, measured beside this one: a Python process (peers/peers.py) out of a folder that
 * peers/install.sh has made. It is told in one line what to do, and says in one line what that took.
 *
 * What is not installed, or does not work, is no failure of the benchmark: it is left out, and the report says so.
 */
#ifndef REJUV_TESTS_BENCH_PEER_H
#define REJUV_TESTS_BENCH_PEER_H

#include "tests/bench/bench.h"

#include <stdbool.h>

enum { PEER_NUMBERS = 4, PEER_TEXT = 200 };

typedef struct Peer Peer;

typedef struct PeerAnswer {
    double numbers[PEER_NUMBERS]; /* those that were sent, then zeros */
    size_t count;
    char text[PEER_TEXT]; /* all of it, words apart */
} PeerAnswer;

/* What an order to work is answered with. */
enum { PEER_PROCESSOR, PEER_WALL, PEER_MEMORY }; /* s, s, bytes */

/* Starts FOLDER/bin/python, with as many threads for its libraries. */
Status peer_open(const char *folder, unsigned threads, Peer **peer, Error *error) STATUS_MUST_CHECK;
void peer_close(Peer *peer); /* takes NULL */

/* Sends the words, up to a NULL, and waits. STATUS_UNSUPPORTED where the answer is that it is not installed, STATUS_MISMATCH
 * where it did not do it, STATUS_IO where it is gone. */
Status peer_ask(Peer *peer, const char *const *words, PeerAnswer *answer, Error *error) STATUS_MUST_CHECK;

/* An order of one or two words. */
Status peer_tell(Peer *peer, const char *order, const char *word, PeerAnswer *answer,
                 Error *error) STATUS_MUST_CHECK;

/* Whether `status` was an answer, and the peer is to be left out: says so in the report. */
bool peer_is_left_out(Bench *bench, const char *name, Status status, const Error *error);

#endif
